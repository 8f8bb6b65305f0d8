//! What other nodes send ARRIVES here: who speaks, whether they may, what is new, and then each event's effect and its number
//! in one store commit, so that an event that comes twice takes effect once.

use super::{
    Federation, FederationError, Result,
    bridge::Trouble,
    records::{ArrivalRecord, PeerRecord, ResultRecord},
    together,
};
use crate::{
    Budget, Fault, LimitKey,
    context::{be64, joined},
};
use futures::future::BoxFuture;
use weft_net::{PeerHandler, PeerKey};
use weft_store::{Batch as StoreBatch, Scan, Tx, record::Record, tables};
use weft_wire::{
    Blob, Code, NodeName, Problem, codec,
    federation::{Answer, Batch, BatchAck, Event, EventResult, Question},
    limits::{EVENTS_PER_BATCH_MAX, PEER_BATCH_BYTES_MAX, PEER_QUERY_BYTES_MAX},
};

/// Runs of a node that are remembered as over.
const RUNS_OVER_MAX: usize = 8;
/// Results that are deleted in one commit.
const DELETE_PAGE: usize = 512;
/// What a row costs beside what is in it.
const ROW_BYTES: usize = 128;

impl PeerHandler for Federation {
    fn deliver(&self, from: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async move { codec::encode(&self.arrive(from, &batch).await) })
    }

    fn query(&self, from: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        Box::pin(async move {
            let answer = self.asked(from, &question).await;
            let bytes = codec::encode(&answer.unwrap_or_else(|error| Answer::Problem(error.into())));
            if bytes.len() <= PEER_QUERY_BYTES_MAX {
                return bytes;
            }
            codec::encode(&Answer::Problem(Problem::new(Code::TooLarge)))
        })
    }
}

impl Federation {
    async fn arrive(&self, from: PeerKey, bytes: &[u8]) -> BatchAck {
        match self.try_arrive(from, bytes).await {
            Ok(ack) => ack,
            // Nothing of it was taken. `upto` says nothing here: who sees a problem looks at `current`.
            Err(error) => BatchAck { upto: 0, results: Vec::new(), problem: Some(error.into()) },
        }
    }

    async fn try_arrive(&self, from: PeerKey, bytes: &[u8]) -> Result<BatchAck> {
        let malformed =
            |why: &dyn std::fmt::Display| FederationError::Refused(Problem::new(Code::Malformed).detail(why));
        let batch: Batch = codec::decode(bytes, PEER_BATCH_BYTES_MAX).map_err(|error| malformed(&error))?;
        crate::error::at_most("events", batch.events.len(), EVENTS_PER_BATCH_MAX)?;
        if batch.first == 0 || batch.first.checked_add(EVENTS_PER_BATCH_MAX as u64).is_none() {
            return Err(malformed(&"numbers begin with 1"));
        }
        let peer = self.admit(from, &batch.from).await?;
        // One batch of a node at a time: two that crossed on the way would only get into each other's way.
        let turn = self.turns.of(&batch.from);
        let _turn = turn.lock().await;
        // Before anything is done for it, and be it only to begin another run.
        self.charge(&batch.from, &peer, batch.events.len(), bytes.len())?;
        let upto = match self.begin(&batch).await? {
            Begun::At(upto) => upto,
            Begun::Gap(upto) => return Ok(gap(upto)),
        };
        let (upto, problem) = self.take_all(&batch, &peer, upto).await;
        let results = self.results(&batch.from, batch.first, upto).await?;
        self.nodes.heard(&batch.from, &peer).await?;
        Ok(BatchAck { upto, results, problem })
    }

    fn charge(&self, name: &NodeName, peer: &PeerRecord, events: usize, bytes: usize) -> Result<(), Fault> {
        let (limits, key) = (&self.nodes.ctx.limits, LimitKey::Peer(name.clone()));
        limits.take_several(Budget::PeerEvents, &key, peer.cost(events))?;
        limits.take_several(Budget::PeerKilobytes, &key, peer.cost(bytes.div_ceil(1024)))
    }

    /// Compares run and number with what was taken. A run that is new begins with 1.
    async fn begin(&self, batch: &Batch) -> Result<Begun> {
        let name = &batch.from;
        let known: Option<ArrivalRecord> = self.nodes.ctx.read(tables::INBOX_PEERS, name.as_str()).await?;
        match &known {
            Some(known) if known.run == batch.run => {
                // What the sender has heard of, nobody will ask for again.
                self.forget_results(name, batch.first).await?;
                return Ok(if batch.first > known.upto + 1 {
                    Begun::Gap(known.upto)
                } else {
                    Begun::At(known.upto)
                });
            }
            Some(known) if known.over.iter().any(|over| over.as_slice() == batch.run) => {
                return Ok(Begun::Gap(known.upto));
            }
            _ if batch.first != 1 => return Ok(Begun::Gap(0)),
            _ => {}
        }
        // Results first: a stop in between leaves none of the old run under numbers of the new one.
        self.forget_results(name, u64::MAX).await?;
        self.nodes
            .ctx
            .store
            .transact(|tx| async move {
                let row = tx.get(tables::INBOX_PEERS, name.as_str().as_bytes()).await?;
                let mut over = Vec::new();
                if let Some(row) = row {
                    let known = ArrivalRecord::from_record(&row.value)?;
                    over = known.over;
                    over.push(Blob(known.run.to_vec()));
                    over.drain(..over.len().saturating_sub(RUNS_OVER_MAX));
                }
                let fresh = ArrivalRecord { run: batch.run, upto: 0, over };
                tx.put(tables::INBOX_PEERS, name.as_str(), fresh.to_record());
                Ok::<_, FederationError>(())
            })
            .await?;
        Ok(Begun::At(0))
    }

    /// What of an event stays on this disk, as far as no account is charged for it. Taken before the event is looked at; an
    /// event that finds nothing left comes again later.
    fn charge_written(&self, name: &NodeName, peer: &PeerRecord, event: &Event) -> Result<(), Fault> {
        match stored_bytes(event) {
            0 => Ok(()),
            bytes => {
                let cost = usize::try_from(peer.cost(bytes)).unwrap_or(usize::MAX);
                self.nodes.ctx.limits.take_bytes(&LimitKey::Peer(name.clone()), cost)
            }
        }
    }

    /// Takes what is new of a batch, in order. Gives the last number that was taken, and why the rest was not.
    async fn take_all(&self, batch: &Batch, peer: &PeerRecord, upto: u64) -> (u64, Option<Problem>) {
        let fresh = usize::try_from((upto + 1).saturating_sub(batch.first)).unwrap_or(usize::MAX);
        let mut rest = batch.events.get(fresh..).unwrap_or_default();
        let mut taken = upto;
        while !rest.is_empty() {
            // What is paid for is taken, though there be nothing left for what comes after it.
            let mut charged = Ok(());
            let some = rest.iter().take(together::run(rest)).take_while(|event| {
                charged = self.charge_written(&batch.from, peer, event);
                charged.is_ok()
            });
            let (some, others) = rest.split_at(some.count());
            if some.len() > 1 && self.take_several(batch, taken + 1, some).await.is_ok() {
                taken += some.len() as u64;
            } else {
                for event in some {
                    match self.take_or_refuse(batch, taken + 1, event).await {
                        Ok(()) => taken += 1,
                        Err(problem) => return (taken, Some(problem)),
                    }
                }
            }
            if let Err(fault) = charged {
                return (taken, Some(fault.into()));
            }
            rest = others;
        }
        (taken, None)
    }

    /// Takes one event, or notes that it never will be.
    async fn take_or_refuse(&self, batch: &Batch, number: u64, event: &Event) -> Result<(), Problem> {
        let outcome = match self.take_one(batch, number, event).await {
            // A fault here that does not pass must not hold up all that comes after.
            Err(Trouble::Later(problem))
                if problem.code == Code::Internal && self.trials.is_over(batch, number) =>
            {
                Err(Trouble::Refused(problem))
            }
            outcome => outcome,
        };
        let outcome = match outcome {
            Err(Trouble::Refused(problem)) => {
                tracing::debug!(node = %batch.from, number, code = problem.code.as_str(), "refused an event");
                self.refuse_one(batch, number, problem).await
            }
            outcome => outcome,
        };
        outcome.map_err(|trouble| match trouble {
            Trouble::Later(problem) | Trouble::Refused(problem) => problem,
        })
    }

    async fn take_one(&self, batch: &Batch, number: u64, event: &Event) -> Result<(), Trouble> {
        self.nodes
            .ctx
            .store
            .transact(|tx| async move {
                // Read first, hence asserted: whatever else happens, the effect is written with this very number or not at all.
                if !self.stage_number(&tx, batch, number).await? {
                    return Ok(());
                }
                let result = self.bridge.take(&tx, &batch.from, event).await?;
                stage_result(&tx, &batch.from, number, result);
                Ok(())
            })
            .await
    }

    async fn refuse_one(&self, batch: &Batch, number: u64, problem: Problem) -> Result<(), Trouble> {
        let problem = &problem;
        self.nodes
            .ctx
            .store
            .transact(|tx| async move {
                if self.stage_number(&tx, batch, number).await? {
                    let refused = EventResult::Refused(problem.clone());
                    stage_result(&tx, &batch.from, number, Some(refused));
                }
                Ok(())
            })
            .await
    }

    /// Moves the number forward. False: somebody else has taken this event meanwhile.
    pub(super) async fn stage_number(&self, tx: &Tx, batch: &Batch, number: u64) -> Result<bool, Trouble> {
        let name = batch.from.as_str();
        let row = tx.get(tables::INBOX_PEERS, name.as_bytes()).await?;
        let known = row.map(|row| ArrivalRecord::from_record(&row.value)).transpose()?;
        let Some(mut known) = known.filter(|known| known.run == batch.run) else {
            return Err(Trouble::Later(Problem::new(Code::Conflict)));
        };
        if number <= known.upto {
            return Ok(false);
        }
        if number != known.upto + 1 {
            return Err(Trouble::Later(Problem::new(Code::Conflict).current(known.upto)));
        }
        known.upto = number;
        tx.put(tables::INBOX_PEERS, name, known.to_record());
        Ok(true)
    }

    async fn results(&self, name: &NodeName, first: u64, upto: u64) -> Result<Vec<(u64, EventResult)>> {
        let prefix = joined(name.as_str(), []);
        let after = joined(name.as_str(), (first - 1).to_be_bytes());
        let scan = Scan::prefix(&prefix).after(after).limit(2 * EVENTS_PER_BATCH_MAX);
        let mut results = Vec::new();
        for row in self.nodes.ctx.store.scan(tables::INBOX_RESULTS, scan).await? {
            let number = be64(&row.key).ok_or(Fault::Internal("a result without a number"))?;
            if number <= upto {
                results.push((number, ResultRecord::from_record(&row.value)?.result));
            }
        }
        Ok(results)
    }

    /// Deletes the results of events below a number.
    async fn forget_results(&self, name: &NodeName, below: u64) -> Result<()> {
        let prefix = joined(name.as_str(), []);
        loop {
            let scan = Scan::prefix(&prefix).limit(DELETE_PAGE);
            let rows = self.nodes.ctx.store.scan(tables::INBOX_RESULTS, scan).await?;
            let old = rows.iter().take_while(|row| be64(&row.key).is_some_and(|number| number < below));
            let batch =
                old.fold(StoreBatch::new(), |batch, row| batch.delete(tables::INBOX_RESULTS, &row.key));
            if batch.is_empty() {
                return Ok(());
            }
            self.nodes.ctx.store.commit(batch).await?;
        }
    }

    async fn asked(&self, from: PeerKey, bytes: &[u8]) -> Result<Answer> {
        let question: Question = codec::decode(bytes, PEER_QUERY_BYTES_MAX)
            .map_err(|error| FederationError::Refused(Problem::new(Code::Malformed).detail(error)))?;
        let name = asker(&question)?;
        let peer = self.admit(from, &name).await?;
        let key = LimitKey::Peer(name.clone());
        let budget = match question {
            Question::Link { .. } => Budget::PeerPosts,
            _ => Budget::PeerQuestions,
        };
        self.nodes.ctx.limits.take_several(budget, &key, peer.cost(1))?;
        let kilobytes = peer.cost(bytes.len().div_ceil(1024));
        self.nodes.ctx.limits.take_several(Budget::PeerKilobytes, &key, kilobytes)?;
        self.nodes.heard(&name, &peer).await?;
        Ok(self.bridge.answer(&name, question).await)
    }

    async fn admit(&self, from: PeerKey, name: &NodeName) -> Result<PeerRecord> {
        let ways = self.nodes.ways();
        self.nodes.peers.admit(from, name, ways.as_ref().map(|ways| ways.directory.as_ref())).await
    }
}

/// About what an event adds to the disk that nobody else is charged for. The messages of people are theirs.
pub(super) fn stored_bytes(event: &Event) -> usize {
    match event {
        Event::Room { state, devices, entries, .. } => {
            let entries = entries.iter().map(|entry| entry.envelope.body().len() + ROW_BYTES);
            let members = state.as_ref().map_or(0, |state| state.members.len() + state.gone.len());
            entries.sum::<usize>() + (members + devices.len()) * ROW_BYTES / 2
        }
        Event::Welcome { welcome, .. } => welcome.len() + ROW_BYTES,
        Event::Item { item, .. } => item.sealed.len() + ROW_BYTES,
        Event::Delivered { .. } => ROW_BYTES,
        Event::Contact { .. } | Event::Message { .. } | Event::DeviceGone { .. } | Event::Left { .. } => 0,
    }
}

/// Each question names who asks, or a device that does: that is the node that speaks.
fn asker(question: &Question) -> Result<NodeName> {
    let unreadable = |_| FederationError::Refused(Problem::new(Code::BadCertificate));
    match question {
        Question::Person { by, .. }
        | Question::Claim { by, .. }
        | Question::GroupInfo { by, .. }
        | Question::Packet { by, .. }
        | Question::Shop { by, .. }
        | Question::Invoice { by, .. }
        | Question::Door { by, .. } => Ok(by.node.clone()),
        Question::Join { user, .. } => Ok(user.node.clone()),
        Question::Commit { cert, .. } => Ok(cert.peek().map_err(unreadable)?.user.node),
        Question::Ephemeral { from, .. }
        | Question::Link { from, .. }
        | Question::Root { from, .. }
        | Question::Charge { from, .. } => Ok(from.clone()),
    }
}

enum Begun {
    /// Everything up to here was taken before.
    At(u64),
    /// Something before this batch is missing.
    Gap(u64),
}

fn gap(upto: u64) -> BatchAck {
    let problem = Problem::new(Code::CursorLost).current(upto).detail("events before these are missing");
    BatchAck { upto, results: Vec::new(), problem: Some(problem) }
}

pub(super) fn stage_result(tx: &Tx, name: &NodeName, number: u64, result: Option<EventResult>) {
    if let Some(result) = result {
        let key = joined(name.as_str(), number.to_be_bytes());
        tx.put(tables::INBOX_RESULTS, key, ResultRecord { result }.to_record());
    }
}
