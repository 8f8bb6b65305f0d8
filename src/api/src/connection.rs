//! One connection: secured, spoken HTTP over, and ended when nothing is asked on it or the node stops.
//!
//! Whoever only holds a connection open is cut off: it has one time limit from being accepted to the head of its first
//! request, whatever it spends that on (a TLS handshake, half a preface, no byte at all). After that HTTP/1.1 has hyper's
//! limit for each further head. HTTP/2 has none of its own: a peer that answers pings would stay for ever, so here a
//! connection on which nothing new is asked is told to go.

use crate::{
    Api,
    address::Peer,
    counts::Place,
    patience::Patient,
    server::{Secure, Secured},
    socket::GOODBYE,
};
use axum::{Router, body::Body};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The head of a request: its line and all its headers. Tokens and cookies of other sites on one host fit many times.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// Headers of one request.
const HEADERS_MAX: usize = 64;
/// Requests at one time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// Streams that a peer opened and reset before the node came to them (CVE-2023-44487); past it the connection ends.
const RESET_STREAMS_MAX: usize = 20;
/// Streams that the node had to reset for what the peer did on them (CVE-2025-8671), over the life of a connection.
const BROKEN_STREAMS_MAX: usize = 64;
/// Between pings that find out whether an HTTP/2 peer is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The place of a connection among those that are open. A request that outlives its connection (a socket) keeps it.
#[derive(Clone)]
pub(crate) struct Held(#[allow(dead_code)] Arc<Place>);

impl Held {
    pub fn new(place: Place) -> Self {
        Held(Arc::new(place))
    }
}

/// What a connection is served with.
#[derive(Clone)]
pub(crate) struct Terms {
    pub api: Api,
    pub secure: Option<Arc<dyn Secure>>,
    pub router: Router,
    pub stop: CancellationToken,
}

/// Serves one connection to its end.
pub(crate) async fn serve(terms: Terms, tcp: TcpStream, peer: SocketAddr, held: Held) {
    let _ = tcp.set_nodelay(true);
    let Terms { api, secure, router, stop } = terms;
    let config = api.config();
    let deadline = Instant::now() + config.header_timeout;
    let Secured { stream, http2 } = match secure {
        None => Secured { stream: Box::new(tcp), http2: false },
        Some(secure) => match timeout_at(deadline, secure.accept(tcp)).await {
            Ok(Ok(Some(secured))) => secured,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => return tracing::debug!("a TLS handshake took too long"),
        },
    };
    let (asking, asked) = watch::channel(());
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        asking.send_replace(());
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(held.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    // Longer than a socket waits for its device, so that a device that reads on in time hears why it is closed.
    let io = TokioIo::new(Patient::new(stream, config.write_timeout + 2 * GOODBYE));
    let limits = TimeLimits { first: deadline, further: None, farewell: config.shutdown_timeout };
    if http2 {
        let limits = TimeLimits { further: Some(config.idle_timeout), ..limits };
        let mut connection = pin!(http2_builder(config.header_timeout).serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => {}
            over = over(asked, limits, stop) => if let Over::Farewell(time) = over {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(time, connection).await;
            }
        }
    } else {
        let connection = http1_builder(config.header_timeout).serve_connection(io, service);
        let mut connection = pin!(connection.with_upgrades());
        tokio::select! {
            _ = connection.as_mut() => {}
            over = over(asked, limits, stop) => if let Over::Farewell(time) = over {
                connection.as_mut().graceful_shutdown();
                let _ = timeout(time, connection).await;
            }
        }
    }
}

fn http1_builder(header_timeout: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(HEADERS_MAX)
        // The size of the buffer is no bound by itself: it grows by doubling, past what it was told.
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(2 * HEAD_BYTES_MAX);
    builder
}

fn http2_builder(header_timeout: Duration) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(BROKEN_STREAMS_MAX)
        .keep_alive_interval(Some(PING_INTERVAL))
        .keep_alive_timeout(header_timeout);
    builder
}

/// How long a connection may go without a request.
#[derive(Clone, Copy)]
struct TimeLimits {
    /// When its first request must be there.
    first: Instant,
    /// After the last request, until a further one; none where hyper looks after it.
    further: Option<Duration>,
    /// For what is under way when the node stops.
    farewell: Duration,
}

/// How a connection is ended by the node.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    /// At once: nothing was ever asked on it.
    Cut,
    /// What is under way gets so long.
    Farewell(Duration),
}

/// Waits until a connection is to be ended: nobody asks anything, or the node stops. `asked` changes with each request.
async fn over(asked: watch::Receiver<()>, limits: TimeLimits, stop: CancellationToken) -> Over {
    tokio::select! {
        () = stop.cancelled() => Over::Farewell(limits.farewell),
        over = lull(asked, limits) => over,
    }
}

async fn lull(mut asked: watch::Receiver<()>, limits: TimeLimits) -> Over {
    match timeout_at(limits.first, asked.changed()).await {
        Err(_) => {
            metrics::counter!("weft_connections_mute_total").increment(1);
            return Over::Cut;
        }
        // The connection is ending by itself.
        Ok(Err(_)) => return std::future::pending().await,
        Ok(Ok(())) => {}
    }
    let Some(further) = limits.further else { return std::future::pending().await };
    loop {
        match timeout(further, asked.changed()).await {
            // A large answer may still be on its way to a slow reader, who gets as much time again.
            Err(_) => return Over::Farewell(further),
            Ok(Err(_)) => return std::future::pending().await,
            Ok(Ok(())) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Asks at these seconds, and gives what it comes to at which second.
    async fn ends(asks: &[u64], further: Option<u64>) -> (Over, u64) {
        let started = Instant::now();
        let limits = TimeLimits {
            first: started + 10 * SECOND,
            further: further.map(Duration::from_secs),
            farewell: SECOND,
        };
        let (asking, asked) = watch::channel(());
        let client = async {
            for at in asks {
                tokio::time::sleep_until(started + Duration::from_secs(*at)).await;
                asking.send_replace(());
            }
            std::future::pending::<Over>().await
        };
        let over = tokio::select! {
            over = client => over,
            over = over(asked, limits, CancellationToken::new()) => over,
        };
        (over, started.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_asks_is_cut_off() {
        assert_eq!(ends(&[], None).await, (Over::Cut, 10));
        assert_eq!(ends(&[11], Some(120)).await, (Over::Cut, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_nothing_more_is_told_to_go() {
        assert_eq!(ends(&[9, 100, 219], Some(120)).await, (Over::Farewell(120 * SECOND), 339));
    }

    #[tokio::test(start_paused = true)]
    async fn where_hyper_counts_from_the_first_request_on_nothing_else_does() {
        let patience = tokio::time::timeout(1_000_000 * SECOND, ends(&[9], None)).await;
        assert!(patience.is_err());
    }
}
