//! # no-session
//!
//! **What happened.** The message continues a session that your client does not have.
//!
//! **How it shows.** Nothing or the fallback text; "No session for" (Gajim, libsignal), SG_ERR_NO_SESSION (-1008),
//! "No record for" (Converse), NoSession (python-omemo). Everything from that device fails until somebody begins a
//! new session.
//!
//! **Mechanism.** The session row was deleted or lost (device removed, database lost, cleanup), while the peer goes
//! on with it.
//!
//! **What proves it.** No session for this address and device in the store, and the message is no key exchange.
//!
//! **Mistaken for.** A key exchange without its attribute ([malformed-message]); a session under another spelling of
//! the address; a store copy from before the session began ([beyond-snapshot]).
//!
//! **What to do.** Send any message to that contact: most clients then begin a new session. The message itself is
//! lost; ask for it again.
//!
//! **References.** XEP-0384 section 5.6 and 5.7.

use super::{Cause, Judgement, Scene, in_store, nothing};
use crate::analysis::trial::SessionFact;
use crate::model::{Code, Confidence};

pub(super) const CAUSE: Cause = Cause { code: Code::NoSession, source: include_str!("no_session.rs"), judge, whole: nothing };

fn judge(scene: &Scene<'_>) -> Option<Judgement> {
    let trial = scene.trial()?;
    let missing = matches!(trial.session, SessionFact::Missing | SessionFact::Present { states: 0, .. });
    if scene.opened() || trial.exchange.is_some() || !missing {
        return None;
    }
    let account = &scene.own()?.replays.first()?.account;
    let replace = account.client.remedies.replace_session;
    Some(
        Judgement::new(Confidence::Proven, format!("{} has no session with {}.", account.client.name, scene.sender()))
            .evidence(scene.stanza("it is an ordinary message, not a key exchange"))
            .evidence(in_store(&account.place, format!("no session with {}", scene.sender())))
            .remedy("Send any message to this contact: that begins a new session; then ask for the lost message again.")
            .all_remedies(replace),
    )
}
