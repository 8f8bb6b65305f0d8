//! Filling a group with people by what nodes give of them.

use crate::support::{World, group::*, story::*};
use ed25519_dalek::SigningKey;
use openmls_rust_crypto::OpenMlsRustCrypto;
use weft_engine::api::Call;
use weft_mls::openmls::prelude::KeyPackage;
use weft_mls::{DeviceIdentity, config, messages};
use weft_wire::identity::DeviceCert;
use weft_wire::{Blob, DeviceId, Signed};

const CLAIMS: &str = "POST users/key-packages";

#[test]
fn a_large_group_fills_as_fast_as_the_node_gives_key_packages_and_loses_nobody() {
    let people: Vec<String> = (0..80).map(|n| format!("p{n:02}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let mut world = signed_up(&people);
    for other in 1..people.len() {
        connect(&mut world, 0, other);
    }
    world.settle(5_000);
    // What the others' devices do with it is another story.
    for other in 2..people.len() {
        world.kill(other);
    }
    world.node.claims_max = Some(60);
    let chat = create(&mut world, 0, "Village", &people[1..]);
    send(&mut world, 0, &chat, "hello");
    world.settle(60_000);
    assert_eq!(state(&mut world, 0, &chat), "active", "those who are there need not wait");
    let members = group(&mut world, 0, &chat).members.len();
    assert!((50..=60).contains(&members), "{members}");
    assert!(asked(&world, CLAIMS) < 70, "{}: it does not go on asking", asked(&world, CLAIMS));
    assert_eq!(texts(&mut world, 1, &chat), ["hello"]);
    world.settle(700_000);
    assert_eq!(group(&mut world, 0, &chat).members.len(), 80);
    let lines = happened(&mut world, 0, &chat);
    assert!(!lines.iter().any(|line| line.starts_with("not_added")), "{lines:?}");
}

#[test]
fn who_is_added_when_the_node_gives_no_more_comes_in_later() {
    let (mut world, chat) = trio("Lunch");
    befriend(&mut world, 0, "dave");
    befriend(&mut world, 0, "erin");
    world.node.claims_max = Some(world.node.claims.len());
    world.call(0, Call::AddMembers { chat: chat.clone(), users: vec!["dave".into(), "erin".into()] });
    world.settle(10_000);
    assert_eq!(names(&group(&mut world, 0, &chat)).len(), 3);
    send(&mut world, 0, &chat, "meanwhile");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["meanwhile"]);
    world.node.claims_max = Some(10);
    world.settle(700_000);
    assert_eq!(names(&group(&mut world, 4, &chat)).len(), 5);
}

#[test]
fn one_of_whom_no_node_gives_any_holds_nobody_else_up() {
    let people = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let mut world = signed_up(&people);
    for other in 1..people.len() {
        connect(&mut world, 0, other);
    }
    world.settle(5_000);
    world.node.gives_none_of = Some("bob@home.example".parse().unwrap());
    let chat = create(&mut world, 0, "Lunch", &people[1..]);
    world.settle(20_000);
    assert_eq!(state(&mut world, 0, &chat), "active");
    let there = names(&group(&mut world, 5, &chat));
    assert_eq!(there, ["alice owner", "carol member", "dave member", "erin member", "frank member"]);
    world.node.gives_none_of = None;
    world.settle(700_000);
    assert_eq!(names(&group(&mut world, 1, &chat)).len(), 6);
}

#[test]
fn a_node_that_gives_two_key_packages_of_a_device_spoils_nothing() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    connect(&mut world, 0, 2);
    world.settle(5_000);
    world.node.doubles_key_packages = true;
    let chat = create(&mut world, 0, "Lunch", &["bob", "carol"]);
    world.settle(20_000);
    assert_eq!(names(&group(&mut world, 2, &chat)), ["alice owner", "bob member", "carol member"]);
    assert_eq!(happened(&mut world, 0, &chat), ["created by ALICE", "added BOB CAROL by ALICE"]);
}

/// Carol's client is another one: what it gives to be added by is hers, and of no use in any group.
fn make_useless(world: &mut World) {
    world.node.replace_account("carol", "carol");
    let identity = SigningKey::from_bytes(&[66; 32]);
    let key = SigningKey::from_bytes(&[67; 32]);
    let device_key = key.verifying_key().to_bytes();
    let device = DeviceId::of_key(&device_key);
    let cert = DeviceCert {
        user: address("carol"),
        identity_key: identity.verifying_key().to_bytes(),
        device,
        device_key,
        created_ms: 1,
        expires_ms: u64::MAX,
    };
    let cert = Signed::sign(&cert, &identity);
    let me = DeviceIdentity { key: &key, cert: &cert };
    // It does not know the roles that every leaf of a group has to know.
    let package = KeyPackage::builder()
        .key_package_lifetime(config::lifetime())
        .build(config::CIPHERSUITE, &OpenMlsRustCrypto::default(), &me, me.credential())
        .unwrap();
    let package = Blob(messages::to_bytes(package.key_package().clone()).unwrap());
    world.node.add_foreign_device("carol", cert.clone(), device);
    for (id, kept) in &mut world.node.account(&address("carol")).unwrap().devices {
        kept.key_packages.clear();
        kept.last_resort = Some(package.clone()).filter(|_| *id == device);
    }
}

#[test]
fn one_who_cannot_be_added_keeps_nobody_out_who_is_added_with_them() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    make_useless(&mut world);
    world.call(0, Call::AddContact { target: "carol".into(), greeting: "hi".into() });
    world.settle(60_000);
    world.call(2, Call::AcceptContact { user: "alice@home.example".into() });
    world.settle(60_000);
    let chat = create(&mut world, 0, "Lunch", &["bob", "carol"]);
    send(&mut world, 0, &chat, "hello");
    world.settle(20_000);
    assert_eq!(names(&group(&mut world, 0, &chat)), ["alice owner", "bob member"]);
    assert_eq!(texts(&mut world, 1, &chat), ["hello"]);
}
