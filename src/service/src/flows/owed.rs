//! The answer to somebody on another node and the end of a contact have to arrive, however long that node is away: else the two
//! of them see one another differently for ever. What has waited for as long as anything waits goes on to wait, once for each
//! two people and kind of step, until it arrives, is no longer so, or the operator wants nothing to do with that node.

use super::Flows;
use crate::{Fault, contacts::Stand, context::joined, federation::FederationError, outgoing::Outgoing};
use weft_store::{Tx, tables};
use weft_wire::{
    NodeName, UserAddress,
    federation::{ContactStep, Event},
};

impl Flows {
    /// A step has waited for too long; `again`: not for the first time. Steps that came later wait behind it, so that only what
    /// is so still is said again.
    pub(super) async fn owe(&self, tx: &Tx, to: &NodeName, event: &Event, again: bool) -> Result<(), Fault> {
        let (Some(key), Event::Contact { from, to: name, step, .. }) = (owed_key(to, event), event) else {
            return Ok(());
        };
        let them = UserAddress::new(name.clone(), to.clone());
        let stand = self.contacts.stand_to(&from.name, &them).await?;
        let is_so = match step {
            ContactStep::Ask { .. } => false,
            // Who was blocked since does not notice.
            ContactStep::Accept { .. } => matches!(stand, Some(Stand::Accepted | Stand::Blocked)),
            ContactStep::Remove => !matches!(stand, Some(Stand::Accepted | Stand::Outgoing)),
        };
        if !is_so || self.shuts_out(to).await? {
            if again {
                tx.delete(tables::OUTBOX_OWED, key);
            }
            return Ok(());
        }
        if !again && tx.get(tables::OUTBOX_OWED, &key).await?.is_some() {
            // It waits already.
            return Ok(());
        }
        tx.put(tables::OUTBOX_OWED, key, Vec::new());
        self.stage_again(tx, to, Outgoing::Owed(Box::new(event.clone()))).await
    }

    /// It has arrived.
    pub(super) fn no_longer_owed(tx: &Tx, to: &NodeName, event: &Event) {
        if let Some(key) = owed_key(to, event) {
            tx.delete(tables::OUTBOX_OWED, key);
        }
    }

    pub(super) async fn shuts_out(&self, node: &NodeName) -> Result<bool, Fault> {
        match self.nodes.peers.show(node).await {
            Ok(peer) => Ok(peer.is_some_and(|peer| peer.blocked)),
            Err(FederationError::Fault(fault)) => Err(fault),
            Err(_) => Ok(false),
        }
    }
}

/// Node, 0x00, who, 0x00, to whom, 0x00, kind.
fn owed_key(to: &NodeName, event: &Event) -> Option<Vec<u8>> {
    let Event::Contact { from, to: name, step, .. } = event else { return None };
    let kind = match step {
        ContactStep::Ask { .. } => return None,
        ContactStep::Accept { .. } => "accept",
        ContactStep::Remove => "remove",
    };
    Some(joined(to.as_str(), joined(from.name.as_str(), joined(name.as_str(), kind))))
}
