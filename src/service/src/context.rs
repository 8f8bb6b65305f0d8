//! What every feature stands on.

use crate::{Clock, Entropy, Fault, Limits, ServiceConfig, entropy::Rng, seal::Sealer};
use rand_core::RngCore;
use std::sync::Arc;
use weft_store::{Store, record::Record};
use weft_wire::{Millis, NodeName, UserAddress, UserName};

/// Where [`weft_store::tables::NODE`] keeps the owner's name.
pub(crate) const OWNER: &[u8] = b"owner";

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
}

impl Ctx {
    pub fn now(&self) -> Millis {
        self.clock.now_ms()
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
