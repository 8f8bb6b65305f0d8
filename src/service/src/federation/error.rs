//! What can go wrong between nodes.

use crate::{Fault, error::from_below};
use weft_net::{LinkError, PeerKey};
use weft_wire::{Code, NodeName, Problem, federation::NodeRecordError};

/// Everything that can go wrong between nodes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FederationError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// This node speaks with no others.
    #[error("this node speaks with no others")]
    Off,
    /// The other node gives no answer.
    #[error("{node} does not answer")]
    Unreachable {
        /// Which.
        node: NodeName,
        /// Why.
        #[source]
        source: LinkError,
    },
    /// The policy of this node, or its operator, does not want it.
    #[error("{node} is not a node that this one speaks with")]
    NotAllowed {
        /// Which.
        node: NodeName,
    },
    /// Whoever speaks holds another key than the one that is pinned for the name, or than the name's own record says.
    #[error("the key does not belong to {node}")]
    Foreign {
        /// The name.
        node: NodeName,
    },
    /// The other node has pinned another key for this one.
    #[error("{node} knows this node by another key than the one that it has now; its operator decides")]
    KnownOtherwise {
        /// Which.
        node: NodeName,
    },
    /// It was to be named with another key than the known one.
    #[error(
        "{node} is known by another key, {key}. Only if the new one is its own: `weft peer accept-key {node}`"
    )]
    OtherKey {
        /// Which.
        node: NodeName,
        /// The known one.
        key: PeerKey,
    },
    /// It was to be named with the key of another node.
    #[error("the key is that of {other}, and a node has one name")]
    SameKey {
        /// Which is known by that key.
        other: NodeName,
    },
    /// It is shut out, so that nothing else can be decided about it.
    #[error("{node} is shut out: `weft peer reset {node}` first")]
    ShutOut {
        /// Which.
        node: NodeName,
    },
    /// There is no other key to decide about.
    #[error("{node} has shown no other key than the known one: there is nothing to decide")]
    NoNewKey {
        /// Which.
        node: NodeName,
    },
    /// The node that is meant is this one.
    #[error("{node} is this node itself")]
    Itself {
        /// Its name.
        node: NodeName,
    },
    /// What a node says of itself is not valid.
    #[error("the record of {node} is not valid")]
    Record {
        /// Which.
        node: NodeName,
        /// Why.
        #[source]
        source: NodeRecordError,
    },
    /// The other node sent what cannot be read, or does not fit what it was asked.
    #[error("{node} answered something else than it was asked")]
    Nonsense {
        /// Which.
        node: NodeName,
    },
    /// The other node said no.
    #[error("the other node said no: {0}")]
    Refused(Problem),
    /// A person's keys are other ones than those that were first seen.
    #[error("the identity is another one than was first seen")]
    Identity,
    /// No such node, or none that the operator has met.
    #[error("not found")]
    NotFound,
}
from_below!(FederationError);

impl FederationError {
    /// Whether the other node has not said anything of what it was asked: it is away, or it cannot answer now.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            FederationError::Fault(fault) => matches!(fault, Fault::RateLimited { .. }),
            FederationError::Refused(problem) => is_passing(problem.code),
            other => matches!(other, FederationError::Off | FederationError::Unreachable { .. }),
        }
    }
}

/// Whether a node that answers so may answer otherwise if it is asked again, and means nothing by it.
pub(crate) fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::RateLimited
            | Code::StorageUnavailable
            | Code::ShuttingDown
            | Code::Internal
            | Code::NodeUnreachable
    )
}

impl From<FederationError> for Problem {
    fn from(error: FederationError) -> Problem {
        match error {
            FederationError::Fault(fault) => fault.into(),
            FederationError::Off | FederationError::NotFound => Problem::new(Code::NotFound),
            FederationError::Unreachable { node, .. } => Problem::new(Code::NodeUnreachable).detail(node),
            FederationError::NotAllowed { .. } => {
                Problem::new(Code::Forbidden).detail("not between these nodes")
            }
            FederationError::Foreign { .. } => Problem::new(Code::BadSignature).detail("the key of the node"),
            FederationError::KnownOtherwise { .. } => {
                Problem::new(Code::BadSignature).detail("the key of this node")
            }
            FederationError::OtherKey { .. }
            | FederationError::SameKey { .. }
            | FederationError::NoNewKey { .. } => Problem::new(Code::Conflict).detail(error),
            FederationError::ShutOut { .. } => Problem::new(Code::Forbidden).detail(error),
            FederationError::Itself { .. } => Problem::new(Code::InvalidField).field("name").detail(error),
            FederationError::Record { source, .. } => Problem::new(Code::BadCertificate).detail(source),
            FederationError::Nonsense { node } => {
                Problem::new(Code::NodeUnreachable).detail(format_args!("{node} answers nonsense"))
            }
            FederationError::Refused(problem) => of_another_node(problem),
            FederationError::Identity => {
                Problem::new(Code::BadCertificate).detail("other keys than at first")
            }
        }
    }
}

/// What another node says no with, as it is told to people here: about what was asked, and never about their own account, session
/// or device. Those are this node's to judge.
fn of_another_node(problem: Problem) -> Problem {
    let about_the_question = matches!(
        problem.code,
        Code::Malformed
            | Code::InvalidField
            | Code::TooLarge
            | Code::TooMany
            | Code::Forbidden
            | Code::NoConsent
            | Code::NotFound
            | Code::BadSignature
            | Code::BadCertificate
            | Code::BadMls
            | Code::StaleEpoch
            | Code::IdConflict
            | Code::Conflict
            | Code::InviteInvalid
            | Code::CursorLost
            | Code::Expired
            | Code::PacketEmpty
            | Code::PacketOver
            | Code::NoLink
            | Code::LinkFrozen
            | Code::LinkLimit
            | Code::PaymentRefused
            | Code::RateLimited
            | Code::NodeUnreachable
    );
    if about_the_question { problem } else { Problem::new(Code::NodeUnreachable).detail("it cannot now") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_node_cannot_sign_anybody_out_here() {
        for code in [Code::DeviceRevoked, Code::Unauthenticated, Code::WrongCredentials, Code::ShuttingDown] {
            let told = Problem::from(FederationError::Refused(Problem::new(code)));
            assert_eq!(told.code, Code::NodeUnreachable, "{code:?}");
        }
        let told = Problem::from(FederationError::Refused(Problem::new(Code::StaleEpoch).current(4)));
        assert_eq!((told.code, told.current), (Code::StaleEpoch, Some(4)));
    }
}
