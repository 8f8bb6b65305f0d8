//! Reading a call about links with other nodes.

use super::{Said, need};
use crate::api::LinkCall;

impl Said {
    pub(super) fn link_call(&mut self, call: &str) -> Result<Option<LinkCall>, String> {
        if !["settlements", "settle", "decide_settlement", "link_terms", "link_statement"].contains(&call) {
            return Ok(None);
        }
        let name = need(&mut self.name, "name")?;
        Ok(Some(match call {
            "settlements" => LinkCall::Settlements { name },
            "settle" => LinkCall::Settle {
                id: need(&mut self.id, "id")?,
                name,
                code: need(&mut self.code, "code")?,
                amount: need(&mut self.amount, "amount")?,
                against: self.against.take(),
                note: need(&mut self.note, "note")?,
            },
            "decide_settlement" => LinkCall::DecideSettlement {
                id: need(&mut self.id, "id")?,
                name,
                accept: need(&mut self.accept, "accept")?,
                amount: self.amount.take().unwrap_or_default(),
            },
            "link_terms" => LinkCall::LinkTerms {
                name,
                act: need(&mut self.act, "act")?,
                rows: need(&mut self.rows, "rows")?,
            },
            _ => LinkCall::LinkStatement {
                name,
                from_ms: need(&mut self.from_ms, "from_ms")?,
                until_ms: need(&mut self.until_ms, "until_ms")?,
            },
        }))
    }
}
