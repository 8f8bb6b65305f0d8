//! Vault records: what the devices of one account share, last writer wins. The node learns neither names nor contents.

pub(crate) mod records;
#[cfg(test)]
mod tests;

use crate::{
    Budget, Caller, Fault, LimitKey,
    context::{Ctx, be64, joined},
    error::{at_most, within},
};
use records::{VaultBook, VaultRow};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use weft_store::{Row, Scan, Tx, Watch, record::Record, tables};
use weft_wire::{
    DeviceId, Millis, UserName,
    limits::{CLOCK_SKEW_MS_MAX, PAGE_MAX, VAULT_RECORD_BYTES_MAX, VAULT_RECORDS_MAX},
    vault::{PutVaultRecords, VaultPage, VaultRecord},
};

/// Records of one request.
const PUT_MAX: usize = 64;
/// Bytes of one request's records: what one store commit holds.
const PUT_BYTES_MAX: usize = 900 << 10;
/// A page stops after the record with which it passes this many bytes.
const PAGE_BYTES: usize = 512 << 10;
/// Rows that are read at once: of the longest records no more than a page takes. What was read in vain would be as much memory
/// for each reader.
const ROWS_AT_ONCE: usize = PAGE_BYTES / VAULT_RECORD_BYTES_MAX + 1;
/// What a record costs beside its content.
const RECORD_BYTES: usize = 128;
/// What a record costs of the day's budget at least: it is written with its place among the changes, however short it is.
const CHARGED_BYTES_MIN: usize = 1 << 10;

/// Records that the devices of one account share.
#[derive(Clone)]
pub struct Vault {
    ctx: Arc<Ctx>,
}

impl Vault {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Vault { ctx }
    }

    /// `PUT vault/records`. Records with a lower version than the kept one change nothing.
    ///
    /// # Errors
    /// [`Fault::TooMany`], [`Fault::TooLarge`], [`Fault::Full`], rate limits.
    pub async fn put(&self, caller: &Caller, request: PutVaultRecords) -> Result<(), Fault> {
        self.ctx.limits.take_account(Budget::Write, caller.name())?;
        at_most("records at once", request.records.len(), PUT_MAX)?;
        for record in &request.records {
            within("sealed", record.sealed.len(), VAULT_RECORD_BYTES_MAX)?;
        }
        let bytes = request.records.iter().map(|record| record.sealed.len()).sum();
        within("records", bytes, PUT_BYTES_MAX)?;
        self.count_bytes(caller.name()).await?;
        let (name, device, records) = (caller.name(), caller.device(), &request.records);
        // Once, however often this is tried.
        let charged = &AtomicBool::new(false);
        self.ctx
            .store
            .transact(|tx| async move {
                let mut book = stage_book(&tx, name).await?;
                let (before, mut written) = (book.bytes, 0);
                for record in records {
                    if stage_put(&tx, self.ctx.now(), name, device, &mut book, record).await? {
                        written += record.sealed.len().max(CHARGED_BYTES_MIN);
                    }
                }
                if written == 0 {
                    return Ok(());
                }
                at_most("vault records", book.records as usize, VAULT_RECORDS_MAX)?;
                let max_mib = self.ctx.config.vault_mib;
                // One that is over a bound that was lowered may still become smaller.
                if book.bytes > before && book.bytes > Some(u64::from(max_mib) << 20) {
                    return Err(Fault::Full { what: "vault", max_mib });
                }
                // Judged first: whoever tries again and again what a full vault does not take has written nothing.
                if !charged.load(Ordering::Relaxed) {
                    self.ctx.limits.take_bytes(&LimitKey::Account(name.clone()), written)?;
                    charged.store(true, Ordering::Relaxed);
                }
                tx.put(tables::VAULT_BOOKS, name.as_str(), book.to_record());
                Ok(())
            })
            .await
    }

    /// `GET vault/records?after=NAME`.
    ///
    /// # Errors
    /// Rate limits.
    pub async fn page(&self, caller: &Caller, after: Option<[u8; 32]>) -> Result<VaultPage, Fault> {
        self.ctx.limits.take_account(Budget::Read, caller.name())?;
        let (mut records, mut bytes, mut after) = (Vec::new(), 0, after);
        loop {
            let some = self.some(caller.name(), after).await?;
            let last = some.len() < ROWS_AT_ONCE;
            for record in some {
                if records.len() == PAGE_MAX || bytes > PAGE_BYTES {
                    return Ok(VaultPage { records, more: true });
                }
                bytes += record.sealed.len() + RECORD_BYTES;
                after = Some(record.name);
                records.push(record);
            }
            if last {
                return Ok(VaultPage { records, more: false });
            }
        }
    }

    /// A few records after one. Fewer than [`ROWS_AT_ONCE`]: there are no more.
    async fn some(&self, name: &UserName, after: Option<[u8; 32]>) -> Result<Vec<VaultRecord>, Fault> {
        let prefix = joined(name.as_str(), []);
        let mut scan = Scan::prefix(&prefix).limit(ROWS_AT_ONCE);
        if let Some(after) = after {
            scan = scan.after([prefix.as_slice(), &after].concat());
        }
        let record = |row: Row| {
            let name = row.key.get(prefix.len()..).and_then(|name| name.try_into().ok());
            let name = name.ok_or(Fault::Internal("a vault key without a name"))?;
            let VaultRow { version, sealed, .. } = VaultRow::from_record(&row.value)?;
            Ok(VaultRecord { name, version, sealed })
        };
        self.ctx.store.scan(tables::VAULT, scan).await?.into_iter().map(record).collect()
    }

    /// A book of before does not say how many bytes there are: they are counted once. Whoever puts a record meanwhile comes
    /// here first, and the books of both would meet.
    async fn count_bytes(&self, name: &UserName) -> Result<(), Fault> {
        self.ctx
            .store
            .transact(|tx| async move {
                let mut book = stage_book(&tx, name).await?;
                if book.bytes.is_some() {
                    return Ok(());
                }
                let (mut bytes, mut after) = (0, None);
                loop {
                    let some = self.some(name, after).await?;
                    bytes += some.iter().map(|record| record.sealed.len() as u64).sum::<u64>();
                    match some.last() {
                        Some(last) if some.len() == ROWS_AT_ONCE => after = Some(last.name),
                        _ => break,
                    }
                }
                book.bytes = Some(bytes);
                tx.put(tables::VAULT_BOOKS, name.as_str(), book.to_record());
                Ok(())
            })
            .await
    }
}

impl Vault {
    /// The newest change of an account.
    pub(crate) async fn newest(&self, name: &UserName) -> Result<u64, Fault> {
        let book: Option<VaultBook> = self.ctx.read(tables::VAULT_BOOKS, name.as_str()).await?;
        Ok(book.map_or(0, |book| book.changes))
    }

    /// Tells of changes.
    pub(crate) fn watch(&self, name: &UserName) -> Watch {
        self.ctx.store.watch(tables::VAULT_BOOKS, name.as_str())
    }

    /// What other devices than this one changed after a change, and the last change that was looked at. A record that changed
    /// several times is there once, as it is now.
    pub(crate) async fn changes(
        &self,
        name: &UserName,
        device: DeviceId,
        after: u64,
    ) -> Result<(Vec<VaultRecord>, u64), Fault> {
        let prefix = joined(name.as_str(), []);
        let scan =
            Scan::prefix(&prefix).after([prefix.as_slice(), &after.to_be_bytes()].concat()).limit(PAGE_MAX);
        let (mut records, mut seen, mut bytes) = (Vec::new(), after, 0);
        for change in self.ctx.store.scan(tables::VAULT_CHANGES, scan).await? {
            seen = be64(&change.key).ok_or(Fault::Internal("a change without a number"))?;
            let key = joined(name.as_str(), &change.value);
            let Some(row) = self.ctx.read::<VaultRow>(tables::VAULT, key).await? else { continue };
            if row.by == device || row.change != seen {
                continue;
            }
            let Ok(name) = change.value.try_into() else { continue };
            bytes += row.sealed.len();
            records.push(VaultRecord { name, version: row.version, sealed: row.sealed });
            if bytes > PAGE_BYTES {
                break;
            }
        }
        Ok((records, seen))
    }
}

async fn stage_book(tx: &Tx, name: &UserName) -> Result<VaultBook, Fault> {
    let row = tx.get(tables::VAULT_BOOKS, name.as_str().as_bytes()).await?;
    Ok(row.map(|row| VaultBook::from_record(&row.value)).transpose()?.unwrap_or_default())
}

/// Last writer wins; on a tie the higher bytes, so that all devices end with the same. Gives whether it changes anything.
async fn stage_put(
    tx: &Tx,
    now: Millis,
    name: &UserName,
    by: DeviceId,
    book: &mut VaultBook,
    record: &VaultRecord,
) -> Result<bool, Fault> {
    let key = joined(name.as_str(), record.name);
    let known = tx.get(tables::VAULT, &key).await?;
    let known = known.map(|row| VaultRow::from_record(&row.value)).transpose()?;
    // A version far in the future could never be outdone again. Beside the clock stands what is known, whose device may have
    // written it while the clock was ahead.
    let latest = known.as_ref().map_or(0, |known| known.version).max(now).saturating_add(CLOCK_SKEW_MS_MAX);
    if record.version > latest {
        return Err(Fault::Invalid { field: "version", why: "the clock of this device is ahead" });
    }
    match &known {
        Some(known) if (known.version, &known.sealed) >= (record.version, &record.sealed) => {
            return Ok(false);
        }
        Some(known) => tx.delete(tables::VAULT_CHANGES, change_key(name, known.change)),
        None => book.records += 1,
    }
    let freed = known.map_or(0, |known| known.sealed.len() as u64);
    book.bytes = book.bytes.map(|bytes| (bytes + record.sealed.len() as u64).saturating_sub(freed));
    book.changes += 1;
    let row = VaultRow { version: record.version, sealed: record.sealed.clone(), by, change: book.changes };
    tx.put(tables::VAULT, key, row.to_record());
    tx.put(tables::VAULT_CHANGES, change_key(name, book.changes), record.name);
    Ok(true)
}

fn change_key(name: &UserName, change: u64) -> Vec<u8> {
    joined(name.as_str(), change.to_be_bytes())
}
