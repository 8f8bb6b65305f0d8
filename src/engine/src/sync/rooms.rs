//! The rooms of this device, with what they need of the rest of the engine.

use crate::chats::{self, Chat};
use crate::contacts;
use crate::http::Failure;
use crate::kv::{Kv, prefix};
use crate::rooms::{self, Info, Pins, RoomCtx, RoomError, Stage};
use crate::runtime::State;
use std::collections::{BTreeMap, BTreeSet};
use weft_mls::Roles;
use weft_mls::sets::set;
use weft_wire::contacts::ContactState;
use weft_wire::content::Ephemeral;
use weft_wire::identity::DeviceCert;
use weft_wire::rooms::RoomKind;
use weft_wire::{Blob, RoomId, UserAddress};

/// The pinned identity keys, as the rooms ask for them.
#[derive(Default)]
pub(crate) struct PinMap(BTreeMap<UserAddress, [u8; 32]>);

impl Pins for PinMap {
    fn pinned(&self, user: &UserAddress) -> Option<[u8; 32]> {
        self.0.get(user).copied()
    }
}

/// Reads all pins, when the engine opens.
pub(crate) fn load_pins(s: &mut State) {
    for contact in contacts::all(s) {
        set_pin(s, &contact);
    }
}

/// A person's pin is (another one) now, or they are blocked, or not any more.
pub(crate) fn set_pin(s: &mut State, contact: &contacts::Contact) {
    match contact.state {
        Some(ContactState::Blocked) => drop(s.live.blocked.insert(contact.user.clone())),
        _ => drop(s.live.blocked.remove(&contact.user)),
    }
    if let Some(pin) = contact.pin {
        s.live.pins.0.insert(contact.user.clone(), pin.identity_key);
    }
}

/// Does something with the rooms' state. None: nobody is signed in.
pub(crate) fn with<R>(s: &mut State, f: impl FnOnce(&mut RoomCtx<'_>) -> R) -> Option<R> {
    let me = s.live.me.clone()?;
    let now = s.live.node_time(s.now);
    let mut ctx = RoomCtx { kv: &mut s.kv, rng: &mut s.rng, now, me: &me.room, pins: &s.live.pins };
    Some(f(&mut ctx))
}

/// The same, for jobs.
pub(crate) fn try_with<R>(
    s: &mut State,
    f: impl FnOnce(&mut RoomCtx<'_>) -> Result<R, RoomError>,
) -> Result<R, Failure> {
    with(s, f).ok_or(Failure::Nonsense("nobody is signed in"))?.map_err(Failure::from)
}

/// What this device knows of a room.
pub(crate) fn info(s: &mut State, room: RoomId) -> Option<Info> {
    with(s, |ctx| rooms::info(ctx, room))?.ok()?
}

/// Whether messages can be read and written there.
pub(crate) fn is_active(s: &mut State, room: RoomId) -> bool {
    info(s, room).is_some_and(|info| info.stage == Stage::Active)
}

/// The devices in the group; none when this device is not in it.
pub(crate) fn members(s: &mut State, room: RoomId) -> Vec<DeviceCert> {
    with(s, |ctx| rooms::members(ctx, room)).and_then(Result::ok).unwrap_or_default()
}

/// The owners and admins of a group that this device is in; none of a direct room.
pub(crate) fn roles(s: &mut State, room: RoomId) -> Option<Roles> {
    with(s, |ctx| rooms::roles(ctx, room))?.ok()?
}

/// Whether a device of somebody else is in the group that was not signed out. Who is alone in a group of many may write all the
/// same: nobody who comes later reads it, and no device of theirs is waited for.
pub(crate) fn has_reader(s: &mut State, room: RoomId) -> bool {
    let Some(me) = s.live.me.clone() else { return false };
    let gone = s.live.rooms.get(&room).into_iter().flat_map(|state| &state.gone).map(|gone| gone.device);
    let gone = set(gone);
    let members = members(s, room);
    let mut others = members.iter().filter(|cert| cert.user != me.user).peekable();
    if others.peek().is_none() && info(s, room).is_some_and(|info| info.kind == Some(RoomKind::Group)) {
        return true;
    }
    others.any(|cert| !gone.contains(&cert.device))
}

/// Every room that this device holds anything of.
pub(crate) fn all(s: &State) -> BTreeSet<RoomId> {
    let start = prefix::ROOMS.len();
    let keys = s.kv.scan(prefix::ROOMS).into_iter().map(|(key, _)| key);
    set(keys.filter_map(|key| RoomId::from_slice(key.get(start..start + 16)?).ok()))
}

/// The other one of a direct room.
pub(crate) fn peer(s: &State, kind: &RoomKind) -> Option<UserAddress> {
    let me = &s.live.me.as_ref()?.user;
    match kind {
        RoomKind::Direct { members: (a, b) } if a == me && b != me => Some(b.clone()),
        RoomKind::Direct { members: (a, b) } if b == me && a != me => Some(a.clone()),
        _ => None,
    }
}

/// The direct room of this person and another one.
pub(crate) fn direct_kind(me: &UserAddress, other: &UserAddress) -> RoomKind {
    let (low, high) = if me < other { (me, other) } else { (other, me) };
    RoomKind::Direct { members: (low.clone(), high.clone()) }
}

/// Seals an ephemeral event; none when that is not possible now.
pub(crate) fn seal_ephemeral(s: &mut State, room: RoomId, event: &Ephemeral) -> Option<Blob> {
    let event = weft_wire::encode(event);
    with(s, |ctx| rooms::seal_ephemeral(ctx, room, &event))?.ok()
}

/// Finds the chat of a room by who is in the group, and puts the room under it. What the hub says of a room is not needed
/// for that; a group in which anybody else is than the two never becomes a direct chat.
pub(crate) fn link(s: &mut State, room: RoomId) -> Option<(Chat, bool)> {
    let me = s.live.me.clone()?;
    // Two people in a group are no direct chat: others may come.
    if info(s, room).is_some_and(|info| info.kind == Some(RoomKind::Group)) {
        return None;
    }
    let members = members(s, room);
    let others = set(members.iter().map(|cert| &cert.user).filter(|user| **user != me.user));
    let linked = chats::of_room(s, room);
    let user = match others.len() {
        0 => linked.as_ref().and_then(|chat| chat.user.clone())?,
        1 => others.first().copied().cloned()?,
        _ => return None,
    };
    // Whatever the hub says that the room is for: a chat is with a person whose key is known, by that key.
    let known =
        |cert: &DeviceCert| cert.user == me.user || s.live.pins.pinned(&cert.user) == Some(cert.identity_key);
    if !members.iter().all(known) {
        return None;
    }
    if linked.is_some_and(|chat| chat.user.as_ref() != Some(&user)) {
        return None;
    }
    let mut chat = chats::with_user(s, &user)?;
    chats::link_room(s, &mut chat, room);
    let kind = direct_kind(&me.user, &user);
    with(s, |ctx| rooms::set_kind(ctx, room, &kind))?.ok()?;
    Some((chat, !others.is_empty()))
}
