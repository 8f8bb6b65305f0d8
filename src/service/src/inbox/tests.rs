use super::*;
use crate::{ServiceConfig, Worker, ahead, testing::*};
use weft_wire::{Code, contacts::ContactRequest, node::SignupPolicy, sync::ServerFrame};

/// As if a device had been away for long: of its entries, only the first and the last are there.
async fn fill(world: &World, device: &Device, count: usize) {
    let key = mailbox(device.name(), device.id());
    let item = InboxItem::DeviceRemoved { device: device.id() };
    let record = InboxRecord { time_ms: START_MS, item: Kept::Item(item) }.to_record();
    let count = count as u64;
    let batch = Batch::new()
        .put(tables::INBOX_HEADS, &key, count.to_be_bytes())
        .put(tables::INBOX_WAITING, &key, count.to_be_bytes())
        .put(tables::INBOX, numbered(&key, 1), record.clone())
        .put(tables::INBOX, numbered(&key, count), record);
    world.store.commit(batch).await.unwrap();
}

fn inbox_of(world: &World) -> Inbox {
    Inbox::new(Arc::new(world.context()))
}

async fn entries(world: &World, device: &Device) -> Vec<Entry> {
    inbox_of(world).page(device.name(), device.id(), 0, INBOX_ITEMS_MAX).await.unwrap()
}

async fn waiting(world: &World, device: &Device) -> usize {
    inbox_of(world).waiting(&mailbox(device.name(), device.id())).await.unwrap()
}

/// People of whom an entry waits.
async fn people(world: &World, device: &Device) -> usize {
    let scan = Scan::prefix(mailbox(device.name(), device.id())).limit(INBOX_ITEMS_MAX);
    world.store.scan(tables::INBOX_CONTACTS, scan).await.unwrap().len()
}

async fn ask(world: &World, from: &Device, to: &Device, greeting: &str) {
    let request = ContactRequest { to: to.user.clone(), sealed: sealed(greeting), token: None };
    world.service.flows().request_contact(from.caller(), request).await.unwrap();
}

#[tokio::test]
async fn a_full_inbox_goes_without_welcomes_and_news_and_keeps_nobody_else_waiting() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let mut away = Device::new("bob", 2);
    away.sign_in(&world.service).await.unwrap();
    let room = IDS[1];
    let mut group = alice.create_direct(&world.service, &bob, room).await.unwrap();
    fill(&world, &away, INBOX_ITEMS_MAX).await;
    let before = entries(&world, &bob).await.len();

    let packages = [bob.key_package(false), away.key_package(false)];
    let prepared = alice.prepare(&mut group, &packages, &[]);
    let submit = alice.commit(room, &prepared, 1);
    world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
    let carol = world.sign_up("carol").await;
    ask(&world, &carol, &bob, "x").await;
    let welcomes =
        |entries: &[Entry]| entries.iter().filter(|entry| matches!(entry.item, Item::Welcome { .. })).count();
    let online = entries(&world, &bob).await;
    assert_eq!((online.len(), welcomes(&online)), (before + 2, 1));
    let full = entries(&world, &away).await;
    assert_eq!((full.len(), welcomes(&full)), (2, 0));
    // What makes the device that was away join by external commit: it is told of a room whose epoch it cannot read.
    let listed = world.service.rooms().list(away.caller(), None).await.unwrap();
    assert_eq!((listed.rooms[0].room, listed.rooms[0].epoch), (room, 1));
}

#[tokio::test]
async fn asking_and_taking_it_back_over_and_over_leaves_one_entry() {
    let config = ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 0.0, ..Default::default() };
    let world = World::with(config).await;
    let (bob, mallory) = (world.sign_up("bob").await, world.sign_up("mallory").await);
    let flows = world.service.flows();
    for round in 1..=50_u64 {
        ask(&world, &mallory, &bob, &format!("greeting {round}")).await;
        flows.remove_contact(mallory.caller(), &bob.user).await.unwrap();
    }
    ask(&world, &mallory, &bob, "the last").await;
    for device in [&bob, &mallory] {
        let kept = entries(&world, device).await;
        assert_eq!((kept.len(), waiting(&world, device).await), (1, 1));
        assert_eq!(kept[0].seq, 101, "the newest stands at the end");
    }
    let Item::Ready(InboxItem::Contact { user, state, sealed: last, .. }) =
        entries(&world, &bob).await.remove(0).item
    else {
        panic!("not about a person")
    };
    assert_eq!((user, state), (mallory.user.clone(), Some(ContactState::Incoming)));
    assert_eq!(last, Some(sealed("the last")));

    // What was sent along is not lost with the entry in which it came.
    flows.remove_contact(mallory.caller(), &bob.user).await.unwrap();
    let Item::Ready(InboxItem::Contact { state, sealed: kept, .. }) =
        entries(&world, &bob).await.remove(0).item
    else {
        panic!("not about a person")
    };
    assert_eq!((state, kept), (None, Some(sealed("the last"))));

    // A device that is here gets each of them, and its inbox knows nobody any more.
    let inbox = inbox_of(&world);
    for round in 103..110_u64 {
        inbox.acknowledge(bob.name(), bob.id(), round - 1).await.unwrap();
        assert_eq!((waiting(&world, &bob).await, people(&world, &bob).await), (0, 0));
        ask(&world, &mallory, &bob, "again").await;
        let kept = entries(&world, &bob).await;
        assert_eq!((kept.len(), kept[0].seq), (1, round));
    }
}

#[tokio::test]
async fn strangers_fill_half_of_an_inbox_and_a_welcome_still_fits() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let room = IDS[1];
    let mut group = alice.create_direct(&world.service, &bob, room).await.unwrap();
    let key = mailbox(bob.name(), bob.id());
    let known = people(&world, &bob).await;
    let mut waits = waiting(&world, &bob).await as u64;
    for page in (known..CONTACTS_MAX - 1).collect::<Vec<_>>().chunks(1_000) {
        let batch = page.iter().fold(Batch::new(), |batch, n| {
            let stranger: UserAddress = format!("stranger{n}@home.example").parse().unwrap();
            batch.put(tables::INBOX_CONTACTS, person(&key, &stranger), 1_u64.to_be_bytes())
        });
        waits += page.len() as u64;
        world.store.commit(batch.put(tables::INBOX_WAITING, &key, waits.to_be_bytes())).await.unwrap();
    }
    let (carol, dave) = (world.sign_up("carol").await, world.sign_up("dave").await);
    ask(&world, &carol, &bob, "still fits").await;
    assert_eq!(people(&world, &bob).await, CONTACTS_MAX);
    ask(&world, &dave, &bob, "one too many").await;
    assert_eq!(people(&world, &bob).await, CONTACTS_MAX);
    // Who is in there already stays up to date.
    world.service.flows().remove_contact(carol.caller(), &bob.user).await.unwrap();
    let Item::Ready(InboxItem::Contact { user, state: None, .. }) =
        entries(&world, &bob).await.pop().unwrap().item
    else {
        panic!("not about somebody who is gone")
    };
    assert_eq!(user, carol.user);

    let prepared = alice.prepare(&mut group, &[bob.key_package(false)], &[]);
    let submit = alice.commit(room, &prepared, 1);
    world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
    assert!(matches!(entries(&world, &bob).await.pop().unwrap().item, Item::Welcome { .. }));
}

#[tokio::test]
async fn an_inbox_that_is_older_than_its_counter_is_read_and_emptied() {
    let world = World::new().await;
    let bob = world.sign_up("bob").await;
    let count = ACKNOWLEDGE_PAGE * 2 + 3;
    let key = mailbox(bob.name(), bob.id());
    let item = InboxItem::DeviceRemoved { device: bob.id() };
    let record = InboxRecord { time_ms: START_MS, item: Kept::Item(item) }.to_record();
    let rows = (0..count).fold(Batch::new(), |batch, _| {
        batch.append(tables::INBOX_HEADS, &key, tables::INBOX, &key, record.clone())
    });
    world.store.commit(rows).await.unwrap();
    ask(&world, &world.sign_up("carol").await, &bob, "x").await;
    assert_eq!(waiting(&world, &bob).await, 1);
    let inbox = inbox_of(&world);
    let (name, id) = (bob.name(), bob.id());
    let (one, two) = tokio::join!(inbox.acknowledge(name, id, 70), inbox.acknowledge(name, id, 70));
    one.unwrap();
    two.unwrap();
    assert_eq!(entries(&world, &bob).await.len(), count + 1 - 70);
    inbox.acknowledge(name, id, count as u64 + 1).await.unwrap();
    assert_eq!((entries(&world, &bob).await.len(), waiting(&world, &bob).await), (0, 0));
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
    let room = IDS[1];
    let mut group = alice.create_direct(&world.service, &bob, room).await.unwrap();
    let packages = [bob.key_package(false), tablet.key_package(false)];
    let prepared = alice.prepare(&mut group, &packages, &[]);
    let mut submit = alice.commit(room, &prepared, 1);
    let long = lengthened(prepared.welcome.as_deref().unwrap(), 200_000);
    submit.welcome = Some(Blob(long.clone()));
    let flows = world.service.flows();

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
    let welcome = entries(&world, &tablet).await.into_iter().find_map(|entry| match entry.item {
        Item::Welcome { welcome, .. } => Some(welcome),
        Item::Ready(_) => None,
    });
    assert_eq!(welcome, Some(Blob(long)));
}

#[tokio::test]
async fn a_device_is_told_how_far_what_waits_for_it_goes() {
    let world = World::new().await;
    let (_, bob, ..) = world.talking().await;
    // It says how far it has come; that does not wait any more.
    for (after, newest) in [(0, 3), (2, 3), (3, 0), (0, 0)] {
        let mut socket = world.service.sync().open(FROM).unwrap();
        socket.on_frame(bob.hello(&socket, after)).await.unwrap();
        let ServerFrame::Ready { inbox, .. } = next(&mut socket).await else { panic!("not ready") };
        assert_eq!(inbox, Some(newest));
    }
}
