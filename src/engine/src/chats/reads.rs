//! What was read, and by whom. Read state travels as a room item, never as a log entry.

use super::timeline::{self, FollowUp, PAGE_MAX, read_row, row_key};
use super::{Chat, ChatId, Progress, find, members, of_room, save, save_quietly, share};
use crate::error::{Refusal, call_error};
use crate::jobs::Job;
use crate::runtime::{Cx, State};
use weft_wire::{Millis, RoomId, UserAddress, limits};

/// Read cursors go out so seldom: scrolling through a chat is many of them.
const PUT_READ_MS: Millis = 800;

/// The person has seen everything up to this order.
pub(crate) async fn mark_read(cx: &Cx, id: ChatId, order: f64) -> Result<(), Refusal> {
    let unknown = || call_error("unknown_chat", "There is no such chat.");
    let chat = cx.with(|s| find(s, id)).ok_or_else(unknown)?;
    // NaN, negative and huge numbers end at the bounds.
    let order = (order.clamp(0.0, chat.next_order as f64) as u64).min(chat.next_order - 1);
    if order <= chat.read_order {
        return Ok(());
    }
    let Some(row) = timeline::at_or_below(cx, id, order).await else { return Ok(()) };
    let newest = newest_place(cx, id, &row).await;
    cx.with(|s| {
        let Some(mut chat) = find(s, id) else { return };
        if let Some((room, seq)) = newest {
            let progress = chat.progress(room);
            if seq > progress.own_read {
                progress.own_read = seq;
                let at = s.now + PUT_READ_MS;
                s.jobs.want_at(Job::PutRead(room), at);
            }
        }
        move_to(&mut chat, row.order, row.others);
        save(s, &chat);
        share(s, &chat);
    });
    Ok(())
}

/// Where the newest row up to this one stands in a log. Lines that this device made up stand nowhere.
async fn newest_place(cx: &Cx, id: ChatId, row: &timeline::Row) -> Option<(RoomId, u64)> {
    if row.place.is_some() {
        return row.place;
    }
    let found = cx.read_history(row_key(id, 0), row_key(id, row.order), PAGE_MAX, true).await;
    found.iter().filter_map(read_row).find_map(|row| row.place)
}

fn move_to(chat: &mut Chat, order: u64, others: u64) {
    chat.read_order = chat.read_order.max(order);
    chat.read_others = chat.read_others.max(others);
}

/// Another device of this account has read up to this log number.
pub(crate) async fn own_read(cx: &Cx, id: ChatId, room: RoomId, seq: u64) {
    let Some(chat) = cx.with(|s| {
        let mut chat = find(s, id)?;
        let progress = chat.progress(room);
        if seq <= progress.own_read {
            return None;
        }
        progress.own_read = seq;
        progress.own_read_told = progress.own_read_told.max(seq);
        save_quietly(s, &chat);
        Some(chat)
    }) else {
        return;
    };
    let mut to = row_key(id, chat.next_order);
    loop {
        let found = cx.read_history(row_key(id, 0), to, PAGE_MAX, true).await;
        let row = found
            .iter()
            .filter_map(read_row)
            .find(|row| row.place.is_some_and(|(of, at)| of == room && at <= seq));
        if let Some(row) = row {
            return cx.with(|s| {
                let Some(mut chat) = find(s, id) else { return };
                if row.order > chat.read_order {
                    move_to(&mut chat, row.order, row.others);
                    save(s, &chat);
                }
            });
        }
        match found.last() {
            Some((key, _)) if found.len() == PAGE_MAX => to = key.clone(),
            _ => return,
        }
    }
}

/// A person's devices have come this far, but for what they missed.
pub(crate) fn peer_has(
    s: &mut State,
    room: RoomId,
    user: &UserAddress,
    delivered: u64,
    missed: &[(u64, u64)],
) {
    let Some(chat) = of_room(s, room).filter(|chat| chat.group.is_some()) else {
        return all_have(s, room, delivered, missed);
    };
    members::moved(s, &chat, user, |far| {
        far.delivered = far.delivered.max(delivered);
        far.missed = missed.iter().copied().take(limits::DELIVERED_GAPS_MAX).collect();
    });
}

/// A person has read up to here.
pub(crate) fn peer_read(s: &mut State, room: RoomId, user: &UserAddress, read: u64) {
    let Some(chat) = of_room(s, room).filter(|chat| chat.group.is_some()) else {
        return all_read(s, room, read);
    };
    members::moved(s, &chat, user, |far| {
        far.read = far.read.max(read);
        far.delivered = far.delivered.max(read);
    });
}

/// People came to a group, or went.
pub(crate) fn members_changed(s: &mut State, room: RoomId) {
    members::changed(s, room);
}

/// The other side's devices have come this far; in a group: those of all others.
pub(super) fn all_have(s: &mut State, room: RoomId, delivered: u64, missed: &[(u64, u64)]) {
    peer_moved(s, room, |progress| {
        progress.delivered = progress.delivered.max(delivered);
        // As the node says it now: a device that comes back has what was missing.
        progress.missed = missed.iter().copied().take(limits::DELIVERED_GAPS_MAX).collect();
    });
}

/// The other side has read up to here; in a group: all others.
pub(super) fn all_read(s: &mut State, room: RoomId, read: u64) {
    peer_moved(s, room, |progress| {
        progress.read = progress.read.max(read);
        // Whoever has read it has got it.
        progress.delivered = progress.delivered.max(read);
    });
}

fn peer_moved(s: &mut State, room: RoomId, change: impl FnOnce(&mut Progress)) {
    let Some(mut chat) = of_room(s, room) else { return };
    let progress = chat.progress(room);
    let before = progress.clone();
    change(progress);
    if *progress == before {
        return;
    }
    let upto = progress.delivered.max(progress.read);
    let mut after = if progress.read > before.read { before.read } else { before.delivered };
    if progress.missed != before.missed {
        let gaps = progress.missed.iter().chain(&before.missed).map(|(from, _)| *from);
        after = gaps.fold(after, u64::min);
    }
    save_quietly(s, &chat);
    s.live.follow_ups.push(FollowUp::Moved { chat: chat.id, room, after, upto });
}
