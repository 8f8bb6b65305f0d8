//! A small world for the engine: a node in memory that does what the wire says and no more, and hosts that can be cut off,
//! killed at any output and started again from what they kept.

#![allow(dead_code)]

pub mod accounts;
pub mod hosts;
pub mod node;
pub mod people;
pub mod rooms;

pub use hosts::{Crash, World};
