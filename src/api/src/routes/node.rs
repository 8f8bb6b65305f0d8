//! `GET node`: what the node says of itself to everyone.

use crate::{Api, body::Out, error::Fault};
use axum::{Router, extract::State, routing::get};
use weft_wire::{Code, Signed, federation::NodeRecord, node::NodeInfo};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/node", get(node))
}

async fn node(State(api): State<Api>) -> Result<Out<NodeInfo>, Fault> {
    Ok(Out(api.service().node_info().await?))
}

/// What the node says of itself to other nodes, signed.
pub(super) async fn well_known(State(api): State<Api>) -> Result<Out<Signed<NodeRecord>>, Fault> {
    api.service().federation().record().map(Out).ok_or_else(|| Fault::new(Code::NotFound))
}
