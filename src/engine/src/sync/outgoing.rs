//! What waits in a chat goes to the hub, one after the other, so that it stays in order.

use super::{join, rooms, settle};
use crate::chats::queue::{self, Held, Queued, Stage};
use crate::chats::{self, ChatId};
use crate::groups::leaving;
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::rooms::{RoomError, encrypt, forget_message};
use crate::runtime::{Cx, State};
use weft_wire::rooms::{Accepted, Envelope, SubmitMessage};
use weft_wire::{Code, Millis, RoomId, Signed};

/// The log brings the commit that a stale message has to wait for.
const STALE_MS: Millis = 300;
/// How often it is asked what has become of messages that wait at the own node. What does become of them comes by the log.
const HELD_MS: Millis = 30_000;
/// A room that was folded: the other one comes by the inbox.
const FOLDED_MS: Millis = 1_000;

enum Step {
    /// Nothing can be sent now; what changes that wants the job again.
    Wait,
    /// Somebody else is at the room.
    Soon,
    /// All that is left waits at the own node.
    Held,
    Post(Box<Queued>, RoomId, Box<Signed<Envelope>>),
}

/// How a room stands may have changed: what waited for that is looked at again.
pub(super) fn look(s: &mut State, room: RoomId) {
    if s.connection.is_behind(room, s.now) {
        return;
    }
    let Some(chat) = chats::of_room(s, room).filter(|chat| chat.room == Some(room)) else { return };
    if queue::of_chat(s, chat.id).iter().any(|queued| queued.stage == Stage::Waiting) {
        s.jobs.want(Job::Send(chat.id));
    }
}

/// Entries of a room were passed over. Own messages that the hub has taken may have been among them, and are lost if it comes from a
/// backup: it is asked again. What it still has it answers as then; what its retention has ended for it
/// takes a second time.
pub(super) fn ask_again(s: &mut State, room: RoomId) {
    let Some(chat) = chats::of_room(s, room) else { return };
    for mut queued in queue::of_chat(s, chat.id) {
        if queued.room == Some(room) && matches!(queued.stage, Stage::Taken { .. }) {
            queued.stage = Stage::Waiting;
            queue::update(s, &queued);
        }
    }
}

/// The job: what was queued in a chat is on the node.
pub(crate) async fn send(cx: &Cx, chat: ChatId) -> Result<Done, Failure> {
    loop {
        let (queued, room, envelope) = match cx.with(|s| next(s, chat)) {
            Step::Wait => return Ok(Done::Yes),
            Step::Soon => return Ok(Done::After(FOLDED_MS)),
            Step::Held => return Ok(Done::After(HELD_MS)),
            Step::Post(queued, room, envelope) => (queued, room, envelope),
        };
        let id = queued.content.id;
        let body = SubmitMessage { envelope: *envelope };
        let answer = http::post::<_, Accepted>(cx, &format!("rooms/{room}/messages"), &body).await;
        let done = cx.with(|s| {
            s.live.sending.remove(&id);
            // Its entry may have come back before the answer: then it is not queued any more.
            let Some(queued) = queue::find_id(s, chat, id) else { return Ok(None) };
            answered(s, queued, room, answer)
        })?;
        if let Some(done) = done {
            return Ok(done);
        }
    }
}

fn answered(
    s: &mut State,
    mut queued: Queued,
    room: RoomId,
    answer: Result<Accepted, Failure>,
) -> Result<Option<Done>, Failure> {
    queued.held = None;
    let failure = match answer {
        Ok(accepted) => {
            queued.stage = Stage::Taken { seq: accepted.seq, time_ms: accepted.time_ms };
            queue::update(s, &queued);
            // Its entry was passed over: it will not come.
            if let Some(mut chat) = chats::of_room(s, room)
                && rooms::info(s, room).is_some_and(|info| (1..=info.cursor).contains(&accepted.seq))
            {
                super::log::own_message(s, &mut chat, room, accepted.seq, accepted.time_ms, queued.clone());
            }
            if queued.content.kind == leaving::LEAVE {
                s.jobs.want(Job::Leave(room));
            }
            return Ok(None);
        }
        Err(failure) => failure,
    };
    if matches!(failure.code(), Some(Code::NotFound | Code::Forbidden)) {
        leaving::refused(s, room);
    }
    match failure.code() {
        // An earlier encryption of the same message was taken. Its entry is on its way, or was passed over when this device came in
        // anew.
        Some(Code::IdConflict) => {
            queued.stage = Stage::Taken { seq: 0, time_ms: queued.content.sent_ms };
            queue::update(s, &queued);
            if !s.connection.is_behind(room, s.now)
                && let Some(mut chat) = chats::of_room(s, room)
            {
                settle::sweep(s, &mut chat, room);
            }
            Ok(None)
        }
        // The own node keeps it for the hub: what was written after it may follow, in the same order.
        Some(Code::NodeUnreachable) => {
            let epoch = rooms::info(s, room).map_or(0, |info| info.epoch);
            let node = failure.detail().unwrap_or_default().to_owned();
            queued.held = Some(Held { node, epoch, ask_ms: s.now + HELD_MS });
            queue::update(s, &queued);
            if queued.content.kind == leaving::LEAVE {
                s.jobs.want(Job::Leave(room));
            }
            Ok(None)
        }
        // A certain no: what was taken before is answered as it was then. So who is in the group counts anew.
        Some(Code::StaleEpoch) => {
            rooms::with(s, |ctx| forget_message(ctx, room, queued.content.id));
            queued.room = None;
            queue::update(s, &queued);
            Ok(Some(Done::After(STALE_MS)))
        }
        // Folded or gone: it goes out in the room that goes on.
        Some(Code::Conflict | Code::NotFound) => {
            rooms::with(s, |ctx| forget_message(ctx, room, queued.content.id));
            queued.room = None;
            let current = chats::find(s, queued.chat).and_then(|chat| chat.room);
            if failure.code() == Some(Code::NotFound) && current == Some(room) {
                queued.stage = Stage::Failed { code: Code::NotFound.as_str().into() };
            }
            queue::update(s, &queued);
            Ok(Some(Done::After(FOLDED_MS)))
        }
        Some(code) if failure.is_final() => {
            rooms::with(s, |ctx| forget_message(ctx, room, queued.content.id));
            queued.room = None;
            queued.stage = Stage::Failed { code: code.as_str().into() };
            queue::update(s, &queued);
            Ok(None)
        }
        _ => {
            queue::show(s, &queued);
            Err(failure)
        }
    }
}

/// Whether a message is at the own node, and nothing has to be asked or done about it now.
fn is_held(s: &mut State, queued: &Queued) -> bool {
    let (Some(held), Some(room)) = (&queued.held, queued.room) else { return false };
    s.now < held.ask_ms && rooms::info(s, room).is_some_and(|info| info.epoch == held.epoch)
}

fn next(s: &mut State, id: ChatId) -> Step {
    let Some(chat) = chats::find(s, id) else { return Step::Wait };
    let waiting = queue::of_chat(s, id).into_iter().filter(|queued| queued.stage == Stage::Waiting);
    let (held, others): (Vec<_>, Vec<_>) = waiting.partition(|queued| is_held(s, queued));
    let Some(mut queued) = others.into_iter().next() else {
        return if held.is_empty() { Step::Wait } else { Step::Held };
    };
    if !chat.may_send(s) {
        return Step::Wait;
    }
    // One that may have been taken in a room is asked for there first, so that it is never said twice.
    let Some(room) = queued.room.or(chat.room) else {
        if chat.group.is_none() {
            s.jobs.want(Job::SetUp(id));
        }
        return Step::Wait;
    };
    if !rooms::is_active(s, room) {
        if Some(room) != chat.room {
            queued.room = None;
            queue::update(s, &queued);
            return Step::Soon;
        }
        // It goes out once the person has decided.
        if s.live.unsure.contains_key(&room) {
            return Step::Wait;
        }
        join::want(s, room, 0);
        return Step::Soon;
    }
    if Some(room) == chat.room {
        // Who is in the group, and who of them has signed out, was told before this socket: it may have changed since.
        if s.connection.is_behind(room, s.now) {
            return Step::Soon;
        }
        // Nobody could ever read it: the other side has signed out everywhere. It goes out once a device of theirs has come
        // in. One that may have been taken waits as well: if it was, its entry says so.
        if !rooms::has_reader(s, room) {
            return Step::Wait;
        }
    }
    match rooms::try_with(s, |ctx| encrypt(ctx, room, &queued.content)) {
        Ok(envelope) => {
            queued.room = Some(room);
            s.live.sending.insert(queued.content.id, ());
            queue::update(s, &queued);
            Step::Post(Box::new(queued), room, Box::new(envelope))
        }
        Err(Failure::Room(RoomError::TooLarge { .. })) => {
            queued.stage = Stage::Failed { code: Code::TooLarge.as_str().into() };
            queue::update(s, &queued);
            Step::Soon
        }
        Err(_) => Step::Soon,
    }
}
