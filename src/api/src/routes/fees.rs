//! Fees: what the owner takes for payments, and what was earned.

use super::{
    path::{Asset, Transfer},
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
    extract::State,
    routing::{get, post, put},
};
use weft_wire::wallet::{AccountView, MoneyFor, SetFee};

/// A name and some sums.
const BODY_MAX: usize = 1 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/admin/fees", put(set))
        .route("/wallet/admin/fees/{asset}", get(earned))
        .route("/wallet/admin/fees/take/{transfer}", post(take))
}

async fn set(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<SetFee, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let (asset, fee) = (request.asset, request.fee);
    api.service().wallet().set_fee(request).await?;
    tracing::info!(%asset, ?fee, by = %caller.name(), "the owner has changed a fee");
    Ok(Done)
}

async fn earned(
    State(api): State<Api>,
    Authed(caller): Authed,
    Asset(asset): Asset,
) -> Result<Out<AccountView>, Fault> {
    owner(&api, &caller)?;
    Ok(Out(api.service().wallet().fees_earned(asset).await?))
}

async fn take(
    State(api): State<Api>,
    Authed(caller): Authed,
    Transfer(id): Transfer,
    In(request): In<MoneyFor, BODY_MAX>,
) -> Result<Done, Fault> {
    owner(&api, &caller)?;
    let (asset, amount) = (request.asset, request.amount);
    api.service().flows().take_fees(id, request).await?;
    tracing::info!(%asset, amount, by = %caller.name(), "the owner has taken out what fees have earned");
    Ok(Done)
}
