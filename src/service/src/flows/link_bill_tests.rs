//! Bob, and his shop, send alice invoices, whose node is another one: she reads them there, and pays each once.

use super::{
    FlowError,
    link_shop_tests::details,
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of},
};
use crate::{
    Budget, ServiceConfig,
    federation::Verdict,
    testing::START_MS,
    wallet::{InvoiceBox, LinkPost, WalletError, tests::Payer},
};
use weft_ledger::link::{Body, Message, Reason};
use weft_wire::{
    Blob, Code, RequestId, Signed, TransferId, UserAddress,
    federation::Answer,
    wallet::{
        Fee, FeeKind, Intent, InvoiceInfo, InvoiceLine, InvoicePayee, InvoiceState, OpenShop, Payee,
        PaymentOrder, Receipt, Rejection, SendInvoice, SetFee, TransferState,
    },
};

const DAY_MS: u64 = 24 * HOUR_MS;

pub(super) struct Desk {
    pub pair: Pair,
    pub shop: UserAddress,
}

fn lines() -> Vec<InvoiceLine> {
    let line = |text: &str, quantity, unit_price, tax_rate| InvoiceLine {
        text: text.into(),
        quantity,
        unit_price,
        tax_rate,
    };
    // 2.5 × 4.00 and 19 %, 1 × 3.00: 10.00 + 1.90 + 3.00.
    vec![line("tea", 2_500, 400, Some(190)), line("a cup", 1_000, 300, None)]
}

impl Desk {
    async fn new() -> Desk {
        Desk::of(Pair::new().await).await
    }

    async fn of(pair: Pair) -> Desk {
        let bob = pair.people[AWAY].device.caller();
        let shop = UserAddress::new("corner".parse().unwrap(), pair.worlds[AWAY].name.clone());
        let wish = OpenShop { name: shop.name.clone(), details: details() };
        pair.worlds[AWAY].service.flows().open_shop(bob, wish).await.unwrap();
        Desk { pair, shop }
    }

    fn bob(&self) -> UserAddress {
        self.pair.people[AWAY].user().clone()
    }

    /// Of the shop.
    fn wish(&self, id: u8) -> SendInvoice {
        SendInvoice {
            id: RequestId([id; 16]),
            shop: Some(self.shop.clone()),
            to: self.pair.people[HOME].user().clone(),
            asset: self.pair.euro.id,
            lines: lines(),
            total: 1_490,
            due_ms: START_MS + DAY_MS,
            note: "thank you".into(),
        }
    }

    async fn bill(&self, wish: SendInvoice) -> Result<InvoiceInfo, FlowError> {
        let bob = self.pair.people[AWAY].device.caller();
        self.pair.worlds[AWAY].service.flows().send_invoice(bob, wish).await
    }

    /// What alice's node says of an invoice.
    async fn read(&self, issuer: &UserAddress, id: u8) -> Result<InvoiceInfo, FlowError> {
        let alice = self.pair.people[HOME].device.caller();
        let flows = self.pair.worlds[HOME].service.flows();
        flows.invoice(alice, &issuer.name, RequestId([id; 16]), Some(&issuer.node)).await
    }

    /// What bob's says.
    async fn sent(&self, issuer: &UserAddress, id: u8) -> InvoiceInfo {
        let (wallet, bob) = (self.pair.worlds[AWAY].service.wallet(), self.pair.people[AWAY].device.caller());
        wallet.invoice(bob, &issuer.name, RequestId([id; 16])).await.unwrap()
    }

    async fn list(&self, before: Option<(UserAddress, RequestId)>) -> Vec<InvoiceInfo> {
        let wish = InvoiceBox { shop: None, sent: false, before };
        let flows = self.pair.worlds[HOME].service.flows();
        flows.invoices(self.pair.people[HOME].device.caller(), wish).await.unwrap().invoices
    }

    /// Alice's order for an invoice.
    fn order(&mut self, issuer: &UserAddress, id: u8, amount: u64) -> PaymentOrder {
        let payee = Payee::Invoice(InvoicePayee { issuer: issuer.clone(), invoice: RequestId([id; 16]) });
        PaymentOrder { payee, ..self.pair.order(HOME, amount, Intent::Payment) }
    }

    async fn pay(&mut self, issuer: &UserAddress, id: u8) -> Receipt {
        let order = self.order(issuer, id, 1_490);
        self.pair.submit(HOME, &order).await.unwrap()
    }

    /// Why bob's node does not take what alice's says; the money is hers again.
    async fn rejected(&self, order: &PaymentOrder) -> Reason {
        let before = self.pair.has(HOME).await;
        self.pair.submit(HOME, order).await.unwrap();
        let reason = self.answered(order.transfer(), |_| {}).await;
        self.pair.carry().await;
        let (wallet, alice) =
            (self.pair.worlds[HOME].service.wallet(), self.pair.people[HOME].device.caller());
        let info = wallet.transfer(alice, order.transfer()).await.unwrap();
        let told = match reason {
            Reason::Closed => Rejection::Closed,
            Reason::Paid => Rejection::Paid,
            Reason::Over => Rejection::Over,
            Reason::Asked => Rejection::Asked,
            _ => Rejection::Other,
        };
        assert_eq!((info.state, info.rejection), (TransferState::Returned, Some(told)));
        assert_eq!(self.pair.has(HOME).await, before, "alice has it back");
        reason
    }

    /// What bob's node says to the last message of alice's, which is changed before.
    async fn answered(&self, payment: TransferId, change: impl FnOnce(&mut Message)) -> Reason {
        let [home, away] = [HOME, AWAY].map(|at| &self.pair.worlds[at]);
        let mut said = home.service.wallet().say(&away.name, false).await.unwrap().post;
        let mut message: Message = said.messages.pop().unwrap().peek().unwrap();
        change(&mut message);
        said.messages.push(Signed::sign(&message, &home.key));
        let post = Blob(weft_wire::encode(&said));
        let told = away.service.flows().answer_link(&home.name, &post).await.unwrap();
        let Answer::Link(told) = told else { panic!("{told:?}") };
        let told: LinkPost = weft_wire::decode(told.as_slice(), 1 << 20).unwrap();
        let told: Message = told.messages.last().unwrap().peek().unwrap();
        let Body::Reject { payment: of, reason } = told.body else { panic!("{told:?}") };
        assert_eq!(of, payment);
        reason
    }

    /// Gives some of what a payment has brought back: bob's own, or the shop's.
    async fn back(&mut self, from: bool, paid: TransferId, amount: u64) -> Result<Receipt, FlowError> {
        let order = self.pair.order(AWAY, amount, Intent::Payment);
        let from = from.then(|| self.shop.clone());
        self.pair.submit(AWAY, &PaymentOrder { from, refunds: Some(paid), ..order }).await
    }

    async fn takings(&self) -> u64 {
        let (wallet, bob) = (self.pair.worlds[AWAY].service.wallet(), self.pair.people[AWAY].device.caller());
        let shops = wallet.shops(bob).await.unwrap().shops;
        shops[0].accounts.iter().map(|account| account.available).sum()
    }

    async fn restart(&mut self, at: usize) {
        let world = self.pair.worlds[at].restarted().await;
        let federation = world.service.federation();
        federation.connect(self.pair.net.end(super::federated_tests::key(&world)), self.pair.net.clone());
        let handler = std::sync::Arc::new(federation.clone());
        self.pair.net.state.lock().handlers.insert(super::federated_tests::key(&world), handler);
        self.pair.worlds[at] = world;
    }
}

#[tokio::test]
async fn an_invoice_is_read_paid_and_given_back_across_two_nodes_that_start_again() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    let sent = desk.bill(desk.wish(1)).await.unwrap();
    assert_eq!((sent.number, sent.by.as_ref()), (1, Some(&desk.bob())));
    assert_eq!(desk.list(None).await, [], "nobody has told alice of it");
    let seen = desk.read(&shop, 1).await.unwrap();
    assert_eq!((&seen.issuer, seen.shop.as_ref().unwrap().title.as_str()), (&shop, "Ecklädchen"));
    assert_eq!((seen.lines.clone(), seen.sums.total, seen.due_ms), (lines(), 1_490, START_MS + DAY_MS));
    assert_eq!((seen.state, &seen.reference, &seen.by), (InvoiceState::Open, &sent.reference, &None));
    assert_eq!(desk.list(None).await, std::slice::from_ref(&seen));

    let order = desk.order(&shop, 1, 1_490);
    let receipt = desk.pair.submit(HOME, &order).await.unwrap();
    assert_eq!(receipt.state, TransferState::Held, "it is under way");
    desk.restart(HOME).await;
    assert_eq!(desk.read(&shop, 1).await.unwrap().state, InvoiceState::Paying);
    assert_eq!(desk.sent(&shop, 1).await.state, InvoiceState::Open);
    desk.restart(AWAY).await;
    desk.pair.carry().await;
    assert_eq!(desk.pair.submit(HOME, &order).await.unwrap().state, TransferState::Done, "asked again");
    for seen in
        [desk.read(&shop, 1).await.unwrap(), desk.list(None).await.remove(0), desk.sent(&shop, 1).await]
    {
        let paid = seen.paid.expect("it is paid");
        assert_eq!((seen.state, paid.transfer, paid.refunded), (InvoiceState::Paid, receipt.transfer, 0));
    }
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await), (1_490, (8_510, 0, 0)));
    desk.pair.is_sound().await;

    // Some of it goes back, then the rest, and no more.
    let paid = receipt.transfer;
    desk.back(true, paid, 490).await.unwrap();
    assert_eq!(
        code_of(desk.back(true, paid, 1_001).await),
        Code::PaymentRefused,
        "what is on its way counts"
    );
    desk.restart(AWAY).await;
    desk.pair.carry().await;
    desk.restart(HOME).await;
    for seen in [desk.read(&shop, 1).await.unwrap(), desk.sent(&shop, 1).await] {
        assert_eq!((seen.state, seen.paid.unwrap().refunded), (InvoiceState::Paid, 490));
    }
    desk.back(true, paid, 1_000).await.unwrap();
    desk.pair.carry().await;
    assert_eq!(code_of(desk.back(true, paid, 1).await), Code::PaymentRefused);
    assert_eq!(desk.read(&shop, 1).await.unwrap().paid.unwrap().refunded, 1_490);
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await.0), (0, 10_000));
    let line = desk.pair.history(HOME).await.remove(0);
    assert_eq!((line.other.as_ref(), line.shop.as_deref()), (Some(&shop), Some("Ecklädchen")));
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn a_person_is_paid_for_an_invoice_over_the_link_and_gives_some_of_it_back() {
    let mut desk = Desk::new().await;
    let bob = desk.bob();
    desk.bill(SendInvoice { shop: None, ..desk.wish(1) }).await.unwrap();
    desk.bill(SendInvoice { shop: None, ..desk.wish(2) }).await.unwrap();
    assert_eq!(desk.read(&bob, 1).await.unwrap().shop, None);
    desk.pair.worlds[HOME].clock.advance(1);
    desk.read(&bob, 2).await.unwrap();
    let numbers: Vec<_> = desk.list(None).await.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [2, 1], "the newest first");
    let older = desk.list(Some((bob.clone(), RequestId([2; 16])))).await;
    assert_eq!(older.iter().map(|one| one.number).collect::<Vec<_>>(), [1]);
    let paid = desk.pay(&bob, 1).await.transfer;
    desk.pair.carry().await;
    assert_eq!((desk.pair.has(AWAY).await, desk.pair.has(HOME).await), ((1_490, 0, 0), (8_510, 0, 0)));
    let (wallet, his) = (desk.pair.worlds[AWAY].service.wallet(), desk.pair.people[AWAY].device.caller());
    let info = wallet.transfer(his, paid).await.unwrap();
    assert_eq!((&info.payee, info.shop, info.amount), (&bob, None, 1_490));
    desk.back(false, paid, 90).await.unwrap();
    desk.pair.carry().await;
    for seen in [desk.read(&bob, 1).await.unwrap(), desk.sent(&bob, 1).await] {
        assert_eq!(seen.paid.unwrap().refunded, 90);
    }
    let line = desk.pair.history(HOME).await.remove(0);
    assert_eq!((line.refunds, line.other.as_ref(), line.shop), (Some(paid), Some(&bob), None));
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn what_is_not_the_invoice_comes_back_with_the_reason() {
    let mut desk = Desk::new().await;
    let (shop, bob) = (desk.shop.clone(), desk.bob());
    for id in 1..=3 {
        desk.bill(desk.wish(id)).await.unwrap();
    }
    let cancelled = async |desk: &Desk, id: u8| {
        let (wallet, his) = (desk.pair.worlds[AWAY].service.wallet(), desk.pair.people[AWAY].device.caller());
        wallet.cancel_invoice(his, &shop.name, RequestId([id; 16])).await
    };
    cancelled(&desk, 2).await.unwrap();
    for (order, expected) in [
        (desk.order(&shop, 1, 1_489), Reason::Asked),
        (desk.order(&shop, 1, 1_491), Reason::Asked),
        (desk.order(&shop, 2, 1_490), Reason::Over),
        (desk.order(&shop, 9, 1_490), Reason::UnknownPayee),
        (desk.order(&bob, 1, 1_490), Reason::UnknownPayee),
    ] {
        assert_eq!(desk.rejected(&order).await, expected, "{order:?}");
    }
    desk.pay(&shop, 3).await;
    let second = desk.pay(&shop, 3).await.transfer;
    assert_eq!(desk.answered(second, |_| {}).await, Reason::Paid);
    desk.pair.carry().await;
    // An order that makes no sense is not sent.
    for order in [
        PaymentOrder { intent: Intent::Transfer, ..desk.order(&shop, 1, 1_490) },
        PaymentOrder { request: Some(RequestId([1; 16])), ..desk.order(&shop, 1, 1_490) },
        PaymentOrder { tip: Some(1), ..desk.order(&shop, 1, 1_490) },
        PaymentOrder { refunds: Some(TransferId([1; 16])), ..desk.order(&shop, 1, 1_490) },
    ] {
        assert_eq!(code_of(desk.pair.submit(HOME, &order).await), Code::InvalidField, "{order:?}");
    }
    // What was paid is not taken back, and what was taken back is not paid: it is one of the two, and which is decided once.
    assert!(matches!(cancelled(&desk, 3).await, Err(WalletError::AlreadyPaid)));
    let order = desk.order(&shop, 1, 1_490);
    desk.pair.submit(HOME, &order).await.unwrap();
    let gone = tokio::join!(cancelled(&desk, 1), desk.pair.carry()).0;
    let seen = desk.sent(&shop, 1).await;
    let wallet = desk.pair.worlds[HOME].service.wallet();
    let state =
        wallet.transfer(desk.pair.people[HOME].device.caller(), order.transfer()).await.unwrap().state;
    match gone {
        Ok(_) => assert_eq!((seen.state, state), (InvoiceState::Cancelled, TransferState::Returned)),
        Err(_) => assert_eq!((seen.state, state), (InvoiceState::Paid, TransferState::Done)),
    }
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn a_payment_under_way_finds_that_the_invoice_was_taken_back() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    let order = desk.order(&shop, 1, 1_490);
    desk.pair.submit(HOME, &order).await.unwrap();
    let (wallet, his) = (desk.pair.worlds[AWAY].service.wallet(), desk.pair.people[AWAY].device.caller());
    wallet.cancel_invoice(his, &shop.name, RequestId([1; 16])).await.unwrap();
    desk.pair.carry().await;
    let seen = desk.read(&shop, 1).await.unwrap();
    assert_eq!((seen.state, seen.rejection), (InvoiceState::Cancelled, Some(Rejection::Over)));
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await), (0, (10_000, 0, 0)));
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn nobody_else_reads_or_pays_it() {
    let mut desk = Desk::new().await;
    let (shop, bob) = (desk.shop.clone(), desk.bob());
    desk.bill(desk.wish(1)).await.unwrap();
    // Carol is of alice's node; somebody there is called as bob is, and the shop.
    let mut carol = Payer::new(&desk.pair.worlds[HOME], "carol", 7).await;
    let namesakes =
        [desk.pair.worlds[HOME].sign_up("bob").await, desk.pair.worlds[HOME].sign_up("corner").await];
    desk.bill(SendInvoice { shop: None, ..desk.wish(2) }).await.unwrap();
    let flows = desk.pair.worlds[HOME].service.flows().clone();
    for stranger in [carol.device.caller(), namesakes[0].caller(), namesakes[1].caller()] {
        for (issuer, id) in [(&shop, 1), (&bob, 2)] {
            let none = flows.invoice(stranger, &issuer.name, RequestId([id; 16]), Some(&issuer.node)).await;
            assert_eq!(code_of(none), Code::NotFound, "{:?}", stranger.user());
        }
    }
    // Nor does one of bob's node who is called as alice is: it stands in nobody's list there.
    let other = desk.pair.worlds[AWAY].sign_up("alice").await;
    let (wallet, there) = (desk.pair.worlds[AWAY].service.wallet(), other.caller());
    let got = wallet.invoices(there, InvoiceBox { shop: None, sent: false, before: None }).await.unwrap();
    assert_eq!(got.invoices, []);
    assert!(wallet.invoice(there, &shop.name, RequestId([1; 16])).await.is_err());
    // Whom that one has blocked may bill alice.
    desk.pair.worlds[AWAY].service.flows().block_contact(there, &bob).await.unwrap();
    desk.bill(SendInvoice { shop: None, ..desk.wish(3) }).await.unwrap();
    assert_eq!(desk.list(None).await, []);
    assert_eq!(desk.read(&bob, 3).await.unwrap().number, 2);
    let gift = PaymentOrder {
        payee: Payee::Person(carol.user().clone()),
        ..desk.pair.order(HOME, 2_000, Intent::Payment)
    };
    desk.pair.submit(HOME, &gift).await.unwrap();
    let order = carol.order(&desk.pair.worlds[HOME], &shop, desk.pair.euro.id, 1_490, Intent::Payment);
    let payee = Payee::Invoice(InvoicePayee { issuer: shop.clone(), invoice: RequestId([1; 16]) });
    let order = PaymentOrder { payee, ..order };
    let signed = Signed::sign(&order, &carol.key);
    flows.pay(carol.device.caller(), weft_wire::wallet::SubmitOrder { order: signed }).await.unwrap();
    assert_eq!(desk.answered(order.transfer(), |_| {}).await, Reason::UnknownPayee);
    desk.pair.carry().await;
    assert_eq!((desk.takings().await, desk.sent(&shop, 1).await.state), (0, InvoiceState::Open));
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn two_payments_at_once_and_the_same_again_pay_it_once() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    desk.read(&shop, 1).await.unwrap();
    let (first, second) = (desk.pay(&shop, 1).await, desk.pay(&shop, 1).await);
    let [home, away] = [HOME, AWAY].map(|at| desk.pair.worlds[at].name.clone());
    let said = desk.pair.worlds[HOME].service.wallet().say(&away, false).await.unwrap().post;
    let post = Blob(weft_wire::encode(&said));
    for _ in 0..3 {
        desk.pair.worlds[AWAY].service.flows().answer_link(&home, &post).await.unwrap();
    }
    desk.pair.carry().await;
    let (wallet, alice) = (desk.pair.worlds[HOME].service.wallet(), desk.pair.people[HOME].device.caller());
    let second = wallet.transfer(alice, second.transfer).await.unwrap();
    assert_eq!((second.state, second.rejection), (TransferState::Returned, Some(Rejection::Paid)));
    let seen = desk.read(&shop, 1).await.unwrap();
    assert_eq!(
        (seen.state, seen.paid.unwrap().transfer, seen.rejection),
        (InvoiceState::Paid, first.transfer, None)
    );
    assert_eq!((desk.takings().await, desk.pair.has(HOME).await), (1_490, (8_510, 0, 0)));
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn another_node_cannot_say_of_its_people_what_they_have_not_signed() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    desk.bill(desk.wish(1)).await.unwrap();
    let payment = desk.pay(&shop, 1).await.transfer;
    let memo = |change: fn(&mut crate::wallet::Memo)| {
        move |message: &mut Message| {
            let Body::Prepare(prepare) = &mut message.body else { panic!("{message:?}") };
            let mut memo = crate::wallet::Memo::of(prepare).unwrap();
            change(&mut memo);
            prepare.memo = Blob(weft_wire::encode(&memo));
        }
    };
    // It says that some of it is a tip.
    assert_eq!(desk.answered(payment, memo(|memo| memo.tip = Some(1))).await, Reason::Asked);
    assert_eq!((desk.takings().await, desk.sent(&shop, 1).await.state), (0, InvoiceState::Open));
}

#[tokio::test]
async fn nothing_is_billed_to_where_no_money_comes_from() {
    let desk = Desk::of(Pair::strangers().await).await;
    assert_eq!(code_of(desk.bill(desk.wish(1)).await), Code::NoLink);
    desk.pair.agree("100").await;
    let points =
        weft_wire::wallet::DefineAsset { code: "POINTS".parse().unwrap(), ..crate::wallet::tests::euro() };
    let points = desk.pair.worlds[AWAY].service.wallet().define(points).await.unwrap().id;
    assert_eq!(code_of(desk.bill(SendInvoice { asset: points, ..desk.wish(1) }).await), Code::NoLink);
    let far: UserAddress = "carol@far.example".parse().unwrap();
    assert_eq!(code_of(desk.bill(SendInvoice { to: far, ..desk.wish(1) }).await), Code::NoLink);
    let not_here: UserAddress = "corner@far.example".parse().unwrap();
    assert_eq!(
        code_of(desk.bill(SendInvoice { shop: Some(not_here), ..desk.wish(1) }).await),
        Code::OtherNode
    );
    assert_eq!(desk.bill(desk.wish(1)).await.unwrap().number, 1, "what was refused has taken no number");
    // Where bob's node is away, what it has said before is there; what it has not said is not.
    desk.read(&desk.shop, 1).await.unwrap();
    desk.bill(desk.wish(2)).await.unwrap();
    let away = super::federated_tests::key(&desk.pair.worlds[AWAY]);
    desk.pair.net.state.lock().away.insert(away);
    assert_eq!(desk.read(&desk.shop, 1).await.unwrap().state, InvoiceState::Open);
    assert!(desk.read(&desk.shop, 2).await.is_err());
    assert_eq!(desk.list(None).await.len(), 1);
    desk.pair.net.state.lock().away.clear();
    // Shut out, nobody is asked, and nothing is paid.
    let federation = desk.pair.worlds[HOME].service.federation().clone();
    federation.judge(&desk.shop.node, Verdict::Block).await.unwrap();
    assert_eq!(code_of(desk.read(&desk.shop, 2).await), Code::Forbidden);
}

#[tokio::test]
async fn what_a_list_shows_is_asked_after() {
    let desk = Desk::new().await;
    let shop = desk.shop.clone();
    for id in 1..=2 {
        desk.bill(desk.wish(id)).await.unwrap();
        desk.read(&shop, id).await.unwrap();
    }
    let (wallet, his) = (desk.pair.worlds[AWAY].service.wallet(), desk.pair.people[AWAY].device.caller());
    wallet.cancel_invoice(his, &shop.name, RequestId([1; 16])).await.unwrap();
    let states = async || {
        let mut list = desk.list(None).await;
        list.sort_by_key(|one| one.number);
        list.into_iter().map(|one| one.state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [InvoiceState::Open, InvoiceState::Open], "it was heard a moment ago");
    desk.pair.worlds[HOME].clock.advance(HOUR_MS);
    assert_eq!(states().await, [InvoiceState::Cancelled, InvoiceState::Open]);
    // Its day is over by her own node's clock, whatever the other one says.
    desk.pair.worlds[HOME].clock.advance(DAY_MS);
    assert_eq!(states().await, [InvoiceState::Cancelled, InvoiceState::Overdue]);
    desk.pair.is_sound().await;
}

#[tokio::test]
async fn what_another_node_says_costs_nothing_of_ones_own_payments_and_a_node_that_cannot_answer_hides_nothing()
 {
    let unlimited = super::federated_tests::unlimited;
    let limited = ServiceConfig { rate_limit_factor: 1.0, written_mib_per_day: 1, ..unlimited() };
    let pair = Pair::strangers_of([limited, unlimited()]).await;
    pair.agree("100").await;
    let desk = Desk::of(pair).await;
    let (shop, alice) = (desk.shop.clone(), desk.pair.people[HOME].user().name.clone());
    for id in 1..=2 {
        desk.bill(desk.wish(id)).await.unwrap();
    }
    let limits = desk.pair.worlds[HOME].service.limits();
    while limits.take_account(Budget::Payment, &alice).is_ok() {}
    assert_eq!(desk.read(&shop, 1).await.unwrap().state, InvoiceState::Open);
    // Nothing new is kept now: what is known is shown, and what is not known says why.
    while limits.take_account(Budget::FarInvoice, &alice).is_ok() {}
    let (wallet, his) = (desk.pair.worlds[AWAY].service.wallet(), desk.pair.people[AWAY].device.caller());
    wallet.cancel_invoice(his, &shop.name, RequestId([1; 16])).await.unwrap();
    assert_eq!(desk.read(&shop, 1).await.unwrap().state, InvoiceState::Open);
    assert_eq!(code_of(desk.read(&shop, 2).await), Code::RateLimited);
    desk.pair.worlds[HOME].clock.advance(HOUR_MS);
    assert_eq!(desk.read(&shop, 1).await.unwrap().state, InvoiceState::Cancelled);
}

#[tokio::test]
async fn her_node_takes_the_fee_of_what_goes_to_other_nodes() {
    let mut desk = Desk::new().await;
    let shop = desk.shop.clone();
    let fee = |kind, fixed| SetFee {
        asset: desk.pair.euro.id,
        fee: Fee { kind, fixed, points: 0, least: 0, most: 0 },
    };
    let wallet = desk.pair.worlds[HOME].service.wallet();
    wallet.set_fee(fee(FeeKind::Remote, 10)).await.unwrap();
    wallet.set_fee(fee(FeeKind::Shop, 500)).await.unwrap();
    desk.bill(desk.wish(1)).await.unwrap();
    let order = desk.order(&shop, 1, 1_490);
    let poor = desk.pair.submit(HOME, &order).await;
    assert!(matches!(poor, Err(FlowError::Wallet(WalletError::FeeTooLow { due: 10 }))), "{poor:?}");
    let order = PaymentOrder { max_fee: 10, ..order };
    desk.pair.submit(HOME, &order).await.unwrap();
    let again = PaymentOrder { max_fee: 10, ..desk.order(&shop, 1, 1_490) };
    desk.pair.submit(HOME, &again).await.unwrap();
    assert_eq!(desk.pair.has(HOME).await, (7_000, 3_000, 0));
    assert_eq!(desk.answered(again.transfer(), |_| {}).await, Reason::Paid);
    desk.pair.carry().await;
    // What comes back brings its fee back.
    assert_eq!((desk.pair.has(HOME).await, desk.takings().await), ((8_500, 0, 0), 1_490));
    desk.pair.is_sound().await;
}

mod again;
mod audits;
mod lies;
mod rates;
