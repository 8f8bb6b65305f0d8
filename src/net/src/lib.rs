//! Streams between nodes, as the rest of the node sees them: bytes to a peer, bytes back, and who comes and goes.

mod key;
mod link;

pub use key::PeerKey;
pub use link::{LinkError, LinkEvent, PeerHandler, PeerLink};
