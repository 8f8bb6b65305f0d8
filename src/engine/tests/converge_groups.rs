//! The storm of `converge.rs` over the life of a group: five people with two devices each are brought in and removed, get and
//! lose roles, leave, and do all of that at the same time. All devices end at one epoch with the same members and the same
//! roles, the group has an owner at every epoch, and every message was read once by everybody who was there.
//!
//! A failure names its seed, and `WEFT_SEED=n cargo test -p weft-engine --test engine converge_groups::` plays it again.

use crate::sim::storm::{Life, play};
use std::sync::atomic::Ordering;

const SEEDS: u64 = 100;

#[test]
fn groups_converge_whatever_their_people_do() {
    let Some(tally) = play(SEEDS, Life::Group) else { return };
    // The storm must have been one, and rules must have stood in its way.
    assert!(tally.messages.load(Ordering::Relaxed) > 3 * SEEDS, "{tally:?}");
    assert!(tally.commits.load(Ordering::Relaxed) > 3 * SEEDS, "{tally:?}");
    assert!(tally.external.load(Ordering::Relaxed) > SEEDS / 3, "{tally:?}");
    assert!(tally.refused.load(Ordering::Relaxed) > SEEDS / 3, "{tally:?}");
    assert!(tally.role_changes.load(Ordering::Relaxed) > SEEDS / 10, "{tally:?}");
    assert!(tally.left.load(Ordering::Relaxed) > SEEDS / 5, "{tally:?}");
}
