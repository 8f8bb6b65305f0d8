//! `weft check`: is everything as it should be? For a store that no process has open.

use std::{collections::BTreeMap, path::Path};

use super::{
    Options,
    checkpoint::Checkpoint,
    index::{Index, IndexError, OpenIndex, verified},
    io_error,
    rebuild::{FIRST_KEY, Truth, applied_seq},
    recover,
    shared::journal_dir,
    sled_index::index_dir,
    survey::{corrupt, segment_numbers, survey},
};
use crate::{Error, Result, Table, tables};

/// Judges one record: table, key, value. The service knows its records; the store does not.
pub type Validator<'v> = dyn Fn(Table, &[u8], &[u8]) -> Result<(), String> + 'v;

/// Findings of one kind that are listed; more are counted.
const LISTED_MAX: usize = 100;
/// Rows compared at once.
const CHUNK_ROWS: usize = 512;

/// What [`check`] found. A damaged journal is not in here: it is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Segments of the journal, all of them whole and chained.
    pub segments: usize,
    /// Frames in them.
    pub frames: u64,
    /// Sequence number of the last commit.
    pub seq: u64,
    /// Rows after a replay of snapshot and journal.
    pub rows: u64,
    /// Rows of each table, by its number.
    pub rows_of_tables: BTreeMap<u8, u64>,
    /// How the index compares.
    pub index: IndexState,
    /// Records that the validator refused, the first hundred of them.
    pub bad_records: Vec<BadRecord>,
    /// How many it refused.
    pub bad_records_count: u64,
}

impl Report {
    /// True if nothing needs anybody's attention.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.bad_records_count == 0 && matches!(self.index, IndexState::Same | IndexState::Absent)
    }
}

/// How the index on disk compares with a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    /// Row for row the same.
    Same,
    /// There is none; the next start builds it.
    Absent,
    /// It cannot be read; the next start replaces it. No data is lost.
    Unreadable(String),
    /// So many rows differ. The next snapshot would find out and replace it; deleting the folder `index-N` does so at once. No
    /// data is lost.
    Different(u64),
}

/// A record that the validator refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Its table.
    pub table: Table,
    /// Its key.
    pub key: Vec<u8>,
    /// What is wrong.
    pub what: String,
}

/// Verifies the store in `dir`: every frame of the journal and their chain, the snapshot, the index against a replay of
/// both, row by row, and every record with `validator`. The replay goes into a folder of its own beside the index, so it needs as
/// much room again as the index; it is removed at the end.
///
/// # Errors
/// [`Error::Corrupt`] if the journal is damaged, [`Error::BadSnapshot`], [`Error::Locked`] if a node is running,
/// [`Error::Folder`] if there is no store, [`Error::DiskFull`] if the replay finds no room, [`Error::Io`].
pub fn check(dir: &Path, options: &Options, validator: &Validator<'_>) -> Result<Report> {
    let disk = &*options.disk;
    let nothing = || Error::Folder { path: dir.to_owned(), what: "there is no store here" };
    if segment_numbers(disk, &journal_dir(dir))?.is_empty() && Checkpoint::read(disk, dir)?.is_none() {
        // Not even a lock file is left behind.
        return Err(nothing());
    }
    let _lock = recover::lock(options, dir)?;
    let checkpoint = Checkpoint::read(disk, dir)?;
    let required = checkpoint.map_or(0, |checkpoint| checkpoint.seq);
    let Some(survey) = survey(disk, &journal_dir(dir), required, |_| {})? else {
        return Err(if checkpoint.is_some() {
            corrupt(1, 1, 0, "the journal is missing")
        } else {
            nothing()
        });
    };
    let truth = Truth {
        dir,
        options,
        id: survey.id,
        segments: survey.segments.iter().map(|segment| segment.number).collect(),
        first_seq: survey.segments.first().map_or(1, |segment| segment.header.link.next_seq),
        end: survey.end,
    };
    let mut report = Report {
        segments: survey.segments.len(),
        frames: survey.frames,
        seq: truth.end_seq(),
        rows: truth.end.digest.rows,
        rows_of_tables: BTreeMap::new(),
        index: IndexState::Absent,
        bad_records: Vec::new(),
        bad_records_count: 0,
    };
    let generations = options.index.generations(dir).map_err(io_error("list the indexes"))?;
    let scratch = generations.iter().max().copied().unwrap_or(0) + 1;
    let replayed = truth.replay_beside(scratch);
    let compared = replayed.and_then(|replayed| {
        judge_records(&*replayed, validator, &mut report)?;
        report.index = match checkpoint.filter(|checkpoint| generations.contains(&checkpoint.generation)) {
            None => IndexState::Absent,
            Some(checkpoint) => match compare(&truth, &*options.index, checkpoint, &*replayed) {
                Ok(0) => IndexState::Same,
                Ok(rows) => IndexState::Different(rows),
                Err(error @ Error::Locked { .. }) => return Err(error),
                Err(error) => IndexState::Unreadable(error.to_string()),
            },
        };
        Ok(())
    });
    let starved = recover::is_starved(options, dir);
    options.index.remove(&index_dir(dir, scratch)).map_err(io_error("remove the replay"))?;
    match compared {
        Err(Error::Index(_)) if starved => Err(Error::DiskFull),
        compared => compared.map(|()| report),
    }
}

fn judge_records(index: &dyn Index, validator: &Validator<'_>, report: &mut Report) -> Result<()> {
    let mut damaged = None;
    index.range(
        std::ops::Bound::Included(FIRST_KEY),
        std::ops::Bound::Unbounded,
        false,
        &mut |full, row| {
            let Some((id, key)) = full.split_first() else { return true };
            let row = match verified(full, row) {
                Ok(row) => row,
                Err(error) => {
                    damaged = Some(error);
                    return false;
                }
            };
            *report.rows_of_tables.entry(*id).or_default() += 1;
            let known = tables::by_id(*id);
            let table = known.unwrap_or(Table::new(*id, "unknown"));
            let own = *id < tables::RESERVED_IDS && known.is_some();
            if let (false, Err(what)) = (own, validator(table, key, row.value)) {
                report.bad_records_count += 1;
                if report.bad_records.len() < LISTED_MAX {
                    report.bad_records.push(BadRecord { table, key: key.to_vec(), what });
                }
            }
            true
        },
    )?;
    damaged.map_or(Ok(()), |error| Err(error.into()))
}

/// Rows in which the index, brought up to the journal's end, differs from the replay.
fn compare(
    truth: &Truth<'_>,
    opener: &dyn OpenIndex,
    checkpoint: Checkpoint,
    replayed: &dyn Index,
) -> Result<u64> {
    let index = opener.open(&index_dir(truth.dir, checkpoint.generation), truth.options.cache_bytes / 2)?;
    if applied_seq(&*index, &truth.id)?.is_none_or(|seq| seq < checkpoint.seq) {
        return Err(IndexError("it lacks what it held at its checkpoint".into()).into());
    }
    truth.replay_into(&*index, checkpoint.seq, None)?;
    let (mut left, mut right) = (Rows::new(&*index), Rows::new(replayed));
    let (mut a, mut b) = (left.next()?, right.next()?);
    let mut different = 0;
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(different),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        different += u64::from(order.is_ne() || a != b);
        if order.is_le() {
            a = left.next()?;
        }
        if order.is_ge() {
            b = right.next()?;
        }
    }
}

type KeyRow = (Vec<u8>, Vec<u8>);

/// All rows of an index, a chunk at a time.
struct Rows<'i> {
    index: &'i dyn Index,
    chunk: std::vec::IntoIter<KeyRow>,
    cursor: Option<Vec<u8>>,
}

impl<'i> Rows<'i> {
    fn new(index: &'i dyn Index) -> Self {
        Rows { index, chunk: Vec::new().into_iter(), cursor: None }
    }

    fn next(&mut self) -> Result<Option<KeyRow>, IndexError> {
        if let Some(row) = self.chunk.next() {
            return Ok(Some(row));
        }
        let from = match &self.cursor {
            None => std::ops::Bound::Included(FIRST_KEY),
            Some(cursor) => std::ops::Bound::Excluded(cursor.as_slice()),
        };
        let mut rows = Vec::with_capacity(CHUNK_ROWS);
        self.index.range(from, std::ops::Bound::Unbounded, false, &mut |key, row| {
            rows.push((key.to_vec(), row.to_vec()));
            rows.len() < CHUNK_ROWS
        })?;
        self.cursor = rows.last().map(|(key, _)| key.clone()).or(self.cursor.take());
        self.chunk = rows.into_iter();
        Ok(self.chunk.next())
    }
}
