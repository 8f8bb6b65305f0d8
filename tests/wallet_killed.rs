//! A node that is killed while people pay: what it said that it did, it did, and once.
//!
//! `WEFT_ROUNDS=100 cargo nextest run -p weft --test nodes wallet_killed::` is the long way.

use anyhow::{Context as _, Result, ensure};
use ed25519_dalek::SigningKey;
use std::{collections::BTreeMap, process::Command};
use tokio::{sync::mpsc, task::JoinSet};
use weft_testkit::{
    NodeProcess,
    device::{self, Device},
    fleet,
};
use weft_wire::{
    AssetId, OrderId, Signed, TransferId, UserAddress,
    wallet::{
        AccountList, AssetInfo, DefineAsset, Intent, IssueAsset, OrderKeyCert, Payee, PaymentOrder,
        PutOrderKey, Receipt, SubmitOrder,
    },
};

const PAYERS: usize = 6;
const EACH: u64 = 1_000_000;

/// Somebody who pays without end: what was said to be done, and what nobody has answered.
struct Payer {
    device: Device,
    key: SigningKey,
    counter: u64,
    open: Vec<Signed<PaymentOrder>>,
    acked: Vec<(Signed<PaymentOrder>, Receipt)>,
}

impl Payer {
    async fn new(device: Device) -> Result<Payer> {
        let key = SigningKey::from_bytes(&device::random());
        let order_key = key.verifying_key().to_bytes();
        let (user, id) = (device.user.clone(), device.id());
        let cert = OrderKeyCert { user, device: id, order_key, created_ms: device::now_ms() };
        let answer =
            device.put("wallet/order-key", &PutOrderKey { cert: Signed::sign(&cert, &device.key) }).await?;
        ensure!(answer.status.is_success(), "{:?}", answer.problem());
        Ok(Payer { device, key, counter: 0, open: Vec::new(), acked: Vec::new() })
    }

    fn order(&mut self, to: &UserAddress, asset: AssetId) -> Signed<PaymentOrder> {
        self.counter += 1;
        let order = PaymentOrder {
            id: OrderId::new(device::now_ms(), device::random()),
            payer: self.device.user.clone(),
            device: self.device.id(),
            payee: Payee::Person(to.clone()),
            asset,
            amount: 1 + self.counter % 7,
            max_fee: 0,
            intent: Intent::Payment,
            expires_ms: device::now_ms() + 3_600_000,
            counter: self.counter,
            request: None,
            refunds: None,
            from: None,
            tip: None,
            exchange: None,
        };
        Signed::sign(&order, &self.key)
    }

    async fn submit(&mut self, order: Signed<PaymentOrder>) -> Result<()> {
        let answer = self.device.post("wallet/orders", &SubmitOrder { order: order.clone() }).await?;
        let receipt: Signed<Receipt> = answer.value()?;
        self.acked.push((order, receipt.peek()?));
        Ok(())
    }

    /// Pays until the node is gone.
    async fn pay_on(mut self, people: Vec<UserAddress>, asset: AssetId, paid: mpsc::Sender<()>) -> Payer {
        loop {
            let to = &people[self.counter as usize % people.len()];
            let order = self.order(to, asset);
            self.open.push(order.clone());
            if self.submit(order).await.is_err() {
                return self;
            }
            self.open.pop();
            let _ = paid.try_send(());
        }
    }
}

/// Whoever was not answered asks again: with the same order.
async fn ask_again(payers: &mut [Payer]) -> Result<()> {
    for payer in payers {
        for order in std::mem::take(&mut payer.open) {
            payer.submit(order).await.context("an order that was not answered")?;
        }
        let last = payer.acked.last().cloned();
        if let Some((order, receipt)) = last {
            payer.submit(order).await?;
            let again = payer.acked.pop().context("no receipt")?.1;
            ensure!(again == receipt, "the same order, another answer: {receipt:?} {again:?}");
        }
    }
    Ok(())
}

/// What everybody has is what the receipts come to.
async fn adds_up(payers: &[Payer]) -> Result<()> {
    let mut due: BTreeMap<UserAddress, u64> =
        payers.iter().map(|payer| (payer.device.user.clone(), EACH)).collect();
    let mut seen = BTreeMap::new();
    for (order, receipt) in payers.iter().flat_map(|payer| &payer.acked) {
        let order = order.peek()?;
        ensure!(seen.insert(receipt.transfer, ()).is_none(), "one transfer for two orders");
        let Payee::Person(to) = &order.payee else { continue };
        *due.get_mut(&order.payer).context("a payer")? -= order.amount;
        *due.get_mut(to).context("a payee")? += order.amount;
    }
    for payer in payers {
        let list: AccountList = payer.device.get("wallet/accounts").await?.value()?;
        let has = list.accounts.first().context("no account")?.balance;
        ensure!(
            has == due[&payer.device.user],
            "{}: has {has}, is due {}",
            payer.device.user,
            due[&payer.device.user]
        );
    }
    Ok(())
}

async fn open(node: &NodeProcess) -> Result<(Vec<Payer>, AssetId)> {
    let devices = fleet::register(node.address, "payer", PAYERS, async || node.invite_for(100).await).await?;
    let owner = &devices[0];
    let define = DefineAsset {
        code: "EUR".parse()?,
        scale: 2,
        title: "Euro".into(),
        backing: String::new(),
        payment_max: 0,
        day_max: 0,
        issue_max: 0,
    };
    let asset: AssetInfo = owner.put("wallet/admin/assets", &define).await?.value()?;
    for device in &devices {
        let id = TransferId(device::random());
        let issue =
            IssueAsset { id, asset: asset.id, user: device.user.clone(), amount: EACH, redeem: false };
        ensure!(owner.post("wallet/admin/issue", &issue).await?.status.is_success());
    }
    let mut payers = Vec::new();
    for device in devices {
        payers.push(Payer::new(device).await?);
    }
    Ok((payers, asset.id))
}

#[tokio::test]
async fn no_payment_that_was_acknowledged_is_lost_and_none_is_made_twice() -> Result<()> {
    let rounds: usize = std::env::var("WEFT_ROUNDS").ok().map_or(Ok(6), |rounds| rounds.parse())?;
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (mut payers, asset) = open(&node).await?;
    let people: Vec<UserAddress> = payers.iter().map(|payer| payer.device.user.clone()).collect();
    for round in 0..rounds {
        let (paid, mut heard) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        for payer in payers.drain(..) {
            let others = people.iter().filter(|user| **user != payer.device.user).cloned().collect();
            tasks.spawn(payer.pay_on(others, asset, paid.clone()));
        }
        drop(paid);
        // In the middle of it: after so many payments, another number each round.
        for _ in 0..=(round * 7) % 40 {
            weft_testkit::within("a payment", heard.recv()).await.context("nobody pays")?;
        }
        node.kill().await?;
        while let Some(payer) = tasks.join_next().await {
            payers.push(payer?);
        }
        node.start_again().await?;
        ask_again(&mut payers).await.with_context(|| format!("round {round}"))?;
        adds_up(&payers).await.with_context(|| format!("round {round}"))?;
    }
    let payments: usize = payers.iter().map(|payer| payer.acked.len()).sum();
    node.kill().await?;
    let checked = node.command(&["check"]).await?;
    ensure!(checked.contains("ledger: ") && checked.contains("all is well"), "{checked}");
    println!("{rounds} rounds, {payments} payments acknowledged, none lost, none twice");
    let journal = node.data().join("../books.journal");
    node.command(&["ledger", "export", &journal.to_string_lossy()]).await?;
    match Command::new("hledger").arg("-f").arg(&journal).arg("check").output() {
        Ok(run) => ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr)),
        Err(error) => println!("NOT RUN for want of hledger: {error}"),
    }
    ensure!(!node.log().contains("panic"), "{}", node.log());
    Ok(())
}
