//! What the node says of money.

use super::orders::{self, Wish};
use super::{asset_view, fees, id, key};
use crate::account::me;
use crate::api::{
    AccountView, ExchangedView, HistoryLineView, HistoryView, IssuedView, LinkedView, PersonView, RateView,
    TransferView, WalletView,
};
use crate::chats;
use crate::error::{Refusal, internal};
use crate::groups::names;
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::wallet::{
    AccountList, Answer, AnswerTransfer, Asset, AssetInfo, AssetList, Exchanged, History, HistoryLine,
    LinkedNode, Payee, Receipt, Rejection, ShopName, TransferInfo, TransferState,
};
use weft_wire::{AccountId, TransferId, UserAddress};

/// One's own money.
pub(super) async fn wallet(cx: &Cx) -> Result<WalletView, Refusal> {
    let accounts: AccountList = http::get(cx, "wallet/accounts").await?;
    let assets: AssetList = http::get(cx, "wallet/assets").await?;
    cx.with(|s| fees::keep(s, &assets.assets));
    Ok(cx.with(|s| WalletView {
        accounts: accounts.accounts.into_iter().map(account).collect(),
        assets: assets.assets.into_iter().map(issued).collect(),
        pin: key::is_set(s),
        pending: orders::pending(s),
        links: assets.links.into_iter().map(linked).collect(),
        node_time_ms: Some(s.live.node_time(s.now) as f64),
    }))
}

pub(super) fn account(account: weft_wire::wallet::AccountView) -> AccountView {
    AccountView {
        id: account.id.to_string(),
        asset: asset_view(&account.asset.asset),
        title: account.asset.title,
        balance: account.balance.to_string(),
        available: account.available.to_string(),
        incoming: account.incoming.to_string(),
        outgoing: account.outgoing.to_string(),
        frozen: account.frozen,
    }
}

fn linked(link: LinkedNode) -> LinkedView {
    let assets = link.assets.iter().map(ToString::to_string).collect();
    let rates = link.rates.into_iter().map(|rate| RateView {
        give: rate.give.to_string(),
        get: asset_view(&rate.get),
        numerator: rate.numerator.to_string(),
        denominator: rate.denominator.to_string(),
        rate: rate.rate,
    });
    LinkedView { node: link.node.to_string(), assets, rates: rates.collect() }
}

fn exchanged(other: Option<Exchanged>) -> Option<ExchangedView> {
    other.map(|other| ExchangedView { asset: asset_view(&other.asset), amount: other.amount.to_string() })
}

fn issued(info: AssetInfo) -> IssuedView {
    IssuedView {
        fees: super::fees::views(&info),
        asset: asset_view(&info.asset),
        title: info.title,
        backing: info.backing,
        payment_max: info.payment_max.to_string(),
        day_max: info.day_max.to_string(),
        issue_max: info.issue_max.to_string(),
        issued: info.issued.to_string(),
    }
}

/// A page of a history.
pub(super) async fn history(cx: &Cx, account: &str, before: Option<f64>) -> Result<HistoryView, Refusal> {
    let account: AccountId = id("account", account)?;
    let before = before.map(|before| format!("&before={}", before.max(0.0) as u64)).unwrap_or_default();
    let page: History = http::get(cx, &format!("wallet/history?account={account}{before}")).await?;
    let lines = cx.with(|s| page.lines.into_iter().map(|one| line(s, one)).collect());
    Ok(HistoryView { account: account.to_string(), lines, more: page.more })
}

fn line(s: &mut State, line: HistoryLine) -> HistoryLineView {
    HistoryLineView {
        number: line.number as f64,
        transfer: line.transfer.to_string(),
        time_ms: line.at_ms as f64,
        purpose: line.purpose,
        credit: line.credit,
        amount: line.amount.to_string(),
        other: line.other.as_ref().map(|user| party(s, user, line.shop.as_deref())),
        shop: line.shop,
        packet: line.packet.map(|packet| packet.to_string()),
        refunds: line.refunds.map(|refunds| refunds.to_string()),
        fee_of: line.fee_of.map(|payment| payment.to_string()),
        refunded: line.refunded.to_string(),
        state: state(line.state).into(),
        until_ms: line.until_ms.map(|until| until as f64),
        settled_ms: line.settled_ms.map(|settled| settled as f64),
        settled_by: line.settled_by.map(|settled| settled as f64),
        exchange: exchanged(line.exchange),
    }
}

/// A transfer as it stands.
pub(super) async fn transfer(cx: &Cx, transfer: TransferId) -> Result<TransferView, Refusal> {
    let info: TransferInfo = http::get(cx, &format!("wallet/transfers/{transfer}")).await?;
    cx.with(|s| view(s, info))
}

/// Accepts what waits, or gives it back.
pub(super) async fn answer(cx: &Cx, transfer: &str, accept: bool) -> Result<TransferView, Refusal> {
    let transfer: TransferId = id("id", transfer)?;
    let answer = AnswerTransfer { answer: if accept { Answer::Accept } else { Answer::Return } };
    let info: TransferInfo = http::post(cx, &format!("wallet/transfers/{transfer}"), &answer).await?;
    cx.with(|s| view(s, info))
}

pub(super) fn view(s: &mut State, info: TransferInfo) -> Result<TransferView, Refusal> {
    let mine = me(s)?.user == info.payer;
    let title = |user: &UserAddress| {
        info.shop.as_ref().filter(|shop| shop.shop == *user).map(|shop| shop.title.as_str())
    };
    Ok(TransferView {
        id: info.id.to_string(),
        payer: party(s, &info.payer, title(&info.payer)),
        payee: party(s, &info.payee, title(&info.payee)),
        mine,
        asset: asset_view(&info.asset),
        amount: info.amount.to_string(),
        refunded: info.refunded.to_string(),
        request: info.request.map(|request| request.to_string()),
        shop: info.shop.map(|shop| shop.title),
        state: state(info.state).into(),
        time_ms: info.at_ms as f64,
        until_ms: info.until_ms.map(|until| until as f64),
        exchange: exchanged(info.exchange),
        rejection: info.rejection.map(|why| rejection(why).into()),
    })
}

pub(super) fn rejection(why: Rejection) -> &'static str {
    match why {
        Rejection::Declined => "declined",
        Rejection::Expired => "expired",
        Rejection::Closed => "closed",
        Rejection::Paid => "paid",
        Rejection::Over => "over",
        Rejection::Asked => "asked",
        Rejection::Rate => "rate",
        Rejection::Guarded => "guarded",
        Rejection::Other => "other",
    }
}

/// A transfer that was made just now.
pub(super) fn done(
    s: &mut State,
    wish: &Wish,
    asset: &Asset,
    receipt: &Receipt,
    shop: Option<ShopName>,
) -> Result<TransferView, Refusal> {
    let payee = payee(&receipt.payee).ok_or_else(|| internal("payee"))?;
    let info = TransferInfo {
        id: receipt.transfer,
        payer: receipt.payer.clone(),
        payee: payee.clone(),
        asset: asset.clone(),
        amount: receipt.amount,
        refunded: 0,
        request: wish.request,
        shop,
        state: receipt.state,
        at_ms: receipt.at_ms,
        until_ms: receipt.until_ms,
        // Which asset it is, the history says.
        exchange: None,
        refunds: wish.refunds,
        rejection: None,
    };
    view(s, info)
}

/// Whether a transfer is what was wished for.
pub(super) fn is_of(view: &TransferView, wish: &Wish) -> bool {
    let from = wish.from.as_ref().map(ToString::to_string);
    let is_payer = from.map_or(view.mine, |from| view.payer.user == from);
    is_payer
        && payee(&wish.payee).is_some_and(|payee| view.payee.user == payee.to_string())
        && view.amount == wish.amount.to_string()
        && view.asset.id == wish.asset.to_string()
}

/// The address of whoever is paid.
fn payee(payee: &Payee) -> Option<&UserAddress> {
    match payee {
        Payee::Person(user) => Some(user),
        Payee::Merchant(payee) => Some(&payee.shop),
        Payee::Invoice(payee) => Some(&payee.issuer),
        _ => None,
    }
}

pub(super) fn state(state: TransferState) -> &'static str {
    match state {
        TransferState::Held => "held",
        TransferState::Done => "done",
        TransferState::Returned => "returned",
        TransferState::Expired => "expired",
    }
}

/// Somebody outside any chat: a contact by name.
pub(super) fn person(s: &mut State, user: &UserAddress) -> PersonView {
    let room = s.live.me.as_ref().map(|me| chats::direct_id(&me.user, user).0);
    match room {
        Some(room) => names::person(s, room, user),
        None => PersonView { user: user.to_string(), name: user.name.to_string() },
    }
}

/// Somebody, or a shop, which is called by its title.
fn party(s: &mut State, user: &UserAddress, title: Option<&str>) -> PersonView {
    match title {
        Some(title) => PersonView { user: user.to_string(), name: title.to_owned() },
        None => person(s, user),
    }
}
