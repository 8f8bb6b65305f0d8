//! Reading a call about banks.

use super::{Said, need};
use crate::api::TopUpCall;

impl Said {
    /// `None`: it is about something else.
    pub(super) fn top_up_call(&mut self, call: &str) -> Result<Option<TopUpCall>, String> {
        Ok(Some(match call {
            "top_ups" => TopUpCall::TopUps,
            "withdraw" => TopUpCall::Withdraw {
                id: need(&mut self.id, "id")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                name: need(&mut self.name, "name")?,
                account: need(&mut self.account, "account")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "withdrawals" => TopUpCall::Withdrawals,
            "take_back_withdrawal" => TopUpCall::TakeBackWithdrawal { id: need(&mut self.id, "id")? },
            "bank_accounts" => TopUpCall::BankAccounts,
            "set_bank_account" => TopUpCall::SetBankAccount {
                asset: need(&mut self.asset, "asset")?,
                name: need(&mut self.name, "name")?,
                account: need(&mut self.account, "account")?,
                note: need(&mut self.note, "note")?,
            },
            "import_bank" => TopUpCall::ImportBank { text: need(&mut self.text, "text")? },
            "bank_lines" => TopUpCall::BankLines { id: self.id.take() },
            "decide_line" => TopUpCall::DecideLine {
                id: need(&mut self.id, "id")?,
                act: need(&mut self.act, "act")?,
                user: self.user.take(),
            },
            "withdrawals_waiting" => TopUpCall::WithdrawalsWaiting { id: self.id.take() },
            "begin_withdrawal" => TopUpCall::BeginWithdrawal { id: need(&mut self.id, "id")? },
            "decide_withdrawal" => TopUpCall::DecideWithdrawal {
                id: need(&mut self.id, "id")?,
                accept: need(&mut self.accept, "accept")?,
            },
            "node_links" => TopUpCall::NodeLinks,
            _ => return Ok(None),
        }))
    }
}
