//! Who listens to which room in this process. Durable changes come from the store's watches, so that they are seen whoever
//! wrote them; all that is passed on is that something changed. Ephemeral events are passed on as they are.

use super::shared::RoomReads;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Notify, task::AbortHandle, time::Instant};
use weft_store::{Store, Watch, tables};
use weft_wire::{RoomId, sync::ServerFrame};

/// Ephemeral events that wait for one socket; the oldest goes when there are more.
const EPHEMERAL_WAITING_MAX: usize = 64;
/// Cursors and items of a room are told at once, and then not again for so long: in a group all devices acknowledge and read
/// at about the same time, and each change is a wake-up for every socket.
const GATHER: Duration = Duration::from_millis(100);

/// What of a room changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dirty {
    /// Members, epoch, gone devices, how many ask to be let in.
    pub room: bool,
    pub log: bool,
    pub cursors: bool,
    pub items: bool,
}

impl Dirty {
    pub fn add(&mut self, other: Dirty) {
        self.room |= other.room;
        self.log |= other.log;
        self.cursors |= other.cursors;
        self.items |= other.items;
    }

    pub fn any(self) -> bool {
        self.room || self.log || self.cursors || self.items
    }
}

/// What waits for one socket. Bounded: a flag a room, and a few ephemeral events.
#[derive(Default)]
pub(super) struct Mailbox {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    dirty: HashMap<RoomId, Dirty>,
    ephemeral: VecDeque<ServerFrame>,
}

impl Mailbox {
    /// Takes what changed.
    pub fn take_dirty(&self) -> HashMap<RoomId, Dirty> {
        std::mem::take(&mut self.waiting.lock().dirty)
    }

    pub fn take_ephemeral(&self) -> Option<ServerFrame> {
        self.waiting.lock().ephemeral.pop_front()
    }

    /// Resolves when something was put in since the last time. Cancelling it loses nothing.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn mark(&self, room: RoomId, what: Dirty) {
        self.waiting.lock().dirty.entry(room).or_default().add(what);
        self.bell.notify_one();
    }

    fn push(&self, frame: ServerFrame) {
        let mut waiting = self.waiting.lock();
        if waiting.ephemeral.len() >= EPHEMERAL_WAITING_MAX {
            waiting.ephemeral.pop_front();
        }
        waiting.ephemeral.push_back(frame);
        drop(waiting);
        self.bell.notify_one();
    }
}

type Listeners = Arc<Mutex<HashMap<u64, Arc<Mailbox>>>>;

struct Topic {
    listeners: Listeners,
    reads: Arc<RoomReads>,
    task: AbortHandle,
}

/// All rooms that somebody listens to.
pub(crate) struct Fanout {
    store: Store,
    topics: Mutex<HashMap<RoomId, Topic>>,
}

impl Fanout {
    pub fn new(store: Store) -> Self {
        Fanout { store, topics: Mutex::default() }
    }

    /// From now on each change of the room is marked in the mailbox of socket `id`. Whoever reads the room after this misses
    /// nothing. Gives what the room's sockets read together.
    pub(super) fn subscribe(&self, room: RoomId, id: u64, mailbox: &Arc<Mailbox>) -> Arc<RoomReads> {
        let mut topics = self.topics.lock();
        let topic = topics.entry(room).or_insert_with(|| {
            let (listeners, reads) = (Listeners::default(), Arc::<RoomReads>::default());
            let task = tokio::spawn(listen(&self.store, room, listeners.clone(), reads.clone()));
            Topic { listeners, reads, task: task.abort_handle() }
        });
        topic.listeners.lock().insert(id, mailbox.clone());
        topic.reads.clone()
    }

    pub(super) fn unsubscribe(&self, room: RoomId, id: u64) {
        let mut topics = self.topics.lock();
        let Some(topic) = topics.get(&room) else { return };
        let mut listeners = topic.listeners.lock();
        listeners.remove(&id);
        let empty = listeners.is_empty();
        drop(listeners);
        if empty {
            topic.task.abort();
            topics.remove(&room);
        }
    }

    /// Passes an ephemeral event of another node on to all sockets that listen to the room.
    pub(crate) fn tell_all(&self, room: RoomId, frame: &ServerFrame) {
        self.send(room, None, frame);
    }

    /// Passes an ephemeral event on to all other sockets that listen to the room.
    pub(super) fn broadcast(&self, room: RoomId, from: u64, frame: &ServerFrame) {
        self.send(room, Some(from), frame);
    }

    fn send(&self, room: RoomId, from: Option<u64>, frame: &ServerFrame) {
        let listeners = self.topics.lock().get(&room).map(|topic| topic.listeners.clone());
        let Some(listeners) = listeners else { return };
        let others: Vec<_> = listeners
            .lock()
            .iter()
            .filter(|(id, _)| Some(**id) != from)
            .map(|(_, mailbox)| mailbox.clone())
            .collect();
        for mailbox in others {
            mailbox.push(frame.clone());
        }
    }

    /// Rooms that somebody listens to.
    #[cfg(test)]
    pub fn topics(&self) -> usize {
        self.topics.lock().len()
    }
}

/// Makes the watches at once, before anything is awaited, so that nothing that happens from here on is missed.
fn listen(
    store: &Store,
    room: RoomId,
    listeners: Listeners,
    reads: Arc<RoomReads>,
) -> impl Future<Output = ()> + use<> {
    let key = room.as_bytes();
    let mut rooms = store.watch(tables::ROOMS, key);
    let mut doors = store.watch(tables::ROOM_DOORS, key);
    let mut log = store.watch(tables::ROOM_LOG, key);
    let mut cursors = store.watch(tables::ROOM_CURSORS, key);
    let mut items = store.watch(tables::ROOM_ITEMS, key);
    let (mut cursors_from, mut items_from) = (Instant::now(), Instant::now());
    async move {
        loop {
            let mut what = Dirty::default();
            tokio::select! {
                () = rooms.changed() => what.room = true,
                () = doors.changed() => what.room = true,
                () = log.changed() => what.log = true,
                () = changed_after(cursors_from, &mut cursors) => {
                    reads.cursors_changed();
                    (what.cursors, cursors_from) = (true, Instant::now() + GATHER);
                }
                () = changed_after(items_from, &mut items) => {
                    reads.items_changed();
                    (what.items, items_from) = (true, Instant::now() + GATHER);
                }
            }
            for mailbox in listeners.lock().values() {
                mailbox.mark(room, what);
            }
        }
    }
}

/// A change, but not before a time. Cancelling it loses nothing.
async fn changed_after(from: Instant, watch: &mut Watch) {
    tokio::time::sleep_until(from).await;
    watch.changed().await;
}
