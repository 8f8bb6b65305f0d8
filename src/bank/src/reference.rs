//! Creditor references (ISO 11649): `RF`, two check digits, and up to 21 letters and digits that the creditor chose. Whoever
//! pays copies one into the transfer; the check digits (ISO 7064, MOD 97-10) find what was mistyped.

use std::{fmt, str::FromStr};

/// The most letters and digits behind the check digits.
pub const BODY_LEN_MAX: usize = 21;
/// The most bytes that are looked at when somebody typed a reference, spaces counted.
pub const TYPED_BYTES_MAX: usize = 64;
/// The most bytes of a text that are searched for references.
pub const SEARCH_BYTES_MAX: usize = 16 * 1024;
/// The most references that are found in one text: whoever writes more of them means none.
pub const FOUND_MAX: usize = 4;

/// Between two characters of a reference in a text: people group by four, and banks break lines.
const GAP_MAX: usize = 3;

/// Crockford's base 32: no I, L, O and U, which are misread or spell words.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M',
    'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// What is wrong with a typed reference, in words that can stand below an input field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It begins otherwise.
    #[error("a reference begins with RF and two digits")]
    Prefix,
    /// Nothing behind the check digits, or too much.
    #[error("a reference has 1 to {BODY_LEN_MAX} letters and digits behind its check digits")]
    Length,
    /// Something else than letters, digits and spaces.
    #[error("a reference is made of A to Z and 0 to 9")]
    Character,
    /// The digits do not fit the rest: something was mistyped.
    #[error("the check digits do not fit: something was mistyped")]
    CheckDigits,
}

/// A reference whose check digits are right. Kept in upper case without spaces; shown in groups of four.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

impl Reference {
    /// The reference of a number: always 17 characters, so that all of a node's look alike.
    #[must_use]
    pub fn of_u64(number: u64) -> Self {
        Self::of_number(number.into(), 13)
    }

    /// The reference of ten bytes, big-endian: always 20 characters.
    #[must_use]
    pub fn of_bytes(bytes: [u8; 10]) -> Self {
        Self::of_number(bytes.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)), 16)
    }

    fn of_number(number: u128, digits: u32) -> Self {
        let digit = |at: u32| {
            let value = usize::try_from((number >> (5 * at)) & 31).unwrap_or(0);
            ALPHABET.get(value).copied().unwrap_or('0')
        };
        Self::of_body(&(0..digits).rev().map(digit).collect::<String>())
    }

    /// `body` is made of `A` to `Z` and `0` to `9`.
    fn of_body(body: &str) -> Self {
        let check = body.chars().fold(Remainder::default(), Remainder::then).check_digits();
        Reference(format!("RF{check:02}{body}"))
    }

    /// The reference without spaces, as it travels: `RF18539007547034`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// References in a text that somebody wrote, in the order in which they begin; at most [`FOUND_MAX`] in the first
    /// [`SEARCH_BYTES_MAX`] bytes. A reference begins and ends where a word does, may have spaces in between, and its check
    /// digits are right. What follows it may continue it so that they are right again (one in 97 does): then both are here.
    #[must_use]
    pub fn find(text: &str) -> Vec<Reference> {
        let text = text.get(..text.floor_char_boundary(SEARCH_BYTES_MAX)).unwrap_or(text);
        let mut found = Vec::new();
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            if matches!(c, 'R' | 'r') && !before.is_alphanumeric() {
                let rest = text.get(at..).unwrap_or("");
                for reference in at_start(rest) {
                    if !found.contains(&reference) {
                        found.push(reference);
                    }
                }
            }
            if found.len() >= FOUND_MAX {
                break;
            }
            before = c;
        }
        found.truncate(FOUND_MAX);
        found
    }
}

/// All references that a text begins with, the longest first: in `RF… INVOICE 7` all that is `RF…` may be meant.
fn at_start(text: &str) -> Vec<Reference> {
    let mut chars = text.chars().peekable();
    let (mut written, mut gap) = (String::new(), 0);
    let mut remainder = Remainder::default();
    let mut found = Vec::new();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            gap += 1;
            if gap > GAP_MAX {
                break;
            }
            continue;
        }
        gap = 0;
        let c = c.to_ascii_uppercase();
        let fits = match written.len() {
            0 => c == 'R',
            1 => c == 'F',
            2 | 3 => c.is_ascii_digit(),
            len => len < 4 + BODY_LEN_MAX && c.is_ascii_alphanumeric(),
        };
        if !fits {
            break;
        }
        written.push(c);
        if written.len() <= 4 {
            continue;
        }
        remainder = remainder.then(c);
        let ends = chars.peek().is_none_or(|next| !next.is_alphanumeric());
        if ends && written.get(2..4) == Some(format!("{:02}", remainder.check_digits()).as_str()) {
            found.push(Reference(written.clone()));
        }
    }
    found.reverse();
    found
}

/// The remainder of what stands behind the check digits, read as one decimal number in which A is 10 and Z is 35.
#[derive(Clone, Copy, Default)]
struct Remainder(u32);

impl Remainder {
    fn then(self, c: char) -> Self {
        let value = c.to_digit(36).unwrap_or(0);
        Remainder((self.0 * if value < 10 { 10 } else { 100 } + value) % 97)
    }

    /// ISO 7064: the prefix goes behind the rest, with zeroes for the check digits, and 98 less the remainder makes it 1.
    fn check_digits(self) -> u32 {
        98 - "RF00".chars().fold(self, Remainder::then).0
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// As people type it: spaces and lower case are put right.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > TYPED_BYTES_MAX {
            return Err(ReferenceError::Length);
        }
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if !plain.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(ReferenceError::Character);
        }
        let plain = plain.to_ascii_uppercase();
        let rest = plain.strip_prefix("RF").ok_or(ReferenceError::Prefix)?;
        let (check, body) = rest.split_at_checked(2).ok_or(ReferenceError::Prefix)?;
        if !check.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ReferenceError::Prefix);
        }
        if !(1..=BODY_LEN_MAX).contains(&body.len()) {
            return Err(ReferenceError::Length);
        }
        let reference = Self::of_body(body);
        // Not only a remainder of 1: 00, 01 and 99 would have it too, and one number would have two references.
        if reference.0 == plain { Ok(reference) } else { Err(ReferenceError::CheckDigits) }
    }
}

/// In groups of four, as it is printed (ISO 11649, 6): `RF18 5390 0754 7034`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, c) in self.0.chars().enumerate() {
            let gap = if at > 0 && at % 4 == 0 { " " } else { "" };
            write!(f, "{gap}{c}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As they stand in leaflets of the standard and its users.
    const PUBLISHED: [&str; 4] =
        ["RF18 5390 0754 7034", "RF18 0000 0000 0539 0075 4703 4", "RF45 G72U UR", "RF71 2348 231"];

    fn found(text: &str) -> Vec<String> {
        Reference::find(text).iter().map(|reference| reference.as_str().to_owned()).collect()
    }

    #[test]
    fn published_references_are_read_and_printed() {
        for text in PUBLISHED {
            let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.to_string(), text);
            assert_eq!(text.to_lowercase().replace(' ', "").parse(), Ok(reference.clone()));
            assert_eq!(found(&format!("for {text}, thanks")), [reference.as_str()]);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for (text, error) in [
            ("", ReferenceError::Prefix),
            ("RF", ReferenceError::Prefix),
            ("RF1", ReferenceError::Prefix),
            ("RFA8 5390", ReferenceError::Prefix),
            ("SE18 5390 0754 7034", ReferenceError::Prefix),
            ("RF18", ReferenceError::Length),
            ("RF18 1234 5678 9012 3456 7890 12", ReferenceError::Length),
            ("RF18 5390 0754 7034                                              ", ReferenceError::Length),
            ("RF18-5390-0754-7034", ReferenceError::Character),
            ("RF18 5390 0754 703٤", ReferenceError::Character),
            ("RF18 5390 0754 7043", ReferenceError::CheckDigits),
            ("RF19 5390 0754 7034", ReferenceError::CheckDigits),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn one_number_has_one_reference() {
        for check in 0..100 {
            let text = format!("RF{check:02}539007547034");
            assert_eq!(text.parse::<Reference>().is_ok(), check == 18, "{text}");
        }
        // The remainder of 1 alone would let these pass beside 98, 97 and 02.
        for body in 0..2_000 {
            for check in ["00", "01", "99"] {
                assert!(format!("RF{check}{body}").parse::<Reference>().is_err());
            }
        }
    }

    #[test]
    fn numbers_make_references() {
        assert_eq!(Reference::of_u64(0).as_str().len(), 17);
        assert_eq!(Reference::of_bytes([0xff; 10]).as_str().len(), 20);
        assert!(Reference::of_u64(u64::MAX).as_str().ends_with("FZZZZZZZZZZZZ"));
        assert!(Reference::of_bytes([0xff; 10]).as_str().ends_with(&"Z".repeat(16)));
    }

    #[test]
    fn references_are_found_where_people_put_them() {
        let plain = "RF18539007547034";
        for text in [
            "RF18 5390 0754 7034",
            "rf18539007547034",
            "Top-up RF18 5390 0754 7034 thank you",
            "ref:RF18539007547034/alice",
            "SVWZ+RF18 5390 07\n54 7034",
            "RF18  5390  0754  7034. Danke!",
            "RF RF18539007547034",
            "RF99 RF18 5390 0754 7034",
            "Überweisung–RF18539007547034–ß",
        ] {
            assert_eq!(found(text), [plain], "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_not_found() {
        for text in [
            "",
            "RF",
            "RF18",
            "RF18 5390 0754 7043",
            "SURF18539007547034",
            "RF18539007547034x",
            "RF18    5390 0754 7034",
            "RF18-5390-0754-7034",
            "RF1853900754703",
            "R F 1 8",
            "RFC 2119",
        ] {
            assert_eq!(found(text), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn only_a_few_are_found() {
        let many: String =
            (0..100).map(|number| format!("{} ", Reference::of_u64(number).as_str())).collect();
        assert_eq!(Reference::find(&many).len(), FOUND_MAX);
        let twice = "RF18539007547034 and RF18 5390 0754 7034";
        assert_eq!(found(twice), ["RF18539007547034"]);
        let late = format!("{}RF18539007547034", "ä ".repeat(SEARCH_BYTES_MAX));
        assert_eq!(found(&late), [""; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_was_made_is_read_and_found(number: u64, bytes: [u8; 10], before in "[ .:/-]{0,9}", after in "[.,;:/-][ -~]{0,20}") {
            for reference in [Reference::of_u64(number), Reference::of_bytes(bytes)] {
                prop_assert_eq!(reference.as_str().parse(), Ok(reference.clone()));
                prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
                let found = Reference::find(&format!("{before}{reference}{after}"));
                prop_assert_eq!(found.first(), Some(&reference));
            }
        }

        #[test]
        fn one_wrong_or_two_swapped_characters_are_noticed(number: u64, at in 4..16_usize, by in 1..9_u32) {
            // A digit for a digit and a letter for a letter: what MOD 97-10 finds always, and the rest in 96 of 97.
            let right: Vec<char> = Reference::of_u64(number).as_str().chars().collect();
            let other = |c: char| {
                let (first, count) = if c.is_ascii_digit() { (0, 10) } else { (10, 26) };
                char::from_digit((c.to_digit(36).unwrap() - first + by) % count + first, 36).unwrap()
            };
            let mut wrong = right.clone();
            wrong[at] = other(right[at]);
            prop_assert!(wrong.iter().collect::<String>().parse::<Reference>().is_err());
            let mut swapped = right.clone();
            swapped.swap(at, at + 1);
            if swapped != right && right[at].is_ascii_digit() == right[at + 1].is_ascii_digit() {
                prop_assert!(swapped.iter().collect::<String>().parse::<Reference>().is_err());
            }
        }

        #[test]
        fn nothing_that_is_typed_panics(text in "(RF|rf|[0-9]{4}|[A-Z ]|\\PC){0,30}") {
            let _ = text.parse::<Reference>();
            prop_assert!(Reference::find(&text).len() <= FOUND_MAX);
        }
    }
}
