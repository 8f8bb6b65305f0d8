//! A real node in this process, on a free port and a folder of its own.

use crate::{
    person::{Person, SignUp},
    within,
};
use anyhow::{Context as _, Result, bail};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use weft_node::{
    Config, Node, RunningNode, archive,
    control::{Answer, Request},
};
use weft_wire::federation::FederationPolicy;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A running node. Its folder goes with it.
pub struct TestNode {
    /// Where it listens.
    pub address: SocketAddr,
    config: Config,
    running: RunningNode,
    folder: Arc<TempDir>,
}

/// Whether nobody listens at a multiaddress of loopback.
fn is_free(address: &str) -> bool {
    let port = |kind: &str| address.split(kind).nth(1)?.split('/').next()?.parse::<u16>().ok();
    match (port("/udp/"), port("/tcp/")) {
        (Some(port), _) => UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
        (_, Some(port)) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
        _ => true,
    }
}

/// A node that is to come back.
pub struct Stopped {
    config: Config,
    folder: Arc<TempDir>,
}

impl Stopped {
    /// As if its disk were lost: its data is what a backup has.
    ///
    /// # Errors
    /// When the backup cannot be restored.
    pub async fn restore(&self, backup: &Path) -> Result<()> {
        std::fs::remove_dir_all(&self.config.storage.data)?;
        archive::restore(backup, &self.config.storage.data).await?;
        Ok(())
    }

    /// Starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn resume(self) -> Result<TestNode> {
        TestNode::on(self.config, self.folder).await
    }
}

/// The configuration of a node for tests: loopback, a free port, no rate limits.
pub fn config(data: PathBuf) -> Config {
    let mut config = Config::default();
    config.storage.data = data;
    config.http.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    config.limits.rate_multiplier = 0.0;
    // Whoever wants other nodes says so: two tests must not meet.
    config.federation.policy = FederationPolicy::Closed;
    config
}

impl TestNode {
    /// Starts a node with [`config`].
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<TestNode> {
        TestNode::start_with(|_| {}).await
    }

    /// Starts a node whose configuration the test adapts.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_with(adapt: impl FnOnce(&mut Config)) -> Result<TestNode> {
        let folder = Arc::new(tempfile::tempdir()?);
        let mut config = config(folder.path().join("data"));
        adapt(&mut config);
        TestNode::on(config, folder).await
    }

    async fn on(config: Config, folder: Arc<TempDir>) -> Result<TestNode> {
        let running = Node::start(config.clone()).await?;
        let address = running.addresses.first().copied().context("no listener")?;
        Ok(TestNode { address, config, running, folder })
    }

    /// The node's URL.
    pub fn url(&self) -> &str {
        &self.running.url
    }

    /// Where its data lies.
    pub fn data(&self) -> PathBuf {
        self.config.storage.data.clone()
    }

    /// The running node, for tests that look inside.
    pub fn running(&self) -> &RunningNode {
        &self.running
    }

    /// A link by which one may join; the owner's as long as there is none.
    ///
    /// # Errors
    /// When the node makes none.
    pub async fn invite(&self) -> Result<String> {
        self.invite_for(1).await
    }

    /// A link for so many people.
    ///
    /// # Errors
    /// When the node makes none.
    pub async fn invite_for(&self, uses: u32) -> Result<String> {
        let request = Request::Invite { owner: false, uses, lifetime_ms: DAY_MS };
        match self.running.control().handle(request).await {
            Answer::Invite { link, .. } => Ok(link),
            other => bail!("no invite: {other:?}"),
        }
    }

    /// Somebody joins, by an invite of their own, with a client in memory.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn sign_up(&self, who: impl Into<SignUp>) -> Result<Person> {
        Person::sign_up(self.url(), who.into(), Some(self.invite().await?)).await
    }

    /// A backup of the running node, in a folder that is not there yet.
    ///
    /// # Errors
    /// When it is not made.
    pub async fn back_up(&self, dir: PathBuf) -> Result<()> {
        match self.running.control().handle(Request::Backup { dir }).await {
            Answer::Backup { .. } => Ok(()),
            other => bail!("no backup: {other:?}"),
        }
    }

    /// Stops the node.
    ///
    /// # Errors
    /// When its store does not come to rest.
    pub async fn stop(self) -> Result<()> {
        Ok(self.running.stop().await?)
    }

    /// Stops the node and starts it again on the same folder and port, so that its people find it.
    ///
    /// # Errors
    /// When it does not stop or start.
    pub async fn restart(self) -> Result<TestNode> {
        self.pause().await?.resume().await
    }

    /// Stops the node, to come back at the same addresses.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn pause(self) -> Result<Stopped> {
        let (mut config, folder) = (self.config, self.folder);
        config.http.listen = vec![self.address];
        if !config.federation.listen.is_empty() && config.federation.policy != FederationPolicy::Closed {
            config.federation.listen = self.running.net_addresses();
        }
        self.running.stop().await?;
        // A socket lingers until the last connections have said good-bye; a process that ends would take it along.
        let listen = config.federation.listen.clone();
        within("the ports are free again", async {
            let mut look = tokio::time::interval(Duration::from_millis(10));
            while !listen.iter().all(|address| is_free(address)) {
                look.tick().await;
            }
        })
        .await;
        Ok(Stopped { config, folder })
    }
}
