//! What is told and noted of a payment that was made.

use super::sheet::Sheet;
use crate::context::joined;
use weft_ledger::{Entry, Movement, Standing};
use weft_store::tables;
use weft_wire::{
    RequestId, TransferId, UserName,
    wallet::{PacketPromise, PaymentOrder, Receipt, TransferState},
};

/// Notes a payment among those for a request. `other`: who stands on the other side.
pub(super) fn mark_paid(
    sheet: &mut Sheet<'_>,
    name: &UserName,
    request: RequestId,
    other: &str,
    (number, transfer): (u64, TransferId),
) {
    let other = joined(other, []);
    let rest = [request.0.as_slice(), &other, &number.to_be_bytes(), &transfer.0].concat();
    sheet.mark(tables::REQUESTS_PAID, joined(name.as_str(), rest));
}

pub(super) fn receipt(
    order: &PaymentOrder,
    entry: &Entry,
    standing: Option<Standing>,
    promise: Option<PacketPromise>,
) -> Receipt {
    let until_ms = match entry.transfer.movement {
        Movement::Pending { expires_ms, .. } => expires_ms,
        _ => None,
    };
    Receipt {
        order: order.id,
        transfer: entry.transfer.id,
        number: entry.number,
        payer: order.payer.clone(),
        payee: order.payee.clone(),
        asset: order.asset,
        amount: order.amount,
        fee: 0,
        state: state(entry, standing),
        at_ms: entry.at_ms,
        until_ms,
        promise,
    }
}

/// Where a transfer stands.
pub(super) fn state(entry: &Entry, standing: Option<Standing>) -> TransferState {
    let Movement::Pending { .. } = entry.transfer.movement else { return TransferState::Done };
    match standing.and_then(|standing| standing.resolution) {
        None => TransferState::Held,
        Some(end) if end.posted > 0 => TransferState::Done,
        Some(end) if end.by == TransferId::of_expiry(entry.transfer.id) => TransferState::Expired,
        Some(_) => TransferState::Returned,
    }
}
