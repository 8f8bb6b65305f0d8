//! What a scanned or pasted text is for, told by how it begins, so that it is read by one parser and its error is the right one: to
//! the others it would only be no code of theirs.

/// A parser. No text is for two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// What a shop shows, of whatever system: [`crate::emv::decode`].
    Merchant,
    /// A proposal: [`crate::payto::Payto::parse`].
    Payto,
    /// What a payer shows: [`crate::paycode::PayCode::parse`].
    PayCode,
    /// None of these. Links to people and groups ([`crate::invites::Link::parse`]) may stand there bare, so that nothing tells
    /// them by their beginning.
    Other,
}

impl Scan {
    /// By the beginning alone: what follows it may be anything.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim_start();
        let begins =
            |with: &str| text.get(..with.len()).is_some_and(|front| front.eq_ignore_ascii_case(with));
        if begins("000201") {
            Scan::Merchant
        } else if begins("payto://") {
            Scan::Payto
        } else if text.starts_with("weft:pay/") {
            Scan::PayCode
        } else {
            Scan::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        emv::{self, Currency, EmvError, MerchantQr},
        invites::{Link, LinkError},
        paycode::{PayCode, PayCodeError},
        payto::{Payto, PaytoError},
    };

    #[test]
    fn no_text_is_for_two_parsers() {
        let payee = "shop@home.example".parse().unwrap();
        let merchant =
            MerchantQr::new(payee, Currency::Iso4217(978), "DE", "Shop", "Berlin").encode().unwrap();
        let paycode = PayCode::new("home.example".parse().unwrap(), [7; 16]).unwrap().to_string();
        let link =
            Link { person: None, node: None, invite: Some("AAECAwQFBgcICQoLDA0ODw".into()), group: None };
        for (text, scan) in [
            (merchant, Scan::Merchant),
            ("payto://weft/alice@home.example".into(), Scan::Payto),
            (paycode, Scan::PayCode),
            (link.to_url("https://home.example"), Scan::Other),
            (link.to_fragment(), Scan::Other),
            ("weft:verify/AAECAwQFBgcICQoLDA0ODw".into(), Scan::Other),
            ("alice@home.example".into(), Scan::Other),
            (String::new(), Scan::Other),
        ] {
            assert_eq!(Scan::of(&format!("\n {text}")), scan, "{text}");
            assert_eq!(emv::decode(&text) != Err(EmvError::NotEmv), scan == Scan::Merchant, "{text}");
            assert_eq!(Payto::parse(&text) != Err(PaytoError::NotPayto), scan == Scan::Payto, "{text}");
            assert_eq!(PayCode::parse(&text) != Err(PayCodeError::NotACode), scan == Scan::PayCode, "{text}");
            if scan != Scan::Other {
                assert_eq!(Link::parse(&text), Err(LinkError::NotALink), "{text}");
            }
        }
    }
}
