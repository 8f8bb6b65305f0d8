//! Named background workers: each has a name, an interval, a status and ends when it is told to.

use crate::Service;

/// How a worker is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name.
    pub name: &'static str,
    /// Rounds that went well.
    pub rounds: u64,
    /// What it has done in all its rounds (rows removed, keys forgotten).
    pub done: u64,
    /// What went wrong in the last round, if it did.
    pub failed: Option<String>,
}

/// The running workers of a node.
pub struct Workers {}

impl Workers {
    /// Starts all workers on the current runtime.
    pub fn start(service: &Service) -> Workers {
        Workers {}
    }

    /// How each is doing.
    pub fn status(&self) -> Vec<WorkerStatus> {
        Vec::new()
    }

    /// Tells all to end, and waits until they have.
    pub async fn shutdown(self) {}
}
