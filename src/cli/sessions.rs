//! `omemoscope sessions`: the state of each session.

use super::inputs::{self, StoreArgs};
use super::terminal::Terminal;
use super::{Global, Outcome, Stop};
use crate::model::BareJid;
use crate::report::sessions::{Peer, Sessions as View};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  Every session in the store
  $ omemoscope sessions --store gajim

  The session with one device of a contact, with its archived states
  $ omemoscope sessions --store gajim peggy@localhost/549082282 -v";

/// Show the state of each session: chains, counters, skipped keys
///
/// For each session: the variant, the current and archived states, our sending chain and the receiving
/// chains with the number of the next message, keys kept for late messages, and a key exchange of ours
/// that has no answer yet. Public keys are shortened; secret keys are never shown.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Sessions {
    #[command(flatten)]
    store: StoreArgs,
    /// Only sessions with this contact, this one device of it, or this device of anybody
    #[arg(value_name = "JID[/ID]", value_parser = peer)]
    peers: Vec<Peer>,
}

/// An address, with or without a device id behind `/` or, as logs write it, `:`; or the id alone.
fn peer(text: &str) -> Result<Peer, String> {
    let text = text.strip_prefix("xmpp:").unwrap_or(text);
    if let Ok(id) = text.parse() {
        return Ok(Peer { jid: None, device: Some(id) });
    }
    let (jid, device) = match text.split_once(['/', ':']) {
        Some((jid, id)) => {
            let id =
                id.parse().map_err(|_| format!("`{id}` is no device id; expected JID or JID/ID like bob@example.org/4711"))?;
            (jid, Some(id))
        }
        None => (text, None),
    };
    let jid = BareJid::new(jid).ok_or("expected an address like bob@example.org")?;
    Ok(Peer { jid: Some(jid), device })
}

impl Sessions {
    /// Shows the sessions.
    pub fn run(&self, global: &Global, terminal: &mut Terminal) -> Result<Outcome, Stop> {
        let stores = inputs::open_stores(global, terminal, &self.store)?;
        let view = View::new(&stores, &self.peers);
        if view.is_empty() {
            terminal.warn(if self.peers.is_empty() { "the store holds no session" } else { "the store holds no such session" });
        }
        terminal.show(&view)?;
        Ok(Outcome::findings(inputs::is_damaged(&stores)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_written_in_the_ways_of_logs() {
        let told = |text: &str| peer(text).map(|peer| (peer.jid.map(|jid| jid.to_string()), peer.device));
        let bob = |device| Ok((Some("bob@example.org".to_owned()), device));
        assert_eq!(told("bob@example.org"), bob(None));
        assert_eq!(told("bob@example.org/7"), bob(Some(7)));
        assert_eq!(told("xmpp:bob@example.org:7"), bob(Some(7)));
        assert_eq!(told("7"), Ok((None, Some(7))));
        assert!(told("bob@example.org/phone").is_err_and(|says| says.contains("`phone` is no device id")));
    }
}
