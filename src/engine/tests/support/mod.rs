//! A small world for the engine: a node in memory that does what the wire says and no more, and hosts that can be cut off,
//! killed at any output and started again from what they kept.

pub mod accounts;
pub mod books;
pub mod group;
pub mod groups;
pub mod hosts;
pub mod money;
pub mod node;
pub mod people;
pub mod rooms;
pub mod story;

pub use hosts::{Crash, World};
