//! The life of the one socket: open, prove the device, follow the rooms, acknowledge, notice when it is dead, come back.

use crate::account::session;
use crate::api::{ConnectionView, Event};
use crate::host::Effect;
use crate::live::Arrival;
use crate::runtime::{Cx, State};
use crate::shelf::Shelf;
use crate::{account, sync};
use rand_chacha::rand_core::RngCore;
use weft_wire::sync::{ClientFrame, ServerFrame, SocketProof};
use weft_wire::{Code, Millis, Problem, RoomId, Signed, limits};

/// A ping goes out when nothing was sent for so long.
const PING_EVERY_MS: Millis = 30_000;
/// So long the node may take to answer a ping: 45 s after the last sign of life the socket counts as dead.
const PONG_MS_MAX: Millis = 15_000;
/// The same when the person has just come back: they wait for it.
const PONG_AWAKE_MS_MAX: Millis = 5_000;
/// From asking for a socket to its first frame.
const OPEN_MS_MAX: Millis = 20_000;
/// Acknowledgements are gathered for so long while many come.
const ACK_EVERY_MS: Millis = 200;
/// A connection that lived so long has shown that the node is well: the next wait starts small again.
const STABLE_MS: Millis = 10_000;
/// First and last wait between two tries.
const RETRY_MS_MIN: Millis = 500;
const RETRY_MS_MAX: Millis = 60_000;
/// So many further tries are made at the wait of the fourth, 4 s: about as long as a node takes to start anew.
const RETRY_STEADY: u32 = 4;
/// An attempt that has taken this long is begun anew when the person comes back: it may be of a network that is gone.
const OPEN_STALE_MS: Millis = 4_000;
/// So long after the last word of a room's hub nothing waits for it to say how the room stands.
const ROOM_SILENT_MS: Millis = 60_000;
/// Server frames may be slightly longer than their entries.
const FRAME_BYTES_MAX: usize = 2 * limits::SERVER_FRAME_BYTES_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// Nobody is signed in.
    #[default]
    Off,
    /// Until then nothing is tried.
    Waiting { until: Millis },
    /// Asked for, and not yet let in.
    Opening { since: Millis },
    /// The node streams.
    Ready { since: Millis },
}

/// A room that is not read up to the head.
struct Behind {
    /// None: it is not known yet.
    head: Option<u64>,
    /// When the room was asked for, or something of it came.
    heard_ms: Millis,
}

/// The socket and what is known of it.
#[derive(Default)]
pub(crate) struct Connection {
    phase: Phase,
    /// Grows with every socket, so that an answer for an old one is not used on the next.
    generation: u64,
    failures: u32,
    ping_at: Millis,
    pong_by: Option<Millis>,
    ack_inbox: Option<u64>,
    ack_rooms: Shelf<RoomId, u64>,
    acked_at: Millis,
    /// Rooms that are not read up to the head yet.
    catching_up: Shelf<RoomId, Behind>,
    told: Option<ConnectionView>,
}

impl Connection {
    /// Whether the node has let this device in and the socket lives.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// When something has to happen next.
    pub fn next_wake(&self) -> Option<Millis> {
        let ack = self.has_acks().then_some(self.acked_at + ACK_EVERY_MS);
        match self.phase {
            Phase::Off => None,
            Phase::Waiting { until } => Some(until),
            Phase::Opening { since } => Some(since + OPEN_MS_MAX),
            Phase::Ready { .. } => {
                [ack, Some(self.pong_by.unwrap_or(self.ping_at))].into_iter().flatten().min()
            }
        }
    }

    /// The room was processed up to here; told to the node with the next acknowledgement.
    pub fn ack_room(&mut self, room: RoomId, seq: u64, now: Millis) {
        self.ack_rooms.insert(room, seq);
        self.heard(room, None, seq, now);
    }

    /// The inbox was processed up to here.
    pub fn ack_inbox(&mut self, seq: u64) {
        self.ack_inbox = Some(self.ack_inbox.map_or(seq, |old| old.max(seq)));
    }

    /// A followed room's head is known.
    pub fn head(&mut self, room: RoomId, head: u64, cursor: u64, now: Millis) {
        self.heard(room, Some(head), cursor, now);
    }

    fn heard(&mut self, room: RoomId, head: Option<u64>, cursor: u64, now: Millis) {
        let Some(behind) = self.catching_up.get_mut(&room) else { return };
        behind.head = head.or(behind.head);
        behind.heard_ms = now;
        if behind.head.is_some_and(|head| cursor >= head) {
            self.catching_up.remove(&room);
        }
    }

    /// Whether a room may stand another way than this device knows: nothing was heard of it on this socket, or not all. A
    /// hub that says nothing holds nobody up for ever.
    pub fn is_behind(&self, room: RoomId, now: Millis) -> bool {
        let waits = |behind: &Behind| now < behind.heard_ms + ROOM_SILENT_MS;
        !self.is_ready() || self.catching_up.get(&room).is_some_and(waits)
    }

    /// Nothing more will come for this room on this socket; it must not hold up "online".
    pub fn set_aside(&mut self, room: RoomId) {
        self.catching_up.remove(&room);
    }

    fn has_acks(&self) -> bool {
        self.ack_inbox.is_some() || !self.ack_rooms.is_empty()
    }

    fn reset(&mut self) {
        self.generation += 1;
        self.pong_by = None;
        self.ack_inbox = None;
        self.ack_rooms.clear();
        self.catching_up.clear();
    }
}

/// Connects, if somebody is signed in and nothing is under way.
pub(crate) fn start(s: &mut State) {
    if s.live.me.is_some() && s.connection.phase == Phase::Off {
        open(s);
    }
}

/// Ends the connection for good.
pub(crate) fn stop(s: &mut State) {
    if s.connection.phase != Phase::Off {
        s.effect(Effect::SocketClose);
    }
    s.connection.reset();
    s.connection.phase = Phase::Off;
    s.jobs.set_open(false);
}

/// The person or the network came back.
pub(crate) fn wake(s: &mut State) {
    let now = s.now;
    // Whoever has just come has not heard how the connection stands.
    s.connection.told = None;
    match s.connection.phase {
        Phase::Off => start(s),
        Phase::Opening { since } if now >= since + OPEN_STALE_MS => {
            // The host closes what was open.
            open(s);
        }
        Phase::Waiting { .. } | Phase::Opening { .. } => nudge(s),
        Phase::Ready { .. } => {
            send(s, &ClientFrame::Ping);
            s.connection.ping_at = now + PING_EVERY_MS;
            s.connection.pong_by.get_or_insert(now + PONG_AWAKE_MS_MAX);
        }
    }
}

/// Somebody waits for the node: what would be tried later is tried now, and soon again.
pub(crate) fn nudge(s: &mut State) {
    if let Phase::Waiting { .. } = s.connection.phase {
        s.connection.failures = 0;
        open(s);
    }
}

fn open(s: &mut State) {
    s.connection.reset();
    s.connection.phase = Phase::Opening { since: s.now };
    s.effect(Effect::SocketOpen);
}

/// The socket is gone, or was given up.
pub(crate) fn closed(s: &mut State) {
    let now = s.now;
    let failures = match s.connection.phase {
        Phase::Off | Phase::Waiting { .. } => return,
        Phase::Ready { since } if now >= since + STABLE_MS => 1,
        _ => s.connection.failures.saturating_add(1),
    };
    s.connection.reset();
    s.connection.failures = failures;
    let wait = retry_ms(failures, s.rng.next_u32());
    s.connection.phase = Phase::Waiting { until: now + wait };
    s.jobs.set_open(false);
    sync::disconnected(s);
}

/// 0.5 s, 1 s, 2 s, 4 s, for a while 4 s, then 8 s … 60 s; each between half and the whole of it, so that devices do not come
/// back in step.
fn retry_ms(failures: u32, random: u32) -> Millis {
    let doublings = match failures.saturating_sub(1) {
        quick @ 0..=3 => quick,
        later => later.saturating_sub(RETRY_STEADY).clamp(3, 7),
    };
    let whole = (RETRY_MS_MIN << doublings).min(RETRY_MS_MAX);
    whole / 2 + u64::from(random) % (whole / 2 + 1)
}

/// Time has passed: what was due happens.
pub(crate) fn tick(s: &mut State) {
    let now = s.now;
    match s.connection.phase {
        Phase::Waiting { until } if now >= until => open(s),
        Phase::Opening { since } if now >= since + OPEN_MS_MAX => give_up(s),
        Phase::Ready { .. } => match s.connection.pong_by {
            Some(by) if now >= by => give_up(s),
            None if now >= s.connection.ping_at => {
                send(s, &ClientFrame::Ping);
                s.connection.ping_at = now + PING_EVERY_MS;
                s.connection.pong_by = Some(now + PONG_MS_MAX);
            }
            _ => {}
        },
        _ => {}
    }
}

fn give_up(s: &mut State) {
    s.effect(Effect::SocketClose);
    closed(s);
}

/// Sends what was gathered, and tells the interface when the connection looks another way. Ends every turn.
pub(crate) fn finish_turn(s: &mut State) {
    let now = s.now;
    let connection = &mut s.connection;
    if connection.is_ready() && connection.has_acks() && now >= connection.acked_at + ACK_EVERY_MS {
        connection.acked_at = now;
        let inbox = connection.ack_inbox.take();
        let rooms = connection.ack_rooms.take();
        let mut chunks = rooms.chunks(limits::ROOMS_PER_FRAME_MAX);
        let first = chunks.next().unwrap_or_default().to_vec();
        send(s, &ClientFrame::Ack { inbox, rooms: first });
        for chunk in chunks {
            send(s, &ClientFrame::Ack { inbox: None, rooms: chunk.to_vec() });
        }
    }
    let view = view(s);
    if s.connection.told.as_ref() != Some(&view) {
        s.connection.told = Some(view.clone());
        s.event(Event::Connection(view));
    }
}

/// How the connection looks to a person.
pub(crate) fn view(s: &State) -> ConnectionView {
    match s.connection.phase {
        Phase::Off => ConnectionView::Offline { retry_ms: None },
        Phase::Waiting { until } => ConnectionView::Offline { retry_ms: Some(until as f64) },
        Phase::Opening { .. } => ConnectionView::Connecting,
        Phase::Ready { .. } if s.connection.catching_up.is_empty() && !sync::is_catching_up(s) => {
            ConnectionView::Online
        }
        Phase::Ready { .. } => ConnectionView::Connecting,
    }
}

/// Sends a frame; without a socket it is lost, which is what frames are allowed to be.
pub(crate) fn send(s: &mut State, frame: &ClientFrame) {
    s.effect(Effect::SocketSend(weft_wire::encode(frame)));
}

/// Asks for a room's log after this number.
pub(crate) fn follow(s: &mut State, rooms: Vec<(RoomId, u64)>) {
    if !s.connection.is_ready() {
        return;
    }
    for chunk in rooms.chunks(limits::ROOMS_PER_FRAME_MAX) {
        for (room, _) in chunk {
            s.connection.catching_up.insert(*room, Behind { head: None, heard_ms: s.now });
        }
        send(s, &ClientFrame::Follow { rooms: chunk.to_vec() });
    }
}

/// A frame came.
pub(crate) fn frame(cx: &Cx, bytes: &[u8]) {
    let Ok(frame) = weft_wire::decode::<ServerFrame>(bytes, FRAME_BYTES_MAX) else {
        // A newer node may know frames that this engine does not: what matters comes again by cursor.
        return;
    };
    if !cx.with(|s| alive(s, &frame)) {
        return;
    }
    match frame {
        ServerFrame::Challenge { nonce } => {
            let generation = cx.with(|s| s.connection.generation);
            let task = hello(cx.clone(), nonce, generation);
            cx.spawn(task);
        }
        ServerFrame::Ready { time_ms, key_packages, inbox, .. } => {
            cx.with(|s| ready(s, time_ms, Arrival { key_packages, inbox }));
        }
        ServerFrame::Pong => {}
        ServerFrame::Problem { problem, room, fatal } => cx.with(|s| refused(s, &problem, room, fatal)),
        other => sync::incoming(cx, other),
    }
}

fn alive(s: &mut State, frame: &ServerFrame) -> bool {
    s.connection.pong_by = None;
    s.connection.ping_at = s.now + PING_EVERY_MS;
    match s.connection.phase {
        Phase::Ready { .. } => true,
        // Nothing is processed before the node has let this device in.
        Phase::Opening { .. } => {
            matches!(
                frame,
                ServerFrame::Challenge { .. } | ServerFrame::Ready { .. } | ServerFrame::Problem { .. }
            )
        }
        _ => false,
    }
}

async fn hello(cx: Cx, nonce: [u8; 32], generation: u64) {
    let token = session::token(&cx).await;
    cx.with(|s| {
        if s.connection.generation != generation {
            return;
        }
        let (Ok(token), Some(me)) = (&token, s.live.me.clone()) else {
            if let Err(failure) = &token {
                session::refused(s, failure);
            }
            return give_up(s);
        };
        let proof = Signed::sign(&SocketProof { nonce, device: me.device }, &me.device_key);
        let inbox_after = account::sync_state(s).inbox_after;
        let frame = ClientFrame::Hello { token: token.clone(), proof, inbox_after, vault: true };
        send(s, &frame);
    });
}

fn ready(s: &mut State, time_ms: Millis, arrival: Arrival) {
    s.live.set_node_clock(s.now, time_ms);
    s.connection.phase = Phase::Ready { since: s.now };
    s.connection.ping_at = s.now + PING_EVERY_MS;
    s.jobs.set_open(true);
    sync::connected(s, arrival);
}

fn refused(s: &mut State, problem: &Problem, room: Option<RoomId>, fatal: bool) {
    if let Some(room) = room {
        sync::room_refused(s, room, problem);
    }
    match problem.code {
        // Of the connection itself: about a room, it may come from far away.
        Code::DeviceRevoked if room.is_none() => account::signed_out_remotely(s),
        Code::Unauthenticated => session::drop_token(s),
        _ => {}
    }
    if fatal && s.connection.phase != Phase::Off {
        give_up(s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    #[test]
    fn who_comes_back_begins_an_attempt_anew_that_hangs_and_no_other() {
        let rng = ChaCha20Rng::from_seed([1; 32]);
        let stretching = weft_wire::opaque::Stretching::LIGHT;
        let mut s = State::new(crate::kv::MemoryKv::default(), rng, 1_000, stretching);
        s.connection.phase = Phase::Opening { since: 1_000 };
        s.now = 1_000 + OPEN_STALE_MS - 1;
        wake(&mut s);
        assert_eq!(s.connection.phase, Phase::Opening { since: 1_000 });
        s.now += 1;
        wake(&mut s);
        assert_eq!(s.connection.phase, Phase::Opening { since: s.now });
    }

    #[test]
    fn tries_come_quickly_at_first_and_then_seldom() {
        let longest: Vec<_> = (1..14).map(|failures| retry_ms(failures, 0) * 2).collect();
        let steady = [4_000; 5];
        let whole = [&[500, 1_000, 2_000][..], &steady, &[8_000, 16_000, 32_000, 60_000, 60_000]].concat();
        assert_eq!(longest, whole);
        for failures in 0..100 {
            for random in [0, 1, 12_345, u32::MAX] {
                let (wait, whole) = (retry_ms(failures, random), retry_ms(failures, 0) * 2);
                assert!((whole / 2..=whole).contains(&wait), "{failures}: {wait}");
            }
        }
    }
}
