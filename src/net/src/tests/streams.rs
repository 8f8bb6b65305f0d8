//! What honest nodes do.

use super::support::*;
use crate::{Budgets, LinkError, Net, NetConfig, PeerHandler, PeerKey, PeerLink, call::LANES};
use futures::{
    StreamExt,
    future::{BoxFuture, join_all},
};
use libp2p::swarm::{SwarmEvent, dummy};
use std::sync::Arc;
use weft_wire::limits::{PEER_BATCH_BYTES_MAX, PEER_QUERY_BYTES_MAX};

async fn deliver_and_ask(listen: &str) {
    let (alice, bob) = (node(1, quiet(&[listen])).await, node(2, quiet(&[listen])).await);
    tell(&alice, &bob);
    assert_eq!(alice.deliver(bob.key(), b"one batch".to_vec()).await.unwrap(), b"9");
    assert_eq!(alice.query(bob.key(), b"abc".to_vec()).await.unwrap(), b"cba");
    assert_eq!(alice.query(bob.key(), Vec::new()).await.unwrap(), b"");
    // The way back is the same connection: bob was told nothing.
    assert_eq!(bob.query(alice.key(), b"who am I".to_vec()).await.unwrap(), bob.key().to_string().as_bytes());
    let largest = vec![7; PEER_BATCH_BYTES_MAX];
    assert_eq!(alice.deliver(bob.key(), largest).await.unwrap(), PEER_BATCH_BYTES_MAX.to_string().as_bytes());
    let question: Vec<u8> = (0..PEER_QUERY_BYTES_MAX).map(|n| n as u8).collect();
    let mut answer = alice.query(bob.key(), question.clone()).await.unwrap();
    answer.reverse();
    assert!(answer == question);
    alice.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test]
async fn two_nodes_over_tcp() {
    deliver_and_ask(TCP).await;
}

#[tokio::test]
async fn two_nodes_over_quic() {
    deliver_and_ask(QUIC).await;
}

#[tokio::test]
async fn many_calls_at_once_all_get_their_answer() {
    let (alice, bob) = (node(1, quiet(&[QUIC])).await, node(2, quiet(&[QUIC])).await);
    tell(&alice, &bob);
    tell(&bob, &alice);
    let ask = |n: usize| {
        let (from, to) = if n.is_multiple_of(2) { (&alice, bob.key()) } else { (&bob, alice.key()) };
        async move { from.query(to, n.to_string().into_bytes()).await }
    };
    for (n, answer) in join_all((0..300).map(ask)).await.into_iter().enumerate() {
        let told: String = n.to_string().chars().rev().collect();
        assert_eq!(answer.unwrap(), told.as_bytes());
    }
}

#[tokio::test]
async fn what_is_too_large_is_said_to_be() {
    let (alice, bob) = (node(1, quiet(&[TCP])).await, node(2, quiet(&[TCP])).await);
    tell(&alice, &bob);
    let batch = vec![0; PEER_BATCH_BYTES_MAX + 1];
    assert_eq!(alice.deliver(bob.key(), batch).await, Err(LinkError::TooLarge));
    assert_eq!(alice.query(bob.key(), b"too much".to_vec()).await, Err(LinkError::TooLarge));
    assert!(alice.query(bob.key(), b"ab".to_vec()).await.is_ok());
}

#[tokio::test]
async fn another_key_than_the_expected_one_is_not_talked_to() {
    let (alice, bob) = (node(1, quiet(&[TCP, QUIC])).await, node(2, quiet(&[TCP, QUIC])).await);
    let expected = public(9);
    alice.learn(expected, bob.listen_addresses());
    assert_eq!(alice.deliver(expected, b"for nine alone".to_vec()).await, Err(LinkError::Unreachable));
    assert!(!alice.is_connected(expected));
    // Not even a point of the curve.
    let nobody = PeerKey([0xff; 32]);
    alice.learn(nobody, bob.listen_addresses());
    assert_eq!(alice.deliver(nobody, vec![1]).await, Err(LinkError::Unreachable));
    assert_eq!(alice.deliver(alice.key(), vec![1]).await, Err(LinkError::Refused));
}

#[tokio::test]
async fn who_speaks_something_else_is_refused() {
    let alice = node(1, quiet(&[TCP])).await;
    let mut other = raw(2, dummy::Behaviour);
    other.listen_on(TCP.parse().unwrap()).unwrap();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = other.select_next_some().await {
            break address;
        }
    };
    alice.learn(public(2), vec![address.to_string()]);
    let call = alice.query(public(2), vec![1]);
    let outcome = tokio::select! {
        outcome = call => outcome,
        () = async { loop { other.select_next_some().await; } } => unreachable!(),
    };
    assert_eq!(outcome, Err(LinkError::Refused));
}

/// Answers nobody before all are there.
struct Together(tokio::sync::Barrier);

impl PeerHandler for Together {
    fn deliver(&self, _: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async { batch })
    }

    fn query(&self, _: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async {
            self.0.wait().await;
            question
        })
    }
}

#[tokio::test]
async fn as_many_questions_as_a_node_asks_at_once_have_room() {
    let together = Arc::new(Together(tokio::sync::Barrier::new(LANES)));
    let asked = Net::start(quiet(&[TCP]), key(1), together).await.unwrap();
    let asking = node(2, quiet(&[TCP])).await;
    tell(&asking, &asked);
    let questions = (0..LANES).map(|_| asking.query(asked.key(), vec![7; 4096]));
    let answers = tokio::time::timeout(PATIENCE, join_all(questions)).await.unwrap();
    assert!(answers.into_iter().all(|answer| answer == Ok(vec![7; 4096])));
}

#[tokio::test]
async fn whoever_is_busy_for_a_moment_is_asked_again() {
    let budgets = Budgets { streams_per_peer_max: 1, ..Budgets::default() };
    let asked = node(1, NetConfig { budgets, ..quiet(&[TCP]) }).await;
    let asking = node(2, quiet(&[TCP])).await;
    tell(&asking, &asked);
    // One after the other has room; all at once they have not, and wait for one another.
    let questions = (0..3).map(|_| asking.query(asked.key(), b"ab".to_vec()));
    let answers = join_all(questions).await;
    assert!(answers.into_iter().all(|answer| answer == Ok(b"ba".to_vec())));
}
