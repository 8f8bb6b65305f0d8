//! The memory engine, watched and made to fail: what a test wants to know of the store below it.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::task::yield_now;
use weft_store::{Batch, Committed, Engine, Error, MemoryEngine, Result, Row, Scan, Status, Table, Watch};

/// Lets others run before each call, as an engine on a disk would; counts scans, and refuses commits when it is told to.
#[derive(Default)]
pub struct ObservedEngine {
    inner: MemoryEngine,
    scans: Mutex<HashMap<&'static str, usize>>,
    rows: Mutex<HashMap<&'static str, usize>>,
    /// How many commits are taken before the disk is full; none: as many as come.
    commits_left: Mutex<Option<usize>>,
    /// Whether the disk has room for what is urgent only.
    low: AtomicBool,
}

impl ObservedEngine {
    /// Scans of a table since the last time this was asked.
    pub fn take_scans(&self, table: Table) -> usize {
        self.scans.lock().remove(table.name).unwrap_or(0)
    }

    /// Rows of a table that scans gave since the last time this was asked.
    pub fn take_rows(&self, table: Table) -> usize {
        self.rows.lock().remove(table.name).unwrap_or(0)
    }

    /// The disk is full after so many commits.
    pub fn refuse_commits_after(&self, commits: usize) {
        *self.commits_left.lock() = Some(commits);
    }

    /// The disk has room for what is urgent only.
    pub fn refuse_what_can_wait(&self) {
        self.low.store(true, Ordering::Relaxed);
    }

    /// There is room again.
    pub fn take_commits(&self) {
        *self.commits_left.lock() = None;
        self.low.store(false, Ordering::Relaxed);
    }
}

#[async_trait::async_trait]
impl Engine for ObservedEngine {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>> {
        yield_now().await;
        self.inner.get(table, key).await
    }

    async fn scan(&self, table: Table, scan: Scan) -> Result<Vec<Row>> {
        *self.scans.lock().entry(table.name).or_default() += 1;
        yield_now().await;
        let rows = self.inner.scan(table, scan).await?;
        *self.rows.lock().entry(table.name).or_default() += rows.len();
        Ok(rows)
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        if let Some(left) = &mut *self.commits_left.lock() {
            *left = left.checked_sub(1).ok_or(Error::DiskFull)?;
        }
        if self.low.load(Ordering::Relaxed) && !batch.is_urgent() {
            return Err(Error::DiskFull);
        }
        yield_now().await;
        self.inner.commit(batch).await
    }

    fn watch(&self, table: Table, prefix: &[u8]) -> Watch {
        self.inner.watch(table, prefix)
    }

    fn status(&self) -> Status {
        self.inner.status()
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
