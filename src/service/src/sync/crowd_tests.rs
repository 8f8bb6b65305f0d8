//! What a group costs its hub when all its devices are there at once.

use super::*;
use crate::testing::*;
use std::collections::BTreeMap;
use weft_store::{Batch, Version, record::Record, tables};
use weft_wire::{
    UserAddress,
    rooms::{PutItem, RoomKind},
};

/// People of the group.
const CROWD: usize = 12;

/// A group in which everybody follows, and has been told how it stands.
async fn crowd(world: &World, room: RoomId) -> Vec<(Device, SyncSession)> {
    let alice = world.sign_up("alice").await;
    let (request, mut group) = alice.create_request(RoomKind::Group, room);
    world.service.flows().create_room(alice.caller(), request).await.unwrap();
    let mut people = vec![];
    for n in 1..CROWD {
        let device = world.sign_up(&format!("person{n}")).await;
        world.connect(&alice, &device).await;
        people.push(device);
    }
    let packages: Vec<_> = people.iter().map(|device| device.key_package(false)).collect();
    let prepared = alice.prepare(&mut group, &packages, &[]);
    let submit = alice.commit(room, &prepared, 1);
    world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
    people.insert(0, alice);
    let mut there = vec![];
    for device in people {
        let mut socket = device.socket(&world.service, 1_000).await;
        socket.on_frame(ClientFrame::Follow { rooms: vec![(room, 1)] }).await.unwrap();
        assert!(matches!(next(&mut socket).await, ServerFrame::Room { .. }));
        assert!(is_quiet(&mut socket).await);
        there.push((device, socket));
    }
    there
}

#[tokio::test]
async fn all_learn_of_all_cursors_with_fewer_scans_than_there_are_sockets() {
    let world = World::new().await;
    let room = IDS[1];
    let mut there = crowd(&world, room).await;
    world.engine.take_scans(tables::ROOM_CURSORS);
    for (device, _) in &there {
        world.service.rooms().acknowledge(&device.caller().device_ref(), &[(room, 1)]).await.unwrap();
    }
    for (device, socket) in &mut there {
        let mut delivered: BTreeMap<UserAddress, u64> = BTreeMap::new();
        while delivered.len() < CROWD - 1 {
            if let ServerFrame::Delivered { user, seq, .. } = next(socket).await {
                assert_eq!(delivered.insert(user, seq), None, "told twice");
            }
        }
        assert!(!delivered.contains_key(&device.user), "not of oneself");
        assert!(delivered.values().all(|seq| *seq == 1));
    }
    let scans = world.engine.take_scans(tables::ROOM_CURSORS);
    assert!(scans < CROWD, "{scans} scans for {CROWD} sockets");
}

#[tokio::test]
async fn all_learn_of_all_items_with_fewer_scans_than_there_are_sockets() {
    let world = World::new().await;
    let room = IDS[1];
    let mut there = crowd(&world, room).await;
    let put = |version, text: &str| PutItem { kind: "read".to_owned(), version, sealed: sealed(text) };
    for round in 1..=3 {
        for (device, _) in &there {
            let item = put(round, &format!("{round} of {}", device.user));
            world.service.rooms().put_item(device.caller(), room, item).await.unwrap();
        }
        world.engine.take_scans(tables::ROOM_ITEMS);
        for (_, socket) in &mut there {
            let mut newest: BTreeMap<UserAddress, u64> = BTreeMap::new();
            while newest.values().filter(|version| **version == round).count() < CROWD {
                if let ServerFrame::Item { item, .. } = next(socket).await {
                    assert_eq!(item.sealed, sealed(&format!("{} of {}", item.version, item.user)));
                    newest.insert(item.user, item.version);
                }
            }
        }
        let scans = world.engine.take_scans(tables::ROOM_ITEMS);
        assert!(scans < CROWD, "{scans} scans for {CROWD} sockets in round {round}");
    }
}

/// More items than one scan gives, and two that are written while they are read: one before the place where the reading is,
/// one behind it.
#[tokio::test]
async fn what_is_written_while_much_is_read_is_told_the_next_time() {
    let world = World::new().await;
    let room = IDS[1];
    let row = |name: &str| [room.as_bytes(), format!("{name}@home.example").as_bytes(), b"\0read"].concat();
    let item = |version, bytes| {
        let sealed = weft_wire::Blob(vec![7; bytes]);
        crate::rooms::records::ItemRecord { version, sealed }.to_record()
    };
    for many in 0..3_000 {
        let batch = Batch::new().put(tables::ROOM_ITEMS, row(&format!("many{many}")), item(1, 4 << 10));
        world.store.commit(batch).await.unwrap();
    }
    let (mut told, mut seen) = (BTreeMap::new(), Version(0));
    for round in 1..=24 {
        let write = async {
            for _ in 0..round % 6 {
                tokio::task::yield_now().await;
            }
            for name in ["aaaa", "zzzz"] {
                let batch = Batch::new().put(tables::ROOM_ITEMS, row(name), item(round, 8));
                world.store.commit(batch).await.unwrap();
            }
        };
        let (read, ()) = tokio::join!(world.service.rooms().items_since(room, seen), write);
        let (first, upto) = read.unwrap();
        let (second, upto) = world.service.rooms().items_since(room, upto).await.unwrap();
        seen = upto;
        for (item, _) in first.into_iter().chain(second) {
            told.insert(item.user.name.as_str().to_owned(), item.version);
        }
        assert_eq!((told["aaaa"], told["zzzz"]), (round, round));
    }
}

#[tokio::test]
async fn a_socket_that_reads_late_gets_every_item_of_the_others() {
    let world = World::new().await;
    let room = IDS[1];
    let mut there = crowd(&world, room).await;
    let (_, mut late) = there.pop().unwrap();
    let (alice, prompt) = there.first_mut().unwrap();
    for round in 1..=4 {
        for kind in 'a'..='h' {
            let item = PutItem { kind: kind.to_string(), version: round, sealed: sealed("x") };
            world.service.rooms().put_item(alice.caller(), room, item).await.unwrap();
        }
        assert_eq!(items(prompt, round).await, 8);
    }
    // What was read for the one who keeps up does not go back so far.
    assert_eq!(items(&mut late, 4).await, 8);
}

/// Reads until there are eight items of a version. Gives how many kinds there were in all.
async fn items(socket: &mut SyncSession, version: u64) -> usize {
    let mut newest = BTreeMap::new();
    while newest.values().filter(|known| **known == version).count() < 8 {
        if let ServerFrame::Item { item, .. } = next(socket).await {
            newest.insert(item.kind, item.version);
        }
    }
    newest.len()
}
