//! The engine as [`crate::Store`] sees it: reads here, writes through the committer.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use super::{
    backup,
    committer::Committer,
    index::{IndexError, get_row, verified},
    keeper::{self, Hindered},
    queue::Request,
    recover::{Lock, Recovered},
    shared::Shared,
};
use crate::{
    Batch, Committed, Engine, Error, Result, Row, Scan, Status, Table, Watch,
    batch::full_key,
    range::{self, Collector, KeyRange},
};

/// Batches waiting for the committer, in KiB. Whoever comes when it is full waits before it costs memory.
const QUEUE_KIB: usize = 64 << 10;
/// A longer scan runs on the blocking pool.
const INLINE_SCAN_ROWS: usize = 1_024;
/// Rebuilds that one read waits for.
const HEALS_PER_READ: u32 = 3;

pub(crate) struct EmbeddedEngine {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    threads: Mutex<Threads>,
}

struct Threads {
    committer: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
    lock: Option<Lock>,
}

impl EmbeddedEngine {
    pub(crate) fn start(recovered: Recovered) -> Result<Self> {
        let Recovered { shared, journal, lock } = recovered;
        let shared = Arc::new(shared);
        let committer = Committer::new(shared.clone(), journal)?;
        let mut threads = Threads { committer: None, keeper: None, lock: Some(lock) };
        threads.committer = Some(spawn("store-committer", move || committer.run())?);
        if shared.options.background {
            let keeper = shared.clone();
            threads.keeper = Some(spawn("store-keeper", move || keeper::run(&keeper))?);
        }
        // A journal that grew long before a kill is folded without waiting for more.
        shared.keeper.nudge();
        Ok(EmbeddedEngine { shared, room: Arc::new(Semaphore::new(QUEUE_KIB)), threads: Mutex::new(threads) })
    }

    /// Runs a read, and again after the index was rebuilt if it turns out to be damaged.
    async fn read<T>(&self, read: impl Fn(&Shared) -> ReadResult<T>) -> Result<T> {
        let mut heals = 0;
        loop {
            match read(&self.shared) {
                Ok(value) => return Ok(value),
                Err((generation, error)) => self.healed(&mut heals, generation, error).await?,
            }
        }
    }

    async fn healed(&self, heals: &mut u32, generation: u64, error: IndexError) -> Result<()> {
        *heals += 1;
        if *heals > HEALS_PER_READ {
            return Err(error.into());
        }
        self.shared.ask_heal(generation, error.0)?.await.unwrap_or(Err(Error::Closed))
    }

    fn open(&self) -> Result<()> {
        if self.shared.is_stopping() { Err(Error::Closed) } else { Ok(()) }
    }

    /// Ends both threads: the committer when what waits is served, the keeper at its next chunk.
    fn stop(&self) {
        let mut threads = self.threads.lock();
        self.shared.queue.close();
        if let Some(committer) = threads.committer.take() {
            // It ends by itself; a panic in it has been reported by the panic hook.
            let _ = committer.join();
        }
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.keeper.stop();
        if let Some(keeper) = threads.keeper.take() {
            let _ = keeper.join();
        }
        threads.lock = None;
    }
}

/// What was read, or which generation of the index is damaged and how.
type ReadResult<T> = std::result::Result<T, (u64, IndexError)>;

fn get(shared: &Shared, full_key: &[u8]) -> ReadResult<Option<Row>> {
    let gate = shared.gate.read();
    let row = get_row(&*gate.index, full_key, |row| range::row(full_key, row.to_cell()));
    row.map_err(|error| (gate.generation, error))
}

fn scan(shared: &Shared, (from, to): &KeyRange, limit: usize, reverse: bool) -> ReadResult<Vec<Row>> {
    let gate = shared.gate.read();
    let mut found = Collector::new(limit);
    let mut damaged = None;
    let (from, to) = (from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
    let scanned = gate.index.range(from, to, reverse, &mut |key, row| {
        match verified(key, row) {
            Ok(row) => found.push(key, row.to_cell()),
            Err(error) => damaged = Some(error),
        }
        damaged.is_none() && found.wants_more()
    });
    match scanned.and_then(|()| damaged.map_or(Ok(()), Err)) {
        Ok(()) => Ok(found.into_rows()),
        Err(error) => Err((gate.generation, error)),
    }
}

#[async_trait::async_trait]
impl Engine for EmbeddedEngine {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>> {
        self.open()?;
        let full = full_key(table, key);
        self.read(|shared| get(shared, &full)).await
    }

    async fn scan(&self, table: Table, wanted: Scan) -> Result<Vec<Row>> {
        self.open()?;
        let keys = range::key_range(table, &wanted);
        let (limit, reverse) = (wanted.limit, wanted.reverse);
        if range::is_empty(&keys) || limit == 0 {
            return Ok(Vec::new());
        }
        if limit <= INLINE_SCAN_ROWS {
            return self.read(|shared| scan(shared, &keys, limit, reverse)).await;
        }
        let mut heals = 0;
        let keys = Arc::new(keys);
        loop {
            let (shared, keys) = (self.shared.clone(), keys.clone());
            let scanned = tokio::task::spawn_blocking(move || scan(&shared, &keys, limit, reverse)).await;
            match scanned.map_err(|_| Error::Closed)? {
                Ok(rows) => return Ok(rows),
                Err((generation, error)) => self.healed(&mut heals, generation, error).await?,
            }
        }
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        // At most 1 MiB, as the batch was validated.
        let kib = u32::try_from(batch.encoded_len() >> 10).unwrap_or(u32::MAX) + 1;
        let permit = self.room.clone().acquire_many_owned(kib).await.map_err(|_| Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push(Request::Commit { batch, reply, permit })?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    fn watch(&self, table: Table, prefix: &[u8]) -> Watch {
        self.shared.watches.watch(full_key(table, prefix))
    }

    fn status(&self) -> Status {
        let counters = &self.shared.counters;
        let link = self.shared.gate.read().link;
        let (segments, journal_bytes) = {
            let segments = self.shared.segments.lock();
            (segments.len(), segments.iter().map(|segment| segment.bytes).sum())
        };
        Status {
            seq: link.next_seq - 1,
            checkpoint_seq: counters.checkpoint_seq.load(Ordering::Relaxed),
            snapshot_seq: counters.snapshot_seq.load(Ordering::Relaxed),
            journal_bytes,
            segments,
            rows: link.digest.rows,
            index_rebuilds: counters.rebuilds.load(Ordering::Relaxed),
            disk_full: counters.disk_full.load(Ordering::Relaxed),
            failed: self.shared.failure().map(|reason| reason.to_string()),
        }
    }

    async fn checkpoint(&self) -> Result<()> {
        self.open()?;
        let (reply, answer) = oneshot::channel();
        if self.shared.options.background {
            self.shared.keeper.request(reply);
        } else {
            self.shared.queue.push(Request::Keep { reply })?;
        }
        answer.await.unwrap_or(Err(Error::Closed))
    }

    async fn backup(&self, dir: &Path, of: &str) -> Result<u64> {
        self.open()?;
        let (shared, dir, of): (_, PathBuf, _) = (self.shared.clone(), dir.to_owned(), of.to_owned());
        let written = tokio::task::spawn_blocking(move || backup::backup(&shared, &dir, &of));
        written.await.map_err(|_| Error::Closed)?
    }

    async fn close(&self) -> Result<()> {
        if self.shared.is_stopping() {
            return Ok(());
        }
        // What is queued goes first, so that the checkpoint covers it.
        self.shared.queue.close();
        self.shared.give_way.store(true, Ordering::Release);
        let committer = self.threads.lock().committer.take();
        let shared = self.shared.clone();
        let closing = tokio::task::spawn_blocking(move || {
            if let Some(committer) = committer {
                let _ = committer.join();
            }
            match shared.failure() {
                Some(_) => Ok(()),
                None => match keeper::checkpoint(&shared) {
                    Ok(()) => Ok(()),
                    Err(Hindered::By(error)) => Err(error),
                    // The next start finds out and rebuilds it; there is nobody left to do it now.
                    Err(Hindered::Damaged { error, .. }) => Err(error.into()),
                },
            }
        });
        let closed = closing.await.map_err(|_| Error::Closed)?;
        self.stop();
        closed
    }
}

impl Drop for EmbeddedEngine {
    /// Lets go of the folder without bringing anything to rest: what a kill would do, in good order.
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(super::io_error("start a thread of the store"))
}
