//! When to stop: SIGTERM, SIGINT.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals, from [`Signals::listen`] on: one that comes before anybody waits for it is not lost, and never ends the
/// process by itself.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the two signals over. To be called before anybody can know that the node is up.
    ///
    /// # Errors
    /// When the process may not listen for signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of the two. A caller that wants a second Ctrl+C to end the process at once calls this again.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
