//! Where a peer may be found: multiaddresses, as texts that were looked at.

use crate::PeerKey;
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use weft_wire::limits::{PEER_ADDRESS_BYTES_MAX, PEER_ADDRESSES_MAX};

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Longer than [`PEER_ADDRESS_BYTES_MAX`].
    #[error("an address has at most {PEER_ADDRESS_BYTES_MAX} bytes")]
    TooLong,
    /// Not a multiaddress.
    #[error("not a multiaddress")]
    Syntax,
    /// A multiaddress, but not of a kind that is dialled here.
    #[error("an address is /ip4, /ip6 or /dns, then /tcp/PORT or /udp/PORT/quic-v1, then at most /p2p/PEER")]
    Kind,
    /// A name where a socket is to be opened.
    #[error("what is listened on is an IP address, not a name")]
    Name,
    /// The address does not say whose it is.
    #[error("an address of a relay or a first contact ends with /p2p/PEER-ID")]
    Nameless,
    /// Port 0: free to listen on, nowhere to call.
    #[error("port 0 cannot be called")]
    Port,
    /// `0.0.0.0` or `::`.
    #[error("0.0.0.0 and :: stand for every address of a machine; named is the one at which it is reached")]
    Unspecified,
    /// What stands after `/dns` is none.
    #[error("what follows /dns is no name of DNS")]
    DnsName,
    /// The address names another peer than the one it is given for.
    #[error("the address is another peer's")]
    OtherPeer,
}

/// Addresses of one peer: each checked, at most [`PEER_ADDRESSES_MAX`], none twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses(Vec<Multiaddr>);

impl Addresses {
    /// Keeps of the texts those that are addresses of this peer, the first ones up to the bound. Hints are hearsay: one that
    /// is wrong is no reason to do without the others.
    pub fn of<T: AsRef<str>>(peer: PeerKey, texts: impl IntoIterator<Item = T>) -> Self {
        Self::collect(texts.into_iter().filter_map(|text| parse_for(peer, text.as_ref()).ok()))
    }

    pub(crate) fn collect(addresses: impl IntoIterator<Item = Multiaddr>) -> Self {
        let mut kept: Vec<Multiaddr> = Vec::new();
        for address in addresses {
            if kept.len() == PEER_ADDRESSES_MAX {
                break;
            }
            if !kept.contains(&address) {
                kept.push(address);
            }
        }
        Addresses(kept)
    }

    /// As texts, as a node record or a link carries them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(Multiaddr::to_string).collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_slice(&self) -> &[Multiaddr] {
        &self.0
    }
}

/// One address of this peer, without the peer's own id at its end.
pub(crate) fn parse_for(peer: PeerKey, text: &str) -> Result<Multiaddr, AddressError> {
    let (address, named) = callable(parse(text)?)?;
    match named {
        Some(other) if other != peer => Err(AddressError::OtherPeer),
        _ => Ok(address),
    }
}

/// Whether a text is an address at which this peer may be called.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(peer: PeerKey, text: &str) -> Result<(), AddressError> {
    parse_for(peer, text).map(drop)
}

/// An address that says whose it is, as relays and first contacts are configured.
pub(crate) fn parse_named(text: &str) -> Result<(PeerKey, Multiaddr), AddressError> {
    let (address, named) = callable(parse(text)?)?;
    Ok((named.ok_or(AddressError::Nameless)?, address))
}

/// An address to listen on: no name, port 0 for any.
pub(crate) fn parse_listen(text: &str) -> Result<Multiaddr, AddressError> {
    let address = unnamed(split(parse(text)?)?)?;
    if ip(&address).is_some() { Ok(address) } else { Err(AddressError::Name) }
}

/// An address at which this node is reached from outside.
pub(crate) fn parse_external(text: &str) -> Result<Multiaddr, AddressError> {
    unnamed(callable(parse(text)?)?)
}

/// One that says neither whose it is nor leads over a relay: this node's own.
fn unnamed((address, named): (Multiaddr, Option<PeerKey>)) -> Result<Multiaddr, AddressError> {
    if named.is_some() || is_relayed(&address) { Err(AddressError::Kind) } else { Ok(address) }
}

/// Of an address that somebody is to call: there is somebody to be called.
fn callable(address: Multiaddr) -> Result<(Multiaddr, Option<PeerKey>), AddressError> {
    for part in &address {
        match part {
            Protocol::Tcp(0) | Protocol::Udp(0) => return Err(AddressError::Port),
            Protocol::Ip4(ip) if ip.is_unspecified() => return Err(AddressError::Unspecified),
            Protocol::Ip6(ip) if ip.is_unspecified() => return Err(AddressError::Unspecified),
            Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) if !is_name(&name) => {
                return Err(AddressError::DnsName);
            }
            _ => {}
        }
    }
    split(address)
}

fn parse(text: &str) -> Result<Multiaddr, AddressError> {
    if text.len() > PEER_ADDRESS_BYTES_MAX {
        return Err(AddressError::TooLong);
    }
    text.parse().map_err(|_| AddressError::Syntax)
}

/// Takes the peer's id off the end, and checks what remains.
pub(crate) fn split(mut address: Multiaddr) -> Result<(Multiaddr, Option<PeerKey>), AddressError> {
    let named = match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            Some(PeerKey::of_peer_id(&peer).map_err(|_| AddressError::Kind)?)
        }
        _ => None,
    };
    if is_dialable(&address) { Ok((address, named)) } else { Err(AddressError::Kind) }
}

fn is_dialable(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let host = matches!(
        parts.next(),
        Some(Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
    );
    let transport = match parts.next() {
        Some(Protocol::Tcp(_)) => true,
        Some(Protocol::Udp(_)) => parts.next() == Some(Protocol::QuicV1),
        _ => false,
    };
    // What may follow is one hop over a relay.
    let rest = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => true,
        (Some(Protocol::P2p(relay)), Some(Protocol::P2pCircuit), None) => PeerKey::of_peer_id(&relay).is_ok(),
        _ => false,
    };
    host && transport && rest
}

/// Whether the way leads over a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// The IP address at its front; none for a name or a relayed way.
pub(crate) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    }
}

/// Networks that are this machine or its own surroundings, or nobody's: each with the bits that count.
pub(crate) const OWN_NETWORKS: &[(IpAddr, u32)] = &[
    (v4([0, 0, 0, 0]), 8),
    (v4([10, 0, 0, 0]), 8),
    (v4([100, 64, 0, 0]), 10),
    (v4([127, 0, 0, 0]), 8),
    (v4([169, 254, 0, 0]), 16),
    (v4([172, 16, 0, 0]), 12),
    // For documentation, this one and those that follow with 24 bits (RFC 5737); of IPv6 below (RFC 3849).
    (v4([192, 0, 2, 0]), 24),
    (v4([192, 168, 0, 0]), 16),
    (v4([198, 18, 0, 0]), 15),
    (v4([198, 51, 100, 0]), 24),
    (v4([203, 0, 113, 0]), 24),
    (v4([224, 0, 0, 0]), 3),
    // The unspecified address, loopback, and IPv4 in its dresses: an old one, those of NAT64 (RFC 6052, RFC 8215), 6to4.
    (v6(0, 0), 96),
    (v6(0x64, 0xff9b), 32),
    (v6(0x2001, 0x0db8), 32),
    (v6(0x2002, 0), 16),
    (v6(0xfc00, 0), 7),
    (v6(0xfe80, 0), 9),
    (v6(0xff00, 0), 8),
];

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(first: u16, second: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0))
}

/// Whether everybody could reach this IP address, rather than this machine or its own network alone.
pub fn is_global(ip: &IpAddr) -> bool {
    let ip = ip.to_canonical();
    !OWN_NETWORKS.iter().any(|(network, bits)| match (network, ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => (network.to_bits() ^ ip.to_bits()) >> (32 - bits) == 0,
        (IpAddr::V6(network), IpAddr::V6(ip)) => (network.to_bits() ^ ip.to_bits()) >> (128 - bits) == 0,
        _ => false,
    })
}

/// Whether an address that a stranger tells of itself is worth keeping: one that everybody can reach, or one of a network
/// that the stranger demonstrably speaks from. Otherwise anyone could have us knock at doors inside our own network.
pub(crate) fn is_plausible(address: &Multiaddr, seen_at: Option<IpAddr>) -> bool {
    match (ip(address), seen_at) {
        (Some(told), Some(seen)) => is_global(&told) || !is_global(&seen),
        (Some(told), None) => is_global(&told),
        // A name is looked up when it is dialled, with whatever that gives: a stranger could point it anywhere.
        (None, _) => false,
    }
}

/// Whether a text is an address that the whole world can reach, as far as it shows: a global IP address, not a name.
pub fn is_public(text: &str) -> bool {
    parse(text).is_ok_and(|address| ip(&address).is_some_and(|ip| is_global(&ip)))
}

/// Whether a text is an address that anybody may tell of another: one that the whole world can reach, or a name of DNS. Where a
/// name leads shows when it is dialled; one that is another word for this machine or its network, or for an IP address, is none.
pub fn is_tellable(text: &str) -> bool {
    let Ok(address) = parse(text) else { return false };
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => is_global(&ip.into()),
        Some(Protocol::Ip6(ip)) => is_global(&ip.into()),
        Some(Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name)) => {
            is_name_of_the_world(&name)
        }
        _ => false,
    }
}

/// Whether a text is written as a name of DNS is, also one of a house.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_name_of_the_world(name: &str) -> bool {
    let well_written = is_name(name);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    // No top level of DNS begins with a digit; what does is an IP address, in one of its many spellings.
    let begins = last.starts_with(|c: char| c.is_ascii_alphabetic());
    let own = ["localhost", "local", "internal", "lan", "home", "corp", "home.arpa"];
    let is_own = own.iter().any(|own| name.strip_suffix(own).is_some_and(|rest| rest.ends_with('.')));
    begins && !is_own && well_written
}

/// Whether a text is an address at this very DNS name.
pub fn is_at_name(text: &str, name: &str) -> bool {
    let is_it = |part: Protocol<'_>| match part {
        Protocol::Dns(at) | Protocol::Dns4(at) | Protocol::Dns6(at) => at.eq_ignore_ascii_case(name),
        _ => false,
    };
    parse(text).is_ok_and(|address| address.iter().next().is_some_and(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PEER: &str = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";

    #[test]
    fn what_the_world_reaches() {
        for public in ["/ip4/9.9.9.9/tcp/8441", "/ip6/2620:fe::fe/udp/1/quic-v1"] {
            assert!(is_public(public), "{public}");
        }
        for own in [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/192.168.1.2/tcp/1",
            "/ip6/fe80::1/tcp/1",
            "/dns/a.example/tcp/1",
            "",
        ] {
            assert!(!is_public(own), "{own}");
        }
        assert!(is_at_name("/dns/a.example/tcp/1", "a.example"));
        for other in ["/dns/b.example/tcp/1", "/ip4/9.9.9.9/tcp/1", "/dns/a.example.evil/tcp/1"] {
            assert!(!is_at_name(other, "a.example"), "{other}");
        }
    }

    #[test]
    fn what_is_dialled_and_what_not() {
        let peer: PeerKey = PEER.parse().unwrap();
        for good in ["/ip4/192.0.2.1/tcp/8441", "/ip6/::1/udp/8441/quic-v1", "/dns4/a.example/tcp/1"] {
            assert_eq!(parse_for(peer, good).unwrap().to_string(), good);
            assert_eq!(parse_for(peer, &format!("{good}/p2p/{PEER}")).unwrap().to_string(), good);
            assert_eq!(parse_named(&format!("{good}/p2p/{PEER}")).unwrap().0, peer);
            let relayed = format!("{good}/p2p/{PEER}/p2p-circuit");
            assert!(is_relayed(&parse_for(peer, &relayed).unwrap()));
            assert_eq!(parse_listen(&relayed), Err(AddressError::Kind));
            assert_eq!(
                parse_for(PeerKey([1; 32]), &format!("{good}/p2p/{PEER}")),
                Err(AddressError::OtherPeer)
            );
            assert_eq!(parse_named(good), Err(AddressError::Nameless));
            assert_eq!(parse_external(good).unwrap().to_string(), good);
        }
        let twice = format!("/ip4/192.0.2.1/tcp/1/p2p/{PEER}/p2p-circuit/p2p/{PEER}/p2p-circuit");
        for bad in [
            "/ip4/192.0.2.1",
            "/tcp/1",
            "/ip4/192.0.2.1/udp/1",
            "/memory/1",
            "/unix/a",
            "/dnsaddr/a/tcp/1",
            &twice,
        ] {
            assert_eq!(parse_for(peer, bad), Err(AddressError::Kind), "{bad}");
        }
        for (nowhere, why) in [
            ("/ip4/192.0.2.1/tcp/0", AddressError::Port),
            ("/ip6/::1/udp/0/quic-v1", AddressError::Port),
            ("/ip4/0.0.0.0/tcp/1", AddressError::Unspecified),
            ("/ip6/::/tcp/1", AddressError::Unspecified),
            ("/dns//tcp/1", AddressError::DnsName),
            ("/dns4/a..example/tcp/1", AddressError::DnsName),
            ("/dns/a b/tcp/1", AddressError::DnsName),
        ] {
            assert_eq!(parse_for(peer, nowhere), Err(why.clone()), "{nowhere}");
            assert_eq!(parse_external(nowhere), Err(why.clone()), "{nowhere}");
            assert_eq!(parse_named(&format!("{nowhere}/p2p/{PEER}")), Err(why), "{nowhere}");
        }
        assert!(parse_listen("/ip4/0.0.0.0/tcp/0").is_ok() && parse_listen("/ip6/::/udp/0/quic-v1").is_ok());
        assert_eq!(parse_for(peer, "http://a.example"), Err(AddressError::Syntax));
        assert_eq!(parse_for(peer, &"/ip4/192.0.2.1/tcp/1".repeat(20)), Err(AddressError::TooLong));
    }

    #[test]
    fn nobody_tells_of_an_address_in_our_own_network() {
        for tellable in [
            "/ip4/9.9.9.9/tcp/1",
            "/ip4/100.128.0.1/udp/1/quic-v1",
            "/ip6/2620:fe::fe/tcp/1",
            "/dns/home.example/tcp/1",
            "/dns4/Home.Example./tcp/1",
        ] {
            assert!(is_tellable(tellable), "{tellable}");
        }
        let own = "0.0.0.0 0.1.2.3 10.255.0.1 100.64.0.1 100.127.255.255 127.8.0.1 169.254.169.254 172.16.0.1 \
            172.31.255.255 192.0.2.1 192.168.0.1 198.19.255.255 198.51.100.7 203.0.113.255 224.0.0.1 255.255.255.255";
        for ip in own.split_whitespace() {
            assert!(!is_tellable(&format!("/ip4/{ip}/tcp/1")), "{ip}");
            assert!(!is_tellable(&format!("/ip6/::ffff:{ip}/tcp/1")), "{ip} in IPv6");
        }
        for ip in [
            "::",
            "::1",
            "::7f00:1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "2002:a00:1::1",
            "2001:db8:ffff::1",
        ] {
            assert!(!is_tellable(&format!("/ip6/{ip}/tcp/1")), "{ip}");
        }
        for ip in [
            "11.0.0.1",
            "126.0.0.1",
            "172.32.0.1",
            "192.0.3.1",
            "192.169.0.1",
            "203.0.112.1",
            "223.255.255.255",
        ] {
            assert!(is_tellable(&format!("/ip4/{ip}/tcp/1")), "{ip}");
        }
        for name in [
            "localhost",
            "router",
            "a.localhost",
            "printer.local",
            "metadata.internal",
            "nas.home.arpa",
            "127.0.0.1",
            "0x7f.0.0.0x1",
            "127.1",
            "local.",
        ] {
            assert!(!is_tellable(&format!("/dns/{name}/tcp/1")), "{name}");
        }
        let relayed = format!("/ip4/192.168.0.1/tcp/1/p2p/{PEER}/p2p-circuit");
        assert!(!is_tellable(&relayed) && !is_tellable("nonsense"));
    }

    #[test]
    fn addresses_are_bounded_and_single() {
        let peer: PeerKey = PEER.parse().unwrap();
        let many = (0..100).flat_map(|n| [format!("/ip4/192.0.2.{}/tcp/1", n / 2), "nonsense".to_owned()]);
        let kept = Addresses::of(peer, many);
        assert_eq!(kept.len(), PEER_ADDRESSES_MAX);
        assert_eq!(kept.texts().first().unwrap(), "/ip4/192.0.2.0/tcp/1");
    }

    #[test]
    fn hearsay_does_not_point_into_the_own_network() {
        let at = |ip: &str| -> Multiaddr { format!("/ip4/{ip}/tcp/22").parse().unwrap() };
        let far = Some("8.8.8.8".parse().unwrap());
        let near = Some("192.168.1.7".parse().unwrap());
        assert!(!is_plausible(&at("192.168.1.1"), far) && !is_plausible(&at("127.0.0.1"), far));
        assert!(is_plausible(&at("192.168.1.1"), near) && is_plausible(&at("9.9.9.9"), far));
        assert!(!is_plausible(&"/dns4/a.example/tcp/1".parse().unwrap(), near));
        assert!(!is_global(&"::ffff:10.0.0.1".parse().unwrap()) && !is_global(&"fe80::1".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_parser(text in ".{0,300}") {
            let _ = parse_for(PeerKey([1; 32]), &text);
        }
    }
}
