//! Money that comes in over a bank, and goes out over one.
//!
//! `GET wallet/top-ups` · `GET wallet/withdrawals` · `DELETE wallet/withdrawals/TRANSFER`; for the owner `GET wallet/admin/bank` · `PUT wallet/admin/bank` · `POST wallet/admin/bank/files` ·
//! `GET wallet/admin/bank/lines?after=LINE` · `POST wallet/admin/bank/lines/LINE` · `GET wallet/admin/withdrawals?after=TRANSFER` ·
//! `PUT`, `POST wallet/admin/withdrawals/TRANSFER`; for an operator's payment provider `POST wallet/webhooks/NAME`. A withdrawal is asked for by an order whose payee is [`super::Payee::Bank`].
//!
//! The node is no bank and talks to none. The operator has an account at one and stands behind the asset; what the bank says of that
//! account, the operator hands in as a file.

use super::{Asset, AssetInfo};
use crate::{AssetId, BankLineId, Blob, Millis, TransferId, UserAddress};
use serde::{Deserialize, Serialize};

/// Whose account at a bank an order is to be paid out to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BankPayee {
    /// The holder, as the bank is told.
    pub name: String,
    /// The IBAN, without spaces.
    pub account: String,
}

/// `PUT wallet/admin/bank`: the account at a bank that backs an asset. The asset is called as the account's currency, and as fine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccount {
    /// Which asset of this node.
    pub asset: AssetId,
    /// Whose account it is, as the bank has it.
    pub holder: String,
    /// The IBAN, or how else the bank calls the account in its files. Empty: none backs the asset any more.
    pub account: String,
    /// What else members need to pay into it: a BIC, the bank's name.
    #[serde(default)]
    pub bank: String,
}

/// Such an account beside what the node has in its books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountInfo {
    /// The account.
    pub account: BankAccount,
    /// `camt.053` or `MT940`: in which format it is imported since the first file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The last closing balance that the bank has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<BankBalance>,
    /// How much of the asset is in the world, in minor units.
    pub issued: u64,
    /// How much of that nobody knows the owner of yet.
    pub suspense: u64,
}

/// What an account had at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankBalance {
    /// `2026-11-22`.
    pub day: String,
    /// In minor units; below zero is owed to the bank.
    pub amount: i64,
}

/// `GET wallet/admin/bank`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankAccountList {
    /// By asset.
    pub accounts: Vec<BankAccountInfo>,
}

/// `POST wallet/admin/bank/files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportBank {
    /// camt.053 or MT940, at most [`crate::limits::BANK_FILE_BYTES_MAX`].
    pub file: Blob,
}

/// What came of a file. A line is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankImport {
    /// Statements of accounts that back an asset.
    pub statements: u32,
    /// Statements of other accounts: nothing of them was taken.
    pub foreign: u32,
    /// Statements that do not say both balances, so that nobody can tell whether something is missing.
    pub unproved: u32,
    /// Credits that a reference gave to a member.
    pub credited: u32,
    /// Debits that were withdrawals of members.
    pub paid: u32,
    /// What waits for the owner now.
    pub waiting: u32,
    /// What an earlier file has brought already.
    pub known: u32,
    /// Credits that would be more than may be issued: the same file brings them once more may be.
    pub above: u32,
    /// Entries that the bank has not booked, or that move nothing.
    pub left_out: u32,
}

/// Where a line of a bank's file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BankLineState {
    /// A credit that its reference gave to a member.
    Credited,
    /// It waits for the owner: a credit in suspense, or a debit that nobody asked for.
    Waiting,
    /// The owner has said whose it is.
    Assigned,
    /// The owner sends it back: it has left the world.
    Returned,
    /// The owner has seen a debit that is none of a member's.
    Noted,
    /// A withdrawal that a member has asked for.
    Paid,
}

/// A line that waits for the owner. Names and texts are as the other side has written them: nobody has proved them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankLine {
    /// Its id: the same in whichever file it comes.
    pub id: BankLineId,
    /// What the account backs.
    pub asset: Asset,
    /// The day on which the bank has booked it.
    pub booked: String,
    /// In minor units.
    pub amount: u64,
    /// Whether it came in.
    pub credit: bool,
    /// Who is on the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<String>,
    /// Their account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty_account: Option<String>,
    /// What was written to it; cut where it is long.
    pub text: String,
    /// When it was imported.
    pub imported_ms: Millis,
}

/// `GET wallet/admin/bank/lines`: the work list, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankLineList {
    /// At most [`crate::limits::PAGE_MAX`].
    pub lines: Vec<BankLine>,
    /// Whether there are more.
    pub more: bool,
}

/// `POST wallet/admin/bank/lines/LINE`: what becomes of a line that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecideBankLine {
    /// A credit is this member's.
    Assign(UserAddress),
    /// A credit goes back by the bank.
    Return,
    /// A debit is none of a member's.
    Note,
}

/// How a member pays into the account that backs an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpWay {
    /// Which asset.
    pub asset: AssetInfo,
    /// Whose account it is.
    pub holder: String,
    /// The IBAN.
    pub account: String,
    /// A BIC, the bank's name, or nothing.
    pub bank: String,
    /// The caller's own creditor reference (ISO 11649), without spaces: what is paid with it is theirs.
    pub reference: String,
}

/// `GET wallet/top-ups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpList {
    /// By asset.
    pub ways: Vec<TopUpWay>,
}

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WithdrawalState {
    /// The money is held; the owner has not paid it yet.
    Waiting,
    /// It has left the world.
    Paid,
    /// The owner has given it back.
    Returned,
    /// The owner is about to pay it: who asked cannot take it back any more.
    Paying,
    /// Who asked has taken it back, before the owner was about to pay it.
    TakenBack,
}

impl WithdrawalState {
    /// Whether the money is still held.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, WithdrawalState::Waiting | WithdrawalState::Paying)
    }
}

/// A withdrawal, for who asked and for the owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalInfo {
    /// The transfer that holds the money.
    pub id: TransferId,
    /// Who asked.
    pub user: UserAddress,
    /// Of what.
    pub asset: Asset,
    /// In minor units.
    pub amount: u64,
    /// Where to.
    pub to: BankPayee,
    /// What the owner writes into the transfer, so that the bank's file says which it was.
    pub reference: String,
    /// Where it stands.
    pub state: WithdrawalState,
    /// When it was asked for.
    pub at_ms: Millis,
}

/// `GET wallet/withdrawals`: the caller's, the newest first; `GET wallet/admin/withdrawals`: those that wait, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalList {
    /// At most [`crate::limits::PAGE_MAX`].
    pub withdrawals: Vec<WithdrawalInfo>,
    /// Whether there are more.
    pub more: bool,
}

/// `POST wallet/admin/withdrawals/TRANSFER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideWithdrawal {
    /// The owner has paid it; or it goes back.
    pub paid: bool,
}

/// `POST wallet/webhooks/NAME`, in JSON: a payment provider of the operator says that money has come in. Signed as docs/topping-up.md says.
/// The same again counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpNotice {
    /// How the provider calls the payment, for ever: at most [`crate::limits::NOTICE_ID_BYTES_MAX`] bytes.
    pub id: String,
    /// In minor units of the currency; at least 1.
    pub amount: u64,
    /// As ISO 4217 calls it: of an asset that an account at a bank backs.
    pub currency: String,
    /// The member's creditor reference. Without a known one the money waits for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who has paid, as the provider knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<String>,
    /// What else was said.
    #[serde(default)]
    pub text: String,
}

/// What has become of it by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpTaken {
    /// As of a line of a bank's file.
    pub state: BankLineState,
}
