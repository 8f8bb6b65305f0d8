//! What is kept of mandates, and of what was collected by them.

use super::records::OrderRecord;
use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{AssetId, Millis, UserAddress, wallet::MandateTerms};

/// A mandate. Key: the transfer of the order that gave it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MandateRecord {
    /// What the debtor has signed.
    pub order: OrderRecord,
    pub debtor: UserAddress,
    /// The creditor is a shop, and not a person.
    pub of_shop: bool,
    pub asset: AssetId,
    /// Of one collection, at most, in minor units.
    pub amount: u64,
    /// As in the order, at hand.
    pub terms: MandateTerms,
    pub made_ms: Millis,
    /// The newest event of the ledger when it was given.
    pub since: u64,
    /// When it is looked at next, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<MandateEndRecord>,
}

/// How a mandate has ended.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct MandateEndRecord {
    pub at_ms: Millis,
    /// The newest event of the ledger by then: nothing was collected after it.
    pub until: u64,
    pub by: MandateEnd,
}

/// By what it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MandateEnd {
    Debtor,
    Creditor,
    /// All its periods were over.
    Time,
}

/// What came of a period. Key: mandate, BE32(period).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CollectionRecord {
    /// What was collected, or was to be, in minor units.
    pub amount: u64,
    pub at_ms: Millis,
    /// The code of the problem for which it was not. `None`: it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// How many mandates of somebody hold. Key: debtor, 0x00.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct LiveRecord {
    pub live: u32,
}

first_version!(MandateRecord, CollectionRecord, LiveRecord);
