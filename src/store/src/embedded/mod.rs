//! The engine of a node: a journal that is the truth, and sled as the index that can be rebuilt from it.
//!
//! ```text
//! DIR/lock                    held by the process that has the store open
//! DIR/journal/N.journal       the redo log, in segments: every commit, framed, summed and chained
//! DIR/checkpoint              how far the index on disk reaches, and which folder it is in
//! DIR/index-G/                sled: the state after the journal
//! DIR/snapshots/S.snapshot    all rows; with the journal after S it gives any later state
//! DIR/index-damaged/          an index that was replaced, until its successor is proved
//! ```
//!
//! A commit is answered when its frame is synced; the index may be behind on disk, and may break: it is rebuilt while the
//! node runs. Reads run inline, long scans on the blocking pool.

mod backup;
mod check;
mod checkpoint;
mod codec;
mod committer;
mod digest;
mod disk;
mod engine;
mod frame;
mod index;
mod journal;
mod keeper;
mod overlay;
mod queue;
mod rebuild;
mod recover;
mod row;
mod segment;
mod shared;
mod sled_index;
mod snapshot;
mod survey;
#[cfg(test)]
mod tests;

use std::{io, path::Path, sync::Arc};

pub use backup::{Restored, restore};
pub use check::{BadRecord, IndexState, Report, Validator, check};
pub use disk::{Disk, DiskFile, RealDisk};
pub use index::{Change, Index, IndexError, OpenIndex};
pub use sled_index::SledIndex;

use crate::{Error, Result, Store};

/// How the embedded engine behaves. The default is right for a node.
#[derive(Clone)]
pub struct Options {
    /// Memory for the index, in bytes.
    pub cache_bytes: u64,
    /// A journal segment is closed at this size, in bytes. A larger frame still goes in whole.
    pub segment_bytes: u64,
    /// Bytes by which a segment is filled with zeros ahead of its frames.
    pub chunk_bytes: u64,
    /// Journal bytes after which the index is brought to rest on disk: what a start after a crash replays at most.
    pub checkpoint_bytes: u64,
    /// Journal bytes after which a snapshot is written, at least; a third of the last snapshot's size, if that is more.
    pub snapshot_bytes: u64,
    /// Free bytes on the disk below which commits are refused with [`Error::DiskFull`]; the urgent ones (see
    /// [`crate::Batch::urgent`]) below half of it.
    pub reserve_bytes: u64,
    /// Checkpoint and snapshot on a thread of their own. Without it the committer does both between two groups, so that a
    /// simulation that decides about every write can be run again.
    pub background: bool,
    /// Where journal, checkpoint and snapshots are written.
    pub disk: Arc<dyn Disk>,
    /// What the index is.
    pub index: Arc<dyn OpenIndex>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            cache_bytes: 128 << 20,
            segment_bytes: 64 << 20,
            chunk_bytes: 4 << 20,
            checkpoint_bytes: 32 << 20,
            snapshot_bytes: 192 << 20,
            reserve_bytes: 64 << 20,
            background: true,
            disk: Arc::new(RealDisk),
            index: Arc::new(SledIndex),
        }
    }
}

/// Opens the store in a folder, or makes one there.
///
/// It blocks while it verifies the journal and replays what the index lacks; call it before the runtime serves anything, or
/// on a blocking thread. After an orderly stop that is milliseconds.
///
/// # Errors
/// [`Error::Corrupt`] if the journal is damaged: nothing was changed, and the message says where and what to do.
/// [`Error::Locked`] if another process has it open. [`Error::Io`], [`Error::Index`], [`Error::Folder`].
pub fn open(dir: &Path, options: Options) -> Result<Store> {
    let recovered = recover::recover(dir, options)?;
    Ok(Store::new(Arc::new(engine::EmbeddedEngine::start(recovered)?)))
}

/// Whether there is something of a store in a folder. Nothing is made or changed.
///
/// # Errors
/// As the operating system says.
pub fn exists(dir: &Path) -> io::Result<bool> {
    let journal = RealDisk.list(&shared::journal_dir(dir))?;
    Ok(!journal.is_empty() || dir.join("checkpoint").exists())
}

/// An I/O error with what was being done.
pub(crate) fn io_error(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| {
        if disk::is_full(&source) { Error::DiskFull } else { Error::Io { what, source: Arc::new(source) } }
    }
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Self {
        Error::Index(error.0.into())
    }
}
