//! A map that forgets its oldest entries: input is hostile, memory is not endless.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map with at most a given number of entries; where there is no more room, the first one is forgotten.
#[derive(Debug)]
pub struct BoundedMap<K, V> {
    map: HashMap<K, V>,
    order: VecDeque<K>,
    most: usize,
}

impl<K: Hash + Eq + Clone, V> BoundedMap<K, V> {
    /// An empty map with room for this many entries, at least one.
    pub fn new(most: usize) -> Self {
        Self { map: HashMap::new(), order: VecDeque::new(), most: most.max(1) }
    }

    /// Sets an entry. A known one keeps its age.
    pub fn insert(&mut self, key: K, value: V) {
        self.expect(&key);
        self.map.insert(key, value);
    }

    /// The entry, made if it is not there.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.expect(&key);
        self.map.entry(key).or_insert_with(make)
    }

    /// An entry.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.map.get(key)
    }

    /// An entry, to change it.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.map.get_mut(key)
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.map.remove(key)?;
        self.order.retain(|known| known != key);
        Some(value)
    }

    /// Takes all entries away, the oldest first.
    pub fn drain(&mut self) -> Vec<V> {
        std::mem::take(&mut self.order).iter().filter_map(|key| self.map.remove(key)).collect()
    }

    /// Makes room for this key, if it is a new one.
    fn expect(&mut self, key: &K) {
        if self.map.contains_key(key) {
            return;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
        self.order.push_back(key.clone());
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

    #[test]
    fn what_is_made_is_there() {
        let mut map = BoundedMap::new(1);
        for key in ["a", "b", "b"] {
            *map.get_or_insert_with(key, || 0) += 1;
        }
        assert_eq!((map.get("a"), map.get("b")), (None, Some(&2)));
    }

    #[test]
    fn what_is_taken_away_leaves_its_room() {
        let mut map = BoundedMap::new(2);
        ["a", "b"].into_iter().for_each(|key| map.insert(key, key));
        assert_eq!((map.remove(&"a"), map.remove(&"x")), (Some("a"), None));
        map.insert("c", "c");
        assert_eq!((map.drain(), map.get("c")), (vec!["b", "c"], None));
    }
}
