//! Whom a client's line is about: addresses, device ids and fingerprints, as clients write them into their lines.

use crate::model::BareJid;
use crate::omemo::Fingerprint;

/// Whom a line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The account of the client that wrote it.
    pub account: Option<BareJid>,
    /// The other side.
    pub jid: Option<BareJid>,
    /// The other side's device.
    pub device_id: Option<u32>,
    /// The other side's identity key.
    pub fingerprint: Option<Fingerprint>,
}

impl Subject {
    /// What a line says of it. Clients name their own account in brackets or first of all, the other side behind it,
    /// and its device right behind its address: `JID:ID`, `JID/ID`, `JID.ID`, `JID, ID`, or `device ID of JID`.
    pub fn of(text: &str) -> Self {
        let mut subject = Self { fingerprint: fingerprint(text), ..Self::default() };
        let mut addresses = addresses(text);
        if addresses.first().is_some_and(|first| names_account(text, first)) {
            subject.account = Some(addresses.remove(0).jid);
        }
        if let Some(other) = addresses.pop() {
            subject.device_id = other.device_id.or_else(|| device_before(&text[..other.start]));
            subject.jid = Some(other.jid);
        } else {
            subject.device_id = device_before(text);
        }
        subject
    }

    /// With what another line about the same message says.
    pub fn and(self, other: Self) -> Self {
        Self {
            account: self.account.or(other.account),
            jid: self.jid.or(other.jid),
            device_id: self.device_id.or(other.device_id),
            fingerprint: self.fingerprint.or(other.fingerprint),
        }
    }
}

/// An address in a line.
struct Address {
    jid: BareJid,
    device_id: Option<u32>,
    start: usize,
    /// Where it ends, without a device id.
    end: usize,
}

/// What may stand in an address; everything else ends one.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '%')
}

fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let start = text[..at].char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(at, |(start, _)| start);
        let length: usize = text[at..].chars().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
        let whole = text[start..at + length].trim_end_matches('.');
        // JavaScript libraries join address and device with a dot.
        let (address, joined) = match whole.rsplit_once('.') {
            Some((address, id)) if address.contains('@') && !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => {
                (address, id.parse().ok())
            }
            _ => (whole, None),
        };
        let Some(jid) = BareJid::new(address).filter(|_| start < at) else { continue };
        let end = start + address.len();
        let device_id = joined.or_else(|| device_behind(&text[end..]));
        found.push(Address { jid, device_id, start, end });
    }
    found
}

/// `AxolotlService (JID): …`, `(JID) …`, `JID: …`: brackets are the account's, and so is what a line begins with.
fn names_account(text: &str, first: &Address) -> bool {
    let before = text[..first.start].trim_end();
    let behind = &text[first.end..];
    let bracketed = before.ends_with('(') && behind.starts_with(')');
    let leads = before.is_empty() && behind.starts_with(": ");
    bracketed || leads
}

fn device_behind(rest: &str) -> Option<u32> {
    let rest = [":", "/", ", ", " ("].iter().find_map(|mark| rest.strip_prefix(mark))?;
    number(rest)
}

/// `device id N`, `deviceid N`, `rid N`, `device N of`.
fn device_before(text: &str) -> Option<u32> {
    let lower = text.to_ascii_lowercase();
    let marks = ["device id of ", "device_id=", "device id ", "deviceid ", "device ", "rid "];
    let (at, mark) = marks.iter().filter_map(|mark| Some((lower.rfind(mark)?, mark))).max_by_key(|(at, mark)| at + mark.len())?;
    number(&text[at + mark.len()..])
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok()
}

/// 64 hex digits, or 66 that begin with the type byte of a Curve25519 key.
fn fingerprint(text: &str) -> Option<Fingerprint> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.filter(|word| matches!(word.len(), 64 | 66)).find_map(|word| Fingerprint::parse(word).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(text: &str) -> (Option<String>, Option<String>, Option<u32>) {
        let subject = Subject::of(text);
        (subject.account.map(|j| j.to_string()), subject.jid.map(|j| j.to_string()), subject.device_id)
    }

    fn said(account: &str, jid: &str, device_id: u32) -> (Option<String>, Option<String>, Option<u32>) {
        let some = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        (some(account), some(jid), Some(device_id).filter(|id| *id > 0))
    }

    #[test]
    fn clients_name_the_other_side_in_their_own_ways() {
        assert_eq!(
            subject("AxolotlService (alice@localhost): Failed to decrypt message from frank@chat.example"),
            said("alice@localhost", "frank@chat.example", 0)
        );
        assert_eq!(
            subject("alice@localhost: broken session with carol@chat.example:86171327 detected"),
            said("alice@localhost", "carol@chat.example", 86_171_327)
        );
        assert_eq!(subject("alice@localhost: received OMEMO key transport message"), said("alice@localhost", "", 0));
        assert_eq!(subject("Decrypting message from bob@localhost/4711 failed: x"), said("", "bob@localhost", 4711));
        assert_eq!(subject("OMEMO decryption failed: Error No record for bob@localhost.12"), said("", "bob@localhost", 12));
        assert_eq!(subject("No session for: bob@localhost, 12"), said("", "bob@localhost", 12));
        assert_eq!(subject("Trying to repair session with deviceid 7 on jid bob@localhost"), said("", "bob@localhost", 7));
        assert_eq!(subject("[OMEMO][STORE] Looking for device ID of bob@localhost"), said("", "bob@localhost", 0));
        assert_eq!(subject("bare_jid='bob@localhost', device_id=9"), said("", "bob@localhost", 0));
        assert_eq!(subject("nothing of the kind @ all"), said("", "", 0));
    }

    #[test]
    fn a_fingerprint_is_known_with_its_type_byte() {
        let hex = "f067d0798d7e70c80a78052cc85f1e56f1c557f460a13a078acaecafe85ab33a";
        let line = format!("Received Message with session fingerprint: 05{hex}");
        assert_eq!(Subject::of(&line).fingerprint.map(|f| f.to_string()), Some(hex.to_owned()));
    }
}
