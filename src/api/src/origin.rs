//! Which pages may open a socket. WebSockets know no same-origin rule, so the node has to look itself.

use crate::{Api, error::Fault};
use axum::http::{HeaderMap, header};
use weft_wire::{Code, Problem};

/// Refuses a browser that is on another site's page. Programs send no `Origin`, and need none: the session token travels
/// in the first frame, never by itself as a cookie would.
pub(crate) fn check(api: &Api, headers: &HeaderMap, authority: Option<&str>) -> Result<(), Fault> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let host =
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(authority).unwrap_or_default();
    let config = api.config();
    if is_own(origin, host, config.strict_transport)
        || config.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    {
        return Ok(());
    }
    Err(Fault(Problem::new(Code::Forbidden).detail("a page of another site may not open a socket here")))
}

/// Whether a page is the node's own: scheme, host and port (RFC 6454). Where people come by HTTPS, a page that came in the
/// clear may be anybody's. Elsewhere both schemes pass: a proxy may speak TLS without the node's knowing.
fn is_own(origin: &str, host: &str, https_only: bool) -> bool {
    let Some((scheme, site)) = origin.split_once("://") else { return false };
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        "http" if !https_only => ":80",
        _ => return false,
    };
    let bare = |site: &str| site.strip_suffix(port).unwrap_or(site).to_ascii_lowercase();
    !site.is_empty() && bare(site) == bare(host)
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn a_page_is_known_by_scheme_host_and_port() {
        assert!(is_own("https://home.example", "home.example", true));
        assert!(is_own("https://home.example", "Home.example:443", true));
        assert!(is_own("https://home.example:8440", "home.example:8440", true));
        assert!(!is_own("http://home.example", "home.example", true), "in the clear, of a node with TLS");
        assert!(is_own("http://home.example:8440", "home.example:8440", false));
        assert!(is_own("https://home.example", "home.example", false), "a proxy speaks TLS");
        for other in
            ["https://home.example:8441", "https://evil.example", "ftp://home.example:8440", "null", ""]
        {
            assert!(!is_own(other, "home.example:8440", false), "{other}");
        }
        assert!(!is_own("https://", "", false));
    }
}
