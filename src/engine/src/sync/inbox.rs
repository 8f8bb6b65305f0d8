//! The inbox: what is addressed to this device outside any room, one after the other.

use crate::account::{self, devices};
use crate::contacts::incoming::{News, take};
use crate::runtime::{Cx, State};
use weft_wire::sync::{InboxEntry, InboxItem};

/// Items came.
pub(crate) fn came(cx: &Cx, items: Vec<InboxEntry>) {
    let start = cx.with(|s| {
        s.live.inbox.extend(items);
        !s.live.inbox.is_empty() && !std::mem::replace(&mut s.live.inbox_busy, true)
    });
    if start {
        let task = work(cx.clone());
        cx.spawn(task);
    }
}

async fn work(cx: Cx) {
    loop {
        let Some(entry) = cx.with(|s| {
            let done = account::sync_state(s).inbox_after;
            // After a reconnect the node sends again what it does not know to be processed.
            while s.live.inbox.front().is_some_and(|entry| entry.seq <= done) {
                s.live.inbox.pop_front();
            }
            let entry = s.live.inbox.pop_front();
            s.live.inbox_busy = entry.is_some();
            entry
        }) else {
            return;
        };
        cx.with(|s| {
            process(s, &entry);
            let mut state = account::sync_state(s);
            state.inbox_after = state.inbox_after.max(entry.seq);
            account::set_sync_state(s, &state);
            s.connection.ack_inbox(entry.seq);
        });
    }
}

fn process(s: &mut State, entry: &InboxEntry) {
    match &entry.item {
        InboxItem::Contact { user, state, identity, sealed } => {
            let news =
                News { user, state: *state, identity, sealed: sealed.as_ref(), since_ms: entry.time_ms };
            take(s, &news);
        }
        InboxItem::DeviceAdded { cert } => devices::added(s, cert),
        InboxItem::DeviceRemoved { .. } => {}
        InboxItem::Welcome { .. } | InboxItem::RoomFolded { .. } => {}
    }
}
