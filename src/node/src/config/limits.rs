//! `[socket]` and `[limits]`. Bounds that protect the node's memory are fixed in `weft_wire::limits`.

use super::{ConfigError, ranges};
use serde::{Deserialize, Serialize};

/// The WebSocket of each device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SocketConfig {
    /// How long a device may take to say who it is.
    pub hello_timeout_s: u64,
    /// How long one frame may take to be read by the device; then the socket is closed as a slow reader.
    pub write_timeout_s: u64,
    /// A socket that is silent for so long is taken for dead. Devices ping every 30 s.
    pub idle_timeout_s: u64,
}

impl Default for SocketConfig {
    fn default() -> Self {
        SocketConfig { hello_timeout_s: 10, write_timeout_s: 20, idle_timeout_s: 120 }
    }
}

/// Rate limits, and how much of the disk an account may have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Multiplies every rate limit. Raise it where many people share one address; 0 lifts all limits, for tests.
    pub rate_multiplier: f64,
    /// What an account may write in a day: messages, changes of groups, vault records; and what another node may make this one keep
    /// of its rooms. `rate_multiplier` = 0 lifts it as well.
    pub account_mib_per_day: u32,
    /// What the vault of an account may hold.
    pub vault_mib: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig { rate_multiplier: 1.0, account_mib_per_day: 256, vault_mib: 128 }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let factor = self.rate_multiplier;
        if factor == 0.0 || (0.01..=1_000_000.0).contains(&factor) {
            return Ok(());
        }
        let expected = ranges::expected("limits.rate_multiplier").unwrap_or_default();
        Err(ConfigError::value("limits.rate_multiplier", format!("found `{factor}`, expected {expected}")))
    }
}
