//! What surrounds every request: a time limit, a net under panics, a span and its numbers.

use crate::{Api, error::Fault};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, time::Instant};
use tracing::Instrument;
use weft_wire::{Code, Problem};

/// Runs the request within the time limit. A panic becomes a 500; the panic hook has logged where it happened, and
/// nothing of what was being handled.
pub async fn layer(State(api): State<Api>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The pattern of the route, never the path: addresses and ids of people stay out of logs and metrics.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(ui)".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::debug_span!("request", %method, %route);
    let work = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match tokio::time::timeout(api.config().request_timeout, work.instrument(span)).await {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => Fault::new(Code::Internal).into_response(),
        Err(_) => Fault(Problem::new(Code::Internal).detail("the node took too long")).into_response(),
    };
    let status = response.status().as_u16().to_string();
    // Anybody can make methods up; a label for each would fill the memory.
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE") => known.to_owned(),
        _ => "(other)".to_owned(),
    };
    metrics::histogram!("weft_request_seconds", "route" => route, "method" => method, "status" => status)
        .record(started.elapsed());
    response
}
