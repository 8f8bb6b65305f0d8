//! How groups look.

use super::{Group, Standing, anew, find, names, own_role, roster};
use crate::api::{AskingView, ChatGroup, GroupView, MemberView};
use crate::contacts;
use crate::runtime::State;
use crate::shelf::sorted;
use weft_wire::rooms::RoomRole;
use weft_wire::{RoomId, UserAddress};

/// How a role is called.
pub(crate) fn role_name(role: RoomRole) -> &'static str {
    match role {
        RoomRole::Owner => "owner",
        RoomRole::Admin => "admin",
        RoomRole::Member => "member",
    }
}

fn standing_name(group: &Group) -> &'static str {
    match group.standing {
        // Who is still missing comes in by and by; the others need not wait for them.
        Standing::Making if !group.begun => "making",
        Standing::Making | Standing::Outside | Standing::Active => "active",
        Standing::Leaving | Standing::Left => "left",
        Standing::Removed => "removed",
        Standing::NotMade => "not_made",
    }
}

/// What a chat's row says of its group.
pub(crate) fn in_chat(s: &mut State, room: RoomId, group: &Group) -> ChatGroup {
    let roster = roster(s, room);
    ChatGroup {
        members: u32::try_from(roster.people.len()).unwrap_or(u32::MAX),
        role: role_name(own_role(s, room)).into(),
        state: standing_name(group).into(),
        asking: asking(s, room),
        unsure: s.live.unsure.contains_key(&room),
    }
}

/// How many ask to be let in, where one may decide that.
fn asking(s: &mut State, room: RoomId) -> u32 {
    let count = s.live.rooms.get(&room).map_or(0, |state| state.asking);
    if super::may_manage(s, room) { count } else { 0 }
}

/// Whether somebody with one role may send somebody with another away.
pub(crate) fn may_remove(own: RoomRole, theirs: RoomRole) -> bool {
    own == RoomRole::Owner || (own == RoomRole::Admin && theirs == RoomRole::Member)
}

/// A group as it is now.
pub(crate) fn group(s: &mut State, room: RoomId) -> Option<GroupView> {
    let (_, group) = find(s, room)?;
    let me = s.live.me.clone()?;
    let roster = roster(s, room);
    let own = roster.role(&me.user);
    let mut members = Vec::new();
    for (user, member) in &roster.people {
        let mine = *user == me.user;
        let view = member_view(s, room, user, member.role, mine);
        members.push(MemberView {
            removable: !mine && group.is_in() && may_remove(own, member.role),
            leaving: group.leaving.contains_key(user),
            ..view
        });
    }
    let rank = |member: &MemberView| match member.role.as_str() {
        "owner" => 0,
        "admin" => 1,
        _ => 2,
    };
    let members =
        sorted(members, |member| format!("{}{}\0{}", rank(member), member.name.to_lowercase(), member.user));
    Some(GroupView {
        chat: super::chat_of(room).to_string(),
        name: group.name.clone(),
        node: group.hub.as_ref().unwrap_or(&me.user.node).to_string(),
        role: role_name(own).into(),
        state: standing_name(&group).into(),
        members,
        asking: askers(s, room),
        unsure: anew::view(s, room),
    })
}

fn member_view(s: &mut State, room: RoomId, user: &UserAddress, role: RoomRole, me: bool) -> MemberView {
    let contact = contacts::find(s, user);
    MemberView {
        user: user.to_string(),
        name: names::of(s, room, user),
        role: role_name(role).into(),
        me,
        removable: false,
        leaving: false,
        state: contact.as_ref().and_then(|contact| contact.state).map(contacts::state_name).map(Into::into),
        verified: contact.is_some_and(|contact| {
            contact.verified && contact.changed.is_none() && names::is_of(s, room, &contact)
        }),
    }
}

fn askers(s: &mut State, room: RoomId) -> Vec<AskingView> {
    if !super::may_manage(s, room) {
        return Vec::new();
    }
    let asking = s.live.asking.get(&room).cloned().unwrap_or_default();
    asking
        .iter()
        .map(|one| AskingView {
            user: one.user.to_string(),
            name: names::of(s, room, &one.user),
            asked_ms: one.asked_ms as f64,
        })
        .collect()
}
