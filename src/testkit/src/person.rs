//! A person with one device: the real client, and the few things that stories need.

use crate::{Cast, within};
use anyhow::{Result, anyhow, bail};
use weft_client::{Client, Options};
use weft_engine::api::{
    BodyView, Call, CallError, ChatView, ConnectionView, DeliveryView, Event, MeView, MessageView, Reply,
};

/// Who signs up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// The name on the node.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// The password.
    pub password: String,
}

impl From<Cast> for SignUp {
    fn from(who: Cast) -> Self {
        SignUp {
            name: who.name().to_owned(),
            display_name: who.display_name().to_owned(),
            password: who.password().to_owned(),
        }
    }
}

impl From<&str> for SignUp {
    fn from(name: &str) -> Self {
        SignUp {
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: format!("the password of {name}"),
        }
    }
}

/// Somebody at their device.
pub struct Person {
    /// The client.
    pub client: Client,
    /// The whole address.
    pub address: String,
}

/// The engine's no, as an error.
pub fn refused(error: CallError) -> anyhow::Error {
    anyhow!("{}: {}", error.code, error.message)
}

impl Person {
    /// Makes an account at the node, with a client in memory.
    ///
    /// # Errors
    /// When the node or the engine says no.
    pub async fn sign_up(url: &str, who: SignUp, invite: Option<String>) -> Result<Person> {
        let client = Client::start(Options::memory(url)).await?;
        let call =
            Call::SignUp { name: who.name, display_name: who.display_name, password: who.password, invite };
        Person::entered(client, call).await
    }

    /// Signs in on a new device.
    ///
    /// # Errors
    /// When the node or the engine says no.
    pub async fn sign_in(url: &str, who: impl Into<SignUp>) -> Result<Person> {
        let client = Client::start(Options::memory(url)).await?;
        let who = who.into();
        Person::entered(client, Call::SignIn { name: who.name, password: who.password }).await
    }

    async fn entered(client: Client, call: Call) -> Result<Person> {
        match within("signing in", client.call(call)).await.map_err(refused)? {
            Reply::Me(Some(MeView { user, .. })) => Ok(Person { client, address: user }),
            other => bail!("nobody is signed in: {other:?}"),
        }
    }

    /// Asks the engine.
    ///
    /// # Errors
    /// Its no.
    pub async fn call(&self, call: Call) -> Result<Reply> {
        within("an answer of the engine", self.client.call(call)).await.map_err(refused)
    }

    /// Looks again after each event until there is something to see.
    pub async fn until<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut(&Person) -> Result<Option<T>>,
    ) -> Result<T> {
        let mut events = self.client.events();
        let waiting = async {
            loop {
                if let Some(seen) = look(self).await? {
                    return Ok(seen);
                }
                if events.next().await.is_none() {
                    bail!("{}: the client ended", self.address);
                }
            }
        };
        within(&format!("{}: {what}", self.address), waiting).await
    }

    /// Waits for an event.
    pub async fn event<T>(&self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> Result<T> {
        let mut events = self.client.events();
        let waiting = async {
            while let Some(event) = events.next().await {
                if let Ok(event) = event
                    && let Some(found) = wanted(&event)
                {
                    return Ok(found);
                }
            }
            bail!("{}: the client ended", self.address)
        };
        within(&format!("{}: {what}", self.address), waiting).await
    }

    /// Waits until the connection is in this state. Its state is told by events only, so whoever waits must not be late:
    /// `Wake` makes the engine tell it anew.
    pub async fn online(&self) -> Result<()> {
        let mut events = self.client.events();
        self.call(Call::Wake).await?;
        let waiting = async {
            while let Some(event) = events.next().await {
                if matches!(event, Ok(Event::Connection(ConnectionView::Online))) {
                    return;
                }
            }
        };
        within(&format!("{}: online", self.address), waiting).await;
        Ok(())
    }

    /// A link by which others become a contact at once.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn link(&self) -> Result<String> {
        let call = Call::CreateLink { invite: false, base_url: "http://127.0.0.1".to_owned(), fresh: false };
        match self.call(call).await? {
            Reply::Link(link) => Ok(link.url),
            other => bail!("no link: {other:?}"),
        }
    }

    /// Becomes a contact of the other by their link, and waits until both know.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn connect(&self, other: &Person) -> Result<()> {
        let link = other.link().await?;
        self.call(Call::AddContact { target: link, greeting: "hello".to_owned() }).await?;
        other.until("the new contact", async |me: &Person| me.accepted(&self.address).await).await?;
        self.until("the new contact", async |me: &Person| me.accepted(&other.address).await).await
    }

    async fn accepted(&self, user: &str) -> Result<Option<()>> {
        let Reply::Contacts(contacts) = self.call(Call::Contacts).await? else { bail!("no contacts") };
        Ok(contacts.iter().any(|contact| contact.user == user && contact.state == "accepted").then_some(()))
    }

    /// The chat with a contact.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn chat(&self, with: &str) -> Result<ChatView> {
        match self.call(Call::OpenChat { user: with.to_owned() }).await? {
            Reply::Chat(chat) => Ok(chat),
            other => bail!("no chat: {other:?}"),
        }
    }

    /// Queues a text to a contact, and gives its id.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn say(&self, to: &str, text: &str) -> Result<String> {
        let chat = self.chat(to).await?.chat;
        self.say_in(&chat, text).await
    }

    /// Queues a text in a chat, and gives its id.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn say_in(&self, chat: &str, text: &str) -> Result<String> {
        let call = Call::SendText { chat: chat.to_owned(), text: text.to_owned(), reply_to: None };
        match self.call(call).await? {
            Reply::Sent(message) => Ok(message.id),
            other => bail!("not sent: {other:?}"),
        }
    }

    /// All messages with a contact that are here, oldest first.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn messages(&self, with: &str) -> Result<Vec<MessageView>> {
        let chat = self.chat(with).await?.chat;
        self.messages_in(&chat).await
    }

    /// All messages of a chat that are here, oldest first.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn messages_in(&self, chat: &str) -> Result<Vec<MessageView>> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let call = Call::Messages { chat: chat.to_owned(), before, limit: 200 };
            let Reply::Messages(page) = self.call(call).await? else { bail!("no messages") };
            before = page.messages.first().map(|oldest| oldest.order);
            let more = page.more && before.is_some();
            all.splice(0..0, page.messages);
            if !more {
                return Ok(all);
            }
        }
    }

    /// The texts among [`Self::messages`], each with whether it is one's own.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn texts(&self, with: &str) -> Result<Vec<(bool, String)>> {
        let messages = self.messages(with).await?;
        Ok(messages
            .into_iter()
            .filter_map(|message| match message.body {
                BodyView::Text { text } => Some((message.mine, text)),
                _ => None,
            })
            .collect())
    }

    /// Waits for a text of the other.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn hears(&self, from: &str, text: &str) -> Result<()> {
        let here = async |me: &Person| {
            Ok(me.texts(from).await?.iter().any(|(mine, heard)| !mine && heard == text).then_some(()))
        };
        self.until(&format!("{text:?} of {from}"), here).await
    }

    /// Waits for a text of somebody else in a chat.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn hears_in(&self, chat: &str, text: &str) -> Result<()> {
        let here = async |me: &Person| {
            let messages = me.messages_in(chat).await?;
            let said = |body: &BodyView| matches!(body, BodyView::Text { text: said } if said == text);
            Ok(messages.iter().any(|one| !one.mine && said(&one.body)).then_some(()))
        };
        self.until(&format!("{text:?} in a chat"), here).await
    }

    /// Waits until the node has taken a message: it is on its disk.
    ///
    /// # Errors
    /// As the engine says.
    pub async fn sent(&self, to: &str, id: &str) -> Result<()> {
        let taken = async |me: &Person| {
            let messages = me.messages(to).await?;
            let delivery = messages.iter().find(|message| message.id == id).map(|message| message.delivery);
            let done =
                matches!(delivery, Some(DeliveryView::Sent | DeliveryView::Delivered | DeliveryView::Read));
            Ok(done.then_some(()))
        };
        self.until("the message is on the node", taken).await
    }
}
