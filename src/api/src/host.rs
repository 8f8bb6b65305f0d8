//! What a request must say of its host (RFC 9112, 3.2; RFC 9110, 4.2.1; RFC 9113, 8.3.1). Two answers to the question "for
//! whom is this" are how a request is smuggled past a proxy that takes the other one.

use crate::error::Fault;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses a request without one clear host, and its connection with it: what follows on it may not be what it seems.
pub async fn layer(request: Request, next: Next) -> Response {
    let version = request.version();
    let Err(why) = check(version, request.uri(), request.headers()) else { return next.run(request).await };
    let mut response = Fault::malformed(why).into_response();
    if version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let Some(host) = hosts.next() else {
        // HTTP/1.0 knew no hosts, HTTP/2 has :authority.
        return if version == Version::HTTP_11 { Err("the Host header is missing") } else { Ok(()) };
    };
    if hosts.next().is_some() {
        return Err("there is more than one Host header");
    }
    let host = host.to_str().ok().filter(|host| !host.contains('@'));
    let Some(host) = host.and_then(|host| host.parse::<Authority>().ok()) else {
        return Err("the Host header is not a host");
    };
    // Over HTTP/1.1 a URI with a host comes before the header; over HTTP/2 the two must say the same.
    match uri.authority() {
        Some(authority) if version >= Version::HTTP_2 && *authority != host => {
            Err("the Host header and :authority differ")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_clear(version: Version, uri: &str, hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        check(version, &uri.parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn one_host_and_only_one() {
        for host in ["home.example", "home.example:8440", "127.0.0.1", "[::1]:8440"] {
            assert!(is_clear(Version::HTTP_11, "/", &[host]), "{host}");
        }
        assert!(!is_clear(Version::HTTP_11, "/", &[]));
        assert!(!is_clear(Version::HTTP_11, "/", &["home.example", "home.example"]));
        assert!(!is_clear(Version::HTTP_10, "/", &["home.example", "evil.example"]));
        for host in ["", "a b", "home.example/path", "someone@home.example", "home.example:port:9"] {
            assert!(!is_clear(Version::HTTP_11, "/", &[host]), "{host}");
        }
        assert!(is_clear(Version::HTTP_10, "/", &[]));
    }

    #[test]
    fn over_http_2_header_and_authority_agree() {
        let uri = "https://home.example/";
        assert!(is_clear(Version::HTTP_2, uri, &[]));
        assert!(is_clear(Version::HTTP_2, uri, &["home.example"]));
        assert!(!is_clear(Version::HTTP_2, uri, &["evil.example"]));
    }
}
