//! Charges by a customer's code: written down before they are sent, and asked about until it is known what became of them. Who takes the
//! money again because the first answer was lost takes it twice.

use super::shops;
use crate::api::{ChargeView, Event};
use crate::error::{Refusal, call_error};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use serde::{Deserialize, Serialize};
use weft_wire::limits::PAY_CODE_LIFETIME_MS;
use weft_wire::wallet::{ChargeCode, SaleInfo, SaleState};
use weft_wire::{Millis, RequestId, UserAddress};

const CHARGES: &[u8] = b"w/c/";
/// A request that was sent is carried out within this time or not at all: by then the code is too old.
const OVER_MS: Millis = PAY_CODE_LIFETIME_MS + 30_000;
const AGAIN_MS: Millis = 5_000;

#[derive(Clone, Serialize, Deserialize)]
struct Charge {
    shop: UserAddress,
    wish: ChargeCode,
    at_ms: Millis,
    /// Whether the money was taken, once that is known.
    made: Option<bool>,
}

fn place(id: RequestId) -> Vec<u8> {
    [CHARGES, id.as_bytes()].concat()
}

/// Takes money by a code.
pub(super) async fn charge(cx: &Cx, shop: UserAddress, wish: ChargeCode) -> Result<SaleInfo, Refusal> {
    let charge = cx.with(|s| {
        let others = of(s, &shop).into_iter().filter(|charge| charge.wish.id != wish.id);
        for other in others {
            if other.made.is_none() {
                return Err(unsure());
            }
            s.kv_delete(&place(other.wish.id));
        }
        is_there(s)?;
        let charge = Charge { shop, wish, at_ms: s.now, made: None };
        s.store(&place(charge.wish.id), &charge);
        Ok(charge)
    })?;
    send(cx, charge).await
}

/// The same once more.
pub(super) async fn again(cx: &Cx, id: RequestId) -> Result<SaleInfo, Refusal> {
    cx.with(|s| is_there(s))?;
    let charge = cx.with(|s| s.load::<Charge>(&place(id))).filter(|charge| charge.made.is_none());
    send(cx, charge.ok_or_else(|| call_error("not_found", "It is known what became of this charge."))?).await
}

/// What does not leave the device leaves nothing unsure.
fn is_there(s: &State) -> Result<(), Refusal> {
    if s.connection.is_ready() { Ok(()) } else { Err(Failure::NoAnswer.into()) }
}

async fn send(cx: &Cx, charge: Charge) -> Result<SaleInfo, Refusal> {
    let place = place(charge.wish.id);
    let path = format!("wallet/merchants/{}/charges", charge.shop.name);
    match http::post::<_, SaleInfo>(cx, &path, &charge.wish).await {
        // Of another node's customer it may be under way.
        Ok(sale) => {
            cx.with(|s| match sale.state {
                SaleState::Open => s.jobs.want_at(Job::Pay, s.now + AGAIN_MS),
                _ => s.kv_delete(&place),
            });
            Ok(sale)
        }
        Err(failure) if failure.is_final() => {
            cx.with(|s| s.kv_delete(&place));
            Err(failure.into())
        }
        Err(_) => {
            cx.with(|s| s.jobs.want_at(Job::Pay, s.now + 1_000));
            Err(unsure())
        }
    }
}

/// Whoever is at the till sees what became of it.
pub(super) fn seen(s: &mut State, sale: &SaleInfo) {
    if sale.state != SaleState::Open {
        s.kv_delete(&place(sale.id));
    }
}

fn of(s: &mut State, shop: &UserAddress) -> Vec<Charge> {
    let charges = s.load_all::<Charge>(CHARGES);
    charges.into_iter().filter(|charge| charge.shop == *shop).collect()
}

/// Those of a shop, for whoever is at its till.
pub(super) fn views(s: &mut State, shop: &UserAddress) -> Vec<ChargeView> {
    let view = |Charge { wish, at_ms, made, .. }: Charge| ChargeView {
        id: wish.id.to_string(),
        asset: wish.asset.to_string(),
        amount: wish.amount.to_string(),
        time_ms: at_ms as f64,
        state: match made {
            None => "unsure",
            Some(true) => "made",
            Some(false) => "failed",
        }
        .into(),
    };
    of(s, shop).into_iter().map(view).collect()
}

/// Whether one is not decided, as far as is known.
pub(super) fn are_open(s: &mut State) -> bool {
    s.load_all::<Charge>(CHARGES).iter().any(|charge| charge.made.is_none())
}

/// Asks what became of those whose answer was lost. They are not sent again: whoever stands at the till decides that.
pub(super) async fn settle(cx: &Cx) -> Result<Done, Failure> {
    let mut done = Done::Yes;
    for charge in cx.with(|s| s.load_all::<Charge>(CHARGES)) {
        if charge.made.is_some() {
            continue;
        }
        // What is true afterwards of a time before was true all the while.
        let is_over = cx.with(|s| s.now >= charge.at_ms + OVER_MS);
        let made = match shops::known_sale(cx, &charge.shop, charge.wish.id).await {
            Ok(sale) if sale.state != SaleState::Open => sale.state == SaleState::Paid,
            Err(failure) if failure.is_final() && is_over => false,
            Ok(_) => {
                done = Done::After(AGAIN_MS);
                continue;
            }
            Err(failure) if failure.is_final() => {
                done = Done::After(AGAIN_MS);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        cx.with(|s| {
            let place = place(charge.wish.id);
            if s.load::<Charge>(&place).is_some_and(|now| now.made.is_none()) {
                s.store(&place, &Charge { made: Some(made), ..charge });
                s.event(Event::Wallet);
            }
        });
    }
    Ok(done)
}

fn unsure() -> Refusal {
    call_error("charge_unsure", "The node did not answer: the money may have been taken. It is asked again.")
}
