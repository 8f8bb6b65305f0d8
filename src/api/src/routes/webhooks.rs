//! Notices of payment providers: money that came in outside of the node.

use super::path::Provider;
use crate::{
    Api,
    body::{Out, Raw},
    error::Fault,
    session::From,
    webhooks::Unproven,
};
use axum::{
    Router,
    extract::{FromRequestParts, State},
    http::{HeaderMap, request::Parts},
    routing::post,
};
use weft_service::Budget;
use weft_wire::{
    Code, Problem,
    limits::NOTICE_BYTES_MAX,
    wallet::{TopUpNotice, TopUpTaken},
};

const TIME: &str = "weft-timestamp";
const SIGNATURE: &str = "weft-signature";

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/wallet/webhooks/{provider}", post(take))
}

/// Whoever comes has not come too often. Known before anything of a body is read.
struct Knock;

impl FromRequestParts<Api> for Knock {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Fault> {
        let From(ip) = From::from_request_parts(parts, api).await?;
        api.service().limits().take_address(Budget::Webhook, ip)?;
        Ok(Knock)
    }
}

async fn take(
    State(api): State<Api>,
    _: Knock,
    Provider(provider): Provider,
    headers: HeaderMap,
    Raw(body): Raw<NOTICE_BYTES_MAX>,
) -> Result<Out<TopUpTaken>, Fault> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = (header(TIME), header(SIGNATURE));
    if let Err(why) = api.config().webhooks.check(&provider, signed, &body, api.service().now_ms()) {
        tracing::warn!(?why, "a notice of a payment provider was refused");
        let problem = Problem::new(Code::BadSignature);
        return Err(Fault(match why {
            // It has proved that it knows the secret.
            Unproven::Time => problem.detail("it was sent too long ago, or its clock is wrong"),
            Unproven::Signature => problem,
        }));
    }
    let notice: TopUpNotice = serde_json::from_slice(&body).map_err(|error| {
        Fault::malformed(format!("not the JSON expected here (column {})", error.column()))
    })?;
    let taken = api.service().wallet().take_notice(&provider, notice).await?;
    tracing::info!(provider, state = ?taken.state, "a payment provider has reported money");
    Ok(Out(taken))
}
