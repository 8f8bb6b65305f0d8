//! `/healthz`: the process answers. `/readyz`: it keeps its promises. And the gauges of `/metrics`.

use crate::{Api, error::Fault};
use axum::{Router, extract::State, routing::get};
use weft_wire::{Code, Problem};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz))
}

async fn healthz() -> &'static str {
    "ok\n"
}

/// A load balancer asks this: not ready while stopping, and when the store takes no commits.
async fn readyz(State(api): State<Api>) -> Result<&'static str, Fault> {
    if api.stopping().is_cancelled() {
        return Err(Fault::new(Code::ShuttingDown));
    }
    // The reason is the operator's; it stands in the log and in the metrics.
    api.service().health().ready().map_err(|_| Fault(Problem::new(Code::StorageUnavailable)))?;
    Ok("ready\n")
}

/// Reads the numbers of the service into gauges.
#[allow(clippy::cast_precision_loss)] // counts below 2^52
pub(crate) async fn gauges(api: &Api) {
    let Ok(numbers) = api.service().health().numbers().await else { return };
    let set = |name: &'static str, value: f64| metrics::gauge!(name).set(value);
    set("weft_accounts", numbers.accounts as f64);
    set("weft_rooms", numbers.rooms as f64);
    set("weft_messages_accepted", numbers.messages_accepted as f64);
    set("weft_commits_accepted", numbers.commits_accepted as f64);
    set("weft_sockets", numbers.sockets as f64);
    set("weft_limit_keys", numbers.limit_keys as f64);
    set("weft_connections", api.connections().total() as f64);
    set("weft_store_seq", numbers.store.seq as f64);
    set("weft_store_checkpoint_seq", numbers.store.checkpoint_seq as f64);
    set("weft_store_journal_bytes", numbers.store.journal_bytes as f64);
    set("weft_store_segments", numbers.store.segments as f64);
    set("weft_store_rows", numbers.store.rows as f64);
    set("weft_store_index_rebuilds", numbers.store.index_rebuilds as f64);
    set("weft_store_disk_full", f64::from(u8::from(numbers.store.disk_full)));
    set("weft_store_failed", f64::from(u8::from(numbers.store.failed.is_some())));
}
