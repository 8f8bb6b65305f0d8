//! Whole stories of people and their devices, against a node in memory.

mod support;

use support::World;
use weft_engine::api::{BodyView, Call, ChatView, DeliveryView, Event, MessageView, Reply};

const PASSWORD: &str = "correct horse battery";

fn sign_up(world: &mut World, at: usize, name: &str) {
    let call = Call::SignUp {
        name: name.into(),
        display_name: name.to_uppercase(),
        password: PASSWORD.into(),
        invite: None,
    };
    assert!(matches!(world.call(at, call), Reply::Me(Some(_))));
}

fn connect(world: &mut World, a: usize, b: usize) {
    let Reply::Link(link) =
        world.call(a, Call::CreateLink { invite: false, base_url: "https://home.example".into() })
    else {
        panic!("a link")
    };
    let call = Call::AddContact { target: link.url, greeting: "hi".into() };
    let Reply::Contact(contact) = world.call(b, call) else { panic!("a contact") };
    assert_eq!(contact.state, "accepted");
}

fn chat(world: &mut World, at: usize, user: &str) -> String {
    let Reply::Chat(ChatView { chat, .. }) =
        world.call(at, Call::OpenChat { user: format!("{user}@home.example") })
    else {
        panic!("a chat")
    };
    chat
}

fn send(world: &mut World, at: usize, chat: &str, text: &str) {
    world.call(at, Call::SendText { chat: chat.into(), text: text.into(), reply_to: None });
}

fn messages(world: &mut World, at: usize, chat: &str) -> Vec<MessageView> {
    let call = Call::Messages { chat: chat.into(), before: None, limit: 200 };
    let Reply::Messages(page) = world.call(at, call) else { panic!("messages") };
    page.messages
}

fn texts(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    let text = |message: MessageView| match message.body {
        BodyView::Text { text } => Some(text),
        _ => None,
    };
    messages(world, at, chat).into_iter().filter_map(text).collect()
}

fn lines(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    let line = |message: MessageView| match message.body {
        BodyView::System { code, .. } => Some(code),
        _ => None,
    };
    messages(world, at, chat).into_iter().filter_map(line).collect()
}

#[test]
fn two_people_connect_by_link_and_talk() {
    let mut world = World::new();
    let (alice, bob) = (world.device(), world.device());
    sign_up(&mut world, alice, "alice");
    sign_up(&mut world, bob, "bob");
    connect(&mut world, alice, bob);
    world.settle(5_000);
    let chat = chat(&mut world, bob, "alice");
    send(&mut world, bob, &chat, "hello alice");
    world.settle(5_000);
    assert_eq!(texts(&mut world, alice, &chat), ["hello alice"]);
    send(&mut world, alice, &chat, "hello bob");
    world.settle(5_000);
    for at in [alice, bob] {
        assert_eq!(texts(&mut world, at, &chat), ["hello alice", "hello bob"]);
        assert_eq!(lines(&mut world, at, &chat), ["secured"]);
    }
    assert_eq!(messages(&mut world, bob, &chat)[1].delivery, DeliveryView::Delivered);

    let newest = messages(&mut world, alice, &chat).last().unwrap().order;
    world.call(alice, Call::MarkRead { chat: chat.clone(), order: newest });
    world.settle(5_000);
    assert_eq!(messages(&mut world, bob, &chat)[1].delivery, DeliveryView::Read);
    let told = |event: &Event| {
        matches!(event, Event::Messages { messages, .. }
        if messages.iter().any(|message| message.delivery == DeliveryView::Read))
    };
    assert!(world.hosts[bob].events.iter().any(told), "the interface hears of it");
}
