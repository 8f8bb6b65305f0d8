//! Sums in CBOR, whose own integers end at 64 bits: sixteen bytes, big-endian; a decimal number where people read.

use serde::{Deserialize, Deserializer, Serializer, de};

macro_rules! wide {
    ($module:ident, $int:ty) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(value: &$int, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(value)
                } else {
                    serializer.serialize_bytes(&value.to_be_bytes())
                }
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$int, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                    text.parse().map_err(de::Error::custom)
                } else {
                    weft_wire::bytes::array::deserialize(deserializer).map(<$int>::from_be_bytes)
                }
            }
        }
    };
}

wide!(unsigned, u128);
wide!(signed, i128);

/// An optional [`signed`].
pub(crate) mod optional {
    use super::*;
    use serde::Serialize;

    #[derive(Serialize, serde::Deserialize)]
    struct Wide(#[serde(with = "signed")] i128);

    pub(crate) fn serialize<S: Serializer>(value: &Option<i128>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(Wide).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i128>, D::Error> {
        Ok(Option::<Wide>::deserialize(deserializer)?.map(|Wide(value)| value))
    }
}
