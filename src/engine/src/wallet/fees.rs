//! Fees: what somebody has been shown is what an order allows, and what the owner takes. Nothing of it is kept on disk.

use super::{amount, id, look, requests, some};
use crate::api::{FeeCall, FeeReply, GuardReply, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::wallet::{AssetInfo, Fee, FeeKind, MoneyFor, Payee, PaymentOrder, SetFee, fee_due};
use weft_wire::{AssetId, Millis, TransferId};

/// Fees that were shown and are remembered.
const SHOWN_MAX: usize = 16;
/// For how long what was shown is agreed to. Whoever takes longer is told what is due then.
const SHOWN_MS: Millis = 5 * 60 * 1000;

/// A fee that somebody was shown.
pub(crate) struct Shown {
    asset: AssetId,
    /// None: of a code for a till, wherever that is.
    kind: Option<FeeKind>,
    amount: u64,
    due: u64,
    at_ms: Millis,
}

/// Answers a call about fees.
pub(super) async fn answer(cx: &Cx, call: FeeCall) -> Result<Reply, Refusal> {
    let (method, path, body) = match call {
        FeeCall::Fee { kind: of, asset, amount: sum } => {
            let kind = if of == "code" { None } else { Some(kind(&of)?) };
            let (asset, amount) = (id("asset", &asset)?, some("amount", &sum)?);
            let due = due(&requests::info(cx, asset).await?.fees, kind, amount);
            cx.with(|s| {
                if s.live.fees.len() >= SHOWN_MAX {
                    s.live.fees.remove(0);
                }
                let at_ms = s.now;
                s.live.fees.push(Shown { asset, kind, amount, due, at_ms });
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

/// What is due. Of a code for a till the most: whether that is one of the own node, nobody knows as yet.
fn due(fees: &[Fee], kind: Option<FeeKind>, amount: u64) -> u64 {
    match kind {
        Some(kind) => fee_due(fees, kind, amount),
        None => fee_due(fees, FeeKind::Shop, amount).max(fee_due(fees, FeeKind::Remote, amount)),
    }
}

/// What an order may cost: what was shown of such a payment last, and not long ago. What was not shown is nothing, and the node refuses
/// it where it is not.
pub(super) fn allowed(s: &State, order: &PaymentOrder) -> u64 {
    let Some(kind) = order.fee_kind() else { return 0 };
    let kind = Some(kind).filter(|_| !matches!(order.payee, Payee::Bearer(_)));
    let is_it = |shown: &&Shown| (shown.asset, shown.kind, shown.amount) == (order.asset, kind, order.amount);
    let last = s.live.fees.iter().rev().find(is_it);
    last.filter(|shown| s.now.abs_diff(shown.at_ms) <= SHOWN_MS).map_or(0, |shown| shown.due)
}

/// The fees of assets are known anew: what was shown of others counts no more, so that nobody pays what they see no more.
pub(super) fn keep(s: &mut State, assets: &[AssetInfo]) {
    s.live.fees.retain(|shown| {
        let info = assets.iter().find(|info| info.asset.id() == shown.asset);
        info.is_some_and(|info| due(&info.fees, shown.kind, shown.amount) == shown.due)
    });
}

/// As [`crate::api::IssuedView`] has them.
pub(super) fn views(info: &AssetInfo) -> Vec<[String; 5]> {
    let view = |fee: &Fee| {
        let mut texts = <[u64; 5]>::from(*fee).map(|number| number.to_string());
        let [name, ..] = &mut texts;
        *name = fee.kind.word().to_owned();
        texts
    };
    info.fees.iter().map(view).collect()
}

fn kind(text: &str) -> Result<FeeKind, Refusal> {
    text.parse().map_err(|error| field_error("kind", error))
}
