//! Keeping this device and the node in step: what the socket brings, and the jobs that bring things to the node.

pub(crate) mod inbox;
pub(crate) mod rooms;

use crate::chats::{self, typing};
use crate::contacts::{self, Contact, answers};
use crate::http::Failure;
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use crate::vault;
use weft_wire::sync::ServerFrame;
use weft_wire::{Problem, RoomId};

/// Finds what was left undone when the engine last stopped.
pub(crate) fn opened(s: &mut State) {
    plan(s);
}

/// The node has let this device in.
pub(crate) fn connected(s: &mut State, key_packages: u32) {
    let _ = key_packages;
    s.jobs.want(Job::PullVault);
    plan(s);
}

/// The socket is gone.
pub(crate) fn disconnected(s: &mut State) {
    s.live.inbox.clear();
    s.live.entries.clear();
}

fn plan(s: &mut State) {
    for contact in contacts::all(s).into_iter().filter(|contact| contact.wish.is_some()) {
        s.jobs.want(Job::AnswerContact(contact.user));
    }
    for chat in chats::queue::chats(s) {
        s.jobs.want(Job::Send(chat));
    }
    if vault::has_changes(s) {
        s.jobs.want(Job::PushVault);
    }
}

/// Time has passed.
pub(crate) fn tick(s: &mut State) {
    typing::expire(s);
}

/// Whether something that came is still to be processed.
pub(crate) fn is_catching_up(s: &State) -> bool {
    !s.live.inbox.is_empty() || s.live.inbox_busy
}

/// A frame of the node, once it has let this device in.
pub(crate) fn incoming(cx: &Cx, frame: ServerFrame) {
    match frame {
        ServerFrame::Inbox { items } => inbox::came(cx, items),
        ServerFrame::Vault { records } => cx.with(|s| vault::apply(s, &records)),
        _ => {}
    }
}

/// The node cannot stream a room.
pub(crate) fn room_refused(s: &mut State, room: RoomId, problem: &Problem) {
    let _ = problem;
    s.connection.set_aside(room);
}

/// A contact stands another way: what waits for them may go out.
pub(crate) fn contact_ready(s: &mut State, contact: &Contact) {
    let Some(me) = s.live.me.clone() else { return };
    if contact.may_send() {
        s.jobs.want(Job::Send(chats::direct_id(&me.user, &contact.user)));
    }
}

/// The own name is another one: the others are told.
pub(crate) fn announce_profile(s: &mut State) {
    let _ = s;
}

/// Does a job.
pub(crate) async fn carry_out(cx: &Cx, job: &Job) -> Result<Done, Failure> {
    match job {
        Job::PullVault => {
            vault::pull(cx).await?;
            // Pins come first: what the node says of contacts is compared with them.
            cx.with(|s| s.jobs.want(Job::PullContacts));
            Ok(Done::Yes)
        }
        Job::PullContacts => contacts::incoming::pull(cx).await,
        Job::AnswerContact(user) => answers::tell(cx, user).await,
        Job::PushVault => vault::push(cx).await,
        _ => Ok(Done::Yes),
    }
}
