//! What one commit does: assertions, puts, deletes, counters and appends, applied whole or refused.

use std::sync::Arc;

use crate::{Error, Result, Table, Version, tables::RESERVED_IDS};

/// A key, without its table.
pub const KEY_BYTES_MAX: usize = 1 << 10;
/// A value. Bigger things are blobs.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// A batch as it is encoded in the journal.
pub const BATCH_BYTES_MAX: usize = 1 << 20;
/// Operations and assertions of one batch. Keeps the answer to an idempotent batch of appends below [`VALUE_BYTES_MAX`].
pub const BATCH_OPS_MAX: usize = 4_096;
/// What an operation costs in the journal besides its key and value: table, kind, two lengths.
pub(crate) const OP_OVERHEAD_BYTES: usize = 8;
/// An assigned number that `append` puts behind the prefix.
const NUMBER_BYTES: usize = 8;

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Put { table: Table, key: Vec<u8>, value: Arc<[u8]> },
    Delete { table: Table, key: Vec<u8> },
    Add { table: Table, key: Vec<u8>, n: i128 },
    Append { counter_table: Table, counter_key: Vec<u8>, table: Table, prefix: Vec<u8>, value: Arc<[u8]> },
}

#[derive(Debug, Clone)]
pub(crate) struct Assertion {
    pub table: Table,
    pub key: Vec<u8>,
    /// `None`: the key is absent.
    pub version: Option<Version>,
}

/// What one [`crate::Store::commit`] does.
///
/// Assertions look at the state before the batch. Operations apply in the order in which they were added; a later one on
/// the same key wins, and a counter that is added to twice moves twice.
#[derive(Debug, Clone, Default)]
#[must_use = "a batch does nothing until it is committed"]
pub struct Batch {
    pub(crate) ops: Vec<Op>,
    pub(crate) assertions: Vec<Assertion>,
    pub(crate) idempotency: Option<Vec<u8>>,
    urgent: bool,
}

impl Batch {
    /// An empty batch. Committing it checks nothing and writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key to a value.
    pub fn put(self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) -> Self {
        self.put_shared(table, key, value.into().into())
    }

    /// The same with a value that others hold as well: it is not copied.
    pub fn put_shared(mut self, table: Table, key: impl AsRef<[u8]>, value: Arc<[u8]>) -> Self {
        self.ops.push(Op::Put { table, key: key.as_ref().to_vec(), value });
        self
    }

    /// Removes a key; nothing happens if it is not there.
    pub fn delete(mut self, table: Table, key: impl AsRef<[u8]>) -> Self {
        self.ops.push(Op::Delete { table, key: key.as_ref().to_vec() });
        self
    }

    /// Refuses the batch with [`Error::Conflict`] if the key exists.
    pub fn assert_absent(mut self, table: Table, key: impl AsRef<[u8]>) -> Self {
        self.assertions.push(Assertion { table, key: key.as_ref().to_vec(), version: None });
        self
    }

    /// Refuses the batch with [`Error::Conflict`] unless the key exists and was last written by that commit.
    pub fn assert_version(mut self, table: Table, key: impl AsRef<[u8]>, version: Version) -> Self {
        self.assertions.push(Assertion { table, key: key.as_ref().to_vec(), version: Some(version) });
        self
    }

    /// Moves a counter by `n`, which may be negative. A counter is a value of eight bytes, a big-endian u64; one that is
    /// absent counts as 0. Leaving 0..=u64::MAX refuses the batch with [`Error::CounterOverflow`].
    pub fn add(mut self, table: Table, key: impl AsRef<[u8]>, n: impl Into<i128>) -> Self {
        self.ops.push(Op::Add { table, key: key.as_ref().to_vec(), n: n.into() });
        self
    }

    /// Takes the next number of a counter (the first is 1) and puts `value` under `prefix ++ BE64(number)`. The committer
    /// assigns the number, so that writers of one log do not conflict; it is in [`crate::Committed::numbers`].
    pub fn append(
        mut self,
        counter_table: Table,
        counter_key: impl AsRef<[u8]>,
        table: Table,
        prefix: impl AsRef<[u8]>,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        self.ops.push(Op::Append {
            counter_table,
            counter_key: counter_key.as_ref().to_vec(),
            table,
            prefix: prefix.as_ref().to_vec(),
            value: value.into().into(),
        });
        self
    }

    /// Names the batch: one that comes again under the same name is not applied again, the answer to the first is given with
    /// `replayed` set. Names are compared by hash, so any length up to [`KEY_BYTES_MAX`] costs the same.
    ///
    /// The engine remembers the last 100,000 named batches, and none for longer than 1,000,000 commits.
    pub fn idempotency(mut self, key: impl AsRef<[u8]>) -> Self {
        self.idempotency = Some(key.as_ref().to_vec());
        self
    }

    /// Lets the batch use half of the room that is kept free on the disk, in which others get [`Error::DiskFull`]: for what must
    /// not wait until somebody has tidied up, such as locking a stolen device out. It must be small and rare. A batch that
    /// only deletes is urgent by itself.
    pub fn urgent(mut self) -> Self {
        self.urgent = true;
        self
    }

    /// Whether [`Batch::urgent`] was said of it, or need not be.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        // A name is written down as well.
        let only_deletes = self.ops.iter().all(|op| matches!(op, Op::Delete { .. }));
        self.urgent || (only_deletes && self.idempotency.is_none())
    }

    /// Adds everything of another batch behind what is here, and its urgency. The other's idempotency key counts only if this
    /// has none.
    pub fn merge(mut self, other: Batch) -> Self {
        self.urgent |= other.urgent;
        self.ops.extend(other.ops);
        self.assertions.extend(other.assertions);
        self.idempotency = self.idempotency.or(other.idempotency);
        self
    }

    /// True if there is nothing to check and nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.assertions.is_empty() && self.idempotency.is_none()
    }

    /// Size in the journal, in bytes, as it counts against [`BATCH_BYTES_MAX`]. Assertions count too: they are not written,
    /// but they are held and checked.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let ops: usize = self.ops.iter().map(Op::encoded_len).sum();
        let assertions: usize = self.assertions.iter().map(|a| OP_OVERHEAD_BYTES + a.key.len()).sum();
        ops + assertions + self.idempotency.as_ref().map_or(0, Vec::len)
    }

    /// Refuses what is above a bound or names a table of the store itself. [`crate::Store`] calls it before
    /// anything else.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Reserved`].
    pub fn validate(&self) -> Result<()> {
        within("batch operations", self.ops.len() + self.assertions.len(), BATCH_OPS_MAX)?;
        for op in &self.ops {
            op.validate()?;
        }
        for assertion in &self.assertions {
            key_ok(assertion.table, assertion.key.len())?;
        }
        if let Some(key) = &self.idempotency {
            within("idempotency key", key.len(), KEY_BYTES_MAX)?;
        }
        within("batch", self.encoded_len(), BATCH_BYTES_MAX)
    }
}

impl Op {
    fn encoded_len(&self) -> usize {
        match self {
            Op::Put { key, value, .. } => OP_OVERHEAD_BYTES + key.len() + value.len(),
            Op::Delete { key, .. } => OP_OVERHEAD_BYTES + key.len(),
            Op::Add { key, .. } => OP_OVERHEAD_BYTES + key.len() + NUMBER_BYTES,
            Op::Append { counter_key, prefix, value, .. } => {
                2 * (OP_OVERHEAD_BYTES + NUMBER_BYTES) + counter_key.len() + prefix.len() + value.len()
            }
        }
    }

    fn validate(&self) -> Result<()> {
        match self {
            Op::Put { table, key, value } => {
                key_ok(*table, key.len())?;
                within("value", value.len(), VALUE_BYTES_MAX)
            }
            Op::Delete { table, key } | Op::Add { table, key, .. } => key_ok(*table, key.len()),
            Op::Append { counter_table, counter_key, table, prefix, value } => {
                key_ok(*counter_table, counter_key.len())?;
                key_ok(*table, prefix.len() + NUMBER_BYTES)?;
                within("value", value.len(), VALUE_BYTES_MAX)
            }
        }
    }
}

pub(crate) fn key_ok(table: Table, len: usize) -> Result<()> {
    if table.id < RESERVED_IDS {
        return Err(Error::Reserved { table: table.name });
    }
    within("key", len, KEY_BYTES_MAX)
}

fn within(what: &'static str, len: usize, max: usize) -> Result<()> {
    if len > max { Err(Error::TooLarge { what, len, max }) } else { Ok(()) }
}

/// A key as the index and the journal hold it, for those who share it.
pub(crate) fn shared_key(table: Table, key: &[u8]) -> Arc<[u8]> {
    std::iter::once(table.id).chain(key.iter().copied()).collect()
}

/// A key as the index and the journal hold it: the table's number, then the key.
pub(crate) fn full_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(table.id);
    full.extend_from_slice(key);
    full
}
