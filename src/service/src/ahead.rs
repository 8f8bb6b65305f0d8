//! Long values that are written before the batch that names them, because together they would not fit one.
//!
//! A note tells of each, and the batch that names it takes the note away. What a stop, a lost race or a client that hung up
//! leaves behind still has its note, and is swept by it.

use crate::{
    Fault,
    context::{Ctx, be64},
};
use weft_store::{Batch, Scan, Table, Version, tables};
use weft_wire::Millis;

/// Notes older than this belong to a batch that never came.
pub(crate) const LIFETIME_MS: Millis = 10 * 60 * 1000;
/// Rows of values that are deleted in one batch: each may be as long as the store takes.
const DELETE_PAGE: usize = 64;

/// A table of long values, and the table of the notes about them. A note's key: BE64(time) ‖ what the values' keys begin with.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    notes: Table,
    values: Table,
}

/// What epochs of large groups need.
pub(crate) const ROOM_PARTS: Ahead = Ahead { notes: tables::ROOM_PARTS_AHEAD, values: tables::ROOM_PARTS };
/// Long Welcomes for other nodes.
pub(crate) const OUTBOX_PARTS: Ahead =
    Ahead { notes: tables::OUTBOX_PARTS_AHEAD, values: tables::OUTBOX_PARTS };
/// Long Welcomes.
pub(crate) const INBOX_PARTS: Ahead = Ahead { notes: tables::INBOX_PARTS_AHEAD, values: tables::INBOX_PARTS };

impl Ahead {
    /// Writes values whose keys begin with `prefix`. Gives what belongs into the batch that names them.
    pub async fn write(self, ctx: &Ctx, prefix: &[u8], values: Vec<Batch>) -> Result<Batch, Fault> {
        let note = [ctx.now().to_be_bytes().as_slice(), prefix].concat();
        let noted = ctx.store.commit(Batch::new().put(self.notes, &note, Vec::new())).await?;
        for batch in values {
            ctx.store.commit(batch).await?;
        }
        // Asserted: had the sweep come in between, the values are gone, and nothing may name them.
        let settled = Batch::new().assert_version(self.notes, &note, Version(noted.seq));
        Ok(settled.delete(self.notes, note))
    }

    /// Removes values whose batch never came. Gives how many rows. By the machine's clock: whoever is swept too early meets a
    /// conflict and begins again.
    pub async fn sweep(self, ctx: &Ctx) -> Result<u64, Fault> {
        let (mut removed, now) = (0, ctx.now());
        for note in ctx.store.scan(self.notes, Scan::prefix([])).await? {
            let time = note.key.get(..8).and_then(be64).unwrap_or(0);
            let Some(prefix) = note.key.get(8..).filter(|_| time + LIFETIME_MS < now) else { break };
            // Written anew, so that whoever still wants to name the values meets a conflict; deleted last, so that a sweep
            // that is cut short is finished by the next one.
            let taken = Batch::new().assert_version(self.notes, &note.key, note.version);
            match ctx.store.commit(taken.put(self.notes, &note.key, Vec::new()).urgent()).await {
                Ok(_) => {}
                Err(error) if error.is_conflict() => continue,
                Err(error) => return Err(error.into()),
            }
            removed += self.remove(ctx, prefix).await?;
            ctx.store.commit(Batch::new().delete(self.notes, &note.key)).await?;
        }
        Ok(removed)
    }

    async fn remove(self, ctx: &Ctx, prefix: &[u8]) -> Result<u64, Fault> {
        let mut removed = 0;
        loop {
            let rows = ctx.store.scan(self.values, Scan::prefix(prefix).limit(DELETE_PAGE)).await?;
            if rows.is_empty() {
                return Ok(removed);
            }
            removed += rows.len() as u64;
            let batch = rows.iter().fold(Batch::new(), |batch, row| batch.delete(self.values, &row.key));
            ctx.store.commit(batch).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chunks, testing::*};
    use weft_store::Error;

    /// A value of three rows under a key of its own.
    async fn write(ctx: &Ctx, id: u8) -> Batch {
        let key = [id; 32];
        let (batch, count) = chunks::put(Batch::new(), ROOM_PARTS.values, &key, &vec![id; 150_000]).unwrap();
        assert_eq!(count, 3);
        ROOM_PARTS.write(ctx, &key, vec![batch]).await.unwrap()
    }

    async fn rows(ctx: &Ctx) -> (usize, usize) {
        let count = |table| ctx.store.scan(table, Scan::prefix([]));
        let (values, notes) = (count(ROOM_PARTS.values).await, count(ROOM_PARTS.notes).await);
        (values.unwrap().len(), notes.unwrap().len())
    }

    #[tokio::test]
    async fn what_nobody_came_to_name_is_swept_and_what_is_named_stays() {
        let world = World::new().await;
        let ctx = world.context();
        let named = write(&ctx, 1).await;
        ctx.store.commit(named).await.unwrap();
        let late = write(&ctx, 2).await;
        world.clock.advance(LIFETIME_MS);
        let fresh = write(&ctx, 3).await;
        assert_eq!(ROOM_PARTS.sweep(&ctx).await.unwrap(), 0, "not a moment too early");
        assert_eq!(rows(&ctx).await, (9, 2));

        world.clock.advance(1);
        assert_eq!(ROOM_PARTS.sweep(&ctx).await.unwrap(), 3);
        assert_eq!(rows(&ctx).await, (6, 1));
        assert!(matches!(ctx.store.commit(late).await, Err(Error::Conflict { .. })), "they are gone");
        ctx.store.commit(fresh).await.unwrap();
        world.clock.advance(2 * LIFETIME_MS);
        assert_eq!(ROOM_PARTS.sweep(&ctx).await.unwrap(), 0);
        assert_eq!(rows(&ctx).await, (6, 0));
    }

    #[tokio::test]
    async fn a_sweep_that_is_cut_short_is_finished_by_the_next_one() {
        let world = World::new().await;
        let ctx = world.context();
        let late = write(&ctx, 1).await;
        world.clock.advance(LIFETIME_MS + 1);
        for commits in 0..3 {
            world.engine.refuse_commits_after(commits);
            assert!(matches!(ROOM_PARTS.sweep(&ctx).await, Err(Fault::Store(Error::DiskFull))));
            world.engine.take_commits();
            assert_eq!(rows(&ctx).await, (if commits < 2 { 3 } else { 0 }, 1), "after {commits} commits");
        }
        assert!(matches!(ctx.store.commit(late).await, Err(Error::Conflict { .. })));
        assert_eq!(ROOM_PARTS.sweep(&ctx).await.unwrap(), 0);
        assert_eq!(rows(&ctx).await, (0, 0));
    }
}
