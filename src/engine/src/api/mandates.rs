//! What is asked and told about mandates: a debtor's word that a creditor may collect again and again. Amounts are as in `wallet`; days are
//! counted since 1970.

use super::{AssetView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about mandates. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum MandateCall {
    /// One's own as debtor and creditor, the newest first. → [`MandateReply::Mandates`]
    Mandates {
        /// Of a shop where one works: its address.
        shop: Option<String>,
        /// Those before this one; none: the newest page.
        mandate: Option<String>,
    },
    /// A mandate as it stands. → [`MandateReply::Mandate`]
    Mandate {
        /// Its id.
        mandate: String,
    },
    /// Gives one. As [`super::Call::Pay`]; the same form again gives the same one. → [`MandateReply::Mandate`]
    GiveMandate {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address of the creditor: a person or a shop.
        user: String,
        /// Asset id.
        asset: String,
        /// For one collection, in minor units.
        amount: String,
        /// What for, or nothing.
        note: String,
        /// The node collects it by itself; else the creditor asks, for at most the amount.
        standing: bool,
        /// `week` or `month`.
        period: String,
        /// The first due day.
        day: f64,
        /// No collection is due after it.
        last_day: Option<f64>,
        /// No more collections than this.
        count: Option<u32>,
        /// Where one's days begin, in minutes east of UTC.
        zone: f64,
        /// The payment PIN.
        pin: String,
    },
    /// Collects for a period, or tries again what has failed. `not_due`, `mandate_over`, `already_paid`, and what a payment is refused
    /// for. → [`MandateReply::Mandate`]
    CollectMandate {
        /// Its id.
        mandate: String,
        /// The period, as in [`MandateView`].
        number: f64,
        /// In minor units.
        amount: String,
    },
    /// Ends one, as debtor or creditor. → [`MandateReply::Mandate`]
    EndMandate {
        /// Its id.
        mandate: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum MandateReply {
    /// A page of them.
    Mandates(MandatesView),
    /// One.
    Mandate(MandateView),
}

/// A page, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MandatesView {
    /// The newest first; of each no more than its last collection.
    pub mandates: Vec<MandateView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A mandate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MandateView {
    /// Its id.
    pub mandate: String,
    /// Who pays.
    pub debtor: PersonView,
    /// Who gets it; a shop is called by its title.
    pub creditor: PersonView,
    /// Whether that is a shop.
    pub shop: bool,
    /// Whether one is the debtor.
    pub mine: bool,
    /// The node collects it by itself; else the creditor asks, for at most the amount.
    pub standing: bool,
    /// `week` or `month`.
    pub period: String,
    /// Of what.
    pub asset: AssetView,
    /// For one collection.
    pub amount: String,
    /// What for; empty: nothing was said.
    pub note: String,
    /// The first due day.
    pub first_day: f64,
    /// No collection is due after it.
    pub last_day: Option<f64>,
    /// No more collections than this.
    pub count: Option<u32>,
    /// When it was given, ms.
    pub time_ms: f64,
    /// `live`, `over`, `ended` (by the debtor), `given_up` (by the creditor).
    pub state: String,
    /// When it ended, ms.
    pub ended_ms: Option<f64>,
    /// The period that can be collected now, or else the next one.
    pub next: Option<f64>,
    /// Its due day.
    pub next_day: Option<f64>,
    /// Whether it can be collected now.
    pub due: bool,
    /// What came of the last periods, the newest first.
    pub collections: Vec<CollectionView>,
}

/// What came of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CollectionView {
    /// Which, from 0.
    pub period: f64,
    /// Its due day.
    pub day: f64,
    /// What was collected, or was to be.
    pub amount: String,
    /// By which transfer it was collected.
    pub transfer: Option<String>,
    /// When that was, or when it was tried last, ms; none: nobody has tried.
    pub time_ms: Option<f64>,
    /// For what it was refused: an error code.
    pub refused: Option<String>,
}
