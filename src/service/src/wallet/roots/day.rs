//! The events of a day.

use super::{
    super::{
        Result, Wallet,
        records::{EntryRecord, EventRecord, LoggedEvent},
    },
    DAY_MS,
    nodes::{EVENTS, Tree},
    part,
};
use crate::Fault;
use std::collections::HashMap;
use weft_ledger::{
    Entry, Event,
    proof::{Rows, event_leaf, moved},
};
use weft_store::{Scan, Store, record::Record, tables};
use weft_wire::{
    AccountId,
    wallet::{Hash, TreeNode},
};

/// Events that are read at once.
const PAGE: usize = 256;

/// What was read of a day. Beside its rows on disk this is all that is kept of it meanwhile: a number for each account.
pub(super) struct Events {
    pub root: TreeNode,
    /// The number of the last one.
    pub last: u64,
    /// What moved, credits less debits.
    pub moved: HashMap<AccountId, i128>,
}

impl Wallet {
    /// Reads the events after this number up to the end of a day, and keeps their tree.
    ///
    /// A day ends before the first event of a later one. What a clock that was ahead has dated later than now does not end it; what a
    /// clock that was behind has dated earlier is in the day in which it came.
    pub(super) async fn read_day(&self, day: u64, start: u64) -> Result<Events> {
        let (store, today) = (&self.ctx.store, self.ctx.now() / DAY_MS);
        let tree = Tree { day, asset: EVENTS };
        let (mut rows, mut last, mut moved) = (Rows::default(), start, HashMap::new());
        'day: loop {
            let scan = Scan::prefix([]).after(last.to_be_bytes()).limit(PAGE);
            let page = store.scan(tables::LEDGER_LOG, scan).await.map_err(Fault::from)?;
            if page.is_empty() {
                break;
            }
            for row in page {
                let record = EventRecord::from_record(&row.value)?;
                let of = record.at_ms / DAY_MS;
                if of > day && of <= today {
                    break 'day;
                }
                let (parts, entries) = parts(store, &record.event).await?;
                entries.iter().for_each(|entry| add(&mut moved, entry));
                last += 1;
                let is_kept = rows.push(event_leaf(last, record.at_ms, &parts));
                is_kept.ok_or(Fault::Internal("a day has too many events"))?;
            }
            tree.keep(store, rows.take_full()).await?;
            tokio::task::yield_now().await;
        }
        let (root, rest) = rows.finish().ok_or(Fault::Internal("a day has too many events"))?;
        tree.keep(store, rest).await?;
        Ok(Events { root, last, moved })
    }
}

fn add(sums: &mut HashMap<AccountId, i128>, entry: &Entry) {
    for account in entry.moved.iter().flat_map(|hold| [hold.debit, hold.credit]) {
        let change = moved(entry, account);
        if change != 0 {
            let sum = sums.entry(account).or_default();
            *sum = sum.saturating_add(change);
        }
    }
}

/// The hashes of what happened by an event, and the entries among it.
pub(in super::super) async fn parts(
    store: &Store,
    event: &LoggedEvent,
) -> Result<(Vec<Hash>, Vec<Entry>), Fault> {
    let ids = match event.clone() {
        LoggedEvent::Open { id, asset, kind, bounds } => {
            return Ok((vec![part(&Event::Open { id, asset, kind, bounds })], Vec::new()));
        }
        LoggedEvent::Change { id, bounds, freeze } => {
            return Ok((vec![part(&Event::Change { id, bounds, freeze })], Vec::new()));
        }
        LoggedEvent::Chain(ids) => ids,
    };
    let mut entries = Vec::with_capacity(ids.len());
    for id in ids {
        let row = store.get(tables::LEDGER_ENTRIES, &id.0).await?;
        let row = row.ok_or(Fault::Internal("an event without its transfer"))?;
        entries.push(EntryRecord::from_record(&row.value)?.0);
    }
    Ok((entries.iter().map(part).collect(), entries))
}
