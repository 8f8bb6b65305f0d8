//! Asking for money: from one, or from several who share a bill.

use super::cards::{self, Card};
use super::orders::Wish;
use super::{amount, id, look, note, some};
use crate::account::me;
use crate::api::{MessageView, RequestView, TransferView};
use crate::chats::{calls::chat_of, queue, timeline};
use crate::connection;
use crate::error::{Refusal, call_error, field_error};
use crate::groups;
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use serde::{Deserialize, Serialize};
use weft_wire::wallet::{
    Asset, AssetInfo, AssetList, PaidCard, RequestCard, RequestPart, RequestPayments, TransferState,
};
use weft_wire::{AssetId, RequestId, TransferId, UserAddress};

/// Who has said that they have paid: `w/p/ request user`.
const PAID: &[u8] = b"w/p/";

#[derive(Serialize, Deserialize)]
struct Said {
    transfer: TransferId,
}

fn place(request: RequestId, user: &UserAddress) -> Vec<u8> {
    [PAID, request.as_bytes(), user.to_string().as_bytes()].concat()
}

/// Somebody says in a chat that they have paid.
pub(crate) fn heard(s: &mut State, user: &UserAddress, card: &PaidCard) {
    s.store(&place(card.request, user), &Said { transfer: card.transfer });
}

/// Asks for money in a chat.
pub(super) async fn ask(
    cx: &Cx,
    chat: &str,
    asset: &str,
    parts: &[(String, String)],
    total: &str,
    about: &str,
) -> Result<MessageView, Refusal> {
    let asset = self::asset(cx, id("asset", asset)?).await?;
    cx.with(|s| {
        let mut chat = chat_of(s, chat)?;
        let me = me(s)?.user.clone();
        let mut card = RequestCard {
            request: RequestId(s.random()),
            asset,
            parts: Vec::with_capacity(parts.len()),
            total: some("total", total)?,
            note: note("note", about)?,
        };
        for (user, part) in parts {
            let user: UserAddress = user.parse().map_err(|error| field_error("parts", error))?;
            if user == me {
                return Err(field_error("parts", "nobody asks themselves"));
            }
            card.parts.push(RequestPart { user, amount: amount("parts", part)? });
        }
        let card = Card::Request(card);
        let card = Card::read(card.kind(), card.body().as_slice()).ok_or_else(|| {
            field_error("parts", "each once, each something, together no more than the bill")
        })?;
        queue::may_write(s, &chat)?;
        let queued = queue::push_card(s, &mut chat, &card)?;
        connection::nudge(s);
        Ok(queued.view(s, None))
    })
}

/// An asset that the node issues.
pub(super) async fn asset(cx: &Cx, asset: AssetId) -> Result<Asset, Refusal> {
    Ok(info(cx, asset).await?.asset)
}

/// The same, with all that the node says of it.
pub(super) async fn info(cx: &Cx, asset: AssetId) -> Result<AssetInfo, Refusal> {
    let assets: AssetList = http::get(cx, "wallet/assets").await?;
    let info = assets.assets.into_iter().find(|info| info.id == asset);
    info.ok_or_else(|| field_error("asset", "no such asset is issued here"))
}

/// What was paid to or by oneself for a request.
async fn known(cx: &Cx, request: RequestId, asset: AssetId) -> Result<RequestPayments, Failure> {
    http::get(cx, &format!("wallet/requests/{request}?asset={asset}")).await
}

/// What this very form has paid before.
///
/// # Errors
/// `already_paid` where something else has paid the same request.
pub(super) async fn paid_before(cx: &Cx, wish: &Wish) -> Result<Option<TransferView>, Refusal> {
    let Some(request) = wish.request else { return Ok(None) };
    let me = cx.with(|s| me(s).map(|me| me.user.clone()))?;
    let known = known(cx, request, wish.asset).await?;
    let own = known.payments.into_iter().filter(|info| info.payer == me);
    let mut stands = own.filter(|info| {
        matches!(info.state, TransferState::Held | TransferState::Done) && info.refunded < info.amount
    });
    match stands.next() {
        None => Ok(None),
        Some(info) if info.id == wish.transfer(&me) => cx.with(|s| look::view(s, info)).map(Some),
        Some(_) => Err(call_error("already_paid", "You have paid this.")),
    }
}

/// A request as it stands.
pub(super) async fn look(cx: &Cx, chat: &str, id: &str) -> Result<RequestView, Refusal> {
    let chat = cx.with(|s| chat_of(s, chat))?;
    let Some((sender, Card::Request(card))) = timeline::card_of(cx, chat.id, super::id("id", id)?).await
    else {
        return Err(call_error("not_found", "There is no such request."));
    };
    let mine = cx.with(|s| me(s).map(|me| me.user.clone()))?;
    // Of what was paid to or by oneself the node knows; of the others what they say.
    let known = known(cx, card.request, card.asset.id()).await?;
    Ok(cx.with(|s| {
        let mut parts = cards::parts(s, groups::room_of(chat.id), &card);
        for (view, part) in parts.iter_mut().zip(&card.parts) {
            let counts = |info: &&weft_wire::wallet::TransferInfo| {
                info.payer == part.user
                    && Some(&info.payee) == sender.as_ref()
                    && info.asset == card.asset
                    && info.amount >= part.amount
                    && info.state == TransferState::Done
                    && info.refunded == 0
            };
            let by_node = known.payments.iter().find(counts).map(|info| info.id);
            let told = sender.as_ref() == Some(&mine) || part.user == mine;
            let paid = match told {
                true => by_node,
                false => s.load::<Said>(&place(card.request, &part.user)).map(|said| said.transfer),
            };
            view.paid = paid.map(|transfer| transfer.to_string());
        }
        RequestView { request: card.request.to_string(), parts }
    }))
}

/// What is said in the chat once a request is paid.
pub(super) fn paid_card(request: RequestId, transfer: TransferId, asset: Asset, amount: u64) -> Card {
    Card::Paid(PaidCard { request, transfer, asset, amount })
}
