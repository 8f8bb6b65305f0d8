//! Whatever happens on the way, all devices end at one epoch, and every message that the hub took was read exactly once, in
//! the order of the log, by every device that was in the group.
//!
//! Five devices of three people. In each of 300 seeded runs they talk, add and remove each other, renew their keys, join
//! anew, and do so at the same time; requests, answers and log entries are lost, doubled and reordered; devices are killed
//! before their writes are durable, or after that but before anything was sent. A failure names its seed, and
//! `WEFT_SEED=n cargo test -p weft-engine --test engine converge::` plays it again.

use crate::sim::storm::{Life, play};
use std::sync::atomic::Ordering;

const SEEDS: u64 = 300;

#[test]
fn all_converge_and_every_message_is_read_once() {
    let Some(tally) = play(SEEDS, Life::Devices) else { return };
    // The storm must have been one.
    assert!(tally.messages.load(Ordering::Relaxed) > 5 * SEEDS, "{tally:?}");
    assert!(tally.commits.load(Ordering::Relaxed) > 5 * SEEDS, "{tally:?}");
    assert!(tally.external.load(Ordering::Relaxed) > SEEDS / 3, "{tally:?}");
    assert!(tally.late.load(Ordering::Relaxed) > SEEDS / 3, "{tally:?}");
}
