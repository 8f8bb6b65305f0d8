//! What a hostile node, and somebody who was blocked, must not get: stories of people and their devices, against a node in
//! memory.

use crate::support::{World, accounts::Device, story::*};
use weft_engine::api::{Call, DeliveryView, Event, Reply};
use weft_wire::identity::DeviceCert;
use weft_wire::{DeviceId, Signed};

const ALICE: &str = "alice@home.example";
const BOB: &str = "bob@home.example";

/// What a person would notice of somebody: everything but the connection and their own account.
fn noticed(world: &World, at: usize) -> Vec<&Event> {
    let loud = |event: &&Event| !matches!(event, Event::Connection(_) | Event::Me(_));
    world.hosts[at].events.iter().filter(loud).collect()
}

/// How bob's message of this text looks to him.
fn delivery(world: &mut World, chat: &str, text: &str) -> DeliveryView {
    let is = |message: &weft_engine::api::MessageView| matches!(&message.body, weft_engine::api::BodyView::Text { text: found } if found == text);
    messages(world, 1, chat).into_iter().find(is).unwrap().delivery
}

#[test]
fn who_is_blocked_is_neither_seen_nor_heard_and_notices_nothing() {
    let (mut world, chat) = talking();
    send(&mut world, 0, &chat, "from alice");
    world.settle(10_000);
    assert_eq!(delivery(&mut world, &chat, "first"), DeliveryView::Delivered);
    world.call(0, Call::BlockContact { user: BOB.into() });
    world.settle(5_000);
    let (seen_by_bob, requests) = (contact(&mut world, 1, "alice"), world.node.requests.clone());
    world.hosts[0].events.clear();
    world.hosts[1].events.clear();

    // All that bob can do: write, type, read, change his name, sign in anew, send what nobody can open.
    world.call(1, Call::Typing { chat: chat.clone(), on: true });
    world.settle(100);
    send(&mut world, 1, &chat, "are you angry?");
    world.call(1, Call::SetDisplayName { name: "Your best friend".into() });
    world.call(1, Call::MarkRead { chat: chat.clone(), order: f64::MAX });
    world.settle(10_000);
    let tablet = sign_in(&mut world, "bob");
    send(&mut world, tablet, &chat, "from my tablet");
    world.settle(10_000);
    assert_eq!(noticed(&world, 0), Vec::<&Event>::new(), "alice notices nothing");
    assert_eq!(texts(&mut world, 0, &chat), ["first", "from alice"]);
    assert_eq!(lines(&mut world, 0, &chat), ["secured"]);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().display_name, "BOB");

    // To bob it looks as ever: taken, and delivered to a person who does not answer.
    assert_eq!(contact(&mut world, 1, "alice"), seen_by_bob);
    assert_eq!(delivery(&mut world, &chat, "are you angry?"), DeliveryView::Delivered);
    assert_eq!(delivery(&mut world, &chat, "from my tablet"), DeliveryView::Delivered);
    assert!(world.node.requests["POST rooms"] > requests["POST rooms"]);

    // Alice looks at the chat and begins to write, and changes her name. That is hers alone.
    world.hosts[1].events.clear();
    world.call(0, Call::MarkRead { chat: chat.clone(), order: f64::MAX });
    world.call(0, Call::Typing { chat: chat.clone(), on: true });
    world.call(0, Call::SetDisplayName { name: "Alice A.".into() });
    world.settle(10_000);
    assert_eq!(noticed(&world, 1), Vec::<&Event>::new(), "bob learns nothing");
    assert_eq!(delivery(&mut world, &chat, "first"), DeliveryView::Delivered, "nor that it was read");
    assert_eq!(contact(&mut world, 1, "alice").unwrap().display_name, "ALICE");
    assert_eq!(notices(&world, 1), Vec::<&str>::new());
}

#[test]
fn who_is_blocked_before_the_first_word_opens_a_chat_that_nobody_sees() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.settle(5_000);
    world.call(0, Call::BlockContact { user: BOB.into() });
    world.settle(5_000);
    world.hosts[0].events.clear();
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "hello?");
    world.settle(20_000);
    assert_eq!(delivery(&mut world, &chat, "hello?"), DeliveryView::Delivered);
    assert_eq!(noticed(&world, 0), Vec::<&Event>::new());
    let Reply::Chats(chats) = world.call(0, Call::Chats) else { panic!("chats") };
    assert_eq!(chats, []);
}

#[test]
fn a_node_that_keeps_the_vault_from_a_new_device_cannot_change_a_pin() {
    let mut world = signed_up(&["alice", "bob", "mallory"]);
    connect(&mut world, 0, 1);
    world.settle(10_000);
    let chat = chat(&mut world, 0, "bob");
    let digits = |at: usize, world: &mut World| match world.call(at, Call::SafetyNumber { user: BOB.into() })
    {
        Reply::Safety(view) => (view.digits, view.verified),
        other => panic!("{other:?}"),
    };
    let (real, _) = digits(0, &mut world);

    // The new device pins what the node shows it, and says so in the vault, under a newer version.
    let alice = world.node.accounts.get_mut(&"alice".parse().unwrap()).unwrap();
    assert!(!alice.vault.is_empty());
    alice.vault.clear();
    world.node.replace_account("bob", "mallory");
    let phone = sign_in(&mut world, "alice");
    let (forged, _) = digits(phone, &mut world);
    assert_ne!(forged, real);

    world.settle(20_000);
    assert!(notices(&world, 0).contains(&"key_changed"), "the device that knew the key alarms");
    assert!(contact(&mut world, 0, "bob").unwrap().key_changed);
    let call = Call::SendText { chat, text: "for bob only".into(), reply_to: None };
    assert_eq!(world.try_call(0, call).unwrap_err().code, "key_changed");
}

#[test]
fn a_key_that_was_compared_on_one_device_counts_on_all() {
    let mut world = signed_up(&["alice", "bob", "mallory"]);
    connect(&mut world, 0, 1);
    world.settle(10_000);
    let phone = sign_in(&mut world, "alice");
    // Bob has new keys, for good reason. One device hears of it and compares.
    world.node.replace_account("bob", "mallory");
    let lookup = Call::AddContact { target: BOB.into(), greeting: String::new() };
    world.call(phone, Call::RemoveContact { user: BOB.into() });
    assert_eq!(world.try_call(phone, lookup).unwrap_err().code, "key_changed");
    world.call(phone, Call::SetVerified { user: BOB.into(), verified: true });
    world.settle(20_000);
    let safety = |world: &mut World, at| match world.call(at, Call::SafetyNumber { user: BOB.into() }) {
        Reply::Safety(view) => (view.digits, view.verified),
        other => panic!("{other:?}"),
    };
    assert!(safety(&mut world, phone).1);
    assert_eq!(safety(&mut world, 0), safety(&mut world, phone));
}

#[test]
fn a_device_that_was_kept_from_the_vault_takes_nothing_from_the_others() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.call(0, Call::SetVerified { user: BOB.into(), verified: true });
    world.settle(10_000);
    let alice = world.node.accounts.get_mut(&"alice".parse().unwrap()).unwrap();
    alice.vault.clear();
    alice.contacts.values_mut().for_each(|(_, sealed)| *sealed = None);
    let phone = sign_in(&mut world, "alice");
    let looks = |world: &mut World, at: usize| {
        let contact = contact(world, at, "bob").unwrap();
        (contact.display_name, contact.verified)
    };
    world.settle(20_000);
    assert_eq!(looks(&mut world, 0), ("BOB".into(), true));
    assert_eq!(looks(&mut world, phone), ("BOB".into(), true), "and it learns from them");

    // What a person takes back is taken back everywhere, and given again.
    for verified in [false, true] {
        world.call(phone, Call::SetVerified { user: BOB.into(), verified });
        world.settle(20_000);
        assert_eq!(looks(&mut world, 0), ("BOB".into(), verified));
    }
    let requests = world.node.requests["PUT vault"];
    world.settle(120_000);
    assert_eq!(world.node.requests["PUT vault"], requests, "they agree, and are quiet");
}

#[test]
fn a_device_that_only_the_node_knows_is_an_alarm_in_the_list_too() {
    let mut world = signed_up(&["alice"]);
    let ask = |world: &mut World| match world.call(0, Call::Devices) {
        Reply::Devices(devices) => devices,
        other => panic!("{other:?}"),
    };
    assert_eq!(ask(&mut world).iter().map(|device| device.foreign).collect::<Vec<_>>(), [false]);
    assert!(!notices(&world, 0).contains(&"foreign_device"));
    // Signed by a key that says that it is alice's identity.
    let key = ed25519_dalek::SigningKey::from_bytes(&[66; 32]);
    let public = key.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: ALICE.parse().unwrap(),
        identity_key: public,
        device: DeviceId::of_key(&public),
        device_key: public,
        created_ms: 1,
        expires_ms: u64::MAX,
    };
    world.node.add_foreign_device("alice", Signed::sign(&cert, &key), cert.device);
    let mut devices = ask(&mut world);
    devices.sort_by_key(|device| device.foreign);
    assert_eq!(devices.len(), 2, "it is shown, so that it can be signed out");
    assert_eq!((devices[0].this, devices[0].foreign), (true, false));
    assert_eq!((devices[1].this, devices[1].foreign, devices[1].created_ms), (false, true, 0.0));
    assert!(notices(&world, 0).contains(&"foreign_device"));
}

#[test]
fn a_room_with_a_stranger_is_no_chat_whatever_the_node_says_that_it_is() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.settle(10_000);
    let alice = world.node.accounts.get_mut(&"alice".parse().unwrap()).unwrap();
    alice.contacts.clear();
    alice.vault.clear();
    let phone = sign_in(&mut world, "alice");
    assert_eq!(contact(&mut world, phone, "bob"), None, "to the phone bob is a stranger");
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "hello");
    assert!(world.run_until(20_000, |world| !world.node.rooms.is_empty()));
    for room in world.node.rooms.values_mut() {
        room.said = Some(weft_wire::rooms::RoomKind::Group);
        room.version += 1;
    }
    world.settle(60_000);
    assert_eq!(texts(&mut world, 0, &chat), ["hello"]);
    let Reply::Chats(chats) = world.call(phone, Call::Chats) else { panic!("chats") };
    assert_eq!(chats, []);
}

#[test]
fn a_room_is_not_entered_where_the_node_names_another_hub_than_its_id_does() {
    let (mut world, chat) = talking();
    let say_hub = |world: &mut World, hub: Option<&str>| {
        for room in world.node.rooms.values_mut() {
            room.said_hub = hub.map(|hub| hub.parse().unwrap());
            room.version += 1;
        }
    };
    say_hub(&mut world, Some("other.example"));
    let phone = sign_in(&mut world, "alice");
    world.settle(60_000);
    send(&mut world, 1, &chat, "one");
    world.settle(10_000);
    let Reply::Chats(chats) = world.call(phone, Call::Chats) else { panic!("chats") };
    assert_eq!(chats, []);
    say_hub(&mut world, None);
    world.settle(60_000);
    send(&mut world, 1, &chat, "two");
    world.settle(60_000);
    assert!(texts(&mut world, phone, &chat).contains(&"two".to_owned()));
}

const DAY_MS: u64 = 24 * 3_600_000;
/// Where the engine keeps private keys of KeyPackages, and what it knows of them.
const PRIVATE_KEYS: &[u8] = b"m/k";
const KNOWN: &[u8] = b"k/";

/// Alice's first device at the node.
fn at_node(world: &mut World) -> &mut Device {
    let alice = world.node.accounts.get_mut(&"alice".parse().unwrap()).unwrap();
    alice.devices.values_mut().next().unwrap()
}

/// How many single-use KeyPackages of hers others may still get.
fn stock(world: &mut World) -> usize {
    let now = world.now;
    at_node(world).key_packages.iter().filter(|(_, until)| *until > now).count()
}

/// Somebody claims all of them, and uses none.
fn claim_all(world: &mut World) {
    let device = at_node(world);
    device.used.extend(device.key_packages.drain(..).map(|(package, _)| package));
}

#[test]
fn private_keys_that_nobody_used_are_let_go_by_age_and_by_number() {
    let mut world = signed_up(&["alice"]);
    world.settle(5_000);
    assert_eq!((stock(&mut world), world.hosts[0].count(PRIVATE_KEYS)), (50, 51));
    // All are claimed and none is used, again and again.
    for _ in 0..9 {
        claim_all(&mut world);
        world.off_for(DAY_MS);
        world.settle(5_000);
        assert_eq!(stock(&mut world), 50);
    }
    assert_eq!(
        world.hosts[0].count(PRIVATE_KEYS),
        200 + 1,
        "as many as two full stocks, and the last resort"
    );
    assert_eq!(world.hosts[0].count(KNOWN), 201);

    // Nobody claims any. The node gets new ones from time to time, and the old ones go.
    for _ in 0..6 {
        world.off_for(46 * DAY_MS);
        world.settle(5_000);
        assert_eq!(stock(&mut world), 100);
    }
    let singles = 3 * 50;
    // The one in stock, and the one that it has just replaced.
    let last_resorts = 2;
    assert_eq!(world.hosts[0].count(PRIVATE_KEYS), singles + last_resorts);
    assert_eq!(world.hosts[0].count(KNOWN), singles + last_resorts);
}

#[test]
fn publishing_again_and_again_makes_no_new_keys() {
    let mut world = signed_up(&["alice"]);
    world.settle(5_000);
    claim_all(&mut world);
    world.node.lose_published = 8;
    world.off_for(DAY_MS);
    world.settle(600_000);
    assert_eq!(world.node.lose_published, 0);
    assert_eq!((stock(&mut world), world.hosts[0].count(PRIVATE_KEYS)), (50, 101));
}

#[test]
fn what_was_claimed_before_its_publishing_was_answered_is_replaced_at_once() {
    let mut world = signed_up(&["alice"]);
    world.settle(5_000);
    claim_all(&mut world);
    world.node.lose_published = 1;
    world.off_for(DAY_MS);
    assert!(world.run_until(60_000, |world| world.node.lose_published == 0));
    // The node has them, and alice does not know. Sent again they are no news to it.
    assert_eq!(stock(&mut world), 50);
    claim_all(&mut world);
    world.off_for(DAY_MS);
    world.settle(5_000);
    assert_eq!(stock(&mut world), 50);
}

#[test]
fn a_node_that_never_has_any_does_not_get_key_packages_without_end() {
    let mut world = signed_up(&["alice"]);
    world.settle(5_000);
    claim_all(&mut world);
    world.node.forget_published = true;
    let before = world.node.requests["POST key-packages"];
    world.off_for(DAY_MS);
    world.settle(600_000);
    assert_eq!(world.node.requests["POST key-packages"] - before, 3);
}

#[test]
fn what_is_not_published_yet_is_published_on_the_next_connection() {
    let mut world = signed_up(&["alice"]);
    world.settle(5_000);
    // It is time for new ones, and the network goes at the wrong moment.
    world.node.refuse_published = true;
    world.off_for(46 * DAY_MS);
    world.settle(5_000);
    assert_eq!(stock(&mut world), 50);
    world.node.refuse_published = false;
    world.off_for(DAY_MS);
    world.settle(5_000);
    assert_eq!(stock(&mut world), 100);
}

#[test]
fn a_welcome_that_waits_for_years_is_opened_before_private_keys_are_let_go() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.settle(5_000);
    // Claimed on the last day on which the node hands it out.
    world.set_online(0, false);
    world.off_for(89 * DAY_MS);
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "while you were away");
    world.settle(10_000);
    world.off_for(5 * 365 * DAY_MS);
    // All else that the node has for alice comes first; before a device joins by itself it waits for a Welcome for longer.
    world.node.inbox_is_slow = true;
    world.set_online(0, true);
    world.settle(2_000);
    assert_eq!(stock(&mut world), 0, "new ones are made once it is known which of the old ones are needed");
    world.node.inbox_is_slow = false;
    // Anything that happens makes the node look what it owes.
    world.call(1, Call::Chats);
    world.settle(120_000);
    assert_eq!(texts(&mut world, 0, &chat), ["while you were away"]);
    // The last resort is kept for as long as somebody may just have claimed it.
    assert_eq!((stock(&mut world), world.hosts[0].count(PRIVATE_KEYS)), (50, 52), "the others are gone then");
}

#[test]
fn a_welcome_to_keys_that_were_let_go_ends_in_the_room_all_the_same() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.settle(5_000);
    let (old, _) = at_node(&mut world).key_packages[0].clone();
    for _ in 0..3 {
        world.off_for(46 * DAY_MS);
        world.settle(5_000);
    }
    // No honest node hands it out any more.
    at_node(&mut world).key_packages = vec![(old, u64::MAX)];
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "by an old key");
    world.settle(30_000);
    send(&mut world, 1, &chat, "by a new one");
    world.settle(30_000);
    assert_eq!(texts(&mut world, 0, &chat), ["by a new one"]);
    assert_eq!(lines(&mut world, 0, &chat), ["joined"], "and it says that there was something before");
}
