//! Three nodes with a group across them, for tests: alice is at the hub, bob away, carol far. Alice knows bob, bob knows carol.

use super::{
    FlowError,
    federated_tests::{key, node},
};
use crate::{
    federation::{Round, tests::support::FakeNet},
    testing::*,
};
use std::sync::Arc;
use weft_mls::{
    Roles,
    member::{self, Plan, Prepared},
    openmls::prelude::{MlsGroup, OpenMlsProvider as _},
};
use weft_wire::{
    Blob, Code, DeviceId, Problem, RoomId, UserAddress,
    contacts::{ContactAccept, ContactRequest},
    rooms::*,
    sync::{InboxItem, ServerFrame},
};

pub const ROOM: RoomId = IDS[5];
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
pub const TOKEN: [u8; 16] = [7; 16];
pub const ALICE: usize = 0;
pub const BOB: usize = 1;
pub const CAROL: usize = 2;

pub struct Trio {
    pub net: Arc<FakeNet>,
    pub worlds: Vec<World>,
    pub people: Vec<Device>,
    pub groups: Vec<Option<MlsGroup>>,
    pub roles: Roles,
    pub next_id: u8,
    /// Events that somebody has made up.
    pub forged: u64,
}

pub fn problem<T: std::fmt::Debug>(result: Result<T, FlowError>) -> Code {
    code(result.unwrap_err())
}

impl Trio {
    /// The group holds alice, who owns it, and bob, an admin.
    pub async fn new() -> Trio {
        let net = FakeNet::new(1);
        let (mut worlds, mut people) = (Vec::new(), Vec::new());
        for (at, (name, who)) in
            [(NODE, "alice"), ("away.example", "bob"), ("far.example", "carol")].into_iter().enumerate()
        {
            let world = node(&net, name, at as u64 + 1).await;
            let device = world.sign_up(who).await;
            device.publish(&world.service, 3).await;
            worlds.push(world);
            people.push(device);
        }
        let (request, group) = people[ALICE].create_request(RoomKind::Group, ROOM);
        worlds[ALICE].service.flows().create_room(people[ALICE].caller(), request).await.unwrap();
        let mut roles = Roles::of_creator(people[ALICE].user.clone());
        roles.set(&people[BOB].user, RoomRole::Admin);
        let groups = vec![Some(group), None, None];
        let mut trio = Trio { net, worlds, people, groups, roles: roles.clone(), next_id: 1, forged: 0 };
        trio.befriend(ALICE, BOB).await;
        trio.befriend(BOB, CAROL).await;
        let packages = trio.claim(ALICE, BOB).await.unwrap();
        trio.commit(ALICE, &packages, &[], Some(&roles)).await.unwrap();
        trio.carry().await;
        trio.enter(BOB).await;
        trio
    }

    /// The same with carol, whom bob has brought in.
    pub async fn of_three() -> Trio {
        let mut trio = Trio::new().await;
        let packages = trio.claim(BOB, CAROL).await.unwrap();
        trio.commit(BOB, &packages, &[], None).await.unwrap();
        trio.carry().await;
        trio.enter(CAROL).await;
        trio.catch_up(ALICE).await;
        trio.catch_up(BOB).await;
        trio
    }

    pub async fn carry(&self) {
        for _ in 0..10 {
            let mut idle = true;
            for from in &self.worlds {
                for to in self.worlds.iter().filter(|to| to.name != from.name) {
                    idle &= !matches!(from.service.federation().round(&to.name).await, Ok(Round::Went));
                }
            }
            if idle {
                return;
            }
        }
        panic!("it does not end");
    }

    /// Only from one to another.
    pub async fn round(&self, from: usize, to: usize) {
        let name = &self.worlds[to].name;
        while self.worlds[from].service.federation().round(name).await.unwrap() != Round::Idle {}
    }

    pub async fn befriend(&self, one: usize, other: usize) {
        let request =
            ContactRequest { to: self.people[other].user.clone(), sealed: sealed("hello"), token: None };
        let flows = self.worlds[one].service.flows();
        flows.request_contact(self.people[one].caller(), request).await.unwrap();
        self.carry().await;
        let accept = ContactAccept { sealed: sealed("welcome") };
        let flows = self.worlds[other].service.flows();
        flows.accept_contact(self.people[other].caller(), &self.people[one].user, accept).await.unwrap();
        self.carry().await;
    }

    pub async fn claim(&self, by: usize, whom: usize) -> Result<Vec<Blob>, Problem> {
        self.claim_for(by, whom, Some(ROOM)).await
    }

    pub async fn claim_for(
        &self,
        by: usize,
        whom: usize,
        room: Option<RoomId>,
    ) -> Result<Vec<Blob>, Problem> {
        let flows = self.worlds[by].service.flows();
        let claimed =
            flows.claim_key_packages(self.people[by].caller(), &self.people[whom].user, room).await?;
        Ok(claimed.packages.into_iter().map(|package| package.key_package).collect())
    }

    pub fn id(&mut self) -> u8 {
        self.next_id += 1;
        self.next_id
    }

    pub async fn commit(
        &mut self,
        by: usize,
        add: &[Blob],
        remove: &[DeviceId],
        roles: Option<&Roles>,
    ) -> Result<Prepared, Problem> {
        let id = self.id();
        let (device, group) = (&self.people[by], self.groups[by].as_mut().unwrap());
        let add: Vec<&[u8]> = add.iter().map(Blob::as_slice).collect();
        let plan = Plan { add: &add, remove, roles };
        let prepared = member::prepare_plan(&device.provider, device.me(), group, plan, START_MS).unwrap();
        let submit = device.commit(ROOM, &prepared, id);
        match self.worlds[by].service.flows().submit_commit(device.caller(), ROOM, submit).await {
            Ok(_) => {
                group.merge_pending_commit(&device.provider).unwrap();
                if let Some(roles) = roles {
                    self.roles = roles.clone();
                }
                Ok(prepared)
            }
            Err(error) => {
                group.clear_pending_commit(device.provider.storage()).unwrap();
                Err(error.into())
            }
        }
    }

    pub async fn welcome(&self, who: usize) -> Option<Vec<u8>> {
        let mut socket = self.people[who].socket(&self.worlds[who].service, 0).await;
        let mut found = None;
        while let Ok(frame) = tokio::time::timeout(std::time::Duration::from_millis(50), socket.next()).await
        {
            let ServerFrame::Inbox { items } = frame.unwrap() else { continue };
            for entry in items {
                if let InboxItem::Welcome { room: ROOM, welcome, .. } = entry.item {
                    found = Some(welcome.0);
                }
            }
        }
        found
    }

    pub async fn enter(&mut self, who: usize) {
        let welcome = self.welcome(who).await.expect("no Welcome came");
        self.groups[who] = Some(member::join(&self.people[who].provider, ROOM, &welcome).unwrap());
    }

    /// Follows the commits of others in the log of one's own node.
    pub async fn catch_up(&mut self, who: usize) {
        for entry in self.log(who).await {
            let envelope = entry.envelope.peek().unwrap();
            let (device, group) = (&self.people[who], self.groups[who].as_mut().unwrap());
            if envelope.kind == EntryKind::Commit && envelope.epoch == group.epoch().as_u64() {
                let (_, staged) =
                    member::stage(&device.provider, group, envelope.body.as_slice(), START_MS).unwrap();
                group.merge_staged_commit(&device.provider, *staged).unwrap();
            }
        }
    }

    /// What is in the log of somebody's node from when they came.
    pub async fn log(&self, who: usize) -> Vec<LogEntry> {
        let room = self.worlds[who].service.rooms().load(ROOM).await.unwrap();
        let since = room.member(&self.people[who].user).unwrap().since;
        let caller = self.people[who].caller();
        self.worlds[who].service.rooms().log(caller, ROOM, since, 256).await.unwrap().entries
    }

    pub async fn state(&self, who: usize) -> Option<RoomState> {
        let rooms = self.worlds[who].service.rooms().list(self.people[who].caller(), None).await.unwrap();
        rooms.rooms.into_iter().find(|state| state.room == ROOM)
    }

    pub async fn names(&self, who: usize) -> Vec<String> {
        let state = self.state(who).await.expect("not in the room");
        state.members.iter().map(|member| member.user.name.to_string()).collect()
    }

    pub async fn says(&mut self, who: usize, text: &str) -> Result<Accepted, Problem> {
        let id = self.id();
        let (device, group) = (&self.people[who], self.groups[who].as_mut().unwrap());
        let message = device.message(group, ROOM, id, text);
        let sending = self.worlds[who].service.flows().submit_message(device.caller(), ROOM, message);
        tokio::pin!(sending);
        let mut look = tokio::time::interval(std::time::Duration::from_millis(1));
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return Ok(sent?),
                () = async { self.carry().await; look.tick().await; } => {}
            }
        }
    }

    /// All who are in the room have the same log from when they came, and see the same people.
    pub async fn assert_alike(&self, who: &[usize]) {
        let (all, names) = (self.log(who[0]).await, self.names(who[0]).await);
        for other in &who[1..] {
            let own = self.log(*other).await;
            assert!(!own.is_empty());
            assert!(all.ends_with(&own), "the copy of {other}");
            assert_eq!(self.names(*other).await, names);
        }
    }

    pub async fn link(&self, by: usize, approval: bool) {
        let link = CreateGroupLink {
            token_hash: *blake3::hash(&TOKEN).as_bytes(),
            approval,
            lifetime_ms: DAY_MS,
            only: true,
        };
        let flows = self.worlds[by].service.flows();
        flows.create_group_link(self.people[by].caller(), ROOM, link).await.unwrap();
    }

    pub async fn knock(&self, who: usize) -> Result<JoinAnswer, FlowError> {
        self.worlds[who].service.flows().join_room(self.people[who].caller(), ROOM, self.ask()).await
    }

    pub fn ask(&self) -> AskToJoin {
        AskToJoin {
            hub: self.worlds[ALICE].name.clone(),
            at: vec![],
            token: Blob(TOKEN.to_vec()),
            proof: [0; 32],
        }
    }

    pub async fn asking(&self, who: usize) -> Vec<UserAddress> {
        let flows = self.worlds[who].service.flows();
        let requests = flows.join_requests(self.people[who].caller(), ROOM).await.unwrap().requests;
        requests.into_iter().map(|request| request.user).collect()
    }

    pub fn cut(&self, who: usize, away: bool) {
        let key = key(&self.worlds[who]);
        if away {
            self.net.state.lock().away.insert(key);
        } else {
            self.net.back(key);
        }
    }
}
