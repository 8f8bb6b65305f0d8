//! The loop around one engine: input in, writes durable, effects out.

use crate::Error;
use crate::address::Address;
use crate::client::stopped;
use crate::http::{Ask, Http};
use crate::keep::Keep;
use crate::socket::{Heard, Socket};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{broadcast, mpsc, oneshot};
use weft_engine::api::{Call, CallError, Event, Reply};
use weft_engine::host::{Effect, Input, Output};
use weft_engine::{Engine, Options};
use weft_wire::{API_PREFIX, Millis};

/// Answers and frames that may wait for the engine; a node that sends more has to wait.
const INPUTS_WAITING_MAX: usize = 256;

type Waiting = oneshot::Sender<Result<Reply, CallError>>;

/// What the handle wants.
pub(crate) enum Command {
    Call { call: Call, reply: Waiting },
    Stop { done: oneshot::Sender<()> },
}

pub(crate) struct Driver {
    engine: Engine,
    keep: Keep,
    address: Address,
    http: Http,
    tls: Arc<rustls::ClientConfig>,
    events: broadcast::Sender<Event>,
    answers: mpsc::Sender<Input>,
    answered: mpsc::Receiver<Input>,
    hear: mpsc::Sender<Heard>,
    heard: mpsc::Receiver<Heard>,
    socket: Option<Socket>,
    sockets: u64,
    calls: HashMap<u64, Waiting>,
    next_call: u64,
    wake: Option<Millis>,
}

impl Driver {
    pub fn open(
        keep: Keep,
        seed: [u8; 32],
        address: Address,
        http: Http,
        tls: Arc<rustls::ClientConfig>,
        events: broadcast::Sender<Event>,
    ) -> Result<Self, Error> {
        let engine = Engine::open(Options::new(seed, now()), keep.rows().state())
            .map_err(|error| Error::Engine(error.to_string()))?;
        let (answers, answered) = mpsc::channel(INPUTS_WAITING_MAX);
        let (hear, heard) = mpsc::channel(INPUTS_WAITING_MAX);
        Ok(Driver {
            engine,
            keep,
            address,
            http,
            tls,
            events,
            answers,
            answered,
            hear,
            heard,
            socket: None,
            sockets: 0,
            calls: HashMap::new(),
            next_call: 0,
            // The first tick lets the engine take up what was under way.
            wake: Some(0),
        })
    }

    /// Runs until the last handle is gone, somebody stops it, or nothing can be kept any more.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let done = loop {
            let wait = self.wake.map(|at| Duration::from_millis(at.saturating_sub(now())));
            let input = tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Call { call, reply }) => self.register(call, reply),
                    Some(Command::Stop { done }) => break Some(done),
                    None => break None,
                },
                Some(input) = self.answered.recv() => input,
                Some(heard) = self.heard.recv() => {
                    if self.socket.as_ref().is_none_or(|socket| socket.number != heard.socket) {
                        continue;
                    }
                    heard.input
                }
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => Input::Tick,
            };
            if matches!(input, Input::SocketClosed) {
                self.socket = None;
            }
            let output = self.engine.handle(now(), input);
            if let Err(error) = self.carry_out(output) {
                tracing::error!(%error, "the client stops: nothing can be kept");
                break None;
            }
        };
        self.socket = None;
        for (_, reply) in self.calls.drain() {
            let _ = reply.send(Err(stopped()));
        }
        drop(self);
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    fn register(&mut self, call: Call, reply: Waiting) -> Input {
        let id = self.next_call;
        self.next_call += 1;
        self.calls.insert(id, reply);
        Input::Call { id, call }
    }

    fn carry_out(&mut self, output: Output) -> Result<(), Error> {
        if !output.writes.is_empty() {
            self.keep.apply(output.writes)?;
        }
        self.wake = output.wake_ms;
        output.effects.into_iter().for_each(|effect| self.effect(effect));
        Ok(())
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Request { ticket, method, path, token, body } => {
                let (http, answers) = (self.http.clone(), self.answers.clone());
                tokio::task::spawn_local(async move {
                    let result = http.ask(Ask { method, path, token, body }).await;
                    let _ = answers.send(Input::Response { ticket, result }).await;
                });
            }
            Effect::SocketOpen => {
                self.sockets += 1;
                let url = self.address.socket(&format!("{API_PREFIX}/sync"));
                self.socket = Some(Socket::open(self.sockets, url, self.tls.clone(), self.hear.clone()));
            }
            Effect::SocketSend(frame) => {
                if self.socket.as_ref().is_some_and(|socket| !socket.send(frame)) {
                    self.close_socket();
                }
            }
            Effect::SocketClose => self.close_socket(),
            Effect::ReadHistory { ticket, from, to, limit, reverse } => {
                let rows = self.keep.rows().history(&from, &to, limit, reverse);
                self.answer_later(Input::History { ticket, rows });
            }
            Effect::Reply { id, result } => {
                if let Some(reply) = self.calls.remove(&id) {
                    let _ = reply.send(result);
                }
            }
            Effect::Event(event) => {
                // Without a listener there is nobody to tell.
                let _ = self.events.send(event);
            }
        }
    }

    /// Closes the socket and lets the engine hear of it.
    fn close_socket(&mut self) {
        if self.socket.take().is_some() {
            self.answer_later(Input::SocketClosed);
        }
    }

    fn answer_later(&self, input: Input) {
        let answers = self.answers.clone();
        tokio::task::spawn_local(async move {
            let _ = answers.send(input).await;
        });
    }
}

fn now() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
