//! What is asked and told about money that comes in over a bank and goes out over one. Amounts are as in `wallet`.

use super::{AssetView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about banks, and about what is between this node and others. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum TopUpCall {
    /// Where one pays in, and with which reference. → [`TopUpReply::TopUps`]
    TopUps,
    /// Has money paid out to an account at a bank: it is held until the owner has paid it. As [`super::Call::Pay`]. → [`super::Reply::Done`]
    Withdraw {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// Whose account it is, as the bank is told.
        name: String,
        /// The IBAN.
        account: String,
        /// The payment PIN.
        pin: String,
    },
    /// One's own withdrawals, the newest first. → [`TopUpReply::Withdrawals`]
    Withdrawals,
    /// Takes back what the owner is not about to pay; `already_decided` if that is so. → [`super::Reply::Done`]
    TakeBackWithdrawal {
        /// Which.
        id: String,
    },
    /// The accounts that back assets, beside the books. For the owner, as all that follow. → [`TopUpReply::BankAccounts`]
    BankAccounts,
    /// An account backs an asset from now on. → [`super::Reply::Done`]
    SetBankAccount {
        /// Asset id.
        asset: String,
        /// Whose account it is.
        name: String,
        /// The IBAN, or how else the bank's files call it; empty: none backs the asset any more.
        account: String,
        /// A BIC, the bank's name, or nothing.
        note: String,
    },
    /// Takes a bank's file; `bank_file` if it cannot be taken, and then nothing of it is. → [`TopUpReply::Imported`]
    ImportBank {
        /// Its bytes in base64url without padding.
        text: String,
    },
    /// What waits for the owner of the bank's files, the oldest first. → [`TopUpReply::BankLines`]
    BankLines {
        /// Those after this one; none: the first page.
        id: Option<String>,
    },
    /// What becomes of such a line. → [`super::Reply::Done`]
    DecideLine {
        /// Which.
        id: String,
        /// `assign`, `return` or `note`.
        act: String,
        /// Whose money it is; address.
        user: Option<String>,
    },
    /// Withdrawals that wait for the owner, the oldest first. → [`TopUpReply::Withdrawals`]
    WithdrawalsWaiting {
        /// Those after this one; none: the first page.
        id: Option<String>,
    },
    /// The owner is about to pay a withdrawal: it cannot be taken back any more. → [`super::Reply::Done`]
    BeginWithdrawal {
        /// Which.
        id: String,
    },
    /// The owner has paid a withdrawal, or gives it back. → [`super::Reply::Done`]
    DecideWithdrawal {
        /// Which.
        id: String,
        /// It is paid.
        accept: bool,
    },
    /// What is between this node and others. → [`TopUpReply::Links`]
    NodeLinks,
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum TopUpReply {
    /// Where one pays in, by asset.
    TopUps(Vec<TopUpView>),
    /// A page of withdrawals.
    Withdrawals(WithdrawalsView),
    /// By asset.
    BankAccounts(Vec<BankAccountView>),
    /// What came of a file.
    Imported(ImportedView),
    /// A page of the work list.
    BankLines(BankLinesView),
    /// By the other node's name.
    Links(Vec<NodeLinkView>),
}

/// How one pays into the account that backs an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct TopUpView {
    /// Which asset.
    pub asset: AssetView,
    /// What people read of it.
    pub title: String,
    /// What stands behind it, in the operator's words.
    pub backing: String,
    /// Whose account it is.
    pub name: String,
    /// The IBAN.
    pub account: String,
    /// A BIC, the bank's name, or nothing.
    pub note: String,
    /// One's own creditor reference (ISO 11649), without spaces.
    pub reference: String,
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WithdrawalView {
    /// Its id.
    pub id: String,
    /// Who asked.
    pub person: PersonView,
    /// Of what.
    pub asset: AssetView,
    /// How much.
    pub amount: String,
    /// Whose account it goes to.
    pub name: String,
    /// The IBAN.
    pub account: String,
    /// What the owner writes into the transfer.
    pub reference: String,
    /// `waiting`, `paying`, `paid`, `returned`, `taken_back`.
    pub state: String,
    /// When, ms.
    pub time_ms: f64,
}

/// A page of withdrawals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WithdrawalsView {
    /// In their order.
    pub withdrawals: Vec<WithdrawalView>,
    /// Whether there are more.
    pub more: bool,
}

/// The account at a bank that backs an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BankAccountView {
    /// Asset id.
    pub asset: String,
    /// Whose account it is.
    pub name: String,
    /// The IBAN.
    pub account: String,
    /// A BIC, the bank's name, or nothing.
    pub note: String,
    /// How much of the asset is in the world.
    pub issued: String,
    /// How much of that nobody knows the owner of yet.
    pub suspense: String,
    /// What the bank said last that the account had, and at the end of which day (`2026-11-22`).
    pub closing: Option<(String, String)>,
}

/// What came of a file: how many lines of each kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ImportedView {
    /// Given to members by their references.
    pub credited: u32,
    /// Withdrawals of members.
    pub paid: u32,
    /// What waits for the owner now.
    pub waiting: u32,
    /// What was known.
    pub known: u32,
    /// What would be more than may be issued: it was not booked.
    pub above: u32,
    /// Not booked by the bank, or moving nothing.
    pub left_out: u32,
    /// Statements of accounts that back no asset.
    pub foreign: u32,
    /// Statements without both balances.
    pub unproved: u32,
}

/// A line of a bank's file that waits for the owner. What is written in it nobody has proved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BankLineView {
    /// Its id.
    pub id: String,
    /// Of what.
    pub asset: AssetView,
    /// `2026-11-22`.
    pub day: String,
    /// How much.
    pub amount: String,
    /// Whether it came in.
    pub credit: bool,
    /// Who is on the other side.
    pub name: Option<String>,
    /// Their account.
    pub account: Option<String>,
    /// What was written to it.
    pub text: String,
}

/// A page of the work list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BankLinesView {
    /// The oldest first.
    pub lines: Vec<BankLineView>,
    /// Whether there are more.
    pub more: bool,
}

/// What is between this node and another. Sums are as people write them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct NodeLinkView {
    /// The other node.
    pub node: String,
    /// Whether terms are in force.
    pub terms: bool,
    /// What this operator has offered waits for the other's signature.
    pub offered: bool,
    /// What the other's has offered waits for this one's.
    pub asked: bool,
    /// Why payments stand still, if they do.
    pub frozen: Option<String>,
    /// Since when, ms.
    pub frozen_ms: Option<f64>,
    /// Payments to people there that wait.
    pub waiting_out: u32,
    /// Payments from people there that wait.
    pub waiting_in: u32,
    /// Each asset of the terms.
    pub owed: Vec<NodeOwedView>,
    /// At which rates one is given for another: `EUR`, `USD`, `1.09`.
    #[serde(default)]
    #[ts(as = "Option<Vec<(String, String, String)>>", optional)]
    pub rates: Vec<(String, String, String)>,
}

/// What the issuer of an asset owes the other node's people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct NodeOwedView {
    /// `EUR`.
    pub code: String,
    /// This node owes it; else the other one does.
    pub ours: bool,
    /// How much.
    pub owed: String,
    /// How much it may become at most.
    pub limit: String,
    /// What this node has of it for itself, by exchange and settlements.
    #[serde(default)]
    #[ts(as = "Option<String>", optional)]
    pub position: String,
}
