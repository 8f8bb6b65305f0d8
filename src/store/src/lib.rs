//! Ordered tables with atomic commits: a journal that is the truth, and an index.
//!
//! Everything that a node remembers goes through [`Store`]. There is one way to write, [`Store::commit`] of a [`Batch`],
//! which applies whole or not at all and is on disk before it returns; [`Store::transact`] is the optimistic retry loop on
//! top of it. Reading is [`Store::get`], [`Store::scan`] and [`Store::watch`].
//!
//! Two engines stand behind the [`Engine`] trait: [`Store::memory`] for tests, and [`embedded`] for a node. A clustered one
//! (PostgreSQL, FoundationDB, TiKV) fits as well: nothing in this interface assumes one process.
//!
//! ```
//! # use weft_store::{Batch, Scan, Store, Table};
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> weft_store::Result<()> {
//! const NOTES: Table = Table::new(200, "notes");
//! let store = Store::memory();
//! store.commit(Batch::new().put(NOTES, b"a", b"first").assert_absent(NOTES, b"a")).await?;
//! let rows = store.scan(NOTES, Scan::prefix(b"").limit(10)).await?;
//! assert_eq!(rows[0].value, b"first");
//! # Ok(()) }
//! ```

mod batch;
pub mod embedded;
mod engine;
mod error;
mod memory;
pub mod private;
mod range;
pub mod record;
mod resolve;
mod store;
pub mod tables;
mod transact;
mod watch;

pub use batch::{BATCH_BYTES_MAX, BATCH_OPS_MAX, Batch, KEY_BYTES_MAX, VALUE_BYTES_MAX};
pub use engine::{Committed, Engine, Row, SCAN_BYTES_MAX, SCAN_ROWS_MAX, Scan, Status, Version};
pub use error::{Error, Result};
pub use memory::MemoryEngine;
pub use store::Store;
pub use tables::Table;
pub use transact::Tx;
pub use watch::Watch;
