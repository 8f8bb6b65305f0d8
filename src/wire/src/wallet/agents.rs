//! Cash agents: members who take cash and give money of the node for it (cash-in), and the other way (cash-out).
//!
//! `GET wallet/agents`; for the owner `GET wallet/admin/agents` · `PUT wallet/admin/agents` · `POST wallet/admin/agents/settle`.
//!
//! An agent has a float: an account of its own beside the personal one. It may go below zero as far as the agent's limit: that much
//! of the cash in the agent's till is the node's. A cash-in is an order of the agent to [`super::Payee::CashIn`], a cash-out one of the
//! member to [`super::Payee::CashOut`]. What the agent brings to the owner, or fetches there, the owner settles.

use super::Asset;
use crate::{AccountId, AssetId, TransferId, UserAddress};
use serde::{Deserialize, Serialize};

/// A cash agent, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Who.
    pub user: UserAddress,
    /// For what.
    pub asset: Asset,
    /// The owner has stopped them: they take no cash and give none.
    pub frozen: bool,
}

/// The same with the float: for the agent and for the owner. In minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentInfo {
    /// Who, and for what.
    pub agent: Agent,
    /// The account of the float: its history is told as any other's.
    pub account: AccountId,
    /// How much the agent may owe.
    pub limit: u64,
    /// How much cash in the agent's till is the node's.
    pub owed: u64,
    /// How much the node owes the agent: paid in advance, or given out in cash.
    pub held: u64,
    /// How much can be paid in now.
    pub left: u64,
    /// Cash taken today (UTC).
    pub today_in: u64,
    /// Cash given out today.
    pub today_out: u64,
}

/// `GET wallet/agents`, and `GET wallet/admin/agents`: there, the floats of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentList {
    /// All of them, by asset and in the order in which they became agents; at most [`crate::limits::AGENTS_MAX`] of each.
    pub agents: Vec<Agent>,
    /// Those of the caller; for the owner's desk, all.
    pub mine: Vec<AgentInfo>,
}

/// `PUT wallet/admin/agents`: somebody is an agent from now on, with this limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAgent {
    /// Who.
    pub user: UserAddress,
    /// For what.
    pub asset: AssetId,
    /// How much they may owe, in minor units. 0: they pay in advance.
    pub limit: u64,
    /// They are stopped.
    #[serde(default)]
    pub frozen: bool,
    /// They are an agent no longer: what is owed, either way, is settled before.
    #[serde(default)]
    pub end: bool,
}

/// `POST wallet/admin/agents/settle`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleAgent {
    /// Made by whoever asks; asking again settles once.
    pub id: TransferId,
    /// Who.
    pub user: UserAddress,
    /// For what.
    pub asset: AssetId,
    /// How much, in minor units.
    pub amount: u64,
    /// The owner has paid the agent; else the agent has paid the owner.
    #[serde(default)]
    pub paid_out: bool,
}
