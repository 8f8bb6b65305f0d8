//! Fees: what somebody has been shown is what an order allows, and what the owner takes. Nothing of it is kept on disk.

use super::{amount, id, look, requests, some};
use crate::api::{FeeCall, FeeReply, GuardReply, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::wallet::{AssetInfo, Fee, FeeKind, MoneyFor, PaymentOrder, SetFee, fee_due};
use weft_wire::{AssetId, TransferId};

/// Fees that were shown and are remembered.
const SHOWN_MAX: usize = 16;
/// What the kinds are called, by their numbers.
const NAMES: [&str; 4] = ["person", "shop", "remote", "out"];

/// A fee that somebody was shown.
pub(crate) struct Shown {
    asset: AssetId,
    kind: FeeKind,
    amount: u64,
    due: u64,
}

/// Answers a call about fees.
pub(super) async fn answer(cx: &Cx, call: FeeCall) -> Result<Reply, Refusal> {
    let (method, path, body) = match call {
        FeeCall::Fee { kind: of, asset, amount: sum } => {
            let (kind, asset, amount) = (kind(&of)?, id("asset", &asset)?, some("amount", &sum)?);
            let due = fee_due(&requests::info(cx, asset).await?.fees, kind, amount);
            cx.with(|s| {
                if s.live.fees.len() >= SHOWN_MAX {
                    s.live.fees.clear();
                }
                s.live.fees.push(Shown { asset, kind, amount, due });
            });
            return Ok(told(FeeReply::Fee(due.to_string())));
        }
        FeeCall::FeesEarned { asset } => {
            let asset: AssetId = id("asset", &asset)?;
            let account = http::get(cx, &format!("wallet/admin/fees/{asset}")).await?;
            return Ok(told(FeeReply::FeesEarned(look::account(account))));
        }
        FeeCall::SetFee { kind: of, asset, fee } => {
            let mut numbers = [kind(&of)? as u64, 0, 0, 0, 0];
            for (number, text) in numbers.iter_mut().skip(1).zip(&fee) {
                *number = amount("fee", text)?;
            }
            let fee = Fee::try_from(numbers).map_err(|error| field_error("fee", error))?;
            let request = SetFee { asset: id("asset", &asset)?, fee };
            ("PUT", "wallet/admin/fees".to_owned(), weft_wire::encode(&request))
        }
        FeeCall::TakeFees { id: form, user, asset, amount: sum } => {
            let user = user.parse().map_err(|error| field_error("user", error))?;
            let request = MoneyFor { asset: id("asset", &asset)?, user, amount: some("amount", &sum)? };
            let form: TransferId = id("id", &form)?;
            ("POST", format!("wallet/admin/fees/take/{form}"), weft_wire::encode(&request))
        }
    };
    http::send(cx, method, &path, body).await?;
    Ok(Reply::Done)
}

fn told(reply: FeeReply) -> Reply {
    Reply::Guard(GuardReply::Fee(reply))
}

/// What an order may cost: what was shown of such a payment last. What was not shown is nothing, and the node refuses it where it is.
pub(super) fn allowed(s: &State, order: &PaymentOrder) -> u64 {
    let Some(kind) = order.fee_kind() else { return 0 };
    let is_it = |shown: &&Shown| (shown.asset, shown.kind, shown.amount) == (order.asset, kind, order.amount);
    s.live.fees.iter().rev().find(is_it).map_or(0, |shown| shown.due)
}

/// As [`crate::api::IssuedView`] has them.
pub(super) fn views(info: &AssetInfo) -> Vec<Vec<String>> {
    let view = |fee: &Fee| {
        let [kind, rest @ ..] = <[u64; 5]>::from(*fee);
        let name = NAMES.get(kind as usize).copied().unwrap_or_default().to_owned();
        std::iter::once(name).chain(rest.iter().map(u64::to_string)).collect()
    };
    info.fees.iter().map(view).collect()
}

fn kind(text: &str) -> Result<FeeKind, Refusal> {
    let known = NAMES.iter().zip(FeeKind::ALL).find(|(name, _)| **name == text);
    known.map(|(_, kind)| kind).ok_or_else(|| field_error("kind", "no such kind of payment"))
}
