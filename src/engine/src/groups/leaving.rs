//! Going, and being sent away. What was said stays readable; the keys go.

use super::{Standing, find, lines, others, own_role, save};
use crate::api::CallError;
use crate::chats::queue::{self, Stage};
use crate::chats::{self, Chat};
use crate::error::call_error;
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::forget;
use crate::runtime::{Cx, State};
use crate::sync::rooms;
use weft_wire::content::Leave;
use weft_wire::rooms::{GroupInfoAnswer, RoomRole};
use weft_wire::{Blob, Code, Millis, RoomId, UserAddress};

/// The kind of the message that says it.
pub(crate) const LEAVE: &str = "leave";
/// The message has not gone out yet.
const SAID_MS: Millis = 1_000;
/// So long the person waits to hear that it is done. It will be.
const HEARD_MS: Millis = 20_000;

/// Goes.
pub(super) async fn leave(cx: &Cx, room: RoomId) -> Result<(), CallError> {
    let begun = cx.with(|s| -> Result<bool, CallError> {
        let (mut chat, mut group) = find(s, room).ok_or_else(super::commits::not_in_group)?;
        if !group.is_in() {
            return Ok(false);
        }
        if !s.connection.is_ready() {
            return Err(Failure::NoAnswer.into());
        }
        let others = others(s, room, &group);
        let roster = super::roster(s, room);
        let owned = others.iter().any(|user| roster.role(user) == RoomRole::Owner);
        if own_role(s, room) == RoomRole::Owner && !owned && !others.is_empty() {
            return Err(last_owner());
        }
        group.standing = Standing::Leaving;
        group.wanted.clear();
        chat.group = Some(group.clone());
        let body = Blob(weft_wire::encode(&Leave {}));
        let _ = queue::push(s, &mut chat, LEAVE, body, None, true);
        save(s, &mut chat, group);
        s.jobs.want(Job::Leave(room));
        Ok(true)
    })?;
    if !begun {
        return Ok(());
    }
    let deadline = cx.with(|s| s.now + HEARD_MS);
    loop {
        let (standing, turn) = cx.with(|s| (find(s, room).map(|(_, group)| group.standing), s.live.turns));
        match standing {
            Some(Standing::Leaving) if super::commits::next_turn(cx, turn, deadline).await => {}
            Some(Standing::Active | Standing::Making) => return Err(last_owner()),
            _ => return Ok(()),
        }
    }
}

fn last_owner() -> CallError {
    call_error("last_owner", "The last owner names another one first.")
}

/// Groups that this account is on the way out of.
pub(crate) fn under_way(s: &mut State) -> Vec<RoomId> {
    let leaving = |chat: &Chat| chat.group.as_ref().is_some_and(|group| group.standing == Standing::Leaving);
    chats::all(s).iter().filter(|chat| leaving(chat)).map(|chat| super::room_of(chat.id)).collect()
}

/// The job: this account is out of the group. First the others hear it, then the hub.
pub(crate) async fn carry_out(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let waits = cx.with(|s| {
        let (chat, _) = find(s, room).filter(|(_, group)| group.standing == Standing::Leaving)?;
        let unsaid = |one: &queue::Queued| one.content.kind == LEAVE && one.stage == Stage::Waiting;
        Some(rooms::is_active(s, room) && queue::of_chat(s, chat.id).iter().any(unsaid))
    });
    match waits {
        None => return Ok(Done::Yes),
        Some(true) => return Ok(Done::After(SAID_MS)),
        Some(false) => {}
    }
    match http::tell::<()>(cx, "POST", &format!("rooms/{room}/leave"), None).await {
        Err(failure) if failure.code() == Some(Code::Forbidden) => cx.with(|s| stay(s, room)),
        Err(failure) if !failure.is_final() => return Err(failure),
        // Not found: out already.
        _ => cx.with(|s| gone(s, room, Standing::Left, None)),
    }
    Ok(Done::Yes)
}

/// The hub does not let the last owner go.
fn stay(s: &mut State, room: RoomId) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    if group.standing == Standing::Leaving {
        group.standing = Standing::Active;
        save(s, &mut chat, group);
        s.live.turns += 1;
    }
}

/// This account was sent away.
pub(super) fn removed(s: &mut State, room: RoomId, by: Option<&UserAddress>, time_ms: Millis) {
    gone(s, room, Standing::Removed, by.map(|by| (by.clone(), time_ms)));
}

fn gone(s: &mut State, room: RoomId, standing: Standing, by: Option<(UserAddress, Millis)>) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    if !group.is_in() && group.standing != Standing::Leaving {
        return;
    }
    // Whoever was on the way out has gone by themselves.
    let standing = if group.standing == Standing::Leaving { Standing::Left } else { standing };
    group.standing = standing;
    group.wanted.clear();
    chat.room = None;
    chat.group = Some(group.clone());
    for mut queued in queue::of_chat(s, chat.id) {
        if queued.hidden {
            queue::remove(s, &queued);
        } else if queued.stage == Stage::Waiting {
            queued.stage = Stage::Failed { code: "not_in_group".into() };
            queue::update(s, &queued);
        }
    }
    let code = if standing == Standing::Left { "left_me" } else { "removed_me" };
    let (by, time_ms) = by.map_or((None, s.now), |(by, time_ms)| (Some(by), time_ms));
    lines::line(s, &mut chat, code, by.as_ref(), Vec::new(), "", time_ms);
    rooms::with(s, |ctx| forget(ctx, room));
    s.live.rosters.remove(&room);
    s.live.rooms.remove(&room);
    s.live.asking.remove(&room);
    s.connection.set_aside(room);
    s.live.turns += 1;
    save(s, &mut chat, group);
}

/// The node does not know this account in the room (any more): that is asked once more, by another way.
pub(crate) fn refused(s: &mut State, room: RoomId) {
    if find(s, room)
        .is_some_and(|(_, group)| group.is_in() && (group.standing == Standing::Active || group.begun))
    {
        s.jobs.want(Job::LookIn(room));
    }
}

/// The job: whether this account is still in the group.
pub(crate) async fn look_in(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let answer = http::get::<GroupInfoAnswer>(cx, &format!("rooms/{room}/group-info")).await;
    match answer {
        Err(failure) if matches!(failure.code(), Some(Code::NotFound | Code::Forbidden)) => {
            cx.with(|s| removed(s, room, None, 0));
            Ok(Done::Yes)
        }
        Err(failure) if !failure.is_final() => Err(failure),
        _ => Ok(Done::Yes),
    }
}
