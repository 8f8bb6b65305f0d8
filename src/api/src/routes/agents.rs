//! Cash agents: where members find them, and what the owner does about them.

use super::wallet::{owner, reads};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use weft_wire::wallet::{AgentList, SetAgent, SettleAgent};

/// A name and a sum.
const BODY_MAX: usize = 1 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/agents", get(agents))
        .route("/wallet/admin/agents", get(desk).put(set))
        .route("/wallet/admin/agents/settle", post(settle))
}

async fn agents(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<AgentList>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().agents(&caller).await?))
}

async fn desk(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<AgentList>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().agent_desk().await?))
}

async fn set(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<SetAgent, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let (asset, limit) = (request.asset, request.limit);
    api.service().flows().set_agent(request).await?;
    tracing::info!(%asset, limit, by = %caller.name(), "the owner has changed a cash agent");
    Ok(Done)
}

async fn settle(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<SettleAgent, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let id = request.id;
    api.service().wallet().settle_agent(request).await?;
    tracing::info!(%id, by = %caller.name(), "the owner has settled with a cash agent");
    Ok(Done)
}
