//! Reading a call about receipts.

use super::{Said, need};
use crate::api::ReceiptCall;

impl Said {
    pub(super) fn receipt_call(&mut self, call: &str) -> Result<ReceiptCall, String> {
        Ok(match call {
            "receipt" => ReceiptCall::Receipt { id: need(&mut self.id, "id")? },
            "accept_node_key" => ReceiptCall::AcceptNodeKey { print: need(&mut self.print, "print")? },
            _ => ReceiptCall::NodeKey,
        })
    }
}
