//! What one node says no to, and what the other makes of it: what is refused holds up nothing else, what was paid for costs nothing
//! again, and nobody is told of limits that are not theirs.

use super::{
    federated_rooms_tests::{ROOM, Talk},
    federated_tests::{Two, key, unlimited},
};
use crate::ServiceConfig;
use weft_net::PeerHandler;
use weft_wire::{
    Blob, Code, codec,
    federation::{Batch, BatchAck, Event, EventResult},
    rooms::{EntryKind, SubmitCommit},
};

/// Bob's node says this to the hub, under numbers of its own making.
async fn deliver(talk: &Talk, first: u64, events: Vec<Event>) -> BatchAck {
    let batch = Batch { from: talk.two.away.name.clone(), run: [7; 16], first, events };
    let federation = talk.two.home.service.federation();
    let answer = federation.deliver(key(&talk.two.away), codec::encode(&batch)).await;
    codec::decode(&answer, 1 << 16).unwrap()
}

/// A message of bob's, as his node hands it on.
fn message(talk: &mut Talk, id: u8, text: &str) -> Event {
    let submit = talk.two.bob.message(&mut talk.at_bob, ROOM, id, text);
    Event::Message { cert: talk.two.bob.cert.clone(), envelope: submit.envelope }
}

#[tokio::test]
async fn the_hub_refuses_one_message_and_takes_those_around_it() {
    let mut talk = Talk::of(Two::connected().await).await;
    // The second calls itself as the first, which is something else.
    let events =
        vec![message(&mut talk, 1, "one"), message(&mut talk, 1, "two"), message(&mut talk, 2, "three")];
    let wanted: Vec<_> = [&events[0], &events[2]].map(envelope_of).to_vec();
    let ack = deliver(&talk, 1, events).await;
    assert_eq!((ack.upto, ack.problem), (3, None));
    let results = ack.results.into_iter().map(|(number, result)| match result {
        EventResult::Accepted(accepted) => (number, Ok(accepted.seq)),
        EventResult::Refused(problem) => (number, Err(problem.code)),
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results, [(1, Ok(2)), (2, Err(Code::IdConflict)), (3, Ok(3))]);
    let log = talk.log(&talk.two.home, &talk.two.alice).await;
    let said = log.iter().filter(|entry| entry.envelope.peek().unwrap().kind == EntryKind::Message);
    assert_eq!(said.map(|entry| entry.envelope.clone()).collect::<Vec<_>>(), wanted);
}

fn envelope_of(event: &Event) -> weft_wire::Signed<weft_wire::rooms::Envelope> {
    let Event::Message { envelope, .. } = event else { panic!("no message") };
    envelope.clone()
}

#[tokio::test]
async fn a_message_that_comes_again_is_known_before_it_costs_anything() {
    let narrow = ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() };
    let mut talk = Talk::of(Two::connected_with(narrow, unlimited()).await).await;
    let text = "x".repeat(20_000);
    let first = message(&mut talk, 1, &text);
    let taken = |ack: BatchAck| match ack.results.first() {
        Some((_, EventResult::Accepted(accepted))) => Ok(accepted.seq),
        Some((_, EventResult::Refused(problem))) => Err(problem.code),
        None => panic!("no result: {:?}", ack.problem),
    };
    assert_eq!(taken(deliver(&talk, 1, vec![first.clone()]).await), Ok(2));
    // What bob may write in a day is far less than all of these together.
    for number in 2..=80 {
        assert_eq!(taken(deliver(&talk, number, vec![first.clone()]).await), Ok(2), "time {number}");
    }
    let mut fresh = 0;
    let refused = loop {
        let another = message(&mut talk, 2 + fresh, &text);
        match taken(deliver(&talk, 81 + u64::from(fresh), vec![another]).await) {
            Ok(_) => fresh += 1,
            Err(code) => break code,
        }
    };
    assert_eq!(refused, Code::RateLimited);
    assert!((1..80).contains(&fresh), "{fresh} messages in a MiB");
}

#[tokio::test]
async fn somebody_who_has_written_too_much_holds_up_nobody_else() {
    let narrow = ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() };
    let mut talk = Talk::of(Two::connected_with(narrow, unlimited()).await).await;
    let mut events: Vec<_> = (1..=80).map(|id| message(&mut talk, id, &"x".repeat(20_000))).collect();
    let user = talk.two.bob.user.clone();
    events.push(Event::Delivered { room: ROOM, user: user.clone(), seq: 1, missed: vec![] });
    let ack = deliver(&talk, 1, events).await;
    assert_eq!((ack.upto, ack.problem), (81, None));
    let is_refused = |result: &EventResult| match result {
        EventResult::Accepted(_) => false,
        EventResult::Refused(problem) => {
            assert_eq!(problem.code, Code::RateLimited);
            assert!(problem.retry_after_ms.is_some(), "{problem:?}");
            true
        }
    };
    let refused = ack.results.iter().filter(|(_, result)| is_refused(result)).count();
    assert!((1..80).contains(&refused), "{refused} refused");
    let state =
        talk.two.home.service.rooms().list(talk.two.alice.caller(), None).await.unwrap().rooms.remove(0);
    assert_eq!(state.members.iter().find(|member| member.user == user).unwrap().delivered, 1);
}

#[tokio::test]
async fn what_people_elsewhere_have_said_in_a_long_time_is_taken_at_once() {
    let limited = ServiceConfig { rate_limit_factor: 1.0, ..unlimited() };
    let mut talk = Talk::of(Two::connected_with(limited, unlimited()).await).await;
    // More than anybody here may say at once.
    let events: Vec<_> = (0..=u8::MAX).map(|id| message(&mut talk, id, "one more")).collect();
    let ack = deliver(&talk, 1, events).await;
    assert_eq!((ack.upto, ack.problem), (256, None));
    assert!(ack.results.iter().all(|(_, result)| matches!(result, EventResult::Accepted(_))));
}

#[tokio::test]
async fn commits_to_the_hub_count_at_home_as_what_somebody_writes() {
    let narrow = ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() };
    let mut talk = Talk::of(Two::connected_with(unlimited(), narrow).await).await;
    let prepared = talk.two.bob.prepare(&mut talk.at_bob, &[], &[]);
    let submit =
        SubmitCommit { group_info: Blob(vec![7; 200_000]), ..talk.two.bob.commit(ROOM, &prepared, 9) };
    let flows = talk.two.away.service.flows();
    let mut codes = Vec::new();
    for _ in 0..6 {
        let refused = flows.submit_commit(talk.two.bob.caller(), ROOM, submit.clone()).await.unwrap_err();
        codes.push(weft_wire::Problem::from(refused).code);
    }
    assert_ne!(codes[0], Code::RateLimited, "the hub has no limits, and does not like it");
    assert_eq!(codes[5], Code::RateLimited);
}

#[tokio::test]
async fn what_another_node_gives_no_more_of_for_now_is_not_told_as_a_limit_of_ones_own() {
    let narrow = ServiceConfig { rate_limit_factor: 1.0, ..unlimited() };
    let two = Two::connected_with(unlimited(), narrow).await;
    two.bob.publish(&two.away.service, 3).await;
    let flows = two.home.service.flows();
    let mut taken = 0;
    let refused = loop {
        match flows.claim_key_packages(two.alice.caller(), &two.bob.user, None).await {
            Ok(_) => taken += 1,
            Err(error) => break weft_wire::Problem::from(error),
        }
        assert!(taken < 1_000, "there is no end to it");
    };
    assert!(taken > 0);
    assert_eq!((refused.code, refused.detail), (Code::NodeUnreachable, Some(two.away.name.to_string())));
}
