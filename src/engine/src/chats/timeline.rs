//! The rows of a chat: numbered in the order in which the room log gave them, so that every device shows the same.
//!
//! Keys of the `History` space: `h ‖ chat ‖ order` → row; `i ‖ chat ‖ message id` → order.

use super::{Chat, ChatId, find, queue, reads, save, view as chat_view};
use crate::api::{BodyView, DeliveryView, Event, MessagePage, MessageView, ReplyView};
use crate::groups::{self, names};
use crate::runtime::{Cx, Row as HistoryRow, State};
use crate::wallet::cards::Card;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weft_wire::{MessageId, Millis, RoomId, UserAddress, limits};

/// Rows in one page.
pub(crate) const PAGE_MAX: usize = 200;
/// Readings of one page, if rows keep coming at its end.
const PAGE_TRIES_MAX: usize = 8;
/// Characters of a message that is answered.
const EXCERPT_CHARS: usize = 120;
const ROW_BYTES_MAX: usize = 4 * limits::MESSAGE_BYTES_MAX;

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    Text {
        text: String,
    },
    Card(Card),
    Unknown {
        fallback: String,
    },
    System {
        code: String,
        user: Option<UserAddress>,
        /// In a group: who did it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<UserAddress>,
        /// In a group: whom it is about.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        people: Vec<UserAddress>,
        /// In a group: its new name.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
}

/// A row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub id: MessageId,
    pub order: u64,
    /// Where it stands in a room's log; none for a line that this device made up.
    #[serde(default)]
    pub place: Option<(RoomId, u64)>,
    /// Who; none: a system line.
    #[serde(default)]
    pub sender: Option<UserAddress>,
    pub time_ms: Millis,
    pub body: Body,
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// Messages of others in this chat up to this row.
    pub others: u64,
}

/// A row that has no order yet.
pub(crate) struct NewRow {
    pub id: Option<MessageId>,
    pub place: Option<(RoomId, u64)>,
    pub sender: Option<UserAddress>,
    pub time_ms: Millis,
    pub body: Body,
    pub reply_to: Option<MessageId>,
}

impl NewRow {
    /// A line in the middle.
    pub fn system(body: Body, time_ms: Millis) -> Self {
        NewRow { id: None, place: None, sender: None, time_ms, body, reply_to: None }
    }
}

/// Work that needs the history, which can only be read in a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FollowUp {
    /// A row that answers another one: its event needs the other's text.
    Show { chat: ChatId, order: u64 },
    /// Own messages after this log number are delivered or read further than before.
    Moved { chat: ChatId, room: RoomId, after: u64, upto: u64 },
    /// Another device of this account has read up to here.
    OwnRead { chat: ChatId, room: RoomId, seq: u64 },
}

pub(crate) fn row_key(chat: ChatId, order: u64) -> Vec<u8> {
    [b"h".as_slice(), chat.0.as_bytes(), &order.to_be_bytes()].concat()
}

fn index_key(chat: ChatId, id: MessageId) -> Vec<u8> {
    [b"i".as_slice(), chat.0.as_bytes(), id.as_bytes()].concat()
}

pub(crate) fn read_row((_, value): &HistoryRow) -> Option<Row> {
    weft_wire::decode(value, ROW_BYTES_MAX).ok()
}

/// Puts a row at the end of a chat, and tells the interface.
pub(crate) fn append(s: &mut State, chat: &mut Chat, new: NewRow) {
    let Some(me) = s.live.me.clone() else { return };
    let order = chat.next_order;
    chat.next_order += 1;
    let from_other = new.sender.as_ref().is_some_and(|sender| *sender != me.user);
    if from_other {
        chat.others += 1;
    }
    let id = new.id.unwrap_or_else(|| MessageId(s.random()));
    let row = Row {
        id,
        order,
        place: new.place,
        sender: new.sender,
        time_ms: new.time_ms,
        body: new.body,
        reply_to: new.reply_to,
        others: chat.others,
    };
    s.history_put(row_key(chat.id, order), weft_wire::encode(&row));
    if row.sender.is_some() {
        s.history_put(index_key(chat.id, id), weft_wire::encode(&order));
        chat.active_ms = chat.active_ms.max(row.time_ms);
    }
    // Whoever writes has seen what stands above.
    if row.sender.as_ref() == Some(&me.user) && chat.read_others == chat.others {
        chat.read_order = order;
    }
    if row.sender.is_some() || chat.last.is_none() {
        chat.last = Some(row.clone());
    }
    save(s, chat);
    if row.reply_to.is_some() {
        s.live.follow_ups.push(FollowUp::Show { chat: chat.id, order });
    } else {
        let message = row.view(s, chat, None);
        tell(s, chat.id, vec![message]);
    }
}

/// Tells the interface about messages.
pub(crate) fn tell(s: &mut State, chat: ChatId, messages: Vec<MessageView>) {
    if !messages.is_empty() {
        s.event(Event::Messages { chat: chat.to_string(), messages });
    }
}

impl Row {
    /// How a row looks. `reply` is what it answers, where that was found.
    pub fn view(&self, s: &mut State, chat: &Chat, reply: Option<ReplyView>) -> MessageView {
        let room = groups::room_of(chat.id);
        let named = self.sender.as_ref().filter(|_| chat.group.is_some());
        let sender_name = named.map(|sender| names::of(s, room, sender));
        let mine = self.sender.is_some() && self.sender.as_ref() == s.live.me.as_ref().map(|me| &me.user);
        let delivery = match self.place {
            Some((room, seq)) if mine => delivery(chat, room, seq),
            _ => DeliveryView::None,
        };
        MessageView {
            id: self.id.to_string(),
            order: self.order as f64,
            sender: self.sender.as_ref().map(ToString::to_string).unwrap_or_default(),
            sender_name,
            mine,
            time_ms: self.time_ms as f64,
            body: self.body.view(s, room),
            reply_to: reply.or_else(|| self.reply_to.map(unresolved)),
            delivery,
            waits_for: None,
        }
    }

    fn as_reply(&self) -> ReplyView {
        let text = match &self.body {
            Body::Text { text } | Body::Unknown { fallback: text } => text.clone(),
            Body::Card(card) => card.fallback(),
            Body::System { .. } => String::new(),
        };
        ReplyView {
            id: self.id.to_string(),
            sender: self.sender.as_ref().map(ToString::to_string),
            excerpt: text.chars().take(EXCERPT_CHARS).collect(),
        }
    }
}

/// An answer to a message that is not here.
pub(crate) fn unresolved(id: MessageId) -> ReplyView {
    ReplyView { id: id.to_string(), sender: None, excerpt: String::new() }
}

impl Body {
    /// A line about a person, or about nobody.
    pub fn system(code: &str, user: Option<UserAddress>) -> Body {
        Body::System { code: code.into(), user, by: None, people: Vec::new(), text: String::new() }
    }

    /// How it looks. `room`: where people are called by what they have said there.
    pub fn view(&self, s: &mut State, room: RoomId) -> BodyView {
        match self {
            Body::Text { text } => BodyView::Text { text: text.clone() },
            Body::Card(card) => card.view(s, room),
            Body::Unknown { fallback } => BodyView::Unknown { fallback: fallback.clone() },
            Body::System { code, user, by, people, text } => BodyView::System {
                code: code.clone(),
                user: user.as_ref().map(ToString::to_string),
                by: by.as_ref().map(|by| names::person(s, room, by)),
                people: people.iter().map(|user| names::person(s, room, user)).collect(),
                text: text.clone(),
            },
        }
    }
}

fn delivery(chat: &Chat, room: RoomId, seq: u64) -> DeliveryView {
    match chat.rooms.iter().find(|progress| progress.room == room) {
        // They have read on, without ever having got this.
        Some(progress) if progress.missed.iter().any(|(after, upto)| seq > *after && seq <= *upto) => {
            DeliveryView::Sent
        }
        Some(progress) if seq <= progress.read => DeliveryView::Read,
        Some(progress) if seq <= progress.delivered => DeliveryView::Delivered,
        _ => DeliveryView::Sent,
    }
}

/// A page of a chat. The newest one ends with what is still queued.
pub(crate) async fn page(cx: &Cx, chat: &Chat, before: Option<u64>, limit: usize) -> MessagePage {
    let limit = limit.clamp(1, PAGE_MAX);
    let before = before.filter(|before| *before < queue::ORDER_BASE);
    let mut page = try_page(cx, chat, before, limit).await;
    // What waited in the queue may have become a row while rows were read: it would be in neither.
    for _ in 1..PAGE_TRIES_MAX {
        if page.is_whole {
            break;
        }
        let Some(chat) = cx.with(|s| find(s, chat.id)) else { break };
        page = try_page(cx, &chat, before, limit).await;
    }
    MessagePage { chat: chat.id.to_string(), messages: page.messages, more: page.more }
}

/// What one reading of a page gave.
struct Page {
    messages: Vec<MessageView>,
    more: bool,
    /// No row came at its end while it was read.
    is_whole: bool,
}

async fn try_page(cx: &Cx, chat: &Chat, before: Option<u64>, limit: usize) -> Page {
    let to = row_key(chat.id, before.unwrap_or(chat.next_order));
    let found = cx.read_history(row_key(chat.id, 0), to, limit + 1, true).await;
    let more = found.len() > limit;
    let mut rows: Vec<_> = found.iter().take(limit).filter_map(read_row).collect();
    rows.reverse();
    let waiting = match before {
        None => cx.with(|s| queue::of_chat(s, chat.id)),
        Some(_) => Vec::new(),
    };
    let answered = rows.iter().map(|row| row.reply_to).chain(waiting.iter().map(|one| one.content.reply_to));
    let replies = replies(cx, chat.id, &rows, answered.flatten()).await;
    cx.with(|s| {
        // Meanwhile things may have moved on: what is told now is what holds now.
        let now = find(s, chat.id).unwrap_or_else(|| chat.clone());
        let is_whole = before.is_some() || now.next_order == chat.next_order;
        let view = |row: &Row, s: &mut State| {
            let reply = row.reply_to.and_then(|id| replies.get(&id).cloned());
            row.view(s, &now, reply)
        };
        let mut messages: Vec<_> = rows.iter().map(|row| view(row, s)).collect();
        if before.is_none() {
            messages.extend(queue::views(s, chat.id, &replies));
        }
        Page { messages, more, is_whole }
    })
}

/// What was answered, by its id, as far as it is here.
async fn replies(
    cx: &Cx,
    chat: ChatId,
    rows: &[Row],
    answered: impl Iterator<Item = MessageId>,
) -> BTreeMap<MessageId, ReplyView> {
    let mut replies: BTreeMap<_, _> = BTreeMap::new();
    for id in answered {
        if replies.contains_key(&id) {
            continue;
        }
        let near = rows.iter().find(|row| row.id == id).map(Row::as_reply);
        let reply = match near {
            Some(reply) => reply,
            None => reply(cx, chat, id).await,
        };
        replies.insert(id, reply);
    }
    replies
}

/// The message that is answered.
pub(crate) async fn reply(cx: &Cx, chat: ChatId, id: MessageId) -> ReplyView {
    let Some(order) = order_of(cx, chat, id).await else { return unresolved(id) };
    match at(cx, chat, order).await {
        Some(row) if row.id == id => row.as_reply(),
        _ => unresolved(id),
    }
}

/// The card in a message, and who has sent it.
pub(crate) async fn card_of(cx: &Cx, chat: ChatId, id: MessageId) -> Option<(Option<UserAddress>, Card)> {
    let order = order_of(cx, chat, id).await?;
    let row = at(cx, chat, order).await.filter(|row| row.id == id)?;
    match row.body {
        Body::Card(card) => Some((row.sender, card)),
        _ => None,
    }
}

/// Where a message stands.
async fn order_of(cx: &Cx, chat: ChatId, id: MessageId) -> Option<u64> {
    let key = index_key(chat, id);
    let end = [key.as_slice(), &[0]].concat();
    let order = cx.read_history(key, end, 1, false).await;
    order.first().and_then(|(_, value)| weft_wire::decode::<u64>(value, 16).ok())
}

async fn at(cx: &Cx, chat: ChatId, order: u64) -> Option<Row> {
    let rows = cx.read_history(row_key(chat, order), row_key(chat, order + 1), 1, false).await;
    rows.first().and_then(read_row)
}

/// The newest row of a chat at or below this order.
pub(crate) async fn at_or_below(cx: &Cx, chat: ChatId, order: u64) -> Option<Row> {
    let to = row_key(chat, order.saturating_add(1));
    let rows = cx.read_history(row_key(chat, 0), to, 1, true).await;
    rows.first().and_then(read_row)
}

/// Does what needs the history.
pub(crate) async fn follow_up(cx: Cx, work: FollowUp) {
    match work {
        FollowUp::Show { chat, order } => {
            let Some(row) = at(&cx, chat, order).await else { return };
            let found = match row.reply_to {
                Some(id) => Some(reply(&cx, chat, id).await),
                None => None,
            };
            cx.with(|s| {
                let Some(chat) = find(s, chat) else { return };
                let view = row.view(s, &chat, found);
                tell(s, chat.id, vec![view]);
            });
        }
        FollowUp::Moved { chat, room, after, upto } => moved(&cx, chat, room, after, upto).await,
        FollowUp::OwnRead { chat, room, seq } => reads::own_read(&cx, chat, room, seq).await,
    }
}

/// Shows own messages again whose delivery state has changed, newest first until the old mark.
async fn moved(cx: &Cx, id: ChatId, room: RoomId, after: u64, upto: u64) {
    let Some(chat) = cx.with(|s| find(s, id)) else { return };
    let mut to = row_key(id, chat.next_order);
    loop {
        let found = cx.read_history(row_key(id, 0), to, PAGE_MAX, true).await;
        let rows: Vec<_> = found.iter().filter_map(read_row).collect();
        let done = found.len() < PAGE_MAX
            || rows.iter().any(|row| row.place.is_some_and(|(of, seq)| of == room && seq <= after));
        let moved = |row: &Row| row.place.is_some_and(|(of, seq)| of == room && seq > after && seq <= upto);
        let moved: Vec<_> = rows.into_iter().filter(moved).collect();
        // The view replaces the one on the screen: what a message answers has to be part of it.
        let replies = replies(cx, id, &moved, moved.iter().filter_map(|row| row.reply_to)).await;
        cx.with(|s| {
            let Some(me) = s.live.me.clone() else { return };
            let Some(chat) = find(s, id) else { return };
            let messages: Vec<_> = moved
                .iter()
                .rev()
                .filter(|row| row.sender.as_ref() == Some(&me.user))
                .map(|row| {
                    let reply = row.reply_to.and_then(|id| replies.get(&id).cloned());
                    row.view(s, &chat, reply)
                })
                .collect();
            if !messages.is_empty() {
                tell(s, id, messages);
                let view = chat_view(s, &chat);
                s.event(Event::Chat(view));
            }
        });
        match found.last() {
            Some((key, _)) if !done => to = key.clone(),
            _ => return,
        }
    }
}
