//! When to stop: SIGTERM, SIGINT.

use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for the first of the two. Once it has come the usual effect is gone, so a caller that wants a second Ctrl+C to
/// end the process at once calls this again.
///
/// # Errors
/// When the process may not listen for signals.
pub async fn signal_to_stop() -> io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}
