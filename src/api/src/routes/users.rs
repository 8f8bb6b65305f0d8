//! Looking people up, and taking their KeyPackages.

use super::path::{Query, User};
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
    query: Query,
) -> Result<Out<UserLookup>, Fault> {
    let at: Vec<String> =
        query.text("at").into_iter().flat_map(|at| at.split(',')).map(str::to_owned).collect();
    Ok(Out(api.service().flows().lookup(&caller, &user, &at).await?))
}

async fn claim(
    State(api): State<Api>,
    Authed(caller): Authed,
    User(user): User,
    query: Query,
) -> Result<Out<ClaimedKeyPackages>, Fault> {
    Ok(Out(api.service().flows().claim_key_packages(&caller, &user, query.get("room")?).await?))
}
