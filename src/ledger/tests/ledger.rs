//! The ledger, in histories at random and in the eyes of a program that knows nothing of it.

// What a test cannot do without fails it there and then, in helpers as well.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

mod histories;
mod link;
mod model;
mod plain_text;
mod proof;
