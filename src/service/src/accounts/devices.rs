//! Devices, and the making of accounts: what flows put into their transactions.

use super::{
    AccountError, Accounts, Result,
    login::new_password_file,
    records::{AccountRecord, DeviceRecord, SessionRecord},
    tickets::{self, Ticket, Use},
};
use crate::{
    Fault,
    context::{OWNER, joined},
    error::{at_most, within},
};
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    DeviceId, Millis, Signed, UserName,
    accounts::{RegisterFinish, Role, SessionGranted},
    identity::{DeviceCert, IdentityError},
    limits,
};

/// Rows of one account's devices that are looked at, tombstones included. [`crate::Budget::AddDevice`] and
/// [`TOMBSTONE_LIFETIME_MS`] together keep an account below it.
pub(super) const DEVICE_ROWS_MAX: usize = 10_000;
/// How long it is remembered that a device was signed out.
const TOMBSTONE_LIFETIME_MS: Millis = 400 * 24 * 60 * 60 * 1000;
/// Where [`tables::COUNTS`] counts accounts.
pub(super) const ACCOUNTS: &str = "accounts";

/// A sign-up whose parts were all checked.
pub(crate) struct NewAccount {
    pub name: UserName,
    account: AccountRecord,
    device_id: DeviceId,
    device: DeviceRecord,
}

impl Accounts {
    /// An account, if there is one of that name.
    pub(crate) async fn account(&self, name: &UserName) -> Result<Option<AccountRecord>, Fault> {
        self.ctx.read(tables::ACCOUNTS, name.as_str()).await
    }

    /// A device, tombstones included.
    pub(crate) async fn device(
        &self,
        name: &UserName,
        device: DeviceId,
    ) -> Result<Option<DeviceRecord>, Fault> {
        self.ctx.read(tables::DEVICES, joined(name.as_str(), device.as_bytes())).await
    }

    /// The devices of an account that are not signed out.
    pub(crate) async fn active_devices(
        &self,
        name: &UserName,
    ) -> Result<Vec<(DeviceId, DeviceRecord)>, Fault> {
        let prefix = joined(name.as_str(), []);
        let rows = self.ctx.store.scan(tables::DEVICES, Scan::prefix(&prefix).limit(DEVICE_ROWS_MAX)).await?;
        let mut devices = Vec::new();
        for row in rows {
            let device = DeviceRecord::from_record(&row.value)?;
            let id = row.key.get(prefix.len()..).and_then(|id| DeviceId::from_slice(id).ok());
            if let (None, Some(id)) = (device.revoked_ms, id) {
                devices.push((id, device));
            }
        }
        Ok(devices)
    }

    pub(super) async fn stage_read(&self, tx: &Tx, name: &UserName) -> Result<Option<AccountRecord>> {
        let row = tx.get(tables::ACCOUNTS, name.as_str().as_bytes()).await?;
        Ok(row.map(|row| AccountRecord::from_record(&row.value)).transpose()?)
    }

    pub(super) async fn stage_device(
        &self,
        tx: &Tx,
        name: &UserName,
        device: DeviceId,
    ) -> Result<Option<DeviceRecord>> {
        let row = tx.get(tables::DEVICES, &joined(name.as_str(), device.as_bytes())).await?;
        Ok(row.map(|row| DeviceRecord::from_record(&row.value)).transpose()?)
    }

    /// Checks everything about a sign-up that does not need the store.
    pub(crate) fn check_new(&self, request: RegisterFinish) -> Result<NewAccount> {
        let ctx = &self.ctx;
        within("keyring", request.keyring.len(), limits::KEYRING_BYTES_MAX)?;
        within("recovery", request.recovery.sealed.len(), limits::KEYRING_BYTES_MAX)?;
        let opaque = new_password_file(&request.opaque_upload)?;
        let user = ctx.address(&request.name);
        let identity = request.identity.open().map_err(AccountError::Identity)?;
        if identity.user != user {
            return Err(AccountError::Identity(IdentityError::User { expected: user, found: identity.user }));
        }
        let (device_id, device) = self.check_cert(&request.name, &identity.identity_key, request.device)?;
        let account = AccountRecord {
            identity: request.identity,
            identity_key: identity.identity_key,
            role: Role::Member,
            opaque,
            keyring: request.keyring,
            recovery: request.recovery,
            credentials: 0,
            changed_by: None,
            devices: 1,
            created_ms: ctx.now(),
            disabled: false,
        };
        Ok(NewAccount { name: request.name, account, device_id, device })
    }

    fn check_cert(
        &self,
        name: &UserName,
        identity_key: &[u8; 32],
        cert: Signed<DeviceCert>,
    ) -> Result<(DeviceId, DeviceRecord)> {
        let user = self.ctx.address(name);
        let opened = cert
            .open_for(&user, identity_key, self.ctx.now())
            .map_err(|cause| AccountError::Certificate(Some(cause)))?;
        let record = DeviceRecord {
            cert,
            device_key: opened.device_key,
            cert_expires_ms: opened.expires_ms,
            seen_ms: 0,
            session: None,
            revoked_ms: None,
        };
        Ok((opened.device, record))
    }

    /// Makes an account with its first device and session, in the caller's transaction. The first one is the owner.
    ///
    /// # Errors
    /// [`AccountError::NameTaken`].
    pub(crate) async fn stage_account(&self, tx: &Tx, new: &NewAccount) -> Result<SessionGranted> {
        if self.stage_read(tx, &new.name).await?.is_some() {
            return Err(AccountError::NameTaken);
        }
        let mut account = new.account.clone();
        // Read, hence asserted: of two who sign up first at the same moment, one tries again and is a member.
        if tx.get(tables::NODE, OWNER).await?.is_none() {
            account.role = Role::Owner;
            tx.put(tables::NODE, OWNER, new.name.as_str());
        }
        tx.put(tables::ACCOUNTS, new.name.as_str(), account.to_record());
        tx.add(tables::COUNTS, ACCOUNTS, 1);
        self.stage_session(tx, &new.name, &account, new.device_id, new.device.clone())
    }

    /// Adds a device and uses the ticket up, in the caller's transaction.
    ///
    /// # Errors
    /// [`AccountError::Expired`], [`AccountError::Certificate`], [`Fault::TooMany`].
    pub(crate) async fn stage_add_device(
        &self,
        tx: &Tx,
        ticket: &Ticket,
        cert: &Signed<DeviceCert>,
    ) -> Result<SessionGranted> {
        let name = &ticket.name;
        let mut account = self.stage_read(tx, name).await?.ok_or(AccountError::Expired)?;
        ticket.check(&account)?;
        let (id, device) = self.check_cert(name, &account.identity_key, cert.clone())?;
        tickets::spend(tx, Use::AddDevice, ticket.id.as_slice(), ticket.expires_ms).await?;
        match self.stage_device(tx, name, id).await? {
            // Signed out once is signed out for ever: its certificate may be in the wrong hands.
            Some(known) if known.revoked_ms.is_some() => return Err(AccountError::Certificate(None)),
            Some(known) => {
                let renewed = DeviceRecord { session: known.session, ..device };
                return self.stage_session(tx, name, &account, id, renewed);
            }
            None => {}
        }
        account.devices += 1;
        at_most("devices", account.devices as usize, limits::DEVICES_PER_ACCOUNT_MAX)?;
        tx.put(tables::ACCOUNTS, name.as_str(), account.to_record());
        self.stage_session(tx, name, &account, id, device)
    }

    /// Signs a device out, in the caller's transaction, on a full disk too.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub(crate) async fn stage_revoke(&self, tx: &Tx, name: &UserName, device_id: DeviceId) -> Result<()> {
        let mut account = self.stage_read(tx, name).await?.ok_or(AccountError::NotFound)?;
        let mut device = self.stage_device(tx, name, device_id).await?.ok_or(AccountError::NotFound)?;
        if device.revoked_ms.is_some() {
            return Err(AccountError::NotFound);
        }
        if let Some(session) = device.session.take() {
            tx.delete(tables::SESSIONS, session.as_slice());
        }
        tx.urgent();
        device.revoked_ms = Some(self.ctx.now());
        account.devices = account.devices.saturating_sub(1);
        tx.put(tables::DEVICES, joined(name.as_str(), device_id.as_bytes()), device.to_record());
        tx.put(tables::ACCOUNTS, name.as_str(), account.to_record());
        Ok(())
    }

    /// Whether a certificate is of a device of this node that is not signed out, and by its account's identity.
    pub(crate) async fn is_registered(&self, cert: &DeviceCert) -> Result<bool, Fault> {
        if !self.ctx.is_local(&cert.user) {
            return Ok(false);
        }
        let Some(account) = self.account(&cert.user.name).await? else { return Ok(false) };
        let device = self.device(&cert.user.name, cert.device).await?;
        let alive =
            device.is_some_and(|device| device.revoked_ms.is_none() && device.device_key == cert.device_key);
        Ok(alive && account.identity_key == cert.identity_key)
    }

    pub(super) async fn owner(&self) -> Result<bool, Fault> {
        Ok(self.ctx.store.get(tables::NODE, OWNER).await?.is_some())
    }

    /// Removes what is over: used tickets, ended sessions, old tombstones. Gives how many rows.
    pub(crate) async fn sweep(&self) -> Result<u64, Fault> {
        let now = self.ctx.aged().await?;
        let spent = self.sweep_spent(now).await?;
        let sessions = self.sweep_sessions(now).await?;
        let tombstones = self.sweep_tombstones(now).await?;
        Ok(spent + sessions + tombstones)
    }

    async fn sweep_tombstones(&self, now: Millis) -> Result<u64, Fault> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            let rows =
                self.ctx.store.scan(tables::DEVICES, Scan::prefix([]).after(&after).limit(256)).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            let mut batch = Batch::new();
            for row in &rows {
                let revoked = DeviceRecord::from_record(&row.value)?.revoked_ms;
                if revoked.is_some_and(|revoked| revoked + TOMBSTONE_LIFETIME_MS < now) {
                    batch = batch.delete(tables::DEVICES, &row.key);
                    removed += 1;
                }
            }
            self.ctx.store.commit(batch).await?;
        }
    }

    async fn sweep_spent(&self, now: Millis) -> Result<u64, Fault> {
        let mut removed = 0;
        loop {
            let rows = self.ctx.store.scan(tables::SPENT, Scan::prefix([]).limit(256)).await?;
            let over = |key: &[u8]| key.first_chunk::<8>().is_some_and(|end| u64::from_be_bytes(*end) < now);
            let over: Vec<_> = rows.into_iter().filter(|row| over(&row.key)).collect();
            if over.is_empty() {
                return Ok(removed);
            }
            removed += over.len() as u64;
            let batch = over.iter().fold(Batch::new(), |b, row| b.delete(tables::SPENT, &row.key));
            self.ctx.store.commit(batch).await?;
        }
    }

    async fn sweep_sessions(&self, now: Millis) -> Result<u64, Fault> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            let rows =
                self.ctx.store.scan(tables::SESSIONS, Scan::prefix([]).after(&after).limit(256)).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            let mut batch = Batch::new();
            for row in &rows {
                if SessionRecord::from_record(&row.value)?.expires_ms <= now {
                    batch = batch.delete(tables::SESSIONS, &row.key);
                    removed += 1;
                }
            }
            self.ctx.store.commit(batch).await?;
        }
    }
}
