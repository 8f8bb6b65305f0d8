//! What is kept of a bank's account and files, and of who wants money out.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{
    AssetId, BankLineId, Millis, TransferId, UserName,
    wallet::{BankAccount, BankBalance, BankLineState, BankPayee, WithdrawalState},
};

/// The account at a bank that backs an asset. Key: the asset.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankAccountRecord {
    pub account: BankAccount,
    /// `camt.053` or `MT940`, once a file was imported: what has no bank's reference has another key in the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The last closing balance that a file had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<BankBalance>,
}

/// In what form the files of an account come: also once it has backed something else meanwhile, or nothing. Key: the asset, the account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormatRecord {
    /// As in [`BankAccountRecord`].
    pub format: String,
}

/// A line of a bank's file. Key: its id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankLineRecord {
    pub asset: AssetId,
    /// `2026-11-22`.
    pub booked: String,
    /// In minor units: above zero came in, below zero went out.
    pub amount: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_account: Option<String>,
    pub text: String,
    pub imported_ms: Millis,
    pub state: BankLineState,
    /// Whose it is, if a member's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<UserName>,
    /// The withdrawal that it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<TransferId>,
    /// The proposal by which its file was approved, where it had to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<TransferId>,
}

/// What a member has with the bank, in one asset. Key: name, 0x00, asset.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankingRecord {
    /// What they write into a transfer, once they have asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Withdrawals that wait.
    pub waiting: u32,
}

/// What a creditor reference stands for. Key: the reference, without spaces.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReferenceRecord {
    /// Money of this member.
    TopUp { name: UserName, asset: AssetId },
    /// Money for this withdrawal.
    Withdrawal(TransferId),
}

/// A withdrawal. Key: the transfer that holds the money.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WithdrawalRecord {
    pub name: UserName,
    pub asset: AssetId,
    /// In minor units.
    pub amount: u64,
    pub to: BankPayee,
    pub reference: String,
    pub at_ms: Millis,
    pub state: WithdrawalState,
    /// The line of a file that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<BankLineId>,
}

first_version!(
    BankAccountRecord,
    FormatRecord,
    BankLineRecord,
    BankingRecord,
    ReferenceRecord,
    WithdrawalRecord
);
