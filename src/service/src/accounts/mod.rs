//! Accounts, sign-in, sessions, devices. Passwords are OPAQUE (RFC 9807): the node never sees one.

mod error;

pub use error::AccountError;

use crate::{Caller, Fault, context::Ctx};
use std::{net::IpAddr, sync::Arc};
use weft_wire::{
    Millis, Signed, UserAddress, UserName,
    accounts::{
        AccountOpened, DeviceList, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart,
        RecoverChallenge, RecoverFinish, RecoverStart, RegisterChallenge, Role, SessionGranted, SessionRequest,
    },
    contacts::UserLookup,
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
}

impl Accounts {
    pub(crate) async fn open(ctx: Arc<Ctx>) -> Result<Self, Fault> {
        Ok(Accounts { ctx })
    }

    /// Whether the first account, the owner's, is there.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn is_claimed(&self) -> Result<bool, Fault> {
        unbuilt!()
    }

    /// `POST accounts/login/start`. For a name that does not exist the answer has the same shape and cost.
    ///
    /// # Errors
    /// [`AccountError::Opaque`], rate limits.
    pub async fn login_start(&self, from: IpAddr, request: LoginStart) -> Result<LoginChallenge> {
        unbuilt!()
    }

    /// `POST accounts/login/finish`.
    ///
    /// # Errors
    /// [`AccountError::WrongCredentials`], [`AccountError::Expired`] for a state that is too old.
    pub async fn login_finish(&self, from: IpAddr, request: LoginFinish) -> Result<AccountOpened> {
        unbuilt!()
    }

    /// `POST accounts/recover/start`. The same answer whether the account exists or not.
    ///
    /// # Errors
    /// Rate limits.
    pub async fn recover_start(&self, from: IpAddr, request: RecoverStart) -> Result<RecoverChallenge> {
        unbuilt!()
    }

    /// `POST accounts/recover/finish`. A challenge counts once.
    ///
    /// # Errors
    /// [`AccountError::WrongRecovery`], [`AccountError::Expired`].
    pub async fn recover_finish(&self, from: IpAddr, request: RecoverFinish) -> Result<AccountOpened> {
        unbuilt!()
    }

    /// `POST accounts/password/start`.
    ///
    /// # Errors
    /// [`AccountError::Expired`] for a ticket that is too old or was used, [`AccountError::Opaque`].
    pub async fn password_start(&self, from: IpAddr, request: PasswordStart) -> Result<RegisterChallenge> {
        unbuilt!()
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
        unbuilt!()
    }

    /// `POST sessions`: a new token for a device that is known. The old token ends.
    ///
    /// # Errors
    /// [`AccountError::Unauthenticated`] for an unknown device, [`AccountError::DeviceRevoked`], [`AccountError::Signature`],
    /// [`AccountError::ClockSkew`], [`AccountError::Expired`] for a request that was seen before.
    pub async fn renew_session(&self, from: IpAddr, request: Signed<SessionRequest>) -> Result<SessionGranted> {
        unbuilt!()
    }

    /// Who a bearer token belongs to. To be called for every request; it is cheap, and a revoked session ends at once.
    ///
    /// # Errors
    /// [`AccountError::Unauthenticated`].
    pub async fn authenticate(&self, token: &str, from: IpAddr) -> Result<Caller> {
        unbuilt!()
    }

    /// `GET devices`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn devices(&self, caller: &Caller) -> Result<DeviceList> {
        unbuilt!()
    }

    /// `GET users/ADDRESS`.
    ///
    /// # Errors
    /// [`AccountError::NotFound`], rate limits.
    pub async fn lookup(&self, caller: &Caller, user: &UserAddress) -> Result<UserLookup> {
        unbuilt!()
    }

    /// Accounts by name, for the operator (command line, no session).
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn list(&self, after: Option<&UserName>, limit: usize) -> Result<Vec<AccountSummary>> {
        unbuilt!()
    }

    /// Locks an account out, or lets it in again. Its sessions end at once.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub async fn set_disabled(&self, name: &UserName, disabled: bool) -> Result<()> {
        unbuilt!()
    }

    /// Ends all sessions of an account; its devices may ask for new ones. Gives how many there were.
    ///
    /// # Errors
    /// [`AccountError::NotFound`].
    pub async fn end_sessions(&self, name: &UserName) -> Result<usize> {
        unbuilt!()
    }
}
