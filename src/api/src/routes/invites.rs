//! Invites to the node.

use crate::{
    Api,
    body::{In, Out},
    error::Fault,
    session::Authed,
};
use axum::{Router, extract::State, routing::post};
use weft_wire::invites::{CreateInvite, InviteCreated};

const BODY_MAX: usize = 1 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/invites", post(create))
}

async fn create(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<CreateInvite, BODY_MAX>,
) -> Result<Out<InviteCreated>, Fault> {
    Ok(Out(api.service().invites().create(&caller, request).await?))
}
