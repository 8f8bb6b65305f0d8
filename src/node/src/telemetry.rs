//! Logs: to standard error, with ids and never with contents.

use crate::config::{LogConfig, LogFormat};
use std::{io::IsTerminal, panic};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// The filter is not understood, or logging was set up before.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.filter`.
    #[error("`log.filter` is not understood")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Twice in one process.
    #[error("logging was set up already")]
    Twice,
}

/// Sets up logging for the process, and a panic hook that tells where a panic happened but not with what.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let colours = std::io::stderr().is_terminal();
    match config.format {
        LogFormat::Text => {
            let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false);
            registry.with(layer).try_init().map_err(|_| TelemetryError::Twice)?;
        }
        LogFormat::Json => {
            let layer = fmt::layer().with_writer(std::io::stderr).json().flatten_event(true);
            registry.with(layer).try_init().map_err(|_| TelemetryError::Twice)?;
        }
    }
    // The payload of a panic may quote what was being handled, so it is not written down.
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a panic: this is a fault of Weft, please report it");
    }));
    Ok(())
}
