//! Whole stories of people and their devices, against a node in memory.

use crate::support::{World, story::*};
use weft_engine::api::{Call, ConnectionView, DeliveryView, Event, MessageView, Reply};
use weft_wire::invites::Link;
use weft_wire::rooms::{EntryKind, LogEntry};
use weft_wire::{Code, Problem};

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

#[test]
fn who_is_added_by_link_has_the_name_that_the_link_carries() {
    let mut world = signed_up(&["alice", "bob"]);
    let call = Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh: false };
    let Reply::Link(link) = world.call(0, call) else { panic!("a link") };
    let add = Call::AddContact { target: link.url, greeting: String::new() };
    let Reply::Contact(added) = world.call(1, add) else { panic!("a contact") };
    assert_eq!(added.display_name, "ALICE");
    let chat = chat(&mut world, 1, "alice");
    send(&mut world, 1, &chat, "hello");
    world.settle(10_000);
    assert_eq!(contact(&mut world, 1, "alice").unwrap().display_name, "ALICE");
    assert_eq!(contact(&mut world, 0, "bob").unwrap().display_name, "BOB", "the greeting brought it");

    // It is kept in the vault, so that another device has it as well.
    let tablet = world.device();
    let sign_in = Call::SignIn { name: "bob".into(), password: PASSWORD.into() };
    world.call(tablet, sign_in);
    world.settle(10_000);
    assert_eq!(contact(&mut world, tablet, "alice").unwrap().display_name, "ALICE");

    // What she calls herself later stands above it.
    world.call(0, Call::SetDisplayName { name: "Alice of Lindenhof".into() });
    world.settle(10_000);
    assert_eq!(contact(&mut world, 1, "alice").unwrap().display_name, "Alice of Lindenhof");
}

#[test]
fn a_name_alone_is_somebody_of_the_own_node() {
    let mut world = signed_up(&["alice", "bob"]);
    let Reply::LinkPreview(bob) = world.call(0, Call::ReadLink { text: " Bob ".into() }) else { panic!() };
    assert_eq!((bob.user.as_deref(), bob.instant), (Some("bob@home.example"), false));
    let add = |target: &str| Call::AddContact { target: target.into(), greeting: String::new() };
    let Reply::Contact(asked) = world.call(0, add("bob")) else { panic!("a contact") };
    assert_eq!((asked.user.as_str(), asked.state.as_str()), ("bob@home.example", "outgoing"));
    world.settle(5_000);
    world.call(1, Call::AcceptContact { user: "alice".into() });
    world.settle(5_000);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "accepted");
    let Reply::Chat(_) = world.call(0, Call::OpenChat { user: "bob".into() }) else { panic!("a chat") };

    assert_eq!(world.try_call(0, add("alice")).unwrap_err().code, "own_link");
    assert_eq!(world.try_call(0, add("nobody")).unwrap_err().code, "not_found");
    assert_eq!(world.try_call(0, add("no body")).unwrap_err().code, "bad_link");
    // Without an account there is no node of one's own.
    let stranger = world.device();
    let read = Call::ReadLink { text: "bob".into() };
    assert_eq!(world.try_call(stranger, read).unwrap_err().code, "bad_link");
}

#[test]
fn a_request_by_address_waits_for_consent_and_so_do_messages() {
    let mut world = signed_up(&["alice", "bob"]);
    let call = Call::AddContact { target: "bob@home.example".into(), greeting: "we met at the fair".into() };
    let Reply::Contact(asked) = world.call(0, call) else { panic!("a contact") };
    assert_eq!(asked.state, "outgoing");
    let chat = chat(&mut world, 0, "bob");
    send(&mut world, 0, &chat, "are you there?");
    world.settle(5_000);
    assert_eq!(messages(&mut world, 0, &chat)[0].delivery, DeliveryView::Queued);

    let incoming = contact(&mut world, 1, "alice").unwrap();
    assert_eq!((incoming.state.as_str(), incoming.greeting.as_str()), ("incoming", "we met at the fair"));
    assert_eq!(incoming.display_name, "ALICE");
    world.call(1, Call::AcceptContact { user: "alice@home.example".into() });
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat), ["are you there?"]);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().display_name, "BOB");
}

#[test]
fn a_declined_request_leaves_nothing_at_the_one_and_looks_open_to_the_other() {
    let mut world = signed_up(&["alice", "bob"]);
    world.call(0, Call::AddContact { target: "bob@home.example".into(), greeting: String::new() });
    world.settle(1_000);
    world.call(1, Call::DeclineContact { user: "alice@home.example".into() });
    world.settle(1_000);
    assert_eq!(contact(&mut world, 1, "alice"), None);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "outgoing");
}

#[test]
fn an_answer_given_offline_reaches_the_node_later() {
    let mut world = signed_up(&["alice", "bob"]);
    world.call(0, Call::AddContact { target: "bob@home.example".into(), greeting: String::new() });
    world.settle(1_000);
    world.set_online(1, false);
    let Reply::Contact(accepted) = world.call(1, Call::AcceptContact { user: "alice@home.example".into() })
    else {
        panic!("a contact")
    };
    assert_eq!(accepted.state, "accepted");
    world.kill(1);
    world.start(1);
    world.settle(1_000);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "outgoing");
    world.set_online(1, true);
    world.settle(120_000);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "accepted");
}

#[test]
fn what_is_written_offline_goes_out_once_after_a_restart() {
    let (mut world, chat) = talking();
    world.set_online(0, false);
    send(&mut world, 0, &chat, "second");
    send(&mut world, 0, &chat, "third");
    world.settle(3_000);
    assert_eq!(messages(&mut world, 0, &chat).last().unwrap().delivery, DeliveryView::Queued);
    world.kill(0);
    world.start(0);
    world.settle(3_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "second", "third"]);
    world.set_online(0, true);
    world.settle(120_000);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "second", "third"]);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "second", "third"]);
}

#[test]
fn two_who_write_at_the_same_moment_end_in_one_chat() {
    let mut world = signed_up(&["alice", "bob"]);
    connect(&mut world, 0, 1);
    world.settle(2_000);
    let chat = chat(&mut world, 0, "bob");
    self::chat(&mut world, 1, "alice");
    world.set_online(0, false);
    world.set_online(1, false);
    send(&mut world, 0, &chat, "from alice");
    send(&mut world, 1, &chat, "from bob");
    world.settle(1_000);
    world.set_online(0, true);
    world.set_online(1, true);
    world.settle(200_000);
    for at in [0, 1] {
        let mut all = texts(&mut world, at, &chat);
        all.sort();
        assert_eq!(all, ["from alice", "from bob"]);
    }
    send(&mut world, 0, &chat, "and on");
    world.settle(10_000);
    assert_eq!(texts(&mut world, 1, &chat).last().unwrap(), "and on");
    assert_eq!(texts(&mut world, 0, &chat), texts(&mut world, 1, &chat), "the same order on both sides");
}

#[test]
fn people_verify_each_other_by_digits_or_code() {
    let (mut world, _) = talking();
    let safety =
        |world: &mut World, at, user: &str| match world.call(at, Call::SafetyNumber { user: user.into() }) {
            Reply::Safety(view) => view,
            other => panic!("{other:?}"),
        };
    let (bob, alice) = ("bob@home.example", "alice@home.example");
    let mine = safety(&mut world, 0, bob);
    let theirs = safety(&mut world, 1, alice);
    assert_eq!(mine.digits, theirs.digits);
    let scan = |user: &str, code: &str| Call::VerifyByCode { user: user.into(), code: code.into() };
    assert_eq!(world.try_call(1, scan(alice, &theirs.code)).unwrap_err().code, "bad_link", "the own code");
    assert_eq!(world.try_call(1, scan(alice, "https://x")).unwrap_err().code, "bad_link");
    let Reply::Safety(verified) = world.call(1, scan(alice, &mine.code)) else { panic!("safety") };
    assert!(verified.verified);
    assert!(contact(&mut world, 1, "alice").unwrap().verified);
}

#[test]
fn somebody_types_and_stops() {
    let (mut world, chat) = talking();
    let typing = |world: &World| -> Vec<bool> {
        let on = |event: &Event| match event {
            Event::Typing { on, .. } => Some(*on),
            _ => None,
        };
        world.hosts[0].events.iter().filter_map(on).collect()
    };
    for _ in 0..5 {
        world.call(1, Call::Typing { chat: chat.clone(), on: true });
    }
    world.settle(1_000);
    assert_eq!(typing(&world), [true]);
    world.settle(7_000);
    assert_eq!(typing(&world), [true, false], "it ends by itself");
    world.call(1, Call::Typing { chat: chat.clone(), on: true });
    world.settle(100);
    send(&mut world, 1, &chat, "done");
    world.settle(1_000);
    assert_eq!(typing(&world), [true, false, true, false], "a message ends it");
    world.call(1, Call::Typing { chat, on: true });
    world.settle(100);
    assert_eq!(typing(&world).last(), Some(&true), "whoever types on is seen again");
}

#[test]
fn an_answer_shows_what_it_answers() {
    let (mut world, chat) = talking();
    let first = messages(&mut world, 0, &chat).into_iter().find(|m| m.sender.starts_with("bob")).unwrap();
    let call = Call::SendText { chat: chat.clone(), text: "yes".into(), reply_to: Some(first.id.clone()) };
    let Reply::Sent(sent) = world.call(0, call) else { panic!("sent") };
    assert_eq!(sent.reply_to.unwrap().excerpt, "first");
    world.settle(5_000);
    let got = messages(&mut world, 1, &chat).pop().unwrap();
    let reply = got.reply_to.unwrap();
    assert_eq!((reply.id, reply.excerpt.as_str()), (first.id, "first"));
    let shown = world.hosts[1].events.iter().any(|event| match event {
        Event::Messages { messages, .. } => {
            messages.iter().any(|m| m.reply_to.as_ref().is_some_and(|reply| reply.excerpt == "first"))
        }
        _ => false,
    });
    assert!(shown, "also in the event");

    // And it goes on showing it when the message comes further: delivered, then read.
    world.call(1, Call::MarkRead { chat: chat.clone(), order: got.order });
    world.settle(5_000);
    let of_sender = world.hosts[0].events.iter().filter_map(|event| match event {
        Event::Messages { messages, .. } => messages.iter().find(|m| m.id == sent.id),
        _ => None,
    });
    let (mut read, mut excerpts) = (false, Vec::new());
    for view in of_sender {
        read |= view.delivery == DeliveryView::Read;
        excerpts.push(view.reply_to.as_ref().map_or("", |reply| reply.excerpt.as_str()));
    }
    assert!(read);
    assert!(excerpts.iter().all(|excerpt| *excerpt == "first"), "{excerpts:?}");
}

#[test]
fn a_page_ends_where_the_next_begins() {
    let (mut world, chat) = talking();
    for n in 0..25 {
        send(&mut world, n % 2, &chat, &format!("{n}"));
        world.settle(50);
    }
    world.settle(10_000);
    let all = texts(&mut world, 0, &chat);
    assert_eq!(all.len(), 26);
    assert_eq!(all, texts(&mut world, 1, &chat));
    let (mut paged, mut before, mut more) = (Vec::new(), None, true);
    while more {
        let Reply::Messages(page) = world.call(0, Call::Messages { chat: chat.clone(), before, limit: 7 })
        else {
            panic!("messages")
        };
        assert!(page.messages.len() <= 7);
        before = page.messages.first().map(|message| message.order);
        more = page.more;
        paged.splice(0..0, page.messages);
    }
    assert_eq!(paged.len(), messages(&mut world, 0, &chat).len());
    assert!(paged.windows(2).all(|two| two[0].order < two[1].order));
}

#[test]
fn unread_messages_are_counted_until_they_are_read() {
    let (mut world, chat) = talking();
    let unread = |world: &mut World| {
        let Reply::Chats(chats) = world.call(0, Call::Chats) else { panic!("chats") };
        chats[0].unread
    };
    send(&mut world, 1, &chat, "second");
    send(&mut world, 1, &chat, "third");
    world.settle(5_000);
    assert_eq!(unread(&mut world), 3);
    let second = messages(&mut world, 0, &chat).into_iter().rev().nth(1).unwrap();
    world.call(0, Call::MarkRead { chat: chat.clone(), order: second.order });
    assert_eq!(unread(&mut world), 1);
    world.call(0, Call::MarkRead { chat: chat.clone(), order: f64::MAX });
    assert_eq!(unread(&mut world), 0);
    world.call(0, Call::MarkRead { chat: chat.clone(), order: f64::NAN });
    assert_eq!(unread(&mut world), 0);
}

#[test]
fn a_refused_message_can_be_tried_again_or_dropped() {
    let (mut world, chat) = talking();
    world.node.refuse_messages = Some(Problem::new(Code::Forbidden));
    send(&mut world, 0, &chat, "second");
    send(&mut world, 0, &chat, "third");
    world.settle(5_000);
    let failed: Vec<_> = messages(&mut world, 0, &chat)
        .into_iter()
        .filter(|message| message.delivery == DeliveryView::Failed)
        .map(|message| message.id)
        .collect();
    assert_eq!(failed.len(), 2);
    world.node.refuse_messages = None;
    world.call(0, Call::Discard { chat: chat.clone(), id: failed[0].clone() });
    world.call(0, Call::Retry { chat: chat.clone(), id: failed[1].clone() });
    world.settle(5_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "third"]);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "third"]);
    let sent = Call::Discard { chat, id: failed[1].clone() };
    assert_eq!(world.try_call(0, sent).unwrap_err().code, "not_found");
}

#[test]
fn what_the_own_node_keeps_for_a_hub_that_is_away_says_so_and_holds_nothing_up() {
    let (mut world, chat) = talking();
    world.node.refuse_messages = Some(Problem::new(Code::NodeUnreachable).detail("hub.example"));
    for text in ["second", "third", "fourth"] {
        send(&mut world, 0, &chat, text);
    }
    world.settle(1_000);
    // Each was handed in, though the one before it is not at its hub.
    let queued = |message: &MessageView| message.mine && message.delivery == DeliveryView::Queued;
    let waiting: Vec<_> = messages(&mut world, 0, &chat).into_iter().filter(queued).collect();
    assert_eq!(waiting.len(), 3);
    for message in &waiting {
        assert_eq!(message.waits_for.as_deref(), Some("hub.example"));
    }
    let discard = Call::Discard { chat: chat.clone(), id: waiting[0].id.clone() };
    assert_eq!(world.try_call(0, discard).unwrap_err().code, "conflict");
    world.node.refuse_messages = None;
    world.settle(60_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "second", "third", "fourth"]);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "second", "third", "fourth"]);
    assert!(messages(&mut world, 0, &chat).iter().all(|message| message.waits_for.is_none()));
}

#[test]
fn what_the_node_takes_later_waits_as_long_as_it_asks_and_goes_out_in_order() {
    let (mut world, chat) = talking();
    let posts = |world: &World| world.node.requests["POST rooms"];
    // As a node does to whom this account has written as much as it may in a day.
    world.node.refuse_messages = Some(Problem::new(Code::RateLimited).retry_after_ms(600_000));
    let before = posts(&world);
    send(&mut world, 0, &chat, "second");
    send(&mut world, 0, &chat, "third");
    world.settle(590_000);
    assert_eq!(posts(&world) - before, 1, "asked once, and not again before the time");
    let waiting =
        |message: &MessageView| matches!(message.delivery, DeliveryView::Queued | DeliveryView::Sending);
    assert_eq!(messages(&mut world, 0, &chat).iter().filter(|message| waiting(message)).count(), 2);
    world.node.refuse_messages = None;
    world.settle(120_000);
    assert_eq!(texts(&mut world, 1, &chat), ["first", "second", "third"]);
}

#[test]
fn another_key_in_a_known_name_is_an_alarm_and_nothing_is_sent_to_it() {
    let mut world = signed_up(&["alice", "bob", "mallory"]);
    connect(&mut world, 0, 1);
    world.settle(2_000);
    let chat = chat(&mut world, 1, "alice");
    world.node.replace_account("alice", "mallory");
    send(&mut world, 1, &chat, "for alice only");
    world.settle(200_000);
    assert!(notices(&world, 1).contains(&"key_changed"));
    assert!(contact(&mut world, 1, "alice").unwrap().key_changed);
    assert!(lines(&mut world, 1, &chat).contains(&"key_changed".to_owned()));
    assert_eq!(messages(&mut world, 1, &chat)[1].delivery, DeliveryView::Queued);
    let call = Call::SendText { chat: chat.clone(), text: "more".into(), reply_to: None };
    assert_eq!(world.try_call(1, call).unwrap_err().code, "key_changed");
    // The real alice may have come in by herself; nobody was told anything.
    let said = |entry: &LogEntry| entry.envelope.peek().unwrap().kind == EntryKind::Message;
    assert!(!world.node.rooms.values().any(|room| room.log.iter().any(said)), "nothing was sent");
}

#[test]
fn a_link_is_kept_until_a_fresh_one_is_asked_for_and_both_stay_good() {
    let mut world = signed_up(&["alice", "bob", "carol"]);
    let mut link = |fresh| {
        let call = Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh };
        let Reply::Link(link) = world.call(0, call) else { panic!("a link") };
        link.url
    };
    let (first, again, second) = (link(false), link(false), link(true));
    assert_eq!(again, first);
    assert_ne!(second, first);
    assert_eq!(link(false), second, "the fresh one is kept");
    for (who, target) in [(1, first), (2, second)] {
        world.call(who, Call::AddContact { target, greeting: String::new() });
        assert_eq!(contact(&mut world, who, "alice").unwrap().state, "accepted");
    }
}

#[test]
fn a_link_whose_key_is_not_the_node_s_makes_no_contact() {
    let mut world = signed_up(&["alice", "bob", "mallory"]);
    let call = Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh: false };
    let Reply::Link(link) = world.call(0, call) else { panic!("a link") };
    world.node.replace_account("alice", "mallory");
    let add = Call::AddContact { target: link.url, greeting: String::new() };
    assert_eq!(world.try_call(1, add).unwrap_err().code, "key_changed");
    assert_eq!(contact(&mut world, 1, "alice"), None);
}

#[test]
fn a_link_with_another_key_for_somebody_known_is_an_alarm_and_changes_no_pin() {
    let (mut world, chat) = talking();
    let call = Call::CreateLink { invite: false, base_url: "https://home.example".into(), fresh: false };
    let Reply::Link(real) = world.call(0, call) else { panic!("a link") };
    let mut forged = Link::parse(&real.url).unwrap();
    forged.person.as_mut().unwrap().identity_key = [66; 32];
    let add = |target: String| Call::AddContact { target, greeting: String::new() };
    let Reply::Contact(before) = world.call(1, add(real.url.clone())) else { panic!("a contact") };
    assert!(!before.key_changed && !notices(&world, 1).contains(&"key_changed"));

    let error = world.try_call(1, add(forged.to_url("https://home.example"))).unwrap_err();
    assert_eq!(error.code, "key_changed");
    assert!(notices(&world, 1).contains(&"key_changed"));
    assert!(contact(&mut world, 1, "alice").unwrap().key_changed);
    assert!(lines(&mut world, 1, &chat).contains(&"key_changed".to_owned()));
    let send = Call::SendText { chat, text: "for alice only".into(), reply_to: None };
    assert_eq!(world.try_call(1, send).unwrap_err().code, "key_changed");
    world.call(1, add(real.url));
    assert!(contact(&mut world, 1, "alice").unwrap().key_changed, "a person decides, not another link");
}

#[test]
fn a_session_that_the_node_forgot_is_renewed_by_the_device_key() {
    let (mut world, chat) = talking();
    world.node.tokens.clear();
    send(&mut world, 1, &chat, "second");
    world.settle(5_000);
    world.kill(0);
    world.start(0);
    world.settle(10_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "second"]);
}

#[test]
fn a_socket_that_says_nothing_any_more_is_given_up() {
    let (mut world, chat) = talking();
    world.node.deaf = true;
    send(&mut world, 1, &chat, "second");
    let away = world.run_until(60_000, |world| {
        world.hosts[0]
            .events
            .iter()
            .any(|event| matches!(event, Event::Connection(weft_engine::api::ConnectionView::Offline { .. })))
    });
    assert!(away, "noticed within a minute");
    world.node.deaf = false;
    world.settle(120_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first", "second"]);
}

#[test]
fn who_is_blocked_is_not_heard() {
    let (mut world, chat) = talking();
    world.call(0, Call::BlockContact { user: "bob@home.example".into() });
    world.settle(2_000);
    send(&mut world, 1, &chat, "are you angry?");
    world.settle(5_000);
    assert_eq!(texts(&mut world, 0, &chat), ["first"]);
    assert_eq!(contact(&mut world, 0, "bob").unwrap().state, "blocked");
    let call = Call::SendText { chat, text: "no".into(), reply_to: None };
    assert_eq!(world.try_call(0, call).unwrap_err().code, "unknown_contact");
}

#[test]
fn bad_input_is_refused_by_field() {
    let mut world = World::new();
    world.device();
    let sign_up = |name: &str, password: &str| Call::SignUp {
        name: name.into(),
        display_name: "A".into(),
        password: password.into(),
        invite: None,
    };
    let refused = |world: &mut World, call| {
        let error = world.try_call(0, call).unwrap_err();
        (error.code, error.field)
    };
    let field = |code: &str, field: &str| (code.to_owned(), Some(field.to_owned()));
    assert_eq!(refused(&mut world, sign_up("a", PASSWORD)), field("bad_input", "name"));
    assert_eq!(refused(&mut world, sign_up("al ice", PASSWORD)), field("bad_input", "name"));
    assert_eq!(refused(&mut world, sign_up("alice", "too short")), field("weak_password", "password"));
    assert_eq!(refused(&mut world, Call::Chats).0, "not_signed_in");
    assert_eq!(refused(&mut world, Call::ReadLink { text: "https://evil.example/".into() }).0, "bad_link");
    world.call(0, sign_up("alice", PASSWORD));
    assert_eq!(refused(&mut world, sign_up("bob", PASSWORD)).0, "already_signed_in");
    let other = world.device();
    assert_eq!(world.try_call(other, sign_up("alice", PASSWORD)).unwrap_err().code, "name_taken");
    let own = Call::AddContact { target: "alice@home.example".into(), greeting: String::new() };
    assert_eq!(refused(&mut world, own).0, "own_link");
    let nobody = Call::AddContact { target: "nobody@home.example".into(), greeting: String::new() };
    assert_eq!(refused(&mut world, nobody).0, "not_found");
    let no_chat = Call::Messages { chat: "00".into(), before: None, limit: 1 };
    assert_eq!(refused(&mut world, no_chat).0, "unknown_chat");
}

/// How the connection was told to be last.
fn connection(world: &World, at: usize) -> ConnectionView {
    let told = |event: &Event| match event {
        Event::Connection(view) => Some(view.clone()),
        _ => None,
    };
    world.hosts[at].events.iter().rev().find_map(told).unwrap()
}

#[test]
fn who_sends_or_comes_back_does_not_wait_for_the_next_try() {
    for call in [None, Some(Call::Wake)] {
        let (mut world, chat) = talking();
        world.set_online(0, false);
        world.settle(600_000);
        world.set_online(0, true);
        // Nobody is there: the next try is up to a minute away.
        world.settle(50);
        assert!(matches!(connection(&world, 0), ConnectionView::Offline { .. }));
        match call {
            Some(call) => drop(world.call(0, call)),
            None => send(&mut world, 0, &chat, "now"),
        }
        world.settle(50);
        assert_eq!(connection(&world, 0), ConnectionView::Online);
    }
}

#[test]
fn a_draft_that_is_too_long_for_a_message_is_kept_here() {
    let (mut world, chat) = talking();
    let tablet = sign_in(&mut world, "alice");
    let long = "long ".repeat(20_000);
    world.call(0, Call::SetDraft { chat: chat.clone(), text: long.clone() });
    let send = Call::SendText { chat: chat.clone(), text: long.clone(), reply_to: None };
    assert_eq!(world.try_call(0, send).unwrap_err().code, "bad_input");
    world.settle(10_000);
    let draft = |world: &mut World, at| {
        let Reply::Chat(chat) = world.call(at, Call::OpenChat { user: "bob@home.example".into() }) else {
            panic!("a chat")
        };
        chat.draft
    };
    assert_eq!(draft(&mut world, tablet), "", "no room for it in the vault");
    // What another device has in its stead does not overwrite it, and neither does a restart.
    world.call(tablet, Call::SetDraft { chat: chat.clone(), text: "short".into() });
    world.settle(10_000);
    world.kill(0);
    world.start(0);
    assert_eq!(draft(&mut world, 0), long);
    world.call(0, Call::SetDraft { chat: chat.clone(), text: "cut".into() });
    world.settle(10_000);
    assert_eq!(draft(&mut world, tablet), "cut");
    let endless = Call::SetDraft { chat, text: "x".repeat(300 << 10) };
    assert_eq!(world.try_call(0, endless).unwrap_err().code, "bad_input");
}
