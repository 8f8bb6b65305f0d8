//! Other nodes: the network is started with the service as what answers, and the node tells who it is and where.

mod directory;
mod dns;

pub use directory::WellKnown;
pub(crate) use dns::zone_line;

use crate::{StartError, config::FederationConfig};
use ed25519_dalek::SigningKey;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use weft_net::{Net, NodeKey, PeerKey};
use weft_service::{
    Clock, Service, SystemClock,
    federation::{Couriers, FederationError, Verdict},
    flows::LinkCouriers,
};
use weft_wire::{
    NodeName, Signed,
    federation::{NodeRecord, PROTOCOL},
    limits::PEER_ADDRESSES_MAX,
};

/// How often it is looked whether this node is reached at other addresses than before: routers and relays say so unasked.
const LOOK_EVERY: Duration = Duration::from_secs(20);

/// The running border of a node.
pub(crate) struct Border {
    gate: Gate,
    couriers: Couriers,
    /// Those that carry what the wallet has to say.
    payments: LinkCouriers,
    teller: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

/// What the operator's commands need of the running network.
#[derive(Clone)]
pub struct Gate {
    net: Net,
    config: Arc<FederationConfig>,
}

impl Border {
    /// Starts the network and opens the border; `None` where the policy is to speak with nobody.
    pub async fn open(
        service: &Service,
        name: NodeName,
        key: SigningKey,
        config: &FederationConfig,
    ) -> Result<Option<Border>, StartError> {
        if !config.is_on() {
            return Ok(None);
        }
        config.check_others(&name, Some(PeerKey(key.verifying_key().to_bytes())))?;
        let federation = service.federation();
        for (name, key, addresses) in named(config) {
            federation.name_peer(&name, key, addresses).await.map_err(StartError::Federation)?;
        }
        for (peer, limit) in config.peers.iter().filter_map(|peer| Some((peer.identity()?.0, peer.limit?))) {
            federation.judge(&peer, Verdict::Limit(limit)).await.map_err(StartError::Federation)?;
        }
        // A machine that has no servers for names set up is no reason not to start.
        let dns = dns::Txt::new(config.dns).unwrap_or_else(|error| {
            tracing::warn!(%error, "DNS is not asked for nodes: this machine does not say whom to ask");
            None
        });
        let well_known = WellKnown::new().map_err(StartError::Setup)?;
        let directory = Arc::new(directory::Names { well_known, dns });
        let (trusted, mut blocked) = lists(service).await.map_err(StartError::Federation)?;
        blocked.extend(config.blocked_nodes().iter().filter_map(|name| name.key().map(PeerKey)));
        let node_key = NodeKey::take(&mut key.to_bytes());
        let handler = Arc::new(federation.clone());
        let net = Net::start(config.net(trusted, blocked), node_key, handler).await?;
        let gate = Gate { net: net.clone(), config: Arc::new(config.clone()) };
        let stop = CancellationToken::new();
        let teller = Teller { service: service.clone(), gate: gate.clone(), name, key };
        teller.tell().await;
        let teller = tokio::spawn(teller.run(stop.clone()));
        let couriers = federation.start(Arc::new(net), directory);
        let payments = service.flows().start_links();
        Ok(Some(Border { gate, couriers, payments, teller, stop }))
    }

    /// For commands.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Couriers come home, what is being answered is finished, peers are told.
    pub async fn close(self) {
        self.stop.cancel();
        self.payments.shutdown().await;
        self.couriers.shutdown().await;
        if let Err(error) = self.teller.await {
            tracing::error!(%error, "telling where the node is did not end well");
        }
        self.gate.net.shutdown().await;
    }
}

impl Gate {
    /// Where the network listens, ports filled in.
    pub fn listen_addresses(&self) -> Vec<String> {
        self.net.listen_addresses()
    }

    /// Keys of nodes that are connected at this moment, and how.
    pub fn connected(&self) -> Vec<weft_net::PeerStatus> {
        self.net.peers()
    }

    /// Calls a node that the operator has named, so that it shows whether it is there.
    pub async fn call(&self, key: PeerKey, addresses: Vec<String>) {
        self.net.call_up(key, addresses).await;
    }

    /// Makes the network follow what the operator has decided about a node.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn follow(
        &self,
        service: &Service,
        key: PeerKey,
        verdict: Verdict,
    ) -> Result<(), FederationError> {
        let (trusted, blocked) = lists(service).await?;
        if verdict == Verdict::Block {
            self.net.block(key).await;
        } else if !blocked.contains(&key) {
            self.net.unblock(key).await;
        }
        self.net.admit(self.config.admission(trusted)).await;
        Ok(())
    }
}

/// Nodes of the configuration. One that is not valid was refused when it was read.
fn named(config: &FederationConfig) -> impl Iterator<Item = (NodeName, PeerKey, Vec<String>)> {
    config.peers.iter().filter_map(|peer| {
        let (name, key) = peer.identity()?;
        Some((name, key, peer.addresses.clone()))
    })
}

/// Keys that are trusted, and keys that are blocked.
async fn lists(service: &Service) -> Result<(BTreeSet<PeerKey>, BTreeSet<PeerKey>), FederationError> {
    let (mut trusted, mut blocked, mut after) = (BTreeSet::new(), BTreeSet::new(), None);
    loop {
        let page = service.federation().peers(after.as_ref()).await?;
        let Some(last) = page.last() else { return Ok((trusted, blocked)) };
        after = Some(last.name.clone());
        for peer in page {
            if peer.blocked {
                blocked.insert(peer.key);
            } else if peer.trusted {
                trusted.insert(peer.key);
            }
        }
    }
}

/// Signs what the node says of itself, whenever that changes.
struct Teller {
    service: Service,
    gate: Gate,
    name: NodeName,
    key: SigningKey,
}

impl Teller {
    async fn run(self, stop: CancellationToken) {
        let mut round = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = round.tick() => self.tell().await,
            }
        }
    }

    async fn tell(&self) {
        let federation = self.service.federation();
        let addresses = self.addresses();
        if federation.own_addresses() == addresses && federation.record().is_some() {
            return;
        }
        let record = NodeRecord {
            name: self.name.clone(),
            key: self.key.verifying_key().to_bytes(),
            addresses: addresses.clone(),
            protocols: vec![PROTOCOL],
            policy: self.gate.config.policy,
            created_ms: SystemClock.now_ms(),
        };
        federation.describe(Signed::sign(&record, &self.key), addresses);
    }

    /// Where others reach this node: as configured; relays; and of what it listens on that which the world can reach. What
    /// is only of this house is nobody else's business, unless the operator says so.
    fn addresses(&self) -> Vec<String> {
        let mut all = self.gate.config.external.clone();
        let listening = self.gate.net.listen_addresses();
        let tell_all = self.gate.config.announce_listeners;
        all.extend(listening.into_iter().filter(|address| tell_all || weft_net::is_public(address)));
        // Over a relay the network names whom the call is for. Here that is said already, and in a link every byte counts.
        let own = format!("/p2p/{}", PeerKey(self.key.verifying_key().to_bytes()));
        for address in &mut all {
            if let Some(way) = address.strip_suffix(&own) {
                *address = way.to_owned();
            }
        }
        all.dedup();
        all.truncate(PEER_ADDRESSES_MAX);
        all
    }
}
