//! From a configuration to a node that answers, and back to rest.

use crate::{
    config::{Config, ConfigError},
    control::{self, Control},
    federation::Border,
    identity::{self, IdentityError, STORE_FOLDER},
    tls::{self, TlsError},
};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use weft_api::{Api, server};
use weft_net::PeerKey;
use weft_service::{Deps, NodeIdentity, Service, ServiceConfig, SystemClock, SystemEntropy, Workers};
use weft_store::{Store, embedded};
use weft_wire::NodeName;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder or the node's key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The store; its text says what the operator can do.
    #[error("the store in {} cannot be opened", path.display())]
    Store {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: weft_store::Error,
    },
    /// The service.
    #[error("the service cannot start")]
    Service(#[from] weft_service::Fault),
    /// What is known of other nodes.
    #[error("the list of other nodes cannot be kept")]
    Federation(#[source] weft_service::federation::FederationError),
    /// The network of nodes.
    #[error("the network of nodes cannot start")]
    Net(#[from] weft_net::NetError),
    /// Encryption towards other nodes.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// A node runs on this folder already.
    #[error("a node is running on {} already", .0.display())]
    Running(PathBuf),
    /// The control socket.
    #[error("the control socket in {} cannot be made", path.display())]
    Control {
        /// The data folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A store and a service, without a listener: what a command uses when no node runs on the folder.
pub struct Node {
    /// The store.
    pub store: Store,
    /// All behaviour.
    pub service: Service,
    config: Config,
    name: NodeName,
    key: ed25519_dalek::SigningKey,
}

impl Node {
    /// Opens data folder, key, store and service.
    ///
    /// # Errors
    /// [`StartError`]; [`weft_store::Error::Locked`] inside when a node runs on the folder.
    pub async fn open(config: Config) -> Result<Node, StartError> {
        config.check()?;
        let data = &config.storage.data;
        identity::make_data_folder(data)?;
        identity::expects_store(data)?;
        let store = open_store(&config).await?;
        let key = identity::open(data, store.status().seq == 0)?;
        let name = config.node.name().unwrap_or_else(|| NodeName::of_key(key.verifying_key().as_bytes()));
        let service = Service::open(Deps {
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Box::new(SystemEntropy),
            identity: NodeIdentity { key: key.clone(), name: name.clone() },
            config: service_config(&config),
        })
        .await?;
        // On a first start the service has by now committed the keys that it made.
        if store.status().seq > 0 {
            identity::settle(data)?;
        }
        Ok(Node { store, service, config, name, key })
    }

    /// The key of the node, as others know it.
    pub fn peer_key(&self) -> PeerKey {
        PeerKey(self.key.verifying_key().to_bytes())
    }

    /// Opens the node and serves it.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<RunningNode, StartError> {
        let started = Instant::now();
        raise_descriptors();
        // Listening comes first: a node whose port is taken must not touch the data of the one that has it.
        config.check()?;
        let data = config.storage.data.clone();
        let listen_on = |addresses: &[SocketAddr]| -> Result<Vec<TcpListener>, StartError> {
            addresses.iter().map(|address| listen(*address).map_err(|error| taken_by(&data, error))).collect()
        };
        let listeners = listen_on(&config.http.listen)?;
        let metrics_listeners = listen_on(&config.http.metrics_listen)?;
        let webhooks = config.webhooks.open()?;
        let node = Node::open(config).await.map_err(|error| taken_by(&data, error))?;
        let secure = tls::secure(&node.config.tls, &node.config.storage.data)?;
        let stop = CancellationToken::new();
        let addresses: Vec<SocketAddr> =
            listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let metrics_addresses =
            metrics_listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        let url = public_url(&node.config, addresses.first().copied(), secure.is_some());
        let own = node.peer_key();
        let border = Border::open(&node.service, node.name, node.key, &node.config.federation).await?;
        let gate = border.as_ref().map(|border| border.gate().clone());
        let control = Control::new(node.service.clone(), node.store.clone(), data.clone(), url.clone(), own);
        let control = control.with_gate(gate);
        let operator: Arc<dyn weft_api::Operator> = Arc::new(control.clone());
        let api =
            Api::new(node.service.clone(), api_config(&node.config, webhooks), Some(operator), stop.clone());
        let tasks = TaskTracker::new();
        for listener in listeners {
            tasks.spawn(server::serve(api.clone(), listener, secure.clone(), api.router(), stop.clone()));
        }
        for listener in metrics_listeners {
            tasks.spawn(server::serve(api.clone(), listener, None, api.metrics_router(), stop.clone()));
        }
        let socket =
            control::listen(&data).map_err(|source| StartError::Control { path: data.clone(), source })?;
        tasks.spawn(control::serve(socket, control.clone(), stop.clone()));
        let workers = Workers::start(&node.service);
        tasks.close();
        tracing::info!(?addresses, millis = started.elapsed().as_millis(), "the node is up");
        Ok(RunningNode {
            addresses,
            metrics_addresses,
            url,
            service: node.service,
            store: node.store,
            api,
            control,
            stop,
            tasks,
            workers,
            border,
            data,
        })
    }
}

/// A node that serves.
pub struct RunningNode {
    /// Where it listens, ports filled in.
    pub addresses: Vec<SocketAddr>,
    /// Where it answers `/metrics` and nothing else.
    pub metrics_addresses: Vec<SocketAddr>,
    /// The base of links to it.
    pub url: String,
    /// All behaviour.
    pub service: Service,
    store: Store,
    api: Api,
    control: Control,
    stop: CancellationToken,
    tasks: TaskTracker,
    workers: Workers,
    border: Option<Border>,
    data: PathBuf,
}

impl RunningNode {
    /// What the node keeps, for measurements that look at its rows.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the commands ask of a running node.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Where other nodes reach this one, ports filled in; empty where it speaks with none.
    pub fn net_addresses(&self) -> Vec<String> {
        self.border.as_ref().map(|border| border.gate().listen_addresses()).unwrap_or_default()
    }

    /// Stops: no new connections, sockets are told, requests under way end, workers rest, the store comes to rest on disk.
    ///
    /// # Errors
    /// When the store could not be brought to rest; nothing acknowledged is lost even then.
    pub async fn stop(self) -> Result<(), weft_store::Error> {
        tracing::info!("stopping");
        self.stop.cancel();
        self.tasks.wait().await;
        self.api.sockets_ended().await;
        if let Some(border) = self.border {
            border.close().await;
        }
        self.workers.shutdown().await;
        control::remove(&self.data);
        let rest = self.store.close().await;
        tracing::info!("stopped");
        rest
    }
}

/// The store of a data folder, opened off the runtime's threads: replaying a journal takes a while.
async fn open_store(config: &Config) -> Result<Store, StartError> {
    let path = config.storage.data.join(STORE_FOLDER);
    let options = store_options(config);
    let at = path.clone();
    let opened = tokio::task::spawn_blocking(move || embedded::open(&at, options)).await;
    let opened =
        opened.unwrap_or_else(|_| Err(weft_store::Error::Failed(Arc::from("opening it ended in a panic"))));
    opened.map_err(|source| StartError::Store { path, source })
}

/// How the configuration asks for the store.
pub fn store_options(config: &Config) -> embedded::Options {
    embedded::Options {
        cache_bytes: config.storage.cache_mib << 20,
        segment_bytes: config.storage.segment_mib << 20,
        reserve_bytes: config.storage.min_free_mib << 20,
        ..embedded::Options::default()
    }
}

fn service_config(config: &Config) -> ServiceConfig {
    ServiceConfig {
        title: config.node.title.clone(),
        accent: config.node.accent.clone(),
        signup: config.node.signup,
        members_invite: config.node.members_invite,
        session_lifetime_ms: u64::from(config.node.session_days) * DAY_MS,
        retention_ms: u64::from(config.storage.retention_days) * DAY_MS,
        federation: config.federation.policy,
        blocked_nodes: config.federation.blocked_nodes(),
        inward_hints: config.federation.announce_listeners,
        peer_retention_ms: u64::from(config.federation.retention_days) * DAY_MS,
        rate_limit_factor: config.limits.rate_multiplier,
        written_mib_per_day: config.limits.account_mib_per_day,
        vault_mib: config.limits.vault_mib,
    }
}

fn api_config(config: &Config, webhooks: weft_api::Webhooks) -> weft_api::Config {
    let http = &config.http;
    weft_api::Config {
        trusted_proxies: http.trusted_proxies.clone(),
        origins: http.origins.clone(),
        strict_transport: config.tls.mode != crate::config::TlsMode::Off
            || http.public_url.starts_with("https://"),
        connections_max: http.connections_max,
        connections_per_address_max: http.connections_per_address_max,
        header_timeout: Duration::from_secs(http.header_timeout_s),
        body_timeout: Duration::from_secs(http.body_timeout_s),
        request_timeout: Duration::from_secs(http.request_timeout_s),
        hello_timeout: Duration::from_secs(config.socket.hello_timeout_s),
        write_timeout: Duration::from_secs(config.socket.write_timeout_s),
        idle_timeout: Duration::from_secs(config.socket.idle_timeout_s),
        shutdown_timeout: Duration::from_secs(http.shutdown_timeout_s),
        webhooks,
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A restart must not wait for the old node's connections to time out in the kernel.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|source| StartError::Listen { address, source })
}

/// What a node that need not run is called: as configured, else by its key, if there is one that this user may read. Nothing is
/// opened but that.
pub fn configured_name(config: &Config) -> Option<NodeName> {
    config.node.name().or_else(|| configured_key(config).map(|key| key.name()))
}

/// The key of a node that need not run, as others know it, if there is one that this user may read.
pub fn configured_key(config: &Config) -> Option<PeerKey> {
    let (key, _) = identity::find(&config.storage.data).ok()?;
    Some(PeerKey(key.verifying_key().to_bytes()))
}

/// Whether none of the nodes that the configuration names is this one, as far as its own name and key are there by now.
///
/// # Errors
/// [`ConfigError`].
pub fn check_own(config: &Config) -> Result<(), ConfigError> {
    let name = configured_name(config);
    name.map_or(Ok(()), |name| config.federation.check_others(&name, configured_key(config)))
}

/// A port or a folder that is taken is mostly taken by the node that is meant, started before.
fn taken_by(data: &Path, error: StartError) -> StartError {
    let taken = match &error {
        StartError::Listen { source, .. } => source.kind() == io::ErrorKind::AddrInUse,
        StartError::Store { source, .. } => matches!(source, weft_store::Error::Locked { .. }),
        _ => false,
    };
    if taken && control::is_running(data) { StartError::Running(data.to_owned()) } else { error }
}

/// The base of links to a node that does not run: a port that is to be a free one is still 0 in it.
pub fn configured_url(config: &Config) -> String {
    public_url(config, None, config.tls.mode != crate::config::TlsMode::Off)
}

/// The base of links: as configured, else the first listener, with the wildcard address said as loopback.
pub fn public_url(config: &Config, first: Option<SocketAddr>, secure: bool) -> String {
    if !config.http.public_url.is_empty() {
        return config.http.public_url.trim_end_matches('/').to_owned();
    }
    let scheme = if secure { "https" } else { "http" };
    if let (true, Some(name)) = (secure, config.tls.acme_domains.first()) {
        return format!("{scheme}://{name}");
    }
    let Some(mut address) = first.or_else(|| config.http.listen.first().copied()) else {
        return String::new();
    };
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("{scheme}://{address}")
}

/// A connection and a socket cost a descriptor each; many systems start programs with 1,024.
fn raise_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || (limit.current.is_some() && limit.maximum.is_none()) {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
}

/// Whether a node was set up in this folder.
pub fn is_set_up(data: &Path) -> bool {
    identity::exists(data)
}
