//! How many sockets there are, by address and by account. A place is given back when it is dropped.

use crate::{Fault, LimitKey, error::at_most};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Sockets by whom they count for.
#[derive(Clone, Default)]
pub(super) struct Counts(Arc<Mutex<HashMap<LimitKey, usize>>>);

/// One socket's place.
pub(super) struct Place {
    counts: Counts,
    key: LimitKey,
}

impl Counts {
    /// Takes a place.
    ///
    /// # Errors
    /// [`Fault::TooMany`].
    pub fn take(&self, key: LimitKey, max: usize) -> Result<Place, Fault> {
        let mut counts = self.0.lock();
        let taken = counts.get(&key).copied().unwrap_or(0) + 1;
        at_most("sockets", taken, max)?;
        counts.insert(key.clone(), taken);
        Ok(Place { counts: self.clone(), key })
    }

    /// All places that are taken.
    pub fn total(&self) -> usize {
        self.0.lock().values().sum()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock();
        if let Some(taken) = counts.get_mut(&self.key) {
            *taken -= 1;
            if *taken == 0 {
                counts.remove(&self.key);
            }
        }
    }
}
