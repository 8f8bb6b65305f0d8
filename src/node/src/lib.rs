//! Builds a running node out of store, service and API: configuration, wiring, logs, shutdown.

pub mod archive;
mod bounded;
pub mod config;
pub mod control;
pub mod federation;
pub mod identity;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
mod wiring;

pub use config::{Config, ConfigError};
pub use wiring::{
    Node, RunningNode, StartError, check_own, configured_key, configured_name, configured_url, is_set_up,
};
