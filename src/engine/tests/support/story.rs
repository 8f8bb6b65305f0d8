//! What the stories have in common.

use super::World;
use weft_engine::api::{BodyView, Call, ChatView, ContactView, Event, MessageView, Reply};

pub const PASSWORD: &str = "correct horse battery";

pub fn sign_up(world: &mut World, at: usize, name: &str) {
    let call = Call::SignUp {
        name: name.into(),
        display_name: name.to_uppercase(),
        password: PASSWORD.into(),
        invite: None,
    };
    assert!(matches!(world.call(at, call), Reply::Me(Some(_))));
}

pub fn connect(world: &mut World, a: usize, b: usize) {
    let Reply::Link(link) = world
        .call(a, Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh: false })
    else {
        panic!("a link")
    };
    let call = Call::AddContact { target: link.url, greeting: "hi".into() };
    let Reply::Contact(contact) = world.call(b, call) else { panic!("a contact") };
    assert_eq!(contact.state, "accepted");
}

pub fn chat(world: &mut World, at: usize, user: &str) -> String {
    let Reply::Chat(ChatView { chat, .. }) =
        world.call(at, Call::OpenChat { user: format!("{user}@home.example") })
    else {
        panic!("a chat")
    };
    chat
}

pub fn send(world: &mut World, at: usize, chat: &str, text: &str) {
    world.call(at, Call::SendText { chat: chat.into(), text: text.into(), reply_to: None });
}

pub fn messages(world: &mut World, at: usize, chat: &str) -> Vec<MessageView> {
    let call = Call::Messages { chat: chat.into(), before: None, limit: 200 };
    let Reply::Messages(page) = world.call(at, call) else { panic!("messages") };
    page.messages
}

pub fn texts(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    let text = |message: MessageView| match message.body {
        BodyView::Text { text } => Some(text),
        _ => None,
    };
    messages(world, at, chat).into_iter().filter_map(text).collect()
}

pub fn lines(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    let line = |message: MessageView| match message.body {
        BodyView::System { code, .. } => Some(code),
        _ => None,
    };
    messages(world, at, chat).into_iter().filter_map(line).collect()
}

pub fn signed_up(names: &[&str]) -> World {
    let mut world = World::new();
    for name in names {
        let at = world.device();
        sign_up(&mut world, at, name);
    }
    world
}

/// Alice (0) and bob (1) are contacts and have talked.
pub fn talking() -> (World, String) {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "first");
    world.settle(5_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first"]);
    (world, chat)
}

pub fn sign_in(world: &mut World, name: &str) -> usize {
    let at = world.device();
    world.call(at, Call::SignIn { name: name.into(), password: PASSWORD.into() });
    world.settle(10_000);
    at
}

pub fn contact(world: &mut World, at: usize, user: &str) -> Option<ContactView> {
    let Reply::Contacts(contacts) = world.call(at, Call::Contacts) else { panic!("contacts") };
    contacts.into_iter().find(|contact| contact.user == format!("{user}@home.example"))
}

pub fn notices(world: &World, at: usize) -> Vec<&str> {
    let notice = |event: &'_ Event| match event {
        Event::Notice { code, .. } => Some(code.clone()),
        _ => None,
    };
    world.hosts[at].events.iter().filter_map(notice).map(|code| &*code.leak()).collect()
}
