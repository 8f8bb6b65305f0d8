//! A room of alice, at home, and bob, away. Home is its hub.

use super::federated_tests::{Two, key, node};
use crate::testing::*;
use weft_mls::{member, openmls::prelude::MlsGroup};
use weft_net::PeerHandler;
use weft_store::{Batch, tables};
use weft_wire::{
    Code, Problem, RoomId, codec,
    federation::{Answer, Batch as EventBatch, BatchAck, Event, EventResult, Question},
    rooms::{Accepted, LogEntry, PutItem, RoomKind, RoomMember, RoomRole, RoomState, SubmitMessage},
    sync::{ClientFrame, InboxItem, ServerFrame},
};

pub(super) const ROOM: RoomId = IDS[1];

pub(super) struct Talk {
    pub two: Two,
    at_alice: MlsGroup,
    pub at_bob: MlsGroup,
}

async fn welcome_of(world: &World, device: &Device) -> (u64, Vec<u8>) {
    let mut socket = device.socket(&world.service, 0).await;
    loop {
        let ServerFrame::Inbox { items } = next(&mut socket).await else { continue };
        for entry in items {
            if let InboxItem::Welcome { room: ROOM, seq, welcome } = entry.item {
                return (seq, welcome.0);
            }
        }
    }
}

impl Talk {
    async fn new() -> Talk {
        Talk::of(Two::connected().await).await
    }

    pub async fn of(two: Two) -> Talk {
        two.bob.publish(&two.away.service, 3).await;
        let mut at_alice = two.alice.create_direct(&two.home.service, &two.bob, ROOM).await.unwrap();
        two.home.add(&two.alice, &mut at_alice, ROOM, &two.bob).await;
        two.carry().await;
        let (seq, welcome) = welcome_of(&two.away, &two.bob).await;
        assert_eq!(seq, 1, "the commit that added bob");
        let at_bob = member::join(&two.bob.provider, ROOM, &welcome).unwrap();
        Talk { two, at_alice, at_bob }
    }

    pub async fn log(&self, world: &World, device: &Device) -> Vec<LogEntry> {
        world.service.rooms().log(device.caller(), ROOM, 0, 256).await.unwrap().entries
    }

    /// Both nodes have the same log, of so many entries.
    async fn assert_alike(&self, entries: usize) {
        let home = self.log(&self.two.home, &self.two.alice).await;
        assert_eq!(home.len(), entries);
        assert_eq!(home, self.log(&self.two.away, &self.two.bob).await);
    }

    async fn alice_says(&mut self, id: u8, text: &str) {
        let message = self.two.alice.message(&mut self.at_alice, ROOM, id, text);
        let flows = self.two.home.service.flows();
        flows.submit_message(self.two.alice.caller(), ROOM, message).await.unwrap();
    }

    /// Bob sends while the couriers go.
    async fn bob_sends(&self, message: SubmitMessage) -> Result<Accepted, Problem> {
        let flows = self.two.away.service.flows();
        let sending = flows.submit_message(self.two.bob.caller(), ROOM, message);
        tokio::pin!(sending);
        let mut look = tokio::time::interval(std::time::Duration::from_millis(1));
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return Ok(sent?),
                () = async {
                    let _ = self.two.away.service.federation().round(&self.two.home.name).await;
                    let _ = self.two.home.service.federation().round(&self.two.away.name).await;
                    look.tick().await;
                } => {}
            }
        }
    }
}

#[tokio::test]
async fn two_people_of_two_nodes_talk() {
    let mut talk = Talk::new().await;
    let listed = talk.two.away.service.rooms().list(talk.two.bob.caller(), None).await.unwrap().rooms;
    let state = &listed[0];
    assert_eq!((listed.len(), &state.hub, state.epoch), (1, &talk.two.home.name, 1));
    assert_eq!(state.members.iter().map(|member| member.role).collect::<Vec<_>>(), [RoomRole::Member; 2]);
    talk.assert_alike(1).await;

    talk.alice_says(1, "hello").await;
    talk.alice_says(2, "are you there?").await;
    talk.two.carry().await;
    talk.assert_alike(3).await;

    let message = talk.two.bob.message(&mut talk.at_bob, ROOM, 1, "I am");
    let accepted = talk.bob_sends(message.clone()).await.unwrap();
    assert_eq!((accepted.seq, accepted.epoch), (4, 1));
    talk.two.carry().await;
    talk.assert_alike(4).await;
    assert_eq!(talk.bob_sends(message).await.unwrap(), accepted, "sent twice, taken once");
    talk.two.carry().await;
    talk.assert_alike(4).await;

    // A commit of bob's is decided at the hub, and so is what an external commit needs.
    let prepared = talk.two.bob.prepare(&mut talk.at_bob, &[], &[]);
    let flows = talk.two.away.service.flows();
    let submit = talk.two.bob.commit(ROOM, &prepared, 9);
    let accepted = flows.submit_commit(talk.two.bob.caller(), ROOM, submit).await.unwrap();
    assert_eq!((accepted.seq, accepted.epoch), (5, 2));
    assert_eq!(flows.group_info(talk.two.bob.caller(), ROOM).await.unwrap().epoch, 2);
    talk.two.carry().await;
    talk.assert_alike(5).await;
    let state = &talk.two.away.service.rooms().list(talk.two.bob.caller(), None).await.unwrap().rooms[0];
    assert_eq!((state.epoch, state.head), (2, 5));
    let stale = talk.two.bob.commit(ROOM, &prepared, 10);
    let error = flows.submit_commit(talk.two.bob.caller(), ROOM, stale).await.unwrap_err();
    let problem = Problem::from(error);
    assert_eq!((problem.code, problem.current), (Code::StaleEpoch, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn what_is_said_while_the_hub_is_away_waits_and_arrives_once() {
    let mut talk = Talk::new().await;
    talk.two.cut();
    let message = talk.two.bob.message(&mut talk.at_bob, ROOM, 1, "anybody?");
    let problem = talk.bob_sends(message.clone()).await.unwrap_err();
    assert_eq!((problem.code, problem.detail.as_deref()), (Code::NodeUnreachable, Some(NODE)));
    let prepared = talk.two.bob.prepare(&mut talk.at_bob, &[], &[]);
    let submit = talk.two.bob.commit(ROOM, &prepared, 9);
    let flows = talk.two.away.service.flows();
    let error = flows.submit_commit(talk.two.bob.caller(), ROOM, submit).await.unwrap_err();
    assert_eq!(code(error), Code::NodeUnreachable);
    talk.alice_says(1, "hello").await;

    talk.two.net.back(key(&talk.two.away));
    talk.two.carry().await;
    talk.assert_alike(3).await;
    // His client sends it again, since it heard nothing.
    let accepted = talk.bob_sends(message).await.unwrap();
    assert_eq!(accepted.seq, 3);
    talk.two.carry().await;
    talk.assert_alike(3).await;
}

#[tokio::test]
async fn the_hub_hears_of_a_device_that_was_signed_out_elsewhere() {
    let talk = Talk::new().await;
    let two = &talk.two;
    two.away.service.flows().sign_out(two.bob.caller(), two.bob.id()).await.unwrap();
    two.carry().await;
    let room = two.home.service.rooms().load(ROOM).await.unwrap();
    assert_eq!(room.record.gone, [two.bob.caller().device_ref()]);
}

#[tokio::test]
async fn a_copy_that_has_lost_its_end_is_filled_again() {
    let mut talk = Talk::new().await;
    for id in 1..=100 {
        talk.alice_says(id, "and").await;
    }
    talk.two.carry().await;
    talk.assert_alike(101).await;
    // As after a restore: the copy ends at 40.
    let mut lost = Batch::new().put(tables::ROOM_HEADS, ROOM.as_bytes(), 40_u64.to_be_bytes());
    for seq in 41..=101_u64 {
        lost = lost.delete(tables::ROOM_LOG, [ROOM.as_bytes().as_slice(), &seq.to_be_bytes()].concat());
    }
    talk.two.away.store.commit(lost).await.unwrap();
    talk.alice_says(101, "so on").await;
    talk.two.carry().await;
    talk.assert_alike(102).await;
}

#[tokio::test]
async fn nobody_but_the_hub_says_what_a_room_is_like() {
    let talk = Talk::new().await;
    let third = node(&talk.two.net, "third.example", 3).await;
    let state = |hub: &World, room| {
        let rooms = talk.two.away.service.rooms().list(talk.two.bob.caller(), None);
        let hub = hub.name.clone();
        async move {
            let mut state = rooms.await.unwrap().rooms.remove(0);
            state.nonce = Some(nonce_of(&hub, room));
            (state.room, state.hub) = (room, hub);
            state
        }
    };
    let mut number = 0;
    let mut say = async |event| {
        number += 1;
        let batch = EventBatch { from: third.name.clone(), run: [7; 16], first: number, events: vec![event] };
        let answer = talk.two.away.service.federation().deliver(key(&third), codec::encode(&batch)).await;
        let ack: BatchAck = codec::decode(&answer, 4096).unwrap();
        match ack.results.into_iter().next() {
            Some((_, EventResult::Refused(problem))) => Some(problem.code),
            _ => None,
        }
    };
    // Over the room of another hub.
    let room =
        Event::Room { room: ROOM, state: Some(state(&third, ROOM).await), devices: vec![], entries: vec![] };
    assert_eq!(say(room).await, Some(Code::NotFound));
    // In the name of another hub.
    let other = IDS[8];
    let forged = Event::Room {
        room: other,
        state: Some(state(&talk.two.home, other).await),
        devices: vec![],
        entries: vec![],
    };
    assert_eq!(say(forged).await, Some(Code::InvalidField));
    // Under an id of another hub, which could not tell of its room any more.
    let mut squatted = state(&third, other).await;
    squatted.nonce = Some(nonce_of(&talk.two.home.name, other));
    for nonce in [squatted.nonce, Some(nonce_of(&third.name, other)), None] {
        let state = Some(RoomState { nonce, ..squatted.clone() });
        let room = Event::Room { room: other, state, devices: vec![], entries: vec![] };
        assert_eq!(say(room).await, Some(Code::InvalidField));
    }
    let other = nonces(&third.name)[8].0;
    // As the room of two others, with a lower id, into which theirs would be folded.
    let lower = nonces(&third.name)[0].0;
    let room = Event::Room {
        room: lower,
        state: Some(state(&third, lower).await),
        devices: vec![],
        entries: vec![],
    };
    assert_eq!(say(room).await, Some(Code::InvalidField));
    assert_eq!(talk.two.away.service.rooms().load(ROOM).await.unwrap().record.folded_into, None);
    // Among people of whom bob knows none.
    let mut strangers = state(&third, other).await;
    strangers.members.retain(|member| member.user == talk.two.bob.user);
    strangers.kind = RoomKind::Group;
    let room = Event::Room { room: other, state: Some(strangers), devices: vec![], entries: vec![] };
    assert_eq!(say(room).await, Some(Code::NoConsent));
    // A message for a room of which it is no hub.
    let bob = Device::at(&talk.two.away.name, "bob", 1);
    let envelope = bob.envelope(ROOM, weft_wire::rooms::EntryKind::Message, 1, 1, b"x");
    let message =
        Event::Message { cert: bob.cert.clone(), envelope: weft_wire::Signed::sign(&envelope, &bob.key) };
    assert_eq!(say(message).await, Some(Code::BadCertificate), "nor for people of others");
    let listed = talk.two.away.service.rooms().list(talk.two.bob.caller(), None).await.unwrap().rooms;
    assert_eq!((listed.len(), &listed[0].hub), (1, &talk.two.home.name));
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_in_again_waits_once_and_is_given_up_visibly() {
    let mut talk = Talk::new().await;
    talk.two.cut();
    let message = talk.two.bob.message(&mut talk.at_bob, ROOM, 1, "anybody?");
    for _ in 0..3 {
        let problem = talk.bob_sends(message.clone()).await.unwrap_err();
        assert_eq!((problem.code, problem.detail.as_deref()), (Code::NodeUnreachable, Some(NODE)));
    }
    let away = talk.two.away.service.federation();
    assert_eq!(away.waiting(&talk.two.home.name).await.unwrap(), 1);
    // Time goes by in steps, as it does on a node that runs.
    for _ in 0..16 {
        talk.two.away.clock.advance(12 * 60 * 60 * 1000);
        let _ = away.round(&talk.two.home.name).await;
    }
    assert_eq!(away.waiting(&talk.two.home.name).await.unwrap(), 0);
    assert_eq!(talk.bob_sends(message.clone()).await.unwrap_err().code, Code::Expired);
    // He tries again himself.
    assert_eq!(talk.bob_sends(message.clone()).await.unwrap_err().code, Code::NodeUnreachable);
    talk.two.net.back(key(&talk.two.away));
    talk.two.carry().await;
    assert_eq!(talk.bob_sends(message).await.unwrap().seq, 2);
    talk.two.carry().await;
    talk.assert_alike(2).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_device_has_said_in_vain_is_forgotten_with_it() {
    let mut talk = Talk::new().await;
    talk.two.cut();
    let message = talk.two.bob.message(&mut talk.at_bob, ROOM, 1, "anybody?");
    talk.bob_sends(message).await.unwrap_err();
    let away = &talk.two.away;
    for _ in 0..16 {
        away.clock.advance(12 * 60 * 60 * 1000);
        let _ = away.service.federation().round(&talk.two.home.name).await;
    }
    let said = async || {
        let scan = weft_store::Scan::prefix(ROOM.as_bytes());
        away.store.scan(tables::OUTBOX_SAID, scan).await.unwrap().len()
    };
    assert_eq!(said().await, 1);
    away.service.flows().sign_out(talk.two.bob.caller(), talk.two.bob.id()).await.unwrap();
    assert_eq!(said().await, 0);
}

#[tokio::test]
async fn reading_and_receiving_are_told_across() {
    let mut talk = Talk::new().await;
    talk.alice_says(1, "hello").await;
    talk.two.carry().await;
    let item =
        |version| PutItem { kind: "read".to_owned(), version: START_MS + version, sealed: sealed("2") };
    let (home, away) = (&talk.two.home.service, &talk.two.away.service);
    away.rooms().put_item(talk.two.bob.caller(), ROOM, item(1)).await.unwrap();
    home.rooms().put_item(talk.two.alice.caller(), ROOM, item(2)).await.unwrap();
    away.rooms().acknowledge(&talk.two.bob.caller().device_ref(), &[(ROOM, 2)]).await.unwrap();
    talk.two.carry().await;
    for (service, device) in [(home, &talk.two.alice), (away, &talk.two.bob)] {
        let state = service.rooms().list(device.caller(), None).await.unwrap().rooms.remove(0);
        let mut items: Vec<_> = state.items.iter().map(|item| (item.user.clone(), item.version)).collect();
        items.sort();
        let both = [(talk.two.alice.user.clone(), START_MS + 2), (talk.two.bob.user.clone(), START_MS + 1)];
        assert_eq!(items, both);
        let bob = state.members.iter().find(|member| member.user == talk.two.bob.user).unwrap();
        assert_eq!(bob.delivered, 2);
    }
}

#[tokio::test]
async fn typing_is_heard_across_and_by_nobody_who_is_not_in_the_room() {
    let talk = Talk::new().await;
    let mut alice = talk.two.alice.socket(&talk.two.home.service, 0).await;
    alice.on_frame(ClientFrame::Follow { rooms: vec![(ROOM, 1)] }).await.unwrap();
    let mut bob = talk.two.bob.socket(&talk.two.away.service, 0).await;
    let typing = ClientFrame::Ephemeral { room: ROOM, sealed: sealed("typing") };
    bob.on_frame(typing).await.unwrap();
    loop {
        if let ServerFrame::Ephemeral { user, sealed: heard, .. } = next(&mut alice).await {
            assert_eq!((user, heard), (talk.two.bob.user.clone(), sealed("typing")));
            break;
        }
    }
    // Another node that says the same.
    let third = node(&talk.two.net, "third.example", 3).await;
    let by = talk.two.bob.caller().device_ref();
    let question = Question::Ephemeral { from: third.name.clone(), room: ROOM, by, sealed: sealed("typing") };
    let federation = talk.two.home.service.federation();
    let answer = federation.query(key(&third), codec::encode(&question)).await;
    let Answer::Problem(problem) = codec::decode(&answer, 4096).unwrap() else { panic!("it was passed on") };
    assert_eq!(problem.code, Code::BadSignature);
}

#[tokio::test]
async fn two_rooms_of_one_moment_become_one_on_both_nodes() {
    let two = Two::connected().await;
    two.bob.publish(&two.away.service, 3).await;
    two.alice.publish(&two.home.service, 3).await;
    let (low, high) = (nonces(&two.away.name)[0].0, IDS[9]);
    assert!(low < high);
    // Neither node knows of the other's room.
    let mut hers = two.alice.create_direct(&two.home.service, &two.bob, high).await.unwrap();
    let mut his = two.bob.create_direct(&two.away.service, &two.alice, low).await.unwrap();
    two.home.add(&two.alice, &mut hers, high, &two.bob).await;
    two.away.add(&two.bob, &mut his, low, &two.alice).await;
    two.carry().await;
    for (world, device) in [(&two.home, &two.alice), (&two.away, &two.bob)] {
        let folded = world.service.rooms().load(high).await.unwrap().record.folded_into;
        assert_eq!(
            (folded, world.service.rooms().load(low).await.unwrap().record.folded_into),
            (Some(low), None)
        );
        let mut socket = device.socket(&world.service, 0).await;
        let told = async {
            loop {
                let ServerFrame::Inbox { items } = next(&mut socket).await else { continue };
                let folded = InboxItem::RoomFolded { from: high, into: low };
                if items.iter().any(|entry| entry.item == folded) {
                    break;
                }
            }
        };
        told.await;
    }
    let late = two.alice.message(&mut hers, high, 1, "into the folded one");
    let error = two.home.service.flows().submit_message(two.alice.caller(), high, late).await.unwrap_err();
    assert_eq!(code(error), Code::Conflict);
}

#[tokio::test]
async fn however_many_rooms_a_hub_makes_of_the_same_two_people_they_are_in_one() {
    let two = Two::connected().await;
    two.alice.create_direct(&two.home.service, &two.bob, IDS[5]).await.unwrap();
    let member = |user: &weft_wire::UserAddress| RoomMember {
        user: user.clone(),
        role: RoomRole::Member,
        delivered: 0,
        missed: vec![],
    };
    let RoomKind::Direct { members } = two.alice.direct_kind(&two.bob.user) else { panic!("not direct") };
    let state = |(room, nonce)| RoomState {
        room,
        kind: RoomKind::Direct { members: members.clone() },
        hub: two.away.name.clone(),
        nonce: Some(nonce),
        epoch: 0,
        head: 0,
        tail: 1,
        members: vec![member(&members.0), member(&members.1)],
        items: vec![],
        gone: vec![],
        asking: 0,
    };
    let news = nonces(&two.away.name).into_iter().rev().map(state);
    let events: Vec<_> = news
        .map(|state| Event::Room { room: state.room, state: Some(state), devices: vec![], entries: vec![] })
        .collect();
    let batch = EventBatch { from: two.away.name.clone(), run: [7; 16], first: 1, events };
    let answer = two.home.service.federation().deliver(key(&two.away), codec::encode(&batch)).await;
    let ack: BatchAck = codec::decode(&answer, 1 << 16).unwrap();
    assert_eq!((ack.upto, ack.results.len()), (10, 10));
    assert!(ack.results.iter().all(|(_, result)| matches!(result, EventResult::Accepted(_))), "{ack:?}");
    let listed = two.home.service.rooms().list(two.alice.caller(), None).await.unwrap().rooms;
    let lowest = nonces(&two.away.name)[0].0.min(IDS[5]);
    assert_eq!(listed.iter().map(|state| state.room).collect::<Vec<_>>(), [lowest]);
    let count = two.home.store.get(tables::ROOMS_OF_COUNT, two.alice.name().as_str().as_bytes()).await;
    assert_eq!(crate::context::be64(&count.unwrap().unwrap().value), Some(1));
    // What the hub of a folded room keeps of its group, nobody asks for any more.
    let parts = two.home.store.scan(tables::ROOM_PARTS, weft_store::Scan::prefix(IDS[5].as_bytes())).await;
    assert_eq!(parts.unwrap().is_empty(), lowest != IDS[5]);
}
