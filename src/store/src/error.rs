//! What can go wrong in the store, split by who must act.

use std::{io, path::PathBuf, sync::Arc};

/// Shorthand for a result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything the store can answer instead of doing what it was asked.
///
/// Keys are not part of the message: they may name people. They are in the fields, for code.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// An assertion of the batch does not hold; nothing of it was applied. The caller reads again and retries.
    #[error("conflict: a key of table `{table}` is not as the batch expected")]
    Conflict {
        /// Table of the key.
        table: &'static str,
        /// The key whose assertion failed.
        key: Vec<u8>,
    },
    /// [`crate::Store::transact`] met a conflict on every attempt.
    #[error("gave up after {attempts} attempts that each met a conflict in table `{table}`")]
    Contended {
        /// How often it was tried.
        attempts: u32,
        /// Table of the last conflict.
        table: &'static str,
    },
    /// A key, value, batch or scan above its bound. Refused before anything else is looked at.
    #[error("{what} of {len} where at most {max} is allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size, in bytes or items.
        len: usize,
        /// The bound, in the same unit.
        max: usize,
    },
    /// A counter would leave 0..=u64::MAX; the batch was refused.
    #[error("a counter in table `{table}` would overflow")]
    CounterOverflow {
        /// Table of the counter.
        table: &'static str,
        /// Key of the counter.
        key: Vec<u8>,
    },
    /// `add` or `append` names a key whose value is not eight bytes.
    #[error("a value in table `{table}` is used as a counter and is none")]
    NotACounter {
        /// Table of the key.
        table: &'static str,
        /// The key.
        key: Vec<u8>,
    },
    /// The table's number belongs to the store itself.
    #[error("table `{table}` is reserved for the store itself")]
    Reserved {
        /// The table's name.
        table: &'static str,
    },
    /// There is no room on the disk. The batch was certainly not applied; reads go on, and commits will too once there is
    /// room again.
    #[error("the disk is full; nothing was written")]
    DiskFull,
    /// The engine no longer writes, because it cannot know what the disk holds. Reads go on. Restart the node: the journal
    /// decides. Whether a batch that was answered with this is kept is decided there as well.
    #[error("the store stopped writing: {0}")]
    Failed(Arc<str>),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The journal is damaged where it cannot be a write that a crash cut short. Nothing is repaired silently.
    #[error("journal segment {segment} is damaged at frame {frame} (byte {offset}): {what}. {hint}")]
    Corrupt {
        /// File name of the segment.
        segment: String,
        /// Sequence number that the damaged frame should start with; 0 for the segment's header.
        frame: u64,
        /// Byte offset in the file.
        offset: u64,
        /// What is wrong.
        what: &'static str,
        /// What the operator can do.
        hint: &'static str,
    },
    /// A snapshot or backup that is not whole.
    #[error("{path}: {what}")]
    BadSnapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another process holds the data folder.
    #[error("a node is running on it, or a command is at work there: another process holds {path}")]
    Locked {
        /// What is held.
        path: PathBuf,
    },
    /// A folder that must be empty is not, or one that must hold a store does not.
    #[error("{path}: {what}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system said no.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What it said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The index is damaged and could not be rebuilt from the journal.
    #[error("the index is unusable: {0}")]
    Index(Arc<str>),
    /// This engine has no such operation.
    #[error("this engine cannot {0}")]
    Unsupported(&'static str),
    /// A stored record is not what its table says.
    #[error("a record of table `{table}` cannot be read")]
    Record {
        /// Table of the record.
        table: &'static str,
        /// Why.
        #[source]
        source: crate::record::RecordError,
    },
}

impl Error {
    /// True for [`Error::Conflict`]: reading again and retrying may succeed.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Conflict { .. })
    }
}
