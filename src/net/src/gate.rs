//! Who is let in: blocked and allowed peers, bounds on connections, ed25519 keys only.
//!
//! libp2p brings behaviours for these. Ours is one instead of three, because those of libp2p keep a table row for every peer
//! that ever connected (so that whoever makes up keys by the million fills our memory), know no bound per IP address, and
//! cannot go from "everybody" to "these alone" while the node runs.

use crate::{Admission, Connections, PeerKey};
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        CloseConnection, ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour,
        THandler, THandlerInEvent, THandlerOutEvent, ToSwarm, behaviour::ConnectionEstablished, dummy,
    },
};
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    convert::Infallible,
    net::IpAddr,
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
    pending_in: HashMap<ConnectionId, Option<IpAddr>>,
    pending_out: HashSet<ConnectionId>,
    standing: HashMap<ConnectionId, Standing>,
    incoming: usize,
    per_peer: HashMap<PeerId, usize>,
    per_address: HashMap<IpAddr, usize>,
    to_close: VecDeque<PeerId>,
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
        let address = self.pending_in.remove(&event.connection_id).flatten();
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
        // Over a relay the address is the relay's, which is there once for all that come over it.
        let address = if crate::address::is_relayed(from) { None } else { crate::address::ip(from) };
        let same = address.and_then(|ip| self.per_address.get(&ip)).copied().unwrap_or(0);
        if self.pending_in.len() >= self.limits.pending_incoming_max || same >= self.limits.per_address_max {
            return Err(ConnectionDenied::new(Denial::Crowded));
        }
        if let Some(ip) = address {
            *self.per_address.entry(ip).or_default() += 1;
        }
        self.pending_in.insert(connection, address);
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
                let address = self.pending_in.remove(&failure.connection_id).flatten();
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
