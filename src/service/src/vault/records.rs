//! What is kept of vaults.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Blob, DeviceId};

/// A sealed record. Key: name, 0x00, record name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VaultRow {
    pub version: u64,
    pub sealed: Blob,
    /// Which device wrote it: it need not be told.
    pub by: DeviceId,
    /// Its place among the account's changes.
    pub change: u64,
}

/// What an account's bounds are measured by. Key: name.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct VaultBook {
    pub records: u32,
    /// The newest change.
    pub changes: u64,
    /// Of all sealed contents together. None: written before they were counted; counted when the next record is put.
    #[serde(default)]
    pub bytes: Option<u64>,
}

impl Default for VaultBook {
    fn default() -> Self {
        VaultBook { records: 0, changes: 0, bytes: Some(0) }
    }
}

first_version!(VaultRow, VaultBook);
