//! What a group and its people are called. Whoever speaks has said what they call themselves, and nobody can name another.

use super::{Group, Standing, lines, own_role, roster, save};
use crate::account;
use crate::api::PersonView;
use crate::chats::{Chat, queue};
use crate::contacts::{self, incoming::tidy};
use crate::runtime::State;
use crate::shelf::sorted;
use weft_wire::contacts::ContactState;
use weft_wire::content::{GroupProfile, Profile};
use weft_wire::rooms::RoomRole;
use weft_wire::{Blob, Millis, RoomId, UserAddress, limits};

const NAMES: &[u8] = b"g/n/";
/// Of so many others a group without a name is called.
const SOME: usize = 4;

/// The kind of the message that names a group.
pub(crate) const GROUP: &str = "group";
/// The kind of the message by which people say what they call themselves.
pub(crate) const PROFILE: &str = "profile";

fn key(room: RoomId, user: &UserAddress) -> Vec<u8> {
    [NAMES, room.as_bytes(), user.to_string().as_bytes()].concat()
}

/// What somebody is called in a room: a contact by that name, others as they have said there.
pub(crate) fn of(s: &mut State, room: RoomId, user: &UserAddress) -> String {
    if s.live.me.as_ref().is_some_and(|me| me.user == *user)
        && let Some(account) = account::account(s)
    {
        return account.display_name.clone();
    }
    let contact = contacts::find(s, user).filter(|contact| contact.state == Some(ContactState::Accepted));
    // A device with another key than that of the contact is somebody else's.
    let contact = contact.filter(|contact| is_of(s, room, contact));
    if let Some(contact) = contact.filter(|contact| !contact.name.is_empty()) {
        return contact.name;
    }
    s.load::<String>(&key(room, user)).unwrap_or_else(|| user.name.to_string())
}

/// Whether who is in a room under a contact's address is the contact, as far as their key is known.
pub(crate) fn is_of(s: &mut State, room: RoomId, contact: &contacts::Contact) -> bool {
    let there = roster(s, room).people.get(&contact.user).map(|member| member.identity_key);
    let known = contact.pin.map(|pin| pin.identity_key);
    there.zip(known).is_none_or(|(there, known)| there == known)
}

/// Somebody, to be shown by name.
pub(crate) fn person(s: &mut State, room: RoomId, user: &UserAddress) -> PersonView {
    PersonView { user: user.to_string(), name: of(s, room, user) }
}

/// What a group is called: by its name, or the first names of some of its people.
pub(crate) fn title(s: &mut State, room: RoomId, group: &Group) -> String {
    if !group.name.is_empty() {
        return group.name.clone();
    }
    let mut some = group.some.clone();
    if some.is_empty() {
        some.extend(group.wanted.iter().take(SOME).cloned());
    }
    if some.is_empty() {
        some.extend(s.live.me.as_ref().map(|me| me.user.clone()));
    }
    let names: Vec<String> = some.iter().map(|user| of(s, room, user)).map(|name| first(&name)).collect();
    sorted(names, |name| name.to_lowercase()).join(", ")
}

fn first(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// Whom the title is made of, after people came or went.
pub(crate) fn some(others: &[UserAddress]) -> Vec<UserAddress> {
    others.iter().take(SOME).cloned().collect()
}

/// Somebody says what they call themselves.
pub(crate) fn introduced(s: &mut State, room: RoomId, user: &UserAddress, body: &[u8]) {
    let Ok(profile) = weft_wire::decode::<Profile>(body, limits::MESSAGE_BYTES_MAX) else { return };
    let name = tidy(&profile.name, limits::DISPLAY_NAME_BYTES_MAX);
    if name.is_empty() || s.load::<String>(&key(room, user)).as_ref() == Some(&name) {
        return;
    }
    s.store(&key(room, user), &name);
    if let Some((mut chat, group)) = super::find(s, room) {
        save(s, &mut chat, group);
    }
}

/// Somebody says what the group is called. That counts from whoever may, at this point of the log.
pub(crate) fn named(s: &mut State, room: RoomId, by: &UserAddress, body: &[u8], time_ms: Millis) {
    let Ok(profile) = weft_wire::decode::<GroupProfile>(body, limits::MESSAGE_BYTES_MAX) else { return };
    let Some((mut chat, mut group)) = super::find(s, room) else { return };
    if roster(s, room).role(by) < RoomRole::Admin {
        return;
    }
    let name = tidy(&profile.name, limits::GROUP_NAME_BYTES_MAX);
    let news = group.heard && name != group.name;
    if !news && group.heard {
        return;
    }
    group.name.clone_from(&name);
    group.heard = true;
    chat.group = Some(group.clone());
    if news {
        lines::line(s, &mut chat, "named", Some(by), Vec::new(), &name, time_ms);
    }
    save(s, &mut chat, group);
    crate::chats::share(s, &chat);
}

/// Says the group's name to those who have just come in, unless that waits to be said anyway.
pub(crate) fn say_again(s: &mut State, chat: &mut Chat, group: &Group) {
    if own_role(s, super::room_of(chat.id)) < RoomRole::Admin || group.standing == Standing::Leaving {
        return;
    }
    let waits = |queued: &queue::Queued| {
        queued.content.kind == GROUP && queued.room.is_none() && queued.stage == queue::Stage::Waiting
    };
    if !queue::of_chat(s, chat.id).iter().any(waits) {
        say(s, chat, &group.name);
    }
}

/// Says what the group is called.
pub(crate) fn say(s: &mut State, chat: &mut Chat, name: &str) {
    let body = Blob(weft_wire::encode(&GroupProfile { name: name.to_owned() }));
    // A queue that is full has more pressing things to say.
    let _ = queue::push(s, chat, GROUP, body, None, true);
}

/// Before a message: what one calls oneself, if people have come who may not know.
pub(crate) fn introduce(s: &mut State, chat: &mut Chat) {
    let Some(group) = chat.group.as_mut().filter(|group| group.introduce) else { return };
    group.introduce = false;
    let Some(name) = account::account(s).map(|account| account.display_name.clone()) else { return };
    let body = Blob(weft_wire::encode(&Profile { name }));
    let _ = queue::push(s, chat, PROFILE, body, None, true);
}
