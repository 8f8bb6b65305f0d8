use super::*;
use crate::{ServiceConfig, testing::*};
use weft_wire::{Code, Problem, node::SignupPolicy, rooms::PutItem};

fn follow(room: RoomId, after: u64) -> ClientFrame {
    ClientFrame::Follow { rooms: vec![(room, after)] }
}

fn ack(room: RoomId, seq: u64) -> ClientFrame {
    ClientFrame::Ack { inbox: None, rooms: vec![(room, seq)] }
}

/// Reads until the frame that the test is about.
async fn until<T>(session: &mut SyncSession, mut wanted: impl FnMut(ServerFrame) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(next(session).await) {
            return found;
        }
    }
}

async fn entries(session: &mut SyncSession, count: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    while seqs.len() < count {
        let page = until(session, |frame| match frame {
            ServerFrame::Entries { entries, .. } => Some(entries),
            _ => None,
        });
        seqs.extend(page.await.into_iter().map(|entry| entry.seq));
    }
    seqs
}

#[tokio::test]
async fn a_device_gets_what_was_and_what_comes_in_order_and_resumes() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let rooms = world.service.rooms();
    for id in 0..100 {
        let message = alice.message(&mut at_alice, room, id, "before");
        rooms.submit_message(alice.caller(), room, message).await.unwrap();
    }
    let mut socket = bob.socket(&world.service, 0).await;
    socket.on_frame(follow(room, 1)).await.unwrap();
    assert_eq!(entries(&mut socket, 100).await, (2..=101).collect::<Vec<_>>());
    for id in 100..120 {
        let message = alice.message(&mut at_alice, room, id, "now");
        rooms.submit_message(alice.caller(), room, message).await.unwrap();
    }
    assert_eq!(entries(&mut socket, 20).await, (102..=121).collect::<Vec<_>>());
    drop(socket);
    let restarted = world.restarted().await;
    let mut socket = bob.socket(&restarted.service, 0).await;
    socket.on_frame(follow(room, 111)).await.unwrap();
    assert_eq!(entries(&mut socket, 10).await, (112..=121).collect::<Vec<_>>());
}

#[tokio::test]
async fn dropping_the_wait_loses_nothing() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let mut socket = bob.socket(&world.service, 1_000).await;
    socket.on_frame(follow(room, 1)).await.unwrap();
    let mut seen = Vec::new();
    for id in 0..60 {
        let message = alice.message(&mut at_alice, room, id, "x");
        world.service.rooms().submit_message(alice.caller(), room, message).await.unwrap();
        // The pump lets go of the future whenever the client sends something.
        for _ in 0..id % 7 {
            tokio::select! {
                biased;
                frame = socket.next() => {
                    if let ServerFrame::Entries { entries, .. } = frame.unwrap() {
                        seen.extend(entries.into_iter().map(|entry| entry.seq));
                    }
                }
                () = tokio::task::yield_now() => socket.on_frame(ClientFrame::Ping).await.unwrap(),
            }
        }
    }
    let rest = 60 - seen.len();
    seen.extend(entries(&mut socket, rest).await);
    assert_eq!(seen, (2..=61).collect::<Vec<_>>());
}

#[tokio::test]
async fn delivery_items_and_typing_reach_the_other() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let (mut at_a, mut at_b) =
        (alice.socket(&world.service, 1_000).await, bob.socket(&world.service, 1_000).await);
    for socket in [&mut at_a, &mut at_b] {
        socket.on_frame(follow(room, 1)).await.unwrap();
        let state = until(socket, |frame| match frame {
            ServerFrame::Room { state } => Some(state),
            _ => None,
        });
        assert_eq!(state.await.room, room);
    }
    let message = alice.message(&mut at_alice, room, 1, "x");
    world.service.rooms().submit_message(alice.caller(), room, message).await.unwrap();
    assert_eq!(entries(&mut at_b, 1).await, [2]);
    at_b.on_frame(ack(room, 2)).await.unwrap();
    at_b.close().await;
    let delivered = until(&mut at_a, |frame| match frame {
        ServerFrame::Delivered { user, seq, .. } => Some((user, seq)),
        _ => None,
    });
    assert_eq!(delivered.await, (bob.user.clone(), 2));

    let item = PutItem { kind: "read".to_owned(), version: 1, sealed: sealed("2") };
    world.service.rooms().put_item(bob.caller(), room, item).await.unwrap();
    let read = until(&mut at_a, |frame| match frame {
        ServerFrame::Item { item, .. } => Some(item),
        _ => None,
    });
    assert_eq!(read.await.user, bob.user);

    let mut at_b = bob.socket(&world.service, 1_000).await;
    at_b.on_frame(follow(room, 2)).await.unwrap();
    at_a.on_frame(ClientFrame::Ephemeral { room, sealed: sealed("typing") }).await.unwrap();
    let typing = until(&mut at_b, |frame| match frame {
        ServerFrame::Ephemeral { user, device, sealed, .. } => Some((user, device, sealed)),
        _ => None,
    });
    assert_eq!(typing.await, (alice.user.clone(), alice.id(), sealed("typing")));
}

#[tokio::test]
async fn acknowledgements_are_written_down_by_themselves() {
    let world = World::new().await;
    let (_, bob, room, ..) = world.talking().await;
    let mut socket = bob.socket(&world.service, 1_000).await;
    socket.on_frame(follow(room, 0)).await.unwrap();
    entries(&mut socket, 1).await;
    socket.on_frame(ack(room, 1)).await.unwrap();
    let mut cursors = world.store.watch(tables::ROOM_CURSORS, room.as_bytes());
    tokio::select! {
        frame = async { loop { socket.next().await.unwrap(); } } => frame,
        () = cursors.changed() => {}
    }
    let state = &world.service.rooms().list(bob.caller(), None).await.unwrap().rooms[0];
    assert_eq!(state.members.iter().map(|member| member.delivered).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_frame_that_names_many_rooms_costs_as_many() {
    let config =
        ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 0.125, ..ServiceConfig::default() };
    let world = World::with(config).await;
    let alice = world.sign_up("alice").await;
    let mut socket = alice.socket(&world.service, 0).await;
    let rooms: Vec<_> = (0..1_024_u128).map(|n| (RoomId(n.to_be_bytes()), 0)).collect();
    let mut frames = 0;
    let error = loop {
        match socket.on_frame(ClientFrame::Follow { rooms: rooms.clone() }).await {
            Ok(()) => frames += 1,
            Err(error) => break Problem::from(error),
        }
        // What could not be followed is answered; who reads the answers is not cut off for that.
        while !is_quiet(&mut socket).await {}
    };
    assert_eq!((frames, error.code), (8, Code::RateLimited));
}

#[tokio::test]
async fn the_inbox_is_sent_until_it_is_acknowledged() {
    let world = World::new().await;
    let (_, bob, room, ..) = world.talking().await;
    for _ in 0..2 {
        let mut socket = bob.socket(&world.service, 0).await;
        let ServerFrame::Inbox { items } = next(&mut socket).await else { panic!("not an inbox") };
        let kinds =
            items.iter().filter(|entry| matches!(entry.item, weft_wire::sync::InboxItem::Contact { .. }));
        assert_eq!((items.len(), kinds.count()), (2, 1));
        let weft_wire::sync::InboxItem::Welcome { room: of, seq, .. } = &items[1].item else {
            panic!("no Welcome")
        };
        assert_eq!((*of, *seq), (room, 1));
        assert!(is_quiet(&mut socket).await);
    }
    let mut socket = bob.socket(&world.service, 2).await;
    let ServerFrame::Inbox { items } = next(&mut socket).await else { panic!("not an inbox") };
    assert_eq!(items.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [3]);
    socket.on_frame(ClientFrame::Ack { inbox: Some(3), rooms: Vec::new() }).await.unwrap();
    let mut socket = bob.socket(&world.service, 0).await;
    assert!(is_quiet(&mut socket).await);
}

#[tokio::test]
async fn a_room_that_one_comes_into_is_announced() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let mut socket = bob.socket(&world.service, 1_000).await;
    let room = IDS[4];
    alice.create_direct(&world.service, &bob, room).await.unwrap();
    let state = until(&mut socket, |frame| match frame {
        ServerFrame::Room { state } => Some(state),
        _ => None,
    });
    assert_eq!(state.await.room, room);
}

#[tokio::test]
async fn hello_needs_the_token_the_key_and_this_very_socket() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let open = || world.service.sync().open(FROM).unwrap();
    let other = open();
    let cases = [
        (alice.hello(&other, 0), Code::BadSignature),
        (bob.hello(&open(), 0), Code::BadSignature),
        (ClientFrame::Ping, Code::Malformed),
    ];
    for (frame, expected) in cases {
        assert_eq!(code(open().on_frame(frame).await.unwrap_err()), expected);
    }
    let mut session = open();
    let ClientFrame::Hello { proof, .. } = alice.hello(&session, 0) else { panic!("no hello") };
    let stolen = ClientFrame::Hello { token: bob.token.clone(), proof, inbox_after: 0, vault: false };
    assert_eq!(code(session.on_frame(stolen).await.unwrap_err()), Code::BadSignature);
    let mut nobody = alice.hello(&session, 0);
    if let ClientFrame::Hello { token, .. } = &mut nobody {
        *token = "x".to_owned();
    }
    assert_eq!(code(session.on_frame(nobody).await.unwrap_err()), Code::Unauthenticated);
    let mut session = alice.socket(&world.service, 0).await;
    let again = alice.hello(&session, 0);
    assert_eq!(code(session.on_frame(again).await.unwrap_err()), Code::Malformed);
}

#[tokio::test]
async fn anothers_room_is_refused_and_the_socket_goes_on() {
    let world = World::new().await;
    let (_, _, room, ..) = world.talking().await;
    let carol = world.sign_up("carol").await;
    let mut socket = carol.socket(&world.service, 0).await;
    let about = |frame| match frame {
        ServerFrame::Problem { problem, fatal: false, .. } => Some(problem),
        _ => None,
    };
    for frame in [follow(room, 0), ClientFrame::Ephemeral { room, sealed: sealed("x") }] {
        socket.on_frame(frame).await.unwrap();
        assert_eq!(until(&mut socket, about).await, Problem::new(Code::NotFound));
    }
    let large = Blob(vec![0; 2_000]);
    socket.on_frame(ClientFrame::Ephemeral { room, sealed: large }).await.unwrap();
    assert_eq!(until(&mut socket, about).await.code, Code::TooLarge);
    socket.on_frame(ack(room, 5)).await.unwrap();
    socket.on_frame(ClientFrame::Ping).await.unwrap();
    assert_eq!(next(&mut socket).await, ServerFrame::Pong);
    let many = ClientFrame::Follow { rooms: vec![(room, 0); 2_000] };
    assert_eq!(code(socket.on_frame(many).await.unwrap_err()), Code::TooMany);
}

#[tokio::test]
async fn a_lost_cursor_is_told_and_the_room_not_followed() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let message = alice.message(&mut at_alice, room, 1, "x");
    world.service.rooms().submit_message(alice.caller(), room, message).await.unwrap();
    world.clock.advance(world.config.retention_ms + 1);
    crate::Worker::Retention.run_once(&world.service).await.unwrap();
    // The session ended with the retention; the device asks for a new one.
    let mut bob = bob;
    let request = bob.session_request(START_MS + world.config.retention_ms + 1);
    bob.token = world.service.accounts().renew_session(FROM, request).await.unwrap().token;
    let about = |frame| match frame {
        ServerFrame::Problem { problem, room: Some(of), fatal: false } => Some((problem.code, of)),
        _ => None,
    };
    // Whatever the device says meanwhile cuts off what was about to be told, at any step of it.
    for steps in 0..40 {
        let mut socket = bob.socket(&world.service, 0).await;
        socket.on_frame(follow(room, 0)).await.unwrap();
        while let Some(frame) = cut_off(&mut socket, steps).await {
            if let Some(told) = about(frame) {
                assert_eq!(told, (Code::CursorLost, room));
                return;
            }
        }
        assert_eq!(until(&mut socket, about).await, (Code::CursorLost, room), "cut off after {steps} steps");
    }
    panic!("forty steps are not enough");
}

/// The next frame, if it comes within so many steps; else what was under way is dropped.
async fn cut_off(socket: &mut SyncSession, steps: usize) -> Option<ServerFrame> {
    let mut next = std::pin::pin!(socket.next());
    for _ in 0..steps {
        if let std::task::Poll::Ready(frame) = futures::poll!(next.as_mut()) {
            return Some(frame.unwrap());
        }
    }
    None
}

#[tokio::test]
async fn sockets_are_capped_by_device_account_and_address_and_given_back() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS_PER_DEVICE_MAX {
        sockets.push(alice.socket(&world.service, 0).await);
    }
    let mut session = world.service.sync().open(FROM).unwrap();
    let hello = alice.hello(&session, 0);
    assert_eq!(code(session.on_frame(hello).await.unwrap_err()), Code::TooMany, "one device, of four");
    drop(session);
    for number in 2..=SOCKETS_PER_ACCOUNT_MAX / SOCKETS_PER_DEVICE_MAX {
        let mut other = Device::new("alice", u8::try_from(number).unwrap());
        other.sign_in(&world.service).await.unwrap();
        for _ in 0..SOCKETS_PER_DEVICE_MAX {
            sockets.push(other.socket(&world.service, 0).await);
        }
    }
    let mut alice = Device::new("alice", 9);
    alice.sign_in(&world.service).await.unwrap();
    let mut session = world.service.sync().open(FROM).unwrap();
    let hello = alice.hello(&session, 0);
    assert_eq!(code(session.on_frame(hello).await.unwrap_err()), Code::TooMany);
    drop(sockets.pop());
    alice.socket(&world.service, 0).await;

    let opened: Vec<_> = (0..1_000).map(|_| world.service.sync().open(FROM)).collect();
    let refused = opened.iter().filter(|result| result.is_err()).count();
    assert_eq!(1_000 - refused, SOCKETS_PER_ADDRESS_MAX - SOCKETS_PER_ACCOUNT_MAX);
    world.service.sync().open("198.51.100.1".parse().unwrap()).unwrap();
    drop((opened, sockets, session));
    assert_eq!(world.service.sync().sockets(), 0);
    alice.socket(&world.service, 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_little_and_is_cut_off() {
    let world = World::new().await;
    let (alice, bob, room, ..) = world.talking().await;
    let mut reader = bob.socket(&world.service, 1_000).await;
    reader.on_frame(follow(room, 0)).await.unwrap();
    entries(&mut reader, 1).await;
    let mut writer = alice.socket(&world.service, 1_000).await;
    for n in 0..1_000_u32 {
        let sealed = Blob(n.to_be_bytes().to_vec());
        writer.on_frame(ClientFrame::Ephemeral { room, sealed }).await.unwrap();
    }
    // The oldest are gone, the newest there.
    let mut seen = Vec::new();
    while let Ok(frame) = tokio::time::timeout(std::time::Duration::from_millis(50), reader.next()).await {
        if let ServerFrame::Ephemeral { sealed, .. } = frame.unwrap() {
            seen.push(u32::from_be_bytes(sealed.0.try_into().unwrap()));
        }
    }
    assert_eq!(seen, (936..1_000).collect::<Vec<_>>());
    let error = loop {
        if let Err(error) = reader.on_frame(ClientFrame::Ping).await {
            break error;
        }
    };
    assert_eq!(code(error), Code::SlowReader);
}

#[tokio::test]
async fn rooms_that_nobody_follows_any_more_cost_nothing() {
    let world = World::new().await;
    let (alice, bob, room, ..) = world.talking().await;
    let fanout = world.service.sync().node.fanout.clone();
    let mut sockets = [alice.socket(&world.service, 0).await, bob.socket(&world.service, 0).await];
    for socket in &mut sockets {
        socket.on_frame(follow(room, 0)).await.unwrap();
        socket.on_frame(follow(room, 1)).await.unwrap();
    }
    assert_eq!(fanout.topics(), 1);
    drop(sockets);
    assert_eq!(fanout.topics(), 0);
}
