//! Who waits at this moment for what becomes of a message that went to its hub.

use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::oneshot;
use weft_wire::{DeviceId, MessageId, RoomId, federation::EventResult};

/// Which message: ids are the sender's own.
pub(super) type Which = (RoomId, DeviceId, MessageId);

/// Waiters that are kept before those who have given up are dropped.
const WAITERS_KEPT: usize = 1_024;

/// Waiters by message. Whoever is not told in time asks again: what became of it is on the hub's disk.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<HashMap<Which, Vec<oneshot::Sender<EventResult>>>>>);

impl Waiting {
    pub fn wait_for(&self, which: Which) -> oneshot::Receiver<EventResult> {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.0.lock();
        if waiters.len() >= WAITERS_KEPT {
            waiters.retain(|_, senders| senders.iter().any(|sender| !sender.is_closed()));
        }
        let senders = waiters.entry(which).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    pub fn tell(&self, which: Which, result: &EventResult) {
        for sender in self.0.lock().remove(&which).unwrap_or_default() {
            // Gave up meanwhile.
            let _ = sender.send(result.clone());
        }
    }
}
