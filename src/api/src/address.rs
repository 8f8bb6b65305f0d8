//! Who is calling: the peer's address, or what a trusted proxy says of it.

use axum::http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// The address of the TCP connection, put into every request by the server.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The address that limits are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    /// The caller's address.
    pub ip: IpAddr,
}

/// Forwarded addresses that are looked at, from the right. A longer list is somebody's game.
const HOPS_MAX: usize = 16;

impl ClientAddress {
    /// Walks `X-Forwarded-For` from the right for as long as the speaker is a trusted proxy. Whatever a stranger wrote
    /// into the header therefore counts for nothing.
    pub fn of(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpRange]) -> ClientAddress {
        let mut ip = peer.ip().to_canonical();
        let believed = |ip: IpAddr| trusted.iter().any(|range| range.contains(ip));
        let lines: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
        for hop in hops {
            if !believed(ip) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(next) => ip = next.to_canonical(),
                Err(_) => break,
            }
        }
        ClientAddress { ip }
    }

    /// What counts as one address: a whole IPv4 address, or the /64 of an IPv6 one, since a home has a /64 to itself.
    pub fn group(&self) -> IpAddr {
        group(self.ip)
    }
}

/// See [`ClientAddress::group`].
pub fn group(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// An address or a range in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRange {
    address: IpAddr,
    prefix: u8,
}

/// Not an address and not a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as 10.0.0.1, or a range such as 10.0.0.0/8")]
pub struct IpRangeError;

impl IpRange {
    /// Whether the address lies in the range.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                net.to_bits() & mask == ip.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;
    fn from_str(text: &str) -> Result<Self, IpRangeError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| IpRangeError)?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| IpRangeError)?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(full);
        if prefix > full {
            return Err(IpRangeError);
        }
        Ok(IpRange { address, prefix })
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Serialize for IpRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IpRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let trusted: Vec<IpRange> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        ClientAddress::of(format!("{peer}:9").parse().unwrap(), &headers, &trusted).ip.to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_their_address() {
        assert_eq!(seen("203.0.113.7", &["10.0.0.1"], &["127.0.0.1"]), "203.0.113.7");
        assert_eq!(seen("127.0.0.1", &["1.1.1.1, 203.0.113.7"], &["127.0.0.1"]), "203.0.113.7");
        assert_eq!(
            seen("127.0.0.1", &["1.1.1.1", "203.0.113.7, 10.1.2.3"], &["127.0.0.0/8", "10.0.0.0/8"]),
            "203.0.113.7"
        );
        assert_eq!(seen("127.0.0.1", &["not an address"], &["127.0.0.1"]), "127.0.0.1");
    }

    #[test]
    fn ranges_hold_what_they_say() {
        let range: IpRange = "10.128.0.0/9".parse().unwrap();
        assert!(range.contains("10.200.1.1".parse().unwrap()));
        assert!(!range.contains("10.1.1.1".parse().unwrap()));
        assert!("::/0".parse::<IpRange>().unwrap().contains("2001:db8::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<IpRange>().unwrap().contains("::ffff:1.2.3.4".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<IpRange>().is_err());
        assert_eq!(group("2001:db8::1:2:3:4".parse().unwrap()), "2001:db8::".parse::<IpAddr>().unwrap());
    }
}
