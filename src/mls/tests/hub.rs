//! A hub follows a group through its life and refuses what may not come next.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use openmls::prelude::{Lifetime, OpenMlsProvider as _};
use support::*;
use weft_mls::{
    CredentialError, HubGroup, MlsError, key_packages, member, openmls, openmls::prelude::KeyPackage,
};
use weft_wire::{RoomId, identity::IdentityError};

#[test]
fn a_group_lives_and_the_hub_follows() {
    let (alice, bob, tablet) = (device("alice", "phone"), device("bob", "phone"), device("bob", "tablet"));
    let (mut at_alice, mut hub) = alice.create();

    let adding = alice.prepare(&mut at_alice, &[bob.key_package(), tablet.key_package()], &[]);
    let facts = accept(&mut hub, &adding);
    assert_eq!((facts.from_epoch, facts.to_epoch, facts.external), (0, 1, false));
    assert_eq!(facts.added, adding.added);
    assert_eq!(facts.added.len(), 2);
    alice.merge(&mut at_alice);
    let mut at_bob = member::join(&bob.provider, ROOM, adding.welcome.as_deref().unwrap()).unwrap();
    let mut at_tablet = member::join(&tablet.provider, ROOM, adding.welcome.as_deref().unwrap()).unwrap();

    let hello = member::seal(&alice.provider, alice.me(), &mut at_alice, b"hello").unwrap();
    for (device, group) in [(&bob, &mut at_bob), (&tablet, &mut at_tablet)] {
        let opened = member::open(&device.provider, group, &hello).unwrap();
        assert_eq!(opened.content, b"hello");
        assert_eq!(opened.sender, alice.cert.peek().unwrap());
        let again = member::open(&device.provider, group, &hello).unwrap_err();
        assert!(matches!(again, member::OpenError::Replayed), "{again:?}");
    }

    let removing = bob.prepare(&mut at_bob, &[] as &[Vec<u8>], &[tablet.id()]);
    let facts = accept(&mut hub, &removing);
    assert_eq!(facts.removed.len(), 1);
    assert_eq!(facts.committer, bob.cert.peek().unwrap());
    bob.merge(&mut at_bob);
    alice.follow(&mut at_alice, &removing.commit);
    tablet.follow(&mut at_tablet, &removing.commit);
    assert!(!at_tablet.is_active());

    assert_eq!(hub.epoch(), 2);
    assert_eq!(hub.members().unwrap(), member::members(&at_alice).unwrap());
    assert_eq!(hub.members().unwrap(), vec![alice.cert.peek().unwrap(), bob.cert.peek().unwrap()]);
}

#[test]
fn one_of_two_commits_of_an_epoch_wins() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (mut at_alice, mut hub) = alice.create();
    let adding = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    accept(&mut hub, &adding);
    alice.merge(&mut at_alice);
    let mut at_bob = member::join(&bob.provider, ROOM, adding.welcome.as_deref().unwrap()).unwrap();

    let by_alice = alice.prepare(&mut at_alice, &[] as &[Vec<u8>], &[]);
    let by_bob = bob.prepare(&mut at_bob, &[] as &[Vec<u8>], &[]);
    let too_late = hub.check_commit(&submission(&by_bob), NOW).unwrap();
    accept(&mut hub, &by_alice);
    assert!(matches!(refusal(&hub, &by_bob), MlsError::WrongEpoch { expected: 2, found: 1 }));
    // Nor one that was checked before the other one was applied.
    assert!(matches!(hub.apply(too_late), Err(MlsError::WrongEpoch { .. })));
}

#[test]
fn a_device_joins_by_external_commit_and_joins_anew() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (mut at_alice, mut hub) = alice.create();
    let adding = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    accept(&mut hub, &adding);
    alice.merge(&mut at_alice);

    let tablet = device("alice", "tablet");
    let (mut at_tablet, joining) = tablet.join_externally(&adding.group_info);
    let facts = accept(&mut hub, &joining);
    assert!(facts.external && !facts.is_resync() && facts.added.is_empty());
    assert_eq!(facts.committer, tablet.cert.peek().unwrap());
    alice.follow(&mut at_alice, &joining.commit);

    let (mut at_tablet_anew, again) = tablet.join_externally(&joining.group_info);
    let facts = accept(&mut hub, &again);
    assert!(facts.is_resync());
    alice.follow(&mut at_alice, &again.commit);
    assert_eq!(hub.members().unwrap().len(), 3);

    let message = member::seal(&alice.provider, alice.me(), &mut at_alice, b"after").unwrap();
    assert!(member::open(&tablet.provider, &mut at_tablet, &message).is_err());
    assert_eq!(member::open(&tablet.provider, &mut at_tablet_anew, &message).unwrap().content, b"after");
}

#[test]
fn certificates_are_held_to() {
    let alice = device("alice", "phone");
    let (mut at_alice, hub) = alice.create();

    let expired = certified("bob", "phone", "identity of bob", NOW);
    let error = key_packages::check(&expired.key_package(), NOW).unwrap_err();
    assert!(
        matches!(error, MlsError::Credential(CredentialError::Identity(IdentityError::Expired))),
        "{error:?}"
    );
    let error =
        member::prepare(&alice.provider, alice.me(), &mut at_alice, &[expired.key_package()], &[], NOW)
            .unwrap_err();
    assert!(matches!(error, MlsError::Credential(_)));
    // A client that does not mind: the hub does.
    let added =
        member::prepare(&alice.provider, alice.me(), &mut at_alice, &[expired.key_package()], &[], NOW - 1)
            .unwrap();
    assert!(matches!(refusal(&hub, &added), MlsError::Credential(_)));

    // Bob's certificate on mallory's key.
    let bob = device("bob", "phone");
    let mallory = device("mallory", "phone");
    let stolen = Device { key: mallory.key, cert: bob.cert, provider: Default::default() };
    let error = key_packages::check(&stolen.key_package(), NOW).unwrap_err();
    assert!(matches!(error, MlsError::Credential(CredentialError::Key)), "{error:?}");
}

#[test]
fn key_packages_have_no_clock_of_their_own() {
    let bob = device("bob", "phone");
    let checked = key_packages::check(&bob.key_package(), NOW).unwrap();
    assert_eq!((checked.cert, checked.last_resort), (bob.cert.peek().unwrap(), false));
    let last = key_packages::build(&bob.provider, bob.me(), true).unwrap();
    assert!(key_packages::check(&last, NOW).unwrap().last_resort);

    let other = KeyPackage::builder()
        .key_package_lifetime(Lifetime::default())
        .leaf_node_capabilities(weft_mls::config::capabilities())
        .build(weft_mls::config::CIPHERSUITE, &bob.provider, &bob.me(), bob.me().credential())
        .unwrap();
    let other = weft_mls::messages::to_bytes(other.key_package().clone()).unwrap();
    let error = key_packages::check(&other, NOW).unwrap_err();
    assert!(matches!(error, MlsError::Credential(CredentialError::Lifetime)), "{error:?}");
}

#[test]
fn the_group_info_must_fit() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (mut at_alice, hub) = alice.create();
    let before = alice.group_info(&at_alice, true);
    let mut adding = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    adding.group_info = before;
    assert!(matches!(refusal(&hub, &adding), MlsError::GroupInfo("another group context")));

    // Of the same epoch, but of another commit.
    at_alice.clear_pending_commit(alice.provider.storage()).unwrap();
    let other = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    adding.group_info = other.group_info.clone();
    assert!(matches!(refusal(&hub, &adding), MlsError::GroupInfo(_)));
    adding = other;
    let good = adding.group_info.clone();

    alice.merge(&mut at_alice);
    adding.group_info = alice.group_info(&at_alice, false);
    assert!(matches!(refusal(&hub, &adding), MlsError::GroupInfo("the ratchet tree is missing")));

    adding.group_info = good;
    hub.check_commit(&submission(&adding), NOW).unwrap();
}

#[test]
fn the_welcome_must_fit() {
    let (alice, bob, carol) = (device("alice", "phone"), device("bob", "phone"), device("carol", "phone"));
    let (mut at_alice, hub) = alice.create();
    let for_bob = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    at_alice.clear_pending_commit(alice.provider.storage()).unwrap();
    let for_carol = alice.prepare(&mut at_alice, &[carol.key_package()], &[]);
    at_alice.clear_pending_commit(alice.provider.storage()).unwrap();
    let for_nobody = alice.prepare(&mut at_alice, &[] as &[Vec<u8>], &[]);

    let mut swapped = for_bob.clone();
    swapped.welcome = for_carol.welcome.clone();
    assert!(matches!(refusal(&hub, &swapped), MlsError::Welcome(_)));
    swapped.welcome = None;
    assert!(matches!(refusal(&hub, &swapped), MlsError::Welcome(_)));
    let mut superfluous = for_nobody.clone();
    superfluous.welcome = for_bob.welcome;
    assert!(matches!(refusal(&hub, &superfluous), MlsError::Welcome(_)));
    hub.check_commit(&submission(&for_nobody), NOW).unwrap();
}

#[test]
fn only_adds_and_removes_are_taken() {
    let alice = device("alice", "phone");
    let (mut at_alice, hub) = alice.create();
    let bundle = at_alice
        .commit_builder()
        .propose_group_context_extensions(openmls::extensions::Extensions::empty())
        .unwrap()
        .load_psks(alice.provider.storage())
        .unwrap()
        .build(alice.provider.rand(), alice.provider.crypto(), &alice.me(), |_| true)
        .unwrap()
        .stage_commit(&alice.provider)
        .unwrap();
    let (commit, _, group_info) = bundle.into_messages();
    let bytes = |message: openmls::prelude::MlsMessageOut| weft_mls::messages::to_bytes(message).unwrap();
    let prepared = member::Prepared {
        commit: bytes(commit),
        group_info: bytes(group_info.unwrap()),
        welcome: None,
        added: vec![],
        epoch: 0,
    };
    assert!(matches!(refusal(&hub, &prepared), MlsError::NotAllowed(_)));
}

#[test]
fn a_device_is_in_a_group_once() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (mut at_alice, mut hub) = alice.create();
    let adding = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    accept(&mut hub, &adding);
    alice.merge(&mut at_alice);
    let error = member::prepare(&alice.provider, alice.me(), &mut at_alice, &[bob.key_package()], &[], NOW)
        .unwrap_err();
    assert!(matches!(error, MlsError::Duplicate(device) if device == bob.id()));
    let error = member::prepare(
        &alice.provider,
        alice.me(),
        &mut at_alice,
        &[] as &[Vec<u8>],
        &[device("carol", "phone").id()],
        NOW,
    )
    .unwrap_err();
    assert!(matches!(error, MlsError::NoSuchDevice(_)));
}

#[test]
fn another_room_is_another_room() {
    let alice = device("alice", "phone");
    let other = RoomId([0xB8; 16]);
    let (group, group_info) = member::create(&alice.provider, alice.me(), other).unwrap();
    drop(group);
    assert!(matches!(HubGroup::create(ROOM, &group_info, NOW), Err(MlsError::WrongRoom)));
    let (at_other, _) = HubGroup::create(other, &group_info, NOW).unwrap();
    let (mut at_alice, hub) = alice.create();
    let commit = alice.prepare(&mut at_alice, &[] as &[Vec<u8>], &[]);
    assert!(matches!(refusal(&at_other, &commit), MlsError::WrongRoom));
    assert!(HubGroup::from_bytes(other, &hub.to_bytes()).is_err());
}

#[test]
fn garbage_is_refused_and_nothing_panics() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (mut at_alice, hub) = alice.create();
    let good = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    let welcome = good.welcome.clone().unwrap();
    let state = hub.to_bytes();
    let key_package = bob.key_package();

    let mutations = |bytes: &[u8]| {
        let mut all: Vec<Vec<u8>> = (0..bytes.len()).step_by(7).map(|len| bytes[..len].to_vec()).collect();
        for at in (0..bytes.len()).step_by(3) {
            for flip in [0x01, 0x80] {
                let mut bytes = bytes.to_vec();
                bytes[at] ^= flip;
                all.push(bytes);
            }
        }
        all.push([bytes, b"more"].concat());
        all
    };
    // The membership tag, at the end of a commit, can only be checked by members.
    let tag = good.commit.len() - 33;
    for commit in mutations(&good.commit) {
        if commit.len() == good.commit.len() && commit[..tag] == good.commit[..tag] {
            continue;
        }
        assert!(hub.check_commit(&submission(&member::Prepared { commit, ..good.clone() }), NOW).is_err());
    }
    for group_info in mutations(&good.group_info) {
        let bad = member::Prepared { group_info: group_info.clone(), ..good.clone() };
        assert!(hub.check_commit(&submission(&bad), NOW).is_err());
        assert!(HubGroup::create(ROOM, &group_info, NOW).is_err());
        assert!(member::join_externally(&bob.provider, bob.me(), ROOM, &group_info).is_err());
    }
    for welcome in mutations(&welcome) {
        let bad = member::Prepared { welcome: Some(welcome.clone()), ..good.clone() };
        // What is sealed to the new device is for that device to check.
        let _ = hub.check_commit(&submission(&bad), NOW);
        let carol = device("carol", "phone");
        assert!(member::join(&carol.provider, ROOM, &welcome).is_err());
    }
    for bytes in mutations(&key_package) {
        assert!(key_packages::check(&bytes, NOW).is_err());
    }
    for bytes in mutations(&state) {
        if let Ok(hub) = HubGroup::from_bytes(ROOM, &bytes) {
            let _ = (hub.members(), hub.check_commit(&submission(&good), NOW));
        }
    }
    let huge = vec![0; weft_wire::limits::GROUP_INFO_BYTES_MAX + 1];
    assert!(matches!(HubGroup::create(ROOM, &huge, NOW), Err(MlsError::TooLarge { .. })));
    assert!(matches!(HubGroup::from_bytes(ROOM, &vec![0; 64 << 20]), Err(MlsError::State(_))));
    assert!(matches!(key_packages::check(&huge, NOW), Err(MlsError::TooLarge { .. })));
}

#[test]
fn a_hundred_devices_fit() {
    let alice = device("alice", "phone");
    let (mut at_alice, mut hub) = alice.create();
    let packages: Vec<_> = (0..100).map(|n| device(&format!("user{n}"), "phone").key_package()).collect();
    let adding = alice.prepare(&mut at_alice, &packages, &[]);
    accept(&mut hub, &adding);
    alice.merge(&mut at_alice);
    let update = alice.prepare(&mut at_alice, &[] as &[Vec<u8>], &[]);
    let start = std::time::Instant::now();
    accept(&mut hub, &update);
    let took = start.elapsed();
    let (state, group_info) = (hub.to_bytes().len() / 101, update.group_info.len() / 101);
    println!(
        "each device: {state} bytes of state, {group_info} of GroupInfo, {} of Welcome; commit of 100 adds: {}, \
         an update: {}; checked and applied in {took:?}",
        adding.welcome.as_ref().unwrap().len() / 101,
        adding.commit.len(),
        update.commit.len(),
    );
    assert!(state < 2_500 && group_info < 1_000);
}

#[test]
fn whoever_joins_from_outside_learns_who_signed_what_they_join_by() {
    let (alice, bob, tablet) = (device("alice", "phone"), device("bob", "phone"), device("bob", "tablet"));
    let (mut at_alice, mut hub) = alice.create();
    let adding = alice.prepare(&mut at_alice, &[bob.key_package()], &[]);
    accept(&mut hub, &adding);
    let signer = |who: &Device, group_info: &[u8]| {
        member::join_externally_by(&who.provider, who.me(), ROOM, group_info).unwrap().2.device
    };
    assert_eq!(signer(&tablet, &adding.group_info), alice.id());
    let (_, joining) = tablet.join_externally(&adding.group_info);
    accept(&mut hub, &joining);
    // Bob's phone in place of its own old leaf; and the tablet by what it has signed itself.
    assert_eq!(signer(&bob, &joining.group_info), tablet.id());
    assert_eq!(signer(&tablet, &joining.group_info), tablet.id());
    for len in 0..joining.group_info.len().min(400) {
        assert!(weft_mls::messages::signer(&joining.group_info[..len]).is_err(), "{len} bytes");
    }
}
