//! Who asks: the address, and the session behind `Authorization: Bearer`.

use crate::{
    Api,
    address::{ClientAddress, Peer},
    error::Fault,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::net::IpAddr;
use weft_service::{Budget, Caller};
use weft_wire::Code;

/// A session token is far shorter.
const TOKEN_BYTES_MAX: usize = 256;

/// The caller's address, for limits.
#[derive(Debug, Clone, Copy)]
pub struct From(pub IpAddr);

/// A request with a session that is alive.
#[derive(Debug)]
pub struct Authed(pub Caller);

/// A request that may have a session. One that has ended counts as none.
#[derive(Debug)]
pub struct MaybeAuthed(pub Option<Caller>);

/// Works out the address for everything that follows.
pub async fn address_layer(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else {
        return Fault::new(Code::Internal).into_response();
    };
    let client = ClientAddress::of(peer, request.headers(), &api.config().trusted_proxies);
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// Takes one request from the address's budget before anything else is done for it.
pub async fn limit_layer(State(api): State<Api>, request: Request, next: Next) -> Response {
    let taken = match request.extensions().get::<ClientAddress>() {
        Some(client) => api.service().limits().take_address(Budget::Request, client.ip).map_err(Fault::from),
        None => Err(Fault::new(Code::Internal)),
    };
    match taken {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        let client = parts.extensions.get::<ClientAddress>().ok_or_else(|| Fault::new(Code::Internal))?;
        Ok(From(client.ip))
    }
}

impl FromRequestParts<Api> for Authed {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Fault> {
        let From(from) = From::from_request_parts(parts, api).await?;
        let token = bearer(&parts.headers).ok_or_else(|| Fault::new(Code::Unauthenticated))?;
        Ok(Authed(api.service().accounts().authenticate(token, from).await?))
    }
}

impl FromRequestParts<Api> for MaybeAuthed {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Fault> {
        if bearer(&parts.headers).is_none() {
            return Ok(MaybeAuthed(None));
        }
        match Authed::from_request_parts(parts, api).await {
            Ok(Authed(caller)) => Ok(MaybeAuthed(Some(caller))),
            Err(fault) if fault.0.code.status() == 401 => Ok(MaybeAuthed(None)),
            Err(fault) => Err(fault),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let plausible =
        scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= TOKEN_BYTES_MAX;
    plausible.then_some(token)
}
