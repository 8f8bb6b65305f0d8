//! The inbox: what is addressed to this device outside any room, one after the other.

use super::{join, key_packages, rooms, settle};
use crate::account::{self, devices};
use crate::connection;
use crate::contacts::incoming::{News, take};
use crate::jobs::Job;
use crate::live::Arrival;
use crate::rooms::{RoomError, join_welcome};
use crate::runtime::{Cx, State};
use weft_wire::sync::{InboxEntry, InboxItem};
use weft_wire::{Blob, Millis, RoomId};

/// Items of the inbox that are processed in one go, so that a long absence does not block the host.
const AT_ONCE: usize = 32;

/// The node has let this device in.
pub(crate) fn arrived(s: &mut State, arrival: Arrival) {
    s.live.arrival = Some(arrival);
    s.live.inbox_taken = false;
    look_whether_taken(s);
}

/// The connection is gone: what the inbox holds by now is not known.
pub(crate) fn left(s: &mut State) {
    s.live.arrival = None;
    s.live.inbox_taken = false;
}

/// What waits in the inbox may need private keys that are let go otherwise: KeyPackages have their turn after it.
fn look_whether_taken(s: &mut State) {
    let after = account::sync_state(s).inbox_after;
    let Some(arrival) = s.live.arrival.take_if(|arrival| arrival.inbox.is_none_or(|newest| newest <= after))
    else {
        return;
    };
    s.live.inbox_taken = true;
    key_packages::look(s, arrival.key_packages);
}

/// Starts processing what came, unless somebody is at it.
pub(crate) fn start(cx: &Cx) {
    let idle = cx.with(|s| !s.live.inbox.is_empty() && !std::mem::replace(&mut s.live.inbox_busy, true));
    if idle {
        let task = work(cx.clone());
        cx.spawn(task);
    }
}

async fn work(cx: Cx) {
    while cx.with(|s| {
        for _ in 0..AT_ONCE {
            let Some(entry) = s.live.inbox.pop_front() else {
                s.live.inbox_busy = false;
                return false;
            };
            take_one(s, &entry);
        }
        true
    }) {
        // A breath for other inputs: the rest goes on with the next tick.
        let next = cx.with(|s| s.now + 1);
        cx.sleep_until(next).await;
    }
}

fn take_one(s: &mut State, entry: &InboxEntry) {
    let mut state = account::sync_state(s);
    // After a reconnect the node sends again what it does not know to be processed.
    if entry.seq > state.inbox_after {
        process(s, entry);
        if s.live.me.is_none() {
            return;
        }
        state = account::sync_state(s);
        state.inbox_after = entry.seq;
        account::set_sync_state(s, &state);
        look_whether_taken(s);
    }
    s.connection.ack_inbox(entry.seq);
}

fn process(s: &mut State, entry: &InboxEntry) {
    match &entry.item {
        InboxItem::Contact { user, state, identity, sealed } => {
            let news =
                News { user, state: *state, identity, sealed: sealed.as_ref(), since_ms: entry.time_ms };
            take(s, &news);
        }
        InboxItem::DeviceAdded { cert } => devices::added(s, cert),
        InboxItem::DeviceRemoved { .. } => {}
        InboxItem::Welcome { room, seq, welcome } => welcomed(s, *room, *seq, welcome, entry.time_ms),
        InboxItem::RoomFolded { from, into } => settle::fold(s, *from, *into),
    }
}

/// A Welcome that does not open is no loss: the room can be joined from outside.
fn welcomed(s: &mut State, room: RoomId, seq: u64, welcome: &Blob, time_ms: Millis) {
    let kind = s.live.rooms.get(&room).map(|state| state.kind.clone());
    let joined = rooms::with(s, |ctx| join_welcome(ctx, room, kind.as_ref(), seq, welcome));
    match joined {
        Some(Ok(Some(change))) => {
            settle::changed(s, room, time_ms, &change, None);
            connection::follow(s, vec![(room, seq)]);
        }
        Some(Ok(None)) => {}
        // Already further than that.
        Some(Err(RoomError::StaleWelcome)) | None => {}
        Some(Err(RoomError::KeyChanged { user } | RoomError::NotPinned { user })) => {
            s.jobs.want(Job::CheckKeys(user));
            join::want(s, room, 0);
        }
        Some(Err(_)) => join::want(s, room, 0),
    }
}
