//! Hosts: they keep rows, carry out effects, and die on demand. Time passes only when nothing else is left to do.

use super::node::Node;
use std::collections::{BTreeMap, VecDeque};
use weft_engine::api::{Call, CallError, Event, Reply};
use weft_engine::host::{Effect, Input, NoAnswer, Output, Response, Space, Write};
use weft_engine::{Engine, Options, Stretching};
use weft_wire::sync::ClientFrame;

/// When a host is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// At the n-th output, its writes durable, none of its effects carried out.
    BeforeEffects(u32),
    /// At the n-th output, its effects carried out, every answer lost.
    AfterEffects(u32),
}

pub struct Host {
    engine: Option<Engine>,
    state: BTreeMap<Vec<u8>, Vec<u8>>,
    history: BTreeMap<Vec<u8>, Vec<u8>>,
    inputs: VecDeque<Input>,
    pub online: bool,
    /// Number of the open socket, if one is.
    socket: Option<u64>,
    pub events: Vec<Event>,
    replies: BTreeMap<u64, Result<Reply, CallError>>,
    next_call: u64,
    wake: Option<u64>,
    runs: u8,
    pub outputs: u32,
    pub crash: Option<Crash>,
    /// Answers to requests for this are under way for long.
    pub slow: Option<&'static str>,
    held: Vec<Input>,
    /// How often it was killed.
    pub crashes: u32,
}

pub struct World {
    pub now: u64,
    pub node: Node,
    pub hosts: Vec<Host>,
    sockets: u64,
}

/// Rounds without time passing. Reached only by engines that chase their own tail.
const ROUNDS_MAX: usize = 20_000;

impl World {
    pub fn new() -> Self {
        World { now: 1_800_000_000_000, node: Node::new(), hosts: Vec::new(), sockets: 0 }
    }

    /// A new, empty device.
    pub fn device(&mut self) -> usize {
        self.hosts.push(Host {
            engine: None,
            state: BTreeMap::new(),
            history: BTreeMap::new(),
            inputs: VecDeque::new(),
            online: true,
            socket: None,
            events: Vec::new(),
            replies: BTreeMap::new(),
            next_call: 1,
            wake: None,
            runs: 0,
            outputs: 0,
            crash: None,
            slow: None,
            held: Vec::new(),
            crashes: 0,
        });
        let host = self.hosts.len() - 1;
        self.start(host);
        host
    }

    /// Opens the engine on what is kept.
    pub fn start(&mut self, at: usize) {
        let now = self.now;
        let host = &mut self.hosts[at];
        host.runs += 1;
        let mut seed = [host.runs; 32];
        seed[0] = at as u8;
        let options = Options { stretching: Stretching::LIGHT, ..Options::new(seed, now) };
        host.engine = Some(Engine::open(options, host.state.clone()).expect("what was kept opens"));
        host.inputs.push_back(Input::Tick);
    }

    /// Kills the engine: what is not kept is gone.
    pub fn kill(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        host.engine = None;
        host.inputs.clear();
        host.wake = None;
        if let Some(socket) = host.socket.take() {
            self.node.socket_closed(socket);
        }
    }

    /// All devices are off for so long.
    pub fn off_for(&mut self, ms: u64) {
        for at in 0..self.hosts.len() {
            self.kill(at);
        }
        self.now += ms;
        self.node.now = self.now;
        for at in 0..self.hosts.len() {
            self.start(at);
        }
    }

    /// Cuts a device off, or lets it back.
    pub fn set_online(&mut self, at: usize, online: bool) {
        self.hosts[at].online = online;
        if !online && let Some(socket) = self.hosts[at].socket.take() {
            self.node.socket_closed(socket);
            self.hosts[at].inputs.push_back(Input::SocketClosed);
        }
    }

    /// Calls, and lets the world go on until the answer is there. None: a crash has swallowed it.
    pub fn call_once(&mut self, at: usize, call: &Call) -> Option<Result<Reply, CallError>> {
        let host = &mut self.hosts[at];
        let id = host.next_call;
        host.next_call += 1;
        let crashes = host.crashes;
        host.inputs.push_back(Input::Call { id, call: call.clone() });
        self.run_until(60_000, |world| {
            world.hosts[at].replies.contains_key(&id) || world.hosts[at].crashes != crashes
        });
        let reply = self.hosts[at].replies.remove(&id);
        assert!(reply.is_some() || self.hosts[at].crashes != crashes, "no answer to {call:?}");
        reply
    }

    /// Calls, and does not wait for the answer.
    pub fn cast(&mut self, at: usize, call: Call) {
        let host = &mut self.hosts[at];
        let id = host.next_call;
        host.next_call += 1;
        host.inputs.push_back(Input::Call { id, call });
    }

    /// Slow answers arrive after all.
    pub fn release(&mut self, at: usize) {
        let host = &mut self.hosts[at];
        host.slow = None;
        host.inputs.extend(host.held.drain(..));
    }

    /// The same; a call that a crash has swallowed is made again.
    pub fn try_call(&mut self, at: usize, call: Call) -> Result<Reply, CallError> {
        loop {
            if let Some(reply) = self.call_once(at, &call) {
                return reply;
            }
        }
    }

    /// A call that has to succeed. When the node's answer was lost, a person tries again.
    pub fn call(&mut self, at: usize, call: Call) -> Reply {
        for _ in 0..3 {
            match self.try_call(at, call.clone()) {
                Ok(reply) => return reply,
                Err(error) if error.code == "offline" && self.hosts[at].online => {}
                Err(error) => panic!("{call:?}: {error:?}"),
            }
        }
        panic!("{call:?}: no answer, again and again")
    }

    /// Lets everything happen that can happen, for at most so many ms.
    pub fn settle(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Lets the world go on until something holds, for at most so many ms. Gives whether it does.
    pub fn run_until(&mut self, ms: u64, mut done: impl FnMut(&World) -> bool) -> bool {
        let end = self.now + ms;
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < ROUNDS_MAX, "the engines chase their own tail");
            if done(self) {
                return true;
            }
            if self.step() {
                continue;
            }
            let next = self.hosts.iter().filter_map(|host| host.wake).min();
            let Some(next) = next.filter(|next| *next <= end) else { return done(self) };
            self.now = self.now.max(next);
            self.node.now = self.now;
            for host in &mut self.hosts {
                if host.wake.is_some_and(|wake| wake <= self.now) {
                    host.wake = None;
                    host.inputs.push_back(Input::Tick);
                }
            }
        }
    }

    fn step(&mut self) -> bool {
        let mut busy = false;
        for at in 0..self.hosts.len() {
            let now = self.now;
            let host = &mut self.hosts[at];
            let Some(engine) = host.engine.as_mut() else { continue };
            let Some(input) = host.inputs.pop_front() else { continue };
            busy = true;
            let output = engine.handle(now, input);
            self.take(at, output);
            self.deliver();
        }
        busy
    }

    fn take(&mut self, at: usize, output: Output) {
        let host = &mut self.hosts[at];
        host.outputs += 1;
        host.wake = output.wake_ms;
        for write in output.writes {
            host.write(write);
        }
        let crash = host.crash;
        if crash == Some(Crash::BeforeEffects(host.outputs)) {
            return self.crash(at);
        }
        for effect in output.effects {
            self.effect(at, effect);
        }
        if crash == Some(Crash::AfterEffects(self.hosts[at].outputs)) {
            self.crash(at);
        }
    }

    fn crash(&mut self, at: usize) {
        self.kill(at);
        self.hosts[at].crashes += 1;
        self.start(at);
    }

    fn effect(&mut self, at: usize, effect: Effect) {
        match effect {
            Effect::Request { ticket, method, path, token, body } => {
                let result = if self.hosts[at].online {
                    let (status, body) = self.node.request(method, &path, token, body.unwrap_or_default());
                    Ok(Response { status, body })
                } else {
                    Err(NoAnswer)
                };
                let (host, answer) = (&mut self.hosts[at], Input::Response { ticket, result });
                match host.slow {
                    Some(slow) if path.ends_with(slow) => host.held.push(answer),
                    _ => host.inputs.push_back(answer),
                }
            }
            Effect::SocketOpen => {
                if let Some(socket) = self.hosts[at].socket.take() {
                    self.node.socket_closed(socket);
                }
                if self.hosts[at].online {
                    self.sockets += 1;
                    self.hosts[at].socket = Some(self.sockets);
                    self.hosts[at].inputs.push_back(Input::SocketOpened);
                    self.node.socket_opened(self.sockets);
                } else {
                    self.hosts[at].inputs.push_back(Input::SocketClosed);
                }
            }
            Effect::SocketSend(frame) => {
                if let Some(socket) = self.hosts[at].socket {
                    let frame: ClientFrame = weft_wire::decode(&frame, 1 << 20).expect("a client frame");
                    self.node.client_frame(socket, frame);
                }
            }
            Effect::SocketClose => {
                if let Some(socket) = self.hosts[at].socket.take() {
                    self.node.socket_closed(socket);
                    self.hosts[at].inputs.push_back(Input::SocketClosed);
                }
            }
            Effect::ReadHistory { ticket, from, to, limit, reverse } => {
                let rows = self.hosts[at].history(&from, &to, limit, reverse);
                self.hosts[at].inputs.push_back(Input::History { ticket, rows });
            }
            Effect::Reply { id, result } => {
                self.hosts[at].replies.insert(id, result);
            }
            Effect::Event(event) => self.hosts[at].events.push(event),
        }
    }

    /// What the node has for its sockets.
    fn deliver(&mut self) {
        for (socket, frame) in self.node.frames() {
            if let Some(host) = self.hosts.iter_mut().find(|host| host.socket == Some(socket)) {
                host.inputs.push_back(Input::SocketFrame(weft_wire::encode(&frame)));
            }
        }
    }
}

impl Host {
    fn write(&mut self, write: Write) {
        match write {
            Write::Put { space, key, value } => drop(self.space(space).insert(key, value)),
            Write::Delete { space, key } => drop(self.space(space).remove(&key)),
            Write::Wipe => {
                self.state.clear();
                self.history.clear();
            }
        }
    }

    fn space(&mut self, space: Space) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        match space {
            Space::State => &mut self.state,
            Space::History => &mut self.history,
        }
    }

    fn history(&self, from: &[u8], to: &[u8], limit: usize, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        let rows = self.history.range(from.to_vec()..to.to_vec());
        let row = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        if reverse { rows.rev().take(limit).map(row).collect() } else { rows.take(limit).map(row).collect() }
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.state.is_empty() && self.history.is_empty()
    }

    /// How many rows of the engine's state begin so.
    pub fn count(&self, prefix: &[u8]) -> usize {
        self.state.keys().filter(|key| key.starts_with(prefix)).count()
    }

    /// Every byte that is kept, to look for what must not be there.
    pub fn kept(&self) -> Vec<u8> {
        self.state.values().chain(self.history.values()).flatten().copied().collect()
    }
}
