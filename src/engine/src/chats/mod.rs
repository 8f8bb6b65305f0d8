//! Chats, as a person sees them: a timeline, what is read, what is being written. Which rooms lie under one is not shown.

pub(crate) mod calls;
pub(crate) mod members;
pub(crate) mod queue;
pub(crate) mod reads;
pub(crate) mod timeline;
pub(crate) mod typing;

use crate::api::{ChatView, Event};
use crate::contacts::{self, Contact};
use crate::groups::{self, Group, Standing};
use crate::runtime::State;
use crate::vault;
use serde::{Deserialize, Serialize};
use std::fmt;
use timeline::{Body, NewRow, Row};
use weft_wire::{Millis, RoomId, UserAddress, limits};

const CHATS: &[u8] = b"t/c/";
const ROOMS: &[u8] = b"t/r/";

/// A chat. For a direct one it is made from the two addresses, so that all devices name it alike; a group's is its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ChatId(pub RoomId);

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The chat of two people.
pub(crate) fn direct_id(a: &UserAddress, b: &UserAddress) -> ChatId {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    let hash = blake3::Hasher::new_derive_key("weft direct chat 1")
        .update(low.to_string().as_bytes())
        .update(b"\0")
        .update(high.to_string().as_bytes())
        .finalize();
    let mut id = [0; 16];
    id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    ChatId(RoomId(id))
}

/// How far things have got in one room under a chat, by log number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub room: RoomId,
    /// The other side's devices have it.
    #[serde(default)]
    pub delivered: u64,
    /// But not what they missed of it: after the first number, up to the second.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<(u64, u64)>,
    /// The other side has read it.
    #[serde(default)]
    pub read: u64,
    /// This person has read it.
    #[serde(default)]
    pub own_read: u64,
    /// What the node has been told of that.
    #[serde(default)]
    pub own_read_told: u64,
}

impl Progress {
    fn new(room: RoomId) -> Self {
        Progress { room, delivered: 0, missed: Vec::new(), read: 0, own_read: 0, own_read_told: 0 }
    }
}

/// A chat as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub id: ChatId,
    /// The other person; none in a group.
    #[serde(default)]
    pub user: Option<UserAddress>,
    /// What there is of a group; none of a direct chat.
    #[serde(default)]
    pub group: Option<Group>,
    /// The room that is written to now.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// All rooms that were ever under it.
    #[serde(default)]
    pub rooms: Vec<Progress>,
    /// Order of the next row.
    pub next_order: u64,
    /// Number of the next queued message.
    pub next_queued: u64,
    /// Messages of others, ever.
    pub others: u64,
    /// Of these, read.
    pub read_others: u64,
    /// Read up to this order.
    pub read_order: u64,
    pub draft: String,
    #[serde(default)]
    pub last: Option<Row>,
    pub active_ms: Millis,
}

impl Chat {
    fn new(id: ChatId, user: Option<UserAddress>, group: Option<Group>, now: Millis) -> Self {
        Chat {
            id,
            user,
            group,
            room: None,
            rooms: Vec::new(),
            next_order: 1,
            next_queued: 1,
            others: 0,
            read_others: 0,
            read_order: 0,
            draft: String::new(),
            last: None,
            active_ms: now,
        }
    }

    /// Whether it is one with somebody who is blocked.
    pub fn is_blocked(&self, s: &mut State) -> bool {
        self.user.as_ref().is_some_and(|user| contacts::is_blocked(s, user))
    }

    /// Whether messages may go out now.
    pub fn may_send(&self, s: &mut State) -> bool {
        match (&self.group, &self.user) {
            (Some(group), _) => group.may_send(),
            (None, Some(user)) => contacts::find(s, user).is_some_and(|contact| contact.may_send()),
            (None, None) => false,
        }
    }

    /// Whether it is there to be seen: a group that only another device is in yet is not.
    pub fn is_shown(&self) -> bool {
        self.group.as_ref().is_none_or(|group| group.standing != Standing::Outside)
    }

    /// How far things have got in a room.
    pub fn progress(&mut self, room: RoomId) -> &mut Progress {
        let at = self.rooms.iter().position(|progress| progress.room == room).unwrap_or_else(|| {
            self.rooms.push(Progress::new(room));
            self.rooms.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "the position was just found or made")]
        &mut self.rooms[at]
    }
}

fn key(id: ChatId) -> Vec<u8> {
    [CHATS, id.0.as_bytes()].concat()
}

fn room_key(room: RoomId) -> Vec<u8> {
    [ROOMS, room.as_bytes()].concat()
}

/// A chat, if it is there.
pub(crate) fn find(s: &mut State, id: ChatId) -> Option<Chat> {
    s.load(&key(id))
}

/// The chat that a room lies under.
pub(crate) fn of_room(s: &mut State, room: RoomId) -> Option<Chat> {
    let id: ChatId = s.load(&room_key(room))?;
    find(s, id)
}

/// The chat with a person; made when it is not there.
pub(crate) fn with_user(s: &mut State, user: &UserAddress) -> Option<Chat> {
    let me = s.live.me.clone()?;
    let id = direct_id(&me.user, user);
    if let Some(chat) = find(s, id) {
        // Never a group, whatever its room is called.
        return chat.group.is_none().then_some(chat);
    }
    let chat = Chat::new(id, Some(user.clone()), None, s.now);
    s.store(&key(id), &chat);
    Some(chat)
}

/// The chat of a group, which is not there yet.
pub(crate) fn make_group(s: &mut State, room: RoomId, group: Group) -> Chat {
    let mut chat = Chat::new(groups::chat_of(room), None, Some(group), s.now);
    link_room(s, &mut chat, room);
    chat
}

/// Puts a room under a chat: what comes there is shown in it.
pub(crate) fn link_room(s: &mut State, chat: &mut Chat, room: RoomId) {
    s.store(&room_key(room), &chat.id);
    chat.progress(room);
    save_quietly(s, chat);
}

/// The same, and lets the chat be written there.
pub(crate) fn attach_room(s: &mut State, chat: &mut Chat, room: RoomId) {
    chat.room = Some(room);
    link_room(s, chat, room);
}

/// All chats, in no order.
pub(crate) fn all(s: &mut State) -> Vec<Chat> {
    s.load_all(CHATS)
}

/// Keeps a chat and tells the interface.
pub(crate) fn save(s: &mut State, chat: &Chat) {
    save_quietly(s, chat);
    tell(s, chat);
}

/// Tells the interface how a chat looks now.
pub(crate) fn tell(s: &mut State, chat: &Chat) {
    if chat.is_shown() {
        let view = view(s, chat);
        s.event(Event::Chat(view));
    }
}

/// The same, for the chat of a room.
pub(crate) fn tell_room(s: &mut State, room: RoomId) {
    if let Some(chat) = of_room(s, room) {
        tell(s, &chat);
    }
}

/// Keeps a chat whose looks have not changed.
pub(crate) fn save_quietly(s: &mut State, chat: &Chat) {
    s.store(&key(chat.id), chat);
}

/// How a chat looks in the list.
pub(crate) fn view(s: &mut State, chat: &Chat) -> ChatView {
    let contact = chat.user.as_ref().and_then(|user| contacts::find(s, user));
    let queued = queue::of_chat(s, chat.id).into_iter().rfind(|queued| !queued.hidden);
    let last = match queued {
        Some(queued) => Some(queued.view(s, None)),
        None => chat.last.as_ref().map(|row| row.view(s, chat, None)),
    };
    ChatView {
        chat: chat.id.to_string(),
        kind: if chat.group.is_some() { "group" } else { "direct" }.into(),
        user: chat.user.as_ref().map(ToString::to_string),
        title: title(s, chat, contact.as_ref()),
        last,
        unread: u32::try_from(chat.others.saturating_sub(chat.read_others)).unwrap_or(u32::MAX),
        read_order: chat.read_order as f64,
        draft: chat.draft.clone(),
        verified: contact.is_some_and(|contact| contact.verified && contact.changed.is_none()),
        active_ms: chat.active_ms as f64,
        group: chat.group.as_ref().map(|group| groups::views::in_chat(s, groups::room_of(chat.id), group)),
    }
}

fn title(s: &mut State, chat: &Chat, contact: Option<&Contact>) -> String {
    match (&chat.group, contact, &chat.user) {
        (Some(group), ..) => groups::names::title(s, groups::room_of(chat.id), group),
        (None, Some(contact), _) => contact.title(),
        (None, None, user) => user.as_ref().map(|user| user.name.to_string()).unwrap_or_default(),
    }
}

/// A contact looks another way: so does the chat with them.
pub(crate) fn contact_changed(s: &mut State, contact: &Contact) {
    let Some(me) = s.live.me.clone() else { return };
    if let Some(chat) = find(s, direct_id(&me.user, &contact.user)) {
        let view = view(s, &chat);
        s.event(Event::Chat(view));
    }
}

/// A contact's key is another one: the chat says so where it happened.
pub(crate) fn key_changed(s: &mut State, user: &UserAddress) {
    let Some(me) = s.live.me.clone() else { return };
    if let Some(mut chat) = find(s, direct_id(&me.user, user)) {
        let body = Body::system("key_changed", Some(user.clone()));
        let time_ms = s.now;
        timeline::append(s, &mut chat, NewRow::system(body, time_ms));
    }
}

/// What all devices of the account share of a chat.
pub(crate) fn shared(s: &mut State, id: ChatId) -> (String, Vec<(RoomId, u64)>) {
    let Some(chat) = find(s, id) else { return Default::default() };
    let read = chat.rooms.iter().map(|progress| (progress.room, progress.own_read)).collect();
    (if is_shared(&chat.draft) { chat.draft } else { String::new() }, read)
}

/// Whether other devices see this draft. One that is too long for a message is too long for a vault record as well.
fn is_shared(draft: &str) -> bool {
    draft.len() <= limits::TEXT_BYTES_MAX
}

/// Takes over what another device shares.
pub(crate) fn take_shared(s: &mut State, mut chat: Chat, draft: String, read: &[(RoomId, u64)]) {
    if is_shared(&chat.draft) {
        chat.draft = draft;
    }
    save(s, &chat);
    for (room, seq) in read {
        s.live.follow_ups.push(timeline::FollowUp::OwnRead { chat: chat.id, room: *room, seq: *seq });
    }
}

/// Notes that what devices share of this chat is another thing now.
pub(crate) fn share(s: &mut State, chat: &Chat) {
    let name = match &chat.user {
        Some(user) => vault::Name::Chat(user.clone()),
        None => vault::Name::Group(groups::room_of(chat.id)),
    };
    vault::changed(s, name);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `weft` 0.1 kept them, when every chat was one of two people.
    #[derive(Serialize)]
    struct Before {
        id: ChatId,
        user: UserAddress,
        room: Option<RoomId>,
        rooms: Vec<Progress>,
        next_order: u64,
        next_queued: u64,
        others: u64,
        read_others: u64,
        read_order: u64,
        draft: String,
        last: Option<BeforeRow>,
        active_ms: Millis,
    }

    #[derive(Serialize)]
    struct BeforeRow {
        id: weft_wire::MessageId,
        order: u64,
        place: Option<(RoomId, u64)>,
        sender: Option<UserAddress>,
        time_ms: Millis,
        body: BeforeBody,
        reply_to: Option<weft_wire::MessageId>,
        others: u64,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum BeforeBody {
        System { code: String, user: Option<UserAddress> },
    }

    #[test]
    fn chats_and_lines_of_before_open() {
        let bob: UserAddress = "bob@home.example".parse().unwrap();
        let room = RoomId([7; 16]);
        let row = BeforeRow {
            id: weft_wire::MessageId([1; 16]),
            order: 1,
            place: Some((room, 4)),
            sender: None,
            time_ms: 5,
            body: BeforeBody::System { code: "device_added".into(), user: Some(bob.clone()) },
            reply_to: None,
            others: 3,
        };
        let before = Before {
            id: ChatId(room),
            user: bob.clone(),
            room: Some(room),
            rooms: vec![Progress::new(room)],
            next_order: 9,
            next_queued: 2,
            others: 3,
            read_others: 2,
            read_order: 6,
            draft: "I".into(),
            last: Some(row),
            active_ms: 8,
        };
        let chat: Chat = weft_wire::decode(&weft_wire::encode(&before), 4096).unwrap();
        assert_eq!((chat.user.as_ref(), chat.next_order, chat.draft.as_str()), (Some(&bob), 9, "I"));
        assert!(chat.group.is_none() && chat.is_shown());
        assert_eq!(chat.last.unwrap().body, Body::system("device_added", Some(bob)));
    }
}
