//! Which associated data a session puts before a message.

use super::{AssociatedData, Session};
use crate::omemo::Namespace;
use crate::omemo::identity::IdentityKey;

/// Length of `05‖IK ‖ 05‖IK`.
const LEGACY_LENGTH: usize = 66;

impl Session {
    /// The associated data of a message in this session, `incoming` or our own. Where the store leaves
    /// a choice (see [`Session::associated_data_candidates`]) it is the first one. `None` when a form
    /// of an identity key that it needs is not known.
    pub fn associated_data(&self, incoming: bool) -> Option<AssociatedData> {
        self.associated_data_candidates(incoming).into_iter().next()
    }

    /// Every associated data that fits what the store says, the likeliest first. There is a choice
    /// only in OMEMO 1 and 2: when it is not known who began the session, or when only the Curve25519
    /// form of an identity key is known, which lacks the sign of the Ed25519 form.
    pub fn associated_data_candidates(&self, incoming: bool) -> Vec<AssociatedData> {
        if self.namespace == Namespace::Legacy {
            return vec![self.legacy_associated_data(incoming)];
        }
        if let Some(stored) = &self.stored_associated_data {
            return vec![stored.clone()];
        }
        let orders: &[bool] = match self.initiator {
            Some(true) => &[true],
            Some(false) => &[false],
            None => &[false, true],
        };
        let (local, remote) = (edwards_forms(&self.local_identity), edwards_forms(&self.remote_identity));
        let mut candidates = Vec::new();
        for &we_began in orders {
            for ours in &local {
                for theirs in &remote {
                    candidates.push(if we_began {
                        AssociatedData::omemo(ours, theirs)
                    } else {
                        AssociatedData::omemo(theirs, ours)
                    });
                }
            }
        }
        candidates
    }

    /// Sender first. A stored one is initiator first: it is turned when the initiator is not the sender.
    fn legacy_associated_data(&self, incoming: bool) -> AssociatedData {
        let (sender, receiver) =
            if incoming { (&self.remote_identity, &self.local_identity) } else { (&self.local_identity, &self.remote_identity) };
        let Some(stored) =
            self.stored_associated_data.as_ref().map(AssociatedData::as_bytes).filter(|s| s.len() == LEGACY_LENGTH)
        else {
            return AssociatedData::legacy(sender, receiver);
        };
        let (first, second) = stored.split_at(LEGACY_LENGTH / 2);
        let we_began = self.initiator.unwrap_or_else(|| first == self.local_identity.curve().to_signal());
        if we_began == incoming {
            AssociatedData::stored([second, first].concat())
        } else {
            AssociatedData::stored(stored.to_vec())
        }
    }
}

/// The Ed25519 form where it is known, otherwise both that belong to the Curve25519 form: sign 0
/// first, which is what libomemo-c and everything that signs with XEdDSA send.
fn edwards_forms(identity: &IdentityKey) -> Vec<[u8; 32]> {
    match identity.edwards() {
        Some(form) => vec![*form],
        None => [false, true].into_iter().filter_map(|sign| identity.to_edwards(sign)).collect(),
    }
}
