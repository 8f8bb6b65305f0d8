use super::*;
use crate::{Worker, testing::*};
use weft_mls::member;
use weft_wire::{
    Blob, Code, Problem, Signed,
    contacts::ContactRequest,
    rooms::{CreateRoom, EntryKind, Envelope, RoomCreated, RoomKind, RoomRole, SubmitMessage},
    sync::{InboxItem, ServerFrame},
};

fn refused<T: std::fmt::Debug, E: Into<Problem> + std::fmt::Debug>(
    result: std::result::Result<T, E>,
) -> Problem {
    result.unwrap_err().into()
}

#[tokio::test]
async fn two_people_talk() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let rooms = world.service.rooms();
    let hello = alice.message(&mut at_alice, room, 1, "hello");
    let accepted = rooms.submit_message(alice.caller(), room, hello).await.unwrap();
    assert_eq!((accepted.seq, accepted.epoch, accepted.time_ms), (2, 1, START_MS));
    let answer = bob.message(&mut at_bob, room, 1, "hello yourself");
    assert_eq!(rooms.submit_message(bob.caller(), room, answer).await.unwrap().seq, 3);

    let page = rooms.log(bob.caller(), room, 1, 10).await.unwrap();
    assert_eq!((page.head, page.entries.len()), (3, 2));
    let envelope = page.entries[0].envelope.verify(&alice.caller().session.device_key).unwrap();
    let opened = member::open(&bob.provider, &mut at_bob, envelope.body.as_slice()).unwrap();
    assert_eq!(opened.content, b"hello");

    let list = rooms.list(bob.caller(), None).await.unwrap();
    assert_eq!((list.rooms.len(), list.more), (1, false));
    let state = &list.rooms[0];
    assert_eq!((state.room, state.epoch, state.head, state.tail), (room, 1, 3, 1));
    assert_eq!(state.members.iter().map(|member| &member.user).collect::<Vec<_>>(), [&alice.user, &bob.user]);
    let restarted = world.restarted().await;
    assert_eq!(restarted.service.rooms().log(alice.caller(), room, 0, 10).await.unwrap().entries.len(), 3);
}

#[tokio::test]
async fn sending_twice_stores_once_and_another_content_is_a_conflict() {
    let world = World::new().await;
    let (alice, _, room, mut at_alice, _) = world.talking().await;
    let rooms = world.service.rooms();
    let message = alice.message(&mut at_alice, room, 1, "hello");
    let first = rooms.submit_message(alice.caller(), room, message.clone()).await.unwrap();
    for id in 2..50 {
        let other = alice.message(&mut at_alice, room, id, "and");
        rooms.submit_message(alice.caller(), room, other).await.unwrap();
    }
    assert_eq!(rooms.submit_message(alice.caller(), room, message.clone()).await.unwrap(), first);
    let other = alice.message(&mut at_alice, room, 1, "something else");
    assert_eq!(refused(rooms.submit_message(alice.caller(), room, other).await).code, Code::IdConflict);
    assert_eq!(rooms.log(alice.caller(), room, 0, 1).await.unwrap().head, 50);

    // At the same moment, too, and after the room has moved on beyond what it takes.
    let racing = alice.message(&mut at_alice, room, 99, "racing");
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (service, caller, racing) = (world.service.clone(), alice.caller().clone(), racing.clone());
        sends.spawn(async move { service.rooms().submit_message(&caller, room, racing).await.unwrap() });
    }
    let accepted = sends.join_all().await;
    assert!(accepted.iter().all(|answer| *answer == accepted[0]), "{accepted:?}");
    for id in 100..110 {
        let prepared = alice.prepare(&mut at_alice, &[], &[]);
        let submit = alice.commit(room, &prepared, id);
        world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
        at_alice.merge_pending_commit(&alice.provider).unwrap();
    }
    assert_eq!(rooms.submit_message(alice.caller(), room, message).await.unwrap(), first);
}

#[tokio::test]
async fn a_forged_or_misaddressed_envelope_is_refused() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let rooms = world.service.rooms();
    let good = alice.message(&mut at_alice, room, 1, "hello");
    let envelope = good.envelope.peek().unwrap();
    let signed = |change: &dyn Fn(&mut Envelope), key: &Device| {
        let mut changed = envelope.clone();
        change(&mut changed);
        SubmitMessage { envelope: Signed::sign(&changed, &key.key) }
    };
    let by_alice = |message| rooms.submit_message(alice.caller(), room, message);
    let cases: Vec<(SubmitMessage, Code)> = vec![
        (signed(&|_| {}, &bob), Code::BadSignature),
        (signed(&|e| e.room = IDS[9], &alice), Code::InvalidField),
        (signed(&|e| e.sender = bob.user.clone(), &alice), Code::InvalidField),
        (signed(&|e| e.device = bob.id(), &alice), Code::InvalidField),
        (signed(&|e| e.kind = EntryKind::Commit, &alice), Code::InvalidField),
        (signed(&|e| e.epoch = 0, &alice), Code::InvalidField),
        (signed(&|e| e.body = Blob(vec![1, 2, 3]), &alice), Code::BadMls),
        (signed(&|e| e.body = Blob(vec![0; 60_000]), &alice), Code::TooLarge),
    ];
    for (message, expected) in cases {
        assert_eq!(refused(by_alice(message).await).code, expected);
    }
    // Another's session does not make it one's own.
    assert_eq!(
        refused(rooms.submit_message(bob.caller(), room, good.clone()).await).code,
        Code::BadSignature
    );
    assert_eq!(rooms.log(alice.caller(), room, 0, 9).await.unwrap().head, 1);
    by_alice(good).await.unwrap();
}

#[tokio::test]
async fn a_room_of_others_is_as_if_it_were_not_there() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let carol = world.sign_up("carol").await;
    let (rooms, unknown) = (world.service.rooms(), IDS[7]);
    let caller = carol.caller();
    let item = weft_wire::rooms::PutItem { kind: "read".to_owned(), version: 1, sealed: sealed("x") };
    for id in [room, unknown] {
        let envelope =
            carol.envelope(id, EntryKind::Message, 1, 1, &at_alice_body(&alice, &mut at_alice, id));
        let message = SubmitMessage { envelope: Signed::sign(&envelope, &carol.key) };
        let answers = [
            refused(rooms.log(caller, id, 0, 10).await),
            refused(rooms.group_info(caller, id).await),
            refused(rooms.put_item(caller, id, item.clone()).await),
            refused(rooms.submit_message(caller, id, message).await),
        ];
        let expected = [
            Problem::new(Code::NotFound),
            Problem::new(Code::NotFound),
            Problem::new(Code::NotFound),
            if id == room { Problem::new(Code::NotFound) } else { answers[3].clone() },
        ];
        assert_eq!(answers, expected);
    }
    assert_eq!(rooms.list(caller, None).await.unwrap().rooms, []);
    // Nor does an outsider get in by an external commit, even one who knows the GroupInfo.
    let info = rooms.group_info(bob.caller(), room).await.unwrap();
    let (_, prepared) =
        member::join_externally(&carol.provider, carol.me(), room, info.group_info.as_slice()).unwrap();
    let submit = carol.commit(room, &prepared, 1);
    let answer = world.service.flows().submit_commit(caller, room, submit).await;
    assert_eq!(refused(answer), Problem::new(Code::NotFound));
}

/// A sound body for a room; for an unknown room, one of a group of one's own.
fn at_alice_body(alice: &Device, group: &mut weft_mls::openmls::prelude::MlsGroup, room: RoomId) -> Vec<u8> {
    if group.group_id().as_slice() == room.as_bytes() {
        return member::seal(&alice.provider, alice.me(), group, b"x").unwrap();
    }
    let (mut own, _) = member::create(&alice.provider, alice.me(), room).unwrap();
    member::seal(&alice.provider, alice.me(), &mut own, b"x").unwrap()
}

#[tokio::test]
async fn of_two_commits_of_an_epoch_one_wins_and_the_loser_learns_the_epoch() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let by_alice = alice.commit(room, &alice.prepare(&mut at_alice, &[], &[]), 20);
    let by_bob = bob.commit(room, &bob.prepare(&mut at_bob, &[], &[]), 20);
    let (one, other) = tokio::join!(
        world.service.flows().submit_commit(alice.caller(), room, by_alice.clone()),
        world.service.flows().submit_commit(bob.caller(), room, by_bob.clone()),
    );
    let (winner, submit, won, lost) = match (one, other) {
        (Ok(won), Err(lost)) => (&alice, by_alice, won, lost),
        (Err(lost), Ok(won)) => (&bob, by_bob, won, lost),
        both => panic!("{both:?}"),
    };
    assert_eq!((won.epoch, won.seq), (2, 2));
    let lost: Problem = lost.into();
    assert_eq!((lost.code, lost.current), (Code::StaleEpoch, Some(2)));
    // A retry whose answer was lost gets the same answer.
    let again = world.service.flows().submit_commit(winner.caller(), room, submit).await.unwrap();
    assert_eq!(again, won);
    assert_eq!(world.service.rooms().log(alice.caller(), room, 0, 9).await.unwrap().head, 2);
}

#[tokio::test]
async fn messages_and_commits_at_the_same_moment_all_find_their_place() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let messages: Vec<_> = (0..100).map(|id| bob.message(&mut at_bob, room, id, "hello")).collect();
    let mut sends = tokio::task::JoinSet::new();
    for message in messages {
        let (service, caller) = (world.service.clone(), bob.caller().clone());
        sends.spawn(async move { service.rooms().submit_message(&caller, room, message).await.unwrap().seq });
    }
    for id in 200..205 {
        let prepared = alice.prepare(&mut at_alice, &[], &[]);
        let submit = alice.commit(room, &prepared, id);
        world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
        at_alice.merge_pending_commit(&alice.provider).unwrap();
        tokio::task::yield_now().await;
    }
    let mut seqs = sends.join_all().await;
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 100);
    let page = world.service.rooms().log(alice.caller(), room, 0, 256).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=106).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_of_an_epoch_long_past_is_stale() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let old: Vec<_> = (0..3).map(|id| bob.message(&mut at_bob, room, id, "slow")).collect();
    let rooms = world.service.rooms();
    for id in 0..=weft_mls::config::PAST_EPOCHS_MAX {
        let accepted = rooms.submit_message(bob.caller(), room, old[0].clone()).await.unwrap();
        assert_eq!(accepted.seq, 2);
        let prepared = alice.prepare(&mut at_alice, &[], &[]);
        let submit = alice.commit(room, &prepared, 100 + id as u8);
        world.service.flows().submit_commit(alice.caller(), room, submit).await.unwrap();
        at_alice.merge_pending_commit(&alice.provider).unwrap();
        if id + 1 == weft_mls::config::PAST_EPOCHS_MAX {
            rooms.submit_message(bob.caller(), room, old[1].clone()).await.unwrap();
        }
    }
    let stale = refused(rooms.submit_message(bob.caller(), room, old[2].clone()).await);
    assert_eq!((stale.code, stale.current), (Code::StaleEpoch, Some(7)));
}

#[tokio::test]
async fn a_commit_that_lies_is_refused() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, mut at_bob) = world.talking().await;
    let prepared = alice.prepare(&mut at_alice, &[], &[]);
    let good = alice.commit(room, &prepared, 30);
    let flows = world.service.flows();
    let submit = |request| flows.submit_commit(alice.caller(), room, request);
    let other_info = bob.prepare(&mut at_bob, &[], &[]).group_info;
    let mut wrong_info = good.clone();
    wrong_info.group_info = Blob(other_info);
    assert_eq!(refused(submit(wrong_info).await).code, Code::BadMls);
    let mut extra = good.clone();
    extra.welcome_to = vec![bob.caller().device_ref()];
    assert_eq!(refused(submit(extra).await).code, Code::InvalidField);
    let mut large = good.clone();
    large.group_info = Blob(vec![0; 1 << 20]);
    assert_eq!(refused(submit(large).await).code, Code::TooLarge);
    let mut garbage = prepared.clone();
    garbage.commit = vec![1; 300];
    assert_eq!(refused(submit(alice.commit(room, &garbage, 31)).await).code, Code::BadMls);
    // Bob hands in what Alice has made.
    let stolen = bob.commit(room, &prepared, 30);
    assert_eq!(refused(flows.submit_commit(bob.caller(), room, stolen).await).code, Code::InvalidField);
    // Bob removes Alice from what is hers as well.
    let removal = bob.prepare(&mut at_bob, &[], &[alice.id()]);
    let removal = bob.commit(room, &removal, 31);
    assert_eq!(refused(flows.submit_commit(bob.caller(), room, removal).await).code, Code::Forbidden);
    submit(good).await.unwrap();
}

#[tokio::test]
async fn only_registered_devices_of_the_two_come_in() {
    let world = World::new().await;
    let (alice, _bob, room, mut at_alice, _) = world.talking().await;
    let carol = world.sign_up("carol").await;
    world.connect(&alice, &carol).await;
    let flows = world.service.flows();
    let third = alice.prepare(&mut at_alice, &[carol.key_package(false)], &[]);
    let answer = flows.submit_commit(alice.caller(), room, alice.commit(room, &third, 40)).await;
    assert_eq!(refused(answer).code, Code::Forbidden);
    at_alice
        .clear_pending_commit(weft_mls::openmls::prelude::OpenMlsProvider::storage(&alice.provider))
        .unwrap();
    // A device that Alice certified, and that the node does not know.
    let ghost = Device::new("alice", 9);
    let adding = alice.prepare(&mut at_alice, &[ghost.key_package(false)], &[]);
    let answer = flows.submit_commit(alice.caller(), room, alice.commit(room, &adding, 41)).await;
    assert_eq!(refused(answer).code, Code::BadCertificate);
}

#[tokio::test]
async fn a_further_device_joins_by_external_commit_and_reads_on() {
    let world = World::new().await;
    let (alice, _bob, room, mut at_alice, _) = world.talking().await;
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let rooms = world.service.rooms();
    // Not in the group yet: its messages would be unreadable for everybody.
    let info = rooms.group_info(tablet.caller(), room).await.unwrap();
    assert_eq!((info.epoch, info.head), (1, 1));
    let (mut at_tablet, prepared) =
        member::join_externally(&tablet.provider, tablet.me(), room, info.group_info.as_slice()).unwrap();
    let submit = tablet.commit(room, &prepared, 1);
    let accepted = world.service.flows().submit_commit(tablet.caller(), room, submit).await.unwrap();
    assert_eq!((accepted.seq, accepted.epoch), (2, 2));
    at_tablet.merge_pending_commit(&tablet.provider).unwrap();

    let (_, staged) = member::stage(&alice.provider, &mut at_alice, &prepared.commit, START_MS).unwrap();
    at_alice.merge_staged_commit(&alice.provider, *staged).unwrap();
    let hello = alice.message(&mut at_alice, room, 50, "welcome, tablet");
    rooms.submit_message(alice.caller(), room, hello).await.unwrap();
    let page = rooms.log(tablet.caller(), room, accepted.seq, 10).await.unwrap();
    let body = page.entries[0].envelope.peek().unwrap().body;
    let opened = member::open(&tablet.provider, &mut at_tablet, body.as_slice()).unwrap();
    assert_eq!(opened.content, b"welcome, tablet");
}

#[tokio::test]
async fn making_a_room_needs_consent_and_a_sound_group() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let flows = world.service.flows();
    let create = |request: CreateRoom| flows.create_room(alice.caller(), request);
    let room = IDS[1];
    let (request, _) = alice.create_request(alice.direct_kind(&bob.user), room);
    assert_eq!(refused(create(request.clone()).await).code, Code::NoConsent);
    let ask = ContactRequest { to: bob.user.clone(), sealed: sealed("x"), token: None };
    flows.request_contact(alice.caller(), ask).await.unwrap();
    assert_eq!(refused(create(request.clone()).await).code, Code::NoConsent);
    let accept = weft_wire::contacts::ContactAccept { sealed: sealed("x") };
    flows.accept_contact(bob.caller(), &alice.user, accept).await.unwrap();

    let other = RoomKind::Direct { members: (bob.user.clone(), alice.user.clone()) };
    assert_eq!(refused(create(CreateRoom { kind: other, ..request.clone() }).await).code, Code::InvalidField);
    let (foreign, _) = bob.create_request(alice.direct_kind(&bob.user), room);
    assert_eq!(refused(create(foreign.clone()).await).code, Code::BadCertificate);
    let renamed = CreateRoom { room: IDS[2], nonce: nonce_of(&alice.user.node, IDS[2]), ..request.clone() };
    assert_eq!(refused(create(renamed).await).code, Code::BadMls);
    // Under the id of a room of another node.
    let (taken, nonce) = nonces(&"other.example".parse().unwrap())[0];
    let (squatter, _) = alice.create_request(alice.direct_kind(&bob.user), taken);
    for nonce in [nonce, request.nonce] {
        let squatter = CreateRoom { nonce, ..squatter.clone() };
        assert_eq!(refused(create(squatter).await).code, Code::InvalidField);
    }
    let garbage = CreateRoom { group_info: Blob(vec![3; 500]), ..request.clone() };
    assert_eq!(refused(create(garbage).await).code, Code::BadMls);
    let third: weft_wire::UserAddress = "carol@home.example".parse().unwrap();
    let others = RoomKind::Direct { members: (bob.user.clone(), third) };
    assert_eq!(refused(create(CreateRoom { kind: others, ..request.clone() }).await).code, Code::Forbidden);

    let made = RoomCreated { epoch: 0, existing: None };
    assert_eq!(create(request.clone()).await.unwrap(), made);
    assert_eq!(create(request.clone()).await.unwrap(), made, "the same when it is sent twice");
    assert_eq!(refused(flows.create_room(bob.caller(), foreign).await).code, Code::IdConflict);
}

#[tokio::test]
async fn of_two_direct_rooms_the_lower_goes_on() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let flows = world.service.flows();
    let (low, middle, high) = (IDS[1], IDS[5], IDS[9]);
    alice.create_direct(&world.service, &bob, middle).await.unwrap();
    let (request, _) = bob.create_request(bob.direct_kind(&alice.user), high);
    let answer = flows.create_room(bob.caller(), request).await.unwrap();
    assert_eq!(answer, RoomCreated { epoch: 0, existing: Some(middle) });

    let mut at_bob = bob.create_direct(&world.service, &alice, low).await.unwrap();
    for device in [&alice, &bob] {
        let mut socket = device.socket(&world.service, 0).await;
        let mut folded = None;
        while folded.is_none() {
            let ServerFrame::Inbox { items } = next(&mut socket).await else { panic!("not an inbox") };
            folded = items
                .into_iter()
                .map(|entry| entry.item)
                .find(|item| matches!(item, InboxItem::RoomFolded { .. }));
        }
        assert_eq!(folded, Some(InboxItem::RoomFolded { from: middle, into: low }));
        let rooms = world.service.rooms().list(device.caller(), None).await.unwrap().rooms;
        assert_eq!(rooms.iter().map(|state| state.room).collect::<Vec<_>>(), [low]);
    }
    // Once somebody has spoken, no lower id ends the conversation.
    let message = bob.message(&mut at_bob, low, 1, "hello");
    world.service.rooms().submit_message(bob.caller(), low, message).await.unwrap();
    let (request, _) = alice.create_request(alice.direct_kind(&bob.user), IDS[0]);
    let answer = flows.create_room(alice.caller(), request).await.unwrap();
    assert_eq!(answer.existing, Some(low));
}

#[tokio::test]
async fn what_is_folded_takes_nothing_more() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let (low, high) = (IDS[1], IDS[9]);
    let mut at_alice = alice.create_direct(&world.service, &bob, high).await.unwrap();
    bob.create_direct(&world.service, &alice, low).await.unwrap();
    let message = alice.message(&mut at_alice, high, 1, "too late");
    let error = world.service.rooms().submit_message(alice.caller(), high, message).await.unwrap_err();
    assert!(matches!(error, RoomError::Folded { into } if into == low));
    let submit = alice.commit(high, &alice.prepare(&mut at_alice, &[], &[]), 2);
    let answer = world.service.flows().submit_commit(alice.caller(), high, submit).await;
    assert_eq!(refused(answer).code, Code::Conflict);
    assert_eq!(refused(world.service.rooms().group_info(bob.caller(), high).await).code, Code::Conflict);
    // Nor does it keep a view of its group: rooms can be folded one after another for ever.
    let left = world.store.scan(weft_store::tables::ROOM_PARTS, weft_store::Scan::prefix(high.as_bytes()));
    assert_eq!(left.await.unwrap(), []);
}

#[tokio::test]
async fn a_group_grows_by_consent_and_by_role() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    let carol = world.sign_up("carol").await;
    world.connect(&alice, &carol).await;
    bob.publish(&world.service, 2).await;
    carol.publish(&world.service, 2).await;
    let (room, flows) = (IDS[3], world.service.flows());
    let (request, mut at_alice) = alice.create_request(RoomKind::Group, room);
    flows.create_room(alice.caller(), request).await.unwrap();
    let adding = world.add(&alice, &mut at_alice, room, &bob).await;
    let mut at_bob = member::join(&bob.provider, room, adding.welcome.as_deref().unwrap()).unwrap();
    // A member does not bring people in, an owner does.
    let by_member = bob.prepare(&mut at_bob, &[carol.key_package(false)], &[]);
    let answer = flows.submit_commit(bob.caller(), room, bob.commit(room, &by_member, 1)).await;
    assert_eq!(refused(answer).code, Code::Forbidden);
    let dave = world.sign_up("dave").await;
    let stranger = alice.prepare(&mut at_alice, &[dave.key_package(false)], &[]);
    let answer = flows.submit_commit(alice.caller(), room, alice.commit(room, &stranger, 8)).await;
    assert_eq!(refused(answer).code, Code::NoConsent);
    at_alice
        .clear_pending_commit(weft_mls::openmls::prelude::OpenMlsProvider::storage(&alice.provider))
        .unwrap();
    let claimed = flows.claim_key_packages(alice.caller(), &carol.user, None).await.unwrap();
    let packages: Vec<_> = claimed.packages.into_iter().map(|package| package.key_package).collect();
    let adding = alice.prepare(&mut at_alice, &packages, &[]);
    flows.submit_commit(alice.caller(), room, alice.commit(room, &adding, 9)).await.unwrap();
    at_alice.merge_pending_commit(&alice.provider).unwrap();

    let state = &world.service.rooms().list(carol.caller(), None).await.unwrap().rooms[0];
    let roles: Vec<_> = state.members.iter().map(|member| member.role).collect();
    assert_eq!(roles, [RoomRole::Owner, RoomRole::Member, RoomRole::Member]);
    // What was before Carol came is not hers to read, though it is there for the others.
    assert_eq!(refused(world.service.rooms().log(carol.caller(), room, 0, 9).await).code, Code::CursorLost);
    assert_eq!(world.service.rooms().log(carol.caller(), room, 1, 9).await.unwrap().entries.len(), 1);
    // Bob and Carol are no contacts, but in one room.
    assert_eq!(flows.claim_key_packages(bob.caller(), &carol.user, None).await.unwrap().packages.len(), 1);

    let item = weft_wire::rooms::PutItem { kind: "read".to_owned(), version: 1, sealed: sealed("1") };
    world.service.rooms().put_item(bob.caller(), room, item.clone()).await.unwrap();
    world.service.rooms().put_item(carol.caller(), room, item).await.unwrap();
    let removal = alice.prepare(&mut at_alice, &[], &[bob.id()]);
    flows.submit_commit(alice.caller(), room, alice.commit(room, &removal, 10)).await.unwrap();
    let items = world.store.scan(weft_store::tables::ROOM_ITEMS, weft_store::Scan::prefix([])).await.unwrap();
    assert_eq!(items.len(), 1, "what he kept there goes with him");
    assert_eq!(refused(world.service.rooms().log(bob.caller(), room, 1, 9).await).code, Code::NotFound);
    assert_eq!(world.service.rooms().list(bob.caller(), None).await.unwrap().rooms, []);
}

#[tokio::test]
async fn items_are_last_writer_wins_and_bounded() {
    let world = World::new().await;
    let (alice, bob, room, ..) = world.talking().await;
    let rooms = world.service.rooms();
    let item = |kind: &str, version, text: &str| weft_wire::rooms::PutItem {
        kind: kind.to_owned(),
        version,
        sealed: sealed(text),
    };
    let put = |item| rooms.put_item(alice.caller(), room, item);
    put(item("read", 2, "two")).await.unwrap();
    put(item("read", 1, "one")).await.unwrap();
    let state = &rooms.list(bob.caller(), None).await.unwrap().rooms[0];
    assert_eq!(state.items.len(), 1);
    assert_eq!((&state.items[0].user, &state.items[0].sealed), (&alice.user, &sealed("two")));
    let long = "x".repeat(33);
    for kind in ["", "Read", "a b", long.as_str()] {
        assert_eq!(refused(put(item(kind, 1, "x")).await).code, Code::InvalidField);
    }
    assert_eq!(refused(put(item("read", START_MS * 2, "x")).await).code, Code::InvalidField);
    assert_eq!(refused(put(item("read", 3, &"x".repeat(5_000))).await).code, Code::TooLarge);
    for n in b'a'..b'h' {
        put(item(&(n as char).to_string(), 1, "x")).await.unwrap();
    }
    assert_eq!(refused(put(item("z", 1, "x")).await).code, Code::TooMany);
}

#[tokio::test]
async fn a_log_is_trimmed_when_all_have_passed_or_after_the_retention() {
    let world = World::new().await;
    let (alice, bob, room, mut at_alice, _) = world.talking().await;
    let rooms = world.service.rooms();
    let mut first = None;
    for id in 0..10 {
        let message = alice.message(&mut at_alice, room, id, "x");
        rooms.submit_message(alice.caller(), room, message.clone()).await.unwrap();
        first.get_or_insert(message);
    }
    rooms.acknowledge(&alice.caller().device_ref(), &[(room, 11)]).await.unwrap();
    rooms.acknowledge(&bob.caller().device_ref(), &[(room, 6)]).await.unwrap();
    // Backwards, beyond the head, for a room that is not there: nothing happens.
    let odd = [(room, 3), (IDS[8], 5)];
    rooms.acknowledge(&bob.caller().device_ref(), &odd).await.unwrap();
    assert_eq!(Worker::Retention.run_once(&world.service).await.unwrap(), 6);
    assert_eq!(refused(rooms.log(bob.caller(), room, 5, 99).await).current, Some(7));
    let page = rooms.log(bob.caller(), room, 6, 99).await.unwrap();
    assert_eq!((page.entries.len(), page.head), (5, 11));

    world.clock.advance(world.config.retention_ms + 1);
    assert_eq!(Worker::Retention.run_once(&world.service).await.unwrap(), 5);
    assert_eq!(refused(rooms.log(bob.caller(), room, 10, 99).await).code, Code::CursorLost);
    assert_eq!(rooms.log(bob.caller(), room, 11, 99).await.unwrap().entries, []);
    let state = &rooms.list(bob.caller(), None).await.unwrap().rooms[0];
    assert_eq!((state.head, state.tail), (11, 12));
    assert_eq!(state.members.iter().map(|member| member.delivered).collect::<Vec<_>>(), [11, 6]);

    // The node comes from a backup: what is there is read, and then it is said that there is a gap, in which nothing was delivered.
    let message = alice.message(&mut at_alice, room, 20, "x");
    rooms.submit_message(alice.caller(), room, message).await.unwrap();
    let now = crate::Clock::now_ms(&*world.clock);
    crate::restored(&world.store, now).await.unwrap();
    let loaded = rooms.load(room).await.unwrap();
    let (entries, more) = rooms.entries(&loaded, 0, 11, 99).await.unwrap();
    assert_eq!((entries.len(), more), (1, true), "there is more, or a gap");
    let lost = rooms.entries(&loaded, 0, 12, 99).await;
    let tail = (now << 10) + 1;
    assert!(matches!(lost, Err(RoomError::CursorLost { tail: found }) if found == tail));
    let message = alice.message(&mut at_alice, room, 21, "x");
    assert_eq!(rooms.submit_message(alice.caller(), room, message).await.unwrap().seq, tail);
    assert_eq!(rooms.log(bob.caller(), room, 11, 99).await.unwrap().entries.len(), 1);
    assert_eq!(refused(rooms.log(bob.caller(), room, 12, 99).await).current, Some(tail));
    let device = bob.caller().device_ref();
    rooms.passed_over(&device, &loaded, 8, tail).await.unwrap();
    rooms.acknowledge(&device, &[(room, tail)]).await.unwrap();
    let delivered = rooms.delivered(&loaded).await.unwrap();
    let his = delivered.iter().find(|one| one.user == *bob.caller().user()).unwrap();
    assert_eq!((his.seq, his.missed.last()), (tail, Some(&(8, tail - 1))));
}

#[tokio::test]
async fn a_room_that_cannot_be_read_does_not_keep_the_others_from_being_trimmed() {
    let world = World::new().await;
    let (.., room, _, _) = world.talking().await;
    let broken = IDS[0];
    let put =
        weft_store::Batch::new().put(weft_store::tables::ROOMS, broken.as_bytes(), b"nonsense".to_vec());
    world.store.commit(put).await.unwrap();
    world.clock.advance(world.config.retention_ms + 1);
    assert!(Worker::Retention.run_once(&world.service).await.is_err(), "it is told");
    let log = weft_store::Scan::prefix(room.as_bytes());
    assert_eq!(world.store.scan(weft_store::tables::ROOM_LOG, log).await.unwrap(), []);
}

#[tokio::test]
async fn a_large_group_is_kept_in_parts_and_large_welcomes_arrive_whole() {
    let world = World::new().await;
    let alice = world.sign_up("alice").await;
    let (room, flows) = (IDS[3], world.service.flows());
    let (request, mut at_alice) = alice.create_request(RoomKind::Group, room);
    flows.create_room(alice.caller(), request).await.unwrap();
    let mut people = Vec::new();
    for n in 0..180 {
        let device = world.sign_up(&format!("person{n:03}")).await;
        world.connect(&alice, &device).await;
        people.push(device);
    }
    for (id, some) in people.chunks(60).enumerate() {
        let packages: Vec<_> = some.iter().map(|device| device.key_package(false)).collect();
        let prepared = alice.prepare(&mut at_alice, &packages, &[]);
        let submit = alice.commit(room, &prepared, id as u8);
        flows.submit_commit(alice.caller(), room, submit).await.unwrap();
        at_alice.merge_pending_commit(&alice.provider).unwrap();
    }
    let restarted = world.restarted().await;
    let state = &restarted.service.rooms().list(alice.caller(), None).await.unwrap().rooms[0];
    assert_eq!((state.members.len(), state.epoch), (181, 3));
    let last = people.last().unwrap();
    let mut socket = last.socket(&restarted.service, 0).await;
    let welcome = loop {
        let ServerFrame::Inbox { items } = next(&mut socket).await else { panic!("not an inbox") };
        let found = items.into_iter().find_map(|entry| match entry.item {
            InboxItem::Welcome { welcome, seq, .. } => Some((welcome, seq)),
            _ => None,
        });
        if let Some(found) = found {
            break found;
        }
    };
    assert_eq!(welcome.1, 3);
    assert!(welcome.0.len() > 64 << 10, "{}", welcome.0.len());
    let group = member::join(&last.provider, room, welcome.0.as_slice()).unwrap();
    assert_eq!(group.members().count(), 181);
    // Parts of former epochs are gone, and notes of what was written ahead are, too.
    let notes = restarted
        .store
        .scan(weft_store::tables::ROOM_PARTS_AHEAD, weft_store::Scan::prefix([]))
        .await
        .unwrap();
    assert_eq!(notes, []);
    let parts =
        restarted.store.scan(weft_store::tables::ROOM_PARTS, weft_store::Scan::prefix([])).await.unwrap();
    let ids: std::collections::BTreeSet<_> =
        parts.iter().filter(|row| row.key[32] != 4).map(|row| row.key[16..32].to_vec()).collect();
    assert_eq!(ids.len(), 1, "one epoch's parts");
}
