//! What an operator decides, as far as the features know it. `weft-node` reads it from `node.toml`.

use std::collections::BTreeSet;
use weft_wire::{Millis, NodeName, federation::FederationPolicy, node::SignupPolicy};

const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// The policies of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceConfig {
    /// What the operator calls the node.
    pub title: String,
    /// The operator's accent colour, `#rrggbb`.
    pub accent: String,
    /// Who may sign up.
    pub signup: SignupPolicy,
    /// Whether members, and not only the owner, may make invites.
    pub members_invite: bool,
    /// How long a session lives before its device must sign for a new one.
    pub session_lifetime_ms: Millis,
    /// How long a room log keeps what some device has not fetched.
    pub retention_ms: Millis,
    /// Whom the node talks to.
    pub federation: FederationPolicy,
    /// Nodes that it talks to in no case.
    pub blocked_nodes: BTreeSet<NodeName>,
    /// Whether it may call addresses of its own network because somebody says that a node is there.
    pub inward_hints: bool,
    /// How long what is for another node waits for it.
    pub peer_retention_ms: Millis,
    /// Every rate limit times this; 0 lifts them all (tests, load generators).
    pub rate_limit_factor: f64,
    /// What an account may write in a day, in MiB; a factor of 0 lifts this as well.
    pub written_mib_per_day: u32,
    /// What an account's vault may hold, in MiB.
    pub vault_mib: u32,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        ServiceConfig {
            title: "Weft".to_owned(),
            accent: "#0F766E".to_owned(),
            signup: SignupPolicy::Invite,
            members_invite: true,
            session_lifetime_ms: 30 * DAY_MS,
            retention_ms: 30 * DAY_MS,
            federation: FederationPolicy::Open,
            blocked_nodes: BTreeSet::new(),
            inward_hints: false,
            peer_retention_ms: 7 * DAY_MS,
            rate_limit_factor: 1.0,
            written_mib_per_day: 256,
            vault_mib: 128,
        }
    }
}
