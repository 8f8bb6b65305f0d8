//! Who may do what, case by case.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use support::{address, certified, device};
use weft_mls::{CommitFacts, PolicyError, Roles, commit::device_ref, policy};
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
        roles: None,
    }
}

fn judge(kind: &RoomKind, gone: &[DeviceRef], commit: &CommitFacts) -> Result<(), PolicyError> {
    let present = [
        cert("alice", "phone"),
        cert("bob", "phone"),
        cert("bob", "tablet"),
        cert("dave", "phone"),
        cert("dave", "tablet"),
    ];
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

/// Alice owns the group and dave is an admin, but for these changes.
fn roles(changes: &[(&str, RoomRole)]) -> Option<Roles> {
    let mut roles = Roles::of_creator(address("alice"));
    roles.set(&address("dave"), RoomRole::Admin);
    changes.iter().for_each(|(name, role)| roles.set(&address(name), *role));
    Some(roles)
}

#[test]
fn an_owner_changes_roles_and_nobody_else() {
    use RoomRole::{Admin, Member, Owner};
    let change = |by: CommitFacts, changes: &[(&str, RoomRole)]| {
        judge(&RoomKind::Group, &[], &CommitFacts { roles: roles(changes), ..by })
    };
    let refused = |name: &str| Err(PolicyError::Role(address(name)));
    assert_eq!(change(by("alice"), &[("bob", Admin), ("dave", Owner)]), Ok(()));
    assert_eq!(change(by("alice"), &[("alice", Member), ("bob", Owner)]), Ok(()));
    assert_eq!(change(by("dave"), &[("bob", Admin)]), refused("bob"));
    assert_eq!(change(by("dave"), &[("dave", Owner)]), refused("dave"));
    assert_eq!(change(by("dave"), &[("dave", Member)]), refused("dave"), "not even one's own");
    assert_eq!(change(by("bob"), &[("bob", Owner)]), refused("bob"));
    assert_eq!(change(by("bob"), &[]), Ok(()), "the same roles again change nothing");
    let joining = CommitFacts { external: true, committer: cert("alice", "tablet"), ..by("alice") };
    assert_eq!(change(joining, &[("bob", Admin)]), refused("bob"), "whoever joins changes nothing");

    // A group is never without an owner, and a direct room has none.
    assert_eq!(change(by("alice"), &[("alice", Admin)]), Err(PolicyError::Owners));
    let direct_roles = CommitFacts { roles: roles(&[]), ..by("alice") };
    assert_eq!(judge(&direct(), &[], &direct_roles), Err(PolicyError::Owners));
    // Nor does anybody get a role before they are there.
    assert_eq!(change(by("alice"), &[("carol", Admin)]), Err(PolicyError::RoleOfNobody(address("carol"))));
    let with_her = CommitFacts { added: vec![cert("carol", "phone")], ..by("alice") };
    assert_eq!(change(with_her, &[("carol", Admin)]), Ok(()));
}

#[test]
fn whoever_goes_leaves_their_role_behind() {
    use RoomRole::{Member, Owner};
    let both = |name: &str| vec![device_ref(&cert(name, "phone")), device_ref(&cert(name, "tablet"))];
    let out = CommitFacts { removed: both("dave"), ..by("alice") };
    assert_eq!(
        judge(&RoomKind::Group, &[], &out),
        Err(PolicyError::RoleOfNobody(address("dave"))),
        "or he would be an admin at once when he is added again"
    );
    let out = CommitFacts { roles: roles(&[("dave", Member)]), ..out };
    assert_eq!(judge(&RoomKind::Group, &[], &out), Ok(()));
    // One device of two: the role stays.
    let one = CommitFacts { removed: both("dave").split_off(1), ..by("alice") };
    assert_eq!(judge(&RoomKind::Group, &[], &one), Ok(()));

    // Who has left, or was signed out everywhere, is removed by anybody, and their role with them; the last owner is not.
    let gone = both("dave");
    let tidied = CommitFacts { removed: gone.clone(), roles: roles(&[("dave", Member)]), ..by("bob") };
    assert_eq!(judge(&RoomKind::Group, &gone, &tidied), Ok(()));
    let more = CommitFacts { roles: roles(&[("dave", Member), ("bob", Owner)]), ..tidied };
    assert_eq!(judge(&RoomKind::Group, &gone, &more), Err(PolicyError::Role(address("bob"))));
    let last = vec![device_ref(&cert("alice", "phone"))];
    let tidied = CommitFacts { removed: last.clone(), roles: roles(&[("alice", Member)]), ..by("bob") };
    assert_eq!(judge(&RoomKind::Group, &last, &tidied), Err(PolicyError::Owners));
}

#[test]
fn a_kind_and_its_roles_belong_together() {
    assert_eq!(policy::check_kind(&RoomKind::Group, roles(&[]).as_ref()), Ok(()));
    assert_eq!(policy::check_kind(&direct(), None), Ok(()));
    assert_eq!(policy::check_kind(&RoomKind::Group, None), Err(PolicyError::Owners));
    assert_eq!(policy::check_kind(&direct(), roles(&[]).as_ref()), Err(PolicyError::Owners));
}

#[test]
fn a_group_is_never_left_in_hands_that_are_gone() {
    use RoomRole::{Admin, Member, Owner};
    let refs = |names: &[&str]| -> Vec<DeviceRef> {
        names.iter().map(|name| device_ref(&cert(name, "phone"))).collect()
    };
    let present = refs(&["alice", "bob", "dave"]);
    let may = |who: &str, changes: &[(&str, RoomRole)], gone: &[&str]| {
        policy::may_leave(&present, roles(changes).unwrap().named(), &refs(gone), &address(who))
    };
    assert_eq!(may("bob", &[], &[]), Ok(()));
    assert_eq!(may("dave", &[], &[]), Ok(()));
    assert_eq!(may("alice", &[], &[]), Err(PolicyError::Owners));
    assert_eq!(may("alice", &[("bob", Owner)], &[]), Ok(()));
    assert_eq!(may("alice", &[("bob", Owner)], &["bob"]), Err(PolicyError::Owners), "bob has left, too");
    let alone = refs(&["alice"]);
    assert_eq!(policy::may_leave(&alone, roles(&[]).unwrap().named(), &[], &address("alice")), Ok(()));

    // Dave owns it as well and has left: alice does not step back now.
    let both: BTreeMap<_, _> = roles(&[("dave", Owner)]).unwrap().named().clone();
    let present = [cert("alice", "phone"), cert("bob", "phone"), cert("dave", "phone")];
    let gone = refs(&["dave"]);
    let step_back = |named| {
        let rules = policy::Rules { kind: &RoomKind::Group, present: &present, roles: &both, gone: &gone };
        policy::check(&rules, &CommitFacts { roles: named, ..by("alice") })
    };
    assert_eq!(step_back(roles(&[("alice", Admin), ("dave", Owner)])), Err(PolicyError::Owners));
    assert_eq!(step_back(roles(&[("alice", Member), ("dave", Owner), ("bob", Owner)])), Ok(()));
}
