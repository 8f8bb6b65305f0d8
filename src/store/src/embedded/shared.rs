//! What the threads of the engine share.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;

use super::{
    Options,
    digest::{Digest, JournalId},
    index::Index,
    journal::{End, SegmentSummary},
    keeper::KeeperSignal,
    queue::{Queue, Request},
    segment::Link,
    sled_index::index_dir,
};
use crate::{Error, Result, watch::Registry};

/// The state that reads see. Readers hold the gate for the length of one read, the committer while it applies a frame, so
/// a read never sees half a commit and never one that is not on disk.
pub(crate) struct Applied {
    pub index: Arc<dyn Index>,
    pub generation: u64,
    /// What the last applied frame left behind.
    pub link: Link,
    /// Where that frame ends in the journal.
    pub end: End,
}

impl Applied {
    pub(crate) fn seq(&self) -> u64 {
        self.link.next_seq - 1
    }
}

/// A scan of the whole index in progress: what it has added up so far, corrected by every commit behind its cursor, so
/// that at its end it holds the sum of one moment.
pub(crate) struct Scrub {
    /// The last key that was scanned.
    pub cursor: Vec<u8>,
    pub digest: Digest,
}

#[derive(Default)]
pub(crate) struct Counters {
    /// Journal bytes behind the checkpoint and behind the snapshot.
    pub since_checkpoint: AtomicU64,
    pub since_snapshot: AtomicU64,
    pub checkpoint_seq: AtomicU64,
    pub snapshot_seq: AtomicU64,
    pub snapshot_bytes: AtomicU64,
    pub rebuilds: AtomicU64,
    pub disk_full: AtomicBool,
}

pub(crate) struct Shared {
    pub dir: PathBuf,
    pub options: Options,
    pub id: JournalId,
    pub gate: RwLock<Applied>,
    /// Locked only by who holds the gate.
    pub scrub: Mutex<Option<Scrub>>,
    pub segments: Arc<Mutex<Vec<SegmentSummary>>>,
    pub watches: Arc<Registry>,
    pub queue: Queue,
    pub keeper: KeeperSignal,
    /// Held by whoever checkpoints, snapshots, deletes, rebuilds or copies: one of them at a time.
    pub maintenance: Mutex<()>,
    /// Somebody waits for `maintenance` who matters more than the snapshot in progress.
    pub give_way: AtomicBool,
    pub stopping: AtomicBool,
    pub counters: Counters,
    failed: Mutex<Option<Arc<str>>>,
}

impl Shared {
    pub(crate) fn new(
        dir: PathBuf,
        options: Options,
        id: JournalId,
        applied: Applied,
        segments: Arc<Mutex<Vec<SegmentSummary>>>,
        counters: Counters,
    ) -> Self {
        Shared {
            dir,
            options,
            id,
            gate: RwLock::new(applied),
            scrub: Mutex::new(None),
            segments,
            watches: Arc::new(Registry::default()),
            queue: Queue::default(),
            keeper: KeeperSignal::default(),
            maintenance: Mutex::new(()),
            give_way: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            counters,
            failed: Mutex::new(None),
        }
    }

    pub(crate) fn journal_dir(&self) -> PathBuf {
        journal_dir(&self.dir)
    }

    pub(crate) fn snapshot_dir(&self) -> PathBuf {
        snapshot_dir(&self.dir)
    }

    pub(crate) fn index_dir(&self, generation: u64) -> PathBuf {
        index_dir(&self.dir, generation)
    }

    /// Stops all writing, for good. The first reason is kept.
    pub(crate) fn fail(&self, reason: String) -> Error {
        tracing::error!(reason, "the store stops writing");
        let mut failed = self.failed.lock();
        Error::Failed(failed.get_or_insert_with(|| reason.into()).clone())
    }

    pub(crate) fn failure(&self) -> Option<Arc<str>> {
        self.failed.lock().clone()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Asks the committer to replace a broken index.
    pub(crate) fn ask_heal(&self, generation: u64, reason: String) -> Result<oneshot::Receiver<Result<()>>> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Request::Heal { generation, reason, reply })?;
        Ok(answer)
    }
}

pub(crate) fn journal_dir(dir: &std::path::Path) -> PathBuf {
    dir.join("journal")
}

pub(crate) fn snapshot_dir(dir: &std::path::Path) -> PathBuf {
    dir.join("snapshots")
}
