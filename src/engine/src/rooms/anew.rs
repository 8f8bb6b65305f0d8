//! Coming into a group anew: what is there is compared with what this device knew of the group last.
//!
//! A hub could make up a group with the id of one that this device is out of step with, with people and owners of its choice. It
//! cannot sign for those who were there before. So this device enters by itself only what one of them has signed, in which nobody
//! has risen and everybody has the key that they had. All else the person decides, who is shown who would be there.

use super::{Change, RoomCtx, RoomError, record::Meta};
use crate::mls_store::Slot;
use std::collections::{BTreeMap, BTreeSet};
use weft_mls::{PolicyError, Roles, member};
use weft_wire::{
    RoomId, UserAddress,
    identity::DeviceCert,
    rooms::{RoomKind, RoomRole},
};

/// How a device may come into a group by an external commit.
#[derive(Debug, Clone, Default)]
pub struct Anew {
    /// Not by itself, whatever is found there.
    pub ask: bool,
    /// Nor where one of these is: they were sent away, and nobody was seen to bring them in again.
    pub away: BTreeSet<UserAddress>,
    /// What the person has seen and agreed to: [`Unsure::print`].
    pub agreed: Option<[u8; 32]>,
}

/// Somebody who would be in a group that is entered anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub user: UserAddress,
    /// By which their devices are certified there.
    pub identity_key: [u8; 32],
    /// What they would be.
    pub role: RoomRole,
    /// They were not in it before, as far as this device knew.
    pub new: bool,
    /// They had no such role before.
    pub risen: bool,
    /// They had another key before, and this one is not pinned.
    pub changed: bool,
}

/// A group that is not entered by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsure {
    /// Who would be in it.
    pub people: Vec<Found>,
    /// Names exactly these people, their keys and roles, and who vouches for that.
    pub print: [u8; 32],
}

/// Who is in a group, by what keys, and who may do what.
pub(super) struct Known {
    people: BTreeMap<UserAddress, [u8; 32]>,
    roles: Option<Roles>,
}

impl Known {
    /// What this device knows of a group; none when it is not in it.
    pub fn of_room(ctx: &mut RoomCtx<'_>, room: RoomId) -> Result<Option<Self>, RoomError> {
        let Some(group) = ctx.load(room, Slot::Current)? else { return Ok(None) };
        Self::of(&member::members(&group)?, member::roles(&group)?).map(Some)
    }

    /// The same from its members. Nobody is in a group under two keys.
    pub fn of(members: &[DeviceCert], roles: Option<Roles>) -> Result<Self, RoomError> {
        let mut people = BTreeMap::new();
        for cert in members {
            if *people.entry(cert.user.clone()).or_insert(cert.identity_key) != cert.identity_key {
                return Err(PolicyError::OtherIdentity(cert.user.clone()).into());
            }
        }
        Ok(Known { people, roles })
    }

    fn role(&self, user: &UserAddress) -> RoomRole {
        self.roles.as_ref().map_or(RoomRole::Member, |roles| roles.of(user))
    }

    /// Whether anybody is in it who was not in the other.
    pub fn has_more(&self, than: &Known) -> bool {
        self.people.keys().any(|user| !than.people.contains_key(user))
    }

    /// What has happened since, for the lines of the chat.
    pub fn since(&self, before: Option<Known>, change: &mut Change) {
        let Some(before) = before else { return };
        let only = |these: &Known, those: &Known| -> Vec<UserAddress> {
            these.people.keys().filter(|user| !those.people.contains_key(*user)).cloned().collect()
        };
        change.came = only(self, &before);
        change.went = only(&before, self);
        change.roles_before = before.roles;
    }
}

/// Whether this device may enter a group as it is `now` by itself. `signer` vouches for that: they signed the GroupInfo, or the
/// commit of the Welcome.
pub(super) fn judge(
    ctx: &RoomCtx<'_>,
    meta: &Meta,
    before: Option<&Known>,
    now: &Known,
    signer: &DeviceCert,
    anew: &Anew,
) -> Result<(), RoomError> {
    // In a direct room are the two, by the keys that are pinned.
    if meta.kind != Some(RoomKind::Group) {
        return Ok(());
    }
    let mut people = Vec::new();
    for (user, key) in &now.people {
        let was = before.and_then(|before| before.people.get(user));
        let role = now.role(user);
        let had = before.filter(|_| was.is_some()).map_or(RoomRole::Member, |before| before.role(user));
        people.push(Found {
            user: user.clone(),
            identity_key: *key,
            role,
            new: was.is_none(),
            risen: role > had,
            changed: was.is_some_and(|was| was != key) && !ctx.is_pinned_as(user, key),
        });
    }
    let vouches =
        |one: &Found| one.user == signer.user && one.identity_key == signer.identity_key && !one.new;
    let as_known =
        before.is_none() || people.iter().any(vouches) && !people.iter().any(|one| one.risen || one.changed);
    let is_back = now.people.keys().any(|user| anew.away.contains(user));
    let print = print(now, signer);
    if (as_known && !is_back && !anew.ask && !meta.misled) || anew.agreed == Some(print) {
        return Ok(());
    }
    Err(RoomError::Unsure(Box::new(Unsure { people, print })))
}

fn print(now: &Known, signer: &DeviceCert) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("weft group entered anew 1");
    for (user, key) in now.people.iter().chain([(&signer.user, &signer.identity_key)]) {
        hasher.update(user.to_string().as_bytes()).update(&[0, now.role(user) as u8]).update(key);
    }
    *hasher.finalize().as_bytes()
}
