//! What counts as delivered to somebody with several devices.

use super::{
    records::CursorRecord,
    state::{Delivered, together},
};
use crate::testing::*;
use weft_mls::member;
use weft_store::Version;

async fn delivered(world: &World, to: &Device) -> u64 {
    let state = &world.service.rooms().list(to.caller(), None).await.unwrap().rooms[0];
    state.members.iter().find(|member| member.user == to.user).unwrap().delivered
}

#[tokio::test]
async fn a_new_device_vouches_for_nothing_that_was_there_before_it() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let rooms = world.service.rooms();
    let acknowledge = |by: &Device, seq| {
        let (by, rooms) = (by.caller().device_ref(), rooms.clone());
        async move { rooms.acknowledge(&by, &[(room, seq)]).await.unwrap() }
    };
    assert_eq!(delivered(&world, &bob).await, 0, "added, and not yet heard from");
    acknowledge(&bob, 1).await;
    for id in 0..3 {
        let message = alice.message(&mut at_alice, room, id, "for the phone, which is off");
        rooms.submit_message(alice.caller(), room, message).await.unwrap();
    }

    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let info = rooms.group_info(tablet.caller(), room).await.unwrap().group_info;
    let (_, prepared) =
        member::join_externally(&tablet.provider, tablet.me(), room, info.as_slice()).unwrap();
    let submit = tablet.commit(room, &prepared, 1);
    assert_eq!(world.service.flows().submit_commit(tablet.caller(), room, submit).await.unwrap().seq, 5);
    assert_eq!(delivered(&world, &bob).await, 1, "it has come in");
    acknowledge(&tablet, 5).await;
    assert_eq!(
        delivered(&world, &bob).await,
        1,
        "it has seen itself come in, and cannot read what was before"
    );
    acknowledge(&bob, 3).await;
    assert_eq!(delivered(&world, &bob).await, 3);
    acknowledge(&bob, 4).await;
    assert_eq!(delivered(&world, &bob).await, 5, "from here on the tablet has everything");
}

fn cursors(of: &[(u64, u64, u64)]) -> Option<(u64, u64)> {
    let user = Device::new("alice", 1).user;
    let cursor = |(from, acked, version): &(u64, u64, u64)| {
        (CursorRecord { from: *from, acked: *acked }, Version(*version))
    };
    let devices: Vec<_> = of.iter().map(cursor).collect();
    together(user, &devices).map(|Delivered { seq, version, .. }| (seq, version.0))
}

#[test]
fn devices_vouch_together_for_what_one_of_them_has() {
    assert_eq!(cursors(&[]), None);
    assert_eq!(cursors(&[(7, 7, 1)]), None, "nothing was acknowledged");
    assert_eq!(cursors(&[(0, 9, 1)]), Some((9, 1)));
    // The one that has come furthest; of two that have come as far the earlier one, which is no news.
    assert_eq!(cursors(&[(0, 9, 1), (0, 8, 5)]), Some((9, 1)));
    assert_eq!(cursors(&[(0, 9, 6), (0, 9, 5)]), Some((9, 5)));
    // Each goes on where another one is, in whatever order they are looked at.
    assert_eq!(cursors(&[(8, 12, 2), (0, 9, 1), (11, 20, 3)]), Some((20, 3)));
    assert_eq!(cursors(&[(11, 20, 1), (8, 12, 3), (0, 9, 2)]), Some((20, 3)));
    // A gap is not passed; what is older than all of them nobody is left to read.
    assert_eq!(cursors(&[(0, 4, 1), (5, 20, 3)]), Some((4, 1)));
    assert_eq!(cursors(&[(5, 20, 3)]), Some((20, 3)));
}

#[test]
fn a_cursor_of_before_counts_as_it_did() {
    use weft_store::record::Record;
    let old =
        [b"\x01".as_slice(), &weft_wire::encode(&std::collections::BTreeMap::from([("acked", 41)]))].concat();
    let cursor = CursorRecord::from_record(&old).unwrap();
    assert_eq!((cursor.acked, cursor.from), (41, 0));
}
