//! Reading a call about cash agents.

use super::{Said, need};
use crate::api::AgentCall;

impl Said {
    /// `None`: it is about something else.
    pub(super) fn agent_call(&mut self, call: &str) -> Result<Option<AgentCall>, String> {
        let call = match call {
            "agents" => return Ok(Some(AgentCall::Agents)),
            "agent_desk" => return Ok(Some(AgentCall::AgentDesk)),
            "cash_in" | "cash_out" | "set_agent" | "settle_agent" => call,
            _ => return Ok(None),
        };
        let user = need(&mut self.user, "user")?;
        let asset = need(&mut self.asset, "asset")?;
        let amount = need(&mut self.amount, "amount")?;
        if call == "set_agent" {
            let (frozen, on) = (need(&mut self.frozen, "frozen")?, need(&mut self.on, "on")?);
            return Ok(Some(AgentCall::SetAgent { user, asset, amount, frozen, on }));
        }
        let id = need(&mut self.id, "id")?;
        if call == "settle_agent" {
            let sent = need(&mut self.sent, "sent")?;
            return Ok(Some(AgentCall::SettleAgent { id, user, asset, amount, sent }));
        }
        let pin = need(&mut self.pin, "pin")?;
        Ok(Some(match call {
            "cash_in" => AgentCall::CashIn { id, user, asset, amount, pin },
            _ => AgentCall::CashOut { id, user, asset, amount, pin },
        }))
    }
}
