//! Connections: accepted within bounds, handed to `connection`, and waited for when the node stops.
//!
//! HTTP/1.1 in the clear, HTTP/2 or HTTP/1.1 over TLS as ALPN decides. hyper's automatic detection is not used: it waits
//! without a time limit for the first bytes of a connection.

use crate::{
    Api,
    address::group,
    connection::{self, Held, Terms},
    counts::Full,
};
use axum::Router;
use bytes::Bytes;
use futures::future::BoxFuture;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use weft_wire::{Code, Problem};

/// A connection after its handshake.
pub struct Secured {
    /// Plain bytes.
    pub stream: Box<dyn Stream>,
    /// Whether the two agreed on HTTP/2.
    pub http2: bool,
}

/// What a connection is once nothing about TCP or TLS matters any more.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The TLS handshake of a server. The node has the certificates; this crate only waits.
pub trait Secure: Send + Sync + 'static {
    /// Runs the handshake. None when the connection was for the certificate authority only (TLS-ALPN-01).
    fn accept(&self, tcp: TcpStream) -> BoxFuture<'static, io::Result<Option<Secured>>>;
}

/// Refusals that are being told at one time; past it a connection is dropped without a word.
const REFUSALS_MAX: usize = 64;
/// How long a refused caller may take to hear so.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to wait when the process has no file descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Serves a listener until `stop`; then refuses new connections, lets requests under way end, and returns. What is not
/// done by `Config::shutdown_timeout` is cut off.
pub async fn serve(
    api: Api,
    listener: TcpListener,
    secure: Option<Arc<dyn Secure>>,
    router: Router,
    stop: CancellationToken,
) {
    let terms = Terms { api: api.clone(), secure, router, stop: stop.clone() };
    let tasks = TaskTracker::new();
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (tcp, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Most often the caller went away, or file descriptors ran out; neither ends the node.
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        let address = group(peer.ip());
        let per_address = match api.trusts(peer.ip()) {
            true => usize::MAX,
            false => api.config().connections_per_address_max,
        };
        let place = api.connections().take(address, api.config().connections_max, per_address);
        match place {
            Ok(place) => {
                tasks.spawn(connection::serve(terms.clone(), tcp, peer, Held::new(place)));
            }
            Err(full) => {
                metrics::counter!("weft_connections_refused_total").increment(1);
                if let (None, Ok(permit)) = (&terms.secure, Arc::clone(&refusals).try_acquire_owned()) {
                    tasks.spawn(async move {
                        let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(tcp, full)).await;
                        drop(permit);
                    });
                }
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(api.config().shutdown_timeout, tasks.wait()).await.is_err() {
        tracing::warn!(open = tasks.len(), "connections were cut off: they did not end in time");
    }
}

/// Says why, in the plainest HTTP, and listens to what the caller still says: a socket closed with bytes unread is reset,
/// and the caller would never see the answer.
async fn refuse(mut tcp: TcpStream, full: Full) -> io::Result<()> {
    let problem = match full {
        Full::Total => {
            Problem::new(Code::TooMany).detail("the node has no connection left; try again in a while")
        }
        Full::Address => Problem::new(Code::TooMany).detail("too many connections from this address"),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         retry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    tcp.write_all(&[Bytes::from(head), Bytes::from(body)].concat()).await?;
    tcp.shutdown().await?;
    let mut scrap = [0; 1024];
    while tcp.read(&mut scrap).await? > 0 {}
    Ok(())
}
