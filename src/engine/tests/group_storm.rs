//! Whole engines in a group, and everything at once: five people with two devices each talk, bring each other in, send each
//! other away, give and take roles, leave and rename, while devices are killed or cut off and answers are lost. In the end every
//! device agrees with the hub on who is in the group and what they may do, and with the others on its name and on the order of
//! what was said.
//!
//! A failure names its seed, and `WEFT_SEED=n cargo test -p weft-engine --test engine group_storm::` plays it again.

use crate::support::{World, group::*, story::*};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore, rand_core::SeedableRng};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use weft_engine::api::{BodyView, Call, Reply};

const SEEDS: u64 = 50;
const STEPS: usize = 40;
const PEOPLE: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

#[derive(Default, Debug)]
struct Tally {
    texts: AtomicU64,
    lines: AtomicU64,
    left: AtomicU64,
    removed: AtomicU64,
}

struct Storm {
    world: World,
    rng: ChaCha20Rng,
    chat: String,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let mut world = signed_up(&PEOPLE);
        for (a, b) in (0..5).flat_map(|a| (0..a).map(move |b| (a, b))) {
            connect(&mut world, a, b);
        }
        for name in PEOPLE {
            let at = world.device();
            world.call(at, Call::SignIn { name: name.into(), password: PASSWORD.into() });
        }
        world.settle(20_000);
        let chat = create(&mut world, 0, "Storm", &["bob", "carol"]);
        world.settle(10_000);
        Storm { world, rng: ChaCha20Rng::seed_from_u64(seed), chat }
    }

    fn pick(&mut self, below: usize) -> usize {
        self.rng.next_u32() as usize % below
    }

    fn someone(&mut self) -> String {
        PEOPLE[self.pick(PEOPLE.len())].to_owned()
    }

    fn step(&mut self, n: usize) {
        let at = self.pick(self.world.hosts.len());
        let chat = self.chat.clone();
        let user = self.someone();
        let call = match self.pick(16) {
            0..=4 => Call::SendText { chat, text: format!("{n} by {at}"), reply_to: None },
            5..=7 => Call::AddMembers { chat, users: vec![user, self.someone()] },
            8 => Call::RemoveMembers { chat, users: vec![user] },
            9 | 10 => {
                let role = ["owner", "admin", "admin", "member"][self.pick(4)];
                Call::SetRole { chat, user, role: role.into() }
            }
            11 => Call::RenameGroup { chat, name: format!("Storm {n}") },
            12 => Call::LeaveGroup { chat },
            13 => {
                self.world.kill(at);
                self.world.start(at);
                return;
            }
            14 => {
                let online = self.world.hosts[at].online;
                return self.world.set_online(at, !online);
            }
            _ => {
                self.world.node.lose_after = Some(self.pick(12) as u32);
                return;
            }
        };
        self.world.cast(at, call);
    }

    fn play(&mut self) {
        for n in 0..STEPS {
            self.step(n);
            let ms = [0, 0, 20, 300, 3_000][self.pick(5)];
            let mut rounds = self.pick(60);
            self.world.run_until(ms, |_| {
                rounds = rounds.saturating_sub(1);
                rounds == 0 && ms == 0
            });
        }
        for at in 0..self.world.hosts.len() {
            self.world.set_online(at, true);
        }
        self.world.settle(400_000);
    }

    fn check(&mut self, tally: &Tally) {
        let chat = self.chat.clone();
        let expected: BTreeMap<String, String> = self
            .world
            .node
            .members_of(chat.parse().unwrap())
            .into_iter()
            .map(|(name, role)| (name, format!("{role:?}").to_lowercase()))
            .collect();
        assert!(expected.values().any(|role| role == "owner"), "{expected:?}");
        let inside = |at: usize| expected.contains_key(PEOPLE[at % 5]);
        let last = (0..10).find(|at| inside(*at)).unwrap();
        send(&mut self.world, last, &chat, "the end");
        self.world.settle(60_000);

        let mut titles = Vec::new();
        for at in (0..10).filter(|at| inside(*at)) {
            let view = group(&mut self.world, at, &chat);
            let members: BTreeMap<String, String> = view
                .members
                .iter()
                .map(|member| (member.user.split('@').next().unwrap().to_owned(), member.role.clone()))
                .collect();
            assert_eq!(members, expected, "device {at}");
            assert_eq!(view.state, "active", "device {at}");
            assert_eq!(texts(&mut self.world, at, &chat).last().unwrap(), "the end", "device {at}");
            titles.push(view.name);
        }
        assert!(titles.windows(2).all(|two| two[0] == two[1]), "{titles:?}");
        self.check_orders(tally);
    }

    /// What two devices both show they show in the same order, and nothing twice.
    fn check_orders(&mut self, tally: &Tally) {
        let chat = self.chat.clone();
        let mut shown: Vec<BTreeMap<String, usize>> = Vec::new();
        for at in 0..10 {
            let Reply::Chats(chats) = self.world.call(at, Call::Chats) else { panic!("chats") };
            if !chats.iter().any(|row| row.chat == chat) {
                continue;
            }
            let mut places = BTreeMap::new();
            for (place, message) in messages(&mut self.world, at, &chat).into_iter().enumerate() {
                match message.body {
                    BodyView::Text { .. } if message.delivery != weft_engine::api::DeliveryView::Failed => {
                        assert_eq!(places.insert(message.id, place), None, "twice at {at}");
                        tally.texts.fetch_add(1, Ordering::Relaxed);
                    }
                    BodyView::System { code, .. } => {
                        tally.lines.fetch_add(1, Ordering::Relaxed);
                        tally.left.fetch_add(u64::from(code == "left_me"), Ordering::Relaxed);
                        tally.removed.fetch_add(u64::from(code == "removed_me"), Ordering::Relaxed);
                    }
                    _ => {}
                }
            }
            shown.push(places);
        }
        for (a, b) in shown.iter().flat_map(|a| shown.iter().map(move |b| (a, b))) {
            let mut common: Vec<_> = a.iter().filter_map(|(id, at)| Some((at, b.get(id)?))).collect();
            common.sort();
            assert!(common.windows(2).all(|two| two[0].1 < two[1].1), "{common:?}");
        }
    }
}

fn run(seed: u64, tally: &Tally) {
    let mut storm = Storm::new(seed);
    storm.play();
    storm.check(tally);
}

#[test]
fn devices_agree_after_whatever_happened() {
    let tally = Tally::default();
    if let Ok(seed) = std::env::var("WEFT_SEED") {
        return run(seed.parse().unwrap(), &tally);
    }
    let next = AtomicU64::new(0);
    let failed = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SEEDS {
                        return;
                    }
                    if std::panic::catch_unwind(|| run(seed, &tally)).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "seeds {failed:?}: play one again with WEFT_SEED");
    // The storm must have been one.
    assert!(tally.texts.load(Ordering::Relaxed) > 20 * SEEDS, "{tally:?}");
    assert!(tally.lines.load(Ordering::Relaxed) > 20 * SEEDS, "{tally:?}");
    assert!(tally.left.load(Ordering::Relaxed) > SEEDS / 5, "{tally:?}");
    assert!(tally.removed.load(Ordering::Relaxed) > SEEDS / 5, "{tally:?}");
}
