//! Invites to the node. A code is told once; the node keeps its hash.

mod error;
pub(crate) mod records;
#[cfg(test)]
mod tests;

pub use error::InviteError;

use crate::{
    Budget, Caller, Fault,
    context::{Ctx, OWNER},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use records::InviteRecord;
use std::sync::Arc;
use weft_store::{Batch, Scan, Tx, record::Record, tables};
use weft_wire::{
    Millis, UserName,
    invites::{CreateInvite, InviteCreated},
    limits::MEMBER_INVITE_USES_MAX,
};

/// How many people one invite of the owner or the operator may be for.
const USES_MAX: u32 = 100;
const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// How long an invite may live.
const LIFETIME_MS_MAX: Millis = 30 * DAY_MS;
/// How long the owner's invite lives.
const OWNER_LIFETIME_MS: Millis = 7 * DAY_MS;
const CODE_BYTES: usize = 16;
/// Where [`tables::NODE`] keeps the hash of the owner's invite.
const OWNER_INVITE: &[u8] = b"owner_invite";

type Result<T, E = InviteError> = std::result::Result<T, E>;

/// An invite that is alive, without its code, which nobody knows any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteSummary {
    /// BLAKE3 of the code: names the invite.
    pub hash: [u8; 32],
    /// Who made it; none for the operator.
    pub by: Option<UserName>,
    /// How many people may still use it.
    pub uses_left: u32,
    /// When it ends.
    pub expires_ms: Millis,
}

/// Invites to the node. Using one up is part of sign-up: see [`crate::Flows`].
#[derive(Clone)]
pub struct Invites {
    ctx: Arc<Ctx>,
}

impl Invites {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Invites { ctx }
    }

    /// `POST invites`: a member invites somebody.
    ///
    /// # Errors
    /// [`InviteError::Forbidden`] where only the owner invites, [`crate::Fault::Invalid`] for odd numbers, rate limits.
    pub async fn create(&self, caller: &Caller, request: CreateInvite) -> Result<InviteCreated> {
        if caller.is_owner() {
            self.ctx.limits.take_account(Budget::Invite, caller.name())?;
            return self.make(Some(caller.name()), request).await;
        }
        if !self.ctx.config.members_invite {
            return Err(InviteError::Forbidden);
        }
        // What an account may write is bounded; so must be how many accounts a member can bring in.
        if request.uses > MEMBER_INVITE_USES_MAX {
            return Err(Fault::Invalid { field: "uses", why: "1 to 20 for members" }.into());
        }
        self.ctx.limits.take_account(Budget::MemberInvite, caller.name())?;
        self.make(Some(caller.name()), request).await
    }

    /// An invite by the operator (command line, no session).
    ///
    /// # Errors
    /// [`crate::Fault::Invalid`] for odd numbers.
    pub async fn create_by_operator(&self, request: CreateInvite) -> Result<InviteCreated> {
        self.make(None, request).await
    }

    /// The one-time invite of the first account, the owner. An earlier one that was not used ends.
    ///
    /// # Errors
    /// [`InviteError::Claimed`] when there is an owner.
    pub async fn owner_invite(&self) -> Result<InviteCreated> {
        let (code, hash) = self.new_code();
        let expires_ms = self.ctx.now() + OWNER_LIFETIME_MS;
        let invite = InviteRecord { by: None, uses_left: 1, expires_ms };
        let invite = &invite;
        self.ctx
            .store
            .transact(|tx| async move {
                if tx.get(tables::NODE, OWNER).await?.is_some() {
                    return Err(InviteError::Claimed);
                }
                if let Some(old) = tx.get(tables::NODE, OWNER_INVITE).await? {
                    tx.delete(tables::INVITES, &old.value);
                }
                tx.put(tables::NODE, OWNER_INVITE, hash);
                tx.put(tables::INVITES, hash, invite.to_record());
                Ok(())
            })
            .await?;
        Ok(InviteCreated { code, expires_ms })
    }

    /// Invites that are alive, for the operator or the owner.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, after: Option<[u8; 32]>, limit: usize) -> Result<Vec<InviteSummary>> {
        let scan = Scan::prefix([]).limit(limit.min(weft_wire::limits::PAGE_MAX));
        let scan = match after {
            Some(after) => scan.after(after),
            None => scan,
        };
        let now = self.ctx.now();
        let mut invites = Vec::new();
        for row in self.ctx.store.scan(tables::INVITES, scan).await? {
            let invite = InviteRecord::from_record(&row.value)?;
            if let (true, Ok(hash)) = (invite.expires_ms > now, row.key.try_into()) {
                let InviteRecord { by, uses_left, expires_ms } = invite;
                invites.push(InviteSummary { hash, by, uses_left, expires_ms });
            }
        }
        Ok(invites)
    }

    /// Ends an invite.
    ///
    /// # Errors
    /// [`InviteError::NotFound`].
    pub async fn revoke(&self, hash: &[u8; 32]) -> Result<()> {
        self.ctx
            .store
            .transact(|tx| async move {
                tx.get(tables::INVITES, hash).await?.ok_or(InviteError::NotFound)?;
                tx.delete(tables::INVITES, hash);
                Ok(())
            })
            .await
    }
}

impl Invites {
    async fn make(&self, by: Option<&UserName>, request: CreateInvite) -> Result<InviteCreated> {
        if !(1..=USES_MAX).contains(&request.uses) {
            return Err(Fault::Invalid { field: "uses", why: "1 to 100" }.into());
        }
        if !(1..=LIFETIME_MS_MAX).contains(&request.lifetime_ms) {
            return Err(Fault::Invalid { field: "lifetime_ms", why: "from 1 ms to 30 days" }.into());
        }
        let (code, hash) = self.new_code();
        let expires_ms = self.ctx.now() + request.lifetime_ms;
        let invite = InviteRecord { by: by.cloned(), uses_left: request.uses, expires_ms };
        self.ctx.store.commit(Batch::new().put(tables::INVITES, hash, invite.to_record())).await?;
        Ok(InviteCreated { code, expires_ms })
    }

    fn new_code(&self) -> (String, [u8; 32]) {
        let code: [u8; CODE_BYTES] = self.ctx.random();
        (URL_SAFE_NO_PAD.encode(code), *blake3::hash(&code).as_bytes())
    }

    /// The first look at an invite, at the start of sign-up.
    ///
    /// # Errors
    /// [`InviteError::Required`], [`InviteError::Invalid`].
    pub(crate) async fn check(&self, code: Option<&str>) -> Result<()> {
        let invite: Option<InviteRecord> = self.ctx.read(tables::INVITES, hash_of(code)?).await?;
        alive(invite, self.ctx.now()).map(|_| ())
    }

    /// Uses an invite once, in the caller's transaction.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub(crate) async fn stage_use(&self, tx: &Tx, code: Option<&str>) -> Result<()> {
        let hash = hash_of(code)?;
        let row = tx.get(tables::INVITES, &hash).await?;
        let invite = row.map(|row| InviteRecord::from_record(&row.value)).transpose()?;
        let mut invite = alive(invite, self.ctx.now())?;
        invite.uses_left -= 1;
        if invite.uses_left == 0 {
            tx.delete(tables::INVITES, hash);
        } else {
            tx.put(tables::INVITES, hash, invite.to_record());
        }
        Ok(())
    }

    /// Removes invites that are over. Gives how many.
    pub(crate) async fn sweep(&self) -> Result<u64, Fault> {
        let (now, mut removed, mut after) = (self.ctx.aged().await?, 0, Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::INVITES, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            for row in &rows {
                if InviteRecord::from_record(&row.value)?.expires_ms <= now {
                    self.ctx.store.commit(Batch::new().delete(tables::INVITES, &row.key)).await?;
                    removed += 1;
                }
            }
        }
    }
}

fn alive(invite: Option<InviteRecord>, now: Millis) -> Result<InviteRecord> {
    invite.filter(|invite| invite.expires_ms > now && invite.uses_left > 0).ok_or(InviteError::Invalid)
}

/// A code that is no code is as unknown as one that nobody made.
fn hash_of(code: Option<&str>) -> Result<[u8; 32]> {
    let code = code.ok_or(InviteError::Required)?.trim();
    if code.len() > 64 {
        return Err(InviteError::Invalid);
    }
    let bytes = URL_SAFE_NO_PAD.decode(code).map_err(|_| InviteError::Invalid)?;
    Ok(*blake3::hash(&bytes).as_bytes())
}
