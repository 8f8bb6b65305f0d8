//! Who is typing. Never stored; lost when nobody is there.

use super::{Chat, of_room};
use crate::api::Event;
use crate::connection;
use crate::runtime::State;
use crate::sync::rooms;
use weft_wire::content::Ephemeral;
use weft_wire::sync::ClientFrame;
use weft_wire::{Millis, RoomId, UserAddress};

/// "Still typing" is said no more often than this.
const TELL_EVERY_MS: Millis = 3_000;
/// Somebody who says nothing more has stopped.
const SHOWN_MS: Millis = 6_000;

/// Tells the others.
pub(crate) fn tell(s: &mut State, chat: &Chat, on: bool) {
    let Some(room) = chat.room.filter(|_| s.connection.is_ready()) else { return };
    // Who was blocked, or may not be written to for another reason, is told nothing else either.
    if !chat.may_send(s) {
        return;
    }
    let now = s.now;
    let told = s.live.typing_told.get(&room).copied();
    let due = match (on, told) {
        (true, Some(at)) => now >= at + TELL_EVERY_MS,
        (true, None) => true,
        // "Stopped" is only news to those who were told of a start that they still show.
        (false, Some(at)) => now < at + SHOWN_MS,
        (false, None) => false,
    };
    if !due {
        return;
    }
    if on {
        s.live.typing_told.insert(room, now);
    } else {
        s.live.typing_told.remove(&room);
    }
    if let Some(sealed) = rooms::seal_ephemeral(s, room, &Ephemeral::Typing { on }) {
        connection::send(s, &ClientFrame::Ephemeral { room, sealed });
    }
}

/// Somebody says that they are typing, or have stopped.
pub(crate) fn heard(s: &mut State, room: RoomId, user: UserAddress, on: bool) {
    let until = s.now + SHOWN_MS;
    let before = if on {
        s.wake_at(until);
        s.live.typing.insert((room, user.clone()), until)
    } else {
        s.live.typing.remove(&(room, user.clone()))
    };
    if before.is_some() != on {
        show(s, room, &user, on);
    }
}

/// Ends what was not said again.
pub(crate) fn expire(s: &mut State) {
    let now = s.now;
    let over: Vec<_> =
        s.live.typing.iter().filter(|(_, until)| **until <= now).map(|(who, _)| who.clone()).collect();
    for (room, user) in over {
        s.live.typing.remove(&(room, user.clone()));
        show(s, room, &user, false);
    }
}

fn show(s: &mut State, room: RoomId, user: &UserAddress, on: bool) {
    if let Some(chat) = of_room(s, room) {
        s.event(Event::Typing { chat: chat.id.to_string(), user: user.to_string(), on });
    }
}
