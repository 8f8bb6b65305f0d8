//! Keeping this device and the node in step: what the socket brings, and the jobs that bring things to the node.

pub(crate) mod commits;
mod inbox;
mod items;
pub(crate) mod join;
mod key_packages;
mod log;
mod outgoing;
pub(crate) mod rooms;
mod set_up;
pub(crate) mod settle;

use crate::account;
use crate::chats::{self, queue, typing};
use crate::connection;
use crate::contacts::{self, Contact, answers};
use crate::groups::{door, leaving, making};
use crate::http::Failure;
use crate::jobs::{Done, Job};
use crate::live::Arrival;
use crate::rooms::Stage;
use crate::runtime::{Cx, State};
use crate::{vault, wallet};
use weft_wire::content::Profile;
use weft_wire::rooms::{DeviceRef, RoomKind};
use weft_wire::sync::ServerFrame;
use weft_wire::{Blob, Code, Problem, RoomId};

/// Reads what is needed in memory when the engine opens.
pub(crate) fn opened(s: &mut State) {
    rooms::load_pins(s);
}

/// The node has let this device in: everything that is not done yet is wanted.
pub(crate) fn connected(s: &mut State, arrival: Arrival) {
    let mut cursors = Vec::new();
    for room in rooms::all(s) {
        let Some(info) = rooms::info(s, room).filter(|info| info.stage != Stage::Left) else { continue };
        cursors.push((room, info.cursor));
        if info.pending {
            s.jobs.want(Job::Commit(room));
        }
    }
    connection::follow(s, cursors);
    inbox::arrived(s, arrival);
    s.jobs.want(Job::PullVault);
    for contact in contacts::all(s).into_iter().filter(|contact| contact.wish.is_some()) {
        s.jobs.want(Job::AnswerContact(contact.user));
    }
    for chat in queue::chats(s) {
        s.jobs.want(Job::Send(chat));
    }
    for chat in settle::in_set_up(s) {
        s.jobs.want(Job::SetUp(chat));
    }
    for room in making::under_way(s) {
        s.jobs.want(Job::Make(room));
    }
    for room in leaving::under_way(s) {
        s.jobs.want(Job::Leave(room));
    }
    for chat in chats::all(s) {
        for progress in chat.rooms.iter().filter(|progress| progress.own_read > progress.own_read_told) {
            s.jobs.want(Job::PutRead(progress.room));
        }
    }
    wallet::wait(s);
    if vault::has_changes(s) {
        s.jobs.want(Job::PushVault);
    }
}

/// The socket is gone. What came over it and was not processed comes again.
pub(crate) fn disconnected(s: &mut State) {
    s.live.inbox.clear();
    s.live.say_by.clear();
    inbox::left(s);
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
    cx.with(|s| match frame {
        ServerFrame::Inbox { items } => s.live.inbox.extend(items),
        ServerFrame::Room { state } => join::described(s, state),
        ServerFrame::Entries { room, entries } => log::came(s, room, &entries),
        ServerFrame::Delivered { room, user, seq, missed } => {
            items::delivered(s, room, &user, seq, &missed);
        }
        ServerFrame::Item { room, item } => items::changed(s, room, &item),
        ServerFrame::Ephemeral { room, user, device, sealed } => {
            items::ephemeral(s, room, DeviceRef { user, device }, &sealed);
        }
        ServerFrame::Vault { records } => vault::apply(s, &records),
        ServerFrame::Wallet {} => wallet::changed(s),
        // Of the connection itself.
        ServerFrame::Challenge { .. }
        | ServerFrame::Ready { .. }
        | ServerFrame::Pong
        | ServerFrame::Problem { .. } => {}
    });
    inbox::start(cx);
}

/// The node cannot stream a room.
pub(crate) fn room_refused(s: &mut State, room: RoomId, problem: &Problem) {
    s.connection.set_aside(room);
    if problem.code == Code::CursorLost {
        // The retention has ended for what this device has not read, or the hub comes from a backup: go on from where the log
        // begins.
        let tail = problem.current.unwrap_or(1);
        rooms::with(s, |ctx| crate::rooms::skip_to(ctx, room, tail.saturating_sub(1)));
        outgoing::ask_again(s, room);
        join::want(s, room, 0);
        if let Some(info) = rooms::info(s, room).filter(|info| info.welcome.is_some()) {
            connection::follow(s, vec![(room, info.cursor)]);
        }
    } else if problem.code == Code::NotFound {
        leaving::refused(s, room);
        settle::gone(s, room);
    }
}

/// A contact stands another way: what waits for them may go out, and rooms that waited for their key may be joined.
pub(crate) fn contact_ready(s: &mut State, contact: &Contact) {
    rooms::set_pin(s, contact);
    let Some(me) = s.live.me.clone() else { return };
    // A group in which their key was another one than the pinned may be followed now.
    for room in rooms::all(s) {
        if rooms::info(s, room)
            .is_some_and(|info| info.stage == Stage::Broken && info.kind == Some(RoomKind::Group))
        {
            join::want(s, room, 0);
        }
    }
    if !contact.may_send() {
        return;
    }
    s.jobs.want(Job::Send(chats::direct_id(&me.user, &contact.user)));
    let kind = rooms::direct_kind(&me.user, &contact.user);
    let theirs: Vec<_> =
        s.live.rooms.values().filter(|state| state.kind == kind).map(|state| state.room).collect();
    for room in theirs.into_iter().filter(|room| !rooms::is_active(s, *room)).collect::<Vec<_>>() {
        join::want(s, room, settle::WELCOME_GRACE_MS);
    }
}

/// The own name is another one: everybody one talks to is told, in a message that is not shown.
pub(crate) fn announce_profile(s: &mut State) {
    let Some(name) = account::account(s).map(|account| account.display_name.clone()) else { return };
    let body = Blob(weft_wire::encode(&Profile { name }));
    for mut chat in chats::all(s) {
        // In a group it goes before the next message: 500 people need not hear of one who says nothing.
        if let Some(group) = &mut chat.group {
            group.introduce = true;
            chats::save_quietly(s, &chat);
        } else if chat.room.is_some() && !chat.is_blocked(s) {
            // A queue that is full has more pressing things to say.
            let _ = queue::push(s, &mut chat, "profile", body.clone(), None, true);
        }
    }
}

/// Does a job.
pub(crate) async fn carry_out(cx: &Cx, job: &Job) -> Result<Done, Failure> {
    match job {
        // In this order: the node's word on contacts is compared with the pins of the vault, the rooms' members with both.
        Job::PullVault => {
            vault::pull(cx).await?;
            cx.with(|s| s.jobs.want(Job::PullContacts));
            Ok(Done::Yes)
        }
        Job::PullContacts => {
            contacts::incoming::pull(cx).await?;
            cx.with(|s| s.jobs.want(Job::ListRooms));
            Ok(Done::Yes)
        }
        Job::ListRooms => join::list(cx).await,
        Job::StockKeyPackages => key_packages::stock(cx).await,
        Job::AnswerContact(user) => answers::tell(cx, user).await,
        Job::CheckKeys(user) => contacts::incoming::check_keys(cx, user).await,
        Job::SetUp(chat) => set_up::set_up(cx, *chat).await,
        Job::Make(room) => making::make(cx, *room).await,
        Job::Leave(room) => leaving::carry_out(cx, *room).await,
        Job::LookIn(room) => leaving::look_in(cx, *room).await,
        Job::Asking(room) => door::hear(cx, *room).await,
        Job::LetIn(room) => door::let_in(cx, *room).await,
        Job::Commit(room) => commits::submit(cx, *room).await,
        Job::Join(room) => join::join(cx, *room).await,
        Job::RemoveGone(room) => commits::remove_gone(cx, *room).await,
        Job::Send(chat) => outgoing::send(cx, *chat).await,
        Job::PutRead(room) => items::put_read(cx, *room).await,
        Job::PushVault => vault::push(cx).await,
        Job::Pay => wallet::settle(cx).await,
        Job::HearInvoices => wallet::hear_invoices(cx).await,
    }
}
