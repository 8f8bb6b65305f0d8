//! Payment orders: written down before they are sent, sent until the node has decided, and told in the chat when it has.

use super::{cards::Card, charges, fees, key, receipts, trust};
use crate::account::me;
use crate::api::{Event, PendingView};
use crate::chats::{self, ChatId, queue};
use crate::error::{Refusal, call_error, internal};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use weft_wire::limits::CLOCK_SKEW_MS_MAX;
use weft_wire::wallet::{Exchange, Intent, Payee, PaymentOrder, Receipt, SubmitOrder};
use weft_wire::{AssetId, Code, Millis, OrderId, RequestId, Signed, TransferId, UserAddress};

const ORDERS: &[u8] = b"w/o/";
/// How long an order is worth something: as long as somebody may be out of reach of the node and still want to pay.
const LIFETIME_MS: Millis = 10 * 60 * 1000;
/// Tries where the node knows another counter, or has forgotten the key.
const TRIES: usize = 3;
/// Orders that may be unsure at once.
const PENDING_MAX: usize = 64;

/// What is to be paid.
pub(super) struct Wish {
    pub id: OrderId,
    pub payee: Payee,
    pub asset: AssetId,
    pub amount: u64,
    pub intent: Intent,
    pub request: Option<RequestId>,
    pub refunds: Option<TransferId>,
    /// The shop that pays.
    pub from: Option<UserAddress>,
    /// What of the amount is a tip.
    pub tip: Option<u64>,
    /// What the payee gets instead.
    pub exchange: Option<Exchange>,
    /// What is said in a chat once it is paid.
    pub card: Option<(ChatId, Card)>,
}

/// An order that the node has not decided, as far as is known.
#[derive(Clone, Serialize, Deserialize)]
struct Pending {
    order: Signed<PaymentOrder>,
    #[serde(default)]
    card: Option<(ChatId, Card)>,
}

fn place(id: OrderId) -> Vec<u8> {
    [ORDERS, id.as_bytes()].concat()
}

/// Pays. Gives what the node says that it has done.
pub(super) async fn pay(cx: &Cx, wish: &Wish, pin: &str) -> Result<Receipt, Refusal> {
    if !cx.with(|s| s.connection.is_ready()) {
        return Err(Failure::NoAnswer.into());
    }
    if cx.with(|s| is_open(s, wish)) {
        return Err(unsure());
    }
    if cx.with(|s| s.load_all::<Pending>(ORDERS).len()) >= PENDING_MAX {
        return Err(call_error("too_many", "Too many payments wait for the node."));
    }
    trust::check(cx).await?;
    let key = cx.with(|s| key::unlock(s, pin))?;
    key::install(cx).await?;
    let mut last = 0;
    // Once more where the node knows another counter, or has forgotten the key: it comes from a backup, or this device does.
    for again in [true, false] {
        let order = cx.with(|s| write_down(s, wish, &key, last))?;
        match submit(cx, &order).await {
            Ok(answer) => {
                cx.with(|s| paid(s, &order, &answer));
                return Ok(answer.receipt);
            }
            Err(failure) if failure.is_final() => {
                cx.with(|s| drop_pending(s, &order));
                match (failure.code(), failure.current()) {
                    (Some(Code::OrderStale), Some(current)) if again => last = current,
                    (Some(Code::BadCertificate | Code::BadSignature), _) if again => {
                        cx.with(key::forgotten);
                        key::install(cx).await?;
                    }
                    _ => return Err(failure.into()),
                }
            }
            Err(_) => {
                cx.with(|s| {
                    s.jobs.want_at(Job::Pay, s.now + 1_000);
                    s.event(Event::Wallet);
                });
                return Err(if cx.with(trust::has_other) { trust::changed() } else { unsure() });
            }
        }
    }
    Err(internal("counter"))
}

/// Signs an order that is not written down, as it does the same however often it comes, and sends it until the node has taken it or
/// refused it. `body`: what is sent with it. One copy of this is enough for all of them: it gives the answer as it came.
pub(super) async fn until_taken(
    cx: &Cx,
    wish: &Wish,
    pin: &str,
    path: &str,
    body: fn(Signed<PaymentOrder>) -> Vec<u8>,
) -> Result<Vec<u8>, Refusal> {
    let key = cx.with(|s| key::unlock(s, pin))?;
    key::install(cx).await?;
    let mut last = 0;
    for _ in 0..TRIES {
        let order = cx.with(|s| sign(s, wish, &key, last))?;
        match http::post_bytes(cx, path, body(order)).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => match (failure.code(), failure.current()) {
                (Some(Code::OrderStale), Some(current)) => last = current,
                (Some(Code::BadCertificate | Code::BadSignature), _) => {
                    cx.with(key::forgotten);
                    key::install(cx).await?;
                }
                _ => return Err(failure.into()),
            },
        }
    }
    Err(internal("order"))
}

/// Whether an order of this form, or for the same request, is not decided, as far as is known.
fn is_open(s: &mut State, wish: &Wish) -> bool {
    let orders = s.load_all::<Pending>(ORDERS).into_iter().filter_map(|pending| pending.order.peek().ok());
    orders.into_iter().any(|order| {
        order.id == wish.id
            || (wish.request.is_some() && order.request == wish.request)
            || (wish.refunds.is_some() && order.refunds == wish.refunds)
            || is_same_shop(&order.payee, &wish.payee)
            || (matches!(wish.payee, Payee::Invoice(_)) && order.payee == wish.payee)
    })
}

/// Whether two are to the same shop, for whatever: who types a sum once more because nothing has come of it means the first one.
fn is_same_shop(one: &Payee, other: &Payee) -> bool {
    matches!((one, other), (Payee::Merchant(one), Payee::Merchant(other)) if one.shop == other.shop)
}

/// Signs the order and keeps it, before anything of it leaves the device.
fn write_down(
    s: &mut State,
    wish: &Wish,
    key: &SigningKey,
    last: u64,
) -> Result<Signed<PaymentOrder>, Refusal> {
    let order = sign(s, wish, key, last)?;
    s.store(&place(wish.id), &Pending { order: order.clone(), card: wish.card.clone() });
    Ok(order)
}

/// Signs the order, with a counter above `last` and all before it.
pub(super) fn sign(
    s: &mut State,
    wish: &Wish,
    key: &SigningKey,
    last: u64,
) -> Result<Signed<PaymentOrder>, Refusal> {
    let me = me(s)?;
    let counter = key::count(s, last).ok_or_else(|| internal("counter"))?;
    let mut order = PaymentOrder {
        id: wish.id,
        payer: me.user.clone(),
        device: me.device,
        payee: wish.payee.clone(),
        asset: wish.asset,
        amount: wish.amount,
        max_fee: 0,
        intent: wish.intent,
        // A node whose clock is far ahead could keep a refused order and carry it out in years.
        expires_ms: s.live.node_time(s.now).min(s.now + CLOCK_SKEW_MS_MAX) + LIFETIME_MS,
        counter,
        request: wish.request,
        refunds: wish.refunds,
        from: wish.from.clone(),
        tip: wish.tip,
        exchange: wish.exchange,
    };
    order.max_fee = fees::allowed(s, &order);
    Ok(Signed::sign(&order, key))
}

/// What the node has signed.
struct Answer {
    receipt: Receipt,
    signed: Signed<Receipt>,
    /// What it was checked with.
    key: [u8; 32],
}

/// Sends an order. What the node answers has to be about it, and signed with its key.
async fn submit(cx: &Cx, order: &Signed<PaymentOrder>) -> Result<Answer, Failure> {
    let request = SubmitOrder { order: order.clone() };
    let signed: Signed<Receipt> = http::post(cx, "wallet/orders", &request).await?;
    let (receipt, key) = (trust::read(cx, &signed).await?, trust::key(cx).await?);
    let Ok(asked) = order.peek() else { return Err(Failure::Nonsense("receipt")) };
    let is_about_it = receipt.order == asked.id
        && receipt.transfer == asked.transfer()
        && receipt.payer == asked.payer
        && receipt.payee == asked.payee
        && receipt.promise.is_some() == matches!(asked.payee, Payee::Packet(_))
        && (receipt.asset, receipt.amount, receipt.exchange) == (asked.asset, asked.amount, asked.exchange)
        && receipt.fee <= asked.max_fee;
    if is_about_it { Ok(Answer { receipt, signed, key }) } else { Err(Failure::Nonsense("receipt")) }
}

/// The node has done it: its receipt is kept, the order is settled, and the chat is told, in one step.
fn paid(s: &mut State, order: &Signed<PaymentOrder>, Answer { receipt, signed, key }: &Answer) {
    receipts::keep(s, order, receipt.transfer, signed, *key);
    let Some(pending) = s.load::<Pending>(&place(receipt.order)) else { return };
    s.kv_delete(&place(receipt.order));
    if let Some((chat, card)) = pending.card
        && let Some(mut chat) = chats::find(s, chat)
    {
        // The money is where it belongs, also where the card finds no place: then the history shows it.
        let _ = queue::push_card(s, &mut chat, &card.with_promise(receipt));
    }
    s.event(Event::Wallet);
}

/// Wants what is unsure to be asked again.
pub(super) fn wait(s: &mut State) {
    if !s.load_all::<Pending>(ORDERS).is_empty() || charges::are_open(s) {
        s.jobs.want(Job::Pay);
    }
}

/// The job: asks the node again for what is unsure. The same order is carried out once, and is worth nothing after its time.
pub(crate) async fn settle(cx: &Cx) -> Result<Done, Failure> {
    let mut outcome = charges::settle(cx).await;
    for pending in cx.with(|s| s.load_all::<Pending>(ORDERS)) {
        match submit(cx, &pending.order).await {
            Ok(answer) => cx.with(|s| paid(s, &pending.order, &answer)),
            Err(failure) if failure.is_final() => cx.with(|s| {
                if !drop_pending(s, &pending.order) {
                    return;
                }
                s.event(Event::Notice { code: "payment_failed".into(), user: None });
                s.event(Event::Wallet);
            }),
            // The others are asked about all the same.
            Err(failure) => outcome = Err(failure),
        }
    }
    outcome
}

/// This order is decided. False: another one of its form has taken its place.
fn drop_pending(s: &mut State, order: &Signed<PaymentOrder>) -> bool {
    let Ok(id) = order.peek().map(|order| order.id) else { return false };
    let is_it = s.load::<Pending>(&place(id)).is_some_and(|pending| pending.order == *order);
    if is_it {
        s.kv_delete(&place(id));
    }
    is_it
}

/// What is unsure.
pub(super) fn pending(s: &mut State) -> Vec<PendingView> {
    let orders = s.load_all::<Pending>(ORDERS).into_iter().filter_map(|pending| pending.order.peek().ok());
    let view = |order: PaymentOrder| PendingView {
        id: order.id.to_string(),
        asset: order.asset.to_string(),
        amount: order.amount.to_string(),
        refunds: order.refunds.map(|refunds| refunds.to_string()),
        user: match &order.payee {
            Payee::Person(user) | Payee::CashIn(user) | Payee::CashOut(user) => Some(user.to_string()),
            Payee::Merchant(payee) => Some(payee.shop.to_string()),
            Payee::Invoice(payee) => Some(payee.issuer.to_string()),
            Payee::Escrow(terms) => Some(terms.seller.to_string()),
            _ => None,
        },
    };
    orders.map(view).collect()
}

fn unsure() -> Refusal {
    call_error(
        "payment_unsure",
        "The node did not answer: the payment may have been made. It is asked again.",
    )
}
