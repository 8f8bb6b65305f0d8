//! Who is let in: blocked and allowed peers, bounds on connections, ed25519 keys only.
//!
//! libp2p brings behaviours for these. Ours is one instead of three, because those of libp2p keep a table row for every peer
//! that ever connected (so that whoever makes up keys by the million fills our memory), know no bound per IP address, and
//! cannot go from "everybody" to "these alone" while the node runs.

use crate::{Admission, Connections, PeerKey};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished, dummy,
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    task::{Context, Poll},
};

/// Why a connection was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denial {
    #[error("the peer is blocked")]
    Blocked,
    #[error("the peer is not on the list")]
    NotListed,
    #[error("the peer's key is not an ed25519 key")]
    Key,
    #[error("there are too many connections")]
    Crowded,
}

/// The behaviour. It counts a connection only once the swarm says that it stands, so that one that another behaviour turned
/// down afterwards is not counted.
pub(crate) struct Gate {
    limits: Connections,
    admission: Admission,
    blocked: BTreeSet<PeerKey>,
    pending_in: HashMap<ConnectionId, Beginning>,
    pending_out: HashSet<ConnectionId>,
    standing: HashMap<ConnectionId, Standing>,
    incoming: usize,
    per_peer: HashMap<PeerId, usize>,
    per_address: HashMap<IpAddr, usize>,
    to_close: VecDeque<PeerId>,
}

/// A handshake that somebody else has begun.
#[derive(Clone, Copy)]
struct Beginning {
    way: Way,
    /// None over a relay: its address is there once for all that come over it.
    place: Option<IpAddr>,
}

/// How somebody comes. Each way has places of its own for handshakes: whoever sends UDP may write any address as its own, and
/// whoever calls over a relay shows none, so that these could take the places of everybody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Tcp,
    Quic,
    Relay,
}

impl Beginning {
    fn of(from: &Multiaddr) -> Self {
        let is_udp = |part: Protocol<'_>| matches!(part, Protocol::Udp(_));
        let way = match from {
            relayed if crate::address::is_relayed(relayed) => {
                return Beginning { way: Way::Relay, place: None };
            }
            udp if udp.iter().any(is_udp) => Way::Quic,
            _ => Way::Tcp,
        };
        Beginning { way, place: crate::address::ip(from).map(place) }
    }
}

/// What counts as one address: of IPv6 the network of a house, in which there are more addresses than anybody could count.
fn place(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ipv4 => ipv4,
    }
}

struct Standing {
    peer: PeerId,
    incoming: bool,
    address: Option<IpAddr>,
}

impl Gate {
    pub(crate) fn new(limits: Connections, admission: Admission, blocked: BTreeSet<PeerKey>) -> Self {
        Gate {
            limits,
            admission,
            blocked,
            pending_in: HashMap::new(),
            pending_out: HashSet::new(),
            standing: HashMap::new(),
            incoming: 0,
            per_peer: HashMap::new(),
            per_address: HashMap::new(),
            to_close: VecDeque::new(),
        }
    }

    /// Closes what there is to this peer, and lets nothing more come.
    pub(crate) fn block(&mut self, peer: PeerKey) {
        self.blocked.insert(peer);
        self.close_unwelcome();
    }

    pub(crate) fn unblock(&mut self, peer: PeerKey) {
        self.blocked.remove(&peer);
    }

    /// From now on, and for those who are here already.
    pub(crate) fn admit(&mut self, admission: Admission) {
        self.admission = admission;
        self.close_unwelcome();
    }

    /// Whether this peer may be talked to.
    pub(crate) fn check_peer(&self, peer: &PeerId) -> Result<(), Denial> {
        let key = PeerKey::of_peer_id(peer).map_err(|_| Denial::Key)?;
        if self.blocked.contains(&key) {
            return Err(Denial::Blocked);
        }
        match &self.admission {
            Admission::Only(listed) if !listed.contains(&key) => Err(Denial::NotListed),
            _ => Ok(()),
        }
    }

    fn close_unwelcome(&mut self) {
        let unwelcome: Vec<PeerId> =
            self.per_peer.keys().filter(|peer| self.check_peer(peer).is_err()).copied().collect();
        self.to_close.extend(unwelcome);
    }

    fn check_room(&self, peer: &PeerId, incoming: bool) -> Result<(), Denial> {
        let own = self.per_peer.get(peer).copied().unwrap_or(0);
        let full = self.standing.len() >= self.limits.total_max
            || own >= self.limits.per_peer_max
            || incoming && self.incoming >= self.limits.incoming_max;
        if full { Err(Denial::Crowded) } else { Ok(()) }
    }

    /// Whether there is a place for one more handshake. Those who say nothing in theirs would otherwise hold all places from a
    /// few addresses; so an address has a few, and only one where half of all are taken.
    fn may_begin(&self, Beginning { way, place }: Beginning) -> bool {
        let same_way = || self.pending_in.values().filter(|one| one.way == way);
        let taken = same_way().count();
        let share = match taken < self.limits.pending_incoming_max / 2 {
            true => self.limits.pending_per_address_max,
            false => 1,
        };
        let standing = place.and_then(|place| self.per_address.get(&place)).copied().unwrap_or(0);
        taken < self.limits.pending_incoming_max
            && standing < self.limits.per_address_max
            && (place.is_none() || same_way().filter(|one| one.place == place).count() < share)
    }

    fn release_address(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        let Some(count) = self.per_address.get_mut(&address) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.per_address.remove(&address);
        }
    }

    fn stands(&mut self, event: &ConnectionEstablished<'_>) {
        let incoming = event.endpoint.is_listener();
        self.pending_out.remove(&event.connection_id);
        // The address stays counted: the connection takes over what the handshake held.
        let address = self.pending_in.remove(&event.connection_id).and_then(|begun| begun.place);
        self.standing.insert(event.connection_id, Standing { peer: event.peer_id, incoming, address });
        *self.per_peer.entry(event.peer_id).or_default() += 1;
        self.incoming += usize::from(incoming);
    }

    fn falls(&mut self, connection: ConnectionId) {
        let Some(was) = self.standing.remove(&connection) else { return };
        self.incoming = self.incoming.saturating_sub(usize::from(was.incoming));
        self.release_address(was.address);
        if let Some(count) = self.per_peer.get_mut(&was.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_peer.remove(&was.peer);
            }
        }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        from: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let beginning = Beginning::of(from);
        if !self.may_begin(beginning) {
            return Err(ConnectionDenied::new(Denial::Crowded));
        }
        if let Some(place) = beginning.place {
            *self.per_address.entry(place).or_default() += 1;
        }
        self.pending_in.insert(connection, beginning);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check_peer(&peer).map_err(ConnectionDenied::new)?;
        self.check_room(&peer, true).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if let Some(peer) = peer {
            self.check_peer(&peer).map_err(ConnectionDenied::new)?;
        }
        if self.pending_out.len() >= self.limits.pending_outgoing_max {
            return Err(ConnectionDenied::new(Denial::Crowded));
        }
        self.pending_out.insert(connection);
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check_peer(&peer).map_err(ConnectionDenied::new)?;
        self.check_room(&peer, false).map_err(ConnectionDenied::new)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(established) => self.stands(&established),
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. }) => self.falls(connection_id),
            FromSwarm::DialFailure(failure) => {
                self.pending_out.remove(&failure.connection_id);
            }
            FromSwarm::ListenFailure(failure) => {
                let address = self.pending_in.remove(&failure.connection_id).and_then(|begun| begun.place);
                self.release_address(address);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // Whoever changes the gate is the task that polls the swarm, and polls it right after: no waker is needed.
        match self.to_close.pop_front() {
            Some(peer_id) => {
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::All })
            }
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_many_addresses_in_one_house_counts_once() {
        let place = |text: &str| place(text.parse().unwrap());
        assert_eq!(place("2620:fe::1"), place("2620:fe::9:8:7:6"));
        assert_ne!(place("2620:fe::1"), place("2620:fe:0:1::1"));
        assert_eq!(place("::ffff:9.9.9.9"), place("9.9.9.9"));
        assert_ne!(place("9.9.9.9"), place("9.9.9.8"));
    }

    #[test]
    fn each_way_has_places_of_its_own() {
        let limits = Connections { pending_incoming_max: 4, ..Connections::default() };
        let mut gate = Gate::new(limits, Admission::Everyone, BTreeSet::new());
        let mut begin = |text: &str| {
            let (from, id) = (text.parse().unwrap(), ConnectionId::new_unchecked(gate.pending_in.len()));
            gate.handle_pending_inbound_connection(id, &Multiaddr::empty(), &from).is_ok()
        };
        // One address gets the first half, the others one place each.
        let one = "/ip4/9.9.9.1/udp/1/quic-v1";
        assert_eq!([begin(one), begin(one), begin(one)], [true, true, false]);
        assert!(begin("/ip4/9.9.9.2/udp/1/quic-v1") && begin("/ip4/9.9.9.3/udp/1/quic-v1"));
        assert!(!begin("/ip4/9.9.9.4/udp/1/quic-v1"), "all are taken");
        assert!(begin("/ip4/9.9.9.4/tcp/1") && begin("/ip4/9.9.9.1/tcp/1"));
    }
}
