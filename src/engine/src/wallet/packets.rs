//! Red packets.

use super::cards::Card;
use super::orders::{self, Wish};
use super::{asset_view, id, note, requests, some};
use crate::account::me;
use crate::api::{ClaimView, PacketView};
use crate::chats::{Chat, calls::chat_of, timeline};
use crate::error::{Refusal, call_error, field_error};
use crate::groups::{self, names};
use crate::http;
use crate::runtime::{Cx, State};
use weft_ledger::packet::{self, Promise};
use weft_wire::wallet::{
    Asset, Intent, PacketCard, PacketInfo, PacketKind, PacketPromise, PacketState, PacketTerms, Payee,
    TransferInfo, TransferState,
};
use weft_wire::{OrderId, RoomId, TransferId, UserAddress};

/// A red packet that somebody gives.
pub(super) struct Gift {
    pub id: String,
    pub chat: String,
    pub asset: String,
    pub amount: String,
    pub shares: u32,
    pub lucky: bool,
    pub only: Option<String>,
    pub greeting: String,
    pub cover: u8,
}

/// Gives a red packet.
pub(super) async fn send(cx: &Cx, gift: Gift, pin: &str) -> Result<(), Refusal> {
    let asset = requests::asset(cx, id("asset", &gift.asset)?).await?;
    let wish = cx.with(|s| wish(s, &gift, asset))?;
    match orders::pay(cx, &wish, pin).await {
        Ok(_) => Ok(()),
        // The same form again: it was given, and the answer did not come.
        Err(refusal) if refusal.code == "id_conflict" => {
            let id = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
            let earlier: Option<PacketInfo> = http::get(cx, &format!("wallet/packets/{id}")).await.ok();
            let is_it = earlier.is_some_and(|info| (info.id, info.total) == (id, wish.amount));
            if is_it { Ok(()) } else { Err(refusal) }
        }
        Err(refusal) => Err(refusal),
    }
}

fn wish(s: &mut State, gift: &Gift, asset: Asset) -> Result<Wish, Refusal> {
    let chat = chat_of(s, &gift.chat)?;
    let me = me(s)?;
    let id: OrderId = id("id", &gift.id)?;
    let only = match (&chat.user, &gift.only) {
        (Some(user), _) => Some(user.clone()),
        (None, Some(only)) => Some(only.parse::<UserAddress>().map_err(|error| field_error("only", error))?),
        (None, None) => None,
    };
    if chat.group.as_ref().is_some_and(|group| !group.is_in()) {
        return Err(call_error("not_in_group", "Not in this group."));
    }
    let room = if chat.group.is_some() { groups::room_of(chat.id) } else { chat.id.0 };
    let kind = if gift.lucky { PacketKind::Lucky } else { PacketKind::Equal };
    let terms = PacketTerms { room, kind, shares: gift.shares, only: only.clone() };
    let promise = PacketPromise { commitment: [0; 32] };
    let (greeting, cover, node) = (note("greeting", &gift.greeting)?, gift.cover, me.user.node.clone());
    let mut wish = Wish {
        id,
        payee: Payee::Packet(terms),
        asset: asset.id(),
        amount: some("amount", &gift.amount)?,
        intent: Intent::Payment,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
        card: None,
    };
    // The promise is the node's: it comes with the receipt.
    let (packet, total, shares) = (wish.transfer(&me.user), wish.amount, gift.shares);
    let card = PacketCard { packet, node, promise, asset, total, kind, shares, greeting, cover, only };
    wish.card = Some((chat.id, Card::Packet(card)));
    Ok(wish)
}

/// The card of a message.
async fn card(cx: &Cx, chat: &str, id: &str) -> Result<(Chat, PacketCard), Refusal> {
    let chat = cx.with(|s| chat_of(s, chat))?;
    match timeline::card_of(cx, chat.id, super::id("id", id)?).await {
        // It lies where its giver is. Nobody has us ask a node of their choice.
        Some((Some(sender), Card::Packet(card))) if sender.node == card.node => Ok((chat, card)),
        _ => Err(call_error("not_found", "There is no such red packet.")),
    }
}

/// Where the own node tells of it.
fn path(s: &State, card: &PacketCard) -> String {
    let own = s.live.me.as_ref().is_some_and(|me| me.user.node == card.node);
    let at = if own { String::new() } else { format!("?node={}", card.node) };
    format!("wallet/packets/{}{at}", card.packet)
}

/// A packet as it stands.
pub(super) async fn look(cx: &Cx, chat: &str, id: &str) -> Result<PacketView, Refusal> {
    let (chat, card) = card(cx, chat, id).await?;
    let info: PacketInfo = http::get(cx, &cx.with(|s| path(s, &card))).await?;
    shown(cx, &chat, &card, info).await
}

/// Opens a packet.
pub(super) async fn open(cx: &Cx, chat: &str, id: &str) -> Result<PacketView, Refusal> {
    let (chat, card) = card(cx, chat, id).await?;
    let info: PacketInfo = http::post_empty(cx, &cx.with(|s| path(s, &card))).await?;
    shown(cx, &chat, &card, info).await
}

/// What another node says that one has got counts once it has come to one's own.
async fn shown(cx: &Cx, chat: &Chat, card: &PacketCard, info: PacketInfo) -> Result<PacketView, Refusal> {
    let me = cx.with(|s| me(s).map(|me| me.user.clone()))?;
    let taken = info.claims.iter().any(|claim| claim.user == me && !claim.returned);
    let mut coming = false;
    if taken && card.node != me.node {
        let share = TransferId::of_claim(info.id, &me);
        let came: Result<TransferInfo, _> = http::get(cx, &format!("wallet/transfers/{share}")).await;
        let amount = info.claims.iter().find(|claim| claim.user == me).map(|claim| claim.amount);
        coming = !came.is_ok_and(|came| {
            came.state == TransferState::Done
                && came.asset == info.asset
                && came.payee == me
                && Some(came.amount) == amount
        });
    }
    cx.with(|s| {
        let view = view(s, groups::room_of(chat.id), card, info)?;
        Ok(if coming { PacketView { mine: None, coming, ..view } } else { view })
    })
}

fn view(s: &mut State, room: RoomId, card: &PacketCard, info: PacketInfo) -> Result<PacketView, Refusal> {
    let me = me(s)?.user.clone();
    let fair = is_fair(card, &info);
    let amounts: Vec<u64> = info.claims.iter().map(|claim| claim.amount).collect();
    let lucky = info.terms.kind == PacketKind::Lucky;
    let best = if lucky { packet::best_luck(&amounts, info.terms.shares) } else { None };
    let own = info.claims.iter().find(|claim| claim.user == me && !claim.returned);
    let mine = own.map(|claim| claim.amount.to_string());
    let claim = |(at, claim): (usize, &weft_wire::wallet::PacketClaim), s: &mut State| ClaimView {
        person: names::person(s, room, &claim.user),
        amount: claim.amount.to_string(),
        time_ms: claim.at_ms as f64,
        returned: claim.returned,
        best: best == Some(at),
    };
    let claims = info.claims.iter().enumerate().map(|one| claim(one, s)).collect();
    Ok(PacketView {
        packet: info.id.to_string(),
        maker: names::person(s, room, &info.maker),
        asset: asset_view(&info.asset),
        lucky,
        shares: info.terms.shares,
        total: info.total.to_string(),
        left: info.left.to_string(),
        state: match info.state {
            PacketState::Open => "open",
            PacketState::Empty => "empty",
            PacketState::Expired => "expired",
        }
        .into(),
        until_ms: info.until_ms as f64,
        mine,
        coming: false,
        only: info.terms.only.as_ref().map(|only| names::person(s, room, only)),
        claims,
        fair,
    })
}

/// Whether what was promised in the card is what was done. Of one that is open nobody can tell, and equal shares speak for
/// themselves.
fn is_fair(card: &PacketCard, info: &PacketInfo) -> Option<bool> {
    let claims = info.claims.len();
    let (total_minor, shares) = (card.total, card.shares);
    let promised = card.promise.commitment == info.promise.commitment
        && card.packet == info.id
        && card.asset == info.asset
        && (card.total, card.kind, card.shares) == (info.total, info.terms.kind, info.terms.shares)
        && (info.state == PacketState::Empty) == (claims == shares as usize);
    if !promised {
        return Some(false);
    }
    // Over, and what was promised is kept back.
    let Some(seed) = info.seed else { return (info.state != PacketState::Open).then_some(false) };
    if info.terms.kind == PacketKind::Equal {
        let each = packet::equal_share(total_minor, shares).ok();
        return Some(info.claims.iter().all(|claim| Some(claim.amount) == each));
    }
    let promise = Promise { packet_id: info.id.0, commitment: card.promise.commitment, total_minor, shares };
    let claims: Vec<_> = info
        .claims
        .iter()
        .map(|claim| (TransferId::of_claim(info.id, &claim.user).0, claim.amount))
        .collect();
    Some(packet::verify(&promise, &seed.0, &claims).is_ok())
}
