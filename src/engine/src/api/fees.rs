//! What is asked and told about fees. Amounts are as in `wallet`; a kind is `person` (of the same node), `shop` (invoices as well),
//! `remote` (somebody, or a shop, of another node) or `out` (over a bank).

use super::AccountView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about fees. They are calls like the others, within those of [`super::GuardCall`]: each sub-enum of its own costs the
/// browser's engine some kilobytes.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum FeeCall {
    /// What the node takes now for a payment of this kind and amount, beside it. Who has asked has seen it: a payment like this allows
    /// so much from then on, and no more. `fee_too_low` where one is refused because more is due. → [`FeeReply::Fee`]
    Fee {
        /// Of which kind.
        kind: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
    },
    /// What is taken for a kind of payments from now on. For the owner, as all that follow. → [`super::Reply::Done`]
    SetFee {
        /// Of which kind.
        kind: String,
        /// Asset id.
        asset: String,
        /// For each payment; of the amount, in basis points (1/100 %), rounded half up; no less than this; no more than this, `0`: no
        /// bound.
        fee: [String; 4],
    },
    /// What was earned. → [`FeeReply::FeesEarned`]
    FeesEarned {
        /// Asset id.
        asset: String,
    },
    /// What was earned goes to somebody's account. → [`super::Reply::Done`]
    TakeFees {
        /// Made by the form: asking again takes it once.
        id: String,
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum FeeReply {
    /// A fee.
    Fee(String),
    /// The account of what was earned: `available` can be taken out, `incoming` is held for payments that are under way.
    FeesEarned(AccountView),
}
