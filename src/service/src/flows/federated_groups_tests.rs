//! Groups of people on three nodes.

use super::{federated_tests::key, trio::*};
use crate::{rooms::records::AskedRecord, testing::*};
use weft_mls::{Roles, member};
use weft_net::PeerHandler;
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    Code, DeviceId, NodeName, UserAddress, codec,
    federation::{Batch as EventBatch, BatchAck, Event, EventResult},
    rooms::*,
    sync::{InboxItem, ServerFrame},
};

#[tokio::test]
async fn somebody_of_one_node_brings_somebody_of_another_into_a_group_of_a_third() {
    let mut trio = Trio::of_three().await;
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
    for who in [CAROL, ALICE, BOB] {
        trio.says(who, "hello").await.unwrap();
    }
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
    assert_eq!(trio.log(CAROL).await.len(), 4, "the commit that brought her, and three words");

    // Sent away by the hub's own admin, she hears of it, and nothing after it.
    let carol = trio.people[CAROL].id();
    trio.commit(ALICE, &[], &[carol], None).await.unwrap();
    trio.carry().await;
    assert_eq!(trio.state(CAROL).await, None);
    assert_eq!(trio.says(CAROL, "too late").await.unwrap_err().code, Code::NotFound);
    trio.catch_up(BOB).await;
    trio.says(BOB, "she is gone").await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB]).await;
    let kept = trio.worlds[CAROL].service.rooms().head(ROOM).await.unwrap();

    // And brought back: what was said meanwhile is not hers.
    trio.groups[CAROL] = None;
    trio.people[CAROL].publish(&trio.worlds[CAROL].service, 3).await;
    trio.catch_up(ALICE).await;
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.carry().await;
    let copy = trio.worlds[CAROL].service.rooms().load(ROOM).await.unwrap();
    assert!(copy.member(&trio.people[CAROL].user).unwrap().since > kept);
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn whom_the_home_does_not_let_in_is_taken_out_again_and_nobody_else_suffers() {
    let mut trio = Trio::of_three().await;
    let erin = trio.worlds[CAROL].sign_up("erin").await;
    // Bob has got hold of a KeyPackage, and of no consent.
    trio.commit(BOB, &[erin.key_package(false)], &[], None).await.unwrap();
    trio.carry().await;
    let rooms = trio.worlds[CAROL].service.rooms();
    assert_eq!(rooms.list(erin.caller(), None).await.unwrap().rooms, []);
    trio.carry().await;
    for who in [ALICE, BOB, CAROL] {
        let state = trio.state(who).await.unwrap();
        let gone: Vec<_> = state.gone.iter().map(|gone| &gone.user).collect();
        assert_eq!((state.epoch, gone), (3, vec![&erin.user]), "as {who} sees it");
    }
    trio.catch_up(CAROL).await;
    trio.says(CAROL, "still here").await.unwrap();
    // Anybody tidies up.
    trio.commit(CAROL, &[], &[erin.id()], None).await.unwrap();
    trio.carry().await;
    assert_eq!(trio.state(BOB).await.unwrap().gone, []);
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn who_leaves_on_another_node_is_out_at_once_also_while_the_hub_is_away() {
    let mut trio = Trio::of_three().await;
    trio.cut(ALICE, true);
    let leave =
        async |who: usize| trio.worlds[who].service.flows().leave_room(trio.people[who].caller(), ROOM).await;
    leave(CAROL).await.unwrap();
    leave(CAROL).await.unwrap_or_else(|error| assert_eq!(code(error), Code::NotFound));
    assert_eq!(trio.state(CAROL).await, None);
    // The hub is away for longer than anything waits.
    for _ in 0..20 {
        trio.worlds[CAROL].clock.advance(DAY_MS / 2);
        trio.carry().await;
    }
    assert_eq!(trio.state(CAROL).await, None);
    trio.cut(ALICE, false);
    trio.carry().await;
    assert_eq!(trio.names(ALICE).await, ["alice", "bob"]);
    assert_eq!(trio.names(BOB).await, ["alice", "bob"]);
    let gone = trio.state(BOB).await.unwrap().gone;
    assert_eq!(gone, [trio.people[CAROL].caller().device_ref()]);
    let carol = trio.people[CAROL].id();
    trio.commit(BOB, &[], &[carol], None).await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB]).await;
    assert_eq!(trio.state(CAROL).await, None);
}

#[tokio::test]
async fn the_last_owner_stays_wherever_they_are_at_home() {
    let mut trio = Trio::of_three().await;
    let mut roles = trio.roles.clone();
    roles.set(&trio.people[BOB].user.clone(), RoomRole::Owner);
    trio.commit(ALICE, &[], &[], Some(&roles)).await.unwrap();
    trio.carry().await;
    let leave = async |trio: &Trio, who: usize| {
        trio.worlds[who].service.flows().leave_room(trio.people[who].caller(), ROOM).await
    };
    leave(&trio, ALICE).await.unwrap();
    trio.carry().await;
    trio.cut(ALICE, true);
    assert_eq!(problem(leave(&trio, BOB).await), Code::Forbidden, "his own node knows");
    assert_eq!(trio.names(BOB).await, ["bob", "carol"]);
    // A hub without anybody goes on to serve the others.
    trio.cut(ALICE, false);
    trio.catch_up(BOB).await;
    trio.says(BOB, "still here").await.unwrap();
    trio.carry().await;
    trio.catch_up(CAROL).await;
    trio.assert_alike(&[BOB, CAROL]).await;
}

#[tokio::test]
async fn a_hub_that_does_not_let_the_last_owner_go_keeps_them() {
    let mut trio = Trio::of_three().await;
    let mut roles = trio.roles.clone();
    roles.set(&trio.people[BOB].user.clone(), RoomRole::Owner);
    trio.commit(ALICE, &[], &[], Some(&roles)).await.unwrap();
    trio.carry().await;
    // Both owners leave at the same moment, and the hub's no is back before the word that alice has gone.
    for who in [BOB, ALICE] {
        let flows = trio.worlds[who].service.flows();
        flows.leave_room(trio.people[who].caller(), ROOM).await.unwrap();
    }
    trio.worlds[BOB].service.federation().round(&trio.worlds[ALICE].name).await.unwrap();
    assert_eq!(trio.state(BOB).await, None);
    trio.carry().await;
    assert_eq!(trio.names(BOB).await, ["bob", "carol"]);
    trio.catch_up(BOB).await;
    trio.says(BOB, "I stay").await.unwrap();
}

#[tokio::test]
async fn a_follower_that_was_away_for_too_long_hears_all_once_it_is_back_though_nobody_speaks() {
    let mut trio = Trio::of_three().await;
    trio.cut(CAROL, true);
    let bob = trio.people[BOB].id();
    trio.says(ALICE, "nobody there?").await.unwrap();
    trio.commit(ALICE, &[], &[bob], Some(&Roles::of_creator(trio.people[ALICE].user.clone()))).await.unwrap();
    for _ in 0..40 {
        trio.worlds[ALICE].clock.advance(DAY_MS / 2);
        trio.carry().await;
        let waiting = trio.worlds[ALICE].service.federation().waiting(&trio.worlds[CAROL].name).await;
        assert!((1..=2).contains(&waiting.unwrap()), "one row stands for all");
    }
    trio.cut(CAROL, false);
    trio.carry().await;
    trio.assert_alike(&[ALICE, CAROL]).await;
    assert_eq!(trio.names(CAROL).await, ["alice", "carol"]);
}

#[tokio::test]
async fn a_hub_keeps_what_a_follower_has_not_got_until_the_retention_ends() {
    let mut trio = Trio::of_three().await;
    trio.cut(CAROL, true);
    trio.says(ALICE, "for later").await.unwrap();
    let (home, alice) = (&trio.worlds[ALICE], trio.people[ALICE].caller().device_ref());
    let head = home.service.rooms().head(ROOM).await.unwrap();
    home.service.rooms().acknowledge(&alice, &[(ROOM, head)]).await.unwrap();
    assert_eq!(home.service.rooms().sweep().await.unwrap(), 0);
    for _ in 0..62 {
        home.clock.advance(DAY_MS / 2);
        home.service.rooms().sweep().await.unwrap();
        trio.carry().await;
    }
    trio.says(ALICE, "and now").await.unwrap();
    trio.cut(CAROL, false);
    trio.carry().await;
    // What is gone is gone; she hears from where on there is something, and all of that.
    let copy = trio.worlds[CAROL].service.rooms();
    assert_eq!(copy.head(ROOM).await.unwrap(), head + 1);
    let page = copy.log(trio.people[CAROL].caller(), ROOM, head, 9).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn a_copy_holds_five_hundred_members_with_many_devices() {
    let trio = Trio::of_three().await;
    let far = &trio.worlds[CAROL];
    let mut state = trio.state(ALICE).await.unwrap();
    let mut devices: Vec<_> = trio.people.iter().map(|one| one.caller().device_ref()).collect();
    for number in 0..497_u16 {
        let user: UserAddress = format!("user{number}@some-node-with-a-name.example").parse().unwrap();
        for device in 0..4 {
            let mut id = [device; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            devices.push(DeviceRef { user: user.clone(), device: DeviceId(id) });
        }
        state.members.push(RoomMember { user, role: RoomRole::Member, delivered: 0, missed: vec![] });
    }
    let mut number = 0;
    let mut say = async |state: &RoomState| {
        number += 1;
        let event =
            Event::Room { room: ROOM, state: Some(state.clone()), devices: devices.clone(), entries: vec![] };
        let from: NodeName = trio.worlds[ALICE].name.clone();
        let batch = EventBatch { from, run: [9; 16], first: number, events: vec![event] };
        let answer = far.service.federation().deliver(key(&trio.worlds[ALICE]), codec::encode(&batch)).await;
        let ack: BatchAck = codec::decode(&answer, 4096).unwrap();
        assert!(matches!(ack.results[..], [(_, EventResult::Accepted(_))]), "{ack:?}");
    };
    for _ in 0..2 {
        say(&state).await;
        let copy = far.restarted().await.service.rooms().load(ROOM).await.unwrap();
        assert_eq!((copy.members.len(), copy.devices().count()), (500, 3 + 497 * 4));
    }
    let parts = far.store.scan(tables::ROOM_PARTS, Scan::prefix([])).await.unwrap();
    assert!(!parts.is_empty());
    state.members.truncate(3);
    say(&state).await;
    assert_eq!(trio.names(CAROL).await, ["alice", "bob", "carol"]);
    assert_eq!(far.store.scan(tables::ROOM_PARTS, Scan::prefix([])).await.unwrap(), []);
}

#[tokio::test]
async fn a_crowd_of_another_node_comes_in_by_one_commit() {
    let mut trio = Trio::of_three().await;
    let far = &trio.worlds[CAROL];
    let mut crowd = Vec::new();
    for number in 0..240 {
        let who = far.sign_up(&format!("user{number}")).await;
        let asked = AskedRecord { hub: trio.worlds[ALICE].name.clone(), until_ms: START_MS + DAY_MS };
        let key = [who.name().as_str().as_bytes(), &[0], ROOM.as_bytes()].concat();
        far.store.commit(Batch::new().put(tables::ROOMS_ASKED, key, asked.to_record())).await.unwrap();
        crowd.push(who);
    }
    let packages: Vec<_> = crowd.iter().map(|who| who.key_package(false)).collect();
    let added = trio.commit(BOB, &packages, &[], None).await.unwrap();
    let rows = async |world: &World, table| world.store.scan(table, Scan::prefix([])).await.unwrap().len();
    let bytes = added.welcome.as_ref().unwrap().len();
    assert!(bytes > 64 << 10, "{bytes} bytes fit a row");
    assert!((1..=20).contains(&rows(&trio.worlds[ALICE], tables::OUTBOX_PARTS).await), "kept once");
    trio.carry().await;
    assert_eq!(rows(&trio.worlds[ALICE], tables::OUTBOX_PARTS).await, 0);
    assert_eq!(trio.names(CAROL).await.len(), 243);
    for who in [&crowd[0], &crowd[239]] {
        let mut socket = who.socket(&trio.worlds[CAROL].service, 0).await;
        let welcome = loop {
            let ServerFrame::Inbox { items } = next(&mut socket).await else { continue };
            if let Some(InboxItem::Welcome { seq: 3, welcome, .. }) =
                items.into_iter().next().map(|one| one.item)
            {
                break welcome;
            }
        };
        assert_eq!(Some(&welcome.0), added.welcome.as_ref());
        member::join(&who.provider, ROOM, &welcome.0).unwrap();
    }
}

#[tokio::test]
async fn who_has_left_is_not_brought_back_by_an_old_word_of_the_hub() {
    let mut trio = Trio::of_three().await;
    let leaving = trio.worlds[CAROL].service.flows().leave_room(trio.people[CAROL].caller(), ROOM);
    leaving.await.unwrap();
    // The hub has not heard of it, and tells of something else.
    trio.commit(ALICE, &[], &[], None).await.unwrap();
    trio.round(ALICE, CAROL).await;
    let copy = trio.worlds[CAROL].service.rooms().load(ROOM).await.unwrap();
    assert_eq!((copy.record.epoch, trio.state(CAROL).await), (3, None));
    trio.carry().await;
    assert_eq!(trio.names(ALICE).await, ["alice", "bob"]);
}

#[tokio::test]
async fn who_is_brought_in_again_before_their_home_hears_that_they_are_out_stays_in() {
    let mut trio = Trio::of_three().await;
    let (carol, device) = (trio.people[CAROL].user.clone(), trio.people[CAROL].id());
    let leaving = trio.worlds[CAROL].service.flows().leave_room(trio.people[CAROL].caller(), ROOM);
    leaving.await.unwrap();
    // The hub hears it; that it did is on its way back for a while.
    let home = &trio.worlds[ALICE];
    let (rooms, who) = (home.service.rooms(), &carol);
    home.store.transact(|tx| async move { rooms.stage_leave(&tx, who, ROOM).await }).await.unwrap();
    let out = trio.state(ALICE).await.unwrap().epoch;
    trio.commit(BOB, &[], &[device], None).await.unwrap();
    trio.people[CAROL].publish(&trio.worlds[CAROL].service, 3).await;
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.round(ALICE, CAROL).await;
    let (far, carol) = (&trio.worlds[CAROL], &trio.people[CAROL].user);
    let rooms = far.service.rooms();
    far.store.transact(|tx| async move { rooms.stage_has_left(&tx, carol, ROOM, out).await }).await.unwrap();
    assert_eq!(trio.names(CAROL).await, ["alice", "bob", "carol"]);
}
