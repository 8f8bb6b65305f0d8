//! What every engine does. The conformance suite in `tests/conformance.rs` holds each of them to it.

use std::path::Path;

use crate::{Batch, Error, Result, Table, Watch};

/// Rows that one scan may ask for.
pub const SCAN_ROWS_MAX: usize = 10_000;
/// A scan stops after the row with which it passes this many bytes of keys and values.
pub const SCAN_BYTES_MAX: usize = 8 << 20;
/// Rows of a scan that names no limit.
const SCAN_ROWS_DEFAULT: usize = 256;

/// Sequence number of the commit that last wrote a key. Comparable within one store only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version(pub u64);

/// One row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// The whole key, without the table.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// The commit that wrote it.
    pub version: Version,
}

/// The answer to a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Sequence number of the commit: the version of every key that it wrote. For a batch that wrote nothing, that of the
    /// state against which it was checked.
    pub seq: u64,
    /// One assigned number for each `append`, in order.
    pub numbers: Vec<u64>,
    /// The batch's idempotency key was known; this is the answer to its first coming, and nothing was applied now.
    pub replayed: bool,
}

/// Which rows a scan gives: those under a prefix, in bytewise order of keys.
///
/// The answer may hold fewer rows than the limit before the end is reached, because its size in bytes is bounded too
/// ([`SCAN_BYTES_MAX`]). Only an empty answer means that there is nothing more.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "a scan does nothing until a store runs it"]
pub struct Scan {
    pub(crate) prefix: Vec<u8>,
    pub(crate) after: Option<Vec<u8>>,
    pub(crate) limit: usize,
    pub(crate) reverse: bool,
}

impl Scan {
    /// Rows whose key starts with `prefix`, smallest key first, at most 256 unless [`Scan::limit`] says otherwise.
    pub fn prefix(prefix: impl AsRef<[u8]>) -> Self {
        Scan { prefix: prefix.as_ref().to_vec(), after: None, limit: SCAN_ROWS_DEFAULT, reverse: false }
    }

    /// Only rows past this key, itself not included: the place where the last page ended. It is a whole key, not one
    /// relative to the prefix. In reverse, "past" means smaller.
    pub fn after(mut self, key: impl AsRef<[u8]>) -> Self {
        self.after = Some(key.as_ref().to_vec());
        self
    }

    /// At most so many rows; more than [`SCAN_ROWS_MAX`] is refused.
    pub fn limit(mut self, rows: usize) -> Self {
        self.limit = rows;
        self
    }

    /// Largest key first.
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// Refuses a scan above a bound.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn validate(&self) -> Result<()> {
        let key_len = self.prefix.len().max(self.after.as_ref().map_or(0, Vec::len));
        if key_len > crate::KEY_BYTES_MAX {
            return Err(Error::TooLarge { what: "key", len: key_len, max: crate::KEY_BYTES_MAX });
        }
        if self.limit > SCAN_ROWS_MAX {
            return Err(Error::TooLarge { what: "scan limit", len: self.limit, max: SCAN_ROWS_MAX });
        }
        Ok(())
    }
}

/// How an engine is doing, for health and metrics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// Sequence number of the last commit.
    pub seq: u64,
    /// Sequence number up to which the index is known to be on disk.
    pub checkpoint_seq: u64,
    /// Sequence number of the newest snapshot, 0 if there is none.
    pub snapshot_seq: u64,
    /// Bytes of all journal segments.
    pub journal_bytes: u64,
    /// Segments of the journal.
    pub segments: usize,
    /// Rows, the store's own included.
    pub rows: u64,
    /// How often the index had to be rebuilt since the start.
    pub index_rebuilds: u64,
    /// The last commit was refused because the disk is full.
    pub disk_full: bool,
    /// Why the engine no longer writes.
    pub failed: Option<String>,
}

/// A store behind [`crate::Store`].
///
/// Commits are atomic, durable before they are answered, and applied in the order of their sequence numbers. A read sees
/// whole commits only, and every commit that was answered before the read began.
#[async_trait::async_trait]
pub trait Engine: Send + Sync + 'static {
    /// See [`crate::Store::get`].
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>>;
    /// See [`crate::Store::scan`].
    async fn scan(&self, table: Table, scan: Scan) -> Result<Vec<Row>>;
    /// See [`crate::Store::commit`].
    async fn commit(&self, batch: Batch) -> Result<Committed>;
    /// See [`crate::Store::watch`].
    fn watch(&self, table: Table, prefix: &[u8]) -> Watch;
    /// See [`crate::Store::status`].
    fn status(&self) -> Status;
    /// See [`crate::Store::close`].
    async fn close(&self) -> Result<()>;

    /// See [`crate::Store::checkpoint`]. Engines that have nothing to fold do nothing.
    async fn checkpoint(&self) -> Result<()> {
        Ok(())
    }

    /// See [`crate::Store::backup`].
    async fn backup(&self, _dir: &Path, _of: &str) -> Result<u64> {
        Err(Error::Unsupported("write a backup"))
    }
}
