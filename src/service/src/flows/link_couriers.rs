//! Carries what the wallet has to say to other nodes: one courier a link, one post at a time.

use super::{FlowError, Flows, links::LinkRound};
use crate::federation::{FederationError, connected, pause};
use rand_core::RngCore;
use std::{collections::HashSet, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use weft_net::PeerKey;
use weft_store::tables;
use weft_wire::NodeName;

/// How long is waited for more before something is said: many payments go in one post, and the other node takes only so many
/// questions in a second.
const GATHER: Duration = Duration::from_millis(15);

/// The couriers of a node's links. Dropping it ends them where they are, which loses nothing; [`Self::shutdown`] waits.
pub struct LinkCouriers {
    stop: watch::Sender<bool>,
    dispatcher: Option<tokio::task::JoinHandle<()>>,
}

impl Flows {
    /// Sends a courier to each node with which there are terms, or an offer. The network runs already.
    pub fn start_links(&self) -> LinkCouriers {
        let stop = watch::Sender::new(false);
        let dispatcher = tokio::spawn(dispatch(self.clone(), stop.subscribe()));
        LinkCouriers { stop, dispatcher: Some(dispatcher) }
    }
}

impl LinkCouriers {
    /// Tells all to end, and waits until they have.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(dispatcher) = self.dispatcher.take()
            && let Err(error) = dispatcher.await
        {
            tracing::error!(%error, "the couriers of payments did not end well");
        }
    }
}

impl Drop for LinkCouriers {
    fn drop(&mut self) {
        if let Some(dispatcher) = &self.dispatcher {
            dispatcher.abort();
        }
    }
}

async fn dispatch(flows: Flows, mut stop: watch::Receiver<bool>) {
    let mut out = JoinSet::new();
    let mut sent: HashSet<NodeName> = HashSet::new();
    // Whatever begins, begins with an offer.
    let mut news = flows.ctx.store.watch(tables::LINK_OFFERS, []);
    loop {
        match flows.linked_nodes().await {
            Ok(nodes) => {
                for node in nodes {
                    if sent.insert(node.clone()) {
                        out.spawn(carry(flows.clone(), node, stop.clone()));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the links cannot be read"),
        }
        tokio::select! {
            _ = stop.changed() => break,
            () = news.changed() => {}
        }
    }
    while out.join_next().await.is_some() {}
}

async fn carry(flows: Flows, peer: NodeName, mut stop: watch::Receiver<bool>) {
    let Some(mut connections) = flows.nodes.connections() else { return };
    let mut link = flows.ctx.store.watch(tables::LINKS, peer.as_str());
    let mut offer = flows.ctx.store.watch(tables::LINK_OFFERS, peer.as_str());
    let mut failures: u32 = 0;
    if let Err(error) = flows.finish_thaw(&peer).await {
        tracing::error!(node = %peer, %error, "what both operators have signed is not done");
    }
    loop {
        connections = connections.resubscribe();
        let round = tokio::select! {
            // A round that is cut short was heard, or was not: the next start finds out.
            _ = stop.changed() => return,
            round = flows.link_round(&peer) => round,
        };
        let (retry_after, away) = match round {
            Ok(LinkRound::Went) => {
                failures = 0;
                // What fills a post by itself waits for nothing.
                if !flows.fills_a_post(&peer).await {
                    tokio::time::sleep(GATHER).await;
                }
                continue;
            }
            Ok(LinkRound::Idle(again)) => {
                failures = 0;
                tokio::select! {
                    _ = stop.changed() => return,
                    () = link.changed() => tokio::time::sleep(GATHER).await,
                    () = offer.changed() => {}
                    () = tokio::time::sleep(again.unwrap_or_default()), if again.is_some() => {}
                }
                continue;
            }
            Ok(LinkRound::Stuck) => (None, false),
            Err(error) => {
                tracing::debug!(node = %peer, %error, "what there is to say of payments did not go");
                told(&error)
            }
        };
        let pause = pause(failures, retry_after, flows.ctx.rng().next_u32());
        failures = failures.saturating_add(1);
        let key = flows.nodes.peers.get(&peer).await.ok().flatten().map(|peer| PeerKey(peer.key));
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(pause) => {}
            // The operator has done something about it, or it is there again.
            () = offer.changed() => {}
            () = connected(&mut connections, key), if away => failures = 0,
        }
    }
}

/// When the other node wants to be asked again, and whether it could not be reached.
fn told(error: &FlowError) -> (Option<Duration>, bool) {
    match error {
        FlowError::Federation(FederationError::Refused(problem)) => {
            (problem.retry_after_ms.map(Duration::from_millis), false)
        }
        // Shut out by its own operator, or by this one's, who may think better of it.
        FlowError::Federation(FederationError::Unreachable { .. } | FederationError::NotAllowed { .. }) => {
            (None, true)
        }
        _ => (None, false),
    }
}
