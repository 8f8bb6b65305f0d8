//! Opening and taking streams: the thin part of ours that lives inside the swarm.
//!
//! Streams are handed out to tasks that read and write them (`call`, `serve`), so that bytes never pass through the task of
//! the swarm, and whoever reads knows which peer to charge. libp2p's request-response reads inside the connection's handler,
//! which knows no peer: there, one peer could use up the memory that is meant for all.

mod behaviour;
mod handler;

pub(crate) use behaviour::{Incoming, Streams};
pub(crate) use handler::{Opened, Reply};
