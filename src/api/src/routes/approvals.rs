//! Dual control: what waits for a second person, and who that is.

use super::{
    path::Transfer,
    wallet::{owner, reads},
};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{delete, get, post, put},
};
use weft_wire::wallet::{AssetAmount, ChangeApprover, DecideProposal, GuardInfo};

/// A signed approval, a name.
const BODY_MAX: usize = 4 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/guard", get(guard))
        .route("/wallet/guard/proposals/{transfer}", post(decide))
        .route("/wallet/admin/guard/threshold", put(set_threshold))
        .route("/wallet/admin/guard/approvers", post(change_approver))
        .route("/wallet/admin/guard/proposals/{transfer}", delete(withdraw))
}

async fn guard(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<GuardInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().guard(&caller).await?))
}

async fn decide(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
    In(request): In<DecideProposal, BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().flows().decide_proposal(&caller, id, request).await?;
    tracing::info!(%id, by = %caller.name(), "a proposal was decided");
    Ok(Done)
}

async fn set_threshold(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<AssetAmount, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let asset = request.asset;
    api.service().wallet().set_threshold(request).await?;
    tracing::info!(%asset, by = %caller.name(), "the owner has set a threshold for issuing");
    Ok(Done)
}

async fn change_approver(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<ChangeApprover, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().flows().change_approver(request).await?;
    Ok(Done)
}

async fn withdraw(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    api.service().wallet().withdraw_proposal(id).await?;
    Ok(Done)
}
