//! Whether every fee was signed for by whoever paid it, and shared the fate of its payment.

use super::{
    accounts::personal,
    audit::{LedgerReport, get},
    records::{OrderRecord, Owner, OwnerRecord},
};
use crate::Fault;
use weft_ledger::{AccountKind, Books, Entry, Hold, Memory, Movement, Outcome, Purpose};
use weft_store::{Store, tables};
use weft_wire::{AccountId, TransferId, wallet::PaymentOrder};

/// Looks at all that came to the accounts of fees or left them, and at all that calls itself a fee.
pub(super) async fn check_fees(
    store: &Store,
    books: &Memory,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    let kind = |id: AccountId| books.account(id).ok().flatten().map(|account| account.kind);
    for entry in books.entries().filter(|entry| entry.outcome == Outcome::Done) {
        let (Movement::Posted { .. } | Movement::Pending { .. }, Some(moved)) =
            (entry.transfer.movement, entry.moved)
        else {
            continue;
        };
        let is_fee = entry.transfer.purpose == Purpose::Fee;
        let id = entry.transfer.id;
        match (kind(moved.debit), kind(moved.credit)) {
            // The owner has taken out what was earned.
            (Some(AccountKind::Fee), Some(AccountKind::User)) if is_fee => {}
            (_, Some(AccountKind::Fee)) if is_fee => {
                if !is_signed(store, entry, moved).await? {
                    report.find(format!("fee {id} has no order that allows it"));
                } else if !is_beside(books, entry, moved) {
                    report.find(format!("fee {id} is not as its payment is"));
                }
            }
            (Some(AccountKind::Fee), _) | (_, Some(AccountKind::Fee)) => {
                report.find(format!("transfer {id} is with the account of fees, and is no fee"));
            }
            _ if is_fee => report.find(format!("fee {id} is not with the account of fees")),
            _ => {}
        }
    }
    Ok(())
}

/// Whether whoever pays it has signed an order for its payment, in which as much is allowed.
async fn is_signed(store: &Store, fee: &Entry, moved: Hold) -> Result<bool, Fault> {
    let payment = TransferId(fee.transfer.about);
    let Some(kept) = get::<OrderRecord>(store, tables::ORDERS, &payment.0).await? else { return Ok(false) };
    let order: Option<PaymentOrder> =
        kept.cert.peek().ok().and_then(|cert| kept.order.verify(&cert.order_key).ok());
    let owner = get::<OwnerRecord>(store, tables::OWNERS, &moved.debit.0).await?;
    let (Some(order), Some(OwnerRecord { owner: Owner::Person(name), asset })) = (order, owner) else {
        return Ok(false);
    };
    Ok(fee.transfer.id == TransferId::of_fee(payment)
        && order.transfer() == payment
        && order.fee_kind().is_some()
        && (&order.payer.name, order.asset) == (&name, asset)
        && moved.debit == personal(&name, asset)
        && moved.amount <= order.max_fee)
}

/// Whether its payment was made from the same account, and is held, was taken or went back as it was.
fn is_beside(books: &Memory, fee: &Entry, moved: Hold) -> bool {
    let payment = TransferId(fee.transfer.about);
    let Ok(entry) = books.entry(payment);
    let Some(entry) = entry.filter(|entry| entry.outcome == Outcome::Done) else { return false };
    let is_held = |entry: &Entry| matches!(entry.transfer.movement, Movement::Pending { .. });
    let end = |id: TransferId| {
        let Ok(standing) = books.standing(id);
        standing.and_then(|standing| standing.resolution).map(|end| end.posted > 0)
    };
    entry.moved.is_some_and(|paid| paid.debit == moved.debit)
        && entry.at_ms == fee.at_ms
        && is_held(&entry) == is_held(fee)
        && end(payment) == end(fee.transfer.id)
}
