//! What the engine asks of its index, which holds the current state and can be rebuilt at any time.

use std::{io, ops::Bound, path::Path, sync::Arc};

use super::row::{RowRef, decode_row};
#[cfg(doc)]
use crate::Error;

/// The index failed. Whatever the reason, it is not used any more: it is rebuilt from the journal.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(pub String);

/// One physical change of an index: a key and its new value, or none.
pub type Change<'c> = (&'c [u8], Option<&'c [u8]>);

/// The same, handed over to be kept.
pub type Handed = (Arc<[u8]>, Option<Vec<u8>>);

/// An ordered map of bytes on disk. One thread writes, many read.
///
/// It may lose what was not synced, in any mixture of old and new rows; it must not invent rows. Any error makes the engine
/// rebuild it elsewhere.
pub trait Index: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// [`IndexError`] if the index is damaged.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// Visits rows in order (or in reverse) until `visit` returns false.
    ///
    /// # Errors
    /// [`IndexError`] if the index is damaged.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), IndexError>;

    /// Applies changes in order. They need not be durable.
    ///
    /// # Errors
    /// [`IndexError`] if the index is damaged or its disk is full.
    fn apply(&self, changes: &mut dyn Iterator<Item = Change<'_>>) -> Result<(), IndexError>;

    /// The same for an index that keeps what it is handed.
    ///
    /// # Errors
    /// As [`Index::apply`].
    fn take(&self, changes: &mut dyn Iterator<Item = Handed>) -> Result<(), IndexError> {
        for (key, row) in changes {
            self.apply(&mut std::iter::once((&*key, row.as_deref())))?;
        }
        Ok(())
    }

    /// Waits, if too much was applied that is not in its place yet. Nobody may hold up reads meanwhile.
    fn make_room(&self) {}

    /// Returns when everything applied before will survive a power cut.
    ///
    /// # Errors
    /// [`IndexError`].
    fn sync(&self) -> Result<(), IndexError>;
}

/// How an index is opened. [`super::SledIndex`] is the one that a node uses; tests put others here.
pub trait OpenIndex: Send + Sync + 'static {
    /// Opens the index in a folder, or makes an empty one there.
    ///
    /// # Errors
    /// [`Error::Index`] if what is there is damaged, [`Error::Locked`] if another process has it open.
    fn open(&self, dir: &Path, cache_bytes: u64) -> crate::Result<Arc<dyn Index>>;

    /// Generations (the numbers of folders `index-N` in `dir`) that are there.
    ///
    /// # Errors
    /// Those of the operating system.
    fn generations(&self, dir: &Path) -> io::Result<Vec<u64>>;

    /// Removes the index in a folder.
    ///
    /// # Errors
    /// Those of the operating system.
    fn remove(&self, dir: &Path) -> io::Result<()>;

    /// Moves the index in a folder aside, for somebody to look at, in place of one moved before; with `keep` false it removes
    /// what was moved aside.
    ///
    /// # Errors
    /// Those of the operating system.
    fn set_aside(&self, dir: &Path, keep: bool) -> io::Result<()>;
}

/// A row of an index, verified.
pub(crate) fn get_row<T>(
    index: &dyn Index,
    key: &[u8],
    with: impl FnOnce(RowRef<'_>) -> T,
) -> Result<Option<T>, IndexError> {
    match index.get(key)? {
        None => Ok(None),
        Some(bytes) => Ok(Some(with(verified(key, &bytes)?))),
    }
}

/// A row as it came from the index.
pub(crate) fn verified<'r>(key: &[u8], bytes: &'r [u8]) -> Result<RowRef<'r>, IndexError> {
    decode_row(key, bytes).ok_or_else(|| IndexError("a row of the index has a wrong checksum".into()))
}

/// Folder of a generation.
pub(crate) fn index_dir_name(generation: u64) -> String {
    format!("index-{generation}")
}
