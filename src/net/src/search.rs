//! Finding a peer that is called: known addresses, then other nodes' tables, then relays.

use crate::{
    LinkError, PeerKey,
    address::{self, is_relayed},
    gate::Denial,
    protocol::Protocol,
    streams::Reply,
    task::Task,
};
use libp2p::{
    Multiaddr, PeerId,
    kad::{GetClosestPeersError, GetClosestPeersOk, PeerInfo, QueryId, QueryResult},
    multiaddr,
    swarm::{
        ConnectionDenied, ConnectionId, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{collections::HashMap, time::Instant};
use weft_wire::limits::PEER_ADDRESSES_MAX;

/// Streams that wait for one peer to be found. Its callers take turns (`call::Lanes`), so that this is never reached by ours.
const WAITING_MAX: usize = 64;
/// Relays that are tried for one peer.
const RELAYS_TRIED_MAX: usize = 4;

/// Searches that go on. There is at most one a peer; it ends with a connection, or when there is nowhere left to look.
#[derive(Default)]
pub(crate) struct Searches {
    open: HashMap<PeerKey, Search>,
    dials: HashMap<ConnectionId, PeerKey>,
    lookups: HashMap<QueryId, PeerKey>,
}

struct Search {
    step: Step,
    waiting: Vec<(Protocol, Reply)>,
}

/// Where is looked, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Known,
    Lookup,
    Found,
    Relays,
}

impl Task {
    /// A stream is wanted: at once if the peer is connected, else when it is found.
    pub(crate) fn open(&mut self, peer: PeerKey, protocol: Protocol, reply: Reply) {
        let Ok(peer_id) = peer.peer_id() else {
            let _ = reply.send(Err(LinkError::Unreachable));
            return;
        };
        if peer == self.own || self.swarm.behaviour().gate.check_peer(&peer_id).is_err() {
            let _ = reply.send(Err(LinkError::Refused));
        } else if let Some(connection) = self.roster.best(peer) {
            self.swarm.behaviour_mut().streams.open(peer_id, connection, protocol, reply);
        } else if let Some(search) = self.searches.open.get_mut(&peer) {
            search.waiting.retain(|(_, reply)| !reply.is_closed());
            if search.waiting.len() < WAITING_MAX {
                search.waiting.push((protocol, reply));
            } else {
                let _ = reply.send(Err(LinkError::Busy));
            }
        } else if self.book.rests(peer, Instant::now()) {
            let _ = reply.send(Err(LinkError::Unreachable));
        } else {
            self.start(peer, vec![(protocol, reply)]);
        }
    }

    /// A connection is wanted, without a stream as yet.
    pub(crate) fn seek(&mut self, peer: PeerKey) {
        let rests = self.book.rests(peer, Instant::now());
        if !rests && !self.roster.is_connected(peer) && !self.searches.open.contains_key(&peer) {
            self.start(peer, Vec::new());
        }
    }

    /// There is a connection, whoever made it: everybody who waits gets a stream.
    pub(crate) fn found(&mut self, peer: PeerKey, connection: ConnectionId) {
        self.searches.dials.remove(&connection);
        let (Some(search), Ok(peer_id)) = (self.searches.open.remove(&peer), peer.peer_id()) else { return };
        for (protocol, reply) in search.waiting {
            self.swarm.behaviour_mut().streams.open(peer_id, connection, protocol, reply);
        }
    }

    /// The search ends without a connection.
    pub(crate) fn give_up(&mut self, peer: PeerKey, error: LinkError) {
        let Some(search) = self.searches.open.remove(&peer) else { return };
        if error == LinkError::Unreachable {
            self.book.failed(peer, Instant::now());
        }
        for (_, reply) in search.waiting {
            let _ = reply.send(Err(error));
        }
    }

    pub(crate) fn dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let Some(peer) = self.searches.dials.remove(&connection) else { return };
        tracing::debug!(%peer, %error, "a node was not reached");
        match error {
            DialError::Denied { cause } => self.give_up(peer, refusal(cause)),
            _ => self.next(peer),
        }
    }

    pub(crate) fn looked_up(&mut self, query: QueryId, result: QueryResult, is_last: bool) {
        let Some(peer) = self.searches.lookups.get(&query).copied() else { return };
        let (
            QueryResult::GetClosestPeers(
                Ok(GetClosestPeersOk { peers, .. }) | Err(GetClosestPeersError::Timeout { peers, .. }),
            ),
            Ok(peer_id),
        ) = (result, peer.peer_id())
        else {
            return;
        };
        let found = peers.into_iter().find(|info: &PeerInfo| info.peer_id == peer_id);
        let addresses =
            found.map(|info| usable(peer, info.addrs, self.announce_listeners)).unwrap_or_default();
        if addresses.is_empty() && !is_last {
            return;
        }
        self.searches.lookups.remove(&query);
        let Some(search) = self.searches.open.get_mut(&peer).filter(|search| search.step == Step::Lookup)
        else {
            return;
        };
        search.step = Step::Found;
        self.dial(peer, peer_id, addresses);
    }

    fn start(&mut self, peer: PeerKey, waiting: Vec<(Protocol, Reply)>) {
        let Ok(peer_id) = peer.peer_id() else { return };
        self.searches.open.insert(peer, Search { step: Step::Known, waiting });
        let addresses = self.book.addresses(peer);
        self.dial(peer, peer_id, addresses);
    }

    fn next(&mut self, peer: PeerKey) {
        let (Some(search), Ok(peer_id)) = (self.searches.open.get_mut(&peer), peer.peer_id()) else { return };
        match search.step {
            Step::Known => {
                search.step = Step::Lookup;
                match self.swarm.behaviour_mut().kad.as_mut() {
                    Some(kad) => {
                        let query = kad.get_closest_peers(peer_id);
                        self.searches.lookups.insert(query, peer);
                    }
                    None => self.next(peer),
                }
            }
            Step::Lookup | Step::Found => {
                search.step = Step::Relays;
                let ways = self.ways_over_relays(peer);
                self.dial(peer, peer_id, ways);
            }
            Step::Relays => self.give_up(peer, LinkError::Unreachable),
        }
    }

    /// Dials these addresses side by side. The outcome comes as an event, unless it is clear at once.
    fn dial(&mut self, peer: PeerKey, peer_id: PeerId, addresses: Vec<Multiaddr>) {
        if addresses.is_empty() {
            return self.next(peer);
        }
        // Our searches see to it that a peer is not dialled twice; that another protocol dials it as well is no reason to wait
        // for that one, which may know worse addresses.
        let options =
            DialOpts::peer_id(peer_id).condition(PeerCondition::Always).addresses(addresses).build();
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.searches.dials.insert(connection, peer);
            }
            Err(DialError::Denied { cause }) => self.give_up(peer, refusal(&cause)),
            Err(error) => {
                tracing::debug!(%peer, %error, "a node cannot be dialled");
                self.next(peer);
            }
        }
    }

    fn ways_over_relays(&self, peer: PeerKey) -> Vec<Multiaddr> {
        let relays = self.relays.configured.iter().cloned().chain(self.roster.relays());
        let mut ways: Vec<Multiaddr> = Vec::new();
        for (relay, address) in relays.filter(|(relay, _)| *relay != peer && *relay != self.own) {
            if let Some(way) = over(relay, address)
                && !ways.contains(&way)
                && ways.len() < RELAYS_TRIED_MAX
            {
                ways.push(way);
            }
        }
        ways
    }
}

/// The way over a relay, to it or through it.
pub(crate) fn over(relay: PeerKey, address: Multiaddr) -> Option<Multiaddr> {
    let (address, _) = address::split(address).ok()?;
    if is_relayed(&address) {
        return None;
    }
    let relay = relay.peer_id().ok()?;
    Some(address.with(multiaddr::Protocol::P2p(relay)).with(multiaddr::Protocol::P2pCircuit))
}

/// Of what other nodes' tables say, what may be dialled. A name is left out: who is asked could point it anywhere; and so is what lies
/// in the own network, unless that is a closed one.
fn usable(peer: PeerKey, addresses: Vec<Multiaddr>, closed_network: bool) -> Vec<Multiaddr> {
    let own = |address| match address::split(address) {
        Ok((address, named)) if named.is_none_or(|named| named == peer) => Some(address),
        _ => None,
    };
    let may = |ip| closed_network || address::is_global(&ip);
    let usable =
        addresses.into_iter().filter_map(own).filter(|address| address::ip(address).is_some_and(may));
    usable.take(PEER_ADDRESSES_MAX).collect()
}

fn refusal(cause: &ConnectionDenied) -> LinkError {
    match cause.downcast_ref::<Denial>() {
        Some(Denial::Blocked | Denial::NotListed | Denial::Key) => LinkError::Refused,
        // The other reason to deny is that the process has no memory to spare.
        Some(Denial::Crowded) | None => LinkError::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_tables_lead_neither_by_names_nor_into_the_own_network() {
        let addresses = || {
            [
                "/ip4/9.9.9.9/tcp/1",
                "/ip4/192.168.0.1/tcp/1",
                "/ip4/127.0.0.1/tcp/1",
                "/dns/home.example/tcp/1",
            ]
            .map(|text| text.parse::<Multiaddr>().unwrap())
        };
        let [far, near, here, _] = addresses();
        let usable = |closed_network| usable(PeerKey([1; 32]), addresses().to_vec(), closed_network);
        assert_eq!(usable(false), std::slice::from_ref(&far));
        assert_eq!(usable(true), [far, near, here]);
    }
}
