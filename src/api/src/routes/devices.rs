//! Devices of one's own account.

use super::path::Device;
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::{Authed, From},
};
use axum::{
    Router,
    extract::State,
    routing::{delete, get},
};
use weft_wire::accounts::{AddDevice, DeviceList, SessionGranted};

/// A ticket and a certificate.
const BODY_MAX: usize = 16 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/devices", get(list).post(add)).route("/devices/{device}", delete(sign_out))
}

async fn list(State(api): State<Api>, Authed(caller): Authed) -> Result<Out<DeviceList>, Fault> {
    Ok(Out(api.service().accounts().devices(&caller).await?))
}

async fn add(
    State(api): State<Api>,
    From(from): From,
    In(request): In<AddDevice, BODY_MAX>,
) -> Result<Out<SessionGranted>, Fault> {
    Ok(Out(api.service().flows().add_device(from, request).await?))
}

async fn sign_out(
    State(api): State<Api>,
    Authed(caller): Authed,
    Device(device): Device,
) -> Result<Done, Fault> {
    api.service().flows().sign_out(&caller, device).await?;
    Ok(Done)
}
