//! What is kept about invites.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Millis, UserName};

/// An invite. Key: BLAKE3 of its code, which has 128 bits of randomness and so needs no salt.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InviteRecord {
    /// None: the operator.
    pub by: Option<UserName>,
    pub uses_left: u32,
    pub expires_ms: Millis,
}

first_version!(InviteRecord);
