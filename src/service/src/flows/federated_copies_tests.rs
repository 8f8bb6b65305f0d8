//! What a hub and the followers of its groups may do to one another: alice's node is the hub, carol's follows.

use super::{federated_tests::key, trio::*};
use crate::{
    context::joined,
    federation::{Bridge as _, Outcome},
    outgoing::{FollowerRecord, OutboxRecord, Outgoing, SaidRecord, follower_key},
    testing::*,
};
use weft_net::PeerHandler;
use weft_store::{Batch, Scan, Table, record::Record, tables};
use weft_wire::{
    Code, DeviceId, Problem, UserAddress, codec,
    federation::{Batch as EventBatch, BatchAck, Event, EventResult},
    rooms::*,
};

impl Trio {
    /// What the hub has for carol's node in its log, and what it would say of the room.
    async fn news(&self) -> (Vec<u64>, Option<RoomState>) {
        let flows = self.worlds[ALICE].service.flows();
        let event = flows.read_news(&self.worlds[CAROL].name, ROOM, false, true).await.unwrap();
        let Event::Room { state, entries, .. } = event else { panic!("another event") };
        (entries.iter().map(|entry| entry.seq).collect(), state)
    }

    /// Carol's node answers news of the room.
    async fn answers(&self, seq: Option<u64>) {
        let (flows, to) = (self.worlds[ALICE].service.flows(), &self.worlds[CAROL].name);
        let noted = async |tx| flows.note_follower(&tx, to, ROOM, seq).await;
        self.worlds[ALICE].store.transact(noted).await.unwrap();
    }

    async fn follower(&self) -> Option<FollowerRecord> {
        let key = follower_key(ROOM, &self.worlds[CAROL].name);
        let row = self.worlds[ALICE].store.get(tables::ROOM_FOLLOWERS, &key).await.unwrap();
        row.map(|row| FollowerRecord::from_record(&row.value).unwrap())
    }

    /// Carol's node refuses news of the room.
    async fn refuses(&self, code: Code) {
        let (flows, to) = (self.worlds[ALICE].service.flows(), &self.worlds[CAROL].name);
        let item = &Outgoing::Room { room: ROOM, state: true };
        let refused = &Outcome::Result(EventResult::Refused(Problem::new(code)));
        let settled = async |tx| flows.settle(&tx, to, item, refused).await;
        self.worlds[ALICE].store.transact(settled).await.unwrap();
    }

    async fn waiting(&self, from: usize, to: usize) -> u64 {
        self.worlds[from].service.federation().waiting(&self.worlds[to].name).await.unwrap()
    }

    /// The hub says something that it made up.
    async fn forge(&mut self, event: Event) -> Option<EventResult> {
        self.forged += 1;
        let (from, run) = (self.worlds[ALICE].name.clone(), [0xfe; 16]);
        let batch = EventBatch { from, run, first: self.forged, events: vec![event] };
        let federation = self.worlds[CAROL].service.federation();
        let answer = federation.deliver(key(&self.worlds[ALICE]), codec::encode(&batch)).await;
        let ack: BatchAck = codec::decode(&answer, 1 << 20).unwrap();
        assert_eq!((ack.upto, ack.problem), (self.forged, None));
        ack.results.into_iter().next().map(|(_, result)| result)
    }

    async fn forge_state(&mut self, state: &RoomState, devices: &[DeviceRef]) {
        let entries = self.worlds[ALICE].service.rooms().log(self.people[ALICE].caller(), ROOM, 0, 9).await;
        let entries = entries.unwrap().entries;
        let event =
            Event::Room { room: ROOM, state: Some(state.clone()), devices: devices.to_vec(), entries };
        let result = self.forge(event).await;
        assert!(matches!(result, Some(EventResult::Accepted(_))), "{result:?}");
    }

    /// How many rows of the room carol's node has in a table.
    async fn rows(&self, table: Table) -> usize {
        let scan = Scan::prefix(ROOM.as_bytes()).limit(10_000);
        self.worlds[CAROL].store.scan(table, scan).await.unwrap().len()
    }

    /// What the hub made of carol's leaving.
    async fn settles(&self, result: EventResult) {
        let flows = self.worlds[CAROL].service.flows();
        let left = Event::Left { room: ROOM, user: self.people[CAROL].user.clone() };
        let (left, outcome) = (&left, &Outcome::Result(result));
        let hub = &self.worlds[ALICE].name;
        for again in [false, true] {
            let settled = async |tx| flows.settle_left(&tx, hub, left, again, outcome).await;
            self.worlds[CAROL].store.transact(settled).await.unwrap();
        }
    }

    async fn carol_leaves(&self) {
        let flows = self.worlds[CAROL].service.flows();
        flows.leave_room(self.people[CAROL].caller(), ROOM).await.unwrap();
    }
}

const OF_A_COPY: [Table; 9] = [
    tables::ROOMS,
    tables::ROOM_PARTS,
    tables::ROOM_LOG,
    tables::ROOM_MESSAGE_IDS,
    tables::ROOM_CURSORS,
    tables::ROOM_ITEMS,
    tables::ROOM_HEADS,
    tables::ROOM_DOORS,
    tables::OUTBOX_SAID,
];

#[tokio::test]
async fn a_follower_reads_nothing_from_before_its_people_came_or_after_they_went() {
    let mut trio = Trio::new().await;
    trio.says(ALICE, "before").await.unwrap();
    trio.says(ALICE, "still before").await.unwrap();
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.carry().await;
    trio.enter(CAROL).await;
    trio.catch_up(ALICE).await;
    trio.says(ALICE, "welcome").await.unwrap();
    trio.carry().await;
    assert_eq!(trio.news().await.0, [0_u64; 0]);
    // As if it had lost everything.
    trio.answers(Some(0)).await;
    assert_eq!(trio.news().await.0, [4, 5], "the commit that brought carol, and what came after it");
    trio.answers(None).await;
    assert_eq!(trio.news().await.0, [4, 5]);
    trio.carry().await;

    trio.cut(CAROL, true);
    trio.says(ALICE, "and now?").await.unwrap();
    let carol = trio.people[CAROL].id();
    trio.commit(ALICE, &[], &[carol], None).await.unwrap();
    trio.says(ALICE, "after").await.unwrap();
    let (entries, state) = trio.news().await;
    assert_eq!(entries, [6, 7], "up to the commit that took carol out");
    let state = state.unwrap();
    assert_eq!((state.members, state.gone), (vec![], vec![]), "who goes on is not for that node");
    trio.cut(CAROL, false);
    trio.carry().await;
    assert_eq!((trio.follower().await, trio.state(CAROL).await), (None, None));
    // Nothing that it says changes that.
    for answer in [Some(0), Some(7), None] {
        trio.answers(answer).await;
        assert_eq!((trio.follower().await, trio.news().await), (None, (vec![], None)));
    }
    trio.says(ALICE, "long after").await.unwrap();
    trio.commit(ALICE, &[], &[], None).await.unwrap();
    assert_eq!(trio.waiting(ALICE, CAROL).await, 0);
}

#[tokio::test]
async fn a_follower_whose_last_people_leave_hears_of_nothing_after_it() {
    let mut trio = Trio::of_three().await;
    trio.carol_leaves().await;
    trio.round(CAROL, ALICE).await;
    trio.says(ALICE, "she has left").await.unwrap();
    trio.carry().await;
    assert_eq!((trio.follower().await, trio.news().await), (None, (vec![], None)));
    // Her leaf goes, and her node hears nothing of it.
    let carol = trio.people[CAROL].id();
    trio.commit(ALICE, &[], &[carol], None).await.unwrap();
    assert_eq!(trio.waiting(ALICE, CAROL).await, 0);
    // Brought back, she begins anew.
    trio.carry().await;
    trio.catch_up(BOB).await;
    trio.people[CAROL].publish(&trio.worlds[CAROL].service, 3).await;
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.carry().await;
    assert_eq!(trio.follower().await.unwrap().until, None);
    assert_eq!(trio.names(CAROL).await, ["alice", "bob", "carol"]);
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
    trio.groups[CAROL] = None;
    trio.enter(CAROL).await;
    trio.says(CAROL, "here I am").await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn who_comes_back_by_the_commit_that_takes_their_old_leaf_reads_nothing_from_between() {
    let mut trio = Trio::of_three().await;
    trio.carol_leaves().await;
    trio.round(CAROL, ALICE).await;
    let said = trio.says(ALICE, "she has left").await.unwrap();
    trio.carry().await;
    trio.catch_up(BOB).await;
    trio.people[CAROL].publish(&trio.worlds[CAROL].service, 3).await;
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    let carol = trio.people[CAROL].id();
    trio.commit(BOB, &packages, &[carol], None).await.unwrap();
    let room = trio.worlds[ALICE].service.rooms().load(ROOM).await.unwrap();
    let since = room.member(&trio.people[CAROL].user).unwrap().since;
    assert!(since >= said.seq, "{since}");
    trio.carry().await;
    assert!(trio.log(CAROL).await.iter().all(|entry| entry.seq > said.seq));
}

#[tokio::test]
async fn answers_that_lead_nowhere_make_the_hub_send_no_more() {
    let mut trio = Trio::of_three().await;
    for text in ["one", "two", "three"] {
        trio.says(ALICE, text).await.unwrap();
    }
    trio.carry().await;
    let head = trio.worlds[ALICE].service.rooms().head(ROOM).await.unwrap();
    for answer in [Some(head - 1), Some(head - 2)].repeat(20).into_iter().chain([None; 20]) {
        trio.answers(answer).await;
    }
    assert_eq!(trio.waiting(ALICE, CAROL).await, 1);
    // Whoever answers as it should is heard again.
    trio.carry().await;
    trio.says(ALICE, "four").await.unwrap();
    trio.carry().await;
    assert_eq!(trio.follower().await.unwrap(), FollowerRecord::from(head + 1));
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn a_follower_that_refuses_news_hears_them_again_and_not_for_ever() {
    for code in [Code::Internal, Code::Conflict] {
        let mut trio = Trio::of_three().await;
        trio.says(ALICE, "one").await.unwrap();
        trio.carry().await;
        assert_eq!(trio.waiting(ALICE, CAROL).await, 0);
        trio.refuses(code).await;
        assert_eq!(trio.waiting(ALICE, CAROL).await, 1, "{code:?}");
        for _ in 0..20 {
            trio.refuses(code).await;
        }
        assert_eq!(trio.waiting(ALICE, CAROL).await, 1, "{code:?}");
        // It takes them again: with the next ones, and what the room is like.
        let rows = trio.worlds[ALICE].store.scan(tables::OUTBOX, Scan::prefix([])).await.unwrap();
        let gone = rows.iter().fold(Batch::new(), |batch, row| batch.delete(tables::OUTBOX, &row.key));
        trio.worlds[ALICE].store.commit(gone).await.unwrap();
        assert!(trio.news().await.1.is_some(), "{code:?}");
        trio.says(ALICE, "two").await.unwrap();
        trio.carry().await;
        let head = trio.worlds[ALICE].service.rooms().head(ROOM).await.unwrap();
        assert_eq!(trio.follower().await.unwrap(), FollowerRecord::from(head), "{code:?}");
        trio.assert_alike(&[ALICE, BOB, CAROL]).await;
    }
}

#[tokio::test]
async fn a_copy_that_was_lost_is_given_again_from_where_its_people_came() {
    let mut trio = Trio::of_three().await;
    trio.says(ALICE, "hello").await.unwrap();
    trio.carry().await;
    let far = &trio.worlds[CAROL].store;
    let name = trio.people[CAROL].name().as_str();
    let mut lost = Batch::new().delete(tables::ROOMS_OF, joined(name, ROOM.as_bytes()));
    for table in OF_A_COPY {
        for row in far.scan(table, Scan::prefix(ROOM.as_bytes())).await.unwrap() {
            lost = lost.delete(table, &row.key);
        }
    }
    far.commit(lost).await.unwrap();
    trio.says(ALICE, "is anybody there?").await.unwrap();
    trio.carry().await;
    assert_eq!(trio.names(CAROL).await, ["alice", "bob", "carol"]);
    assert_eq!(trio.log(CAROL).await.len(), 3);
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn devices_that_there_are_not_leave_nothing_on_disk() {
    let mut trio = Trio::of_three().await;
    let state = trio.state(ALICE).await.unwrap();
    let mut devices: Vec<_> = trio.people.iter().map(|one| one.caller().device_ref()).collect();
    let before = trio.rows(tables::ROOM_CURSORS).await;
    for number in 0..100 {
        devices.push(DeviceRef { user: trio.people[CAROL].user.clone(), device: DeviceId([number; 16]) });
    }
    trio.forge_state(&state, &devices).await;
    assert_eq!(trio.rows(tables::ROOM_CURSORS).await, before);
    let copy = trio.worlds[CAROL].service.rooms().load(ROOM).await.unwrap();
    assert_eq!(copy.member(&trio.people[CAROL].user).unwrap().devices, [trio.people[CAROL].id()]);
}

#[tokio::test]
async fn what_people_had_in_a_copy_goes_with_them() {
    let mut trio = Trio::of_three().await;
    let state = trio.state(ALICE).await.unwrap();
    let devices: Vec<_> = trio.people.iter().map(|one| one.caller().device_ref()).collect();
    let before = (trio.rows(tables::ROOM_ITEMS).await, trio.rows(tables::ROOM_CURSORS).await);
    // More than go in one commit.
    let mut crowded = state.clone();
    for number in 0..150 {
        let user: UserAddress = format!("user{number}@some-node.example").parse().unwrap();
        crowded.members.push(RoomMember { user, role: RoomRole::Member, delivered: 0, missed: vec![] });
    }
    trio.forge_state(&crowded, &devices).await;
    for member in &crowded.members[3..] {
        let user = member.user.clone();
        let item =
            RoomItem { user: user.clone(), kind: "read".into(), version: START_MS, sealed: sealed("1") };
        trio.forge(Event::Item { room: ROOM, item }).await;
        trio.forge(Event::Delivered { room: ROOM, user, seq: 2, missed: vec![] }).await;
    }
    let after = (trio.rows(tables::ROOM_ITEMS).await, trio.rows(tables::ROOM_CURSORS).await);
    assert_eq!(after, (before.0 + 150, before.1 + 150));
    trio.forge_state(&state, &devices).await;
    assert_eq!((trio.rows(tables::ROOM_ITEMS).await, trio.rows(tables::ROOM_CURSORS).await), before);
}

#[tokio::test]
async fn a_copy_goes_with_the_last_of_its_people_and_comes_with_the_next() {
    let mut trio = Trio::of_three().await;
    for _ in 0..3 {
        trio.says(BOB, "one more").await.unwrap();
    }
    let item = PutItem { kind: "read".to_owned(), version: START_MS, sealed: sealed("2") };
    let (far, carol) = (trio.worlds[CAROL].service.clone(), trio.people[CAROL].caller().clone());
    far.rooms().put_item(&carol, ROOM, item).await.unwrap();
    trio.carry().await;
    // Given up once, and never asked for again.
    let said = SaidRecord { hash: [1; 32], given_up: true }.to_record();
    let said = Batch::new().put(tables::OUTBOX_SAID, [ROOM.as_bytes().as_slice(), &[1; 32]].concat(), said);
    trio.worlds[CAROL].store.commit(said).await.unwrap();
    far.rooms().sweep().await.unwrap();
    for table in [tables::ROOM_LOG, tables::OUTBOX_SAID] {
        assert!(trio.rows(table).await > 0, "somebody is in it");
    }
    let device = trio.people[CAROL].id();
    trio.catch_up(ALICE).await;
    trio.commit(ALICE, &[], &[device], None).await.unwrap();
    trio.carry().await;
    // Cut off in the middle of it, it goes on the next time.
    trio.worlds[CAROL].engine.refuse_commits_after(1);
    assert!(far.rooms().sweep().await.is_err());
    trio.worlds[CAROL].engine.take_commits();
    assert!(far.rooms().sweep().await.unwrap() > 0);
    for table in OF_A_COPY {
        assert_eq!(trio.rows(table).await, 0, "{}", table.name);
    }
    trio.groups[CAROL] = None;
    trio.people[CAROL].publish(&far, 3).await;
    trio.catch_up(BOB).await;
    let packages = trio.claim(BOB, CAROL).await.unwrap();
    trio.commit(BOB, &packages, &[], None).await.unwrap();
    trio.carry().await;
    trio.enter(CAROL).await;
    trio.says(CAROL, "again").await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB, CAROL]).await;
}

#[tokio::test]
async fn a_hub_cannot_undo_a_leaving() {
    let refusals = [Code::NotFound, Code::Forbidden, Code::Internal]
        .map(|code| EventResult::Refused(Problem::new(code)));
    let never = EventResult::Accepted(Accepted { seq: 0, time_ms: 0, epoch: 0 });
    for result in refusals.into_iter().chain([never]) {
        let mut trio = Trio::of_three().await;
        let mut state = trio.state(ALICE).await.unwrap();
        let devices: Vec<_> = trio.people.iter().map(|one| one.caller().device_ref()).collect();
        trio.carol_leaves().await;
        trio.settles(result.clone()).await;
        assert_eq!(trio.state(CAROL).await, None, "{result:?}");
        let kept = trio.rows(tables::ROOM_LOG).await;
        for _ in 0..3 {
            state.epoch += 1;
            trio.forge_state(&state, &devices).await;
            assert_eq!(trio.state(CAROL).await, None, "{result:?}");
        }
        // Nor by a Welcome in her own name.
        let carol = trio.people[CAROL].caller().device_ref();
        let by = carol.user.clone();
        let welcome = Event::Welcome { room: ROOM, by, to: carol, seq: 9, welcome: sealed("x") };
        assert!(matches!(trio.forge(welcome).await, Some(EventResult::Refused(_))));
        assert_eq!((trio.state(CAROL).await, trio.rows(tables::ROOM_LOG).await), (None, kept));
    }
}

#[tokio::test]
async fn that_somebody_has_left_is_remembered_for_longer_than_the_copy_is_kept() {
    let mut trio = Trio::of_three().await;
    let state = trio.state(ALICE).await.unwrap();
    trio.carol_leaves().await;
    trio.carry().await;
    let far = trio.worlds[CAROL].service.clone();
    far.rooms().sweep().await.unwrap();
    let rows: Vec<_> = futures::future::join_all(OF_A_COPY.map(|table| trio.rows(table))).await;
    assert_eq!(rows, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    trio.forge_state(&state, &[]).await;
    assert_eq!(trio.state(CAROL).await, None);
    trio.forge_state(&RoomState { members: vec![], ..state }, &[]).await;
    for _ in 0..62 {
        trio.worlds[CAROL].clock.advance(DAY_MS / 2);
        far.rooms().sweep().await.unwrap();
    }
    assert_eq!(trio.rows(tables::ROOMS).await, 0);
}

#[tokio::test]
async fn two_devices_leave_a_room_in_one_commit() {
    let trio = Trio::of_three().await;
    let gone: Vec<_> = trio.people[1..].iter().map(|one| one.caller().device_ref()).collect();
    let (rooms, all) = (trio.worlds[ALICE].service.rooms(), &gone);
    let both = async |tx| {
        for one in all {
            rooms.stage_gone(&tx, ROOM, one).await?;
        }
        Ok::<_, crate::rooms::RoomError>(())
    };
    trio.worlds[ALICE].store.transact(both).await.unwrap();
    let room = rooms.load(ROOM).await.unwrap();
    assert_eq!((&room.record.gone, room.members.len()), (&gone, 3));
}

#[tokio::test]
async fn a_follower_for_which_too_much_waits_freezes_no_room() {
    let mut trio = Trio::of_three().await;
    trio.cut(CAROL, true);
    let (home, far) = (&trio.worlds[ALICE], trio.worlds[CAROL].name.clone());
    // As if it had been away for long while a hundred other rooms were busy.
    let item = Outgoing::Room { room: weft_wire::RoomId([9; 16]), state: false };
    let old = OutboxRecord { time_ms: START_MS, item }.to_record();
    let head = home.store.get(tables::OUTBOX_HEADS, far.as_str().as_bytes()).await.unwrap();
    let first = crate::context::be64(&head.unwrap().value).unwrap() + 1;
    let crowd = Batch::new().put(tables::OUTBOX, joined(far.as_str(), first.to_be_bytes()), old).put(
        tables::OUTBOX_HEADS,
        far.as_str(),
        (first + 200_000).to_be_bytes(),
    );
    home.store.commit(crowd).await.unwrap();
    for text in ["one", "two", "three"] {
        trio.says(ALICE, text).await.unwrap();
    }
    let rows = async |trio: &Trio| {
        let scan = Scan::prefix(joined(far.as_str(), &first.to_be_bytes()[..4])).limit(100);
        let rows = trio.worlds[ALICE].store.scan(tables::OUTBOX, scan).await.unwrap();
        rows.into_iter()
            .skip(1)
            .map(|row| OutboxRecord::from_record(&row.value).unwrap().item)
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&trio).await, [Outgoing::Room { room: ROOM, state: true }], "one row for all of it");
    trio.commit(ALICE, &[], &[], None).await.unwrap();
    trio.catch_up(BOB).await;
    trio.says(BOB, "four").await.unwrap();
    trio.carry().await;
    trio.assert_alike(&[ALICE, BOB]).await;
    assert_eq!(rows(&trio).await.len(), 2);
}
