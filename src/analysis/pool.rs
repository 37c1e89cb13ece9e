//! What many messages have in common, kept once: a thousand messages of one device stand under the same facts, so
//! the memory for facts grows with the devices and what happens to them, not with the messages.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Equal values, kept once.
#[derive(Debug)]
pub struct Pool<T: ?Sized>(HashSet<Arc<T>>);

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self(HashSet::new())
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    /// The kept value that equals this one.
    pub fn keep<V: Borrow<T> + Into<Arc<T>>>(&mut self, value: V) -> Arc<T> {
        if let Some(known) = self.0.get(value.borrow()) {
            return known.clone();
        }
        let kept: Arc<T> = value.into();
        self.0.insert(kept.clone());
        kept
    }

    /// Lets go of values that nobody else holds any more.
    pub fn sweep(&mut self) {
        self.0.retain(|kept| Arc::strong_count(kept) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_kept_once() {
        let mut pool = Pool::<[u32]>::default();
        let (first, second, other) = (pool.keep(vec![1, 2]), pool.keep(vec![1, 2]), pool.keep(vec![2, 1]));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &other));
        drop(other);
        pool.sweep();
        assert_eq!(pool.0.len(), 1);
    }
}
