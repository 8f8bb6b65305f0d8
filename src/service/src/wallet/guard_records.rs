//! What is kept of dual control.

use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{
    AssetId, Millis, Signed, TransferId, UserName,
    wallet::{Approval, OrderKeyCert, Proposed},
};

/// Who approves, and what waits. One row.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct GuardRecord {
    pub approvers: Vec<UserName>,
    /// Proposals that nobody has decided; some of them may be over. The oldest first.
    pub waiting: Vec<TransferId>,
    /// Proposals that were decided or taken back, or over when another one came. The newest last.
    pub decided: Vec<TransferId>,
    /// Changes of who approves and of thresholds: the number of the last one.
    pub changes: u64,
}

/// Such a change. Key: its number, counted from 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct GuardChangeRecord {
    pub at_ms: Millis,
    /// The newest event of the ledger then.
    pub event: u64,
    pub change: GuardChange,
    /// By which it was approved, if it had to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<TransferId>,
}

/// What is otherwise from then on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GuardChange {
    Appointed(UserName),
    Dismissed(UserName),
    /// In minor units; 0: none.
    Threshold {
        asset: AssetId,
        amount: u64,
    },
}

/// Something that waits for an approver, or did. Key: its id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ProposalRecord {
    pub what: Proposed,
    pub at_ms: Millis,
    pub until_ms: Millis,
    /// The owner has taken it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionRecord>,
}

/// What an approver has signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct DecisionRecord {
    pub approval: Signed<Approval>,
    /// The certificate of the key that signed it.
    pub cert: Signed<OrderKeyCert>,
    pub by: UserName,
    pub approved: bool,
    pub at_ms: Millis,
    /// The last change of who approves before it.
    pub change: u64,
}

/// An asset's threshold. Key: the asset.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct GuardedRecord {
    /// So much may be issued in a day without approval, in minor units. 0: any amount.
    pub threshold: u64,
    /// Days since 1970 (UTC).
    pub day: u64,
    /// What was issued without approval on that day, since there is a threshold.
    pub issued: u64,
}

impl GuardedRecord {
    /// What was issued without approval on a day.
    pub(crate) fn on(&self, day: u64) -> u64 {
        if self.day == day { self.issued } else { 0 }
    }
}

first_version!(GuardRecord, GuardChangeRecord, ProposalRecord, GuardedRecord);
