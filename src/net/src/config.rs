//! How a node takes part in the network. `node.toml` is read elsewhere; here stand the meanings, the bounds and their reasons.

use crate::{
    NetError, PeerKey,
    address::{self, AddressError},
};
use libp2p::Multiaddr;
use std::{collections::BTreeSet, time::Duration};

/// The port of nodes among each other, UDP and TCP: one above the web's.
const PORT: u16 = 8441;

/// Everything that [`crate::Net::start`] needs to know.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// Multiaddresses to listen on, port 0 for any. May be empty: such a node calls, and is called over its relays.
    pub listen: Vec<String>,
    /// Addresses at which the node is reached from outside, if the operator knows them (a forwarded port).
    pub external: Vec<String>,
    /// The addresses listened on are those at which others reach this node: a server with a public address, or a closed
    /// network. Otherwise that is found out (AutoNAT), and names of DNS lead outward only.
    pub announce_listeners: bool,
    /// Peers to begin with when looking for others, as `ADDRESS/p2p/PEER`.
    pub first_contacts: Vec<String>,
    /// Peers over which this node may be called, as `ADDRESS/p2p/PEER`. None: those that offer it, once others cannot reach us.
    pub relays: Vec<String>,
    /// Whether others may be called over this node.
    pub relay_for_others: bool,
    /// Look for nodes in the same local network (mDNS).
    pub mdns: bool,
    /// Look for the addresses of a peer among others' tables (Kademlia, `/weft/kad/1`).
    pub kademlia: bool,
    /// Ask the router to forward the ports (UPnP).
    pub upnp: bool,
    /// Ask peers whether this node can be reached, and tell them if they ask.
    pub autonat: bool,
    /// Who may connect at all.
    pub admission: Admission,
    /// Peers that may not, whoever else may.
    pub blocked: BTreeSet<PeerKey>,
    /// How many connections.
    pub connections: Connections,
    /// What callers may hold of our memory.
    pub budgets: Budgets,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// With so much memory used by the whole process, no further connection is made or taken. `None`: no such bound.
    pub process_bytes_max: Option<usize>,
    /// Name and version of the program, told to peers.
    pub agent: String,
}

/// Who may connect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Admission {
    /// Everybody who is not blocked.
    #[default]
    Everyone,
    /// These peers alone. Relays and first contacts have to be among them.
    Only(BTreeSet<PeerKey>),
}

/// Bounds on connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Established, both ways.
    pub total_max: usize,
    /// Established, of those that others made: less than `total_max`, so that strangers never keep us from calling.
    pub incoming_max: usize,
    /// Established with one peer. Two meet when both call at once, a third while a relayed way becomes a direct one.
    pub per_peer_max: usize,
    /// From one IP address (of IPv6: one /64), handshakes included. Some nodes share one behind a NAT.
    pub per_address_max: usize,
    /// Handshakes of others that are under way, over each of TCP, QUIC and relays: one costs us a signature, a few kilobytes and
    /// up to `Timeouts::dial`.
    pub pending_incoming_max: usize,
    /// Of these, from one address; one where half of them are taken.
    pub pending_per_address_max: usize,
    /// Calls of ours that are under way.
    pub pending_outgoing_max: usize,
}

/// What callers may hold of our memory while their requests are read, handled and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budgets {
    /// Streams, all peers together.
    pub streams_max: usize,
    /// Streams of one peer. Twice what a node of ours uses (`call::LANES`): one that has just ended may still be counted.
    pub streams_per_peer_max: usize,
    /// Bytes, all peers together.
    pub bytes_max: usize,
    /// Bytes of one peer: the longest answer to each question that a node of ours asks at once (`call::LANES`), and two full
    /// batches.
    pub bytes_per_peer_max: usize,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// One attempt to connect, handshake included.
    pub dial: Duration,
    /// A call from beginning to end, finding the peer included.
    pub call: Duration,
    /// One stream at the side that answers: request read, handled, answered. Whoever trickles is cut off then.
    pub serve: Duration,
    /// A connection on which nothing happens is closed.
    pub idle: Duration,
    /// What is being answered at shutdown gets so long to finish.
    pub drain: Duration,
}

impl Default for NetConfig {
    fn default() -> Self {
        NetConfig {
            listen: ["/ip4/0.0.0.0", "/ip6/::"]
                .into_iter()
                .flat_map(|ip| [format!("{ip}/udp/{PORT}/quic-v1"), format!("{ip}/tcp/{PORT}")])
                .collect(),
            external: Vec::new(),
            announce_listeners: false,
            first_contacts: Vec::new(),
            relays: Vec::new(),
            relay_for_others: false,
            mdns: true,
            kademlia: true,
            upnp: true,
            autonat: true,
            admission: Admission::Everyone,
            blocked: BTreeSet::new(),
            connections: Connections::default(),
            budgets: Budgets::default(),
            timeouts: Timeouts::default(),
            process_bytes_max: None,
            agent: concat!("weft/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl NetConfig {
    /// A node that looks for nobody by itself: listens where it is told, knows what it is told. For tests and closed networks.
    pub fn quiet(listen: Vec<String>) -> Self {
        NetConfig {
            listen,
            mdns: false,
            kademlia: false,
            upnp: false,
            autonat: false,
            ..NetConfig::default()
        }
    }

    /// Whether every address is one: what [`crate::Net::start`] looks at before it does anything.
    ///
    /// # Errors
    /// [`NetError::Address`].
    pub fn check(&self) -> Result<(), NetError> {
        self.parse().map(drop)
    }

    pub(crate) fn parse(&self) -> Result<Parsed, NetError> {
        Ok(Parsed {
            listen: parse_all("listen", &self.listen, address::parse_listen)?,
            external: parse_all("external", &self.external, address::parse_external)?,
            first_contacts: parse_all("first_contacts", &self.first_contacts, address::parse_named)?,
            relays: parse_all("relays", &self.relays, address::parse_named)?,
        })
    }
}

/// The addresses of a [`NetConfig`].
pub(crate) struct Parsed {
    pub(crate) listen: Vec<Multiaddr>,
    pub(crate) external: Vec<Multiaddr>,
    pub(crate) first_contacts: Vec<(PeerKey, Multiaddr)>,
    pub(crate) relays: Vec<(PeerKey, Multiaddr)>,
}

fn parse_all<T>(
    field: &'static str,
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, AddressError>,
) -> Result<Vec<T>, NetError> {
    let parse =
        |text: &String| parse(text).map_err(|source| NetError::Address { field, text: text.clone(), source });
    texts.iter().map(parse).collect()
}

impl Default for Connections {
    fn default() -> Self {
        Connections {
            // A connection costs some 100 KiB when quiet and at most `behaviour::CONNECTION_BYTES_MAX` over QUIC when abused.
            total_max: 512,
            incoming_max: 384,
            per_peer_max: 4,
            per_address_max: 32,
            pending_incoming_max: 256,
            pending_per_address_max: 8,
            pending_outgoing_max: 64,
        }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Budgets {
            streams_max: 512,
            streams_per_peer_max: 16,
            bytes_max: 128 << 20,
            bytes_per_peer_max: 32 << 20,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            dial: Duration::from_secs(8),
            call: Duration::from_secs(30),
            serve: Duration::from_secs(25),
            idle: Duration::from_secs(120),
            drain: Duration::from_secs(2),
        }
    }
}
