//! What a node says of itself before anyone has signed in.

use crate::{Blob, NodeName};
use serde::{Deserialize, Serialize};

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignupPolicy {
    /// Anyone who reaches the node.
    Open,
    /// Whoever holds an invite.
    Invite,
    /// Nobody.
    Closed,
}

/// `GET /api/v1/node`, without a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// The right half of every address here.
    pub name: NodeName,
    /// What the operator calls the node; shown on every page.
    pub title: String,
    /// The operator's accent colour, `#rrggbb`.
    pub accent: String,
    /// Who may sign up.
    pub signup: SignupPolicy,
    /// Whether an owner has signed up.
    pub claimed: bool,
    /// Where other nodes reach it, as multiaddresses.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// The version of the software.
    pub version: String,
    /// The node's clock.
    pub time_ms: crate::Millis,
    /// Its ed25519 key, 32 bytes: it signs receipts and the codes of shops. Clients pin it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Blob>,
}
