//! What is asked and told about the node's signed days. Whatever is told here was checked on this device.

use super::AssetView;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about signed days. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum BooksCall {
    /// The last days that the node has signed, or those before one. → [`BooksReply::Books`]
    Books {
        /// A day, as in [`BooksDayView`].
        before: Option<f64>,
    },
    /// Whether one's own accounts and all that moved on them is in a day. → [`BooksReply::BooksOwn`]
    BooksOwn {
        /// As in [`BooksDayView`].
        day: f64,
    },
    /// Whether a line of a history is in a day. → [`BooksReply::BooksLine`]
    BooksLine {
        /// Its transfer.
        id: String,
        /// Its number.
        number: f64,
        /// How much it says that came in, in minor units; with a minus: that went out.
        amount: String,
        /// Of what; asset id.
        asset: String,
    },
}

/// The answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum BooksReply {
    /// To [`BooksCall::Books`].
    Books(BooksView),
    /// To [`BooksCall::BooksOwn`].
    BooksOwn(BooksOwnView),
    /// To [`BooksCall::BooksLine`].
    BooksLine(BooksLineView),
}

/// Days that the node has signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksView {
    /// The newest first.
    pub days: Vec<BooksDayView>,
    /// There are older ones.
    pub more: bool,
}

/// One signed day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksDayView {
    /// Days since 1970, UTC.
    pub day: f64,
    /// What is wrong with it: `signature`, `uneven` (given out is not held), `chain` (it does not go on from the day before), `changed` (this device
    /// was shown another one before). None: nothing.
    pub flaw: Option<String>,
    /// Events of the whole node on that day.
    pub events: f64,
    /// Other nodes that have signed that they saw it.
    pub witnesses: Vec<String>,
    /// What was given out, and what is held.
    pub sums: Vec<BooksSumView>,
}

/// An asset at the end of a day; in minor units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksSumView {
    /// Asset id.
    pub asset: String,
    /// What the node has brought into the world.
    pub issued: String,
    /// What it has with other nodes.
    pub abroad: String,
    /// What its own accounts are short of.
    pub own: String,
    /// The sum of all accounts.
    pub held: String,
}

/// One's own part of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksOwnView {
    /// Which.
    pub day: f64,
    /// By asset.
    pub accounts: Vec<BooksAccountView>,
}

/// One's own account at the end of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksAccountView {
    /// What it holds.
    pub asset: AssetView,
    /// What is wrong: as in [`BooksDayView`], or `entry` (one is not in the root), `balance` (it is not counted), `sums` (what was
    /// there before and what moved do not come to it). None: nothing.
    pub flaw: Option<String>,
    /// In minor units.
    pub balance: String,
    /// How often something moved on it, was held back, or was let go.
    pub entries: f64,
}

/// Whether a line is in a signed day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BooksLineView {
    /// In which. None: its day is not signed yet, or something is wrong.
    pub day: Option<f64>,
    /// What is wrong: as in [`BooksAccountView`].
    pub flaw: Option<String>,
}
