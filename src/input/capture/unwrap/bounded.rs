//! A map that forgets its oldest entries: input is hostile, memory is not endless.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct BoundedMap<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> BoundedMap<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { map: HashMap::new(), order: VecDeque::new(), most }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.map.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_oldest() {
        let mut map = BoundedMap::new(2);
        for key in ["a", "b", "a", "c"] {
            map.insert(key, key.len());
        }
        assert_eq!((map.get("a"), map.get("b"), map.get("c")), (None, Some(&1), Some(&1)));
    }
}
