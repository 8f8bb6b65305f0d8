//! Receipts: what the node has signed of the payments of this device, kept beside the orders that asked for them.

use super::{id, look, trust};
use crate::api::{ReceiptCall, ReceiptReply, ReceiptView, Reply};
use crate::error::{Refusal, call_error, internal};
use crate::runtime::{Cx, State};
use serde::{Deserialize, Serialize};
use weft_wire::wallet::{PaymentOrder, Receipt};
use weft_wire::{Signed, TransferId, signed::Signable};

/// Rows of the history: `p` transfer. There may be thousands, and they are looked at one by one.
const RECEIPTS: &[u8] = b"p";
const BYTES_MAX: usize = 4096;

#[derive(Serialize, Deserialize)]
struct Kept {
    order: Signed<PaymentOrder>,
    receipt: Signed<Receipt>,
    /// What it was checked with.
    key: [u8; 32],
}

fn place(transfer: TransferId) -> Vec<u8> {
    [RECEIPTS, transfer.as_bytes()].concat()
}

/// Answers a call about receipts.
pub(super) async fn answer(cx: &Cx, call: ReceiptCall) -> Result<Reply, Refusal> {
    Ok(Reply::Receipt(match call {
        ReceiptCall::Receipt { id: transfer } => ReceiptReply::Receipt(find(cx, id("id", &transfer)?).await?),
        ReceiptCall::NodeKey => ReceiptReply::NodeKey(trust::view(cx).await?),
        ReceiptCall::AcceptNodeKey { print } => ReceiptReply::NodeKey(trust::accept(cx, &print).await?),
    }))
}

/// Keeps what was checked with this key.
pub(super) fn keep(
    s: &mut State,
    order: &Signed<PaymentOrder>,
    transfer: TransferId,
    receipt: &Signed<Receipt>,
    key: [u8; 32],
) {
    let kept = Kept { order: order.clone(), receipt: receipt.clone(), key };
    s.history_put(place(transfer), weft_wire::encode(&kept));
}

async fn find(cx: &Cx, transfer: TransferId) -> Result<ReceiptView, Refusal> {
    let from = place(transfer);
    let to = [from.as_slice(), &[0]].concat();
    let found = cx.read_history(from, to, 1, false).await;
    let kept = found.first().and_then(|(_, value)| weft_wire::decode::<Kept>(value, BYTES_MAX).ok());
    let kept = kept.ok_or_else(|| call_error("not_found", "This device has no receipt of that."))?;
    let receipt = kept.receipt.verify(&kept.key).map_err(|_| internal("a kept receipt"))?;
    Ok(ReceiptView {
        transfer: transfer.to_string(),
        node: receipt.payer.node.to_string(),
        key: trust::print(&kept.key),
        current: cx.with(|s| trust::is_current(s, &kept.key)),
        number: receipt.number as f64,
        time_ms: receipt.at_ms as f64,
        asset: receipt.asset.to_string(),
        amount: receipt.amount.to_string(),
        fee: receipt.fee.to_string(),
        state: look::state(receipt.state).into(),
        signed: signed(&kept.receipt),
        signature: hex(kept.receipt.signature()),
        order_signed: signed(&kept.order),
        order_signature: hex(kept.order.signature()),
    })
}

/// What a signature is over.
fn signed<T: Signable>(record: &Signed<T>) -> String {
    hex(&[T::CONTEXT.as_bytes(), &[0], record.body()].concat())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
