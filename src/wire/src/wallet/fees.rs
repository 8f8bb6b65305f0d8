//! Fees: what the node takes for a payment, beside its amount and from whoever pays.
//!
//! Everybody reads them with the asset, in `GET wallet/assets`; for the owner `PUT wallet/admin/fees` · `GET wallet/admin/fees/ASSET`, which
//! answers with the account of what was earned · `POST wallet/admin/fees/take/TRANSFER`, by which some of that goes to somebody. What a
//! payer has seen is the order's `max_fee`: the node takes no more than that, and answers [`crate::Code::FeeTooLow`] where more is due by
//! now.

use super::{Payee, PaymentOrder};
use crate::AssetId;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Basis points of a whole: a fee's share is at most all of the amount.
pub const FEE_POINTS_MAX: u32 = 10_000;

/// For what a fee is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    /// To a person of the same node.
    Person,
    /// To a shop, and for an invoice.
    Shop,
    /// To somebody of another node, or a shop there, and for an invoice of theirs.
    Remote,
    /// Out of the world, over a bank.
    Out,
}

impl FeeKind {
    /// Every kind, in the order of their numbers: 0 to 3.
    pub const ALL: [FeeKind; 4] = [FeeKind::Person, FeeKind::Shop, FeeKind::Remote, FeeKind::Out];

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            FeeKind::Person => "person",
            FeeKind::Shop => "shop",
            FeeKind::Remote => "remote",
            FeeKind::Out => "out",
        }
    }
}

impl FromStr for FeeKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let known = FeeKind::ALL.into_iter().find(|kind| kind.word() == text);
        known.ok_or("a kind of payment is person, shop, remote or out")
    }
}

/// What is taken for payments of one kind. Sums are in minor units of the asset. It travels and is kept as five numbers, in the order of
/// its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[u64; 5]", try_from = "[u64; 5]")]
pub struct Fee {
    /// For what.
    pub kind: FeeKind,
    /// For each payment.
    pub fixed: u64,
    /// Of the amount, in basis points (1/100 %): at most [`FEE_POINTS_MAX`].
    pub points: u32,
    /// No less than this.
    pub least: u64,
    /// No more than this; 0: no bound.
    pub most: u64,
}

impl From<Fee> for [u64; 5] {
    fn from(fee: Fee) -> Self {
        [fee.kind as u64, fee.fixed, u64::from(fee.points), fee.least, fee.most]
    }
}

impl TryFrom<[u64; 5]> for Fee {
    type Error = &'static str;

    fn try_from([kind, fixed, points, least, most]: [u64; 5]) -> Result<Self, &'static str> {
        let kind = FeeKind::ALL.into_iter().find(|known| *known as u64 == kind);
        let (Some(kind), Ok(points)) = (kind, u32::try_from(points)) else { return Err("no such fee") };
        Ok(Fee { kind, fixed, points, least, most })
    }
}

impl Fee {
    /// What is due for an amount: the fixed part and the share of the amount, rounded half up, within the least and the most, and never
    /// more than the amount itself.
    #[must_use]
    pub fn due(&self, amount: u64) -> u64 {
        // At most 2^64 × 2^32 and some: it fits.
        let whole = u128::from(FEE_POINTS_MAX);
        let share = (u128::from(amount) * u128::from(self.points) + whole / 2) / whole;
        let fee = (u128::from(self.fixed) + share).max(u128::from(self.least));
        let most = if self.most == 0 { amount } else { self.most.min(amount) };
        // What is more than a u64 holds is more than the amount.
        u64::try_from(fee).map_or(most, |fee| fee.min(most))
    }

    /// Whether nothing is ever taken by it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        (self.fixed, self.points, self.least) == (0, 0, 0)
    }
}

/// What is due by a schedule for a payment of a kind.
#[must_use]
pub fn fee_due(fees: &[Fee], kind: FeeKind, amount: u64) -> u64 {
    fees.iter().find(|fee| fee.kind == kind).map_or(0, |fee| fee.due(amount))
}

impl PaymentOrder {
    /// Which kind of payment it is, if fees are taken for such. What goes back, and what a shop pays out, is free; so are red packets,
    /// escrow, mandates, and cash.
    #[must_use]
    pub fn fee_kind(&self) -> Option<FeeKind> {
        if self.refunds.is_some() || self.from.is_some() {
            return None;
        }
        match &self.payee {
            Payee::Person(payee) if payee.node != self.payer.node => Some(FeeKind::Remote),
            Payee::Merchant(payee) if payee.shop.node != self.payer.node => Some(FeeKind::Remote),
            Payee::Invoice(payee) if payee.issuer.node != self.payer.node => Some(FeeKind::Remote),
            Payee::Person(_) => Some(FeeKind::Person),
            Payee::Merchant(_) | Payee::Invoice(_) | Payee::Bearer(_) => Some(FeeKind::Shop),
            Payee::Bank(_) => Some(FeeKind::Out),
            _ => None,
        }
    }
}

/// `PUT wallet/admin/fees`: from now on this is taken for payments of the fee's kind. A fee of nothing: they are free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetFee {
    /// Of what: the node issues it.
    pub asset: AssetId,
    /// How much.
    pub fee: Fee,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fee(fixed: u64, points: u32, least: u64, most: u64) -> Fee {
        Fee { kind: FeeKind::Shop, fixed, points, least, most }
    }

    #[test]
    fn fees_are_reckoned_as_they_are_said() {
        for (fee, amount, due) in [
            (fee(0, 0, 0, 0), 1_000, 0),
            (fee(10, 0, 0, 0), 1_000, 10),
            // 1.5 % of 10.00, of 0.33 (0.495 of a cent), and of 0.34 (0.51).
            (fee(0, 150, 0, 0), 1_000, 15),
            (fee(0, 150, 0, 0), 33, 0),
            (fee(0, 150, 0, 0), 34, 1),
            // Just the half goes up.
            (fee(0, 5_000, 0, 0), 1, 1),
            (fee(10, 150, 0, 0), 1_000, 25),
            (fee(0, 150, 20, 0), 1_000, 20),
            (fee(0, 150, 0, 12), 1_000, 12),
            // Never more than the amount.
            (fee(50, 0, 0, 0), 20, 20),
            (fee(0, 0, 50, 70), 20, 20),
            (fee(u64::MAX, 10_000, u64::MAX, 0), u64::MAX, u64::MAX),
            (fee(u64::MAX, u32::MAX, 0, 3), u64::MAX, 3),
        ] {
            assert_eq!(fee.due(amount), due, "{fee:?} of {amount}");
        }
    }

    proptest! {
        #[test]
        fn who_pays_more_never_pays_less_for_it(
            fixed in any::<u64>(), points in 0..=FEE_POINTS_MAX, least in any::<u64>(), most in any::<u64>(),
            one in any::<u64>(), other in any::<u64>(),
        ) {
            let fee = fee(fixed, points, least, most);
            let (low, high) = (one.min(other), one.max(other));
            prop_assert!(fee.due(low) <= fee.due(high));
            prop_assert!(fee.due(high) <= high);
            prop_assert!(most == 0 || fee.due(high) <= most);
        }

        #[test]
        fn it_is_within_half_a_unit_of_what_it_should_be(points in 0..=FEE_POINTS_MAX, amount in 0..u64::from(u32::MAX)) {
            let due = fee(0, points, 0, 0).due(amount);
            let (exact, got) = (i128::from(amount) * i128::from(points), i128::from(due) * 10_000);
            prop_assert!((got - exact).abs() <= 5_000);
        }
    }
}
