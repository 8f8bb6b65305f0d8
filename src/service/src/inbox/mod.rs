//! What is addressed to a device outside any room: in order, bounded, deleted when it is acknowledged.

use crate::context::Ctx;
use std::sync::Arc;

/// Inboxes of devices. They are written by flows and read by sockets only.
#[derive(Clone)]
pub(crate) struct Inbox {
    ctx: Arc<Ctx>,
}

impl Inbox {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        Inbox { ctx }
    }
}
