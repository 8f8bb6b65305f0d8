//! A socket after its hello: what it follows, what it has sent, and what there is to look at.

use super::{
    counts::Place,
    fanout::{Dirty, Fanout, Mailbox},
    shared::RoomReads,
};
use crate::{Caller, wallet::WalletWatch};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::time::Instant;
use weft_store::{Version, Watch};
use weft_wire::{DeviceId, RoomId, UserName};

/// A room that the client follows.
pub(super) struct Followed {
    /// The last number that was sent.
    pub after: u64,
    /// The version that was last described, and how many asked to be let in.
    pub described: Option<(Version, u32)>,
    /// Who has received what was sent up to this version.
    pub cursors: Version,
    /// Items up to this version were sent.
    pub items: Version,
    pub reads: Arc<RoomReads>,
}

impl Followed {
    pub fn new(after: u64, reads: Arc<RoomReads>) -> Self {
        Followed { after, described: None, cursors: Version(0), items: Version(0), reads }
    }
}

/// What there is to look at in the store. A flag is cleared only when what was found can be handed over, so that whoever
/// drops the future in between loses nothing.
#[derive(Default)]
pub(super) struct Work {
    pub session: bool,
    pub inbox: bool,
    pub vault: bool,
    pub rooms_of: bool,
    /// Accounts of the person changed.
    pub wallet: bool,
    pub rooms: HashMap<RoomId, Dirty>,
    /// The rooms above, each once, in the order of their turn.
    pub turn: VecDeque<RoomId>,
    /// Rooms that the client does not follow and is to be told of.
    pub announce: VecDeque<RoomId>,
}

impl Work {
    pub fn add(&mut self, room: RoomId, what: Dirty) {
        let dirty = self.rooms.entry(room).or_default();
        if !dirty.any() {
            self.turn.push_back(room);
        }
        dirty.add(what);
    }

    /// Clears flags of a room, and lets the next room have its turn.
    pub fn done(&mut self, room: RoomId, what: impl FnOnce(&mut Dirty)) {
        let Some(dirty) = self.rooms.get_mut(&room) else { return };
        what(dirty);
        let left = dirty.any();
        if self.turn.front() == Some(&room) {
            self.turn.pop_front();
        } else {
            self.turn.retain(|other| *other != room);
        }
        if left {
            self.turn.push_back(room);
        } else {
            self.rooms.remove(&room);
        }
    }
}

/// The store's watches of one socket.
pub(super) struct Watches {
    pub session: Watch,
    pub inbox: Watch,
    pub rooms_of: Watch,
    /// Only for a client that wants vault records.
    pub vault: Option<Watch>,
    pub wallet: WalletWatch,
}

/// A socket after its hello.
pub(super) struct Live {
    pub id: u64,
    pub caller: Caller,
    pub fanout: Arc<Fanout>,
    pub mailbox: Arc<Mailbox>,
    pub watches: Watches,
    pub work: Work,
    pub followed: HashMap<RoomId, Followed>,
    /// The last inbox number that was sent.
    pub inbox_after: u64,
    /// The last change of the vault that was looked at.
    pub vault_after: u64,
    /// Rooms that the account came into after this were announced.
    pub rooms_of_seen: Version,
    /// Acknowledged and not yet written down.
    pub acks: HashMap<RoomId, u64>,
    pub flush_at: Option<Instant>,
    pub _places: (Place<UserName>, Place<(UserName, DeviceId)>),
}

impl Live {
    pub fn unfollow(&mut self, room: RoomId) {
        if self.followed.remove(&room).is_some() {
            self.fanout.unsubscribe(room, self.id);
            self.work.done(room, |dirty| *dirty = Dirty::default());
        }
    }

    /// Waits until there may be something to look at, and notes what.
    pub async fn wait(&mut self) {
        let Watches { session, inbox, rooms_of, vault, wallet } = &mut self.watches;
        let vault = async {
            match vault {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        let flush = async {
            match self.flush_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.mailbox.rung() => {}
            () = session.changed() => self.work.session = true,
            () = inbox.changed() => self.work.inbox = true,
            () = rooms_of.changed() => self.work.rooms_of = true,
            () = vault => self.work.vault = true,
            () = wallet.changed() => self.work.wallet = true,
            () = flush => {}
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for room in self.followed.keys() {
            self.fanout.unsubscribe(*room, self.id);
        }
    }
}
