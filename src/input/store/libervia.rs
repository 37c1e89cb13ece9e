//! Libervia (earlier: Salut à Toi): recognised, not read. It keeps pickled Python objects in SQLite, and
//! unpickling runs what a stranger wrote.
//!
//! Source: libervia-backend 0.8.0; newer layouts were not seen, they are recognised by the same keys.

use super::candidate::Candidate;
use super::default_place::{DefaultPlace, data};
use super::{OpenOptions, Reading, StoreFormat, python_omemo};
use crate::input::InputError;
use crate::model::ClientProfile;

/// Libervia uses python-omemo.
pub const PROFILE: ClientProfile = ClientProfile { name: "Libervia", ..python_omemo::PROFILE };

/// How it is recognised.
pub const FORMAT: StoreFormat = StoreFormat { client: &PROFILE, detect, places: PLACES, read };

const PLACES: &[DefaultPlace] = &[data("libervia"), data("sat")];

/// Namespace of OMEMO's rows in the table of private data.
const NAMESPACE: &str = "XEP-0384";

fn detect(candidate: &Candidate) -> bool {
    candidate.database().is_some_and(|database| {
        database.has("private_ind_bin", &["namespace", "key", "value"])
            && database.rows("private_ind_bin", &["namespace"]).iter().any(|row| row.text("namespace") == Some(NAMESPACE))
    })
}

fn read(candidate: &Candidate, _options: &OpenOptions) -> Result<Reading, InputError> {
    let says = "Libervia's store; its OMEMO data are pickled Python objects, which are not read because reading them can run code. \
                Give a capture with the other end's store, or key material by hand (--keys)";
    Err(InputError::new(candidate.path(), says))
}
