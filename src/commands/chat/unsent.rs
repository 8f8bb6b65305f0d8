//! What was typed and is not on the node as yet: before this ends it is waited for, and what is left is told.

use super::{out, talk::Talk};
use std::{collections::BTreeSet, time::Duration};
use weft_client::Events;
use weft_engine::api::{Call, DeliveryView, MessageView, Reply};

/// For so long the end waits.
const SENDING_TIME: Duration = Duration::from_secs(10);
/// Messages of a chat that are looked at.
const LOOKED_AT: u32 = 100;

/// Own messages, by chat and id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unsent {
    waiting: BTreeSet<(String, String)>,
    refused: BTreeSet<(String, String)>,
}

impl Unsent {
    /// A message that was put into the queue.
    pub(super) fn typed(&mut self, chat: &str, message: &MessageView) {
        let it = (chat.to_owned(), message.id.clone());
        match message.delivery {
            DeliveryView::Queued | DeliveryView::Sending => drop(self.waiting.insert(it)),
            DeliveryView::Failed => drop(self.refused.insert(it)),
            DeliveryView::None | DeliveryView::Sent | DeliveryView::Delivered | DeliveryView::Read => {}
        }
    }

    /// How far messages have come by now.
    pub(super) fn heard(&mut self, chat: &str, messages: &[MessageView]) {
        for message in messages.iter().filter(|message| message.mine) {
            if self.waiting.remove(&(chat.to_owned(), message.id.clone())) {
                self.typed(chat, message);
            }
        }
    }

    /// Says what is not sent; gives whether all is.
    pub(super) fn told(&self) -> bool {
        self.sentences().iter().for_each(out::note);
        self.waiting.is_empty() && self.refused.is_empty()
    }

    fn sentences(&self) -> Vec<String> {
        let waiting = match self.waiting.len() {
            0 => None,
            1 => Some("* 1 message is not sent yet; it goes out when this is opened again".to_owned()),
            n => Some(format!("* {n} messages are not sent yet; they go out when this is opened again")),
        };
        let refused = match self.refused.len() {
            0 => None,
            1 => Some("* 1 message was refused, and is not sent".to_owned()),
            n => Some(format!("* {n} messages were refused, and are not sent")),
        };
        waiting.into_iter().chain(refused).collect()
    }
}

impl Talk<'_> {
    async fn newest(&self, chat: &str) -> Vec<MessageView> {
        let call = Call::Messages { chat: chat.to_owned(), before: None, limit: LOOKED_AT };
        match self.client.call(call).await {
            Ok(Reply::Messages(page)) => page.messages,
            _ => Vec::new(),
        }
    }

    /// More has happened than could be heard: how far have the messages come?
    pub(super) async fn missed(&mut self) {
        out::note("* much has happened; /chats shows what is new");
        let chats: BTreeSet<String> = self.unsent.waiting.iter().map(|(chat, _)| chat.clone()).collect();
        for chat in chats {
            let newest = self.newest(&chat).await;
            self.unsent.heard(&chat, &newest);
        }
    }

    /// Waits until all is sent, for a while, or until the person has had enough of it.
    pub(super) async fn send_rest(&mut self, events: &mut Events) {
        if self.unsent.waiting.is_empty() {
            return;
        }
        out::note("* sending what was typed");
        let all = async {
            while !self.unsent.waiting.is_empty() {
                match events.next().await {
                    Some(Ok(event)) => self.happened(event).await,
                    Some(Err(_missed)) => self.missed().await,
                    None => return,
                }
            }
        };
        tokio::select! {
            _ = tokio::time::timeout(SENDING_TIME, all) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_engine::api::BodyView;

    fn message(id: &str, delivery: DeliveryView) -> MessageView {
        MessageView {
            id: id.into(),
            order: 1.0,
            sender: "alice@home.example".into(),
            sender_name: None,
            mine: true,
            time_ms: 1.0,
            body: BodyView::Text { text: "hello".into() },
            reply_to: None,
            delivery,
            waits_for: None,
        }
    }

    #[test]
    fn what_is_not_sent_is_counted_until_it_is() {
        let mut unsent = Unsent::default();
        for id in ["1", "2", "3"] {
            unsent.typed("chat", &message(id, DeliveryView::Queued));
        }
        unsent.heard("chat", &[message("1", DeliveryView::Sending), message("9", DeliveryView::Queued)]);
        unsent.heard("other", &[message("1", DeliveryView::Sent)]);
        assert!(unsent.sentences()[0].starts_with("* 3 messages are not sent yet"));
        unsent.heard("chat", &[message("1", DeliveryView::Sent), message("2", DeliveryView::Failed)]);
        let sentences = unsent.sentences();
        assert!(sentences[0].starts_with("* 1 message is not sent yet"), "{sentences:?}");
        assert!(sentences[1].starts_with("* 1 message was refused"), "{sentences:?}");
        unsent.heard("chat", &[message("3", DeliveryView::Read)]);
        assert!(!unsent.told(), "one was refused");
        assert!(Unsent::default().told());
    }
}
