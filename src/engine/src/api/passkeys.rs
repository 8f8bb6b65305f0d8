//! What is asked and told about a passkey: a WebAuthn credential whose PRF opens the order key beside the PIN. What the browser makes is
//! written in base64url without padding, as WebAuthn writes it.
//!
//! Where a call asks for the payment PIN, `prf:` with what the PRF of the passkey gives does as well.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about the passkey. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum PasskeyCall {
    /// The one that opens the order key; none: the PIN alone does. → [`PasskeyReply::Passkey`]
    Passkey,
    /// Lets one open it, in place of the one before. `wrong_pin`, `pin_locked`, `no_pin` as a payment. → [`super::Reply::Done`]
    SetPasskey {
        /// Id of the credential, at most 1,023 bytes.
        id: String,
        /// What its PRF is asked for, 32 bytes.
        salt: String,
        /// What its PRF gives for that, 32 bytes. It is not kept.
        secret: String,
        /// The payment PIN, and nothing in its place.
        pin: String,
    },
    /// None opens it from now on. → [`super::Reply::Done`]
    ForgetPasskey,
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum PasskeyReply {
    /// As it is kept.
    Passkey(Option<PasskeyView>),
}

/// What the browser has to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PasskeyView {
    /// Id of the credential.
    pub id: String,
    /// What its PRF is asked for.
    pub salt: String,
}
