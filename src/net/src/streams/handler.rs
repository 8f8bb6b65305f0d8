use crate::{LinkError, protocol::Protocol};
use futures::future::{Ready, ready};
use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use std::{
    collections::VecDeque,
    convert::Infallible,
    task::{Context, Poll},
};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Where an opened stream goes.
pub(crate) type Reply = oneshot::Sender<Result<Opened, LinkError>>;

/// A stream, and word of the end of its connection: who reads from a stream whose connection this side closes is not woken
/// by every multiplexer (yamux forgets such readers).
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: Stream,
    pub(crate) closed: CancellationToken,
}

/// A wish for a stream.
#[derive(Debug)]
pub(crate) struct OpenStream {
    pub(super) protocol: Protocol,
    pub(super) reply: Reply,
}

/// One connection's part. Both queues are emptied at each poll of the connection, before it takes further streams.
pub(crate) struct Handler {
    wanted: VecDeque<OpenStream>,
    came: VecDeque<(Protocol, Stream)>,
    closed: CancellationToken,
    /// The handler goes with its connection.
    _closing: DropGuard,
}

impl Handler {
    pub(super) fn new() -> Self {
        let closed = CancellationToken::new();
        let _closing = closed.clone().drop_guard();
        Handler { wanted: VecDeque::new(), came: VecDeque::new(), closed, _closing }
    }

    fn opened(&self, stream: Stream) -> Opened {
        Opened { stream, closed: self.closed.clone() }
    }
}

/// Negotiates one of our protocols.
#[derive(Debug, Clone)]
pub(crate) struct Negotiate(Vec<Protocol>);

impl UpgradeInfo for Negotiate {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.iter().map(|protocol| protocol.name()).collect::<Vec<_>>().into_iter()
    }
}

impl<S> InboundUpgrade<S> for Negotiate {
    type Output = (S, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: S, name: StreamProtocol) -> Self::Future {
        ready(Ok((stream, name)))
    }
}

impl<S> OutboundUpgrade<S> for Negotiate {
    type Output = S;
    type Error = Infallible;
    type Future = Ready<Result<S, Infallible>>;

    fn upgrade_outbound(self, stream: S, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenStream;
    type ToBehaviour = (Protocol, Opened);
    type InboundProtocol = Negotiate;
    type OutboundProtocol = Negotiate;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Reply;

    fn listen_protocol(&self) -> SubstreamProtocol<Negotiate> {
        SubstreamProtocol::new(Negotiate(Protocol::ALL.to_vec()), ())
    }

    fn on_behaviour_event(&mut self, wish: OpenStream) {
        self.wanted.push_back(wish);
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Negotiate, Reply, Self::ToBehaviour>> {
        if let Some((protocol, stream)) = self.came.pop_front() {
            let event = (protocol, self.opened(stream));
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        while let Some(OpenStream { protocol, reply }) = self.wanted.pop_front() {
            // Who asked may have given up meanwhile.
            if !reply.is_closed() {
                let protocol = SubstreamProtocol::new(Negotiate(vec![protocol]), reply);
                return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
            }
        }
        Poll::Pending
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Negotiate, Negotiate, (), Reply>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (stream, name),
                ..
            }) => {
                if let Some(protocol) = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name) {
                    self.came.push_back((protocol, stream));
                }
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, info: reply }) => {
                // Nobody waits any more: the stream is reset as it is dropped.
                let _ = reply.send(Ok(self.opened(protocol)));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
                let _ = reply.send(Err(match error {
                    StreamUpgradeError::Timeout => LinkError::TimedOut,
                    StreamUpgradeError::NegotiationFailed => LinkError::Refused,
                    StreamUpgradeError::Io(_) => LinkError::Closed,
                    StreamUpgradeError::Apply(never) => match never {},
                }));
            }
            _ => {}
        }
    }
}
