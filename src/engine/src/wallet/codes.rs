//! Codes that this device shows to a till. The code itself stays in memory: whoever has it may take money.

use super::{asset_view, id, key, look, requests, some, trust};
use crate::account::me;
use crate::api::{CodeStateView, PayCodeView};
use crate::error::{Refusal, call_error, internal};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use weft_wire::limits::{CLOCK_SKEW_MS_MAX, PAY_CODE_LIFETIME_MS};
use weft_wire::paycode::PayCode;
use weft_wire::wallet::{BearerPayee, CodeShown, Intent, Payee, PaymentOrder, PutCode};
use weft_wire::{AssetId, Code, Millis, OrderId, Signed};

const LAST: &[u8] = b"w/code";
/// Tries of a code that the node does not take: another counter, a forgotten key, digits that somebody else has.
const TRIES: usize = 4;

/// The last code that was shown.
#[derive(Serialize, Deserialize)]
struct Last {
    id: OrderId,
    until_ms: Millis,
}

/// Shows a code. Nothing has to be written down before it is sent: what nobody was shown, nobody can use.
pub(super) async fn show(cx: &Cx, asset: &str, cap: &str, pin: &str) -> Result<PayCodeView, Refusal> {
    let (asset, cap): (AssetId, u64) = (id("asset", asset)?, some("cap", cap)?);
    let known = requests::asset(cx, asset).await?;
    trust::check(cx).await?;
    let key = cx.with(|s| key::unlock(s, pin))?;
    key::install(cx).await?;
    let mut last = 0;
    for _ in 0..TRIES {
        let (code, order, signed) = cx.with(|s| make(s, &key, asset, cap, last))?;
        let shown: Result<CodeShown, Failure> =
            http::post(cx, "wallet/codes", &PutCode { order: signed }).await;
        match shown {
            Ok(shown) => {
                // A node whose clock is wrong shows it for longer to nobody.
                let until_ms = shown.until_ms.min(order.expires_ms);
                cx.with(|s| s.store(LAST, &Last { id: order.id, until_ms }));
                return Ok(PayCodeView {
                    id: order.id.to_string(),
                    text: code.to_string(),
                    digits: code.digits().to_string(),
                    asset: asset_view(&known),
                    cap: cap.to_string(),
                    until_ms: until_ms as f64,
                });
            }
            Err(failure) => match (failure.code(), failure.current()) {
                (Some(Code::OrderStale), Some(current)) => last = current,
                (Some(Code::BadCertificate | Code::BadSignature), _) => {
                    cx.with(key::forgotten);
                    key::install(cx).await?;
                }
                (Some(Code::IdConflict), _) => {}
                _ => return Err(failure.into()),
            },
        }
    }
    Err(internal("code"))
}

fn make(
    s: &mut State,
    key: &SigningKey,
    asset: AssetId,
    cap: u64,
    last: u64,
) -> Result<(PayCode, PaymentOrder, Signed<PaymentOrder>), Refusal> {
    let me = me(s)?;
    let code =
        PayCode::new(me.user.node.clone(), s.random()).map_err(|error| call_error("bad_input", error))?;
    let counter = key::count(s, last).ok_or_else(|| internal("counter"))?;
    let mut order = PaymentOrder {
        id: OrderId(s.random()),
        payer: me.user.clone(),
        device: me.device,
        payee: Payee::Bearer(BearerPayee::of(&code)),
        asset,
        amount: cap,
        max_fee: 0,
        intent: Intent::Payment,
        expires_ms: s.live.node_time(s.now).min(s.now + CLOCK_SKEW_MS_MAX) + PAY_CODE_LIFETIME_MS,
        counter,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
    };
    order.max_fee = super::fees::allowed(s, &order);
    let signed = Signed::sign(&order, key);
    Ok((code, order, signed))
}

/// What became of a code: whoever has used it stands in the transfer that it became.
pub(super) async fn state(cx: &Cx, code: &str) -> Result<CodeStateView, Refusal> {
    let code: OrderId = id("id", code)?;
    let transfer = cx.with(|s| me(s).map(|me| PaymentOrder::transfer_of(&me.user, code)))?;
    match look::transfer(cx, transfer).await {
        Ok(transfer) => Ok(CodeStateView { state: "used".into(), transfer: Some(transfer) }),
        Err(refusal) if refusal.code == "not_found" => {
            let is_open = cx.with(|s| {
                let now = s.live.node_time(s.now);
                s.load::<Last>(LAST).is_some_and(|last| last.id == code && now < last.until_ms)
            });
            let state = if is_open { "open" } else { "expired" };
            Ok(CodeStateView { state: state.into(), transfer: None })
        }
        Err(refusal) => Err(refusal),
    }
}
