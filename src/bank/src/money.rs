//! Currencies (ISO 4217) and amounts in their minor units.

use std::fmt;

/// The most digits of an amount: camt.053 has 18 (ActiveOrHistoricCurrencyAndAmount), MT940 has 15.
const DIGITS_MAX: usize = 18;

/// What is wrong with an amount or a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// No currency of ISO 4217, or one without a minor unit, such as gold.
    #[error("not a currency with minor units that is known")]
    Currency,
    /// Something else than digits and one decimal mark.
    #[error("an amount is digits with at most one decimal mark")]
    Syntax,
    /// Finer than the currency's minor unit: no rounding makes that right.
    #[error("the amount is finer than the currency's minor unit")]
    Decimals,
    /// More than the numbers hold.
    #[error("the amount is too large")]
    TooLarge,
}

/// A currency of ISO 4217 that has a minor unit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    known: iso_currency::Currency,
    scale: u8,
}

impl Currency {
    /// The currency of a code in upper case, as `EUR`.
    ///
    /// # Errors
    /// [`MoneyError::Currency`].
    pub fn of_code(code: &str) -> Result<Self, MoneyError> {
        let known = iso_currency::Currency::from_code(code).ok_or(MoneyError::Currency)?;
        let scale =
            known.exponent().and_then(|digits| u8::try_from(digits).ok()).ok_or(MoneyError::Currency)?;
        Ok(Currency { known, scale })
    }

    /// Its code, as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.known.code()
    }

    /// How many decimals its minor unit has: 2 for cents, 0 for yen.
    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    /// The minor units in a written amount without a sign. Zeroes behind the minor unit are no harm: `100.00` yen are 100.
    pub(crate) fn minor(self, text: &str, mark: char) -> Result<i64, MoneyError> {
        let (whole, fraction) = text.split_once(mark).unwrap_or((text, ""));
        if whole.len() + fraction.len() == 0
            || !whole.bytes().chain(fraction.bytes()).all(|c| c.is_ascii_digit())
        {
            return Err(MoneyError::Syntax);
        }
        if whole.len() + fraction.len() > DIGITS_MAX {
            return Err(MoneyError::TooLarge);
        }
        let scale = usize::from(self.scale);
        let kept = fraction.bytes().chain(std::iter::repeat(b'0')).take(scale);
        if fraction.bytes().skip(scale).any(|digit| digit != b'0') {
            return Err(MoneyError::Decimals);
        }
        whole
            .bytes()
            .chain(kept)
            .map(|digit| i64::from(digit - b'0'))
            .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
            .ok_or(MoneyError::TooLarge)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_exact() {
        for (code, text, minor) in [
            ("EUR", "1234.56", Ok(123_456)),
            ("EUR", "1234.5", Ok(123_450)),
            ("EUR", "1234", Ok(123_400)),
            ("EUR", "5.", Ok(500)),
            ("EUR", ".05", Ok(5)),
            ("EUR", "0", Ok(0)),
            ("EUR", "1.23000", Ok(123)),
            ("EUR", "1.234", Err(MoneyError::Decimals)),
            ("JPY", "1000", Ok(1_000)),
            ("JPY", "1000.00", Ok(1_000)),
            ("JPY", "1000.5", Err(MoneyError::Decimals)),
            ("KWD", "1.234", Ok(1_234)),
            ("CLF", "1.2345", Ok(12_345)),
            ("EUR", "999999999999999999", Err(MoneyError::TooLarge)),
            ("EUR", "9999999999999999.99", Ok(999_999_999_999_999_999)),
            ("EUR", "0000000000000000001", Err(MoneyError::TooLarge)),
            ("EUR", "", Err(MoneyError::Syntax)),
            ("EUR", ".", Err(MoneyError::Syntax)),
            ("EUR", "-1", Err(MoneyError::Syntax)),
            ("EUR", "+1", Err(MoneyError::Syntax)),
            ("EUR", "1,00", Err(MoneyError::Syntax)),
            ("EUR", "1.0.0", Err(MoneyError::Syntax)),
            ("EUR", "1e3", Err(MoneyError::Syntax)),
            ("EUR", " 1", Err(MoneyError::Syntax)),
            ("EUR", "١", Err(MoneyError::Syntax)),
        ] {
            assert_eq!(Currency::of_code(code).unwrap().minor(text, '.'), minor, "{text:?} {code}");
        }
        assert_eq!(Currency::of_code("EUR").unwrap().minor("1234,5", ','), Ok(123_450));
    }

    #[test]
    fn what_has_no_minor_unit_is_no_currency_here() {
        for code in ["", "eur", "EURO", "XAG", "XAU", "BTC", "ЕUR"] {
            assert_eq!(Currency::of_code(code), Err(MoneyError::Currency), "{code}");
        }
        let scales =
            ["EUR", "CHF", "JPY", "ISK", "BHD", "TND"].map(|code| Currency::of_code(code).unwrap().scale());
        assert_eq!(scales, [2, 2, 0, 0, 3, 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn cents_come_back(minor in 0..1_000_000_000_000_i64) {
            let euro = Currency::of_code("EUR").unwrap();
            prop_assert_eq!(euro.minor(&format!("{}.{:02}", minor / 100, minor % 100), '.'), Ok(minor));
        }

        #[test]
        fn no_text_panics(code in "[A-Z]{3}|\\PC{0,4}", text in "([0-9]{0,12}|[.,]|\\PC){0,4}") {
            if let Ok(currency) = Currency::of_code(&code) {
                let _ = currency.minor(&text, '.');
            }
        }
    }
}
