//! Nodes, and peers that do not keep to the rules.

use crate::{
    Net, NetConfig, NodeKey, PeerHandler, PeerKey, PeerLink, Timeouts,
    protocol::Protocol,
    streams::{Opened, Streams},
};
use futures::{StreamExt, future::BoxFuture};
use libp2p::{
    Multiaddr, Stream, Swarm, SwarmBuilder,
    identity::Keypair,
    noise,
    swarm::{
        NetworkBehaviour, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp, yamux,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
/// Longer than anything here takes, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Answers a batch with its length, a question with its bytes turned round; does what it is told by certain questions.
#[derive(Default)]
pub struct Answers {
    pub handled: AtomicUsize,
}

impl PeerHandler for Answers {
    fn deliver(&self, _: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        self.handled.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { batch.len().to_string().into_bytes() })
    }

    fn query(&self, from: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        self.handled.fetch_add(1, Ordering::SeqCst);
        // Not within the future: a handler may fail before it gives one.
        assert_ne!(question, b"panic at once", "as asked for");
        Box::pin(async move {
            match question.as_slice() {
                b"panic" => panic!("as asked for"),
                b"hang" => std::future::pending().await,
                b"who am I" => from.to_string().into_bytes(),
                b"too much" => vec![0; weft_wire::limits::PEER_QUERY_BYTES_MAX + 1],
                _ => question.into_iter().rev().collect(),
            }
        })
    }
}

pub fn key(seed: u8) -> NodeKey {
    NodeKey::take(&mut [seed; 32])
}

pub fn public(seed: u8) -> PeerKey {
    PeerKey::of_peer_id(&key(seed).into_keypair().unwrap().public().to_peer_id()).unwrap()
}

pub fn quiet(listen: &[&str]) -> NetConfig {
    // Longer than a machine that is busy is still: a call that gave up would end its test, not its node.
    let timeouts = Timeouts { dial: Duration::from_secs(15), ..Timeouts::default() };
    NetConfig { timeouts, ..NetConfig::quiet(listen.iter().map(|text| (*text).to_owned()).collect()) }
}

pub async fn node(seed: u8, config: NetConfig) -> Net {
    Net::start(config, key(seed), Arc::new(Answers::default())).await.unwrap()
}

/// One knows where the other is.
pub fn tell(one: &Net, other: &Net) {
    one.learn(other.key(), other.listen_addresses());
}

/// Waits until it is so. There is no event for what a peer has come to know.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A swarm without the rules of [`Net`].
pub fn raw<B: NetworkBehaviour>(seed: u8, behaviour: B) -> Swarm<B> {
    raw_with(key(seed).into_keypair().unwrap(), behaviour)
}

pub fn raw_with<B: NetworkBehaviour>(key: Keypair, behaviour: B) -> Swarm<B> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_quic()
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}

/// Streams on which a test writes what it likes. The swarm runs until this is dropped.
pub struct Hostile {
    wishes: tokio::sync::mpsc::Sender<(Protocol, oneshot::Sender<Stream>)>,
}

impl Hostile {
    pub async fn connect(seed: u8, victim: &Net) -> Hostile {
        let peer = victim.key().peer_id().unwrap();
        let mut swarm = raw(seed, Streams::default());
        swarm.dial(dial(victim)).unwrap();
        let connection = loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { connection_id, .. } => break connection_id,
                SwarmEvent::OutgoingConnectionError { error, .. } => panic!("{error}"),
                _ => {}
            }
        };
        let (wishes, mut wished) = tokio::sync::mpsc::channel::<(Protocol, oneshot::Sender<Stream>)>(1_024);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = swarm.select_next_some() => {}
                    wish = wished.recv() => {
                        let Some((protocol, reply)) = wish else { return };
                        let (opened, stream) = oneshot::channel();
                        swarm.behaviour_mut().open(peer, connection, protocol, opened);
                        tokio::spawn(async move {
                            if let Ok(Ok(Opened { stream, .. })) = stream.await {
                                let _ = reply.send(stream);
                            }
                        });
                    }
                }
            }
        });
        Hostile { wishes }
    }

    /// `None` if the victim does not take it.
    pub async fn open(&self, protocol: Protocol) -> Option<Stream> {
        let (reply, stream) = oneshot::channel();
        self.wishes.send((protocol, reply)).await.ok()?;
        stream.await.ok()
    }
}

pub fn dial(victim: &Net) -> DialOpts {
    let address: Multiaddr = victim.listen_addresses().first().unwrap().parse().unwrap();
    DialOpts::peer_id(victim.key().peer_id().unwrap())
        .condition(PeerCondition::Always)
        .addresses(vec![address])
        .allocate_new_port()
        .build()
}
