//! What a commit of a group means here.

use super::{Standing, anew, door, find_or_make, leaving, lines, names, others, save};
use crate::chats::{self, queue, reads};
use crate::jobs::Job;
use crate::rooms::Change;
use crate::runtime::State;
use crate::sync;
use weft_wire::content::Leave;
use weft_wire::rooms::RoomState;
use weft_wire::{MessageId, Millis, RoomId, UserAddress, limits};

/// A group has changed, by the log, by a Welcome or by an own commit. `ahead`: an own commit that the log has not come to.
pub(crate) fn changed(
    s: &mut State,
    room: RoomId,
    time_ms: Millis,
    change: &Change,
    ahead: Option<MessageId>,
) {
    let Some(me) = s.live.me.clone() else { return };
    let Some((mut chat, mut group)) = find_or_make(s, room) else { return };
    if change.removed_me {
        return leaving::removed(s, room, Some(&change.by.user), time_ms);
    }
    // Before the lines: of those who have said that they go, these forget it.
    door::note_sent_away(s, room, &group, change);
    if change.added.iter().any(|cert| cert.device == me.device) {
        let was_in = group.is_in();
        if !matches!(group.standing, Standing::Making | Standing::Leaving) {
            group.standing = Standing::Active;
        }
        if !was_in {
            group.leaving.clear();
            group.introduce = true;
        }
        group.asked = false;
        anew::decided(s, room);
        chat.group = Some(group);
        chats::attach_room(s, &mut chat, room);
        lines::of_entry(s, &mut chat, change, was_in, time_ms);
        sync::settle::sweep(s, &mut chat, room);
    } else {
        match ahead {
            Some(commit) => lines::put_off(s, room, commit, change),
            None => lines::of_change(s, room, change, time_ms),
        }
    }
    settle(s, room, change);
    if change.lost_pending {
        sync::commits::plan_anew(s, room);
    }
    sync::commits::look_for_gone(s, room);
}

/// Who is there now.
fn settle(s: &mut State, room: RoomId, change: &Change) {
    let (Some((mut chat, mut group)), Some(me)) = (super::find(s, room), s.live.me.clone()) else { return };
    let others = others(s, room, &group);
    group.some = names::some(&others);
    group.introduce |= !change.came.is_empty();
    // Who enters anew finds people who have heard the name.
    if change.own && !change.came.is_empty() && !change.added.iter().any(|cert| cert.device == me.device) {
        names::say_again(s, &mut chat, &group);
    }
    save(s, &mut chat, group);
    reads::members_changed(s, room);
    door::look(s, room);
    s.jobs.want(Job::Send(chat.id));
}

/// The node describes a group.
pub(crate) fn described(s: &mut State, state: &RoomState) {
    let Some((mut chat, mut group)) = super::find(s, state.room) else { return };
    if group.hub.as_ref() != Some(&state.hub) {
        group.hub = Some(state.hub.clone());
        save(s, &mut chat, group);
    }
    door::look(s, state.room);
}

/// Somebody says that they go.
pub(crate) fn said_leave(s: &mut State, room: RoomId, user: &UserAddress, body: &[u8], time_ms: Millis) {
    if weft_wire::decode::<Leave>(body, limits::MESSAGE_BYTES_MAX).is_err() {
        return;
    }
    let Some((mut chat, mut group)) = super::find(s, room) else { return };
    if s.live.me.as_ref().is_some_and(|me| me.user == *user) {
        // On another device of one's own, which may not get to the rest.
        if group.is_in() {
            group.standing = Standing::Leaving;
            save(s, &mut chat, group);
            s.jobs.want(Job::Leave(room));
        }
        return;
    }
    if group.leaving.insert(user.clone(), s.now).is_none() {
        chat.group = Some(group);
        lines::line(s, &mut chat, "left", None, vec![user.clone()], "", time_ms);
        people_changed(s, room);
        sync::commits::look_for_gone(s, room);
    }
}

/// Whoever speaks has not gone: the hub did not let them.
pub(crate) fn spoke(s: &mut State, room: RoomId, user: &UserAddress) {
    let Some((mut chat, mut group)) = super::find(s, room) else { return };
    if group.leaving.remove(user).is_some() {
        save(s, &mut chat, group);
        people_changed(s, room);
    }
}

fn people_changed(s: &mut State, room: RoomId) {
    let Some((mut chat, mut group)) = super::find(s, room) else { return };
    let others = others(s, room, &group);
    group.some = names::some(&others);
    save(s, &mut chat, group);
    reads::members_changed(s, room);
}

/// A hidden message of one's own has its place in the log.
pub(crate) fn own_hidden(s: &mut State, room: RoomId, queued: &queue::Queued, time_ms: Millis) {
    let Some(me) = s.live.me.clone() else { return };
    match queued.content.kind.as_str() {
        names::GROUP => names::named(s, room, &me.user, queued.content.body.as_slice(), time_ms),
        leaving::LEAVE => s.jobs.want(Job::Leave(room)),
        _ => {}
    }
}
