//! How failures look to a user interface.

use crate::api::CallError;
use crate::http::Failure;
use crate::sealing::SealError;
use std::fmt::Display;

/// Why the engine did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The account that is kept here does not open.
    #[error("the kept account does not open")]
    Account,
}

/// A [`CallError`] on its way out. A pointer: what can fail hands its outcome up through many hands, and each copies it.
pub(crate) type Refusal = Box<CallError>;

/// An error of the engine's own.
pub(crate) fn call_error(code: &str, message: impl Display) -> Refusal {
    let (code, message) = (code.into(), message.to_string());
    Box::new(CallError { code, message, field: None, retry_after_ms: None })
}

/// A field is not what it should be.
pub(crate) fn field_error(field: &str, why: impl Display) -> Refusal {
    with_field(field, call_error("bad_input", why))
}

/// About a field.
pub(crate) fn with_field(field: &str, mut error: Refusal) -> Refusal {
    error.field = Some(field.into());
    error
}

/// Something that cannot happen with a node that keeps to the protocol.
pub(crate) fn internal(what: &str) -> Refusal {
    call_error("internal", format_args!("The node's answer makes no sense ({what})."))
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoAnswer => call_error("offline", "The node cannot be reached."),
            Failure::Nonsense(what) => internal(what),
            Failure::Room(error) => call_error("internal", error),
            Failure::Problem(problem) => Box::new(CallError {
                code: problem.code.as_str().into(),
                message: problem.to_string(),
                field: problem.field,
                retry_after_ms: problem.retry_after_ms.map(|wait| wait as f64),
            }),
        }
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        call_error("internal", error)
    }
}
