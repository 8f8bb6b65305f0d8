//! Amounts as people write them: minor units with a decimal point.

/// What is wrong with a written amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Nothing, or something else than digits and one point.
    #[error("an amount is digits with at most one decimal point")]
    Syntax,
    /// Finer than the asset's minor unit.
    #[error("an amount of this asset has at most {0} decimals")]
    Decimals(u8),
    /// More than the numbers hold.
    #[error("the amount is too large")]
    TooLarge,
}

/// `1234` with scale 2 is `12.34`.
#[must_use]
pub fn format_amount(minor: i128, scale: u8) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `12.3` with scale 2 is 1230. The point is `.`, whatever the language: who types otherwise has it put right before.
///
/// # Errors
/// [`DecimalError`].
pub fn parse_amount(text: &str, scale: u8) -> Result<u64, DecimalError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || (fraction.is_empty() && text.contains('.')) {
        return Err(DecimalError::Syntax);
    }
    if !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    let missing = usize::from(scale).checked_sub(fraction.len()).ok_or(DecimalError::Decimals(scale))?;
    let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', missing));
    digits
        .map(|digit| u64::from(digit - b'0'))
        .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
        .ok_or(DecimalError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_wire::wallet::SCALE_MAX;

    #[test]
    fn amounts_are_read_as_they_are_meant() {
        for (text, scale, minor) in [
            ("0", 2, Ok(0)),
            ("12.3", 2, Ok(1_230)),
            ("12.34", 2, Ok(1_234)),
            ("0012", 0, Ok(12)),
            ("184467440737095516.15", 2, Ok(u64::MAX)),
            ("184467440737095516.16", 2, Err(DecimalError::TooLarge)),
            ("12.345", 2, Err(DecimalError::Decimals(2))),
            ("1.5", 0, Err(DecimalError::Decimals(0))),
            ("", 2, Err(DecimalError::Syntax)),
            (".5", 2, Err(DecimalError::Syntax)),
            ("5.", 2, Err(DecimalError::Syntax)),
            ("-5", 2, Err(DecimalError::Syntax)),
            ("+5", 2, Err(DecimalError::Syntax)),
            ("1,000", 2, Err(DecimalError::Syntax)),
            ("1.0.0", 2, Err(DecimalError::Syntax)),
            ("1e3", 2, Err(DecimalError::Syntax)),
            ("٣", 2, Err(DecimalError::Syntax)),
        ] {
            assert_eq!(parse_amount(text, scale), minor, "{text:?} with {scale} decimals");
        }
    }

    #[test]
    fn amounts_are_written_with_all_their_decimals() {
        assert_eq!(format_amount(5, 2), "0.05");
        assert_eq!(format_amount(-1_230, 2), "-12.30");
        assert_eq!(format_amount(-7, 0), "-7");
        assert_eq!(format_amount(0, 3), "0.000");
        assert_eq!(format_amount(i128::MIN, 0), i128::MIN.to_string());
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(minor: u64, scale in 0..=SCALE_MAX) {
            prop_assert_eq!(parse_amount(&format_amount(minor.into(), scale), scale), Ok(minor));
        }

        #[test]
        fn nothing_that_is_typed_panics(text in ".{0,40}", scale in 0..=SCALE_MAX) {
            let _ = parse_amount(&text, scale);
        }
    }
}
