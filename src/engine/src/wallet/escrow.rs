//! Escrow: paying in, and what both sides say of it. What is true of it the node says; nothing is kept here.

use super::orders::{self, Wish};
use super::shops::{address_of, pay_once, wish};
use super::{amount, asset_view, id, look, some};
use crate::account::me;
use crate::api::{EscrowCall, EscrowReply, EscrowView, EscrowsView, PersonView, Reply};
use crate::error::{Refusal, call_error, field_error};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use weft_wire::wallet::{EscrowAct, EscrowInfo, EscrowList, EscrowState, EscrowTerms, Payee, SettlePayee};
use weft_wire::{AssetId, OrderId, TransferId};
use zeroize::Zeroizing;

/// Answers a call about escrow.
pub(super) async fn answer(cx: &Cx, call: EscrowCall) -> Result<Reply, Refusal> {
    let info = match call {
        EscrowCall::Escrows { shop, escrow } => {
            let page = list(cx, shop, escrow).await?;
            return Ok(Reply::Escrow(EscrowReply::Escrows(page)));
        }
        EscrowCall::Escrow { escrow } => http::get(cx, &path(id("escrow", &escrow)?)).await?,
        EscrowCall::FundEscrow { id: form, user, asset, amount, note, due_ms, pin } => {
            let pin = Zeroizing::new(pin);
            let asset: AssetId = id("asset", &asset)?;
            let seller = address_of(cx, "user", &user)?;
            let payee = Payee::Escrow(EscrowTerms { seller, until_ms: due_ms.max(0.0) as u64, note });
            fund(cx, &wish(id("id", &form)?, payee, asset, some("amount", &amount)?), &pin).await?
        }
        EscrowCall::SettleEscrow { id: form, escrow, amount, pin } => {
            let pin = Zeroizing::new(pin);
            settle(cx, id("id", &form)?, id("escrow", &escrow)?, some("amount", &amount)?, &pin).await?
        }
        EscrowCall::RefundEscrow { id: form, escrow, amount, pin } => {
            let (pin, path) = (Zeroizing::new(pin), path(id("escrow", &escrow)?));
            let info: EscrowInfo = http::get(cx, &path).await?;
            let by = info.by.ok_or_else(|| call_error("not_found", "Nothing of it went to the seller."))?;
            let payee = Payee::Person(info.buyer);
            let wish = wish(id("id", &form)?, payee, info.asset.id(), some("amount", &amount)?);
            let from = info.shop.is_some().then_some(info.seller);
            pay_once(cx, &Wish { from, refunds: Some(by), ..wish }, &pin).await?;
            http::get(cx, &path).await?
        }
        EscrowCall::AcceptEscrow { escrow, amount: sum } => {
            let act = EscrowAct::Accept { to_seller: amount("amount", &sum)? };
            http::post(cx, &path(id("escrow", &escrow)?), &act).await?
        }
    };
    cx.with(|s| view(s, info)).map(EscrowReply::Escrow).map(Reply::Escrow)
}

fn path(escrow: TransferId) -> String {
    format!("wallet/escrows/{escrow}")
}

async fn list(cx: &Cx, shop: Option<String>, before: Option<String>) -> Result<EscrowsView, Refusal> {
    let mut query = String::new();
    if let Some(shop) = shop {
        query = format!("&shop={}", address_of(cx, "shop", &shop)?.name);
    }
    if let Some(before) = before {
        query.push_str(&format!("&before={}", id::<TransferId>("escrow", &before)?));
    }
    let list: EscrowList =
        http::get(cx, &format!("wallet/escrows?{}", query.trim_start_matches('&'))).await?;
    let mut escrows = Vec::with_capacity(list.escrows.len());
    for info in list.escrows {
        escrows.push(cx.with(|s| view(s, info))?);
    }
    Ok(EscrowsView { escrows, more: list.more })
}

async fn fund(cx: &Cx, wish: &Wish, pin: &str) -> Result<EscrowInfo, Refusal> {
    let escrow = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
    match orders::pay(cx, wish, pin).await {
        Ok(_) => Ok(http::get(cx, &path(escrow)).await?),
        // The same form again: it was paid in, and the answer did not come.
        Err(refusal) if refusal.code == "id_conflict" => {
            let earlier: Result<EscrowInfo, Failure> = http::get(cx, &path(escrow)).await;
            let is_it = |info: &EscrowInfo| {
                matches!(&wish.payee, Payee::Escrow(terms) if terms.seller == info.seller)
                    && (info.asset.id(), info.total) == (wish.asset, wish.amount)
            };
            earlier.ok().filter(is_it).ok_or(refusal)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Nothing has to be written down before it is sent: an escrow ends once, whatever is sent twice.
async fn settle(
    cx: &Cx,
    form: OrderId,
    escrow: TransferId,
    amount: u64,
    pin: &str,
) -> Result<EscrowInfo, Refusal> {
    let before: EscrowInfo = http::get(cx, &path(escrow)).await?;
    if amount > before.total {
        return Err(field_error("amount", "no more than is held"));
    }
    let payee = Payee::Settle(SettlePayee { escrow, seller: before.seller });
    let wish = wish(form, payee, before.asset.id(), amount);
    let body = |order| weft_wire::encode(&EscrowAct::Settle { order });
    Ok(http::read(&orders::until_taken(cx, &wish, pin, &path(escrow), body).await?)?)
}

fn view(s: &mut State, info: EscrowInfo) -> Result<EscrowView, Refusal> {
    let mine = me(s)?.user == info.buyer;
    let seller = match &info.shop {
        Some(shop) => PersonView { user: info.seller.to_string(), name: shop.title.clone() },
        None => look::person(s, &info.seller),
    };
    Ok(EscrowView {
        escrow: info.id.to_string(),
        buyer: look::person(s, &info.buyer),
        seller,
        shop: info.shop.is_some(),
        mine,
        asset: asset_view(&info.asset),
        total: info.total.to_string(),
        note: info.note,
        time_ms: info.made_ms as f64,
        until_ms: info.until_ms as f64,
        state: match info.state {
            EscrowState::Open => "open",
            EscrowState::Released => "released",
            EscrowState::Returned => "returned",
            EscrowState::Split => "split",
            _ => "expired",
        }
        .into(),
        offered: info.offered.map(|sum| sum.to_string()),
        asked: info.asked.map(|sum| sum.to_string()),
        ended_ms: info.ended_ms.map(|at| at as f64),
        to_seller: info.to_seller.to_string(),
        transfer: info.by.map(|by| by.to_string()),
        refunded: info.refunded.to_string(),
    })
}
