//! Carol runs a kiosk and is a cash agent: alice brings cash to her and gets euros, bob fetches cash.

use super::{
    WalletError,
    agent_records::AgentRecord,
    agents::agent_key,
    tests::{HOUR_MS, Payer, Till, refused},
};
use crate::flows::FlowError;
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    Code, Problem, Signed, TransferId, UserAddress,
    wallet::{
        AgentInfo, AgentList, ChangeAccount, Intent, Payee, PaymentOrder, Receipt, SetAgent, SettleAgent,
    },
};

struct Kiosk {
    till: Till,
    carol: Payer,
}

impl Kiosk {
    /// Carol may owe 50 euros. Alice has 100, bob nothing.
    async fn open() -> Kiosk {
        let till = Till::open().await;
        let carol = Payer::new(&till.world, "carol", 3).await;
        let kiosk = Kiosk { till, carol };
        kiosk.set(5_000, false, false).await.unwrap();
        kiosk
    }

    async fn set(&self, limit: u64, frozen: bool, end: bool) -> Result<(), FlowError> {
        let (user, asset) = (self.carol.user().clone(), self.till.euro.id);
        let wish = SetAgent { user, asset, limit, frozen, end };
        let done = self.till.world.service.flows().set_agent(wish).await;
        self.till.is_sound().await;
        done
    }

    async fn settle(&self, id: u8, amount: u64, paid_out: bool) -> Result<(), WalletError> {
        let (id, user, asset) = (TransferId([id; 16]), self.carol.user().clone(), self.till.euro.id);
        let wish = SettleAgent { id, user, asset, amount, paid_out };
        let done = self.till.world.service.wallet().settle_agent(wish).await;
        self.till.is_sound().await;
        done
    }

    fn order(&mut self, payee: Payee, amount: u64) -> PaymentOrder {
        let (till, carol) = (&mut self.till, &mut self.carol);
        let by = if matches!(payee, Payee::CashIn(_)) { carol } else { &mut till.alice };
        let to = by.user().clone();
        let order = by.order(&till.world, &to, till.euro.id, amount, Intent::Payment);
        PaymentOrder { payee, ..order }
    }

    async fn send(&self, order: PaymentOrder) -> Result<Receipt, FlowError> {
        let by = if order.payer == *self.carol.user() { &self.carol } else { &self.till.alice };
        let done = self.till.submit(by, Signed::sign(&order, &by.key)).await;
        self.till.is_sound().await;
        done
    }

    /// Bob has given carol cash.
    async fn cash_in(&mut self, amount: u64) -> Result<Receipt, FlowError> {
        let to = self.till.bob.user().clone();
        let order = self.order(Payee::CashIn(to), amount);
        self.send(order).await
    }

    /// Carol has given alice cash.
    async fn cash_out(&mut self, amount: u64) -> Result<Receipt, FlowError> {
        let to = self.carol.user().clone();
        let order = self.order(Payee::CashOut(to), amount);
        self.send(order).await
    }

    async fn info(&self) -> AgentInfo {
        self.till.world.service.wallet().agent_desk().await.unwrap().mine.remove(0)
    }

    /// Owed, held, left, and today's turnover.
    async fn float(&self) -> (u64, u64, u64, (u64, u64)) {
        let info = self.info().await;
        (info.owed, info.held, info.left, (info.today_in, info.today_out))
    }

    async fn list(&self, who: &Payer) -> AgentList {
        self.till.world.service.wallet().agents(who.device.caller()).await.unwrap()
    }

    async fn issued(&self) -> u64 {
        self.till.world.service.wallet().assets().await.unwrap().assets[0].issued
    }
}

#[tokio::test]
async fn cash_becomes_money_and_money_cash_as_far_as_the_float_goes() {
    let mut kiosk = Kiosk::open().await;
    let receipt = kiosk.cash_in(3_000).await.unwrap();
    assert_eq!((receipt.amount, receipt.payee), (3_000, Payee::CashIn(kiosk.till.bob.user().clone())));
    assert_eq!(kiosk.till.balances().await, (10_000, 3_000));
    assert_eq!(kiosk.float().await, (3_000, 0, 2_000, (3_000, 0)));
    // More than her till may hold for the node: she is told how much there is, and nothing has happened.
    let over = kiosk.cash_in(2_001).await;
    let problem = Problem::from(refused(over));
    assert_eq!((problem.code, problem.current), (Code::AgentLimit, Some(2_000)));
    let out = kiosk.cash_out(1_000).await.unwrap();
    assert_eq!(out.payee, Payee::CashOut(kiosk.carol.user().clone()));
    assert_eq!(kiosk.till.balances().await, (9_000, 3_000));
    assert_eq!(kiosk.float().await, (2_000, 0, 3_000, (3_000, 1_000)));
    assert_eq!(kiosk.issued().await, 10_000, "the rest is backed by what lies in her till");
    // A day later it is another day's turnover.
    kiosk.till.world.clock.advance(24 * HOUR_MS);
    assert_eq!(kiosk.float().await.3, (0, 0));
    // Both find it in their histories, with the other one.
    let caller = kiosk.till.bob.device.caller();
    let wallet = kiosk.till.world.service.wallet();
    let his = wallet.accounts(caller).await.unwrap().accounts[0].id;
    let lines = wallet.history(caller, his, None).await.unwrap().lines;
    assert_eq!((lines[0].purpose.as_str(), lines[0].credit), ("cash_in", true));
    assert_eq!(lines[0].other.as_ref(), Some(kiosk.carol.user()));
    let (hers, float) = (kiosk.carol.device.caller(), kiosk.info().await.account);
    let lines = wallet.history(hers, float, None).await.unwrap().lines;
    let told: Vec<_> = lines.iter().map(|line| (line.purpose.as_str(), line.credit, line.amount)).collect();
    assert_eq!(told, [("cash_out", true, 1_000), ("cash_in", false, 3_000)]);
    assert!(wallet.history(caller, float, None).await.is_err(), "it is nobody else's");
}

#[tokio::test]
async fn an_order_is_done_once_and_asks_for_the_agents_own_word() {
    let mut kiosk = Kiosk::open().await;
    let bob = kiosk.till.bob.user().clone();
    let order = kiosk.order(Payee::CashIn(bob.clone()), 1_000);
    let first = kiosk.send(order.clone()).await.unwrap();
    assert_eq!(kiosk.send(order).await.unwrap(), first);
    assert_eq!(kiosk.float().await, (1_000, 0, 4_000, (1_000, 0)));
    // Alice is no agent; nobody is their own; nothing is held, asked for or given back by it.
    let mut hers = kiosk.order(Payee::CashOut(bob.clone()), 10);
    let no_agent = refused(kiosk.send(hers.clone()).await);
    assert!(matches!(no_agent, WalletError::NotFound("agent")), "{no_agent:?}");
    hers.counter += 50;
    hers.payee = Payee::CashIn(bob.clone());
    let no_float = refused(kiosk.send(hers).await);
    assert!(matches!(no_float, WalletError::NotFound("agent")), "{no_float:?}");
    let carol = kiosk.carol.user().clone();
    for wish in [
        |order: &mut PaymentOrder, carol: &UserAddress| order.payee = Payee::CashIn(carol.clone()),
        |order: &mut PaymentOrder, _: &UserAddress| order.intent = Intent::Transfer,
        |order: &mut PaymentOrder, _: &UserAddress| order.amount = 0,
        |order: &mut PaymentOrder, _: &UserAddress| order.refunds = Some(TransferId([1; 16])),
    ] {
        let mut order = kiosk.order(Payee::CashIn(bob.clone()), 100);
        wish(&mut order, &carol);
        refused(kiosk.send(order).await);
    }
    let away = kiosk.order(Payee::CashIn("bob@other.example".parse().unwrap()), 100);
    assert!(matches!(refused(kiosk.send(away).await), WalletError::OtherNode));
    let nobody = kiosk.order(Payee::CashIn("dave@home.example".parse().unwrap()), 100);
    assert!(matches!(refused(kiosk.send(nobody).await), WalletError::NotFound("payee")));
    assert_eq!(kiosk.float().await, (1_000, 0, 4_000, (1_000, 0)));
}

#[tokio::test]
async fn owner_and_agent_settle_and_an_agent_may_pay_in_advance() {
    let mut kiosk = Kiosk::open().await;
    kiosk.cash_in(4_000).await.unwrap();
    // She brings 30, then the rest and 20 more.
    for _ in 0..2 {
        kiosk.settle(20, 3_000, false).await.unwrap();
    }
    assert_eq!(kiosk.float().await, (1_000, 0, 4_000, (4_000, 0)));
    assert!(matches!(kiosk.settle(20, 3_001, false).await, Err(WalletError::IdConflict)));
    kiosk.settle(21, 3_000, false).await.unwrap();
    assert_eq!(kiosk.float().await, (0, 2_000, 7_000, (4_000, 0)));
    assert_eq!(kiosk.issued().await, 16_000);
    // What is hers she gets back, and no more: the limit is for cash that she took.
    let more = kiosk.settle(22, 2_001, true).await;
    assert!(matches!(more, Err(WalletError::AgentLimit { left: 2_000 })), "{more:?}");
    kiosk.settle(22, 2_000, true).await.unwrap();
    assert_eq!((kiosk.float().await.1, kiosk.issued().await), (0, 14_000));
    // Nothing is owed either way: she can go, and come back on the same day.
    kiosk.cash_out(100).await.unwrap();
    assert!(kiosk.set(0, false, true).await.is_err());
    kiosk.settle(23, 100, true).await.unwrap();
    for _ in 0..2 {
        kiosk.set(0, false, true).await.unwrap();
    }
    assert!(kiosk.list(&kiosk.carol).await.agents.is_empty());
    assert!(matches!(refused(kiosk.cash_in(1).await), WalletError::NotFound("agent")));
    kiosk.set(1_000, false, false).await.unwrap();
    kiosk.cash_in(1_000).await.unwrap();
    assert_eq!(kiosk.float().await, (1_000, 0, 0, (1_000, 0)));
}

#[tokio::test]
async fn a_stopped_agent_takes_and_gives_nothing_and_settles_all_the_same() {
    let mut kiosk = Kiosk::open().await;
    kiosk.cash_in(2_000).await.unwrap();
    kiosk.set(5_000, true, false).await.unwrap();
    for done in [kiosk.cash_in(1).await, kiosk.cash_out(1).await] {
        assert_eq!(Problem::from(refused(done)).code, Code::AccountFrozen);
    }
    let list = kiosk.list(&kiosk.till.bob).await;
    assert!(list.agents[0].frozen && list.mine.is_empty());
    assert_eq!(kiosk.list(&kiosk.carol).await.mine.len(), 1);
    kiosk.settle(30, 500, false).await.unwrap();
    assert_eq!(Problem::from(refused(kiosk.cash_in(1).await)).code, Code::AccountFrozen);
    // Less than she owes: what she has taken since does not go on.
    kiosk.set(1_000, false, false).await.unwrap();
    assert_eq!(kiosk.float().await, (1_500, 0, 0, (2_000, 0)));
    assert!(matches!(refused(kiosk.cash_in(1).await), WalletError::AgentLimit { left: 0 }));
    kiosk.cash_out(600).await.unwrap();
    kiosk.cash_in(100).await.unwrap();
    // So does one whose payments as a member were stopped.
    let user = kiosk.carol.user().clone();
    let (flows, asset) = (kiosk.till.world.service.flows(), kiosk.till.euro.id);
    flows.issue(TransferId([50; 16]), asset, &user, 1, false).await.unwrap();
    let stop = ChangeAccount { user, asset: kiosk.till.euro.id, frozen: true };
    kiosk.till.world.service.wallet().change_account(stop.clone()).await.unwrap();
    for done in [kiosk.cash_in(1).await, kiosk.cash_out(1).await] {
        assert_eq!(Problem::from(refused(done)).code, Code::AccountFrozen);
    }
    let go_on = ChangeAccount { frozen: false, ..stop };
    kiosk.till.world.service.wallet().change_account(go_on).await.unwrap();
    kiosk.cash_out(1).await.unwrap();
}

#[tokio::test]
async fn what_is_lent_to_an_agent_needs_a_second_person_where_issuing_does() {
    let kiosk = Kiosk::open().await;
    let (world, bob) = (&kiosk.till.world, &kiosk.till.bob);
    bob.guard(world, kiosk.till.euro.id, 1_000).await;
    let approve = async || {
        bob.approve(world).await;
        kiosk.till.is_sound().await;
    };
    let more = kiosk.set(5_001, false, false).await;
    assert!(matches!(more, Err(FlowError::Wallet(WalletError::NeedsApproval))), "{more:?}");
    assert_eq!(kiosk.info().await.limit, 5_000);
    approve().await;
    assert_eq!(kiosk.info().await.limit, 5_001);
    kiosk.set(4_000, false, false).await.unwrap();
    // What she brings comes into the world as well, and counts.
    kiosk.settle(40, 1_000, false).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(kiosk.settle(41, 1, false).await, Err(WalletError::NeedsApproval)));
    }
    approve().await;
    kiosk.settle(41, 1, false).await.unwrap();
    assert_eq!(kiosk.float().await.1, 1_001);
}

#[tokio::test]
async fn a_limit_that_was_changed_in_the_store_is_found() {
    let mut kiosk = Kiosk::open().await;
    kiosk.cash_in(2_000).await.unwrap();
    let store = &kiosk.till.world.store;
    let key = agent_key(&kiosk.carol.user().name, kiosk.till.euro.id);
    let row = store.get(tables::AGENTS, &key).await.unwrap().unwrap().value;
    let record = AgentRecord::from_record(&row).unwrap();
    for (forged, said) in [
        (AgentRecord { limit: 9_000, ..record.clone() }, "is not bound"),
        (AgentRecord { cash_in: 1, ..record.clone() }, "turnover"),
        (AgentRecord { proposal: Some(TransferId([1; 16])), ..record.clone() }, "was not approved"),
    ] {
        store.commit(Batch::new().put(tables::AGENTS, &key, forged.to_record())).await.unwrap();
        let findings = super::check_ledger(store).await.unwrap().findings.join("\n");
        assert!(findings.contains(said), "{findings}");
    }
}
