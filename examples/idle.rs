//! What a node costs when nobody does anything: `cargo run --release --example idle`.
//!
//! Resident memory with 1,000 accounts and of a socket that says nothing, the time from starting the process to the first answered request with 100,000
//! messages stored (after an orderly stop, and after SIGKILL), and the size of the release binary where there is one.

// A measurement talks to its terminal.
#![allow(clippy::print_stdout)]

#[path = "support/mod.rs"]
mod support;

use anyhow::{Context, Result};
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use std::{net::Ipv4Addr, time::Instant};
use weft_testkit::{
    NodeProcess,
    device::random,
    fleet::{self, Pair},
    http,
    socket::Socket,
};
use weft_wire::{
    MessageId,
    rooms::{EntryKind, SubmitMessage},
};

#[derive(Debug, Parser)]
struct Args {
    /// Accounts that are made
    #[arg(long, default_value_t = 1000)]
    accounts: usize,
    /// Messages that are stored
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
}

/// Pairs that the messages are spread over.
const PAIRS: usize = 50;
/// Sockets that say nothing; few enough for 1,024 open files.
const SOCKETS: usize = 800;

fn main() -> Result<()> {
    if support::be_the_node_if_asked()? {
        return Ok(());
    }
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(args))
}

async fn run(args: Args) -> Result<()> {
    let this = std::env::current_exe()?;
    // The real binary where it was built; else this program as the node, which differs by a little in size.
    let weft =
        this.parent().and_then(|dir| dir.parent()).map(|dir| dir.join("weft")).filter(|path| path.is_file());
    let binary = weft.clone().unwrap_or(this);
    let mut node = NodeProcess::start(&binary, &[("WEFT_LOG__FILTER", "warn")]).await?;
    let empty = node.resident_bytes()?;
    println!("making {} accounts …", args.accounts);
    let mut devices =
        fleet::register(node.address, "idle", args.accounts, async || node.invite_for(100).await).await?;
    let busy = node.resident_bytes()?;
    node.terminate().await?;
    node.start_again().await?;
    answered(&node).await?;
    let idle = node.resident_bytes()?;

    println!("storing {} messages …", args.messages);
    devices.truncate(2 * PAIRS);
    let mut pairs = fleet::pair_up(devices).await?;
    store(&mut pairs, args.messages).await?;
    let full = node.resident_bytes()?;
    node.terminate().await?;
    let orderly = cold_start(&mut node).await?;
    node.kill().await?;
    let killed = cold_start(&mut node).await?;
    let after = node.resident_bytes()?;
    let mute = mute_sockets(&node).await?;

    support::head("A node at rest");
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
    support::row("resident memory, empty", mib(empty), "");
    support::row(
        &format!("resident memory of a mute socket, {SOCKETS} open"),
        format!("{:.1} KiB", mute as f64 / 1024.0),
        "",
    );
    support::row(&format!("resident memory, {} accounts just made", args.accounts), mib(busy), "≤ 60 MB");
    support::row(&format!("resident memory, {} accounts, restarted", args.accounts), mib(idle), "≤ 60 MB");
    support::row(&format!("resident memory, {} messages just stored", args.messages), mib(full), "");
    support::row(&format!("resident memory, {} messages, restarted", args.messages), mib(after), "");
    support::row("start to first answer, after an orderly stop", format!("{orderly} ms"), "≤ 300 ms");
    support::row("start to first answer, after SIGKILL", format!("{killed} ms"), "≤ 300 ms");
    match weft {
        Some(weft) => support::row("release binary", mib(std::fs::metadata(weft)?.len()), "≤ 60 MB"),
        None => {
            println!("(no `weft` beside this program: build it with `cargo build --release` for its size)")
        }
    }
    Ok(())
}

/// What a connection that became a WebSocket and then says nothing costs the node, in bytes.
async fn mute_sockets(node: &NodeProcess) -> Result<u64> {
    let mut open = Vec::new();
    let mut before = node.resident_bytes()?;
    for number in 0..100 + SOCKETS {
        // The first hundred pay for what is needed once.
        if number == 100 {
            before = node.resident_bytes()?;
        }
        // One address may not have so many.
        let from = Ipv4Addr::new(127, 0, 1, u8::try_from(number / 200)?);
        let mut socket = Socket::connect_from(from, node.address).await?;
        socket.next().await?;
        open.push(socket);
    }
    Ok(node.resident_bytes()?.saturating_sub(before) / SOCKETS as u64)
}

/// From the start of the process to an answer that needs the store.
async fn cold_start(node: &mut NodeProcess) -> Result<u128> {
    let started = Instant::now();
    node.start_again().await?;
    answered(node).await?;
    Ok(started.elapsed().as_millis())
}

async fn answered(node: &NodeProcess) -> Result<()> {
    let answer = http::get(node.address, "/api/v1/node", None).await?;
    answer.value::<weft_wire::node::NodeInfo>().map(|_| ())
}

/// Fills the rooms; each pair's messages one after the other, the pairs beside one another.
/// One ciphertext serves all messages of a pair: the node cannot tell.
async fn store(pairs: &mut [Pair], messages: usize) -> Result<()> {
    let each = messages.div_ceil(pairs.len().max(1));
    stream::iter(pairs)
        .map(|pair| async move {
            let ([device, _], [room, _]) = (&pair.devices, &mut pair.rooms);
            let epoch = room.group.epoch().as_u64();
            let body = device.message(room, MessageId(random()), &[0x5a; 400])?.envelope.peek()?.body.0;
            let mut line = http::Line::connect(device.node).await?;
            let path = format!("/api/v1/rooms/{}/messages", room.id);
            for _ in 0..each {
                let envelope =
                    device.envelope(room.id, EntryKind::Message, epoch, MessageId(random()), body.clone());
                let request = http::cbor(
                    device.node,
                    hyper::Method::POST,
                    &path,
                    Some(&device.token),
                    &SubmitMessage { envelope },
                );
                line.send(request).await?.value::<weft_wire::rooms::Accepted>().context("a message")?;
            }
            anyhow::Ok(())
        })
        .buffer_unordered(PAIRS)
        .try_collect()
        .await
}
