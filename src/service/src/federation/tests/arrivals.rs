//! Who may speak under which name, and what hostile bytes come to.

use super::*;
use weft_net::PeerHandler;
use weft_wire::{
    Code,
    federation::{Batch as EventBatch, BatchAck, Event},
};

fn name(text: &str) -> NodeName {
    text.parse().unwrap()
}

fn event(seq: u64) -> Event {
    let Outgoing::Event(event) = item(seq) else { panic!("no event") };
    *event
}

fn batch(from: &NodeName, run: u8, first: u64, events: Vec<Event>) -> EventBatch {
    EventBatch { from: from.clone(), run: [run; 16], first, events }
}

async fn send(to: &TestNode, from: PeerKey, batch: &EventBatch) -> BatchAck {
    let answer = to.federation.deliver(from, codec::encode(batch)).await;
    codec::decode(&answer, 1 << 20).unwrap()
}

async fn refused(to: &TestNode, from: PeerKey, batch: &EventBatch) -> Code {
    let before = to.taken().await;
    let ack = send(to, from, batch).await;
    assert_eq!((ack.upto, to.taken().await), (0, before));
    ack.problem.unwrap().code
}

#[tokio::test]
async fn nobody_speaks_under_a_name_that_is_not_theirs() {
    let net = FakeNet::new(1);
    let there = TestNode::new(&net, 2);
    let (honest, stranger) = (TestNode::new(&net, 1), TestNode::new(&net, 3));
    // A peer id is its key; nothing is looked up.
    let forged = batch(&honest.name, 1, 1, vec![event(1)]);
    assert_eq!(refused(&there, stranger.key, &forged).await, Code::BadSignature);
    // Nor under our own.
    assert_eq!(refused(&there, stranger.key, &batch(&there.name, 1, 1, vec![])).await, Code::BadSignature);
    // A DNS name is whoever its own record says, also when nobody was met under it before.
    let dns = name("home.example");
    assert_eq!(
        refused(&there, stranger.key, &batch(&dns, 1, 1, vec![event(1)])).await,
        Code::NodeUnreachable
    );
    net.publish(&dns, 1);
    assert_eq!(refused(&there, stranger.key, &batch(&dns, 1, 1, vec![event(1)])).await, Code::BadSignature);
    assert_eq!(send(&there, honest.key, &batch(&dns, 1, 1, vec![event(1)])).await.upto, 1);
    // A record that somebody signed for another name does not help.
    let other = name("other.example");
    let record = net.state.lock().records[&dns].clone();
    net.state.lock().records.insert(other.clone(), record);
    assert_eq!(refused(&there, honest.key, &batch(&other, 1, 1, vec![event(1)])).await, Code::BadCertificate);
    assert_eq!(there.taken().await, [1]);
}

#[tokio::test]
async fn a_new_key_waits_for_the_operator_and_a_strangers_key_cuts_nobody_off() {
    let net = FakeNet::new(1);
    let there = TestNode::new(&net, 2);
    let (old, new, stranger) = (TestNode::new(&net, 1), TestNode::new(&net, 3), TestNode::new(&net, 4));
    let dns = name("home.example");
    net.publish(&dns, 1);
    assert_eq!(send(&there, old.key, &batch(&dns, 1, 1, vec![event(1)])).await.upto, 1);

    assert_eq!(refused(&there, stranger.key, &batch(&dns, 9, 1, vec![event(9)])).await, Code::BadSignature);
    let find =
        || async { there.federation.peers(None).await.unwrap().into_iter().find(|peer| peer.name == dns) };
    assert_eq!(find().await.unwrap().new_key, None, "a key that the name itself does not know is no news");

    net.publish(&dns, 3);
    assert_eq!(refused(&there, new.key, &batch(&dns, 2, 1, vec![event(8)])).await, Code::BadSignature);
    assert_eq!(find().await.unwrap().new_key, Some(new.key));
    assert_eq!(
        send(&there, old.key, &batch(&dns, 1, 2, vec![event(2)])).await.upto,
        2,
        "the pinned one counts"
    );

    there.federation.judge(&dns, Verdict::AcceptKey).await.unwrap();
    assert_eq!(send(&there, new.key, &batch(&dns, 2, 1, vec![event(3)])).await.upto, 1);
    assert_eq!(refused(&there, old.key, &batch(&dns, 1, 3, vec![event(7)])).await, Code::BadSignature);
    assert_eq!(there.taken().await, [1, 2, 3]);
}

#[tokio::test]
async fn gaps_and_runs_that_are_over_are_told_apart_from_news() {
    let (_net, here, there) = pair(1);
    let send = async |run, first, seqs: &[u64]| {
        let events = seqs.iter().map(|seq| event(*seq)).collect();
        let ack = send(&there, here.key, &batch(&here.name, run, first, events)).await;
        (ack.upto, ack.problem.map(|problem| (problem.code, problem.current)))
    };
    assert_eq!(send(1, 2, &[1]).await, (0, Some((Code::CursorLost, Some(0)))), "a run begins with 1");
    assert_eq!(send(1, 1, &[1, 2]).await, (2, None));
    assert_eq!(send(1, 4, &[4]).await, (2, Some((Code::CursorLost, Some(2)))), "3 is missing");
    assert_eq!(send(1, 2, &[2, 3]).await, (3, None), "what is known is left out");
    assert_eq!(send(2, 1, &[4]).await, (1, None), "another run begins");
    assert_eq!(send(1, 1, &[1, 2]).await.1, Some((Code::CursorLost, Some(1))), "the first one is over");
    assert_eq!(there.taken().await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn hostile_batches_cost_an_answer() {
    let (_net, here, there) = pair(1);
    for bytes in [vec![], vec![0xff; 100], vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]] {
        let answer = there.federation.deliver(here.key, bytes.clone()).await;
        let ack: BatchAck = codec::decode(&answer, 4096).unwrap();
        assert_eq!(ack.problem.unwrap().code, Code::Malformed);
        let answer = there.federation.query(here.key, bytes).await;
        let Answer::Problem(problem) = codec::decode(&answer, 4096).unwrap() else { panic!("an answer") };
        assert_eq!(problem.code, Code::Malformed);
    }
    let many = vec![event(1); weft_wire::limits::EVENTS_PER_BATCH_MAX + 1];
    assert_eq!(refused(&there, here.key, &batch(&here.name, 1, 1, many)).await, Code::TooMany);
    for first in [0, u64::MAX, u64::MAX - 10] {
        let hostile = batch(&here.name, 1, first, vec![event(1)]);
        assert_eq!(refused(&there, here.key, &hostile).await, Code::Malformed);
    }
    let ack = send(&there, here.key, &batch(&here.name, 1, 1, vec![])).await;
    assert_eq!((ack.upto, ack.problem), (0, None), "nothing is something, too");
}

#[tokio::test]
async fn a_question_is_answered_to_the_node_that_asks_it() {
    let (net, here, there) = pair(1);
    let passed = here.federation.nodes.ask(&there.name, &question(&here)).await.unwrap();
    assert_eq!(passed, Answer::Passed);
    // In the name of somebody of another node.
    let error = here.federation.nodes.ask(&there.name, &question(&there)).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::BadSignature);
    net.state.lock().away.insert(there.key);
    let error = here.federation.nodes.ask(&there.name, &question(&here)).await.unwrap_err();
    let problem = Problem::from(error);
    assert_eq!((problem.code, problem.detail), (Code::NodeUnreachable, Some(there.name.to_string())));
}
