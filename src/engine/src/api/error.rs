//! What is answered to a call that was not done.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a call was not done, in a form that the interface can translate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallError {
    /// A code of [`weft_wire::Code`] as the node told it, or one of the engine's own: `offline`, `timeout`, `not_signed_in`,
    /// `already_signed_in`, `bad_input`, `weak_password`, `wrong_phrase`, `bad_link`, `own_link`, `unknown_contact`,
    /// `unknown_chat`, `not_in_group`, `not_allowed` (it takes a higher role), `last_owner`,
    /// `no_device` (somebody who was to be added has no device that could be added now; the others are in), `key_changed`,
    /// `no_pin` (this device has no payment PIN), `wrong_pin`, `pin_locked` (after wrong ones; `retry_after_ms`), `wrong_passkey`, `payment_unsure`, `already_paid` (what was asked for),
    /// `state_damaged`, `password_unsure` (the answer to the last step of a change was lost: either password may hold).
    pub code: String,
    /// One English sentence, for logs and for codes that have no translation.
    pub message: String,
    /// The field that is meant.
    pub field: Option<String>,
    /// When to try again.
    pub retry_after_ms: Option<f64>,
}
