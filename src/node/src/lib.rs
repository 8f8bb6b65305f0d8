//! Builds a running node: configuration, wiring, telemetry, shutdown.
