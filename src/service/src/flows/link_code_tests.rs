//! Alice shows a code of her own node, and bob reads it at the till of his shop, which is at another one.

use super::{
    FlowError,
    federated_tests::key,
    link_shop_tests::Counter,
    link_tests::{AWAY, HOME, HOUR_MS, Pair, code_of},
};
use crate::{
    Clock, ServiceConfig,
    wallet::{
        LinkPost, check_ledger,
        records::{ChargeRecord, OrderRecord},
    },
};
use weft_ledger::link::{Body, Message, Prepare, Reason};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    AssetId, Blob, Code, RequestId, Signed, UserAddress,
    federation::Answer,
    node::SignupPolicy,
    paycode::PayCode,
    wallet::{
        BearerPayee, ChangeAccount, ChangeShop, ChargeCode, CodeCharge, Fee, FeeKind, Intent, Payee,
        PaymentOrder, PutCode, Rejection, SaleInfo, SaleKind, SaleState, SetFee, TransferState,
    },
};

const LIFETIME_MS: u64 = 60_000;

impl Counter {
    /// The order for alice's next code.
    fn code(&mut self, id: u8, cap: u64) -> (PayCode, PaymentOrder) {
        let home = &self.pair.worlds[HOME];
        let code = PayCode::new(home.name.clone(), [id; 16]).unwrap();
        let expires_ms = home.clock.now_ms() + LIFETIME_MS;
        let order = self.pair.order(HOME, cap, Intent::Payment);
        (code.clone(), PaymentOrder { payee: Payee::Bearer(BearerPayee::of(&code)), expires_ms, ..order })
    }

    async fn put(&self, order: &PaymentOrder) {
        let alice = &self.pair.people[HOME];
        let order = Signed::sign(order, &alice.key);
        let wallet = self.pair.worlds[HOME].service.wallet();
        wallet.put_code(alice.device.caller(), PutCode { order }).await.unwrap();
    }

    async fn shows(&mut self, id: u8, cap: u64) -> (PayCode, PaymentOrder) {
        let (code, order) = self.code(id, cap);
        self.put(&order).await;
        (code, order)
    }

    fn wish(&self, id: u8, code: &PayCode, amount: u64) -> ChargeCode {
        let (id, asset, code) = (RequestId([id; 16]), self.pair.euro.id, code.to_string());
        ChargeCode { id, code, asset, amount, bill: "18".into() }
    }

    async fn charge(&self, wish: &ChargeCode) -> Result<SaleInfo, FlowError> {
        let bob = self.pair.people[AWAY].device.caller();
        let flows = self.pair.worlds[AWAY].service.flows();
        flows.charge(bob, &self.shop.name, wish.clone()).await
    }

    async fn sale(&self, id: u8) -> SaleInfo {
        let bob = self.pair.people[AWAY].device.caller();
        let wallet = self.pair.worlds[AWAY].service.wallet();
        wallet.sale(bob, &self.shop.name, RequestId([id; 16])).await.unwrap()
    }

    /// What bob's node asks for such a charge.
    fn asked(&self, wish: &ChargeCode) -> CodeCharge {
        let (shop, title) = (self.shop.clone(), "Ecklädchen".into());
        let ChargeCode { id, ref code, asset, amount, .. } = *wish;
        CodeCharge { shop, title, sale: id, code: code.parse().unwrap(), asset, amount }
    }

    /// Alice's node is asked, and nobody hears its answer.
    async fn ask(&self, charge: &CodeCharge) -> Result<Answer, FlowError> {
        let away = &self.pair.worlds[AWAY];
        let charge = Signed::sign(charge, &away.key);
        self.pair.worlds[HOME].service.flows().answer_charge(&away.name, charge).await
    }

    fn pass(&self, ms: u64) {
        self.pair.worlds.iter().for_each(|world| world.clock.advance(ms));
    }

    fn cut_off(&self) {
        self.pair.net.state.lock().away.insert(key(&self.pair.worlds[HOME]));
    }

    fn back_again(&self) {
        self.pair.net.back(key(&self.pair.worlds[HOME]));
    }

    async fn alice_has(&self) -> (u64, u64, u64) {
        self.pair.has(HOME).await
    }
}

#[tokio::test]
async fn a_code_of_another_node_pays_a_sale_once_and_a_part_of_it_goes_back() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(1, 2_000).await;
    let wish = counter.wish(1, &code, 1_250);
    let sale = counter.charge(&wish).await.unwrap();
    assert_eq!((sale.kind, sale.state, sale.amount), (SaleKind::Code, SaleState::Open, 1_250));
    assert_eq!((sale.code.as_ref(), sale.paid.as_ref()), (None, None), "there is nothing to scan");
    assert_eq!(counter.alice_has().await, (8_750, 1_250, 0), "it is under way");
    assert_eq!(counter.state(order.transfer()).await, TransferState::Held);
    counter.pair.carry().await;
    let sale = counter.sale(1).await;
    let paid = sale.paid.clone().unwrap();
    let alice = counter.pair.people[HOME].user().clone();
    assert_eq!((sale.state, &paid.payer, paid.transfer), (SaleState::Paid, &alice, order.transfer()));
    // Asked again, also long after, it is the same; another sum, or another code, is not.
    counter.pass(HOUR_MS);
    assert_eq!(counter.charge(&wish).await.unwrap(), sale);
    let more = ChargeCode { amount: 1, ..wish.clone() };
    assert_eq!(code_of(counter.charge(&more).await), Code::IdConflict);
    let (other, _) = counter.shows(2, 2_000).await;
    let other = ChargeCode { code: other.to_string(), ..wish };
    assert_eq!(code_of(counter.charge(&other).await), Code::IdConflict);
    assert_eq!((counter.takings().await, counter.alice_has().await), (1_250, (8_750, 0, 0)));
    // Alice sees where it went.
    let wallet = counter.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(counter.pair.people[HOME].device.caller(), order.transfer()).await.unwrap();
    assert_eq!(
        (&info.payee, info.amount, info.shop.unwrap().title.as_str()),
        (&counter.shop, 1_250, "Ecklädchen")
    );
    counter.back(order.transfer(), 250).await.unwrap();
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.alice_has().await), (1_000, (9_000, 0, 0)));
    assert_eq!(counter.sale(1).await.paid.unwrap().refunded, 250);
    assert_eq!(code_of(counter.back(order.transfer(), 1_001).await), Code::PaymentRefused);
    let roll = counter.roll().await;
    assert_eq!((roll.len(), roll[0].kind), (1, SaleKind::Code));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn what_a_code_does_not_allow_is_said_at_the_till_and_stays_said() {
    let mut counter = Counter::new().await;
    let unknown = PayCode::new(counter.pair.worlds[HOME].name.clone(), [99; 16]).unwrap();
    let (first, _) = counter.shows(1, 500).await;
    let (code, _) = counter.shows(2, 20_000).await;
    let alice = counter.pair.people[HOME].user().clone();
    let freeze = async |counter: &Counter, frozen| {
        let wish = ChangeAccount { user: alice.clone(), asset: counter.pair.euro.id, frozen };
        counter.pair.worlds[HOME].service.wallet().change_account(wish).await.unwrap();
    };
    freeze(&counter, true).await;
    let frozen = counter.wish(10, &code, 1);
    assert_eq!(code_of(counter.charge(&frozen).await), Code::AccountFrozen);
    freeze(&counter, false).await;
    for (id, code, amount, expected) in [
        (11, &unknown, 1, Code::CodeInvalid),
        (12, &first, 1, Code::CodeInvalid),
        (13, &code, 20_001, Code::CodeLimit),
        (14, &code, 10_001, Code::InsufficientFunds),
    ] {
        let wish = counter.wish(id, code, amount);
        assert_eq!(code_of(counter.charge(&wish).await), expected, "{wish:?}");
        let sale = counter.sale(id).await;
        assert_eq!((sale.state, sale.refused), (SaleState::Cancelled, Some(expected)));
        assert_eq!(code_of(counter.charge(&wish).await), expected, "asked again");
    }
    assert_eq!(code_of(counter.charge(&frozen).await), Code::AccountFrozen, "what was said is said");
    // It is good for what there is, once; then for nothing.
    counter.charge(&counter.wish(15, &code, 9_000)).await.unwrap();
    assert_eq!(code_of(counter.charge(&counter.wish(16, &code, 1)).await), Code::AlreadyPaid);
    counter.pair.carry().await;
    let (code, _) = counter.shows(3, 1_000).await;
    assert_eq!(
        code_of(
            counter
                .charge(&counter.wish(17, &code, 1_000))
                .await
                .map(|_| ())
                .and(counter.charge(&counter.wish(18, &code, 1)).await)
        ),
        Code::AlreadyPaid
    );
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.alice_has().await), (10_000, (0, 0, 0)));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn what_the_shop_itself_cannot_take_asks_nobody() {
    let mut counter = Counter::of(Pair::strangers().await).await;
    let (code, _) = counter.shows(1, 9_000).await;
    assert_eq!(code_of(counter.charge(&counter.wish(1, &code, 10)).await), Code::NoLink);
    counter.pair.agree("50").await;
    for (wish, expected) in [
        (counter.wish(1, &code, 0), Code::InvalidField),
        (ChargeCode { asset: AssetId([9; 16]), ..counter.wish(1, &code, 1) }, Code::NotFound),
        (ChargeCode { bill: "ö".into(), ..counter.wish(1, &code, 1) }, Code::InvalidField),
    ] {
        assert_eq!(code_of(counter.charge(&wish).await), expected, "{wish:?}");
    }
    // More than the two nodes lend each other; it is good for less all the same.
    assert_eq!(code_of(counter.charge(&counter.wish(2, &code, 5_001)).await), Code::LinkLimit);
    let (flows, bob) = (
        counter.pair.worlds[AWAY].service.flows().clone(),
        counter.pair.people[AWAY].device.caller().clone(),
    );
    let open = |open| ChangeShop { open: Some(open), ..ChangeShop::default() };
    flows.change_shop(&bob, &counter.shop.name, open(false)).await.unwrap();
    assert_eq!(code_of(counter.charge(&counter.wish(3, &code, 10)).await), Code::ShopClosed);
    flows.change_shop(&bob, &counter.shop.name, open(true)).await.unwrap();
    let stranger = counter.pair.people[HOME].device.caller();
    let nobody = flows.charge(stranger, &counter.shop.name, counter.wish(4, &code, 10)).await;
    assert_eq!(code_of(nobody), Code::Forbidden);
    counter.charge(&counter.wish(5, &code, 5_000)).await.unwrap();
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.alice_has().await), (5_000, (5_000, 0, 0)));
    counter.pair.is_sound().await;
    // A link that stands still, at the shop's node and at alice's.
    let (code, _) = counter.shows(2, 10).await;
    let home = counter.pair.worlds[HOME].name.clone();
    counter.pair.worlds[AWAY].service.wallet().freeze_link(&home).await.unwrap();
    assert_eq!(code_of(counter.charge(&counter.wish(6, &code, 10)).await), Code::LinkFrozen);
    let away = counter.pair.worlds[AWAY].name.clone();
    counter.pair.worlds[HOME].service.wallet().freeze_link(&away).await.unwrap();
    let charge = counter.asked(&counter.wish(7, &code, 10));
    assert_eq!(code_of(counter.ask(&charge).await), Code::LinkFrozen);
    assert_eq!(counter.alice_has().await, (5_000, 0, 0));
}

#[tokio::test]
async fn what_there_is_not_enough_for_counts_once_however_often_it_is_asked() {
    let mut counter = Counter::new().await;
    let (code, _) = counter.shows(1, 20_000).await;
    for id in [1, 2] {
        let poor = counter.asked(&counter.wish(id, &code, 15_000));
        for _ in 0..4 {
            assert_eq!(code_of(counter.ask(&poor).await), Code::InsufficientFunds, "{id}");
        }
    }
    counter.charge(&counter.wish(3, &code, 4_000)).await.unwrap();
    counter.pair.carry().await;
    // A third one ends the code, and is told again as it was. So does another sum for the same sale count.
    let (code, _) = counter.shows(2, 20_000).await;
    let sums = [(4, 15_000), (4, 14_000), (5, 13_000)];
    for (id, amount) in [sums, sums].concat() {
        let poor = counter.asked(&counter.wish(id, &code, amount));
        assert_eq!(code_of(counter.ask(&poor).await), Code::InsufficientFunds, "{id}: {amount}");
    }
    assert_eq!(code_of(counter.charge(&counter.wish(6, &code, 1)).await), Code::CodeInvalid);
    assert_eq!((counter.takings().await, counter.alice_has().await), (4_000, (6_000, 0, 0)));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn while_alices_node_is_away_it_is_not_known_and_then_decided() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(1, 500).await;
    let wish = counter.wish(1, &code, 400);
    counter.cut_off();
    let sale = counter.charge(&wish).await.unwrap();
    assert_eq!((sale.state, sale.refused), (SaleState::Open, None));
    let made_ms = sale.made_ms;
    assert_eq!(sale.expires_ms, Some(made_ms + 2 * LIFETIME_MS), "by then it is known");
    // It is back in time: asked again it pays.
    counter.back_again();
    counter.pass(30_000);
    assert_eq!(counter.charge(&wish).await.unwrap().state, SaleState::Open);
    counter.pair.carry().await;
    assert_eq!((counter.sale(1).await.state, counter.takings().await), (SaleState::Paid, 400));
    assert_eq!(counter.state(order.transfer()).await, TransferState::Done);
    // It is not: the charge ends, and the code is too old to bring anything.
    let (code, order) = counter.shows(2, 500).await;
    let wish = counter.wish(2, &code, 400);
    counter.cut_off();
    counter.charge(&wish).await.unwrap();
    counter.pass(2 * LIFETIME_MS);
    counter.back_again();
    assert_eq!(counter.sale(2).await.state, SaleState::Expired);
    assert_eq!(code_of(counter.charge(&wish).await), Code::SaleOver);
    let asked = counter.asked(&wish);
    assert_eq!(code_of(counter.ask(&asked).await), Code::CodeInvalid, "also if the question comes that late");
    counter.pair.carry().await;
    let wallet = counter.pair.worlds[HOME].service.wallet();
    assert!(wallet.transfer(counter.pair.people[HOME].device.caller(), order.transfer()).await.is_err());
    assert_eq!((counter.takings().await, counter.alice_has().await), (400, (9_600, 0, 0)));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_ends_decided_whichever_way() {
    let mut counter = Counter::new().await;
    // The money comes without it.
    let (code, _) = counter.shows(1, 500).await;
    let wish = counter.wish(1, &code, 400);
    counter.cut_off();
    counter.charge(&wish).await.unwrap();
    let asked = counter.asked(&wish);
    counter.ask(&asked).await.unwrap();
    counter.back_again();
    counter.pair.carry().await;
    assert_eq!((counter.sale(1).await.state, counter.takings().await), (SaleState::Paid, 400));
    assert_eq!(counter.charge(&wish).await.unwrap().state, SaleState::Paid);
    // It comes too late, or after the till has taken the sale back: alice has it again.
    for (id, cancels) in [(2, false), (3, true)] {
        let (code, order) = counter.shows(id, 500).await;
        let wish = counter.wish(id, &code, 400);
        counter.cut_off();
        counter.charge(&wish).await.unwrap();
        let asked = counter.asked(&wish);
        counter.ask(&asked).await.unwrap();
        if cancels {
            let bob = counter.pair.people[AWAY].device.caller();
            let wallet = counter.pair.worlds[AWAY].service.wallet();
            wallet.cancel_sale(bob, &counter.shop.name, wish.id).await.unwrap();
        } else {
            counter.pass(2 * LIFETIME_MS);
        }
        counter.back_again();
        // The same answer as before, and no second payment, whenever it is asked.
        counter.ask(&asked).await.unwrap();
        assert_eq!(counter.alice_has().await, (9_200, 400, 0));
        counter.pair.carry().await;
        let wallet = counter.pair.worlds[HOME].service.wallet();
        let info =
            wallet.transfer(counter.pair.people[HOME].device.caller(), order.transfer()).await.unwrap();
        assert_eq!((info.state, info.rejection), (TransferState::Returned, Some(Rejection::Over)));
        assert_eq!(code_of(counter.charge(&wish).await), Code::SaleOver);
        counter.ask(&asked).await.unwrap();
        counter.pair.carry().await;
        assert_eq!((counter.takings().await, counter.alice_has().await), (400, (9_600, 0, 0)));
        if !cancels {
            // What came back does not count for the code: it was good once.
            let (again, _) = counter.shows(9, 400).await;
            counter.charge(&counter.wish(9, &again, 400)).await.unwrap();
            counter.pair.carry().await;
            let order = counter.sale(9).await.paid.unwrap().transfer;
            counter.back(order, 400).await.unwrap();
            counter.pair.carry().await;
        }
    }
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_shops_node_takes_no_more_than_a_code_allows_whatever_it_asks() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(1, 500).await;
    let good = counter.asked(&counter.wish(1, &code, 400));
    let third = UserAddress::new("corner".parse().unwrap(), "third.example".parse().unwrap());
    let elsewhere = PayCode::new("third.example".parse().unwrap(), *code.id()).unwrap();
    for (charge, expected) in [
        (CodeCharge { amount: 501, ..good.clone() }, Code::CodeLimit),
        (CodeCharge { amount: 0, ..good.clone() }, Code::InvalidField),
        (CodeCharge { amount: u64::MAX, ..good.clone() }, Code::CodeLimit),
        (CodeCharge { asset: AssetId([9; 16]), ..good.clone() }, Code::RateChanged),
        (CodeCharge { shop: third.clone(), ..good.clone() }, Code::Forbidden),
        (CodeCharge { code: elsewhere, ..good.clone() }, Code::CodeInvalid),
        (CodeCharge { title: "Bank\u{202e}".into(), ..good.clone() }, Code::InvalidField),
        (CodeCharge { title: " ".into(), ..good.clone() }, Code::InvalidField),
    ] {
        assert_eq!(code_of(counter.ask(&charge).await), expected, "{charge:?}");
    }
    let flows = counter.pair.worlds[HOME].service.flows();
    let away = counter.pair.worlds[AWAY].name.clone();
    let forged = Signed::sign(&good, &counter.pair.worlds[HOME].key);
    assert_eq!(code_of(flows.answer_charge(&away, forged).await), Code::BadSignature);
    counter.ask(&good).await.unwrap();
    // The same sale for another sum or with another title, and another sale by the same code.
    let more = CodeCharge { amount: 500, ..good.clone() };
    assert_eq!(code_of(counter.ask(&more).await), Code::IdConflict);
    counter.ask(&CodeCharge { title: "Eck".into(), ..good.clone() }).await.unwrap();
    let again = CodeCharge { sale: RequestId([2; 16]), ..good.clone() };
    assert_eq!(code_of(counter.ask(&again).await), Code::AlreadyPaid);
    assert_eq!(counter.alice_has().await, (9_600, 400, 0));
    // Bob's node knows nothing of the sale: alice has it back, and the code is used up.
    counter.pair.carry().await;
    assert_eq!(counter.state(order.transfer()).await, TransferState::Returned);
    assert_eq!(code_of(counter.ask(&again).await), Code::AlreadyPaid);
    assert_eq!((counter.takings().await, counter.alice_has().await), (0, (10_000, 0, 0)));
    // Replayed when its time is over.
    let (code, _) = counter.shows(2, 500).await;
    counter.pass(LIFETIME_MS);
    let late = counter.asked(&counter.wish(3, &code, 400));
    assert_eq!(code_of(counter.ask(&late).await), Code::CodeInvalid);
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_guesses_codes_does_so_for_a_minute_and_is_stopped() {
    let config =
        ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 1.0, ..ServiceConfig::default() };
    // Here it is bob whose codes are guessed.
    let pair = Pair::strangers_with(config).await;
    pair.agree("100").await;
    let (home, away) = (&pair.worlds[HOME], &pair.worlds[AWAY]);
    let mut tries = 0_u16;
    let limited = loop {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&tries.to_be_bytes());
        let charge = CodeCharge {
            // Each time another shop.
            shop: UserAddress::new(format!("shop-{tries}").parse().unwrap(), home.name.clone()),
            title: "Shop".into(),
            sale: RequestId(id),
            code: PayCode::new(away.name.clone(), id).unwrap(),
            asset: pair.euro.id,
            amount: 1,
        };
        let charge = Signed::sign(&charge, &home.key);
        match code_of(away.service.flows().answer_charge(&home.name, charge).await) {
            Code::CodeInvalid => tries += 1,
            code => break code,
        }
    };
    // Some come back while they are used.
    assert!(limited == Code::RateLimited && tries >= 600, "{limited:?} after {tries}");
}

impl Counter {
    /// What alice's node sends is changed on the way, by herself. Gives why bob's does not take it.
    async fn lies(&self, change: impl FnOnce(&mut Prepare)) -> Reason {
        let [home, away] = [HOME, AWAY].map(|at| &self.pair.worlds[at]);
        let mut said = home.service.wallet().say(&away.name, false).await.unwrap().post;
        let mut message: Message = said.messages.last().unwrap().peek().unwrap();
        let Body::Prepare(prepare) = &mut message.body else { panic!("{message:?}") };
        change(prepare);
        said.messages = vec![Signed::sign(&message, &home.key)];
        let post = Blob(weft_wire::encode(&said));
        let told = away.service.flows().answer_link(&home.name, &post).await.unwrap();
        let Answer::Link(told) = told else { panic!("{told:?}") };
        let told: LinkPost = weft_wire::decode(told.as_slice(), 1 << 20).unwrap();
        let told: Message = told.messages.last().unwrap().peek().unwrap();
        let Body::Reject { reason, .. } = told.body else { panic!("{told:?}") };
        reason
    }
}

#[tokio::test]
async fn a_payers_node_that_lies_about_the_sum_has_paid_nothing() {
    type Lie = fn(&mut Prepare);
    let lies: [(Lie, Reason); 3] = [
        (|prepare| prepare.give.amount -= 1, Reason::Asked),
        (|prepare| prepare.give.amount += 1, Reason::Asked),
        (|prepare| prepare.give.asset = AssetId([9; 16]), Reason::UnknownAsset),
    ];
    for (change, expected) in lies {
        let mut counter = Counter::new().await;
        let (code, _) = counter.shows(1, 500).await;
        counter.charge(&counter.wish(1, &code, 400)).await.unwrap();
        assert_eq!(counter.lies(change).await, expected);
        assert_eq!((counter.takings().await, counter.sale(1).await.state), (0, SaleState::Open));
    }
    // It says no, and pays all the same.
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(1, 500).await;
    let wish = counter.wish(1, &code, 400);
    counter.charge(&wish).await.unwrap();
    let wallet = counter.pair.worlds[AWAY].service.wallet();
    wallet.end_charge(&counter.shop.name, wish.id, Code::CodeInvalid).await.unwrap();
    counter.pair.carry().await;
    assert_eq!(counter.state(order.transfer()).await, TransferState::Returned);
    assert_eq!((counter.takings().await, counter.alice_has().await), (0, (10_000, 0, 0)));
    assert_eq!(code_of(counter.charge(&wish).await), Code::CodeInvalid);
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn who_has_euros_pays_dollars_at_the_rate_of_the_terms_and_no_more_than_it_takes() {
    let super::link_two_assets_tests::Two { pair, dollar } = super::link_two_assets_tests::Two::new().await;
    let mut counter = Counter::of(pair).await;
    // Ten dollars are 9.174 euros: it takes 9.18.
    let (code, _) = counter.shows(1, 917).await;
    let dollars =
        |counter: &Counter, id, code: &PayCode| ChargeCode { asset: dollar, ..counter.wish(id, code, 1_000) };
    assert_eq!(code_of(counter.charge(&dollars(&counter, 1, &code)).await), Code::CodeLimit);
    let (code, order) = counter.shows(2, 5_000).await;
    counter.charge(&dollars(&counter, 2, &code)).await.unwrap();
    counter.pair.carry().await;
    let sale = counter.sale(2).await;
    assert!(sale.paid.as_ref().is_some_and(|paid| paid.at_rate && paid.tip == 0), "{sale:?}");
    let wallet = counter.pair.worlds[HOME].service.wallet();
    let info = wallet.transfer(counter.pair.people[HOME].device.caller(), order.transfer()).await.unwrap();
    assert_eq!((info.amount, info.exchange.map(|got| got.amount)), (918, Some(1_000)));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn a_code_that_goes_to_another_node_costs_what_such_payments_cost() {
    let mut counter = Counter::of(Pair::with_fees().await).await;
    // In a shop here it would be free, so that this much was not seen to be due.
    let (code, _) = counter.shows(1, 1_000).await;
    assert_eq!(code_of(counter.charge(&counter.wish(1, &code, 1_000)).await), Code::CodeInvalid);
    let (code, order) = counter.code(2, 1_000);
    let order = PaymentOrder { max_fee: 20, ..order };
    counter.put(&order).await;
    counter.charge(&counter.wish(2, &code, 500)).await.unwrap();
    assert_eq!((counter.alice_has().await, counter.pair.earned().await), ((9_485, 515, 0), (0, 15)));
    let report = check_ledger(&counter.pair.worlds[HOME].store).await.unwrap();
    assert_eq!(report.findings, [""; 0], "while it is under way");
    counter.pair.carry().await;
    assert_eq!((counter.takings().await, counter.pair.earned().await), (500, (15, 0)));
    // What does not arrive brings its fee back.
    let (code, order) = counter.code(3, 1_000);
    counter.put(&PaymentOrder { max_fee: 20, ..order }).await;
    let asked = counter.asked(&counter.wish(3, &code, 500));
    counter.ask(&asked).await.unwrap();
    counter.pair.carry().await;
    assert_eq!((counter.alice_has().await, counter.pair.earned().await), ((9_485, 0, 0), (15, 0)));
    // More than there is for both.
    let fee = Fee { kind: FeeKind::Remote, fixed: 500, points: 0, least: 0, most: 0 };
    let wallet = counter.pair.worlds[HOME].service.wallet();
    wallet.set_fee(SetFee { asset: counter.pair.euro.id, fee }).await.unwrap();
    let (code, order) = counter.code(4, 9_485);
    counter.put(&PaymentOrder { max_fee: 500, ..order }).await;
    assert_eq!(code_of(counter.charge(&counter.wish(4, &code, 9_000)).await), Code::InsufficientFunds);
    counter.charge(&counter.wish(5, &code, 8_985)).await.unwrap();
    counter.pair.carry().await;
    assert_eq!(counter.alice_has().await, (0, 0, 0));
    counter.pair.is_sound().await;
}

#[tokio::test]
async fn the_audit_of_alices_node_finds_what_no_code_and_no_charge_allow() {
    let mut counter = Counter::new().await;
    let (code, order) = counter.shows(1, 500).await;
    counter.charge(&counter.wish(1, &code, 400)).await.unwrap();
    counter.pair.carry().await;
    counter.pair.is_sound().await;
    let store = counter.pair.worlds[HOME].store.clone();
    let told = async |table, key: Vec<u8>, row: Option<Vec<u8>>| {
        let before = store.get(table, &key).await.unwrap().unwrap().value;
        let batch = match row {
            Some(row) => Batch::new().put(table, key.clone(), row),
            None => Batch::new().delete(table, key.clone()),
        };
        store.commit(batch).await.unwrap();
        let report = check_ledger(&store).await.unwrap();
        store.commit(Batch::new().put(table, key, before)).await.unwrap();
        report.findings
    };
    let other = format!(
        "payment {} with {} is not what was ordered",
        order.transfer(),
        counter.pair.worlds[AWAY].name
    );
    // What alice has signed was for less, or ended before.
    let id = order.transfer().0.to_vec();
    let row = store.get(tables::ORDERS, &id).await.unwrap().unwrap();
    let kept = OrderRecord::from_record(&row.value).unwrap();
    let start = counter.pair.worlds[HOME].clock.now_ms();
    for changed in
        [PaymentOrder { amount: 399, ..order.clone() }, PaymentOrder { expires_ms: start, ..order.clone() }]
    {
        let signed = Signed::sign(&changed, &counter.pair.people[HOME].key);
        let row = OrderRecord { order: signed, ..kept.clone() }.to_record();
        let findings = told(tables::ORDERS, id.clone(), Some(row)).await;
        assert!(findings.contains(&other), "{changed:?}: {findings:?}");
    }
    // The shop's node has asked for something else, or not at all.
    let row = store.scan(tables::CHARGES, Scan::prefix([])).await.unwrap().remove(0);
    let kept = ChargeRecord::from_record(&row.value).unwrap();
    let charge = kept.charge.peek().unwrap();
    let stranger = PayCode::new(code.node().clone(), [9; 16]).unwrap();
    for changed in [
        CodeCharge { amount: 399, ..charge.clone() },
        CodeCharge { code: stranger, ..charge.clone() },
        CodeCharge { sale: RequestId([9; 16]), ..charge.clone() },
    ] {
        let charge = Signed::sign(&changed, &counter.pair.worlds[AWAY].key);
        let row_ = ChargeRecord { charge, ..kept.clone() }.to_record();
        let findings = told(tables::CHARGES, row.key.clone(), Some(row_)).await;
        assert!(findings.contains(&other), "{changed:?}: {findings:?}");
    }
    assert!(told(tables::CHARGES, row.key.clone(), None).await.contains(&other));
    let payment = weft_wire::TransferId([9; 16]);
    let lost = ChargeRecord { transfer: payment, ..kept }.to_record();
    let findings = told(tables::CHARGES, row.key.clone(), Some(lost)).await;
    assert!(findings.contains(&format!("a charge by a code has made no payment {payment}")), "{findings:?}");
    counter.pair.is_sound().await;
}
