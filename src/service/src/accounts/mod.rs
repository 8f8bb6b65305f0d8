//! Accounts, sign-in, sessions, devices. Passwords are OPAQUE (RFC 9807): the node never sees one.

mod devices;
mod error;
mod familiar;
mod login;
pub(crate) mod records;
mod sessions;
#[cfg(test)]
mod tests;
mod tickets;

pub use error::AccountError;

use crate::{Budget, Caller, Fault, Session, cache::Cache, context::Ctx};
use familiar::Familiar;
use opaque_ke::ServerSetup;
use records::AccountRecord;
use std::{net::IpAddr, sync::Arc};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    Millis, Signed, UserAddress, UserName,
    accounts::DeviceInfo,
    accounts::{
        AccountOpened, DeviceList, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart,
        RecoverChallenge, RecoverFinish, RecoverStart, RegisterChallenge, Role, SessionGranted,
        SessionRequest,
    },
    contacts::UserLookup,
    opaque::Suite,
};

type Result<T, E = AccountError> = std::result::Result<T, E>;

/// An account, for the operator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Whose.
    pub name: UserName,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub created_ms: Millis,
    /// Whether the operator has locked them out.
    pub disabled: bool,
    /// Devices that are not signed out.
    pub devices: usize,
}

/// Sign-in, sessions, devices, people. Sign-up and sign-out span features: see [`crate::Flows`].
#[derive(Clone)]
pub struct Accounts {
    ctx: Arc<Ctx>,
    opaque: Arc<ServerSetup<Suite>>,
    /// A key that nobody holds, for recoveries of names that do not exist.
    decoy_key: [u8; 32],
    /// Sessions by the hash of their token. Every verb here that ends one also forgets it here.
    sessions: Arc<Cache<[u8; 32], Arc<Session>>>,
    /// Where accounts signed in from lately: [`login`] says what for.
    familiar: Arc<Familiar>,
}

/// Sessions that are remembered: about 200 bytes each.
const SESSIONS_CACHED_MAX: usize = 16_384;
/// Where [`tables::NODE`] keeps the OPAQUE keys.
const OPAQUE_SETUP: &str = "opaque";

impl Accounts {
    pub(crate) async fn open(ctx: Arc<Ctx>) -> Result<Self, Fault> {
        let opaque = Arc::new(opaque_setup(&ctx).await?);
        let decoy = ed25519_dalek::SigningKey::from_bytes(&ctx.random());
        let decoy_key = decoy.verifying_key().to_bytes();
        let sessions = Arc::new(Cache::new(SESSIONS_CACHED_MAX));
        Ok(Accounts { ctx, opaque, decoy_key, sessions, familiar: Arc::default() })
    }

    /// Whether the first account, the owner's, is there.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn is_claimed(&self) -> Result<bool, Fault> {
        self.owner().await
    }

    /// `POST accounts/login/start`. For a name that does not exist the answer has the same shape and cost.
    ///
    /// # Errors
    /// [`AccountError::Opaque`], rate limits.
    pub async fn login_start(&self, from: IpAddr, request: LoginStart) -> Result<LoginChallenge> {
        self.start_login(from, request).await
    }

    /// `POST accounts/login/finish`.
    ///
    /// # Errors
    /// [`AccountError::WrongCredentials`], [`AccountError::Expired`] for a state that is too old.
    pub async fn login_finish(&self, from: IpAddr, request: LoginFinish) -> Result<AccountOpened> {
        self.finish_login(from, request).await
    }

    /// `POST accounts/recover/start`. The same answer whether the account exists or not.
    ///
    /// # Errors
    /// Rate limits.
    pub async fn recover_start(&self, from: IpAddr, request: RecoverStart) -> Result<RecoverChallenge> {
        self.start_recovery(from, request)
    }

    /// `POST accounts/recover/finish`. A challenge counts once.
    ///
    /// # Errors
    /// [`AccountError::WrongRecovery`], [`AccountError::Expired`].
    pub async fn recover_finish(&self, from: IpAddr, request: RecoverFinish) -> Result<AccountOpened> {
        self.finish_recovery(from, request).await
    }

    /// `POST accounts/password/start`.
    ///
    /// # Errors
    /// [`AccountError::Expired`] for a ticket that is too old or was used, [`AccountError::Opaque`].
    pub async fn password_start(&self, from: IpAddr, request: PasswordStart) -> Result<RegisterChallenge> {
        self.start_password(from, request).await
    }

    /// `POST accounts/password/finish`. Ends the sessions of all devices but the caller's, where there is a caller.
    ///
    /// # Errors
    /// As [`Self::password_start`].
    pub async fn password_finish(
        &self,
        from: IpAddr,
        caller: Option<&Caller>,
        request: PasswordFinish,
    ) -> Result<()> {
        let keep = caller.map(|caller| (caller.name(), caller.device()));
        self.finish_password(from, keep, request).await
    }

    /// `POST sessions`: a new token for a device that is known. The old token ends.
    ///
    /// # Errors
    /// [`AccountError::Unauthenticated`] for an unknown device, [`AccountError::DeviceRevoked`], [`AccountError::Signature`],
    /// [`AccountError::ClockSkew`], [`AccountError::Expired`] for a request that was seen before.
    pub async fn renew_session(
        &self,
        from: IpAddr,
        request: Signed<SessionRequest>,
    ) -> Result<SessionGranted> {
        self.request_session(from, request).await
    }

    /// Who a bearer token belongs to. To be called for every request; it is cheap, and a revoked session ends at once.
    ///
    /// # Errors
    /// [`AccountError::Unauthenticated`].
    pub async fn authenticate(&self, token: &str, from: IpAddr) -> Result<Caller> {
        self.find_session(token, from).await
    }

    /// `GET devices`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn devices(&self, caller: &Caller) -> Result<DeviceList> {
        let devices = self.active_devices(caller.name()).await?;
        let info = |(device, record): (_, records::DeviceRecord)| DeviceInfo {
            device,
            cert: record.cert,
            seen_ms: record.seen_ms,
        };
        Ok(DeviceList { devices: devices.into_iter().map(info).collect() })
    }

    /// `GET users/ADDRESS`.
    ///
    /// # Errors
    /// [`AccountError::NotFound`], rate limits.
    pub async fn lookup(&self, caller: &Caller, user: &UserAddress) -> Result<UserLookup> {
        self.ctx.limits.take_account(Budget::Lookup, caller.name())?;
        if !self.ctx.is_local(user) {
            return Err(AccountError::NotFound);
        }
        let account = self.account(&user.name).await?.ok_or(AccountError::NotFound)?;
        Ok(UserLookup { identity: account.identity })
    }

    /// Accounts by name, for the operator (command line, no session).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn list(&self, after: Option<&UserName>, limit: usize) -> Result<Vec<AccountSummary>> {
        let scan = Scan::prefix([]).limit(limit.min(weft_wire::limits::PAGE_MAX));
        let scan = match after {
            Some(after) => scan.after(after.as_str()),
            None => scan,
        };
        let rows = self.ctx.store.scan(tables::ACCOUNTS, scan).await?;
        rows.iter().map(|row| summary(&row.key, AccountRecord::from_record(&row.value)?)).collect()
    }

    /// Locks an account out, or lets it in again. Its sessions end at once.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub async fn set_disabled(&self, name: &UserName, disabled: bool) -> Result<()> {
        self.ctx
            .store
            .transact(|tx| async move {
                let mut account = self.stage_read(&tx, name).await?.ok_or(AccountError::NotFound)?;
                account.disabled = disabled;
                tx.put(tables::ACCOUNTS, name.as_str(), account.to_record());
                self.stage_end_sessions(&tx, name, None).await.map(|_| ())
            })
            .await?;
        self.forget_sessions(name);
        Ok(())
    }

    /// Ends all sessions of an account; its devices may ask for new ones. Gives how many there were.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub async fn end_sessions(&self, name: &UserName) -> Result<usize> {
        let ended = self
            .ctx
            .store
            .transact(|tx| async move {
                self.stage_read(&tx, name).await?.ok_or(AccountError::NotFound)?;
                self.stage_end_sessions(&tx, name, None).await
            })
            .await?;
        self.forget_sessions(name);
        Ok(ended)
    }
}

impl Accounts {
    /// Accounts on this node.
    pub(crate) async fn count(&self) -> Result<u64, Fault> {
        self.ctx.count(tables::COUNTS, devices::ACCOUNTS).await
    }
}

fn summary(name: &[u8], account: AccountRecord) -> Result<AccountSummary> {
    let name = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
    Ok(AccountSummary {
        name: name.ok_or(Fault::Internal("an account's key is no name"))?,
        role: account.role,
        created_ms: account.created_ms,
        disabled: account.disabled,
        devices: account.devices as usize,
    })
}

/// The node's OPAQUE keys, made when it first starts. Whoever loses them makes every password useless, so they live in the
/// store with everything else that a backup holds.
async fn opaque_setup(ctx: &Ctx) -> Result<ServerSetup<Suite>, Fault> {
    let key = OPAQUE_SETUP.as_bytes();
    if ctx.store.get(tables::NODE, key).await?.is_none() {
        let made = ServerSetup::<Suite>::new(&mut ctx.rng()).serialize().to_vec();
        let batch = Batch::new().assert_absent(tables::NODE, key).put(tables::NODE, key, made);
        match ctx.store.commit(batch).await {
            // Another process of this node was quicker; what it made counts.
            Ok(_) | Err(weft_store::Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let row = ctx.store.get(tables::NODE, key).await?.ok_or(Fault::Internal("the OPAQUE keys are gone"))?;
    ServerSetup::deserialize(&row.value).map_err(|_| Fault::Internal("the OPAQUE keys cannot be read"))
}
