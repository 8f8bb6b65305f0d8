//! Being called over others: reservations at relays, for as long as there is no direct way in.

use crate::{Nat, PeerKey, search::over, task::Task};
use libp2p::{Multiaddr, core::transport::ListenerId};
use std::{collections::HashMap, time::Instant};

/// Relays at which this node lets itself be called, if the operator named none. The second is for when the first goes.
const RELAYS_HELD_MAX: usize = 2;

/// Reservations.
pub(crate) struct Relays {
    /// Those that the operator named.
    pub(crate) configured: Vec<(PeerKey, Multiaddr)>,
    held: HashMap<ListenerId, PeerKey>,
}

impl Relays {
    pub(crate) fn new(configured: Vec<(PeerKey, Multiaddr)>) -> Self {
        Relays { configured, held: HashMap::new() }
    }
}

impl Task {
    /// Asks for what reservations are wanted and missing.
    pub(crate) fn reserve(&mut self) {
        let relays = if !self.relays.configured.is_empty() {
            self.relays.configured.clone()
        } else if self.roster.nat() == Nat::Private {
            self.roster.relays()
        } else {
            return;
        };
        let wanted = if self.relays.configured.is_empty() { RELAYS_HELD_MAX } else { relays.len() };
        for (relay, address) in relays {
            let is_held = self.relays.held.values().any(|held| *held == relay);
            if self.relays.held.len() >= wanted || is_held || self.book.rests(relay, Instant::now()) {
                continue;
            }
            let Some(way) = over(relay, address) else { continue };
            match self.swarm.listen_on(way) {
                Ok(listener) => {
                    self.relays.held.insert(listener, relay);
                }
                Err(error) => tracing::warn!(%relay, %error, "a relay cannot be used"),
            }
        }
    }

    /// Whether the listener that closed was one at a relay. It is asked again after a pause.
    pub(crate) fn reservation_ended(&mut self, listener: ListenerId) -> bool {
        let Some(relay) = self.relays.held.remove(&listener) else { return false };
        tracing::debug!(%relay, "a relay is not there any more");
        self.book.failed(relay, Instant::now());
        true
    }
}
