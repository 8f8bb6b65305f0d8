//! Vault records: what the devices of one account share, last writer wins. The node learns neither names nor contents.

pub(crate) mod records;
#[cfg(test)]
mod tests;

use crate::{
    Budget, Caller, Fault,
    context::{Ctx, be64, joined},
    error::{at_most, within},
};
use records::{VaultBook, VaultRow};
use std::sync::Arc;
use weft_store::{Scan, Tx, Watch, record::Record, tables};
use weft_wire::{
    DeviceId, UserName,
    limits::{PAGE_MAX, VAULT_RECORD_BYTES_MAX, VAULT_RECORDS_MAX},
    vault::{PutVaultRecords, VaultPage, VaultRecord},
};

/// Records of one request.
const PUT_MAX: usize = 64;
/// Bytes of one request's records: what one store commit holds.
const PUT_BYTES_MAX: usize = 900 << 10;
/// A page stops after the record with which it passes this many bytes.
const PAGE_BYTES: usize = 512 << 10;

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
    /// [`Fault::TooMany`], [`Fault::TooLarge`], rate limits.
    pub async fn put(&self, caller: &Caller, request: PutVaultRecords) -> Result<(), Fault> {
        self.ctx.limits.take_account(Budget::Write, caller.name())?;
        at_most("records at once", request.records.len(), PUT_MAX)?;
        for record in &request.records {
            within("sealed", record.sealed.len(), VAULT_RECORD_BYTES_MAX)?;
        }
        let bytes = request.records.iter().map(|record| record.sealed.len()).sum();
        within("records", bytes, PUT_BYTES_MAX)?;
        let (name, device, records) = (caller.name(), caller.device(), &request.records);
        self.ctx
            .store
            .transact(|tx| async move {
                let book = tx.get(tables::VAULT_BOOKS, name.as_str().as_bytes()).await?;
                let book = book.map(|row| VaultBook::from_record(&row.value)).transpose()?;
                let mut book = book.unwrap_or_default();
                for record in records {
                    stage_put(&tx, name, device, &mut book, record).await?;
                }
                at_most("vault records", book.records as usize, VAULT_RECORDS_MAX)?;
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
        let prefix = joined(caller.name().as_str(), []);
        let mut scan = Scan::prefix(&prefix).limit(PAGE_MAX + 1);
        if let Some(after) = after {
            scan = scan.after([prefix.as_slice(), &after].concat());
        }
        let (mut records, mut bytes) = (Vec::new(), 0);
        for row in self.ctx.store.scan(tables::VAULT, scan).await? {
            if records.len() == PAGE_MAX || bytes > PAGE_BYTES {
                return Ok(VaultPage { records, more: true });
            }
            bytes += row.value.len();
            let name = row.key.get(prefix.len()..).and_then(|name| name.try_into().ok());
            let name = name.ok_or(Fault::Internal("a vault key without a name"))?;
            let VaultRow { version, sealed, .. } = VaultRow::from_record(&row.value)?;
            records.push(VaultRecord { name, version, sealed });
        }
        Ok(VaultPage { records, more: false })
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

/// Last writer wins; on a tie the higher bytes, so that all devices end with the same.
async fn stage_put(
    tx: &Tx,
    name: &UserName,
    by: DeviceId,
    book: &mut VaultBook,
    record: &VaultRecord,
) -> Result<(), Fault> {
    let key = joined(name.as_str(), record.name);
    let known = tx.get(tables::VAULT, &key).await?;
    let known = known.map(|row| VaultRow::from_record(&row.value)).transpose()?;
    match &known {
        Some(known) if (known.version, &known.sealed) >= (record.version, &record.sealed) => return Ok(()),
        Some(known) => tx.delete(tables::VAULT_CHANGES, change_key(name, known.change)),
        None => book.records += 1,
    }
    book.changes += 1;
    let row = VaultRow { version: record.version, sealed: record.sealed.clone(), by, change: book.changes };
    tx.put(tables::VAULT, key, row.to_record());
    tx.put(tables::VAULT_CHANGES, change_key(name, book.changes), record.name);
    Ok(())
}

fn change_key(name: &UserName, change: u64) -> Vec<u8> {
    joined(name.as_str(), change.to_be_bytes())
}
