//! Test support: a cast of people, real nodes, alone and in clusters, a wire-tap, and a raw client for those who misbehave.
//!
//! A test reads as a story: people of the [`cast`] sign up at a [`node::TestNode`] (in this process) or a
//! [`process::NodeProcess`] (the real binary, which can be killed), and then do things. Nothing waits for a fixed time: one
//! waits for what must happen, with a deadline that only a failure reaches.

pub mod cast;
pub mod cluster;
pub mod device;
pub mod fleet;
pub mod http;
pub mod money;
pub mod node;
pub mod person;
pub mod process;
pub mod socket;
pub mod tap;
pub mod tls;

pub use cast::Cast;
pub use cluster::Cluster;
pub use node::TestNode;
pub use person::Person;
pub use process::NodeProcess;
pub use tap::Tap;

use std::{future::Future, time::Duration};

/// How long anything that must happen may take. Generous: the machine may be busy with other tests.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for a future, and fails with what was waited for.
///
/// # Panics
/// When the deadline passes.
#[allow(clippy::panic)] // a test's failure
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {DEADLINE:?} in vain: {what}"),
    }
}
