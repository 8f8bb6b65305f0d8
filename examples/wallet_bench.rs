//! How many payments a node makes in a second, beside PostgreSQL: `cargo run --release --example wallet_bench`.
//!
//! A real node in this process with its store on this disk; so many clients, each with orders that it has signed before, hand one
//! in as soon as the last one is acknowledged. What is measured is the node: checking the signature, the ledger, the commit that is
//! on disk before the answer, the signed receipt. Neither HTTP nor the client's own signing is in it, as PostgreSQL's part has neither.

// A measurement talks to its terminal, and a fault in it may end it.
#![allow(clippy::print_stdout)]

#[path = "support/table.rs"]
mod table;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ed25519_dalek::SigningKey;
use futures::future::try_join_all;
use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
    time::{Duration, Instant},
};
use table::{head, row};
use weft_ledger::{Account, AccountKind, Memory, Movement, Purpose, Transfer, open_account, post};
use weft_service::{Caller, Service};
use weft_testkit::{
    TestNode,
    device::{self, Device},
    fleet,
};
use weft_wire::{
    AccountId, AssetId, OrderId, RoomId, Signed, TransferId, UserAddress,
    wallet::{
        DefineAsset, Intent, OrderKeyCert, PacketKind, PacketTerms, Payee, PaymentOrder, PutOrderKey,
        SubmitOrder,
    },
};

#[derive(Debug, Parser)]
struct Args {
    /// Clients, and people
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Payments of each
    #[arg(long, default_value_t = 2_000)]
    payments: usize,
    /// Seconds for PostgreSQL; 0: without it
    #[arg(long, default_value_t = 10)]
    postgres: u64,
}

/// Somebody who pays.
struct Payer {
    device: Device,
    caller: Caller,
    key: SigningKey,
    counter: u64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    head("The wallet");
    row("in-memory ledger core, transfers/s", core_rate()?, "≥ 500,000");
    // As much memory as PostgreSQL takes by itself (`shared_buffers`).
    let node = TestNode::start_with(|config| config.storage.cache_mib = 128).await?;
    let service = node.running().service.clone();
    let (mut payers, asset) = open(&node, &service, args.clients).await?;
    let durable = transfers(&service, &mut payers, asset, args.payments).await?;
    row("durable signed transfers/s", durable, "≥ 10,000");
    packets(&service, &mut payers, asset).await?;
    let report = weft_service::wallet::check_ledger(node.running().store()).await?;
    ensure!(report.findings.is_empty(), "{report:#?}");
    row("transfers of the ledger, done once more", report.transfers, "no finding");
    node.stop().await?;
    if args.postgres > 0 {
        postgres(&args, durable)?;
    }
    Ok(())
}

/// The pure ledger alone, in the memory of one thread.
fn core_rate() -> Result<u64> {
    const ACCOUNTS: u64 = 1_000;
    const TRANSFERS: u64 = 1_000_000;
    let asset = AssetId([1; 16]);
    let account = |n: u64| AccountId(u128::from(n).to_be_bytes());
    let mut books = Memory::default();
    for n in 0..=ACCOUNTS {
        let kind = if n == 0 { AccountKind::Issuance } else { AccountKind::User };
        open_account(&mut books, Account::new(account(n), asset, kind), 0).context("an account")?;
    }
    let transfer = |n: u64, debit, credit, amount| {
        let movement =
            Movement::Posted { debit: account(debit), credit: account(credit), amount, refunds: None };
        Transfer {
            id: TransferId(u128::from(n).to_be_bytes()),
            movement,
            purpose: Purpose::Payment,
            about: [0; 16],
        }
    };
    for n in 1..=ACCOUNTS {
        post(&mut books, &[transfer(n, 0, n, 1 << 30)], 0).context("an issue")?;
    }
    let started = Instant::now();
    for n in 0..TRANSFERS {
        let (debit, credit) = (1 + n * 7 % ACCOUNTS, 1 + (n * 7 + 1 + n % 13) % ACCOUNTS);
        post(&mut books, &[transfer(ACCOUNTS + 1 + n, debit, credit, 1)], n).context("a transfer")?;
    }
    Ok(rate(TRANSFERS as usize, started.elapsed()))
}

fn rate(count: usize, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64()) as u64
}

/// People with money and an order key each.
async fn open(node: &TestNode, service: &Service, count: usize) -> Result<(Vec<Payer>, AssetId)> {
    let devices = fleet::register(node.address, "payer", count, async || node.invite_for(100).await).await?;
    let define = DefineAsset {
        code: "EUR".parse()?,
        scale: 2,
        title: "Euro".into(),
        backing: String::new(),
        payment_max: 0,
        day_max: 0,
        issue_max: 0,
    };
    let asset = service.wallet().define(define).await?.id;
    let mut payers = Vec::with_capacity(count);
    for device in devices {
        let caller = service.accounts().authenticate(&device.token, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        let key = SigningKey::from_bytes(&device::random());
        let order_key = key.verifying_key().to_bytes();
        let cert = OrderKeyCert {
            user: device.user.clone(),
            device: device.id(),
            order_key,
            created_ms: device::now_ms(),
        };
        let request = PutOrderKey { cert: Signed::sign(&cert, &device.key) };
        service.wallet().put_order_key(&caller, request).await?;
        service.flows().issue(TransferId(device::random()), asset, &device.user, 1 << 40, false).await?;
        payers.push(Payer { device, caller, key, counter: 0 });
    }
    Ok((payers, asset))
}

impl Payer {
    fn order(&mut self, payee: Payee, asset: AssetId, amount: u64) -> Signed<PaymentOrder> {
        self.counter += 1;
        let order = PaymentOrder {
            id: OrderId::new(device::now_ms(), device::random()),
            payer: self.device.user.clone(),
            device: self.device.id(),
            payee,
            asset,
            amount,
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
}

/// Everybody pays everybody in turn, each as fast as the node acknowledges.
async fn transfers(service: &Service, payers: &mut [Payer], asset: AssetId, each: usize) -> Result<u64> {
    let people: Vec<UserAddress> = payers.iter().map(|payer| payer.device.user.clone()).collect();
    let mut work: Vec<_> = payers.iter().map(|payer| (payer.caller.clone(), Vec::new())).collect();
    // Signed in the order in which they will be handed in, or nearly: all first ones, all second ones.
    for step in 1..=each {
        for (at, (payer, (_, orders))) in payers.iter_mut().zip(&mut work).enumerate() {
            let payee = people.get((at + 1 + step % (people.len() - 1)) % people.len()).context("nobody")?;
            orders.push(payer.order(Payee::Person(payee.clone()), asset, 1));
        }
    }
    let started = Instant::now();
    let tasks = work.into_iter().map(|(caller, orders)| {
        let service = service.clone();
        tokio::spawn(async move {
            for order in orders {
                service.flows().pay(&caller, SubmitOrder { order }).await?;
            }
            anyhow::Ok(())
        })
    });
    for outcome in try_join_all(tasks).await? {
        outcome?;
    }
    Ok(rate(each * payers.len(), started.elapsed()))
}

/// A room with everybody in it.
async fn room(payers: &[Payer]) -> Result<RoomId> {
    let (first, others) = payers.split_first().context("nobody")?;
    let mut room = first.device.group().await?;
    let mut packages = Vec::new();
    for other in others {
        other.device.publish(1).await?;
        first.device.befriend(&other.device).await?;
        packages.extend(first.device.claim_for(&other.device, room.id).await?);
    }
    first.device.bring_in(&mut room, &packages).await?;
    Ok(room.id)
}

/// One packet that everybody but the last opens at once, again and again; and then the last, who comes too late.
async fn packets(service: &Service, payers: &mut [Payer], asset: AssetId) -> Result<()> {
    const PACKETS: usize = 100;
    const LATE: usize = 20_000;
    let room = room(payers).await?;
    let shares = payers.len() - 1;
    let mut packets = Vec::new();
    for _ in 0..PACKETS {
        let terms = PacketTerms { room, kind: PacketKind::Lucky, shares: shares as u32, only: None };
        let first = payers.first_mut().context("nobody")?;
        let order = first.order(Payee::Packet(terms), asset, 1_000_000);
        let receipt = service.flows().pay(&first.caller, SubmitOrder { order }).await?;
        packets.push(receipt.peek()?.transfer);
    }
    let started = Instant::now();
    for id in &packets {
        let open = payers.iter().take(shares).map(|payer| {
            let (service, caller, id) = (service.clone(), payer.caller.clone(), *id);
            tokio::spawn(async move { service.flows().open_packet(&caller, id, None).await })
        });
        for outcome in try_join_all(open).await? {
            outcome?;
        }
    }
    row("one hot red packet, claims/s", rate(PACKETS * shares, started.elapsed()), "≥ 10,000");
    let id = *packets.first().context("no packet")?;
    let late = payers.last().context("nobody")?.caller.clone();
    let started = Instant::now();
    let tasks = (0..8).map(|_| {
        let (service, late) = (service.clone(), late.clone());
        tokio::spawn(async move {
            for _ in 0..LATE / 8 {
                ensure!(
                    service.flows().open_packet(&late, id, None).await.is_err(),
                    "a share of an empty packet"
                );
            }
            Ok(())
        })
    });
    for outcome in try_join_all(tasks).await? {
        outcome?;
    }
    row("sold-out answers/s", rate(LATE, started.elapsed()), "≥ 50,000");
    Ok(())
}

/// The same transfer as one SQL transaction.
fn postgres(args: &Args, durable: u64) -> Result<()> {
    let run = Command::new("scripts/bench-postgres.sh")
        .args([args.clients.to_string(), args.postgres.to_string(), args.clients.to_string()])
        .output()?;
    if !run.status.success() {
        println!("NOT RUN beside PostgreSQL: {}", String::from_utf8_lossy(&run.stderr).trim());
        return Ok(());
    }
    let rate: f64 = String::from_utf8(run.stdout)?.trim().parse()?;
    row("PostgreSQL, the same transfer, transactions/s", rate as u64, "");
    row("times PostgreSQL", format!("{:.1}", durable as f64 / rate), "≥ 4");
    Ok(())
}
