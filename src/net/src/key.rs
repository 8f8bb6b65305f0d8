//! Who a peer is: its ed25519 public key, from which the peer id follows.

use libp2p::{PeerId, identity::Keypair};
use std::{fmt, str::FromStr};
use weft_wire::NodeName;
use zeroize::{Zeroize, Zeroizing};

/// What stands before the key in the bytes of a peer id: identity multihash, 36 bytes, protobuf of an ed25519 key.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A text or key that does not name a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a peer id in base58, or one of another kind of key than ed25519.
    #[error("not the peer id of an ed25519 key")]
    PeerId,
}

/// The ed25519 public key of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl PeerKey {
    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of a node that has no DNS name: its peer id.
    pub fn name(&self) -> NodeName {
        NodeName::of_key(&self.0)
    }

    /// The peer id. Each key has one, whether or not it is a point of the curve: such a peer is simply never reached.
    pub(crate) fn peer_id(&self) -> Result<PeerId, KeyError> {
        let mut bytes = [0; 38];
        let parts = PEER_ID_PREFIX.iter().chain(&self.0);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        PeerId::from_bytes(&bytes).map_err(|_| KeyError::PeerId)
    }

    /// The key within a peer id; an error for keys of any other kind.
    pub(crate) fn of_peer_id(peer: &PeerId) -> Result<PeerKey, KeyError> {
        let bytes = peer.to_bytes();
        let key = bytes.strip_prefix(&PEER_ID_PREFIX).ok_or(KeyError::PeerId)?;
        <[u8; 32]>::try_from(key).map(PeerKey).map_err(|_| KeyError::PeerId)
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerKey({self})")
    }
}

/// Bytes of a peer id as it is written; that of an ed25519 key has 52.
const PEER_ID_BYTES_MAX: usize = 128;

impl FromStr for PeerKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        // To decode base58 takes the square of its length.
        if text.len() > PEER_ID_BYTES_MAX {
            return Err(KeyError::PeerId);
        }
        let peer = text.parse::<PeerId>().map_err(|_| KeyError::PeerId)?;
        PeerKey::of_peer_id(&peer)
    }
}

/// The secret of a node's ed25519 key. Given once, to [`crate::Net::start`], and zeroized after its conversion; what is
/// left of it then is inside the transports, which sign with it.
pub struct NodeKey(Zeroizing<[u8; 32]>);

impl NodeKey {
    /// Takes the 32-byte seed (RFC 8032) out of the caller's hands: the array is zero afterwards.
    pub fn take(seed: &mut [u8; 32]) -> Self {
        let key = NodeKey(Zeroizing::new(*seed));
        seed.zeroize();
        key
    }

    /// The key pair for the transports; the seed is gone afterwards.
    pub(crate) fn into_keypair(mut self) -> Result<Keypair, KeyError> {
        Keypair::ed25519_from_bytes(self.0.as_mut_slice()).map_err(|_| KeyError::PeerId)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_peer_id_are_one() {
        let mut seed = [7; 32];
        let pair = NodeKey::take(&mut seed).into_keypair().unwrap();
        assert_eq!(seed, [0; 32]);
        let peer = pair.public().to_peer_id();
        let key = PeerKey::of_peer_id(&peer).unwrap();
        assert_eq!(key.peer_id().unwrap(), peer);
        assert_eq!(key.to_string(), peer.to_base58());
        assert_eq!(key.to_string().parse::<PeerKey>().unwrap(), key);
        assert_eq!(key.name(), NodeName::of_key(key.as_bytes()));
    }

    #[test]
    fn other_kinds_of_keys_are_refused() {
        // The peer id of an RSA key, from the libp2p specification: a SHA-256 multihash.
        assert_eq!(
            "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N".parse::<PeerKey>(),
            Err(KeyError::PeerId)
        );
        assert_eq!("".parse::<PeerKey>(), Err(KeyError::PeerId));
        assert_eq!("12D3KooW".parse::<PeerKey>(), Err(KeyError::PeerId));
    }

    #[test]
    fn a_secret_does_not_show() {
        assert_eq!(format!("{:?}", NodeKey::take(&mut [9; 32])), "NodeKey(..)");
    }
}
