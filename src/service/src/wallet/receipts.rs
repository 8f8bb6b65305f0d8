//! What is told and noted of a payment that was made.

use super::sheet::Sheet;
use crate::context::joined;
use weft_ledger::{Entry, Movement, Standing};
use weft_store::tables;
use weft_wire::{
    AssetId, RequestId, TransferId, UserName,
    wallet::{PacketPromise, PaymentOrder, Receipt, TransferState},
};

/// Notes a payment among those for a request, of somebody who has paid or was paid. The largest of an asset come first: whoever knows
/// of a request can pay for it under any number of names, and hides what was paid in earnest only by paying more than that each time.
pub(super) fn mark_paid(
    sheet: &mut Sheet<'_>,
    name: &UserName,
    request: RequestId,
    (asset, amount): (AssetId, u64),
    (number, transfer): (u64, TransferId),
) {
    let order = [(u64::MAX - amount).to_be_bytes(), number.to_be_bytes()].concat();
    let key = [paid_prefix(name, request, asset), order, transfer.0.to_vec()].concat();
    sheet.mark(tables::REQUESTS_SUMS, key);
}

/// Where the payments of an asset for a request stand.
pub(super) fn paid_prefix(name: &UserName, request: RequestId, asset: AssetId) -> Vec<u8> {
    joined(name.as_str(), [request.0, asset.0].concat())
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
        exchange: order.exchange,
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
