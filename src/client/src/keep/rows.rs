//! The two spaces, in memory.

use std::collections::BTreeMap;
use weft_engine::host::{Space, Write};
use zeroize::Zeroize;

/// Ordered keys and values of both spaces.
#[derive(Default)]
pub struct Rows {
    rows: BTreeMap<(Space, Vec<u8>), Vec<u8>>,
    bytes: usize,
}

impl Rows {
    /// What the engine opens with.
    pub fn state(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let state = self.rows.iter().filter(|((space, _), _)| *space == Space::State);
        state.map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }

    /// Rows of the history, as `weft_engine::host::Effect::ReadHistory` asks for them.
    pub fn history(&self, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        if from >= to {
            return Vec::new();
        }
        let range = (Space::History, from.to_vec())..(Space::History, to.to_vec());
        let rows = self.rows.range(range).map(|((_, key), value)| (key.clone(), value.clone()));
        if reverse { rows.rev().take(limit).collect() } else { rows.take(limit).collect() }
    }

    /// Keys and values together, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Every row as the write that would make it.
    pub fn as_writes(&self) -> impl Iterator<Item = Write> + '_ {
        self.rows.iter().map(|((space, key), value)| Write::Put {
            space: *space,
            key: key.clone(),
            value: value.clone(),
        })
    }

    pub(crate) fn apply(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put { space, key, value } => {
                    self.bytes += key.len() + value.len();
                    let len = key.len();
                    let old = self.rows.insert((space, key), value);
                    self.forget(len, old);
                }
                Write::Delete { space, key } => {
                    let len = key.len();
                    let old = self.rows.remove(&(space, key));
                    self.forget(len, old);
                }
                Write::Wipe => {
                    self.rows.values_mut().for_each(Zeroize::zeroize);
                    self.rows.clear();
                    self.bytes = 0;
                }
            }
        }
    }

    fn forget(&mut self, key_len: usize, value: Option<Vec<u8>>) {
        if let Some(mut value) = value {
            self.bytes = self.bytes.saturating_sub(key_len + value.len());
            value.zeroize();
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.rows.values_mut().for_each(Zeroize::zeroize);
    }
}
