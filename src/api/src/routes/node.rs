//! `GET node`: what the node says of itself to everyone.

use crate::{Api, body::Out, error::Fault};
use axum::{Router, extract::State, routing::get};
use weft_wire::node::NodeInfo;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/node", get(node))
}

async fn node(State(api): State<Api>) -> Result<Out<NodeInfo>, Fault> {
    Ok(Out(api.service().node_info().await?))
}
