//! Ids: sixteen bytes, made by clients at random, or from a key.

use crate::{Millis, NodeName, UserName};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// A text that is not thirty-two hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: thirty-two hexadecimal digits are expected")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The first sixteen bytes of a hash: for what follows from something else.
            pub fn of_hash(hash: &blake3::Hash) -> Self {
                let mut id = [0; 16];
                id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
                $name(id)
            }

            /// The bytes, as they stand in keys and on the wire.
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// From a byte string of exactly sixteen bytes.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                <[u8; 16]>::try_from(bytes).map(Self).map_err(|_| IdError)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    crate::bytes::array::deserialize(deserializer).map(Self)
                }
            }
        }
    };
}

id! {
    /// A device: the first sixteen bytes of the BLAKE3 hash of its public key.
    DeviceId
}
id! {
    /// A room, which is one MLS group (RFC 9420); the bytes are its group id.
    RoomId
}
id! {
    /// What the id of a room is made of, beside the name of its hub.
    RoomNonce
}
id! {
    /// A message, as its sender named it. Sending it twice under one id stores it once.
    MessageId
}

id! {
    /// An asset: a currency or points of one issuer, in one scale.
    AssetId
}
id! {
    /// An account of a ledger.
    AccountId
}
id! {
    /// A transfer of a ledger. Asking for it twice under one id moves the money once.
    TransferId
}

id! {
    /// A payment order, as the payer's device named it.
    OrderId
}

id! {
    /// A line of a bank's file, whichever file it comes in.
    BankLineId
}

id! {
    /// A request for payment, as the shop named it: what is paid for it names it again.
    RequestId
}

/// Bytes of an id that say when it was made. Ids of one time then stand beside one another where they are kept in their order, and a
/// node need not look all over its disk for what is going on now. What they say is the client's word and means nothing else.
const TIME_BYTES: usize = 6;

impl OrderId {
    /// Names an order: the time first, as in a UUID of version 7 (RFC 9562), then 80 bits at random.
    pub fn new(now: Millis, random: [u8; 16]) -> Self {
        let mut id = random;
        let time = now.to_be_bytes();
        id.iter_mut().zip(time.iter().skip(time.len() - TIME_BYTES)).for_each(|(to, from)| *to = *from);
        OrderId(id)
    }

    /// The transfer of the order: its time, and ten bytes of a hash. Only of orders: with ids of ten bytes that one client makes and
    /// others that follow from them, it could look for two that meet. All that follows from a transfer is sixteen bytes of a hash.
    pub(crate) fn transfer(&self, hash: &blake3::Hash) -> TransferId {
        let mut id = self.0;
        id.iter_mut().skip(TIME_BYTES).zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        TransferId(id)
    }
}

impl TransferId {
    /// The transfer that releases a pending one whose time is over: nobody names it, and it happens once.
    pub fn of_expiry(pending: TransferId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/transfer-expiry/1");
        TransferId::of_hash(&hasher.update(&pending.0).finalize())
    }
}

impl TransferId {
    /// The transfer by which the node takes its fee for a payment.
    pub fn of_fee(payment: TransferId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/transfer-fee/1");
        TransferId::of_hash(&hasher.update(&payment.0).finalize())
    }

    /// The transfer by which the payee answers a pending one: there is one answer.
    pub fn of_answer(pending: TransferId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/transfer-answer/1");
        TransferId::of_hash(&hasher.update(&pending.0).finalize())
    }
}

impl AccountId {
    /// The one account of this kind that an owner has in an asset. Both are words that are written nowhere else; an owner's name stands behind
    /// the word for what they are.
    pub fn of_owner(kind: &str, owner: &[&[u8]], asset: AssetId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/account-id/1");
        hasher.update(kind.as_bytes()).update(&[0]);
        for part in owner {
            hasher.update(part);
        }
        AccountId::of_hash(&hasher.update(&[0]).update(&asset.0).finalize())
    }

    /// A person's account: whose it is, nobody has to be believed.
    pub fn of_person(name: &UserName, asset: AssetId) -> Self {
        AccountId::of_owner("user", &[b"person ", name.as_str().as_bytes()], asset)
    }

    /// A cash agent's float.
    pub fn of_agent(name: &UserName, asset: AssetId) -> Self {
        AccountId::of_owner("merchant", &[b"agent ", name.as_str().as_bytes()], asset)
    }
}

impl DeviceId {
    /// The id that belongs to a device's public signature key.
    pub fn of_key(device_key: &[u8; 32]) -> Self {
        DeviceId::of_hash(&blake3::hash(device_key))
    }
}

impl RoomId {
    /// A room of a hub. Its name is in the id, so that nobody can make a room whose id another node uses.
    pub fn of_hub(hub: &NodeName, nonce: RoomNonce) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/room-id/1");
        hasher.update(hub.as_str().as_bytes()).update(&[0]).update(&nonce.0);
        RoomId::of_hash(&hasher.finalize())
    }
}

fn parse(text: &str) -> Result<[u8; 16], IdError> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(IdError);
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        // The parser below takes a sign as well.
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+')).ok_or(IdError)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| IdError)?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are on disk, and members' devices work them out.
    #[test]
    fn accounts_are_named_by_whose_they_are() {
        let euro = AssetId(0x0102_u128.to_be_bytes());
        let (alice, bob): (UserName, UserName) = ("alice".parse().unwrap(), "bob".parse().unwrap());
        let hers = AccountId::of_person(&alice, euro);
        assert_eq!(hers.to_string(), "6fce366db5f23f5387df5d5a7b70e876");
        assert_eq!(AccountId::of_agent(&alice, euro).to_string(), "ac23e771beed817c8f55d5f7feda7075");
        assert_ne!(hers, AccountId::of_person(&bob, euro));
        assert_ne!(hers, AccountId::of_person(&alice, AssetId([0; 16])));
    }
}
