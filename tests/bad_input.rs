//! Bad input, at the level of HTTP and sockets: each gets a clear, typed answer, costs the node a bounded amount, and loses
//! nothing. What the rules themselves decide is tested where they are, in `weft-service`.

// Every case is a test function or called by one.
mod accounts;
mod bodies;
mod doors;
mod pages;
mod rooms;
mod sockets;
mod tls;
