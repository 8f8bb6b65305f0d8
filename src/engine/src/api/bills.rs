//! What is asked and told about invoices. Amounts are as in `wallet`.

use super::{AssetView, PersonView};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about invoices. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum BillCall {
    /// Invoices, the newest first. → [`BillReply::Invoices`]
    Invoices {
        /// Those that one has sent oneself, and not those that one is to pay.
        sent: bool,
        /// Those of a shop where one works: its address. Then `sent` says nothing.
        shop: Option<String>,
        /// Those before this one: the address of its issuer…
        user: Option<String>,
        /// … and its id.
        invoice: Option<String>,
    },
    /// An invoice as it stands. → [`BillReply::Invoice`]
    Invoice {
        /// Address of its issuer.
        user: String,
        /// Its id.
        invoice: String,
    },
    /// Sends somebody an invoice. Who is of another node hears of it in the chat with them: they have to be a contact. → [`BillReply::Invoice`]
    SendInvoice {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Whose invoice it is: address of a shop where one works; none: one's own.
        shop: Option<String>,
        /// Address of the one who is to pay.
        user: String,
        /// Asset id.
        asset: String,
        /// Text, quantity in thousandths, price of one in minor units without tax, and tax in parts per mille; empty: none.
        lines: Vec<(String, String, String, String)>,
        /// What they come to with tax, as it was seen.
        total: String,
        /// By when, ms.
        due_ms: f64,
        /// A few words, or nothing.
        note: String,
    },
    /// Says once more in the chat with somebody of another node that there is an invoice for them. → [`BillReply::Invoice`]
    TellInvoice {
        /// Address of its issuer.
        user: String,
        /// Its id.
        invoice: String,
    },
    /// Takes an invoice back that was not paid. → [`BillReply::Invoice`]
    CancelInvoice {
        /// Address of its issuer.
        user: String,
        /// Its id.
        invoice: String,
    },
    /// Pays an invoice. As [`super::Call::Pay`]; `already_paid`, `invoice_cancelled`. → [`BillReply::Invoice`]
    PayInvoice {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address of its issuer.
        user: String,
        /// Its id.
        invoice: String,
        /// Asset id, as it was seen.
        asset: String,
        /// What it comes to, as it was seen; with `exchange`, what is given.
        amount: String,
        /// What the issuer, of another node, gets for that: asset id, and amount.
        exchange: Option<(String, String)>,
        /// The payment PIN.
        pin: String,
    },
    /// Gives back what an invoice has brought, or a part of it. As [`super::Call::Pay`]. → [`BillReply::Invoice`]
    RefundInvoice {
        /// As in [`super::Call::Pay`].
        id: String,
        /// Address of its issuer.
        user: String,
        /// Its id.
        invoice: String,
        /// In minor units.
        amount: String,
        /// The payment PIN.
        pin: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum BillReply {
    /// A page of invoices.
    Invoices(InvoicesView),
    /// An invoice.
    Invoice(InvoiceView),
}

/// A page of invoices, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct InvoicesView {
    /// The newest first.
    pub invoices: Vec<InvoiceView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct InvoiceView {
    /// Its id.
    pub invoice: String,
    /// Whose it is; a shop is called by its title.
    pub issuer: PersonView,
    /// Whether that is a shop.
    pub shop: bool,
    /// Who is to pay.
    pub to: PersonView,
    /// Whether that is oneself.
    pub mine: bool,
    /// Its number: an issuer's are counted from 1.
    pub number: f64,
    /// A creditor reference (ISO 11649), in groups of four.
    pub reference: String,
    /// In what.
    pub asset: AssetView,
    /// What for.
    pub lines: Vec<InvoiceLineView>,
    /// What the lines come to without tax.
    pub net: String,
    /// The taxes, the lowest rate first.
    pub taxes: Vec<InvoiceTaxView>,
    /// What is to be paid.
    pub total: String,
    /// A few words; empty: none.
    pub note: String,
    /// When it was sent, ms.
    pub time_ms: f64,
    /// By when it is to be paid, ms.
    pub due_ms: f64,
    /// `open`, `overdue`, `paid`, `cancelled`; at another node also `paying`: that has not decided.
    pub state: String,
    /// Who of the shop's staff has sent it.
    pub by: Option<PersonView>,
    /// By which transfer it was paid.
    pub transfer: Option<String>,
    /// When, ms.
    pub paid_ms: Option<f64>,
    /// What of it went back since.
    pub refunded: String,
    /// It was paid with something else at another node: that does not go back.
    pub at_rate: bool,
    /// Why the last payment of it came back from another node, as in [`super::TransferView`].
    pub rejection: Option<String>,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InvoiceLineView {
    /// What it is.
    pub text: String,
    /// How much of it, in thousandths.
    pub quantity: String,
    /// What one costs, without tax.
    pub unit_price: String,
    /// Tax on top, in parts per mille.
    pub tax_rate: Option<u16>,
    /// What the line costs without tax.
    pub net: String,
}

/// The tax of one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InvoiceTaxView {
    /// In parts per mille.
    pub rate: u16,
    /// How much it is.
    pub tax: String,
}
