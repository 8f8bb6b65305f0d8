//! The engine's own state as ordered keys and values, and which part of the engine owns which keys.
//!
//! All of it is in memory (the host hands the `State` space over whole when the engine opens); every change is also
//! staged as a [`Write`] of the current output. So what one input changes becomes durable together or not at all, and
//! nothing leaves the engine before it.

use crate::host::{Space, Write};
use std::collections::BTreeMap;
use weft_mls::sets::map;
use zeroize::Zeroize;

/// Which keys belong to whom. The first two bytes of every key of the `State` space.
pub mod prefix {
    /// The account: secrets, device, session.
    pub const ACCOUNT: &[u8] = b"a/";
    /// Contacts and pins.
    pub const CONTACTS: &[u8] = b"c/";
    /// KeyPackages that were made here (`rooms/key_packages.rs`).
    pub const KEY_PACKAGES: &[u8] = b"k/";
    /// What OpenMLS keeps of groups and key packages (`mls_store.rs`).
    pub const MLS: &[u8] = b"m/";
    /// The outgoing queue.
    pub const QUEUE: &[u8] = b"q/";
    /// What the engine itself keeps of an MLS room: cursor, pending commit, unsent envelopes (`rooms/`).
    pub const ROOMS: &[u8] = b"r/";
    /// Chats: lists, unread counts, drafts.
    pub const CHATS: &[u8] = b"t/";
    /// Vault records.
    pub const VAULT: &[u8] = b"v/";
}

/// Ordered keys and values. Changes are visible at once and staged for the current output.
pub trait Kv {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Sets a value.
    fn put(&mut self, key: &[u8], value: Vec<u8>);
    /// Removes a value; removing what is not there changes nothing.
    fn delete(&mut self, key: &[u8]);
    /// Keys that begin with `prefix` and their values, in the order of the keys.
    fn scan(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)>;
}

/// The `State` space in memory, with the writes that the current output has to carry.
#[derive(Default)]
pub struct MemoryKv {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    staged: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl MemoryKv {
    /// From what the host has kept.
    pub fn from_rows(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        MemoryKv { rows: map(rows), staged: BTreeMap::new() }
    }

    /// Takes the changes since the last call, one write a key: of several changes of one key the last one counts.
    pub fn take_writes(&mut self) -> Vec<Write> {
        let space = Space::State;
        std::mem::take(&mut self.staged)
            .into_iter()
            .map(|(key, value)| match value {
                Some(value) => Write::Put { space, key, value },
                None => Write::Delete { space, key },
            })
            .collect()
    }

    /// Whether there is anything for [`Self::take_writes`].
    pub fn has_writes(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Forgets everything, staged writes included. The host is told by [`Write::Wipe`].
    pub fn wipe(&mut self) {
        self.rows.values_mut().for_each(Zeroize::zeroize);
        self.rows.clear();
        self.staged.values_mut().flatten().for_each(Zeroize::zeroize);
        self.staged.clear();
    }
}

impl Kv for MemoryKv {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(key).cloned()
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        if let Some(mut old) = self.staged.insert(key.to_vec(), Some(value.clone())).flatten() {
            old.zeroize();
        }
        if let Some(mut old) = self.rows.insert(key.to_vec(), value) {
            old.zeroize();
        }
    }

    fn delete(&mut self, key: &[u8]) {
        // Values are secrets more often than not: used-up ratchet keys must not linger in freed memory.
        if let Some(mut old) = self.rows.remove(key) {
            old.zeroize();
            if let Some(mut staged) = self.staged.insert(key.to_vec(), None).flatten() {
                staged.zeroize();
            }
        }
    }

    fn scan(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.rows
            .range(prefix.to_vec()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

/// Changes over another [`Kv`] that are seen at once here, and there only after [`Overlay::commit`].
///
/// An operation of MLS touches many keys; one that fails halfway is dropped whole.
pub struct Overlay<'a> {
    base: &'a mut dyn Kv,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Overlay<'a> {
    /// Nothing is changed yet.
    pub fn new(base: &'a mut dyn Kv) -> Self {
        Overlay { base, changes: BTreeMap::new() }
    }

    /// Hands the changes on.
    pub fn commit(mut self) {
        for (key, value) in std::mem::take(&mut self.changes) {
            match value {
                Some(value) => self.base.put(&key, value),
                None => self.base.delete(&key),
            }
        }
    }
}

impl Drop for Overlay<'_> {
    fn drop(&mut self) {
        self.changes.values_mut().flatten().for_each(Zeroize::zeroize);
    }
}

impl Kv for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.base.get(key),
        }
    }

    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        if let Some(mut old) = self.changes.insert(key.to_vec(), Some(value)).flatten() {
            old.zeroize();
        }
    }

    fn delete(&mut self, key: &[u8]) {
        if let Some(mut old) = self.changes.insert(key.to_vec(), None).flatten() {
            old.zeroize();
        }
    }

    fn scan(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = map(self.base.scan(prefix));
        for (key, value) in
            self.changes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix))
        {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        rows.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_at_once_and_written_once() {
        let mut kv = MemoryKv::from_rows([(b"a/1".to_vec(), vec![1]), (b"b/1".to_vec(), vec![2])]);
        kv.put(b"a/2", vec![3]);
        kv.put(b"a/2", vec![4]);
        kv.delete(b"b/1");
        kv.delete(b"b/never");
        assert_eq!(kv.scan(b"a/"), vec![(b"a/1".to_vec(), vec![1]), (b"a/2".to_vec(), vec![4])]);
        assert_eq!(kv.get(b"b/1"), None);
        let writes = kv.take_writes();
        assert_eq!(
            writes,
            vec![
                Write::Put { space: Space::State, key: b"a/2".to_vec(), value: vec![4] },
                Write::Delete { space: Space::State, key: b"b/1".to_vec() },
            ]
        );
        assert!(!kv.has_writes());
    }

    #[test]
    fn an_overlay_hands_on_all_or_nothing() {
        let mut kv = MemoryKv::from_rows([(b"a/1".to_vec(), vec![1])]);
        let mut dropped = Overlay::new(&mut kv);
        dropped.put(b"a/2", vec![2]);
        dropped.delete(b"a/1");
        assert_eq!(dropped.scan(b"a/"), vec![(b"a/2".to_vec(), vec![2])]);
        drop(dropped);
        assert_eq!(kv.scan(b"a/"), vec![(b"a/1".to_vec(), vec![1])]);
        assert!(!kv.has_writes());
        let mut kept = Overlay::new(&mut kv);
        kept.put(b"a/2", vec![2]);
        kept.delete(b"a/1");
        kept.commit();
        assert_eq!(kv.scan(b"a/"), vec![(b"a/2".to_vec(), vec![2])]);
    }
}
