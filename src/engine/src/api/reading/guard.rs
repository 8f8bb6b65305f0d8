//! Reading a call about dual control.

use super::{Said, need};
use crate::api::GuardCall;

impl Said {
    /// `None`: it is about something else.
    pub(super) fn guard_call(&mut self, call: &str) -> Result<Option<GuardCall>, String> {
        Ok(Some(match call {
            "guard" => GuardCall::Guard,
            "set_threshold" => GuardCall::SetThreshold {
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
            },
            "change_approver" => GuardCall::ChangeApprover {
                user: need(&mut self.user, "user")?,
                on: need(&mut self.on, "on")?,
            },
            "withdraw_proposal" => GuardCall::WithdrawProposal { id: need(&mut self.id, "id")? },
            "decide_proposal" => GuardCall::DecideProposal {
                id: need(&mut self.id, "id")?,
                print: need(&mut self.print, "print")?,
                accept: need(&mut self.accept, "accept")?,
                pin: need(&mut self.pin, "pin")?,
            },
            _ => return Ok(self.fee_call(call)?.map(GuardCall::Fee)),
        }))
    }
}
