use super::*;
use crate::testing::*;
use weft_wire::{
    Blob, Code,
    contacts::{ContactAccept, ContactRequest, ContactState},
    sync::{InboxItem, ServerFrame},
};

fn ask(to: &Device, greeting: &str, token: Option<&[u8]>) -> ContactRequest {
    ContactRequest { to: to.user.clone(), sealed: sealed(greeting), token: token.map(Blob::from) }
}

async fn states(world: &World, device: &Device) -> Vec<(String, ContactState)> {
    let list = world.service.contacts().list(device.caller(), None).await.unwrap();
    list.contacts.into_iter().map(|contact| (contact.user.to_string(), contact.state)).collect()
}

/// What a device's inbox says of contacts.
async fn news(world: &World, device: &Device) -> Vec<(UserAddress, Option<ContactState>, Option<Blob>)> {
    let mut socket = device.socket(&world.service, 0).await;
    let mut news = Vec::new();
    while !is_quiet_inbox(&mut socket, &mut news).await {}
    news
}

async fn is_quiet_inbox(
    socket: &mut crate::SyncSession,
    news: &mut Vec<(UserAddress, Option<ContactState>, Option<Blob>)>,
) -> bool {
    let Ok(frame) = tokio::time::timeout(std::time::Duration::from_millis(50), socket.next()).await else {
        return true;
    };
    let ServerFrame::Inbox { items } = frame.unwrap() else { panic!("not an inbox") };
    for entry in items {
        if let InboxItem::Contact { user, state, sealed, .. } = entry.item {
            news.push((user, state, sealed));
        }
    }
    false
}

#[tokio::test]
async fn one_asks_the_other_agrees_and_all_devices_are_told() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let mut tablet = Device::new("bob", 2);
    tablet.sign_in(&world.service).await.unwrap();
    let flows = world.service.flows();
    let answer = flows.request_contact(alice.caller(), ask(&bob, "it is me", None)).await.unwrap();
    assert_eq!(answer.state, ContactState::Outgoing);
    assert_eq!(states(&world, &bob).await, [("alice@home.example".to_owned(), ContactState::Incoming)]);
    let accept = ContactAccept { sealed: sealed("hello back") };
    flows.accept_contact(bob.caller(), &alice.user, accept.clone()).await.unwrap();
    flows.accept_contact(bob.caller(), &alice.user, accept).await.unwrap();
    assert_eq!(states(&world, &alice).await, [("bob@home.example".to_owned(), ContactState::Accepted)]);
    assert_eq!(states(&world, &bob).await, [("alice@home.example".to_owned(), ContactState::Accepted)]);
    for device in [&bob, &tablet] {
        let told = news(&world, device).await;
        assert_eq!(told, [(alice.user.clone(), Some(ContactState::Accepted), Some(sealed("it is me")))]);
    }
    let told = news(&world, &alice).await;
    assert_eq!(
        told.last().unwrap(),
        &(bob.user.clone(), Some(ContactState::Accepted), Some(sealed("hello back")))
    );
}

#[tokio::test]
async fn a_personal_link_makes_contacts_at_once_and_only_as_often_as_it_says() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let (carol, dave) = (world.sign_up("carol").await, world.sign_up("dave").await);
    let token = [7; 16];
    let link =
        CreateContactLink { token_hash: *blake3::hash(&token).as_bytes(), uses: 2, lifetime_ms: DAY_MS };
    world.service.contacts().create_link(alice.caller(), link.clone()).await.unwrap();
    world.service.contacts().create_link(alice.caller(), link.clone()).await.unwrap();
    let error = world.service.contacts().create_link(bob.caller(), link).await.unwrap_err();
    assert_eq!(code(error), Code::IdConflict);

    let flows = world.service.flows();
    for device in [&bob, &carol] {
        let answer =
            flows.request_contact(device.caller(), ask(&alice, "by link", Some(&token))).await.unwrap();
        assert_eq!(answer.state, ContactState::Accepted);
    }
    let error = flows.request_contact(dave.caller(), ask(&alice, "late", Some(&token))).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    assert_eq!(states(&world, &dave).await, []);
    // Another's token opens nobody else's door.
    let other =
        CreateContactLink { token_hash: *blake3::hash(&[8; 16]).as_bytes(), uses: 1, lifetime_ms: 1_000 };
    world.service.contacts().create_link(bob.caller(), other).await.unwrap();
    let error = flows.request_contact(dave.caller(), ask(&alice, "x", Some(&[8; 16]))).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    world.clock.advance(1_000);
    let error = flows.request_contact(dave.caller(), ask(&bob, "x", Some(&[8; 16]))).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    assert_eq!(crate::Worker::Sweep.run_once(&world.service).await.unwrap(), 1);
}

#[tokio::test]
async fn declined_and_blocked_look_like_no_answer() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let (carol, flows) = (world.sign_up("carol").await, world.service.flows());
    flows.request_contact(alice.caller(), ask(&bob, "1", None)).await.unwrap();
    flows.decline_contact(bob.caller(), &alice.user).await.unwrap();
    flows.block_contact(bob.caller(), &carol.user).await.unwrap();
    for device in [&alice, &carol] {
        let answer = flows.request_contact(device.caller(), ask(&bob, "again", None)).await.unwrap();
        assert_eq!(answer.state, ContactState::Outgoing);
        assert_eq!(states(&world, device).await, [("bob@home.example".to_owned(), ContactState::Outgoing)]);
    }
    assert_eq!(states(&world, &bob).await, [("carol@home.example".to_owned(), ContactState::Blocked)]);
    // One who declined may ask by themselves later: both want it then.
    let answer = flows.request_contact(bob.caller(), ask(&alice, "after all", None)).await.unwrap();
    assert_eq!(answer.state, ContactState::Accepted);
    let error = flows.request_contact(bob.caller(), ask(&carol, "x", None)).await.unwrap_err();
    assert_eq!(code(error), Code::Conflict);
    // A link does not help one who is blocked; that it is refused or used up as ever tells them nothing.
    let link =
        CreateContactLink { token_hash: *blake3::hash(&[7; 16]).as_bytes(), uses: 2, lifetime_ms: DAY_MS };
    world.service.contacts().create_link(bob.caller(), link).await.unwrap();
    let answer = flows.request_contact(carol.caller(), ask(&bob, "x", Some(&[7; 16]))).await.unwrap();
    assert_eq!(answer.state, ContactState::Outgoing);
    let error = flows.request_contact(carol.caller(), ask(&bob, "x", Some(&[8; 16]))).await.unwrap_err();
    assert_eq!(code(error), Code::InviteInvalid);
    flows.remove_contact(bob.caller(), &carol.user).await.unwrap();
    let answer = flows.request_contact(carol.caller(), ask(&bob, "x", Some(&[7; 16]))).await.unwrap();
    assert_eq!(answer.state, ContactState::Accepted);
}

/// What one can do with a contact, step by step, by somebody who was blocked and by somebody who was not: the node answers
/// alike, so that nobody finds out by trying.
#[tokio::test]
async fn who_was_blocked_gets_the_answers_of_a_contact() {
    let mut answers = Vec::new();
    for blocked in [false, true] {
        let world = World::new().await;
        let (alice, bob) = world.two_contacts().await;
        let flows = world.service.flows();
        alice.publish(&world.service, 3).await;
        if blocked {
            flows.block_contact(alice.caller(), &bob.user).await.unwrap();
        }
        assert_eq!(states(&world, &bob).await, [("alice@home.example".to_owned(), ContactState::Accepted)]);
        let told = news(&world, &bob).await.len();
        let asked = flows.request_contact(bob.caller(), ask(&alice, "again", None)).await.unwrap();
        let room = IDS[1];
        let mut at_bob = bob.create_direct(&world.service, &alice, room).await.unwrap();
        let added = world.add(&bob, &mut at_bob, room, &alice).await;
        let message = bob.message(&mut at_bob, room, 1, "are you there?");
        let taken = world.service.rooms().submit_message(bob.caller(), room, message).await.unwrap();
        answers.push((told, asked.state, added.added.len(), taken.seq, taken.epoch));

        // A group is another matter: there a third person would see them together.
        let group = IDS[2];
        let (request, mut at_bob) = bob.create_request(weft_wire::rooms::RoomKind::Group, group);
        flows.create_room(bob.caller(), request).await.unwrap();
        let claimed = flows.claim_key_packages(bob.caller(), &alice.user, None).await.unwrap();
        let packages: Vec<_> = claimed.packages.into_iter().map(|package| package.key_package).collect();
        let prepared = bob.prepare(&mut at_bob, &packages, &[]);
        let submitted = flows.submit_commit(bob.caller(), group, bob.commit(group, &prepared, 0xfe)).await;
        assert_eq!(submitted.err().map(code), blocked.then_some(Code::NoConsent));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_contact_that_is_removed_is_gone_for_both() {
    let world = World::new().await;
    let (alice, bob) = world.two_contacts().await;
    world.service.flows().remove_contact(alice.caller(), &bob.user).await.unwrap();
    assert_eq!((states(&world, &alice).await, states(&world, &bob).await), (vec![], vec![]));
    assert_eq!(news(&world, &bob).await.last().unwrap().1, None);
    let error = world.service.flows().claim_key_packages(alice.caller(), &bob.user, None).await.unwrap_err();
    assert_eq!(code(error), Code::NoConsent);
    let error = world.service.flows().remove_contact(alice.caller(), &bob.user).await.unwrap_err();
    assert_eq!(code(error), Code::NotFound);
}

#[tokio::test]
async fn odd_requests_are_refused() {
    let world = World::new().await;
    let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
    let flows = world.service.flows();
    let error = flows.request_contact(alice.caller(), ask(&alice, "me", None)).await.unwrap_err();
    assert_eq!(code(error), Code::InvalidField);
    let mut nobody = ask(&bob, "x", None);
    nobody.to = "nobody@home.example".parse().unwrap();
    assert_eq!(
        code(flows.request_contact(alice.caller(), nobody.clone()).await.unwrap_err()),
        Code::NotFound
    );
    nobody.to = "bob@elsewhere.example".parse().unwrap();
    assert_eq!(code(flows.request_contact(alice.caller(), nobody).await.unwrap_err()), Code::NotFound);
    let large = ask(&bob, &"x".repeat(5_000), None);
    assert_eq!(code(flows.request_contact(alice.caller(), large).await.unwrap_err()), Code::TooLarge);
    let accept = ContactAccept { sealed: sealed("x") };
    let error = flows.accept_contact(alice.caller(), &bob.user, accept).await.unwrap_err();
    assert_eq!(code(error), Code::NotFound);
    // Nobody answers their own request.
    flows.request_contact(alice.caller(), ask(&bob, "1", None)).await.unwrap();
    let accept = ContactAccept { sealed: sealed("x") };
    let error = flows.accept_contact(alice.caller(), &bob.user, accept).await.unwrap_err();
    assert_eq!(code(error), Code::NotFound);
    assert_eq!(code(flows.decline_contact(alice.caller(), &bob.user).await.unwrap_err()), Code::NotFound);
}

#[tokio::test]
async fn requests_that_wait_are_capped_and_the_list_has_pages() {
    let world = World::new().await;
    let bob = world.sign_up("bob").await;
    let flows = world.service.flows();
    for n in 0..200 {
        let device = world.sign_up(&format!("person{n:03}")).await;
        flows.request_contact(device.caller(), ask(&bob, "x", None)).await.unwrap();
    }
    let late = world.sign_up("late").await;
    assert_eq!(
        code(flows.request_contact(late.caller(), ask(&bob, "x", None)).await.unwrap_err()),
        Code::TooMany
    );
    flows.decline_contact(bob.caller(), &"person000@home.example".parse().unwrap()).await.unwrap();
    flows.request_contact(late.caller(), ask(&bob, "x", None)).await.unwrap();
    let first = world.service.contacts().list(bob.caller(), None).await.unwrap();
    assert_eq!((first.contacts.len(), first.more), (200, false));
    let after = &first.contacts[149].user;
    let second = world.service.contacts().list(bob.caller(), Some(after)).await.unwrap();
    assert_eq!(second.contacts, first.contacts[150..]);
}
