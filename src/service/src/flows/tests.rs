use crate::{ServiceConfig, Worker, testing::*};
use std::time::Duration;
use weft_store::{Batch, Scan, tables};
use weft_wire::{
    Code, Problem,
    node::SignupPolicy,
    sync::{ClientFrame, InboxItem, ServerFrame},
};

#[tokio::test]
async fn a_device_that_is_signed_out_is_out_everywhere() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let mut at_alice_socket = alice.socket(&world.service, 0).await;
    at_alice_socket.on_frame(ClientFrame::Follow { rooms: vec![(room, 1)] }).await.unwrap();
    let mut victim = bob.socket(&world.service, 1_000).await;

    world.service.flows().sign_out(tablet.caller(), bob.id()).await.unwrap();
    let accounts = world.service.accounts();
    assert_eq!(code(accounts.authenticate(&bob.token, FROM).await.unwrap_err()), Code::Unauthenticated);
    let ended = loop {
        match victim.next().await {
            Ok(_) => {}
            Err(error) => break Problem::from(error),
        }
    };
    assert_eq!(ended.code, Code::DeviceRevoked);
    let mut thief = Device::new("bob", 1);
    let error = accounts.renew_session(FROM, thief.session_request(START_MS)).await.unwrap_err();
    assert_eq!(code(error), Code::DeviceRevoked);
    assert_eq!(thief.sign_in(&world.service).await.unwrap_err().code, Code::BadCertificate);
    for table in [tables::KEY_PACKAGES, tables::KEY_PACKAGES_LAST, tables::SIGN_OUTS] {
        assert_eq!(world.store.scan(table, Scan::prefix([])).await.unwrap(), []);
    }

    // Alice's client is told, and may remove the leaf, which in a direct room is not hers otherwise.
    let gone = loop {
        if let ServerFrame::Room { state } = next(&mut at_alice_socket).await
            && !state.gone.is_empty()
        {
            break state.gone;
        }
    };
    assert_eq!(gone, [bob.caller().device_ref()]);
    let removal = alice.prepare(&mut at_alice, &[], &[bob.id()]);
    world
        .service
        .flows()
        .submit_commit(alice.caller(), room, alice.commit(room, &removal, 60))
        .await
        .unwrap();
    let state = &world.service.rooms().list(tablet.caller(), None).await.unwrap().rooms[0];
    assert_eq!((state.gone.len(), state.members.len(), state.epoch), (0, 2, 2));

    let mut told = tablet.socket(&world.service, 0).await;
    let ServerFrame::Inbox { items } = next(&mut told).await else { panic!("not an inbox") };
    assert_eq!(items.last().unwrap().item, InboxItem::DeviceRemoved { device: bob.id() });
}

#[tokio::test]
async fn on_a_full_disk_a_stolen_device_is_locked_out_and_old_things_go() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let rooms = world.service.rooms();
    let message = alice.message(&mut at_alice, room, 1, "hello");
    rooms.submit_message(alice.caller(), room, message).await.unwrap();
    world.clock.advance(31 * 86_400_000);
    world.engine.refuse_what_can_wait();

    let message = alice.message(&mut at_alice, room, 2, "hello again");
    let refused = rooms.submit_message(alice.caller(), room, message).await.unwrap_err();
    assert_eq!(code(refused), Code::StorageUnavailable);
    world.service.flows().sign_out(tablet.caller(), bob.id()).await.unwrap();
    let accounts = world.service.accounts();
    assert_eq!(code(accounts.authenticate(&bob.token, FROM).await.unwrap_err()), Code::Unauthenticated);
    assert_eq!(world.store.scan(tables::SIGN_OUTS, Scan::prefix([])).await.unwrap(), []);
    assert_eq!(accounts.end_sessions(alice.name()).await.unwrap(), 1);
    accounts.set_disabled(bob.name(), true).await.unwrap();
    for worker in Worker::ALL {
        worker.run_once(&world.service).await.unwrap();
    }
    assert_eq!(world.store.scan(tables::ROOM_LOG, Scan::prefix([])).await.unwrap(), []);
}

#[tokio::test]
async fn devices_that_come_at_the_same_moment_are_told_of_each_other() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let (mut phone, mut tablet) = (Device::new("alice", 2), Device::new("alice", 3));
    let (one, two) = tokio::join!(phone.sign_in(&world.service), tablet.sign_in(&world.service));
    one.unwrap();
    two.unwrap();
    let mut told = 0;
    for (device, others) in [(&phone, [&alice, &tablet]), (&tablet, [&alice, &phone])] {
        for other in others {
            let mut socket = other.socket(&world.service, 0).await;
            // The one who came first of the two has nothing in its inbox of itself, the other has nothing at all.
            let frame = tokio::time::timeout(Duration::from_millis(50), socket.next()).await;
            let Ok(Ok(ServerFrame::Inbox { items })) = frame else { continue };
            let about = |item: &InboxItem| match item {
                InboxItem::DeviceAdded { cert } => cert.peek().unwrap().device == device.id(),
                _ => false,
            };
            told += items.iter().filter(|entry| about(&entry.item)).count();
        }
    }
    assert_eq!(told, 3, "alice hears of both, and the one who came first of the other");
}

#[tokio::test]
async fn another_persons_device_cannot_be_signed_out() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let flows = world.service.flows();
    assert_eq!(code(flows.sign_out(alice.caller(), bob.id()).await.unwrap_err()), Code::NotFound);
    flows.sign_out(alice.caller(), alice.id()).await.unwrap();
    assert_eq!(code(flows.sign_out(alice.caller(), alice.id()).await.unwrap_err()), Code::NotFound);
}

#[tokio::test]
async fn a_sign_out_that_a_stop_cut_short_is_finished_after_the_start() {
    let world = World::new().await;
    let (_alice, bob, room, ..) = world.talking().await;
    world.service.flows().sign_out(bob.caller(), bob.id()).await.unwrap();
    // As if the node had stopped right after the first commit: the note is there, the room does not know.
    let row = world.store.get(tables::ROOMS, room.as_bytes()).await.unwrap().unwrap();
    let before = world.service.rooms().load(room).await.unwrap();
    let mut record = before.record.clone();
    record.members.clone_from(&before.members);
    record.gone.clear();
    let note = crate::context::joined(bob.name().as_str(), bob.id().as_bytes());
    let batch = Batch::new()
        .put(tables::ROOMS, &row.key, weft_store::record::Record::to_record(&record))
        .put(tables::SIGN_OUTS, note, Vec::new());
    world.store.commit(batch).await.unwrap();
    let restarted = world.restarted().await;
    assert_eq!(Worker::SignOuts.run_once(&restarted.service).await.unwrap(), 1);
    let room = restarted.service.rooms().load(room).await.unwrap();
    assert_eq!(room.record.gone, [bob.caller().device_ref()]);
    assert_eq!(Worker::SignOuts.run_once(&restarted.service).await.unwrap(), 0);
}

#[tokio::test]
async fn workers_run_and_end() {
    let world = World::new().await;
    let workers = crate::Workers::start(&world.service);
    while workers.status().iter().any(|status| status.rounds == 0) {
        tokio::task::yield_now().await;
    }
    assert!(workers.status().iter().all(|status| status.failed.is_none()));
    workers.shutdown().await;
}

/// What must never be stored: the password, the plaintext of a message.
#[tokio::test]
async fn nothing_that_the_node_keeps_holds_a_password_or_a_plaintext() {
    let world = World::new().await;
    let (alice, _, room, mut at_alice, _) = world.talking().await;
    let canary = "canary-7f3a9c21";
    let message = alice.message(&mut at_alice, room, 1, canary);
    world.service.rooms().submit_message(alice.caller(), room, message).await.unwrap();
    let secrets = [canary.as_bytes(), alice.password.as_bytes(), alice.token.as_bytes()];
    for table in tables::ALL {
        for row in world.store.scan(*table, Scan::prefix([]).limit(10_000)).await.unwrap() {
            // And every row is what its table says.
            crate::check_record(*table, &row.key, &row.value).unwrap();
            for secret in secrets {
                let held = [&row.key, &row.value]
                    .into_iter()
                    .any(|bytes| bytes.windows(secret.len()).any(|w| w == secret));
                assert!(!held, "table {} holds a secret", table.name);
            }
        }
    }
}

#[tokio::test]
async fn one_account_cannot_fill_the_disk_with_messages_or_commits() {
    let config = ServiceConfig {
        signup: SignupPolicy::Open,
        rate_limit_factor: 100.0,
        written_mib_per_day: 1,
        ..ServiceConfig::default()
    };
    let world = World::with(config).await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let rooms = world.service.rooms();
    let (long, mut sent) = ("x".repeat(15 << 10), 0);
    let problem: Problem = loop {
        let text = if sent < 56 { &long } else { "short" };
        let message = alice.message(&mut at_alice, room, sent, text);
        match rooms.submit_message(alice.caller(), room, message).await {
            Ok(_) => sent += 1,
            Err(error) => break error.into(),
        }
    };
    assert!((57..200).contains(&sent), "{sent} messages");
    assert_eq!(problem.code, Code::RateLimited);
    assert!(problem.detail.is_some_and(|detail| detail.contains("in a day")));
    assert_eq!(rooms.log(alice.caller(), room, 0, 1).await.unwrap().head, u64::from(sent) + 1);
    let hello = bob.message(&mut at_bob, room, 1, "others write on");
    rooms.submit_message(bob.caller(), room, hello).await.unwrap();

    // A commit stays on the disk as well, with all that is made of it.
    let prepared = alice.prepare(&mut at_alice, &[], &[]);
    let commit = alice.commit(room, &prepared, 254);
    let flows = world.service.flows();
    let refused: Problem =
        flows.submit_commit(alice.caller(), room, commit.clone()).await.unwrap_err().into();
    assert_eq!(refused.code, Code::RateLimited);
    world.clock.advance(refused.retry_after_ms.unwrap());
    flows.submit_commit(alice.caller(), room, commit).await.unwrap();
}
