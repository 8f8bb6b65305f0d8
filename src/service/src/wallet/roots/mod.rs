//! A root for each day: what the node signs of its ledger, so that it cannot tell two people two stories later.
//!
//! A worker looks for days that are over and have no root, in their order. It reads the day's events in pages, writes the nodes of the
//! trees as rows while it goes, and signs when all of that is on disk; the teller is not asked and does not wait. A day that was cut off
//! is made again from its beginning, and gives the same root. Decision 0016 says the rest.

#[cfg(test)]
mod cut_tests;
mod day;
mod nodes;
mod proofs;
pub(crate) mod records;
mod sums;
#[cfg(test)]
mod tests;
mod witness;

pub(super) use day::parts;
pub(super) use nodes::{EVENTS, Tree};

use super::{Result, Wallet, records::EventRecord};
use crate::{Fault, aging::EARLIEST};
use records::RootRecord;
use weft_ledger::proof;
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    AccountId, Millis, Signed,
    wallet::{DayRoot, Hash},
};

const DAY_MS: Millis = 24 * 3_600_000;
/// So long after a day's end it is over: what the teller began before may be on its way to the disk.
const GRACE_MS: Millis = 60_000;
/// Days of one round. A node that was off for a year has its roots some rounds later.
const DAYS_MAX: u64 = 32;

/// A root, read and as it was signed.
type Known = (DayRoot, Signed<DayRoot>);

impl Wallet {
    /// Makes the roots of days that are over. Gives how many.
    pub(crate) async fn close_days(&self) -> Result<u64> {
        // Where there is nothing to do by any clock, nothing is written, also not how far things have aged.
        let over = self.ctx.now().saturating_sub(GRACE_MS) / DAY_MS;
        if self.next_day(over).await?.is_none() {
            return Ok(0);
        }
        // By a clock that has jumped no day is over: see `aging`.
        let over = self.ctx.aged().await?.saturating_sub(GRACE_MS) / DAY_MS;
        let mut done = 0;
        while done < DAYS_MAX {
            let Some((day, before)) = self.next_day(over).await? else { break };
            self.close_day(day, before).await?;
            done += 1;
        }
        Ok(done)
    }

    /// The first day that has no root, if it is over, and the root before it.
    async fn next_day(&self, over: u64) -> Result<Option<(u64, Option<Known>)>> {
        let before = self.newest_root().await?;
        let day = match &before {
            Some((root, _)) => Some(root.day + 1),
            None => self.first_day(over).await?,
        };
        Ok(day.filter(|day| *day < over).map(|day| (day, before)))
    }

    /// The day of the first event; of one that comes from a wrong clock, the last day that is over.
    async fn first_day(&self, over: u64) -> Result<Option<u64>> {
        let first: Option<EventRecord> = self.ctx.read(tables::LEDGER_LOG, 1_u64.to_be_bytes()).await?;
        let Some(first) = first else { return Ok(None) };
        let day = first.at_ms / DAY_MS;
        let is_wrong = day > self.ctx.now() / DAY_MS;
        Ok(Some(if is_wrong { over.saturating_sub(1) } else { day.max(EARLIEST / DAY_MS) }))
    }

    async fn close_day(&self, day: u64, before: Option<Known>) -> Result<()> {
        let start = before.as_ref().map_or(0, |(root, _)| root.last);
        if before.is_none() {
            self.forget_balances().await?;
        }
        let events = self.read_day(day, start).await?;
        let changed = self.changed(day, &events.moved).await?;
        let assets = self.weigh(day, &changed).await?;
        self.keep_balances(&changed).await?;
        let root = DayRoot {
            node: self.ctx.node.clone(),
            day,
            last: events.last,
            events: events.root,
            before: before.as_ref().map(|(_, signed)| Hash::of_root(signed)),
            assets,
        };
        let record = RootRecord { root: Signed::sign(&root, &self.key), witnesses: Vec::new() };
        // What cannot be read again must not be signed.
        record.root.peek().map_err(|_| Fault::Internal("a day's root names too many assets"))?;
        let key = day.to_be_bytes();
        let batch = Batch::new().assert_absent(tables::ROOTS, key);
        self.ctx
            .store
            .commit(batch.put(tables::ROOTS, key, record.to_record()))
            .await
            .map_err(Fault::from)?;
        self.prune_nodes(day).await
    }

    /// The newest root.
    pub(super) async fn newest_root(&self) -> Result<Option<Known>, Fault> {
        let scan = Scan::prefix([]).reverse().limit(1);
        let row = self.ctx.store.scan(tables::ROOTS, scan).await?.into_iter().next();
        let record = row.map(|row| RootRecord::from_record(&row.value)).transpose()?;
        record.map(|record| Ok((opened(&record.root)?, record.root))).transpose()
    }

    /// The root of a day.
    pub(super) async fn root_of(&self, day: u64) -> Result<Option<RootRecord>, Fault> {
        self.ctx.read(tables::ROOTS, day.to_be_bytes()).await
    }

    /// What hides an account among the leaves of a day: nobody can work it out but this node.
    fn salt(&self, day: u64, account: AccountId) -> [u8; 32] {
        let secret = blake3::derive_key("weft/day-salt/1", self.key.as_bytes());
        let mut hasher = blake3::Hasher::new_keyed(&secret);
        *hasher.update(&day.to_be_bytes()).update(&account.0).finalize().as_bytes()
    }
}

/// What a root of one's own says.
fn opened(root: &Signed<DayRoot>) -> Result<DayRoot, Fault> {
    root.peek().map_err(|_| Fault::Internal("a day's root cannot be read"))
}

/// The hash of something that happened by an event.
pub(super) fn part(of: &impl serde::Serialize) -> Hash {
    proof::part_of(&weft_wire::encode(of))
}
