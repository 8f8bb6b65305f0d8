//! What the swarm is made of.

use crate::{
    NetConfig, NetError, NodeKey,
    gate::Gate,
    names,
    protocol::{IDENTIFY, KADEMLIA},
    streams::Streams,
};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, autonat, dcutr, identify,
    identity::Keypair,
    kad, mdns, memory_connection_limits, noise, ping, relay,
    swarm::{self, NetworkBehaviour, behaviour::toggle::Toggle},
    tcp, upnp, yamux,
};
use std::{future::Future, pin::Pin, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Streams of one connection, all protocols and both directions: ours use at most 8 + 16, the rest is for identify, ping,
/// Kademlia and the like.
const STREAMS_PER_CONNECTION_MAX: usize = 64;
/// Streams of one connection on which no protocol was agreed yet.
const NEGOTIATING_STREAMS_MAX: usize = 16;
/// What one QUIC connection may have in flight towards us and unread: one batch of 4 MiB without waiting for the window.
/// libp2p's default of 15 MB would let 512 hostile connections hold 7 GB.
const CONNECTION_BYTES_MAX: u32 = 6 << 20;
/// Of these, one stream.
const STREAM_BYTES_MAX: u32 = 4 << 20;
/// How often a connection is asked whether it is alive, and how long it has for the answer. The second time without one ends it, so
/// a pulled cable is noticed within 40 s. TCP by itself would go on for many minutes, in which nothing else is tried.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_TIME: Duration = Duration::from_secs(10);
/// A look-up among others' tables.
pub(crate) const LOOKUP_TIME: Duration = Duration::from_secs(10);
/// Over one relayed connection goes at most so much: enough for a long backlog; after it, a new one is made.
const RELAYED_BYTES_MAX: u64 = 64 << 20;
/// And for so long.
const RELAYED_TIME: Duration = Duration::from_secs(30 * 60);
/// Relayed connections at once, all together.
const RELAYED_MAX: usize = 128;

/// All protocols. The gate comes first: what it turns away, the others do not see.
#[derive(NetworkBehaviour)]
pub(crate) struct Weft {
    pub(crate) gate: Gate,
    memory: Toggle<memory_connection_limits::Behaviour>,
    pub(crate) streams: Streams,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    pub(crate) kad: Toggle<kad::Behaviour<kad::store::MemoryStore>>,
    mdns: Toggle<mdns::tokio::Behaviour>,
    relay: Toggle<relay::Behaviour>,
    relay_client: relay::client::Behaviour,
    dcutr: dcutr::Behaviour,
    autonat: Toggle<autonat::Behaviour>,
    upnp: Toggle<upnp::tokio::Behaviour>,
}

/// Runs the swarm's connections as tasks that end when the node's network ends.
struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl swarm::Executor for Tasks {
    fn exec(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            stop.run_until_cancelled(future).await;
        });
    }
}

/// Builds the swarm. Its connections run in `tracker` and end with `stop`.
pub(crate) fn build(
    config: &NetConfig,
    key: NodeKey,
    tracker: TaskTracker,
    stop: CancellationToken,
) -> Result<Swarm<Weft>, NetError> {
    let timeouts = config.timeouts;
    let (resolver, options) = names::resolver(config.announce_listeners)?;
    let swarm = SwarmBuilder::with_existing_identity(key.into_keypair()?)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, multiplexer)
        .map_err(NetError::setup)?
        .with_quic_config(|mut quic| {
            quic.handshake_timeout = timeouts.dial;
            quic.max_concurrent_stream_limit = STREAMS_PER_CONNECTION_MAX as u32;
            quic.max_connection_data = CONNECTION_BYTES_MAX;
            quic.max_stream_data = STREAM_BYTES_MAX;
            quic
        })
        .with_dns_config(resolver, options)
        .with_relay_client(noise::Config::new, multiplexer)
        .map_err(NetError::setup)?
        .with_behaviour(|key, relay_client| Weft::new(config, key, relay_client))
        .map_err(NetError::setup)?
        .with_swarm_config(|_| {
            swarm::Config::with_executor(Tasks { tracker, stop })
                .with_idle_connection_timeout(timeouts.idle)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX)
        })
        .with_connection_timeout(timeouts.dial)
        .build();
    Ok(swarm)
}

fn multiplexer() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
    config
}

impl Weft {
    fn new(
        config: &NetConfig,
        key: &Keypair,
        relay_client: relay::client::Behaviour,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let own = key.public().to_peer_id();
        let mdns = match config.mdns {
            true => Some(mdns::tokio::Behaviour::new(mdns::Config::default(), own)?),
            false => None,
        };
        let identify = identify::Config::new(IDENTIFY.to_owned(), key.public())
            .with_agent_version(config.agent.clone())
            .with_push_listen_addr_updates(true);
        Ok(Weft {
            gate: Gate::new(config.connections, config.admission.clone(), config.blocked.clone()),
            memory: config.process_bytes_max.map(memory_connection_limits::Behaviour::with_max_bytes).into(),
            streams: Streams::default(),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_EVERY).with_timeout(PING_TIME)),
            kad: config.kademlia.then(|| kademlia(own)).into(),
            mdns: mdns.into(),
            relay: config.relay_for_others.then(|| relay_server(own)).into(),
            relay_client,
            dcutr: dcutr::Behaviour::new(own),
            autonat: config.autonat.then(|| autonat::Behaviour::new(own, autonat::Config::default())).into(),
            upnp: config.upnp.then(upnp::tokio::Behaviour::default).into(),
        })
    }
}

/// Only to find peers: records of others are neither kept nor passed on, and a peer comes into the table only once it has
/// proven its key and told its addresses.
fn kademlia(own: PeerId) -> kad::Behaviour<kad::store::MemoryStore> {
    let mut config = kad::Config::new(KADEMLIA);
    config
        .set_query_timeout(LOOKUP_TIME)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        .set_caching(kad::Caching::Disabled)
        .set_kbucket_inserts(kad::BucketInserts::Manual);
    kad::Behaviour::with_config(own, kad::store::MemoryStore::new(own), config)
}

fn relay_server(own: PeerId) -> relay::Behaviour {
    let config = relay::Config {
        max_circuits: RELAYED_MAX,
        max_circuit_duration: RELAYED_TIME,
        max_circuit_bytes: RELAYED_BYTES_MAX,
        ..relay::Config::default()
    };
    let mut relay = relay::Behaviour::new(own, config);
    // The operator said so: not only once others confirmed our address.
    relay.set_status(Some(relay::Status::Enable));
    relay
}

/// Where a peer says that it is. That takes the place of what it said before: its list in the table has no bound of its own.
pub(crate) fn note_in_table(
    kad: &mut kad::Behaviour<kad::store::MemoryStore>,
    peer: &PeerId,
    told: Vec<Multiaddr>,
) {
    if !told.is_empty() {
        kad.remove_peer(peer);
    }
    for address in told {
        kad.add_address(peer, address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_always_tells_other_addresses_takes_no_more_room() {
        let peer = PeerId::random();
        let mut kad = kademlia(PeerId::random());
        for port in 1..=1_000_u16 {
            let told = (0..16).map(|host| format!("/ip4/9.9.9.{host}/tcp/{port}").parse().unwrap());
            note_in_table(&mut kad, &peer, told.collect());
        }
        let mut kept = Vec::new();
        for bucket in kad.kbuckets() {
            kept.extend(bucket.iter().flat_map(|entry| entry.node.value.clone().into_vec()));
        }
        assert_eq!(kept.len(), 16);
        assert!(kept.iter().all(|address| address.to_string().contains("/tcp/1000/")), "{kept:?}");
        note_in_table(&mut kad, &peer, Vec::new());
        assert!(kad.kbucket(peer).is_some_and(|bucket| bucket.num_entries() == 1));
    }
}
