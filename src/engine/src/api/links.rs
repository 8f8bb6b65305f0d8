//! What is asked and told about what nodes owe each other: settlements, and statements of links. Sums are as people write them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about links with other nodes, for the owner. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum LinkCall {
    /// What was settled with a node, the newest first. → [`LinkReply::Table`]
    Settlements {
        /// The node.
        name: String,
    },
    /// Says that this node owes less: it has paid elsewhere, or what the other owes is set off. Nothing moves until the other operator
    /// agrees. → [`super::Reply::Done`]
    Settle {
        /// 32 hexadecimal digits, random: one a form that is filled in.
        id: String,
        /// The node.
        name: String,
        /// `EUR`: an asset of this node.
        code: String,
        /// `12.50`
        amount: String,
        /// An asset of the other's, if it is set off.
        against: Option<String>,
        /// Where and how it was paid.
        note: String,
    },
    /// Says whether what the other operator has settled is so. → [`super::Reply::Done`]
    DecideSettlement {
        /// Which.
        id: String,
        /// The node.
        name: String,
        /// Whether it is.
        accept: bool,
        /// How much has come: it has to be what was proposed.
        amount: String,
    },
    /// Looks at the terms with a node, or does something about them: `terms`, `offer`, `accept`, `withdraw`, `freeze`, `thaw`, with the rows
    /// that `weft_wire::link_terms` names. → [`LinkReply::Table`]
    LinkTerms {
        /// The node.
        name: String,
        /// What to do.
        act: String,
        /// With what.
        rows: Vec<Vec<String>>,
    },
    /// What moved what two nodes owe each other. → [`LinkReply::Table`]
    LinkStatement {
        /// The node.
        name: String,
        /// From then on, ms.
        from_ms: f64,
        /// Up to then, ms.
        until_ms: f64,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum LinkReply {
    /// Rows of texts as the node gives them (`weft_wire::links::Table`): they go to the page of the owner alone, which knows what is in
    /// them.
    Table(Vec<Vec<String>>),
}
