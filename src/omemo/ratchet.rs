//! The Double Ratchet, receiving side and the message keys of our own sending chain; one term of the
//! paper a file. Nothing here throws results away: every attempt says which state was tried, which
//! chain was found or which DH step was made, and why it ended as it did.

mod associated_data;
mod chain_key;
mod implementation;
mod message_key;
mod receive;
mod receiver_chain;
mod record;
mod root_key;
mod session;

pub use chain_key::ChainKey;
pub use implementation::{Implementation, Limits, TurnRule};
pub(in crate::omemo) use message_key::decrypt_cbc;
pub use message_key::{AssociatedData, MessageKey};
pub use receiver_chain::{ReceiverChain, SkippedKey};
pub use record::{Attempt, Opened, SessionRecord, StateAttempt, StateRef};
pub use root_key::RootKey;
pub use session::{ChainLookup, Failure, MAX_FORWARD_JUMP, PendingPreKey, SenderChain, Session, Step};
