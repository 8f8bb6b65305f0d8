//! The wallet: payment orders that this device signs, and what the node says of money.
//!
//! Nothing here keeps balances: what is true of money stands in the node's ledger, and is asked for when it is to be seen. What this
//! device keeps is its order key, sealed under the PIN, and orders of which it does not know what became of them.

mod admin;
mod agents;
mod books;
pub(crate) mod calls;
pub(crate) mod cards;
mod charges;
mod codes;
mod escrow;
pub(crate) mod fees;
mod guard;
mod invoices;
mod key;
mod links;
mod look;
mod mandates;
mod orders;
mod packets;
mod passkey;
mod receipts;
mod requests;
mod scanned;
mod shops;
mod topups;
pub(crate) mod trust;

pub(crate) use invoices::hear as hear_invoices;
pub(crate) use orders::settle;

use crate::api::{AssetView, Event};
use crate::error::{Refusal, field_error};
use crate::runtime::State;
use weft_wire::UserAddress;
use weft_wire::limits::MONEY_NOTE_BYTES_MAX;
use weft_wire::wallet::Asset;

/// A card came in a chat.
pub(crate) fn heard(s: &mut State, sender: &UserAddress, card: &cards::Card) {
    match card {
        cards::Card::Paid(paid) => requests::heard(s, sender, paid),
        cards::Card::Invoice(card) => invoices::heard(s, sender, card),
        _ => {}
    }
}

/// The node has let this device in: what is unsure is asked for again.
pub(crate) fn wait(s: &mut State) {
    orders::wait(s);
    invoices::wait(s);
}

/// The node says that something changed.
pub(crate) fn changed(s: &mut State) {
    s.event(Event::Wallet);
}

fn asset_view(asset: &Asset) -> AssetView {
    AssetView {
        id: asset.id().to_string(),
        issuer: asset.issuer.to_string(),
        code: asset.code.to_string(),
        scale: asset.scale,
    }
}

/// An amount in minor units, as interfaces write it.
fn amount(field: &'static str, text: &str) -> Result<u64, Refusal> {
    let well_formed = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| well_formed);
    number.ok_or_else(|| field_error(field, "an amount is a whole number of minor units"))
}

/// The same, of at least one unit.
fn some(field: &'static str, text: &str) -> Result<u64, Refusal> {
    let some = amount(field, text)?;
    if some == 0 { Err(field_error(field, "an amount is at least 1")) } else { Ok(some) }
}

/// An id that an interface wrote.
fn id<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|error| field_error(field, error))
}

/// What is said beside money.
fn note(field: &'static str, text: &str) -> Result<String, Refusal> {
    if text.len() > MONEY_NOTE_BYTES_MAX {
        return Err(field_error(field, "at most 256 bytes"));
    }
    Ok(weft_wire::text::name(text))
}
