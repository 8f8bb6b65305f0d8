//! Sign-in, recovery, password change.
//!
//! Guessing online. Who guesses a password learns the outcome from the node's first answer (OPAQUE's envelope opens or does
//! not), so tries are counted there, and not by how they end. Five budgets bound them:
//!
//! - an address: 20 steps at once, then 10 a minute, whatever the names;
//! - a name from one address: 10 tries at once, then 1 a minute;
//! - a name from all strange addresses together: 100 at once, then 100 an hour. So however many addresses somebody has, they
//!   try at most 2,500 passwords of a person on the first day and 2,400 on each further one;
//! - a name from an address where that account signed in lately: 20 tries at once, then 2 a minute, and 60 steps at once,
//!   then 6 a minute; and none of the above.
//!
//! The last is why nobody can lock a person out: a stranger can use up what strangers have in common, and the person's own
//! devices at home do not notice. Devices with a session renew it by their key and try no password at all. What remains: a
//! person under attack who signs in from an address that is new waits for their turn, or uses the 24 words.

use super::{
    AccountError, Accounts, Result,
    devices::DEVICE_ROWS_MAX,
    records::{AccountRecord, DeviceRecord},
    tickets::{self, LoginState, Ticket, Use},
};
use crate::{Budget, Fault, LimitKey, context::joined, error::within};
use opaque_ke::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload, ServerLogin,
    ServerLoginParameters, ServerRegistration,
};
use std::net::IpAddr;
use weft_store::{Scan, Tx, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, UserName,
    accounts::{
        AccountOpened, LoginChallenge, LoginFinish, LoginStart, PasswordFinish, PasswordStart,
        RecoverChallenge, RecoverFinish, RecoverStart, RegisterChallenge,
    },
    limits,
    opaque::{CONTEXT, Suite, credential_identifier, identifiers},
};

fn parameters(name: &UserName) -> ServerLoginParameters<'static, '_> {
    ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(name) }
}

impl Accounts {
    pub(super) async fn start_login(&self, from: IpAddr, request: LoginStart) -> Result<LoginChallenge> {
        let ctx = &self.ctx;
        let familiar = self.is_familiar(&request.name, from);
        self.take_login_step(Some(&request.name), from)?;
        // What is no request tries no password: it costs the address, and not the name.
        within("opaque_request", request.opaque_request.len(), limits::OPAQUE_BYTES_MAX)?;
        let message = CredentialRequest::<Suite>::deserialize(request.opaque_request.as_slice())
            .map_err(|_| AccountError::Opaque)?;
        let pair = LimitKey::pair(&request.name, from);
        if familiar {
            ctx.limits.take(Budget::LoginFamiliar, &pair)?;
        } else {
            ctx.limits.take(Budget::LoginPair, &pair)?;
            ctx.limits.take_account(Budget::LoginName, &request.name)?;
        }
        let account = self.account(&request.name).await?;
        // Without a password file OPAQUE answers with a made-up one (RFC 9807, 10.9): same shape, same cost.
        let file = account.as_ref().map(password_file).transpose()?;
        let credentials = account.map_or(0, |account| account.credentials);
        let started = ServerLogin::start(
            &mut ctx.rng(),
            &self.opaque,
            file,
            message,
            credential_identifier(&request.name),
            parameters(&request.name),
        )
        .map_err(|_| AccountError::Opaque)?;
        let opaque = Blob(started.state.serialize().to_vec());
        let state = LoginState { name: request.name, opaque, credentials };
        Ok(LoginChallenge {
            opaque_response: Blob(started.message.serialize().to_vec()),
            state: tickets::seal_login(ctx, state),
        })
    }

    pub(super) async fn finish_login(&self, from: IpAddr, request: LoginFinish) -> Result<AccountOpened> {
        let state = tickets::open_login(&self.ctx, &request.state);
        self.take_login_step(state.as_ref().ok().map(|state| &state.name), from)?;
        let state = state?;
        within("opaque_finalization", request.opaque_finalization.len(), limits::OPAQUE_BYTES_MAX)?;
        let message = CredentialFinalization::<Suite>::deserialize(request.opaque_finalization.as_slice())
            .map_err(|_| AccountError::Opaque)?;
        let login =
            ServerLogin::<Suite>::deserialize(state.opaque.as_slice()).map_err(|_| AccountError::Opaque)?;
        login.finish(message, parameters(&state.name)).map_err(|_| AccountError::WrongCredentials)?;
        let account = self.account(&state.name).await?.ok_or(AccountError::WrongCredentials)?;
        if account.credentials != state.credentials {
            return Err(AccountError::WrongCredentials);
        }
        let name = state.name.clone();
        let opened = self.open_account(state.name, account, |account| account.keyring.clone())?;
        self.familiar.note(&name, from, self.ctx.now());
        Ok(opened)
    }

    /// Whether the account signed in from this address lately.
    fn is_familiar(&self, name: &UserName, from: IpAddr) -> bool {
        self.familiar.knows(name, from, self.ctx.now())
    }

    /// Takes one for a step: from the address, or, for an account that is at home there, from the two together. `name` is who
    /// the step says to be, or is proved to be by a seal of this node.
    fn take_login_step(&self, name: Option<&UserName>, from: IpAddr) -> Result<()> {
        match name.filter(|name| self.is_familiar(name, from)) {
            Some(name) => Ok(self.ctx.limits.take(Budget::LoginStep, &LimitKey::pair(name, from))?),
            None => Ok(self.ctx.limits.take_address(Budget::Login, from)?),
        }
    }

    /// Reads a ticket, and takes its step from the address.
    ///
    /// # Errors
    /// [`AccountError::Expired`], rate limits.
    pub(crate) fn open_ticket(&self, from: IpAddr, ticket: &Blob) -> Result<Ticket> {
        let ticket = tickets::open_ticket(&self.ctx, ticket);
        self.take_login_step(ticket.as_ref().ok().map(|ticket| &ticket.name), from)?;
        ticket
    }

    pub(super) fn start_recovery(&self, from: IpAddr, request: RecoverStart) -> Result<RecoverChallenge> {
        self.ctx.limits.take_address(Budget::Recover, from)?;
        Ok(RecoverChallenge { challenge: tickets::seal_challenge(&self.ctx, request.name) })
    }

    pub(super) async fn finish_recovery(
        &self,
        from: IpAddr,
        request: RecoverFinish,
    ) -> Result<AccountOpened> {
        let ctx = &self.ctx;
        ctx.limits.take_address(Budget::Recover, from)?;
        let claimed = request.proof.peek().map_err(|_| AccountError::WrongRecovery)?;
        let challenge = tickets::open_challenge(ctx, &claimed.challenge)?;
        let account = self.account(&challenge.name).await?;
        // An unknown name is checked against some key as well: the answer is the same and takes as long.
        let key = account.as_ref().map_or(self.decoy_key, |account| account.recovery.auth_key);
        let proof = request.proof.verify(&key).map_err(|_| AccountError::WrongRecovery)?;
        if proof.name != challenge.name || proof.node != ctx.node {
            return Err(AccountError::WrongRecovery);
        }
        let account = account.ok_or(AccountError::WrongRecovery)?;
        let used = &challenge;
        ctx.store
            .transact(|tx| async move {
                tickets::spend(&tx, Use::Recovery, used.id.as_slice(), used.expires_ms).await
            })
            .await?;
        self.open_account(challenge.name, account, |account| account.recovery.sealed.clone())
    }

    fn open_account(
        &self,
        name: UserName,
        account: AccountRecord,
        sealed: impl Fn(&AccountRecord) -> Blob,
    ) -> Result<AccountOpened> {
        if account.disabled {
            return Err(AccountError::Forbidden);
        }
        Ok(AccountOpened {
            user: self.ctx.address(&name),
            sealed: sealed(&account),
            ticket: tickets::seal_ticket(&self.ctx, name, account.credentials),
            identity: account.identity,
        })
    }

    pub(super) async fn start_password(
        &self,
        from: IpAddr,
        request: PasswordStart,
    ) -> Result<RegisterChallenge> {
        let ticket = self.open_ticket(from, &request.ticket)?;
        let account = self.account(&ticket.name).await?.ok_or(AccountError::Expired)?;
        ticket.check(&account)?;
        self.registration_response(&ticket.name, &request.opaque_request)
    }

    pub(super) async fn finish_password(
        &self,
        from: IpAddr,
        keep: Option<(&UserName, DeviceId)>,
        request: PasswordFinish,
    ) -> Result<()> {
        let ctx = &self.ctx;
        let ticket = self.open_ticket(from, &request.ticket)?;
        within("keyring", request.keyring.len(), limits::KEYRING_BYTES_MAX)?;
        let file = new_password_file(&request.opaque_upload)?;
        let (ticket, file, keyring) = (&ticket, &file, &request.keyring);
        let keep = keep.filter(|(name, _)| **name == ticket.name).map(|(_, device)| device);
        ctx.store
            .transact(|tx| async move {
                let mut account = self.stage_read(&tx, &ticket.name).await?.ok_or(AccountError::Expired)?;
                ticket.check(&account)?;
                tickets::spend(&tx, Use::PasswordChange, ticket.id.as_slice(), ticket.expires_ms).await?;
                account.opaque = file.clone();
                account.keyring = keyring.clone();
                account.credentials += 1;
                account.changed_by = Some(ticket.id.clone());
                tx.put(tables::ACCOUNTS, ticket.name.as_str(), account.to_record());
                self.stage_end_sessions(&tx, &ticket.name, keep).await.map(|_| ())
            })
            .await?;
        self.forget_sessions(&ticket.name);
        Ok(())
    }

    /// Ends the sessions of an account's devices but one, in the caller's transaction. Gives how many.
    pub(super) async fn stage_end_sessions(
        &self,
        tx: &Tx,
        name: &UserName,
        keep: Option<DeviceId>,
    ) -> Result<usize> {
        // Whoever has the session may be a thief: the disk may be full.
        tx.urgent();
        let mut ended = 0;
        for row in
            tx.scan(tables::DEVICES, Scan::prefix(joined(name.as_str(), [])).limit(DEVICE_ROWS_MAX)).await?
        {
            if keep.is_some_and(|keep| row.key.ends_with(keep.as_bytes())) {
                continue;
            }
            let Some(row) = tx.get(tables::DEVICES, &row.key).await? else { continue };
            let mut device = DeviceRecord::from_record(&row.value)?;
            if let Some(session) = device.session.take() {
                tx.delete(tables::SESSIONS, session.as_slice());
                tx.put(tables::DEVICES, &row.key, device.to_record());
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// OPAQUE's first answer to a registration; it follows from the node's key and the name alone.
    pub(crate) fn registration_response(&self, name: &UserName, request: &Blob) -> Result<RegisterChallenge> {
        within("opaque_request", request.len(), limits::OPAQUE_BYTES_MAX)?;
        let message = RegistrationRequest::<Suite>::deserialize(request.as_slice())
            .map_err(|_| AccountError::Opaque)?;
        let answer = ServerRegistration::<Suite>::start(&self.opaque, message, credential_identifier(name))
            .map_err(|_| AccountError::Opaque)?;
        Ok(RegisterChallenge { opaque_response: Blob(answer.message.serialize().to_vec()) })
    }
}

/// The password file of a registration, as it is kept.
pub(super) fn new_password_file(upload: &Blob) -> Result<Blob> {
    within("opaque_upload", upload.len(), limits::OPAQUE_BYTES_MAX)?;
    let upload =
        RegistrationUpload::<Suite>::deserialize(upload.as_slice()).map_err(|_| AccountError::Opaque)?;
    Ok(Blob(ServerRegistration::finish(upload).serialize().to_vec()))
}

fn password_file(account: &AccountRecord) -> Result<ServerRegistration<Suite>> {
    ServerRegistration::deserialize(account.opaque.as_slice())
        .map_err(|_| Fault::Internal("a password file cannot be read").into())
}
