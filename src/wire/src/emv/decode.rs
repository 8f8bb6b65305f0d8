//! Codes of anybody, and whether they are ours.

use super::{
    AdditionalData, CODE_BYTES_MAX, CONTEXT, Currency, EmvError, Initiation, LocalNames, MerchantQr, Request,
    Tip, WeftAccount, crc,
    rules::{self, HALF_CHARS, LABEL_CHARS_MAX},
    tlv::{self, Field, find},
};
use crate::{AssetId, Millis, RequestId, UserAddress, signed, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A code of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// Anybody can have made it.
    Static(MerchantQr),
    /// Somebody signed it: see [`SignedQr::verify`].
    Dynamic(SignedQr),
}

/// A dynamic code with its signature. The text is kept as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedQr {
    qr: MerchantQr,
    request: Request,
    text: String,
    signature: [u8; 64],
}

impl SignedQr {
    /// What the code says, WITHOUT checking its signature: only to find out whose key to check it with.
    #[must_use]
    pub fn peek(&self) -> &MerchantQr {
        &self.qr
    }

    /// Checks the signature (strictly: no small-order keys) with the payee's key, and that the code's time is not over.
    ///
    /// # Errors
    /// [`EmvError::Signature`], then [`EmvError::Expired`].
    pub fn verify(self, key: &[u8; 32], now: Millis) -> Result<(MerchantQr, Request), EmvError> {
        signed::check(CONTEXT, self.text.as_bytes(), &self.signature, key)?;
        if now >= self.request.expires_ms {
            return Err(EmvError::Expired);
        }
        Ok((self.qr, self.request))
    }
}

/// Reads what was scanned or pasted. The checksum comes first, so that a misread code is not taken for a wrong one. Objects that
/// are not known are passed over.
///
/// # Errors
/// [`EmvError`]; never a panic.
pub fn decode(code: &str) -> Result<Scanned, EmvError> {
    let code = code.trim();
    if !code.starts_with("000201") {
        return Err(EmvError::NotEmv);
    }
    if code.len() > CODE_BYTES_MAX {
        return Err(EmvError::TooLong);
    }
    let checksum = checksum(code)?;
    let fields = tlv::parse(code)?;
    // The eight characters that were taken for the checksum may be the end of another object.
    let Some((Field { id: rules::CHECKSUM, value, .. }, fields)) = fields.split_last() else {
        return Err(EmvError::Checksum);
    };
    let account = account(fields)?;
    // Systems differ in how they write it. We do not, so that no character of a code of ours can be another.
    if *value != checksum {
        return Err(EmvError::Checksum);
    }
    let (fields, signature) = signature(fields)?;
    let qr = merchant(fields, account)?;
    match (qr.initiation.clone(), signature) {
        (Initiation::Static, None) => Ok(Scanned::Static(qr)),
        (Initiation::Static, Some(_)) => Err(EmvError::Unexpected(rules::SIGNATURE[0])),
        (Initiation::Dynamic(_), None) => Err(EmvError::Unsigned),
        (Initiation::Dynamic(request), Some((at, signature))) => {
            let text = code.get(..at).unwrap_or_default().to_owned();
            Ok(Scanned::Dynamic(SignedQr { qr, request, text, signature }))
        }
    }
}

/// The checksum as we would write it, if the code ends with it, in capitals or not.
fn checksum(code: &str) -> Result<String, EmvError> {
    let (covered, written) =
        code.len().checked_sub(4).and_then(|at| code.split_at_checked(at)).ok_or(EmvError::Checksum)?;
    let checksum = format!("{:04X}", crc::checksum(covered));
    let is_right = covered.ends_with("6304") && written.eq_ignore_ascii_case(&checksum);
    if is_right { Ok(checksum) } else { Err(EmvError::Checksum) }
}

/// The one account that is ours.
fn account(fields: &[Field<'_>]) -> Result<WeftAccount, EmvError> {
    let is_ours =
        |field: &&Field<'_>| rules::ACCOUNTS.contains(&field.id) && field.value.starts_with(rules::OURS);
    let mut ours = fields.iter().filter(is_ours);
    let Some(&Field { id, value, .. }) = ours.next() else {
        return Err(EmvError::NotOurs { system: system(fields) });
    };
    if let Some(other) = ours.next() {
        return Err(EmvError::Unexpected(other.id));
    }
    let list = template(id, value)?;
    let written = find(&list, 1).ok_or(EmvError::Value(id))?;
    let payee: UserAddress = written.parse().map_err(|_| EmvError::Value(id))?;
    // One payee has one spelling.
    if payee.to_string() != written {
        return Err(EmvError::Value(id));
    }
    let till = find(&list, 2).map(|till| rules::printable(id, till, LABEL_CHARS_MAX)).transpose()?;
    Ok(WeftAccount { payee, till: till.map(str::to_owned) })
}

/// Whose code it is, as far as it says.
fn system(fields: &[Field<'_>]) -> Option<String> {
    let templates = fields.iter().filter(|field| rules::ACCOUNTS.contains(&field.id));
    let mut systems = templates.filter_map(|field| find(&tlv::parse(field.value).ok()?, 0).map(text::name));
    systems.find(|system| !system.is_empty())
}

/// What stands before the signature, where that begins, and the signature itself.
type Split<'f, 'c> = (&'f [Field<'c>], Option<(usize, [u8; 64])>);

fn signature<'f, 'c>(fields: &'f [Field<'c>]) -> Result<Split<'f, 'c>, EmvError> {
    let [first, second] = rules::SIGNATURE;
    let is_half =
        |field: &Field<'_>| [first, second].contains(&field.id) && field.value.starts_with(rules::OURS);
    let [body @ .., a, b] = fields else { return Ok((fields, None)) };
    if !is_half(a) || !is_half(b) {
        // A half alone, or with something behind it, is none: that would not be signed.
        let stray = fields.iter().find(|field| is_half(field));
        return stray.map_or(Ok((fields, None)), |field| Err(EmvError::Unexpected(field.id)));
    }
    let [begin_a, begin_b] = rules::HALVES;
    let half = |field: &Field<'c>, id: u8, begin: &str| {
        let half = field.value.strip_prefix(begin).filter(|half| half.len() == HALF_CHARS && field.id == id);
        half.ok_or(EmvError::Value(id))
    };
    let text = format!("{}{}", half(a, first, begin_a)?, half(b, second, begin_b)?);
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| EmvError::Value(first))?;
    let signature = bytes.try_into().map_err(|_| EmvError::Value(first))?;
    Ok((body, Some((a.at, signature))))
}

fn merchant(fields: &[Field<'_>], account: WeftAccount) -> Result<MerchantQr, EmvError> {
    let needed = |id| find(fields, id).ok_or(EmvError::Missing(id));
    let category = rules::number(rules::CATEGORY, needed(rules::CATEGORY)?, 4)?;
    let currency = rules::number(rules::CURRENCY, needed(rules::CURRENCY)?, 3)?;
    let amount = find(fields, rules::AMOUNT).map(str::parse).transpose()?;
    let tip = tip(fields)?;
    let country = rules::country(needed(rules::COUNTRY)?)?.to_owned();
    let name = rules::printable(rules::NAME, needed(rules::NAME)?, 25)?.to_owned();
    let city = rules::printable(rules::CITY, needed(rules::CITY)?, 15)?.to_owned();
    let postal_code = find(fields, rules::POSTAL_CODE);
    let postal_code = postal_code.map(|code| rules::printable(rules::POSTAL_CODE, code, 10)).transpose()?;
    let terms = Terms::read(fields)?;
    Ok(MerchantQr {
        initiation: terms.initiation(find(fields, rules::INITIATION))?,
        account,
        merchant_category_code: category,
        currency: terms.currency(currency)?,
        amount,
        tip,
        country,
        merchant_name: name,
        merchant_city: city,
        postal_code: postal_code.map(str::to_owned),
        additional: find(fields, rules::ADDITIONAL).map(additional).transpose()?.unwrap_or_default(),
        local: find(fields, rules::LANGUAGE).map(local).transpose()?,
    })
}

fn tip(fields: &[Field<'_>]) -> Result<Option<Tip>, EmvError> {
    let (fixed, percentage) = (find(fields, rules::TIP_FIXED), find(fields, rules::TIP_PERCENTAGE));
    match (find(fields, rules::TIP), fixed, percentage) {
        (None, None, None) => Ok(None),
        (Some("01"), None, None) => Ok(Some(Tip::Prompt)),
        (Some("02"), Some(fee), None) => Ok(Some(Tip::Fixed(fee.parse()?))),
        (Some("03"), None, Some(percent)) => {
            Ok(Some(Tip::Percentage { percent_hundredths: rules::percentage(percent)? }))
        }
        (Some("02"), None, _) => Err(EmvError::Missing(rules::TIP_FIXED)),
        (Some("03"), _, None) => Err(EmvError::Missing(rules::TIP_PERCENTAGE)),
        (Some("02"), Some(_), Some(_)) | (Some("01") | None, None, Some(_)) => {
            Err(EmvError::Unexpected(rules::TIP_PERCENTAGE))
        }
        (Some("01" | "03") | None, Some(_), _) => Err(EmvError::Unexpected(rules::TIP_FIXED)),
        (Some(_), _, _) => Err(EmvError::Value(rules::TIP)),
    }
}

fn additional(value: &str) -> Result<AdditionalData, EmvError> {
    let list = template(rules::ADDITIONAL, value)?;
    let label = |sub| {
        let label = find(&list, sub).map(|label| rules::printable(rules::ADDITIONAL, label, LABEL_CHARS_MAX));
        label.transpose().map(|label| label.map(str::to_owned))
    };
    Ok(AdditionalData {
        bill_number: label(1)?,
        mobile_number: label(2)?,
        store_label: label(3)?,
        reference_label: label(5)?,
        terminal_label: label(7)?,
        purpose: label(8)?,
    })
}

fn local(value: &str) -> Result<LocalNames, EmvError> {
    let id = rules::LANGUAGE;
    let list = template(id, value)?;
    let needed = |sub| find(&list, sub).ok_or(EmvError::Value(id));
    let city = find(&list, 2).map(|city| rules::local(id, city, 15)).transpose()?;
    Ok(LocalNames {
        language: rules::language(needed(0)?)?.to_owned(),
        merchant_name: rules::local(id, needed(1)?, 25)?.to_owned(),
        merchant_city: city.map(str::to_owned),
    })
}

/// Template 80, if it is there and ours.
#[derive(Default)]
struct Terms {
    asset: Option<AssetId>,
    request: Option<RequestId>,
    expires_ms: Option<Millis>,
}

impl Terms {
    fn read(fields: &[Field<'_>]) -> Result<Self, EmvError> {
        let Some(value) = find(fields, rules::TERMS).filter(|value| value.starts_with(rules::OURS)) else {
            return Ok(Terms::default());
        };
        let list = template(rules::TERMS, value)?;
        Ok(Terms {
            asset: find(&list, 1).map(sixteen).transpose()?.map(AssetId),
            request: find(&list, 2).map(sixteen).transpose()?.map(RequestId),
            expires_ms: find(&list, 3).map(millis).transpose()?,
        })
    }

    fn initiation(&self, method: Option<&str>) -> Result<Initiation, EmvError> {
        match (method, self.request, self.expires_ms) {
            (Some("11") | None, None, None) => Ok(Initiation::Static),
            (Some("11") | None, _, _) => Err(EmvError::Unexpected(rules::TERMS)),
            (Some("12"), Some(id), Some(expires_ms)) => Ok(Initiation::Dynamic(Request { id, expires_ms })),
            (Some("12"), _, _) => Err(EmvError::Missing(rules::TERMS)),
            (Some(_), _, _) => Err(EmvError::Value(rules::INITIATION)),
        }
    }

    fn currency(&self, number: u16) -> Result<Currency, EmvError> {
        match (number, self.asset) {
            (0, _) => Err(EmvError::Value(rules::CURRENCY)),
            (rules::NO_CURRENCY, Some(asset)) => Ok(Currency::Asset(asset)),
            (rules::NO_CURRENCY, None) => Err(EmvError::Missing(rules::TERMS)),
            (_, Some(_)) => Err(EmvError::Unexpected(rules::TERMS)),
            (_, None) => Ok(Currency::Iso4217(number)),
        }
    }
}

fn template(id: u8, value: &str) -> Result<Vec<Field<'_>>, EmvError> {
    tlv::parse(value).map_err(|error| EmvError::Template { id, error })
}

/// An id in base64url, of which there is one spelling.
fn sixteen(text: &str) -> Result<[u8; 16], EmvError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(EmvError::Value(rules::TERMS))
}

/// A time, of which there is one spelling, too.
fn millis(text: &str) -> Result<Millis, EmvError> {
    let millis = text.parse::<Millis>().ok().filter(|millis| millis.to_string() == text);
    millis.ok_or(EmvError::Value(rules::TERMS))
}
