//! Whose place a chat is, and whose name and key somebody goes by.

use crate::support::{World, group::*, node::problem, story::*};
use openmls_rust_crypto::OpenMlsRustCrypto;
use weft_engine::api::{Call, Reply};
use weft_mls::{DeviceIdentity, member};
use weft_wire::identity::DeviceCert;
use weft_wire::invites::Link;
use weft_wire::sync::InboxItem;
use weft_wire::{Blob, Code, DeviceId, RoomId, Signed};

/// The id of the chat of two people.
fn direct_id(low: &str, high: &str) -> RoomId {
    let hash = blake3::Hasher::new_derive_key("weft direct chat 1")
        .update(address(low).to_string().as_bytes())
        .update(b"\0")
        .update(address(high).to_string().as_bytes())
        .finalize();
    RoomId::from_slice(&hash.as_bytes()[..16]).unwrap()
}

/// Mallory makes a group under an id of her choice, and brings somebody in.
fn welcome(world: &mut World, to: &str, room: RoomId) {
    let keys = [[7; 32], [8; 32]].map(|seed| ed25519_dalek::SigningKey::from_bytes(&seed));
    let [identity, key] = &keys;
    let device_key = key.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: address("mallory"),
        identity_key: identity.verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: 1,
        expires_ms: u64::MAX,
    };
    let (cert, provider) = (Signed::sign(&cert, identity), OpenMlsRustCrypto::default());
    let me = DeviceIdentity { key, cert: &cert };
    let (mut group, _) = member::create_group(&provider, me, room).unwrap();
    let account = world.node.account(&address(to)).unwrap();
    let (device, kept) = account.devices.iter_mut().next().unwrap();
    let (device, package) = (*device, kept.key_packages.pop().unwrap().0);
    let packages = [package.as_slice()];
    let prepared = member::prepare(&provider, me, &mut group, &packages, &[], world.now).unwrap();
    let welcome = Blob(prepared.welcome.unwrap());
    world.node.tell_device(&address(to), device, InboxItem::Welcome { room, seq: 1, welcome });
    world.settle(60_000);
    assert!(world.node.account(&address(to)).unwrap().devices[&device].inbox.is_empty(), "it was taken");
}

#[test]
fn a_group_takes_no_place_of_a_chat_with_somebody() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    world.settle(5_000);
    // Of a contact with whom there is no chat yet.
    welcome(&mut world, "bob", direct_id("alice", "bob"));
    let Reply::Chats(chats) = world.call(1, Call::Chats) else { panic!("chats") };
    assert!(chats.iter().all(|chat| chat.kind == "direct"), "{chats:?}");
    let place = chat(&mut world, 1, "alice");
    assert_eq!(place, direct_id("alice", "bob").to_string());
    send(&mut world, 1, &place, "only you");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &place), ["only you"]);

    // Of somebody who was nobody to him then: the group stays one, and is not taken for the chat with her.
    welcome(&mut world, "bob", direct_id("bob", "carol"));
    assert_eq!(row(&mut world, 1, &direct_id("bob", "carol").to_string()).kind, "group");
    connect(&mut world, 2, 1);
    world.settle(5_000);
    let opened = world.try_call(1, Call::OpenChat { user: "carol@home.example".into() });
    assert!(!matches!(&opened, Ok(Reply::Chat(chat)) if chat.group.is_some()), "{opened:?}");
}

#[test]
fn who_is_in_a_group_by_another_key_than_the_pinned_is_not_the_one_who_was_verified() {
    let (mut world, chat) = trio("Lunch");
    let verified = |world: &mut World| {
        let members = group(world, 0, &chat).members;
        let bob = members.into_iter().find(|member| member.user.starts_with("bob@")).unwrap();
        (bob.name, bob.verified)
    };
    let verify = Call::SetVerified { user: "bob@home.example".into(), verified: true };
    world.call(0, verify.clone());
    assert_eq!(verified(&mut world), ("BOB".into(), true));
    // By a link another key becomes the one that is known; his device in the group has the one of before.
    let call = Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh: false };
    let Reply::Link(link) = world.call(1, call) else { panic!("a link") };
    let mut forged = Link::parse(&link.url).unwrap();
    forged.person.as_mut().unwrap().identity_key = [66; 32];
    let target = forged.to_url("https://home.example");
    let add = Call::AddContact { target, greeting: String::new() };
    assert_eq!(world.try_call(0, add).unwrap_err().code, "key_changed");
    world.call(0, verify);
    assert_eq!(verified(&mut world), ("bob".into(), false));
}

#[test]
fn a_yes_that_overtakes_the_answer_to_the_question_stands() {
    let mut world = signed_up(&["alice", "bob"]);
    world.hosts[0].slow = Some("contacts/requests");
    world.cast(0, Call::AddContact { target: "bob".into(), greeting: "hi".into() });
    world.settle(5_000);
    world.call(1, Call::AcceptContact { user: "alice@home.example".into() });
    world.settle(5_000);
    world.release(0);
    world.settle(5_000);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "accepted");
}

#[test]
fn only_where_a_session_is_asked_for_a_device_hears_that_it_is_signed_out() {
    let (mut world, chat) = talking();
    let mut far = problem(Code::DeviceRevoked);
    far.status = 401;
    world.node.refuse_messages = Some(far.clone());
    send(&mut world, 0, &chat, "second");
    world.settle(10_000);
    // Of a room, on the socket.
    let frame = weft_wire::sync::ServerFrame::Problem {
        problem: far,
        room: world.node.rooms.keys().next().copied(),
        fatal: false,
    };
    world.node.push(&address("alice"), None, &frame);
    world.settle(10_000);
    assert!(!world.hosts[0].is_empty() && !notices(&world, 0).contains(&"signed_out_remotely"));
    world.node.refuse_messages = None;
    world.settle(120_000);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "second"]);
}
