//! Nodes with which nobody has to do leave nothing behind for long.

use super::*;
use crate::testing::{Device, START_MS};
use weft_net::PeerHandler;
use weft_store::{Batch as StoreBatch, record::Record, tables};
use weft_wire::federation::{Batch, BatchAck};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn crowd(n: u64) -> NodeName {
    PeerKey(signing_key(1_000 + n).verifying_key().to_bytes()).name()
}

async fn names(node: &TestNode) -> Vec<NodeName> {
    node.federation.peers(None).await.unwrap().into_iter().map(|peer| peer.name).collect()
}

/// An empty batch of a node that nobody knows.
async fn calls(to: &TestNode, n: u64) -> Option<Code> {
    let batch = Batch { from: crowd(n), run: [1; 16], first: 1, events: vec![] };
    let key = PeerKey(signing_key(1_000 + n).verifying_key().to_bytes());
    let answer = to.federation.deliver(key, codec::encode(&batch)).await;
    codec::decode::<BatchAck>(&answer, 4096).unwrap().problem.map(|problem| problem.code)
}

#[tokio::test]
async fn a_node_that_came_once_is_forgotten_after_a_day_and_one_that_is_of_use_is_not() {
    let net = FakeNet::new(1);
    let node = TestNode::new(&net, 1);
    for n in 0..4 {
        assert_eq!(calls(&node, n).await, None);
    }
    // Somebody here has to do with somebody there; the operator has spoken; something was for it.
    let people = &node.federation.nodes.people;
    let them = Device::at(&crowd(0), "carol", 1);
    let (user, identity) = (&them.user, &them.identity());
    node.store.transact(|tx| async move { people.stage_pin(&tx, user, identity).await }).await.unwrap();
    node.federation.judge(&crowd(1), Verdict::Limit(50)).await.unwrap();
    let batch = node.federation.nodes.stage(StoreBatch::new(), &crowd(2), item(1)).await.unwrap();
    node.store.commit(batch).await.unwrap();

    assert_eq!(node.federation.sweep().await.unwrap(), 0);
    node.clock.advance(DAY_MS + 1);
    assert_eq!(node.federation.sweep().await.unwrap(), 1);
    let mut left: Vec<_> = (0..3).map(crowd).collect();
    left.sort();
    assert_eq!(names(&node).await, left);
    assert_eq!(node.store.get(tables::INBOX_PEERS, crowd(3).as_str().as_bytes()).await.unwrap(), None);
    // It may come again.
    assert_eq!(calls(&node, 3).await, None);
}

#[tokio::test]
async fn names_that_are_made_up_push_out_each_other() {
    let net = FakeNet::new(1);
    let node = TestNode::new(&net, 1);
    assert_eq!(calls(&node, 0).await, None);
    let row = node.store.get(tables::PEERS, crowd(0).as_str().as_bytes()).await.unwrap().unwrap();
    let met = PeerRecord::from_record(&row.value).unwrap();
    let used = PeerRecord { stranger: false, last_contact_ms: 0, ..met.clone() };
    node.store.commit(StoreBatch::new().put(tables::PEERS, "known.example", used.to_record())).await.unwrap();
    // As many as there may be.
    for page in 0..10_u64 {
        let mut batch = StoreBatch::new();
        for n in 0..1_000 {
            let record = PeerRecord { last_contact_ms: START_MS + 1 + page, ..met.clone() };
            batch = batch.put(tables::PEERS, format!("a{page}.n{n}.example"), record.to_record());
        }
        node.store.commit(batch.add(tables::COUNTS, "strangers", 1_000)).await.unwrap();
    }
    node.clock.advance(1_000);
    assert_eq!(calls(&node, 1).await, None);
    let count = node.federation.nodes.ctx.count(tables::COUNTS, "strangers").await.unwrap();
    assert!(count <= 9_001, "{count} strangers");
    let there = async |name: &str| node.store.get(tables::PEERS, name.as_bytes()).await.unwrap().is_some();
    assert!(there("known.example").await && there(crowd(1).as_str()).await && there("a9.n0.example").await);
    assert!(!there(crowd(0).as_str()).await, "the oldest goes first");
}

#[tokio::test]
async fn who_comes_and_what_others_look_for_holds_up_nobody_else() {
    let net = FakeNet::new(1);
    let name = TestNode::new(&net, 1).name;
    let node = TestNode::with(&net, 1, name, ServiceConfig::default());
    let mut come = 0;
    while calls(&node, come).await.is_none() {
        come += 1;
    }
    assert_eq!(come, 200);
    // Whoever has made up all those names shares a budget with the others of whom nobody here knows.
    assert!(node.federation.nodes.is_stranger(&crowd(0)).await.unwrap());
    let sought = async |who: &str, n: u64| {
        let hint = ["/ip4/9.9.9.9/tcp/2".to_owned()];
        node.federation.nodes.hint(&who.parse().unwrap(), &crowd(n), &hint).await.is_ok()
    };
    let mut found = 0;
    while sought("alice", 1_000 + found).await {
        found += 1;
    }
    assert_eq!(found, 60);
    assert!(sought("bob", 5_000).await, "another person has a budget of their own");
    assert!(sought("alice", 5_000).await, "and what is known is free");
}
