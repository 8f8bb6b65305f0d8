//! Carries what waits for other nodes: one courier a node, one batch at a time, so that order holds by itself.

use super::{
    Federation, FederationError, Result,
    bridge::Outcome,
    outbox::Waiting,
    peers::unreachable,
    records::{Outgoing, RunRecord},
};
use crate::{Fault, LimitKey};
use rand_core::RngCore;
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use tokio::{
    sync::{broadcast, watch},
    task::JoinSet,
};
use weft_net::{LinkError, LinkEvent, PeerKey};
use weft_store::{Error as StoreError, record::Record, tables};
use weft_wire::{
    Code, NodeName, RoomId, codec,
    federation::{Batch, BatchAck, Event, EventResult},
    limits::{EVENTS_PER_BATCH_MAX, PEER_BATCH_BYTES_MAX, PEER_QUERY_BYTES_MAX},
};

/// The first pause after a failure, and the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(10 * 60);
/// What a batch may be short of its bound: its frame, and the frame of the last event.
const BATCH_SPARE_BYTES: usize = 64 << 10;
/// Rows that are settled in one commit. A whole batch with what follows from it would not always fit.
const SETTLE_PAGE: usize = 16;
/// Rows that are given up in one commit.
const EXPIRE_PAGE: usize = 128;

/// What one round came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Nothing waits.
    Idle,
    /// Something was taken; there may be more.
    Went,
    /// Try again, after a pause.
    Failed {
        /// What the other node asked for.
        retry_after: Option<Duration>,
        /// Whether something was taken before it said no: it is slow then, and not away.
        went: bool,
    },
}

impl Federation {
    /// Carries one batch to a node.
    pub(crate) async fn round(&self, to: &NodeName) -> Result<Round> {
        self.give_up_old(to).await?;
        let rows = self.nodes.outbox.first_rows(to, EVENTS_PER_BATCH_MAX).await?;
        let Some(first) = rows.first() else { return Ok(Round::Idle) };
        let run = self.nodes.outbox.run(to, first.number).await?;
        let ways = self.nodes.ways().ok_or(FederationError::Off)?;
        let peer =
            self.nodes.peers.reach(&LimitKey::Peer(to.clone()), to, Some(ways.directory.as_ref())).await?;
        ways.link.learn(PeerKey(peer.key), peer.addresses.clone());
        let batch = self.pack(to, &run, &rows).await?;
        let sent = ways.link.deliver(PeerKey(peer.key), codec::encode(&batch)).await;
        let bytes = sent.map_err(unreachable(to))?;
        let ack: BatchAck = codec::decode(&bytes, PEER_QUERY_BYTES_MAX)
            .map_err(|_| FederationError::Nonsense { node: to.clone() })?;
        self.nodes.heard(to, &peer).await?;
        self.acknowledged(to, &run, &rows, ack).await
    }

    /// Rows that waited for too long fail, visibly: the features say so to whom it concerns.
    async fn give_up_old(&self, to: &NodeName) -> Result<()> {
        let ctx = &self.nodes.ctx;
        loop {
            // A cheap look first. What is given up is gone, so that the clock alone, which may jump, does not decide it.
            let first = self.nodes.outbox.first_rows(to, 1).await?;
            let retention_ms = ctx.config.peer_retention_ms;
            if first.first().is_none_or(|row| row.time_ms >= ctx.now().saturating_sub(retention_ms)) {
                return Ok(());
            }
            let oldest_ms = ctx.aged().await?.saturating_sub(retention_ms);
            let rows = self.nodes.outbox.first_rows(to, EXPIRE_PAGE).await?;
            let old: Vec<_> = rows.into_iter().take_while(|row| row.time_ms < oldest_ms).collect();
            if old.is_empty() {
                return Ok(());
            }
            tracing::warn!(node = %to, rows = old.len(), "gave up what waited for a node");
            let old = &old;
            ctx.store
                .transact(|tx| async move {
                    for row in old {
                        if tx.get(tables::OUTBOX, &row.key).await?.is_some() {
                            self.bridge.settle(&tx, to, &row.item, &Outcome::Expired).await?;
                            tx.delete(tables::OUTBOX, &row.key);
                        }
                    }
                    Ok::<_, FederationError>(())
                })
                .await?;
        }
    }

    /// As many rows as fit one batch.
    async fn pack(&self, to: &NodeName, run: &RunRecord, rows: &[Waiting]) -> Result<Batch> {
        let first = rows.first().map_or(1, |row| row.number - run.base);
        let mut batch = Batch { from: self.nodes.ctx.node.clone(), run: run.run, first, events: Vec::new() };
        let mut left = PEER_BATCH_BYTES_MAX - BATCH_SPARE_BYTES;
        // News of a room goes with its last row. An earlier one may have been taken already, with what was new then, before the
        // answer to it was lost; what it carries now would not be looked at.
        let last = last_of_rooms(rows);
        for row in rows {
            let event: Event = match &row.item {
                Outgoing::Event(event) | Outgoing::Owed(event) => event.as_ref().clone(),
                item @ Outgoing::Room { room, .. } => {
                    self.bridge.open(to, item, last.get(room) == Some(&row.number)).await?
                }
                item @ Outgoing::Welcome { .. } => self.bridge.open(to, item, true).await?,
            };
            let bytes = codec::encode(&event).len();
            if bytes > left && !batch.events.is_empty() {
                break;
            }
            left = left.saturating_sub(bytes);
            batch.events.push(event);
        }
        Ok(batch)
    }

    async fn acknowledged(
        &self,
        to: &NodeName,
        run: &RunRecord,
        rows: &[Waiting],
        ack: BatchAck,
    ) -> Result<Round> {
        let problem = ack.problem.as_ref();
        let given = self.nodes.outbox.head(to).await?.saturating_sub(run.base);
        let lost = problem.is_some_and(|problem| problem.code == Code::CursorLost);
        // It has lost its place, or it knows of numbers that were never given: one of the two comes from a backup.
        if lost || ack.upto > given {
            tracing::warn!(node = %to, upto = ack.upto, given, "a node has lost its place; numbers begin anew");
            let next = rows.first().map_or(1, |row| row.number);
            self.nodes.outbox.renew(to, next).await?;
            return Ok(Round::Failed { retry_after: Some(Duration::ZERO), went: false });
        }
        let upto = ack.upto.saturating_add(run.base);
        let went = upto > run.acked;
        if went {
            self.settle(to, run, rows, upto, &ack).await?;
        }
        match problem {
            None if went => Ok(Round::Went),
            None => Err(FederationError::Nonsense { node: to.clone() }),
            Some(problem) => {
                tracing::debug!(node = %to, code = problem.code.as_str(), "a node did not take all");
                if !went {
                    let error = match problem.code {
                        // Said of the whole batch, this is about who sends it.
                        Code::BadSignature => FederationError::KnownOtherwise { node: to.clone() },
                        _ => FederationError::Refused(problem.clone()),
                    };
                    self.nodes.peers.failed(to, &error).await?;
                }
                let retry_after = problem.retry_after_ms.map(Duration::from_millis);
                Ok(Round::Failed { retry_after, went })
            }
        }
    }

    /// Deletes what has arrived, with what follows from it.
    async fn settle(
        &self,
        to: &NodeName,
        run: &RunRecord,
        rows: &[Waiting],
        upto: u64,
        ack: &BatchAck,
    ) -> Result<()> {
        // Of all rows: where the last one of a room has not arrived, the others brought nothing of its log.
        let last = last_of_rooms(rows);
        let outcome = |row: &Waiting| -> Option<Outcome> {
            // What a copy is like after the batch, the last answer says.
            if let Outgoing::Room { room, .. } = &row.item
                && last.get(room) != Some(&row.number)
            {
                return None;
            }
            let number = row.number - run.base;
            let found = ack.results.iter().find(|(of, _)| *of == number);
            let result = |(_, result): &(u64, EventResult)| -> Outcome { Outcome::Result(result.clone()) };
            Some(found.map_or(Outcome::Done, result))
        };
        // Rows that this round has read. If the other node knows of more, the next round finds that out.
        let arrived: Vec<_> = rows.iter().take_while(|row| row.number <= upto).collect();
        let arrived: Vec<_> = arrived.into_iter().map(|row| (row, outcome(row))).collect();
        let (mut rest, mut before, mut page_max) = (arrived.as_slice(), run.clone(), SETTLE_PAGE);
        while let Some((page, others)) = rest.split_at_checked(page_max.min(rest.len()))
            && let Some((last, _)) = page.last()
        {
            let after = RunRecord { acked: last.number, ..run.clone() };
            match self.settle_page(to, page, (&before, &after)).await {
                Ok(true) => (rest, before) = (others, after),
                // Another run has begun meanwhile.
                Ok(false) => return Ok(()),
                // What follows from one row may be much, in a large group.
                Err(FederationError::Fault(Fault::Store(StoreError::TooLarge { .. }))) if page_max > 1 => {
                    page_max = 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes some rows with what follows from them, and moves the run past them, in one commit. False: it was moved already.
    async fn settle_page(
        &self,
        to: &NodeName,
        page: &[(&Waiting, Option<Outcome>)],
        (before, after): (&RunRecord, &RunRecord),
    ) -> Result<bool> {
        self.nodes
            .ctx
            .store
            .transact(|tx| async move {
                let known = tx.get(tables::OUTBOX_RUNS, to.as_str().as_bytes()).await?;
                if known.is_none_or(|row| row.value != before.to_record()) {
                    return Ok(false);
                }
                for (row, outcome) in page {
                    if let Some(outcome) = outcome {
                        self.bridge.settle(&tx, to, &row.item, outcome).await?;
                    }
                    tx.delete(tables::OUTBOX, &row.key);
                }
                tx.put(tables::OUTBOX_RUNS, to.as_str(), after.to_record());
                Ok::<_, FederationError>(true)
            })
            .await
    }
}

/// The last row of each room that has news.
fn last_of_rooms<'a>(rows: impl IntoIterator<Item = &'a Waiting>) -> HashMap<RoomId, u64> {
    let room = |row: &Waiting| match &row.item {
        Outgoing::Room { room, .. } => Some((*room, row.number)),
        _ => None,
    };
    rows.into_iter().filter_map(room).collect()
}

/// The couriers of a node. Dropping it ends them where they are, which loses nothing; [`Self::shutdown`] waits.
pub struct Couriers {
    stop: watch::Sender<bool>,
    dispatcher: Option<tokio::task::JoinHandle<()>>,
}

impl Couriers {
    pub(super) fn start(federation: Federation) -> Couriers {
        let stop = watch::Sender::new(false);
        let dispatcher = tokio::spawn(dispatch(federation, stop.subscribe()));
        Couriers { stop, dispatcher: Some(dispatcher) }
    }

    /// Tells all to end, and waits until they have.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(dispatcher) = self.dispatcher.take()
            && let Err(error) = dispatcher.await
        {
            tracing::error!(%error, "the couriers did not end well");
        }
    }
}

impl Drop for Couriers {
    fn drop(&mut self) {
        if let Some(dispatcher) = &self.dispatcher {
            dispatcher.abort();
        }
    }
}

/// Sends a courier to each node for which something waits. They stay: a node that was spoken with will be spoken with again.
async fn dispatch(federation: Federation, mut stop: watch::Receiver<bool>) {
    let mut out = JoinSet::new();
    let mut sent: HashSet<NodeName> = HashSet::new();
    let mut news = federation.nodes.ctx.store.watch(tables::OUTBOX_HEADS, []);
    loop {
        let round = federation.nodes.outbox.nodes().await;
        match round {
            Ok(nodes) => {
                for node in nodes {
                    if sent.insert(node.clone()) {
                        out.spawn(carry(federation.clone(), node, stop.clone()));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        tokio::select! {
            _ = stop.changed() => break,
            () = news.changed() => {}
        }
    }
    while out.join_next().await.is_some() {}
}

async fn carry(federation: Federation, to: NodeName, mut stop: watch::Receiver<bool>) {
    let Some(ways) = federation.nodes.ways() else { return };
    let mut connections = ways.link.events();
    let mut news = federation.nodes.ctx.store.watch(tables::OUTBOX_HEADS, to.as_str());
    let mut failures: u32 = 0;
    // Whether this round has come of a connection.
    let mut called = false;
    loop {
        forget(&mut connections);
        let round = tokio::select! {
            // A round that is cut short was sent, or was not: the next start finds out.
            _ = stop.changed() => return,
            round = federation.round(&to) => round,
        };
        match &round {
            Ok(_) => federation.nodes.set_away(&to, false),
            Err(FederationError::Unreachable { .. }) => federation.nodes.set_away(&to, true),
            Err(_) => {}
        }
        let mut away = false;
        let retry_after = match round {
            Ok(Round::Went) => {
                (failures, called) = (0, false);
                continue;
            }
            Ok(Round::Idle) => {
                (failures, called) = (0, false);
                tokio::select! {
                    _ = stop.changed() => return,
                    () = news.changed() => {}
                }
                continue;
            }
            Ok(Round::Failed { retry_after, went }) => {
                if went {
                    failures = 0;
                }
                retry_after
            }
            Err(error) => {
                tracing::debug!(node = %to, %error, "nothing went");
                if let Err(error) = federation.nodes.peers.failed(&to, &error).await {
                    tracing::warn!(node = %to, %error, "a failure could not be noted");
                }
                if let FederationError::Unreachable { source, .. } = error {
                    away = true;
                    if source != LinkError::Unreachable {
                        // The connection that there was, was our own, and of no use.
                        forget(&mut connections);
                    }
                    if let Err(error) = federation.nodes.peers.refresh(&to, ways.directory.as_ref()).await {
                        tracing::debug!(node = %to, %error, "nor does its name say where it is");
                    }
                }
                None
            }
        };
        let pause = pause(failures, retry_after, federation.nodes.ctx.rng().next_u32());
        failures = failures.saturating_add(1);
        let key = federation.nodes.peers.get(&to).await.ok().flatten().map(|peer| PeerKey(peer.key));
        // One that has spoken says itself when to come again. Nor does one that calls and cannot be reached, over and over, set
        // the pace.
        let listens = !std::mem::take(&mut called) && away;
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(pause) => {}
            // Somebody is there again: at once, whatever was before.
            () = connected(&mut connections, key), if listens => (failures, called) = (0, true),
        }
    }
}

/// Lets go of what was told up to now.
fn forget(events: &mut broadcast::Receiver<LinkEvent>) {
    *events = events.resubscribe();
}

/// Between half and all of 1 s, 2 s, 4 s … 10 min; not before the other node wants it.
pub(crate) fn pause(failures: u32, retry_after: Option<Duration>, random: u32) -> Duration {
    if let (0..=2, Some(wait)) = (failures, retry_after) {
        return wait.min(PAUSE_MAX);
    }
    let whole =
        PAUSE_FIRST.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX)).min(PAUSE_MAX);
    let jittered = whole / 2 + (whole / 2).mul_f64(f64::from(random) / f64::from(u32::MAX));
    jittered.max(retry_after.unwrap_or_default().min(PAUSE_MAX))
}

/// Resolves when a node is there again.
pub(crate) async fn connected(events: &mut broadcast::Receiver<LinkEvent>, key: Option<PeerKey>) {
    loop {
        match events.recv().await {
            Ok(LinkEvent::Connected(peer)) if Some(peer) == key => return,
            // What was missed may have been it.
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            Ok(_) => {}
        }
    }
}
