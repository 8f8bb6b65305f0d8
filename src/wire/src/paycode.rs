//! The code that a payer shows at a till: once, and for a minute or so. Whoever scans it asks the payer's node for the money.
//!
//! As a QR code it is `weft:pay/1/NODE/CODE`: the payer's node, and 24 characters of base64url for 16 random bytes and a checksum
//! of two. It fits a QR code of version 6 at level M, which any till reads off a scratched screen.
//!
//! For a line of bars or for typing it is 20 digits ([`PayDigits`]), which name no node: they are for a till of the payer's own
//! node, or one that has asked which. The first is 9, which in ISO/IEC 7812 is no international card's, the last is the check
//! digit of its annex B (Luhn's), and the 18 between are worked out of the 16 bytes: 10^18, or 59.8 bits.
//!
//! Nobody can try those out but by asking the node, which has to limit how often it is asked: while a million codes live, one
//! guess meets any of them with a chance of one in 10^12. (Two of a million have the same digits with a chance of one in two
//! million: a node that makes a code whose digits it knows makes another.) The digits tell nothing of the bytes. So a code whose payer
//! never asks for digits, and for which its node takes none, keeps its 128 bits.

use crate::{NodeName, emv::crc::checksum};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Bytes of the name of a node that has such codes: a peer id has 52, and few DNS names have more.
pub const NODE_BYTES_MAX: usize = 64;
/// Bytes of a whole code. A QR code of version 6 at level M holds 106.
pub const PAYCODE_BYTES_MAX: usize = PREFIX.len() + NODE_BYTES_MAX + 1 + CODE_CHARS;
/// Digits of a code for typing.
pub const DIGITS: usize = 20;

const PREFIX: &str = "weft:pay/1/";
/// 18 bytes in base64url.
const CODE_CHARS: usize = 24;
/// What is between the first digit and the last one is below this.
const NUMBER_END: u64 = 1_000_000_000_000_000_000;
/// The first digit.
const FIRST: u8 = 9;

/// A one-time code of a payer. It travels as its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PayCode {
    node: NodeName,
    id: [u8; 16],
}

/// The same as 20 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayDigits(u64);

/// Why a text is no such code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayCodeError {
    /// Something else.
    #[error("this is not a code of a payer")]
    NotACode,
    /// A later version of it.
    #[error("this code is of a newer version of Weft")]
    Version,
    /// More than [`PAYCODE_BYTES_MAX`].
    #[error("the payer's code is too long")]
    TooLong,
    /// Not the name of a node, or one of more than [`NODE_BYTES_MAX`].
    #[error("the payer's code does not name a node")]
    Node,
    /// Cut off, misread or mistyped.
    #[error("the payer's code is damaged")]
    Damaged,
}

impl PayCode {
    /// A code of a payer whose account is on that node; the id is random.
    ///
    /// # Errors
    /// [`PayCodeError::Node`] where the node's name is longer than such codes hold.
    pub fn new(node: NodeName, id: [u8; 16]) -> Result<Self, PayCodeError> {
        if node.as_str().len() > NODE_BYTES_MAX { Err(PayCodeError::Node) } else { Ok(PayCode { node, id }) }
    }

    /// The payer's node.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// What the node knows it by. Whoever has it may ask for money: it belongs into no log.
    #[must_use]
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// Reads what was scanned.
    ///
    /// # Errors
    /// [`PayCodeError`]; never a panic.
    pub fn parse(text: &str) -> Result<Self, PayCodeError> {
        let text = text.trim();
        let rest = text.strip_prefix("weft:pay/").ok_or(PayCodeError::NotACode)?;
        if text.len() > PAYCODE_BYTES_MAX {
            return Err(PayCodeError::TooLong);
        }
        let (version, rest) = rest.split_once('/').ok_or(PayCodeError::Damaged)?;
        if version != "1" {
            let is_number = (1..=3).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if is_number { PayCodeError::Version } else { PayCodeError::Damaged });
        }
        let (written, code) = rest.split_once('/').ok_or(PayCodeError::Damaged)?;
        let node: NodeName = written.parse().map_err(|_| PayCodeError::Node)?;
        if node.as_str() != written {
            return Err(PayCodeError::Node);
        }
        let bytes = URL_SAFE_NO_PAD.decode(code).map_err(|_| PayCodeError::Damaged)?;
        let bytes = <[u8; 18]>::try_from(bytes).map_err(|_| PayCodeError::Damaged)?;
        let Some((id, [high, low])) =
            bytes.split_first_chunk().zip(bytes.last_chunk()).map(|((id, _), check)| (*id, *check))
        else {
            return Err(PayCodeError::Damaged);
        };
        let code = PayCode::new(node, id)?;
        if code.check() == u16::from_be_bytes([high, low]) { Ok(code) } else { Err(PayCodeError::Damaged) }
    }

    /// The digits that stand for it. BLAKE3 of the code; what would make some digits likelier than others is thrown away.
    #[must_use]
    pub fn digits(&self) -> PayDigits {
        const KEPT: u64 = u64::MAX - u64::MAX % NUMBER_END;
        let mut hasher = blake3::Hasher::new_derive_key("weft/pay-digits/1");
        let mut source = hasher.update(&self.id).update(self.node.as_str().as_bytes()).finalize_xof();
        loop {
            let mut bytes = [0; 8];
            source.fill(&mut bytes);
            let number = u64::from_be_bytes(bytes);
            if number < KEPT {
                return PayDigits(number % NUMBER_END);
            }
        }
    }

    /// Of the node and the id, so that a slip in either is found.
    fn check(&self) -> u16 {
        checksum(&format!("{PREFIX}{}/{}", self.node, URL_SAFE_NO_PAD.encode(self.id)))
    }
}

impl fmt::Display for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 18];
        bytes
            .iter_mut()
            .zip(self.id.into_iter().chain(self.check().to_be_bytes()))
            .for_each(|(to, from)| *to = from);
        write!(f, "{PREFIX}{}/{}", self.node, URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Without the id.
impl fmt::Debug for PayCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayCode({}/…)", self.node)
    }
}

impl From<PayCode> for String {
    fn from(code: PayCode) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for PayCode {
    type Error = PayCodeError;

    fn try_from(text: String) -> Result<Self, PayCodeError> {
        PayCode::parse(&text)
    }
}

impl FromStr for PayCode {
    type Err = PayCodeError;

    fn from_str(text: &str) -> Result<Self, PayCodeError> {
        PayCode::parse(text)
    }
}

/// Without spaces, as a line of bars has them (Code 128, set C: two digits a sign).
impl fmt::Display for PayDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let front = format!("{FIRST}{:018}", self.0);
        write!(f, "{front}{}", luhn(front.bytes().map(|byte| byte.wrapping_sub(b'0'))))
    }
}

/// Without the digits: whoever has them may ask for money.
impl fmt::Debug for PayDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayDigits(…)")
    }
}

/// Spaces and hyphens between the digits are passed over.
impl FromStr for PayDigits {
    type Err = PayCodeError;

    fn from_str(text: &str) -> Result<Self, PayCodeError> {
        if text.len() > 4 * DIGITS {
            return Err(PayCodeError::NotACode);
        }
        let digits: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PayCodeError::NotACode);
        }
        let number =
            digits.strip_prefix('9').and_then(|rest| rest.get(..18)).ok_or(PayCodeError::NotACode)?;
        let code = PayDigits(number.parse().map_err(|_| PayCodeError::NotACode)?);
        if code.to_string() == digits { Ok(code) } else { Err(PayCodeError::Damaged) }
    }
}

/// The check digit for what stands before it (ISO/IEC 7812-1, annex B): every second digit from the right is doubled. It finds each
/// wrong digit, and two neighbours that changed places unless they are 0 and 9.
fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let doubled = |digit: u8| if digit < 5 { 2 * digit } else { 2 * digit - 9 };
    let weighted =
        digits.rev().enumerate().map(|(at, digit)| if at % 2 == 0 { doubled(digit) } else { digit });
    let sum: u32 = weighted.map(u32::from).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fast_qr::{ECL, QRBuilder, Version};
    use proptest::prelude::*;

    fn code() -> PayCode {
        PayCode::new("home.example".parse().unwrap(), core::array::from_fn(|n| n as u8)).unwrap()
    }

    #[test]
    fn a_code_has_one_spelling() {
        let text = code().to_string();
        assert_eq!(text, "weft:pay/1/home.example/AAECAwQFBgcICQoLDA0OD_iA");
        assert_eq!(PayCode::parse(&format!(" {text}\n")), Ok(code()));
        assert_eq!(code().digits().to_string(), "99339617032902952664");
        assert_eq!(format!("{:?} {:?}", code(), code().digits()), "PayCode(home.example/…) PayDigits(…)");
    }

    #[test]
    fn the_longest_code_fits_a_small_picture() {
        for node in [
            NodeName::of_key(&[5; 32]),
            "n".repeat(63).parse().unwrap(),
            format!("{0}.{0}x", "n".repeat(31)).parse().unwrap(),
        ] {
            let text = PayCode::new(node, [255; 16]).unwrap().to_string();
            assert!(text.len() <= PAYCODE_BYTES_MAX);
            let picture = QRBuilder::new(text.as_str()).ecl(ECL::M).build().unwrap();
            assert!(picture.version.unwrap() as usize <= Version::V06 as usize, "{text}");
        }
        let long = format!("{0}.{0}xy", "n".repeat(31)).parse().unwrap();
        assert_eq!(PayCode::new(long, [0; 16]), Err(PayCodeError::Node));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let text = code().to_string();
        let (front, payload) = text.rsplit_once('/').unwrap();
        for (text, error) in [
            ("", PayCodeError::NotACode),
            ("weft:verify/AAECAwQFBgcICQoLDA0ODw", PayCodeError::NotACode),
            ("https://home.example/#/i/AAAA", PayCodeError::NotACode),
            ("payto://weft/alice@home.example", PayCodeError::NotACode),
            ("WEFT:PAY/1/home.example/AAAA", PayCodeError::NotACode),
            ("weft:pay/", PayCodeError::Damaged),
            ("weft:pay/1", PayCodeError::Damaged),
            ("weft:pay/1/home.example", PayCodeError::Damaged),
            ("weft:pay/x/home.example/AAAA", PayCodeError::Damaged),
            ("weft:pay/2/anything", PayCodeError::Version),
            ("weft:pay/1//AAAA", PayCodeError::Node),
            (&format!("weft:pay/1/home..example/{payload}"), PayCodeError::Node),
            (&format!("weft:pay/1/Home.example/{payload}"), PayCodeError::Node),
            (&format!("weft:pay/1/hume.example/{payload}"), PayCodeError::Damaged),
            (&format!("{front}/"), PayCodeError::Damaged),
            (&format!("{text}="), PayCodeError::Damaged),
            (&format!("{text}/"), PayCodeError::Damaged),
            (&format!("{front}/{}", &payload[1..]), PayCodeError::Damaged),
            (&format!("weft:pay/1/{}/{payload}", "n".repeat(65)), PayCodeError::TooLong),
        ] {
            assert_eq!(PayCode::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn digits_are_checked() {
        let text = code().digits().to_string();
        let spaced = format!("{} {}-{} {}\n", &text[..5], &text[5..10], &text[10..15], &text[15..]);
        assert_eq!(spaced.parse(), Ok(code().digits()));
        // A number that everybody checks with: the sample of ISO/IEC 7812's most copied explanation.
        assert_eq!(luhn([7, 9, 9, 2, 7, 3, 9, 8, 7, 1].into_iter()), 3);
        for wrong in [
            "",
            "9",
            &text[1..],
            &format!("{text}0"),
            &text.replacen('9', "8", 1),
            "9000000000000000000 ٣",
            "+9000000000000000008",
        ] {
            assert_eq!(wrong.parse::<PayDigits>(), Err(PayCodeError::NotACode), "{wrong:?}");
        }
        for at in 1..DIGITS {
            for digit in '0'..='9' {
                let typed: String =
                    text.chars().enumerate().map(|(n, c)| if n == at { digit } else { c }).collect();
                let expected = if typed == text { Ok(code().digits()) } else { Err(PayCodeError::Damaged) };
                assert_eq!(typed.parse::<PayDigits>(), expected, "{typed}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(id: [u8; 16], node in "[a-z0-9]{1,30}(\\.[a-z0-9]{1,30})?") {
            let code = PayCode::new(node.parse().unwrap(), id).unwrap();
            prop_assert_eq!(PayCode::parse(&code.to_string()), Ok(code.clone()));
            let digits = code.digits().to_string();
            prop_assert_eq!(digits.len(), DIGITS);
            prop_assert_eq!(digits.parse(), Ok(code.digits()));
        }

        #[test]
        fn a_changed_character_is_found(at in any::<prop::sample::Index>(), with in "[ -~]") {
            let text = code().to_string();
            let at = at.index(text.len());
            let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
            prop_assert!(changed == text || PayCode::parse(&changed).is_err(), "{}", changed);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = PayCode::parse(&text);
            let _ = PayCode::parse(&format!("weft:pay/1/{text}"));
            let _ = text.parse::<PayDigits>();
        }
    }
}
