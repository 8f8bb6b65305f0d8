//! Cards: what is said of money in a chat.

use super::asset_view;
use crate::api::{BodyView, PartView};
use crate::groups::names;
use crate::runtime::State;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use weft_ledger::packet::SHARES_MAX;
use weft_wire::limits::{MESSAGE_BYTES_MAX, MONEY_NOTE_BYTES_MAX, ROOM_MEMBERS_MAX};
use weft_wire::wallet::{
    Asset, InvoiceCard, PacketCard, PaidCard, Receipt, RequestCard, SCALE_MAX, TransferCard,
};
use weft_wire::{Blob, Millis, RoomId, text};

/// The latest time that interfaces can show.
const TIME_MS_MAX: Millis = 8_640_000_000_000_000;

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Card {
    Transfer(TransferCard),
    Packet(PacketCard),
    Request(RequestCard),
    Paid(PaidCard),
    Invoice(InvoiceCard),
}

impl Card {
    /// A card that somebody has sent; none: it is of another kind, or says what no card says.
    pub fn read(kind: &str, body: &[u8]) -> Option<Card> {
        let card = match kind {
            "transfer" => Card::Transfer(weft_wire::decode(body, MESSAGE_BYTES_MAX).ok()?),
            "packet" => Card::Packet(weft_wire::decode(body, MESSAGE_BYTES_MAX).ok()?),
            "request" => Card::Request(weft_wire::decode(body, MESSAGE_BYTES_MAX).ok()?),
            "paid" => Card::Paid(weft_wire::decode(body, MESSAGE_BYTES_MAX).ok()?),
            "invoice" => Card::Invoice(weft_wire::decode(body, MESSAGE_BYTES_MAX).ok()?),
            _ => return None,
        };
        card.is_possible().then(|| card.tidy())
    }

    /// The kind of its content.
    pub fn kind(&self) -> &'static str {
        match self {
            Card::Transfer(_) => "transfer",
            Card::Packet(_) => "packet",
            Card::Request(_) => "request",
            Card::Paid(_) => "paid",
            Card::Invoice(_) => "invoice",
        }
    }

    /// The value of its content.
    pub fn body(&self) -> Blob {
        Blob(match self {
            Card::Transfer(card) => weft_wire::encode(card),
            Card::Packet(card) => weft_wire::encode(card),
            Card::Request(card) => weft_wire::encode(card),
            Card::Paid(card) => weft_wire::encode(card),
            Card::Invoice(card) => weft_wire::encode(card),
        })
    }

    /// For clients that know no cards, and for lists.
    pub fn fallback(&self) -> String {
        let sum = |asset: &Asset, amount| {
            format!("{} {}", weft_ledger::format_amount(i128::from(amount), asset.scale), asset.code)
        };
        match self {
            Card::Transfer(card) => format!("Transfer of {}", sum(&card.asset, card.amount)),
            Card::Packet(card) if card.greeting.is_empty() => "Red packet".into(),
            Card::Packet(card) => format!("Red packet: {}", card.greeting),
            Card::Request(card) => format!("Request for {}", sum(&card.asset, card.total)),
            Card::Paid(card) => format!("Paid {}", sum(&card.asset, card.amount)),
            Card::Invoice(card) => format!("Invoice for {}", sum(&card.asset, card.total)),
        }
    }

    /// A red packet's card says what the node has promised.
    pub fn with_promise(self, receipt: &Receipt) -> Card {
        match (self, receipt.promise) {
            (Card::Packet(card), Some(promise)) => Card::Packet(PacketCard { promise, ..card }),
            (card, _) => card,
        }
    }

    fn is_possible(&self) -> bool {
        let fits = |asset: &Asset, text: &str| asset.scale <= SCALE_MAX && text.len() <= MONEY_NOTE_BYTES_MAX;
        match self {
            Card::Transfer(card) => card.amount > 0 && fits(&card.asset, &card.note),
            Card::Packet(card) => {
                fits(&card.asset, &card.greeting)
                    && (1..=SHARES_MAX).contains(&card.shares)
                    && card.total >= u64::from(card.shares)
            }
            Card::Request(card) => {
                let people: BTreeSet<_> = card.parts.iter().map(|part| &part.user).collect();
                let sum = card.parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.amount));
                fits(&card.asset, &card.note)
                    && (1..=ROOM_MEMBERS_MAX).contains(&card.parts.len())
                    && people.len() == card.parts.len()
                    && card.parts.iter().all(|part| part.amount > 0)
                    && sum.is_some_and(|sum| sum <= card.total)
            }
            Card::Paid(card) => card.amount > 0 && fits(&card.asset, ""),
            Card::Invoice(card) => card.total > 0 && card.due_ms <= TIME_MS_MAX && fits(&card.asset, ""),
        }
    }

    fn tidy(mut self) -> Card {
        match &mut self {
            Card::Transfer(TransferCard { note, .. }) | Card::Request(RequestCard { note, .. }) => {
                *note = text::name(note);
            }
            Card::Packet(card) => card.greeting = text::name(&card.greeting),
            Card::Paid(_) | Card::Invoice(_) => {}
        }
        self
    }

    /// How it looks. `room`: where people are called by what they have said there.
    pub fn view(&self, s: &mut State, room: RoomId) -> BodyView {
        match self {
            Card::Transfer(card) => BodyView::Transfer {
                transfer: card.transfer.to_string(),
                asset: asset_view(&card.asset),
                amount: card.amount.to_string(),
                note: card.note.clone(),
            },
            Card::Packet(card) => BodyView::Packet {
                packet: card.packet.to_string(),
                greeting: card.greeting.clone(),
                cover: card.cover,
                only: card.only.as_ref().map(|only| names::person(s, room, only)),
            },
            Card::Request(card) => BodyView::Request {
                request: card.request.to_string(),
                asset: asset_view(&card.asset),
                parts: parts(s, room, card),
                total: card.total.to_string(),
                note: card.note.clone(),
            },
            Card::Paid(card) => BodyView::Paid {
                request: card.request.to_string(),
                transfer: card.transfer.to_string(),
                asset: asset_view(&card.asset),
                amount: card.amount.to_string(),
            },
            Card::Invoice(card) => BodyView::Invoice {
                issuer: card.issuer.to_string(),
                invoice: card.invoice.to_string(),
                number: card.number as f64,
                asset: asset_view(&card.asset),
                total: card.total.to_string(),
                due_ms: card.due_ms as f64,
            },
        }
    }
}

/// Who is asked for how much. Who has paid is not looked up.
pub(super) fn parts(s: &mut State, room: RoomId, card: &RequestCard) -> Vec<PartView> {
    let part = |part: &weft_wire::wallet::RequestPart| PartView {
        person: names::person(s, room, &part.user),
        amount: part.amount.to_string(),
        paid: None,
    };
    card.parts.iter().map(part).collect()
}
