//! Vault records of the calling account.

use super::path::{Query, invalid};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{Router, extract::State, routing::put};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use weft_wire::vault::{PutVaultRecords, VaultPage};

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/vault/records", put(store).get(page))
}

async fn store(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<PutVaultRecords>,
) -> Result<Done, Fault> {
    api.service().vault().put(&caller, request).await?;
    Ok(Done)
}

async fn page(State(api): State<Api>, Authed(caller): Authed, query: Query) -> Result<Out<VaultPage>, Fault> {
    let after = query.text("after").map(name).transpose()?;
    Ok(Out(api.service().vault().page(&caller, after).await?))
}

/// Thirty-two bytes, in base64url as in JSON, or in hexadecimal digits.
fn name(text: &str) -> Result<[u8; 32], Fault> {
    let bytes = match text.len() {
        64 => hex::decode(text).ok(),
        _ => URL_SAFE_NO_PAD.decode(text).ok(),
    };
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| invalid("after", "expected 32 bytes in base64url"))
}
