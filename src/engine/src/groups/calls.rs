//! The calls about groups.

use super::commits::{Step, not_in_group, reach};
use super::views::may_remove;
use super::{Group, Roster, anew, door, find, leaving, making, may_manage, names, own_role};
use crate::api::{Call, Reply};
use crate::chats::{self, ChatId};
use crate::connection;
use crate::error::{Refusal, call_error, field_error};
use crate::http::Failure;
use crate::runtime::{Cx, State};
use crate::vault;
use std::collections::BTreeSet;
use weft_wire::rooms::RoomRole;
use weft_wire::{RoomId, UserAddress};

/// Answers a call about groups; gives it back if it is about something else.
pub(crate) async fn answer(cx: &Cx, call: Call) -> Result<Result<Reply, Refusal>, Call> {
    Ok(match call {
        Call::CreateGroup { name, members } => cx.with(|s| {
            let chat = making::begin(s, &name, &members)?;
            Ok(Reply::Chat(chats::view(s, &chat)))
        }),
        Call::Group { chat } => cx.with(|s| {
            let room = room(s, &chat)?;
            super::views::group(s, room).map(Reply::Group).ok_or_else(unknown)
        }),
        Call::AddMembers { chat, users } => done(add(cx, &chat, &users).await),
        Call::RemoveMembers { chat, users } => done(remove(cx, &chat, &users).await),
        Call::SetRole { chat, user, role } => done(set_role(cx, &chat, &user, &role).await),
        Call::RenameGroup { chat, name } => done(cx.with(|s| rename(s, &chat, &name))),
        Call::LeaveGroup { chat } => done(leave(cx, &chat).await),
        Call::EnterAnew { chat, print } => done(cx.with(|s| {
            let room = room(s, &chat)?;
            anew::enter(s, room, &print)
        })),
        Call::GroupLink { chat, approval, base_url, fresh } => {
            link(cx, &chat, approval, &base_url, fresh).await
        }
        Call::EndGroupLinks { chat } => done(match cx.with(|s| room(s, &chat)) {
            Ok(room) => door::end_links(cx, room).await,
            Err(error) => Err(error),
        }),
        Call::JoinGroup { text } => door::ask(cx, &text).await.map(Reply::Joined),
        Call::AnswerJoin { chat, user, accept } => done(match cx.with(|s| room(s, &chat)) {
            Ok(room) => door::answer(cx, room, &user, accept).await,
            Err(error) => Err(error),
        }),
        other => return Err(other),
    })
}

fn done(result: Result<(), Refusal>) -> Result<Reply, Refusal> {
    result.map(|()| Reply::Done)
}

fn unknown() -> Refusal {
    call_error("unknown_chat", "There is no such group.")
}

fn not_allowed() -> Refusal {
    call_error("not_allowed", "That takes a higher role in this group.")
}

/// The room of a group that is known here.
fn room(s: &mut State, chat: &str) -> Result<RoomId, Refusal> {
    let chat: RoomId = chat.parse().map_err(|_| unknown())?;
    let room = super::room_of(ChatId(chat));
    find(s, room).map(|_| room).ok_or_else(unknown)
}

/// A group that one is in and may change, with the node at hand.
fn managed(s: &mut State, chat: &str) -> Result<(RoomId, Group), Refusal> {
    let room = room(s, chat)?;
    let (_, group) = find(s, room).filter(|(_, group)| group.is_in()).ok_or_else(not_in_group)?;
    if !may_manage(s, room) {
        return Err(not_allowed());
    }
    if !s.connection.is_ready() {
        return Err(Failure::NoAnswer.into());
    }
    Ok((room, group))
}

async fn add(cx: &Cx, chat: &str, users: &[String]) -> Result<(), Refusal> {
    let (room, _) = cx.with(|s| managed(s, chat))?;
    making::add(cx, room, users).await
}

async fn remove(cx: &Cx, chat: &str, users: &[String]) -> Result<(), Refusal> {
    let (room, users) = cx.with(|s| -> Result<_, Refusal> {
        let (room, mut group) = managed(s, chat)?;
        let users = addresses(s, users)?;
        // Who is not in yet is not brought in any more.
        let wanted = group.wanted.len();
        group.wanted.retain(|user| !users.contains(user));
        let roster = super::roster(s, room);
        let known = |user: &UserAddress| roster.people.contains_key(user);
        if group.wanted.len() < wanted {
            if let Some((mut chat, _)) = find(s, room) {
                super::save(s, &mut chat, group);
            }
        } else if !users.iter().any(known) {
            return Err(not_in_group());
        }
        check_removable(s, room, &roster, &users)?;
        Ok((room, users))
    })?;
    reach(cx, room, &mut |s, roster| {
        check_removable(s, room, roster, &users)?;
        let there = roster.people.iter().filter(|(user, _)| users.contains(*user));
        let remove = there.flat_map(|(_, member)| member.devices.iter().copied()).collect();
        Ok(Step { remove, ..Step::default() })
    })
    .await
}

fn check_removable(
    s: &mut State,
    room: RoomId,
    roster: &Roster,
    users: &BTreeSet<UserAddress>,
) -> Result<(), Refusal> {
    let own = own_role(s, room);
    let me = s.live.me.as_ref().map(|me| me.user.clone());
    let stays = |user: &&UserAddress| {
        let there = roster.people.contains_key(*user);
        there && (Some(*user) == me.as_ref() || !may_remove(own, roster.role(user)))
    };
    if users.iter().any(|user| stays(&user)) { Err(not_allowed()) } else { Ok(()) }
}

fn addresses(s: &mut State, users: &[String]) -> Result<BTreeSet<UserAddress>, Refusal> {
    users
        .iter()
        .map(|user| crate::contacts::address(s, user).map_err(|error| field_error("users", error)))
        .collect()
}

async fn set_role(cx: &Cx, chat: &str, user: &str, role: &str) -> Result<(), Refusal> {
    let role = match role {
        "owner" => RoomRole::Owner,
        "admin" => RoomRole::Admin,
        "member" => RoomRole::Member,
        _ => return Err(field_error("role", "owner, admin or member")),
    };
    let (room, user) = cx.with(|s| -> Result<_, Refusal> {
        let (room, _) = managed(s, chat)?;
        let user = crate::contacts::address(s, user).map_err(|error| field_error("user", error))?;
        Ok((room, user))
    })?;
    reach(cx, room, &mut |s, roster| {
        let (_, group) = find(s, room).ok_or_else(not_in_group)?;
        if own_role(s, room) != RoomRole::Owner {
            return Err(not_allowed());
        }
        if !roster.people.contains_key(&user) {
            return Err(not_in_group());
        }
        let owns = |other: &UserAddress| *other != user && !group.leaving.contains_key(other);
        let others = roster.people.iter().filter(|(other, _)| owns(other));
        if role != RoomRole::Owner && !others.into_iter().any(|(_, member)| member.role == RoomRole::Owner) {
            return Err(call_error("last_owner", "A group has an owner; name another one first."));
        }
        let roles = if roster.role(&user) == role { Vec::new() } else { vec![(user.clone(), role)] };
        Ok(Step { roles, ..Step::default() })
    })
    .await
}

fn rename(s: &mut State, chat: &str, name: &str) -> Result<(), Refusal> {
    let name = making::group_name(name, false)?;
    let (room, group) = managed(s, chat)?;
    let Some((mut chat, _)) = find(s, room).filter(|_| name != group.name) else { return Ok(()) };
    names::say(s, &mut chat, &name);
    vault::changed(s, vault::Name::Group(room));
    connection::nudge(s);
    Ok(())
}

async fn leave(cx: &Cx, chat: &str) -> Result<(), Refusal> {
    let room = cx.with(|s| room(s, chat))?;
    leaving::leave(cx, room).await
}

async fn link(cx: &Cx, chat: &str, approval: bool, base: &str, fresh: bool) -> Result<Reply, Refusal> {
    let room = cx.with(|s| room(s, chat))?;
    door::link(cx, room, approval, base, fresh).await.map(Reply::GroupLink)
}
