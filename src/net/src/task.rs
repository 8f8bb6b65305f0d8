//! The one task that owns the swarm: commands in, events out.

use crate::{
    Admission, LinkError, Nat, PeerHandler, PeerKey, Timeouts,
    address::{self, is_plausible, is_relayed},
    behaviour::{Weft, WeftEvent, note_in_table},
    budget::Budget,
    dial::Book,
    protocol::{KADEMLIA, Protocol},
    relays::Relays,
    roster::Roster,
    search::Searches,
    serve::serve,
    streams::{Incoming, Reply},
};
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, autonat,
    core::ConnectedPoint,
    identify, kad, mdns, ping, relay,
    swarm::{ConnectionId, SwarmEvent},
    upnp,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use weft_wire::limits::PEER_ADDRESSES_MAX;

/// How often it is looked whether a relay or a first contact has to be called again. They have their own pauses.
const ROUND: Duration = Duration::from_secs(5);
/// Telling peers that we go. Who does not hear it finds out by itself.
const FAREWELL: Duration = Duration::from_millis(500);

/// What others may ask of the task.
pub(crate) enum Command {
    /// A stream to a peer, connected or not.
    Open {
        peer: PeerKey,
        protocol: Protocol,
        reply: Reply,
    },
    /// A connection, at once, however long the peer was to be left alone.
    Call(PeerKey),
    Block(PeerKey),
    Unblock(PeerKey),
    Admit(Admission),
}

/// The task's state. `search` and `relays` hold parts of its behaviour.
pub(crate) struct Task {
    pub(crate) own: PeerKey,
    pub(crate) swarm: Swarm<Weft>,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) handler: Arc<dyn PeerHandler>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) book: Arc<Book>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) searches: Searches,
    pub(crate) relays: Relays,
    pub(crate) first_contacts: Vec<PeerKey>,
    pub(crate) announce_listeners: bool,
    pub(crate) timeouts: Timeouts,
    /// Streams that are being answered.
    pub(crate) serving: TaskTracker,
    /// Asks the task to end.
    pub(crate) stop: CancellationToken,
    /// Ends connections and answers where they are.
    pub(crate) cut: CancellationToken,
}

impl Task {
    /// Runs until it is told to stop, or nobody is left to tell it anything.
    pub(crate) async fn run(mut self) {
        let mut round = time::interval(ROUND);
        round.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => break,
                },
                event = self.swarm.select_next_some() => self.event(event),
                _ = round.tick() => self.round(),
            }
        }
        self.end().await;
    }

    /// What is being answered is finished, if that is soon; peers are told; then everything ends.
    async fn end(mut self) {
        self.serving.close();
        let (serving, drain) = (self.serving.clone(), self.timeouts.drain);
        self.poll_for(drain, serving.wait()).await;
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // An error means that it is gone already.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let farewell = time::sleep(FAREWELL);
        tokio::pin!(farewell);
        while self.swarm.connected_peers().next().is_some() {
            tokio::select! {
                () = &mut farewell => break,
                event = self.swarm.select_next_some() => self.event(event),
            }
        }
        self.roster.clear();
        self.cut.cancel();
    }

    /// Keeps the swarm going until the future is ready or the time is over.
    async fn poll_for(&mut self, time: Duration, done: impl Future<Output = ()>) {
        let done = time::timeout(time, done);
        tokio::pin!(done);
        loop {
            tokio::select! {
                _ = &mut done => return,
                event = self.swarm.select_next_some() => self.event(event),
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open { peer, protocol, reply } => self.open(peer, protocol, reply),
            Command::Call(peer) => {
                self.book.wake(peer);
                self.seek(peer);
            }
            Command::Block(peer) => {
                self.swarm.behaviour_mut().gate.block(peer);
                self.give_up(peer, LinkError::Refused);
            }
            Command::Unblock(peer) => self.swarm.behaviour_mut().gate.unblock(peer),
            Command::Admit(admission) => self.swarm.behaviour_mut().gate.admit(admission),
        }
    }

    fn round(&mut self) {
        self.reserve();
        for peer in self.first_contacts.clone() {
            self.seek(peer);
        }
    }

    pub(crate) fn event(&mut self, event: SwarmEvent<WeftEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.behaviour_event(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.joined(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                if let Ok(peer) = PeerKey::of_peer_id(&peer_id) {
                    tracing::debug!(%peer, ?cause, "a connection is closed");
                    self.roster.left(peer, connection_id);
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dial_failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::debug!(%error, "a connection was not taken");
            }
            SwarmEvent::NewListenAddr { address, .. } => self.listens(address),
            SwarmEvent::ExpiredListenAddr { address, .. } => self.listens_no_more(&address),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                addresses.iter().for_each(|address| self.listens_no_more(address));
                if !self.reservation_ended(listener_id) && reason.is_err() {
                    tracing::error!(?addresses, ?reason, "an address is not listened on any more");
                }
            }
            _ => {}
        }
    }

    fn listens(&mut self, address: Multiaddr) {
        // Whether anybody reaches it there is for others to find out.
        match is_relayed(&address) {
            true => tracing::info!(%address, "other nodes reach this one over a relay"),
            false => tracing::info!(%address, "listening for other nodes"),
        }
        if self.announce_listeners && !is_relayed(&address) {
            self.swarm.add_external_address(address.clone());
        }
        self.roster.listens(address);
    }

    fn listens_no_more(&mut self, address: &Multiaddr) {
        if self.announce_listeners {
            self.swarm.remove_external_address(address);
        }
        self.roster.listens_no_more(address);
    }

    fn joined(&mut self, peer_id: PeerId, connection: ConnectionId, end: &ConnectedPoint) {
        // The gate lets in no other keys.
        let Ok(peer) = PeerKey::of_peer_id(&peer_id) else { return };
        tracing::debug!(%peer, address = %end.get_remote_address(), "a connection stands");
        self.roster.joined(peer, connection, end);
        let woken = self.book.reached(peer, Instant::now());
        if let (true, Ok((address, _))) = (end.is_dialer(), address::split(end.get_remote_address().clone()))
            && !is_relayed(&address)
        {
            // It works, so it is the first to try next time.
            self.book.learn(peer, &[address]);
        }
        self.found(peer, connection);
        woken.into_iter().for_each(|other| self.seek(other));
    }

    fn behaviour_event(&mut self, event: WeftEvent) {
        match event {
            WeftEvent::Streams(incoming) => self.serve(incoming),
            WeftEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.identified(&peer_id, &info);
            }
            WeftEvent::Ping(ping::Event { peer, connection, result: Ok(round_trip) }) => {
                if let Ok(peer) = PeerKey::of_peer_id(&peer) {
                    self.roster.measured(peer, connection, round_trip);
                }
            }
            WeftEvent::Ping(ping::Event { peer, connection, result: Err(error) }) => {
                self.silent(&peer, connection, &error);
            }
            WeftEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, step, .. }) => {
                self.looked_up(id, result, step.last);
            }
            WeftEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    self.heard_nearby(&peer, address);
                }
            }
            WeftEvent::Autonat(autonat::Event::StatusChanged { new, .. }) => {
                self.roster.set_nat(match new {
                    autonat::NatStatus::Public(_) => Nat::Public,
                    autonat::NatStatus::Private => Nat::Private,
                    autonat::NatStatus::Unknown => Nat::Unknown,
                });
                self.reserve();
            }
            WeftEvent::RelayClient(relay::client::Event::ReservationReqAccepted {
                relay_peer_id, ..
            }) => {
                tracing::debug!(relay = %relay_peer_id, "this node can be called over a relay");
            }
            WeftEvent::Upnp(
                event @ (upnp::Event::NewExternalAddr { .. } | upnp::Event::NonRoutableGateway),
            ) => {
                tracing::info!(?event, "the router was asked to forward");
            }
            _ => {}
        }
    }

    fn serve(&mut self, Incoming { peer, protocol, opened }: Incoming) {
        let Ok(peer) = PeerKey::of_peer_id(&peer) else { return };
        if self.stop.is_cancelled() {
            // Dropping the stream resets it; the peer comes back when we do.
            return;
        }
        let slot = self.budget.admit(peer).ok();
        let (handler, time, cut) = (Arc::clone(&self.handler), self.timeouts.serve, self.cut.clone());
        self.serving.spawn(async move {
            cut.run_until_cancelled(serve(opened.stream, opened.closed, peer, protocol, slot, handler, time))
                .await;
        });
    }

    /// A connection does not answer any more: it is ended here, so that another way is looked for.
    fn silent(&mut self, peer: &PeerId, connection: ConnectionId, error: &ping::Failure) {
        // Who does not speak the protocol may be there all the same; the idle time ends that one.
        if !matches!(error, ping::Failure::Unsupported) {
            tracing::debug!(%peer, %error, "a connection does not answer");
            self.swarm.close_connection(connection);
        }
    }

    /// A peer tells of itself. It has proven its key, so that it can only mislead about itself, and only so far.
    fn identified(&mut self, peer_id: &PeerId, info: &identify::Info) {
        let Ok(peer) = PeerKey::of_peer_id(peer_id) else { return };
        let relays = info.protocols.contains(&relay::HOP_PROTOCOL_NAME);
        self.roster.identified(peer, &info.agent_version, relays);
        let seen_at = self.roster.seen_at(peer);
        let own = |address: &Multiaddr| match address::split(address.clone()) {
            Ok((address, named)) => named.is_none_or(|named| named == peer).then_some(address),
            Err(_) => None,
        };
        let told = info.listen_addrs.iter().filter_map(own).filter(|address| is_plausible(address, seen_at));
        let told: Vec<Multiaddr> = told.take(PEER_ADDRESSES_MAX).collect();
        self.book.learn(peer, &told);
        if let Some(kad) = self.swarm.behaviour_mut().kad.as_mut()
            && info.protocols.contains(&KADEMLIA)
        {
            note_in_table(kad, peer_id, told);
        }
    }

    fn heard_nearby(&mut self, peer: &PeerId, address: Multiaddr) {
        let (Ok(peer), Ok((address, _))) = (PeerKey::of_peer_id(peer), address::split(address)) else {
            return;
        };
        self.book.learn(peer, &[address]);
    }
}
