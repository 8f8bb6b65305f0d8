//! What keeps the network from starting.

use crate::{AddressError, KeyError};

/// Why the network did not start. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// The node's key is unusable.
    #[error("the node's key cannot be used")]
    Key(#[from] KeyError),
    /// An address in the configuration is wrong.
    #[error("`{field}`: the address {text:?} cannot be used")]
    Address {
        /// Where it stands: the name of a field of [`crate::NetConfig`].
        field: &'static str,
        /// As configured.
        text: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// An address cannot be listened on: in use, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A part of the network could not be set up: name resolution, encryption, discovery.
    #[error("the network cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl NetError {
    pub(crate) fn setup(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        NetError::Setup(Box::new(error))
    }
}
