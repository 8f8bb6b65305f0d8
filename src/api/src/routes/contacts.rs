//! Contacts, requests, personal links.

use super::path::{Query, User};
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
use weft_wire::contacts::{ContactAccept, ContactAnswer, ContactList, ContactRequest, CreateContactLink};

/// A sealed greeting, an address, a token.
const BODY_MAX: usize = 8 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/contacts", get(list))
        .route("/contacts/requests", post(request))
        .route("/contacts/links", post(create_link))
        .route("/contacts/{user}/accept", post(accept))
        .route("/contacts/{user}/decline", post(decline))
        .route("/contacts/{user}/block", post(block))
        .route("/contacts/{user}/remove", post(remove))
}

async fn list(
    State(api): State<Api>,
    Authed(caller): Authed,
    query: Query,
) -> Result<Out<ContactList>, Fault> {
    let after = query.get("after")?;
    Ok(Out(api.service().contacts().list(&caller, after.as_ref()).await?))
}

async fn request(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<ContactRequest, BODY_MAX>,
) -> Result<Out<ContactAnswer>, Fault> {
    Ok(Out(api.service().flows().request_contact(&caller, request).await?))
}

async fn create_link(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<CreateContactLink, BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().contacts().create_link(&caller, request).await?;
    Ok(Done)
}

async fn accept(
    State(api): State<Api>,
    Authed(caller): Authed,
    User(user): User,
    In(request): In<ContactAccept, BODY_MAX>,
) -> Result<Out<ContactAnswer>, Fault> {
    Ok(Out(api.service().flows().accept_contact(&caller, &user, request).await?))
}

async fn decline(State(api): State<Api>, Authed(caller): Authed, User(user): User) -> Result<Done, Fault> {
    api.service().flows().decline_contact(&caller, &user).await?;
    Ok(Done)
}

async fn block(State(api): State<Api>, Authed(caller): Authed, User(user): User) -> Result<Done, Fault> {
    api.service().flows().block_contact(&caller, &user).await?;
    Ok(Done)
}

async fn remove(State(api): State<Api>, Authed(caller): Authed, User(user): User) -> Result<Done, Fault> {
    api.service().flows().remove_contact(&caller, &user).await?;
    Ok(Done)
}
