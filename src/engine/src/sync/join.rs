//! Into a room by external commit: a new device, or one that cannot follow any more. Capped, so that a device that fails
//! every time does not flood the room with commits.

use super::{commits, outgoing, rooms, settle};
use crate::account;
use crate::chats;
use crate::connection;
use crate::groups::{anew, changes, leaving};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{Anew, RoomError, Stage, Unsure, external_join, resume};
use crate::runtime::{Cx, State};
use weft_wire::rooms::{GroupInfoAnswer, RoomKind, RoomList, RoomState};
use weft_wire::{Code, Millis, RoomId};

/// Joins of one room in [`WINDOW_MS`].
const JOINS_MAX: usize = 8;
const WINDOW_MS: Millis = 24 * 3_600_000;
/// What the person is shown of a group that is not entered is looked at anew so often, if it changes.
const SHOWN_MS: Millis = 30_000;

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
        if how(s, room).is_none() {
            return Some(Done::Yes);
        }
        // To go on costs the room no commit.
        if rooms::info(s, room).is_some_and(|info| info.skipped) {
            return None;
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
    match cx.with(|s| resumed(s, room, &answer)) {
        Some(true) => return Ok(Done::Yes),
        // Then it is a join like any other.
        Some(false) => return Ok(Done::After(0)),
        None => {}
    }
    let prepared = cx.with(|s| {
        let Some(anew) = how(s, room) else { return Ok(false) };
        let kind = s.live.rooms.get(&room).map(|state| state.kind.clone());
        match rooms::try_with(s, |ctx| external_join(ctx, room, kind.as_ref(), &answer, &anew)) {
            Ok(_) => {
                let now = s.now;
                let mut attempts: Vec<Millis> = s.load(&attempts_key(room)).unwrap_or_default();
                attempts.retain(|at| *at + WINDOW_MS > now);
                attempts.push(now);
                s.store(&attempts_key(room), &attempts);
                Ok(true)
            }
            Err(failure) => refused(s, room, failure),
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

/// Where entries were passed over: whether the state of before goes on, because nobody came or went in them. What was said in them is
/// missing all the same, and the chat says so.
fn resumed(s: &mut State, room: RoomId, answer: &GroupInfoAnswer) -> Option<bool> {
    rooms::info(s, room).filter(|info| info.skipped)?;
    let goes_on = matches!(rooms::with(s, |ctx| resume(ctx, room, answer)), Some(Ok(true)));
    if goes_on {
        if let Some(mut chat) = chats::of_room(s, room) {
            let now = s.live.node_time(s.now);
            settle::sweep(s, &mut chat, room);
            settle::line(s, &mut chat, "resynced", None, now);
        }
        joined(s, room);
    }
    Some(goes_on)
}

/// This device does not come in as things stand. Where the person, or the node, can change that, it is tried again then.
fn refused(s: &mut State, room: RoomId, failure: Failure) -> Result<bool, Failure> {
    let unsure = match &failure {
        Failure::Room(RoomError::KeyChanged { user } | RoomError::NotPinned { user }) => {
            s.jobs.want(Job::CheckKeys(user.clone()));
            None
        }
        Failure::Room(RoomError::Unsure(unsure)) => Some((**unsure).clone()),
        Failure::Room(RoomError::Mls(_) | RoomError::Policy(_)) => {
            Some(Unsure { people: Vec::new(), print: [0; 32] })
        }
        _ => return Err(failure),
    };
    s.connection.set_aside(room);
    if unsure.is_some_and(|unsure| anew::ask(s, room, unsure)) { Ok(false) } else { Err(failure) }
}

/// How this device may come into a room in which it is not; none: it should not, or need not.
fn how(s: &mut State, room: RoomId) -> Option<Anew> {
    let head = s.live.rooms.get(&room).map_or(0, |state| state.head);
    if let Some(info) = rooms::info(s, room) {
        let group = info.kind == Some(RoomKind::Group);
        // By its log it comes to a Welcome.
        let is_led = info.welcome.is_some_and(|seq| (info.cursor + 1..=head).contains(&seq));
        let out = match info.stage {
            Stage::Joining | Stage::Broken => !info.misled || group,
            Stage::Left => group,
            Stage::Active => false,
        };
        if is_led || !out {
            return None;
        }
    }
    if settle::folded_into(s, room).is_some() { None } else { anew::how(s, room) }
}

/// The hub has let this device in.
pub(crate) fn joined(s: &mut State, room: RoomId) {
    if let Some(info) = rooms::info(s, room) {
        connection::follow(s, vec![(room, info.cursor)]);
    }
}

/// Whether the hub that the node names is the one that the id was made for. Rooms of before have such an id at no other node.
fn is_of_its_hub(s: &State, state: &RoomState) -> bool {
    let here = s.live.me.as_ref().is_some_and(|me| me.user.node == state.hub);
    state.id_fits() || (state.nonce.is_none() && here)
}

/// The node describes a room: on the socket, or in the list.
pub(crate) fn described(s: &mut State, state: RoomState) {
    let room = state.room;
    if rooms::info(s, room).is_none() && !is_of_its_hub(s, &state) {
        return;
    }
    let peer = rooms::peer(s, &state.kind);
    let kind = state.kind.clone();
    if let Some(before) = s.live.rooms.insert(room, state.clone()).filter(|before| !before.gone.is_empty()) {
        let devices = before.gone.into_iter().map(|gone| gone.device);
        s.live.signed_out.change(&room, |gone| gone.extend(devices));
    }
    match rooms::info(s, room) {
        Some(info) if info.stage == Stage::Active => {
            rooms::with(s, |ctx| crate::rooms::set_kind(ctx, room, &kind));
            settle::back(s, room);
            s.connection.head(room, state.head, info.cursor, s.now);
            changes::described(s, &state);
            super::items::described(s, &state);
            commits::look_for_gone(s, room);
            outgoing::look(s, room);
        }
        Some(info) => {
            s.connection.head(room, state.head, info.cursor, s.now);
            if info.stage == Stage::Broken {
                // The person looks at what is there: that need not be the news of each moment.
                let grace = if s.live.unsure.contains_key(&room) { SHOWN_MS } else { 0 };
                want(s, room, grace);
            }
        }
        None if peer.is_some() => want(s, room, settle::WELCOME_GRACE_MS),
        None if state.kind == RoomKind::Group && anew::is_open(s, room) => {
            let shown = s.live.unsure.contains_key(&room);
            want(s, room, if shown { SHOWN_MS } else { settle::WELCOME_GRACE_MS });
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
