//! Logs: to standard error, with ids and never with contents.

use crate::config::{LogConfig, LogFormat};
use std::{io::IsTerminal, panic};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What libraries say that is not for operators: the one for DNS writes whole answers down, over many lines, which whoever holds
/// some name has written. What it comes to, the code that asked says in a line. The one for Kademlia warns at each start that it knows
/// nobody as yet, which is no fault of anybody's. `log.filter` may ask for them by name.
const QUIET: &str = "hickory_net=off,hickory_resolver=off,libp2p_kad::behaviour=error";

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

/// What comes later overrules what was said before.
fn filter(wanted: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().parse(format!("{QUIET},{wanted}"))
}

/// Sets up logging for the process, and a panic hook that tells where a panic happened but not with what.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let filter = filter(&config.filter)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(wanted: &str) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = fmt::layer().with_writer(move || writer.clone()).with_ansi(false);
        let registry = tracing_subscriber::registry().with(filter(wanted).unwrap()).with(layer);
        tracing::subscriber::with_default(registry, || {
            tracing::warn!(target: "hickory_net::dnssec", "Query {{\n name: \"evil.example\" }}");
            tracing::error!(target: "hickory_resolver::name_server", "a dump");
            tracing::warn!(target: "libp2p_kad::behaviour", "Failed to trigger bootstrap: No known peers.");
            tracing::warn!(target: "weft_node::federation::dns", "in a line");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn what_libraries_say_to_nobody_is_quiet_unless_it_is_asked_for() {
        for usual in ["info", "debug", "trace", "info,weft_store=debug"] {
            let said = written(usual);
            assert!(said.contains("in a line") && !said.contains("evil") && !said.contains("dump"), "{said}");
            assert!(!said.contains("bootstrap"), "{said}");
        }
        assert!(written("info,libp2p_kad::behaviour=warn").contains("bootstrap"));
        assert!(written("info,hickory_net=warn").contains("evil.example"));
    }
}
