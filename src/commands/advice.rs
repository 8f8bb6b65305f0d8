//! What an operator should hear before other people come: by defaults, a node is for one machine.

use super::out;
use weft_node::Config;

/// What should still be decided; nothing where all of it is.
pub fn before_others_come(config: &Config, url: &str) -> Vec<String> {
    let mut advice = Vec::new();
    if config.node.name.is_empty() {
        advice.push(
            "node.name is not set: addresses here end in a peer id of 52 characters (alice@12D3KooW…). A DNS name, set before \
             the first person signs up, makes them alice@home.example; after that it can never change."
                .to_owned(),
        );
    }
    if opens_here_only(url) {
        advice.push(format!(
            "Links begin with {url}, which opens on this machine only. For others, set http.public_url, http.listen and [tls]: see \
             README.md, \"Running it for others\"."
        ));
    }
    advice.extend(of_plain_http(url));
    advice
}

/// What an address without TLS comes to: browsers keep their cryptography from such a page, unless it is of their own machine.
pub fn of_plain_http(url: &str) -> Option<String> {
    (url.starts_with("http://") && !opens_here_only(url)).then(|| {
        format!(
            "Links begin with {url}, and over plain http browsers do not run the web app, except on the node's own machine. Set \
             [tls], or a proxy that speaks https, and an http.public_url with https: see README.md, \"Running it for others\"."
        )
    })
}

/// On standard error, below a link.
pub fn of_link(link: &str) {
    if opens_here_only(link) {
        out::note(
            "(this link opens on this machine only: http.public_url says what others type to get here)",
        );
    }
    if of_plain_http(link).is_some() {
        out::note(
            "(browsers do not run the web app from this link: it begins with http, and http.public_url has to with https)",
        );
    }
}

/// Whether a URL leads to the very machine on which it is opened.
pub fn opens_here_only(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loopback_link_is_known() {
        for here in [
            "http://127.0.0.1:8440",
            "http://localhost/#/i/x",
            "https://[::1]:8440/#/i/x",
            "http://127.9.9.9",
        ] {
            assert!(opens_here_only(here), "{here}");
        }
        for wide in [
            "https://home.example",
            "http://192.168.1.5:8440",
            "https://[2001:db8::1]",
            "https://localhost.example",
        ] {
            assert!(!opens_here_only(wide), "{wide}");
        }
    }

    #[test]
    fn plain_http_is_advised_against_where_browsers_refuse_it() {
        let mut config = Config::default();
        config.node.name = "home.example".into();
        for refused in ["http://home.lan:8440", "http://192.168.1.5:8440", "http://127.0.0.1.example"] {
            let advice = before_others_come(&config, refused);
            assert!(
                matches!(advice.as_slice(), [one] if one.contains(refused) && one.contains("plain http")),
                "{advice:?}"
            );
        }
        for fine in
            ["https://home.lan", "http://127.0.0.1:8440", "http://localhost:8440", "http://[::1]:8440"]
        {
            assert_eq!(of_plain_http(fine), None, "{fine}");
        }
    }

    #[test]
    fn a_node_that_is_ready_for_others_needs_no_advice() {
        let mut config = Config::default();
        assert_eq!(before_others_come(&config, "http://127.0.0.1:8440").len(), 2);
        config.node.name = "home.example".into();
        assert_eq!(before_others_come(&config, "https://home.example"), Vec::<String>::new());
    }
}
