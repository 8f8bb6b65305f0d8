//! What accounts can answer instead.

use crate::{Fault, error::from_below};
use weft_wire::{Code, Problem, identity::IdentityError};

/// Everything that can go wrong with accounts, devices and sessions.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The name belongs to somebody.
    #[error("the name is taken")]
    NameTaken,
    /// The node takes no new members.
    #[error("sign-up is closed")]
    SignupClosed,
    /// The name or the password is wrong.
    #[error("wrong name or password")]
    WrongCredentials,
    /// The recovery proof does not fit the account.
    #[error("wrong recovery phrase")]
    WrongRecovery,
    /// A ticket, state or challenge that is too old, was used, or is not this node's.
    #[error("the ticket is too old or was used")]
    Expired,
    /// The clock of the device is too far from the node's.
    #[error("the clocks differ too much; the node's says {now_ms}")]
    ClockSkew {
        /// The node's time.
        now_ms: u64,
    },
    /// An OPAQUE message that is none.
    #[error("not an OPAQUE message")]
    Opaque,
    /// The public keys of the account are not what they should be.
    #[error("the identity is not valid")]
    Identity(#[source] IdentityError),
    /// The certificate of the device is not for this account, not for this key, over, or of a device that was signed out.
    #[error("the device certificate is not valid")]
    Certificate(#[source] Option<IdentityError>),
    /// A signature by the device is not valid.
    #[error("a signature is not valid")]
    Signature,
    /// No session, or one that ended.
    #[error("no such session")]
    Unauthenticated,
    /// The device was signed out.
    #[error("the device was signed out")]
    DeviceRevoked,
    /// No such account or device, or none that the caller may see.
    #[error("not found")]
    NotFound,
    /// Only the owner may.
    #[error("not allowed")]
    Forbidden,
}
from_below!(AccountError);

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Problem {
        match error {
            AccountError::Fault(fault) => fault.into(),
            AccountError::NameTaken => Problem::new(Code::NameTaken).field("name"),
            AccountError::SignupClosed => Problem::new(Code::SignupClosed),
            AccountError::WrongCredentials => Problem::new(Code::WrongCredentials),
            AccountError::WrongRecovery => Problem::new(Code::WrongRecovery),
            AccountError::Expired => Problem::new(Code::Expired),
            AccountError::ClockSkew { now_ms } => {
                Problem::new(Code::Expired).detail("the clock of this device is wrong").current(now_ms)
            }
            AccountError::Opaque => Problem::new(Code::Malformed).detail("not an OPAQUE message"),
            AccountError::Identity(cause) => Problem::new(Code::BadSignature).field("identity").detail(cause),
            AccountError::Certificate(Some(cause)) => {
                Problem::new(Code::BadCertificate).field("device").detail(cause)
            }
            AccountError::Certificate(None) => Problem::new(Code::BadCertificate).field("device"),
            AccountError::Signature => Problem::new(Code::BadSignature),
            AccountError::Unauthenticated => Problem::new(Code::Unauthenticated),
            AccountError::DeviceRevoked => Problem::new(Code::DeviceRevoked),
            AccountError::NotFound => Problem::new(Code::NotFound),
            AccountError::Forbidden => Problem::new(Code::Forbidden),
        }
    }
}
