//! The time by which things are deleted for good. The machine's clock may jump: a home server without a battery starts in
//! another year until it is told the time, and what is deleted then does not come back. So this time follows the clock, but
//! never passes more than twice as fast as the node has really run. After a long pause things stay longer, and no shorter. A
//! clock that is behind only makes them wait: how far things have aged is never taken back.

use crate::{
    Fault,
    context::{Ctx, be64},
};
use tokio::sync::Mutex;
use weft_store::{Batch, Store, tables};
use weft_wire::Millis;

/// Where [`tables::NODE`] keeps it.
const AGED_TO: &[u8] = b"aged_to";
/// How much faster it may pass than the node runs, to catch up after a pause.
const CATCH_UP: u64 = 2;
/// 2026-01-01. Before it there was no node: a clock that shows an earlier time has not been set yet.
pub(crate) const EARLIEST: Millis = 1_767_225_600_000;

/// How far things have aged.
pub(crate) struct Aging(Mutex<State>);

struct State {
    /// None: not read yet.
    aged_to: Option<Millis>,
    /// The steady time at which that was so.
    at: Millis,
}

impl Aging {
    /// From this steady time on.
    pub fn new(steady: Millis) -> Self {
        Aging(Mutex::new(State { aged_to: None, at: steady }))
    }

    /// The time by which things are deleted; on disk before it is given.
    pub async fn now(&self, ctx: &Ctx) -> Result<Millis, Fault> {
        let mut state = self.0.lock().await;
        let (clock, steady) = (ctx.now(), ctx.clock.steady_ms());
        let before = match state.aged_to {
            Some(aged_to) => Some(aged_to),
            None => reached(&ctx.store).await?,
        };
        if clock < EARLIEST {
            return Ok(clock);
        }
        let ran = steady.saturating_sub(state.at);
        let now = before.map_or(clock, |before| clock.min(before.saturating_add(CATCH_UP * ran)));
        let reached = before.map_or(now, |before| before.max(now));
        if before != Some(reached) {
            // Urgent, for without it nothing is deleted, and a disk that is full stays so.
            let aged = Batch::new().put(tables::NODE, AGED_TO, reached.to_be_bytes()).urgent();
            ctx.store.commit(aged).await?;
        }
        *state = State { aged_to: Some(reached), at: steady };
        Ok(now)
    }
}

/// The time up to which things have aged in a store; none: nothing has.
pub(crate) async fn reached(store: &Store) -> Result<Option<Millis>, Fault> {
    Ok(store.get(tables::NODE, AGED_TO).await?.and_then(|row| be64(&row.value)))
}

#[cfg(test)]
mod tests {
    use crate::testing::*;

    const DAY_MS: u64 = 86_400_000;

    #[tokio::test]
    async fn a_clock_that_jumps_ages_nothing() {
        let world = World::new().await;
        let ctx = world.context();
        assert_eq!(ctx.aged().await.unwrap(), START_MS);
        world.clock.jump_to(START_MS + 40 * DAY_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS);
        // Nor does a start in between.
        let again = world.restarted().await;
        assert_eq!(again.context().aged().await.unwrap(), START_MS);
        world.clock.jump_to(START_MS);
        world.clock.advance(DAY_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS + DAY_MS);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_for_a_while_holds_nothing_up_for_longer() {
        let world = World::new().await;
        let ctx = world.context();
        ctx.aged().await.unwrap();
        for wrong in [0, START_MS - 365 * DAY_MS] {
            world.clock.jump_to(wrong);
            let again = world.restarted().await;
            assert_eq!(again.context().aged().await.unwrap(), wrong, "by such a clock nothing is old");
        }
        world.clock.jump_to(START_MS);
        world.clock.advance(DAY_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS + DAY_MS);
    }

    #[tokio::test]
    async fn a_first_start_at_a_time_before_all_nodes_is_no_beginning() {
        let world = World::new().await;
        let ctx = world.context();
        world.clock.jump_to(1_000);
        assert_eq!(ctx.aged().await.unwrap(), 1_000);
        world.clock.jump_to(START_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS);
    }

    #[tokio::test]
    async fn after_a_pause_the_time_is_caught_up_with() {
        let world = World::new().await;
        let ctx = world.context();
        ctx.aged().await.unwrap();
        // The node was off for three days; now it runs.
        world.clock.jump_to(START_MS + 3 * DAY_MS);
        world.clock.advance(DAY_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS + 2 * DAY_MS);
        world.clock.advance(2 * DAY_MS);
        assert_eq!(ctx.aged().await.unwrap(), START_MS + 6 * DAY_MS, "and it is not passed");
    }
}
