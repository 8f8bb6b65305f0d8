//! Who may speak under which name, and what hostile bytes come to.

use super::*;
use crate::Clock as _;
use weft_net::PeerHandler;
use weft_store::{Scan, tables};
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
    let there = there.restarted();
    assert_eq!(refused(&there, old.key, &batch(&dns, 1, 3, vec![event(7)])).await, Code::BadSignature);
    assert_eq!(find().await.unwrap().new_key, None, "the old key is no news either");
    assert_eq!(send(&there, new.key, &batch(&dns, 2, 2, vec![event(4)])).await.upto, 2);
    assert_eq!(there.taken().await, [1, 2, 3, 4]);
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
async fn a_node_over_its_budget_does_not_even_begin_another_run() {
    let net = FakeNet::new(1);
    let there = TestNode::with(&net, 2, TestNode::new(&net, 2).name, ServiceConfig::default());
    let here = TestNode::new(&net, 1);
    there.federation.judge(&here.name, Verdict::Limit(1)).await.unwrap();
    // At one per cent this is more than a burst.
    let many = (1..=60).map(event).collect();
    assert_eq!(send(&there, here.key, &batch(&here.name, 1, 1, many)).await.upto, 60);
    let rows = async |table| there.store.scan(table, Scan::prefix([])).await.unwrap();
    let before = (rows(tables::INBOX_PEERS).await, rows(tables::INBOX_RESULTS).await);
    let ack = send(&there, here.key, &batch(&here.name, 2, 1, vec![event(61)])).await;
    let problem = ack.problem.unwrap();
    assert_eq!((problem.code, problem.retry_after_ms.is_some()), (Code::RateLimited, true));
    assert_eq!((rows(tables::INBOX_PEERS).await, rows(tables::INBOX_RESULTS).await), before);
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

#[tokio::test]
async fn the_operator_is_told_whose_key_is_another_one_and_what_can_be_done() {
    let net = FakeNet::new(1);
    let there = TestNode::new(&net, 2);
    let dns = name("home.example");
    net.publish(&dns, 1);
    let old = TestNode::with(&net, 1, dns.clone(), config());
    old.say(&there, 1).await;
    old.finish(&there).await;
    // The node is set up anew under its old name. Who met it before does not take that for it, and it is told why.
    let new = TestNode::with(&net, 3, dns.clone(), config());
    new.say(&there, 2).await;
    new.round(&there).await.unwrap();
    let error = new.federation.peer(&there.name).await.unwrap().unwrap().last_error.unwrap();
    assert!(error.contains("another key"), "{error}");

    let nothing = there.federation.judge(&dns, Verdict::AcceptKey).await.unwrap_err();
    assert!(matches!(nothing, FederationError::NoNewKey { .. }), "{nothing:?}");
    // Nor does the operator change a key in passing: it is asked for, by name.
    let other = there.federation.add_peer(&dns, new.key, vec![]).await.unwrap_err();
    assert!(other.to_string().contains("weft peer accept-key home.example"), "{other}");
    let peer = async || there.federation.peer(&dns).await.unwrap().unwrap();
    assert_eq!((peer().await.key, peer().await.new_key), (old.key, Some(new.key)));
    there.federation.judge(&dns, Verdict::AcceptKey).await.unwrap();
    assert_eq!((peer().await.key, peer().await.new_key), (new.key, None));
    there.federation.add_peer(&dns, new.key, vec![]).await.unwrap();
    assert!(peer().await.trusted);

    there.federation.judge(&dns, Verdict::Block).await.unwrap();
    let out = there.federation.add_peer(&dns, old.key, vec![]).await.unwrap_err();
    assert!(out.to_string().contains("weft peer reset home.example"), "{out}");
}

#[tokio::test]
async fn a_node_is_no_other_node_to_itself() {
    let (_net, here, there) = pair(1);
    for verdict in [Verdict::Trust, Verdict::Block, Verdict::Limit(50)] {
        let refused = here.federation.judge(&here.name, verdict).await.unwrap_err();
        assert!(matches!(refused, FederationError::Itself { .. }), "{refused:?}");
    }
    let refused = here.federation.add_peer(&here.name, there.key, vec![]).await.unwrap_err();
    assert!(matches!(refused, FederationError::Itself { .. }), "{refused:?}");
    assert!(here.federation.peers(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_is_one_nodes() {
    let (_net, here, there) = pair(1);
    let name = |text: &str| text.parse::<NodeName>().unwrap();
    here.federation.add_peer(&name("one.example"), there.key, vec![]).await.unwrap();
    let refused = here.federation.add_peer(&name("other.example"), there.key, vec![]).await.unwrap_err();
    assert!(
        matches!(&refused, FederationError::SameKey { other } if other.as_str() == "one.example"),
        "{refused:?}"
    );
    // Again, with more addresses, it is still the one.
    here.federation.add_peer(&name("one.example"), there.key, vec![]).await.unwrap();
    assert_eq!(here.federation.peers(None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_was_never_heard_is_shown_as_that() {
    let (net, here, there) = pair(1);
    here.federation.add_peer(&there.name, there.key, vec![]).await.unwrap();
    let heard = async || here.federation.peer(&there.name).await.unwrap().unwrap().last_contact_ms;
    assert_eq!(heard().await, 0);
    net.state.lock().away.insert(there.key);
    here.federation.nodes.ask(&there.name, &question(&here)).await.unwrap_err();
    assert_eq!(heard().await, 0);
    net.back(there.key);
    here.federation.nodes.ask(&there.name, &question(&here)).await.unwrap();
    assert_eq!(heard().await, here.clock.now_ms(), "an answer is something that was heard");
    here.clock.advance(10 * 60 * 1000);
    here.federation.nodes.ask(&there.name, &question(&here)).await.unwrap();
    assert_eq!(heard().await, here.clock.now_ms(), "also within the hour in which nothing is written");
}
