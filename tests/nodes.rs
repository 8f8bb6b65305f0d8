//! Real nodes, and the real binary. One program for all of it, because each that starts nodes is built from the whole of Weft.
//! `cargo nextest run -p weft two_nodes::` runs one file of it.

// Tests and their helpers fail where something is not as it should be.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod acme;
mod bad_input;
mod between_nodes;
mod bills;
mod bills_across;
mod canary;
mod chat;
mod config;
mod data_folder;
mod escrow;
mod fees;
mod guard;
mod hostile_peer;
mod link_terms;
mod mandates;
mod namespaces;
mod payments;
mod peers;
mod restored;
mod shop;
mod shop_across;
mod shutdown;
mod story;
mod three_nodes;
mod tls;
mod topup;
mod two_nodes;
mod wallet;
mod wallet_killed;
mod webhook;
mod well_known;
