//! Counts with a bound, by address and all together, given back when the holder ends.

use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, sync::Arc};

/// How many there are now, by address group ([`crate::address::group`]).
#[derive(Debug, Default)]
pub struct Counts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place that was taken; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    counts: Arc<Counts>,
    address: IpAddr,
}

/// Which bound was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All together.
    Total,
    /// From this address.
    Address,
}

impl Counts {
    /// Takes a place. The map never holds more addresses than there are places taken.
    ///
    /// # Errors
    /// [`Full`].
    pub fn take(
        self: &Arc<Self>,
        address: IpAddr,
        total_max: usize,
        per_address_max: usize,
    ) -> Result<Place, Full> {
        let mut state = self.state.lock();
        if state.total >= total_max {
            return Err(Full::Total);
        }
        let here = state.by_address.get(&address).copied().unwrap_or(0);
        if here >= per_address_max {
            return Err(Full::Address);
        }
        state.total += 1;
        state.by_address.insert(address, here + 1);
        Ok(Place { counts: Arc::clone(self), address })
    }

    /// How many places are taken.
    pub fn total(&self) -> usize {
        self.state.lock().total
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.counts.state.lock();
        state.total = state.total.saturating_sub(1);
        if let Some(here) = state.by_address.get_mut(&self.address) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                state.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let counts = Arc::new(Counts::default());
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let first = counts.take(a, 3, 2).unwrap();
        let _second = counts.take(a, 3, 2).unwrap();
        assert_eq!(counts.take(a, 3, 2).unwrap_err(), Full::Address);
        let _third = counts.take(b, 3, 2).unwrap();
        assert_eq!(counts.take(b, 3, 2).unwrap_err(), Full::Total);
        drop(first);
        assert_eq!(counts.total(), 2);
        let _again = counts.take(a, 3, 2).unwrap();
    }
}
