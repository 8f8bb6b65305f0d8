//! The store as a few lines of `BTreeMap`, written without looking at the engines: what a batch must do.

use std::collections::BTreeMap;

use weft_store::Table;

pub const A: Table = Table::new(200, "a");
pub const B: Table = Table::new(201, "b");

#[derive(Clone, Debug)]
pub enum Step {
    Put(Table, Vec<u8>, Vec<u8>),
    Delete(Table, Vec<u8>),
    Add(Table, Vec<u8>, i64),
    Append(Table, Vec<u8>, Table, Vec<u8>, Vec<u8>),
}

#[derive(Clone, Debug)]
pub enum Claim {
    Absent(Table, Vec<u8>),
    /// The version that the key has in the model (0 if it has none), plus this much.
    Version(Table, Vec<u8>, u64),
}

#[derive(Clone, Debug, Default)]
pub struct ModelBatch {
    pub steps: Vec<Step>,
    pub claims: Vec<Claim>,
    pub name: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Done { numbers: Vec<u64>, replayed: bool },
    Conflict,
    Overflow,
    NotACounter,
}

type Rows = BTreeMap<(u8, Vec<u8>), (Vec<u8>, u64)>;

#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Model {
    pub rows: Rows,
    pub seq: u64,
    pub names: BTreeMap<Vec<u8>, Vec<u64>>,
}

impl Model {
    pub fn version(&self, table: Table, key: &[u8]) -> u64 {
        self.rows.get(&(table.id, key.to_vec())).map_or(0, |(_, version)| *version)
    }

    pub fn apply(&mut self, batch: &ModelBatch) -> Answer {
        if let Some(numbers) = batch.name.as_ref().and_then(|name| self.names.get(name)) {
            return Answer::Done { numbers: numbers.clone(), replayed: true };
        }
        for claim in &batch.claims {
            let holds = match claim {
                Claim::Absent(table, key) => self.version(*table, key) == 0,
                Claim::Version(_, _, off) if *off > 0 => false,
                Claim::Version(table, key, _) => self.version(*table, key) > 0,
            };
            if !holds {
                return Answer::Conflict;
            }
        }
        let mut rows = self.rows.clone();
        let seq = self.seq + 1;
        let mut numbers = Vec::new();
        for step in &batch.steps {
            match step {
                Step::Put(table, key, value) => {
                    rows.insert((table.id, key.clone()), (value.clone(), seq));
                }
                Step::Delete(table, key) => {
                    rows.remove(&(table.id, key.clone()));
                }
                Step::Add(table, key, n) => match count(&mut rows, *table, key, *n, seq) {
                    Ok(_) => {}
                    Err(answer) => return answer,
                },
                Step::Append(counters, counter, table, prefix, value) => {
                    let number = match count(&mut rows, *counters, counter, 1, seq) {
                        Ok(number) => number,
                        Err(answer) => return answer,
                    };
                    let key = [prefix.as_slice(), &number.to_be_bytes()].concat();
                    rows.insert((table.id, key), (value.clone(), seq));
                    numbers.push(number);
                }
            }
        }
        if let Some(name) = &batch.name {
            self.names.insert(name.clone(), numbers.clone());
        }
        if !batch.steps.is_empty() || batch.name.is_some() {
            self.seq = seq;
        }
        self.rows = rows;
        Answer::Done { numbers, replayed: false }
    }

    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        reverse: bool,
        limit: usize,
    ) -> Vec<Vec<u8>> {
        let keys = self
            .rows
            .keys()
            .filter(|(id, key)| *id == table.id && key.starts_with(prefix))
            .map(|(_, key)| key);
        let mut keys: Vec<Vec<u8>> = keys.cloned().collect();
        if reverse {
            keys.reverse();
        }
        if let Some(after) = after {
            keys.retain(|key| if reverse { key.as_slice() < after } else { key.as_slice() > after });
        }
        keys.truncate(limit);
        keys
    }
}

fn count(rows: &mut Rows, table: Table, key: &[u8], n: i64, seq: u64) -> Result<u64, Answer> {
    let now = match rows.get(&(table.id, key.to_vec())) {
        None => 0,
        Some((value, _)) if value.len() == 8 => u64::from_be_bytes(value.as_slice().try_into().unwrap()),
        Some(_) => return Err(Answer::NotACounter),
    };
    let moved = now.checked_add_signed(n).ok_or(Answer::Overflow)?;
    rows.insert((table.id, key.to_vec()), (moved.to_be_bytes().to_vec(), seq));
    Ok(moved)
}
