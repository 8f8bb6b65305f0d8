//! One device's lane: its prepared requests, its connection, its socket; and the clock that all share.

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
    task::{JoinHandle, JoinSet},
};
use tokio_tungstenite::tungstenite::Message;
use weft_testkit::{
    device::{Device, Room},
    fleet::Pair,
};
use weft_wire::{
    MessageId, RoomId, codec,
    rooms::{EntryKind, SubmitMessage},
    sync::{ClientFrame, ServerFrame},
};

/// Ciphertexts that a device uses in turn.
const CIPHERTEXTS: usize = 32;
/// Entries after which a receiver acknowledges, as clients do.
const ACK_EVERY: u64 = 16;
/// What the own node says of a message that it keeps for the hub.
const KEPT: &[u8] = b"node_unreachable";
/// How long the last messages may take to arrive once nothing is sent any more.
const SETTLE: Duration = Duration::from_secs(20);

/// When each message was due, acknowledged and delivered, in nanoseconds since the start; 0 is not yet.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    start: Instant,
    due: Vec<AtomicU64>,
    acked: Vec<AtomicU64>,
    delivered: Vec<AtomicU64>,
    since: AtomicU64,
}

/// Sorted latencies, in nanoseconds.
pub struct Times {
    pub acked: Vec<u64>,
    pub delivered: Vec<u64>,
}

impl Clock {
    pub fn new(messages: usize) -> Clock {
        let cells = || (0..messages).map(|_| AtomicU64::new(0)).collect();
        let (due, acked, delivered) = (cells(), cells(), cells());
        Clock(Arc::new(Inner { start: Instant::now(), due, acked, delivered, since: AtomicU64::new(0) }))
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.0.start).as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    fn mark(&self, cells: &[AtomicU64], message: usize, at: Instant) {
        if let Some(cell) = cells.get(message) {
            cell.store(self.nanos(at), Relaxed);
        }
    }

    /// A new phase: what was due before does not count.
    pub fn measure(&self) {
        self.0.since.store(self.nanos(Instant::now()), Relaxed);
    }

    /// Waits until every acknowledged message of the phase has arrived, and gives the latencies.
    pub async fn times(&self) -> Result<Times> {
        let until = Instant::now() + SETTLE;
        loop {
            let times = self.read();
            if times.acked.len() == times.delivered.len() {
                return Ok(times);
            }
            if Instant::now() > until {
                bail!("{} messages were acknowledged, {} arrived", times.acked.len(), times.delivered.len());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Latencies of what was acknowledged and what has arrived in this phase, as it is now.
    pub fn read(&self) -> Times {
        let since = self.0.since.load(Relaxed);
        let latencies = |cells: &[AtomicU64]| {
            let pairs = self.0.due.iter().zip(cells).map(|(due, at)| (due.load(Relaxed), at.load(Relaxed)));
            let mut latencies: Vec<u64> = pairs
                .filter(|(due, at)| *due >= since && *at > 0)
                .map(|(due, at)| at.saturating_sub(due))
                .collect();
            latencies.sort_unstable();
            latencies
        };
        Times { acked: latencies(&self.0.acked), delivered: latencies(&self.0.delivered) }
    }
}

/// A device that sends and receives.
pub struct Lane {
    device: Device,
    room: RoomId,
    /// Whole HTTP requests, each with the number of its message.
    requests: Vec<(usize, Vec<u8>)>,
    next: AtomicUsize,
    line: Mutex<Option<TcpStream>>,
    clock: Clock,
}

impl Lane {
    /// Both lanes of a pair.
    pub fn prepare_pair(
        pair: Pair,
        number: usize,
        each: usize,
        bytes: usize,
        clock: Clock,
    ) -> Result<Vec<Lane>> {
        let lanes = pair.devices.into_iter().zip(pair.rooms).enumerate();
        lanes
            .map(|(side, (device, room))| {
                Lane::prepare(device, room, (2 * number + side) * each, each, bytes, &clock)
            })
            .collect()
    }

    fn prepare(
        device: Device,
        mut room: Room,
        first: usize,
        each: usize,
        bytes: usize,
        clock: &Clock,
    ) -> Result<Lane> {
        let epoch = room.group.epoch().as_u64();
        let mut bodies = Vec::new();
        for _ in 0..CIPHERTEXTS.min(each) {
            let message = device.message(&mut room, MessageId([0; 16]), &vec![0x5a; bytes])?;
            bodies.push(message.envelope.peek()?.body.0);
        }
        let mut requests = Vec::with_capacity(each);
        for (number, body) in (first..first + each).zip(bodies.iter().cycle()) {
            let mut id = [0; 16];
            id.iter_mut().zip((number as u64).to_be_bytes()).for_each(|(to, from)| *to = from);
            let envelope = device.envelope(room.id, EntryKind::Message, epoch, MessageId(id), body.clone());
            requests.push((number, request(&device, room.id, &codec::encode(&SubmitMessage { envelope }))));
        }
        let (room, clock) = (room.id, clock.clone());
        Ok(Lane { device, room, requests, next: AtomicUsize::new(0), line: Mutex::new(None), clock })
    }

    /// Sends the next message and waits for its acknowledgement. False when none is left.
    async fn send_next(&self, due: Option<Instant>) -> Result<bool> {
        let Some((number, request)) = self.requests.get(self.next.fetch_add(1, Relaxed)) else {
            return Ok(false);
        };
        let mut line = self.line.lock().await;
        if line.is_none() {
            let tcp = TcpStream::connect(self.device.node).await?;
            tcp.set_nodelay(true)?;
            *line = Some(tcp);
        }
        let tcp = line.as_mut().context("a line")?;
        self.clock.mark(&self.clock.0.due, *number, due.unwrap_or_else(Instant::now));
        tcp.write_all(request).await?;
        answer(tcp).await?;
        self.clock.mark(&self.clock.0.acked, *number, Instant::now());
        Ok(true)
    }

    /// Reads the socket for ever.
    async fn hear(&self) -> Result<()> {
        let mut socket = self.device.socket().await?;
        socket.send(&ClientFrame::Follow { rooms: vec![(self.room, 0)] }).await?;
        let mut unacked = 0;
        while let Some(message) = socket.0.next().await {
            let Message::Binary(bytes) = message? else { continue };
            let at = Instant::now();
            let ServerFrame::Entries { entries, .. } = codec::decode(&bytes, usize::MAX)? else { continue };
            let Some(last) = entries.last().map(|entry| entry.seq) else { continue };
            for entry in &entries {
                let envelope = entry.envelope.peek()?;
                if envelope.kind == EntryKind::Message && envelope.device != self.device.id() {
                    let number = envelope
                        .message_id
                        .0
                        .iter()
                        .take(8)
                        .fold(0, |all, byte| all << 8 | usize::from(*byte));
                    self.clock.mark(&self.clock.0.delivered, number, at);
                }
            }
            unacked += entries.len() as u64;
            if unacked >= ACK_EVERY {
                unacked = 0;
                let ack = ClientFrame::Ack { inbox: None, rooms: vec![(self.room, last)] };
                socket.0.send(Message::Binary(codec::encode(&ack).into())).await?;
            }
        }
        bail!("a socket was closed")
    }
}

fn request(device: &Device, room: RoomId, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /api/v1/rooms/{room}/messages HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         content-type: application/cbor\r\ncontent-length: {}\r\n\r\n",
        device.node,
        device.token,
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Reads one answer, as plainly as can be: the generator shares the machine with what it measures. A message that the own node
/// keeps for a hub that is away is taken as well.
async fn answer(tcp: &mut TcpStream) -> Result<()> {
    let mut bytes = Vec::with_capacity(2048);
    loop {
        ensure!(tcp.read_buf(&mut bytes).await? > 0, "the node closed the connection");
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
        let is_ok = head.starts_with("HTTP/1.1 200");
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("a length")?;
        if bytes.len() >= end + 4 + length.parse::<usize>()? {
            let kept = || bytes.windows(KEPT.len()).any(|window| window == KEPT);
            ensure!(is_ok || kept(), "the node said: {}", String::from_utf8_lossy(&bytes));
            return Ok(());
        }
    }
}

/// Opens every device's socket; returns when all are in.
pub async fn listen(lanes: &Arc<Vec<Lane>>) -> Result<Vec<JoinHandle<()>>> {
    let mut sockets = Vec::new();
    for number in 0..lanes.len() {
        let lanes = Arc::clone(lanes);
        sockets.push(tokio::spawn(async move {
            if let Some(lane) = lanes.get(number)
                && let Err(error) = lane.hear().await
            {
                println!("device {number}: {error:#}");
            }
        }));
    }
    Ok(sockets)
}

/// All devices send for this long: as quickly as they are acknowledged, or by a timetable of `rate` messages a second
/// together. Gives the rate that was reached.
pub async fn send(lanes: &Arc<Vec<Lane>>, time: Duration, rate: Option<f64>) -> Result<f64> {
    let start = Instant::now();
    let mut senders = JoinSet::new();
    let every = rate.map(|rate| Duration::from_secs_f64(lanes.len() as f64 / rate));
    for number in 0..lanes.len() {
        let lanes = Arc::clone(lanes);
        // The timetables of the devices lie beside one another, not on top.
        let offset = every.map(|every| every.mul_f64(number as f64 / lanes.len() as f64)).unwrap_or_default();
        senders.spawn(async move {
            let lane = lanes.get(number).context("a lane")?;
            let mut sent = 0_u64;
            while start.elapsed() < time {
                let due = every.map(|every| start + offset + every.mul_f64(sent as f64));
                if let Some(due) = due {
                    if due > start + time {
                        break;
                    }
                    tokio::time::sleep_until(due.into()).await;
                }
                if !lane.send_next(due).await? {
                    break;
                }
                sent += 1;
            }
            anyhow::Ok(sent)
        });
    }
    let mut sent = 0;
    while let Some(done) = senders.join_next().await {
        sent += done??;
    }
    Ok(sent as f64 / start.elapsed().as_secs_f64())
}
