//! The optimistic retry loop.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rand::Rng;

use crate::{Batch, Committed, Error, Result, Row, Scan, Store, Table, Version};

/// Attempts before [`Error::Contended`].
const ATTEMPTS_MAX: u32 = 24;
/// The first pause lies between nothing and this, each later one below twice the one before.
const PAUSE_FIRST: Duration = Duration::from_micros(200);
/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_millis(25);

/// One attempt of [`Store::transact`]: reads that are remembered and writes that wait for the commit.
///
/// It is a handle: every method takes `&self`, so that it can be lent to helpers as `&Tx`.
pub struct Tx {
    store: Store,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    batch: Batch,
    reads: HashMap<(u8, Vec<u8>), Option<Row>>,
    writes: HashMap<(u8, Vec<u8>), Written>,
}

/// What a key will hold. `None`: nothing.
type Written = Option<Arc<[u8]>>;

impl Tx {
    /// The row of a key: what this transaction put there, else what is stored. The commit asserts that the key is still as
    /// it was read; a missing key is asserted to be absent. Getting a key twice gives the same answer twice.
    ///
    /// A row that this transaction put has version 0. What `add` and `append` will do is not visible here.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>> {
        let at = (table.id, key.to_vec());
        if let Some(known) = self.state.lock().known(&at) {
            return Ok(known);
        }
        let row = self.store.get(table, key).await?;
        let mut state = self.state.lock();
        // Two reads of one key may have run side by side; the first to end is the one that is asserted.
        if let Some(known) = state.known(&at) {
            return Ok(known);
        }
        state.extend(|batch| match &row {
            Some(row) => batch.assert_version(table, key, row.version),
            None => batch.assert_absent(table, key),
        });
        state.reads.insert(at, row.clone());
        Ok(row)
    }

    /// Stored rows of a range. They are NOT asserted, and what this transaction wrote is not among them: use it to find
    /// keys, then [`Tx::get`] those that the decision rests on. A row that appears in the range later is no conflict.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub async fn scan(&self, table: Table, scan: Scan) -> Result<Vec<Row>> {
        self.store.scan(table, scan).await
    }

    /// As [`Batch::put`].
    pub fn put(&self, table: Table, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) {
        let value: Arc<[u8]> = value.into().into();
        let mut state = self.state.lock();
        state.writes.insert((table.id, key.as_ref().to_vec()), Some(value.clone()));
        state.extend(|batch| batch.put_shared(table, key, value));
    }

    /// As [`Batch::delete`].
    pub fn delete(&self, table: Table, key: impl AsRef<[u8]>) {
        let mut state = self.state.lock();
        state.writes.insert((table.id, key.as_ref().to_vec()), None);
        state.extend(|batch| batch.delete(table, key));
    }

    /// As [`Batch::add`]: no read, hence no conflict with others who add.
    pub fn add(&self, table: Table, key: impl AsRef<[u8]>, n: impl Into<i128>) {
        self.state.lock().extend(|batch| batch.add(table, key, n));
    }

    /// As [`Batch::append`]. The number is known after the commit: see [`Store::transact_committed`].
    pub fn append(
        &self,
        counter_table: Table,
        counter_key: impl AsRef<[u8]>,
        table: Table,
        prefix: impl AsRef<[u8]>,
        value: impl Into<Vec<u8>>,
    ) {
        self.state.lock().extend(|batch| batch.append(counter_table, counter_key, table, prefix, value));
    }

    /// As [`Batch::idempotency`].
    pub fn idempotency(&self, key: impl AsRef<[u8]>) {
        self.state.lock().extend(|batch| batch.idempotency(key));
    }

    /// As [`Batch::urgent`].
    pub fn urgent(&self) {
        self.state.lock().extend(Batch::urgent);
    }

    /// Adds a batch that another part of the program prepared.
    ///
    /// Its puts and deletes are not visible to [`Tx::get`].
    pub fn merge(&self, other: Batch) {
        self.state.lock().extend(|batch| batch.merge(other));
    }
}

impl State {
    /// What this transaction wrote under a key or has read there.
    fn known(&self, at: &(u8, Vec<u8>)) -> Option<Option<Row>> {
        if let Some(written) = self.writes.get(at) {
            let row =
                |value: &Arc<[u8]>| Row { key: at.1.clone(), value: value.to_vec(), version: Version(0) };
            return Some(written.as_ref().map(row));
        }
        self.reads.get(at).cloned()
    }

    fn extend(&mut self, change: impl FnOnce(Batch) -> Batch) {
        self.batch = change(std::mem::take(&mut self.batch));
    }
}

pub(crate) async fn run<T, E, F, Fut>(store: &Store, mut work: F) -> Result<(T, Committed), E>
where
    F: FnMut(Tx) -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: From<Error>,
{
    let mut pause_max = PAUSE_FIRST;
    let mut attempts = 0;
    loop {
        let state = Arc::new(Mutex::new(State::default()));
        let value = work(Tx { store: store.clone(), state: state.clone() }).await?;
        attempts += 1;
        let batch = std::mem::take(&mut state.lock().batch);
        match store.commit(batch).await {
            Ok(committed) => return Ok((value, committed)),
            Err(Error::Conflict { table, .. }) if attempts >= ATTEMPTS_MAX => {
                return Err(Error::Contended { attempts, table }.into());
            }
            Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // Random, so that those who met in one conflict do not meet again in the next.
        let pause = rand::thread_rng().gen_range(Duration::ZERO..pause_max);
        tokio::time::sleep(pause).await;
        pause_max = (pause_max * 2).min(PAUSE_MAX);
    }
}
