//! What is asked and told about shops: opening one, selling, paying in one by either kind of code. Amounts are as in `wallet`.

use super::{AccountView, AssetView, PersonView, TransferView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about shops. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum ShopCall {
    /// One's own shops, and those where one works. → [`ShopReply::Shops`]
    Shops,
    /// Opens a shop. → [`ShopReply::Shop`]
    OpenShop {
        /// Its name at the node: the left half of its address.
        name: String,
        /// What people read, in any script; at most 64 characters.
        title: String,
        /// The same for codes: at most 25 characters of printable ASCII.
        merchant_name: String,
        /// For codes: at most 15 characters of printable ASCII.
        city: String,
        /// Two capital letters.
        country: String,
        /// ISO 18245's category; 0 where none fits.
        mcc: u16,
    },
    /// Changes what a shop says of itself. For its owner and managers. → [`ShopReply::Shop`]
    ChangeShop {
        /// Address, as in [`ShopView`].
        shop: String,
        /// As in [`ShopCall::OpenShop`]; what is not said stays.
        title: Option<String>,
        /// The same.
        merchant_name: Option<String>,
        /// The same.
        city: Option<String>,
        /// The same.
        country: Option<String>,
        /// The same.
        mcc: Option<u16>,
        /// Whether it takes money.
        open: Option<bool>,
    },
    /// Somebody is asked to work there, works there as something else, or not any more. For its owner and managers; everybody may
    /// leave. → [`ShopReply::Shop`]
    SetStaff {
        /// Address.
        shop: String,
        /// Address of the person.
        user: String,
        /// `manager` or `cashier`; none: not any more.
        role: Option<String>,
    },
    /// Answers that one was asked to work there. → [`ShopReply::Shop`], or [`super::Reply::Done`] where one does not.
    JoinShop {
        /// Address.
        shop: String,
        /// Whether one will.
        accept: bool,
    },
    /// Something is sold: the reply has the code that the customer scans. → [`ShopReply::Sale`]
    Sell {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address.
        shop: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// The shop's own number for it, at most 25 characters of printable ASCII; or nothing.
        bill: String,
        /// Whether the customer is asked for a tip.
        tip_allowed: bool,
        /// For how long it can be paid, in seconds; none: ten minutes.
        lifetime: Option<u32>,
    },
    /// A sale as it stands. → [`ShopReply::Sale`]
    Sale {
        /// Address.
        shop: String,
        /// Its id.
        sale: String,
    },
    /// Takes a sale back that was not paid. → [`ShopReply::Sale`]
    CancelSale {
        /// Address.
        shop: String,
        /// Its id.
        sale: String,
    },
    /// The till roll, the newest first. → [`ShopReply::Sales`]
    Sales {
        /// Address.
        shop: String,
        /// Sales before this one; none: the newest page.
        sale: Option<String>,
    },
    /// The code that stands on the counter. → [`ShopReply::Sign`]
    ShopSign {
        /// Address.
        shop: String,
        /// Asset id.
        asset: String,
        /// At which till.
        till: Option<String>,
    },
    /// Reads what was scanned or pasted, and says what it is for. `code_damaged` (misread or cut off), `code_forged` (a wrong
    /// signature), `code_foreign` (of another payment system), `no_link` (of a node
    /// with which there are no payments, or not of this money), `not_found` (no such shop). → [`ShopReply::Scanned`]
    ReadCode {
        /// The text.
        text: String,
    },
    /// Pays in a shop. As [`super::Call::Pay`]; `already_paid`: somebody has paid this sale. → [`super::Reply::Transfer`]
    PayShop {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address.
        shop: String,
        /// Asset id.
        asset: String,
        /// In minor units, without the tip.
        amount: String,
        /// On top, in minor units of what the shop gets; `0`: none.
        tip: String,
        /// The sale, as in [`ScannedShop`].
        sale: Option<String>,
        /// The till, as in [`ScannedShop`].
        till: Option<String>,
        /// What a shop of another node gets for the amount, the tip within it: asset id, and how much in minor units. None: the
        /// amount, and the tip on top.
        exchange: Option<(String, String)>,
        /// The payment PIN.
        pin: String,
    },
    /// Shows a code by which a shop takes money, once, within a minute. It takes the place of the last one. → [`ShopReply::PayCode`]
    ShowCode {
        /// Asset id.
        asset: String,
        /// The most that the shop may take, in minor units.
        cap: String,
        /// The payment PIN.
        pin: String,
    },
    /// What became of a code. → [`ShopReply::CodeState`]
    CodeState {
        /// As in [`PayCodeView`].
        id: String,
    },
    /// Takes money by a customer's code. `code_invalid` (wrong, used by others, or too old), `code_limit` (more than the customer
    /// allows), `rate_limited` (after wrong ones). → [`ShopReply::Sale`]
    Charge {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address.
        shop: String,
        /// The code's text, or its digits.
        code: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// As in [`ShopCall::Sell`].
        bill: String,
    },
    /// Charges of this device, in this shop, whose answer was lost. They are asked about by themselves; no other charge is made there
    /// before all are decided (`charge_unsure`), and the next one that is made lets go of those that are. → [`ShopReply::Charges`]
    Charges {
        /// Address.
        shop: String,
    },
    /// The same charge again: it takes the money once. `not_found`: it was decided, and its outcome is known. → [`ShopReply::Sale`]
    ChargeAgain {
        /// As in [`ChargeView`].
        id: String,
    },
    /// Gives back what a sale has brought, or a part of it. As [`super::Call::Pay`]. → [`ShopReply::Sale`]
    RefundSale {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address.
        shop: String,
        /// Its id.
        sale: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
    /// Pays a shop's money out to its owner. For its owner and managers. As [`super::Call::Pay`]. → [`super::Reply::Done`]
    PayOut {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address.
        shop: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum ShopReply {
    /// Shops, by name.
    Shops(Vec<ShopView>),
    /// A shop.
    Shop(ShopView),
    /// A sale.
    Sale(SaleView),
    /// A page of the till roll.
    Sales(SalesView),
    /// A shop's sign.
    Sign(SignView),
    /// What was scanned.
    Scanned(ScannedView),
    /// A code that a customer shows.
    PayCode(PayCodeView),
    /// What became of it.
    CodeState(CodeStateView),
    /// Charges whose answer was lost.
    Charges(Vec<ChargeView>),
}

/// A shop, as those who work there see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ShopView {
    /// Its address.
    pub shop: String,
    /// What people read.
    pub title: String,
    /// The same for codes.
    pub merchant_name: String,
    /// For codes.
    pub city: String,
    /// For codes.
    pub country: String,
    /// ISO 18245's category; 0: none.
    pub mcc: u16,
    /// Whether it takes money.
    pub open: bool,
    /// Whether the node's owner has closed it.
    pub stopped: bool,
    /// One is asked to work there, and has not agreed yet: `role` is what is offered, and there is nothing else to see.
    pub invited: bool,
    /// What one may do there oneself: `owner`, `manager`, `cashier`.
    pub role: String,
    /// Whose it is.
    pub owner: PersonView,
    /// Who else works there.
    pub staff: Vec<StaffView>,
    /// Its money; nothing for cashiers. Their ids are good for [`super::Call::WalletHistory`].
    pub accounts: Vec<AccountView>,
}

/// Somebody who works in a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StaffView {
    /// Who.
    pub person: PersonView,
    /// `manager` or `cashier`.
    pub role: String,
    /// They were asked, and have not agreed yet.
    pub invited: bool,
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SaleView {
    /// Its id.
    pub sale: String,
    /// The shop's address.
    pub shop: String,
    /// In what.
    pub asset: AssetView,
    /// For how much, without a tip.
    pub amount: String,
    /// Whether the customer is asked for a tip.
    pub tip_allowed: bool,
    /// The shop's own number for it; empty: none.
    pub bill: String,
    /// At which till.
    pub till: Option<String>,
    /// `dynamic` (a code for this one sale), `static` (the code at the counter), `code` (the customer has shown one).
    pub kind: String,
    /// `open`, `paid`, `expired`, `cancelled`.
    pub state: String,
    /// When it was made, ms.
    pub time_ms: f64,
    /// Until when it can be paid, ms, if it waits for that.
    pub until_ms: Option<f64>,
    /// What the customer scans: the text of the QR code.
    pub code: Option<String>,
    /// Who of the staff has made it.
    pub by: Option<PersonView>,
    /// How it was paid.
    pub paid: Option<SalePaidView>,
    /// The code of why the customer's node, another one, has refused to pay it.
    pub refused: Option<String>,
}

/// How a sale was paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SalePaidView {
    /// By whom.
    pub payer: PersonView,
    /// By which transfer.
    pub transfer: String,
    /// When, ms.
    pub time_ms: f64,
    /// What came on top of the sale's amount.
    pub tip: String,
    /// What of all that went back since.
    pub refunded: String,
    /// Something else was given for it, at another node: it cannot go back.
    pub at_rate: bool,
}

/// A page of the till roll, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SalesView {
    /// The newest first.
    pub sales: Vec<SaleView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// What stands on the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignView {
    /// The shop's address.
    pub shop: String,
    /// Its title.
    pub title: String,
    /// At which till.
    pub till: Option<String>,
    /// In what it is paid.
    pub asset: AssetView,
    /// The text of the QR code.
    pub code: String,
}

/// A charge whose answer was lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChargeView {
    /// The id that it was asked for with: its sale's.
    pub id: String,
    /// Asset id.
    pub asset: String,
    /// How much.
    pub amount: String,
    /// When it was asked for, ms.
    pub time_ms: f64,
    /// `unsure`, `made`, `failed` (it was not made, and cannot be any more).
    pub state: String,
}

/// What a scanned text is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ScannedView {
    /// A shop is to be paid.
    Merchant(ScannedShop),
    /// A customer shows it: it is for a till.
    PayCode {
        /// What [`ShopCall::Charge`] takes.
        text: String,
    },
    /// Somebody proposes a payment.
    Payto(ScannedPayto),
    /// None of these: a link to a person or a group may stand there ([`super::Call::ReadLink`]).
    Other,
}

/// A shop that is to be paid, as its node knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ScannedShop {
    /// Its address.
    pub shop: String,
    /// Its title, as the node says it, and not the code.
    pub title: String,
    /// Whether the code is signed by the shop's node. Anybody can make one that is not.
    pub verified: bool,
    /// Whether the shop takes money.
    pub open: bool,
    /// In what; none: the payer chooses.
    pub asset: Option<AssetView>,
    /// How much; none: the payer types it.
    pub amount: Option<String>,
    /// Whether the customer is asked for a tip.
    pub tip_allowed: bool,
    /// The shop's own number for it; empty: none.
    pub bill: String,
    /// At which till.
    pub till: Option<String>,
    /// What is paid for, if the code is for one sale.
    pub sale: Option<String>,
    /// The state of that sale, as in [`SaleView`].
    pub state: Option<String>,
    /// Until when it can be paid, ms.
    pub until_ms: Option<f64>,
    /// Whether that time is over.
    pub expired: bool,
}

/// A payment that somebody proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ScannedPayto {
    /// To whom.
    pub person: PersonView,
    /// In what, if it says so and the own node issues it.
    pub asset: Option<AssetView>,
    /// How much, if it fits the asset.
    pub amount: Option<String>,
    /// A line for the payee.
    pub message: String,
}

/// A code that one shows to a till.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PayCodeView {
    /// For [`ShopCall::CodeState`].
    pub id: String,
    /// The text of the QR code.
    pub text: String,
    /// Twenty digits: for a line of bars, or for typing.
    pub digits: String,
    /// In what.
    pub asset: AssetView,
    /// The most that can be taken by it.
    pub cap: String,
    /// Until when it can be used, ms.
    pub until_ms: f64,
}

/// What became of a code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CodeStateView {
    /// `open`, `used`, `expired`.
    pub state: String,
    /// By whom it was used, and for how much.
    pub transfer: Option<TransferView>,
}
