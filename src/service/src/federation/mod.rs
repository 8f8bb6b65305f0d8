//! Between nodes. What leaves waits in the outbox until the other node has it on disk; what arrives takes effect exactly once.
//!
//! LEAVES: a flow stages a row (`Nodes::stage`) in the store commit that makes it true; a courier for each node
//! (`courier`) carries rows in order and deletes them on a durable acknowledgement. ARRIVES: `inbox`.

mod bridge;
mod courier;
mod error;
mod inbox;
mod outbox;
mod peers;
mod people;
pub(crate) mod records;
mod strangers;
#[cfg(test)]
pub(crate) mod tests;
mod together;
mod trials;

pub(crate) use bridge::{Bridge, Outcome, Trouble};
pub use courier::Couriers;
#[cfg(test)]
pub(crate) use courier::Round;
pub(crate) use courier::{connected, pause};
pub use error::FederationError;
pub(crate) use error::is_passing;
pub use outbox::begin_anew;
pub use peers::{Peer, Verdict};
pub(crate) use records::{Outgoing, PeerRecord};

use crate::{Fault, LimitKey, context::Ctx};
use futures::future::BoxFuture;
use outbox::Outbox;
use parking_lot::{Mutex, RwLock};
use peers::{Peers, unreachable};
use people::People;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use trials::Trials;
use weft_net::{Addresses, LinkError, LinkEvent, PeerKey, PeerLink};
use weft_store::Batch;
use weft_wire::{
    NodeName, Signed, UserName, codec,
    federation::{Answer, FederationPolicy, NodeRecord, Question},
    limits::PEER_QUERY_BYTES_MAX,
};

type Result<T, E = FederationError> = std::result::Result<T, E>;

/// Finds what a DNS name says of itself: `https://NAME/.well-known/weft`. A name comes from strangers: whoever implements this
/// must not let it lead to loopback or into the node's own network.
pub trait Directory: Send + Sync + 'static {
    /// The signed record of a node. Signature and name are checked by the caller.
    fn find(&self, name: &NodeName) -> BoxFuture<'_, Result<Signed<NodeRecord>, LinkError>>;
}

/// How other nodes are reached: once the network runs.
#[derive(Clone)]
pub(crate) struct Ways {
    pub link: Arc<dyn PeerLink>,
    pub directory: Arc<dyn Directory>,
}

/// Other nodes, as flows see them: to stage what is for them, to ask them, to know their people.
#[derive(Clone)]
pub(crate) struct Nodes {
    ctx: Arc<Ctx>,
    pub(crate) peers: Peers,
    outbox: Outbox,
    pub(crate) people: People,
    ways: Arc<RwLock<Option<Ways>>>,
    /// Nodes for which something waits and that could not be reached.
    away: Arc<Mutex<HashSet<NodeName>>>,
}

impl Nodes {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        let peers = Peers::new(ctx.clone());
        Nodes {
            people: People::new(ctx.clone(), peers.clone()),
            peers,
            outbox: Outbox::new(ctx.clone()),
            ways: Arc::default(),
            away: Arc::default(),
            ctx,
        }
    }

    fn ways(&self) -> Option<Ways> {
        self.ways.read().clone()
    }

    /// Whether this node speaks with others at all.
    pub fn is_on(&self) -> bool {
        self.ways.read().is_some()
    }

    /// Whether a node could not be reached when it was last tried.
    pub fn is_away(&self, node: &NodeName) -> bool {
        self.away.lock().contains(node)
    }

    fn set_away(&self, node: &NodeName, away: bool) {
        let mut known = self.away.lock();
        if away {
            known.insert(node.clone());
        } else {
            known.remove(node);
        }
    }

    /// Tells of connections that begin and end; none as long as this node speaks with no others.
    pub fn connections(&self) -> Option<tokio::sync::broadcast::Receiver<LinkEvent>> {
        self.ways().map(|ways| ways.link.events())
    }

    /// Whether there is a connection with a node at this moment.
    pub fn is_there(&self, node: &NodeName) -> bool {
        let key = node.key().or_else(|| self.peers.key_of(node));
        let ways = self.ways();
        key.zip(ways).is_some_and(|(key, ways)| ways.link.is_connected(PeerKey(key)))
    }

    /// Where somebody here says that a node may be found. They have it from anybody: it must not make us knock at doors inside
    /// our own network, unless that is where the other nodes are.
    ///
    /// # Errors
    /// [`FederationError::NotAllowed`], rate limits.
    pub async fn hint(&self, by: &UserName, node: &NodeName, addresses: &[String]) -> Result<()> {
        let Some(key) = node.key() else { return Ok(()) };
        let mut addresses = Addresses::of(PeerKey(key), addresses).texts();
        if !self.ctx.config.inward_hints {
            addresses.retain(|text| weft_net::is_tellable(text));
        }
        self.peers.hint(&LimitKey::Account(by.clone()), node, &addresses).await
    }

    /// Whether it is a node with which nobody here has to do.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn is_stranger(&self, node: &NodeName) -> Result<bool, Fault> {
        Ok(self.peers.get(node).await?.is_some_and(|record| record.may_go()))
    }

    async fn heard(&self, name: &NodeName, peer: &PeerRecord) -> Result<()> {
        let known = self.ways().map(|ways| ways.link.addresses(PeerKey(peer.key))).unwrap_or_default();
        self.peers.heard(name, peer, known).await
    }

    /// Adds something for another node to a batch. It leaves once the batch is committed, and not before.
    ///
    /// # Errors
    /// [`Fault::TooMany`] when too much waits for that node already, [`Fault::TooLarge`].
    pub async fn stage(&self, batch: Batch, to: &NodeName, item: Outgoing) -> Result<Batch, Fault> {
        self.outbox.stage(batch, to, item).await
    }

    /// Asks another node, once.
    ///
    /// # Errors
    /// [`FederationError::Unreachable`], [`FederationError::NotAllowed`], [`FederationError::Refused`] with what it answered
    /// instead.
    pub async fn ask(&self, node: &NodeName, question: &Question) -> Result<Answer> {
        self.ask_for(&self.asker(question), node, question).await
    }

    /// The same, where it is somebody else than the question names who wants to know.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_for(&self, by: &LimitKey, node: &NodeName, question: &Question) -> Result<Answer> {
        let ways = self.ways().ok_or(FederationError::Off)?;
        let peer = self.peers.reach(by, node, Some(ways.directory.as_ref())).await?;
        ways.link.learn(PeerKey(peer.key), peer.addresses.clone());
        let asked = ways.link.query(PeerKey(peer.key), codec::encode(question)).await;
        let bytes = asked.map_err(unreachable(node))?;
        match codec::decode(&bytes, PEER_QUERY_BYTES_MAX) {
            // It is there, and may still be as its operator has to hear.
            Ok(Answer::Problem(problem)) => Err(FederationError::Refused(problem)),
            Ok(answer) => {
                self.heard(node, &peer).await?;
                Ok(answer)
            }
            Err(_) => Err(FederationError::Nonsense { node: node.clone() }),
        }
    }

    fn asker(&self, question: &Question) -> LimitKey {
        let user = match question {
            Question::Person { by, .. }
            | Question::Claim { by, .. }
            | Question::GroupInfo { by, .. }
            | Question::Packet { by, .. }
            | Question::Shop { by, .. }
            | Question::Invoice { by, .. }
            | Question::Door { by, .. } => by.clone(),
            Question::Join { user, .. } => user.clone(),
            Question::Link { .. } | Question::Root { .. } | Question::Charge { .. } => {
                return LimitKey::Crowd;
            }
            Question::Ephemeral { by, .. } => by.user.clone(),
            Question::Commit { cert, .. } => match cert.peek() {
                Ok(cert) => cert.user,
                Err(_) => return LimitKey::Crowd,
            },
        };
        LimitKey::user(&user, &self.ctx.node)
    }
}

/// The border of the node: it answers other nodes ([`weft_net::PeerHandler`]), sends couriers to them, and tells the operator.
#[derive(Clone)]
pub struct Federation {
    nodes: Nodes,
    bridge: Arc<dyn Bridge>,
    turns: Arc<Turns>,
    trials: Arc<Trials>,
    own: Arc<RwLock<Own>>,
}

/// What this node says of itself.
#[derive(Default)]
struct Own {
    record: Option<Signed<NodeRecord>>,
    addresses: Vec<String>,
}

impl Federation {
    pub(crate) fn new(nodes: Nodes, bridge: Arc<dyn Bridge>) -> Self {
        Federation { nodes, bridge, turns: Arc::default(), trials: Arc::default(), own: Arc::default() }
    }

    /// Opens the border: from now on others can be asked, and what waits for them leaves. The network is started before, with
    /// this as its handler.
    pub fn start(&self, link: Arc<dyn PeerLink>, directory: Arc<dyn Directory>) -> Couriers {
        self.connect(link, directory);
        Couriers::start(self.clone())
    }

    pub(crate) fn connect(&self, link: Arc<dyn PeerLink>, directory: Arc<dyn Directory>) {
        *self.nodes.ways.write() = Some(Ways { link, directory });
    }

    /// What the node says of itself from now on, and where it is reached, as its record says.
    pub fn describe(&self, record: Signed<NodeRecord>, addresses: Vec<String>) {
        *self.own.write() = Own { record: Some(record), addresses };
    }

    /// What the node says of itself: `GET /.well-known/weft`. None as long as it speaks with no others.
    pub fn record(&self) -> Option<Signed<NodeRecord>> {
        self.own.read().record.clone()
    }

    /// Whom this node talks to.
    pub fn policy(&self) -> FederationPolicy {
        self.nodes.ctx.config.federation
    }

    /// Where the node is reached by others.
    pub fn own_addresses(&self) -> Vec<String> {
        self.own.read().addresses.clone()
    }

    /// Makes acquaintance with a node now, by what its name says, unless it is known.
    ///
    /// # Errors
    /// [`FederationError::Unreachable`], [`FederationError::Off`], [`FederationError::Record`].
    pub async fn meet(&self, name: &NodeName) -> Result<Peer> {
        let ways = self.nodes.ways();
        let directory = ways.as_ref().map(|ways| ways.directory.as_ref());
        if self.nodes.peers.get(name).await?.is_none() {
            // Also where only those on the list may speak: it is on its way there.
            self.nodes.peers.meet(name, directory).await?;
        }
        self.peer(name).await?.ok_or(FederationError::NotFound)
    }

    /// Forgets nodes with which nobody here has to do. Gives how many.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) async fn sweep(&self) -> Result<u64> {
        self.nodes.peers.sweep_strangers(self.nodes.ctx.aged().await?).await
    }

    /// Nodes that this one has met, by name, at most [`weft_wire::limits::PAGE_MAX`] after one.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn peers(&self, after: Option<&NodeName>) -> Result<Vec<Peer>> {
        self.nodes.peers.list(after).await
    }

    /// A node that this one has met.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn peer(&self, name: &NodeName) -> Result<Option<Peer>> {
        self.nodes.peers.show(name).await
    }

    /// What the operator decides about a node.
    ///
    /// # Errors
    /// [`FederationError::NotFound`] for a node that was never met and has a DNS name, [`FederationError::NoNewKey`],
    /// [`FederationError::Itself`].
    pub async fn judge(&self, name: &NodeName, verdict: Verdict) -> Result<()> {
        self.nodes.peers.judge(name, verdict).await
    }

    /// A node that the operator adds with its key.
    ///
    /// # Errors
    /// [`FederationError::OtherKey`] where another key is pinned, [`FederationError::SameKey`], [`FederationError::ShutOut`],
    /// [`FederationError::Itself`].
    pub async fn add_peer(&self, name: &NodeName, key: PeerKey, addresses: Vec<String>) -> Result<()> {
        self.nodes.peers.add(name, key.0, addresses).await
    }

    /// A node that the configuration names with its key: trusted, whatever was pinned.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn name_peer(&self, name: &NodeName, key: PeerKey, addresses: Vec<String>) -> Result<()> {
        self.nodes.peers.name(name, key.0, addresses).await
    }

    /// How much waits for a node.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub async fn waiting(&self, name: &NodeName) -> Result<u64, Fault> {
        self.nodes.outbox.waiting(name).await
    }
}

/// One lock a node, for as long as somebody holds it.
#[derive(Default)]
struct Turns(Mutex<HashMap<NodeName, Arc<tokio::sync::Mutex<()>>>>);

/// Locks that are kept before those are dropped that nobody holds.
const TURNS_KEPT: usize = 256;

impl Turns {
    fn of(&self, name: &NodeName) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock();
        if turns.len() >= TURNS_KEPT {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        turns.entry(name.clone()).or_default().clone()
    }
}
