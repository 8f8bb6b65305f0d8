//! What stands beside the logs of rooms across nodes: sealed items such as read cursors, how far people have received, and what
//! is never stored. A follower tells the hub; the hub tells the other followers.

use super::{Flows, Result};
use crate::{
    federation::FederationError,
    outgoing::{self, Outgoing},
    rooms::{Room, RoomError},
};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Semaphore;
use weft_store::{Batch, Tx};
use weft_wire::{
    Blob, NodeName, RoomId, UserAddress,
    federation::{Answer, Event, EventResult, Question},
    limits::EPHEMERAL_BYTES_MAX,
    rooms::DeviceRef,
    sync::ServerFrame,
};

/// Ephemeral events that are on their way to other nodes at one time. More are dropped: the next one makes up for it.
const ON_THEIR_WAY_MAX: usize = 128;

/// Places for ephemeral events on their way.
#[derive(Clone)]
pub(super) struct Fleeting(Arc<Semaphore>);

impl Default for Fleeting {
    fn default() -> Self {
        Fleeting(Arc::new(Semaphore::new(ON_THEIR_WAY_MAX)))
    }
}

impl Flows {
    /// An item of a room has changed on another node.
    pub(super) async fn take_item(
        &self,
        tx: &Tx,
        from: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>> {
        let Event::Item { room, item } = event else { return Err(RoomError::Mismatch("event").into()) };
        let loaded = self.rooms.load(*room).await?;
        self.check_source(&loaded, from, &item.user)?;
        if self.rooms.stage_item(tx, &loaded, item).await? {
            self.pass_on(tx, &loaded, from, event).await?;
        }
        Ok(None)
    }

    /// Somebody on another node has received a room's log up to a number.
    pub(super) async fn take_delivered(
        &self,
        tx: &Tx,
        from: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>> {
        let Event::Delivered { room, user, seq, missed } = event else {
            return Err(RoomError::Mismatch("event").into());
        };
        let loaded = self.rooms.load(*room).await?;
        self.check_source(&loaded, from, user)?;
        if self.rooms.stage_delivered(tx, &loaded, user, *seq, missed).await? {
            self.pass_on(tx, &loaded, from, event).await?;
        }
        Ok(None)
    }

    /// Typing and the like, from another node.
    pub(super) async fn answer_ephemeral(
        &self,
        from: &NodeName,
        room: RoomId,
        by: DeviceRef,
        sealed: Blob,
    ) -> Result<Answer> {
        crate::error::within("sealed", sealed.len(), EPHEMERAL_BYTES_MAX)?;
        let loaded = self.rooms.load(room).await?;
        self.check_source(&loaded, from, &by.user)?;
        if !loaded.has_device(&by.user, by.device) {
            return Err(RoomError::Forbidden("this device is not in the room's group").into());
        }
        let DeviceRef { user, device } = by.clone();
        self.fanout.tell_all(room, &ServerFrame::Ephemeral { room, user, device, sealed: sealed.clone() });
        self.send_on(&loaded, Some(from), by, sealed);
        Ok(Answer::Passed)
    }

    /// Carries what is never stored to the nodes that have to hear it, if they are there. Nobody waits for it.
    pub(crate) fn send_on(&self, room: &Room, from: Option<&NodeName>, by: DeviceRef, sealed: Blob) {
        for node in self.nodes_beside(room, from) {
            if !self.nodes.is_there(&node) {
                continue;
            }
            let Ok(place) = self.fleeting.0.clone().try_acquire_owned() else { return };
            let nodes = self.nodes.clone();
            let question = Question::Ephemeral {
                from: self.ctx.node.clone(),
                room: room.id,
                by: by.clone(),
                sealed: sealed.clone(),
            };
            tokio::spawn(async move {
                let _place = place;
                if let Err(error) = nodes.ask(&node, &question).await {
                    tracing::debug!(%node, %error, "something fleeting did not arrive");
                }
            });
        }
    }

    /// The other nodes that hear of what happens in a room from this one: of all, if it is the hub; the hub, if not.
    fn nodes_beside(&self, room: &Room, from: Option<&NodeName>) -> BTreeSet<NodeName> {
        let mut nodes = room.beside(&self.ctx.node);
        if let Some(from) = from {
            nodes.remove(from);
            if room.record.hub.elsewhere().is_some() {
                // It came from the hub, which tells the others itself.
                nodes.clear();
            }
        }
        nodes
    }

    async fn pass_on(&self, tx: &Tx, room: &Room, from: &NodeName, event: &Event) -> Result<()> {
        for node in self.nodes_beside(room, Some(from)) {
            let item = Outgoing::Event(Box::new(event.clone()));
            tx.merge(outgoing::stage_if_room(&self.ctx, Batch::new(), &node, item).await?);
        }
        Ok(())
    }

    /// A hub hears from each node of its own people; a follower hears all that is not of its own people from the hub.
    fn check_source(&self, room: &Room, from: &NodeName, user: &UserAddress) -> Result<()> {
        let right = match room.record.hub.elsewhere() {
            Some(hub) => hub == from && !self.ctx.is_local(user),
            None => user.node == *from,
        };
        if !right {
            return Err(FederationError::Foreign { node: user.node.clone() }.into());
        }
        if room.member(user).is_none() || room.has_left(user) {
            Err(RoomError::NotFound.into())
        } else {
            Ok(())
        }
    }
}
