use super::*;
use crate::testing::*;
use weft_wire::{
    Code, RoomId, UserAddress,
    contacts::ContactRequest,
    sync::{ClientFrame, ServerFrame},
};

/// How far the devices of the tests had come with a node before its disk went: their numbers are not in the backup.
const HAD: u64 = 20;

impl World {
    /// As it goes on after its store came from a backup.
    async fn restored(&self) -> World {
        restored(&self.store, START_MS).await.unwrap();
        self.restarted().await
    }

    async fn head(&self, heads: Table, key: Vec<u8>) -> Option<u64> {
        be64(&self.store.get(heads, &key).await.unwrap()?.value)
    }
}

fn inbox_of(device: &Device) -> Vec<u8> {
    crate::context::joined(device.name().as_str(), device.id().as_bytes())
}

#[tokio::test]
async fn what_comes_for_a_device_that_had_nothing_in_the_backup_reaches_it() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    assert_eq!(world.head(tables::INBOX_HEADS, inbox_of(&alice)).await, None);
    let world = world.restored().await;
    let request = ContactRequest { to: alice.user.clone(), sealed: sealed("hello"), token: None };
    world.service.flows().request_contact(bob.caller(), request).await.unwrap();
    // She acknowledges what she remembers, with her first frame.
    let mut socket = alice.socket(&world.service, HAD).await;
    let ServerFrame::Inbox { items } = next(&mut socket).await else { panic!("it was thrown away") };
    assert_eq!(items.len(), 1);
    assert!(items[0].seq > HAD);
}

#[tokio::test]
async fn a_device_does_not_wait_for_what_nobody_has_sent() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let world = world.restored().await;
    // What it does after it has read its inbox, as bringing KeyPackages, would never come.
    let ready = async |world: &World| {
        let mut session = world.service.sync().open(FROM).unwrap();
        session.on_frame(alice.hello(&session, HAD)).await.unwrap();
        let ServerFrame::Ready { inbox, .. } = next(&mut session).await else { panic!("not ready") };
        inbox.unwrap()
    };
    assert_eq!(ready(&world).await, 0);
    let request = ContactRequest { to: alice.user.clone(), sealed: sealed("hello"), token: None };
    world.service.flows().request_contact(bob.caller(), request).await.unwrap();
    assert_eq!(Some(ready(&world).await), world.head(tables::INBOX_HEADS, inbox_of(&alice)).await);
}

#[tokio::test]
async fn a_room_without_entries_in_the_backup_tells_whoever_had_some_that_they_are_lost() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let room = IDS[1];
    alice.create_direct(&world.service, &bob, room).await.unwrap();
    assert_eq!(world.head(tables::ROOM_HEADS, room.as_bytes().to_vec()).await, None);
    let world = world.restored().await;
    let mut socket = alice.socket(&world.service, 0).await;
    socket.on_frame(ClientFrame::Follow { rooms: vec![(room, HAD)] }).await.unwrap();
    loop {
        if let ServerFrame::Problem { problem, room: Some(of), .. } = next(&mut socket).await {
            assert_eq!((problem.code, of), (Code::CursorLost, room));
            return;
        }
    }
}

#[tokio::test]
async fn a_copy_of_a_room_and_a_device_that_is_signed_out_get_no_numbers() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let room = IDS[1];
    alice.create_direct(&world.service, &bob, room).await.unwrap();
    let row = world.store.get(tables::ROOMS, room.as_bytes()).await.unwrap().unwrap();
    let hub: UserAddress = "carol@far.example".parse().unwrap();
    let copy = RoomRecord { hub: Hub::At(hub.node), ..RoomRecord::from_record(&row.value).unwrap() };
    world.store.commit(Batch::new().put(tables::ROOMS, room.as_bytes(), copy.to_record())).await.unwrap();
    world.service.flows().sign_out(bob.caller(), bob.id()).await.unwrap();
    let world = world.restored().await;
    assert_eq!(world.head(tables::ROOM_HEADS, room.as_bytes().to_vec()).await, None);
    assert_eq!(world.head(tables::INBOX_HEADS, inbox_of(&bob)).await, None);
    assert!(world.head(tables::INBOX_HEADS, inbox_of(&alice)).await.unwrap() > HAD);
}

#[tokio::test]
async fn by_a_clock_that_cannot_be_right_nothing_is_restored() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    assert_eq!(world.context().aged().await.unwrap(), START_MS);
    let last = BEGIN_MAX / NUMBERS_PER_MS;
    for wrong in [0, START_MS - 1, last + 1, u64::MAX] {
        let refused = restored(&world.store, wrong).await;
        assert!(matches!(refused, Err(Fault::Clock(_))), "{wrong}: {refused:?}");
        assert_eq!(world.head(tables::INBOX_HEADS, inbox_of(&alice)).await, None);
    }
    let head = async || world.head(tables::INBOX_HEADS, inbox_of(&alice)).await;
    restored(&world.store, START_MS).await.unwrap();
    assert_eq!(head().await, Some(START_MS * NUMBERS_PER_MS));
    restored(&world.store, last).await.unwrap();
    assert_eq!(head().await, Some(BEGIN_MAX));
}

#[tokio::test]
async fn a_node_that_nothing_has_aged_on_is_not_restored_by_a_clock_that_was_never_set() {
    let world = World::new().await;
    let refused = restored(&world.store, 1_000).await;
    assert!(matches!(refused, Err(Fault::Clock(_))), "{refused:?}");
}

/// How a room of bob's, with a lower id than the one that the two have, is taken.
async fn opens_another(world: &World, bob: &Device, alice: &Device) -> Option<RoomId> {
    let (request, _) = bob.create_request(bob.direct_kind(&alice.user), IDS[0]);
    world.service.flows().create_room(bob.caller(), request).await.unwrap().existing
}

#[tokio::test]
async fn a_room_in_which_nobody_has_spoken_gives_way_to_another_as_before() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    alice.create_direct(&world.service, &bob, IDS[1]).await.unwrap();
    assert_eq!(opens_another(&world.restored().await, &bob, &alice).await, None);

    let world = World::new().await;
    let (alice, bob, ..) = world.talking().await;
    assert_eq!(opens_another(&world.restored().await, &bob, &alice).await, None, "nothing but a commit");
}

#[tokio::test]
async fn a_room_in_which_somebody_has_spoken_goes_on_though_its_log_was_trimmed() {
    for trimmed in [false, true] {
        let world = World::new().await;
        let (alice, bob, room, mut at_alice, _) = world.talking().await;
        let hello = alice.message(&mut at_alice, room, 1, "hello");
        let rooms = world.service.rooms();
        rooms.submit_message(alice.caller(), room, hello).await.unwrap();
        if trimmed {
            for device in [&alice, &bob] {
                rooms.acknowledge(&device.caller().device_ref(), &[(room, 2)]).await.unwrap();
            }
            assert!(rooms.sweep().await.unwrap() >= 2);
        }
        assert_eq!(opens_another(&world.restored().await, &bob, &alice).await, Some(room));
    }
}
