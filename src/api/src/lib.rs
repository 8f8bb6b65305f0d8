//! Where requests enter: HTTP and WebSocket, on axum and hyper.
//!
//! A request passes, from the outside in: connection bounds and time limits (`server`), the security headers
//! (`headers`), what it must say of its host (`host`), the format that the caller wishes (`negotiate`), the time limit and
//! the net under panics (`guard`), and then one handler in `routes/`, which decodes a bounded body, calls one verb of the
//! service, and encodes its answer. What the node does is decided in `weft-service`; nothing here knows more than HTTP.

mod address;
mod body;
mod connection;
mod counts;
mod error;
mod guard;
mod headers;
mod host;
mod metrics;
mod negotiate;
mod operator;
mod origin;
mod patience;
mod routes;
pub mod server;
mod session;
mod socket;
mod ui;
mod webhooks;

pub use address::{ClientAddress, IpRange, Peer};
pub use error::Fault;
pub use headers::CONTENT_SECURITY_POLICY;
pub use operator::Operator;
pub use webhooks::{Provider, SECRET_BYTES_MIN, Webhooks};

use axum::Router;
use counts::Counts;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use weft_service::Service;

/// What the operator decides about this side of the node.
#[derive(Debug, Clone)]
pub struct Config {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpRange>,
    /// Origins other than the node's own whose pages may open a socket.
    pub origins: Vec<String>,
    /// Whether browsers are told to come by HTTPS only.
    pub strict_transport: bool,
    /// Open connections, all together.
    pub connections_max: usize,
    /// Open connections from one address.
    pub connections_per_address_max: usize,
    /// How long a new connection has until its first request's head is there, a TLS handshake included; over HTTP/1.1 also
    /// how long each further head has.
    pub header_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long an answer may take.
    pub request_timeout: Duration,
    /// How long a new socket may take to say who it is.
    pub hello_timeout: Duration,
    /// How long a device may take to read one frame.
    pub write_timeout: Duration,
    /// How long a socket may be silent, and an HTTP/2 connection without a request.
    pub idle_timeout: Duration,
    /// How long requests and sockets get when the node stops.
    pub shutdown_timeout: Duration,
    /// Payment providers of the operator.
    pub webhooks: Webhooks,
}

/// The API of one node. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

#[cfg(test)]
mod tests;

struct Inner {
    service: Service,
    config: Config,
    operator: Option<Arc<dyn Operator>>,
    connections: Arc<Counts>,
    socket_tasks: TaskTracker,
    stopping: CancellationToken,
}

impl Api {
    /// An API on top of a service. `operator` does what the owner decides about other nodes. `stopping` ends its sockets, and
    /// makes `/readyz` say so.
    pub fn new(
        service: Service,
        config: Config,
        operator: Option<Arc<dyn Operator>>,
        stopping: CancellationToken,
    ) -> Api {
        metrics::recorder();
        Api(Arc::new(Inner {
            service,
            config,
            operator,
            connections: Arc::default(),
            socket_tasks: TaskTracker::new(),
            stopping,
        }))
    }

    /// Everything a listener for people answers.
    pub fn router(&self) -> Router {
        routes::router(self)
    }

    /// `/metrics` and nothing else, for whoever can reach the listener.
    pub fn metrics_router(&self) -> Router {
        routes::metrics_router(self)
    }

    /// Waits until every socket has said good-bye, or the time for it is over.
    pub async fn sockets_ended(&self) {
        self.0.socket_tasks.close();
        let ended = self.0.socket_tasks.wait();
        if tokio::time::timeout(self.0.config.shutdown_timeout, ended).await.is_err() {
            tracing::warn!(
                open = self.0.socket_tasks.len(),
                "sockets were cut off: they did not end in time"
            );
        }
    }

    pub(crate) fn service(&self) -> &Service {
        &self.0.service
    }

    pub(crate) fn operator(&self) -> Option<&Arc<dyn Operator>> {
        self.0.operator.as_ref()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn connections(&self) -> &Arc<Counts> {
        &self.0.connections
    }

    pub(crate) fn socket_tasks(&self) -> &TaskTracker {
        &self.0.socket_tasks
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.0.config.trusted_proxies.iter().any(|range| range.contains(ip))
    }
}
