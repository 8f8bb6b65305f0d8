//! Codes in the one order in which we write them.

use super::{
    AdditionalData, Amount, CODE_BYTES_MAX, CONTEXT, Currency, EmvError, Initiation, LocalNames, MerchantQr,
    Tip, WeftAccount, crc,
    rules::{self, HALF_CHARS, LABEL_CHARS_MAX},
    tlv,
};
use crate::signed;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;

impl MerchantQr {
    /// The text of a static code. The same code gives the same text, always.
    ///
    /// # Errors
    /// [`EmvError::Unsigned`] for a dynamic code; what a field has against it; [`EmvError::TooLong`].
    pub fn encode(&self) -> Result<String, EmvError> {
        match self.initiation {
            Initiation::Static => finish(self.body()?),
            Initiation::Dynamic(_) => Err(EmvError::Unsigned),
        }
    }

    /// The text of a dynamic code, signed with a key of the shop.
    ///
    /// # Errors
    /// [`EmvError::Unexpected`] for a static code; what a field has against it; [`EmvError::TooLong`].
    pub fn encode_signed(&self, key: &SigningKey) -> Result<String, EmvError> {
        let [first, second] = rules::SIGNATURE;
        if self.initiation == Initiation::Static {
            return Err(EmvError::Unexpected(first));
        }
        let mut code = self.body()?;
        let signature = URL_SAFE_NO_PAD.encode(signed::sign(CONTEXT, code.as_bytes(), key));
        let halves = signature.split_at_checked(HALF_CHARS).ok_or(EmvError::Value(first))?;
        let [begin_first, begin_second] = rules::HALVES;
        put(&mut code, first, &format!("{begin_first}{}", halves.0))?;
        put(&mut code, second, &format!("{begin_second}{}", halves.1))?;
        finish(code)
    }

    /// All of it but the signature and the checksum.
    fn body(&self) -> Result<String, EmvError> {
        let mut code = String::new();
        put(&mut code, rules::FORMAT, "01")?;
        put(&mut code, rules::INITIATION, if self.initiation == Initiation::Static { "11" } else { "12" })?;
        put(&mut code, *rules::ACCOUNTS.start(), &account(&self.account)?)?;
        self.purchase(&mut code)?;
        put(&mut code, rules::COUNTRY, rules::country(&self.country)?)?;
        put(&mut code, rules::NAME, rules::printable(rules::NAME, &self.merchant_name, 25)?)?;
        put(&mut code, rules::CITY, rules::printable(rules::CITY, &self.merchant_city, 15)?)?;
        if let Some(postal_code) = &self.postal_code {
            put(&mut code, rules::POSTAL_CODE, rules::printable(rules::POSTAL_CODE, postal_code, 10)?)?;
        }
        if self.additional != AdditionalData::default() {
            put(&mut code, rules::ADDITIONAL, &additional(&self.additional)?)?;
        }
        if let Some(names) = &self.local {
            put(&mut code, rules::LANGUAGE, &local(names)?)?;
        }
        let terms = self.terms()?;
        if terms != rules::OURS {
            put(&mut code, rules::TERMS, &terms)?;
        }
        Ok(code)
    }

    /// Objects 52 to 57.
    fn purchase(&self, code: &mut String) -> Result<(), EmvError> {
        let category = self.merchant_category_code;
        put(code, rules::CATEGORY, &digits(rules::CATEGORY, category, 4)?)?;
        let currency = match self.currency {
            Currency::Iso4217(number) if (1..rules::NO_CURRENCY).contains(&number) => number,
            Currency::Iso4217(_) => return Err(EmvError::Value(rules::CURRENCY)),
            Currency::Asset(_) => rules::NO_CURRENCY,
        };
        put(code, rules::CURRENCY, &digits(rules::CURRENCY, currency, 3)?)?;
        if let Some(amount) = &self.amount {
            put(code, rules::AMOUNT, amount.as_str())?;
        }
        match &self.tip {
            None => Ok(()),
            Some(Tip::Prompt) => put(code, rules::TIP, "01"),
            Some(Tip::Fixed(fee)) => {
                put(code, rules::TIP, "02")?;
                put(code, rules::TIP_FIXED, Amount::as_str(fee))
            }
            Some(Tip::Percentage { percent_hundredths: hundredths }) => {
                put(code, rules::TIP, "03")?;
                if !(1..=9_999).contains(hundredths) {
                    return Err(EmvError::Value(rules::TIP_PERCENTAGE));
                }
                let percent = format!("{}.{:02}", hundredths / 100, hundredths % 100);
                put(code, rules::TIP_PERCENTAGE, &percent)
            }
        }
    }

    fn terms(&self) -> Result<String, EmvError> {
        let mut terms = rules::OURS.to_owned();
        if let Currency::Asset(asset) = &self.currency {
            put_sub(&mut terms, rules::TERMS, 1, &URL_SAFE_NO_PAD.encode(asset.as_bytes()))?;
        }
        if let Initiation::Dynamic(request) = &self.initiation {
            put_sub(&mut terms, rules::TERMS, 2, &URL_SAFE_NO_PAD.encode(request.id.as_bytes()))?;
            put_sub(&mut terms, rules::TERMS, 3, &request.expires_ms.to_string())?;
        }
        Ok(terms)
    }
}

fn account(account: &WeftAccount) -> Result<String, EmvError> {
    let id = *rules::ACCOUNTS.start();
    let mut list = rules::OURS.to_owned();
    put_sub(&mut list, id, 1, &account.payee.to_string())?;
    if let Some(till) = &account.till {
        put_sub(&mut list, id, 2, rules::printable(id, till, LABEL_CHARS_MAX)?)?;
    }
    Ok(list)
}

fn additional(data: &AdditionalData) -> Result<String, EmvError> {
    let mut list = String::new();
    for (sub, label) in [
        (1, &data.bill_number),
        (2, &data.mobile_number),
        (3, &data.store_label),
        (5, &data.reference_label),
        (7, &data.terminal_label),
        (8, &data.purpose),
    ] {
        if let Some(label) = label {
            let label = rules::printable(rules::ADDITIONAL, label, LABEL_CHARS_MAX)?;
            put_sub(&mut list, rules::ADDITIONAL, sub, label)?;
        }
    }
    Ok(list)
}

fn local(names: &LocalNames) -> Result<String, EmvError> {
    let (id, mut list) = (rules::LANGUAGE, String::new());
    put_sub(&mut list, id, 0, rules::language(&names.language)?)?;
    put_sub(&mut list, id, 1, rules::local(id, &names.merchant_name, 25)?)?;
    if let Some(city) = &names.merchant_city {
        put_sub(&mut list, id, 2, rules::local(id, city, 15)?)?;
    }
    Ok(list)
}

fn put(code: &mut String, id: u8, value: &str) -> Result<(), EmvError> {
    if tlv::write(code, id, value) { Ok(()) } else { Err(EmvError::Value(id)) }
}

/// A sub-tag of a template.
fn put_sub(list: &mut String, template: u8, sub: u8, value: &str) -> Result<(), EmvError> {
    if tlv::write(list, sub, value) { Ok(()) } else { Err(EmvError::Value(template)) }
}

fn digits(id: u8, number: u16, width: usize) -> Result<String, EmvError> {
    let text = format!("{number:0width$}");
    if text.len() == width { Ok(text) } else { Err(EmvError::Value(id)) }
}

/// The checksum covers its own id and length (4.7.3.1).
fn finish(mut code: String) -> Result<String, EmvError> {
    code.push_str("6304");
    let checksum = crc::checksum(&code);
    code.push_str(&format!("{checksum:04X}"));
    if code.len() > CODE_BYTES_MAX { Err(EmvError::TooLong) } else { Ok(code) }
}
