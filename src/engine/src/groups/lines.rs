//! The lines in a group's chat that say what happened to it.

use super::find;
use crate::chats::Chat;
use crate::chats::timeline::{self, Body, NewRow};
use crate::rooms::Change;
use crate::runtime::State;
use weft_mls::sets::set;
use weft_wire::rooms::RoomRole;
use weft_wire::{MessageId, Millis, RoomId, UserAddress};

/// A line about people.
pub(crate) fn line(
    s: &mut State,
    chat: &mut Chat,
    code: &str,
    by: Option<&UserAddress>,
    people: Vec<UserAddress>,
    text: &str,
    time_ms: Millis,
) {
    let body = Body::System { code: code.into(), user: None, by: by.cloned(), people, text: text.into() };
    timeline::append(s, chat, NewRow::system(body, time_ms));
}

/// An own commit that was merged before the log came to its place: its lines wait for that.
fn waiting_key(room: RoomId, commit: MessageId) -> Vec<u8> {
    [b"g/l/".as_slice(), room.as_bytes(), commit.as_bytes()].concat()
}

/// Keeps what an own commit changed until the log is there.
pub(crate) fn put_off(s: &mut State, room: RoomId, commit: MessageId, change: &Change) {
    s.store(&waiting_key(room, commit), change);
}

/// The log has come to an own commit.
pub(crate) fn came_by(s: &mut State, room: RoomId, commit: MessageId, time_ms: Millis) {
    let key = waiting_key(room, commit);
    if let Some(change) = s.load::<Change>(&key) {
        s.kv_delete(&key);
        of_change(s, room, &change, time_ms);
    }
}

/// What a commit did, in lines. Alike on every device, but for what each has heard of those who went.
pub(crate) fn of_change(s: &mut State, room: RoomId, change: &Change, time_ms: Millis) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    let by = &change.by.user;
    if !change.came.is_empty() {
        line(s, &mut chat, "added", Some(by), change.came.clone(), "", time_ms);
    }
    let (said, went): (Vec<_>, Vec<_>) =
        change.went.iter().cloned().partition(|user| group.leaving.contains_key(user));
    let (removed, gone): (Vec<_>, Vec<_>) =
        went.into_iter().partition(|user| was_sent_away(s, room, change, user));
    if !removed.is_empty() {
        line(s, &mut chat, "removed", Some(by), removed, "", time_ms);
    }
    if !gone.is_empty() {
        line(s, &mut chat, "gone", None, gone, "", time_ms);
    }
    for (code, people) in new_roles(change) {
        line(s, &mut chat, code, Some(by), people, "", time_ms);
    }
    if !said.is_empty() {
        group.leaving.retain(|user, _| !said.contains(user));
        super::save(s, &mut chat, group);
    }
}

/// Whether somebody was made to go. Who has signed out everywhere was not, whoever tidied up after them.
fn was_sent_away(s: &State, room: RoomId, change: &Change, user: &UserAddress) -> bool {
    let role = |user| change.roles_before.as_ref().map_or(RoomRole::Member, |roles| roles.of(user));
    let (by, whom) = (role(&change.by.user), role(user));
    let may = by == RoomRole::Owner || (by == RoomRole::Admin && whom == RoomRole::Member);
    let mut gone = s.live.signed_out.get(&room).cloned().unwrap_or_default();
    gone.extend(s.live.rooms.get(&room).into_iter().flat_map(|state| &state.gone).map(|gone| gone.device));
    let tidied =
        change.removed.iter().filter(|device| device.user == *user).all(|it| gone.contains(&it.device));
    may && !tidied && change.by.user != *user
}

/// Whose role is another one, by the role.
fn new_roles(change: &Change) -> Vec<(&'static str, Vec<UserAddress>)> {
    let (Some(before), Some(after)) = (&change.roles_before, &change.roles) else { return Vec::new() };
    let touched = set(before.named().keys().chain(after.named().keys()));
    let mut by_role = Vec::new();
    for role in [RoomRole::Owner, RoomRole::Admin, RoomRole::Member] {
        let now = |user: &&&UserAddress| {
            after.of(user) == role && before.of(user) != role && !change.went.contains(**user)
        };
        let people: Vec<UserAddress> = touched.iter().filter(now).map(|user| (*user).clone()).collect();
        if !people.is_empty() {
            by_role.push((super::views::role_name(role), people));
        }
    }
    by_role
}

/// How this device came in: by whom, or by itself; and what it could not follow.
pub(crate) fn of_entry(s: &mut State, chat: &mut Chat, change: &Change, was_in: bool, time_ms: Millis) {
    let Some(me) = s.live.me.clone() else { return };
    let by = &change.by.user;
    let (code, by, people) = match (change.own, *by == me.user) {
        (true, _) if was_in => ("resynced", None, Vec::new()),
        (false, false) => ("added", Some(by), vec![me.user.clone()]),
        // By another device of one's own: there from the beginning, or not.
        (false, true) if change.epoch == 1 => ("created", Some(by), Vec::new()),
        _ => ("joined", None, Vec::new()),
    };
    line(s, chat, code, by, people, "", time_ms);
    let said = chat.group.as_ref().map(|group| group.leaving.clone()).unwrap_or_default();
    let went = change.went.iter().filter(|user| !said.contains_key(*user)).cloned().collect();
    let mut meanwhile = vec![("came_meanwhile", change.came.clone()), ("went_meanwhile", went)];
    meanwhile.extend(new_roles(change));
    for (code, people) in meanwhile.into_iter().filter(|(_, people)| !people.is_empty()) {
        line(s, chat, code, None, people, "", time_ms);
    }
    if let Some(group) = &mut chat.group {
        group.leaving.retain(|user, _| !change.went.contains(user));
    }
}
