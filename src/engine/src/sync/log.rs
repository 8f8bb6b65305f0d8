//! Entries of room logs: into the timeline, or set aside with their reason. Acknowledged is what was persisted.

use super::{join, outgoing, rooms, settle};
use crate::chats::{self, Chat, queue, timeline, typing};
use crate::connection;
use crate::contacts;
use crate::groups::{changes, door, leaving, lines, names};
use crate::jobs::Job;
use crate::rooms::{Message, Processed, Reason, RoomError, process_entry};
use crate::runtime::State;
use crate::wallet;
use timeline::{Body, NewRow};
use weft_wire::content::Profile;
use weft_wire::rooms::{EntryKind, LogEntry};
use weft_wire::{MessageId, Millis, RoomId, UserAddress, limits};

/// Entries came, in order.
pub(crate) fn came(s: &mut State, room: RoomId, entries: &[LogEntry]) {
    for entry in entries {
        match rooms::with(s, |ctx| process_entry(ctx, room, entry)) {
            Some(Ok(processed)) => apply(s, room, entry, processed),
            Some(Err(RoomError::Gap { expected, .. })) => {
                connection::follow(s, vec![(room, expected.saturating_sub(1))]);
                break;
            }
            // Not known here (it comes again once the room is joined), or its state is damaged.
            Some(Err(_)) | None => {
                s.connection.set_aside(room);
                return;
            }
        }
    }
    s.live.turns += 1;
    if let Some(info) = rooms::info(s, room) {
        s.connection.ack_room(room, info.cursor, s.now);
        outgoing::look(s, room);
    }
}

fn apply(s: &mut State, room: RoomId, entry: &LogEntry, processed: Processed) {
    match processed {
        Processed::Message(message) => received(s, room, *message),
        Processed::Own { message_id } => came_back(s, room, entry, message_id),
        Processed::Commit(change) => settle::changed(s, room, entry.time_ms, &change, None),
        Processed::Skipped(_) => {}
        Processed::Unusable { reason, resync } => {
            unusable(s, room, entry, &reason);
            // A hub that broke the rules of a group is not believed any more: the person looks.
            if resync || rooms::info(s, room).is_some_and(|info| info.misled) {
                join::want(s, room, 0);
            }
        }
    }
}

fn received(s: &mut State, room: RoomId, message: Message) {
    let user = message.from.user.clone();
    // What the group is called, and who goes, is the same for everybody, whoever is blocked.
    if is_about_group(s, room, &user, &message) {
        return;
    }
    // Blocked: read, so that the ratchet goes on and the sender sees no difference, and not shown.
    if contacts::is_blocked(s, &user) {
        return;
    }
    typing::heard(s, room, user.clone(), false);
    if message.content.kind == names::PROFILE {
        changes::spoke(s, room, &user);
        renamed(s, &user, message.content.body.as_slice());
        return names::introduced(s, room, &user, message.content.body.as_slice());
    }
    changes::spoke(s, room, &user);
    let Some(body) = queue::body(&message.content) else { return };
    if let Body::Card(card) = &body {
        wallet::heard(s, &user, card);
    }
    let Some(mut chat) = chats::of_room(s, room) else { return };
    let row = NewRow {
        id: Some(message.content.id),
        place: Some((room, message.seq)),
        sender: Some(user),
        time_ms: message.time_ms,
        body,
        reply_to: message.content.reply_to,
    };
    timeline::append(s, &mut chat, row);
}

/// What a group is called, or that somebody goes: nothing to be shown as a message.
fn is_about_group(s: &mut State, room: RoomId, user: &UserAddress, message: &Message) -> bool {
    let body = message.content.body.as_slice();
    match message.content.kind.as_str() {
        names::GROUP => names::named(s, room, user, body, message.time_ms),
        leaving::LEAVE => changes::said_leave(s, room, user, body, message.time_ms),
        door::LINKS_ENDED => door::ended(s, room, user),
        _ => return false,
    }
    true
}

/// A person calls themselves otherwise.
fn renamed(s: &mut State, user: &UserAddress, body: &[u8]) {
    let Ok(profile) = weft_wire::decode::<Profile>(body, limits::MESSAGE_BYTES_MAX) else { return };
    let Some(mut contact) = contacts::find(s, user) else { return };
    let name = contacts::incoming::tidy(&profile.name, limits::DISPLAY_NAME_BYTES_MAX);
    if !name.is_empty() && contact.name != name {
        contact.name = name;
        contacts::save(s, &contact);
    }
}

fn came_back(s: &mut State, room: RoomId, entry: &LogEntry, id: MessageId) {
    lines::came_by(s, room, id, entry.time_ms);
    let Some(mut chat) = chats::of_room(s, room) else { return };
    if let Some(queued) = queue::find_id(s, chat.id, id) {
        own_message(s, &mut chat, room, entry.seq, entry.time_ms, queued);
    }
}

/// An own message has its place in the log: from the queue into the timeline.
pub(crate) fn own_message(
    s: &mut State,
    chat: &mut Chat,
    room: RoomId,
    seq: u64,
    time_ms: Millis,
    queued: queue::Queued,
) {
    let Some(me) = s.live.me.clone() else { return };
    queue::remove(s, &queued);
    s.live.sending.remove(&queued.content.id);
    let Some(body) = queue::body(&queued.content).filter(|_| !queued.hidden) else {
        return changes::own_hidden(s, room, &queued, time_ms);
    };
    let row = NewRow {
        id: Some(queued.content.id),
        place: Some((room, seq)),
        sender: Some(me.user.clone()),
        time_ms,
        body,
        reply_to: queued.content.reply_to,
    };
    timeline::append(s, chat, row);
}

/// Nothing is passed over in silence: a message that cannot be read leaves a line, a changed key an alarm.
fn unusable(s: &mut State, room: RoomId, entry: &LogEntry, reason: &Reason) {
    if let Reason::Refused(RoomError::KeyChanged { user } | RoomError::NotPinned { user }) = reason {
        s.jobs.want(Job::CheckKeys(user.clone()));
    }
    let envelope = entry.envelope.peek().ok();
    if envelope.as_ref().is_some_and(|envelope| envelope.kind == EntryKind::Commit) {
        return;
    }
    if let Some(mut chat) = chats::of_room(s, room)
        && !chat.is_blocked(s)
    {
        let user = envelope.map(|envelope| envelope.sender);
        let row = NewRow {
            id: None,
            place: Some((room, entry.seq)),
            sender: None,
            time_ms: entry.time_ms,
            body: Body::system("undecryptable", user),
            reply_to: None,
        };
        timeline::append(s, &mut chat, row);
    }
}
