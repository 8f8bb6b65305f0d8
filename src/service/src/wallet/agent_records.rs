//! What is kept of cash agents.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{TransferId, UserName};

/// A cash agent. Key: name, 0x00, asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AgentRecord {
    /// How much they may owe, in minor units: the floor of their float.
    pub limit: u64,
    /// The owner has stopped them.
    pub frozen: bool,
    /// The newest event of the ledger when they became an agent.
    pub since: u64,
    /// The newest event of the ledger when the limit was last raised.
    pub event: u64,
    /// By which that was approved, if it had to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<TransferId>,
    /// Days since 1970 (UTC).
    pub day: u64,
    /// Cash taken on that day, in minor units.
    pub cash_in: u64,
    /// Cash given out on that day.
    pub cash_out: u64,
}

impl AgentRecord {
    /// As of a day: what was before it is over.
    pub(crate) fn on(self, day: u64) -> AgentRecord {
        if self.day == day { self } else { AgentRecord { day, cash_in: 0, cash_out: 0, ..self } }
    }
}

/// The cash agents of an asset. Key: the asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct AgentBook {
    /// In the order in which they came.
    pub agents: Vec<UserName>,
}

first_version!(AgentRecord, AgentBook);
