//! Several real nodes on loopback.

use crate::TestNode;
use anyhow::{Context as _, Result, bail};
use weft_node::{
    Config,
    config::PeerConfig,
    control::{Answer, Request},
};
use weft_wire::{NodeName, federation::FederationPolicy};

/// Running nodes: `a`, `b`, `c` …, each called by the peer id of its key unless the test names it.
pub struct Cluster {
    nodes: Vec<Option<TestNode>>,
}

/// Makes a node one that speaks with others: on free ports of loopback, looking for nobody by itself.
pub fn open(config: &mut Config) {
    let federation = &mut config.federation;
    federation.policy = FederationPolicy::Open;
    federation.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".to_owned(), "/ip4/127.0.0.1/tcp/0".to_owned()];
    federation.announce_listeners = true;
    federation.mdns = false;
    federation.discovery = false;
}

impl Cluster {
    /// Starts so many nodes, which know nothing of each other.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start(count: usize) -> Result<Cluster> {
        Cluster::start_with(count, |_, _| {}).await
    }

    /// Starts so many nodes, whose configuration the test adapts.
    ///
    /// # Errors
    /// When one does not start.
    pub async fn start_with(count: usize, adapt: impl Fn(usize, &mut Config)) -> Result<Cluster> {
        let mut nodes = Vec::new();
        for at in 0..count {
            let node = TestNode::start_with(|config| {
                open(config);
                adapt(at, config);
            });
            nodes.push(Some(node.await?));
        }
        Ok(Cluster { nodes })
    }

    /// Their operators tell each node of all others, as `weft peer add` does.
    ///
    /// # Errors
    /// When one says no.
    pub async fn acquaint(&self) -> Result<()> {
        for (at, node) in self.nodes.iter().enumerate() {
            for (_, other) in self.nodes.iter().enumerate().filter(|(other, _)| *other != at) {
                let (Some(node), Some(other)) = (node, other) else { continue };
                let PeerConfig { name, key, addresses, .. } = other.as_peer().await?;
                let request = Request::AddPeer { name: name.parse()?, key: Some(key), addresses };
                match node.running().control().handle(request).await {
                    Answer::Done => {}
                    other => bail!("{name}: {other:?}"),
                }
            }
        }
        Ok(())
    }

    /// A node that runs.
    ///
    /// # Errors
    /// When it was stopped.
    pub fn node(&self, at: usize) -> Result<&TestNode> {
        self.nodes.get(at).and_then(Option::as_ref).context("this node does not run")
    }

    /// Stops a node; what it needs to come back is kept.
    ///
    /// # Errors
    /// When it does not run, or does not come to rest.
    pub async fn stop(&mut self, at: usize) -> Result<crate::node::Stopped> {
        let node = self.nodes.get_mut(at).and_then(Option::take).context("this node does not run")?;
        node.pause().await
    }

    /// Starts a node again, at the same addresses.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn resume(&mut self, at: usize, stopped: crate::node::Stopped) -> Result<()> {
        let place = self.nodes.get_mut(at).context("no such node")?;
        *place = Some(stopped.resume().await?);
        Ok(())
    }

    /// Stops all.
    ///
    /// # Errors
    /// When one does not come to rest.
    pub async fn end(self) -> Result<()> {
        for node in self.nodes.into_iter().flatten() {
            node.stop().await?;
        }
        Ok(())
    }
}

impl TestNode {
    /// The right half of its people's addresses.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn name(&self) -> Result<NodeName> {
        Ok(self.running().service.node_info().await?.name)
    }

    /// As another node's operator would name it.
    ///
    /// # Errors
    /// When it does not say who it is.
    pub async fn as_peer(&self) -> Result<PeerConfig> {
        let record = self.running().service.federation().record().context("it speaks with no others")?;
        let record = record.open().context("its record")?;
        let key = NodeName::of_key(&record.key).to_string();
        Ok(PeerConfig { name: record.name.to_string(), key, addresses: record.addresses, limit: None })
    }
}
