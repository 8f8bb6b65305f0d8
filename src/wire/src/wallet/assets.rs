//! What is held: a currency or points, of one issuer.

use crate::{AssetId, NodeName};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{fmt, str::FromStr};

/// The most decimals of an asset: what a `u64` of minor units still leaves room for.
pub const SCALE_MAX: u8 = 12;
const CODE_LEN_MAX: usize = 12;

/// The short name of an asset, as ISO 4217 writes currencies: `EUR`, `POINTS`. 2 to 12 of `A`–`Z` and digits, a letter first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AssetCode(String);

/// A text that is no [`AssetCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an asset's code is 2 to 12 capital letters and digits, a letter first")]
pub struct AssetCodeError;

impl AssetCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetCode {
    type Err = AssetCodeError;

    fn from_str(text: &str) -> Result<Self, AssetCodeError> {
        let well_formed = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            && text.starts_with(|c: char| c.is_ascii_uppercase());
        if !well_formed || !(2..=CODE_LEN_MAX).contains(&text.len()) {
            return Err(AssetCodeError);
        }
        Ok(AssetCode(text.to_owned()))
    }
}

impl fmt::Display for AssetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetCode({})", self.0)
    }
}

impl<'de> Deserialize<'de> for AssetCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A currency or points: who stands behind it, what it is called, and how fine it is. One of the same name from another node is
/// another asset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Asset {
    /// The node that issues it and owes what it stands for.
    pub issuer: NodeName,
    /// What it is called.
    pub code: AssetCode,
    /// Decimals: with 2, an amount of 1234 is 12.34. At most [`SCALE_MAX`].
    pub scale: u8,
}

impl Asset {
    /// The id under which ledgers and orders name it.
    pub fn id(&self) -> AssetId {
        let mut hasher = blake3::Hasher::new_derive_key("weft/asset-id/1");
        hasher.update(self.issuer.as_str().as_bytes()).update(&[0]);
        hasher.update(self.code.as_str().as_bytes()).update(&[0, self.scale]);
        AssetId::of_hash(&hasher.finalize())
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.code, self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_and_in_capitals() {
        for good in ["EUR", "XAU2", "AB", "POINTS123456"] {
            assert_eq!(good.parse::<AssetCode>().unwrap().as_str(), good);
        }
        for bad in ["", "E", "eur", "2EU", "EU R", "ÉUR", "POINTS1234567", "EUR\n"] {
            assert_eq!(bad.parse::<AssetCode>(), Err(AssetCodeError), "{bad:?}");
        }
    }

    #[test]
    fn an_asset_is_its_issuer_its_code_and_its_scale() {
        let asset = |issuer: &str, code: &str, scale| {
            Asset { issuer: issuer.parse().unwrap(), code: code.parse().unwrap(), scale }.id()
        };
        let own = asset("home.example", "EUR", 2);
        assert_eq!(own, asset("home.example", "EUR", 2));
        for other in [
            asset("other.example", "EUR", 2),
            asset("home.example", "EU", 2),
            asset("home.example", "EUR", 3),
        ] {
            assert_ne!(own, other);
        }
    }
}
