//! Names of people and nodes: `alice@home.example`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, ops::RangeInclusive, str::FromStr};

/// What is wrong with a name, in words that can stand below an input field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A user name has 2 to 32 characters.
    #[error("a name has 2 to 32 characters")]
    Length,
    /// Only a to z, 0 to 9, dot, hyphen and underscore.
    #[error(
        "a name is made of a to z, 0 to 9, dot, hyphen and underscore, and begins and ends with a letter or digit"
    )]
    Characters,
    /// Neither a DNS name nor a peer id.
    #[error("not the name of a node")]
    Node,
    /// An address is `name@node`.
    #[error("an address is written name@node")]
    Address,
}

/// The local part: 2 to 32 of `a-z 0-9 . - _`, first and last a letter or digit. Case is folded when parsed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// The name of a node: a DNS name in lower case (at most 253 bytes) or, without one, its libp2p peer id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(String);

/// A person: `name@node`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserAddress {
    /// The name on its node.
    pub name: UserName,
    /// The node that holds the account.
    pub node: NodeName,
}

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a peer id: then the node's key follows from it, and no other may speak under this name.
    pub fn is_peer_id(&self) -> bool {
        is_peer_id(&self.0)
    }

    /// The name of a node that has no DNS name: the peer id of its ed25519 key (libp2p: base58 of the identity multihash
    /// of the protobuf key).
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        let mut multihash = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
        multihash.extend_from_slice(public_key);
        NodeName(bs58::encode(multihash).into_string())
    }
}

impl NodeName {
    /// The key of a node whose name is its peer id; none for a DNS name.
    pub fn key(&self) -> Option<[u8; 32]> {
        let bytes = bs58::decode(self.is_peer_id().then_some(&self.0)?).into_vec().ok()?;
        bytes.last_chunk().copied()
    }
}

impl UserAddress {
    /// Joins a name and a node.
    pub fn new(name: UserName, node: NodeName) -> Self {
        UserAddress { name, node }
    }
}

impl FromStr for UserName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim().to_ascii_lowercase();
        if !(2..=32).contains(&name.len()) {
            return Err(NameError::Length);
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let edges = name.starts_with(plain) && name.ends_with(plain);
        if !edges || !name.chars().all(|c| plain(c) || matches!(c, '.' | '-' | '_')) {
            return Err(NameError::Characters);
        }
        Ok(UserName(name))
    }
}

impl FromStr for NodeName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if is_peer_id(text) {
            return Ok(NodeName(text.to_owned()));
        }
        let name = text.to_ascii_lowercase();
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if name.len() > 253 || name.is_empty() || !name.split('.').all(label) {
            return Err(NameError::Node);
        }
        Ok(NodeName(name))
    }
}

/// The peer ids of the least and of the largest key.
const PEER_IDS: RangeInclusive<&str> = "12D3KooW9pNAk8aiBuGVQtWRdbkLmo5qVL3e2h5UxbN2Nz9ttwiw"
    ..="12D3KooWT3gYEvLJyx1FyyHqrmvdy1tMjpgxmu9aSeKMEuafQtyC";

/// An ed25519 peer id in base58: a key behind the prefix of the identity multihash. The digits of base58 have the order of their
/// characters, so that texts of one length have the order of what they stand for. Every address is read by this.
fn is_peer_id(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'0' | b'I' | b'O' | b'l');
    text.len() == PEER_IDS.start().len() && PEER_IDS.contains(&text) && text.bytes().all(digit)
}

impl FromStr for UserAddress {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let (name, node) = text.trim().split_once('@').ok_or(NameError::Address)?;
        Ok(UserAddress { name: name.parse()?, node: node.parse()? })
    }
}

impl fmt::Display for UserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.node)
    }
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}
text!(UserName);
text!(NodeName);
text!(UserAddress);

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
