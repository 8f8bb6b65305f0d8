//! The calls about money.

use super::cards::Card;
use super::orders::{self, Wish};
use super::packets::{self, Gift};
use super::{admin, id, key, look, note, requests, some};
use crate::account::me;
use crate::api::{Call, Reply};
use crate::chats;
use crate::error::{Refusal, call_error, field_error};
use crate::runtime::{Cx, State};
use weft_wire::wallet::{Asset, Exchange, Intent, Payee, PaymentOrder, TransferCard};
use weft_wire::{AssetId, RequestId, TransferId, UserAddress};
use zeroize::Zeroizing;

/// Answers a call about money; gives it back if it is about something else.
pub(crate) async fn answer(cx: &Cx, call: Call) -> Result<Result<Reply, Refusal>, Call> {
    Ok(match call {
        Call::Wallet => look::wallet(cx).await.map(Reply::Wallet),
        Call::SetPin { pin, password } => {
            let secrets = Zeroizing::new([pin, password]);
            let [pin, password] = &*secrets;
            key::set_pin(cx, pin, password).await.map(|()| Reply::Done)
        }
        Call::Pay { .. } => pay(cx, call).await,
        Call::Transfer { id: transfer } => match id("id", &transfer) {
            Ok(transfer) => look::transfer(cx, transfer).await.map(Reply::Transfer),
            Err(error) => Err(error),
        },
        Call::AnswerTransfer { id, accept } => look::answer(cx, &id, accept).await.map(Reply::Transfer),
        Call::WalletHistory { account, before } => {
            look::history(cx, &account, before).await.map(Reply::History)
        }
        Call::SendPacket { id, chat, asset, amount, shares, lucky, only, greeting, cover, pin } => {
            let pin = Zeroizing::new(pin);
            let gift = Gift { id, chat, asset, amount, shares, lucky, only, greeting, cover };
            packets::send(cx, gift, &pin).await.map(|()| Reply::Done)
        }
        Call::Packet { chat, id } => packets::look(cx, &chat, &id).await.map(Reply::Packet),
        Call::OpenPacket { chat, id } => packets::open(cx, &chat, &id).await.map(Reply::Packet),
        Call::AskMoney { chat, asset, parts, total, note } => {
            requests::ask(cx, &chat, &asset, &parts, &total, &note).await.map(Reply::Sent)
        }
        Call::Request { chat, id } => requests::look(cx, &chat, &id).await.map(Reply::Request),
        Call::DefineAsset { code, scale, title, backing, payment_max, day_max, issue_max } => {
            let (payment_max, day_max, issue_max) = (&payment_max, &day_max, &issue_max);
            let wish =
                admin::Definition { code: &code, scale, title, backing, payment_max, day_max, issue_max };
            admin::define(cx, wish).await.map(|()| Reply::Done)
        }
        Call::Issue { id, user, asset, amount, redeem } => {
            admin::issue(cx, &id, &user, &asset, &amount, redeem).await.map(|()| Reply::Done)
        }
        Call::FreezeAccount { user, asset, frozen } => {
            admin::freeze(cx, &user, &asset, frozen).await.map(|()| Reply::Done)
        }
        Call::TopUp(call) => super::topups::answer(cx, call).await,
        Call::Shop(call) => super::shops::answer(cx, call).await,
        Call::Receipt(call) => super::receipts::answer(cx, call).await,
        Call::Escrow(call) => super::escrow::answer(cx, call).await,
        Call::Mandate(call) => super::mandates::answer(cx, call).await,
        Call::Bill(call) => super::invoices::answer(cx, call).await,
        Call::Books(call) => super::books::answer(cx, call).await,
        Call::Agent(call) => super::agents::answer(cx, call).await,
        Call::Passkey(call) => super::passkey::answer(cx, call),
        Call::Guard(call) => super::guard::answer(cx, call).await,
        Call::NodeLink(call) => super::links::answer(cx, call).await,
        other => return Err(other),
    })
}

async fn pay(cx: &Cx, call: Call) -> Result<Reply, Refusal> {
    let Call::Pay {
        id: order,
        user,
        asset,
        amount,
        note: about,
        hold,
        chat,
        request,
        refunds,
        exchange,
        pin,
    } = call
    else {
        return Err(call_error("bad_input", "This is no payment."));
    };
    let pin = Zeroizing::new(pin);
    let asset: AssetId = id("asset", &asset)?;
    let user: UserAddress = user.parse().map_err(|error| field_error("user", error))?;
    let mut wish = Wish {
        id: id("id", &order)?,
        payee: Payee::Person(user),
        asset,
        amount: some("amount", &amount)?,
        intent: if hold { Intent::Transfer } else { Intent::Payment },
        request: request.map(|request| id::<RequestId>("request", &request)).transpose()?,
        refunds: refunds.map(|refunds| id::<TransferId>("refunds", &refunds)).transpose()?,
        from: None,
        tip: None,
        exchange: self::exchange(exchange)?,
        card: None,
    };
    let about = note("note", &about)?;
    let known = requests::asset(cx, asset).await?;
    if let Some(chat) = chat {
        cx.with(|s| with_card(s, &mut wish, &chat, known.clone(), about))?;
    }
    if let Some(earlier) = requests::paid_before(cx, &wish).await? {
        return Ok(Reply::Transfer(earlier));
    }
    match orders::pay(cx, &wish, &pin).await {
        Ok(receipt) => cx.with(|s| look::done(s, &wish, &known, &receipt, None)).map(Reply::Transfer),
        // The same form again: it was paid, and the answer did not come.
        Err(refusal) if refusal.code == "id_conflict" => {
            let id = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
            let earlier = look::transfer(cx, id).await.ok().filter(|view| look::is_of(view, &wish));
            earlier.map(Reply::Transfer).ok_or(refusal)
        }
        Err(refusal) => Err(refusal),
    }
}

/// What the payee gets instead.
pub(super) fn exchange(said: Option<(String, String)>) -> Result<Option<Exchange>, Refusal> {
    let Some((asset, amount)) = said else { return Ok(None) };
    Ok(Some(Exchange { asset: id("exchange", &asset)?, amount: some("exchange", &amount)? }))
}

/// What is said in the chat once it is paid.
fn with_card(s: &mut State, wish: &mut Wish, chat: &str, asset: Asset, note: String) -> Result<(), Refusal> {
    let chat = chats::calls::chat_of(s, chat)?.id;
    let transfer = wish.transfer(&me(s)?.user);
    let amount = wish.amount;
    let card = match wish.request {
        Some(request) => requests::paid_card(request, transfer, asset, amount),
        None => Card::Transfer(TransferCard { transfer, asset, amount, note }),
    };
    wish.card = Some((chat, card));
    Ok(())
}

impl Wish {
    /// The transfer that it becomes.
    pub(super) fn transfer(&self, payer: &UserAddress) -> TransferId {
        PaymentOrder::transfer_of(payer, self.id)
    }
}
