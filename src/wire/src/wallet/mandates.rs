//! Mandates: a debtor's standing word that a creditor may have money of theirs, again and again, until the debtor ends it.
//!
//! `GET wallet/mandates?shop=NAME&before=ID` · `POST wallet/mandates` · `GET wallet/mandates/ID` · `POST wallet/mandates/ID`, where ID is
//! the transfer of the order that gave it: that order itself moves nothing.
//!
//! A mandate is an order to [`super::Payee::Mandate`], whose amount is for one collection. Its periods are counted from 0; each begins on
//! its due day and ends where the next one begins. In each of them there is at most one collection, and what was not collected in a period
//! is never made up for: after a year without the node there is one collection and not twelve.

use super::{Asset, PaymentOrder, ShopName};
use crate::{Millis, Signed, TransferId, UserAddress, time};
use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How often money is collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MandatePeriod {
    /// On the same day of each week.
    Week,
    /// On the same day of each month; where the month has no such day, on its last.
    Month,
}

/// What a debtor allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MandateTerms {
    /// Who gets the money: a person or a shop.
    pub creditor: UserAddress,
    /// True: the node itself moves the order's amount on each due day. False: the creditor asks for it, at most the order's amount.
    pub standing: bool,
    /// How often.
    pub period: MandatePeriod,
    /// The first due day, counted in days since 1970.
    pub first_day: u32,
    /// No collection is due after this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<u32>,
    /// There are no more periods than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Where the debtor's days begin: minutes east of UTC, at most [`crate::limits::ZONE_MINUTES_MAX`] either way.
    #[serde(default)]
    pub zone: i16,
    /// What for, at most [`crate::limits::MANDATE_PURPOSE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub purpose: String,
}

impl MandateTerms {
    /// The due day of a period, counted in days since 1970.
    pub fn due_day(&self, period: u32) -> u64 {
        let (first, n) = (u64::from(self.first_day), u64::from(period));
        if self.period == MandatePeriod::Week {
            return first + 7 * n;
        }
        let (year, month, day) = time::civil(first);
        let months = year * 12 + month - 1 + n;
        time::days(months / 12, months % 12 + 1, day)
    }

    /// When that day begins.
    pub fn due_ms(&self, period: u32) -> Millis {
        let minutes = self.due_day(period) as i64 * 1440 - i64::from(self.zone);
        minutes.max(0).unsigned_abs() * 60_000
    }

    /// The period in which a moment lies, whether or not anything may be collected in it. `None`: before the first one.
    pub fn period_at(&self, now: Millis) -> Option<u32> {
        let day = self.day_at(now);
        let first = u64::from(self.first_day);
        let since = day.checked_sub(first)?;
        if self.period == MandatePeriod::Week {
            return u32::try_from(since / 7).ok();
        }
        let ((year, month, _), (from_year, from_month, _)) = (time::civil(day), time::civil(first));
        let months = u32::try_from(year * 12 + month - from_year * 12 - from_month).ok()?;
        if self.due_day(months) > day { months.checked_sub(1) } else { Some(months) }
    }

    /// The last period in which something may be collected. `None`: there is no last one.
    pub fn last_period(&self) -> Option<u32> {
        let by_count = self.count.map(|count| count.saturating_sub(1));
        let by_day = self.last_day.and_then(|day| self.period_at(self.begins(u64::from(day))));
        [by_count, by_day].into_iter().flatten().min()
    }

    /// Whether something may be collected in a period.
    pub fn has(&self, period: u32) -> bool {
        self.last_period().is_none_or(|last| period <= last)
    }

    /// The debtor's day.
    fn day_at(&self, now: Millis) -> u64 {
        let shift = i64::from(self.zone) * 60_000;
        now.saturating_add_signed(shift) / DAY_MS
    }

    fn begins(&self, day: u64) -> Millis {
        (day * DAY_MS).saturating_add_signed(i64::from(self.zone) * -60_000)
    }
}

/// `POST wallet/mandates`; the answer is a [`MandateInfo`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GiveMandate {
    /// To [`super::Payee::Mandate`], signed with the device's order key.
    pub order: Signed<PaymentOrder>,
}

/// `POST wallet/mandates/ID`; the answer is a [`MandateInfo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MandateAct {
    /// Collects for a period: the creditor, or those who lead the shop. Of a standing mandate also the debtor, who tries again what has
    /// failed.
    Collect {
        /// Which: the one that has begun last.
        period: u32,
        /// In minor units; of a standing mandate its amount.
        amount: u64,
    },
    /// It ends at once: the debtor, the creditor, or those who lead the shop.
    End,
}

/// Where a mandate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MandateState {
    /// It holds.
    Live,
    /// All its periods are over.
    Over,
    /// The debtor has ended it.
    Ended,
    /// The creditor has given it up.
    GivenUp,
}

/// What came of one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateCollection {
    /// Which, from 0.
    pub period: u32,
    /// Its due day, counted in days since 1970.
    pub day: u32,
    /// In minor units: what was collected, or was to be.
    pub amount: u64,
    /// By which transfer it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferId>,
    /// When that was, or when it was tried last. Neither this nor a transfer: nobody has tried, and the period is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<Millis>,
    /// For what it was refused when it was tried last: the code of a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// `GET wallet/mandates/ID`: for the debtor, and for the creditor or the shop's staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateInfo {
    /// The transfer of the order that gave it.
    pub id: TransferId,
    /// Whose money it is.
    pub debtor: UserAddress,
    /// What they have signed.
    pub terms: MandateTerms,
    /// How the shop is called, if the creditor is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopName>,
    /// Of what.
    pub asset: Asset,
    /// How much in each period, at most, in minor units.
    pub amount: u64,
    /// When it was given.
    pub made_ms: Millis,
    /// Where it stands.
    pub state: MandateState,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Millis>,
    /// The period that can be collected now, or else the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// Its due day, counted in days since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_day: Option<u32>,
    /// Whether it can be collected now.
    #[serde(default)]
    pub due: bool,
    /// What came of the last periods, the newest first; at most [`crate::limits::MANDATE_COLLECTIONS_SHOWN`], in a list one.
    pub collections: Vec<MandateCollection>,
}

/// `GET wallet/mandates?shop=NAME&before=ID`: the caller's, as debtor and as creditor; or those of a shop where they work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MandateList {
    /// The newest first; at most [`crate::limits::PAGE_MAX`].
    pub mandates: Vec<MandateInfo>,
    /// Whether there are older ones.
    pub more: bool,
}

impl TransferId {
    /// The one collection of a mandate's period.
    pub fn of_collection(mandate: TransferId, period: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/mandate-collection/1");
        TransferId::of_hash(&hasher.update(&mandate.0).update(&period.to_be_bytes()).finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(period: MandatePeriod, first: (u64, u64, u64)) -> MandateTerms {
        MandateTerms {
            creditor: "bob@home.example".parse().unwrap(),
            standing: true,
            period,
            first_day: time::days(first.0, first.1, first.2) as u32,
            last_day: None,
            count: None,
            zone: 0,
            purpose: String::new(),
        }
    }

    #[test]
    fn a_month_without_the_day_has_its_last() {
        let terms = terms(MandatePeriod::Month, (2027, 1, 31));
        let due = |n| time::civil(terms.due_day(n));
        assert_eq!([0, 1, 2, 3].map(due), [(2027, 1, 31), (2027, 2, 28), (2027, 3, 31), (2027, 4, 30)]);
        assert_eq!((due(11), due(12), due(13)), ((2027, 12, 31), (2028, 1, 31), (2028, 2, 29)));
    }

    #[test]
    fn every_moment_lies_in_the_period_whose_day_has_come_last() {
        for zone in [-720, 0, 345, 840] {
            for period in [MandatePeriod::Week, MandatePeriod::Month] {
                let terms = MandateTerms { zone, ..terms(period, (2026, 12, 31)) };
                assert_eq!(terms.period_at(terms.due_ms(0) - 1), None);
                for n in 0..500 {
                    assert_eq!(terms.period_at(terms.due_ms(n)), Some(n));
                    assert_eq!(terms.period_at(terms.due_ms(n + 1) - 1), Some(n));
                }
            }
        }
    }

    #[test]
    fn the_last_period_is_the_sooner_of_both_ends() {
        let open = terms(MandatePeriod::Month, (2027, 1, 31));
        assert_eq!(open.last_period(), None);
        assert!(open.has(u32::MAX));
        let day = |year, month, day| Some(time::days(year, month, day) as u32);
        let until = |last_day, count| MandateTerms { last_day, count, ..open.clone() }.last_period();
        assert_eq!(until(None, Some(3)), Some(2));
        assert_eq!(until(day(2027, 3, 30), None), Some(1));
        assert_eq!(until(day(2027, 3, 31), None), Some(2));
        assert_eq!(until(day(2027, 3, 31), Some(1)), Some(0));
    }

    #[test]
    fn what_no_calendar_has_does_no_harm() {
        let far =
            MandateTerms { first_day: u32::MAX, zone: i16::MIN, ..terms(MandatePeriod::Month, (1970, 1, 1)) };
        assert!(far.due_ms(u32::MAX) > 0);
        assert_eq!(far.period_at(0), None);
        let near = MandateTerms { zone: i16::MAX, ..terms(MandatePeriod::Month, (1970, 1, 1)) };
        assert_eq!((near.due_ms(0), near.period_at(0)), (0, Some(0)));
        let _ = (near.period_at(u64::MAX), near.last_period());
    }
}
