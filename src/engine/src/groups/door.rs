//! The door of a group: links to it, and those who ask to be let in.

use super::claims::{self, Claimed};
use super::{Group, find, making, may_manage};
use crate::api::{GroupLinkView, GroupPreview, JoinedView};
use crate::chats::queue;
use crate::contacts::links;
use crate::error::{Refusal, call_error, field_error};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::kv::Kv;
use crate::rooms::Change;
use crate::runtime::{Cx, State};
use crate::sync::rooms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use weft_mls::sets::set;
use weft_wire::invites::{Link, LinkGroup, group_admission, group_door};
use weft_wire::rooms::{AskToJoin, CreateGroupLink, JoinAnswer, JoinRequest, JoinRequests, RoomRole};
use weft_wire::{Blob, Millis, RoomId, UserAddress, limits};

const DAY_MS: Millis = 24 * 3_600_000;
/// How long a link lives.
const LIFETIME_MS: Millis = 30 * DAY_MS;
/// A link is shown again for so long, rather than a new one being made each time the page opens.
const FRESH_MS: Millis = 7 * DAY_MS;
/// Of so many people it is kept that they were sent away. Where there are more, a person decides about everybody.
const SENT_AWAY_MAX: usize = 1_000;

/// The kind of the message by which those who decide hear that no link of before is good any more.
pub(crate) const LINKS_ENDED: &str = "links_ended";

/// A link that was made here.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    token: Blob,
    made_ms: Millis,
}

fn key(room: RoomId, approval: bool) -> Vec<u8> {
    [b"g/k/".as_slice(), room.as_bytes(), &[u8::from(approval)]].concat()
}

/// The links that were made here and have not run out, the newest last.
fn kept(s: &mut State, room: RoomId, approval: bool) -> Vec<Kept> {
    let mut kept: Vec<Kept> = s.load(&key(room, approval)).unwrap_or_default();
    let now = s.now;
    kept.retain(|kept| now >= kept.made_ms && now < kept.made_ms + LIFETIME_MS);
    kept
}

/// Links that were made here are over.
fn drop_kept(s: &mut State, room: RoomId) {
    for approval in [true, false] {
        let key = key(room, approval);
        if s.kv.get(&key).is_some() {
            s.kv_delete(&key);
        }
    }
}

/// Somebody who may has ended all links.
pub(crate) fn ended(s: &mut State, room: RoomId, by: &UserAddress) {
    if super::roster(s, room).role(by) >= RoomRole::Admin {
        drop_kept(s, room);
    }
}

fn sent_away_key(room: RoomId) -> Vec<u8> {
    [b"g/a/".as_slice(), room.as_bytes()].concat()
}

/// Who went without having said so, and has not been brought in again: that they may come back is for a person to decide, whatever
/// link they have. Their own word counts, and not the hub's that their devices were signed out.
pub(super) fn note_sent_away(s: &mut State, room: RoomId, group: &Group, change: &Change) {
    let went = |user: &&UserAddress| !group.leaving.contains_key(*user) && **user != change.by.user;
    let went: Vec<_> = change.went.iter().filter(went).cloned().collect();
    if went.is_empty() && change.came.is_empty() {
        return;
    }
    let key = sent_away_key(room);
    let before: BTreeSet<UserAddress> = s.load(&key).unwrap_or_default();
    // Full it stays: some are not named in it.
    if before.len() >= SENT_AWAY_MAX {
        return;
    }
    let mut away = before.clone();
    away.extend(went);
    away.retain(|user| !change.came.contains(user));
    if away != before {
        let kept = set(away.into_iter().take(SENT_AWAY_MAX));
        s.store(&key, &kept);
    }
}

/// Who was sent away from a group and has not been brought in again, and whether there may be more than these.
pub(super) fn sent_away(s: &mut State, room: RoomId) -> (BTreeSet<UserAddress>, bool) {
    let away: BTreeSet<UserAddress> = s.load(&sent_away_key(room)).unwrap_or_default();
    let others = away.len() >= SENT_AWAY_MAX;
    (away, others)
}

/// Tells the others who decide, and one's own other devices, that all links have ended.
fn say_ended(s: &mut State, room: RoomId) {
    if let Some((mut chat, _)) = find(s, room) {
        // A queue that is full has more pressing things to say.
        let _ = queue::push(s, &mut chat, LINKS_ENDED, Blob(Vec::new()), None, true);
        crate::chats::save_quietly(s, &chat);
        s.jobs.want(Job::Send(chat.id));
    }
}

fn not_allowed() -> Refusal {
    call_error("not_allowed", "That takes a higher role in this group.")
}

/// A link to a group: the one that was made last, unless a fresh one is asked for. That ends all from before.
pub(super) async fn link(
    cx: &Cx,
    room: RoomId,
    approval: bool,
    base_url: &str,
    fresh: bool,
) -> Result<GroupLinkView, Refusal> {
    links::check_base(base_url)?;
    let (kept, hub, name) = cx.with(|s| -> Result<_, Refusal> {
        let (_, group) = find(s, room).ok_or_else(super::commits::not_in_group)?;
        if !may_manage(s, room) {
            return Err(not_allowed());
        }
        let me = crate::account::me(s)?;
        let hub = group.hub.clone().unwrap_or_else(|| me.user.node.clone());
        let newest = kept(s, room, approval).pop();
        let now = s.now;
        let kept = newest.filter(|kept| !fresh && now < kept.made_ms + FRESH_MS);
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

async fn make(cx: &Cx, room: RoomId, approval: bool, only: bool) -> Result<Kept, Refusal> {
    let token: [u8; 16] = cx.with(|s| s.random());
    let token_hash = *blake3::hash(&group_door(&token)).as_bytes();
    let body = CreateGroupLink { token_hash, approval, lifetime_ms: LIFETIME_MS, only };
    http::tell(cx, "POST", &format!("rooms/{room}/links"), Some(&body)).await?;
    Ok(cx.with(|s| {
        if only {
            drop_kept(s, room);
            say_ended(s, room);
        }
        let new = Kept { token: Blob(token.to_vec()), made_ms: s.now };
        let mut all = kept(s, room, approval);
        all.push(new.clone());
        s.store(&key(room, approval), &all);
        new
    }))
}

/// Ends all links of a group.
pub(super) async fn end_links(cx: &Cx, room: RoomId) -> Result<(), Refusal> {
    if !cx.with(|s| may_manage(s, room)) {
        return Err(not_allowed());
    }
    http::tell::<()>(cx, "DELETE", &format!("rooms/{room}/links"), None).await?;
    cx.with(|s| {
        drop_kept(s, room);
        say_ended(s, room);
    });
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
pub(super) async fn ask(cx: &Cx, text: &str) -> Result<JoinedView, Refusal> {
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
    let token = group.token.as_slice();
    let proof = cx.with(|s| -> Result<_, Refusal> {
        let me = crate::account::me(s)?;
        Ok(group_admission(token, &me.user, &me.identity_key, room))
    })?;
    let body = AskToJoin { hub: group.hub, at, token: Blob(group_door(token).to_vec()), proof };
    let answer = http::post::<_, JoinAnswer>(cx, &format!("rooms/{room}/join"), &body).await?;
    cx.with(|s| asked_again(s, room, answer));
    match answer {
        JoinAnswer::Asked => Ok(JoinedView { state: "asked".into(), chat: None }),
        JoinAnswer::Member => Ok(member(cx.with(|s| find(s, room).is_some()))),
    }
}

/// One who has gone, or was sent away, wants in again: from now on this device comes in when it is let.
fn asked_again(s: &mut State, room: RoomId, answer: JoinAnswer) {
    let Some((mut chat, mut group)) = find(s, room).filter(|(_, group)| !group.is_in()) else { return };
    group.asked = true;
    super::save_quietly(s, &mut chat, group);
    if answer == JoinAnswer::Member {
        s.jobs.want(Job::Join(room));
    }
}

/// Somebody may ask to be let in, and one may be who decides that.
pub(super) fn look(s: &mut State, room: RoomId) {
    let asking = s.live.rooms.get(&room).map_or(0, |state| state.asking);
    let manages = may_manage(s, room);
    if !manages {
        drop_kept(s, room);
    }
    if asking > 0 && manages {
        s.jobs.want(Job::Asking(room));
    } else if s.live.asking.remove(&room).is_some() {
        super::tell(s, room);
        crate::chats::tell_room(s, room);
    }
}

/// The job: who asks is known. Those whom nobody has to agree to are let in where the link was made by which they come.
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
        s.live.asking.insert(room, requests);
        super::tell(s, room);
        crate::chats::tell_room(s, room);
        if !admitted(s, room).is_empty() {
            s.jobs.want(Job::LetIn(room));
        }
    });
    Ok(Done::Yes)
}

/// Who has an open link that was made here, and was not sent away. That nobody has to agree is only the hub's word, and so is that
/// they ask: what shows that they have the link is not.
fn admitted(s: &mut State, room: RoomId) -> Vec<JoinRequest> {
    let open = kept(s, room, false);
    if open.is_empty() || !may_manage(s, room) || !rooms::is_active(s, room) {
        return Vec::new();
    }
    let (away, others) = sent_away(s, room);
    if others {
        return Vec::new();
    }
    let roster = super::roster(s, room);
    let has_link = |one: &JoinRequest| {
        // Compared in constant time, as `blake3::Hash` does.
        let proof = blake3::Hash::from_bytes(one.proof);
        let Ok(identity) = one.identity.open() else { return false };
        let made =
            |kept: &Kept| group_admission(kept.token.as_slice(), &one.user, &identity.identity_key, room);
        open.iter().any(|kept| proof == made(kept))
    };
    let mut asking = s.live.asking.get(&room).cloned().unwrap_or_default();
    let is_free = |user: &UserAddress| !roster.people.contains_key(user) && !away.contains(user);
    asking.retain(|one| !one.approval && is_free(&one.user) && has_link(one));
    asking
}

/// The job: those are in whom nobody has to agree to.
pub(crate) async fn let_in(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    let free = cx.with(|s| admitted(s, room));
    let users: Vec<UserAddress> = free.iter().map(|one| one.user.clone()).collect();
    let mut ready = Vec::new();
    let claims = claims::of_all(cx, &users, room).await;
    for (user, claimed) in claims.given {
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
    claims.wait.map_or(Ok(Done::Yes), Err)
}

/// Whether what was claimed can be added, and is of the person who asked.
fn is_of(claimed: &Claimed, asked: &JoinRequest) -> bool {
    let known = asked.identity.open().is_ok_and(|identity| identity.identity_key == claimed.identity_key);
    known && !claimed.packages.is_empty()
}

/// Lets somebody in who has asked, or declines.
pub(super) async fn answer(cx: &Cx, room: RoomId, user: &str, accept: bool) -> Result<(), Refusal> {
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
    let claimed = claims::of(cx, &user, room).await?;
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
