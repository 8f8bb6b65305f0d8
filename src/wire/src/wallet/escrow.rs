//! Escrow: the buyer's money lies with the node until the buyer releases it, the seller gives it back, or both agree on a split.
//!
//! `GET wallet/escrows?shop=NAME&before=ID` · `GET wallet/escrows/ID` · `POST wallet/escrows/ID`, where ID is the transfer that funded it.
//!
//! It is funded by an order to [`super::Payee::Escrow`]. What goes to the seller, goes by the buyer's word alone: an order to
//! [`super::Payee::Settle`] that their device signs, and which says how much. The seller gives up what is not theirs yet, and signs for
//! nothing. Whatever is left when its time is over goes back to the buyer.

use super::{Asset, PaymentOrder, ShopName};
use crate::{Millis, Signed, TransferId, UserAddress};
use serde::{Deserialize, Serialize};

/// Money for a seller, held until both sides are content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EscrowTerms {
    /// For whom: a person or a shop.
    pub seller: UserAddress,
    /// What is left then goes back to the buyer.
    pub until_ms: Millis,
    /// What for, at most [`crate::limits::ESCROW_NOTE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub note: String,
}

/// What the buyer says of what is held: the order's amount is for the seller, the rest comes back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SettlePayee {
    /// The transfer that funded it.
    pub escrow: TransferId,
    /// Who gets it.
    pub seller: UserAddress,
}

/// `POST wallet/escrows/ID`; the answer is an [`EscrowInfo`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EscrowAct {
    /// The buyer: to [`super::Payee::Settle`]. All of it, or as much as the seller asks for, is done at once; anything else is an
    /// offer, which takes the place of the buyer's last one.
    Settle {
        /// Signed with the device's order key.
        order: Signed<PaymentOrder>,
    },
    /// The seller, or those who lead the shop: so much is enough. 0 gives all back, and what the buyer offers is done, at once;
    /// anything else is an offer, which takes the place of the seller's last one.
    Accept {
        /// In minor units; less than all.
        to_seller: u64,
    },
}

/// Where an escrow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EscrowState {
    /// The money is held.
    Open,
    /// It went to the seller.
    Released,
    /// The seller gave it back.
    Returned,
    /// Some went to the seller, and the rest back.
    Split,
    /// Its time was over: it went back.
    Expired,
}

/// `GET wallet/escrows/ID`: for the buyer, and for the seller or the shop's staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowInfo {
    /// The transfer that funded it.
    pub id: TransferId,
    /// Whose money it is.
    pub buyer: UserAddress,
    /// For whom.
    pub seller: UserAddress,
    /// How the shop is called, if that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopName>,
    /// Of what.
    pub asset: Asset,
    /// How much was paid in, in minor units.
    pub total: u64,
    /// What for.
    pub note: String,
    /// When it was funded.
    pub made_ms: Millis,
    /// When what is left goes back.
    pub until_ms: Millis,
    /// Where it stands.
    pub state: EscrowState,
    /// How much the buyer offers the seller, less than all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<u64>,
    /// How much is enough for the seller, less than all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<u64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Millis>,
    /// What of it went to the seller, once it has ended.
    #[serde(default)]
    pub to_seller: u64,
    /// By which transfer: what an order that gives it back, or a part of it, refunds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<TransferId>,
    /// What of that went back since, in minor units.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub refunded: u64,
}

/// `GET wallet/escrows?shop=NAME&before=ID`: the caller's, as buyer and as seller; or those of a shop where they work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowList {
    /// The newest first; at most [`crate::limits::PAGE_MAX`].
    pub escrows: Vec<EscrowInfo>,
    /// Whether there are older ones.
    pub more: bool,
}

fn is_nothing(sum: &u64) -> bool {
    *sum == 0
}

impl TransferId {
    /// What of an escrow goes back to the buyer.
    pub fn of_escrow_return(escrow: TransferId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/escrow-return/1");
        TransferId::of_hash(&hasher.update(&escrow.0).finalize())
    }
}
