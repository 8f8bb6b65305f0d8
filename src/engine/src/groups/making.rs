//! Making a group: its room, and everybody in it who can be brought in. Every step can be the last one before a crash.

use super::claims::{self, Claimed};
use super::commits::{Step, not_in_group, reach};
use super::{Group, Standing, find, leaving, lines, names, own_role, save, save_quietly};
use crate::api::CallError;
use crate::chats::{self, Chat};
use crate::connection;
use crate::contacts;
use crate::error::{Refusal, call_error, field_error};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{RoomError, forget};
use crate::runtime::{Cx, State};
use crate::sync::{rooms, settle};
use std::collections::BTreeSet;
use weft_wire::contacts::ContactState;
use weft_wire::rooms::{RoomCreated, RoomKind, RoomRole};
use weft_wire::{Blob, Code, DeviceId, Millis, RoomId, UserAddress, limits, text};

/// The code of a commit that could not be made of what was claimed.
const UNUSABLE: &str = "internal";

/// Whoever has no device that could be added is asked for again so often.
const AGAIN_MS: Millis = 30_000;
/// A node's word on when to come again counts up to here.
const WAIT_MS_MAX: Millis = 3_600_000;

/// Devices that one commit brings in: with the longest names they fit.
const DEVICES_AT_A_TIME: usize = 128;

/// Begins a group. The rest is a job's.
pub(super) fn begin(s: &mut State, name: &str, members: &[String]) -> Result<Chat, Refusal> {
    let name = group_name(name, true)?;
    let wanted = contacts_of(s, members)?;
    if wanted.len() >= limits::ROOM_MEMBERS_MAX {
        return Err(call_error("too_many", "A group has at most 500 members."));
    }
    let me = crate::account::me(s)?;
    let room = settle::new_room(s, &me.user.node);
    let group = Group {
        name: name.clone(),
        heard: true,
        standing: Standing::Making,
        hub: Some(me.user.node.clone()),
        wanted,
        introduce: true,
        ..Group::default()
    };
    let mut chat = chats::make_group(s, room, group);
    chats::attach_room(s, &mut chat, room);
    lines::line(s, &mut chat, "created", Some(&me.user), Vec::new(), "", s.now);
    names::say(s, &mut chat, &name);
    chats::share(s, &chat);
    s.jobs.want(Job::Make(room));
    super::tell(s, room);
    connection::nudge(s);
    Ok(chat)
}

/// A name as it may be given. A group may have none from the beginning; later it keeps one.
pub(super) fn group_name(name: &str, may_be_empty: bool) -> Result<String, Refusal> {
    let name = text::name(name).trim().to_owned();
    if name.len() > limits::GROUP_NAME_BYTES_MAX || (name.is_empty() && !may_be_empty) {
        return Err(field_error("name", "a group's name has 1 to 128 bytes"));
    }
    Ok(name)
}

/// The contacts that somebody means.
pub(super) fn contacts_of(s: &mut State, users: &[String]) -> Result<BTreeSet<UserAddress>, Refusal> {
    let mut found = BTreeSet::new();
    for user in users {
        let contact = contacts::by_address(s, user)?;
        if contact.state != Some(ContactState::Accepted) {
            return Err(call_error("unknown_contact", format_args!("{} is no contact.", contact.user)));
        }
        if contact.changed.is_some() {
            let user = contact.user;
            return Err(call_error(
                "key_changed",
                format_args!("The key of {user} is another one than before."),
            ));
        }
        found.insert(contact.user);
    }
    Ok(found)
}

/// Groups that are still being made.
pub(crate) fn under_way(s: &mut State) -> Vec<RoomId> {
    let making = |chat: &Chat| chat.group.as_ref().is_some_and(|group| group.standing == Standing::Making);
    chats::all(s).iter().filter(|chat| making(chat)).map(|chat| super::room_of(chat.id)).collect()
}

/// The job: the room is there and everybody who was wanted is in it.
pub(crate) async fn make(cx: &Cx, room: RoomId) -> Result<Done, Failure> {
    if !cx.with(|s| is_wanted(s, room)) {
        return Ok(Done::Yes);
    }
    let request = match cx.with(|s| settle::create(s, room, &RoomKind::Group)) {
        Ok(request) => Some(request),
        Err(Failure::Room(RoomError::Exists)) => None,
        Err(failure) => return Err(failure),
    };
    if let Some(request) = request {
        let _: RoomCreated = match http::post(cx, "rooms", &request).await {
            Err(failure) if failure.is_final() => {
                cx.with(|s| give_up(s, room, &failure));
                return Ok(Done::Yes);
            }
            other => other?,
        };
        cx.with(|s| {
            let cursor = rooms::info(s, room).map_or(0, |info| info.cursor);
            connection::follow(s, vec![(room, cursor)]);
        });
    }
    let own = cx.with(|s| s.live.me.as_ref().map(|me| me.user.clone()));
    let Some(own) = own else { return Ok(Done::Yes) };
    // The own other devices can come in by themselves; nobody waits for them.
    let mine = match cx.with(|s| find(s, room).is_some_and(|(_, group)| !group.begun)) {
        true => claims::of(cx, &own, room).await.ok(),
        false => None,
    };
    let wanted: Vec<UserAddress> =
        cx.with(|s| find(s, room).map(|(_, group)| group.wanted.into_iter().collect()).unwrap_or_default());
    let (mut failed, mut waits) = (None, None);
    let mut first = mine.into_iter().collect::<Vec<_>>();
    for some in wanted.chunks(claims::AT_A_TIME) {
        let (mut ready, mut refused) = (std::mem::take(&mut first), Vec::new());
        let claims = claims::of_all(cx, some, room).await;
        for (user, claimed) in claims.given {
            match claimed {
                Ok(claimed) if !claimed.packages.is_empty() => ready.push(claimed),
                Err(failure) if is_refusal(&failure) => refused.push(user),
                // No device, or a node that is away: the others do not wait for that.
                Ok(_) => {}
                Err(failure) if failure.code() == Some(Code::NodeUnreachable) => {}
                Err(failure) => failed = Some(failure),
            }
        }
        match bring_in(cx, room, &ready).await {
            // Who cannot be added holds nobody else up.
            Err(error) if !is_about_them(&error) => drop(failed.get_or_insert(Failure::NoAnswer)),
            _ => {}
        }
        cx.with(|s| settled(s, room, refused));
        waits = waits.or(claims.wait);
        if claims.stopped {
            break;
        }
    }
    if let Some(wait) = waits {
        // Who is in need not wait for the others, who come in when the node gives more.
        cx.with(|s| begun(s, room));
        return Err(wait);
    }
    // Nobody else is wanted (any more).
    if bring_in(cx, room, &first).await.is_err() {
        failed.get_or_insert(Failure::NoAnswer);
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    cx.with(|s| begun(s, room));
    Ok(if cx.with(|s| is_wanted(s, room)) { Done::After(AGAIN_MS) } else { Done::Yes })
}

/// Whether this device brings people in. Who may not any more leaves that to those who may.
fn is_wanted(s: &mut State, room: RoomId) -> bool {
    let Some((mut chat, mut group)) = find(s, room).filter(|(_, group)| group.standing == Standing::Making)
    else {
        return false;
    };
    if rooms::is_active(s, room) && own_role(s, room) < RoomRole::Admin {
        group.standing = Standing::Active;
        group.wanted.clear();
        save(s, &mut chat, group);
        return false;
    }
    true
}

/// Whether it would not help to ask again: they have not agreed (any more), or their keys are others.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure, Failure::Room(RoomError::KeyChanged { .. }))
        || failure.code().is_some_and(|code| code != Code::NodeUnreachable) && failure.is_final()
}

/// Whether a commit failed because of somebody whom it was to bring in: what was claimed is no good, or the hub does not want them.
fn is_about_them(error: &CallError) -> bool {
    [UNUSABLE, Code::TooMany.as_str(), Code::BadCertificate.as_str(), Code::NoConsent.as_str()]
        .contains(&error.code.as_str())
}

/// Adds what is missing of these people, in as few commits as take them.
pub(super) async fn bring_in(cx: &Cx, room: RoomId, people: &[Claimed]) -> Result<(), Refusal> {
    let mut rest = people;
    while !rest.is_empty() {
        let mut devices = 0;
        let fits = rest.iter().take_while(|one| {
            devices += one.packages.len();
            devices <= DEVICES_AT_A_TIME
        });
        let (now, later) = rest.split_at(fits.count().clamp(1, rest.len()));
        match commit_in(cx, room, now).await {
            Err(error) if is_about_them(&error) && now.len() > 1 => one_by_one(cx, room, now).await?,
            other => other?,
        }
        rest = later;
    }
    Ok(())
}

/// One of them spoils it for the others: those come in, and the error tells of the last who does not.
async fn one_by_one(cx: &Cx, room: RoomId, people: &[Claimed]) -> Result<(), Refusal> {
    let mut unusable = Ok(());
    for one in people {
        match commit_in(cx, room, std::slice::from_ref(one)).await {
            Err(error) if is_about_them(&error) => unusable = Err(error),
            other => other?,
        }
    }
    unusable
}

async fn commit_in(cx: &Cx, room: RoomId, people: &[Claimed]) -> Result<(), Refusal> {
    reach(cx, room, &mut |_, roster| {
        let here = |device: &DeviceId| roster.people.values().any(|member| member.devices.contains(device));
        let missing = |claimed: &Claimed| -> Vec<Blob> {
            let packages = claimed.packages.iter().filter(|(device, _)| !here(device));
            packages.map(|(_, package)| package.clone()).collect()
        };
        Ok(Step { add: people.iter().flat_map(missing).collect(), ..Step::default() })
    })
    .await
}

/// Who is in is not wanted any more, and who has refused is named.
fn settled(s: &mut State, room: RoomId, refused: Vec<UserAddress>) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    let roster = super::roster(s, room);
    group.wanted.retain(|user| !roster.people.contains_key(user) && !refused.contains(user));
    chat.group = Some(group.clone());
    if !refused.is_empty() {
        let now = s.now;
        lines::line(s, &mut chat, "not_added", None, refused, "", now);
    }
    save_quietly(s, &mut chat, group);
}

/// Whoever can be in is in.
fn begun(s: &mut State, room: RoomId) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    if group.standing != Standing::Making || !rooms::is_active(s, room) {
        return;
    }
    group.begun = true;
    if group.wanted.is_empty() {
        group.standing = Standing::Active;
    }
    save(s, &mut chat, group);
    s.jobs.want(Job::Send(chat.id));
}

/// The node does not take the room.
fn give_up(s: &mut State, room: RoomId, failure: &Failure) {
    let Some((mut chat, mut group)) = find(s, room) else { return };
    group.standing = Standing::NotMade;
    group.wanted.clear();
    chat.room = None;
    chat.group = Some(group.clone());
    leaving::drop_queued(s, &chat);
    let (now, why) = (s.now, failure.code().map(Code::as_str).unwrap_or_default());
    lines::line(s, &mut chat, "not_made", None, Vec::new(), why, now);
    rooms::with(s, |ctx| forget(ctx, room));
    save(s, &mut chat, group);
}

/// Adds contacts at the person's wish, and says who could not be added. For whom the node gives no KeyPackages just now are
/// brought in by and by.
pub(super) async fn add(cx: &Cx, room: RoomId, users: &[String]) -> Result<(), Refusal> {
    let wanted = cx.with(|s| -> Result<Vec<UserAddress>, Refusal> {
        let wanted = contacts_of(s, users)?;
        let (_, group) = find(s, room).ok_or_else(not_in_group)?;
        let roster = super::roster(s, room);
        if let Some(user) = wanted.iter().find(|user| group.leaving.contains_key(*user)) {
            return Err(call_error(
                "conflict",
                format_args!("{user} is just leaving; try again in a moment."),
            ));
        }
        let new = |user: &UserAddress| !roster.people.contains_key(user);
        let new: Vec<_> = wanted.into_iter().filter(new).collect();
        if roster.people.len() + new.len() > limits::ROOM_MEMBERS_MAX {
            return Err(call_error("too_many", "A group has at most 500 members."));
        }
        Ok(new)
    })?;
    let (mut rest, mut failed) = (wanted.as_slice(), None);
    while !rest.is_empty() {
        let (some, others) = rest.split_at(rest.len().min(claims::AT_A_TIME));
        let claims = claims::of_all(cx, some, room).await;
        let (mut ready, mut asked) = (Vec::new(), BTreeSet::new());
        for (user, claimed) in claims.given {
            let error = match claimed {
                Ok(claimed) if !claimed.packages.is_empty() => {
                    ready.push(claimed);
                    None
                }
                Ok(_) => Some(call_error(
                    "no_device",
                    format_args!("{user} has no device that could be added now."),
                )),
                Err(failure) => {
                    let mut error = Refusal::from(failure);
                    error.message = format!("{user}: {}", error.message);
                    Some(error)
                }
            };
            failed = failed.or(error);
            asked.insert(user);
        }
        bring_in(cx, room, &ready).await?;
        if let Some(wait) = claims.wait {
            let later = rest.iter().filter(|user| !asked.contains(*user)).cloned().collect();
            cx.with(|s| put_off(s, room, later, &wait));
            break;
        }
        rest = others;
    }
    failed.map_or(Ok(()), Err)
}

/// Who could not be asked for yet is brought in like those of a new group.
fn put_off(s: &mut State, room: RoomId, later: BTreeSet<UserAddress>, wait: &Failure) {
    let Some((mut chat, mut group)) = find(s, room).filter(|(_, group)| group.is_in()) else { return };
    group.wanted.extend(later);
    group.standing = Standing::Making;
    group.begun = true;
    save(s, &mut chat, group);
    let at = s.now + wait.retry_after_ms().unwrap_or(AGAIN_MS).min(WAIT_MS_MAX);
    s.jobs.want_at(Job::Make(room), at);
}
