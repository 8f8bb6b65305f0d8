//! A network in memory whose faults a test seeds and whose clock a test steps.
//!
//! Nothing happens by itself: a call is put on the queue, and [`SimNet::step`] does what comes next. What happens to the n-th
//! call from one node to another follows from the seed, the two keys and n alone, so that a run repeats itself as long as
//! the nodes do the same; on a single-threaded runtime, over a store in memory, they do.
//!
//! Batches and questions are lost (the caller hears [`LinkError::TimedOut`]), answers are lost (the same, though the work was
//! done), handled twice, overtaken, cut off by a partition; a node can go away in the middle of its work and come back.

mod faults;
mod state;
#[cfg(test)]
mod tests;

pub use faults::Faults;

use crate::{LinkError, LinkEvent, PeerHandler, PeerKey, PeerLink, protocol::Protocol};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use state::{Arrival, Event, State};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::sync::{Notify, broadcast, oneshot};

/// Other tasks get so many turns after each event: each task between two waits needs one, and chains of wake-ups are short.
const TURNS: usize = 64;
/// Real time that a handler may take without calling anyone. One that takes longer waits for a task that waits for the
/// network: then the network goes on.
const HANDLER_PATIENCE: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// Within a handler: to tell the network that the handler waits for it.
    static WAITS: Arc<Notify>;
}

/// The network. Clones are the same one.
#[derive(Clone)]
pub struct SimNet(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Something was put on the queue.
    queued: Notify,
}

/// One node's end of the network.
#[derive(Clone)]
pub struct SimLink {
    net: SimNet,
    own: PeerKey,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls that were made.
    pub calls: u64,
    /// Times that a handler was run.
    pub handled: u64,
    /// Of these, because a call came twice.
    pub duplicated: u64,
    /// Calls lost on the way there.
    pub requests_lost: u64,
    /// Answers lost on the way back.
    pub answers_lost: u64,
    /// Calls and answers that a partition, or a node that was gone, swallowed.
    pub cut_off: u64,
}

impl SimNet {
    /// A network without nodes at time zero.
    pub fn new(seed: u64, faults: Faults) -> Self {
        SimNet(Arc::new(Shared { state: Mutex::new(State::new(seed, faults)), queued: Notify::new() }))
    }

    /// A node's end, before or after it is attached: the node that answers is usually made with it.
    pub fn link(&self, own: PeerKey) -> SimLink {
        SimLink { net: self.clone(), own }
    }

    /// A node comes, or comes back: connected to all that are there, unless cut off.
    pub fn attach(&self, node: PeerKey, handler: Arc<dyn PeerHandler>) -> SimLink {
        self.0.state.lock().attach(node, handler);
        self.link(node)
    }

    /// A node goes in the middle of its work: its handlers stop where they are, its calls end with [`LinkError::Closed`], those
    /// to it time out.
    pub fn detach(&self, node: PeerKey) {
        self.0.state.lock().detach(node);
        self.0.queued.notify_waiters();
    }

    /// Nothing passes between two nodes any more, what is on its way included.
    pub fn cut(&self, one: PeerKey, other: PeerKey) {
        self.0.state.lock().cut(one, other);
    }

    /// It passes again.
    pub fn join(&self, one: PeerKey, other: PeerKey) {
        self.0.state.lock().join(one, other);
    }

    /// Within a group everything passes, between groups nothing. Nodes in no group keep what they have.
    pub fn partition(&self, groups: &[&[PeerKey]]) {
        self.0.state.lock().partition(groups);
    }

    /// Everything passes again.
    pub fn heal(&self) {
        self.0.state.lock().heal();
    }

    /// Other faults, for calls from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.state.lock().faults = faults;
    }

    /// The time, in milliseconds from the start. A test's clock may tell it.
    pub fn now_ms(&self) -> u64 {
        self.0.state.lock().now_ms
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.0.state.lock().is_idle()
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        self.0.state.lock().counts
    }

    /// Addresses that a node has learned of another: they change nothing here, but a test may look.
    pub fn learned(&self, by: PeerKey, of: PeerKey) -> Vec<String> {
        self.0.state.lock().learned.get(&(by, of)).cloned().unwrap_or_default()
    }

    /// Does what comes next and lets the nodes react. Gives the time; `None` if there was nothing to do.
    pub async fn step(&self) -> Option<u64> {
        self.step_until(u64::MAX).await
    }

    /// Does all that comes within so many milliseconds; afterwards it is so much later.
    pub async fn advance(&self, by_ms: u64) {
        let until = self.now_ms().saturating_add(by_ms);
        while self.step_until(until).await.is_some() {}
        let mut state = self.0.state.lock();
        state.now_ms = state.now_ms.max(until);
    }

    /// Steps until the future is ready, waiting in real time when nothing is on its way.
    pub async fn run_until<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            let mut queued = pin!(self.0.queued.notified());
            queued.as_mut().enable();
            if let std::task::Poll::Ready(output) = futures::poll!(future.as_mut()) {
                return output;
            }
            if self.step().await.is_none() {
                tokio::select! {
                    output = &mut future => return output,
                    () = queued => {}
                }
            }
        }
    }

    async fn step_until(&self, until_ms: u64) -> Option<u64> {
        let event = self.0.state.lock().next(until_ms)?;
        match event {
            Event::Answer { call, answer } => self.0.state.lock().answer(call, answer),
            Event::Arrive(arrival) => self.arrive(arrival).await,
        }
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        Some(self.now_ms())
    }

    /// Runs the handler until it is done, or waits for the network itself.
    async fn arrive(&self, arrival: Arrival) {
        let Some(handler) = self.0.state.lock().admit(&arrival) else { return };
        let waits = Arc::new(Notify::new());
        let (net, to) = (self.clone(), arrival.to);
        let (done, is_done) = oneshot::channel::<()>();
        let work = async move {
            let _done = done;
            let Arrival { call, from, protocol, bytes, .. } = arrival;
            let answer = match protocol {
                Protocol::Deliver => handler.deliver(from, bytes).await,
                Protocol::Query => handler.query(from, bytes).await,
            };
            if let Some(call) = call {
                net.0.state.lock().answered(call, answer);
                net.0.queued.notify_waiters();
            }
        };
        let task = tokio::spawn(WAITS.scope(Arc::clone(&waits), work));
        self.0.state.lock().runs(to, task.abort_handle());
        tokio::select! {
            // Also when it panicked, or its node was detached: then its end of the channel is dropped.
            _ = is_done => {}
            () = waits.notified() => {}
            () = tokio::time::sleep(HANDLER_PATIENCE) => {}
        }
    }
}

impl SimLink {
    async fn call(&self, to: PeerKey, protocol: Protocol, bytes: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        if bytes.len() > protocol.request_bytes_max() {
            return Err(LinkError::TooLarge);
        }
        let answer = self.net.0.state.lock().call(self.own, to, protocol, bytes)?;
        self.net.0.queued.notify_waiters();
        // Outside of a handler nobody has to be told.
        let _ = WAITS.try_with(|waits| waits.notify_one());
        answer.await.map_err(|_| LinkError::Closed)?
    }
}

impl PeerLink for SimLink {
    fn deliver(&self, to: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        Box::pin(self.call(to, Protocol::Deliver, batch))
    }

    fn query(&self, to: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        Box::pin(self.call(to, Protocol::Query, question))
    }

    fn events(&self) -> broadcast::Receiver<LinkEvent> {
        self.net.0.state.lock().events(self.own)
    }

    fn is_connected(&self, peer: PeerKey) -> bool {
        self.net.0.state.lock().passes(self.own, peer)
    }

    fn learn(&self, peer: PeerKey, addresses: Vec<String>) {
        if !addresses.is_empty() {
            self.net.0.state.lock().learned.insert((self.own, peer), addresses);
        }
    }

    fn addresses(&self, peer: PeerKey) -> Vec<String> {
        self.net.learned(self.own, peer)
    }
}
