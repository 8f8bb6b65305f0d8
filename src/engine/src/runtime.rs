//! What all parts of the engine share ([`State`]), and the smallest executor that lets a flow of several requests be
//! written as one `async` function.
//!
//! Every task is polled after every input, until nothing changes any more: there are a handful, and a poll that has
//! nothing to do costs a look into a map. So there are no wakers, and no order in which things can be forgotten.
//!
//! Two rules keep it sound. State is only reached through [`Cx::with`], whose closure ends before any `await`. And what one
//! closure changes belongs together: it becomes durable in one output, before any effect of that output is carried out.

use crate::api::Event;
use crate::connection::Connection;
use crate::host::{Effect, NoAnswer, Response, Space, Ticket, Write};
use crate::jobs::Jobs;
use crate::kv::{Kv, MemoryKv};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use serde::{Serialize, de::DeserializeOwned};
use std::cell::{RefCell, RefMut};
use std::collections::{BTreeSet, HashMap};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use weft_wire::Millis;
use weft_wire::opaque::Stretching;
use zeroize::Zeroizing;

/// The largest record in the `State` space that is decoded here.
const RECORD_BYTES_MAX: usize = 4 << 20;
/// Passes over the tasks after one input. Never reached unless two tasks wake each other for ever.
const PASSES_MAX: usize = 10_000;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A row of the `History` space.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

enum Answer {
    Response(Result<Response, NoAnswer>),
    History(Vec<Row>),
}

/// Everything the engine knows.
pub(crate) struct State {
    /// The persistent part.
    pub kv: MemoryKv,
    /// Seeded by the host.
    pub rng: ChaCha20Rng,
    /// The host's clock at the current input.
    pub now: Millis,
    /// How passwords are stretched.
    pub stretching: Stretching,
    /// The socket.
    pub connection: Connection,
    /// What is still to be done.
    pub jobs: Jobs,
    /// What lives only in memory.
    pub live: crate::live::Live,
    effects: Vec<Effect>,
    history: Vec<Write>,
    wiped: bool,
    damaged: bool,
    next_ticket: Ticket,
    waiting: HashMap<Ticket, Option<Answer>>,
    spawned: Vec<Task>,
    timers: BTreeSet<Millis>,
    changes: u64,
}

impl State {
    pub fn new(kv: MemoryKv, rng: ChaCha20Rng, now: Millis, stretching: Stretching) -> Self {
        State {
            kv,
            rng,
            now,
            stretching,
            connection: Connection::default(),
            jobs: Jobs::default(),
            live: crate::live::Live::default(),
            effects: Vec::new(),
            history: Vec::new(),
            wiped: false,
            damaged: false,
            next_ticket: 1,
            waiting: HashMap::new(),
            spawned: Vec::new(),
            timers: BTreeSet::new(),
            changes: 0,
        }
    }

    /// A record, or nothing. One that does not open counts as lost; the person is told once.
    pub fn load<T: DeserializeOwned>(&mut self, key: &[u8]) -> Option<T> {
        // Secrets among them; what is decoded erases itself.
        let bytes = Zeroizing::new(self.kv.get(key)?);
        match weft_wire::decode(&bytes, RECORD_BYTES_MAX) {
            Ok(record) => Some(record),
            Err(_) => {
                if !std::mem::replace(&mut self.damaged, true) {
                    self.event(Event::Notice { code: "state_damaged".into(), user: None });
                }
                None
            }
        }
    }

    /// Keeps a record.
    pub fn store<T: Serialize>(&mut self, key: &[u8], record: &T) {
        self.kv.put(key, weft_wire::encode(record));
    }

    /// Removes a record.
    pub fn kv_delete(&mut self, key: &[u8]) {
        self.kv.delete(key);
    }

    /// All records under a prefix, in the order of their keys.
    pub fn load_all<T: DeserializeOwned>(&mut self, prefix: &[u8]) -> Vec<T> {
        let keys: Vec<_> = self.kv.scan(prefix).into_iter().map(|(key, _)| key).collect();
        keys.iter().filter_map(|key| self.load(key)).collect()
    }

    /// Puts a row into the history.
    pub fn history_put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.history.push(Write::Put { space: Space::History, key, value });
    }

    /// Something for the host to do, after what was written so far is durable.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// News for the user interface.
    pub fn event(&mut self, event: Event) {
        self.effects.push(Effect::Event(event));
    }

    /// Forgets everything, here and on disk.
    pub fn wipe(&mut self) {
        self.kv.wipe();
        self.history.clear();
        self.wiped = true;
        self.jobs = Jobs::default();
        // Who asked something still gets an answer.
        let calls = std::mem::take(&mut self.live.calls);
        self.live = crate::live::Live::default();
        self.live.calls = calls;
    }

    /// Fresh random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Asks for an input at this time.
    pub fn wake_at(&mut self, time: Millis) {
        self.timers.insert(time);
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.insert(ticket, None);
        ticket
    }

    fn take(&mut self, ticket: Ticket) -> Option<Answer> {
        let answer = self.waiting.get_mut(&ticket)?.take()?;
        self.waiting.remove(&ticket);
        Some(answer)
    }

    fn resolve(&mut self, ticket: Ticket, answer: Answer) {
        // An answer that nobody waits for (twice, or of an earlier run) is dropped.
        if let Some(slot) = self.waiting.get_mut(&ticket) {
            slot.get_or_insert(answer);
        }
    }

    /// The answer to a request.
    pub fn resolve_response(&mut self, ticket: Ticket, result: Result<Response, NoAnswer>) {
        self.resolve(ticket, Answer::Response(result));
    }

    /// The answer to a read.
    pub fn resolve_history(&mut self, ticket: Ticket, rows: Vec<Row>) {
        self.resolve(ticket, Answer::History(rows));
    }

    /// Whether everything was forgotten since the last output.
    pub fn is_wiped(&self) -> bool {
        self.wiped
    }

    /// Takes what is to be written and done.
    pub fn take_output(&mut self) -> (Vec<Write>, Vec<Effect>) {
        let mut writes = Vec::new();
        if std::mem::take(&mut self.wiped) {
            writes.push(Write::Wipe);
        }
        writes.extend(self.kv.take_writes());
        writes.append(&mut self.history);
        (writes, std::mem::take(&mut self.effects))
    }

    /// The earliest time that somebody waits for. Times that have passed are forgotten.
    pub fn next_wake(&mut self) -> Option<Millis> {
        let now = self.now;
        self.timers.retain(|time| *time > now);
        let timer = self.timers.first().copied();
        [timer, self.connection.next_wake(), self.jobs.next_wake(now)].into_iter().flatten().min()
    }
}

/// A handle to the state, for tasks.
#[derive(Clone)]
pub(crate) struct Cx(Rc<RefCell<State>>);

impl Cx {
    pub fn new(state: State) -> Self {
        Cx(Rc::new(RefCell::new(state)))
    }

    /// Looks at and changes the state. The closure must not call a method of a [`Cx`].
    pub fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.state())
    }

    /// Out of line: it is done in some hundred places.
    #[inline(never)]
    fn state(&self) -> RefMut<'_, State> {
        let mut state = self.0.borrow_mut();
        state.changes += 1;
        state
    }

    /// Like [`Self::with`], for what mostly changes nothing: the closure says whether it did.
    pub fn step(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut state = self.0.borrow_mut();
        if change(&mut state) {
            state.changes += 1;
        }
    }

    /// Runs a flow beside the others.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.with(|s| s.spawned.push(Box::pin(task)));
    }

    /// Waits until a condition holds.
    pub async fn until(&self, mut condition: impl FnMut(&State) -> bool) {
        poll_fn(|_| if condition(&self.0.borrow()) { Poll::Ready(()) } else { Poll::Pending }).await
    }

    /// Waits until the clock shows this time.
    pub async fn sleep_until(&self, time: Millis) {
        self.with(|s| s.wake_at(time));
        self.until(|s| s.now >= time).await;
    }

    /// Sends a request and waits for its answer.
    pub async fn request(
        &self,
        method: &'static str,
        path: String,
        token: Option<String>,
        body: Option<Vec<u8>>,
    ) -> Result<Response, NoAnswer> {
        let ticket = self.with(|s| {
            let ticket = s.ticket();
            s.effect(Effect::Request { ticket, method, path, token, body });
            ticket
        });
        match self.answer(ticket).await {
            Answer::Response(result) => result,
            Answer::History(_) => Err(NoAnswer),
        }
    }

    /// Reads rows of the history with `from <= key < to`.
    pub async fn read_history(&self, from: Vec<u8>, to: Vec<u8>, limit: usize, reverse: bool) -> Vec<Row> {
        let ticket = self.with(|s| {
            let ticket = s.ticket();
            s.effect(Effect::ReadHistory { ticket, from, to, limit, reverse });
            ticket
        });
        match self.answer(ticket).await {
            Answer::History(rows) => rows,
            Answer::Response(_) => Vec::new(),
        }
    }

    async fn answer(&self, ticket: Ticket) -> Answer {
        poll_fn(|_| {
            let mut state = self.0.borrow_mut();
            match state.take(ticket) {
                Some(answer) => {
                    state.changes += 1;
                    Poll::Ready(answer)
                }
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// The tasks that are under way.
#[derive(Default)]
pub(crate) struct Tasks(Vec<Task>);

impl Tasks {
    /// Polls every task until nothing changes any more. `between` runs after each pass and may change and spawn too.
    pub fn run(&mut self, cx: &Cx, mut between: impl FnMut(&Cx)) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..PASSES_MAX {
            let before = cx.0.borrow().changes;
            // Once everything is forgotten, no flow of before may write into what begins anew.
            self.0.retain_mut(|task| !cx.0.borrow().wiped && task.as_mut().poll(&mut context).is_pending());
            if cx.0.borrow().wiped {
                self.0.clear();
                cx.0.borrow_mut().spawned.clear();
                break;
            }
            between(cx);
            let spawned = std::mem::take(&mut cx.0.borrow_mut().spawned);
            let quiet = spawned.is_empty() && cx.0.borrow().changes == before;
            self.0.extend(spawned);
            if quiet {
                break;
            }
        }
    }
}
