//! The one way in and out for bodies: [`In`] and [`Out`].

use crate::{Api, error::Fault, negotiate::Format};
use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::{Serialize, de::DeserializeOwned};
use weft_wire::{Code, Problem, codec, limits};

/// A decoded body of at most `MAX` bytes of CBOR, or as much in JSON. Its size is known before a byte of it is decoded, and what is announced as too
/// large is refused before a byte of it is read.
#[derive(Debug)]
pub struct In<T, const MAX: usize = { limits::REQUEST_BYTES_MAX }>(pub T);

/// An answer, in the format that the caller wished.
#[derive(Debug)]
pub struct Out<T>(pub T);

impl<T: DeserializeOwned, const MAX: usize> FromRequest<Api> for In<T, MAX> {
    type Rejection = Fault;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Fault> {
        let format = Format::of_body(request.headers())
            .ok_or_else(|| Fault::malformed("a body is application/cbor or application/json"))?;
        let bytes = read_in_time(request.into_body(), format.body_bytes_max(MAX), api).await?;
        decode(&bytes, format, MAX).map(In)
    }
}

/// A body of at most `MAX` bytes as it came, for what is signed byte by byte.
pub(crate) struct Raw<const MAX: usize>(pub Bytes);

impl<const MAX: usize> FromRequest<Api> for Raw<MAX> {
    type Rejection = Fault;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Fault> {
        read_in_time(request.into_body(), MAX, api).await.map(Raw)
    }
}

async fn read_in_time(body: Body, max: usize, api: &Api) -> Result<Bytes, Fault> {
    let read = tokio::time::timeout(api.config().body_timeout, read(body, max)).await;
    read.map_err(|_| Fault(Problem::new(Code::SlowReader).detail("the body did not arrive in time")))?
}

/// Reads a body up to a bound.
async fn read(mut body: Body, max: usize) -> Result<Bytes, Fault> {
    let too_large =
        || Fault(Problem::new(Code::TooLarge).detail(format!("at most {max} bytes are taken here")));
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Fault::malformed("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.remaining() > max {
            return Err(too_large());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn decode<T: DeserializeOwned>(bytes: &[u8], format: Format, max: usize) -> Result<T, Fault> {
    match format {
        Format::Cbor => codec::decode(bytes, max).map_err(Fault::malformed),
        // serde_json quotes values in some of its messages; line and column are all that is told.
        Format::Json => serde_json::from_slice(bytes).map_err(|error| {
            Fault::malformed(format!(
                "not the JSON expected here (line {}, column {})",
                error.line(),
                error.column()
            ))
        }),
    }
}

impl<T: Serialize> IntoResponse for Out<T> {
    fn into_response(self) -> Response {
        let format = Format::current();
        let body = match format {
            Format::Cbor => codec::encode(&self.0),
            Format::Json => match serde_json::to_vec(&self.0) {
                Ok(body) => body,
                Err(_) => return Fault::new(Code::Internal).into_response(),
            },
        };
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Done, nothing to tell: 204.
pub struct Done;

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }
}
