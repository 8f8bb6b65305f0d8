//! How much of our memory those who call may hold, all together and each.
//!
//! Nothing here waits: what does not fit is refused as busy, and the caller comes again. A queue would let one peer's
//! half-sent batches hold up the others', and would be one more thing to bound.

use crate::{Budgets, PeerKey};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// There is no room at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverBudget;

/// The account of what callers hold.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Budgets,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: Share,
    peers: HashMap<PeerKey, Share>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    streams: usize,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limits: Budgets) -> Arc<Self> {
        Arc::new(Budget { limits, held: Mutex::default() })
    }

    /// A place for one stream of this peer, given back when it is dropped.
    pub(crate) fn admit(self: &Arc<Self>, peer: PeerKey) -> Result<Slot, OverBudget> {
        let mut held = self.held.lock();
        let own = held.peers.get(&peer).copied().unwrap_or_default();
        if held.total.streams >= self.limits.streams_max || own.streams >= self.limits.streams_per_peer_max {
            return Err(OverBudget);
        }
        held.total.streams += 1;
        held.peers.entry(peer).or_default().streams += 1;
        Ok(Slot { budget: Arc::clone(self), peer, bytes: 0 })
    }

    #[cfg(test)]
    pub(crate) fn is_unused(&self) -> bool {
        let held = self.held.lock();
        held.total == Share::default() && held.peers.is_empty()
    }
}

/// One stream's place, and the bytes it holds.
#[derive(Debug)]
pub(crate) struct Slot {
    budget: Arc<Budget>,
    peer: PeerKey,
    bytes: usize,
}

impl Slot {
    /// Bytes are about to be allocated for this stream.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), OverBudget> {
        let mut held = self.budget.held.lock();
        let limits = &self.budget.limits;
        let own = held.peers.get(&self.peer).copied().unwrap_or_default();
        let fits = |held: usize, max: usize| held.checked_add(bytes).is_some_and(|sum| sum <= max);
        if !fits(held.total.bytes, limits.bytes_max) || !fits(own.bytes, limits.bytes_per_peer_max) {
            return Err(OverBudget);
        }
        held.total.bytes += bytes;
        held.peers.entry(self.peer).or_default().bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back all but so many bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let back = self.bytes.saturating_sub(bytes);
        self.bytes -= back;
        let mut held = self.budget.held.lock();
        held.total.bytes = held.total.bytes.saturating_sub(back);
        if let Some(own) = held.peers.get_mut(&self.peer) {
            own.bytes = own.bytes.saturating_sub(back);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shrink_to(0);
        let mut held = self.budget.held.lock();
        held.total.streams = held.total.streams.saturating_sub(1);
        if let Some(own) = held.peers.get_mut(&self.peer) {
            own.streams = own.streams.saturating_sub(1);
            if *own == Share::default() {
                held.peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_peer_cannot_take_what_is_for_all() {
        let budget = Budget::new(Budgets {
            streams_max: 4,
            streams_per_peer_max: 2,
            bytes_max: 100,
            bytes_per_peer_max: 60,
        });
        let (alice, bob, carol) = (PeerKey([1; 32]), PeerKey([2; 32]), PeerKey([3; 32]));
        let mut first = budget.admit(alice).unwrap();
        let mut second = budget.admit(alice).unwrap();
        assert!(budget.admit(alice).is_err());
        first.charge(40).unwrap();
        assert_eq!(second.charge(21), Err(OverBudget));
        second.charge(20).unwrap();
        let mut other = budget.admit(bob).unwrap();
        assert_eq!(other.charge(41), Err(OverBudget));
        other.charge(40).unwrap();
        assert_eq!(other.charge(usize::MAX), Err(OverBudget));
        let _fourth = budget.admit(carol).unwrap();
        assert!(budget.admit(carol).is_err(), "four is all");
        first.shrink_to(10);
        drop(other);
        second.charge(30).unwrap();
        drop((first, second));
        assert!(!budget.is_unused());
        drop(_fourth);
        assert!(budget.is_unused());
    }
}
