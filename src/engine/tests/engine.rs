//! Engines against a node in memory. One program for all of it, because each would be built from the whole engine.
//! `cargo nextest run -p weft-engine group_stories::` runs one file of it.

// Helpers outside of `#[test]` functions may fail loudly, too.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::result_large_err,
    clippy::unwrap_used
)]

mod approvals;
mod books;
mod charges;
mod converge;
mod converge_groups;
mod crashes;
mod device_stories;
mod fees;
mod group_crashes;
mod group_edges;
mod group_stories;
mod group_storm;
mod passkeys;
mod privacy;
mod races;
mod reading;
mod receipts;
mod room_stories;
mod scanned;
mod sim;
mod stories;
mod support;
mod typescript;
