//! What is asked and told about cash agents. Amounts are as in `wallet`.

use super::{AssetView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about cash agents. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum AgentCall {
    /// Where one brings and fetches cash, and one's own floats. → [`AgentReply::Agents`]
    Agents,
    /// Somebody has given one cash: pays them from one's float. As [`super::Call::Pay`]; `agent_limit` where it does not hold as much.
    /// → [`super::Reply::Done`]
    CashIn {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Who; address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
    /// An agent has given one cash: pays them. As [`super::Call::Pay`]. → [`super::Reply::Done`]
    CashOut {
        /// As in [`super::Call::Pay`].
        id: String,
        /// The agent; address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
    /// All agents with their floats. For the owner, as all that follow. → [`AgentReply::Agents`], all of it in `mine`
    AgentDesk,
    /// Somebody is an agent from now on, may owe so much, is stopped, or is one no longer. `needs_approval` where it waits.
    /// → [`super::Reply::Done`]
    SetAgent {
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// How much they may owe, in minor units.
        amount: String,
        /// Stopped.
        frozen: bool,
        /// An agent still; else no longer.
        on: bool,
    },
    /// Cash has changed hands between an agent and the owner. → [`super::Reply::Done`]
    SettleAgent {
        /// Made by the form: asking again settles once.
        id: String,
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// The owner has paid the agent.
        sent: bool,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum AgentReply {
    /// Agents.
    Agents(AgentsView),
}

/// Cash agents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentsView {
    /// All: who, of what, and whether they are stopped.
    pub agents: Vec<AgentView>,
    /// Floats that one may look into.
    pub mine: Vec<FloatView>,
}

/// A cash agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AgentView {
    /// Who.
    pub person: PersonView,
    /// Of what.
    pub asset: AssetView,
    /// The owner has stopped them.
    pub frozen: bool,
}

/// A cash agent's float.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct FloatView {
    /// Whose.
    pub agent: AgentView,
    /// Its account, for [`super::Call::WalletHistory`].
    pub account: String,
    /// How much the agent may owe.
    pub limit: String,
    /// How much cash in the agent's till is the node's.
    pub owed: String,
    /// How much the node owes the agent.
    pub held: String,
    /// How much can be paid in now.
    pub left: String,
    /// Cash taken today.
    pub today_in: String,
    /// Cash given out today.
    pub today_out: String,
}
