//! What a scanned or pasted text is for.

use super::{asset_view, look, shops, trust};
use crate::account::me;
use crate::api::{ScannedPayto, ScannedShop, ScannedView};
use crate::error::{Refusal, call_error};
use crate::http;
use crate::runtime::Cx;
use weft_ledger::parse_amount;
use weft_wire::emv::{self, Currency, EmvError, Initiation, MerchantQr, Scanned, SignedQr};
use weft_wire::paycode::{PayCode, PayDigits};
use weft_wire::payto::{Payto, PaytoError};
use weft_wire::scan::Scan;
use weft_wire::wallet::{Asset, AssetList, SaleState};

/// Says what a text is for.
pub(super) async fn read(cx: &Cx, text: &str) -> Result<ScannedView, Refusal> {
    match Scan::of(text) {
        Scan::Merchant => match emv::decode(text).map_err(wrong)? {
            Scanned::Static(qr) => shop(cx, qr, None).await,
            Scanned::Dynamic(code) => shop(cx, code.peek().clone(), Some(code)).await,
        },
        Scan::PayCode => match PayCode::parse(text) {
            Ok(code) => Ok(ScannedView::PayCode { text: code.to_string() }),
            Err(error) => Err(call_error("code_damaged", error)),
        },
        Scan::Payto => payto(cx, text).await,
        Scan::Other => match text.parse::<PayDigits>() {
            Ok(digits) => Ok(ScannedView::PayCode { text: digits.to_string() }),
            Err(_) => Ok(ScannedView::Other),
        },
    }
}

fn wrong(error: EmvError) -> Refusal {
    let code = match &error {
        EmvError::NotOurs { .. } => "code_foreign",
        EmvError::Signature(_) | EmvError::Unsigned => "code_forged",
        _ => "code_damaged",
    };
    call_error(code, error)
}

async fn shop(cx: &Cx, qr: MerchantQr, signed: Option<SignedQr>) -> Result<ScannedView, Refusal> {
    let address = qr.account.payee.clone();
    let is_far = cx.with(|s| me(s).map(|me| me.user.node != address.node))?;
    let info = shops::info(cx, &address).await?;
    // The own node answers for another one's key, with which it deals itself; its own is pinned here.
    let key = is_far.then_some(info.key);
    let now = cx.with(|s| s.live.node_time(s.now));
    let verified = signed.is_some();
    let mut expired = false;
    if let Some(code) = signed {
        expired = is_over(cx, code, key, now).await?;
    }
    let (mut sale, mut state, mut until_ms) = (None, None, None);
    if let Initiation::Dynamic(request) = &qr.initiation {
        let known = shops::sale_of(cx, &address, request.id).await?;
        expired |= known.state == SaleState::Expired;
        (sale, state) = (Some(request.id.to_string()), Some(shops::state_word(known.state).to_owned()));
        until_ms = Some(request.expires_ms as f64);
    }
    let asset = match qr.currency {
        Currency::Asset(id) => assets(cx).await?.into_iter().find(|asset| asset.id() == id),
        // Which money of that name is meant, only an asset says.
        Currency::Iso4217(_) => None,
    };
    if is_far && asset.is_none() {
        return Err(call_error("no_link", "What this shop takes does not go between the two nodes."));
    }
    let amount = asset.as_ref().zip(qr.amount.as_ref());
    let amount = amount.map(|(asset, amount)| minor(amount.as_str(), asset)).transpose()?;
    Ok(ScannedView::Merchant(ScannedShop {
        shop: address.to_string(),
        title: info.details.title,
        verified,
        open: info.open,
        asset: asset.as_ref().map(asset_view),
        amount,
        tip_allowed: qr.tip.is_some() || sale.is_none(),
        bill: qr.additional.bill_number.unwrap_or_default(),
        till: qr.account.till,
        sale,
        state,
        until_ms,
        expired,
    }))
}

/// Whether the time of a code is over. Its signature is checked with the key of the shop's node: `key` if it is another one, else as
/// it is pinned here.
async fn is_over(
    cx: &Cx,
    code: SignedQr,
    key: Option<[u8; 32]>,
    now: weft_wire::Millis,
) -> Result<bool, Refusal> {
    let by = match key {
        Some(key) => key,
        None => trust::key(cx).await?,
    };
    match code.verify(&by, now) {
        Ok(_) => Ok(false),
        Err(EmvError::Expired) => Ok(true),
        // A node that signs with another key now makes such codes, and so does a forger.
        Err(EmvError::Signature(_)) if key.is_none() && trust::doubted(cx).await? => Err(trust::changed()),
        Err(error) => Err(wrong(error)),
    }
}

/// The amount of a code, in minor units. `code_damaged`: more decimals than the asset has, or more than there can be; without its
/// amount the code would ask for something else.
fn minor(amount: &str, asset: &Asset) -> Result<String, Refusal> {
    let amount = parse_amount(amount, asset.scale).map_err(|error| call_error("code_damaged", error))?;
    Ok(amount.to_string())
}

async fn assets(cx: &Cx) -> Result<Vec<Asset>, Refusal> {
    let list: AssetList = http::get(cx, "wallet/assets").await?;
    Ok(list.assets.into_iter().map(|info| info.asset).collect())
}

async fn payto(cx: &Cx, text: &str) -> Result<ScannedView, Refusal> {
    let payto = Payto::parse(text).map_err(|error| match error {
        PaytoError::OtherTarget(_) => call_error("code_foreign", error),
        error => call_error("code_damaged", error),
    })?;
    let is_far = cx.with(|s| me(s).map(|me| me.user.node != payto.payee.node))?;
    let list: AssetList = http::get(cx, "wallet/assets").await?;
    let link = list.links.iter().find(|link| link.node == payto.payee.node);
    if is_far && link.is_none() {
        return Err(call_error("no_link", "Money cannot be sent to the node of this person."));
    }
    // Another node may have money of the same name, or none of what is asked for; then who pays chooses.
    let reaches = |asset: &Asset| !is_far || link.is_some_and(|link| link.assets.contains(&asset.id()));
    let (mut asset, mut amount) = (None, None);
    if let Some(wish) = &payto.amount {
        let mut known = list.assets.into_iter().map(|info| info.asset);
        asset = known.find(|asset| asset.code.as_str() == wish.currency && reaches(asset));
        amount = asset.as_ref().map(|asset| minor(&wish.amount, asset)).transpose()?;
    }
    Ok(ScannedView::Payto(ScannedPayto {
        person: cx.with(|s| look::person(s, &payto.payee)),
        asset: asset.as_ref().map(asset_view),
        amount,
        message: payto.message.or(payto.instruction).unwrap_or_default(),
    }))
}
