//! What is between this node and others, beside what stands in `topups`: settlements and statements, for its owner.

use super::{
    path::{Node, Query, invalid},
    wallet::owner,
};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use weft_wire::{
    NodeName, TransferId,
    links::{DecideSettlement, ProposeSettlement, Table},
};

const BODY_MAX: usize = 2 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/admin/links/{node}/settlements", get(settlements).post(propose))
        .route("/wallet/admin/links/{node}/settlements/{transfer}", post(decide))
        .route("/wallet/admin/links/{node}/statement", get(statement))
}

async fn settlements(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().settlements(&node).await?.table()))
}

async fn propose(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    In(wish): In<ProposeSettlement, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let id = wish.id;
    api.service().wallet().propose_settlement(&node, wish).await?;
    tracing::info!(%node, %id, by = %caller.name(), "the owner has proposed a settlement");
    Ok(Done)
}

async fn decide(
    State(api): State<Api>,
    Authed(caller): Authed,
    Path((node, id)): Path<(String, String)>,
    In(wish): In<DecideSettlement, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let node: NodeName = node.parse().map_err(|error| invalid("node", error))?;
    let id: TransferId = id.parse().map_err(|error| invalid("transfer", error))?;
    let accepted = wish.accept;
    api.service().wallet().decide_settlement(&node, id, wish).await?;
    tracing::info!(%node, %id, accepted, by = %caller.name(), "the owner has decided a settlement");
    Ok(Done)
}

async fn statement(
    State(api): State<Api>,
    Authed(caller): Authed,
    Node(node): Node,
    query: Query,
) -> Result<Out<Table>, Fault> {
    owner(&api, &caller)?;
    let (from_ms, until_ms) = (query.get("from")?.unwrap_or(0), query.get("until")?.unwrap_or(u64::MAX));
    Ok(Out(api.service().wallet().link_account(&node, from_ms, until_ms).await?.table()))
}
