//! The calls about mandates.

use super::super::MandateCall;
use super::{Said, need};

impl Said {
    /// None: it is about something else.
    pub(super) fn mandate_call(&mut self, call: &str) -> Result<Option<MandateCall>, String> {
        Ok(Some(match call {
            "mandates" => MandateCall::Mandates { shop: self.shop.take(), mandate: self.mandate.take() },
            "mandate" => MandateCall::Mandate { mandate: need(&mut self.mandate, "mandate")? },
            "give_mandate" => MandateCall::GiveMandate {
                id: need(&mut self.id, "id")?,
                user: need(&mut self.user, "user")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                note: need(&mut self.note, "note")?,
                standing: need(&mut self.standing, "standing")?,
                period: need(&mut self.period, "period")?,
                day: need(&mut self.day, "day")?,
                last_day: self.last_day.take(),
                count: self.count.take(),
                zone: need(&mut self.zone, "zone")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "collect_mandate" => MandateCall::CollectMandate {
                mandate: need(&mut self.mandate, "mandate")?,
                number: need(&mut self.number, "number")?,
                amount: need(&mut self.amount, "amount")?,
            },
            "end_mandate" => MandateCall::EndMandate { mandate: need(&mut self.mandate, "mandate")? },
            _ => return Ok(None),
        }))
    }
}
