//! What all sockets of a room read of it after a change, read from the store once for all of them: in a group of hundreds
//! each acknowledgement and each item would otherwise be as many scans as there are sockets.

use crate::{
    Fault, Rooms,
    rooms::{Delivered, Room},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Mutex;
use weft_store::Version;
use weft_wire::{RoomId, rooms::RoomItem};

/// Bytes of sealed items that are kept for the sockets of a room. A socket that wants older ones reads for itself.
const ITEM_BYTES_MAX: usize = 256 << 10;

/// One thing that was read, and after how many changes.
struct Shared<T> {
    changes: AtomicU64,
    read: Mutex<(u64, Arc<T>)>,
}

impl<T: Default> Default for Shared<T> {
    fn default() -> Self {
        // Nothing was read yet, and there is something to read.
        Shared { changes: AtomicU64::new(1), read: Mutex::default() }
    }
}

impl<T> Shared<T> {
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// What was read after the last change; `read` is given what was read before.
    async fn get<E, F: Future<Output = Result<T, E>>>(
        &self,
        read: impl FnOnce(Arc<T>) -> F,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.read.lock().await;
        // Before the store is read: what changes from here on is read again.
        let changes = self.changes.load(Ordering::SeqCst);
        if kept.0 != changes {
            *kept = (changes, Arc::new(read(kept.1.clone()).await?));
        }
        Ok(kept.1.clone())
    }
}

/// Items that were written after a version, oldest first, each with its own.
struct Items {
    after: Version,
    newest: Version,
    items: Vec<(RoomItem, Version)>,
}

impl Default for Items {
    fn default() -> Self {
        Items { after: Version(0), newest: Version(0), items: Vec::new() }
    }
}

/// What the sockets of one room share.
#[derive(Default)]
pub(super) struct RoomReads {
    delivered: Shared<Vec<Delivered>>,
    items: Shared<Items>,
}

impl RoomReads {
    /// The cursors have changed.
    pub fn cursors_changed(&self) {
        self.delivered.changed();
    }

    /// The items have changed.
    pub fn items_changed(&self) {
        self.items.changed();
    }

    /// See [`Rooms::delivered`].
    pub async fn delivered(&self, rooms: &Rooms, room: &Room) -> Result<Arc<Vec<Delivered>>, Fault> {
        self.delivered.get(|_| rooms.delivered(room)).await
    }

    /// At most `max` items that were written after a version, the version that a socket has seen with them, and whether
    /// there are more.
    pub async fn items_since(
        &self,
        rooms: &Rooms,
        room: &Room,
        seen: Version,
        max: usize,
    ) -> Result<(Vec<RoomItem>, Version, bool), Fault> {
        let shared = self.items.get(|before| next_items(rooms, room.id, before, seen)).await?;
        if seen < shared.after {
            let (items, newest) = rooms.items_since(room.id, seen).await?;
            return Ok(page(room, &items, newest, max));
        }
        let from = shared.items.partition_point(|(_, version)| *version <= seen);
        Ok(page(room, shared.items.get(from..).unwrap_or_default(), shared.newest.max(seen), max))
    }
}

/// Items since the last read, for sockets that keep up; the first read begins where the socket that asks is.
async fn next_items(rooms: &Rooms, room: RoomId, before: Arc<Items>, seen: Version) -> Result<Items, Fault> {
    let mut after = if before.newest == Version(0) { seen } else { before.newest };
    let (mut items, newest) = rooms.items_since(room, after).await?;
    let mut bytes = 0;
    let kept = items.iter().rev().take_while(|(item, _)| {
        bytes += item.sealed.len();
        bytes <= ITEM_BYTES_MAX
    });
    let dropped = items.len() - kept.count();
    if let Some((_, last)) = items.drain(..dropped).next_back() {
        after = last;
    }
    Ok(Items { after, newest, items })
}

/// Whose items are shown is up to the room as the socket knows it: what is shared is what was written.
fn page(
    room: &Room,
    items: &[(RoomItem, Version)],
    newest: Version,
    max: usize,
) -> (Vec<RoomItem>, Version, bool) {
    let mut items = items.iter().filter(|(item, _)| room.member(&item.user).is_some());
    let some: Vec<_> = items.by_ref().take(max).collect();
    let more = items.next().is_some();
    let seen = some.last().filter(|_| more).map_or(newest, |(_, version)| *version);
    (some.into_iter().map(|(item, _)| item.clone()).collect(), seen, more)
}
