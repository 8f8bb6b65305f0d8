//! Reading a call about the passkey.

use super::{Said, need};
use crate::api::PasskeyCall;

impl Said {
    pub(super) fn passkey_call(&mut self, call: &str) -> Result<PasskeyCall, String> {
        Ok(match call {
            "passkey" => PasskeyCall::Passkey,
            "set_passkey" => PasskeyCall::SetPasskey {
                id: need(&mut self.id, "id")?,
                salt: need(&mut self.salt, "salt")?,
                secret: need(&mut self.secret, "secret")?,
                pin: need(&mut self.pin, "pin")?,
            },
            _ => PasskeyCall::ForgetPasskey,
        })
    }
}
