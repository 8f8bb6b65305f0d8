//! The engine driven natively: HTTP, WebSocket and a file store.
//!
//! A [`Client`] is one device of one person: the same engine that runs in the browser, with this crate as its host. The
//! command line, bots, tests and the load generator use it. Several hundred fit into one process: they share two threads.
//!
//! The host's duty is the order: what an output writes is durable before what it does is done (`weft_engine::host`).

mod address;
mod client;
mod driver;
mod error;
mod http;
pub mod keep;
mod socket;
mod threads;

pub use client::{Client, Events, Options};
pub use error::Error;
