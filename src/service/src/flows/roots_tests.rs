//! Two nodes that pay each other, and what each says of the other's days.

use super::link_tests::Pair;
use crate::{
    Worker,
    wallet::records::{RootRecord, SeenRecord},
};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    Code, Signed,
    wallet::{DayRoot, Intent, RootList},
};

const DAY_MS: u64 = 86_400_000;
const HOME: usize = 0;
const AWAY: usize = 1;

impl Pair {
    /// It is the next day everywhere, and each node has looked after its own.
    async fn a_day_goes_by(&self) {
        for world in &self.worlds {
            world.context().aged().await.unwrap();
            world.clock.advance(DAY_MS);
        }
        for at in [HOME, AWAY] {
            self.look(at).await;
        }
    }

    async fn look(&self, at: usize) -> u64 {
        Worker::Roots.run_once(&self.worlds[at].service).await.unwrap()
    }

    async fn roots(&self, at: usize) -> RootList {
        self.worlds[at].service.wallet().roots(None).await.unwrap()
    }

    /// Who has seen the newest day of a node.
    async fn witnesses(&self, of: usize) -> Vec<String> {
        let words = self.roots(of).await.roots.remove(0).witnesses;
        let key = self.worlds[1 - of].key.verifying_key().to_bytes();
        words.iter().map(|word| word.word.verify(&key).unwrap().by.to_string()).collect()
    }
}

#[tokio::test]
async fn nodes_with_a_link_witness_each_others_days() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 1_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.a_day_goes_by().await;
    assert_eq!(pair.witnesses(HOME).await, [pair.worlds[AWAY].name.to_string()]);
    assert_eq!(pair.witnesses(AWAY).await, [pair.worlds[HOME].name.to_string()]);
    assert_eq!(pair.look(HOME).await, 0, "who has seen it is not asked again");
    // What bob has is backed by what his node has at the other one, and that counts it as held.
    let away: DayRoot = pair.roots(AWAY).await.roots[0].root.peek().unwrap();
    let [euro] = away.assets.as_slice() else { panic!("one asset") };
    assert_eq!((euro.issued.0, euro.abroad.0, euro.held.sum()), (0, 1_000, 1_000));
    let home: DayRoot = pair.roots(HOME).await.roots[0].root.peek().unwrap();
    assert_eq!((home.assets[0].issued.0, home.assets[0].held.sum()), (10_000, 10_000));
    pair.a_day_goes_by().await;
    assert_eq!(pair.witnesses(HOME).await.len(), 1, "and so on");
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_tells_another_story_is_refused_and_what_it_has_signed_is_kept() {
    let pair = Pair::new().await;
    pair.a_day_goes_by().await;
    let home = &pair.worlds[HOME];
    let honest = pair.roots(HOME).await.roots.remove(0).root;
    let mut root: DayRoot = honest.peek().unwrap();
    root.last += 1;
    let other = Signed::sign(&root, &home.key);
    // It shows the other one of the same day.
    let record = RootRecord { root: other.clone(), witnesses: Vec::new() };
    let lie = Batch::new().put(tables::ROOTS, root.day.to_be_bytes(), record.to_record());
    home.store.commit(lie).await.unwrap();
    assert_eq!(pair.look(HOME).await, 0);
    assert!(pair.witnesses(HOME).await.is_empty());
    let key = [home.name.as_str().as_bytes(), &[0], &root.day.to_be_bytes()].concat();
    let row = pair.worlds[AWAY].store.get(tables::ROOTS_SEEN, &key).await.unwrap().unwrap();
    let seen = SeenRecord::from_record(&row.value).unwrap();
    assert_eq!((seen.root, seen.other), (honest, Some(other)));
}

#[tokio::test]
async fn nobody_is_a_witness_of_a_node_without_a_link_or_of_what_is_not_signed() {
    let pair = Pair::new().await;
    pair.a_day_goes_by().await;
    let (home, away) = (&pair.worlds[HOME], pair.worlds[AWAY].service.wallet());
    let root = pair.roots(HOME).await.roots.remove(0).root;
    let key = home.key.verifying_key().to_bytes();
    let stranger = "stranger.example".parse().unwrap();
    let code = |error: crate::wallet::WalletError| weft_wire::Problem::from(error).code;
    assert_eq!(code(away.witness(&stranger, &key, root.clone()).await.unwrap_err()), Code::NoLink);
    let forged = Signed::sign(&root.peek().unwrap(), &pair.worlds[AWAY].key);
    assert!(away.witness(&home.name, &key, forged).await.is_err());
    let old = Signed::sign(&DayRoot { day: 3, ..root.peek().unwrap() }, &home.key);
    assert_eq!(code(away.witness(&home.name, &key, old).await.unwrap_err()), Code::NotFound);
    assert!(away.witness(&home.name, &key, root).await.is_ok());
}
