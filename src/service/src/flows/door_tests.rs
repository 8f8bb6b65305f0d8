//! Asking to be let into a group, here and across nodes.

use super::{FlowError, federated_tests::key, trio::*};
use crate::{ServiceConfig, rooms::records::AskedRecord, testing::*};
use weft_net::PeerHandler;
use weft_store::{record::Record, tables};
use weft_wire::{
    Blob, Code, Problem, codec,
    federation::{Answer, Batch, BatchAck, Event, EventResult, Question},
    node::SignupPolicy,
    rooms::*,
    sync::{ClientFrame, ServerFrame},
};

#[tokio::test]
async fn by_a_link_of_a_follower_somebody_who_knows_nobody_is_let_in() {
    let mut trio = Trio::new().await;
    let flows = trio.worlds[CAROL].service.flows();
    // She is no contact of anybody there.
    flows.remove_contact(trio.people[CAROL].caller(), &trio.people[BOB].user).await.unwrap();
    trio.carry().await;
    assert_eq!(problem(trio.knock(CAROL).await), Code::InviteInvalid);
    trio.link(BOB, true).await;
    assert_eq!(trio.claim(BOB, CAROL).await.unwrap_err().code, Code::NoConsent);
    let mut socket = trio.people[BOB].socket(&trio.worlds[BOB].service, 0).await;
    socket.on_frame(ClientFrame::Follow { rooms: vec![(ROOM, 1)] }).await.unwrap();

    assert_eq!(trio.knock(CAROL).await.unwrap(), JoinAnswer::Asked);
    assert_eq!(trio.knock(CAROL).await.unwrap(), JoinAnswer::Asked);
    trio.carry().await;
    for who in [ALICE, BOB] {
        assert_eq!(trio.asking(who).await, [trio.people[CAROL].user.clone()]);
        assert_eq!(trio.state(who).await.unwrap().asking, 1);
    }
    loop {
        if let ServerFrame::Room { state } = next(&mut socket).await
            && state.asking == 1
        {
            break;
        }
    }
    // The link ends. Whoever presses it once more loses nothing by that: what she has asked stands.
    trio.worlds[BOB].service.flows().end_group_links(trio.people[BOB].caller(), ROOM).await.unwrap();
    assert_eq!(problem(trio.knock(CAROL).await), Code::InviteInvalid);
    // Not for another room, and not by one who does not decide there.
    assert_eq!(trio.claim_for(BOB, CAROL, None).await.unwrap_err().code, Code::NoConsent);
    assert_eq!(trio.claim_for(BOB, CAROL, Some(IDS[9])).await.unwrap_err().code, Code::NoConsent);
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.carry().await;
    trio.enter(CAROL).await;
    trio.says(CAROL, "thank you").await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
    assert_eq!((trio.asking(BOB).await, trio.state(BOB).await.unwrap().asking), (vec![], 0));
    assert_eq!(trio.knock(CAROL).await.unwrap(), JoinAnswer::Member);

    // Her consent ends when she goes.
    let leaving = trio.worlds[CAROL].service.flows().leave_room(trio.people[CAROL].caller(), ROOM);
    leaving.await.unwrap();
    trio.carry().await;
    assert_eq!(trio.claim(BOB, CAROL).await.unwrap_err().code, Code::NoConsent);
}

#[tokio::test]
async fn a_door_is_shut_to_those_who_do_not_decide_and_to_old_links() {
    let mut trio = Trio::of_three().await;
    let (home, flows) = (&trio.worlds[ALICE], trio.worlds[ALICE].service.flows());
    let dave = home.sign_up("dave").await;
    let link = |token: u8, only| CreateGroupLink {
        token_hash: *blake3::hash(&[token]).as_bytes(),
        approval: false,
        lifetime_ms: 30 * DAY_MS,
        only,
    };
    let carol = trio.people[CAROL].caller();
    let far = trio.worlds[CAROL].service.flows();
    assert_eq!(problem(far.create_group_link(carol, ROOM, link(1, false)).await), Code::Forbidden);
    assert_eq!(problem(far.join_requests(carol, ROOM).await), Code::Forbidden);
    assert_eq!(problem(flows.create_group_link(dave.caller(), ROOM, link(1, false)).await), Code::NotFound);
    // Nor by a node that asks in her name without asking her.
    let by = carol.user().clone();
    let question = Question::Door { room: ROOM, by, act: weft_wire::federation::DoorAct::Requests };
    let answer = home.service.federation().query(key(&trio.worlds[CAROL]), codec::encode(&question)).await;
    let Answer::Problem(refused) = codec::decode(&answer, 4096).unwrap() else { panic!("it was told") };
    assert_eq!(refused.code, Code::Forbidden);

    let alice = trio.people[ALICE].caller();
    let long = CreateGroupLink { lifetime_ms: 31 * DAY_MS, ..link(1, false) };
    assert_eq!(problem(flows.create_group_link(alice, ROOM, long).await), Code::InvalidField);
    let none = CreateGroupLink { lifetime_ms: 0, ..link(1, false) };
    let none = Problem::from(flows.create_group_link(alice, ROOM, none).await.unwrap_err());
    assert_eq!((none.code, none.field.as_deref()), (Code::InvalidField, Some("lifetime_ms")));
    assert!(none.detail.unwrap().contains("from 1 ms"));
    for token in 0..16 {
        flows.create_group_link(alice, ROOM, link(token, false)).await.unwrap();
    }
    flows.create_group_link(alice, ROOM, link(15, false)).await.unwrap();
    assert_eq!(problem(flows.create_group_link(alice, ROOM, link(16, false)).await), Code::TooMany);
    flows.create_group_link(alice, ROOM, link(16, true)).await.unwrap();
    let knock = async |token: u8| {
        let ask = AskToJoin { token: Blob(vec![token]), ..trio.ask() };
        flows.join_room(dave.caller(), ROOM, ask).await
    };
    assert_eq!(problem(knock(1).await), Code::InviteInvalid, "it ended with the new one");
    assert_eq!(knock(16).await.unwrap(), JoinAnswer::Asked);
    assert_eq!(trio.asking(ALICE).await, std::slice::from_ref(&dave.user));
    assert_eq!(trio.state(CAROL).await.unwrap().asking, 0);
    trio.carry().await;
    assert_eq!((trio.state(BOB).await.unwrap().asking, trio.state(CAROL).await.unwrap().asking), (1, 0));
    flows.decline_join(alice, ROOM, dave.user.clone()).await.unwrap();
    flows.decline_join(alice, ROOM, dave.user.clone()).await.unwrap();
    assert_eq!((trio.asking(ALICE).await, trio.state(ALICE).await.unwrap().asking), (vec![], 0));

    flows.end_group_links(alice, ROOM).await.unwrap();
    assert_eq!(problem(knock(16).await), Code::InviteInvalid);
    home.clock.advance(1);
    flows
        .create_group_link(alice, ROOM, CreateGroupLink { lifetime_ms: 5, ..link(17, false) })
        .await
        .unwrap();
    home.clock.advance(5);
    assert_eq!(problem(knock(17).await), Code::InviteInvalid, "it is over");

    // Bob's link is good for as long as he decides.
    trio.link(BOB, true).await;
    assert_eq!(knock_with(&trio, &dave).await.unwrap(), JoinAnswer::Asked);
    let mut roles = trio.roles.clone();
    roles.set(&trio.people[BOB].user.clone(), RoomRole::Member);
    trio.commit(ALICE, &[], &[], Some(&roles)).await.unwrap();
    assert_eq!(problem(knock_with(&trio, &dave).await), Code::InviteInvalid);
}

async fn knock_with(trio: &Trio, who: &Device) -> Result<JoinAnswer, FlowError> {
    trio.worlds[ALICE].service.flows().join_room(who.caller(), ROOM, trio.ask()).await
}

#[tokio::test]
async fn who_is_blocked_learns_nothing_and_who_waits_for_too_long_is_forgotten() {
    let trio = Trio::of_three().await;
    let home = &trio.worlds[ALICE];
    let (dave, erin) = (home.sign_up("dave").await, home.sign_up("erin").await);
    let alice = trio.people[ALICE].caller();
    home.service.flows().block_contact(alice, &dave.user).await.unwrap();
    trio.link(ALICE, false).await;
    assert_eq!(knock_with(&trio, &dave).await.unwrap(), JoinAnswer::Asked);
    assert_eq!(trio.asking(ALICE).await, []);
    assert_eq!(knock_with(&trio, &erin).await.unwrap(), JoinAnswer::Asked);
    assert_eq!(trio.asking(ALICE).await, std::slice::from_ref(&erin.user));
    for _ in 0..60 {
        home.clock.advance(DAY_MS / 2);
        home.service.rooms().sweep().await.unwrap();
    }
    assert_eq!((trio.asking(ALICE).await, trio.state(ALICE).await.unwrap().asking), (vec![], 0));
    for table in [tables::ROOM_ASKING, tables::ROOMS_ASKED] {
        assert_eq!(home.store.scan(table, weft_store::Scan::prefix([])).await.unwrap(), []);
    }
}

#[tokio::test]
async fn no_more_than_a_hundred_wait_at_one_door() {
    let trio = Trio::new().await;
    trio.link(ALICE, true).await;
    let home = &trio.worlds[ALICE];
    let federation = home.service.federation();
    let mut answers = Vec::new();
    for number in 0..=weft_wire::limits::JOIN_REQUESTS_MAX {
        let who = Device::at(&trio.worlds[CAROL].name, &format!("user{number}"), 1);
        let token = Blob(TOKEN.to_vec());
        let (user, identity) = (who.user.clone(), who.identity());
        let question = Question::Join { room: ROOM, user, identity, token, proof: [0; 32] };
        let answer = federation.query(key(&trio.worlds[CAROL]), codec::encode(&question)).await;
        answers.push(codec::decode::<Answer>(&answer, 4096).unwrap());
    }
    let last = answers.pop().unwrap();
    assert!(answers.iter().all(|answer| *answer == Answer::Join(JoinAnswer::Asked)));
    assert!(matches!(last, Answer::Problem(refused) if refused.code == Code::TooMany));
    assert_eq!(trio.asking(ALICE).await.len(), 100);
    // Somebody else's identity under her name.
    let (user, identity) = (trio.people[CAROL].user.clone(), trio.people[BOB].identity());
    let question = Question::Join { room: ROOM, user, identity, token: Blob(TOKEN.to_vec()), proof: [0; 32] };
    let answer = federation.query(key(&trio.worlds[CAROL]), codec::encode(&question)).await;
    assert!(matches!(codec::decode(&answer, 4096).unwrap(), Answer::Problem(_)));
}

#[tokio::test]
async fn consent_is_for_the_hub_that_was_asked() {
    let trio = Trio::new().await;
    let (far, carol) = (&trio.worlds[CAROL], &trio.people[CAROL]);
    let forged = AskedRecord { hub: "elsewhere.example".parse().unwrap(), until_ms: START_MS + DAY_MS };
    let asked = async |record: &AskedRecord| {
        let key = [carol.name().as_str().as_bytes(), &[0], ROOM.as_bytes()].concat();
        far.store
            .commit(weft_store::Batch::new().put(tables::ROOMS_ASKED, key, record.to_record()))
            .await
            .unwrap();
    };
    asked(&forged).await;
    let mut state = trio.state(ALICE).await.unwrap();
    state.members.retain(|member| member.user == trio.people[ALICE].user);
    let user = carol.user.clone();
    state.members.push(RoomMember { user, role: RoomRole::Member, delivered: 0, missed: vec![] });
    let mut number = 0;
    let mut say = async || {
        number += 1;
        let event = Event::Room { room: ROOM, state: Some(state.clone()), devices: vec![], entries: vec![] };
        let from = trio.worlds[ALICE].name.clone();
        let batch = Batch { from, run: [9; 16], first: number, events: vec![event] };
        let answer = far.service.federation().deliver(key(&trio.worlds[ALICE]), codec::encode(&batch)).await;
        codec::decode::<BatchAck>(&answer, 4096).unwrap().results.remove(0).1
    };
    assert!(matches!(say().await, EventResult::Refused(refused) if refused.code == Code::NoConsent));
    asked(&AskedRecord { hub: trio.worlds[ALICE].name.clone(), ..forged }).await;
    assert!(matches!(say().await, EventResult::Accepted(_)));
}

#[tokio::test]
async fn tokens_are_not_tried_out_by_people_of_here_nor_of_elsewhere() {
    let config = ServiceConfig { signup: SignupPolicy::Open, ..ServiceConfig::default() };
    let world = World::with(config).await;
    let (alice, dave) = (world.sign_up("alice").await, world.sign_up("dave").await);
    let (request, _) = alice.create_request(RoomKind::Group, ROOM);
    let flows = world.service.flows();
    flows.create_room(alice.caller(), request).await.unwrap();
    let ask = || AskToJoin { hub: world.name.clone(), at: vec![], token: Blob(vec![1; 16]), proof: [0; 32] };
    for _ in 0..30 {
        assert_eq!(problem(flows.join_room(dave.caller(), ROOM, ask()).await), Code::InviteInvalid);
    }
    assert_eq!(problem(flows.join_room(dave.caller(), ROOM, ask()).await), Code::RateLimited);
    // And a node, with however many people.
    let mut last = Code::Unknown;
    for number in 0..=300 {
        let who = Device::at(&"away.example".parse().unwrap(), &format!("user{number}"), 1);
        let (user, identity, token) = (&who.user, &who.identity(), &Blob(vec![1; 16]));
        last = problem(flows.answer_join(&user.node, ROOM, user, identity, (token, [0; 32])).await);
    }
    assert_eq!(last, Code::RateLimited);
}

#[tokio::test]
async fn the_proof_of_who_asks_comes_to_those_who_decide_as_it_was_given() {
    let trio = Trio::new().await;
    trio.link(BOB, true).await;
    let ask = AskToJoin { proof: [9; 32], ..trio.ask() };
    let flows = trio.worlds[CAROL].service.flows();
    assert_eq!(flows.join_room(trio.people[CAROL].caller(), ROOM, ask).await.unwrap(), JoinAnswer::Asked);
    // At the hub, and at the node of an admin who is elsewhere.
    for who in [ALICE, BOB] {
        let flows = trio.worlds[who].service.flows();
        let requests = flows.join_requests(trio.people[who].caller(), ROOM).await.unwrap().requests;
        let seen: Vec<_> = requests.iter().map(|request| (&request.user, request.proof)).collect();
        assert_eq!(seen, [(&trio.people[CAROL].user, [9; 32])], "at {who}");
    }
}
