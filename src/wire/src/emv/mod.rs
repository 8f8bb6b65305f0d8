//! The code that a shop shows: EMVCo QR Code Specification for Payment Systems, Merchant-Presented Mode (MPM), version 1.1.
//!
//! A code is a list of data objects ([`tlv`]) that ends with a checksum. Shops everywhere have such codes: those of another
//! payment system are told apart from damaged ones ([`EmvError::NotOurs`]). Ours have these templates, each of which begins
//! with the Globally Unique Identifier [`SYSTEM`]:
//!
//! | id | what | sub-tags |
//! | --- | --- | --- |
//! | 26 to 51 | who is paid | `01` the address, `02` the till |
//! | 80 | on what terms | `01` the asset, `02` the request, `03` when it expires |
//! | 81, 82 | the signature, a half each | `04`, `05` 43 characters of base64url |
//!
//! They are several because the value of a template, too, has at most 99 characters, and a signature alone takes 86. The last
//! three are Unreserved Templates: wallets of others pass over them.
//!
//! A STATIC code, printed once and stuck to the counter, is unsigned: who pays sees the address and decides. A DYNAMIC one is
//! for one purchase and is signed with a key of the shop. What is signed is the text of the code up to the two signature
//! templates, so that it covers every field, whether this version knows it or not; behind them there is room for nothing but the
//! checksum.
//!
//! A dynamic code from which somebody takes all of that away becomes a static one, which anybody can make: a wallet may trust a
//! code for what it is, never for what it lacks.
//!
//! ```
//! use weft_wire::emv::{Currency, EmvError, MerchantQr, Scanned, decode};
//!
//! let code = MerchantQr::new("shop@home.example".parse()?, Currency::Iso4217(978), "DE", "Corner Shop", "Berlin").encode()?;
//! assert!(matches!(decode(&code)?, Scanned::Static(qr) if qr.merchant_name == "Corner Shop"));
//! assert_eq!(decode(&code.replace("Corner", "Korner")), Err(EmvError::Checksum));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod crc;
mod decode;
mod encode;
mod rules;
#[cfg(test)]
mod tests;
pub mod tlv;

use crate::{AssetId, Millis, RequestId, UserAddress, signed::SignedError};
pub use decode::{Scanned, SignedQr, decode};
pub use rules::Amount;
pub use tlv::TlvError;

/// The Globally Unique Identifier of our templates: a reverse domain name.
pub const SYSTEM: &str = "app.weft";
/// Bytes of a whole code: 512 characters, and fewer of those that take several bytes.
pub const CODE_BYTES_MAX: usize = 512;
/// Characters of a payee's address, so that it fits its template: a shop whose node is named by its peer id has a name of at
/// most thirty.
pub const ADDRESS_CHARS_MAX: usize = 83;
/// The context of a dynamic code's signature: see [`crate::signed::Signable::CONTEXT`].
pub const CONTEXT: &str = "weft/merchant-qr/1";

/// What a code of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerchantQr {
    /// Whether it is for one purchase.
    pub initiation: Initiation,
    /// Who is paid.
    pub account: WeftAccount,
    /// ISO 18245, at most 9999; 0 where none fits.
    pub merchant_category_code: u16,
    /// In what.
    pub currency: Currency,
    /// How much. `None`: who pays types it.
    pub amount: Option<Amount>,
    /// What comes on top.
    pub tip: Option<Tip>,
    /// ISO 3166-1, two capital letters.
    pub country: String,
    /// At most 25 characters of printable ASCII.
    pub merchant_name: String,
    /// At most 15 characters of printable ASCII.
    pub merchant_city: String,
    /// At most 10 characters of printable ASCII.
    pub postal_code: Option<String>,
    /// What the shop wants to find again in its books.
    pub additional: AdditionalData,
    /// The names as people there write them.
    pub local: Option<LocalNames>,
}

/// Object 01, the Point of Initiation Method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initiation {
    /// `11`: the code is shown to one customer after the other. Unsigned.
    Static,
    /// `12`: it is for one purchase. Signed.
    Dynamic(Request),
}

/// What makes a dynamic code one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// The payment names it, so that the shop knows what was paid, and nobody pays it twice.
    pub id: RequestId,
    /// From then on it is not paid any more.
    pub expires_ms: Millis,
}

/// Our Merchant Account Information.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeftAccount {
    /// The shop's address, at most [`ADDRESS_CHARS_MAX`] characters.
    pub payee: UserAddress,
    /// Which of its accounts or tills: at most 25 characters of printable ASCII, as far as the address leaves room.
    pub till: Option<String>,
}

/// Object 53, the Transaction Currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    /// ISO 4217's number, 1 to 998: the money of that name that the payee's node deals in.
    Iso4217(u16),
    /// `999`, ISO's "no currency", and the id of the asset beside it: points, tokens, or the money of a certain issuer.
    Asset(AssetId),
}

/// Objects 55 to 57, Tip or Convenience Indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tip {
    /// `01`: who pays is asked.
    Prompt,
    /// `02`: this much.
    Fixed(Amount),
    /// `03`: this share of the amount, in hundredths of a percent, 1 to 9999.
    Percentage {
        /// 550 is 5.5 %.
        percent_hundredths: u16,
    },
}

/// Object 62, the Additional Data Field Template: each at most 25 characters of printable ASCII, all of them with their tags at
/// most 99. `***` asks who pays for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdditionalData {
    /// `01`: the invoice.
    pub bill_number: Option<String>,
    /// `02`: a number to be topped up.
    pub mobile_number: Option<String>,
    /// `03`: the branch.
    pub store_label: Option<String>,
    /// `05`: whatever the shop knows it by.
    pub reference_label: Option<String>,
    /// `07`: the till.
    pub terminal_label: Option<String>,
    /// `08`: what is paid for.
    pub purpose: Option<String>,
}

/// Object 64, the Merchant Information—Language Template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalNames {
    /// ISO 639, two letters.
    pub language: String,
    /// At most 25 characters that [`crate::text::name`] leaves as they are.
    pub merchant_name: String,
    /// At most 15 of them.
    pub merchant_city: Option<String>,
}

/// Why a text is no code of ours that can be paid, or why a code cannot be made. Ids are those of the standard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmvError {
    /// It does not begin as such codes do (version 01).
    #[error("this is not a payment code")]
    NotEmv,
    /// More than [`CODE_BYTES_MAX`].
    #[error("a payment code has at most {CODE_BYTES_MAX} bytes")]
    TooLong,
    /// Misread, cut off or altered.
    #[error("the payment code is damaged: its checksum does not fit")]
    Checksum,
    /// The checksum is right, and yet it is no list of data objects.
    #[error("the payment code is malformed: {0}")]
    Malformed(#[from] TlvError),
    /// A sound code of other payment systems only.
    #[error("this is a payment code of another system")]
    NotOurs {
        /// The identifier of the first one, made harmless to show: `br.gov.bcb.pix`. `None` for those of the card schemes.
        system: Option<String>,
    },
    /// A template is no list of data objects.
    #[error("template {id} is malformed: {error}")]
    Template {
        /// Which.
        id: u8,
        /// What is wrong in it.
        error: TlvError,
    },
    /// A field that has to be there.
    #[error("field {0:02} is missing")]
    Missing(u8),
    /// A field that has no place there beside the others.
    #[error("field {0:02} does not belong there")]
    Unexpected(u8),
    /// Characters, length or value of a field are not as they should be.
    #[error("field {0:02} is not valid")]
    Value(u8),
    /// Something else than digits with one point between them, nothing, or zero.
    #[error("the amount is not a decimal number of at most 13 characters above zero")]
    Amount,
    /// A dynamic code without a signature.
    #[error("the code is for one purchase, and not signed")]
    Unsigned,
    /// The signature is not the shop's.
    #[error(transparent)]
    Signature(#[from] SignedError),
    /// Its time is over.
    #[error("the code has expired")]
    Expired,
}

impl MerchantQr {
    /// A static code without an amount.
    #[must_use]
    pub fn new(payee: UserAddress, currency: Currency, country: &str, name: &str, city: &str) -> Self {
        MerchantQr {
            initiation: Initiation::Static,
            account: WeftAccount { payee, till: None },
            merchant_category_code: 0,
            currency,
            amount: None,
            tip: None,
            country: country.to_owned(),
            merchant_name: name.to_owned(),
            merchant_city: city.to_owned(),
            postal_code: None,
            additional: AdditionalData::default(),
            local: None,
        }
    }
}
