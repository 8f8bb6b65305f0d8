//! Turns a batch into plain puts and deletes, against the state as it is. Every engine resolves with this, so that a batch
//! means the same everywhere; what goes into a journal is only what comes out here, which can be replayed any number of
//! times with the same end.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Batch, Committed, Error, Result, Table,
    batch::{Assertion, Op, full_key, shared_key},
    tables,
};

/// Named batches that are remembered; documented at [`Batch::idempotency`].
const REMEMBERED_MAX: u64 = 100_000;
/// Commits after which a named batch is forgotten; documented at [`Batch::idempotency`].
const REMEMBERED_COMMITS_MAX: u64 = 1_000_000;
/// Names forgotten in one commit. More than one is added, so the bounds are always reached again.
const FORGET_PER_COMMIT: usize = 3;

/// What is stored under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    pub version: u64,
    pub value: Vec<u8>,
}

/// One physical change: a full key (the table's number first) and its new value, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Write {
    pub key: Arc<[u8]>,
    pub value: Option<Arc<[u8]>>,
}

/// The state that a batch is checked against.
pub(crate) trait View {
    fn cell(&self, full_key: &[u8]) -> Result<Option<Cell>>;
}

pub(crate) enum Outcome {
    /// To be written under the sequence number that was given; each key occurs once.
    Apply { writes: Vec<Write>, numbers: Vec<u64> },
    /// Was applied before.
    Replay(Committed),
}

/// Which ordinals of [`tables::IDEMPOTENCY_ORDER`] are in use: `first..next`. Part of the state, kept beside it so that
/// nobody has to search for the oldest name.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub first: u64,
    pub next: u64,
}

impl Remembered {
    /// From the smallest and the largest key of [`tables::IDEMPOTENCY_ORDER`].
    pub(crate) fn from_keys(smallest: Option<&[u8]>, largest: Option<&[u8]>) -> Self {
        let ordinal =
            |key: Option<&[u8]>| key.and_then(|key| key.last_chunk::<8>()).map(|b| u64::from_be_bytes(*b));
        match (ordinal(smallest), ordinal(largest)) {
            (Some(first), Some(last)) => Remembered { first, next: last + 1 },
            _ => Remembered::default(),
        }
    }
}

/// Checks `batch` against `view` and resolves it. `seq` is the number that its writes would get.
pub(crate) fn resolve(batch: &Batch, seq: u64, view: &impl View, names: &mut Remembered) -> Result<Outcome> {
    let name = batch.idempotency.as_deref().map(|key| *blake3::hash(key).as_bytes());
    if let Some(name) = &name
        && let Some(cell) = view.cell(&full_key(tables::IDEMPOTENCY, name))?
        && let Some(first) = decode_committed(&cell.value)
    {
        return Ok(Outcome::Replay(first));
    }
    for Assertion { table, key, version } in &batch.assertions {
        let found = view.cell(&full_key(*table, key))?.map(|cell| cell.version);
        if found != version.map(|version| version.0) {
            return Err(Error::Conflict { table: table.name, key: key.clone() });
        }
    }
    let mut pending = Pending { view, writes: Vec::with_capacity(batch.ops.len()), at: HashMap::new() };
    let mut numbers = Vec::new();
    for op in &batch.ops {
        match op {
            Op::Put { table, key, value } => pending.set(shared_key(*table, key), Some(value.clone())),
            Op::Delete { table, key } => pending.set(shared_key(*table, key), None),
            Op::Add { table, key, n } => {
                pending.count(*table, key, *n)?;
            }
            Op::Append { counter_table, counter_key, table, prefix, value } => {
                let number = pending.count(*counter_table, counter_key, 1)?;
                let mut key = full_key(*table, prefix);
                key.extend_from_slice(&number.to_be_bytes());
                pending.set(key.into(), Some(value.clone()));
                numbers.push(number);
            }
        }
    }
    if let Some(name) = name {
        pending.remember(&name, seq, &numbers, names)?;
    }
    Ok(Outcome::Apply { writes: pending.writes, numbers })
}

/// The writes of one batch as they come together.
struct Pending<'v, V> {
    view: &'v V,
    writes: Vec<Write>,
    at: HashMap<Arc<[u8]>, usize>,
}

impl<V: View> Pending<'_, V> {
    fn set(&mut self, key: Arc<[u8]>, value: Option<Arc<[u8]>>) {
        match self.at.get(&key).and_then(|at| self.writes.get_mut(*at)) {
            Some(write) => write.value = value,
            None => {
                self.at.insert(key.clone(), self.writes.len());
                self.writes.push(Write { key, value });
            }
        }
    }

    /// Moves a counter and gives its new value.
    fn count(&mut self, table: Table, key: &[u8], n: i128) -> Result<u64> {
        let full = shared_key(table, key);
        let current = match self.at.get(&full).and_then(|at| self.writes.get(*at)) {
            Some(write) => write.value.as_deref().map(counted),
            None => self.view.cell(&full)?.map(|cell| counted(&cell.value)),
        };
        let current = match current {
            None => 0,
            Some(None) => return Err(Error::NotACounter { table: table.name, key: key.to_vec() }),
            Some(Some(current)) => current,
        };
        let moved = i128::from(current).checked_add(n).and_then(|moved| u64::try_from(moved).ok());
        let moved = moved.ok_or_else(|| Error::CounterOverflow { table: table.name, key: key.to_vec() })?;
        self.set(full, Some(moved.to_be_bytes().into()));
        Ok(moved)
    }

    /// Writes down the answer under the batch's name, and forgets names past the bounds.
    fn remember(&mut self, name: &[u8; 32], seq: u64, numbers: &[u64], names: &mut Remembered) -> Result<()> {
        let mut after = *names;
        for _ in 0..FORGET_PER_COMMIT {
            if after.first >= after.next {
                break;
            }
            let key = shared_key(tables::IDEMPOTENCY_ORDER, &after.first.to_be_bytes());
            let Some(cell) = self.view.cell(&key)? else { break };
            let Some((written, hash)) = cell.value.split_first_chunk::<8>() else { break };
            let age = seq.saturating_sub(u64::from_be_bytes(*written));
            if after.next - after.first < REMEMBERED_MAX && age <= REMEMBERED_COMMITS_MAX {
                break;
            }
            self.set(shared_key(tables::IDEMPOTENCY, hash), None);
            self.set(key, None);
            after.first += 1;
        }
        let mut ordered = seq.to_be_bytes().to_vec();
        ordered.extend_from_slice(name);
        self.set(shared_key(tables::IDEMPOTENCY_ORDER, &after.next.to_be_bytes()), Some(ordered.into()));
        self.set(shared_key(tables::IDEMPOTENCY, name), Some(encode_committed(seq, numbers).into()));
        after.next += 1;
        *names = after;
        Ok(())
    }
}

/// The number in a counter's value.
fn counted(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}

fn encode_committed(seq: u64, numbers: &[u64]) -> Vec<u8> {
    let mut bytes = seq.to_be_bytes().to_vec();
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    bytes
}

fn decode_committed(bytes: &[u8]) -> Option<Committed> {
    let (words, []) = bytes.as_chunks::<8>() else { return None };
    let mut words = words.iter().map(|word| u64::from_be_bytes(*word));
    let seq = words.next()?;
    Some(Committed { seq, numbers: words.collect(), replayed: true })
}
