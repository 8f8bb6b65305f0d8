//! A small bounded cache: two generations of a map, of which the older is dropped whole when the younger is full.

use parking_lot::Mutex;
use std::{collections::HashMap, hash::Hash};

/// Keeps at least the last `max / 2` entries that were used, and never more than `max`.
pub(crate) struct Cache<K, V> {
    inner: Mutex<Inner<K, V>>,
    half: usize,
}

struct Inner<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Grows with each removal, so that a value that was read before one is not put back after it.
    generation: u64,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub fn new(max: usize) -> Self {
        let inner = Inner { young: HashMap::new(), old: HashMap::new(), generation: 0 };
        Cache { inner: Mutex::new(inner), half: (max / 2).max(1) }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let mut inner = self.inner.lock();
        if let Some(value) = inner.young.get(key) {
            return Some(value.clone());
        }
        let value = inner.old.remove(key)?;
        inner.put(self.half, key.clone(), value.clone());
        Some(value)
    }

    /// To be taken before a value is read from the store, and handed to [`Self::insert`].
    pub fn generation(&self) -> u64 {
        self.inner.lock().generation
    }

    /// Remembers a value that was read when the generation was `read_at`; not if anything was removed since.
    pub fn insert(&self, key: K, value: V, read_at: u64) {
        let mut inner = self.inner.lock();
        if inner.generation == read_at {
            inner.put(self.half, key, value);
        }
    }

    /// Forgets whatever the test says.
    pub fn remove_if(&self, mut test: impl FnMut(&K, &V) -> bool) {
        let mut inner = self.inner.lock();
        inner.generation = inner.generation.wrapping_add(1);
        inner.young.retain(|key, value| !test(key, value));
        inner.old.retain(|key, value| !test(key, value));
    }
}

impl<K: Eq + Hash, V> Inner<K, V> {
    fn put(&mut self, half: usize, key: K, value: V) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_bounded_and_keeps_what_is_used() {
        let cache = Cache::new(10);
        for n in 0..1_000 {
            cache.insert(n, n, 0);
            cache.insert(0, 0, 0);
            assert_eq!(cache.get(&0), Some(0));
        }
        let inner = cache.inner.lock();
        assert!(inner.young.len() + inner.old.len() <= 10);
    }

    #[test]
    fn a_value_read_before_a_removal_does_not_come_back() {
        let cache = Cache::new(10);
        let read_at = cache.generation();
        cache.remove_if(|key, _| *key == 1);
        cache.insert(1, "revoked", read_at);
        assert_eq!(cache.get(&1), None);
    }
}
