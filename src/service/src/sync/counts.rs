//! How many sockets there are, by address, by account and by device. A place is given back when it is dropped.

use crate::{Fault, error::at_most};
use parking_lot::Mutex;
use std::{collections::HashMap, hash::Hash, sync::Arc};

/// Sockets by whom they count for.
pub(super) struct Counts<K: Eq + Hash>(Arc<Mutex<HashMap<K, usize>>>);

impl<K: Eq + Hash> Default for Counts<K> {
    fn default() -> Self {
        Counts(Arc::default())
    }
}

/// One socket's place.
pub(super) struct Place<K: Eq + Hash> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Eq + Hash + Clone> Counts<K> {
    /// Takes a place.
    ///
    /// # Errors
    /// [`Fault::TooMany`].
    pub fn take(&self, key: K, max: usize) -> Result<Place<K>, Fault> {
        let mut counts = self.0.lock();
        let taken = counts.get(&key).copied().unwrap_or(0) + 1;
        at_most("sockets", taken, max)?;
        counts.insert(key.clone(), taken);
        Ok(Place { counts: Arc::clone(&self.0), key })
    }

    /// All places that are taken.
    pub fn total(&self) -> usize {
        self.0.lock().values().sum()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(taken) = counts.get_mut(&self.key) {
            *taken -= 1;
            if *taken == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
