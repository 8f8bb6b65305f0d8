//! Days by a seed: the clock goes wrong, days are cut off at any commit and made again. Each root is that of the books as they are done
//! again from the start, and so is what the next day begins with.
//!
//! `WEFT_SEEDS=2000` runs more; `WEFT_SEED=17` replays one.

use super::{
    super::tests::{HOUR_MS, Payer, Till, euro},
    DAY_MS,
};
use crate::{
    Clock, Worker,
    testing::{START_MS, World},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore, SeedableRng},
};
use weft_wire::{Signed, wallet::Intent};

const SEEDS: u64 = 150;
const STEPS: usize = 24;

struct Story {
    till: Till,
    carol: Payer,
    rng: ChaCha20Rng,
    /// Days that were cut off.
    cut: usize,
    /// Roots that were made.
    made: u64,
}

impl Story {
    async fn new(seed: u64) -> Story {
        let world = World::new().await;
        let (alice, bob) = (world.sign_up("alice").await, world.sign_up("bob").await);
        let carol = Payer::new(&world, "carol", 3).await;
        // Of every other node the first of all events is dated wrong.
        world.clock.jump_to(START_MS + seed % 2 * 5 * DAY_MS);
        let till = Till::of(world, alice, bob, euro()).await;
        till.world.clock.jump_to(START_MS);
        till.issue(2, carol.user(), 10_000).await.unwrap();
        Story { till, carol, rng: ChaCha20Rng::seed_from_u64(seed), cut: 0, made: 0 }
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.rng.next_u64() % most + 1
    }

    /// Somebody pays somebody else.
    async fn pay(&mut self) {
        let (amount, who) = (self.up_to(30), self.up_to(6));
        let Till { world, euro, alice, bob } = &mut self.till;
        let (payer, payee) = match who {
            1 | 2 => (alice, bob.user().clone()),
            3 => (bob, alice.user().clone()),
            4 => (bob, self.carol.user().clone()),
            5 => (alice, self.carol.user().clone()),
            _ => (&mut self.carol, bob.user().clone()),
        };
        let order = payer.order(world, &payee, euro.id, amount, Intent::Payment);
        let order = Signed::sign(&order, &payer.key);
        let request = weft_wire::wallet::SubmitOrder { order };
        // Bob has nothing at first: that he cannot pay is an event as well.
        let _ = world.service.flows().pay(payer.device.caller(), request).await;
    }

    async fn step(&mut self) {
        match self.up_to(10) {
            1..=3 => self.pay().await,
            4 | 5 => {
                let (now, ahead) = (self.till.world.clock.now_ms(), self.up_to(5));
                self.till.world.clock.jump_to(now + ahead * DAY_MS);
                self.pay().await;
                self.till.world.clock.jump_to(now);
            }
            6 | 7 => self.till.days_go_by(1).await,
            8 | 9 => {
                let commits = self.up_to(8) as usize - 1;
                self.till.world.engine.refuse_commits_after(commits);
                let is_cut = Worker::Roots.run_once(&self.till.world.service).await.is_err();
                self.cut += usize::from(is_cut);
                self.till.world.engine.take_commits();
                // It is made again when a day that was ahead then has come.
                if is_cut && self.up_to(2) == 1 {
                    self.till.days_go_by(3).await;
                }
            }
            _ => self.made += self.till.close().await,
        }
    }
}

async fn run(seed: u64) -> (usize, u64) {
    let mut story = Story::new(seed).await;
    for step in 0..STEPS {
        story.step().await;
        assert_eq!(story.till.findings().await, Vec::<String>::new(), "WEFT_SEED={seed}, step {step}");
    }
    story.till.world.clock.advance(HOUR_MS);
    for days in [3, 1, 2, 4] {
        story.till.days_go_by(days).await;
        story.made += story.till.close().await;
        assert_eq!(story.till.findings().await, Vec::<String>::new(), "WEFT_SEED={seed}, at the end");
    }
    (story.cut, story.made)
}

#[tokio::test]
async fn however_often_a_day_is_cut_off_its_root_is_that_of_the_books() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("WEFT_SEED") {
        run(seed).await;
        return;
    }
    let seeds = number("WEFT_SEEDS").unwrap_or(SEEDS);
    let (mut cut, mut made) = (0, 0);
    for seed in 0..seeds {
        let done = run(seed).await;
        (cut, made) = (cut + done.0, made + done.1);
    }
    println!("{seeds} seeds, {made} roots, {cut} rounds cut off");
    assert!(cut as u64 > seeds / 2 && made > seeds * 5, "{cut} cut off, {made} made");
}
