//! `payto:` URIs (RFC 8905) for the payment target `weft`: `payto://weft/alice@home.example?amount=EUR:12.50&message=lunch`.
//!
//! Options that are not known are passed over, and a URI for another target is told apart from a broken one
//! ([`PaytoError::OtherTarget`]). Nothing in it is signed: it is a proposal that a person looks at.

use crate::{UserAddress, text};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::{fmt, str::FromStr};

/// Bytes of a whole URI.
pub const PAYTO_BYTES_MAX: usize = 1 << 10;
/// Options of one URI, known or not.
pub const OPTIONS_MAX: usize = 16;
/// Characters of a name, a message or an instruction, after decoding.
pub const TEXT_CHARS_MAX: usize = 140;
/// Letters of a currency's name.
pub const CURRENCY_CHARS_MAX: usize = 11;
/// Digits behind the point (section 5).
pub const DECIMALS_MAX: usize = 8;

/// The unit of an amount is below this (section 5): what a double of JavaScript still tells apart.
const UNIT_END: u64 = 1 << 53;
/// All but RFC 3986's unreserved characters and the few others by which an amount or an address is easier to read.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b',');

/// A payment that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payto {
    /// Who is to be paid.
    pub payee: UserAddress,
    /// How much. `None`: who pays decides.
    pub amount: Option<PaytoAmount>,
    /// What the payee calls themselves.
    pub receiver_name: Option<String>,
    /// What who pays is called.
    pub sender_name: Option<String>,
    /// A line for the payee.
    pub message: Option<String>,
    /// What the payee finds the payment by.
    pub instruction: Option<String>,
}

/// Option `amount` (section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaytoAmount {
    /// 1 to [`CURRENCY_CHARS_MAX`] letters, in capitals: ISO 4217 where that has one.
    pub currency: String,
    /// Digits with at most one point between them; commas, which are for the eye, are gone. Below 2^53, and at most
    /// [`DECIMALS_MAX`] decimals.
    pub amount: String,
}

/// Why a text is no proposal that we can pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaytoError {
    /// Another scheme.
    #[error("this is not a payto link")]
    NotPayto,
    /// More than [`PAYTO_BYTES_MAX`].
    #[error("a payto link has at most {PAYTO_BYTES_MAX} bytes")]
    TooLong,
    /// A sound beginning of a URI for another payment system: its name, in small letters.
    #[error("this is a payto link of another system: {0}")]
    OtherTarget(String),
    /// A character that no URI holds, or a percent sign without two hexadecimal digits.
    #[error("the payto link holds characters that a link cannot have")]
    Characters,
    /// What follows the target is no address of a person.
    #[error("the payto link does not say whom to pay")]
    Payee,
    /// More than [`OPTIONS_MAX`].
    #[error("a payto link has at most {OPTIONS_MAX} options")]
    TooManyOptions,
    /// Not `name=value`.
    #[error("an option of the payto link has no value")]
    NoValue,
    /// It stands there twice.
    #[error("the option {0} stands there twice")]
    Duplicate(&'static str),
    /// Not `CURRENCY:UNIT.FRACTION`, or outside its bounds.
    #[error("the amount of the payto link is not valid")]
    Amount,
    /// Empty, too long, or no UTF-8.
    #[error("the option {0} is not valid")]
    Text(&'static str),
}

impl Payto {
    /// Asks for nothing in particular.
    #[must_use]
    pub fn new(payee: UserAddress) -> Self {
        Payto {
            payee,
            amount: None,
            receiver_name: None,
            sender_name: None,
            message: None,
            instruction: None,
        }
    }

    /// Reads a URI. Texts come out as [`text::name`] leaves them, the message as [`text::body`] does.
    ///
    /// # Errors
    /// [`PaytoError`]; never a panic.
    pub fn parse(uri: &str) -> Result<Self, PaytoError> {
        let uri = uri.trim();
        if uri.len() > PAYTO_BYTES_MAX {
            return Err(PaytoError::TooLong);
        }
        let (scheme, rest) = uri.split_once("://").ok_or(PaytoError::NotPayto)?;
        if !scheme.eq_ignore_ascii_case("payto") {
            return Err(PaytoError::NotPayto);
        }
        check_characters(rest)?;
        let (hierarchy, options) =
            rest.split_once('?').map_or((rest, None), |(front, back)| (front, Some(back)));
        let (target, path) = hierarchy.split_once('/').unwrap_or((hierarchy, ""));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if target.is_empty() || !target.bytes().all(is_name) {
            return Err(PaytoError::NotPayto);
        }
        if !target.eq_ignore_ascii_case("weft") {
            return Err(PaytoError::OtherTarget(target.to_ascii_lowercase()));
        }
        let address = percent_decode_str(path).decode_utf8().map_err(|_| PaytoError::Payee)?;
        let mut payto = Payto::new(address.parse().map_err(|_| PaytoError::Payee)?);
        options.map_or(Ok(()), |options| payto.read_options(options))?;
        Ok(payto)
    }

    fn read_options(&mut self, options: &str) -> Result<(), PaytoError> {
        for (at, option) in options.split('&').enumerate() {
            if at == OPTIONS_MAX {
                return Err(PaytoError::TooManyOptions);
            }
            let (name, value) = option.split_once('=').ok_or(PaytoError::NoValue)?;
            match name {
                "amount" => {
                    if self.amount.is_some() {
                        return Err(PaytoError::Duplicate("amount"));
                    }
                    let value = percent_decode_str(value).decode_utf8().map_err(|_| PaytoError::Amount)?;
                    self.amount = Some(value.parse()?);
                }
                "receiver-name" => read_text(&mut self.receiver_name, "receiver-name", value, text::name)?,
                "sender-name" => read_text(&mut self.sender_name, "sender-name", value, text::name)?,
                "message" => read_text(&mut self.message, "message", value, text::body)?,
                "instruction" => read_text(&mut self.instruction, "instruction", value, text::name)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Writes the URI, the options in the order of the RFC. Whether it can be read again is up to what is in it: see the bounds.
impl fmt::Display for Payto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payto://weft/{}", self.payee)?;
        let amount = self.amount.as_ref().map(ToString::to_string);
        let options = [
            ("amount", &amount),
            ("receiver-name", &self.receiver_name),
            ("sender-name", &self.sender_name),
            ("message", &self.message),
            ("instruction", &self.instruction),
        ];
        let present = options.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for ((name, value), sign) in present.zip(std::iter::once('?').chain(std::iter::repeat('&'))) {
            write!(f, "{sign}{name}={}", utf8_percent_encode(value, ENCODED))?;
        }
        Ok(())
    }
}

impl FromStr for Payto {
    type Err = PaytoError;

    fn from_str(uri: &str) -> Result<Self, PaytoError> {
        Payto::parse(uri)
    }
}

impl FromStr for PaytoAmount {
    type Err = PaytoError;

    fn from_str(text: &str) -> Result<Self, PaytoError> {
        let (currency, amount) = text.split_once(':').ok_or(PaytoError::Amount)?;
        let is_name = currency.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_name || !(1..=CURRENCY_CHARS_MAX).contains(&currency.len()) {
            return Err(PaytoError::Amount);
        }
        let amount: String = amount.chars().filter(|c| *c != ',').collect();
        let (unit, fraction) =
            amount.split_once('.').map_or((&*amount, None), |(unit, rest)| (unit, Some(rest)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_small = unit.parse::<u64>().is_ok_and(|unit| unit < UNIT_END);
        let is_fine = fraction.is_none_or(|fraction| digits(fraction) && fraction.len() <= DECIMALS_MAX);
        if !digits(unit) || !is_small || !is_fine {
            return Err(PaytoError::Amount);
        }
        Ok(PaytoAmount { currency: currency.to_ascii_uppercase(), amount })
    }
}

impl fmt::Display for PaytoAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.currency, self.amount)
    }
}

/// RFC 3986's pchar, with what parts a URI: whoever decodes it leniently would read something else.
fn check_characters(rest: &str) -> Result<(), PaytoError> {
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        let is_right = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(|b| b.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
        };
        if !is_right {
            return Err(PaytoError::Characters);
        }
    }
    Ok(())
}

fn read_text(
    place: &mut Option<String>,
    name: &'static str,
    value: &str,
    clean: fn(&str) -> String,
) -> Result<(), PaytoError> {
    if place.is_some() {
        return Err(PaytoError::Duplicate(name));
    }
    let value = percent_decode_str(value).decode_utf8().map_err(|_| PaytoError::Text(name))?;
    let value = clean(&value);
    if !(1..=TEXT_CHARS_MAX).contains(&value.chars().count()) {
        return Err(PaytoError::Text(name));
    }
    *place = Some(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alice() -> UserAddress {
        "alice@home.example".parse().unwrap()
    }

    fn amount(text: &str) -> Option<PaytoAmount> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn a_uri_is_read_and_written() {
        let lunch = Payto {
            amount: amount("EUR:12.50"),
            message: Some("lunch & 茶 = 5%".into()),
            ..Payto::new(alice())
        };
        let uri =
            "payto://weft/alice@home.example?amount=EUR:12.50&message=lunch%20%26%20%E8%8C%B6%20%3D%205%25";
        assert_eq!(lunch.to_string(), uri);
        assert_eq!(Payto::parse(uri), Ok(lunch.clone()));
        for other in [
            "PAYTO://Weft/alice%40HOME.example?message=lunch%20%26%20%e8%8c%b6%20=%205%25&amount=eur:1,2.5,0",
            " payto://weft/alice@home.example?x=1&amount=EUR%3A12.50&message=lunch%20%26%20%E8%8C%B6%20%3D%205%25&Message=2\n",
        ] {
            assert_eq!(other.parse(), Ok(lunch.clone()), "{other}");
        }
        assert_eq!(Payto::parse("payto://weft/alice@home.example"), Ok(Payto::new(alice())));
        // A plus sign is one: the RFC knows no forms.
        let plus = Payto::parse("payto://weft/alice@home.example?message=1+1").unwrap();
        assert_eq!(plus.message.as_deref(), Some("1+1"));
        // What would turn the direction of the page is gone.
        let turned = Payto::parse("payto://weft/alice@home.example?receiver-name=a%E2%80%AEb").unwrap();
        assert_eq!(turned.receiver_name.as_deref(), Some("ab"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let long = "a".repeat(TEXT_CHARS_MAX + 1);
        let options = vec!["x=1"; OPTIONS_MAX + 1].join("&");
        for (uri, error) in [
            ("", PaytoError::NotPayto),
            ("payto:weft/alice@home.example", PaytoError::NotPayto),
            ("https://home.example/#/i/AAAA", PaytoError::NotPayto),
            ("weft:pay/1/home.example/AAAA", PaytoError::NotPayto),
            ("payto:///alice@home.example", PaytoError::NotPayto),
            ("payto://we%66t/alice@home.example", PaytoError::NotPayto),
            // Samples of the RFC.
            ("payto:iban/12345", PaytoError::NotPayto),
            (
                "payto://iban/DE75512108001245126199?amount=EUR:200.0&message=hello",
                PaytoError::OtherTarget("iban".into()),
            ),
            (
                "payto://upi/alice@example.com?receiver-name=Alice&amount=INR:200",
                PaytoError::OtherTarget("upi".into()),
            ),
            ("payto://weft/alice@home.example?message=a b", PaytoError::Characters),
            ("payto://weft/alice@home.example?message=茶", PaytoError::Characters),
            ("payto://weft/alice@home.example?message=%2", PaytoError::Characters),
            ("payto://weft/alice@home.example?message=%+2", PaytoError::Characters),
            ("payto://weft/alice@home.example#/i/AAAA", PaytoError::Characters),
            ("payto://weft", PaytoError::Payee),
            ("payto://weft/", PaytoError::Payee),
            ("payto://weft/alice", PaytoError::Payee),
            ("payto://weft/alice@home.example/", PaytoError::Payee),
            ("payto://weft/%ff@home.example", PaytoError::Payee),
            ("payto://weft/alice@home.example?", PaytoError::NoValue),
            ("payto://weft/alice@home.example?amount", PaytoError::NoValue),
            ("payto://weft/alice@home.example?message=a&", PaytoError::NoValue),
            ("payto://weft/alice@home.example?amount=EUR:1&amount=EUR:2", PaytoError::Duplicate("amount")),
            ("payto://weft/alice@home.example?message=a&message=a", PaytoError::Duplicate("message")),
            ("payto://weft/alice@home.example?message=", PaytoError::Text("message")),
            ("payto://weft/alice@home.example?sender-name=%E2%80%AE", PaytoError::Text("sender-name")),
            ("payto://weft/alice@home.example?instruction=%FF", PaytoError::Text("instruction")),
            (&format!("payto://weft/alice@home.example?message={long}"), PaytoError::Text("message")),
            (&format!("payto://weft/alice@home.example?{options}"), PaytoError::TooManyOptions),
            (
                &format!("payto://weft/alice@home.example?x={}", "1".repeat(PAYTO_BYTES_MAX)),
                PaytoError::TooLong,
            ),
        ] {
            assert_eq!(Payto::parse(uri), Err(error), "{uri}");
        }
    }

    #[test]
    fn amounts_keep_to_the_bounds_of_the_rfc() {
        for (text, written) in [
            ("EUR:9007199254740991.12345678", "EUR:9007199254740991.12345678"),
            ("EUR:1,000.5", "EUR:1000.5"),
            ("jpy:0", "JPY:0"),
            ("LOCALPOINTS:007", "LOCALPOINTS:007"),
        ] {
            assert_eq!(text.parse::<PaytoAmount>().map(|amount| amount.to_string()), Ok(written.to_owned()));
        }
        for text in [
            "",
            "12.50",
            ":1",
            "EUR",
            "EUR:",
            "EUR:.5",
            "EUR:5.",
            "EUR:,",
            "EUR:-1",
            "EUR:+1",
            "EUR:1e3",
            "EUR:1.2.3",
            "EUR:9007199254740992",
            "EUR:99999999999999999999999",
            "EUR:1.123456789",
            "EU1:1",
            "LOCALPOINTSX:1",
            "EUR:１",
        ] {
            assert_eq!(text.parse::<PaytoAmount>(), Err(PaytoError::Amount), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(
            currency in "[A-Z]{1,11}", units in 0..UNIT_END, decimals in "(\\.[0-9]{1,8})?",
            name in prop::option::of("[a-zA-Z ,=&%+?/#é茶]{1,40}"), message in prop::option::of("[ -~\n茶]{1,60}"),
        ) {
            let amount = amount(&format!("{currency}:{units}{decimals}"));
            let payto = Payto { amount, receiver_name: name.clone(), sender_name: name, message, ..Payto::new(alice()) };
            let uri = payto.to_string();
            let expected = if uri.len() > PAYTO_BYTES_MAX { Err(PaytoError::TooLong) } else { Ok(payto) };
            prop_assert_eq!(Payto::parse(&uri), expected);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}", options in "([a-z-]{0,9}[=&%?][ -~茶]{0,9}){0,9}") {
            let _ = Payto::parse(&text);
            let _ = Payto::parse(&format!("payto://{text}"));
            let _ = Payto::parse(&format!("payto://weft/alice@home.example?{options}"));
            let _ = text.parse::<PaytoAmount>();
        }
    }
}
