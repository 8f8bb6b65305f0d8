//! Transfers, and what is kept of them.

use crate::Refusal;
use serde::{Deserialize, Serialize};
use weft_wire::{AccountId, Millis, TransferId, bytes};

/// What a transfer does. Amounts are in minor units and at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    /// The amount moves.
    Posted {
        /// Who gives.
        debit: AccountId,
        /// Who gets.
        credit: AccountId,
        /// How much.
        amount: u64,
        /// It gives back what moved by this transfer, or a part of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunds: Option<TransferId>,
    },
    /// The amount is held back for the other, until it is posted or voided.
    Pending {
        /// Who would give.
        debit: AccountId,
        /// Who would get.
        credit: AccountId,
        /// How much at most.
        amount: u64,
        /// From then on it can only be released. `None`: it waits for as long as it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_ms: Option<Millis>,
        /// As in [`Movement::Posted`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunds: Option<TransferId>,
    },
    /// What was held back moves, all or a part of it; the rest is released.
    Post {
        /// The transfer that held it back.
        pending: TransferId,
        /// How much moves.
        amount: u64,
    },
    /// What was held back is released.
    Void {
        /// The transfer that held it back.
        pending: TransferId,
    },
}

/// What a transfer is for, as statements say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// The issuer brings money into the world.
    Issue,
    /// It takes it out again.
    Redeem,
    /// From person to person.
    Transfer,
    /// For goods or a service.
    Payment,
    /// To or from somebody at another node: what is held of it is the link's to resolve, and nobody else's.
    Remote,
    /// Something on top.
    Tip,
    /// What the node takes for it.
    Fee,
    /// Money back.
    Refund,
    /// Into a red packet.
    PacketFund,
    /// Out of a red packet.
    PacketClaim,
    /// What nobody took out of a red packet.
    PacketReturn,
    /// Into escrow.
    EscrowFund,
    /// Out of escrow, to the seller.
    EscrowRelease,
    /// Out of escrow, back to the buyer.
    EscrowReturn,
    /// By a mandate, again and again.
    Collection,
    /// Cash or a bank's money against the node's.
    TopUp,
    /// The other way.
    Withdrawal,
    /// Cash that a cash agent has taken.
    CashIn,
    /// Cash that a cash agent has given out.
    CashOut,
    /// Balances between nodes, and with cash agents.
    Settlement,
    /// The time of a pending transfer was over.
    Expiry,
    /// The operator puts something right.
    Correction,
}

impl Purpose {
    /// Its name, as programs write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Purpose::Issue => "issue",
            Purpose::Redeem => "redeem",
            Purpose::Transfer => "transfer",
            Purpose::Remote => "remote",
            Purpose::Payment => "payment",
            Purpose::Tip => "tip",
            Purpose::Fee => "fee",
            Purpose::Refund => "refund",
            Purpose::PacketFund => "packet_fund",
            Purpose::PacketClaim => "packet_claim",
            Purpose::PacketReturn => "packet_return",
            Purpose::EscrowFund => "escrow_fund",
            Purpose::EscrowRelease => "escrow_release",
            Purpose::EscrowReturn => "escrow_return",
            Purpose::Collection => "collection",
            Purpose::TopUp => "top_up",
            Purpose::Withdrawal => "withdrawal",
            Purpose::CashIn => "cash_in",
            Purpose::CashOut => "cash_out",
            Purpose::Settlement => "settlement",
            Purpose::Expiry => "expiry",
            Purpose::Correction => "correction",
        }
    }
}

/// One transfer, as it was asked for. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Made by whoever asks.
    pub id: TransferId,
    /// What it does.
    pub movement: Movement,
    /// What it is for.
    pub purpose: Purpose,
    /// What it belongs to: an order, a red packet, an invoice. Zeroes for nothing.
    #[serde(with = "bytes::array")]
    pub about: [u8; 16],
}

/// What came of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused {
        /// Which of the chain, counted from 0.
        at: u8,
        /// What was against it.
        refusal: Refusal,
    },
}

/// A transfer as it is kept. Entries are added and never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked for.
    pub transfer: Transfer,
    /// The first of the chain that it was asked with.
    pub chain: TransferId,
    /// How many transfers the chain has.
    pub chain_len: u8,
    /// Which event of the ledger it is, counted from 1.
    pub number: u64,
    /// When.
    pub at_ms: Millis,
    /// What came of it.
    pub outcome: Outcome,
    /// Between which accounts and how much: of a Post or Void, what the pending one says. `None` where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Hold>,
}

impl Entry {
    /// Whether it was done, and money moved by it.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        let moves = matches!(self.transfer.movement, Movement::Posted { .. } | Movement::Post { .. });
        moves && self.outcome == Outcome::Done
    }
}

/// An amount between two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who gives.
    pub debit: AccountId,
    /// Who gets.
    pub credit: AccountId,
    /// How much.
    pub amount: u64,
}

/// How a pending transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// By which transfer.
    pub by: TransferId,
    /// How much of it moved; nothing if it was released.
    pub posted: u64,
}

/// What became of a transfer later: the one thing about it that changes. There is none while nothing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// How it ended, if it was pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// How much of it was given back, or is being given back.
    #[serde(default)]
    pub refunded: u64,
}
