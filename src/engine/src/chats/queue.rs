//! What was written here and is not in the log yet. A message leaves the queue when its own entry comes back in the log: only
//! then is its place among the others known.

use super::timeline::{self, Body};
use super::{Chat, ChatId, find};
use crate::api::{DeliveryView, Event, MessageView, ReplyView};
use crate::error::{Refusal, call_error, field_error};
use crate::groups::{leaving, names};
use crate::jobs::Job;
use crate::runtime::{Cx, State};
use crate::wallet::cards::Card;
use crate::{connection, contacts, groups};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weft_wire::content::{Content, Text};
use weft_wire::{Blob, MessageId, Millis, RoomId, limits};

const QUEUE: &[u8] = b"q/";

/// Orders of queued messages begin here: after every row that there will ever be, and exact in a double.
pub(crate) const ORDER_BASE: u64 = 1 << 52;

/// Messages that may wait in one chat.
const QUEUE_MAX: usize = 1_000;

/// How far a queued message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Not on the node, as far as is known.
    Waiting,
    /// The node has it; its entry has not come back yet.
    Taken { seq: u64, time_ms: Millis },
    /// The node will not have it.
    Failed { code: String },
}

/// A message that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Queued {
    pub chat: ChatId,
    pub n: u64,
    pub content: Content,
    pub stage: Stage,
    /// Not shown: a change of one's name.
    #[serde(default)]
    pub hidden: bool,
    /// The room that it was encrypted for, if it was.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// The own node has it, for a hub that is away.
    #[serde(default)]
    pub held: Option<Held>,
}

/// A message that waits at the own node for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The node that is away.
    pub node: String,
    /// The epoch for which it was encrypted. In another one it has to be handed in anew, or else it might come too late.
    pub epoch: u64,
    /// When to ask again what has become of it.
    pub ask_ms: Millis,
}

fn key(chat: ChatId, n: u64) -> Vec<u8> {
    [QUEUE, chat.0.as_bytes(), &n.to_be_bytes()].concat()
}

/// What waits in a chat, in order.
pub(crate) fn of_chat(s: &mut State, chat: ChatId) -> Vec<Queued> {
    s.load_all(&[QUEUE, chat.0.as_bytes()].concat())
}

/// Chats in which something waits.
pub(crate) fn chats(s: &mut State) -> Vec<ChatId> {
    let mut chats: Vec<ChatId> = s.load_all::<Queued>(QUEUE).into_iter().map(|queued| queued.chat).collect();
    chats.dedup();
    chats
}

/// A message in a chat's queue.
pub(crate) fn find_id(s: &mut State, chat: ChatId, id: MessageId) -> Option<Queued> {
    of_chat(s, chat).into_iter().find(|queued| queued.content.id == id)
}

/// Changes how far a message has come.
pub(crate) fn update(s: &mut State, queued: &Queued) {
    s.store(&key(queued.chat, queued.n), queued);
    show(s, queued);
}

/// Takes a message out.
pub(crate) fn remove(s: &mut State, queued: &Queued) {
    s.kv_delete(&key(queued.chat, queued.n));
}

/// Tells the interface how a queued message looks now.
pub(crate) fn show(s: &mut State, queued: &Queued) {
    if queued.hidden {
        return;
    }
    if queued.content.reply_to.is_some() {
        s.live.queued_replies.push((queued.chat, queued.content.id));
        return;
    }
    let view = queued.view(s, None);
    timeline::tell(s, queued.chat, vec![view]);
    tell_chat(s, queued.chat);
}

/// The same, together with what it answers.
pub(crate) async fn show_with_reply(cx: Cx, chat: ChatId, id: MessageId) {
    let Some(queued) = cx.with(|s| find_id(s, chat, id)) else { return };
    let reply = match queued.content.reply_to {
        Some(id) => Some(timeline::reply(&cx, chat, id).await),
        None => None,
    };
    cx.with(|s| {
        // Sent meanwhile: then its row is shown.
        let Some(queued) = find_id(s, chat, id) else { return };
        let view = queued.view(s, reply);
        timeline::tell(s, chat, vec![view]);
        tell_chat(s, chat);
    });
}

/// Tells the interface about the chat, whose last message may be a queued one.
pub(crate) fn tell_chat(s: &mut State, chat: ChatId) {
    if let Some(chat) = find(s, chat) {
        super::tell(s, &chat);
    }
}

impl Queued {
    /// How it looks.
    pub fn view(&self, s: &mut State, reply: Option<ReplyView>) -> MessageView {
        let (time_ms, delivery) = match &self.stage {
            Stage::Waiting if s.live.sending.contains_key(&self.content.id) => {
                (self.content.sent_ms, DeliveryView::Sending)
            }
            Stage::Waiting => (self.content.sent_ms, DeliveryView::Queued),
            Stage::Taken { time_ms, .. } => (*time_ms, DeliveryView::Sent),
            Stage::Failed { .. } => (self.content.sent_ms, DeliveryView::Failed),
        };
        MessageView {
            id: self.content.id.to_string(),
            order: (ORDER_BASE + self.n) as f64,
            sender: s.live.me.as_ref().map(|me| me.user.to_string()).unwrap_or_default(),
            sender_name: None,
            mine: true,
            time_ms: time_ms as f64,
            body: body(&self.content)
                .map_or(crate::api::BodyView::Unknown { fallback: String::new() }, |body| {
                    body.view(s, groups::room_of(self.chat))
                }),
            reply_to: reply.or_else(|| self.content.reply_to.map(timeline::unresolved)),
            delivery,
            waits_for: self.held.as_ref().map(|held| held.node.clone()),
        }
    }
}

/// What a content shows; none: nothing.
pub(crate) fn body(content: &Content) -> Option<Body> {
    match content.kind.as_str() {
        "text" => match weft_wire::decode::<Text>(content.body.as_slice(), limits::MESSAGE_BYTES_MAX) {
            Ok(text) => Some(Body::Text { text: text.text }),
            Err(_) => Some(Body::Unknown { fallback: content.fallback.clone() }),
        },
        names::PROFILE | names::GROUP | leaving::LEAVE => None,
        kind if let Some(card) = Card::read(kind, content.body.as_slice()) => Some(Body::Card(card)),
        _ if content.fallback.is_empty() => None,
        _ => Some(Body::Unknown { fallback: content.fallback.clone() }),
    }
}

/// All that waits in a chat and is shown, with what it answers.
pub(crate) fn views(
    s: &mut State,
    chat: ChatId,
    replies: &BTreeMap<MessageId, ReplyView>,
) -> Vec<MessageView> {
    let waiting = of_chat(s, chat).into_iter().filter(|queued| !queued.hidden);
    let with_reply = |queued: Queued| {
        let reply = queued.content.reply_to.and_then(|id| replies.get(&id).cloned());
        queued.view(s, reply)
    };
    waiting.map(with_reply).collect()
}

/// Queues a text.
pub(crate) async fn send_text(
    cx: &Cx,
    chat: ChatId,
    text: &str,
    reply_to: Option<MessageId>,
) -> Result<MessageView, Refusal> {
    if text.trim().is_empty() {
        return Err(field_error("text", "an empty message says nothing"));
    }
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(field_error("text", "a message has at most 16 KiB"));
    }
    let reply = match reply_to {
        Some(id) => Some(timeline::reply(cx, chat, id).await),
        None => None,
    };
    cx.with(|s| {
        let mut chat = find(s, chat).ok_or_else(|| call_error("unknown_chat", "There is no such chat."))?;
        may_write(s, &chat)?;
        names::introduce(s, &mut chat);
        let body = Blob(weft_wire::encode(&Text { text: text.to_owned() }));
        let queued = push(s, &mut chat, "text", body, reply_to, false)?;
        // A message ends "is typing" at the others. Whoever types on is to be seen again.
        if let Some(room) = chat.room {
            s.live.typing_told.remove(&room);
        }
        let view = queued.view(s, reply);
        timeline::tell(s, chat.id, vec![view.clone()]);
        tell_chat(s, chat.id);
        connection::nudge(s);
        Ok(view)
    })
}

/// Queues a card.
pub(crate) fn push_card(s: &mut State, chat: &mut Chat, card: &Card) -> Result<Queued, Refusal> {
    let mut queued = push(s, chat, card.kind(), card.body(), None, false)?;
    queued.content.fallback = card.fallback();
    s.store(&key(chat.id, queued.n), &queued);
    let view = queued.view(s, None);
    timeline::tell(s, chat.id, vec![view]);
    tell_chat(s, chat.id);
    Ok(queued)
}

/// Whether this chat may be written to at all. Whoever has not answered yet may: it waits.
pub(crate) fn may_write(s: &mut State, chat: &Chat) -> Result<(), Refusal> {
    if let Some(group) = &chat.group {
        let inside = group.is_in();
        return if inside { Ok(()) } else { Err(call_error("not_in_group", "Not in this group.")) };
    }
    match chat.user.as_ref().and_then(|user| contacts::find(s, user)) {
        Some(contact) if contact.changed.is_some() => {
            Err(call_error("key_changed", "This person's key is another one than before."))
        }
        Some(contact)
            if matches!(
                contact.state,
                Some(
                    weft_wire::contacts::ContactState::Accepted | weft_wire::contacts::ContactState::Outgoing
                )
            ) =>
        {
            Ok(())
        }
        _ => Err(call_error("unknown_contact", "This person is no contact.")),
    }
}

/// Queues a content; the job that sends it is wanted at once.
pub(crate) fn push(
    s: &mut State,
    chat: &mut Chat,
    kind: &str,
    body: Blob,
    reply_to: Option<MessageId>,
    hidden: bool,
) -> Result<Queued, Refusal> {
    if of_chat(s, chat.id).len() >= QUEUE_MAX {
        return Err(call_error("too_many", "Too many messages wait in this chat."));
    }
    let content = Content {
        id: MessageId(s.random()),
        sent_ms: s.now,
        kind: kind.into(),
        body,
        fallback: String::new(),
        reply_to,
    };
    let queued = Queued {
        chat: chat.id,
        n: chat.next_queued,
        content,
        stage: Stage::Waiting,
        hidden,
        room: None,
        held: None,
    };
    chat.next_queued += 1;
    if !hidden {
        chat.active_ms = chat.active_ms.max(s.now);
    }
    super::save_quietly(s, chat);
    s.store(&key(chat.id, queued.n), &queued);
    s.jobs.want(Job::Send(chat.id));
    Ok(queued)
}

/// Tries a failed message again.
pub(crate) fn retry(s: &mut State, chat: ChatId, id: MessageId) -> Result<(), Refusal> {
    let mut queued =
        find_id(s, chat, id).ok_or_else(|| call_error("not_found", "This message does not wait."))?;
    if matches!(queued.stage, Stage::Failed { .. }) {
        queued.stage = Stage::Waiting;
        update(s, &queued);
    }
    s.jobs.want(Job::Send(chat));
    connection::nudge(s);
    Ok(())
}

/// Drops a message that was not sent. One that is under way can no longer be called back.
pub(crate) fn discard(s: &mut State, chat: ChatId, id: MessageId) -> Result<(), Refusal> {
    let queued =
        find_id(s, chat, id).ok_or_else(|| call_error("not_found", "This message does not wait."))?;
    let under_way = s.live.sending.contains_key(&id) || matches!(queued.stage, Stage::Taken { .. });
    if under_way || (queued.room.is_some() && queued.stage == Stage::Waiting) {
        return Err(call_error("conflict", "This message is already under way."));
    }
    remove(s, &queued);
    s.event(Event::MessageDiscarded { chat: chat.to_string(), id: id.to_string() });
    tell_chat(s, chat);
    Ok(())
}
