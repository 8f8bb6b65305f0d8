//! Mandates: what may be collected again and again.

use super::{
    path::{Mandate, Query},
    wallet::reads,
};
use crate::{
    Api,
    body::{In, Out},
    error::Fault,
    session::Authed,
};
use axum::{Router, extract::State, routing::get};
use weft_wire::{
    UserName,
    wallet::{GiveMandate, MandateAct, MandateInfo, MandateList},
};

/// A signed order and what is around it.
const BODY_MAX: usize = 4 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/mandates", get(mandates).post(give))
        .route("/wallet/mandates/{mandate}", get(mandate).post(act))
}

async fn mandates(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<MandateList>, Fault> {
    reads(&api, &caller)?;
    let shop: Option<UserName> = query.get("shop")?;
    let before = query.get("before")?;
    Ok(Out(api.service().wallet().mandates(&caller, shop.as_ref(), before).await?))
}

async fn mandate(
    State(api): State<Api>,
    Authed(caller): Authed,
    Mandate(id): Mandate,
) -> Result<Out<MandateInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().mandate(&caller, id).await?))
}

async fn give(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<GiveMandate, BODY_MAX>,
) -> Result<Out<MandateInfo>, Fault> {
    Ok(Out(api.service().flows().give_mandate(&caller, request).await?))
}

async fn act(
    State(api): State<Api>,
    Authed(caller): Authed,
    Mandate(id): Mandate,
    In(request): In<MandateAct, BODY_MAX>,
) -> Result<Out<MandateInfo>, Fault> {
    Ok(Out(api.service().flows().act_on_mandate(&caller, id, request).await?))
}
