//! Who is connected, for the operator's page and for those who ask without waiting.

use crate::{LinkEvent, PeerKey};
use libp2p::{Multiaddr, core::ConnectedPoint, swarm::ConnectionId};
use parking_lot::RwLock;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};
use tokio::sync::broadcast;

/// Events that a reader may be behind. With every connection coming and going once, it is told of its lag after that.
const EVENTS_BEHIND_MAX: usize = 1_024;
/// Of what a peer says of its program, so much is kept.
const AGENT_CHARS_MAX: usize = 64;

/// A connected peer, as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who.
    pub peer: PeerKey,
    /// Since when, without a break.
    pub connected_since: SystemTime,
    /// The address at the other end of the connection that is used: direct if there is a direct one.
    pub address: String,
    /// Whether there is no way but over a relay.
    pub relayed: bool,
    /// Whether this node made the connection.
    pub outgoing: bool,
    /// The last measured round trip.
    pub round_trip: Option<Duration>,
    /// What the peer says that it runs. Its own words: not to be trusted, at most 64 printable characters.
    pub agent: String,
}

/// Whether others reach this node, as far as they told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nat {
    /// Nobody was asked, or they do not agree.
    #[default]
    Unknown,
    /// They do.
    Public,
    /// They do not, save over a relay.
    Private,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    address: Multiaddr,
    pub(crate) relayed: bool,
    outgoing: bool,
    round_trip: Option<Duration>,
}

#[derive(Debug)]
struct Present {
    since: SystemTime,
    connections: Vec<Connection>,
    agent: String,
    relays: bool,
}

#[derive(Debug, Default)]
struct State {
    present: BTreeMap<PeerKey, Present>,
    listening: Vec<Multiaddr>,
    nat: Nat,
}

/// Written by the swarm's task alone.
#[derive(Debug)]
pub(crate) struct Roster {
    state: RwLock<State>,
    events: broadcast::Sender<LinkEvent>,
}

impl Roster {
    pub(crate) fn new() -> Self {
        Roster { state: RwLock::default(), events: broadcast::Sender::new(EVENTS_BEHIND_MAX) }
    }

    pub(crate) fn events(&self) -> broadcast::Receiver<LinkEvent> {
        self.events.subscribe()
    }

    pub(crate) fn is_connected(&self, peer: PeerKey) -> bool {
        self.state.read().present.contains_key(&peer)
    }

    /// The connection to use: a direct one before a relayed one, a younger one before an older one.
    pub(crate) fn best(&self, peer: PeerKey) -> Option<ConnectionId> {
        self.state.read().present.get(&peer).and_then(Present::best).map(|connection| connection.id)
    }

    /// The IP address that the peer demonstrably has.
    pub(crate) fn seen_at(&self, peer: PeerKey) -> Option<IpAddr> {
        let state = self.state.read();
        let direct = state.present.get(&peer)?.connections.iter().find(|connection| !connection.relayed)?;
        crate::address::ip(&direct.address)
    }

    pub(crate) fn joined(&self, peer: PeerKey, id: ConnectionId, end: &ConnectedPoint) {
        let connection = Connection {
            id,
            address: end.get_remote_address().clone(),
            relayed: end.is_relayed(),
            outgoing: end.is_dialer(),
            round_trip: None,
        };
        let mut state = self.state.write();
        let is_new = !state.present.contains_key(&peer);
        let present = state.present.entry(peer).or_insert_with(|| Present {
            since: SystemTime::now(),
            connections: Vec::new(),
            agent: String::new(),
            relays: false,
        });
        present.connections.push(connection);
        drop(state);
        if is_new {
            self.tell(LinkEvent::Connected(peer));
        }
    }

    pub(crate) fn left(&self, peer: PeerKey, id: ConnectionId) {
        let mut state = self.state.write();
        let Some(present) = state.present.get_mut(&peer) else { return };
        present.connections.retain(|connection| connection.id != id);
        if present.connections.is_empty() {
            state.present.remove(&peer);
            drop(state);
            self.tell(LinkEvent::Disconnected(peer));
        }
    }

    /// Everybody is gone: the network stops.
    pub(crate) fn clear(&self) {
        let gone = std::mem::take(&mut *self.state.write());
        gone.present.into_keys().for_each(|peer| self.tell(LinkEvent::Disconnected(peer)));
    }

    pub(crate) fn measured(&self, peer: PeerKey, id: ConnectionId, round_trip: Duration) {
        let mut state = self.state.write();
        let Some(present) = state.present.get_mut(&peer) else { return };
        if let Some(own) = present.connections.iter_mut().find(|connection| connection.id == id) {
            own.round_trip = Some(round_trip);
        }
    }

    pub(crate) fn identified(&self, peer: PeerKey, agent: &str, relays: bool) {
        let mut state = self.state.write();
        let Some(present) = state.present.get_mut(&peer) else { return };
        present.agent = agent.chars().filter(|c| !c.is_control()).take(AGENT_CHARS_MAX).collect();
        present.relays = relays;
    }

    pub(crate) fn listens(&self, address: Multiaddr) {
        let mut state = self.state.write();
        if !state.listening.contains(&address) {
            state.listening.push(address);
        }
    }

    pub(crate) fn listens_no_more(&self, address: &Multiaddr) {
        self.state.write().listening.retain(|listening| listening != address);
    }

    pub(crate) fn set_nat(&self, nat: Nat) {
        self.state.write().nat = nat;
    }

    pub(crate) fn nat(&self) -> Nat {
        self.state.read().nat
    }

    pub(crate) fn listening(&self) -> Vec<Multiaddr> {
        self.state.read().listening.clone()
    }

    /// Peers that are connected directly and pass on calls for others, with the address at which they are.
    pub(crate) fn relays(&self) -> Vec<(PeerKey, Multiaddr)> {
        let state = self.state.read();
        let relays = state.present.iter().filter(|(_, present)| present.relays);
        relays
            .filter_map(|(peer, present)| {
                // Where it was called, not where it called from: that port is gone with the connection.
                let mut direct = present.connections.iter().filter(|one| !one.relayed && one.outgoing);
                direct.next().map(|connection| (*peer, connection.address.clone()))
            })
            .collect()
    }

    pub(crate) fn peers(&self) -> Vec<PeerStatus> {
        let state = self.state.read();
        let status = |(peer, present): (&PeerKey, &Present)| {
            let connection = present.best()?;
            Some(PeerStatus {
                peer: *peer,
                connected_since: present.since,
                address: connection.address.to_string(),
                relayed: connection.relayed,
                outgoing: connection.outgoing,
                round_trip: connection.round_trip,
                agent: present.agent.clone(),
            })
        };
        state.present.iter().filter_map(status).collect()
    }

    #[cfg(test)]
    pub(crate) fn connections(&self, peer: PeerKey) -> usize {
        self.state.read().present.get(&peer).map_or(0, |present| present.connections.len())
    }

    fn tell(&self, event: LinkEvent) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }
}

impl Present {
    fn best(&self) -> Option<&Connection> {
        let direct = self.connections.iter().rev().find(|connection| !connection.relayed);
        direct.or(self.connections.last())
    }
}
