//! People of other nodes: their identity is pinned when somebody here first has to do with them.

use super::{FederationError, Result, peers::Peers, records::PersonRecord};
use crate::{Fault, cache::Cache, context::Ctx};
use std::sync::Arc;
use weft_store::{Tx, record::Record, tables};
use weft_wire::{Signed, UserAddress, identity::UserIdentity};

/// Identities that were looked up lately and are not pinned: what a look-up found is what a request is sealed to.
const SEEN_MAX: usize = 4_096;

#[derive(Clone)]
pub(crate) struct People {
    ctx: Arc<Ctx>,
    peers: Peers,
    seen: Arc<Cache<UserAddress, Signed<UserIdentity>>>,
}

impl People {
    pub fn new(ctx: Arc<Ctx>, peers: Peers) -> Self {
        People { ctx, peers, seen: Arc::new(Cache::new(SEEN_MAX)) }
    }

    /// The pinned identity of somebody.
    pub async fn pinned(&self, user: &UserAddress) -> Result<Option<Signed<UserIdentity>>, Fault> {
        let record: Option<PersonRecord> = self.ctx.read(tables::PEOPLE, user.to_string()).await?;
        Ok(record.map(|record| record.identity))
    }

    /// The pinned identity, or the one that was looked up last.
    pub async fn known(&self, user: &UserAddress) -> Result<Option<Signed<UserIdentity>>, Fault> {
        Ok(self.pinned(user).await?.or_else(|| self.seen.get(user)))
    }

    /// Whether somebody is pinned with this identity key.
    pub async fn is_pinned(&self, user: &UserAddress, identity_key: &[u8; 32]) -> Result<bool> {
        let Some(pinned) = self.pinned(user).await? else { return Ok(false) };
        Ok(open(user, &pinned)?.identity_key == *identity_key)
    }

    /// Checks an identity that came for somebody: signed by itself, theirs, and the pinned one if there is one. It is
    /// remembered, not pinned: a look-up leaves no row.
    ///
    /// # Errors
    /// [`FederationError::Identity`].
    pub async fn check(&self, user: &UserAddress, identity: &Signed<UserIdentity>) -> Result<()> {
        let opened = open(user, identity)?;
        match self.pinned(user).await? {
            Some(pinned) if open(user, &pinned)?.identity_key != opened.identity_key => {
                Err(FederationError::Identity)
            }
            Some(_) => Ok(()),
            None => {
                let generation = self.seen.generation();
                self.seen.insert(user.clone(), identity.clone(), generation);
                Ok(())
            }
        }
    }

    /// Pins the identity of somebody, or compares it with the pinned one.
    ///
    /// # Errors
    /// [`FederationError::Identity`].
    pub async fn stage_pin(
        &self,
        tx: &Tx,
        user: &UserAddress,
        identity: &Signed<UserIdentity>,
    ) -> Result<()> {
        let opened = open(user, identity)?;
        self.peers.stage_use(tx, &user.node).await?;
        let key = user.to_string();
        if let Some(row) = tx.get(tables::PEOPLE, key.as_bytes()).await? {
            let pinned = PersonRecord::from_record(&row.value)?.identity;
            let same = open(user, &pinned)?.identity_key == opened.identity_key;
            return if same { Ok(()) } else { Err(FederationError::Identity) };
        }
        let record = PersonRecord { identity: identity.clone(), first_seen_ms: self.ctx.now() };
        tx.put(tables::PEOPLE, key, record.to_record());
        Ok(())
    }
}

fn open(user: &UserAddress, identity: &Signed<UserIdentity>) -> Result<UserIdentity> {
    let opened = identity.open().map_err(|_| FederationError::Identity)?;
    if opened.user == *user { Ok(opened) } else { Err(FederationError::Identity) }
}
