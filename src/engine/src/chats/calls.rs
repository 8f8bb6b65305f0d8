//! The calls about chats.

use super::{Chat, ChatId, all, find, queue, reads, save, share, timeline, typing, view, with_user};
use crate::api::{Call, Reply};
use crate::contacts;
use crate::error::{Refusal, call_error, field_error};
use crate::runtime::{Cx, State};
use crate::shelf::sorted;
use weft_wire::{MessageId, RoomId};

/// What is kept of what was typed or pasted: far more than one message takes, so that it can be cut into several.
const DRAFT_BYTES_MAX: usize = 256 << 10;

/// Answers a call about chats.
pub(crate) async fn answer(cx: &Cx, call: Call) -> Result<Reply, Refusal> {
    Ok(match call {
        Call::Chats => Reply::Chats(cx.with(list)),
        Call::OpenChat { user } => Reply::Chat(cx.with(|s| open(s, &user))?),
        Call::Messages { chat, before, limit } => {
            let chat = cx.with(|s| chat_of(s, &chat))?;
            let before = before.map(|order| order.max(0.0) as u64);
            Reply::Messages(timeline::page(cx, &chat, before, limit as usize).await)
        }
        Call::SendText { chat, text, reply_to } => {
            let reply_to = reply_to.map(|id| message_id(&id)).transpose()?;
            Reply::Sent(queue::send_text(cx, chat_id(&chat)?, &text, reply_to).await?)
        }
        Call::Retry { chat, id } => done(cx.with(|s| queue::retry(s, chat_id(&chat)?, message_id(&id)?)))?,
        Call::Discard { chat, id } => {
            done(cx.with(|s| queue::discard(s, chat_id(&chat)?, message_id(&id)?)))?
        }
        Call::MarkRead { chat, order } => done(reads::mark_read(cx, chat_id(&chat)?, order).await)?,
        Call::SetDraft { chat, text } => done(cx.with(|s| set_draft(s, &chat, text)))?,
        Call::Typing { chat, on } => done(cx.with(|s| {
            let chat = chat_of(s, &chat)?;
            typing::tell(s, &chat, on);
            Ok(())
        }))?,
        _ => return Err(call_error("bad_input", "This version does not know the call.")),
    })
}

fn done(result: Result<(), Refusal>) -> Result<Reply, Refusal> {
    result.map(|()| Reply::Done)
}

fn chat_id(text: &str) -> Result<ChatId, Refusal> {
    text.parse::<RoomId>().map(ChatId).map_err(|_| call_error("unknown_chat", "There is no such chat."))
}

fn message_id(text: &str) -> Result<MessageId, Refusal> {
    text.parse().map_err(|error| field_error("id", error))
}

pub(crate) fn chat_of(s: &mut State, text: &str) -> Result<Chat, Refusal> {
    find(s, chat_id(text)?).ok_or_else(|| call_error("unknown_chat", "There is no such chat."))
}

/// Newest first. A chat that was opened and never written to is no chat yet.
fn list(s: &mut State) -> Vec<crate::api::ChatView> {
    let shown = all(s).into_iter().filter(Chat::is_shown).collect::<Vec<_>>();
    let mut views: Vec<_> = shown.iter().map(|chat| view(s, chat)).collect();
    views.retain(|chat| chat.last.is_some() || !chat.draft.is_empty());
    sorted(views, |chat| format!("{:020}{}", u64::MAX - chat.active_ms as u64, chat.chat))
}

fn open(s: &mut State, user: &str) -> Result<crate::api::ChatView, Refusal> {
    let contact = contacts::by_address(s, user)?;
    if contact.state.is_none() {
        return Err(call_error("unknown_contact", "This person is no contact."));
    }
    let chat = with_user(s, &contact.user)
        .ok_or_else(|| call_error("not_signed_in", "Nobody is signed in here."))?;
    Ok(view(s, &chat))
}

fn set_draft(s: &mut State, chat: &str, text: String) -> Result<(), Refusal> {
    if text.len() > DRAFT_BYTES_MAX {
        return Err(field_error("text", "a draft has at most 256 KiB"));
    }
    let mut chat = chat_of(s, chat)?;
    if chat.draft != text {
        chat.draft = text;
        save(s, &chat);
        share(s, &chat);
    }
    Ok(())
}
