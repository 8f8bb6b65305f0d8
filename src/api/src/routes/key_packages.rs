//! The stock of KeyPackages of the calling device.

use crate::{
    Api,
    body::{In, Out},
    error::Fault,
    session::Authed,
};
use axum::{Router, extract::State, routing::get};
use weft_wire::contacts::{KeyPackageStock, PublishKeyPackages};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/key-packages", get(stock).post(publish))
}

async fn stock(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<KeyPackageStock>, Fault> {
    Ok(Out(api.service().key_packages().stock(&caller).await?))
}

async fn publish(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<PublishKeyPackages>,
) -> Result<Out<KeyPackageStock>, Fault> {
    Ok(Out(api.service().key_packages().publish(&caller, request).await?))
}
