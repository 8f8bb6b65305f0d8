//! Roles travel in the group context: the hub and every member read the same ones, and nothing else may stand there.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod support;

use openmls::prelude::{
    Extension, ExtensionType, Extensions, OpenMlsProvider as _, RequiredCapabilitiesExtension,
    UnknownExtension,
};
use support::*;
use weft_mls::{
    HubGroup, MlsError, Roles,
    member::{self, Plan, Prepared},
    openmls,
    roles::ROLES_EXTENSION,
};
use weft_wire::rooms::RoomRole;

type Group = openmls::prelude::MlsGroup;

fn create(by: &Device) -> (Group, HubGroup) {
    let (group, group_info) = member::create_group(&by.provider, by.me(), ROOM).unwrap();
    let (hub, _) = HubGroup::create(ROOM, &group_info, NOW).unwrap();
    (group, hub)
}

fn plan(by: &Device, group: &mut Group, add: &[Vec<u8>], roles: Option<&Roles>) -> Prepared {
    let add: Vec<&[u8]> = add.iter().map(Vec::as_slice).collect();
    let plan = Plan { add: &add, remove: &[], roles };
    member::prepare_plan(&by.provider, by.me(), group, plan, NOW).unwrap()
}

fn named(names: &[(&str, RoomRole)]) -> Roles {
    let mut roles = Roles::of_creator(address("alice"));
    names.iter().for_each(|(name, role)| roles.set(&address(name), *role));
    roles
}

#[test]
fn everybody_reads_the_same_roles() {
    let (alice, bob, carol) = (device("alice", "phone"), device("bob", "phone"), device("carol", "phone"));
    let (mut at_alice, mut hub) = create(&alice);
    assert_eq!(hub.roles().unwrap(), Some(named(&[])));

    // People come in and one becomes an admin, by one commit.
    let roles = named(&[("bob", RoomRole::Admin)]);
    let both = [bob.key_package(), carol.key_package()];
    let adding = plan(&alice, &mut at_alice, &both, Some(&roles));
    let facts = accept(&mut hub, &adding);
    assert_eq!(facts.roles.as_ref(), Some(&roles));
    alice.merge(&mut at_alice);
    let welcome = adding.welcome.as_deref().unwrap();
    let mut at_bob = member::join(&bob.provider, ROOM, welcome).unwrap();
    let mut at_carol = member::join(&carol.provider, ROOM, welcome).unwrap();
    for group in [&at_alice, &at_bob, &at_carol] {
        assert_eq!(member::roles(group).unwrap().as_ref(), Some(&roles));
    }
    assert_eq!(hub.roles().unwrap(), Some(roles.clone()));

    // Whoever joins by themselves reads them too, and a commit that says nothing of roles leaves them.
    let tablet = device("carol", "tablet");
    let (at_tablet, joining) = tablet.join_externally(&adding.group_info);
    let facts = accept(&mut hub, &joining);
    assert_eq!((facts.external, facts.roles), (true, None));
    assert_eq!(member::roles(&at_tablet).unwrap().as_ref(), Some(&roles));

    // A change reaches those who follow.
    alice.follow(&mut at_alice, &joining.commit);
    bob.follow(&mut at_bob, &joining.commit);
    carol.follow(&mut at_carol, &joining.commit);
    let roles = named(&[("carol", RoomRole::Owner)]);
    let changing = plan(&alice, &mut at_alice, &[], Some(&roles));
    accept(&mut hub, &changing);
    bob.follow(&mut at_bob, &changing.commit);
    assert_eq!(member::roles(&at_bob).unwrap(), hub.roles().unwrap());
    assert_eq!(hub.roles().unwrap().unwrap().of(&address("bob")), RoomRole::Member);
    assert_eq!(hub.roles().unwrap().unwrap().of(&address("carol")), RoomRole::Owner);
}

#[test]
fn a_direct_room_has_none_and_a_new_group_has_one_owner() {
    let (alice, bob) = (device("alice", "phone"), device("bob", "phone"));
    let (at_alice, hub) = alice.create();
    assert_eq!(hub.roles().unwrap(), None);
    assert_eq!(member::roles(&at_alice).unwrap(), None);

    // Bob hands in, in his name, a group that alice is said to own.
    let (_, info) = made_with(&bob, extensions(weft_wire::encode(&named(&[]))));
    assert!(matches!(HubGroup::create(ROOM, &info, NOW), Err(MlsError::NotAllowed(_))));
}

fn extensions(roles: Vec<u8>) -> Vec<Extension> {
    let required = RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(ROLES_EXTENSION)], &[], &[]);
    vec![
        Extension::RequiredCapabilities(required),
        Extension::Unknown(ROLES_EXTENSION, UnknownExtension(roles)),
    ]
}

/// A group with any extensions.
fn made_with(by: &Device, extensions: Vec<Extension>) -> (Group, Vec<u8>) {
    let group = openmls::prelude::MlsGroup::builder()
        .ciphersuite(weft_mls::config::CIPHERSUITE)
        .with_group_id(weft_mls::config::group_id(ROOM))
        .with_capabilities(weft_mls::config::capabilities())
        .lifetime(weft_mls::config::lifetime())
        .with_group_context_extensions(Extensions::from_vec(extensions).unwrap())
        .build(&by.provider, &by.me(), by.me().credential())
        .unwrap();
    let info = group.export_group_info(by.provider.crypto(), &by.me(), true).unwrap();
    let info = weft_mls::messages::to_bytes(info).unwrap();
    (group, info)
}

#[test]
fn nothing_else_stands_in_the_group_context() {
    let good = weft_wire::encode(&named(&[]));
    let member: std::collections::BTreeMap<_, _> =
        [(address("alice"), RoomRole::Owner), (address("bob"), RoomRole::Member)].into();
    let trailing = [good.clone(), vec![0]].concat();
    let required = extensions(good.clone()).remove(0);
    let of_another = Extension::Unknown(0xF0C2, UnknownExtension(vec![1]));
    let bad = [
        extensions(b"nonsense".to_vec()),
        extensions(vec![]),
        extensions(trailing),
        extensions(weft_wire::encode(&member)),
        extensions(good.clone()).split_off(1),
        vec![required],
        [extensions(good.clone()), vec![of_another]].concat(),
    ];
    let read = |list: Vec<Extension>| Roles::read(&Extensions::from_vec(list).unwrap());
    for list in bad {
        let shown = format!("{list:?}");
        assert!(matches!(read(list), Err(MlsError::NotAllowed(_))), "{shown}");
    }
    let huge = extensions(vec![0; 1 << 20]);
    assert!(matches!(read(huge), Err(MlsError::TooLarge { .. })));
    assert_eq!(read(extensions(good)).unwrap(), Some(named(&[])));

    // Also not later, by a commit.
    let alice = device("alice", "phone");
    let (mut at_alice, hub) = create(&alice);
    for list in [vec![], extensions(b"nonsense".to_vec())] {
        let bundle = at_alice
            .commit_builder()
            .propose_group_context_extensions(Extensions::from_vec(list).unwrap())
            .unwrap()
            .load_psks(alice.provider.storage())
            .unwrap()
            .build(alice.provider.rand(), alice.provider.crypto(), &alice.me(), |_| true)
            .unwrap()
            .stage_commit(&alice.provider)
            .unwrap();
        let (commit, _, group_info) = bundle.into_messages();
        let bytes = |message: openmls::prelude::MlsMessageOut| weft_mls::messages::to_bytes(message).unwrap();
        let prepared = Prepared {
            commit: bytes(commit),
            group_info: bytes(group_info.unwrap()),
            welcome: None,
            added: vec![],
            epoch: 0,
        };
        assert!(matches!(refusal(&hub, &prepared), MlsError::NotAllowed(_)));
        at_alice.clear_pending_commit(alice.provider.storage()).unwrap();
    }
}

#[test]
fn five_hundred_people_fit() {
    let alice = device("alice", "phone");
    let (mut at_alice, mut hub) = create(&alice);
    let people: Vec<_> =
        (0..499).map(|n| device(&format!("person-with-a-long-name-{n:03}"), "phone")).collect();
    let packages: Vec<_> = people.iter().map(Device::key_package).collect();
    // Every one of them an admin: the largest roles that there can be.
    let mut roles = named(&[]);
    people.iter().for_each(|one| roles.set(&one.cert.peek().unwrap().user, RoomRole::Admin));
    let adding = plan(&alice, &mut at_alice, &packages, Some(&roles));
    let facts = accept(&mut hub, &adding);
    assert_eq!(facts.added.len(), 499);
    alice.merge(&mut at_alice);
    let last = people.last().unwrap();
    let mut at_last = member::join(&last.provider, ROOM, adding.welcome.as_deref().unwrap()).unwrap();
    assert_eq!(member::roles(&at_last).unwrap(), Some(roles.clone()));
    let removing =
        alice.prepare(&mut at_alice, &[], &people[..400].iter().map(Device::id).collect::<Vec<_>>());
    accept(&mut hub, &removing);
    last.follow(&mut at_last, &removing.commit);
    assert_eq!(hub.members().unwrap().len(), 100);
}
