//! The engine that forgets: for tests, and to say what the others must do in the fewest lines.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::RwLock;

use crate::{
    Batch, Committed, Engine, Error, Result, Row, Scan, Status, Table, Watch,
    batch::full_key,
    range,
    resolve::{Cell, Outcome, Remembered, View, resolve},
    watch::Registry,
};

/// Keeps everything in memory; see [`crate::Store::memory`].
#[derive(Default)]
pub struct MemoryEngine {
    state: RwLock<State>,
    watches: Arc<Registry>,
    closed: AtomicBool,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<Vec<u8>, Cell>,
    seq: u64,
    names: Remembered,
}

impl View for BTreeMap<Vec<u8>, Cell> {
    fn cell(&self, full_key: &[u8]) -> Result<Option<Cell>> {
        Ok(self.get(full_key).cloned())
    }
}

impl MemoryEngine {
    fn open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) { Err(Error::Closed) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl Engine for MemoryEngine {
    async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>> {
        self.open()?;
        let full = full_key(table, key);
        let state = self.state.read();
        Ok(state.rows.get(&full).map(|cell| range::row(&full, cell.clone())))
    }

    async fn scan(&self, table: Table, scan: Scan) -> Result<Vec<Row>> {
        self.open()?;
        let keys = range::key_range(table, &scan);
        if range::is_empty(&keys) {
            return Ok(Vec::new());
        }
        let state = self.state.read();
        let mut rows = state.rows.range(keys);
        let mut found = range::Collector::new(scan.limit);
        while found.wants_more() {
            let next = if scan.reverse { rows.next_back() } else { rows.next() };
            let Some((key, cell)) = next else { break };
            found.push(key, cell.clone());
        }
        Ok(found.into_rows())
    }

    async fn commit(&self, batch: Batch) -> Result<Committed> {
        self.open()?;
        let mut guard = self.state.write();
        let state = &mut *guard;
        let seq = state.seq + 1;
        let (writes, numbers) = match resolve(&batch, seq, &state.rows, &mut state.names)? {
            Outcome::Replay(committed) => return Ok(committed),
            Outcome::Apply { writes, numbers } => (writes, numbers),
        };
        if writes.is_empty() {
            return Ok(Committed { seq: state.seq, numbers, replayed: false });
        }
        state.seq = seq;
        for write in &writes {
            match &write.value {
                Some(value) => {
                    state.rows.insert(write.key.to_vec(), Cell { version: seq, value: value.to_vec() });
                }
                None => {
                    state.rows.remove(&*write.key);
                }
            }
        }
        drop(guard);
        self.watches.notify(writes.iter().map(|write| &*write.key));
        Ok(Committed { seq, numbers, replayed: false })
    }

    fn watch(&self, table: Table, prefix: &[u8]) -> Watch {
        self.watches.watch(full_key(table, prefix))
    }

    fn status(&self) -> Status {
        let state = self.state.read();
        Status { seq: state.seq, rows: state.rows.len() as u64, ..Status::default() }
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Release);
        Ok(())
    }
}
