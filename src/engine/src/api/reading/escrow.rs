//! The calls about escrow.

use super::super::EscrowCall;
use super::{Said, need};

impl Said {
    /// None: it is about something else.
    pub(super) fn escrow_call(&mut self, call: &str) -> Result<Option<EscrowCall>, String> {
        Ok(Some(match call {
            "escrows" => EscrowCall::Escrows { shop: self.shop.take(), escrow: self.escrow.take() },
            "escrow" => EscrowCall::Escrow { escrow: need(&mut self.escrow, "escrow")? },
            "fund_escrow" => EscrowCall::FundEscrow {
                id: need(&mut self.id, "id")?,
                user: need(&mut self.user, "user")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                note: need(&mut self.note, "note")?,
                due_ms: need(&mut self.due_ms, "due_ms")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "settle_escrow" => EscrowCall::SettleEscrow {
                id: need(&mut self.id, "id")?,
                escrow: need(&mut self.escrow, "escrow")?,
                amount: need(&mut self.amount, "amount")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "refund_escrow" => EscrowCall::RefundEscrow {
                id: need(&mut self.id, "id")?,
                escrow: need(&mut self.escrow, "escrow")?,
                amount: need(&mut self.amount, "amount")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "accept_escrow" => EscrowCall::AcceptEscrow {
                escrow: need(&mut self.escrow, "escrow")?,
                amount: need(&mut self.amount, "amount")?,
            },
            _ => return Ok(None),
        }))
    }
}
