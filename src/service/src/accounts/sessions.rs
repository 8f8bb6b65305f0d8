//! Sessions: a token for a device, kept as a hash.

use super::{
    AccountError, Accounts, Result,
    records::{AccountRecord, DeviceRecord, SessionRecord},
    tickets::{self, Use},
};
use crate::{Budget, Caller, Session, context::joined};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{net::IpAddr, sync::Arc};
use weft_store::{Tx, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, Millis, Signed, UserName,
    accounts::{SessionGranted, SessionRequest},
    identity::IdentityError,
    limits::CLOCK_SKEW_MS_MAX,
};

const NONCE_BYTES: usize = 16;
const HOUR_MS: Millis = 60 * 60 * 1000;

impl Accounts {
    pub(super) async fn find_session(&self, token: &str, from: IpAddr) -> Result<Caller> {
        let mut bytes = [0; 32];
        // `decode_slice` wants a little more room than it fills.
        let mut buffer = [0; 36];
        match URL_SAFE_NO_PAD.decode_slice(token.get(..64.min(token.len())).unwrap_or_default(), &mut buffer)
        {
            Ok(32) => bytes.iter_mut().zip(buffer).for_each(|(to, from)| *to = from),
            _ => return Err(AccountError::Unauthenticated),
        }
        // Looked up by hash: how long the comparison takes says nothing about a token.
        let hash = *blake3::hash(&bytes).as_bytes();
        let session = match self.sessions.get(&hash) {
            Some(session) => session,
            None => self.read_session(hash).await?,
        };
        if session.expires_ms <= self.ctx.now() {
            return Err(AccountError::Unauthenticated);
        }
        Ok(Caller { session, from })
    }

    async fn read_session(&self, hash: [u8; 32]) -> Result<Arc<Session>> {
        let ctx = &self.ctx;
        let generation = self.sessions.generation();
        let session: SessionRecord =
            ctx.read(tables::SESSIONS, hash).await?.ok_or(AccountError::Unauthenticated)?;
        let device =
            self.device(&session.name, session.device).await?.ok_or(AccountError::Unauthenticated)?;
        let account = self.account(&session.name).await?.ok_or(AccountError::Unauthenticated)?;
        if device.revoked_ms.is_some() || account.disabled {
            return Err(AccountError::Unauthenticated);
        }
        let session = Arc::new(Session {
            user: ctx.address(&session.name),
            device: session.device,
            role: account.role,
            device_key: device.device_key,
            identity_key: account.identity_key,
            expires_ms: session.expires_ms,
            token_hash: hash,
        });
        self.sessions.insert(hash, session.clone(), generation);
        Ok(session)
    }

    /// Whether a session is still kept; a socket asks when its row was touched.
    pub(crate) async fn check_session(&self, session: &Session) -> Result<()> {
        if self.ctx.store.get(tables::SESSIONS, &session.token_hash).await?.is_some() {
            return Ok(());
        }
        match self.device(&session.user.name, session.device).await? {
            Some(device) if device.revoked_ms.is_none() => Err(AccountError::Unauthenticated),
            _ => Err(AccountError::DeviceRevoked),
        }
    }

    pub(super) async fn request_session(
        &self,
        from: IpAddr,
        request: Signed<SessionRequest>,
    ) -> Result<SessionGranted> {
        let ctx = &self.ctx;
        ctx.limits.take_address(Budget::Renew, from)?;
        let claimed = request.peek().map_err(|_| AccountError::Signature)?;
        if !ctx.is_local(&claimed.user) {
            return Err(AccountError::Unauthenticated);
        }
        let name = &claimed.user.name;
        let device = self.device(name, claimed.device).await?.ok_or(AccountError::Unauthenticated)?;
        let request = request.verify(&device.device_key).map_err(|_| AccountError::Signature)?;
        let now = ctx.now();
        if request.time_ms.abs_diff(now) > CLOCK_SKEW_MS_MAX {
            return Err(AccountError::ClockSkew { now_ms: now });
        }
        if request.nonce.len() != NONCE_BYTES {
            return Err(crate::Fault::Invalid { field: "nonce", why: "sixteen bytes are expected" }.into());
        }
        let (request, mut nonce) = (&request, request.device.as_bytes().to_vec());
        nonce.extend_from_slice(request.nonce.as_slice());
        let nonce = &nonce;
        let granted = ctx
            .store
            .transact(|tx| async move {
                let account = self.stage_read(&tx, name).await?.ok_or(AccountError::Unauthenticated)?;
                let device = self.stage_device(&tx, name, request.device).await?;
                let device = device.ok_or(AccountError::Unauthenticated)?;
                // Until then the time above lets it pass.
                let replayable_until = request.time_ms + 2 * CLOCK_SKEW_MS_MAX;
                tickets::spend(&tx, Use::SessionRequest, nonce, replayable_until).await?;
                self.stage_session(&tx, name, &account, request.device, device)
            })
            .await?;
        self.forget_device(name, request.device);
        self.familiar.note(name, from, ctx.now());
        Ok(granted)
    }

    /// Gives a device a new session in place of its old one, in the caller's transaction.
    pub(super) fn stage_session(
        &self,
        tx: &Tx,
        name: &UserName,
        account: &AccountRecord,
        device_id: DeviceId,
        mut device: DeviceRecord,
    ) -> Result<SessionGranted> {
        let ctx = &self.ctx;
        let now = ctx.now();
        if device.revoked_ms.is_some() {
            return Err(AccountError::DeviceRevoked);
        }
        if account.disabled {
            return Err(AccountError::Forbidden);
        }
        if device.cert_expires_ms <= now {
            return Err(AccountError::Certificate(Some(IdentityError::Expired)));
        }
        let token: [u8; 32] = ctx.random();
        let hash = *blake3::hash(&token).as_bytes();
        let expires_ms = now + ctx.config.session_lifetime_ms;
        if let Some(old) = device.session.replace(Blob(hash.to_vec())) {
            tx.delete(tables::SESSIONS, old.as_slice());
        }
        device.seen_ms = now - now % HOUR_MS;
        let session = SessionRecord { name: name.clone(), device: device_id, expires_ms };
        tx.put(tables::SESSIONS, hash, session.to_record());
        tx.put(tables::DEVICES, joined(name.as_str(), device_id.as_bytes()), device.to_record());
        Ok(SessionGranted {
            user: ctx.address(name),
            device: device_id,
            token: URL_SAFE_NO_PAD.encode(token),
            expires_ms,
            role: account.role,
        })
    }

    /// Notes that a device is there, to the hour, and from which address.
    pub(crate) async fn touch(&self, caller: &Caller) -> Result<()> {
        let (session, now) = (&caller.session, self.ctx.now());
        self.familiar.note(caller.name(), caller.from, now);
        let hour = now - now % HOUR_MS;
        let name = &session.user.name;
        self.ctx
            .store
            .transact(|tx| async move {
                let Some(mut device) = self.stage_device(&tx, name, session.device).await? else {
                    return Ok(());
                };
                if device.revoked_ms.is_none() && device.seen_ms != hour {
                    device.seen_ms = hour;
                    tx.put(
                        tables::DEVICES,
                        joined(name.as_str(), session.device.as_bytes()),
                        device.to_record(),
                    );
                }
                Ok(())
            })
            .await
    }

    /// To be called after every change that ends sessions of an account, or changes what they may do.
    pub(super) fn forget_sessions(&self, name: &UserName) {
        self.sessions.remove_if(|_, session| session.user.name == *name);
        // Whoever had them may have been somebody else.
        self.familiar.forget(name);
    }

    pub(crate) fn forget_device(&self, name: &UserName, device: DeviceId) {
        self.sessions.remove_if(|_, session| session.device == device && session.user.name == *name);
    }
}
