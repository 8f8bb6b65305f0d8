//! From the journal to an index: replay after an unclean stop, and rebuilding from nothing.

use std::{path::Path, sync::Arc};

use super::{
    Options,
    checkpoint::Checkpoint,
    digest::{Digest, JournalId},
    frame::{self, WriteRef},
    index::{Index, IndexError, get_row},
    row::{decode_row, encode_row, row_crc},
    segment::Link,
    shared::{journal_dir, snapshot_dir},
    sled_index::index_dir,
    snapshot::{SnapshotReader, snapshot_name, snapshot_seqs},
    survey::{self, RESTORE_HINT},
};
use crate::{Error, Result};

/// Where the index notes how far it was applied, and for which journal. Table 0 is nobody's: it is in no snapshot and no digest.
pub(crate) const APPLIED_KEY: &[u8] = b"\0applied";
/// The first key that is a row.
pub(crate) const FIRST_KEY: &[u8] = &[1];
/// Rows handed to the index at once while a snapshot is loaded.
const LOAD_ROWS: usize = 512;

/// The journal as far as it is needed here: all of it is synced.
pub(crate) struct Truth<'t> {
    pub dir: &'t Path,
    pub options: &'t Options,
    pub id: JournalId,
    /// Numbers of the segments and the first sequence number of the first.
    pub segments: Vec<u64>,
    pub first_seq: u64,
    pub end: Link,
}

impl Truth<'_> {
    pub(crate) fn end_seq(&self) -> u64 {
        self.end.next_seq - 1
    }

    /// Applies every frame past `after_seq` to `index`. With `digest` it also keeps the sum over the index, for which it has to
    /// read what each write replaces.
    pub(crate) fn replay_into(
        &self,
        index: &dyn Index,
        after_seq: u64,
        mut digest: Option<&mut Digest>,
    ) -> Result<()> {
        let journal = journal_dir(self.dir);
        let disk = &*self.options.disk;
        survey::replay(
            disk,
            &journal,
            &self.id,
            &self.segments,
            after_seq,
            self.end_seq(),
            |header, bytes| {
                let mut changes: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
                let visited = frame::visit_writes(bytes, |seq, WriteRef { key, value }| {
                    let row = value.map(|value| encode_row(key, seq, value));
                    if let Some(digest) = digest.as_deref_mut() {
                        let old = get_row(index, key, |row| self.id.row_hash(key, row.version, row.crc))?;
                        let new = value.map(|value| self.id.row_hash(key, seq, row_crc(key, seq, value)));
                        digest.change(old, new);
                        // The next write of this frame to the same key must find this one.
                        index.apply(&mut std::iter::once((key, row.as_deref())))?;
                    } else {
                        changes.push((key.to_vec(), row));
                    }
                    Ok::<_, IndexError>(())
                });
                match visited {
                    Some(visited) => visited?,
                    None => return Err(Error::Index("a frame holds what no program writes".into())),
                }
                changes.push((APPLIED_KEY.to_vec(), Some(applied_value(&self.id, header.last_seq()))));
                index.apply(&mut changes.iter().map(|(key, row)| (key.as_slice(), row.as_deref())))?;
                Ok(())
            },
        )
    }

    /// Makes an index from the newest snapshot and the journal, and makes it the current one on disk.
    pub(crate) fn rebuild(&self, generation: u64) -> Result<Arc<dyn Index>> {
        let index = self.replay_beside(generation)?;
        index.sync()?;
        Checkpoint { id: self.id, seq: self.end_seq(), generation }.write(&*self.options.disk, self.dir)?;
        Ok(index)
    }

    /// Makes an index from the newest snapshot and the journal, and proves that its rows add up to what the journal says.
    pub(crate) fn replay_beside(&self, generation: u64) -> Result<Arc<dyn Index>> {
        let dir = index_dir(self.dir, generation);
        self.options.index.remove(&dir).map_err(super::io_error("clear the place of the new index"))?;
        let index = self.options.index.open(&dir, self.options.cache_bytes)?;
        let mut digest = Digest::default();
        let base = self.load_snapshot(&*index, &mut digest)?;
        self.replay_into(&*index, base, Some(&mut digest))?;
        if digest != self.end.digest {
            return Err(Error::Index(
                "the snapshot and the journal do not add up to the journal's digest".into(),
            ));
        }
        let applied = applied_value(&self.id, self.end_seq());
        index.apply(&mut std::iter::once((APPLIED_KEY, Some(applied.as_slice()))))?;
        Ok(index)
    }

    /// Loads the newest snapshot that is whole and gives its sequence number; 0 if there is none and none is needed.
    fn load_snapshot(&self, index: &dyn Index, digest: &mut Digest) -> Result<u64> {
        let Some(snapshot) = self.newest_snapshot()? else {
            if self.first_seq > 1 {
                let segment = super::segment::segment_name(self.segments.first().copied().unwrap_or(0));
                let what = "the journal starts here and no snapshot holds what came before";
                return Err(Error::Corrupt {
                    segment,
                    frame: self.first_seq,
                    offset: 0,
                    what,
                    hint: RESTORE_HINT,
                });
            }
            return Ok(0);
        };
        let seq = snapshot.seq;
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(LOAD_ROWS);
        let load = |rows: &mut Vec<(Vec<u8>, Vec<u8>)>| -> Result<()> {
            index.apply(&mut rows.iter().map(|(key, row)| (key.as_slice(), Some(row.as_slice()))))?;
            rows.clear();
            Ok(())
        };
        let end_seq = snapshot.read(|key, row| {
            let parsed =
                decode_row(key, row).ok_or_else(|| Error::Index("a snapshot's row is damaged".into()))?;
            digest.add(self.id.row_hash(key, parsed.version, parsed.crc));
            rows.push((key.to_vec(), row.to_vec()));
            if rows.len() == LOAD_ROWS { load(&mut rows) } else { Ok(()) }
        })?;
        load(&mut rows)?;
        if end_seq > self.end_seq() {
            return Err(Error::Index("the snapshot reaches past the end of the journal".into()));
        }
        Ok(seq)
    }

    /// The newest snapshot of this journal that is whole and from which the journal goes on.
    pub(crate) fn newest_snapshot(&self) -> Result<Option<SnapshotReader>> {
        let dir = snapshot_dir(self.dir);
        let disk = &*self.options.disk;
        for seq in snapshot_seqs(disk, &dir)?.into_iter().rev() {
            match SnapshotReader::open(disk, &dir.join(snapshot_name(seq))) {
                Ok(snapshot) if snapshot.id == self.id && snapshot.seq + 1 >= self.first_seq => {
                    return Ok(Some(snapshot));
                }
                Ok(_) => tracing::warn!(seq, "a snapshot does not fit the journal and is not used"),
                Err(error @ Error::BadSnapshot { .. }) => {
                    tracing::warn!(seq, %error, "a snapshot is not used")
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

pub(crate) fn applied_value(id: &JournalId, seq: u64) -> Vec<u8> {
    let mut value = id.0.to_vec();
    value.extend_from_slice(&seq.to_be_bytes());
    value
}

/// How far an index says that it was applied; `None` if it is not one of this journal.
pub(crate) fn applied_seq(index: &dyn Index, id: &JournalId) -> Result<Option<u64>, IndexError> {
    let value = index.get(APPLIED_KEY)?;
    Ok(value.and_then(|value| {
        let seq = value.strip_prefix(&id.0)?;
        Some(u64::from_be_bytes(seq.try_into().ok()?))
    }))
}
