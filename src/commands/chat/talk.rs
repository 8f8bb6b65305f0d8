//! The conversation: typed lines out, news in.

use super::{Line, out, screen, unsent::Unsent};
use anyhow::Result;
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use weft_client::{Client, Events};
use weft_engine::api::{AnewView, Call, CallError, ChatView, Event, Reply};

const HELP: &str = "\
/to ADDRESS        talk to a contact, or in a group: /to NAME; then every line is a message
/chats  /contacts  what there is
/add TARGET        add a person by link or address; of your own node by name
/link              a link of your own, to hand out
/accept ADDRESS    /decline ADDRESS    /block ADDRESS    /remove ADDRESS
/safety ADDRESS    the digits to compare with the other's screen
/verified ADDRESS  you have compared them
/enter [NAME]      enter a group that this device shows and does not enter by itself; /leave [NAME] goes
/devices           your devices
/sign-out          sign this device out; the messages on it are gone for ever
/quit";

/// Messages shown when a conversation is opened.
const SHOWN: u32 = 20;

/// Who is being talked to.
pub(super) struct Talk<'a> {
    pub(super) client: &'a Client,
    /// Where the node is: what links begin with.
    base_url: &'a str,
    pub(super) chat: Option<ChatView>,
    /// Groups, by their chat: what they are called.
    pub(super) groups: BTreeMap<String, String>,
    /// Of groups that wait for a decision: whom the person has seen.
    pub(super) seen: BTreeMap<String, AnewView>,
    /// What was typed and is not on the node as yet.
    pub(super) unsent: Unsent,
}

/// Goes on until `/quit`, `/sign-out`, the end of the input, or Ctrl+C. Gives whether all that was typed is sent: after the first and
/// third it is waited for.
pub async fn talk(
    client: &Client,
    mut events: Events,
    base_url: &str,
    lines: &mut mpsc::Receiver<Line>,
) -> Result<bool> {
    let mut talk = Talk {
        client,
        base_url,
        chat: None,
        groups: BTreeMap::new(),
        seen: BTreeMap::new(),
        unsent: Unsent::default(),
    };
    talk.know_groups().await;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(Some(line)) => match talk.typed(line.trim()).await {
                    Ok(true) => {}
                    Ok(false) => break talk.send_rest(&mut events).await,
                    Err(error) => out::note(format_args!("* {}", screen::sentence(&error))),
                },
                Some(None) => out::note("* that line is not UTF-8 text, and was left out"),
                None => break talk.send_rest(&mut events).await,
            },
            event = events.next() => match event {
                Some(Ok(event)) => talk.happened(event).await,
                Some(Err(_missed)) => talk.missed().await,
                None => break,
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    Ok(talk.unsent.told())
}

impl Talk<'_> {
    /// Whether to go on.
    async fn typed(&mut self, line: &str) -> Result<bool, CallError> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let user = rest.trim().to_owned();
        match word {
            "" => {}
            "/quit" => return Ok(false),
            "/help" => out::line(HELP),
            "/to" => self.open(user).await?,
            "/chats" | "/contacts" | "/devices" => self.list(word).await?,
            "/add" => self.show(Call::AddContact { target: user, greeting: String::new() }).await?,
            "/accept" => self.show(Call::AcceptContact { user }).await?,
            "/decline" => self.show(Call::DeclineContact { user }).await?,
            "/block" => self.show(Call::BlockContact { user }).await?,
            "/remove" => self.show(Call::RemoveContact { user }).await?,
            "/safety" => self.show(Call::SafetyNumber { user }).await?,
            "/verified" => self.show(Call::SetVerified { user, verified: true }).await?,
            "/enter" => self.enter(rest.trim()).await?,
            "/leave" => self.leave(rest.trim()).await?,
            "/link" => {
                self.show(Call::CreateLink { invite: true, base_url: self.base_url.to_owned(), fresh: false })
                    .await?
            }
            "/sign-out" => {
                self.client.call(Call::SignOut).await?;
                self.unsent = Unsent::default();
                return Ok(false);
            }
            word if word.starts_with('/') => out::note("* no such command; /help lists them"),
            _ => self.say(line).await?,
        }
        Ok(true)
    }

    async fn say(&mut self, text: &str) -> Result<(), CallError> {
        let Some(chat) = &self.chat else {
            out::note("* to whom? /to ADDRESS");
            return Ok(());
        };
        let call = Call::SendText { chat: chat.chat.clone(), text: text.to_owned(), reply_to: None };
        if let Reply::Sent(message) = self.client.call(call).await? {
            self.unsent.typed(&chat.chat, &message);
        }
        Ok(())
    }

    async fn know_groups(&mut self) {
        if let Ok(Reply::Chats(chats)) = self.client.call(Call::Chats).await {
            for chat in &chats {
                self.know(chat);
                self.look_at(chat).await;
            }
        }
    }

    fn know(&mut self, chat: &ChatView) {
        if chat.group.is_some() {
            self.groups.insert(chat.chat.clone(), chat.title.clone());
        }
    }

    /// The group of this name or id; of several with one name, the one that was written in last.
    pub(super) async fn group(&self, name: &str) -> Result<Option<ChatView>, CallError> {
        let Reply::Chats(chats) = self.client.call(Call::Chats).await? else { return Ok(None) };
        let is = |chat: &ChatView| chat.chat == name || chat.title.to_lowercase() == name.to_lowercase();
        Ok(chats.into_iter().find(|chat| chat.group.is_some() && is(chat)))
    }

    async fn open(&mut self, user: String) -> Result<(), CallError> {
        // A contact first: no group is called so that it is taken for a person.
        let chat = match self.client.call(Call::OpenChat { user: user.clone() }).await {
            Ok(Reply::Chat(chat)) => chat,
            Ok(_) => return Ok(()),
            Err(error) => self.group(&user).await?.ok_or(error)?,
        };
        let page = Call::Messages { chat: chat.chat.clone(), before: None, limit: SHOWN };
        if let Reply::Messages(page) = self.client.call(page).await? {
            page.messages.iter().for_each(|message| screen::message(message, None));
            if let Some(newest) = page.messages.last() {
                let read = Call::MarkRead { chat: chat.chat.clone(), order: newest.order };
                self.client.call(read).await?;
            }
        }
        out::note(format_args!("* talking to {}", out::plain(&chat.title)));
        self.chat = Some(chat);
        Ok(())
    }

    async fn list(&self, what: &str) -> Result<(), CallError> {
        let call = match what {
            "/chats" => Call::Chats,
            "/contacts" => Call::Contacts,
            _ => Call::Devices,
        };
        self.show(call).await
    }

    async fn show(&self, call: Call) -> Result<(), CallError> {
        match self.client.call(call).await? {
            Reply::Contact(contact) => screen::contact(&contact),
            Reply::Contacts(contacts) => contacts.iter().for_each(screen::contact),
            Reply::Chats(chats) => chats.iter().for_each(screen::chat),
            Reply::Link(link) => {
                out::line(&link.url);
                out::qr(&link.url);
            }
            Reply::Safety(safety) => {
                safety.digits.chunks(4).for_each(|row| out::line(row.join("  ")));
                out::note(if safety.verified {
                    "* verified"
                } else {
                    "* compare them on both screens, then /verified"
                });
            }
            Reply::Devices(devices) => devices.iter().for_each(|one| out::line(screen::device(one))),
            _ => out::note("* done"),
        }
        Ok(())
    }

    pub(super) async fn happened(&mut self, event: Event) {
        match event {
            Event::Messages { chat, messages } => self.arrived(&chat, &messages).await,
            Event::Chat(chat) => self.know(&chat),
            Event::Group(group) => self.group_changed(&group),
            Event::Contacts(contacts) => contacts.iter().for_each(screen::contact_news),
            Event::Connection(state) => screen::connection(&state),
            Event::Notice { code, user } => {
                let user = user.unwrap_or_default();
                out::note(format_args!("* ATTENTION: {}", screen::notice(&code, &user)));
            }
            Event::Me(None) => out::note("* signed out"),
            _ => {}
        }
    }

    /// Own messages are shown once they are on the node; those of others at once, whoever is being talked to.
    async fn arrived(&mut self, chat: &str, messages: &[weft_engine::api::MessageView]) {
        self.unsent.heard(chat, messages);
        let open = self.chat.as_ref().is_some_and(|open| open.chat == chat);
        for message in messages.iter().filter(|message| !message.mine) {
            screen::message(message, self.groups.get(chat).map(String::as_str));
        }
        if let (true, Some(newest)) = (open, messages.iter().rfind(|message| !message.mine)) {
            let read = Call::MarkRead { chat: chat.to_owned(), order: newest.order };
            let _ = self.client.call(read).await;
        }
    }
}
