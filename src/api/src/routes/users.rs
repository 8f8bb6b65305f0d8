//! Looking people up, and taking their KeyPackages.

use super::path::User;
use crate::{Api, body::Out, error::Fault, session::Authed};
use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use weft_wire::contacts::{ClaimedKeyPackages, UserLookup};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/users/{user}", get(lookup)).route("/users/{user}/key-packages", post(claim))
}

async fn lookup(
    State(api): State<Api>,
    Authed(caller): Authed,
    User(user): User,
) -> Result<Out<UserLookup>, Fault> {
    Ok(Out(api.service().flows().lookup(&caller, &user).await?))
}

async fn claim(
    State(api): State<Api>,
    Authed(caller): Authed,
    User(user): User,
) -> Result<Out<ClaimedKeyPackages>, Fault> {
    Ok(Out(api.service().flows().claim_key_packages(&caller, &user).await?))
}
