//! What is said of money in a room: cards. They say what was meant; what is true of the money, the node says.

use super::Asset;
use crate::{Millis, RequestId, TransferId, UserAddress};
use serde::{Deserialize, Serialize};

/// Content of kind `transfer`: money for the reader of a direct chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferCard {
    /// The transfer in the payer's node.
    pub transfer: TransferId,
    /// Of what.
    pub asset: Asset,
    /// How much, in minor units.
    pub amount: u64,
    /// What for; at most [`crate::limits::MONEY_NOTE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub note: String,
}

/// Content of kind `request`: the sender asks for money. In a group, a bill that is split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCard {
    /// Whoever pays names it.
    pub request: RequestId,
    /// Of what.
    pub asset: Asset,
    /// Who is to pay how much, in minor units; nobody twice, and not the sender.
    pub parts: Vec<RequestPart>,
    /// The whole bill, with what the sender bears; in minor units.
    pub total: u64,
    /// What for; at most [`crate::limits::MONEY_NOTE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub note: String,
}

/// What one is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestPart {
    /// Who.
    pub user: UserAddress,
    /// How much, in minor units.
    pub amount: u64,
}

/// Content of kind `paid`: the sender has paid what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidCard {
    /// What was asked for.
    pub request: RequestId,
    /// By which transfer.
    pub transfer: TransferId,
    /// Of what.
    pub asset: Asset,
    /// How much, in minor units.
    pub amount: u64,
}

/// Content of kind `invoice`: the sender, or a shop where they work, asks the reader, of another node, to pay an invoice. What stands in
/// it, the issuer's node says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceCard {
    /// Whose it is: of the sender's node.
    pub issuer: UserAddress,
    /// Which of theirs.
    pub invoice: RequestId,
    /// Its number.
    pub number: u64,
    /// In what.
    pub asset: Asset,
    /// What it comes to, in minor units.
    pub total: u64,
    /// By when it is to be paid.
    pub due_ms: Millis,
}
