//! What every feature stands on.

use crate::{Clock, Entropy, Fault, Limits, ServiceConfig, aging::Aging, entropy::Rng, seal::Sealer};
use rand_core::RngCore;
use std::sync::Arc;
use weft_store::{Batch, Store, Table, record::Record, tables};
use weft_wire::{Millis, NodeName, UserAddress, UserName};

/// Where [`weft_store::tables::NODE`] keeps the owner's name.
pub(crate) const OWNER: &[u8] = b"owner";
/// Where it keeps the name that is in the addresses of the accounts.
const NAME: &[u8] = b"name";
/// Where it keeps the public half of the node's key.
const KEY: &[u8] = b"key";
/// Bytes of a public key.
const KEY_BYTES: usize = 32;

/// The public key of the node whose data this record is of, if it tells that: the key itself, or a name that is one.
pub fn key_told_by(table: Table, key: &[u8], value: &[u8]) -> Option<[u8; KEY_BYTES]> {
    match key {
        KEY if table == tables::NODE => value.try_into().ok(),
        NAME if table == tables::NODE => std::str::from_utf8(value).ok()?.parse::<NodeName>().ok()?.key(),
        _ => None,
    }
}

/// Whether a record of [`tables::NODE`] can be what its key says.
pub(crate) fn check_own(key: &[u8], value: &[u8]) -> Result<(), String> {
    match key {
        KEY if value.len() != KEY_BYTES => Err(format!("a public key of {} bytes", value.len())),
        _ => Ok(()),
    }
}

/// The ground of all features of one node. Features hold it in an `Arc`.
pub(crate) struct Ctx {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub entropy: Box<dyn Entropy>,
    /// The right half of every address here.
    pub node: NodeName,
    pub config: ServiceConfig,
    pub limits: Limits,
    pub sealer: Sealer,
    pub aging: Aging,
}

impl Ctx {
    /// Holds the node to its key, and to its name.
    pub async fn settle(&self, key: [u8; KEY_BYTES]) -> Result<(), Fault> {
        let mut batch = Batch::new();
        if self.is_new_key(key).await? {
            batch = batch.put(tables::NODE, KEY, key);
        }
        if self.is_new_name().await? {
            batch = batch.put(tables::NODE, NAME, self.node.as_str());
        }
        if !batch.is_empty() {
            self.store.commit(batch).await?;
        }
        Ok(())
    }

    /// Whether the store does not know its key as yet. Nothing else tells one in which a bit has changed from the node's own, and with
    /// another key this is another node to all others. A store of before knows the key if it is the name.
    async fn is_new_key(&self, key: [u8; KEY_BYTES]) -> Result<bool, Fault> {
        let row = self.store.get(tables::NODE, KEY).await?;
        let is_new = row.is_none();
        let (place, row) = match row {
            Some(row) => (KEY, Some(row)),
            None => (NAME, self.store.get(tables::NODE, NAME).await?),
        };
        let kept = row.and_then(|row| key_told_by(tables::NODE, place, &row.value));
        match kept.filter(|kept| *kept != key) {
            Some(kept) => Err(Fault::OtherKey { of: NodeName::of_key(&kept), now: NodeName::of_key(&key) }),
            None => Ok(is_new),
        }
    }

    /// Whether the store does not know the name as yet. Certificates and addresses of people carry it, so that it cannot change once
    /// there is an account; before that it may.
    async fn is_new_name(&self) -> Result<bool, Fault> {
        let kept = self.store.get(tables::NODE, NAME).await?;
        if kept.as_ref().is_some_and(|row| row.value == self.node.as_str().as_bytes()) {
            return Ok(false);
        }
        if let Some(kept) = kept
            && self.store.get(tables::NODE, OWNER).await?.is_some()
        {
            let was = String::from_utf8_lossy(&kept.value).into_owned();
            return Err(Fault::Renamed { was, now: self.node.to_string() });
        }
        Ok(true)
    }

    pub fn now(&self) -> Millis {
        self.clock.now_ms()
    }

    /// The time by which things are deleted for good.
    pub async fn aged(&self) -> Result<Millis, Fault> {
        self.aging.now(self).await
    }

    /// A generator for libraries that want one.
    pub fn rng(&self) -> Rng<'_> {
        Rng(self.entropy.as_ref())
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng().fill_bytes(&mut bytes);
        bytes
    }

    /// The address of an account of this node.
    pub fn address(&self, name: &UserName) -> UserAddress {
        UserAddress::new(name.clone(), self.node.clone())
    }

    /// Whether an address is one of this node's.
    pub fn is_local(&self, user: &UserAddress) -> bool {
        user.node == self.node
    }

    /// Reads a record, if there is one.
    pub async fn read<R: Record>(
        &self,
        table: weft_store::Table,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<R>, Fault> {
        let row = self.store.get(table, key.as_ref()).await?;
        Ok(row.map(|row| R::from_record(&row.value)).transpose()?)
    }

    /// The value of a counter; 0 if nothing was counted yet.
    pub async fn count(&self, table: weft_store::Table, key: impl AsRef<[u8]>) -> Result<u64, Fault> {
        let row = self.store.get(table, key.as_ref()).await?;
        Ok(row.and_then(|row| be64(&row.value)).unwrap_or(0))
    }
}

/// `a ‖ 0x00 ‖ b`: names and addresses never hold a zero byte, so that no key is the beginning of another person's.
pub(crate) fn joined(a: &str, b: impl AsRef<[u8]>) -> Vec<u8> {
    let mut key = Vec::with_capacity(a.len() + 1 + b.as_ref().len());
    key.extend_from_slice(a.as_bytes());
    key.push(0);
    key.extend_from_slice(b.as_ref());
    key
}

/// The number at the end of a key, or in a counter.
pub(crate) fn be64(bytes: &[u8]) -> Option<u64> {
    bytes.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}
