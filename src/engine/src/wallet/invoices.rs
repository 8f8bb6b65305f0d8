//! Invoices: one's own, and those of shops where one works. What is true of them the node says. Of those that somebody of another node
//! has sent one learns in the chat with them: what was heard there is kept until the own node knows of it.

use super::orders::Wish;
use super::shops::{address_of, pay_once, wish};
use super::{amount, asset_view, calls, cards::Card, id, look, some};
use crate::account::me;
use crate::api::{
    BillCall, BillReply, Event, InvoiceLineView, InvoiceTaxView, InvoiceView, InvoicesView, PersonView, Reply,
};
use crate::chats::{self, queue};
use crate::error::{Refusal, call_error, field_error};
use crate::http::Failure;
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use crate::{connection, contacts, http};
use weft_wire::contacts::ContactState;
use weft_wire::wallet::{
    InvoiceCard, InvoiceInfo, InvoiceLine, InvoiceList, InvoicePayee, InvoiceState, Payee, SendInvoice,
};
use weft_wire::{AssetId, RequestId, UserAddress};
use zeroize::Zeroizing;

/// Of which the own node has not heard: `w/i/ invoice issuer`.
const HEARD: &[u8] = b"w/i/";
/// So many of them, and of one node.
const HEARD_MAX: usize = 64;
const HEARD_OF_NODE_MAX: usize = 16;
/// After which they are asked for again where a node has not answered.
const AGAIN_MS: u64 = 30_000;
/// Of which the chat was told: `w/t/ invoice`.
const TOLD: &[u8] = b"w/t/";

/// Somebody says in a chat that there is an invoice.
pub(super) fn heard(s: &mut State, sender: &UserAddress, card: &InvoiceCard) {
    let Ok(node) = me(s).map(|me| me.user.node.clone()) else { return };
    let is_contact =
        contacts::find(s, sender).is_some_and(|contact| contact.state == Some(ContactState::Accepted));
    // A node speaks for its own people, and of what is of this one it knows itself.
    let is_theirs = sender.node == card.issuer.node && card.issuer.node != node;
    let kept = s.load_all::<InvoicePayee>(HEARD);
    let of_node = kept.iter().filter(|payee| payee.issuer.node == sender.node).count();
    if is_contact && is_theirs && kept.len() < HEARD_MAX && of_node < HEARD_OF_NODE_MAX {
        let payee = InvoicePayee { issuer: card.issuer.clone(), invoice: card.invoice };
        s.store(&heard_place(&payee), &payee);
        s.jobs.want(Job::HearInvoices);
    }
}

/// Has those asked for that the node has not heard of.
pub(super) fn wait(s: &mut State) {
    if !s.load_all::<InvoicePayee>(HEARD).is_empty() {
        s.jobs.want(Job::HearInvoices);
    }
}

fn heard_place(payee: &InvoicePayee) -> Vec<u8> {
    [HEARD, payee.invoice.as_bytes(), payee.issuer.to_string().as_bytes()].concat()
}

/// The job: has the own node ask for what was heard of. From then on it stands in the list.
pub(crate) async fn hear(cx: &Cx) -> Result<Done, Failure> {
    let mut away = Vec::new();
    for payee in cx.with(|s| s.load_all::<InvoicePayee>(HEARD)) {
        let node = payee.issuer.node.clone();
        // A node that does not answer is asked once in a round: it holds up nobody else's.
        if away.contains(&node) {
            continue;
        }
        match http::get::<InvoiceInfo>(cx, &path(&payee.issuer, payee.invoice)).await {
            Err(failure) if !failure.is_final() => away.push(node),
            asked => cx.with(|s| {
                s.kv_delete(&heard_place(&payee));
                if asked.is_ok() {
                    // Whoever looks at the list asks for it anew.
                    s.event(Event::Wallet);
                }
            }),
        }
    }
    // How long it wishes to be left alone is no matter of others.
    Ok(if away.is_empty() { Done::Yes } else { Done::After(AGAIN_MS) })
}

/// Answers a call about invoices.
pub(super) async fn answer(cx: &Cx, call: BillCall) -> Result<Reply, Refusal> {
    let info = match call {
        BillCall::Invoices { .. } => {
            return list(cx, call).await.map(BillReply::Invoices).map(Reply::Bill);
        }
        BillCall::Invoice { user, invoice } => invoice_of(cx, &user, &invoice).await?.1,
        BillCall::SendInvoice { .. } => send(cx, &sending(cx, call)?).await?,
        BillCall::TellInvoice { user, invoice } => {
            let info = invoice_of(cx, &user, &invoice).await?.1;
            cx.with(|s| tell(s, &info))?;
            info
        }
        BillCall::CancelInvoice { user, invoice } => {
            let path = path(&address_of(cx, "user", &user)?, id("invoice", &invoice)?);
            http::tell::<()>(cx, "DELETE", &path, None).await?;
            http::get(cx, &path).await?
        }
        BillCall::PayInvoice { id: form, user, invoice, asset, amount, exchange, pin } => {
            let pin = Zeroizing::new(pin);
            pay(cx, [&form, &user, &invoice, &asset, &amount], exchange, &pin).await?
        }
        BillCall::RefundInvoice { id: form, user, invoice, amount, pin } => {
            let pin = Zeroizing::new(pin);
            refund(cx, [&form, &user, &invoice, &amount], &pin).await?
        }
    };
    cx.with(|s| view(s, info)).map(BillReply::Invoice).map(Reply::Bill)
}

fn path(issuer: &UserAddress, invoice: RequestId) -> String {
    format!("wallet/invoices/{}/{invoice}?node={}", issuer.name, issuer.node)
}

/// The address of an issuer, of another node as well.
fn issuer_of(text: &str) -> Result<UserAddress, Refusal> {
    text.parse().map_err(|error| field_error("user", error))
}

/// What the node says of an invoice, and whose it is.
async fn invoice_of(cx: &Cx, issuer: &str, invoice: &str) -> Result<(UserAddress, InvoiceInfo), Refusal> {
    let (issuer, invoice) = (issuer_of(issuer)?, id("invoice", invoice)?);
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
        let (user, invoice): (_, RequestId) = (issuer_of(&user)?, id("invoice", &invoice)?);
        query.push_str(&format!("&of={}&node={}&before={invoice}", user.name, user.node));
    }
    let list: InvoiceList = http::get(cx, &format!("wallet/invoices?box={query}")).await?;
    let mut invoices = Vec::with_capacity(list.invoices.len());
    for info in list.invoices {
        invoices.push(cx.with(|s| view(s, info))?);
    }
    Ok(InvoicesView { invoices, more: list.more })
}

/// Sends it. Who is of another node hears of it in the chat, once.
async fn send(cx: &Cx, wish: &SendInvoice) -> Result<InvoiceInfo, Refusal> {
    let is_far = cx.with(|s| me(s).map(|me| me.user.node != wish.to.node))?;
    if is_far {
        cx.with(|s| chat_with(s, &wish.to).map(drop))?;
    }
    let info: InvoiceInfo = http::post(cx, "wallet/invoices", wish).await?;
    let place = [TOLD, info.id.as_bytes()].concat();
    if is_far && cx.with(|s| s.load::<bool>(&place)).is_none() {
        cx.with(|s| {
            tell(s, &info)?;
            s.store(&place, &true);
            Ok::<_, Refusal>(())
        })?;
    }
    Ok(info)
}

/// The chat with somebody, which may be written to.
fn chat_with(s: &mut State, user: &UserAddress) -> Result<chats::Chat, Refusal> {
    let unknown = || call_error("unknown_contact", "This person is no contact.");
    contacts::find(s, user).filter(|contact| contact.state.is_some()).ok_or_else(unknown)?;
    let chat = chats::with_user(s, user).ok_or_else(unknown)?;
    queue::may_write(s, &chat)?;
    Ok(chat)
}

/// Says in the chat with whoever is to pay it that there is an invoice.
fn tell(s: &mut State, info: &InvoiceInfo) -> Result<(), Refusal> {
    let mut chat = chat_with(s, &info.to)?;
    let card = InvoiceCard {
        issuer: info.issuer.clone(),
        invoice: info.id,
        number: info.number,
        asset: info.asset.clone(),
        total: info.sums.total,
        due_ms: info.due_ms,
    };
    queue::push_card(s, &mut chat, &Card::Invoice(card))?;
    connection::nudge(s);
    Ok(())
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
        to: issuer_of(&user)?,
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

async fn pay(
    cx: &Cx,
    said: [&str; 5],
    exchange: Option<(String, String)>,
    pin: &str,
) -> Result<InvoiceInfo, Refusal> {
    let [form, user, invoice, asset, sum] = said;
    let (issuer, invoice) = (issuer_of(user)?, id("invoice", invoice)?);
    let asset: AssetId = id("asset", asset)?;
    let payee = Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice });
    let wish = wish(id("id", form)?, payee, asset, some("amount", sum)?);
    let wish = Wish { exchange: calls::exchange(exchange)?, ..wish };
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
    let mine = me(s)?.user == info.to;
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
            InvoiceState::Paying => "paying",
            _ => "cancelled",
        }
        .into(),
        by: info.by.map(|user| look::person(s, &user)),
        transfer: info.paid.map(|paid| paid.transfer.to_string()),
        paid_ms: info.paid.map(|paid| paid.at_ms as f64),
        refunded: info.paid.map_or(0, |paid| paid.refunded).to_string(),
        at_rate: info.paid.is_some_and(|paid| paid.at_rate),
        rejection: info.rejection.map(|why| look::rejection(why).into()),
    })
}
