//! What a store is told that was restored from a backup. It had gone further once: its peers and the devices of its people know
//! numbers that it has no idea of, and have used what it still believes to be unused.

use crate::{
    Fault,
    accounts::records::DeviceRecord,
    aging,
    context::be64,
    federation,
    rooms::{
        SEQ_MAX,
        records::{Hub, RoomRecord},
    },
};
use weft_store::{Batch, Row, Scan, Store, Table, record::Record, tables};
use weft_wire::Millis;

/// Where a series goes on: at so many numbers for each millisecond since 1970. No backup, and no store that was restored before, has
/// come that far; the numbers stay exact in JavaScript until the year 2248.
const NUMBERS_PER_MS: u64 = 1 << 10;
/// The highest one with which a series may go on: as many again are left for what comes after it. In the year 2109.
const BEGIN_MAX: u64 = SEQ_MAX / 2;
/// Rows that are read, and written, at once.
const PAGE: usize = 256;

/// Begins everything anew that a restored store must not go on with. To be called between a restore and the next start. `now`: by the
/// clock, which has to be right: behind it lies every number that was given after an earlier restore.
///
/// # Errors
/// [`Fault::Clock`] before anything is changed, [`Fault::Store`].
pub async fn restored(store: &Store, now: Millis) -> Result<(), Fault> {
    let begin = begin(store, now).await?;
    federation::begin_anew(store).await?;
    leave_out(store, (tables::DEVICES, tables::INBOX_HEADS), begin, goes_on).await?;
    leave_out(store, (tables::ROOMS, tables::ROOM_HEADS), begin, is_numbered_here).await?;
    use_up_key_packages(store).await
}

/// The first number of what goes on now. By a clock that is behind, it may have been given already; one that is far ahead would use
/// up all numbers, and what was numbered once cannot be taken back.
async fn begin(store: &Store, now: Millis) -> Result<u64, Fault> {
    if now < aging::reached(store).await?.unwrap_or_default().max(aging::EARLIEST) {
        return Err(Fault::Clock("the node in the backup has seen a later time"));
    }
    let begin = now.saturating_mul(NUMBERS_PER_MS);
    if begin > BEGIN_MAX {
        return Err(Fault::Clock("so far in the future no node has run"));
    }
    Ok(begin)
}

/// The numbers of each that there is of something go on far behind those that were given, so that nothing new comes under an old one.
/// Also where nothing was numbered yet in the backup: its counter has no row in there, and was counting after it.
async fn leave_out(
    store: &Store,
    (all, heads): (Table, Table),
    begin: u64,
    counts: fn(&[u8]) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let mut pages = Pages::of(all);
    while let Some(rows) = pages.next(store).await? {
        let mut batch = Batch::new();
        for row in rows {
            if counts(&row.value)? {
                let head = store.get(heads, &row.key).await?.and_then(|row| be64(&row.value)).unwrap_or(0);
                batch = batch.put(heads, &row.key, head.saturating_add(1).max(begin).to_be_bytes());
            }
        }
        store.commit(batch).await?;
    }
    Ok(())
}

/// Whether a device may come again: one that was signed out has no inbox any more.
fn goes_on(device: &[u8]) -> Result<bool, Fault> {
    Ok(DeviceRecord::from_record(device)?.revoked_ms.is_none())
}

/// Whether the log of a room gets its numbers here: its hub alone gives them.
fn is_numbered_here(room: &[u8]) -> Result<bool, Fault> {
    Ok(RoomRecord::from_record(room)?.hub == Hub::Here)
}

/// KeyPackages that may have been handed out since: their devices have used the keys and erased them. They bring new ones when they
/// come; until then there is the last-resort one of each.
async fn use_up_key_packages(store: &Store) -> Result<(), Fault> {
    for table in [tables::KEY_PACKAGES, tables::KEY_PACKAGES_LEFT] {
        let mut pages = Pages::of(table);
        while let Some(rows) = pages.next(store).await? {
            let mut batch = Batch::new();
            for row in rows {
                batch = batch.delete(table, &row.key);
                if table.id == tables::KEY_PACKAGES.id {
                    batch = batch.put(tables::KEY_PACKAGES_USED, &row.key, []);
                }
            }
            store.commit(batch).await?;
        }
    }
    Ok(())
}

/// A table, page by page, while it is written to.
struct Pages {
    table: Table,
    after: Vec<u8>,
}

impl Pages {
    fn of(table: Table) -> Pages {
        Pages { table, after: Vec::new() }
    }

    async fn next(&mut self, store: &Store) -> Result<Option<Vec<Row>>, Fault> {
        let rows = store.scan(self.table, Scan::prefix([]).after(&self.after).limit(PAGE)).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        self.after.clone_from(&last.key);
        Ok(Some(rows))
    }
}

#[cfg(test)]
mod tests;
