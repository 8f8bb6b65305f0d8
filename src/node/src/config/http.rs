//! `[http]`.

use super::{ConfigError, one_or_many};
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
    /// Addresses that answer `/metrics` and nothing else. `/metrics` is always answered to direct loopback connections.
    #[serde(deserialize_with = "one_or_many")]
    pub metrics_listen: Vec<SocketAddr>,
    /// First of the two keys that allow plain HTTP on a public address; the other is `tls.off_on_public_address`.
    pub plain_on_public_address: bool,
    /// Open connections, all together.
    pub connections_max: usize,
    /// Open connections from one address; trusted proxies are exempt.
    pub connections_per_address_max: usize,
    /// How long the headers of a request may take.
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
            return Err(ConfigError::Rule("`http.listen`: expected at least one address".to_owned()));
        }
        let url = &self.public_url;
        if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(ConfigError::Rule(format!(
                "`http.public_url`: `{url}` must begin with `https://` or `http://`"
            )));
        }
        for (key, value) in [
            ("connections_max", self.connections_max as u64),
            ("connections_per_address_max", self.connections_per_address_max as u64),
            ("header_timeout_s", self.header_timeout_s),
            ("body_timeout_s", self.body_timeout_s),
            ("request_timeout_s", self.request_timeout_s),
        ] {
            if value == 0 {
                return Err(ConfigError::Rule(format!("`http.{key}`: expected 1 or more")));
            }
        }
        Ok(())
    }
}
