use super::handler::{Handler, OpenStream, Opened, Reply};
use crate::protocol::Protocol;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
    },
};
use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

/// A peer has opened a stream to us.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) peer: PeerId,
    pub(crate) protocol: Protocol,
    pub(crate) opened: Opened,
}

/// The behaviour. Its queue holds what is done at the next poll, nothing that waits for a peer.
#[derive(Default)]
pub(crate) struct Streams {
    queue: VecDeque<ToSwarm<Incoming, OpenStream>>,
}

impl Streams {
    /// Opens a stream on a connection. The reply comes in any case; it is dropped if the connection goes.
    pub(crate) fn open(
        &mut self,
        peer_id: PeerId,
        connection: ConnectionId,
        protocol: Protocol,
        reply: Reply,
    ) {
        self.queue.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: OpenStream { protocol, reply },
        });
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = Incoming;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(&mut self, peer: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        let (protocol, opened) = event;
        self.queue.push_back(ToSwarm::GenerateEvent(Incoming { peer, protocol, opened }));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // `open` is called by the task that polls the swarm, right before: no waker is needed.
        self.queue.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}
