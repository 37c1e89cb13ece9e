//! Marks: enough of a thing to know it again, in little space, and nothing of what it says.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The mark of a value; the same in one run of the program.
pub fn mark(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
