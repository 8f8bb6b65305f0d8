//! What the owner of the node reads and decides about other nodes.

use super::path::{Node, Query};
use crate::{
    Api, Operator,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use std::sync::Arc;
use weft_service::{Budget, Caller};
use weft_wire::{
    Code,
    admin::{JudgePeer, PeerList},
};

const BODY_MAX: usize = 1 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/admin/peers", get(peers)).route("/admin/peers/{node}", post(judge))
}

/// The operator's desk, for the owner alone.
fn desk<'a>(api: &'a Api, caller: &Caller) -> Result<&'a Arc<dyn Operator>, Fault> {
    if !caller.is_owner() {
        return Err(Fault::new(Code::Forbidden));
    }
    api.service().limits().take_account(Budget::Read, caller.name())?;
    api.operator().ok_or_else(|| Fault::new(Code::NoRoute))
}

async fn peers(State(api): State<Api>, Authed(caller): Authed, query: Query) -> Result<Out<PeerList>, Fault> {
    Ok(Out(desk(&api, &caller)?.peers(query.get("after")?).await?))
}

async fn judge(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    In(request): In<JudgePeer, BODY_MAX>,
) -> Result<Done, Fault> {
    desk(&api, &caller)?.judge(node.clone(), request.wish).await?;
    tracing::info!(%node, wish = ?request.wish, by = %caller.name(), "the owner has judged a node");
    Ok(Done)
}
