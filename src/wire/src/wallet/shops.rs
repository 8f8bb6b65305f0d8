//! Shops: who they are and who works there, what they sell, and the two ways of paying by a code.
//!
//! `GET wallet/merchants` · `POST wallet/merchants` · `GET wallet/merchants/NAME` · `POST wallet/merchants/NAME` ·
//! `GET wallet/merchants/NAME/sign?asset=ID&till=TILL` · `GET wallet/merchants/NAME/sales?before=ID` · `POST wallet/merchants/NAME/sales` ·
//! `GET wallet/merchants/NAME/sales/ID` · `DELETE wallet/merchants/NAME/sales/ID` · `POST wallet/merchants/NAME/charges` ·
//! `POST wallet/codes`.
//!
//! A shop pays, too: what it gives back and what it pays out to its owner are orders that somebody of its staff signs, with
//! [`super::PaymentOrder::from`].

use super::{AccountView, Asset, PaymentOrder};
use crate::{
    AssetId, Code, Millis, RequestId, Signed, TransferId, UserAddress, UserName, bytes,
    paycode::{PayCode, PayDigits},
    signed::Signable,
};
use serde::{Deserialize, Serialize};

/// A shop as payee.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MerchantPayee {
    /// Its address: no person has the same.
    pub shop: UserAddress,
    /// At which till, where the code says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
    /// What is paid for, where the shop has said it: then the sum is the sale's, and it is paid once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<RequestId>,
}

/// Whichever shop has read the payer's code. The order's amount is the most that it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BearerPayee {
    /// [`BearerPayee::of`] the code: whoever brings the code itself has seen it.
    #[serde(with = "bytes::array")]
    pub code: [u8; 32],
    /// The same of its digits.
    #[serde(with = "bytes::array")]
    pub digits: [u8; 32],
}

impl BearerPayee {
    /// For whoever brings this code, or its digits.
    pub fn of(code: &PayCode) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("weft/pay-code/1");
        let hash = hasher.update(code.id()).update(code.node().as_str().as_bytes()).finalize();
        BearerPayee { code: *hash.as_bytes(), digits: BearerPayee::of_digits(&code.digits()) }
    }

    /// Under which a code is found by its digits.
    pub fn of_digits(digits: &PayDigits) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("weft/pay-digits-hash/1");
        *hasher.update(digits.to_string().as_bytes()).finalize().as_bytes()
    }
}

/// What somebody may do in a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ShopRole {
    /// Everything; there is one.
    Owner,
    /// Everything.
    Manager,
    /// Sells, and gives back what was paid in the last 24 hours.
    Cashier,
}

/// Somebody who works in a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopMember {
    /// Who.
    pub user: UserAddress,
    /// As what; not the owner.
    pub role: ShopRole,
    /// They were asked, and have not agreed: until then they may do nothing there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invited: bool,
}

/// What becomes of one person in a shop. What others have changed meanwhile stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffChange {
    /// Who.
    pub user: UserAddress,
    /// As what they work there, or are asked to; `None`: not any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ShopRole>,
}

/// What a shop says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopDetails {
    /// What people read, in any script; at most [`crate::limits::SHOP_TITLE_CHARS_MAX`] characters.
    pub title: String,
    /// The same for codes: at most 25 characters of printable ASCII.
    pub merchant_name: String,
    /// For codes: at most 15 characters of printable ASCII.
    pub city: String,
    /// ISO 3166-1, two capital letters.
    pub country: String,
    /// ISO 18245, at most 9999; 0 where none fits.
    #[serde(default)]
    pub mcc: u16,
}

/// How a shop is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopName {
    /// Its address.
    pub shop: UserAddress,
    /// What people read.
    pub title: String,
}

/// `GET wallet/merchants/NAME`: a shop, as every member may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopInfo {
    /// Its address.
    pub shop: UserAddress,
    /// What it says of itself.
    pub details: ShopDetails,
    /// Whether it takes money.
    pub open: bool,
    /// The node's key, which signs its codes.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
}

/// A shop, as those who work there see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopView {
    /// Which.
    pub info: ShopInfo,
    /// What the caller may do there.
    pub role: ShopRole,
    /// Whose it is.
    pub owner: UserAddress,
    /// Who else works there, by name.
    pub staff: Vec<ShopMember>,
    /// Its money; nothing for cashiers.
    pub accounts: Vec<AccountView>,
    /// The caller is asked to work there, and has not agreed: `role` is what is offered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invited: bool,
    /// The node's owner has closed it, whatever those who lead it want.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
}

/// `GET wallet/merchants`: the shops of the caller, and those where they work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopList {
    /// By name.
    pub shops: Vec<ShopView>,
}

/// `POST wallet/merchants`: the caller opens a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenShop {
    /// Its name at the node: nobody else's.
    pub name: UserName,
    /// What it says of itself.
    pub details: ShopDetails,
}

/// `POST wallet/merchants/NAME`: by the owner or a manager. The node's owner may close it. What is not named
/// stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeShop {
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<ShopDetails>,
    /// Who works there from now on, at most [`crate::limits::SHOP_STAFF_MAX`]: a list from before undoes what has changed since, so
    /// clients say [`ChangeShop::member`]. Whoever is new is asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<Vec<ShopMember>>,
    /// Whether it takes money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// What becomes of one person there. Whoever is new is asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<StaffChange>,
    /// The caller was asked to work there: whether they will. Nothing else is looked at then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<bool>,
}

/// `POST wallet/merchants/NAME/sales`: something is sold; the answer is a [`SaleInfo`] with the code that the customer scans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSale {
    /// Made by whoever asks; asking again makes one sale.
    pub id: RequestId,
    /// In what.
    pub asset: AssetId,
    /// For how much, in minor units.
    pub amount: u64,
    /// The shop's own number for it, at most 25 characters of printable ASCII; or nothing.
    #[serde(default)]
    pub bill: String,
    /// At which till: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
    /// Whether the customer is asked for a tip.
    #[serde(default)]
    pub tip_allowed: bool,
    /// For how long it can be paid. 0: [`crate::limits::SALE_LIFETIME_MS`].
    #[serde(default)]
    pub lifetime_ms: Millis,
}

/// By what a customer has paid, or is to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SaleKind {
    /// By a code for this one sale.
    Dynamic,
    /// By the code at the counter; the customer has typed the sum.
    Static,
    /// By a code that the customer has shown.
    Code,
}

/// Where a sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SaleState {
    /// It can be paid.
    Open,
    /// It is paid.
    Paid,
    /// It was not paid in time.
    Expired,
    /// The shop has taken it back.
    Cancelled,
}

/// How a sale was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalePaid {
    /// By whom.
    pub payer: UserAddress,
    /// By which transfer, of the sale's amount and the tip.
    pub transfer: TransferId,
    /// When.
    pub at_ms: Millis,
    /// What of it is a tip, in minor units.
    #[serde(default)]
    pub tip: u64,
    /// What of it went back since, in minor units.
    #[serde(default)]
    pub refunded: u64,
    /// The payer, of another node, has given another asset for it: there is no rate at which it could be given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_rate: bool,
}

/// `GET wallet/merchants/NAME/sales/ID`, for whoever knows its id; and the answer where it is made or paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleInfo {
    /// Which.
    pub id: RequestId,
    /// Of which shop.
    pub shop: UserAddress,
    /// In what.
    pub asset: Asset,
    /// For how much, in minor units, without a tip.
    pub amount: u64,
    /// Whether the customer is asked for a tip.
    pub tip_allowed: bool,
    /// The shop's own number for it; empty: none.
    pub bill: String,
    /// At which till.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub till: Option<String>,
    /// By what it is paid.
    pub kind: SaleKind,
    /// Where it stands.
    pub state: SaleState,
    /// When it was made.
    pub made_ms: Millis,
    /// Until when it can be paid, if it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<Millis>,
    /// The code that the customer scans, for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who of the staff has made it; for the staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
    /// How it was paid: for the staff and for who has paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<SalePaid>,
    /// Why the customer's node, another one, has refused to pay it; for the staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Code>,
}

/// `GET wallet/merchants/NAME/sales?before=ID`: the till roll, for the staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleList {
    /// The newest first; at most [`crate::limits::PAGE_MAX`].
    pub sales: Vec<SaleInfo>,
    /// Whether there are older ones.
    pub more: bool,
}

/// `GET wallet/merchants/NAME/sign?asset=ID&till=TILL`: what stands on the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSign {
    /// The static code.
    pub code: String,
}

/// `POST wallet/codes`: the caller's device shows a code. It holds nothing back, and takes the place of the device's last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutCode {
    /// To [`super::Payee::Bearer`], signed with the device's order key.
    pub order: Signed<PaymentOrder>,
}

/// The answer to [`PutCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeShown {
    /// Until when it can be used.
    pub until_ms: Millis,
}

/// `POST wallet/merchants/NAME/charges`: staff have read a customer's code; the answer is a [`SaleInfo`]. Of a code of another node it
/// may be one that is open: whether it is paid is known by [`SaleInfo::expires_ms`] at the latest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeCode {
    /// Made by whoever asks; asking again takes the money once.
    pub id: RequestId,
    /// The code's text, or its digits.
    pub code: String,
    /// In what.
    pub asset: AssetId,
    /// How much, in minor units.
    pub amount: u64,
    /// The shop's own number for it, at most 25 characters of printable ASCII; or nothing.
    #[serde(default)]
    pub bill: String,
}

/// A shop's node asks the payer's for money, by the code that the payer has shown there. Signed with the key of the shop's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCharge {
    /// Which shop.
    pub shop: UserAddress,
    /// What it is called.
    pub title: String,
    /// For which sale: asked again, the money is taken once.
    pub sale: RequestId,
    /// What was read at the till.
    pub code: PayCode,
    /// In what.
    pub asset: AssetId,
    /// How much the shop is to get, in minor units.
    pub amount: u64,
}

impl Signable for CodeCharge {
    const CONTEXT: &'static str = "weft/code-charge/1";
    const BYTES_MAX: usize = 1024;
}
