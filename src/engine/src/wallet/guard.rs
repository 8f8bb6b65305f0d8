//! What needs a second person. Nothing is kept here.

use super::{amount, asset_view, id, key, look};
use crate::account::me;
use crate::api::{GuardCall, GuardReply, GuardView, ProposalView, Reply, ThresholdView};
use crate::error::{Refusal, call_error, field_error, internal};
use crate::http;
use crate::runtime::{Cx, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weft_wire::wallet::{
    Approval, AssetAmount, ChangeApprover, DecideProposal, GuardInfo, ProposalInfo, ProposalState, Proposed,
};
use weft_wire::{Code, Signed, TransferId};
use zeroize::Zeroizing;

/// Answers a call about dual control.
pub(super) async fn answer(cx: &Cx, call: GuardCall) -> Result<Reply, Refusal> {
    let (method, path, body) = match call {
        GuardCall::Guard => {
            let info = guard(cx).await?;
            return Ok(Reply::Guard(GuardReply::Guard(cx.with(|s| view(s, info)))));
        }
        GuardCall::DecideProposal { id: proposal, print, accept, pin } => {
            let pin = Zeroizing::new(pin);
            decide(cx, id("id", &proposal)?, &print, accept, &pin).await?;
            return Ok(Reply::Done);
        }
        GuardCall::SetThreshold { asset, amount: sum } => {
            let request = AssetAmount { asset: id("asset", &asset)?, amount: amount("amount", &sum)? };
            ("PUT", "wallet/admin/guard/threshold".to_owned(), weft_wire::encode(&request))
        }
        GuardCall::ChangeApprover { user, on } => {
            let user = user.parse().map_err(|error| field_error("user", error))?;
            let request = ChangeApprover { user, appoint: on };
            ("POST", "wallet/admin/guard/approvers".to_owned(), weft_wire::encode(&request))
        }
        GuardCall::Fee(call) => return super::fees::answer(cx, call).await,
        GuardCall::WithdrawProposal { id: proposal } => {
            let proposal: TransferId = id("id", &proposal)?;
            ("DELETE", format!("wallet/admin/guard/proposals/{proposal}"), Vec::new())
        }
    };
    http::send(cx, method, &path, body).await?;
    Ok(Reply::Done)
}

async fn guard(cx: &Cx) -> Result<GuardInfo, Refusal> {
    Ok(http::get(cx, "wallet/guard").await?)
}

/// Signs what the node says now, if that is what was looked at.
async fn decide(cx: &Cx, id: TransferId, looked_at: &str, approve: bool, pin: &str) -> Result<(), Refusal> {
    let over = || call_error("proposal_over", "It was decided, or its time is over.");
    let known = guard(cx).await?.waiting.into_iter().find(|known| known.id == id).ok_or_else(over)?;
    if print(&known) != looked_at || !is_whole(&known) {
        return Err(call_error("proposal_changed", "It says something else now."));
    }
    let key = cx.with(|s| key::unlock(s, pin))?;
    key::install(cx).await?;
    let me = cx.with(|s| me(s))?;
    let (by, device) = (me.user.clone(), me.device);
    let ProposalInfo { what, at_ms, .. } = known;
    let approval = Approval { proposal: id, what, proposed_ms: at_ms, by, device, approve };
    let request = DecideProposal { approval: Signed::sign(&approval, &key) };
    let (path, body) = (format!("wallet/guard/proposals/{id}"), weft_wire::encode(&request));
    // Once more where the node has forgotten the key: it comes from a backup.
    for again in [true, false] {
        match http::send(cx, "POST", &path, body.clone()).await {
            Err(failure) if again && failure.code() == Some(Code::BadCertificate) => {
                cx.with(key::forgotten);
                key::install(cx).await?;
            }
            outcome => return Ok(outcome?),
        }
    }
    Err(internal("approval"))
}

/// Whether an amount that is shown of it is of what is signed: a node that says other decimals shows another sum.
fn is_whole(known: &ProposalInfo) -> bool {
    known.what.asset() == known.asset.as_ref().map(weft_wire::wallet::Asset::id)
}

/// All that is signed of a proposal.
fn print(known: &ProposalInfo) -> String {
    URL_SAFE_NO_PAD.encode(weft_wire::encode(&(known.id, &known.what, known.at_ms)))
}

fn view(s: &mut State, info: GuardInfo) -> GuardView {
    let threshold = |known: weft_wire::wallet::ThresholdInfo| ThresholdView {
        asset: known.asset.to_string(),
        amount: known.amount.to_string(),
        today: known.today.to_string(),
    };
    GuardView {
        approvers: info.approvers.iter().map(|user| look::person(s, user)).collect(),
        thresholds: info.thresholds.into_iter().map(threshold).collect(),
        waiting: info.waiting.into_iter().map(|known| proposal(s, known)).collect(),
        decided: info.decided.into_iter().map(|known| proposal(s, known)).collect(),
    }
}

fn proposal(s: &mut State, known: ProposalInfo) -> ProposalView {
    let (mut file, print, is_whole) = (None, print(&known), is_whole(&known));
    let (kind, user, amount) = match known.what {
        Proposed::Issue(of) => ("issue", Some(of.user), Some(of.amount)),
        Proposed::Settle(of) => ("settle", Some(of.user), Some(of.amount)),
        Proposed::Float(of) => ("float", Some(of.user), Some(of.amount)),
        Proposed::Appoint(user) => ("appoint", Some(user), None),
        Proposed::Dismiss(user) => ("dismiss", Some(user), None),
        Proposed::Threshold(of) => ("threshold", None, Some(of.amount)),
        Proposed::File(of) => {
            file = Some((of.account, of.lines));
            ("file", None, Some(of.amount))
        }
        _ => ("unknown", None, None),
    };
    let state = match known.state {
        ProposalState::Waiting => "waiting",
        ProposalState::Approved => "approved",
        ProposalState::Declined => "declined",
        ProposalState::Withdrawn => "withdrawn",
        _ => "expired",
    };
    ProposalView {
        id: known.id.to_string(),
        kind: kind.into(),
        asset: known.asset.as_ref().map(asset_view),
        person: user.map(|user| look::person(s, &user)),
        amount: amount.map(|sum| sum.to_string()),
        file,
        time_ms: known.at_ms as f64,
        until_ms: known.until_ms as f64,
        state: state.into(),
        // What is not known here is not signed here either.
        mine: known.mine && is_whole && kind != "unknown",
        by: known.by.map(|user| look::person(s, &user)),
        print,
    }
}
