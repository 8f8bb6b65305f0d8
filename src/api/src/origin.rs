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
    let site = origin.split_once("://").map_or("", |(_, site)| site);
    let own = !site.is_empty() && site.eq_ignore_ascii_case(host);
    if own || api.config().origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(Fault(Problem::new(Code::Forbidden).detail("a page of another site may not open a socket here")))
}
