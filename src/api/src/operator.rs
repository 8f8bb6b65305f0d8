//! What the API asks of whoever runs the network: it stands above this crate.

use futures::future::BoxFuture;
use weft_wire::{
    NodeName, Problem,
    admin::{PeerList, PeerWish},
};

/// What the owner may read and decide about other nodes. The running node implements it.
pub trait Operator: Send + Sync + 'static {
    /// A page of the nodes that this one has met, by name.
    fn peers(&self, after: Option<NodeName>) -> BoxFuture<'_, Result<PeerList, Problem>>;

    /// Decides about one.
    fn judge(&self, name: NodeName, wish: PeerWish) -> BoxFuture<'_, Result<(), Problem>>;
}
