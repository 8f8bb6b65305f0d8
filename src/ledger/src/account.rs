//! Accounts: whose money, in which asset, and how far it may go.

use crate::{Refusal, wide};
use serde::{Deserialize, Serialize};
use weft_wire::{AccountId, AssetId};

/// The sums of an account may not pass this, so that their differences are always numbers.
const SUM_MAX: u128 = i128::MAX as u128;

/// What an account is for. Terms of bookkeeping between banks: a nostro account is ours with them, a vostro account theirs with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A person's.
    User,
    /// A shop's.
    Merchant,
    /// What the issuer owes all holders: it is debited when an asset is issued.
    Issuance,
    /// Earned fees.
    Fee,
    /// Held for an order until both sides are content.
    Escrow,
    /// The money in one red packet.
    Envelope,
    /// What we have with another node.
    Nostro,
    /// What another node has with us.
    Vostro,
    /// Under way to another node. Nothing opens one: what is under way is held on the payer's account, by a transfer that is pending
    /// against what is between the two nodes, so that both ends of it are decided by one step.
    InTransit,
    /// Arrived, and nobody knows yet for whom.
    Suspense,
    /// Fractions that a division leaves. Nothing opens one: amounts are whole minor units, every division gives its remainder to
    /// somebody ([`crate::split`]), and what an exchange rounds down is less than a unit that an account could hold: it stays in the
    /// worth of the position of the node that gives (`link::Rate`).
    Rounding,
    /// The node's own.
    Equity,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [AccountKind; 12] = [
        AccountKind::User,
        AccountKind::Merchant,
        AccountKind::Issuance,
        AccountKind::Fee,
        AccountKind::Escrow,
        AccountKind::Envelope,
        AccountKind::Nostro,
        AccountKind::Vostro,
        AccountKind::InTransit,
        AccountKind::Suspense,
        AccountKind::Rounding,
        AccountKind::Equity,
    ];

    /// The bounds that an account of this kind is opened with.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        match self {
            // Money of others, or for others: what is not there cannot be given away.
            AccountKind::User
            | AccountKind::Merchant
            | AccountKind::Fee
            | AccountKind::Escrow
            | AccountKind::Envelope
            | AccountKind::Vostro
            | AccountKind::InTransit
            | AccountKind::Suspense => Bounds { floor: Some(0), cap: None },
            // Only as much comes back as was issued; only as much is used there as is there.
            AccountKind::Issuance | AccountKind::Nostro => Bounds { floor: None, cap: Some(0) },
            AccountKind::Rounding | AccountKind::Equity => Bounds { floor: None, cap: None },
        }
    }
}

/// How far the net of an account (credits less debits, in minor units) may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// No debit takes it below, counting all that is pending against it. `None`: as far as it likes.
    #[serde(with = "wide::optional", default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<i128>,
    /// No credit takes it above, counting all that is pending for it.
    #[serde(with = "wide::optional", default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<i128>,
}

/// What an account does not take part in any more. Pending transfers are resolved all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// In everything.
    #[default]
    None,
    /// It gives nothing.
    Debits,
    /// It gives nothing and takes nothing.
    All,
}

/// Which side of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The account that gives.
    Debit,
    /// The account that gets.
    Credit,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Debit => "debited",
            Side::Credit => "credited",
        })
    }
}

/// The four sums of an account, each of all that ever was, in minor units; what is pending leaves its sum when it is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balances {
    /// Held back.
    #[serde(with = "wide::unsigned", rename = "dp")]
    pub debits_pending: u128,
    /// Given.
    #[serde(with = "wide::unsigned", rename = "d")]
    pub debits_posted: u128,
    /// Promised.
    #[serde(with = "wide::unsigned", rename = "cp")]
    pub credits_pending: u128,
    /// Got.
    #[serde(with = "wide::unsigned", rename = "c")]
    pub credits_posted: u128,
}

impl Balances {
    /// Credits less debits, posted ones only.
    #[must_use]
    pub fn net(&self) -> i128 {
        signed(self.credits_posted) - signed(self.debits_posted)
    }

    /// The least that the net becomes, whatever is resolved how.
    #[must_use]
    pub fn lowest(&self) -> i128 {
        self.net().saturating_sub(signed(self.debits_pending))
    }

    /// The most that the net becomes, whatever is resolved how.
    #[must_use]
    pub fn highest(&self) -> i128 {
        self.net().saturating_add(signed(self.credits_pending))
    }

    pub(crate) fn add(&mut self, side: Side, pending: bool, amount: u64) -> Result<(), Refusal> {
        let sum = self.sum(side, pending);
        let more = sum.checked_add(u128::from(amount)).filter(|more| *more <= SUM_MAX);
        *sum = more.ok_or(Refusal::Overflow)?;
        Ok(())
    }

    /// Takes back what is pending no longer.
    pub(crate) fn release(&mut self, side: Side, amount: u64) -> Result<(), Refusal> {
        let sum = self.sum(side, true);
        *sum = sum.checked_sub(u128::from(amount)).ok_or(Refusal::Overflow)?;
        Ok(())
    }

    fn sum(&mut self, side: Side, pending: bool) -> &mut u128 {
        match (side, pending) {
            (Side::Debit, true) => &mut self.debits_pending,
            (Side::Debit, false) => &mut self.debits_posted,
            (Side::Credit, true) => &mut self.credits_pending,
            (Side::Credit, false) => &mut self.credits_posted,
        }
    }
}

/// Sums are at most [`SUM_MAX`]; a record that was tampered with may say otherwise.
fn signed(sum: u128) -> i128 {
    i128::try_from(sum).unwrap_or(i128::MAX)
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What it holds.
    pub asset: AssetId,
    /// What it is for.
    pub kind: AccountKind,
    /// How far it may go.
    pub bounds: Bounds,
    /// Whether it takes part.
    #[serde(default)]
    pub freeze: Freeze,
    /// What it has.
    #[serde(default)]
    pub balances: Balances,
}

impl Account {
    /// An empty account with the bounds of its kind.
    #[must_use]
    pub fn new(id: AccountId, asset: AssetId, kind: AccountKind) -> Self {
        let (freeze, balances) = (Freeze::None, Balances::default());
        Account { id, asset, kind, bounds: kind.bounds(), freeze, balances }
    }

    /// The same with other bounds.
    #[must_use]
    pub fn within(self, floor: Option<i128>, cap: Option<i128>) -> Self {
        Account { bounds: Bounds { floor, cap }, ..self }
    }

    /// What can be taken out now, in minor units.
    #[must_use]
    pub fn available(&self) -> u128 {
        let floor = self.bounds.floor.unwrap_or(i128::MIN);
        u128::try_from(self.balances.lowest().saturating_sub(floor)).unwrap_or(0)
    }

    /// Takes a new amount on one side, if it may.
    pub(crate) fn take(&mut self, side: Side, pending: bool, amount: u64) -> Result<(), Refusal> {
        match (self.freeze, side) {
            (Freeze::All, _) | (Freeze::Debits, Side::Debit) => return Err(Refusal::Frozen(side)),
            (Freeze::None, _) | (Freeze::Debits, Side::Credit) => {}
        }
        self.balances.add(side, pending, amount)?;
        let Bounds { floor, cap } = self.bounds;
        match side {
            Side::Debit if floor.is_some_and(|floor| self.balances.lowest() < floor) => Err(Refusal::Floor),
            Side::Credit if cap.is_some_and(|cap| self.balances.highest() > cap) => Err(Refusal::Cap),
            _ => Ok(()),
        }
    }
}
