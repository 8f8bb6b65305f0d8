//! What is kept of days and their roots.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_ledger::AccountKind;
use weft_wire::{
    AssetId, Millis, Signed, bytes,
    wallet::{DayRoot, WitnessWord},
};

/// What the node has signed at the end of a day. Key: BE64(day).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootRecord {
    pub root: Signed<DayRoot>,
    /// Who has seen it: one word of each node.
    pub witnesses: Vec<WitnessWord>,
}

/// What was in an account at the end of the last day on which something moved on it. Key: its id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct BalanceRecord {
    pub asset: AssetId,
    pub kind: AccountKind,
    /// That day.
    pub day: u64,
    /// Credits less debits, big-endian.
    #[serde(with = "bytes::array")]
    net: [u8; 16],
    /// The same at the end of the day before that: a day that is made again begins there.
    #[serde(with = "bytes::array")]
    before: [u8; 16],
}

impl BalanceRecord {
    pub fn new(asset: AssetId, kind: AccountKind, day: u64, (before, net): (i128, i128)) -> Self {
        BalanceRecord { asset, kind, day, net: net.to_be_bytes(), before: before.to_be_bytes() }
    }

    /// What is in it now.
    pub fn net(&self) -> i128 {
        i128::from_be_bytes(self.net)
    }

    /// What was in it before this day, of which the rows may be there already.
    pub fn before(&self, day: u64) -> i128 {
        if self.day == day { i128::from_be_bytes(self.before) } else { self.net() }
    }
}

/// A root of another node. Key: node, 0x00, BE64(day).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenRecord {
    /// The first one of that day, which was witnessed.
    pub root: Signed<DayRoot>,
    pub at_ms: Millis,
    /// What the same node has signed against it: another one of the same day, one of the next that does not go on from it, or one of
    /// the day before from which it does not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Signed<DayRoot>>,
}

first_version!(RootRecord, BalanceRecord, SeenRecord);
