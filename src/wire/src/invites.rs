//! Invites to a node, and the links that people hand each other.

use crate::{Blob, Millis, NodeName, UserAddress, bytes, codec, limits};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// `POST /api/v1/invites`: a member invites somebody to the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateInvite {
    /// How many people may use it, 1 to 100.
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
/// `https://NODE/#/i/BASE64URL(CBOR)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whom the link leads to; none for an operator's invite, which only opens the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<LinkPerson>,
    /// The node that the invite is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// An invite to that node, for people without an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite: Option<String>,
}

/// The person part of a [`Link`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkPerson {
    /// Their address.
    pub user: UserAddress,
    /// What they call themselves, for the first screen.
    #[serde(default)]
    pub name: String,
    /// Their identity key: a contact made by this link is pinned to it from the start.
    #[serde(with = "bytes::array")]
    pub identity_key: [u8; 32],
    /// Consent: whoever shows this token becomes a contact at once. The node knows only its BLAKE3 hash.
    pub token: Blob,
    /// Where their node is reached, as multiaddresses: for one whose name is its key, and so tells nobody where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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
