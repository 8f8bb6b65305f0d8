//! Who may do what, case by case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use support::{address, certified, device};
use weft_mls::{CommitFacts, PolicyError, commit::device_ref, policy};
use weft_wire::{
    UserAddress,
    identity::DeviceCert,
    rooms::{DeviceRef, RoomKind, RoomRole},
};

fn cert(name: &str, which: &str) -> DeviceCert {
    device(name, which).cert.peek().unwrap()
}

fn direct() -> RoomKind {
    RoomKind::Direct { members: (address("alice"), address("bob")) }
}

fn by(name: &str) -> CommitFacts {
    CommitFacts {
        committer: cert(name, "phone"),
        external: false,
        from_epoch: 4,
        to_epoch: 5,
        added: vec![],
        removed: vec![],
    }
}

fn judge(kind: &RoomKind, gone: &[DeviceRef], commit: &CommitFacts) -> Result<(), PolicyError> {
    let present = [cert("alice", "phone"), cert("bob", "phone"), cert("bob", "tablet")];
    let roles: BTreeMap<UserAddress, RoomRole> =
        [(address("alice"), RoomRole::Owner), (address("dave"), RoomRole::Admin)].into();
    policy::check(&policy::Rules { kind, present: &present, roles: &roles, gone }, commit)
}

#[test]
fn a_direct_room_is_for_its_two() {
    let mut commit = by("alice");
    commit.added = vec![cert("bob", "laptop"), cert("alice", "tablet")];
    assert_eq!(judge(&direct(), &[], &commit), Ok(()));
    commit.added = vec![cert("carol", "phone")];
    assert_eq!(judge(&direct(), &[], &commit), Err(PolicyError::NotOfTheTwo(address("carol"))));
    let joining = CommitFacts { external: true, ..by("carol") };
    assert_eq!(judge(&direct(), &[], &joining), Err(PolicyError::NotOfTheTwo(address("carol"))));

    let mut commit = by("alice");
    commit.removed = vec![device_ref(&cert("bob", "tablet"))];
    assert_eq!(judge(&direct(), &[], &commit), Err(PolicyError::Role(address("bob"))));
    assert_eq!(judge(&direct(), &commit.removed.clone(), &commit), Ok(()));
    let own = CommitFacts { removed: commit.removed, ..by("bob") };
    assert_eq!(judge(&direct(), &[], &own), Ok(()));
}

#[test]
fn in_a_group_roles_decide() {
    let mut commit = by("alice");
    commit.added = vec![cert("carol", "phone")];
    assert_eq!(judge(&RoomKind::Group, &[], &commit), Ok(()));
    commit.committer = cert("bob", "phone");
    assert_eq!(judge(&RoomKind::Group, &[], &commit), Err(PolicyError::Role(address("carol"))));
    commit.added = vec![cert("alice", "tablet")];
    assert_eq!(judge(&RoomKind::Group, &[], &commit), Ok(()));
    let joining = CommitFacts { external: true, ..by("carol") };
    assert_eq!(judge(&RoomKind::Group, &[], &joining), Err(PolicyError::NotAMember(address("carol"))));

    let removal = |committer: &str, whom: &str| {
        let removed = vec![device_ref(&cert(whom, "phone"))];
        judge(&RoomKind::Group, &[], &CommitFacts { removed, ..by(committer) })
    };
    assert_eq!(removal("alice", "dave"), Ok(()));
    assert_eq!(removal("dave", "bob"), Ok(()));
    assert_eq!(removal("dave", "alice"), Err(PolicyError::Role(address("alice"))));
    assert_eq!(removal("bob", "dave"), Err(PolicyError::Role(address("dave"))));
}

#[test]
fn one_person_has_one_identity() {
    let foreign = certified("bob", "laptop", "identity of mallory", support::LATER).cert.peek().unwrap();
    let mut commit = by("alice");
    commit.added = vec![foreign.clone()];
    assert_eq!(judge(&direct(), &[], &commit), Err(PolicyError::OtherIdentity(address("bob"))));
    let joining = CommitFacts { committer: foreign, external: true, ..by("bob") };
    assert_eq!(judge(&direct(), &[], &joining), Err(PolicyError::OtherIdentity(address("bob"))));

    // Also within one commit, of somebody who was not there.
    let mut commit = by("alice");
    let other = certified("carol", "tablet", "identity of mallory", support::LATER).cert.peek().unwrap();
    commit.added = vec![cert("carol", "phone"), other];
    assert_eq!(judge(&RoomKind::Group, &[], &commit), Err(PolicyError::OtherIdentity(address("carol"))));
}

#[test]
fn a_person_has_so_many_devices() {
    let mut commit = by("bob");
    commit.added = (0..14).map(|n| cert("bob", &format!("device {n}"))).collect();
    assert_eq!(judge(&direct(), &[], &commit), Ok(()));
    commit.added.push(cert("bob", "one more"));
    assert_eq!(judge(&direct(), &[], &commit), Err(PolicyError::TooMany));
}
