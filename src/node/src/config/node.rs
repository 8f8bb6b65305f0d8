//! `[node]`.

use super::ConfigError;
use serde::{Deserialize, Serialize};
use weft_wire::{NodeName, node::SignupPolicy};

/// Who the node is and who may join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSection {
    /// The right half of every address here: a DNS name. Empty: the peer id of the node's key. It must never change.
    pub name: String,
    /// Shown on every page.
    pub title: String,
    /// The accent colour of the pages, `#rrggbb`.
    pub accent: String,
    /// Who may sign up.
    pub signup: SignupPolicy,
    /// Whether every member, and not only the owner, may invite others.
    pub members_invite: bool,
    /// How long a session lives; then the device signs for a new one by itself, with its key.
    pub session_days: u32,
}

impl Default for NodeSection {
    fn default() -> Self {
        NodeSection {
            name: String::new(),
            title: "Weft".to_owned(),
            accent: "#0F766E".to_owned(),
            signup: SignupPolicy::Invite,
            members_invite: true,
            session_days: 30,
        }
    }
}

impl NodeSection {
    /// The configured name, if there is one.
    pub fn name(&self) -> Option<NodeName> {
        self.name.parse().ok()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.name.is_empty() && self.name().is_none() {
            let message = format!("found \"{}\", expected a DNS name, such as \"home.example\"", self.name);
            return Err(ConfigError::value("node.name", message));
        }
        let digits = self.accent.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("found \"{}\", expected a colour, such as \"#0F766E\"", self.accent);
            return Err(ConfigError::value("node.accent", message));
        }
        if self.title.is_empty() || self.title.len() > 128 {
            return Err(ConfigError::value("node.title", "expected a text of 1 to 128 bytes"));
        }
        Ok(())
    }
}
