//! Ids, and what may stand in the single objects.

use super::EmvError;
use crate::text;
use std::{fmt, ops::RangeInclusive, str::FromStr};

pub(super) const FORMAT: u8 = 0;
pub(super) const INITIATION: u8 = 1;
pub(super) const ACCOUNTS: RangeInclusive<u8> = 26..=51;
pub(super) const CATEGORY: u8 = 52;
pub(super) const CURRENCY: u8 = 53;
pub(super) const AMOUNT: u8 = 54;
pub(super) const TIP: u8 = 55;
pub(super) const TIP_FIXED: u8 = 56;
pub(super) const TIP_PERCENTAGE: u8 = 57;
pub(super) const COUNTRY: u8 = 58;
pub(super) const NAME: u8 = 59;
pub(super) const CITY: u8 = 60;
pub(super) const POSTAL_CODE: u8 = 61;
pub(super) const ADDITIONAL: u8 = 62;
pub(super) const CHECKSUM: u8 = 63;
pub(super) const LANGUAGE: u8 = 64;
pub(super) const TERMS: u8 = 80;
pub(super) const SIGNATURE: [u8; 2] = [81, 82];

/// Characters of a sub-tag of object 62, and of a till.
pub(super) const LABEL_CHARS_MAX: usize = 25;
/// Characters of half a signature: 64 bytes are 86 of base64url.
pub(super) const HALF_CHARS: usize = 43;
/// How our templates begin: sub-tag 00 with [`super::SYSTEM`].
pub(super) const OURS: &str = "0008app.weft";
/// How the two halves of a signature begin. They hold nothing else: it would not be signed.
pub(super) const HALVES: [&str; 2] = ["0008app.weft0443", "0008app.weft0543"];
/// ISO 4217: no currency is involved.
pub(super) const NO_CURRENCY: u16 = 999;

/// An amount as it stands in a code: digits with at most one point between them, 1 to 13 characters, not zero. The standard lets
/// the point stand at the end, too; we never write that, so that it is not read either. Whether the amount is too fine for the
/// currency is for those to say who know the currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount(String);

impl Amount {
    /// For example `23.72`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Amount {
    type Err = EmvError;

    fn from_str(text: &str) -> Result<Self, EmvError> {
        let is_number = is_decimal(text, 13) && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        if is_number { Ok(Amount(text.to_owned())) } else { Err(EmvError::Amount) }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digits, and where there is a point, digits on both sides of it.
fn is_decimal(text: &str, chars_max: usize) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    text.len() <= chars_max && digits(whole) && fraction.is_none_or(digits)
}

/// Object 57: `00.01` to `99.99` in at most five characters, as hundredths.
pub(super) fn percentage(text: &str) -> Result<u16, EmvError> {
    let wrong = EmvError::Value(TIP_PERCENTAGE);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !is_decimal(text, 5) || whole.len() > 2 || fraction.len() > 2 {
        return Err(wrong);
    }
    let hundredths = format!("{whole}{fraction:0<2}").parse().map_err(|_| wrong.clone())?;
    if hundredths == 0 { Err(wrong) } else { Ok(hundredths) }
}

/// The standard's format "ans": printable ASCII.
pub(super) fn printable(id: u8, value: &str, chars_max: usize) -> Result<&str, EmvError> {
    let is_printable = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_printable && (1..=chars_max).contains(&value.len()) { Ok(value) } else { Err(EmvError::Value(id)) }
}

/// Any script, and nothing by which one name could look like another.
pub(super) fn local(id: u8, value: &str, chars_max: usize) -> Result<&str, EmvError> {
    let is_sound = (1..=chars_max).contains(&value.chars().count()) && text::name(value) == value;
    if is_sound { Ok(value) } else { Err(EmvError::Value(id)) }
}

/// Exactly so many digits.
pub(super) fn number(id: u8, value: &str, digits: usize) -> Result<u16, EmvError> {
    let is_number = value.len() == digits && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_number).ok_or(EmvError::Value(id))
}

/// ISO 3166-1.
pub(super) fn country(value: &str) -> Result<&str, EmvError> {
    let is_code = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { Ok(value) } else { Err(EmvError::Value(COUNTRY)) }
}

/// ISO 639; the standard's own sample has capitals.
pub(super) fn language(value: &str) -> Result<&str, EmvError> {
    let is_code = value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_code { Ok(value) } else { Err(EmvError::Value(LANGUAGE)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_decimals() {
        for text in ["1", "98.73", "0.05", "99.333", "007", "9999999999999", "99999999999.9"] {
            assert_eq!(text.parse::<Amount>().map(|amount| amount.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            "0",
            "0.00",
            "5.",
            ".5",
            "1.2.3",
            "1,5",
            "-1",
            "+1",
            "1e3",
            " 1",
            "99999999999999",
            "٣",
            "１",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(EmvError::Amount), "{text:?}");
        }
    }

    #[test]
    fn percentages_are_hundredths() {
        for (text, hundredths) in [("5", 500), ("5.5", 550), ("05.50", 550), ("00.01", 1), ("99.99", 9_999)] {
            assert_eq!(percentage(text), Ok(hundredths), "{text:?}");
        }
        for text in ["", "0", "00.00", "100", "5.", ".5", "5.555", "5%", "-5", "１"] {
            assert_eq!(percentage(text), Err(EmvError::Value(57)), "{text:?}");
        }
    }
}
