//! Dual control: what the owner of the node decides about money counts above a threshold only once somebody else has signed for it.
//!
//! `GET wallet/guard` · `POST wallet/guard/proposals/ID`; for the owner `PUT wallet/admin/guard/threshold` ·
//! `POST wallet/admin/guard/approvers` · `DELETE wallet/admin/guard/proposals/ID`.
//!
//! What is above a threshold is answered with [`crate::Code::NeedsApproval`] and waits as a proposal under the id of the request. An
//! approver signs exactly what it says; asked once more with the same id, the request gets its usual answer.

use super::{Asset, Hash};
use crate::{AssetId, DeviceId, Millis, Signed, TransferId, UserAddress, signed::Signable};
use serde::{Deserialize, Serialize};

/// What waits for a second person. Amounts are in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proposed {
    /// Money comes into the world on somebody's account; the proposal's id is that of the transfer.
    Issue(MoneyFor),
    /// The credits of a bank's file are booked, as far as they are not yet.
    File(BankFile),
    /// An asset's threshold is raised to so much; 0: there is none any more.
    Threshold(AssetAmount),
    /// Somebody becomes an approver.
    Appoint(UserAddress),
    /// Somebody is an approver no longer.
    Dismiss(UserAddress),
    /// A cash agent may owe so much.
    Float(MoneyFor),
    /// A cash agent has brought so much: it comes into the world on the agent's float. The proposal's id is that of the transfer.
    Settle(MoneyFor),
}

/// So much of an asset, for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyFor {
    /// Of what.
    pub asset: AssetId,
    /// For whom.
    pub user: UserAddress,
    /// How much.
    pub amount: u64,
}

/// So much of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetAmount {
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: u64,
}

/// A bank's file, as it is approved: this one to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankFile {
    /// What the account backs.
    pub asset: AssetId,
    /// Of its bytes, in BLAKE3's mode `derive_key`, `weft/bank-file/1`.
    pub digest: Hash,
    /// Which account, as the bank calls it.
    pub account: String,
    /// Credits in it that are not booked.
    pub lines: u32,
    /// What they come to.
    pub amount: u64,
}

impl Proposed {
    /// Which asset it is about, if about one.
    pub fn asset(&self) -> Option<AssetId> {
        match self {
            Proposed::Issue(of) | Proposed::Float(of) | Proposed::Settle(of) => Some(of.asset),
            Proposed::File(of) => Some(of.asset),
            Proposed::Threshold(of) => Some(of.asset),
            Proposed::Appoint(_) | Proposed::Dismiss(_) => None,
        }
    }
}

/// What an approver signs with their device's order key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Which proposal.
    pub proposal: TransferId,
    /// What it says, word for word.
    pub what: Proposed,
    /// When it was made, as it says.
    pub proposed_ms: Millis,
    /// Who signs.
    pub by: UserAddress,
    /// From which device.
    pub device: DeviceId,
    /// Yes; else it is declined.
    pub approve: bool,
}

impl Signable for Approval {
    const CONTEXT: &'static str = "weft/approval/1";
    const BYTES_MAX: usize = 1024;
}

/// `POST wallet/guard/proposals/ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideProposal {
    /// Signed with the order key of the calling device.
    pub approval: Signed<Approval>,
}

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProposalState {
    /// It waits for an approver.
    Waiting,
    /// It was approved, and is done.
    Approved,
    /// An approver is against it.
    Declined,
    /// The owner has taken it back.
    Withdrawn,
    /// Nobody has decided it in time.
    Expired,
}

/// A proposal, for the owner and for approvers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalInfo {
    /// Its id.
    pub id: TransferId,
    /// What it says.
    pub what: Proposed,
    /// The asset that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Asset>,
    /// When it was made.
    pub at_ms: Millis,
    /// From then on nobody can approve it.
    pub until_ms: Millis,
    /// Where it stands.
    pub state: ProposalState,
    /// Whether the caller may decide it.
    pub mine: bool,
    /// Who has decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
}

/// An asset's threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdInfo {
    /// Which asset.
    pub asset: AssetId,
    /// So much may come into the world in a day (UTC) by the owner's word alone. 0: any amount.
    pub amount: u64,
    /// How much has, today.
    pub today: u64,
}

/// `GET wallet/guard`. For whoever is neither the owner nor an approver, nor asked to be one, all of it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardInfo {
    /// Who may approve.
    pub approvers: Vec<UserAddress>,
    /// Assets that have one; for the owner and for approvers.
    pub thresholds: Vec<ThresholdInfo>,
    /// What waits, the oldest first; at most [`crate::limits::PROPOSALS_WAITING_MAX`].
    pub waiting: Vec<ProposalInfo>,
    /// What was decided last, the newest first; at most [`crate::limits::PROPOSALS_TOLD_MAX`].
    pub decided: Vec<ProposalInfo>,
}

/// `POST wallet/admin/guard/approvers`: proposes that somebody becomes an approver, or is one no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeApprover {
    /// Who.
    pub user: UserAddress,
    /// Becomes one.
    pub appoint: bool,
}
