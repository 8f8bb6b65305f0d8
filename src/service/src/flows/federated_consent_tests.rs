//! Who is brought into rooms of other nodes: nobody who has not agreed, and what is answered tells nothing of whom they know.

use super::{
    federated_tests::{key, node},
    trio::*,
};
use crate::testing::*;
use weft_net::PeerHandler;
use weft_store::{Scan, tables};
use weft_wire::{
    Blob, Code, RoomId, UserAddress, codec,
    federation::{Batch, BatchAck, Event, EventResult},
    limits::{CLOCK_SKEW_MS_MAX, GROUP_INFO_BYTES_MAX},
    rooms::*,
};

/// A node that says what it likes.
struct Liar {
    world: World,
    next: u64,
}

impl Liar {
    async fn new(trio: &Trio) -> Liar {
        Liar { world: node(&trio.net, "liar.example", 9).await, next: 1 }
    }

    fn room(&self) -> RoomId {
        nonces(&self.world.name)[0].0
    }

    fn state(&self, members: &[&UserAddress]) -> RoomState {
        let member = |user: &&UserAddress| RoomMember {
            user: (*user).clone(),
            role: RoomRole::Member,
            delivered: 0,
            missed: vec![],
        };
        RoomState {
            room: self.room(),
            kind: RoomKind::Group,
            hub: self.world.name.clone(),
            nonce: Some(nonces(&self.world.name)[0].1),
            epoch: 1,
            head: 0,
            tail: 1,
            members: members.iter().map(member).collect(),
            items: vec![],
            gone: vec![],
            asking: 0,
        }
    }

    async fn say(&mut self, to: &World, event: Event) -> Result<Option<Accepted>, Code> {
        let next = self.next;
        self.next += 1;
        say(&self.world, to, next, event).await
    }

    async fn names(&mut self, to: &World, members: &[&UserAddress]) -> Result<Option<Accepted>, Code> {
        let state = Some(self.state(members));
        self.say(to, Event::Room { room: self.room(), state, devices: vec![], entries: vec![] }).await
    }
}

async fn say(from: &World, to: &World, first: u64, event: Event) -> Result<Option<Accepted>, Code> {
    let batch = Batch { from: from.name.clone(), run: [7; 16], first, events: vec![event] };
    let answer = to.service.federation().deliver(key(from), codec::encode(&batch)).await;
    let ack: BatchAck = codec::decode(&answer, 4096).unwrap();
    assert_eq!(ack.problem, None);
    match ack.results.into_iter().next() {
        Some((_, EventResult::Refused(problem))) => Err(problem.code),
        Some((_, EventResult::Accepted(accepted))) => Ok(Some(accepted)),
        None => Ok(None),
    }
}

async fn rows(world: &World, table: weft_store::Table) -> usize {
    world.store.scan(table, Scan::prefix([]).limit(10_000)).await.unwrap().len()
}

#[tokio::test]
async fn a_node_learns_nothing_of_contacts_by_naming_people_in_a_room() {
    let trio = Trio::new().await;
    let (mut liar, bobs) = (Liar::new(&trio).await, &trio.worlds[BOB]);
    let [alice, bob, carol] = [ALICE, BOB, CAROL].map(|who| trio.people[who].user.clone());
    let (stranger, nobody): (UserAddress, UserAddress) =
        ("eve@liar.example".parse().unwrap(), UserAddress::new("nobody".parse().unwrap(), bob.node.clone()));
    let rooms = rows(bobs, tables::ROOMS).await;
    // Alice and carol are contacts of bob.
    for named in [vec![&alice, &bob], vec![&carol, &bob], vec![&stranger, &bob], vec![&alice, &nobody]] {
        assert_eq!(liar.names(bobs, &named).await, Err(Code::NoConsent), "{named:?}");
    }
    assert_eq!(liar.names(bobs, &[&alice, &bob, &bob]).await, Err(Code::InvalidField), "named twice");
    assert_eq!(rows(bobs, tables::ROOMS).await, rooms);

    // Alice takes KeyPackages for nothing in particular, and for another room.
    for room in [None, Some(IDS[2])] {
        trio.claim_for(ALICE, BOB, room).await.unwrap();
        assert_eq!(liar.names(bobs, &[&alice, &bob]).await, Err(Code::NoConsent));
    }
    // For that room: who is named beside her counts for nothing.
    trio.claim_for(ALICE, BOB, Some(liar.room())).await.unwrap();
    assert_eq!(liar.names(bobs, &[&carol, &stranger, &bob]).await, Err(Code::NoConsent));
    assert!(liar.names(bobs, &[&alice, &bob]).await.is_ok());
    let listed = bobs.service.rooms().list(trio.people[BOB].caller(), None).await.unwrap().rooms;
    assert_eq!(listed.len(), 2);
    // Once: out is out.
    assert!(liar.names(bobs, &[&alice]).await.is_ok());
    assert!(liar.names(bobs, &[&alice, &bob]).await.is_ok(), "as if he had not been named");
    let listed = bobs.service.rooms().list(trio.people[BOB].caller(), None).await.unwrap().rooms;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn consent_ends_with_the_contact_and_with_time() {
    let trio = Trio::new().await;
    let (mut liar, bobs) = (Liar::new(&trio).await, &trio.worlds[BOB]);
    let [alice, bob] = [ALICE, BOB].map(|who| trio.people[who].user.clone());
    trio.claim_for(ALICE, BOB, Some(liar.room())).await.unwrap();
    bobs.clock.advance(8 * DAY_MS);
    assert_eq!(liar.names(bobs, &[&alice, &bob]).await, Err(Code::NoConsent));
    bobs.service.contacts().sweep().await.unwrap();
    assert_eq!(rows(bobs, tables::CONSENTS).await, 0);

    trio.claim_for(ALICE, BOB, Some(liar.room())).await.unwrap();
    bobs.service.flows().remove_contact(trio.people[BOB].caller(), &alice).await.unwrap();
    assert_eq!(liar.names(bobs, &[&alice, &bob]).await, Err(Code::NoConsent));
    // Nor does somebody who is no contact come by it.
    assert_eq!(trio.claim_for(ALICE, BOB, Some(liar.room())).await.unwrap_err().code, Code::NoConsent);
}

#[tokio::test]
async fn somebody_of_the_same_node_brings_one_in_by_what_they_have_taken() {
    let trio = Trio::new().await;
    let (mut liar, bobs) = (Liar::new(&trio).await, &trio.worlds[BOB]);
    let (bob, dave) = (&trio.people[BOB], bobs.sign_up("dave").await);
    bobs.connect(bob, &dave).await;
    dave.publish(&bobs.service, 2).await;
    assert_eq!(liar.names(bobs, &[&bob.user, &dave.user]).await, Err(Code::NoConsent));
    let flows = bobs.service.flows();
    flows.claim_key_packages(bob.caller(), &dave.user, Some(liar.room())).await.unwrap();
    liar.names(bobs, &[&bob.user, &dave.user]).await.unwrap();
    let copy = bobs.service.rooms().load(liar.room()).await.unwrap();
    assert_eq!(copy.members.iter().map(|member| &member.user).collect::<Vec<_>>(), [&dave.user]);
}

#[tokio::test]
async fn consents_are_bounded_and_nobody_pushes_out_what_others_have() {
    let trio = Trio::new().await;
    let (bobs, bob) = (&trio.worlds[BOB], trio.people[BOB].name());
    let contacts = bobs.service.contacts();
    let room = |n: u32| RoomId(u128::from(n).to_be_bytes());
    let (alice, carol) = (&trio.people[ALICE].user, &trio.people[CAROL].user);
    contacts.note_consent(bob, carol, room(0)).await.unwrap();
    let before = rows(bobs, tables::CONSENTS).await;
    for n in 0..100 {
        bobs.clock.advance(1_000);
        contacts.note_consent(bob, alice, room(n)).await.unwrap();
    }
    // The one by which he came into the room was the oldest of hers.
    assert_eq!(rows(bobs, tables::CONSENTS).await, before + 63);
    let by = |user| std::collections::BTreeSet::from([user]);
    assert!(contacts.consents(bob, room(0), &by(carol)).await.unwrap());
    assert!(contacts.consents(bob, room(99), &by(alice)).await.unwrap());
    assert!(!contacts.consents(bob, room(20), &by(alice)).await.unwrap(), "the oldest goes");
    for n in 0..1_100_u32 {
        let who: UserAddress = format!("user{n}@many.example").parse().unwrap();
        contacts.note_consent(bob, &who, room(7)).await.unwrap();
    }
    assert_eq!(rows(bobs, tables::CONSENTS).await, 1_000);
}

#[tokio::test]
async fn a_direct_room_is_one_with_a_contact() {
    let trio = Trio::new().await;
    let (mut liar, bobs) = (Liar::new(&trio).await, &trio.worlds[BOB]);
    let (bob, eve): (_, UserAddress) = (&trio.people[BOB].user, "eve@liar.example".parse().unwrap());
    let mut state = liar.state(&[bob, &eve]);
    state.kind = RoomKind::Direct { members: (bob.clone(), eve) };
    let event = Event::Room { room: state.room, state: Some(state), devices: vec![], entries: vec![] };
    assert_eq!(liar.say(bobs, event).await, Err(Code::NoConsent));
}

#[tokio::test]
async fn who_has_asked_at_one_hub_is_not_brought_into_a_room_by_another() {
    let trio = Trio::new().await;
    let (mut liar, far) = (Liar::new(&trio).await, &trio.worlds[CAROL]);
    let carol = &trio.people[CAROL];
    let (room, rooms) = (liar.room(), far.service.rooms());
    rooms.note_asked(carol.name(), room, &trio.worlds[ALICE].name).await.unwrap();
    let eve: UserAddress = "eve@liar.example".parse().unwrap();
    assert_eq!(liar.names(far, &[&eve, &carol.user]).await, Err(Code::NoConsent));
    let hub = liar.world.name.clone();
    rooms.note_asked(carol.name(), room, &hub).await.unwrap();
    liar.names(far, &[&eve, &carol.user]).await.unwrap();
}

#[tokio::test]
async fn of_several_who_are_not_let_in_each_is_named_as_gone() {
    let mut trio = Trio::of_three().await;
    let (erin, frank) = (trio.worlds[CAROL].sign_up("erin").await, trio.worlds[CAROL].sign_up("frank").await);
    trio.commit(BOB, &[erin.key_package(false), frank.key_package(false)], &[], None).await.unwrap();
    trio.carry().await;
    trio.carry().await;
    for who in [ALICE, BOB, CAROL] {
        let gone: Vec<_> = trio.state(who).await.unwrap().gone.into_iter().map(|gone| gone.user).collect();
        assert_eq!(gone, [erin.user.clone(), frank.user.clone()], "as {who} sees it");
    }
    for out in [erin, frank] {
        assert_eq!(rows_of(&trio.worlds[CAROL], &out).await, 0);
    }
}

async fn rows_of(world: &World, device: &Device) -> usize {
    let mailbox = [device.name().as_str().as_bytes(), &[0], device.id().as_bytes()].concat();
    world.store.scan(tables::INBOX, Scan::prefix(mailbox)).await.unwrap().len()
}

#[tokio::test]
async fn of_one_room_one_welcome_waits_the_newest_and_none_is_too_large() {
    let trio = Trio::new().await;
    let (home, bobs, bob) = (&trio.worlds[ALICE], &trio.worlds[BOB], &trio.people[BOB]);
    let mut number = 0;
    let mut say_welcome = async |room: RoomId, seq: u64, welcome: Vec<u8>| {
        number += 1;
        let by = trio.people[ALICE].user.clone();
        let to = bob.caller().device_ref();
        let event = Event::Welcome { room, by, to, seq, welcome: Blob(welcome) };
        say(home, bobs, number, event).await
    };
    let waits = async || trio.welcome(BOB).await.unwrap();
    let before = rows_of(bobs, bob).await;
    let long = vec![7; 100 << 10];
    assert_eq!(say_welcome(ROOM, 5, long.clone()).await, Ok(None));
    assert_eq!((rows_of(bobs, bob).await, waits().await), (before, long.clone()));
    assert!(rows(bobs, tables::INBOX_PARTS).await > 0);
    // Others take its place, and leave nothing behind.
    for (seq, welcome) in [(6, 6), (4, 4), (6, 7), (0, 0)] {
        assert_eq!(say_welcome(ROOM, seq, vec![welcome]).await, Ok(None));
    }
    assert_eq!((rows_of(bobs, bob).await, waits().await), (before, vec![6]));
    assert_eq!(rows(bobs, tables::INBOX_PARTS).await, 0);

    assert_eq!(say_welcome(ROOM, 9, vec![7; GROUP_INFO_BYTES_MAX + 1]).await, Err(Code::TooLarge));
    assert_eq!(say_welcome(ROOM, u64::MAX, vec![7]).await, Err(Code::InvalidField));
    assert_eq!(say_welcome(IDS[3], 9, vec![7]).await, Err(Code::NotFound));

    // What was read is gone, and one more may come.
    let mut socket = bob.socket(&bobs.service, 1_000).await;
    assert!(is_quiet(&mut socket).await);
    drop(socket);
    assert_eq!((rows_of(bobs, bob).await, rows(bobs, tables::INBOX_WELCOMES).await), (0, 0));
    assert_eq!(say_welcome(ROOM, 3, vec![3]).await, Ok(None));
    assert_eq!(waits().await, vec![3]);
}

#[tokio::test]
async fn who_has_left_is_welcomed_only_by_somebody_whom_they_let() {
    let trio = Trio::of_three().await;
    let (home, far, carol) = (&trio.worlds[ALICE], &trio.worlds[CAROL], &trio.people[CAROL]);
    let before = rows_of(far, carol).await;
    far.service.flows().leave_room(carol.caller(), ROOM).await.unwrap();
    let welcome = |by: usize, seq| Event::Welcome {
        room: ROOM,
        by: trio.people[by].user.clone(),
        to: carol.caller().device_ref(),
        seq,
        welcome: Blob(vec![1]),
    };
    // The hub goes on as if she were there: it says that she herself has done it, and who had brought her in the first time.
    for (number, by) in [(1, CAROL), (2, BOB), (3, ALICE)] {
        assert_eq!(say(home, far, number, welcome(by, 9)).await, Err(Code::NoConsent));
    }
    assert_eq!(rows_of(far, carol).await, before);
    trio.claim(BOB, CAROL).await.unwrap();
    assert_eq!(say(home, far, 4, welcome(BOB, 9)).await, Ok(None));
}

#[tokio::test]
async fn the_clock_and_the_numbers_of_a_hub_are_bounded() {
    let mut trio = Trio::new().await;
    let liar = &trio.worlds[ALICE].name.clone();
    let said = trio.people[ALICE].message(trio.groups[ALICE].as_mut().unwrap(), ROOM, 9, "late").envelope;
    let (home, bobs) = (&trio.worlds[ALICE], &trio.worlds[BOB]);
    let head = bobs.service.rooms().head(ROOM).await.unwrap();
    let entry = |seq| LogEntry { seq, time_ms: u64::MAX, envelope: said.clone() };
    let event = |entry, state| Event::Room { room: ROOM, state, devices: vec![], entries: vec![entry] };
    assert_eq!(say(home, bobs, 1, event(entry(u64::MAX), None)).await, Err(Code::InvalidField), "{liar}");
    let mut state = trio.state(BOB).await.unwrap();
    state.head = u64::MAX;
    assert_eq!(say(home, bobs, 2, event(entry(head + 1), Some(state))).await, Err(Code::InvalidField));
    assert_eq!(bobs.service.rooms().head(ROOM).await.unwrap(), head);
    say(home, bobs, 3, event(entry(head + 1), None)).await.unwrap();
    let log = trio.log(BOB).await;
    assert_eq!(log.last().map(|entry| entry.time_ms), Some(START_MS + CLOCK_SKEW_MS_MAX));
}

#[tokio::test]
async fn for_one_who_has_asked_to_be_let_in_keys_are_given_a_few_times() {
    let trio = Trio::new().await;
    let far = limited(&trio, "small.example", 5).await;
    let erin = far.sign_up("erin").await;
    erin.publish(&far.service, 20).await;
    let (home, bobs) = (&trio.worlds[ALICE], &trio.worlds[BOB]);
    far.service.rooms().note_asked(erin.name(), ROOM, &home.name).await.unwrap();
    let claim = async |by: &UserAddress, from: &World| {
        use weft_wire::federation::{Answer, Question};
        let question = Question::Claim { by: by.clone(), user: erin.name().clone(), room: Some(ROOM) };
        let answer = far.service.federation().query(key(from), codec::encode(&question)).await;
        match codec::decode(&answer, 1 << 20).unwrap() {
            Answer::Claimed(claimed) => Ok(claimed.packages.len()),
            Answer::Problem(problem) => Err(problem.code),
            other => panic!("{other:?}"),
        }
    };
    // Whoever says that they decide there.
    for n in 0..10 {
        let by = UserAddress::new(format!("admin{n}").parse().unwrap(), home.name.clone());
        assert_eq!(claim(&by, home).await, Ok(1));
    }
    assert_eq!(claim(&trio.people[BOB].user, bobs).await, Err(Code::RateLimited));
    far.clock.advance(3_600_000);
    assert_eq!(claim(&trio.people[BOB].user, bobs).await, Ok(1));
    // Where there is a copy of the room, they are in it, or at home at the hub.
    let frank = far.sign_up("frank").await;
    far.service.rooms().note_asked(frank.name(), ROOM, &home.name).await.unwrap();
    let mut state = trio.state(ALICE).await.unwrap();
    state.members.push(RoomMember {
        user: frank.user.clone(),
        role: RoomRole::Member,
        delivered: 0,
        missed: vec![],
    });
    let event = Event::Room { room: ROOM, state: Some(state), devices: vec![], entries: vec![] };
    say(home, &far, 1, event).await.unwrap();
    let nobody = UserAddress::new("nobody".parse().unwrap(), bobs.name.clone());
    assert_eq!(claim(&nobody, bobs).await, Err(Code::NoConsent));
    assert_eq!(claim(&trio.people[BOB].user, bobs).await, Ok(1));
}

/// A node with its budgets.
async fn limited(trio: &Trio, name: &str, seed: u64) -> World {
    use crate::{ServiceConfig, federation::tests::support::signing_key};
    let config = ServiceConfig {
        signup: weft_wire::node::SignupPolicy::Open,
        rate_limit_factor: 1.0,
        ..ServiceConfig::default()
    };
    let world = World::named(name, signing_key(seed), config).await;
    trio.net.publish(&world.name, seed);
    let federation = world.service.federation();
    federation.connect(trio.net.end(key(&world)), trio.net.clone());
    trio.net.state.lock().handlers.insert(key(&world), std::sync::Arc::new(federation.clone()));
    world
}

#[tokio::test]
async fn who_decides_in_a_group_may_take_keys_for_all_of_a_large_one() {
    let trio = Trio::new().await;
    let far = limited(&trio, "small.example", 5).await;
    let dave = far.sign_up("dave").await;
    let room = nonces(&far.name)[4].0;
    let (request, _) = dave.create_request(RoomKind::Group, room);
    far.service.flows().create_room(dave.caller(), request).await.unwrap();
    let take = async |room| {
        let user: UserAddress = format!("somebody@{}", far.name).parse().unwrap();
        code(far.service.flows().claim_key_packages(dave.caller(), &user, room).await.unwrap_err())
    };
    let mut taken = 0;
    while take(None).await != Code::RateLimited {
        taken += 1;
    }
    assert_eq!(taken, 20, "of one person");
    let claim = async |n: u32, room| {
        let user: UserAddress = format!("user{n}@{}", far.name).parse().unwrap();
        code(far.service.flows().claim_key_packages(dave.caller(), &user, room).await.unwrap_err())
    };
    let mut count = 0;
    while claim(count, None).await != Code::RateLimited {
        count += 1;
    }
    assert_eq!(count, 60 - 21);
    let mut count = 0;
    while claim(count, Some(room)).await != Code::RateLimited {
        count += 1;
    }
    assert_eq!(count, 500);
    // In a room of others one decides nothing.
    assert_eq!(claim(0, Some(ROOM)).await, Code::RateLimited);
}
