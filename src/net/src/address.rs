//! Where a peer may be found: multiaddresses, as texts that were looked at.

use crate::PeerKey;
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::net::IpAddr;
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
    let (address, named) = split(parse(text)?)?;
    match named {
        Some(other) if other != peer => Err(AddressError::OtherPeer),
        _ => Ok(address),
    }
}

/// An address that says whose it is, as relays and first contacts are configured.
pub(crate) fn parse_named(text: &str) -> Result<(PeerKey, Multiaddr), AddressError> {
    let (address, named) = split(parse(text)?)?;
    Ok((named.ok_or(AddressError::Kind)?, address))
}

/// An address to listen on: no name, port 0 for any.
pub(crate) fn parse_listen(text: &str) -> Result<Multiaddr, AddressError> {
    let (address, named) = split(parse(text)?)?;
    if named.is_some() || is_relayed(&address) {
        return Err(AddressError::Kind);
    }
    Ok(address)
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

/// Whether everybody could reach this IP address, rather than this machine or its own network alone.
pub fn is_global(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let own = ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared;
            !(own || ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast())
        }
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_global(&IpAddr::V4(ip)),
            None => {
                let first = ip.segments().first().copied().unwrap_or(0);
                let local = first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
                !(local || ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
            }
        },
    }
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
            assert_eq!(parse_named(good), Err(AddressError::Kind));
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
        assert_eq!(parse_for(peer, "http://a.example"), Err(AddressError::Syntax));
        assert_eq!(parse_for(peer, &"/ip4/192.0.2.1/tcp/1".repeat(20)), Err(AddressError::TooLong));
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
