//! Two nodes that pay each other, and what each says of the other's days.

use super::link_tests::Pair;
use crate::{
    Worker,
    wallet::records::{RootRecord, SeenRecord},
};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    Code, Signed,
    wallet::{DayRoot, Hash, Intent, RootList},
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

/// Days that the first node closes and shows to nobody, the newest last.
async fn closed(pair: &Pair, days: usize) -> Vec<Signed<DayRoot>> {
    for _ in 0..days {
        for world in &pair.worlds {
            world.context().aged().await.unwrap();
            world.clock.advance(DAY_MS);
        }
        pair.worlds[HOME].service.wallet().close_days().await.unwrap();
    }
    let mut roots: Vec<_> = pair.roots(HOME).await.roots.into_iter().map(|info| info.root).collect();
    roots.truncate(days);
    roots.reverse();
    roots
}

async fn witnessed(pair: &Pair, root: &Signed<DayRoot>) -> Result<(), Code> {
    let (home, away) = (&pair.worlds[HOME], pair.worlds[AWAY].service.wallet());
    let key = home.key.verifying_key().to_bytes();
    let word = away.witness(&home.name, &key, root.clone()).await;
    word.map(drop).map_err(|error| weft_wire::Problem::from(error).code)
}

fn seen_key(pair: &Pair, root: &Signed<DayRoot>) -> Vec<u8> {
    [pair.worlds[HOME].name.as_str().as_bytes(), &[0], &root.peek().unwrap().day.to_be_bytes()].concat()
}

async fn seen(pair: &Pair, root: &Signed<DayRoot>) -> Option<SeenRecord> {
    let row = pair.worlds[AWAY].store.get(tables::ROOTS_SEEN, &seen_key(pair, root)).await.unwrap();
    row.map(|row| SeenRecord::from_record(&row.value).unwrap())
}

#[tokio::test]
async fn a_node_that_leaves_out_days_has_no_witness_for_what_follows() {
    let pair = Pair::new().await;
    pair.a_day_goes_by().await;
    let days = closed(&pair, 3).await;
    // It would be another story from the day on that it does not show.
    assert_eq!(witnessed(&pair, &days[1]).await, Err(Code::Conflict));
    assert_eq!(witnessed(&pair, &days[2]).await, Err(Code::Conflict));
    assert!(seen(&pair, &days[2]).await.is_none());
    for day in &days {
        assert_eq!(witnessed(&pair, day).await, Ok(()), "in their order they are taken");
    }
    // What lies so far back that nobody can show it any more is not waited for.
    let days = closed(&pair, 40).await;
    assert_eq!(witnessed(&pair, &days[8]).await, Ok(()));
    assert_eq!(witnessed(&pair, &days[10]).await, Err(Code::Conflict));
}

#[tokio::test]
async fn a_day_between_two_that_were_seen_fits_both() {
    let pair = Pair::new().await;
    pair.a_day_goes_by().await;
    let days = closed(&pair, 2).await;
    // As an earlier version took it: a later day, of another story.
    let mut other = days[1].peek().unwrap();
    other.before = Some(weft_wire::wallet::Hash([7; 32]));
    let other = Signed::sign(&other, &pair.worlds[HOME].key);
    let record = SeenRecord { root: other.clone(), at_ms: 1, other: None };
    let put = Batch::new().put(tables::ROOTS_SEEN, seen_key(&pair, &days[1]), record.to_record());
    pair.worlds[AWAY].store.commit(put).await.unwrap();
    assert_eq!(witnessed(&pair, &days[0]).await, Err(Code::IdConflict));
    assert!(seen(&pair, &days[0]).await.is_none());
    let kept = seen(&pair, &other).await.unwrap();
    assert_eq!((kept.root, kept.other), (other, Some(days[0].clone())), "both are kept");
}

#[tokio::test]
async fn two_stories_at_one_moment_are_not_both_witnessed() {
    for first in [0, 1] {
        let pair = Pair::new().await;
        pair.a_day_goes_by().await;
        let days = closed(&pair, 4).await;
        let key = &pair.worlds[HOME].key;
        // The day after the second one, and the one after that, are of another story.
        let told = |root: &Signed<DayRoot>, before| {
            Signed::sign(&DayRoot { before: Some(before), ..root.peek().unwrap() }, key)
        };
        let third = told(&days[2], Hash([7; 32]));
        let fourth = told(&days[3], Hash::of_root(&third));
        assert_eq!(witnessed(&pair, &days[0]).await, Ok(()));
        let record = SeenRecord { root: fourth.clone(), at_ms: 1, other: None };
        let put = Batch::new().put(tables::ROOTS_SEEN, seen_key(&pair, &fourth), record.to_record());
        pair.worlds[AWAY].store.commit(put).await.unwrap();
        let shown = if first == 0 { [&days[1], &third] } else { [&third, &days[1]] };
        let words = tokio::join!(witnessed(&pair, shown[0]), witnessed(&pair, shown[1]));
        let heard = [words.0, words.1];
        assert!(heard.contains(&Ok(())) && heard.contains(&Err(Code::IdConflict)), "{heard:?}");
        let kept = [seen(&pair, &days[1]).await, seen(&pair, &third).await];
        let (others, count) = (
            kept.iter().flatten().filter(|seen| seen.other.is_some()).count(),
            kept.iter().flatten().count(),
        );
        assert_eq!((count, others), (1, 1), "what was first, and what speaks against it");
    }
}

#[tokio::test]
async fn a_node_that_was_away_is_shown_everything_and_so_is_one_that_has_lost_what_it_saw() {
    let pair = Pair::new().await;
    pair.a_day_goes_by().await;
    // For a month nobody hears of it.
    let days = closed(&pair, 33).await;
    while pair.look(HOME).await > 0 {}
    for day in &days {
        assert!(seen(&pair, day).await.is_some());
    }
    assert_eq!(pair.witnesses(HOME).await.len(), 1);
    // The witness comes from a backup.
    for day in &days[30..] {
        let lost = Batch::new().delete(tables::ROOTS_SEEN, seen_key(&pair, day));
        pair.worlds[AWAY].store.commit(lost).await.unwrap();
    }
    let next = closed(&pair, 1).await.remove(0);
    assert_eq!(pair.look(HOME).await, 1);
    assert_eq!(seen(&pair, &next).await.unwrap().root, next);
    assert_eq!(pair.witnesses(HOME).await.len(), 1);
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
