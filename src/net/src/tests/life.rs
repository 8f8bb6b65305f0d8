//! Nodes come, go, come back, are blocked.

use super::support::*;
use crate::{Admission, LinkError, LinkEvent, Net, NetConfig, NetError, PeerLink, Timeouts};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

#[tokio::test]
async fn a_node_comes_back_on_another_port() {
    // A QUIC address where nobody is any more says nothing: that is waited for.
    let time = Timeouts { dial: Duration::from_secs(3), ..Timeouts::default() };
    let alice = node(1, NetConfig { timeouts: time, ..quiet(&[TCP]) }).await;
    let mut events = alice.events();
    for listen in [TCP, QUIC, TCP] {
        let bob = node(2, quiet(&[listen])).await;
        tell(&alice, &bob);
        assert_eq!(alice.query(bob.key(), b"ab".to_vec()).await.unwrap(), b"ba");
        assert_eq!(events.recv().await.unwrap(), LinkEvent::Connected(bob.key()));
        let peers = alice.peers();
        assert_eq!(peers.len(), 1);
        let peer = &peers[0];
        assert!(peer.peer == bob.key() && peer.outgoing && !peer.relayed, "{peer:?}");
        assert!(bob.listen_addresses().iter().any(|address| peer.address.starts_with(address)), "{peer:?}");
        bob.shutdown().await;
        assert_eq!(events.recv().await.unwrap(), LinkEvent::Disconnected(bob.key()));
        assert!(alice.peers().is_empty());
        assert_eq!(alice.query(bob.key(), vec![1]).await, Err(LinkError::Unreachable));
    }
}

#[tokio::test]
async fn a_node_comes_back_on_its_own_port_at_once() {
    let alice = node(1, quiet(&[TCP])).await;
    let mut bob = node(2, quiet(&[QUIC])).await;
    let address = bob.listen_addresses().remove(0);
    for _ in 0..3 {
        tell(&alice, &bob);
        alice.query(bob.key(), vec![1]).await.unwrap();
        // Its socket lingers until alice has heard the good-bye.
        bob.shutdown().await;
        until("alice has seen it go", || alice.peers().is_empty()).await;
        bob = node(2, quiet(&[&address])).await;
    }
}

#[tokio::test]
async fn the_operator_sees_what_a_peer_runs_and_how_far_it_is() {
    let (alice, bob) = (node(1, quiet(&[TCP])).await, node(2, quiet(&[TCP])).await);
    tell(&alice, &bob);
    alice.query(bob.key(), vec![1]).await.unwrap();
    let known = |net: &Net| {
        net.peers().first().is_some_and(|peer| peer.round_trip.is_some() && !peer.agent.is_empty())
    };
    until("both know of each other", || known(&alice) && known(&bob)).await;
    assert_eq!(bob.peers()[0].agent, NetConfig::default().agent);
    assert!(!bob.peers()[0].outgoing);
}

#[tokio::test]
async fn a_dead_peer_is_not_dialled_in_a_loop() {
    let alice = node(1, quiet(&[TCP])).await;
    let gone = node(2, quiet(&[TCP])).await;
    tell(&alice, &gone);
    gone.shutdown().await;
    assert_eq!(alice.query(gone.key(), vec![1]).await, Err(LinkError::Unreachable));
    // Within the pause the answer comes without a look at the network; a loop of dials would take turns with it.
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(alice.query(gone.key(), vec![1]).await, Err(LinkError::Unreachable));
    }
    assert!(started.elapsed() < Duration::from_secs(30));
    // Its own call ends the pause.
    let back = node(2, quiet(&[TCP])).await;
    tell(&back, &alice);
    back.query(alice.key(), vec![1]).await.unwrap();
    assert!(alice.query(back.key(), vec![1]).await.is_ok());
}

#[tokio::test]
async fn a_blocked_peer_is_out_until_it_is_unblocked() {
    let (alice, bob) = (node(1, quiet(&[TCP])).await, node(2, quiet(&[TCP])).await);
    let carol = node(3, quiet(&[TCP])).await;
    for other in [&bob, &carol] {
        tell(&alice, other);
        tell(other, &alice);
    }
    alice.query(bob.key(), vec![1]).await.unwrap();
    let mut events = alice.events();
    alice.block(bob.key()).await;
    assert_eq!(events.recv().await.unwrap(), LinkEvent::Disconnected(bob.key()));
    assert_eq!(alice.query(bob.key(), vec![1]).await, Err(LinkError::Refused));
    let called = bob.query(alice.key(), vec![1]).await;
    assert!(matches!(called, Err(LinkError::Closed | LinkError::Unreachable)), "{called:?}");
    assert!(carol.query(alice.key(), vec![1]).await.is_ok(), "others are not meant");
    alice.unblock(bob.key()).await;
    assert!(alice.query(bob.key(), vec![1]).await.is_ok());
    alice.admit(Admission::Only([carol.key()].into())).await;
    until("only carol is left", || alice.peers().iter().all(|peer| peer.peer == carol.key())).await;
    assert_eq!(alice.query(bob.key(), vec![1]).await, Err(LinkError::Refused));
    assert!(alice.query(carol.key(), vec![1]).await.is_ok());
    alice.admit(Admission::Everyone).await;
    assert!(alice.query(bob.key(), vec![1]).await.is_ok());
}

#[tokio::test]
async fn who_is_not_listed_does_not_get_in() {
    let listed = NetConfig { admission: Admission::Only([public(3)].into()), ..quiet(&[TCP]) };
    let alice = node(1, listed).await;
    let (bob, carol) = (node(2, quiet(&[TCP])).await, node(3, quiet(&[TCP])).await);
    tell(&bob, &alice);
    tell(&carol, &alice);
    assert!(bob.query(alice.key(), vec![1]).await.is_err());
    assert!(carol.query(alice.key(), vec![1]).await.is_ok());
    assert!(!alice.is_connected(bob.key()));
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error() {
    let alice = node(1, quiet(&[TCP])).await;
    let taken = alice.listen_addresses();
    let start = async |listen: Vec<String>| {
        Net::start(NetConfig::quiet(listen), key(2), Arc::new(Answers::default())).await.err().unwrap()
    };
    assert!(matches!(start(taken).await, NetError::Listen { .. }));
    assert!(matches!(start(vec!["/dns4/a.example/tcp/1".into()]).await, NetError::Address { .. }));
    assert!(matches!(start(vec!["8441".into()]).await, NetError::Address { .. }));
}

#[test]
fn nothing_runs_on_after_a_shutdown() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        // Both transports: they end in different ways.
        for listen in [TCP, QUIC] {
            end_of_two(listen).await;
        }
        // Sockets of the transports end by themselves as soon as they are let go.
        let metrics = tokio::runtime::Handle::current().metrics();
        until("no task is left", || metrics.num_alive_tasks() == 0).await;
    });
}

async fn end_of_two(listen: &str) {
    let asked = Arc::new(Answers::default());
    let alice = node(1, quiet(&[listen])).await;
    let bob = Net::start(quiet(&[listen]), key(2), asked.clone()).await.unwrap();
    tell(&alice, &bob);
    let (waiting, other) = (alice.clone(), bob.key());
    let hanging = tokio::spawn(async move { waiting.query(other, b"hang".to_vec()).await });
    until("the question is there, or was answered", || {
        hanging.is_finished() || asked.handled.load(Ordering::SeqCst) > 0
    })
    .await;
    let started = Instant::now();
    alice.shutdown().await;
    assert_eq!(hanging.await.unwrap(), Err(LinkError::Closed));
    bob.shutdown().await;
    // Not until the call's time, or the connection's, is over.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(alice.query(bob.key(), vec![1]).await, Err(LinkError::Closed));
    assert!(!alice.is_connected(bob.key()));
}

#[tokio::test]
async fn a_call_to_a_peer_that_is_blocked_meanwhile_ends_at_once() {
    for listen in [TCP, QUIC] {
        let asked = Arc::new(Answers::default());
        let alice = node(1, quiet(&[])).await;
        let bob = Net::start(quiet(&[listen]), key(2), asked.clone()).await.unwrap();
        tell(&alice, &bob);
        let started = Instant::now();
        let (outcome, ()) = tokio::join!(alice.query(bob.key(), b"hang".to_vec()), async {
            until("the question is there", || asked.handled.load(Ordering::SeqCst) > 0).await;
            alice.block(bob.key()).await;
        });
        // It was cut off, and is not tried again.
        assert_eq!(outcome, Err(LinkError::Refused));
        assert!(started.elapsed() < Duration::from_secs(20), "{listen}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_answer_that_is_under_way_is_finished_at_shutdown() {
    let (alice, bob) = (node(1, quiet(&[TCP])).await, node(2, quiet(&[TCP])).await);
    tell(&alice, &bob);
    alice.query(bob.key(), vec![1]).await.unwrap();
    let batches = (0..8).map(|_| alice.deliver(bob.key(), vec![0; 1 << 20]));
    let (answers, ()) = tokio::join!(futures::future::join_all(batches), async {
        bob.shutdown().await;
    });
    // Those that had come are answered, the others say that they are not; none waits for its time to be over.
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Ok(_) | Err(LinkError::Closed | LinkError::Unreachable))),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over() {
    let time = Timeouts { call: Duration::from_secs(2), ..Timeouts::default() };
    let alice = node(1, NetConfig { timeouts: time, ..quiet(&[TCP]) }).await;
    let bob = node(2, quiet(&[TCP])).await;
    tell(&alice, &bob);
    alice.query(bob.key(), vec![1]).await.unwrap();
    assert_eq!(alice.query(bob.key(), b"hang".to_vec()).await, Err(LinkError::TimedOut));
    assert!(alice.query(bob.key(), vec![1]).await.is_ok());
}
