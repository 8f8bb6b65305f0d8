//! The calls about invoices.

use super::super::BillCall;
use super::{Said, need};

impl Said {
    /// None: it is about something else.
    pub(super) fn bill_call(&mut self, call: &str) -> Result<Option<BillCall>, String> {
        if call == "invoices" {
            let sent = self.sent.take().unwrap_or_default();
            let (shop, user, invoice) = (self.shop.take(), self.user.take(), self.invoice.take());
            return Ok(Some(BillCall::Invoices { sent, shop, user, invoice }));
        }
        if !call.ends_with("invoice") {
            return Ok(None);
        }
        let user = need(&mut self.user, "user")?;
        if call == "send_invoice" {
            return Ok(Some(BillCall::SendInvoice {
                id: need(&mut self.id, "id")?,
                shop: self.shop.take(),
                user,
                asset: need(&mut self.asset, "asset")?,
                lines: need(&mut self.lines, "lines")?,
                total: need(&mut self.total, "total")?,
                due_ms: need(&mut self.due_ms, "due_ms")?,
                note: need(&mut self.note, "note")?,
            }));
        }
        let invoice = need(&mut self.invoice, "invoice")?;
        Ok(Some(match call {
            "invoice" => BillCall::Invoice { user, invoice },
            "tell_invoice" => BillCall::TellInvoice { user, invoice },
            "cancel_invoice" => BillCall::CancelInvoice { user, invoice },
            "pay_invoice" => BillCall::PayInvoice {
                id: need(&mut self.id, "id")?,
                user,
                invoice,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                exchange: self.exchange.take(),
                pin: need(&mut self.pin, "pin")?,
            },
            "refund_invoice" => BillCall::RefundInvoice {
                id: need(&mut self.id, "id")?,
                user,
                invoice,
                amount: need(&mut self.amount, "amount")?,
                pin: need(&mut self.pin, "pin")?,
            },
            _ => return Ok(None),
        }))
    }
}
