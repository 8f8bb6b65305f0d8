//! Streams between nodes, the only crate that names libp2p.
//!
//! [`PeerLink`] is what the rest of the node sees: bytes to a peer, bytes back, and who comes and goes. [`Net`] is the real
//! one, over QUIC and TCP; with the feature `sim`, `sim::SimNet` is one in memory whose faults a test seeds.
//! [`PeerHandler`] answers when others call.
//!
//! A peer is its ed25519 key ([`PeerKey`]); the transports prove it before a byte of ours is read. What is *in* the bytes is
//! not this crate's business, how many there are is: every stream has a length limit that is checked before anything is
//! allocated, one deadline, and a share of a budget that one peer cannot use up for the others (`budget`).

mod address;
mod behaviour;
mod budget;
mod call;
mod config;
mod dial;
mod error;
mod frame;
mod gate;
mod key;
mod link;
mod names;
mod net;
mod protocol;
mod relays;
mod roster;
mod search;
mod serve;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod streams;
mod task;
#[cfg(test)]
mod tests;

pub use address::{AddressError, Addresses, check_address, is_at_name, is_global, is_public, is_tellable};
pub use config::{Admission, Budgets, Connections, NetConfig, Timeouts};
pub use error::NetError;
pub use key::{KeyError, NodeKey, PeerKey};
pub use link::{LinkError, LinkEvent, PeerHandler, PeerLink};
pub use net::Net;
pub use roster::{Nat, PeerStatus};
