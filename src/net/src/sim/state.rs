//! What is on its way, and who is there.

use super::{Counts, Faults};
use crate::{LinkError, LinkEvent, PeerHandler, PeerKey, protocol::Protocol};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use tokio::{
    sync::{broadcast, oneshot},
    task::AbortHandle,
};

/// Events that a node may be behind, as in the real network.
const EVENTS_BEHIND_MAX: usize = 1_024;
/// Until a call to a node that is not there fails: about what a refused connection takes.
const UNREACHABLE_MS: u64 = 20;

type Answer = Result<Vec<u8>, LinkError>;

/// A call that comes to its node.
pub(super) struct Arrival {
    /// `None` for the second coming of a call: its answer goes nowhere.
    pub(super) call: Option<u64>,
    pub(super) from: PeerKey,
    pub(super) to: PeerKey,
    pub(super) protocol: Protocol,
    pub(super) bytes: Vec<u8>,
}

pub(super) enum Event {
    Arrive(Arrival),
    Answer { call: u64, answer: Answer },
}

struct Node {
    handler: Arc<dyn PeerHandler>,
    running: Vec<AbortHandle>,
}

struct Call {
    from: PeerKey,
    to: PeerKey,
    back_ms: Option<u64>,
    /// Its end on the queue, if nothing comes before.
    timeout: (u64, u64),
    reply: oneshot::Sender<Answer>,
}

pub(super) struct State {
    pub(super) now_ms: u64,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    pub(super) learned: BTreeMap<(PeerKey, PeerKey), Vec<String>>,
    seed: u64,
    /// By time, then in the order in which they were put there.
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    nodes: BTreeMap<PeerKey, Node>,
    events: BTreeMap<PeerKey, broadcast::Sender<LinkEvent>>,
    /// Pairs between which nothing passes, the lower key first.
    cuts: BTreeSet<(PeerKey, PeerKey)>,
    calls: HashMap<u64, Call>,
    next_call: u64,
    made: HashMap<(PeerKey, PeerKey), u64>,
}

impl State {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        State {
            now_ms: 0,
            faults,
            counts: Counts::default(),
            learned: BTreeMap::new(),
            seed,
            queue: BTreeMap::new(),
            queued: 0,
            nodes: BTreeMap::new(),
            events: BTreeMap::new(),
            cuts: BTreeSet::new(),
            calls: HashMap::new(),
            next_call: 0,
            made: HashMap::new(),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn events(&mut self, node: PeerKey) -> broadcast::Receiver<LinkEvent> {
        self.sender(node).subscribe()
    }

    fn sender(&mut self, node: PeerKey) -> &broadcast::Sender<LinkEvent> {
        self.events.entry(node).or_insert_with(|| broadcast::Sender::new(EVENTS_BEHIND_MAX))
    }

    /// Whether two nodes are there and nothing is between them.
    pub(super) fn passes(&self, one: PeerKey, other: PeerKey) -> bool {
        one != other
            && self.nodes.contains_key(&one)
            && self.nodes.contains_key(&other)
            && !self.cuts.contains(&pair(one, other))
    }

    // Who is there.

    pub(super) fn attach(&mut self, node: PeerKey, handler: Arc<dyn PeerHandler>) {
        self.detach(node);
        self.nodes.insert(node, Node { handler, running: Vec::new() });
        for other in self.others(node) {
            self.tell(node, other, LinkEvent::Connected);
        }
    }

    pub(super) fn detach(&mut self, node: PeerKey) {
        let others = self.others(node);
        let Some(gone) = self.nodes.remove(&node) else { return };
        gone.running.iter().for_each(AbortHandle::abort);
        for other in others {
            self.tell(node, other, LinkEvent::Disconnected);
        }
        // Dropping their replies closes them.
        let ended: Vec<u64> =
            self.calls.iter().filter(|(_, call)| call.from == node).map(|(id, _)| *id).collect();
        for call in ended.iter().filter_map(|id| self.calls.remove(id)).collect::<Vec<_>>() {
            self.queue.remove(&call.timeout);
        }
    }

    fn others(&self, node: PeerKey) -> Vec<PeerKey> {
        self.nodes.keys().copied().filter(|other| self.passes(node, *other)).collect()
    }

    fn tell(&mut self, one: PeerKey, other: PeerKey, event: fn(PeerKey) -> LinkEvent) {
        // Nobody may be listening.
        let _ = self.sender(one).send(event(other));
        let _ = self.sender(other).send(event(one));
    }

    pub(super) fn cut(&mut self, one: PeerKey, other: PeerKey) {
        let passed = self.passes(one, other);
        self.cuts.insert(pair(one, other));
        if passed {
            self.tell(one, other, LinkEvent::Disconnected);
        }
    }

    pub(super) fn join(&mut self, one: PeerKey, other: PeerKey) {
        if self.cuts.remove(&pair(one, other)) && self.passes(one, other) {
            self.tell(one, other, LinkEvent::Connected);
        }
    }

    pub(super) fn partition(&mut self, groups: &[&[PeerKey]]) {
        for (index, group) in groups.iter().enumerate() {
            for &one in *group {
                group.iter().filter(|other| **other != one).for_each(|other| self.join(one, *other));
                let elsewhere = groups.iter().skip(index + 1).flat_map(|group| group.iter());
                elsewhere.for_each(|other| self.cut(one, *other));
            }
        }
    }

    pub(super) fn heal(&mut self) {
        for (one, other) in self.cuts.clone() {
            self.join(one, other);
        }
    }

    // What is on its way.

    fn put(&mut self, at_ms: u64, event: Event) -> (u64, u64) {
        self.queued += 1;
        self.queue.insert((at_ms, self.queued), event);
        (at_ms, self.queued)
    }

    /// The next event until this time; the clock stands at its time then.
    pub(super) fn next(&mut self, until_ms: u64) -> Option<Event> {
        let first = self.queue.first_entry()?;
        let (at_ms, _) = *first.key();
        if at_ms > until_ms {
            return None;
        }
        let event = first.remove();
        self.now_ms = self.now_ms.max(at_ms);
        Some(event)
    }

    pub(super) fn call(
        &mut self,
        from: PeerKey,
        to: PeerKey,
        protocol: Protocol,
        bytes: Vec<u8>,
    ) -> Result<oneshot::Receiver<Answer>, LinkError> {
        if from == to {
            return Err(LinkError::Refused);
        }
        if !self.nodes.contains_key(&from) {
            // The process is gone; what is left of it in memory calls nobody.
            return Err(LinkError::Closed);
        }
        let nth = self.made.entry((from, to)).or_default();
        *nth += 1;
        let fate = self.faults.fate(self.seed, from, to, *nth);
        let (reply, answer) = oneshot::channel();
        let call = self.next_call;
        self.next_call += 1;
        self.counts.calls += 1;
        let times_out_ms = self.now_ms.saturating_add(self.faults.timeout_ms);
        let passes = self.passes(from, to);
        let (ends_ms, error) = if passes {
            (times_out_ms, LinkError::TimedOut)
        } else {
            self.counts.cut_off += 1;
            (self.now_ms + UNREACHABLE_MS, LinkError::Unreachable)
        };
        let timeout = self.put(ends_ms, Event::Answer { call, answer: Err(error) });
        self.calls.insert(call, Call { from, to, back_ms: fate.back_ms, timeout, reply });
        if !passes {
            return Ok(answer);
        }
        if let Some(again_ms) = fate.again_ms {
            let arrival = Arrival { call: None, from, to, protocol, bytes: bytes.clone() };
            self.put(self.now_ms + again_ms, Event::Arrive(arrival));
        }
        match fate.there_ms {
            Some(there_ms) => {
                let arrival = Arrival { call: Some(call), from, to, protocol, bytes };
                self.put(self.now_ms + there_ms, Event::Arrive(arrival));
            }
            None => self.counts.requests_lost += 1,
        }
        Ok(answer)
    }

    /// The handler for what arrives; none if it does not arrive after all.
    pub(super) fn admit(&mut self, arrival: &Arrival) -> Option<Arc<dyn PeerHandler>> {
        if !self.passes(arrival.from, arrival.to) {
            self.counts.cut_off += 1;
            return None;
        }
        self.counts.handled += 1;
        self.counts.duplicated += u64::from(arrival.call.is_none());
        self.nodes.get(&arrival.to).map(|node| Arc::clone(&node.handler))
    }

    /// A handler runs, and stops when its node goes.
    pub(super) fn runs(&mut self, node: PeerKey, task: AbortHandle) {
        match self.nodes.get_mut(&node) {
            Some(node) => {
                node.running.retain(|running| !running.is_finished());
                node.running.push(task);
            }
            None => task.abort(),
        }
    }

    /// A handler is done; its answer goes on its way.
    pub(super) fn answered(&mut self, call: u64, answer: Vec<u8>) {
        // It may have timed out, or its caller be gone.
        let Some(waiting) = self.calls.get(&call) else { return };
        let (from, to) = (waiting.from, waiting.to);
        match waiting.back_ms {
            _ if !self.passes(from, to) => self.counts.cut_off += 1,
            Some(back_ms) => {
                self.put(self.now_ms + back_ms, Event::Answer { call, answer: Ok(answer) });
            }
            None => self.counts.answers_lost += 1,
        }
    }

    /// A call ends. An answer that a partition came between is no answer: its caller waits for the time to be over.
    pub(super) fn answer(&mut self, call: u64, answer: Answer) {
        let Some(waiting) = self.calls.get(&call) else { return };
        if answer.is_ok() && !self.passes(waiting.from, waiting.to) {
            self.counts.cut_off += 1;
            return;
        }
        if let Some(waiting) = self.calls.remove(&call) {
            self.queue.remove(&waiting.timeout);
            // Its caller may have given up.
            let _ = waiting.reply.send(answer);
        }
    }
}

fn pair(one: PeerKey, other: PeerKey) -> (PeerKey, PeerKey) {
    if one <= other { (one, other) } else { (other, one) }
}
