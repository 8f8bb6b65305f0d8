use super::*;
use crate::{Worker, ahead, testing::*};
use weft_wire::{Code, contacts::ContactRequest, sync::ServerFrame};

/// As if a device had been away for long: its newest entry has this number, its oldest the number 1.
async fn fill(world: &World, device: &Device, count: u64) {
    let key = mailbox(device.name(), device.id());
    let item = InboxItem::DeviceRemoved { device: device.id() };
    let record = InboxRecord { time_ms: START_MS, item: Kept::Item(item) }.to_record();
    let batch = Batch::new()
        .put(tables::INBOX_HEADS, &key, count.to_be_bytes())
        .put(tables::INBOX, numbered(&key, 1), record.clone())
        .put(tables::INBOX, numbered(&key, count), record);
    world.store.commit(batch).await.unwrap();
}

#[tokio::test]
async fn a_full_inbox_refuses_welcomes_and_goes_without_news() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    bob.publish(&world.service, 2).await;
    let room = RoomId([1; 16]);
    let mut group = alice.create_direct(&world.service, &bob, room).await.unwrap();
    fill(&world, &bob, INBOX_ITEMS_MAX as u64).await;

    let prepared = alice.prepare(&mut group, &[bob.key_package(false)], &[]);
    let submit = alice.commit(room, &prepared, 1);
    let error = world.service.flows().submit_commit(alice.caller(), room, submit.clone()).await.unwrap_err();
    assert_eq!(code(error), Code::TooMany);
    let carol = world.sign_up("carol").await;
    let ask = ContactRequest { to: bob.user.clone(), sealed: sealed("x"), token: None };
    world.service.flows().request_contact(carol.caller(), ask).await.unwrap();
    let inbox = Inbox::new(Arc::new(world.context()));
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), INBOX_ITEMS_MAX);

    inbox.acknowledge(bob.name(), bob.id(), INBOX_ITEMS_MAX as u64).await.unwrap();
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), 0);
    world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), 1);
}

/// The same Welcome with an encrypted GroupInfo of so many bytes, which the hub cannot tell from a large group's.
fn lengthened(welcome: &[u8], len: usize) -> Vec<u8> {
    // MLSMessage: version, wire format; Welcome: cipher suite, secrets<V>, encrypted_group_info<V> (RFC 9420, 2.1.2).
    let (at, first) = (6, usize::from(welcome[6]));
    let (prefix, secrets) = match first >> 6 {
        0 => (1, first),
        1 => (2, (first & 0x3f) << 8 | usize::from(welcome[at + 1])),
        _ => panic!("many secrets"),
    };
    let mut long = welcome[..at + prefix + secrets].to_vec();
    long.extend((0x8000_0000 | u32::try_from(len).unwrap()).to_be_bytes());
    long.resize(long.len() + len, 0x5a);
    long
}

async fn parts(world: &World) -> usize {
    world.store.scan(tables::INBOX_PARTS, Scan::prefix([])).await.unwrap().len()
}

#[tokio::test]
async fn a_long_welcome_of_a_commit_that_never_comes_is_swept() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let room = RoomId([1; 16]);
    let mut group = alice.create_direct(&world.service, &bob, room).await.unwrap();
    let packages = [bob.key_package(false), tablet.key_package(false)];
    let prepared = alice.prepare(&mut group, &packages, &[]);
    let mut submit = alice.commit(room, &prepared, 1);
    let long = lengthened(prepared.welcome.as_deref().unwrap(), 200_000);
    submit.welcome = Some(Blob(long.clone()));
    let flows = world.service.flows();

    // One inbox is full: the other gets nothing either.
    fill(&world, &tablet, INBOX_ITEMS_MAX as u64).await;
    let full = flows.submit_commit(alice.caller(), room, submit.clone()).await.unwrap_err();
    assert_eq!((code(full), parts(&world).await), (Code::TooMany, 0));
    let inbox = Inbox::new(Arc::new(world.context()));
    inbox.acknowledge(tablet.name(), tablet.id(), INBOX_ITEMS_MAX as u64).await.unwrap();

    // A note and a Welcome for each, and then the commit itself fails.
    world.engine.refuse_commits_after(4);
    let failed = flows.submit_commit(alice.caller(), room, submit.clone()).await.unwrap_err();
    world.engine.take_commits();
    assert_eq!((code(failed), parts(&world).await), (Code::StorageUnavailable, 8));
    world.clock.advance(ahead::LIFETIME_MS + 1);
    Worker::Sweep.run_once(&world.service).await.unwrap();
    assert_eq!(parts(&world).await, 0);

    flows.submit_commit(alice.caller(), room, submit).await.unwrap();
    world.clock.advance(ahead::LIFETIME_MS + 1);
    Worker::Sweep.run_once(&world.service).await.unwrap();
    let entries = inbox.page(tablet.name(), tablet.id(), 0, 99).await.unwrap();
    let welcome = entries.into_iter().find_map(|entry| match entry.item {
        Item::Welcome { welcome, .. } => Some(welcome),
        Item::Ready(_) => None,
    });
    assert_eq!(welcome, Some(Blob(long)));
}

#[tokio::test]
async fn a_device_is_told_how_far_its_inbox_goes_even_when_it_is_empty() {
    let world = World::new().await;
    let (_, bob, ..) = world.talking().await;
    for after in [0, 2, 3] {
        let mut socket = world.service.sync().open(FROM).unwrap();
        socket.on_frame(bob.hello(&socket, after)).await.unwrap();
        let ServerFrame::Ready { inbox, .. } = next(&mut socket).await else { panic!("not ready") };
        assert_eq!(inbox, Some(3));
    }
}
