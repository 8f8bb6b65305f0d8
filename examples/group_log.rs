//! What the log of a large group takes on each node: `cargo run --release --example group_log`.
//!
//! Real nodes in this process, some hundred people spread over them, one group with all. After some messages the rows of the
//! group's log are counted on each node: they are there once a node, however many people and devices it has.

// A measurement talks to its terminal, and a fault in it may end it.
#![allow(clippy::print_stdout)]

#[path = "support/mod.rs"]
mod support;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use std::time::{Duration, Instant};
use weft_store::{Scan, tables};
use weft_testkit::{
    Cluster, TestNode,
    device::{Device, Room},
    fleet,
};
use weft_wire::{Blob, MessageId, RoomId, rooms::Accepted};

#[derive(Debug, Parser)]
struct Args {
    /// Nodes; the first one is the hub
    #[arg(long, default_value_t = 5)]
    nodes: usize,
    /// People in the group, all nodes together
    #[arg(long, default_value_t = 500)]
    people: usize,
    /// Messages that are written once all are in
    #[arg(long, default_value_t = 1_000)]
    messages: usize,
    /// Bytes of a message's plaintext
    #[arg(long, default_value_t = 200)]
    bytes: usize,
}

/// People whom one commit brings in.
const AT_A_TIME: usize = 64;
/// How long something may take to get to all nodes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The rows of a log on one node.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Size {
    rows: usize,
    bytes: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    if support::be_the_node_if_asked()? {
        return Ok(());
    }
    let args = Args::parse();
    let cluster = Cluster::start(args.nodes).await?;
    cluster.acquaint().await?;
    let people = people(&cluster, &args).await?;
    let (mut room, gathered) = gather(&people).await?;
    let before = on_all(&cluster, &args, room.id).await?;
    let started = Instant::now();
    write(people.first().context("nobody")?, &mut room, &args).await?;
    let after = on_all(&cluster, &args, room.id).await?;
    let written = started.elapsed().as_secs_f64();
    report(&args, &before, &after, gathered, written);
    cluster.end().await
}

/// Devices of people who are all contacts of the first one, by node in turn.
async fn people(cluster: &Cluster, args: &Args) -> Result<Vec<Device>> {
    let mut by_node = Vec::new();
    for at in 0..args.nodes {
        let node = cluster.node(at)?;
        let count = (args.people + args.nodes - 1 - at) / args.nodes;
        let name = format!("n{at}p");
        by_node.push(fleet::register(node.address, &name, count, async || node.invite_for(100).await).await?);
    }
    // In turn, so that the first commit brings in somebody of each node: a log begins where a node's first person comes.
    let mut by_node: Vec<_> = by_node.into_iter().map(Vec::into_iter).collect();
    let mut people: Vec<Device> = Vec::with_capacity(args.people);
    while people.len() < args.people {
        people.extend(by_node.iter_mut().filter_map(Iterator::next));
    }
    let (first, others) = people.split_first().context("nobody")?;
    for other in others {
        other.publish(1).await?;
        first.befriend(other).await?;
    }
    Ok(people)
}

/// One group with all of them. Gives it as its owner has it, and how long it took.
async fn gather(people: &[Device]) -> Result<(Room, f64)> {
    let (first, others) = people.split_first().context("nobody")?;
    let started = Instant::now();
    let mut room = first.group().await?;
    for some in others.chunks(AT_A_TIME) {
        let mut packages = Vec::new();
        for other in some {
            packages.extend(claim(first, other, room.id).await?);
        }
        first.bring_in(&mut room, &packages).await?;
    }
    Ok((room, started.elapsed().as_secs_f64()))
}

/// Their yes may still be on its way from another node.
async fn claim(first: &Device, other: &Device, room: RoomId) -> Result<Vec<Blob>> {
    let until = Instant::now() + PATIENCE;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    loop {
        look.tick().await;
        match first.claim_for(other, room).await {
            Ok(packages) => return Ok(packages),
            Err(error) if Instant::now() > until => return Err(error),
            Err(_) => {}
        }
    }
}

async fn write(first: &Device, room: &mut Room, args: &Args) -> Result<()> {
    for number in 0..args.messages as u64 {
        let mut id = [0; 16];
        id.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        let message = first.message(room, MessageId(id), &vec![0x5a; args.bytes])?;
        first.post(&format!("rooms/{}/messages", room.id), &message).await?.value::<Accepted>()?;
    }
    Ok(())
}

/// What the log takes on each node, once they all have the same.
async fn on_all(cluster: &Cluster, args: &Args, room: RoomId) -> Result<Vec<Size>> {
    let until = Instant::now() + PATIENCE;
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        look.tick().await;
        let mut sizes = Vec::new();
        for at in 0..args.nodes {
            sizes.push(size(cluster.node(at)?, room).await?);
        }
        let rows = sizes.iter().map(|size| size.rows);
        if rows.clone().min() == rows.max() && sizes.iter().all(|size| size.rows > 0) {
            return Ok(sizes);
        }
        ensure!(Instant::now() < until, "the logs do not become the same");
    }
}

/// The rows of a log on a node, and the parts of long ones.
async fn size(node: &TestNode, room: RoomId) -> Result<Size> {
    let (mut size, mut after) = (Size::default(), Vec::new());
    loop {
        let scan = Scan::prefix(room.as_bytes()).after(&after).limit(256);
        let rows = node.running().store().scan(tables::ROOM_LOG, scan).await?;
        let Some(last) = rows.last() else { return Ok(size) };
        after.clone_from(&last.key);
        size.rows += rows.len();
        size.bytes += rows.iter().map(|row| row.key.len() + row.value.len()).sum::<usize>();
    }
}

fn report(args: &Args, before: &[Size], after: &[Size], gathered: f64, written: f64) {
    support::head(&format!(
        "{} people on {} nodes, one device each, {} messages of {} bytes",
        args.people, args.nodes, args.messages, args.bytes
    ));
    support::row("bringing all in, 64 a commit", format!("{gathered:.1} s"), "");
    support::row("messages written and on all nodes", format!("{written:.1} s"), "");
    for (at, (before, after)) in before.iter().zip(after).enumerate() {
        let what = format!("node {at}{}: rows of the group's log", if at == 0 { " (hub)" } else { "" });
        support::row(&what, after.rows, "once a node");
        let each = (after.bytes - before.bytes) as f64 / args.messages.max(1) as f64;
        support::row("   bytes; a message", format!("{}; {each:.0}", after.bytes), "");
    }
    let all: usize = after.iter().map(|size| size.bytes).sum();
    let copies = after.first().map_or(0, |size| size.bytes * args.people);
    support::row("all nodes together", format!("{:.2} MB", all as f64 / 1e6), "");
    support::row("as one copy for each device it would be", format!("{:.1} MB", copies as f64 / 1e6), "");
}
