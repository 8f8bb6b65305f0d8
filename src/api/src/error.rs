//! The one mapping from problems to HTTP.

use crate::negotiate::Format;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use weft_wire::{Code, Problem, codec};

/// A problem on its way out. Every error of the service turns into one by `?`.
#[derive(Debug)]
pub struct Fault(pub Problem);

impl<E: Into<Problem>> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault(error.into())
    }
}

impl Fault {
    /// A problem without particulars.
    pub fn new(code: Code) -> Fault {
        Fault(Problem::new(code))
    }

    /// The body is not what the route takes.
    pub fn malformed(detail: impl std::fmt::Display) -> Fault {
        Fault(Problem::new(Code::Malformed).detail(detail))
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let problem = self.0;
        metrics::counter!("weft_problems_total", "code" => problem.code.as_str()).increment(1);
        let format = Format::current();
        let body = match format {
            Format::Cbor => codec::encode(&problem),
            Format::Json => serde_json::to_vec(&problem).unwrap_or_default(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.problem_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = problem.retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
