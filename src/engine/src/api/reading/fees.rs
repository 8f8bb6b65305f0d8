//! Reading a call about fees.

use super::{Said, need};
use crate::api::FeeCall;

impl Said {
    /// `None`: it is about something else.
    pub(super) fn fee_call(&mut self, call: &str) -> Result<Option<FeeCall>, String> {
        if !matches!(call, "fee" | "set_fee" | "fees_earned" | "take_fees") {
            return Ok(None);
        }
        let asset = need(&mut self.asset, "asset")?;
        Ok(Some(match call {
            "fees_earned" => FeeCall::FeesEarned { asset },
            "set_fee" => {
                let (kind, fee) = (need(&mut self.kind, "kind")?, need(&mut self.fee, "fee")?);
                let fee = fee.try_into().map_err(|_| "fee: four numbers".to_owned())?;
                FeeCall::SetFee { kind, asset, fee }
            }
            _ => {
                let amount = need(&mut self.amount, "amount")?;
                if call == "fee" {
                    FeeCall::Fee { kind: need(&mut self.kind, "kind")?, asset, amount }
                } else {
                    let (id, user) = (need(&mut self.id, "id")?, need(&mut self.user, "user")?);
                    FeeCall::TakeFees { id, user, asset, amount }
                }
            }
        }))
    }
}
