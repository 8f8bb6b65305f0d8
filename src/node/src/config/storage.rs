//! `[storage]`.

use super::ConfigError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where data lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// The data folder, relative to the working directory. Everything that must be kept is in it.
    pub data: PathBuf,
    /// Memory that the index may use as cache.
    pub cache_mib: u64,
    /// Size of one file of the journal.
    pub segment_mib: u64,
    /// How long entries of a room log are kept for devices that are away.
    pub retention_days: u32,
    /// Free space on the disk below which nothing new is stored; below half of it nothing is deleted and nobody signed out either.
    pub min_free_mib: u64,
}

impl StorageConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.data.as_os_str().is_empty() {
            return Err(ConfigError::value("storage.data", "found nothing, expected the path of a folder"));
        }
        Ok(())
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        StorageConfig {
            data: PathBuf::from("./data"),
            cache_mib: 16,
            segment_mib: 64,
            retention_days: 30,
            min_free_mib: 256,
        }
    }
}
