//! What reading much costs a node in memory: `cargo run --release --example vault`.
//!
//! One account fills its vault with the largest records there may be; then connections beside one another read all of it, again
//! and again. Resident memory is looked at before, at its highest, right after, and when the node has rested.
//!
//! The node is `weft` beside this program, or what `WEFT_BIN` names: its allocator is part of what is measured.

// A measurement talks to its terminal.
#![allow(clippy::print_stdout)]

#[path = "support/mod.rs"]
mod support;

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Parser;
use futures::future::try_join_all;
use hyper::Method;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use weft_testkit::{
    NodeProcess,
    device::{Device, random},
    fleet, http,
};
use weft_wire::{
    Blob,
    limits::VAULT_RECORD_BYTES_MAX,
    vault::{PutVaultRecords, VaultPage, VaultRecord},
};

#[derive(Debug, Parser)]
struct Args {
    /// Records in the vault
    #[arg(long, default_value_t = 20_000)]
    records: usize,
    /// Bytes of a record
    #[arg(long, default_value_t = VAULT_RECORD_BYTES_MAX)]
    bytes: usize,
    /// Connections that read
    #[arg(long, default_value_t = 16)]
    readers: usize,
    /// How often each reads the whole vault
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// How long the node rests at the end, seconds
    #[arg(long, default_value_t = 20)]
    rest: u64,
}

/// Bytes of records in one request: the node takes 900 KiB.
const PUT_BYTES: usize = 880 << 10;

fn main() -> Result<()> {
    if support::be_the_node_if_asked()? {
        return Ok(());
    }
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(args))
}

async fn run(args: Args) -> Result<()> {
    let this = std::env::current_exe()?;
    let weft = this.parent().and_then(|dir| dir.parent()).map(|dir| dir.join("weft"));
    let binary = weft.filter(|path| path.is_file()).unwrap_or(this);
    let mut node =
        NodeProcess::start(&binary, &[("WEFT_LOG__FILTER", "warn"), ("WEFT_LIMITS__VAULT_MIB", "1048576")])
            .await?;
    let mut devices = fleet::register(node.address, "vault", 1, async || node.invite_for(1).await).await?;
    let device = Arc::new(devices.pop().context("a device")?);
    println!("writing {} records …", args.records);
    let mut highest = Highest::of(&node)?;
    fill(&device, &args, &mut highest, &node).await?;
    let written = highest.bytes;
    node.terminate().await?;
    node.start_again().await?;
    let fresh = node.resident_bytes()?;

    println!("reading it {} times …", args.readers * args.rounds);
    let mut highest = Highest::of(&node)?;
    let started = Instant::now();
    let readers = (0..args.readers).map(|_| read(device.clone(), args.rounds));
    let mut reading = std::pin::pin!(try_join_all(readers));
    let read = loop {
        tokio::select! {
            read = &mut reading => break read?,
            () = sleep(Duration::from_millis(20)) => highest.look(&node)?,
        }
    };
    let (millis, after) = (started.elapsed().as_millis(), node.resident_bytes()?);
    ensure!(read.iter().all(|count| *count == args.rounds * args.records), "records are missing: {read:?}");
    sleep(Duration::from_secs(args.rest)).await;
    let rested = node.resident_bytes()?;

    support::head("What reading costs");
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
    support::row("resident memory while writing, at most", mib(written), "");
    support::row("resident memory, started anew", mib(fresh), "");
    support::row("resident memory while reading, at most", mib(highest.bytes), "");
    support::row("resident memory right after", mib(after), "");
    support::row(&format!("resident memory, {} s later", args.rest), mib(rested), "");
    support::row("reading took", format!("{millis} ms"), "");
    support::row("processor time since the start", format!("{} ms", node.processor_time()?.as_millis()), "");
    Ok(())
}

/// The most memory that was seen.
struct Highest {
    bytes: u64,
}

impl Highest {
    fn of(node: &NodeProcess) -> Result<Highest> {
        Ok(Highest { bytes: node.resident_bytes()? })
    }

    fn look(&mut self, node: &NodeProcess) -> Result<()> {
        self.bytes = self.bytes.max(node.resident_bytes()?);
        Ok(())
    }
}

async fn fill(device: &Device, args: &Args, highest: &mut Highest, node: &NodeProcess) -> Result<()> {
    let mut line = http::Line::connect(device.node).await?;
    let at_once = (PUT_BYTES / args.bytes.max(1)).clamp(1, 64);
    let mut left = args.records;
    while left > 0 {
        let record = |_| VaultRecord {
            name: random(),
            version: 1,
            sealed: Blob(random::<32>().into_iter().cycle().take(args.bytes).collect()),
        };
        let records = (0..at_once.min(left)).map(record).collect();
        let body = PutVaultRecords { records };
        let request =
            http::cbor(device.node, Method::PUT, "/api/v1/vault/records", Some(&device.token), &body);
        let answer = line.send(request).await?;
        ensure!(answer.status.is_success(), "{}: {:?}", answer.status, answer.problem());
        left = left.saturating_sub(at_once);
        highest.look(node)?;
    }
    Ok(())
}

/// Reads the whole vault, page by page, on one connection; gives how many records came.
async fn read(device: Arc<Device>, rounds: usize) -> Result<usize> {
    let mut line = http::Line::connect(device.node).await?;
    let mut count = 0;
    for _ in 0..rounds {
        let mut path = "/api/v1/vault/records".to_owned();
        loop {
            let bearer = format!("Bearer {}", device.token);
            let headers = [("accept", "application/cbor"), ("authorization", bearer.as_str())];
            let request = http::request(device.node, Method::GET, &path, &headers, Vec::new());
            let page: VaultPage = line.send(request).await?.value()?;
            count += page.records.len();
            match page.records.last() {
                Some(last) if page.more => {
                    path = format!("/api/v1/vault/records?after={}", URL_SAFE_NO_PAD.encode(last.name));
                }
                _ => break,
            }
        }
    }
    Ok(count)
}
