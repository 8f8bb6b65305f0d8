//! Going, and being sent away. What was said stays readable; the keys go.

use super::views::may_remove;
use super::{Group, Standing, anew, find, lines, names, own_role, save};
use crate::chats::queue::{self, Stage};
use crate::chats::{self, Chat};
use crate::error::{Refusal, call_error};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{Stage::Left as Away, forget};
use crate::runtime::{Cx, State};
use crate::sync::rooms;
use weft_mls::{commit::device_ref, policy};
use weft_wire::content::Leave;
use weft_wire::rooms::GroupInfoAnswer;
use weft_wire::{Blob, Code, DeviceId, Millis, RoomId, UserAddress};

/// The kind of the message that says it.
pub(crate) const LEAVE: &str = "leave";
/// So long the message has to go out; then this account goes without a word.
const SAY_MS: Millis = 15_000;
/// A node that refuses to let this account out is asked again after that.
const REFUSED_MS: Millis = 60_000;
/// So long after somebody has said that they go, the hub has to name their devices gone. Then whoever may sends them away: nobody
/// reads on under the others' eyes as one who has left.
const LINGER_MS: Millis = 60_000;
/// So long the person waits to hear that it is done. It will be.
const HEARD_MS: Millis = 20_000;

/// Goes.
pub(super) async fn leave(cx: &Cx, room: RoomId) -> Result<(), Refusal> {
    let begun = cx.with(|s| -> Result<bool, Refusal> {
        let (mut chat, mut group) = find(s, room).ok_or_else(super::commits::not_in_group)?;
        // Whom the node names as a member, though they have gone, says so once more.
        if !group.is_in() && !s.live.unsure.contains_key(&room) {
            return Ok(false);
        }
        if !s.connection.is_ready() {
            return Err(Failure::NoAnswer.into());
        }
        if !may_leave(s, room, &group) {
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

/// As the hub will judge it: what it refuses is not said to the others either.
fn may_leave(s: &mut State, room: RoomId, group: &Group) -> bool {
    let (Some(me), Some(roles)) = (s.live.me.clone(), rooms::roles(s, room)) else { return true };
    let gone = s.live.rooms.get(&room).map(|state| state.gone.clone()).unwrap_or_default();
    let mut present: Vec<_> = rooms::members(s, room).iter().map(device_ref).collect();
    present.retain(|device| !group.leaving.contains_key(&device.user));
    policy::may_leave(&present, roles.named(), &gone, &me.user).is_ok()
}

fn last_owner() -> Refusal {
    call_error("last_owner", "The last owner names another one first.")
}

/// Groups that this account is on the way out of.
pub(crate) fn under_way(s: &mut State) -> Vec<RoomId> {
    let leaving = |chat: &Chat| chat.group.as_ref().is_some_and(|group| group.standing == Standing::Leaving);
    chats::all(s).iter().filter(|chat| leaving(chat)).map(|chat| super::room_of(chat.id)).collect()
}

/// Devices of those who have said that they go and are still there, which this account may remove; and from when on.
pub(crate) fn lingering(s: &mut State, room: RoomId) -> Vec<(Millis, DeviceId)> {
    let Some((_, group)) = find(s, room).filter(|(_, group)| group.is_in()) else { return Vec::new() };
    let (roster, own) = (super::roster(s, room), own_role(s, room));
    let mut found = Vec::new();
    for (user, heard_ms) in group.leaving {
        let member = roster.people.get(&user).filter(|member| may_remove(own, member.role));
        let devices = member.into_iter().flat_map(|member| &member.devices);
        found.extend(devices.map(|device| (heard_ms + LINGER_MS, *device)));
    }
    found
}

/// How long this device still tries to say that it goes. Once that is taken, kept by the own node, or heard by nobody, there is
/// nothing to wait for.
fn to_say(s: &mut State, room: RoomId, chat: &Chat) -> Option<Millis> {
    let unsaid =
        |one: &queue::Queued| one.content.kind == LEAVE && one.stage == Stage::Waiting && one.held.is_none();
    let waits = queue::of_chat(s, chat.id).iter().any(unsaid);
    if !waits || !rooms::is_active(s, room) || !rooms::has_reader(s, room) {
        return None;
    }
    let now = s.now;
    let by = s.live.say_by.get(&room).copied().unwrap_or(now + SAY_MS);
    s.live.say_by.insert(room, by);
    by.checked_sub(now).filter(|left| *left > 0)
}

/// The job: this account is out of the group. First the others hear it, then the hub.
pub(crate) async fn carry_out(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let waits = cx.with(|s| {
        let (chat, _) = find(s, room).filter(|(_, group)| group.standing == Standing::Leaving)?;
        Some(to_say(s, room, &chat))
    });
    match waits {
        None => return Ok(Done::Yes),
        // What becomes of the message wants the job again.
        Some(Some(left)) => return Ok(Done::After(left)),
        Some(None) => {}
    }
    match http::tell::<()>(cx, "POST", &format!("rooms/{room}/leave"), None).await {
        Err(failure) if failure.code() == Some(Code::Forbidden) => cx.with(|s| stay(s, room)),
        Err(failure) if !failure.is_final() => return Err(failure),
        // The node does not do it now, which is no reason to say that it is done.
        Err(failure) if failure.code() != Some(Code::NotFound) => return Ok(Done::After(REFUSED_MS)),
        // Not found: out already.
        _ => cx.with(|s| gone(s, room, Standing::Left, None)),
    }
    Ok(Done::Yes)
}

/// The hub does not let the last owner go.
fn stay(s: &mut State, room: RoomId) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    if group.standing != Standing::Leaving {
        return;
    }
    group.standing = Standing::Active;
    // Whoever has heard it hears that they are still here: whoever speaks has not gone.
    group.introduce = true;
    chat.group = Some(group);
    for queued in queue::of_chat(s, chat.id) {
        if queued.content.kind == LEAVE && queued.stage == Stage::Waiting {
            queue::remove(s, &queued);
        }
    }
    names::introduce(s, &mut chat);
    s.live.say_by.remove(&room);
    s.live.turns += 1;
    chats::save(s, &chat);
    super::tell(s, room);
    s.jobs.want(Job::Send(chat.id));
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
    drop_queued(s, &chat);
    let code = if standing == Standing::Left { "left_me" } else { "removed_me" };
    let (by, time_ms) = by.map_or((None, s.now), |(by, time_ms)| (Some(by), time_ms));
    lines::line(s, &mut chat, code, by.as_ref(), Vec::new(), "", time_ms);
    // A Welcome that leads in again, further on in the log, stays with the place there. The keys of before are gone already.
    let is_led = rooms::info(s, room).is_some_and(|info| info.stage == Away && info.welcome.is_some());
    if !is_led {
        rooms::with(s, |ctx| forget(ctx, room));
        s.live.rooms.remove(&room);
        s.connection.set_aside(room);
    }
    s.live.rosters.remove(&room);
    s.live.signed_out.remove(&room);
    s.live.asking.remove(&room);
    s.live.say_by.remove(&room);
    anew::decided(s, room);
    s.live.turns += 1;
    save(s, &mut chat, group);
}

/// What still waits to be sent does not go out any more.
pub(super) fn drop_queued(s: &mut State, chat: &Chat) {
    for mut queued in queue::of_chat(s, chat.id) {
        if queued.hidden {
            queue::remove(s, &queued);
        } else if queued.stage == Stage::Waiting {
            queued.stage = Stage::Failed { code: "not_in_group".into() };
            queue::update(s, &queued);
        }
    }
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
