//! What the rest of the node sees of the network.

use crate::PeerKey;
use futures::future::BoxFuture;
use tokio::sync::broadcast;

/// Why a call to a peer gave no answer. Only [`LinkError::TooLarge`] and [`LinkError::Refused`] are final; after
/// [`LinkError::TimedOut`] and [`LinkError::Closed`] the peer may have done what was asked, so a call must be safe to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LinkError {
    /// No way to the peer was found, or it was tried so recently that it is not tried again yet.
    #[error("the node cannot be reached")]
    Unreachable,
    /// The deadline passed.
    #[error("the node did not answer in time")]
    TimedOut,
    /// The message, or its answer, is longer than the protocol allows.
    #[error("the message is too large")]
    TooLarge,
    /// The peer is blocked here, blocks us, or does not speak the protocol.
    #[error("the node does not talk to this one")]
    Refused,
    /// Too much is going on, here or there; later it will do.
    #[error("the node is busy")]
    Busy,
    /// The connection broke, the peer failed, or the network was shut down, before an answer came.
    #[error("the connection was closed")]
    Closed,
}

/// A peer came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// There is a connection to this peer, and there was none before.
    Connected(PeerKey),
    /// The last connection to this peer is gone.
    Disconnected(PeerKey),
}

/// Streams to other nodes. Implemented by [`crate::Net`] and by the simulated network of tests.
///
/// Calls to one peer may run side by side and arrive in any order; who needs an order makes the next call after the answer.
/// Dropping a call gives it up, which the peer may or may not notice.
pub trait PeerLink: Send + Sync + 'static {
    /// Hands over one batch, at most [`weft_wire::limits::PEER_BATCH_BYTES_MAX`]. The answer says what the peer has made of it.
    ///
    /// # Errors
    /// The batch was not delivered, or it is not known whether: send it again.
    fn deliver(&self, to: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>>;

    /// Asks a question; question and answer have at most [`weft_wire::limits::PEER_QUERY_BYTES_MAX`].
    ///
    /// # Errors
    /// There is no answer.
    fn query(&self, to: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>>;

    /// Peers as they come and go, from now on. Who lags behind misses some: then treat every peer as newly connected.
    fn events(&self) -> broadcast::Receiver<LinkEvent>;

    /// Whether there is a connection at this moment.
    fn is_connected(&self, peer: PeerKey) -> bool;

    /// Where a peer may be found (from node records, invite links, configuration). Texts that are no address are left out.
    /// A peer of which something new is learned is tried again at once.
    fn learn(&self, peer: PeerKey, addresses: Vec<String>);

    /// Where the peer may be found as far as is known now, the best first: worth keeping for the next start.
    fn addresses(&self, peer: PeerKey) -> Vec<String>;
}

/// Answers when others call.
///
/// The caller's key is proven. A future is dropped when its deadline passes: what it does must bear that. A handler that
/// panics costs its caller the answer and nobody else anything.
pub trait PeerHandler: Send + Sync + 'static {
    /// A batch came; the answer goes back as it is, at most [`weft_wire::limits::PEER_QUERY_BYTES_MAX`].
    fn deliver(&self, from: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>>;

    /// A question came.
    fn query(&self, from: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Vec<u8>>;
}
