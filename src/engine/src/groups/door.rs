//! The door of a group: links to it, and those who ask to be let in.

use super::claims::{self, Claimed};
use super::{find, making, may_manage};
use crate::api::{CallError, GroupLinkView, GroupPreview, JoinedView};
use crate::contacts::links;
use crate::error::{call_error, field_error};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use crate::sync::{commits, rooms};
use serde::{Deserialize, Serialize};
use weft_wire::invites::{Link, LinkGroup};
use weft_wire::rooms::{AskToJoin, CreateGroupLink, JoinAnswer, JoinRequest, JoinRequests};
use weft_wire::{Blob, Millis, RoomId, UserAddress, limits};

const DAY_MS: Millis = 24 * 3_600_000;
/// How long a link lives.
const LIFETIME_MS: Millis = 30 * DAY_MS;
/// A link is shown again for so long, rather than a new one being made each time the page opens.
const FRESH_MS: Millis = 7 * DAY_MS;

/// The link that was made last.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    token: Blob,
    made_ms: Millis,
}

fn key(room: RoomId, approval: bool) -> Vec<u8> {
    [b"g/k/".as_slice(), room.as_bytes(), &[u8::from(approval)]].concat()
}

fn not_allowed() -> CallError {
    call_error("not_allowed", "That takes a higher role in this group.")
}

/// A link to a group: the one that was made last, unless a fresh one is asked for. That ends all from before.
pub(super) async fn link(
    cx: &Cx,
    room: RoomId,
    approval: bool,
    base_url: &str,
    fresh: bool,
) -> Result<GroupLinkView, CallError> {
    links::check_base(base_url)?;
    let (kept, hub, name) = cx.with(|s| -> Result<_, CallError> {
        let (_, group) = find(s, room).ok_or_else(super::commits::not_in_group)?;
        if !may_manage(s, room) {
            return Err(not_allowed());
        }
        let me = crate::account::me(s)?;
        let hub = group.hub.clone().unwrap_or_else(|| me.user.node.clone());
        let kept: Option<Kept> = s.load(&key(room, approval));
        let now = s.now;
        let kept = kept.filter(|kept| !fresh && now < kept.made_ms + FRESH_MS && now >= kept.made_ms);
        Ok((kept, hub, group.name))
    })?;
    let kept = match kept {
        Some(kept) => kept,
        None => make(cx, room, approval, fresh).await?,
    };
    let at = cx.with(|s| s.live.me.as_ref().is_some_and(|me| me.user.node == hub));
    let at = if at { links::hints(cx, &hub).await } else { Vec::new() };
    let link = Link {
        person: None,
        node: None,
        invite: None,
        group: Some(LinkGroup { room, hub, name, token: kept.token, at }),
    };
    let expires_ms = (kept.made_ms + LIFETIME_MS) as f64;
    Ok(GroupLinkView { url: link.to_url(base_url), expires_ms, approval })
}

async fn make(cx: &Cx, room: RoomId, approval: bool, only: bool) -> Result<Kept, CallError> {
    let token: [u8; 16] = cx.with(|s| s.random());
    let token_hash = *blake3::hash(&token).as_bytes();
    let body = CreateGroupLink { token_hash, approval, lifetime_ms: LIFETIME_MS, only };
    http::tell(cx, "POST", &format!("rooms/{room}/links"), Some(&body)).await?;
    Ok(cx.with(|s| {
        if only {
            s.kv_delete(&key(room, !approval));
        }
        let kept = Kept { token: Blob(token.to_vec()), made_ms: s.now };
        s.store(&key(room, approval), &kept);
        kept
    }))
}

/// Ends all links of a group.
pub(super) async fn end_links(cx: &Cx, room: RoomId) -> Result<(), CallError> {
    if !cx.with(|s| may_manage(s, room)) {
        return Err(not_allowed());
    }
    http::tell::<()>(cx, "DELETE", &format!("rooms/{room}/links"), None).await?;
    cx.with(|s| [true, false].map(|approval| s.kv_delete(&key(room, approval))));
    Ok(())
}

/// What a link says of a group.
pub(crate) fn preview(s: &mut State, group: &LinkGroup) -> GroupPreview {
    let inside = find(s, group.room).is_some_and(|(_, known)| known.is_in());
    GroupPreview {
        name: crate::contacts::incoming::tidy(&group.name, limits::GROUP_NAME_BYTES_MAX),
        node: group.hub.to_string(),
        chat: inside.then(|| super::chat_of(group.room).to_string()),
    }
}

/// Asks to be let into the group that a link leads to.
pub(super) async fn ask(cx: &Cx, text: &str) -> Result<JoinedView, CallError> {
    let link = Link::parse(text).map_err(|error| call_error("bad_link", error))?;
    let group = link.group.ok_or_else(|| call_error("bad_link", "This link leads to no group."))?;
    let room = group.room;
    let chat = super::chat_of(room);
    let member = |inside: bool| JoinedView { state: "member".into(), chat: inside.then(|| chat.to_string()) };
    if cx.with(|s| find(s, room).is_some_and(|(_, known)| known.is_in())) {
        return Ok(member(true));
    }
    let at = group.at.into_iter().filter(|at| at.len() <= limits::PEER_ADDRESS_BYTES_MAX);
    let at = at.take(limits::PEER_ADDRESSES_MAX).collect();
    let body = AskToJoin { hub: group.hub, at, token: group.token };
    match http::post::<_, JoinAnswer>(cx, &format!("rooms/{room}/join"), &body).await? {
        JoinAnswer::Asked => Ok(JoinedView { state: "asked".into(), chat: None }),
        JoinAnswer::Member => Ok(member(cx.with(|s| find(s, room).is_some()))),
    }
}

/// Somebody may ask to be let in, and one may be who decides that.
pub(super) fn look(s: &mut State, room: RoomId) {
    let asking = s.live.rooms.get(&room).map_or(0, |state| state.asking);
    if asking > 0 && may_manage(s, room) {
        s.jobs.want(Job::Asking(room));
    } else if s.live.asking.remove(&room).is_some() {
        super::tell(s, room);
        crate::chats::tell_room(s, room);
    }
}

/// The job: who asks is known. Those whom nobody has to agree to are let in by the first who gets to it.
pub(crate) async fn hear(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    if !cx.with(|s| may_manage(s, room)) {
        return Ok(Done::Yes);
    }
    let answer = http::get::<JoinRequests>(cx, &format!("rooms/{room}/requests")).await;
    let mut requests = match answer {
        Ok(answer) => answer.requests,
        Err(failure) if failure.is_final() => return Ok(Done::Yes),
        Err(failure) => return Err(failure),
    };
    requests.truncate(limits::JOIN_REQUESTS_MAX);
    requests.retain(|one| one.identity.open().is_ok_and(|identity| identity.user == one.user));
    cx.with(|s| {
        let free = requests.iter().any(|one| !one.approval);
        s.live.asking.insert(room, requests);
        super::tell(s, room);
        crate::chats::tell_room(s, room);
        let managers = super::roster(s, room);
        let manages = |user: &UserAddress| managers.role(user) >= weft_wire::rooms::RoomRole::Admin;
        if free && let Some(at) = commits::turn(s, room, |cert| manages(&cert.user)) {
            s.jobs.want_at(Job::LetIn(room), at);
        }
    });
    Ok(Done::Yes)
}

/// The job: those are in whom nobody has to agree to.
pub(crate) async fn let_in(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let free: Vec<JoinRequest> = cx.with(|s| {
        // That nobody has to agree is only the hub's word: it counts where an open link was made here, and is still good.
        let open: Option<Kept> = s.load(&key(room, false));
        let is_open = open.is_some_and(|kept| s.now < kept.made_ms + LIFETIME_MS);
        if !is_open || !may_manage(s, room) || !rooms::is_active(s, room) {
            return Vec::new();
        }
        let roster = super::roster(s, room);
        let asking = s.live.asking.get(&room).cloned().unwrap_or_default();
        asking.into_iter().filter(|one| !one.approval && !roster.people.contains_key(&one.user)).collect()
    });
    let users: Vec<UserAddress> = free.iter().map(|one| one.user.clone()).collect();
    let mut ready = Vec::new();
    for (user, claimed) in claims::of_all(cx, &users, Some(room)).await {
        let asked = free.iter().find(|one| one.user == user);
        ready.extend(claimed.ok().filter(|claimed| asked.is_some_and(|asked| is_of(claimed, asked))));
    }
    for some in ready.chunks(claims::AT_A_TIME) {
        if let Err(error) = making::bring_in(cx, room, some).await
            && error.code == "offline"
        {
            break;
        }
    }
    Ok(Done::Yes)
}

/// Whether what was claimed can be added, and is of the person who asked.
fn is_of(claimed: &Claimed, asked: &JoinRequest) -> bool {
    let known = asked.identity.open().is_ok_and(|identity| identity.identity_key == claimed.identity_key);
    known && !claimed.packages.is_empty()
}

/// Lets somebody in who has asked, or declines.
pub(super) async fn answer(cx: &Cx, room: RoomId, user: &str, accept: bool) -> Result<(), CallError> {
    let user: UserAddress = user.parse().map_err(|error| field_error("user", error))?;
    if !cx.with(|s| may_manage(s, room)) {
        return Err(not_allowed());
    }
    if !accept {
        let declined = http::tell::<()>(cx, "DELETE", &format!("rooms/{room}/requests/{user}"), None).await;
        match declined {
            Err(failure) if failure.code() != Some(weft_wire::Code::NotFound) => return Err(failure.into()),
            _ => {}
        }
        forget(cx, room, &user);
        return Ok(());
    }
    let known = |s: &mut State| s.live.asking.get(&room)?.iter().find(|one| one.user == user).cloned();
    let mut asked = cx.with(known);
    if asked.is_none() {
        hear(cx, room).await?;
        asked = cx.with(known);
    }
    let asked = asked.ok_or_else(|| call_error("not_found", "This person does not ask (any more)."))?;
    let claimed = claims::of(cx, &user, Some(room)).await?;
    if claimed.packages.is_empty() {
        return Err(call_error("no_device", format_args!("{user} has no device that could be added now.")));
    }
    if !is_of(&claimed, &asked) {
        return Err(call_error("key_changed", "The keys are others than those of the one who asked."));
    }
    making::bring_in(cx, room, &[claimed]).await?;
    forget(cx, room, &user);
    Ok(())
}

/// Decided: it is not shown any more, whenever the hub says so.
fn forget(cx: &Cx, room: RoomId, user: &UserAddress) {
    cx.with(|s| {
        if let Some(asking) = s.live.asking.get_mut(&room) {
            asking.retain(|one| one.user != *user);
        }
        let left = s.live.asking.get(&room).map_or(0, Vec::len);
        if let Some(state) = s.live.rooms.get_mut(&room) {
            state.asking = u32::try_from(left).unwrap_or(u32::MAX);
        }
        super::tell(s, room);
        crate::chats::tell_room(s, room);
    });
}
