//! The load generator: `cargo run --release --example load -- --devices 200 --seconds 20`.
//!
//! A real node runs in a child process on loopback. Devices have accounts, contacts and MLS rooms, all made through the API;
//! each sends to its peer and hears from it over its socket. Every message is a request of its own with an MLS ciphertext
//! and a signed envelope of its own id, prepared before the clock starts, so that the node is what is measured (of the
//! ciphertexts a few dozen serve each device in turn: the node cannot tell, and encrypting is the clients' business).
//!
//! Two phases: closed loop (each device sends as soon as its last message is acknowledged, which means durable) gives the
//! throughput; open loop at half of it, by a fixed timetable and measured from the time at which a message was due, gives
//! the latencies.

// A measurement talks to its terminal, and a fault in it may end it.
#![allow(clippy::print_stdout)]

mod lane;
#[path = "../support/mod.rs"]
mod support;

use anyhow::{Context, Result};
use clap::Parser;
use lane::{Clock, Lane, Times};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use weft_testkit::{NodeProcess, fleet};

#[derive(Debug, Parser)]
struct Args {
    /// Devices that send and receive
    #[arg(long, default_value_t = 200)]
    devices: usize,
    /// Seconds of both phases together
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Bytes of a message's plaintext
    #[arg(long, default_value_t = 200)]
    bytes: usize,
}

/// Messages a second that are prepared for; should the node be quicker, the phase ends early.
const RATE_MAX: u64 = 12_000;

fn main() -> Result<()> {
    if support::be_the_node_if_asked()? {
        return Ok(());
    }
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(args))
}

/// What both phases came to.
struct Outcome {
    rate: f64,
    closed: Times,
    /// The node's processor time a message in the closed loop.
    processor_s: f64,
    open_rate: f64,
    open: Times,
    resident_bytes: u64,
}

async fn run(args: Args) -> Result<()> {
    let node = NodeProcess::start(std::env::current_exe()?, &[("WEFT_LOG__FILTER", "warn")]).await?;
    let (lanes, clock) = prepare(&node, &args).await?;
    let outcome = measure(&node, &args, &Arc::new(lanes), &clock).await?;
    report(&args, &outcome);
    Ok(())
}

/// Devices in pairs, each with its messages ready to be sent.
async fn prepare(node: &NodeProcess, args: &Args) -> Result<(Vec<Lane>, Clock)> {
    println!("preparing {} devices …", args.devices);
    let started = Instant::now();
    let devices =
        fleet::register(node.address, "load", args.devices, async || node.invite_for(100).await).await?;
    let pairs = fleet::pair_up(devices).await?;
    println!("… {:.1} s; preparing messages …", started.elapsed().as_secs_f64());

    let started = Instant::now();
    let each = usize::try_from(RATE_MAX * args.seconds)? / args.devices.max(1);
    let clock = Clock::new(args.devices * each);
    let mut lanes = Vec::new();
    for (number, pair) in pairs.into_iter().enumerate() {
        let (clock, bytes) = (clock.clone(), args.bytes);
        let work = move || Lane::prepare_pair(pair, number, each, bytes, clock);
        lanes.extend(tokio::task::spawn_blocking(work).await??);
    }
    println!(
        "… {:.1} s; {} messages of {} bytes in the clear",
        started.elapsed().as_secs_f64(),
        args.devices * each,
        args.bytes
    );
    Ok((lanes, clock))
}

/// The closed loop, and then the open one at half of its rate.
async fn measure(node: &NodeProcess, args: &Args, lanes: &Arc<Vec<Lane>>, clock: &Clock) -> Result<Outcome> {
    let sockets = lane::listen(lanes).await?;
    let half = Duration::from_secs(args.seconds) / 2;
    let warm_up = lane::send(lanes, Duration::from_secs(1), None).await?;
    println!("warm-up: {warm_up:.0} messages/s");
    clock.measure();
    let before = node.processor_time()?;
    let rate = lane::send(lanes, half, None).await?;
    let closed = clock.times().await?;
    let processor_s = (node.processor_time()? - before).as_secs_f64() / closed.acked.len().max(1) as f64;
    clock.measure();
    let open_rate = lane::send(lanes, half, Some(rate / 2.0)).await?;
    let open = clock.times().await?;
    let resident_bytes = node.resident_bytes()?;
    for socket in sockets {
        socket.abort();
    }
    Ok(Outcome { rate, closed, processor_s, open_rate, open, resident_bytes })
}

fn report(args: &Args, outcome: &Outcome) {
    let Outcome { rate, closed, processor_s, open_rate, open, resident_bytes } = outcome;
    support::head(&format!(
        "{} devices, {} s, {} bytes a message, node and generator on one machine",
        args.devices, args.seconds, args.bytes
    ));
    support::row("messages/s, closed loop, durable", format!("{rate:.0}"), "≥ 3,000");
    latencies("closed loop", closed, "");
    support::row("messages/s, open loop", format!("{open_rate:.0}"), "half of it");
    latencies("half load", open, "≤ 100 ms (p99)");
    support::row("node's processor time a message, closed loop", format!("{:.0} µs", processor_s * 1e6), "");
    support::row("node's resident memory", format!("{:.1} MiB", *resident_bytes as f64 / 1_048_576.0), "");
    let delivered = open.delivered.len() + closed.delivered.len();
    let acknowledged = open.acked.len() + closed.acked.len();
    support::row("messages delivered / acknowledged", format!("{delivered} / {acknowledged}"), "the same");
}

fn latencies(phase: &str, times: &Times, goal: &str) {
    for (what, sorted) in [("acknowledged", &times.acked), ("delivered", &times.delivered)] {
        for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
            let at = ((sorted.len() as f64 - 1.0) * share).round().max(0.0) as usize;
            let value = sorted.get(at).context("no messages").map(|nanos| *nanos as f64 / 1e6);
            let text = value.map_or_else(|_| "none".to_owned(), |ms| format!("{ms:.1} ms"));
            support::row(
                &format!("{phase}: sent to {what}, {name}"),
                text,
                if name == "p99" { goal } else { "" },
            );
        }
    }
}
