//! Invoices: one's own, and those of shops where one works. What is true of them the node says; nothing is kept here.

use super::orders::Wish;
use super::shops::{address_of, pay_once, wish};
use super::{amount, asset_view, id, look, some};
use crate::api::{
    BillCall, BillReply, InvoiceLineView, InvoiceTaxView, InvoiceView, InvoicesView, PersonView, Reply,
};
use crate::error::{Refusal, call_error, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::wallet::{
    InvoiceInfo, InvoiceLine, InvoiceList, InvoicePayee, InvoiceState, Payee, SendInvoice,
};
use weft_wire::{AssetId, RequestId, UserAddress};
use zeroize::Zeroizing;

/// Answers a call about invoices.
pub(super) async fn answer(cx: &Cx, call: BillCall) -> Result<Reply, Refusal> {
    let info = match call {
        BillCall::Invoices { .. } => {
            return list(cx, call).await.map(BillReply::Invoices).map(Reply::Bill);
        }
        BillCall::Invoice { user, invoice } => invoice_of(cx, &user, &invoice).await?.1,
        BillCall::SendInvoice { .. } => http::post(cx, "wallet/invoices", &sending(cx, call)?).await?,
        BillCall::CancelInvoice { user, invoice } => {
            let path = path(&address_of(cx, "user", &user)?, id("invoice", &invoice)?);
            http::tell::<()>(cx, "DELETE", &path, None).await?;
            http::get(cx, &path).await?
        }
        BillCall::PayInvoice { id: form, user, invoice, asset, amount, pin } => {
            let pin = Zeroizing::new(pin);
            pay(cx, [&form, &user, &invoice, &asset, &amount], &pin).await?
        }
        BillCall::RefundInvoice { id: form, user, invoice, amount, pin } => {
            let pin = Zeroizing::new(pin);
            refund(cx, [&form, &user, &invoice, &amount], &pin).await?
        }
    };
    cx.with(|s| view(s, info)).map(BillReply::Invoice).map(Reply::Bill)
}

fn path(issuer: &UserAddress, invoice: RequestId) -> String {
    format!("wallet/invoices/{}/{invoice}", issuer.name)
}

/// What the node says of an invoice, and whose it is.
async fn invoice_of(cx: &Cx, issuer: &str, invoice: &str) -> Result<(UserAddress, InvoiceInfo), Refusal> {
    let (issuer, invoice) = (address_of(cx, "user", issuer)?, id("invoice", invoice)?);
    let info: InvoiceInfo = http::get(cx, &path(&issuer, invoice)).await?;
    Ok((issuer, info))
}

async fn list(cx: &Cx, call: BillCall) -> Result<InvoicesView, Refusal> {
    let BillCall::Invoices { sent, shop, user, invoice } = call else { return Err(no_invoice()) };
    let mut query = if sent { "sent" } else { "received" }.to_owned();
    if let Some(shop) = shop {
        query = format!("sent&shop={}", address_of(cx, "shop", &shop)?.name);
    }
    if let (Some(user), Some(invoice)) = (user, invoice) {
        let (user, invoice): (_, RequestId) = (address_of(cx, "user", &user)?, id("invoice", &invoice)?);
        query.push_str(&format!("&of={}&before={invoice}", user.name));
    }
    let list: InvoiceList = http::get(cx, &format!("wallet/invoices?box={query}")).await?;
    let mut invoices = Vec::with_capacity(list.invoices.len());
    for info in list.invoices {
        invoices.push(cx.with(|s| view(s, info))?);
    }
    Ok(InvoicesView { invoices, more: list.more })
}

/// What is sent, as the node takes it.
fn sending(cx: &Cx, call: BillCall) -> Result<SendInvoice, Refusal> {
    let BillCall::SendInvoice { id: form, shop, user, asset, lines, total, due_ms, note } = call else {
        return Err(no_invoice());
    };
    let line = |(text, quantity, price, tax): (String, String, String, String)| {
        let tax_rate = match tax.as_str() {
            "" => None,
            tax => Some(tax.parse().map_err(|_| field_error("lines", "tax is a whole number"))?),
        };
        let (quantity, unit_price) = (some("lines", &quantity)?, amount("lines", &price)?);
        Ok(InvoiceLine { text, quantity, unit_price, tax_rate })
    };
    Ok(SendInvoice {
        id: id("id", &form)?,
        shop: shop.map(|shop| address_of(cx, "shop", &shop)).transpose()?,
        to: address_of(cx, "user", &user)?,
        asset: id("asset", &asset)?,
        lines: lines.into_iter().map(line).collect::<Result<_, Refusal>>()?,
        total: some("total", &total)?,
        due_ms: due_ms.max(0.0) as u64,
        note,
    })
}

fn no_invoice() -> Refusal {
    call_error("bad_input", "This is about no invoice.")
}

async fn pay(cx: &Cx, said: [&str; 5], pin: &str) -> Result<InvoiceInfo, Refusal> {
    let [form, user, invoice, asset, sum] = said;
    let (issuer, invoice) = (address_of(cx, "user", user)?, id("invoice", invoice)?);
    let asset: AssetId = id("asset", asset)?;
    let payee = Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice });
    let wish = wish(id("id", form)?, payee, asset, some("amount", sum)?);
    pay_once(cx, &wish, pin).await?;
    Ok(http::get(cx, &path(&issuer, invoice)).await?)
}

async fn refund(cx: &Cx, said: [&str; 4], pin: &str) -> Result<InvoiceInfo, Refusal> {
    let [form, user, invoice, sum] = said;
    let (issuer, info) = invoice_of(cx, user, invoice).await?;
    let paid = info.paid.ok_or_else(|| call_error("not_found", "This invoice was not paid."))?;
    let wish = wish(id("id", form)?, Payee::Person(info.to), info.asset.id(), some("amount", sum)?);
    let from = info.shop.is_some().then(|| issuer.clone());
    pay_once(cx, &Wish { from, refunds: Some(paid.transfer), ..wish }, pin).await?;
    Ok(http::get(cx, &path(&issuer, info.id)).await?)
}

fn view(s: &mut State, info: InvoiceInfo) -> Result<InvoiceView, Refusal> {
    let mine = crate::account::me(s)?.user == info.to;
    let issuer = match &info.shop {
        Some(shop) => PersonView { user: info.issuer.to_string(), name: shop.title.clone() },
        None => look::person(s, &info.issuer),
    };
    let line = |line: InvoiceLine| InvoiceLineView {
        net: line.net().unwrap_or_default().to_string(),
        quantity: line.quantity.to_string(),
        unit_price: line.unit_price.to_string(),
        tax_rate: line.tax_rate,
        text: line.text,
    };
    let groups: Vec<&str> =
        info.reference.as_bytes().chunks(4).filter_map(|four| str::from_utf8(four).ok()).collect();
    Ok(InvoiceView {
        invoice: info.id.to_string(),
        issuer,
        shop: info.shop.is_some(),
        to: look::person(s, &info.to),
        mine,
        number: info.number as f64,
        reference: groups.join(" "),
        asset: asset_view(&info.asset),
        lines: info.lines.into_iter().map(line).collect(),
        net: info.sums.net.to_string(),
        taxes: info
            .sums
            .taxes
            .iter()
            .map(|tax| InvoiceTaxView { rate: tax.rate, tax: tax.tax.to_string() })
            .collect(),
        total: info.sums.total.to_string(),
        note: info.note,
        time_ms: info.made_ms as f64,
        due_ms: info.due_ms as f64,
        state: match info.state {
            InvoiceState::Open => "open",
            InvoiceState::Overdue => "overdue",
            InvoiceState::Paid => "paid",
            _ => "cancelled",
        }
        .into(),
        by: info.by.map(|user| look::person(s, &user)),
        transfer: info.paid.map(|paid| paid.transfer.to_string()),
        paid_ms: info.paid.map(|paid| paid.at_ms as f64),
        refunded: info.paid.map_or(0, |paid| paid.refunded).to_string(),
    })
}
