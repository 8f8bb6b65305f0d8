//! The durable queue for each other node: rows in the order in which they were committed, deleted when the other node has
//! what they say on its disk.

use super::{
    Result,
    records::{OutboxRecord, Outgoing, RunRecord},
};
use crate::{
    Fault,
    context::{Ctx, be64, joined},
    outgoing,
};
use std::sync::Arc;
use weft_store::{Batch, Row, Scan, Store, record::Record, tables};
use weft_wire::{Millis, NodeName};

/// Where [`tables::NODE`] keeps the name of this life of the data.
const LIFE: &[u8] = b"federation.life";

/// A row that waits.
pub(super) struct Waiting {
    pub key: Vec<u8>,
    pub number: u64,
    pub time_ms: Millis,
    pub item: Outgoing,
}

#[derive(Clone)]
pub(super) struct Outbox {
    ctx: Arc<Ctx>,
}

/// Says that a store's data was restored from a backup: what was numbered since is unknown, so every run of numbers begins
/// anew. To be called between a restore and the next start.
///
/// # Errors
/// As [`Store::commit`].
pub async fn begin_anew(store: &Store) -> weft_store::Result<()> {
    if store.get(tables::NODE, LIFE).await?.is_none() {
        return Ok(());
    }
    store.commit(Batch::new().delete(tables::NODE, LIFE)).await.map(drop)
}

impl Outbox {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        Outbox { ctx }
    }

    pub async fn stage(&self, batch: Batch, to: &NodeName, item: Outgoing) -> Result<Batch, Fault> {
        outgoing::stage(&self.ctx, batch, to, item).await
    }

    /// How many rows wait.
    pub async fn waiting(&self, to: &NodeName) -> Result<u64, Fault> {
        outgoing::waiting(&self.ctx, to).await
    }

    /// The newest number that was given for a node.
    pub async fn head(&self, to: &NodeName) -> Result<u64, Fault> {
        self.ctx.count(tables::OUTBOX_HEADS, to.as_str()).await
    }

    pub async fn first_rows(&self, to: &NodeName, limit: usize) -> Result<Vec<Waiting>, Fault> {
        let scan = Scan::prefix(joined(to.as_str(), [])).limit(limit);
        self.ctx.store.scan(tables::OUTBOX, scan).await?.into_iter().map(waiting).collect()
    }

    /// Nodes for which something waits, after one.
    pub async fn nodes(&self) -> Result<Vec<NodeName>, Fault> {
        let (mut nodes, mut after) = (Vec::new(), Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::OUTBOX, Scan::prefix([]).after(&after).limit(1)).await?;
            let Some(row) = rows.first() else { return Ok(nodes) };
            let name = row.key.split(|byte| *byte == 0).next().unwrap_or_default();
            // Past all rows of this node: names hold no byte as high as this.
            after = [name, &[0x01]].concat();
            let name = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
            nodes.push(name.ok_or(Fault::Internal("an outbox key without a node"))?);
        }
    }

    /// The run for a node as it stands, if it goes on with this row: else a new one, which begins with it. A run ends when rows
    /// were given up, when the data comes from a backup, and when the other node says that it has lost its place.
    pub async fn run(&self, to: &NodeName, next_row: u64) -> Result<RunRecord> {
        let life = self.life().await?;
        let known: Option<RunRecord> = self.ctx.read(tables::OUTBOX_RUNS, to.as_str()).await?;
        match known {
            Some(run) if run.life == life && run.acked + 1 == next_row => Ok(run),
            _ => self.new_run(to, next_row, life).await,
        }
    }

    /// Begins a run with this row.
    pub async fn renew(&self, to: &NodeName, next_row: u64) -> Result<RunRecord> {
        let life = self.life().await?;
        self.new_run(to, next_row, life).await
    }

    async fn new_run(&self, to: &NodeName, next_row: u64, life: [u8; 16]) -> Result<RunRecord> {
        let base = next_row.saturating_sub(1);
        let run = RunRecord { run: self.ctx.random(), base, acked: base, life };
        self.ctx.store.commit(Batch::new().put(tables::OUTBOX_RUNS, to.as_str(), run.to_record())).await?;
        tracing::debug!(node = %to, base, "a new run of numbers");
        Ok(run)
    }

    /// The name of this life of the data: made once, and again after [`begin_anew`].
    async fn life(&self) -> Result<[u8; 16]> {
        let fresh: [u8; 16] = self.ctx.random();
        self.ctx
            .store
            .transact(|tx| async move {
                if let Some(life) =
                    tx.get(tables::NODE, LIFE).await?.and_then(|row| row.value.try_into().ok())
                {
                    return Ok(life);
                }
                tx.put(tables::NODE, LIFE, fresh.to_vec());
                Ok(fresh)
            })
            .await
    }
}

fn waiting(row: Row) -> Result<Waiting, Fault> {
    let number = be64(&row.key).ok_or(Fault::Internal("an outbox key without a number"))?;
    let OutboxRecord { time_ms, item } = OutboxRecord::from_record(&row.value)?;
    Ok(Waiting { key: row.key, number, time_ms, item })
}
