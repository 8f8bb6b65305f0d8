//! Which room a chat is written to: after every change of a group, and when two rooms of one pair turn out to be one.

use super::{commits, join, rooms};
use crate::api::Event;
use crate::chats::{self, Chat, ChatId, queue, timeline};
use crate::groups;
use crate::http::Failure;
use crate::jobs::Job;
use crate::rooms::{Change, RoomError, forget};
use crate::runtime::State;
use timeline::{Body, NewRow};
use weft_wire::rooms::{CreateRoom, RoomKind};
use weft_wire::{MessageId, Millis, NodeName, RoomId, RoomNonce};

/// How long a Welcome may take before the room is joined by external commit.
pub(crate) const WELCOME_GRACE_MS: Millis = 3_000;

fn set_up_key(chat: ChatId) -> Vec<u8> {
    [b"t/s/".as_slice(), chat.0.as_bytes()].concat()
}

fn folded_key(room: RoomId) -> Vec<u8> {
    [b"t/f/".as_slice(), room.as_bytes()].concat()
}

fn nonce_key(room: RoomId) -> Vec<u8> {
    [b"t/n/".as_slice(), room.as_bytes()].concat()
}

/// The id of a room that this device is going to make at its own node.
pub(crate) fn new_room(s: &mut State, hub: &NodeName) -> RoomId {
    let nonce = RoomNonce(s.random());
    let room = RoomId::of_hub(hub, nonce);
    s.store(&nonce_key(room), &nonce);
    room
}

/// The request that makes it, for as long as nobody else is in it.
pub(crate) fn create(s: &mut State, room: RoomId, kind: &RoomKind) -> Result<CreateRoom, Failure> {
    let nonce = s.load(&nonce_key(room)).ok_or(Failure::Room(RoomError::Exists))?;
    let made = rooms::try_with(s, |ctx| crate::rooms::create(ctx, (room, nonce), kind));
    if matches!(made, Err(Failure::Room(RoomError::Exists))) {
        s.kv_delete(&nonce_key(room));
    }
    made
}

/// The room that is being set up for a chat.
pub(crate) fn set_up_room(s: &mut State, chat: ChatId) -> Option<RoomId> {
    s.load(&set_up_key(chat))
}

pub(crate) fn begin_set_up(s: &mut State, chat: ChatId, room: RoomId) {
    s.store(&set_up_key(chat), &room);
}

pub(crate) fn end_set_up(s: &mut State, chat: ChatId) {
    s.kv_delete(&set_up_key(chat));
}

/// Every device that could be added to an own room is in it.
pub(crate) fn set_up_ended(s: &mut State, room: RoomId) {
    if let Some(chat) = chats::of_room(s, room).filter(|chat| set_up_room(s, chat.id) == Some(room)) {
        end_set_up(s, chat.id);
    }
}

/// Chats that wait for a room.
pub(crate) fn in_set_up(s: &mut State) -> Vec<ChatId> {
    chats::all(s).into_iter().map(|chat| chat.id).filter(|id| set_up_room(s, *id).is_some()).collect()
}

/// The node does not know the room in which a direct chat is written: it comes from a backup of before. The chat gets another one when
/// there is something to say.
pub(crate) fn gone(s: &mut State, room: RoomId) {
    if let Some(mut chat) =
        chats::of_room(s, room).filter(|chat| chat.room == Some(room) && chat.group.is_none())
    {
        chat.room = None;
        chats::save_quietly(s, &chat);
        s.live.rooms.remove(&room);
        s.jobs.want(Job::Send(chat.id));
    }
}

/// The node knows a room (again) that its chat had let go, because the hub has told it of the room anew: it goes on there.
pub(crate) fn back(s: &mut State, room: RoomId) {
    let is_let_go = |chat: &Chat| chat.room.is_none() && chat.group.is_none();
    if chats::of_room(s, room).is_some_and(|chat| is_let_go(&chat)) {
        let now = s.now;
        settle(s, room, "secured", now);
        if chats::of_room(s, room).is_some_and(|chat| chat.room == Some(room)) {
            join::joined(s, room);
        }
    }
}

/// Where a room goes on, if it was folded.
pub(crate) fn folded_into(s: &mut State, room: RoomId) -> Option<RoomId> {
    s.load(&folded_key(room))
}

/// A line in the middle of a chat.
pub(crate) fn line(
    s: &mut State,
    chat: &mut Chat,
    code: &str,
    user: Option<weft_wire::UserAddress>,
    time_ms: Millis,
) {
    // Nothing is to be seen of somebody who is blocked, not even that a device came.
    if chat.is_blocked(s) {
        return;
    }
    let body = Body::system(code, user);
    timeline::append(s, chat, NewRow::system(body, time_ms));
}

/// An MLS group has changed, by the log, by a Welcome or by an own commit. `ahead`: an own commit to which the log has not come.
pub(crate) fn changed(
    s: &mut State,
    room: RoomId,
    time_ms: Millis,
    change: &Change,
    ahead: Option<MessageId>,
) {
    let Some(me) = s.live.me.clone() else { return };
    s.live.turns += 1;
    if groups::is_group(s, room) {
        return groups::changes::changed(s, room, time_ms, change, ahead);
    }
    if change.removed_me {
        if let Some(mut chat) = chats::of_room(s, room).filter(|chat| chat.room == Some(room)) {
            chat.room = None;
            chats::save_quietly(s, &chat);
        }
        return;
    }
    let known = chats::of_room(s, room).filter(|chat| chat.room == Some(room));
    let came_by_itself = change.own && change.added.iter().any(|cert| cert.device == me.device);
    if let Some(mut chat) = known {
        let back = |device| change.removed.iter().any(|gone| gone.device == device);
        let new = change.added.iter().find(|cert| cert.user != me.user && !back(cert.device));
        if came_by_itself {
            line(s, &mut chat, "resynced", None, time_ms);
        } else if let Some(cert) = new.filter(|_| !change.own) {
            line(s, &mut chat, "device_added", Some(cert.user.clone()), time_ms);
        }
    }
    // Somebody else's commit does not finish what is being set up here: devices that were to be added are still outside.
    if change.own && change.added.iter().any(|cert| cert.user != me.user) {
        set_up_ended(s, room);
    }
    // Whoever comes in first has missed nothing.
    let late = came_by_itself && change.epoch > 1;
    settle(s, room, if late { "joined" } else { "secured" }, time_ms);
    if change.lost_pending {
        commits::plan_anew(s, room);
    }
    commits::look_for_gone(s, room);
}

/// Lets the chat of a room be written there, if that is the room to write to.
pub(crate) fn settle(s: &mut State, room: RoomId, first_line: &str, time_ms: Millis) {
    let Some((mut chat, has_peer)) = rooms::link(s, room) else { return };
    sweep(s, &mut chat, room);
    if !has_peer || folded_into(s, room).is_some() {
        return;
    }
    // Not before every device of both is in: what is written earlier the others could never read.
    if set_up_room(s, chat.id) == Some(room) {
        s.jobs.want(Job::SetUp(chat.id));
        return;
    }
    // Of two rooms of one pair the lower id goes on, whoever made it.
    let better = chat.room.is_none_or(|now| room < now || folded_into(s, now).is_some());
    if better && chat.room != Some(room) {
        let first = chat.last.is_none();
        chats::attach_room(s, &mut chat, room);
        if first {
            line(s, &mut chat, first_line, None, time_ms);
        }
        if !chat.is_blocked(s) {
            let view = chats::view(s, &chat);
            s.event(Event::Chat(view));
        }
    }
    match set_up_room(s, chat.id) {
        // Made at the same moment as the other's. The hub says which one goes on; if it is not known there yet, it never will.
        Some(own) if room < own => abandon(s, chat.id, own),
        _ => {}
    }
    s.jobs.want(Job::Send(chat.id));
}

/// An own room that nobody else is in is of no use any more.
pub(crate) fn abandon(s: &mut State, chat: ChatId, room: RoomId) {
    end_set_up(s, chat);
    let me = s.live.me.clone();
    let alone = rooms::members(s, room).iter().all(|cert| me.as_ref().is_some_and(|me| cert.user == me.user));
    if alone {
        rooms::with(s, |ctx| forget(ctx, room));
        s.connection.set_aside(room);
    }
}

/// The hub says that a room goes on as another one.
pub(crate) fn fold(s: &mut State, from: RoomId, into: RoomId) {
    s.store(&folded_key(from), &into);
    if groups::is_group(s, from) || groups::is_group(s, into) {
        return;
    }
    let chat = match chats::of_room(s, from) {
        Some(chat) => Some(chat),
        None => chats::of_room(s, into),
    };
    if let Some(mut chat) = chat {
        if chat.room == Some(from) {
            chat.room = None;
            chats::save_quietly(s, &chat);
        }
        if set_up_room(s, chat.id) == Some(from) {
            abandon(s, chat.id, from);
        }
        s.jobs.want(Job::Send(chat.id));
    }
    let now = s.now;
    if rooms::is_active(s, into) {
        settle(s, into, "secured", now);
    } else {
        join::want(s, into, WELCOME_GRACE_MS);
    }
}

/// Messages that the hub took, but whose entries this device will not see (it joined anew behind them): they have their
/// place now.
pub(crate) fn sweep(s: &mut State, chat: &mut Chat, room: RoomId) {
    let Some(cursor) = rooms::info(s, room).map(|info| info.cursor) else { return };
    for queued in queue::of_chat(s, chat.id) {
        if let queue::Stage::Taken { seq, time_ms } = queued.stage
            && queued.room == Some(room)
            && seq <= cursor
        {
            // Where it lies is not always known: no later than what was read.
            let seq = if seq == 0 { cursor } else { seq };
            super::log::own_message(s, chat, room, seq, time_ms, queued);
        }
    }
}
