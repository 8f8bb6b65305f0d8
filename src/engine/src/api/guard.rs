//! What is asked and told about dual control. Amounts are as in `wallet`.

use super::{AssetView, FeeCall, FeeReply, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about what needs a second person. They are calls like the others. Those of the owner fail with `needs_approval` when it
/// waits from then on, or already.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum GuardCall {
    /// Who approves what, and what waits. → [`GuardReply::Guard`]
    Guard,
    /// So much of an asset may be issued in a day by the owner alone. For the owner. → [`super::Reply::Done`]
    SetThreshold {
        /// Asset id.
        asset: String,
        /// In minor units; `0`: any amount.
        amount: String,
    },
    /// Somebody is to become an approver, or is one no longer. For the owner. → [`super::Reply::Done`]
    ChangeApprover {
        /// Address.
        user: String,
        /// Becomes one.
        on: bool,
    },
    /// Takes back what waits. For the owner. → [`super::Reply::Done`]
    WithdrawProposal {
        /// Which.
        id: String,
    },
    /// Approves what waits, or declines it, with a signature. For approvers. `proposal_changed` if it is not what was looked at.
    /// → [`super::Reply::Done`]
    DecideProposal {
        /// Which.
        id: String,
        /// [`ProposalView::print`] of what was looked at.
        print: String,
        /// Yes.
        accept: bool,
        /// The payment PIN.
        pin: String,
    },
    /// A call about fees.
    #[serde(untagged)]
    Fee(FeeCall),
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum GuardReply {
    /// What waits.
    Guard(GuardView),
    /// About fees.
    #[serde(untagged)]
    Fee(FeeReply),
}

/// Who approves what, and what waits. All is empty for who has nothing to do with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GuardView {
    /// Who may approve.
    pub approvers: Vec<PersonView>,
    /// Of assets that have one.
    pub thresholds: Vec<ThresholdView>,
    /// What waits, the oldest first.
    pub waiting: Vec<ProposalView>,
    /// What was decided last, the newest first.
    pub decided: Vec<ProposalView>,
}

/// An asset's threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ThresholdView {
    /// Asset id.
    pub asset: String,
    /// So much may be issued in a day (UTC) by the owner alone.
    pub amount: String,
    /// How much was, today.
    pub today: String,
}

/// What waits for a second person, or did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProposalView {
    /// Its id.
    pub id: String,
    /// `issue`, `file`, `threshold`, `appoint`, `dismiss`, `float`, `settle`.
    pub kind: String,
    /// Of what.
    pub asset: Option<AssetView>,
    /// For whom, or who.
    pub person: Option<PersonView>,
    /// How much; of a threshold, `0`: none any more.
    pub amount: Option<String>,
    /// The account of a bank's file, and how many credits are in it that are not booked.
    pub file: Option<(String, u32)>,
    /// When it was proposed, ms.
    pub time_ms: f64,
    /// From then on nobody can approve it, ms.
    pub until_ms: f64,
    /// `waiting`, `approved`, `declined`, `withdrawn`, `expired`.
    pub state: String,
    /// Whether one may decide it.
    pub mine: bool,
    /// Who has decided it.
    pub by: Option<PersonView>,
    /// All that is signed of it, for [`GuardCall::DecideProposal`].
    pub print: String,
}
