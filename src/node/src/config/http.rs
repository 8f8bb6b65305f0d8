//! `[http]`.

use super::{ConfigError, one_or_many, ranges::is_origin};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use weft_api::IpRange;

/// Listeners and the bounds of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Addresses to listen on. Port 0 takes a free one.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<SocketAddr>,
    /// What people type to get here, for links. Empty: made from the first listener.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed: addresses, or ranges such as `10.0.0.0/8`.
    #[serde(deserialize_with = "one_or_many")]
    pub trusted_proxies: Vec<IpRange>,
    /// Further origins whose pages may open a socket, for example `http://localhost:5173`.
    #[serde(deserialize_with = "one_or_many")]
    pub origins: Vec<String>,
    /// Addresses that answer `/metrics` and nothing else; no other address answers it.
    #[serde(deserialize_with = "one_or_many")]
    pub metrics_listen: Vec<SocketAddr>,
    /// First of the two keys that allow plain HTTP on a public address; the other is `tls.off_on_public_address`.
    pub plain_on_public_address: bool,
    /// Open connections, all together.
    pub connections_max: usize,
    /// Open connections from one address; trusted proxies are exempt.
    pub connections_per_address_max: usize,
    /// How long a new connection may take to its first request's head, a TLS handshake included, and each further head.
    pub header_timeout_s: u64,
    /// How long the body of a request may take.
    pub body_timeout_s: u64,
    /// How long an answer may take.
    pub request_timeout_s: u64,
    /// How long requests under way and sockets get when the node stops.
    pub shutdown_timeout_s: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            listen: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 8440))],
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
            metrics_listen: Vec::new(),
            plain_on_public_address: false,
            connections_max: 8192,
            connections_per_address_max: 1536,
            header_timeout_s: 10,
            body_timeout_s: 20,
            request_timeout_s: 30,
            shutdown_timeout_s: 10,
        }
    }
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            return Err(ConfigError::value("http.listen", "expected at least one address"));
        }
        let url = &self.public_url;
        if !url.is_empty() && !is_origin(url.strip_suffix('/').unwrap_or(url)) {
            let message =
                format!("found \"{url}\", expected scheme and host, such as \"https://home.example\"");
            return Err(ConfigError::value("http.public_url", message));
        }
        if let Some(origin) = self.origins.iter().find(|origin| !is_origin(origin)) {
            let message = format!(
                "found \"{origin}\", expected scheme, host and perhaps a port, such as \"http://localhost:5173\""
            );
            return Err(ConfigError::value("http.origins", message));
        }
        Ok(())
    }
}
