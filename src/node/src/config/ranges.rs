//! What values may be: one table for every number, and what is expected of the rest, in words.

use super::{Config, ConfigError};
use figment::value::Value;
use std::ops::RangeInclusive;

/// Every number of the configuration with its bounds, both allowed. None is so large that seconds, mebibytes or days of it
/// overflow anything, and none so small that the node could not work. A number that is not in this table fails a test.
const RANGES: &[(&str, RangeInclusive<u64>)] = &[
    ("node.session_days", 1..=365),
    ("storage.cache_mib", 1..=65_536),
    ("storage.segment_mib", 1..=1_024),
    ("storage.retention_days", 1..=3_650),
    ("storage.min_free_mib", 16..=1_048_576),
    ("http.connections_max", 1..=1_000_000),
    ("http.connections_per_address_max", 1..=1_000_000),
    ("http.header_timeout_s", 1..=3_600),
    ("http.body_timeout_s", 1..=3_600),
    ("http.request_timeout_s", 1..=3_600),
    ("http.shutdown_timeout_s", 0..=3_600),
    ("federation.connections_max", 8..=100_000),
    ("federation.retention_days", 1..=365),
    ("socket.hello_timeout_s", 1..=3_600),
    ("socket.write_timeout_s", 1..=3_600),
    ("socket.idle_timeout_s", 1..=86_400),
    ("limits.account_mib_per_day", 1..=1_048_576),
    ("limits.vault_mib", 1..=1_048_576),
    ("webhooks.tolerance_s", 1..=3_600),
];

/// What is expected of a key, where its type alone would say little to a person.
const WORDS: &[(&str, &str)] = &[
    ("http.listen", "addresses with a port, such as \"127.0.0.1:8440\""),
    ("federation.listen", "multiaddresses, such as \"/ip4/0.0.0.0/udp/8441/quic-v1\""),
    ("federation.external", "multiaddresses, such as \"/dns/home.example/tcp/8441\""),
    (
        "federation.relays",
        "multiaddresses with whose they are, such as \"/dns/home.example/tcp/8441/p2p/12D3KooW…\"",
    ),
    (
        "federation.first_contacts",
        "multiaddresses with whose they are, such as \"/dns/home.example/tcp/8441/p2p/12D3KooW…\"",
    ),
    ("federation.policy", "\"open\", \"allow_list\" or \"closed\""),
    ("http.metrics_listen", "addresses with a port, such as \"127.0.0.1:9440\""),
    ("http.trusted_proxies", "addresses, or ranges such as \"10.0.0.0/8\""),
    ("limits.rate_multiplier", "0, or a number from 0.01 to 1000000"),
];

/// The bounds of a number.
pub fn range_of(key: &str) -> Option<&'static RangeInclusive<u64>> {
    RANGES.iter().find(|(name, _)| *name == key).map(|(_, range)| range)
}

/// What is expected of a key, in words, if there is more to say than its type.
pub(super) fn expected(key: &str) -> Option<String> {
    let number =
        range_of(key).map(|range| format!("a whole number from {} to {}", range.start(), range.end()));
    number.or_else(|| WORDS.iter().find(|(name, _)| *name == key).map(|(_, words)| (*words).to_owned()))
}

/// Refuses the first number that is out of bounds.
///
/// # Errors
/// [`ConfigError::Value`].
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let values = Value::serialize(config).map_err(|error| ConfigError::Rule(error.to_string()))?;
    for (key, range) in RANGES {
        let number = values.find_ref(key).and_then(Value::to_u128);
        if let Some(number) = number
            && !u64::try_from(number).is_ok_and(|number| range.contains(&number))
        {
            let expected = expected(key).unwrap_or_default();
            return Err(ConfigError::value(key, format!("found `{number}`, expected {expected}")));
        }
    }
    Ok(())
}

/// Every key with its section, as `http.listen`.
pub(super) fn keys() -> Vec<String> {
    let Some(sections) = Value::serialize(Config::default()).ok().and_then(Value::into_dict) else {
        return Vec::new();
    };
    let keys = sections.into_iter().flat_map(|(section, values)| {
        let names = values.into_dict().unwrap_or_default().into_keys();
        names.map(move |name| format!("{section}.{name}")).collect::<Vec<_>>()
    });
    keys.collect()
}

/// Whether a text is an origin as browsers send it: scheme, host, perhaps a port, and nothing behind it.
pub(super) fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let (host_fits, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host.parse::<std::net::Ipv6Addr>().is_ok(), port.strip_prefix(':')),
        None => {
            let (host, port) = authority.split_once(':').map_or((authority, None), |(h, p)| (h, Some(p)));
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            (!host.is_empty() && host.chars().all(fits), port)
        }
    };
    let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    // After an IPv6 address nothing but a port may come.
    let rest_fits = !authority.starts_with('[') || authority.ends_with(']') || port.is_some();
    matches!(scheme, "http" | "https") && host_fits && rest_fits && port.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_bounds_and_its_default_is_within() {
        let values = Value::serialize(Config::default()).unwrap();
        for key in keys() {
            let number = values.find_ref(&key).unwrap().to_u128();
            match (number, range_of(&key)) {
                (Some(number), Some(range)) => {
                    assert!(range.contains(&u64::try_from(number).unwrap()), "{key}")
                }
                (number, range) => {
                    assert!(number.is_none() && range.is_none(), "{key} has no line in RANGES")
                }
            }
        }
        for (key, _) in RANGES {
            assert!(keys().iter().any(|known| known == key), "{key} is in RANGES, and nowhere else");
        }
    }

    #[test]
    fn origins_are_told_from_what_looks_like_them() {
        for right in [
            "http://localhost:5173",
            "https://home.example",
            "http://127.0.0.1",
            "https://[::1]:8440",
            "http://[::1]",
        ] {
            assert!(is_origin(right), "{right}");
        }
        for wrong in [
            "",
            "*",
            "null",
            "home.example",
            "https://",
            "https://home.example/",
            "https://home.example/x",
            "ftp://home",
            "https://home:",
            "https://home:99999",
            "https://home:+1",
            "https://user@home",
            "https://[::1",
            "https://[::1]x",
            "https://[x]",
            "https://home.example ",
            "https://a:1:2",
            "HTTPS//home",
            "https://?x",
        ] {
            assert!(!is_origin(wrong), "{wrong}");
        }
    }
}
