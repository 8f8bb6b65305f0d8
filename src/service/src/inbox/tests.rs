use super::*;
use crate::testing::*;
use weft_wire::{Code, contacts::ContactRequest};

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
    let inbox = Inbox::new(std::sync::Arc::new(context(&world)));
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), INBOX_ITEMS_MAX);

    inbox.acknowledge(bob.name(), bob.id(), INBOX_ITEMS_MAX as u64).await.unwrap();
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), 0);
    world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
    assert_eq!(inbox.waiting(bob.name(), bob.id()).await.unwrap(), 1);
}

fn context(world: &World) -> Ctx {
    Ctx {
        store: world.store.clone(),
        clock: world.clock.clone(),
        entropy: Box::new(crate::SystemEntropy),
        node: NODE.parse().unwrap(),
        config: world.config.clone(),
        limits: crate::Limits::new(world.clock.clone(), 0.0),
        sealer: crate::seal::Sealer::of_node(&ed25519_dalek::SigningKey::from_bytes(&[9; 32])),
    }
}
