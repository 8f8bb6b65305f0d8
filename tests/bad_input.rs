//! Bad input, at the level of HTTP and sockets: each gets a clear, typed answer, costs the node a bounded amount, and loses
//! nothing. What the rules themselves decide is tested where they are, in `weft-service`.

// Every case is a test function or called by one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "bad_input/accounts.rs"]
mod accounts;
#[path = "bad_input/bodies.rs"]
mod bodies;
#[path = "bad_input/doors.rs"]
mod doors;
#[path = "bad_input/pages.rs"]
mod pages;
#[path = "bad_input/rooms.rs"]
mod rooms;
#[path = "bad_input/sockets.rs"]
mod sockets;
#[path = "bad_input/tls.rs"]
mod tls;
