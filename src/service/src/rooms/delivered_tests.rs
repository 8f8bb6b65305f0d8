//! What counts as delivered to somebody with several devices.

use super::{
    delivered::{Delivered, together, with_left},
    records::CursorRecord,
};
use crate::{Worker, testing::*};
use weft_mls::member;
use weft_store::{Version, record::Record};
use weft_wire::RoomId;

type Said = (u64, Vec<(u64, u64)>);

async fn delivered(world: &World, to: &Device) -> Said {
    let state = world.service.rooms().list(to.caller(), None).await.unwrap().rooms.remove(0);
    let member = state.members.into_iter().find(|member| member.user == to.user).unwrap();
    (member.delivered, member.missed)
}

async fn acknowledge(world: &World, by: &Device, room: RoomId, seq: u64) {
    world.service.rooms().acknowledge(&by.caller().device_ref(), &[(room, seq)]).await.unwrap();
}

/// A device comes into a room by itself, also one that has been in it before. Gives the number of its commit.
async fn join(world: &World, device: &Device, room: RoomId, id: u8) -> u64 {
    let info = world.service.rooms().group_info(device.caller(), room).await.unwrap().group_info;
    let (_, prepared) =
        member::join_externally(&device.provider, device.me(), room, info.as_slice()).unwrap();
    let submit = device.commit(room, &prepared, id);
    world.service.flows().submit_commit(device.caller(), room, submit).await.unwrap().seq
}

/// Alice has written three messages, of which bob's device has none, and bob's tablet has come in after them.
async fn lost() -> (World, Device, Device, Device, RoomId) {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    assert_eq!(delivered(&world, &bob).await, (0, vec![]), "added, and not yet heard from");
    acknowledge(&world, &bob, room, 1).await;
    for id in 0..3 {
        let message = alice.message(&mut at_alice, room, id, "for the phone, which is off");
        world.service.rooms().submit_message(alice.caller(), room, message).await.unwrap();
    }
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    assert_eq!(join(&world, &tablet, room, 1).await, 5);
    assert_eq!(delivered(&world, &bob).await, (1, vec![]), "it has come in");
    (world, alice, bob, tablet, room)
}

#[tokio::test]
async fn a_new_device_vouches_for_nothing_that_was_there_before_it() {
    let (world, _, bob, tablet, room) = lost().await;
    acknowledge(&world, &tablet, room, 5).await;
    assert_eq!(delivered(&world, &bob).await, (5, vec![(1, 4)]), "what is after it need not wait");
    acknowledge(&world, &bob, room, 3).await;
    assert_eq!(delivered(&world, &bob).await, (5, vec![(3, 4)]), "the phone was only off");
    acknowledge(&world, &bob, room, 4).await;
    assert_eq!(delivered(&world, &bob).await, (5, vec![]));
}

#[tokio::test]
async fn what_only_a_lost_device_could_have_read_is_never_delivered() {
    let (world, alice, bob, tablet, room) = lost().await;
    acknowledge(&world, &tablet, room, 5).await;
    let said = (5, vec![(1, 4)]);
    world.service.rooms().mark_gone(room, &bob.caller().device_ref()).await.unwrap();
    assert_eq!(delivered(&world, &tablet).await, said, "signed out");
    acknowledge(&world, &alice, room, 5).await;
    assert_eq!(Worker::Retention.run_once(&world.service).await.unwrap(), 5);
    assert_eq!(delivered(&world, &tablet).await, said, "nobody is left to read it");
}

#[tokio::test]
async fn a_device_that_comes_in_anew_has_what_it_had() {
    let (world, _, bob, tablet, room) = lost().await;
    acknowledge(&world, &tablet, room, 5).await;
    assert_eq!(join(&world, &tablet, room, 2).await, 6);
    assert_eq!(delivered(&world, &bob).await, (5, vec![(1, 4)]), "of the five nothing is taken back");
    acknowledge(&world, &tablet, room, 6).await;
    assert_eq!(delivered(&world, &bob).await, (6, vec![(1, 4)]));
}

fn cursor(from: u64, acked: u64) -> CursorRecord {
    CursorRecord { from, acked, left: Vec::new() }
}

/// The number, what is missing below it, and the version of the row that says so.
type Told = (u64, Vec<(u64, u64)>, u64);

fn cursors(of: &[(u64, u64, u64)]) -> Option<Told> {
    let user = Device::new("alice", 1).user;
    let devices = of.iter().map(|(from, acked, version)| (cursor(*from, *acked), Version(*version)));
    let together = together(user, 0, devices.collect());
    together.map(|Delivered { seq, missed, version, .. }| (seq, missed, version.0))
}

#[test]
fn devices_vouch_together_for_what_one_of_them_has() {
    assert_eq!(cursors(&[]), None);
    assert_eq!(cursors(&[(7, 7, 1)]), None, "nothing was acknowledged");
    assert_eq!(cursors(&[(0, 9, 1)]), Some((9, vec![], 1)));
    // The one that has come furthest; of two that have come as far the earlier one, which is no news.
    assert_eq!(cursors(&[(0, 9, 1), (0, 8, 5)]), Some((9, vec![], 1)));
    assert_eq!(cursors(&[(0, 9, 6), (0, 9, 5)]), Some((9, vec![], 5)));
    // Each goes on where another one is, in whatever order they are looked at; what fills a gap is news.
    assert_eq!(cursors(&[(8, 12, 2), (0, 9, 1), (11, 20, 3)]), Some((20, vec![], 3)));
    assert_eq!(cursors(&[(11, 20, 1), (8, 12, 3), (0, 9, 2)]), Some((20, vec![], 3)));
    // A gap is told, and so is what was there before all of them.
    assert_eq!(cursors(&[(0, 4, 1), (5, 20, 3)]), Some((20, vec![(4, 5)], 3)));
    assert_eq!(cursors(&[(5, 20, 3), (5, 20, 4)]), Some((20, vec![(0, 5)], 3)));
}

#[test]
fn what_devices_had_that_left_is_bounded_and_never_said_to_be_more() {
    let mut left = None;
    for n in 0..100 {
        left = Some(with_left(left, &cursor(n * 10, n * 10 + 5)));
    }
    let left = left.unwrap();
    assert_eq!((left.left.len(), left.left[0], left.left[15]), (16, (840, 845), (990, 995)));
    let user = Device::new("alice", 1).user;
    let more: Vec<_> = (0..20).map(|n| (cursor(n * 10 + 1, n * 10 + 2), Version(n))).collect();
    let told = together(user.clone(), 0, more).unwrap();
    assert_eq!((told.missed.len(), told.missed[0], told.missed[15]), (16, (0, 41), (182, 191)));
    let told = together(user, 0, vec![(left, Version(1))]).unwrap();
    assert_eq!((told.seq, told.missed[0]), (995, (0, 840)));
}

#[test]
fn a_cursor_of_before_counts_as_it_did() {
    let old =
        [b"\x01".as_slice(), &weft_wire::encode(&std::collections::BTreeMap::from([("acked", 41)]))].concat();
    let cursor = CursorRecord::from_record(&old).unwrap();
    assert_eq!((cursor.acked, cursor.from, cursor.left.len()), (41, 0, 0));
}
