//! Vault records: what all devices of one account share, last writer wins. The node learns neither names nor contents.
//!
//! `PUT vault/records` · `GET vault/records?after=NAME`

use crate::{Blob, bytes};
use serde::{Deserialize, Serialize};

/// A sealed record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultRecord {
    /// A keyed hash of the record's name.
    #[serde(with = "bytes::array")]
    pub name: [u8; 32],
    /// Higher wins. On a tie the higher `sealed`, bytewise.
    pub version: u64,
    /// XChaCha20-Poly1305 under the vault key, the name as associated data.
    pub sealed: Blob,
}

/// `PUT vault/records`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutVaultRecords {
    /// At most 64 at once.
    pub records: Vec<VaultRecord>,
}

/// `GET vault/records`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultPage {
    /// By name.
    pub records: Vec<VaultRecord>,
    /// Whether there are more after the last one.
    pub more: bool,
}
