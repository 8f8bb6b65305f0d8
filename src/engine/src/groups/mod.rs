//! Groups: who is in one, what it and its people are called, what its chat says of what happens to it.
//!
//! The MLS group says who is in it and what they may do; here is kept what is not written there: the name, what members call
//! themselves, and what this device still has to do.

pub(crate) mod anew;
pub(crate) mod calls;
pub(crate) mod changes;
mod claims;
mod commits;
pub(crate) mod door;
pub(crate) mod leaving;
pub(crate) mod lines;
pub(crate) mod making;
pub(crate) mod names;
pub(crate) mod views;

use crate::api::Event;
use crate::chats::{self, Chat, ChatId};
use crate::contacts::{self, incoming::tidy};
use crate::runtime::State;
use crate::sync::rooms;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use weft_wire::rooms::{RoomKind, RoomRole};
use weft_wire::{DeviceId, Millis, NodeName, RoomId, UserAddress, limits};

/// Where this account stands with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Known from another device only; this one is not in it yet.
    #[default]
    Outside,
    /// Made here; members are still being brought in.
    Making,
    /// In it.
    Active,
    /// On the way out: said, and not carried out yet.
    Leaving,
    /// Gone by oneself.
    Left,
    /// Sent away.
    Removed,
    /// Made here, and the node did not take it.
    NotMade,
}

/// What is kept of a group besides its chat and its room.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    /// As it was named; empty: it was not.
    pub name: String,
    /// Whether somebody has said the name since this account came in. The first time is no news.
    pub heard: bool,
    pub standing: Standing,
    /// The node that orders it, once known.
    pub hub: Option<NodeName>,
    /// Some of the others, for the title of one without a name.
    pub some: Vec<UserAddress>,
    /// Who is still to be brought in by the one who made it.
    pub wanted: BTreeSet<UserAddress>,
    /// Everybody who can be brought in at once is in: what is written from now on, they can read.
    pub begun: bool,
    /// Who has said that they go, and whose devices are still in the group; and when this device heard it.
    #[serde(rename = "going")]
    pub leaving: BTreeMap<UserAddress, Millis>,
    /// Gone or sent away, and the person has asked to be let in again.
    pub asked: bool,
    /// People came in since this device has said what its person calls themselves.
    pub introduce: bool,
}

impl Group {
    /// Whether this account is in it, as far as is known.
    pub fn is_in(&self) -> bool {
        matches!(self.standing, Standing::Making | Standing::Active)
    }

    /// Whether messages go out.
    pub fn may_send(&self) -> bool {
        match self.standing {
            Standing::Making => self.begun,
            // What was written before one went, and that one goes.
            Standing::Active | Standing::Leaving => true,
            Standing::Outside | Standing::Left | Standing::Removed | Standing::NotMade => false,
        }
    }
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// By which their devices in the group are certified.
    pub identity_key: [u8; 32],
    pub role: RoomRole,
    pub devices: Vec<DeviceId>,
}

/// Who is in a group at an epoch.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    epoch: u64,
    pub people: BTreeMap<UserAddress, Member>,
}

impl Roster {
    /// What somebody may do; [`RoomRole::Member`] also of those who are not there.
    pub fn role(&self, user: &UserAddress) -> RoomRole {
        self.people.get(user).map_or(RoomRole::Member, |member| member.role)
    }
}

/// The chat of a group's room.
pub(crate) fn chat_of(room: RoomId) -> ChatId {
    ChatId(room)
}

/// The room of a group's chat.
pub(crate) fn room_of(id: ChatId) -> RoomId {
    id.0
}

/// Whether the place of a group's chat is that of a direct chat. Whoever makes a group chooses the id of its room: none that
/// chance would ever give takes the place of a chat with somebody else.
fn is_taken(s: &mut State, room: RoomId) -> bool {
    let Some(me) = s.live.me.clone() else { return true };
    let direct = |other: &UserAddress| chats::direct_id(&me.user, other) == chat_of(room);
    chats::find(s, chat_of(room)).is_some_and(|chat| chat.group.is_none())
        || contacts::all(s).iter().any(|contact| direct(&contact.user))
        || roster(s, room).people.keys().any(direct)
}

/// Whether a room is that of a group.
pub(crate) fn is_group(s: &mut State, room: RoomId) -> bool {
    let known = rooms::info(s, room).is_some_and(|info| info.kind == Some(RoomKind::Group));
    known || find(s, room).is_some()
}

/// The chat of a group, if it is there.
pub(crate) fn find(s: &mut State, room: RoomId) -> Option<(Chat, Group)> {
    let chat = chats::find(s, chat_of(room))?;
    let group = chat.group.clone()?;
    Some((chat, group))
}

/// The chat of a group; made when it is not there. None: its place is another one's, and nothing is shown of it.
pub(crate) fn find_or_make(s: &mut State, room: RoomId) -> Option<(Chat, Group)> {
    if let Some(found) = find(s, room) {
        return Some(found);
    }
    if is_taken(s, room) {
        return None;
    }
    let group = Group::default();
    let chat = chats::make_group(s, room, group.clone());
    Some((chat, group))
}

/// Keeps what was changed, and tells the interface.
pub(crate) fn save(s: &mut State, chat: &mut Chat, group: Group) {
    let room = room_of(chat.id);
    chat.group = Some(group);
    chats::save(s, chat);
    tell(s, room);
}

/// Keeps what nobody sees.
pub(crate) fn save_quietly(s: &mut State, chat: &mut Chat, group: Group) {
    chat.group = Some(group);
    chats::save_quietly(s, chat);
}

/// The interface is to hear how a group is now: once, at the end of the turn. Of 500 people there is much to say.
pub(crate) fn tell(s: &mut State, room: RoomId) {
    s.live.groups_changed.insert(room, ());
}

/// Tells the interface what has changed in this turn.
pub(crate) fn finish_turn(s: &mut State) {
    for (room, ()) in s.live.groups_changed.take() {
        let shown = find(s, room).is_some_and(|(chat, _)| chat.is_shown());
        if let Some(view) = views::group(s, room).filter(|_| shown) {
            s.event(Event::Group(view));
        }
    }
}

/// Who is in a group now; nobody when this device is not in it. Read once an epoch: a group of 500 is much to read.
pub(crate) fn roster(s: &mut State, room: RoomId) -> Rc<Roster> {
    let Some(epoch) = rooms::info(s, room).map(|info| info.epoch) else { return Rc::default() };
    if let Some(known) = s.live.rosters.get(&room).filter(|known| known.epoch == epoch) {
        return known.clone();
    }
    let roles = rooms::roles(s, room);
    let mut people: BTreeMap<UserAddress, Member> = BTreeMap::new();
    for cert in rooms::members(s, room) {
        let role = roles.as_ref().map_or(RoomRole::Member, |roles| roles.of(&cert.user));
        let new = Member { identity_key: cert.identity_key, role, devices: Vec::new() };
        people.entry(cert.user).or_insert(new).devices.push(cert.device);
    }
    let roster = Rc::new(Roster { epoch, people });
    // One that this device is not in (any more) is cheap to read, and may be entered again at the same epoch.
    if !roster.people.is_empty() {
        s.live.rosters.insert(room, roster.clone());
    }
    roster
}

/// The others in a group who have not said that they go.
pub(crate) fn others(s: &mut State, room: RoomId, group: &Group) -> Vec<UserAddress> {
    let Some(me) = s.live.me.clone() else { return Vec::new() };
    let roster = roster(s, room);
    let stays = |user: &&UserAddress| **user != me.user && !group.leaving.contains_key(*user);
    roster.people.keys().filter(stays).cloned().collect()
}

/// One's own role.
pub(crate) fn own_role(s: &mut State, room: RoomId) -> RoomRole {
    let Some(me) = s.live.me.clone() else { return RoomRole::Member };
    roster(s, room).role(&me.user)
}

/// Whether this account is in the group and may bring people in.
pub(crate) fn may_manage(s: &mut State, room: RoomId) -> bool {
    find(s, room).is_some_and(|(_, group)| group.is_in()) && own_role(s, room) >= RoomRole::Admin
}

/// Takes over what another device shares. One that this device is not in yet waits for that, unseen.
pub(crate) fn take_shared(s: &mut State, room: RoomId, name: Option<String>, draft: String, read: u64) {
    let Some((mut chat, mut group)) = find_or_make(s, room) else { return };
    if let Some(name) = name.filter(|_| !group.heard) {
        group.name = tidy(&name, limits::GROUP_NAME_BYTES_MAX);
        group.heard = true;
        save_quietly(s, &mut chat, group);
    }
    chats::take_shared(s, chat, draft, &[(room, read)]);
}
