//! Fees: what somebody has been shown is what an order allows, and what the owner takes. Nothing of it is kept on disk.

use super::{amount, id, some};
use crate::api::{FeeCall, FeeReply, FeeView, FeesEarnedView, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::AssetId;
use weft_wire::wallet::{
    AssetInfo, AssetList, Fee, FeeKind, FeesEarned, PaymentOrder, SetFee, TakeFees, fee_due,
};

/// Fees that were shown and are remembered.
const SHOWN_MAX: usize = 16;
const KINDS: [(&str, FeeKind); 4] = [
    ("person", FeeKind::Person),
    ("shop", FeeKind::Shop),
    ("remote", FeeKind::Remote),
    ("out", FeeKind::Out),
];

/// A fee that somebody was shown.
pub(crate) struct Shown {
    asset: AssetId,
    kind: FeeKind,
    amount: u64,
    due: u64,
}

/// Answers a call about fees.
pub(super) async fn answer(cx: &Cx, call: FeeCall) -> Result<Reply, Refusal> {
    match call {
        FeeCall::Fee { kind: of, asset, amount: sum } => {
            let (kind, asset, amount) = (kind(&of)?, id("asset", &asset)?, some("amount", &sum)?);
            let known: AssetList = http::get(cx, "wallet/assets").await?;
            let info = known.assets.into_iter().find(|info| info.id == asset);
            let due = info.map_or(0, |info| fee_due(&info.fees, kind, amount));
            cx.with(|s| {
                if s.live.fees.len() >= SHOWN_MAX {
                    s.live.fees.remove(0);
                }
                s.live.fees.push(Shown { asset, kind, amount, due });
            });
            return Ok(Reply::Fee(FeeReply::Fee(due.to_string())));
        }
        FeeCall::FeesEarned { asset } => {
            let asset: AssetId = id("asset", &asset)?;
            let known: FeesEarned = http::get(cx, &format!("wallet/admin/fees/{asset}")).await?;
            let view = FeesEarnedView { earned: known.earned.to_string(), held: known.held.to_string() };
            return Ok(Reply::Fee(FeeReply::FeesEarned(view)));
        }
        FeeCall::SetFee { kind: of, asset, fee: (fixed, points, least, most) } => {
            let points = u32::try_from(amount("points", &points)?);
            let fee = Fee {
                kind: kind(&of)?,
                fixed: amount("fixed", &fixed)?,
                points: points.map_err(|error| field_error("points", error))?,
                least: amount("least", &least)?,
                most: amount("most", &most)?,
            };
            let request = weft_wire::encode(&SetFee { asset: id("asset", &asset)?, fee });
            http::send(cx, "PUT", "wallet/admin/fees", request).await?;
        }
        FeeCall::TakeFees { id: form, user, asset, amount: sum } => {
            let user = user.parse().map_err(|error| field_error("user", error))?;
            let (asset, amount) = (id("asset", &asset)?, some("amount", &sum)?);
            let request = weft_wire::encode(&TakeFees { id: id("id", &form)?, asset, user, amount });
            http::send(cx, "POST", "wallet/admin/fees/take", request).await?;
        }
    }
    Ok(Reply::Done)
}

/// What an order may cost: what was shown of such a payment last. What was not shown is nothing, and the node refuses it where it is.
pub(super) fn allowed(s: &State, order: &PaymentOrder) -> u64 {
    let Some(kind) = order.fee_kind() else { return 0 };
    let is_it = |shown: &&Shown| (shown.asset, shown.kind, shown.amount) == (order.asset, kind, order.amount);
    s.live.fees.iter().rev().find(is_it).map_or(0, |shown| shown.due)
}

pub(super) fn views(info: &AssetInfo) -> Vec<FeeView> {
    let view = |fee: &Fee| {
        let name = KINDS.iter().find(|(_, kind)| *kind == fee.kind)?.0;
        Some(FeeView {
            kind: name.to_owned(),
            fixed: fee.fixed.to_string(),
            points: fee.points.to_string(),
            least: fee.least.to_string(),
            most: fee.most.to_string(),
        })
    };
    info.fees.iter().filter_map(view).collect()
}

fn kind(text: &str) -> Result<FeeKind, Refusal> {
    let known = KINDS.iter().find(|(name, _)| *name == text);
    known.map(|(_, kind)| *kind).ok_or_else(|| field_error("kind", "no such kind of payment"))
}
