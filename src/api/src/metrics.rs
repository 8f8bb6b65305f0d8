//! Prometheus: counters by the `metrics` facade, gauges read from the service when asked.

use crate::Api;
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

/// From a quarter of a millisecond to thirty seconds.
const SECONDS: &[f64] =
    &[0.00025, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The recorder of this process; several nodes in one process (tests) share it.
pub(crate) fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets(SECONDS).unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Somebody else's recorder in the process: ours stays empty but for the gauges, which is not worth a refusal.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// `GET /metrics`, on listeners that are for nothing else. Never on those for people: a proxy on the same machine looks like
/// the machine itself, and not every one says for whom it asks.
pub(crate) async fn route(State(api): State<Api>) -> Response {
    let recorder = recorder();
    recorder.run_upkeep();
    crate::routes::health::gauges(&api).await;
    let mut response = recorder.render().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}
