//! What a peer may try, and what it gets.

use super::support::*;
use crate::{
    Budgets, Connections, LinkError, Net, NetConfig, PeerLink, Timeouts, frame,
    protocol::{Protocol, Status},
    streams::Streams,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use std::{net::Ipv4Addr, time::Duration};
use weft_wire::limits::PEER_QUERY_BYTES_MAX;

/// What the node says before it closes the stream.
async fn last_word(stream: &mut (impl futures::AsyncRead + Unpin)) -> Vec<u8> {
    let mut word = Vec::new();
    // A reset after the word is an end like any other.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut word)).await.expect("the stream ends");
    word
}

async fn victim_with_friend(config: NetConfig) -> (Net, Net) {
    let (victim, friend) = (node(1, config).await, node(2, quiet(&[])).await);
    tell(&friend, &victim);
    friend.query(victim.key(), vec![1]).await.unwrap();
    (victim, friend)
}

#[tokio::test]
async fn a_gibibyte_is_not_waited_for() {
    let (victim, friend) = victim_with_friend(quiet(&[TCP])).await;
    let hostile = Hostile::connect(66, &victim).await;
    for protocol in Protocol::ALL {
        let mut stream = hostile.open(protocol).await.unwrap();
        let mut buffer = unsigned_varint::encode::u64_buffer();
        stream.write_all(unsigned_varint::encode::u64(1 << 30, &mut buffer)).await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(last_word(&mut stream).await, [Status::TooLarge.byte()]);
    }
    assert!(friend.query(victim.key(), vec![1]).await.is_ok());
}

#[tokio::test]
async fn a_stream_that_trickles_is_cut_off() {
    let time = Timeouts { serve: Duration::from_millis(400), ..Timeouts::default() };
    let (victim, friend) = victim_with_friend(NetConfig { timeouts: time, ..quiet(&[TCP]) }).await;
    let hostile = Hostile::connect(66, &victim).await;
    let (mut reader, mut writer) = hostile.open(Protocol::Deliver).await.unwrap().split();
    let mut buffer = unsigned_varint::encode::u64_buffer();
    writer.write_all(unsigned_varint::encode::u64(1 << 20, &mut buffer)).await.unwrap();
    let trickle = async {
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        while writer.write_all(b".").await.is_ok() && writer.flush().await.is_ok() {
            pace.tick().await;
        }
        std::future::pending::<()>().await;
    };
    let word = tokio::select! {
        word = last_word(&mut reader) => word,
        () = trickle => unreachable!(),
    };
    assert_eq!(word, [Status::TimedOut.byte()]);
    assert!(friend.query(victim.key(), vec![1]).await.is_ok());
}

#[tokio::test]
async fn streams_left_open_use_up_only_their_own_peers_share() {
    let budgets = Budgets { streams_per_peer_max: 4, ..Budgets::default() };
    let (victim, friend) = victim_with_friend(NetConfig { budgets, ..quiet(&[TCP]) }).await;
    let hostile = Hostile::connect(66, &victim).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = hostile.open(Protocol::Query).await.unwrap();
        // A beginning, and then nothing.
        stream.write_all(&[100, 1, 2, 3]).await.unwrap();
        stream.flush().await.unwrap();
        held.push(stream);
    }
    let mut refused = hostile.open(Protocol::Query).await.unwrap();
    refused.write_all(&[1]).await.unwrap();
    refused.flush().await.unwrap();
    assert_eq!(last_word(&mut refused).await, [Status::Busy.byte()]);
    assert!(friend.query(victim.key(), vec![1]).await.is_ok());
    drop(held);
    let mut served = loop {
        // The node has to hear first that the streams are gone.
        let mut stream = hostile.open(Protocol::Query).await.unwrap();
        frame::write(&mut stream, b"ab").await.unwrap();
        let word = last_word(&mut stream).await;
        if word != [Status::Busy.byte()] {
            break word;
        }
    };
    assert_eq!(served.split_off(1), [2, b'b', b'a']);
}

#[tokio::test]
async fn bytes_beyond_a_peers_share_are_refused() {
    let bytes_per_peer_max = PEER_QUERY_BYTES_MAX + 1000;
    let budgets = Budgets { bytes_per_peer_max, ..Budgets::default() };
    for listen in [TCP, QUIC] {
        let (victim, friend) = victim_with_friend(NetConfig { budgets, ..quiet(&[listen]) }).await;
        // One that is read whole leaves no room for its answer; one that is not is refused while it is still being sent.
        assert_eq!(friend.deliver(victim.key(), vec![0; 1 << 20]).await, Err(LinkError::Busy), "{listen}");
        assert_eq!(friend.deliver(victim.key(), vec![0; 4 << 20]).await, Err(LinkError::Busy), "{listen}");
        assert!(friend.deliver(victim.key(), vec![0; 500]).await.is_ok());
    }
}

#[tokio::test]
async fn a_handler_that_panics_or_hangs_costs_one_answer() {
    let time = Timeouts { serve: Duration::from_millis(400), ..Timeouts::default() };
    let (victim, friend) = victim_with_friend(NetConfig { timeouts: time, ..quiet(&[QUIC, TCP]) }).await;
    assert_eq!(friend.query(victim.key(), b"panic".to_vec()).await, Err(LinkError::Closed));
    assert_eq!(friend.query(victim.key(), b"panic at once".to_vec()).await, Err(LinkError::Closed));
    assert_eq!(friend.query(victim.key(), b"hang".to_vec()).await, Err(LinkError::TimedOut));
    assert!(friend.query(victim.key(), vec![1]).await.is_ok());
}

/// Connections that say nothing, from these addresses of loopback, so many of each. The victim has heard of all of them before
/// whatever comes later: a socket gives them out in their order.
async fn silent(victim: &Net, from: std::ops::Range<u8>, each: usize) -> Vec<tokio::net::TcpStream> {
    let addresses = victim.listen_addresses();
    let port = addresses.iter().find_map(|address| address.split("/tcp/").nth(1)?.parse::<u16>().ok());
    let mut held = Vec::new();
    for last in from {
        for _ in 0..each {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind((Ipv4Addr::new(127, 0, 7, last), 0).into()).unwrap();
            held.push(socket.connect((Ipv4Addr::LOCALHOST, port.unwrap()).into()).await.unwrap());
        }
    }
    held
}

#[tokio::test]
async fn silence_from_a_few_addresses_keeps_nobody_out() {
    let (victim, friend) = victim_with_friend(quiet(&[TCP])).await;
    // As many from each as may stand; more than there were places in which connections begin.
    let _held = silent(&victim, 1..11, NetConfig::default().connections.per_address_max).await;
    let newcomer = node(3, quiet(&[])).await;
    tell(&newcomer, &victim);
    assert!(newcomer.query(victim.key(), vec![1]).await.is_ok(), "one that was never here");
    friend.shutdown().await;
    let friend = node(2, quiet(&[])).await;
    tell(&friend, &victim);
    assert!(friend.query(victim.key(), vec![1]).await.is_ok(), "one that comes again");
}

#[tokio::test]
async fn where_silence_holds_every_place_of_tcp_the_other_way_is_free() {
    let connections = Connections { pending_incoming_max: 16, ..Connections::default() };
    let config = NetConfig { connections, ..quiet(&[TCP, QUIC]) };
    let victim = node(1, config).await;
    let _held = silent(&victim, 1..33, 1).await;
    let newcomer = node(3, quiet(&[])).await;
    let quic = victim.listen_addresses().into_iter().filter(|address| address.contains("quic"));
    newcomer.learn(victim.key(), quic.collect());
    assert!(newcomer.query(victim.key(), vec![1]).await.is_ok());
}

#[tokio::test]
async fn a_thousand_connects_of_one_peer() {
    const CONNECTS: usize = 1_000;
    let config = quiet(&[TCP]);
    let per_peer_max = config.connections.per_peer_max;
    let (victim, friend) = victim_with_friend(config).await;
    let mut swarm = raw(66, Streams::default());
    let (mut started, mut ended, mut standing, mut most) = (0, 0, 0_usize, 0);
    let mut asked = 0;
    while ended < CONNECTS {
        // So many at once that the victim has to turn some away during the handshake.
        while started < CONNECTS && started - ended < 100 {
            swarm.dial(dial(&victim)).unwrap();
            started += 1;
        }
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished { .. } => (ended, standing) = (ended + 1, standing + 1),
            SwarmEvent::ConnectionClosed { .. } => standing -= 1,
            SwarmEvent::OutgoingConnectionError { .. } => ended += 1,
            _ => {}
        }
        most = most.max(victim.connections(public(66)));
        if ended % 100 == 0 && asked < ended {
            asked = ended;
            assert!(friend.query(victim.key(), vec![1]).await.is_ok(), "after {ended}");
        }
    }
    while standing > per_peer_max {
        if let SwarmEvent::ConnectionClosed { .. } = swarm.select_next_some().await {
            standing -= 1;
        }
    }
    assert!(most <= per_peer_max, "{most} connections of one peer");
    assert!(most > 0 && asked >= 900);
    assert_eq!(victim.peers().len(), 2);
}
