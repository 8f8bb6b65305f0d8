//! Addresses where accounts signed in lately; what for stands in [`super::login`].
//!
//! In memory only: after a restart devices open their sockets at once, and are known again by that.

use crate::{cache::Cache, limits::network};
use parking_lot::Mutex;
use std::{net::IpAddr, sync::Arc};
use weft_wire::{Millis, UserName};

/// Accounts that are remembered, about 200 bytes each.
const ACCOUNTS_MAX: usize = 16_384;
/// Addresses of one account, the latest: nobody can fill the memory with one.
const ADDRESSES_MAX: usize = 8;
/// How long an address stays familiar.
const LATELY_MS: Millis = 30 * 24 * 60 * 60 * 1000;

type Addresses = Arc<Mutex<Vec<(IpAddr, Millis)>>>;

/// See the module.
pub(super) struct Familiar {
    accounts: Cache<UserName, Addresses>,
}

impl Default for Familiar {
    fn default() -> Self {
        Familiar { accounts: Cache::new(ACCOUNTS_MAX) }
    }
}

impl Familiar {
    /// To be called when an account has proved itself: by password, or by a device's key.
    pub fn note(&self, name: &UserName, from: IpAddr, now: Millis) {
        let generation = self.accounts.generation();
        let addresses = self.accounts.get(name).unwrap_or_else(|| {
            let none = Addresses::default();
            self.accounts.insert(name.clone(), none.clone(), generation);
            none
        });
        let (mut addresses, from) = (addresses.lock(), network(from));
        addresses.retain(|(address, _)| *address != from);
        if addresses.len() >= ADDRESSES_MAX {
            addresses.remove(0);
        }
        addresses.push((from, now));
    }

    /// Whether the account signed in from there lately.
    pub fn knows(&self, name: &UserName, from: IpAddr, now: Millis) -> bool {
        let from = network(from);
        self.accounts.get(name).is_some_and(|addresses| {
            addresses
                .lock()
                .iter()
                .any(|(address, at)| *address == from && now.saturating_sub(*at) <= LATELY_MS)
        })
    }

    /// Forgets an account's addresses.
    pub fn forget(&self, name: &UserName) {
        self.accounts.remove_if(|other, _| other == name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> IpAddr {
        format!("2001:db8:0:{n:x}::1").parse().unwrap()
    }

    #[test]
    fn the_latest_addresses_are_known_for_a_while() {
        let (familiar, alice) = (Familiar::default(), "alice".parse().unwrap());
        for n in 0..=ADDRESSES_MAX {
            familiar.note(&alice, address(n), 1_000);
        }
        assert!(!familiar.knows(&alice, address(0), 1_000), "the oldest made room");
        assert!((1..=ADDRESSES_MAX).all(|n| familiar.knows(&alice, address(n), 1_000)));
        assert!(familiar.knows(&alice, "2001:db8:0:1::99".parse().unwrap(), 1_000), "of one network");
        assert!(!familiar.knows(&"bob".parse().unwrap(), address(1), 1_000));
        assert!(!familiar.knows(&alice, address(1), 1_001 + LATELY_MS));
        familiar.forget(&alice);
        assert!(!familiar.knows(&alice, address(1), 1_000));
    }
}
