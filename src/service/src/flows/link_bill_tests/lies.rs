//! Bob's node answers alice's with what it cannot mean.

use super::*;
use futures::{FutureExt as _, future::BoxFuture};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use weft_net::{PeerHandler, PeerKey};
use weft_wire::{
    limits::INVOICE_DUE_MS_MAX,
    wallet::{InvoicePaid, ShopName},
};

/// Answers every question with the same.
struct Liar(Answer);

impl PeerHandler for Liar {
    fn deliver(&self, _: PeerKey, _: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        async { Vec::new() }.boxed()
    }

    fn query(&self, _: PeerKey, _: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        async { weft_wire::encode(&self.0) }.boxed()
    }
}

/// Counts the questions, and answers none.
#[derive(Default)]
struct Mute(AtomicUsize);

impl PeerHandler for Mute {
    fn deliver(&self, _: PeerKey, _: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        async { Vec::new() }.boxed()
    }

    fn query(&self, _: PeerKey, _: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        async { Vec::new() }.boxed()
    }
}

impl Desk {
    /// What alice's node makes of this answer of bob's.
    async fn told(&self, answer: Answer, id: u8) -> Result<InvoiceInfo, FlowError> {
        let key = super::super::federated_tests::key(&self.pair.worlds[AWAY]);
        let handlers = || self.pair.net.state.lock();
        let honest = handlers().handlers.insert(key, Arc::new(Liar(answer)));
        let read = self.read(&self.shop, id).await;
        handlers().handlers.insert(key, honest.expect("bob's node"));
        read
    }

    fn signed(&self, info: &InvoiceInfo) -> Answer {
        Answer::Invoice(Signed::sign(info, &self.pair.worlds[AWAY].key))
    }
}

#[tokio::test]
async fn what_another_node_cannot_mean_is_not_kept() {
    let desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let good = desk.pair.worlds[AWAY].service.wallet();
    let alice = desk.pair.people[HOME].user().clone();
    let good = good.signed_invoice(&alice, &shop.name, RequestId([1; 16])).await.unwrap().peek().unwrap();
    let paid =
        |at_ms| Some(InvoicePaid { transfer: TransferId([1; 16]), at_ms, refunded: 0, at_rate: false });
    let mut dear = good.clone();
    dear.sums.total += 1;
    let mut hidden = good.clone();
    hidden.lines[0].text = "tea\u{202e}".into();
    let title = |title: &str| Some(ShopName { shop: shop.clone(), title: title.into() });
    let elsewhere: UserAddress = "corner@elsewhere.example".parse().unwrap();
    let cases = vec![
        InvoiceInfo { id: RequestId([2; 16]), ..good.clone() },
        InvoiceInfo { issuer: desk.bob(), ..good.clone() },
        InvoiceInfo { issuer: elsewhere.clone(), ..good.clone() },
        InvoiceInfo { to: desk.bob(), ..good.clone() },
        InvoiceInfo { number: 2, ..good.clone() },
        InvoiceInfo { reference: "RF18539007547034".into(), ..good.clone() },
        InvoiceInfo { lines: vec![], ..good.clone() },
        InvoiceInfo { note: "n".repeat(513), ..good.clone() },
        InvoiceInfo { made_ms: START_MS + 3 * DAY_MS, due_ms: START_MS + 4 * DAY_MS, ..good.clone() },
        InvoiceInfo { due_ms: good.made_ms + INVOICE_DUE_MS_MAX + 1, ..good.clone() },
        InvoiceInfo { due_ms: u64::MAX, ..good.clone() },
        InvoiceInfo { state: InvoiceState::Paid, ..good.clone() },
        InvoiceInfo { state: InvoiceState::Paying, ..good.clone() },
        InvoiceInfo { paid: paid(START_MS), ..good.clone() },
        InvoiceInfo { state: InvoiceState::Paid, paid: paid(u64::MAX), ..good.clone() },
        InvoiceInfo { by: Some(desk.bob()), ..good.clone() },
        InvoiceInfo { rejection: Some(Rejection::Over), ..good.clone() },
        InvoiceInfo { shop: title(&"t".repeat(65)), ..good.clone() },
        InvoiceInfo { shop: title("Corner\u{200b}"), ..good.clone() },
        InvoiceInfo { shop: title(" "), ..good.clone() },
        InvoiceInfo { shop: Some(ShopName { shop: elsewhere, title: "Corner".into() }), ..good.clone() },
        dear,
        hidden,
    ];
    for lie in cases {
        assert_eq!(code_of(desk.told(desk.signed(&lie), 1).await), Code::NodeUnreachable, "{lie:?}");
    }
    // Signed by a key that is not the pinned one, and no invoice at all.
    let forged = Answer::Invoice(Signed::sign(&good, &desk.pair.people[HOME].key));
    assert_eq!(code_of(desk.told(forged, 1).await), Code::NodeUnreachable);
    assert_eq!(code_of(desk.told(Answer::Passed, 1).await), Code::NodeUnreachable);
    assert_eq!(desk.list(None).await, []);
    assert_eq!(desk.told(desk.signed(&good), 1).await.unwrap(), good);
}

#[tokio::test]
async fn what_was_asked_for_does_not_change_and_what_was_paid_stays_paid() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let open = desk.read(&shop, 1).await.unwrap();
    let dear = vec![InvoiceLine { text: "tea".into(), quantity: 1_000, unit_price: 5_000, tax_rate: None }];
    let dear =
        InvoiceInfo { sums: weft_wire::wallet::InvoiceSums::of(&dear).unwrap(), lines: dear, ..open.clone() };
    assert_eq!(code_of(desk.told(desk.signed(&dear), 1).await), Code::IdConflict);
    let later = InvoiceInfo { due_ms: open.due_ms + 1, ..open.clone() };
    assert_eq!(code_of(desk.told(desk.signed(&later), 1).await), Code::IdConflict);
    assert_eq!(desk.list(None).await, std::slice::from_ref(&open), "what it has said before stands");

    desk.pay(&shop, 1).await;
    desk.pair.carry().await;
    // Her node knows better than one that says that it was not paid.
    let seen = desk.told(desk.signed(&open), 1).await.unwrap();
    assert_eq!(seen.state, InvoiceState::Paid);
    // Nor is another payment of hers to bob what has paid a second one.
    desk.bill(desk.wish(2)).await.unwrap();
    desk.read(&shop, 2).await.unwrap();
    let gift = desk.pair.pay(HOME, 5, Intent::Payment).await.unwrap().transfer;
    desk.pair.carry().await;
    let other = desk.read(&shop, 2).await.unwrap();
    let said = InvoicePaid { transfer: gift, at_ms: START_MS, refunded: 7, at_rate: false };
    let said = InvoiceInfo { state: InvoiceState::Paid, paid: Some(said), ..other };
    let seen = desk.told(desk.signed(&said), 2).await.unwrap();
    assert_eq!(seen.paid.unwrap().refunded, 7, "it is the other node's word, and nothing of her own books");
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn who_does_not_answer_is_asked_once_a_minute_and_keeps_no_place_of_others() {
    let desk = Desk::new().await;
    let shop = desk.shop.clone();
    for id in 1..=10 {
        desk.bill(desk.wish(id)).await.unwrap();
        desk.read(&shop, id).await.unwrap();
    }
    let mute = Arc::new(Mute::default());
    let key = super::super::federated_tests::key(&desk.pair.worlds[AWAY]);
    desk.pair.net.state.lock().handlers.insert(key, mute.clone());
    for asked in [10, 20] {
        desk.pair.worlds[HOME].clock.advance(61_000);
        for _ in 0..4 {
            assert_eq!(desk.list(None).await.len(), 10);
        }
        assert_eq!(mute.0.load(Ordering::Relaxed), asked);
    }
}
