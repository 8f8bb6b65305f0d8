//! Own commits on their way to the hub, and devices that were signed out.

use super::{join, rooms, settle};
use crate::chats;
use crate::groups::{self, leaving, making};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{commit_accepted, commit_refused, pending, remove_devices};
use crate::runtime::{Cx, State};
use rand_chacha::rand_core::RngCore;
use weft_mls::sets::set;
use weft_wire::identity::DeviceCert;
use weft_wire::rooms::{Accepted, RoomRole};
use weft_wire::{Code, DeviceId, Millis, RoomId};

/// Each leaf waits so much longer than the one before it, so that one commits and the others see that it is done.
const GONE_STEP_MS: Millis = 2_000;

/// The job: the pending commit of a room is decided.
pub(crate) async fn submit(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let pending = cx.with(|s| rooms::try_with(s, |ctx| pending(ctx, room)))?;
    let Some(pending) = pending else { return Ok(Done::Yes) };
    if pending.accepted.is_some() || (pending.refused && !pending.external) {
        return Ok(Done::Yes);
    }
    let answer = http::post::<_, Accepted>(cx, &format!("rooms/{room}/commits"), &pending.submit).await;
    match answer {
        Ok(accepted) => cx.with(|s| {
            let change = rooms::try_with(s, |ctx| commit_accepted(ctx, room, &accepted))?;
            if let Some(change) = change {
                let behind = rooms::info(s, room).is_some_and(|info| info.cursor < accepted.seq);
                let id = pending.submit.envelope.peek().ok().map(|envelope| envelope.message_id);
                settle::changed(s, room, accepted.time_ms, &change, id.filter(|_| behind));
            }
            if pending.external {
                join::joined(s, room);
            }
            Ok(Done::Yes)
        }),
        Err(failure) if failure.code() == Some(Code::StaleEpoch) => cx.with(|s| {
            rooms::try_with(s, |ctx| commit_refused(ctx, room, true))?;
            if pending.external {
                // Its base is the hub's GroupInfo, not the log: take the new one.
                join::want(s, room, 0);
            }
            Ok(Done::Yes)
        }),
        // It was taken before: its own entry says so.
        Err(failure) if failure.code() == Some(Code::IdConflict) => Ok(Done::Yes),
        Err(failure) if failure.is_final() => {
            cx.with(|s| rooms::try_with(s, |ctx| commit_refused(ctx, room, false)))?;
            Err(failure)
        }
        Err(failure) => Err(failure),
    }
}

/// An own commit lost the race: what it was for is looked at again.
pub(crate) fn plan_anew(s: &mut State, room: RoomId) {
    if making::under_way(s).contains(&room) {
        s.jobs.want(Job::Make(room));
    }
    let chat = chats::of_room(s, room).map(|chat| chat.id);
    if let Some(chat) = chat.filter(|chat| settle::set_up_room(s, *chat) == Some(room)) {
        s.jobs.want(Job::SetUp(chat));
    }
}

/// Devices in the group that were signed out.
fn signed_out(s: &mut State, room: RoomId) -> Vec<DeviceId> {
    let Some(state) = s.live.rooms.get(&room).filter(|state| !state.gone.is_empty()) else {
        return Vec::new();
    };
    let gone: Vec<_> = state.gone.iter().map(|gone| gone.device).collect();
    let members = rooms::members(s, room);
    let roles = rooms::roles(s, room);
    let owns =
        |cert: &DeviceCert| roles.as_ref().is_some_and(|roles| roles.of(&cert.user) == RoomRole::Owner);
    // An owner whom nobody could follow stays until they come back: a group cannot do without.
    let followed = members.iter().any(|cert| owns(cert) && !gone.contains(&cert.device));
    let goes = |cert: &&DeviceCert| gone.contains(&cert.device) && (followed || !owns(cert));
    members.iter().filter(goes).map(|cert| cert.device).collect()
}

/// If devices are in the group that should not be, they are to be removed, by the first leaf that gets to it: those that were
/// signed out by any, those of people who have said that they go by one who may send them away.
pub(crate) fn look_for_gone(s: &mut State, room: RoomId) {
    let gone = signed_out(s, room);
    if !gone.is_empty()
        && let Some(at) = turn(s, room, &|cert| !gone.contains(&cert.device))
    {
        s.jobs.want_at(Job::RemoveGone(room), at);
    }
    if let Some(due) = leaving::lingering(s, room).into_iter().map(|(due, _)| due).min() {
        let roster = groups::roster(s, room);
        if let Some(at) = turn(s, room, &|cert| roster.role(&cert.user) >= RoomRole::Admin) {
            let wait = due.saturating_sub(s.now);
            s.jobs.want_at(Job::RemoveGone(room), at + wait);
        }
    }
}

/// When it is this device's turn to do what any of these leaves may do.
fn turn(s: &mut State, room: RoomId, may: &dyn Fn(&DeviceCert) -> bool) -> Option<Millis> {
    let me = s.live.me.clone()?;
    let members = rooms::members(s, room);
    let turn = members.iter().filter(|cert| may(cert)).position(|cert| cert.device == me.device)?;
    let jitter = Millis::from(s.rng.next_u32()) % (GONE_STEP_MS / 2);
    Some(s.now + turn as Millis * GONE_STEP_MS + jitter)
}

/// The job: devices that should not be in the group are out of it.
pub(crate) async fn remove_gone(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let planned = cx.with(|s| -> Result<Option<Done>, Failure> {
        if !rooms::is_active(s, room) {
            return Ok(Some(Done::Yes));
        }
        let mut gone = signed_out(s, room);
        let (due, later): (Vec<_>, Vec<_>) =
            leaving::lingering(s, room).into_iter().partition(|(due, _)| *due <= s.now);
        gone.extend(due.into_iter().map(|(_, device)| device));
        let gone: Vec<_> = set(gone).into_iter().collect();
        if gone.is_empty() {
            let next = later.into_iter().map(|(due, _)| due).min();
            return Ok(Some(next.map_or(Done::Yes, |due| Done::After(due - s.now))));
        }
        if !rooms::info(s, room).is_some_and(|info| info.pending) {
            rooms::try_with(s, |ctx| remove_devices(ctx, room, &gone))?;
        }
        Ok(None)
    })?;
    match planned {
        Some(done) => Ok(done),
        None => submit(cx, room).await,
    }
}
