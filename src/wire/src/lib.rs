//! What crosses a wire or is kept on disk: ids, envelopes, requests and answers, limits.
//!
//! This crate has no behaviour beyond encoding, checking and signing, and it builds for wasm: the node, the engine in the
//! browser and the command line all speak through these types. Everything is CBOR maps with field names ([`codec`]); a
//! field that is new has a default, a field that is unknown is ignored. What is signed is the exact byte string that
//! travels ([`signed`]), never a re-encoding.

pub mod accounts;
pub mod admin;
pub mod bytes;
pub mod codec;
pub mod contacts;
pub mod content;
pub mod emv;
pub mod federation;
pub mod identity;
pub mod ids;
pub mod invites;
pub mod limits;
pub mod link_terms;
pub mod links;
pub mod names;
pub mod node;
#[cfg(feature = "opaque")]
pub mod opaque;
pub mod paycode;
pub mod payto;
pub mod problem;
pub mod rooms;
pub mod scan;
pub mod signed;
pub mod sync;
pub mod text;
pub mod time;
pub mod vault;
pub mod wallet;

pub use bytes::Blob;
pub use codec::{DecodeError, decode, encode};
pub use ids::{
    AccountId, AssetId, BankLineId, DeviceId, MessageId, OrderId, RequestId, RoomId, RoomNonce, TransferId,
};
pub use names::{NameError, NodeName, UserAddress, UserName};
pub use problem::{Code, Problem};
pub use signed::Signed;

/// Milliseconds since the Unix epoch, as told by the clock of whoever writes the record.
pub type Millis = u64;

/// The prefix of every route of this version of the API.
pub const API_PREFIX: &str = "/api/v1";
