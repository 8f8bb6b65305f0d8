//! What is asked and told about escrow: money that the node holds for a seller. Amounts are as in `wallet`.

use super::{AssetView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about escrow. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum EscrowCall {
    /// What is and was held, of oneself as buyer and seller, the newest first. → [`EscrowReply::Escrows`]
    Escrows {
        /// Of a shop where one works: its address.
        shop: Option<String>,
        /// Those before this one; none: the newest page.
        escrow: Option<String>,
    },
    /// An escrow as it stands. → [`EscrowReply::Escrow`]
    Escrow {
        /// Its id.
        escrow: String,
    },
    /// Pays money in. As [`super::Call::Pay`]. → [`EscrowReply::Escrow`]
    FundEscrow {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address of the seller: a person or a shop.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// What for, or nothing.
        note: String,
        /// When what is left goes back, ms.
        due_ms: f64,
        /// The payment PIN.
        pin: String,
    },
    /// The buyer says how much is for the seller; the rest comes back. All of it, or what the seller asks for, is done at once; anything
    /// else is an offer. `already_decided`. → [`EscrowReply::Escrow`]
    SettleEscrow {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Its id.
        escrow: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
    /// The seller gives back what came out of it, or a part of that. As [`super::Call::Pay`]. → [`EscrowReply::Escrow`]
    RefundEscrow {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Its id.
        escrow: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
    /// The seller says how much is enough; `0` gives all back. `already_decided`. → [`EscrowReply::Escrow`]
    AcceptEscrow {
        /// Its id.
        escrow: String,
        /// In minor units, less than all.
        amount: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum EscrowReply {
    /// A page of them.
    Escrows(EscrowsView),
    /// One.
    Escrow(EscrowView),
}

/// A page, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EscrowsView {
    /// The newest first.
    pub escrows: Vec<EscrowView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// Money that is held, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EscrowView {
    /// Its id.
    pub escrow: String,
    /// Whose money it is.
    pub buyer: PersonView,
    /// For whom; a shop is called by its title.
    pub seller: PersonView,
    /// Whether that is a shop.
    pub shop: bool,
    /// Whether one is the buyer.
    pub mine: bool,
    /// Of what.
    pub asset: AssetView,
    /// How much was paid in.
    pub total: String,
    /// What for; empty: nothing was said.
    pub note: String,
    /// When it was paid in, ms.
    pub time_ms: f64,
    /// When what is left goes back, ms.
    pub until_ms: f64,
    /// `open`, `released`, `returned`, `split`, `expired`.
    pub state: String,
    /// How much the buyer offers the seller.
    pub offered: Option<String>,
    /// How much is enough for the seller.
    pub asked: Option<String>,
    /// When it ended, ms.
    pub ended_ms: Option<f64>,
    /// What went to the seller.
    pub to_seller: String,
    /// By which transfer.
    pub transfer: Option<String>,
    /// What of that went back since.
    pub refunded: String,
}
