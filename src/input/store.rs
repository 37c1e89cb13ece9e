//! Clients' stores: one file a client. [`open`] finds out which client's a file or folder is, from its
//! content, and reads it without changing a byte beside it.

use super::InputError;
use crate::model::{BareJid, Store};
use crate::secret::Plaintext;
use std::path::Path;

/// What a reader may need besides the files.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// The account, where the store does not know its own address.
    pub account: Option<BareJid>,
    /// Passwords for encrypted backups, each tried in turn.
    pub passwords: Vec<Plaintext>,
}

/// Opens a store: a file or a folder of any known client.
pub fn open(path: &Path, _options: &OpenOptions) -> Result<Store, InputError> {
    Err(InputError::new(path, "no known client's store"))
}
