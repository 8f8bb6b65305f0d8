//! Into a room by external commit: a new device, or one that cannot follow any more. Capped, so that a device that fails
//! every time does not flood the room with commits.

use super::{commits, outgoing, rooms, settle};
use crate::account;
use crate::connection;
use crate::groups::{changes, leaving};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{RoomError, Stage, external_join};
use crate::runtime::{Cx, State};
use weft_wire::rooms::{GroupInfoAnswer, RoomKind, RoomList, RoomState};
use weft_wire::{Code, Millis, RoomId};

/// Joins of one room in [`WINDOW_MS`].
const JOINS_MAX: usize = 8;
const WINDOW_MS: Millis = 24 * 3_600_000;

fn attempts_key(room: RoomId) -> Vec<u8> {
    [b"t/x/".as_slice(), room.as_bytes()].concat()
}

/// This device ought to be in the room, and is not, unless a Welcome comes within the grace.
pub(crate) fn want(s: &mut State, room: RoomId, grace_ms: Millis) {
    let at = s.now + grace_ms;
    s.jobs.want_at(Job::Join(room), at);
}

/// The job: this device is in the room.
pub(crate) async fn join(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let wait = cx.with(|s| {
        if !is_needed(s, room) {
            return Some(Done::Yes);
        }
        let now = s.now;
        let mut attempts: Vec<Millis> = s.load(&attempts_key(room)).unwrap_or_default();
        attempts.retain(|at| *at + WINDOW_MS > now);
        if attempts.len() >= JOINS_MAX {
            // The chat shows what could not be read; tomorrow, or with the next message, it is tried again.
            s.connection.set_aside(room);
            let first = attempts.first().copied().unwrap_or(now);
            return Some(Done::After((first + WINDOW_MS).saturating_sub(now).max(1)));
        }
        None
    });
    if let Some(done) = wait {
        return Ok(done);
    }
    let answer: GroupInfoAnswer = match http::get(cx, &format!("rooms/{room}/group-info")).await {
        Ok(answer) => answer,
        // Left, or folded: then there is nothing to be in.
        Err(failure) if failure.is_final() => {
            cx.with(|s| {
                s.connection.set_aside(room);
                leaving::refused(s, room);
            });
            return Ok(Done::Yes);
        }
        Err(failure) => return Err(failure),
    };
    let prepared = cx.with(|s| {
        if !is_needed(s, room) {
            return Ok(false);
        }
        let kind = s.live.rooms.get(&room).map(|state| state.kind.clone());
        match rooms::try_with(s, |ctx| external_join(ctx, room, kind.as_ref(), &answer)) {
            Ok(_) => {
                let now = s.now;
                let mut attempts: Vec<Millis> = s.load(&attempts_key(room)).unwrap_or_default();
                attempts.retain(|at| *at + WINDOW_MS > now);
                attempts.push(now);
                s.store(&attempts_key(room), &attempts);
                Ok(true)
            }
            Err(failure) => {
                if let Failure::Room(RoomError::KeyChanged { user } | RoomError::NotPinned { user }) =
                    &failure
                {
                    s.jobs.want(Job::CheckKeys(user.clone()));
                    s.connection.set_aside(room);
                }
                Err(failure)
            }
        }
    })?;
    if !prepared {
        return Ok(Done::Yes);
    }
    match commits::submit(cx, room).await {
        Err(failure) if failure.code() == Some(Code::Forbidden) => Ok(Done::Yes),
        other => other,
    }
}

fn is_needed(s: &mut State, room: RoomId) -> bool {
    if rooms::info(s, room).is_some_and(|info| info.misled) {
        return false;
    }
    match rooms::info(s, room).map(|info| info.stage) {
        None | Some(Stage::Joining | Stage::Broken) => settle::folded_into(s, room).is_none(),
        Some(Stage::Active | Stage::Left) => false,
    }
}

/// The hub has let this device in.
pub(crate) fn joined(s: &mut State, room: RoomId) {
    if let Some(info) = rooms::info(s, room) {
        connection::follow(s, vec![(room, info.cursor)]);
    }
}

/// The node describes a room: on the socket, or in the list.
pub(crate) fn described(s: &mut State, state: RoomState) {
    let room = state.room;
    let peer = rooms::peer(s, &state.kind);
    let kind = state.kind.clone();
    s.live.rooms.insert(room, state.clone());
    match rooms::info(s, room) {
        Some(info) if info.stage == Stage::Active => {
            rooms::with(s, |ctx| crate::rooms::set_kind(ctx, room, &kind));
            s.connection.head(room, state.head, info.cursor, s.now);
            changes::described(s, &state);
            super::items::described(s, &state);
            commits::look_for_gone(s, room);
            outgoing::look(s, room);
        }
        Some(info) => {
            s.connection.head(room, state.head, info.cursor, s.now);
            if info.stage == Stage::Broken {
                want(s, room, 0);
            }
        }
        None if peer.is_some() => want(s, room, settle::WELCOME_GRACE_MS),
        None if state.kind == RoomKind::Group && changes::may_join(s, room) => {
            want(s, room, settle::WELCOME_GRACE_MS);
        }
        // Of a kind that this version does not know.
        None => {}
    }
}

/// The job of a new device: every room of the account, once.
pub(crate) async fn list(cx: &Cx) -> Result<Done, Failure> {
    if cx.with(|s| account::sync_state(s).rooms_listed) {
        return Ok(Done::Yes);
    }
    let mut after = String::new();
    loop {
        let page: RoomList = http::get(cx, &format!("rooms{after}")).await?;
        let last = page.rooms.last().map(|state| state.room);
        cx.with(|s| {
            for state in page.rooms {
                let room = state.room;
                described(s, state);
                // Rooms of before this device: nobody sends a Welcome.
                if s.jobs.has(&Job::Join(room)) {
                    s.jobs.want(Job::Join(room));
                }
            }
        });
        match last {
            Some(room) if page.more => after = format!("?after={room}"),
            _ => break,
        }
    }
    cx.with(|s| {
        let mut state = account::sync_state(s);
        state.rooms_listed = true;
        account::set_sync_state(s, &state);
    });
    Ok(Done::Yes)
}
