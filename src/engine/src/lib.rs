//! The client engine: keys, devices, contacts, rooms, messages. Sans-I/O, the same native and in the browser.

pub mod api;
pub mod host;
pub mod kv;
