//! All behaviour of a node, a folder a feature. HTTP and sockets are a level above; the store, MLS and the wire below.
//!
//! A [`Service`] hands out one handle a feature; a feature is its verbs (`mod.rs`), its records, its error and its tests.
//! Features never import one another: what spans two of them is in [`flows`]. Every verb takes wire types and gives wire
//! types, and its error turns into a [`weft_wire::Problem`] in one place.
//!
//! What is never here: plaintext, passwords, names of rooms. Spans and logs carry ids only.

pub mod accounts;
mod aging;
mod ahead;
mod cache;
mod caller;
mod check;
mod chunks;
mod clock;
mod config;
pub mod contacts;
mod context;
mod entropy;
mod error;
pub mod federation;
pub mod flows;
pub mod health;
mod inbox;
pub mod invites;
pub mod keypackages;
pub mod limits;
mod outgoing;
mod record;
mod restored;
pub mod rooms;
mod seal;
mod service;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod vault;
pub mod wallet;
pub mod workers;

pub use accounts::Accounts;
pub use caller::{Caller, Session};
pub use check::check_record;
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::ServiceConfig;
pub use contacts::Contacts;
pub use context::key_told_by;
pub use entropy::{Entropy, SharedRng, SystemEntropy};
pub use error::Fault;
pub use federation::Federation;
pub use flows::Flows;
pub use health::{Health, Numbers};
pub use invites::Invites;
pub use keypackages::KeyPackages;
pub use limits::{Budget, LimitKey, Limits};
pub use restored::restored;
pub use rooms::Rooms;
pub use service::{Deps, NodeIdentity, Service};
pub use sync::{Sync, SyncSession};
pub use vault::Vault;
pub use wallet::Wallet;
pub use workers::{Worker, WorkerStatus, Workers};
