//! CBOR or JSON: what a body is in, and what its answer should be in.

use axum::{
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The default.
    #[default]
    Cbor,
    /// For people, scripts and bots.
    Json,
}

tokio::task_local! {
    static ANSWER: Format;
}

impl Format {
    /// The `Content-Type` of a value.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Cbor => "application/cbor",
            Format::Json => "application/json",
        }
    }

    /// The `Content-Type` of a problem (RFC 9457; the CBOR form is registered by no one and named alike).
    pub fn problem_type(self) -> &'static str {
        match self {
            Format::Cbor => "application/problem+cbor",
            Format::Json => "application/problem+json",
        }
    }

    /// How long a body may be that is taken up to `max` bytes in CBOR: JSON writes three bytes as four letters (base64url),
    /// so that the same content gets through in both.
    pub fn body_bytes_max(self, max: usize) -> usize {
        match self {
            Format::Cbor => max,
            Format::Json => max.div_ceil(3).saturating_mul(4),
        }
    }

    /// What a body is in; none when it is neither.
    pub fn of_body(headers: &HeaderMap) -> Option<Format> {
        // Required: without it pages of other origins could send a body and no browser would ask first.
        let value = headers.get(header::CONTENT_TYPE)?;
        let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/cbor") {
            Some(Format::Cbor)
        } else if kind.eq_ignore_ascii_case("application/json") {
            Some(Format::Json)
        } else {
            None
        }
    }

    /// What the caller wants to read: the first of the two in `Accept`; where it names neither, as the caller writes.
    pub fn of_answer(headers: &HeaderMap) -> Format {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let place = |word: &str| accept.find(word).unwrap_or(usize::MAX);
        let json = place("application/json").min(place("application/problem+json"));
        let cbor = place("application/cbor").min(place("application/problem+cbor"));
        match json.cmp(&cbor) {
            std::cmp::Ordering::Less => Format::Json,
            std::cmp::Ordering::Greater => Format::Cbor,
            std::cmp::Ordering::Equal => Format::of_body(headers).unwrap_or_default(),
        }
    }

    /// For answers that are built now.
    pub fn current() -> Format {
        ANSWER.try_with(|format| *format).unwrap_or_default()
    }
}

/// Keeps the wished format at hand while a request is answered, so that every answer and every problem follows it.
pub async fn layer(request: Request, next: Next) -> Response {
    let format = Format::of_answer(request.headers());
    ANSWER.scope(format, next.run(request)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn cbor_unless_json_is_asked_for() {
        assert_eq!(Format::of_answer(&HeaderMap::new()), Format::Cbor);
        assert_eq!(Format::of_answer(&headers(&[(header::ACCEPT, "*/*")])), Format::Cbor);
        assert_eq!(Format::of_answer(&headers(&[(header::ACCEPT, "application/json")])), Format::Json);
        assert_eq!(
            Format::of_answer(&headers(&[(header::ACCEPT, "application/cbor, application/json;q=0.5")])),
            Format::Cbor
        );
        assert_eq!(Format::of_answer(&headers(&[(header::CONTENT_TYPE, "application/json")])), Format::Json);
        assert_eq!(Format::of_body(&headers(&[(header::CONTENT_TYPE, "text/plain")])), None);
    }
}
