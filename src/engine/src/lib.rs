//! The client engine: keys, devices, contacts, rooms, messages. Sans-I/O, the same native and in the browser.

//!
//! [`Engine`] is the door: inputs in, outputs out ([`host`]), calls and events of a user interface ([`api`]).

pub mod account;
pub mod api;
mod calls;
mod chats;
mod connection;
pub mod contacts;
mod crypto;
mod engine;
mod error;
mod groups;
pub mod host;
mod http;
mod jobs;
pub mod kv;
mod live;
mod mls_store;
mod operator;
pub mod rooms;
mod runtime;
pub mod sealing;
mod shelf;
mod sync;
mod vault;
mod wallet;

pub use engine::{Engine, Options};
pub use error::OpenError;
pub use weft_wire::opaque::Stretching;
