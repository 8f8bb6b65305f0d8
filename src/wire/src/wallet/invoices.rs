//! Invoices: what a shop or a person asks somebody to pay, line by line, and by when.
//!
//! `GET wallet/invoices?box=received|sent&shop=NAME&of=ISSUER&node=NODE&before=ID` · `POST wallet/invoices` · `GET wallet/invoices/ISSUER/ID` ·
//! `DELETE wallet/invoices/ISSUER/ID`, where ISSUER is the name of the person or shop. `?node=NODE` with `GET`: whose issuer is of another
//! node, which is asked; from then on it stands among those that were received.
//!
//! An invoice is paid by an order to [`super::Payee::Invoice`], once, by the one it was sent to. What came by it goes back as every
//! payment does: by an order with [`super::PaymentOrder::refunds`].

use super::{Asset, Rejection, ShopName};
use crate::{
    AssetId, Millis, RequestId, TransferId, UserAddress,
    limits::{INVOICE_LINE_BYTES_MAX, INVOICE_LINES_MAX, INVOICE_QUANTITY_MAX},
    signed::Signable,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An invoice as payee: its issuer gets the money, and the invoice is paid by that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InvoicePayee {
    /// Whose it is: a person or a shop.
    pub issuer: UserAddress,
    /// Which of theirs.
    pub invoice: RequestId,
}

/// What is invoiced, in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// What it is: 1 to [`INVOICE_LINE_BYTES_MAX`] bytes.
    pub text: String,
    /// How much of it, in thousandths: 1500 is one and a half. 1 to [`INVOICE_QUANTITY_MAX`].
    pub quantity: u64,
    /// What one of it costs, in minor units, without tax.
    pub unit_price: u64,
    /// Tax on top, in parts per mille: 190 is 19 %. At most 1000; none: no tax is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_rate: Option<u16>,
}

impl InvoiceLine {
    /// What the line costs without tax, in minor units: halves are rounded up. `None`: too much.
    pub fn net(&self) -> Option<u64> {
        let exact = u128::from(self.quantity) * u128::from(self.unit_price);
        u64::try_from((exact + 500) / 1_000).ok()
    }

    fn is_well_formed(&self) -> bool {
        let is_text = !self.text.trim().is_empty() && self.text.len() <= INVOICE_LINE_BYTES_MAX;
        let is_tax = self.tax_rate.is_none_or(|rate| rate <= 1_000);
        is_text && is_tax && (1..=INVOICE_QUANTITY_MAX).contains(&self.quantity)
    }
}

/// The tax of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceTax {
    /// In parts per mille.
    pub rate: u16,
    /// What it is of: the sum of the lines, in minor units.
    pub net: u64,
    /// How much it is, in minor units.
    pub tax: u64,
}

/// What an invoice comes to, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceSums {
    /// All lines without tax.
    pub net: u64,
    /// The taxes, the lowest rate first.
    pub taxes: Vec<InvoiceTax>,
    /// What is to be paid.
    pub total: u64,
}

impl InvoiceSums {
    /// Adds lines up: tax is reckoned once for each rate, on the sum of its lines, and halves are rounded up (EN 16931). `None`: a
    /// line is ill-formed, or it comes to nothing or to too much.
    pub fn of(lines: &[InvoiceLine]) -> Option<InvoiceSums> {
        if lines.len() > INVOICE_LINES_MAX || !lines.iter().all(InvoiceLine::is_well_formed) {
            return None;
        }
        let (mut net, mut by_rate) = (0_u64, BTreeMap::<u16, u64>::new());
        for line in lines {
            let sum = line.net()?;
            net = net.checked_add(sum)?;
            if let Some(rate) = line.tax_rate {
                // No more than `net`, which fits.
                *by_rate.entry(rate).or_default() += sum;
            }
        }
        let tax = |(rate, net): (u16, u64)| {
            let tax = u64::try_from((u128::from(net) * u128::from(rate) + 500) / 1_000).ok()?;
            Some(InvoiceTax { rate, net, tax })
        };
        let taxes = by_rate.into_iter().map(tax).collect::<Option<Vec<_>>>()?;
        let total = taxes.iter().try_fold(net, |sum, one| sum.checked_add(one.tax))?;
        (total > 0).then_some(InvoiceSums { net, taxes, total })
    }
}

/// `POST wallet/invoices`: the answer is an [`InvoiceInfo`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendInvoice {
    /// Made by whoever asks; asking again makes one invoice.
    pub id: RequestId,
    /// The shop whose invoice it is, by its staff; none: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<UserAddress>,
    /// Who is to pay.
    pub to: UserAddress,
    /// In what.
    pub asset: AssetId,
    /// What for: 1 to [`INVOICE_LINES_MAX`].
    pub lines: Vec<InvoiceLine>,
    /// What they come to, as whoever sends it has seen it: another sum is refused.
    pub total: u64,
    /// By when. It can be paid later as well.
    pub due_ms: Millis,
    /// A few words, at most [`crate::limits::INVOICE_NOTE_BYTES_MAX`] bytes.
    #[serde(default)]
    pub note: String,
}

/// Where an invoice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InvoiceState {
    /// It is to be paid.
    Open,
    /// It is to be paid, and its day is over.
    Overdue,
    /// It is paid.
    Paid,
    /// Its issuer has taken it back.
    Cancelled,
    /// The payer's node has sent the money for it to the issuer's, which has not decided.
    Paying,
}

/// How an invoice was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePaid {
    /// By which transfer.
    pub transfer: TransferId,
    /// When.
    pub at_ms: Millis,
    /// What of it went back since, in minor units.
    #[serde(default)]
    pub refunded: u64,
    /// Something else was given for it, at another node: that does not go back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_rate: bool,
}

/// `GET wallet/invoices/ISSUER/ID`: for the one who is to pay, and for those whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceInfo {
    /// Which.
    pub id: RequestId,
    /// Whose: a person, or a shop.
    pub issuer: UserAddress,
    /// How the shop is called, if that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop: Option<ShopName>,
    /// Who is to pay.
    pub to: UserAddress,
    /// Its number: an issuer's are counted from 1, and none is left out.
    pub number: u64,
    /// A creditor reference (ISO 11649) without spaces, for books and banks.
    pub reference: String,
    /// In what.
    pub asset: Asset,
    /// What for.
    pub lines: Vec<InvoiceLine>,
    /// What they come to.
    pub sums: InvoiceSums,
    /// A few words.
    pub note: String,
    /// When it was sent.
    pub made_ms: Millis,
    /// By when it is to be paid.
    pub due_ms: Millis,
    /// Where it stands, by the node's time.
    pub state: InvoiceState,
    /// Who of the staff has sent it; for the staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserAddress>,
    /// How it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<InvoicePaid>,
    /// Why the payer has the last payment of it again: the issuer's node did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
}

impl InvoiceInfo {
    /// Whether it can be paid.
    pub fn is_due(&self) -> bool {
        matches!(self.state, InvoiceState::Open | InvoiceState::Overdue)
    }
}

/// A node signs what its people and shops ask of those of other nodes.
impl Signable for InvoiceInfo {
    const CONTEXT: &'static str = "weft/invoice/1";
    const BYTES_MAX: usize = 16 << 10;
}

/// `GET wallet/invoices?box=received|sent&shop=NAME&of=ISSUER&node=NODE&before=ID`: those sent to the caller, or by them, or by a shop where they work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceList {
    /// The newest first; at most [`crate::limits::PAGE_MAX`].
    pub invoices: Vec<InvoiceInfo>,
    /// Whether there are older ones.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: u64, unit_price: u64, tax_rate: Option<u16>) -> InvoiceLine {
        InvoiceLine { text: "tea".into(), quantity, unit_price, tax_rate }
    }

    #[test]
    fn tax_is_reckoned_once_for_each_rate() {
        // Three lines of 33 at 19 %: 99 makes 18.81, where each alone would make 6.27 and so 18.
        let lines = [line(1_000, 33, Some(190)), line(1_000, 33, Some(190)), line(1_000, 33, Some(190))];
        let sums = InvoiceSums::of(&lines).unwrap();
        assert_eq!((sums.net, sums.total), (99, 118));
        assert_eq!(sums.taxes, [InvoiceTax { rate: 190, net: 99, tax: 19 }]);
        let mixed = [line(1_500, 333, Some(70)), line(1, 500, None), line(2_000, 50, Some(0))];
        let sums = InvoiceSums::of(&mixed).unwrap();
        // 1.5 × 333 is 499.5, and a thousandth of 500 is one half: both round up.
        assert_eq!((sums.net, sums.total), (500 + 1 + 100, 601 + 35));
        assert_eq!(sums.taxes.iter().map(|tax| tax.rate).collect::<Vec<_>>(), [0, 70]);
    }

    #[test]
    fn what_comes_to_nothing_or_too_much_is_no_invoice() {
        let long = InvoiceLine { text: "t".repeat(INVOICE_LINE_BYTES_MAX + 1), ..line(1_000, 1, None) };
        let blank = InvoiceLine { text: " ".into(), ..line(1_000, 1, None) };
        for lines in [
            vec![],
            vec![line(1_000, 0, None)],
            vec![line(0, 5, None)],
            vec![line(INVOICE_QUANTITY_MAX + 1, 5, None)],
            vec![line(1_000, 5, Some(1_001))],
            vec![line(INVOICE_QUANTITY_MAX, u64::MAX, None)],
            vec![line(1_000, u64::MAX, None), line(1_000, 1, None)],
            vec![line(1_000, u64::MAX, Some(1))],
            vec![line(1_000, 1, None); INVOICE_LINES_MAX + 1],
            vec![long],
            vec![blank],
        ] {
            assert_eq!(InvoiceSums::of(&lines), None, "{lines:?}");
        }
        assert_eq!(InvoiceSums::of(&[line(1_000, u64::MAX, None)]).unwrap().total, u64::MAX);
    }
}
