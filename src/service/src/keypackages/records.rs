//! What is kept about KeyPackages.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Blob, Millis};

/// A KeyPackage. Key: name, 0x00, device, KeyPackageRef (RFC 9420, 5.2).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PackageRecord {
    /// As an MLSMessage.
    pub package: Blob,
    /// From then on nobody gets it: its certificate has ended, or its device has replaced it.
    pub expires_ms: Millis,
}

first_version!(PackageRecord);
