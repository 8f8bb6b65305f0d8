//! Numbers for health checks and metrics. Counts only: nothing here names anybody.

use crate::{Accounts, Fault, Rooms, Sync, context::Ctx};
use std::sync::Arc;
use weft_store::Status;

/// The numbers.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// Accounts on this node.
    pub accounts: u64,
    /// Rooms that this node is the hub of.
    pub rooms: u64,
    /// Messages that were accepted since the start.
    pub messages_accepted: u64,
    /// Commits that were accepted since the start.
    pub commits_accepted: u64,
    /// Sockets that are open.
    pub sockets: usize,
    /// Keys that rate limits remember.
    pub limit_keys: usize,
    /// How the store is doing.
    pub store: Status,
}

/// Numbers for health checks and metrics.
#[derive(Clone)]
pub struct Health {
    ctx: Arc<Ctx>,
    accounts: Accounts,
    rooms: Rooms,
    sync: Sync,
}

impl Health {
    pub(crate) fn new(ctx: Arc<Ctx>, accounts: Accounts, rooms: Rooms, sync: Sync) -> Self {
        Health { ctx, accounts, rooms, sync }
    }

    /// All numbers, now.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn numbers(&self) -> Result<Numbers, Fault> {
        let (rooms, messages_accepted, commits_accepted) = self.rooms.numbers().await?;
        Ok(Numbers {
            accounts: self.accounts.count().await?,
            rooms,
            messages_accepted,
            commits_accepted,
            sockets: self.sync.sockets(),
            limit_keys: self.ctx.limits.keys(),
            store: self.ctx.store.status(),
        })
    }

    /// Whether the node can keep its promises: the store takes commits.
    ///
    /// # Errors
    /// Why it cannot, for the operator.
    pub fn ready(&self) -> Result<(), String> {
        let status = self.ctx.store.status();
        match (status.failed, status.disk_full) {
            (Some(reason), _) => Err(reason),
            (None, true) => Err("the disk is full".to_owned()),
            (None, false) => Ok(()),
        }
    }
}
