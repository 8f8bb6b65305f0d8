//! Nodes that were not told where the other is.

use super::support::*;
use crate::{LinkError, NetConfig, PeerLink};

fn named(net: &crate::Net) -> String {
    format!("{}/p2p/{}", net.listen_addresses().first().unwrap(), net.key())
}

#[tokio::test]
async fn a_common_acquaintance_knows_where_the_other_is() {
    let open = || NetConfig { kademlia: true, announce_listeners: true, ..quiet(&[QUIC]) };
    let carol = node(3, open()).await;
    let contacts = || NetConfig { first_contacts: vec![named(&carol)], ..open() };
    let (alice, bob) = (node(1, contacts()).await, node(2, contacts()).await);
    until("both have met carol", || carol.peers().iter().filter(|peer| !peer.agent.is_empty()).count() == 2)
        .await;
    until("carol is known to both", || {
        [&alice, &bob].iter().all(|net| net.peers().iter().any(|peer| !peer.agent.is_empty()))
    })
    .await;
    let answer = loop {
        match alice.query(bob.key(), b"ab".to_vec()).await {
            // Carol may not have put bob into her table yet. The pause after a failure is ended by his being learned anew.
            Err(LinkError::Unreachable) => alice.learn(bob.key(), Vec::new()),
            outcome => break outcome,
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(answer.unwrap(), b"ba");
    assert!(alice.is_connected(bob.key()));
}

#[tokio::test]
async fn a_node_that_nobody_can_call_is_called_over_a_relay() {
    let relaying = NetConfig { relay_for_others: true, announce_listeners: true, ..quiet(&[TCP]) };
    let relay = node(3, relaying).await;
    let over = |config| NetConfig { relays: vec![named(&relay)], ..config };
    let hidden = node(2, over(quiet(&[]))).await;
    until("the relay has a place", || hidden.listen_addresses().iter().any(|a| a.contains("p2p-circuit")))
        .await;
    let alice = node(1, over(quiet(&[TCP]))).await;
    assert_eq!(alice.query(hidden.key(), b"ab".to_vec()).await.unwrap(), b"ba");
    assert_eq!(alice.deliver(hidden.key(), vec![0; 1 << 20]).await.unwrap(), b"1048576");
    let peers = alice.peers();
    let peer = peers.iter().find(|peer| peer.peer == hidden.key()).unwrap();
    assert!(peer.relayed, "{peer:?}");
    // The way can also be told, as an invite link does.
    let bob = node(4, quiet(&[TCP])).await;
    tell(&bob, &hidden);
    assert_eq!(bob.query(hidden.key(), b"ab".to_vec()).await.unwrap(), b"ba");
    assert_eq!(relay.peers().len(), 3);
}

#[tokio::test]
async fn nobody_knows() {
    let alice = node(1, NetConfig { kademlia: true, ..quiet(&[TCP]) }).await;
    assert_eq!(alice.query(public(9), vec![1]).await, Err(LinkError::Unreachable));
}
