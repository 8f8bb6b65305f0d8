//! Invites to a node, and the links that people hand each other.

use crate::{Blob, Millis, NodeName, RoomId, UserAddress, bytes, codec, limits};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// `POST /api/v1/invites`: a member invites somebody to the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateInvite {
    /// How many people may use it, 1 to 100; [`limits::MEMBER_INVITE_USES_MAX`] at most where a member asks who is not the owner.
    pub uses: u32,
    /// For how long it lives, at most 30 days.
    pub lifetime_ms: Millis,
}

/// An invite. The node keeps only the hash of `code`, so it is told once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteCreated {
    /// Sixteen random bytes in base64url.
    pub code: String,
    /// When it ends.
    pub expires_ms: Millis,
}

/// What a personal link or QR code says. It stands in the FRAGMENT of the URL, so that no server sees it.
///
/// `https://NODE/#/i/BASE64URL(CBOR)`. Its keys are one letter each: every byte makes the code harder to scan. Links of before,
/// with the whole words, are read as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whom the link leads to; none for an operator's invite, which only opens the node.
    #[serde(rename = "p", alias = "person", default, skip_serializing_if = "Option::is_none")]
    pub person: Option<LinkPerson>,
    /// The node that the invite is for; none: the person's.
    #[serde(rename = "n", alias = "node", default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// An invite to that node, for people without an account.
    #[serde(rename = "i", alias = "invite", default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
    /// The group that it leads to.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub group: Option<LinkGroup>,
}

/// The group part of a [`Link`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkGroup {
    /// Which room.
    #[serde(rename = "r")]
    pub room: RoomId,
    /// The node that orders it.
    #[serde(rename = "h")]
    pub hub: NodeName,
    /// What it is called, for the first screen.
    #[serde(rename = "n", default)]
    pub name: String,
    /// Whoever shows this token may ask to be let in. The hub knows only its BLAKE3 hash.
    #[serde(rename = "t")]
    pub token: Blob,
    /// Where the hub is reached, as in [`LinkPerson`].
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
}

/// The person part of a [`Link`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPerson {
    /// Their address.
    #[serde(rename = "u", alias = "user")]
    pub user: UserAddress,
    /// What they call themselves, for the first screen.
    #[serde(rename = "n", alias = "name", default)]
    pub name: String,
    /// Their identity key: a contact made by this link is pinned to it from the start.
    #[serde(rename = "k", alias = "identity_key", with = "bytes::array")]
    pub identity_key: [u8; 32],
    /// Consent: whoever shows this token becomes a contact at once. The node knows only its BLAKE3 hash.
    #[serde(rename = "t", alias = "token")]
    pub token: Blob,
    /// Where their node is reached, as multiaddresses: for one whose name is its key, and so tells nobody where it is.
    #[serde(rename = "a", alias = "at", default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
}

/// Why a pasted or scanned text is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a Weft link at all.
    #[error("this is not a Weft link")]
    NotALink,
    /// Looks like one, but is cut off or altered.
    #[error("the link is damaged: {0}")]
    Damaged(#[from] codec::DecodeError),
}

impl Link {
    /// The node that the invite is for, if there is one.
    pub fn invite_node(&self) -> Option<&NodeName> {
        self.invite.as_ref()?;
        self.node.as_ref().or_else(|| self.person.as_ref().map(|person| &person.user.node))
    }

    /// The fragment without `#`: `/i/…`.
    pub fn to_fragment(&self) -> String {
        format!("/i/{}", URL_SAFE_NO_PAD.encode(codec::encode(self)))
    }

    /// The whole link below a node's public address, for example `https://home.example`.
    pub fn to_url(&self, base: &str) -> String {
        format!("{}/#{}", base.trim_end_matches('/'), self.to_fragment())
    }

    /// Reads a whole URL, a fragment, or the bare payload.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Link, LinkError> {
        let text = text.trim();
        if text.len() > limits::LINK_BYTES_MAX {
            return Err(LinkError::NotALink);
        }
        let payload = text.rsplit_once("/i/").map_or(text, |(_, payload)| payload);
        let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| LinkError::NotALink)?;
        Ok(codec::decode(&bytes, limits::LINK_BYTES_MAX)?)
    }
}

/// What opens the door of a group. Made of the token in its link, which the hub never sees.
pub fn group_door(token: &[u8]) -> [u8; 32] {
    blake3::derive_key("weft/group-link/door", token)
}

/// What shows that somebody has the link to a group, to whoever made it, and to nobody else: the hub cannot make it up.
pub fn group_admission(
    token: &[u8],
    user: &UserAddress,
    identity_key: &[u8; 32],
    room: crate::RoomId,
) -> [u8; 32] {
    let key = blake3::derive_key("weft/group-link/admit", token);
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(room.as_bytes()).update(identity_key).update(user.to_string().as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `weft` 0.1 made them, when every key was a whole word.
    const BEFORE: &str = "a366706572736f6ea4647573657272616c69636540686f6d652e6578616d706c65646e616d6565416c6963656c\
        6964656e746974795f6b657958208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c65746f6b656e50000102\
        030405060708090a0b0c0d0e0f646e6f64656c686f6d652e6578616d706c6566696e7669746576414145434177514642676349435\
        16f4c4441304f4477";

    fn before() -> Link {
        let hex: Vec<u8> = BEFORE.bytes().collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        codec::decode(&hex.chunks(2).map(byte).collect::<Vec<_>>(), limits::LINK_BYTES_MAX).unwrap()
    }

    #[test]
    fn links_of_before_are_read_and_made_anew_they_are_shorter() {
        let link = before();
        let person = link.person.clone().unwrap();
        assert_eq!((person.user.to_string().as_str(), person.name.as_str()), ("alice@home.example", "Alice"));
        assert_eq!(link.invite.as_deref(), Some("AAECAwQFBgcICQoLDA0ODw"));
        let url = link.to_url("https://home.example");
        assert_eq!(Link::parse(&url), Ok(link));
        let before_bytes = BEFORE.len() / 2 * 4 / 3 + "https://home.example/#/i/".len();
        assert!(url.len() + 40 < before_bytes, "{} of {before_bytes}", url.len());
    }

    #[test]
    fn an_invite_without_a_node_is_for_that_of_the_person() {
        let link = before();
        let node = link.node.clone();
        let short = Link { node: None, ..link.clone() };
        assert_eq!(short.invite_node(), node.as_ref());
        assert_eq!(Link { invite: None, ..link.clone() }.invite_node(), None);
        assert_eq!(Link { person: None, node: None, ..link }.invite_node(), None);
    }
}
