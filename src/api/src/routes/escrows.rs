//! Escrow: what is held, and what both sides say of it.

use super::{
    path::{Escrow, Query},
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
    wallet::{EscrowAct, EscrowInfo, EscrowList},
};

/// A signed order and what is around it.
const BODY_MAX: usize = 4 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/wallet/escrows", get(escrows))
        .route("/wallet/escrows/{escrow}", get(escrow).post(act))
}

async fn escrows(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<EscrowList>, Fault> {
    reads(&api, &caller)?;
    let shop: Option<UserName> = query.get("shop")?;
    let before = query.get("before")?;
    Ok(Out(api.service().wallet().escrows(&caller, shop.as_ref(), before).await?))
}

async fn escrow(
    State(api): State<Api>,
    Authed(caller): Authed,
    Escrow(id): Escrow,
) -> Result<Out<EscrowInfo>, Fault> {
    reads(&api, &caller)?;
    Ok(Out(api.service().wallet().escrow(&caller, id).await?))
}

async fn act(
    State(api): State<Api>,
    Authed(caller): Authed,
    Escrow(id): Escrow,
    In(request): In<EscrowAct, BODY_MAX>,
) -> Result<Out<EscrowInfo>, Fault> {
    Ok(Out(api.service().wallet().act_on_escrow(&caller, id, request).await?))
}
