//! Load between two nodes: `cargo run --release --example federation_load`.
//!
//! Two real nodes in processes of their own on loopback, and rooms across: one person at each. The first node is the hub of all;
//! it calls the other one over a gate, which this program can shut, as a cable is pulled: nothing is refused, nothing arrives.
//!
//! Three phases. Closed loop: both sides send as soon as their last message is acknowledged. A message counts when it has come to
//! the other person's socket, which a node feeds from its disk: so it is durable at both ends. Then a timetable of 200 messages a
//! second, measured from the time at which each was due. Then the same timetable with the gate shut for a while: what is written
//! meanwhile waits, and it is measured how quickly that drains while the timetable goes on.

// A measurement talks to its terminal, and a fault in it may end it.
#![allow(clippy::print_stdout)]

mod gate;
#[path = "../load/lane.rs"]
mod lane;
#[path = "../support/mod.rs"]
mod support;

use anyhow::{Context, Result, bail};
use clap::Parser;
use futures::{StreamExt, TryStreamExt, stream};
use gate::Gate;
use lane::{Clock, Lane, Times};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use weft_node::control::{self, Answer, Request};
use weft_testkit::{
    NodeProcess,
    device::Device,
    fleet::{self, Pair},
};
use weft_wire::node::NodeInfo;

#[derive(Debug, Parser)]
struct Args {
    /// Rooms across the two nodes, two people each
    #[arg(long, default_value_t = 100)]
    rooms: usize,
    /// Seconds of the closed loop, and of the timetable
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Seconds for which nothing gets from one node to the other
    #[arg(long, default_value_t = 60)]
    partition: u64,
    /// Bytes of a message's plaintext
    #[arg(long, default_value_t = 200)]
    bytes: usize,
}

/// Messages a second that are prepared for in the closed loop; should the nodes be quicker, the phase ends early.
const RATE_MAX: u64 = 6_000;
/// Messages a second of the timetable.
const RATE: f64 = 200.0;
/// Rooms that are made at the same time.
const AT_ONCE: usize = 8;
/// How long the backlog may take to drain.
const DRAIN_MAX: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    if support::be_the_node_if_asked()? {
        return Ok(());
    }
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(args))
}

/// What a partition came to.
struct Drained {
    backlog: usize,
    seconds: f64,
    /// Messages a second that arrived until nothing was left over.
    rate: f64,
}

async fn run(args: Args) -> Result<()> {
    let common = [
        ("WEFT_LOG__FILTER", "warn"),
        ("WEFT_FEDERATION__POLICY", "open"),
        ("WEFT_FEDERATION__ANNOUNCE_LISTENERS", "true"),
        ("WEFT_FEDERATION__MDNS", "false"),
        ("WEFT_FEDERATION__DISCOVERY", "false"),
    ];
    let with = |listen: &'static str| [common.as_slice(), &[("WEFT_FEDERATION__LISTEN", listen)]].concat();
    let binary = std::env::current_exe()?;
    // The hub calls, and cannot be called: the gate is the only way.
    let hub = NodeProcess::start(&binary, &with("")).await?;
    let follower = NodeProcess::start(&binary, &with("/ip4/127.0.0.1/tcp/0")).await?;
    let gate = acquaint(&hub, &follower).await?;
    let pairs = pairs(&hub, &follower, args.rooms).await?;
    let (lanes, clock) = prepare(pairs, &args).await?;
    let lanes = Arc::new(lanes);

    let sockets = lane::listen(&lanes).await?;
    lane::send(&lanes, Duration::from_secs(1), None).await?;
    clock.times().await?;
    clock.measure();
    let closed_rate = lane::send(&lanes, Duration::from_secs(args.seconds), None).await?;
    let closed = clock.times().await?;
    clock.measure();
    lane::send(&lanes, Duration::from_secs(args.seconds), Some(RATE)).await?;
    let open = clock.times().await?;
    let drained = partition(&lanes, &clock, &gate, Duration::from_secs(args.partition)).await?;
    for socket in sockets {
        socket.abort();
    }
    report(&args, closed_rate, &closed, &open, &drained);
    let resident =
        [hub.resident_bytes()?, follower.resident_bytes()?].map(|bytes| bytes as f64 / 1_048_576.0);
    support::row(
        "resident memory of hub, follower",
        format!("{:.0}, {:.0} MiB", resident[0], resident[1]),
        "",
    );
    Ok(())
}

/// The hub's operator tells it where the other node is: behind the gate.
async fn acquaint(hub: &NodeProcess, follower: &NodeProcess) -> Result<Gate> {
    let info: NodeInfo = weft_testkit::http::get(follower.address, "/api/v1/node", None).await?.value()?;
    let port = info.addresses.iter().find_map(|address| address.split("/tcp/").nth(1)?.parse().ok());
    let gate = Gate::before(port.context("the follower's port")?).await?;
    let addresses = vec![format!("/ip4/127.0.0.1/tcp/{}", gate.port)];
    let request = Request::AddPeer { name: info.name.clone(), key: None, addresses };
    match control::ask(&weft_testkit::node::config(hub.data()), request).await? {
        Answer::Done => Ok(gate),
        other => bail!("{other:?}"),
    }
}

/// Two people each, one at each node, with a room that both are in.
async fn pairs(hub: &NodeProcess, follower: &NodeProcess, rooms: usize) -> Result<Vec<Pair>> {
    println!("preparing {rooms} rooms …");
    let started = Instant::now();
    let near = fleet::register(hub.address, "near", rooms, async || hub.invite_for(100).await).await?;
    let far =
        fleet::register(follower.address, "far", rooms, async || follower.invite_for(100).await).await?;
    let pairs: Vec<Pair> = stream::iter(near.into_iter().zip(far).map(|(first, second)| pair(first, second)))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    println!("… {:.1} s", started.elapsed().as_secs_f64());
    Ok(pairs)
}

async fn pair(first: Device, second: Device) -> Result<Pair> {
    second.publish(1).await?;
    first.befriend(&second).await?;
    // The far node's yes is on its way.
    let until = Instant::now() + Duration::from_secs(20);
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let here = loop {
        look.tick().await;
        match first.direct_room(&second).await {
            Ok(room) => break room,
            Err(error) if Instant::now() > until => return Err(error.context("a room across")),
            Err(_) => {}
        }
    };
    let (there, _) = second.join().await.context("the Welcome")?;
    Ok(Pair { devices: [first, second], rooms: [here, there] })
}

/// Each device with its messages ready to be sent.
async fn prepare(pairs: Vec<Pair>, args: &Args) -> Result<(Vec<Lane>, Clock)> {
    let devices = 2 * args.rooms;
    let timetable = (args.seconds + 3 * args.partition + 60) * 200;
    let each = usize::try_from(RATE_MAX * (args.seconds + 1) + timetable)? / devices.max(1);
    let clock = Clock::new(devices * each);
    let mut lanes = Vec::new();
    for (number, pair) in pairs.into_iter().enumerate() {
        let (clock, bytes) = (clock.clone(), args.bytes);
        let work = move || Lane::prepare_pair(pair, number, each, bytes, clock);
        lanes.extend(tokio::task::spawn_blocking(work).await??);
    }
    Ok((lanes, clock))
}

/// The timetable goes on while the gate is shut, and after that until nothing is left over.
async fn partition(lanes: &Arc<Vec<Lane>>, clock: &Clock, gate: &Gate, time: Duration) -> Result<Drained> {
    clock.measure();
    gate.shut();
    let sender = tokio::spawn({
        let lanes = Arc::clone(lanes);
        async move { lane::send(&lanes, time + DRAIN_MAX, Some(RATE)).await }
    });
    tokio::time::sleep(time).await;
    let (backlog, before) = under_way(clock);
    gate.open();
    let healed = Instant::now();
    let mut look = tokio::time::interval(Duration::from_millis(50));
    // Something of the timetable is always under way.
    while under_way(clock).0 > (RATE * 0.25) as usize {
        look.tick().await;
        if healed.elapsed() > DRAIN_MAX {
            bail!("{} of {backlog} messages still wait", under_way(clock).0);
        }
    }
    let (seconds, arrived) = (healed.elapsed().as_secs_f64(), under_way(clock).1 - before);
    sender.abort();
    Ok(Drained { backlog, seconds, rate: arrived as f64 / seconds })
}

/// Messages of the phase that were taken and have not arrived, and those that have.
fn under_way(clock: &Clock) -> (usize, usize) {
    let times = clock.read();
    (times.acked.len().saturating_sub(times.delivered.len()), times.delivered.len())
}

fn report(args: &Args, closed_rate: f64, closed: &Times, open: &Times, drained: &Drained) {
    support::head(&format!(
        "{} rooms across two nodes, {} bytes a message, nodes and generator on one machine",
        args.rooms, args.bytes
    ));
    support::row("messages/s, closed loop, durable at both ends", format!("{closed_rate:.0}"), "≥ 1,500");
    percentiles("delivered, closed loop", &closed.delivered, "");
    percentiles("delivered, at 200/s", &open.delivered, "p50 ≤ 30 ms");
    let what = format!("waiting after {} s without a way", args.partition);
    support::row(&what, drained.backlog, "");
    support::row("seconds until nothing was left over", format!("{:.1}", drained.seconds), "");
    let times = format!("{:.0}/s = {:.1} ×", drained.rate, drained.rate / RATE);
    support::row("drained, while 200/s more were written", times, "≥ 3 ×");
}

fn percentiles(what: &str, sorted: &[u64], goal: &str) {
    let at = |part: f64| {
        let index = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied().unwrap_or(0) as f64 / 1e6
    };
    let value = format!("{:.1}, {:.1} ms", at(0.5), at(0.99));
    support::row(&format!("{what}: p50, p99"), value, goal);
}
