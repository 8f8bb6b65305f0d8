//! Where the node is.

use crate::Error;
use hyper::Uri;

/// The checked address of a node: scheme, host and port, nothing more.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    base: String,
    tls: bool,
}

impl Address {
    /// Reads `https://HOST[:PORT]`, or `http://…` for this machine or where `plain_http` allows it.
    pub fn parse(text: &str, plain_http: bool) -> Result<Self, Error> {
        let bad = || Error::Address(text.to_owned());
        let uri: Uri = text.trim().parse().map_err(|_| bad())?;
        let (scheme, authority) = (uri.scheme_str().ok_or_else(bad)?, uri.authority().ok_or_else(bad)?);
        if uri.path() != "/" || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(bad());
        }
        let tls = match scheme {
            "https" => true,
            "http" if plain_http || is_loopback(authority.host()) => false,
            "http" => return Err(Error::PlainHttp(authority.host().to_owned())),
            _ => return Err(bad()),
        };
        Ok(Address { base: authority.to_string(), tls })
    }

    /// For a path that begins with `/`.
    pub fn http(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "https" } else { "http" }, self.base)
    }

    /// The socket's address for a path that begins with `/`.
    pub fn socket(&self, path: &str) -> String {
        format!("{}://{}{path}", if self.tls { "wss" } else { "ws" }, self.base)
    }
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in ["http://127.0.0.1:8440", "http://localhost/", "http://[::1]:80", "https://home.example"]
        {
            assert!(Address::parse(good, false).is_ok(), "{good}");
        }
        assert!(matches!(Address::parse("http://home.example", false), Err(Error::PlainHttp(_))));
        assert!(Address::parse("http://home.example", true).is_ok());
        for bad in ["home.example", "ftp://x", "https://a@b", "https://x/path", "https://x?q", "", "http://"]
        {
            assert!(matches!(Address::parse(bad, true), Err(Error::Address(_))), "{bad}");
        }
        let address = Address::parse("http://127.0.0.1:8440", false).expect("good");
        assert_eq!(address.socket("/api/v1/sync"), "ws://127.0.0.1:8440/api/v1/sync");
    }
}
