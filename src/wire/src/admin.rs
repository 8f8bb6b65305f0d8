//! What the owner of a node reads and decides about other nodes.
//!
//! `GET admin/peers?after=NAME` · `POST admin/peers/NAME`, for a session of the owner; the commands of the operator (`weft peer`)
//! speak the same.

use crate::{
    Millis, NodeName, TransferId, UserAddress,
    federation::FederationPolicy,
    wallet::{Asset, FeeKind},
};
use serde::{Deserialize, Serialize};

/// `GET admin/peers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerList {
    /// Whom this node talks to.
    pub policy: FederationPolicy,
    /// Where others reach it, as it tells them.
    pub addresses: Vec<String>,
    /// By name; at most [`crate::limits::PAGE_MAX`].
    pub peers: Vec<PeerRow>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// Another node, as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRow {
    /// Its name.
    pub name: NodeName,
    /// The peer id of its key.
    pub key: String,
    /// Another key that wants to speak for it.
    pub new_key: Option<String>,
    /// On the list of those that are allowed.
    pub trusted: bool,
    /// Shut out.
    pub blocked: bool,
    /// Per cent of the usual budgets, where the operator has said so.
    pub limit: Option<u32>,
    /// The address over which it is connected now.
    pub connected: Option<String>,
    /// Whether there is no way but over a relay.
    pub relayed: bool,
    /// Where it may be found.
    pub addresses: Vec<String>,
    /// What waits for it.
    pub waiting: u64,
    /// When it was first met.
    pub first_seen_ms: Millis,
    /// When it was last heard, to the hour; 0: never.
    pub last_contact_ms: Millis,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// What the operator wishes for another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerWish {
    /// It is on the list of those that are allowed.
    Trust,
    /// It is shut out.
    Block,
    /// It is one as every other: lifts a block, takes it off the list.
    Ordinary,
    /// Its new key counts.
    AcceptKey,
    /// The new key was somebody else's.
    RejectKey,
    /// So many per cent of the usual budgets.
    Limit(u32),
}

/// `POST admin/peers/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgePeer {
    /// What.
    pub wish: PeerWish,
}

/// Money between this node and another, for the operator. Sums are as people write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRow {
    /// The other node.
    pub peer: NodeName,
    /// What is in force.
    pub terms: Option<TermsRow>,
    /// What this node's operator has offered, and the other's has not signed.
    pub ours: Option<TermsRow>,
    /// What the other's has offered.
    pub theirs: Option<TermsRow>,
    /// What there is of each asset of the terms in force.
    pub owed: Vec<OwedRow>,
    /// How often the link was thawed.
    pub era: u32,
    /// The last message that was written.
    pub sent: u64,
    /// The last one of those that the other has taken, as far as is known.
    pub confirmed: u64,
    /// The last one of the other's that was taken.
    pub taken: u64,
    /// Payments to people there that are not decided.
    pub waiting_out: u32,
    /// Payments from people there that are not decided.
    pub waiting_in: u32,
    /// Why it stands still, if it does.
    pub frozen: Option<String>,
    /// Since when.
    pub frozen_ms: Option<Millis>,
}

/// `GET wallet/admin/links`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkList {
    /// By the other node's name.
    pub links: Vec<LinkRow>,
}

/// An account at a bank beside the books, for the operator's command. Sums are as people write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankRow {
    /// The asset that it backs.
    pub asset: Asset,
    /// How the bank calls it.
    pub account: String,
    /// Whose it is.
    pub holder: String,
    /// How much of the asset is in the world.
    pub issued: String,
    /// How much of that nobody knows the owner of yet.
    pub suspense: String,
    /// The last closing balance: its day, and how much.
    pub closing: Option<(String, String)>,
}

/// A withdrawal that waits, for the operator's command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueRow {
    /// Who asked.
    pub user: UserAddress,
    /// Of what.
    pub asset: Asset,
    /// How much, as people write it.
    pub amount: String,
    /// What the owner writes into the transfer.
    pub reference: String,
    /// The owner is about to pay it; else who asked may take it back.
    pub paying: bool,
}

/// What the node takes for payments of an asset, for the operator's command. Sums are as people write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesRow {
    /// Of what.
    pub asset: Asset,
    /// What was earned and is not taken out.
    pub earned: String,
    /// What is not here is free.
    pub fees: Vec<FeeRow>,
}

/// A fee as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeRow {
    /// For what.
    pub kind: FeeKind,
    /// For each payment.
    pub fixed: String,
    /// Of the amount: `1.5`.
    pub percent: String,
    /// No less than this.
    pub least: String,
    /// No more than this; 0: no bound.
    pub most: String,
}

/// Dual control, for the operator's command. Sums are as people write them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardRows {
    /// Who approves.
    pub approvers: Vec<UserAddress>,
    /// Each asset that has a threshold, that, and how much of it was used today.
    pub thresholds: Vec<(Asset, String, String)>,
    /// What waits, in words.
    pub waiting: Vec<(TransferId, String)>,
}

/// A cash agent, for the operator's command. Sums are as people write them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// Who.
    pub user: UserAddress,
    /// For what.
    pub asset: Asset,
    /// How much the agent owes; below zero: is owed.
    pub owed: String,
    /// How much they may owe.
    pub limit: String,
    /// Cash taken today, and given out.
    pub today: (String, String),
    /// They are stopped.
    pub frozen: bool,
}

/// Terms, as far as they fit a screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsRow {
    /// By what they are named, in hex.
    pub digest: String,
    /// Counted from 1.
    pub version: u32,
    /// How long a payment may wait for its payee.
    pub lifetime_ms: Millis,
    /// Each asset, and how much of it the other one than its issuer is willing to have.
    pub assets: Vec<(Asset, String)>,
    /// At which rates one is exchanged for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<RateRow>,
}

/// A rate of terms: what the payee gets for what the payer gives, rounded down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateRow {
    /// What is paid.
    pub give: Asset,
    /// What the payee gets: it is of their own node.
    pub get: Asset,
    /// How much of it for one of the other: a number with decimals, or a fraction.
    pub rate: String,
    /// From then on it holds no more.
    pub until_ms: Millis,
}

/// What the issuer of an asset owes the other node's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedRow {
    /// Of what.
    pub asset: Asset,
    /// This node owes it (vostro); else the other one does (nostro).
    pub vostro: bool,
    /// By what is posted.
    pub owed: String,
    /// How much more it may become by what waits.
    pub more: String,
    /// How much less.
    pub less: String,
    /// How much it may become at most.
    pub limit: String,
    /// What this node has of it for itself, by exchange, settlements and corrections. Below zero: what it has given.
    #[serde(default)]
    pub position: String,
}

/// What follows from the books of both nodes of a link that stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThawRow {
    /// By what it is named, in hex.
    pub digest: String,
    /// What becomes of payments that the two have differently, and what is owed, in words.
    pub lines: Vec<String>,
    /// How much of what it would bring into the world that needs an approver: then it cannot be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded: Option<String>,
    /// This operator has agreed to it.
    pub agreed: bool,
    /// So has the other: payments go on.
    pub done: bool,
}
