//! What stories of groups have in common.

use super::World;
use super::story::{connect, messages, sign_up, signed_up};
use weft_engine::api::{BodyView, Call, ChatView, GroupView, PersonView, Reply};

pub fn create(world: &mut World, at: usize, name: &str, members: &[&str]) -> String {
    let members = members.iter().map(ToString::to_string).collect();
    let Reply::Chat(chat) = world.call(at, Call::CreateGroup { name: name.into(), members }) else {
        panic!("a chat")
    };
    chat.chat
}

/// Alice (0) knows bob (1) and carol (2), who do not know each other, and has made a group with them.
pub fn trio(name: &str) -> (World, String) {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    connect(&mut world, 0, 1);
    connect(&mut world, 0, 2);
    let chat = create(&mut world, 0, name, &["bob", "carol"]);
    world.settle(10_000);
    (world, chat)
}

pub fn newcomer(world: &mut World, name: &str) -> usize {
    let at = world.device();
    sign_up(world, at, name);
    world.settle(5_000);
    at
}

/// Somebody new, who is a contact.
pub fn befriend(world: &mut World, of: usize, name: &str) -> usize {
    let at = newcomer(world, name);
    connect(world, of, at);
    world.settle(5_000);
    at
}

pub fn group(world: &mut World, at: usize, chat: &str) -> GroupView {
    let Reply::Group(group) = world.call(at, Call::Group { chat: chat.into() }) else { panic!("a group") };
    group
}

/// Accounts and roles of the members.
pub fn names(group: &GroupView) -> Vec<String> {
    let name = |user: &str| user.split('@').next().unwrap().to_owned();
    group.members.iter().map(|member| format!("{} {}", name(&member.user), member.role)).collect()
}

pub fn row(world: &mut World, at: usize, chat: &str) -> ChatView {
    let Reply::Chats(chats) = world.call(at, Call::Chats) else { panic!("chats") };
    chats.into_iter().find(|row| row.chat == chat).expect("the chat is in the list")
}

/// The lines of a chat: `added BOB CAROL by ALICE`.
pub fn happened(world: &mut World, at: usize, chat: &str) -> Vec<String> {
    messages(world, at, chat)
        .into_iter()
        .filter_map(|message| match message.body {
            BodyView::System { code, by, people, text, .. } => Some(line(code, by, people, text)),
            _ => None,
        })
        .collect()
}

fn line(code: String, by: Option<PersonView>, people: Vec<PersonView>, text: String) -> String {
    let mut words = vec![code];
    words.extend(people.into_iter().map(|person| person.name));
    words.extend(Some(text).filter(|text| !text.is_empty()));
    words.extend(by.map(|by| format!("by {}", by.name)));
    words.join(" ")
}

pub fn link(world: &mut World, at: usize, chat: &str, approval: bool) -> String {
    let base_url = "https://home.example".into();
    let call = Call::GroupLink { chat: chat.into(), approval, base_url, fresh: false };
    let Reply::GroupLink(link) = world.call(at, call) else { panic!("a link") };
    link.url
}

/// The log up to here is gone: whoever has not read it is out of step.
pub fn forget_log(world: &mut World, chat: &str) {
    let room = room(world, chat);
    room.trimmed = room.log.len() as u64;
}

/// The room of a group, at its hub.
pub fn room<'a>(world: &'a mut World, chat: &str) -> &'a mut super::rooms::Room {
    world.node.rooms.get_mut(&chat.parse().unwrap()).unwrap()
}

/// The hub's own side of a group.
pub fn at_hub<'a>(world: &'a mut World, chat: &str) -> &'a mut super::groups::Group {
    room(world, chat).group.as_mut().unwrap()
}

pub fn address(name: &str) -> weft_wire::UserAddress {
    format!("{name}@home.example").parse().unwrap()
}

pub fn asked(world: &World, what: &str) -> u32 {
    world.node.requests.get(what).copied().unwrap_or(0)
}

/// Where somebody stands with a group.
pub fn state(world: &mut World, at: usize, chat: &str) -> String {
    row(world, at, chat).group.unwrap().state
}
