//! What is said in a room, and what is kept of it.

use super::*;

#[test]
fn ephemeral_events_open_across_a_commit_and_name_their_sender() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let from = alice.me.device_ref();
    let sealed = rooms::seal_ephemeral(&mut alice.ctx(), ROOM, b"typing").unwrap();
    let other = rooms::seal_ephemeral(&mut alice.ctx(), ROOM, b"typing").unwrap();
    assert_ne!(sealed, other);
    let submit = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
    bob.commit(&mut hub, &submit);
    // Sealed in the epoch before; lost and doubled ones do no harm.
    for _ in 0..2 {
        assert_eq!(rooms::open_ephemeral(&bob.ctx(), ROOM, &from, &sealed).unwrap().as_slice(), b"typing");
    }
    let somebody = DeviceRef { device: bob.id(), ..from.clone() };
    let forged = rooms::open_ephemeral(&bob.ctx(), ROOM, &somebody, &sealed);
    assert!(matches!(failed(forged), RoomError::Sealed));
    let mut damaged = sealed.clone();
    damaged.0[40] ^= 1;
    assert!(matches!(failed(rooms::open_ephemeral(&bob.ctx(), ROOM, &from, &damaged)), RoomError::Sealed));
    for short in [0, 7, 8, 31, 32, 47] {
        let cut = Blob(sealed.0[..short].to_vec());
        assert!(rooms::open_ephemeral(&bob.ctx(), ROOM, &from, &cut).is_err());
    }
    let huge = Blob(vec![0; limits::EPHEMERAL_BYTES_MAX + 1]);
    assert!(matches!(
        failed(rooms::open_ephemeral(&bob.ctx(), ROOM, &from, &huge)),
        RoomError::TooLarge { .. }
    ));
    // The one who is ahead is heard by the one who is not, once that one has caught up.
    let ahead = rooms::seal_ephemeral(&mut bob.ctx(), ROOM, b"typing").unwrap();
    let open = |alice: &mut Device| {
        rooms::open_ephemeral(&alice.ctx(), ROOM, &bob.me.device_ref(), &ahead).map(|plain| plain.to_vec())
    };
    assert!(matches!(failed(open(&mut alice)), RoomError::NoEpochKeys { epoch } if epoch == hub.epoch()));
    alice.catch_up(&hub);
    assert_eq!(open(&mut alice).unwrap(), b"typing");
}

#[test]
fn items_open_for_thirty_two_epochs_and_are_bound_to_their_place() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let sealed = rooms::seal_item(&mut alice.ctx(), ROOM, "read", 7, b"42").unwrap();
    let item = RoomItem { user: address("alice"), kind: "read".into(), version: 7, sealed };
    for _ in 0..31 {
        let submit = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
        bob.commit(&mut hub, &submit);
    }
    assert_eq!(rooms::open_item(&bob.ctx(), ROOM, &item).unwrap().as_slice(), b"42");
    // What is kept does not grow with the epochs.
    let rows = bob.kv.scan(b"m/g").len();
    assert!(rows <= 12, "{rows} rows of one group");
    let newer = RoomItem { version: 8, ..item.clone() };
    assert!(matches!(failed(rooms::open_item(&bob.ctx(), ROOM, &newer)), RoomError::Sealed));
    let whose = RoomItem { user: address("bob"), ..item.clone() };
    assert!(matches!(failed(rooms::open_item(&bob.ctx(), ROOM, &whose)), RoomError::Sealed));
    let kind = RoomItem { kind: "place".into(), ..item.clone() };
    assert!(matches!(failed(rooms::open_item(&bob.ctx(), ROOM, &kind)), RoomError::Sealed));
    let submit = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
    bob.commit(&mut hub, &submit);
    assert!(matches!(failed(rooms::open_item(&bob.ctx(), ROOM, &item)), RoomError::NoEpochKeys { .. }));
}

#[test]
fn a_message_is_the_same_bytes_until_the_epoch_moves_on() {
    let (mut hub, mut alice, mut bob, _) = trio();
    let content = text(alice.id(), 1);
    let first = alice.encrypt(&content);
    alice.persist();
    alice.restart();
    assert_eq!(alice.encrypt(&content), first);

    let submit = rooms::self_update(&mut bob.ctx(), ROOM).unwrap();
    bob.commit(&mut hub, &submit);
    alice.catch_up(&hub);
    let second = alice.encrypt(&content);
    assert_ne!(second, first);
    assert_eq!(second.peek().unwrap().message_id, first.peek().unwrap().message_id);
    // The first one was taken all the same: the second is a conflict, and the message is read once.
    hub.message(&first).unwrap();
    assert_eq!(hub.message(&second), Err(Refusal::Conflict));
    let heard: BTreeSet<_> = bob.catch_up(&hub).iter().map(message_of).collect();
    assert_eq!(heard, BTreeSet::from([content.id]));
    assert!(matches!(alice.catch_up(&hub)[0], Processed::Own { message_id } if message_id == content.id));
}

#[test]
fn a_message_over_the_limit_moves_nothing() {
    let (_, mut alice, ..) = trio();
    let mut content = text(alice.id(), 1);
    content.body = Blob(vec![7; limits::MESSAGE_BYTES_MAX - 100]);
    alice.persist();
    let refused = failed(rooms::encrypt(&mut alice.ctx(), ROOM, &content));
    assert!(matches!(refused, RoomError::TooLarge { .. }));
    assert!(!alice.kv.has_writes());
    content.body = Blob(vec![7; limits::TEXT_BYTES_MAX]);
    assert!(alice.encrypt(&content).body().len() < limits::MESSAGE_BYTES_MAX);
}

#[test]
fn lengths_are_padded() {
    let (_, mut alice, ..) = trio();
    let length = |alice: &mut Device, n: u8, bytes: usize| {
        let mut content = text(alice.id(), n);
        content.body = Blob(vec![7; bytes]);
        alice.encrypt(&content).peek().unwrap().body.len()
    };
    assert_eq!(length(&mut alice, 1, 1), length(&mut alice, 2, 20));
}

#[test]
fn a_renewed_certificate_travels_with_a_commit() {
    let (mut hub, mut alice, mut bob, _) = trio();
    alice.me = me("alice", "phone", &identity_key("alice"), LATER + 1);
    let submit = rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    alice.commit(&mut hub, &submit);
    bob.catch_up(&hub);
    let seen = rooms::members(&mut bob.ctx(), ROOM).unwrap();
    assert_eq!(seen[0], alice.me.cert.peek().unwrap());
    let said = alice.say(&mut hub, 1);
    assert_eq!(message_of(bob.catch_up(&hub).last().unwrap()), said);
}

#[test]
fn making_a_room_is_asked_for_again_after_a_crash() {
    let mut alice = Device::new("alice", "phone");
    let first = rooms::create(&mut alice.ctx(), (ROOM, weft_wire::RoomNonce([0; 16])), &direct()).unwrap();
    alice.persist();
    alice.restart();
    let again = rooms::create(&mut alice.ctx(), (ROOM, weft_wire::RoomNonce([0; 16])), &direct()).unwrap();
    assert_eq!((first.room, &first.kind), (again.room, &again.kind));
    let mut hub = Hub::create(&again);
    let mut bob = Device::new("bob", "phone");
    let package = bob.key_package();
    let submit = rooms::add_devices(&mut alice.ctx(), ROOM, &[package]).unwrap();
    alice.commit(&mut hub, &submit);
    assert!(matches!(
        failed(rooms::create(&mut alice.ctx(), (ROOM, weft_wire::RoomNonce([0; 16])), &direct())),
        RoomError::Exists
    ));
}

#[test]
fn what_is_forgotten_leaves_nothing() {
    let (_, mut alice, ..) = trio();
    alice.encrypt(&text(alice.id(), 1));
    rooms::self_update(&mut alice.ctx(), ROOM).unwrap();
    rooms::forget(&mut alice.ctx(), ROOM);
    assert!(alice.kv.scan(b"r/").is_empty());
    assert!(alice.kv.scan(b"m/g").is_empty());
    assert!(alice.info().is_none());
}

#[test]
fn a_log_that_was_trimmed_is_joined_anew() {
    let (mut hub, mut alice, mut bob, _) = trio();
    for n in 1..4 {
        alice.say(&mut hub, n);
    }
    rooms::skip_to(&mut bob.ctx(), ROOM, 3).unwrap();
    assert_eq!(bob.info().unwrap().stage, Stage::Broken);
    let submit =
        rooms::external_join(&mut bob.ctx(), ROOM, None, &hub.group_info(), &Anew::default()).unwrap();
    bob.commit(&mut hub, &submit);
    let said = alice_after(&mut hub, &mut alice);
    assert_eq!(message_of(bob.catch_up(&hub).last().unwrap()), said);
}
