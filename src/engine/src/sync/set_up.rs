//! The room of a direct chat: made when there is something to send, with every device of both people in it.

use super::{commits, rooms, settle};
use crate::chats::{self, ChatId};
use crate::connection;
use crate::contacts::{self, Pin};
use crate::http::{self, Failure};
use crate::jobs::Done;
use crate::rooms::{RoomError, add_devices};
use crate::runtime::{Cx, State};
use weft_wire::contacts::ClaimedKeyPackages;
use weft_wire::rooms::{CreateRoom, RoomCreated};
use weft_wire::{Blob, Code, Millis, RoomId, UserAddress};

/// The other side has no device that could be added: asked again so often.
const NO_DEVICE_MS: Millis = 15_000;

/// The job: the room is there and the other side is in it. Every step can be the last one before a crash.
pub(crate) async fn set_up(cx: &Cx, chat: ChatId) -> Result<Done, Failure> {
    let Some((room, user, request)) = cx.with(|s| begin(s, chat))? else { return Ok(Done::Yes) };
    if let Some(request) = request {
        let created: RoomCreated = match http::post(cx, "rooms", &request).await {
            Ok(created) => created,
            Err(failure) if failure.code() == Some(Code::IdConflict) => {
                cx.with(|s| settle::abandon(s, chat, room));
                return Ok(Done::After(0));
            }
            Err(failure) => return Err(failure),
        };
        if let Some(existing) = created.existing.filter(|existing| *existing != room) {
            cx.with(|s| settle::fold(s, room, existing));
            return Ok(Done::Yes);
        }
        cx.with(|s| connection::follow(s, vec![(room, 0)]));
    }
    let Some(own) = cx.with(|s| s.live.me.as_ref().map(|me| me.user.clone())) else { return Ok(Done::Yes) };
    let theirs = claim(cx, &user).await?;
    // The own other devices can come in by themselves; the other person cannot wait for them.
    let ours = claim(cx, &own).await.unwrap_or_default();
    let planned = cx.with(|s| -> Result<Option<Done>, Failure> {
        if settle::set_up_room(s, chat) != Some(room) {
            return Ok(Some(Done::Yes));
        }
        let present = rooms::members(s, room);
        if rooms::info(s, room).is_some_and(|info| info.pending) {
            return Ok(None);
        }
        let missing = |packages: &[(weft_wire::DeviceId, Blob)]| -> Vec<Blob> {
            let missing = packages.iter().filter(|(id, _)| !present.iter().any(|cert| cert.device == *id));
            missing.map(|(_, package)| package.clone()).collect()
        };
        let theirs = missing(&theirs);
        if theirs.is_empty() && !present.iter().any(|cert| cert.user == user) {
            return Ok(Some(Done::After(NO_DEVICE_MS)));
        }
        let all = [theirs, missing(&ours)].concat();
        if all.is_empty() {
            let now = s.now;
            settle::set_up_ended(s, room);
            settle::settle(s, room, "secured", now);
            return Ok(Some(Done::Yes));
        }
        match rooms::try_with(s, |ctx| add_devices(ctx, room, &all)) {
            Ok(_) | Err(Failure::Room(RoomError::Busy)) => Ok(None),
            Err(failure) => Err(failure),
        }
    })?;
    match planned {
        Some(done) => Ok(done),
        None => commits::submit(cx, room).await,
    }
}

type Begun = (RoomId, UserAddress, Option<CreateRoom>);

fn begin(s: &mut State, id: ChatId) -> Result<Option<Begun>, Failure> {
    let Some(me) = s.live.me.clone() else { return Ok(None) };
    let Some(mut chat) = chats::find(s, id).filter(|chat| chat.room.is_none()) else {
        return Ok(None);
    };
    let Some(user) = chat.user.clone().filter(|_| chat.may_send(s)) else { return Ok(None) };
    // A room of theirs that this device is about to join is as good.
    let known: Vec<_> = s.live.rooms.values().map(|state| (state.room, state.kind.clone())).collect();
    let kind = rooms::direct_kind(&me.user, &user);
    let own = settle::set_up_room(s, id);
    let theirs = known
        .iter()
        .any(|(room, of)| *of == kind && own != Some(*room) && settle::folded_into(s, *room).is_none());
    if theirs && own.is_none() {
        return Ok(None);
    }
    let room = match own {
        Some(room) => room,
        None => {
            let room = settle::new_room(s, &me.user.node);
            settle::begin_set_up(s, id, room);
            room
        }
    };
    let request = match settle::create(s, room, &kind) {
        Ok(request) => Some(request),
        Err(Failure::Room(RoomError::Exists)) => None,
        Err(failure) => return Err(failure),
    };
    chats::link_room(s, &mut chat, room);
    Ok(Some((room, user, request)))
}

async fn claim(cx: &Cx, user: &UserAddress) -> Result<Vec<(weft_wire::DeviceId, Blob)>, Failure> {
    let claimed: ClaimedKeyPackages = http::post_empty(cx, &format!("users/{user}/key-packages")).await?;
    let identity = claimed.identity.open().map_err(|_| Failure::Nonsense("an identity that is none"))?;
    if &identity.user != user {
        return Err(Failure::Nonsense("the identity of somebody else"));
    }
    let own = cx.with(|s| {
        if s.live.me.as_ref().is_some_and(|me| me.user == *user) {
            return s.live.me.as_ref().is_some_and(|me| me.identity_key == identity.identity_key);
        }
        let Some(mut contact) = contacts::find(s, user) else { return false };
        let same = contacts::check_pin(s, &mut contact, Pin::from(&identity));
        contacts::save(s, &contact);
        same
    });
    if !own {
        return Err(Failure::Nonsense("another identity key than the pinned one"));
    }
    Ok(claimed.packages.into_iter().map(|package| (package.device, package.key_package)).collect())
}
