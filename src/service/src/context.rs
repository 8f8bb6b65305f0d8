//! What every feature stands on.

use crate::{Clock, Entropy, Fault, Limits, ServiceConfig, aging::Aging, entropy::Rng, seal::Sealer};
use rand_core::RngCore;
use std::sync::Arc;
use weft_store::{Batch, Store, record::Record};
use weft_wire::{Millis, NodeName, UserAddress, UserName};

/// Where [`weft_store::tables::NODE`] keeps the owner's name.
pub(crate) const OWNER: &[u8] = b"owner";
/// Where it keeps the name that is in the addresses of the accounts.
const NAME: &[u8] = b"name";

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
    /// Holds the node to its name. Certificates and addresses of people carry it, so that it cannot change once there is an
    /// account; before that it may.
    pub async fn settle_name(&self) -> Result<(), Fault> {
        let node = weft_store::tables::NODE;
        let kept = self.store.get(node, NAME).await?;
        if kept.as_ref().is_some_and(|row| row.value == self.node.as_str().as_bytes()) {
            return Ok(());
        }
        if let Some(kept) = kept
            && self.store.get(node, OWNER).await?.is_some()
        {
            let was = String::from_utf8_lossy(&kept.value).into_owned();
            return Err(Fault::Renamed { was, now: self.node.to_string() });
        }
        self.store.commit(Batch::new().put(node, NAME, self.node.as_str())).await?;
        Ok(())
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
