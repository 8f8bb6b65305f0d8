//! KeyPackages (RFC 9420, section 10) in stock: each is handed out once, save the last-resort one.

mod error;
pub(crate) mod records;
#[cfg(test)]
mod tests;

pub use error::KeyPackageError;

use crate::{
    Budget, Caller, Fault, LimitKey,
    context::{Ctx, be64, joined},
    error::{at_most, within},
};
use records::PackageRecord;
use std::{collections::BTreeMap, sync::Arc};
use weft_mls::{
    config::KEY_PACKAGE_LIFETIME_MS,
    key_packages::{self, CheckedKeyPackage},
};
use weft_store::{Batch, Scan, Table, Tx, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, Millis, UserName,
    contacts::{DeviceKeyPackage, KeyPackageStock, PublishKeyPackages},
    limits::{KEY_PACKAGE_BYTES_MAX, KEY_PACKAGES_PER_DEVICE_MAX},
};

type Result<T, E = KeyPackageError> = std::result::Result<T, E>;

/// KeyPackages in stock. Taking those of others needs consent: see [`crate::Flows`].
#[derive(Clone)]
pub struct KeyPackages {
    ctx: Arc<Ctx>,
}

impl KeyPackages {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        KeyPackages { ctx }
    }

    /// `POST key-packages`. Sending the same ones again changes nothing, even when some were handed out meanwhile.
    ///
    /// # Errors
    /// [`KeyPackageError::Bad`], [`crate::Fault::TooMany`], rate limits.
    pub async fn publish(&self, caller: &Caller, request: PublishKeyPackages) -> Result<KeyPackageStock> {
        self.ctx.limits.take_account(Budget::Publish, caller.name())?;
        at_most("KeyPackages", request.packages.len(), KEY_PACKAGES_PER_DEVICE_MAX)?;
        let bytes = request.packages.iter().chain(&request.last_resort).map(|package| package.len()).sum();
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), bytes)?;
        let now = self.ctx.now();
        let caller_session = caller.session.clone();
        // Each costs two signature checks: off the threads that serve everybody.
        let checked = tokio::task::spawn_blocking(move || {
            let own = |blob: Blob, last_resort: bool| check(blob, last_resort, &caller_session, now);
            let packages: Result<BTreeMap<_, _>> =
                request.packages.into_iter().map(|p| own(p, false)).collect();
            let last = request.last_resort.map(|p| own(p, true)).transpose()?;
            Ok::<_, KeyPackageError>((packages?, last))
        });
        let (packages, last) =
            checked.await.map_err(|_| Fault::Internal("checking KeyPackages failed"))??;
        let (key, packages, last) = (&stock_key(caller.name(), caller.device()), &packages, &last);
        self.ctx
            .store
            .transact(|tx| async move {
                let mut added: u64 = 0;
                for (reference, record) in packages {
                    added += u64::from(self.stage_add(&tx, key, reference, record).await?);
                }
                let ended = self.stage_drop_ended(&tx, key, now).await?;
                let left = tx.get(tables::KEY_PACKAGES_LEFT, key).await?;
                let left = left.and_then(|row| be64(&row.value)).unwrap_or(0) + added;
                let left = left.saturating_sub(ended);
                at_most(
                    "KeyPackages",
                    usize::try_from(left).unwrap_or(usize::MAX),
                    KEY_PACKAGES_PER_DEVICE_MAX,
                )?;
                tx.add(tables::KEY_PACKAGES_LEFT, key, i128::from(added) - i128::from(ended));
                if let Some((_, record)) = last {
                    tx.put(tables::KEY_PACKAGES_LAST, key, record.to_record());
                }
                Ok::<_, KeyPackageError>(())
            })
            .await?;
        self.count(caller).await
    }

    /// `GET key-packages`. Those that nobody will get any more are not counted, and go.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn stock(&self, caller: &Caller) -> Result<KeyPackageStock> {
        let (key, now) = (&stock_key(caller.name(), caller.device()), self.ctx.now());
        self.ctx
            .store
            .transact(|tx| async move {
                let ended = self.stage_drop_ended(&tx, key, now).await?;
                if ended > 0 {
                    tx.add(tables::KEY_PACKAGES_LEFT, key, -i128::from(ended));
                }
                Ok::<_, KeyPackageError>(())
            })
            .await?;
        self.count(caller).await
    }
}

impl KeyPackages {
    async fn count(&self, caller: &Caller) -> Result<KeyPackageStock> {
        let key = stock_key(caller.name(), caller.device());
        let left = self.ctx.count(tables::KEY_PACKAGES_LEFT, &key).await?;
        let last_resort = self.ctx.store.get(tables::KEY_PACKAGES_LAST, &key).await?.is_some();
        Ok(KeyPackageStock { left: u32::try_from(left).unwrap_or(u32::MAX), last_resort })
    }

    async fn stage_add(&self, tx: &Tx, key: &[u8], reference: &[u8], record: &PackageRecord) -> Result<bool> {
        let row = [key, reference].concat();
        let known = tx.get(tables::KEY_PACKAGES, &row).await?.is_some()
            || tx.get(tables::KEY_PACKAGES_USED, &row).await?.is_some();
        if !known {
            tx.put(tables::KEY_PACKAGES, row, record.to_record());
        }
        Ok(!known)
    }

    /// Room for new ones: those that nobody will get any more go. Gives how many.
    async fn stage_drop_ended(&self, tx: &Tx, key: &[u8], now: Millis) -> Result<u64> {
        let mut ended = 0;
        for row in
            tx.scan(tables::KEY_PACKAGES, Scan::prefix(key).limit(2 * KEY_PACKAGES_PER_DEVICE_MAX)).await?
        {
            let Some(row) = tx.get(tables::KEY_PACKAGES, &row.key).await? else { continue };
            if PackageRecord::from_record(&row.value)?.expires_ms <= now {
                tx.delete(tables::KEY_PACKAGES, &row.key);
                tx.put(tables::KEY_PACKAGES_USED, &row.key, Vec::new());
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Takes one KeyPackage of a device: a single-use one, or else the last-resort one. A single-use one is never given twice.
    pub(crate) async fn take(&self, name: &UserName, device: DeviceId) -> Result<Option<DeviceKeyPackage>> {
        let key = &stock_key(name, device);
        let now = self.ctx.now();
        let taken = self
            .ctx
            .store
            .transact(|tx| async move {
                let mut after = key.clone();
                loop {
                    // One is wanted: as a rule the first is it.
                    let scan = Scan::prefix(key).after(&after).limit(1);
                    let Some(row) = tx.scan(tables::KEY_PACKAGES, scan).await?.pop() else { break };
                    after.clone_from(&row.key);
                    // Read again, hence asserted: of two who take it at the same moment one tries again.
                    let Some(row) = tx.get(tables::KEY_PACKAGES, &row.key).await? else { continue };
                    let record = PackageRecord::from_record(&row.value)?;
                    tx.delete(tables::KEY_PACKAGES, &row.key);
                    tx.put(tables::KEY_PACKAGES_USED, &row.key, Vec::new());
                    tx.add(tables::KEY_PACKAGES_LEFT, key, -1);
                    if record.expires_ms > now {
                        return Ok(Some(record));
                    }
                }
                let last = tx.get(tables::KEY_PACKAGES_LAST, key).await?;
                let last = last.map(|row| PackageRecord::from_record(&row.value)).transpose()?;
                Ok::<_, KeyPackageError>(last.filter(|record| record.expires_ms > now))
            })
            .await?;
        Ok(taken.map(|record| DeviceKeyPackage { device, key_package: record.package }))
    }

    /// Deletes everything of a device.
    pub(crate) async fn drop_all(&self, name: &UserName, device: DeviceId) -> Result<()> {
        let key = stock_key(name, device);
        for table in [
            tables::KEY_PACKAGES,
            tables::KEY_PACKAGES_USED,
            tables::KEY_PACKAGES_LAST,
            tables::KEY_PACKAGES_LEFT,
        ] {
            self.drop_rows(table, &key).await?;
        }
        Ok(())
    }

    async fn drop_rows(&self, table: Table, key: &[u8]) -> Result<()> {
        loop {
            let rows = self.ctx.store.scan(table, Scan::prefix(key)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let batch = rows.iter().fold(Batch::new(), |batch, row| batch.delete(table, &row.key));
            self.ctx.store.commit(batch).await?;
        }
    }

    /// How many single-use ones a device has left.
    pub(crate) async fn left(&self, name: &UserName, device: DeviceId) -> Result<u32, Fault> {
        let left = self.ctx.count(tables::KEY_PACKAGES_LEFT, stock_key(name, device)).await?;
        Ok(u32::try_from(left).unwrap_or(u32::MAX))
    }
}

fn stock_key(name: &UserName, device: DeviceId) -> Vec<u8> {
    joined(name.as_str(), device.as_bytes())
}

/// A KeyPackage must be the caller's own device's, by the certificate that the node knows.
fn check(
    package: Blob,
    last_resort: bool,
    session: &crate::Session,
    now: Millis,
) -> Result<(Vec<u8>, PackageRecord)> {
    within("packages", package.len(), KEY_PACKAGE_BYTES_MAX)?;
    let bad = |cause: weft_mls::MlsError| KeyPackageError::Bad(Arc::new(cause));
    let checked: CheckedKeyPackage = key_packages::check(package.as_slice(), now).map_err(bad)?;
    let own = checked.cert.user == session.user
        && checked.cert.device == session.device
        && checked.cert.device_key == session.device_key
        && checked.cert.identity_key == session.identity_key;
    if !own {
        return Err(KeyPackageError::Foreign);
    }
    if checked.last_resort != last_resort {
        return Err(KeyPackageError::LastResort);
    }
    // The client keeps the private keys for longer, for Welcomes that are under way.
    let for_now = if last_resort { Millis::MAX } else { now.saturating_add(KEY_PACKAGE_LIFETIME_MS) };
    let expires_ms = checked.cert.expires_ms.min(for_now);
    Ok((checked.reference, PackageRecord { package, expires_ms }))
}
