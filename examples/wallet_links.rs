//! How many payments go between two nodes in a second: `cargo run --release --example wallet_links`.
//!
//! Two real nodes in this process, each with its store on this disk, that speak over loopback as any two nodes do. So many people of the
//! one pay as many of the other, each with orders that they have signed before: the next one is handed in when the last one is held. The
//! clock runs until all are decided on both sides and both know that the other knows.

// A measurement talks to its terminal, and a fault in it may end it.
#![allow(clippy::print_stdout)]

#[path = "support/table.rs"]
mod table;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use ed25519_dalek::SigningKey;
use futures::future::try_join_all;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use table::{head, row};
use weft_service::{
    Caller, Service,
    wallet::{CoveredWish, TermsWish},
};
use weft_testkit::{
    Cluster,
    device::{self, Device},
    fleet,
};
use weft_wire::{
    AssetId, Code, NodeName, OrderId, Problem, Signed, TransferId,
    admin::LinkRow,
    wallet::{DefineAsset, Intent, OrderKeyCert, Payee, PaymentOrder, PutOrderKey, SubmitOrder},
};

#[derive(Debug, Parser)]
struct Args {
    /// People who pay, and as many who are paid
    #[arg(long, default_value_t = 64)]
    people: usize,
    /// Payments of each
    #[arg(long, default_value_t = 150)]
    payments: usize,
}

/// How long a full link is waited for before a payment is tried again.
const AGAIN: Duration = Duration::from_millis(3);
/// How long all of it may take.
const TIME_MAX: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (home, away) = (cluster.node(0)?, cluster.node(1)?);
    let services = [home, away].map(|node| node.running().service.clone());
    let asset = link(&services, [&home.name().await?, &away.name().await?]).await?;
    let payers =
        fleet::register(home.address, "payer", args.people, async || home.invite_for(100).await).await?;
    let payees =
        fleet::register(away.address, "payee", args.people, async || away.invite_for(100).await).await?;
    let mut work = Vec::new();
    for payer in &payers {
        work.push(orders(&services[0], payer, &payees, asset, args.payments).await?);
    }
    head("Payments between two nodes");
    let (count, full) = (args.people * args.payments, AtomicUsize::new(0));
    let started = Instant::now();
    pay(&services[0], work, &full).await?;
    let held = started.elapsed();
    rest(&services, started).await?;
    let time = started.elapsed();
    for service in &services {
        let link = row_of(service).await?;
        let owed = link.owed.first().context("no asset")?;
        ensure!(owed.owed == format!("{}.{:02}", count / 100, count % 100), "{owed:?}");
    }
    row("payments/s between two nodes, decided on both sides", rate(count, time), "≥ 1,000");
    row("of these held and acknowledged to the payer, /s", rate(count, held), "");
    row("times that a payer had to wait for a full link", full.load(Ordering::Relaxed), "");
    for node in [home, away] {
        let report = weft_service::wallet::check_ledger(node.running().store()).await?;
        ensure!(report.findings.is_empty(), "{report:#?}");
    }
    cluster.end().await
}

fn rate(count: usize, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64()) as u64
}

/// The first node issues euros, and both operators have agreed that they go between the two.
async fn link([home, away]: &[Service; 2], names: [&NodeName; 2]) -> Result<AssetId> {
    let define = DefineAsset {
        code: "EUR".parse()?,
        scale: 2,
        title: "Euro".into(),
        backing: String::new(),
        payment_max: 0,
        day_max: 0,
        issue_max: 0,
    };
    let asset = home.wallet().define(define.clone()).await?.id;
    let limit = "1000000000".to_owned();
    let covered = CoveredWish { code: define.code, is_theirs: false, scale: None, limit };
    let wish = TermsWish { assets: vec![covered], rates: Vec::new(), lifetime_ms: None, seen: None };
    let named = home.flows().propose_terms(names[1], wish).await?;
    wait("the offer", async || Ok(row_of(away).await.is_ok_and(|row| row.theirs.is_some()))).await?;
    away.flows().accept_terms(names[0], &named).await?;
    wait("the terms", async || Ok(row_of(home).await?.terms.is_some())).await?;
    Ok(asset)
}

async fn row_of(service: &Service) -> Result<LinkRow> {
    service.wallet().links().await?.pop().context("no link")
}

async fn wait(what: &str, is_there: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let (until, mut look) = (Instant::now() + TIME_MAX, tokio::time::interval(Duration::from_millis(10)));
    while !is_there().await? {
        if Instant::now() > until {
            bail!("waited in vain for {what}");
        }
        look.tick().await;
    }
    Ok(())
}

/// Somebody with money, an order key, and orders to everybody at the other node in turn.
async fn orders(
    service: &Service,
    payer: &Device,
    payees: &[Device],
    asset: AssetId,
    count: usize,
) -> Result<(Caller, Vec<Signed<PaymentOrder>>)> {
    let caller = service.accounts().authenticate(&payer.token, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
    let key = SigningKey::from_bytes(&device::random());
    let cert = OrderKeyCert {
        user: payer.user.clone(),
        device: payer.id(),
        order_key: key.verifying_key().to_bytes(),
        created_ms: device::now_ms(),
    };
    let request = PutOrderKey { cert: Signed::sign(&cert, &payer.key) };
    service.wallet().put_order_key(&caller, request).await?;
    service.flows().issue(TransferId(device::random()), asset, &payer.user, count as u64, false).await?;
    let order = |(counter, payee): (u64, &Device)| PaymentOrder {
        id: OrderId::new(device::now_ms(), device::random()),
        payer: payer.user.clone(),
        device: payer.id(),
        payee: Payee::Person(payee.user.clone()),
        asset,
        amount: 1,
        max_fee: 0,
        intent: Intent::Payment,
        expires_ms: device::now_ms() + 3_600_000,
        counter,
        request: None,
        refunds: None,
        exchange: None,
        from: None,
        tip: None,
    };
    let orders = (1..).zip(payees.iter().cycle()).take(count).map(order);
    Ok((caller, orders.map(|order| Signed::sign(&order, &key)).collect()))
}

/// All hand in what they have, one after the other, as fast as the node takes it.
async fn pay(
    service: &Service,
    work: Vec<(Caller, Vec<Signed<PaymentOrder>>)>,
    full: &AtomicUsize,
) -> Result<()> {
    let tasks = work.into_iter().map(|(caller, orders)| {
        let service = service.clone();
        tokio::spawn(async move {
            let mut waited = 0;
            for order in orders {
                loop {
                    let submit = SubmitOrder { order: order.clone() };
                    match service.flows().pay(&caller, submit).await.map_err(Problem::from) {
                        Ok(_) => break,
                        Err(problem) if problem.code == Code::LinkLimit => waited += 1,
                        Err(problem) => bail!("{problem:?}"),
                    }
                    tokio::time::sleep(AGAIN).await;
                }
            }
            Ok(waited)
        })
    });
    for outcome in try_join_all(tasks).await? {
        full.fetch_add(outcome?, Ordering::Relaxed);
    }
    Ok(())
}

/// Until nothing waits, and each knows that the other has heard all of it.
async fn rest(services: &[Service; 2], started: Instant) -> Result<()> {
    wait("the last decision", async || {
        ensure!(started.elapsed() < TIME_MAX, "it does not end");
        for service in services {
            let link = row_of(service).await?;
            ensure!(link.frozen.is_none(), "{:?}", link.frozen);
            if link.waiting_out + link.waiting_in > 0 || link.confirmed < link.sent {
                return Ok(false);
            }
        }
        Ok(true)
    })
    .await
}
