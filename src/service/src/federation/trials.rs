//! How often an event of another node has met a fault of this one: a fault that does not pass must not hold up for ever what comes
//! after.

use parking_lot::Mutex;
use std::collections::HashMap;
use weft_wire::{NodeName, federation::Batch};

/// How often an event is tried that meets a fault of this node. The pauses of its sender grow up to ten minutes: an hour.
const TRIALS_MAX: u32 = 16;
/// Peers of which that is remembered.
const TRIALS_KEPT: usize = 1_024;

/// Events that met a fault of this node: one a peer, the one that is next. After a restart they have all their chances again.
#[derive(Default)]
pub(super) struct Trials(Mutex<HashMap<NodeName, Trial>>);

/// An event, and how often it was tried.
struct Trial {
    run: [u8; 16],
    number: u64,
    count: u32,
}

impl Trials {
    /// Whether an event has had its chances, this one counted.
    pub fn is_over(&self, batch: &Batch, number: u64) -> bool {
        let mut trials = self.0.lock();
        if trials.len() >= TRIALS_KEPT && !trials.contains_key(&batch.from) {
            trials.clear();
        }
        let fresh = || Trial { run: batch.run, number, count: 0 };
        let trial = trials.entry(batch.from.clone()).or_insert_with(fresh);
        if (trial.run, trial.number) != (batch.run, number) {
            *trial = fresh();
        }
        trial.count += 1;
        trial.count >= TRIALS_MAX
    }
}
