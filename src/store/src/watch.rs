//! Who waits for which keys.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::watch;

/// Tells of commits that touch a key under a prefix; see [`crate::Store::watch`].
pub struct Watch {
    receiver: watch::Receiver<u64>,
    registry: Arc<Registry>,
    prefix: Vec<u8>,
}

impl Watch {
    /// Resolves once there was a commit under the prefix since the last time it resolved (or since the watch was made).
    ///
    /// Several commits in between count as one; none is missed. Cancelling it loses nothing. It says that something
    /// changed, not what: read again from where you were. When the store is closed it waits for ever.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.registry.forget(&self.prefix);
    }
}

/// All watches of one engine, by full prefix (the table's number first).
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    watched: HashMap<Vec<u8>, Watched>,
    /// How many watched prefixes have which length. A key is looked up once for each length that occurs, so a commit costs
    /// the same with ten watches and with ten thousand.
    lengths: BTreeMap<usize, usize>,
}

struct Watched {
    sender: watch::Sender<u64>,
    watches: usize,
}

impl Registry {
    pub(crate) fn watch(self: &Arc<Self>, prefix: Vec<u8>) -> Watch {
        let mut inner = self.inner.lock();
        if !inner.watched.contains_key(&prefix) {
            *inner.lengths.entry(prefix.len()).or_default() += 1;
        }
        let watched = inner
            .watched
            .entry(prefix.clone())
            .or_insert_with(|| Watched { sender: watch::Sender::new(0), watches: 0 });
        watched.watches += 1;
        let receiver = watched.sender.subscribe();
        drop(inner);
        Watch { receiver, registry: self.clone(), prefix }
    }

    /// Wakes whoever watches a prefix of one of these full keys.
    pub(crate) fn notify<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let inner = self.inner.lock();
        if inner.watched.is_empty() {
            return;
        }
        for key in keys {
            for len in inner.lengths.keys() {
                let Some(prefix) = key.get(..*len) else { break };
                if let Some(watched) = inner.watched.get(prefix) {
                    watched.sender.send_modify(|generation| *generation = generation.wrapping_add(1));
                }
            }
        }
    }

    fn forget(&self, prefix: &[u8]) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let Some(watched) = inner.watched.get_mut(prefix) else { return };
        watched.watches -= 1;
        if watched.watches > 0 {
            return;
        }
        inner.watched.remove(prefix);
        if let Some(count) = inner.lengths.get_mut(&prefix.len()) {
            *count -= 1;
            if *count == 0 {
                inner.lengths.remove(&prefix.len());
            }
        }
    }
}
