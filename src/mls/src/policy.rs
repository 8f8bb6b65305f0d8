//! Who may do what in a room: a pure function that the hub runs before it takes a commit, and every member runs again
//! before following it, so that a hub cannot slip anybody in.

use crate::sets::{map, set};
use crate::{CommitFacts, Roles, commit::device_ref};
use std::collections::{BTreeMap, BTreeSet};
use weft_wire::{
    UserAddress,
    identity::DeviceCert,
    limits,
    rooms::{DeviceRef, RoomKind, RoomRole},
};

/// Why a commit is against the rules of its room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A direct room is for its two people.
    #[error("{0} is not one of the two people of this room")]
    NotOfTheTwo(UserAddress),
    /// Only devices of people who are in the room join by themselves.
    #[error("{0} is not a member of this room")]
    NotAMember(UserAddress),
    /// A certificate by another identity key than the one that this person's other devices in the room have.
    #[error("a device of {0} is certified by another identity key")]
    OtherIdentity(UserAddress),
    /// The committer's role does not allow it.
    #[error("to add or remove {0}, or to change what they may do, needs a higher role")]
    Role(UserAddress),
    /// Somebody who is not in the group afterwards would keep a role there, to have it again when they come back.
    #[error("{0} would have a role in a group in which they are not")]
    RoleOfNobody(UserAddress),
    /// Roles in a direct room, a group without any, or one whose last owner would go without naming another.
    #[error("a group has an owner, and a direct room has none")]
    Owners,
    /// Over [`limits::ROOM_MEMBERS_MAX`] people, or [`limits::DEVICES_PER_ACCOUNT_MAX`] devices of one.
    #[error("too many members or devices")]
    TooMany,
}

/// What the rules depend on besides the commit.
pub struct Rules<'a> {
    /// What the room is for.
    pub kind: &'a RoomKind,
    /// The devices in the group before the commit.
    pub present: &'a [DeviceCert],
    /// What each member may do. Without an entry: [`RoomRole::Member`].
    pub roles: &'a BTreeMap<UserAddress, RoomRole>,
    /// Devices that were signed out: anybody may remove them.
    pub gone: &'a [DeviceRef],
}

/// Judges a commit.
///
/// - Direct room: only devices of the two people come in, and by either; a person removes own devices only.
/// - Group: an admin brings in new people, and removes members; an owner removes anybody. Every member may bring in
///   further devices of people who are there, and remove own devices.
/// - An external commit: by a device of a person who is in the room (RFC 9420, 3.3).
/// - Devices of one person all have certificates by one identity key.
/// - Roles: an owner changes them. Whoever goes loses theirs by the very commit that removes their last device, and the last
///   owner does not go without naming another.
///
/// # Errors
/// [`PolicyError`].
pub fn check(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    check_arrivals(rules, commit)?;
    for gone in &commit.removed {
        check_removal(rules, commit, gone)?;
    }
    check_roles(rules, commit)?;
    check_living_owner(rules, commit)?;
    check_counts(rules, commit)
}

/// Whether anybody but `but` owns a group with a device that was not signed out, and has not left.
fn is_owned(
    present: &[DeviceRef],
    roles: &BTreeMap<UserAddress, RoomRole>,
    gone: &[DeviceRef],
    but: Option<&UserAddress>,
) -> bool {
    let owner =
        |device: &&DeviceRef| Some(&device.user) != but && roles.get(&device.user) == Some(&RoomRole::Owner);
    present.iter().filter(owner).any(|device| !gone.contains(device))
}

/// Nobody gives the group into hands that are not there any more: it could never be managed again.
fn check_living_owner(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    let Some(roles) = &commit.roles else { return Ok(()) };
    let before: Vec<DeviceRef> = rules.present.iter().map(device_ref).collect();
    let staying = before.iter().filter(|device| !commit.removed.contains(device)).cloned();
    let after: Vec<DeviceRef> = staying.chain(commit.arrivals().map(device_ref)).collect();
    let lost = is_owned(&before, rules.roles, rules.gone, None)
        && !is_owned(&after, roles.named(), rules.gone, None);
    if lost { Err(PolicyError::Owners) } else { Ok(()) }
}

/// Whether somebody may leave: the last owner names another first, unless nobody else is there.
///
/// # Errors
/// [`PolicyError::Owners`].
pub fn may_leave(
    present: &[DeviceRef],
    roles: &BTreeMap<UserAddress, RoomRole>,
    gone: &[DeviceRef],
    user: &UserAddress,
) -> Result<(), PolicyError> {
    let alone = present.iter().all(|device| device.user == *user);
    let free = alone || roles.get(user) != Some(&RoomRole::Owner);
    if free || is_owned(present, roles, gone, Some(user)) { Ok(()) } else { Err(PolicyError::Owners) }
}

/// The part that a member insists on: who comes in, and who may do what. Removals it leaves to the hub, which could lock
/// anybody out anyway; a member that did not follow one would only be locked out itself.
///
/// # Errors
/// [`PolicyError`].
pub fn check_followed(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    check_arrivals(rules, commit)?;
    check_roles(rules, commit)
}

/// The kind of a room, and whether its group has roles, belong together.
///
/// # Errors
/// [`PolicyError::Owners`].
pub fn check_kind(kind: &RoomKind, roles: Option<&Roles>) -> Result<(), PolicyError> {
    let fits = match kind {
        RoomKind::Direct { .. } => roles.is_none(),
        RoomKind::Group => roles.is_some_and(Roles::has_owner),
    };
    if fits { Ok(()) } else { Err(PolicyError::Owners) }
}

/// The people who have a device in the group after a commit.
pub fn people_after(present: &[DeviceCert], commit: &CommitFacts) -> BTreeSet<UserAddress> {
    let removed = set(commit.removed.iter().map(|gone| gone.device));
    let staying = present.iter().filter(|cert| !removed.contains(&cert.device));
    set(staying.chain(commit.arrivals()).map(|cert| cert.user.clone()))
}

fn check_roles(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    if matches!(rules.kind, RoomKind::Direct { .. }) {
        return if commit.roles.is_none() { Ok(()) } else { Err(PolicyError::Owners) };
    }
    let people = people_after(rules.present, commit);
    let named = |roles: &BTreeMap<UserAddress, RoomRole>| -> BTreeMap<UserAddress, RoomRole> {
        let above = roles.iter().filter(|(_, role)| **role > RoomRole::Member);
        map(above.map(|(user, role)| (user.clone(), *role)))
    };
    let before = named(rules.roles);
    let after = commit.roles.as_ref().map_or_else(|| before.clone(), |roles| named(roles.named()));
    if let Some(nobody) = after.keys().find(|user| !people.contains(*user)) {
        return Err(PolicyError::RoleOfNobody(nobody.clone()));
    }
    if !after.values().any(|role| *role == RoomRole::Owner) {
        return Err(PolicyError::Owners);
    }
    // Whoever goes loses theirs; whether they may be made to go is judged by the removal.
    let owned = !commit.external && role(rules, &commit.committer.user) == RoomRole::Owner;
    let changed = |user: &&UserAddress| before.get(*user) != after.get(*user) && people.contains(*user);
    match before.keys().chain(after.keys()).find(changed) {
        Some(user) if !owned => Err(PolicyError::Role(user.clone())),
        _ => Ok(()),
    }
}

/// Who comes in: the part of [`check_followed`] that holds where the roles are not known.
///
/// # Errors
/// [`PolicyError`].
pub fn check_arrivals(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    let present = map(rules.present.iter().map(|cert| (&cert.user, &cert.identity_key)));
    for cert in commit.arrivals() {
        if present.get(&cert.user).is_some_and(|key| **key != cert.identity_key) {
            return Err(PolicyError::OtherIdentity(cert.user.clone()));
        }
        check_arrival(rules, &present, commit, cert)?;
    }
    let mut keys: BTreeMap<&UserAddress, &[u8; 32]> = BTreeMap::new();
    for cert in commit.arrivals() {
        if *keys.entry(&cert.user).or_insert(&cert.identity_key) != &cert.identity_key {
            return Err(PolicyError::OtherIdentity(cert.user.clone()));
        }
    }
    Ok(())
}

fn check_arrival(
    rules: &Rules<'_>,
    present: &BTreeMap<&UserAddress, &[u8; 32]>,
    commit: &CommitFacts,
    cert: &DeviceCert,
) -> Result<(), PolicyError> {
    match rules.kind {
        // Also when none of that person's devices is in the group just now: the room is theirs.
        RoomKind::Direct { members } if cert.user == members.0 || cert.user == members.1 => Ok(()),
        RoomKind::Direct { .. } => Err(PolicyError::NotOfTheTwo(cert.user.clone())),
        RoomKind::Group if present.contains_key(&cert.user) => Ok(()),
        RoomKind::Group if commit.external => Err(PolicyError::NotAMember(cert.user.clone())),
        RoomKind::Group if role(rules, &commit.committer.user) >= RoomRole::Admin => Ok(()),
        RoomKind::Group => Err(PolicyError::Role(cert.user.clone())),
    }
}

fn check_removal(rules: &Rules<'_>, commit: &CommitFacts, gone: &DeviceRef) -> Result<(), PolicyError> {
    if gone.user == commit.committer.user || rules.gone.contains(gone) {
        return Ok(());
    }
    let (by, whom) = (role(rules, &commit.committer.user), role(rules, &gone.user));
    let allowed = match rules.kind {
        RoomKind::Direct { .. } => false,
        RoomKind::Group => by == RoomRole::Owner || (by == RoomRole::Admin && whom == RoomRole::Member),
    };
    if allowed { Ok(()) } else { Err(PolicyError::Role(gone.user.clone())) }
}

fn check_counts(rules: &Rules<'_>, commit: &CommitFacts) -> Result<(), PolicyError> {
    let removed = set(commit.removed.iter().map(|gone| gone.device));
    let staying = rules.present.iter().filter(|cert| !removed.contains(&cert.device));
    let mut devices: BTreeMap<&UserAddress, usize> = BTreeMap::new();
    for cert in staying.chain(commit.arrivals()) {
        *devices.entry(&cert.user).or_default() += 1;
    }
    // Only what grows is refused: a limit that is lowered one day must not stop removals.
    let grows = commit.arrivals().count() > commit.removed.len();
    let full = devices.len() > limits::ROOM_MEMBERS_MAX
        || devices.values().any(|count| *count > limits::DEVICES_PER_ACCOUNT_MAX);
    if grows && full { Err(PolicyError::TooMany) } else { Ok(()) }
}

fn role(rules: &Rules<'_>, user: &UserAddress) -> RoomRole {
    rules.roles.get(user).copied().unwrap_or(RoomRole::Member)
}
