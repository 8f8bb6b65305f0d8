//! Read cursors as room items, and what members' devices have acknowledged.

use super::rooms;
use crate::chats::{self, reads, timeline::FollowUp, typing};
use crate::contacts;
use crate::http::{self, Failure};
use crate::jobs::Done;
use crate::rooms::{open_ephemeral, open_item, seal_item};
use crate::runtime::{Cx, State};
use weft_wire::content::{Ephemeral, ReadCursor};
use weft_wire::rooms::{DeviceRef, PutItem, RoomItem, RoomState};
use weft_wire::{Blob, RoomId, UserAddress, limits};

const READ: &str = "read";

/// The job: the read cursor is on the node.
pub(crate) async fn put_read(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let put = cx.with(|s| -> Result<_, Failure> {
        let Some(mut chat) = chats::of_room(s, room).filter(|_| rooms::is_active(s, room)) else {
            return Ok(None);
        };
        // The item is for the other one. The own devices share by the vault what was read.
        if chat.is_blocked(s) {
            return Ok(None);
        }
        let progress = chat.progress(room);
        if progress.own_read <= progress.own_read_told {
            return Ok(None);
        }
        let seq = progress.own_read;
        // Higher wins, also when this device's clock is behind that of another one.
        let version = s.live.node_time(s.now);
        let cursor = weft_wire::encode(&ReadCursor { seq });
        let sealed = rooms::try_with(s, |ctx| seal_item(ctx, room, READ, version, &cursor))?;
        Ok(Some((seq, PutItem { kind: READ.into(), version, sealed })))
    })?;
    let Some((seq, item)) = put else { return Ok(Done::Yes) };
    match http::tell(cx, "PUT", &format!("rooms/{room}/items"), Some(&item)).await {
        Err(failure) if !failure.is_final() => return Err(failure),
        // Refused for good (the room has ended): there is nobody to tell.
        _ => {}
    }
    cx.with(|s| {
        if let Some(mut chat) = chats::of_room(s, room) {
            let progress = chat.progress(room);
            progress.own_read_told = progress.own_read_told.max(seq);
            chats::save_quietly(s, &chat);
        }
    });
    Ok(Done::Yes)
}

/// Everything that a room's description says of progress.
pub(crate) fn described(s: &mut State, state: &RoomState) {
    for member in &state.members {
        delivered(s, state.room, &member.user, member.delivered, &member.missed);
    }
    for item in &state.items {
        changed(s, state.room, item);
    }
}

/// A member's devices have this.
pub(crate) fn delivered(s: &mut State, room: RoomId, user: &UserAddress, seq: u64, missed: &[(u64, u64)]) {
    if s.live.me.as_ref().is_some_and(|me| me.user != *user) && !contacts::is_blocked(s, user) {
        reads::peer_has(s, room, user, seq, missed);
    }
}

/// A sealed item changed.
pub(crate) fn changed(s: &mut State, room: RoomId, item: &RoomItem) {
    if item.kind != READ {
        return;
    }
    let Some(Ok(plain)) = rooms::with(s, |ctx| open_item(ctx, room, item)) else { return };
    let Ok(cursor) = weft_wire::decode::<ReadCursor>(&plain, limits::ROOM_ITEM_BYTES_MAX) else { return };
    if s.live.me.as_ref().is_some_and(|me| me.user == item.user) {
        if let Some(chat) = chats::of_room(s, room) {
            let seq = cursor.seq;
            s.live.follow_ups.push(FollowUp::OwnRead { chat: chat.id, room, seq });
        }
    } else if !contacts::is_blocked(s, &item.user) {
        reads::peer_read(s, room, &item.user, cursor.seq);
    }
}

/// Typing and the like.
pub(crate) fn ephemeral(s: &mut State, room: RoomId, from: DeviceRef, sealed: &Blob) {
    // One's own other device types for oneself.
    if s.live.me.as_ref().is_none_or(|me| me.user == from.user) || contacts::is_blocked(s, &from.user) {
        return;
    }
    let Some(Ok(plain)) = rooms::with(s, |ctx| open_ephemeral(ctx, room, &from, sealed)) else { return };
    if let Ok(Ephemeral::Typing { on }) = weft_wire::decode(&plain, limits::EPHEMERAL_BYTES_MAX) {
        typing::heard(s, room, from.user, on);
    }
}
