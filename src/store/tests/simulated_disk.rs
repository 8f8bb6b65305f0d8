//! Seeded power cuts, failed syncs and full disks under the journal: no acknowledged batch is lost, none is half there, and
//! the store opens every time. `WEFT_SEED=n` runs one seed again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

mod common;

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use common::{
    Seeded,
    model::{A, Answer, B, Model, ModelBatch, Step},
    seeds,
    sim::SimDisk,
};
use weft_store::{
    Batch, Committed, Error, SCAN_ROWS_MAX, Scan, Store,
    embedded::{self, Options},
};

const SEEDS: u64 = 2_400;
const DIR: &str = "/simulated";

struct Run {
    disk: SimDisk,
    seeded: Seeded,
    /// What is known to be in the store.
    model: Model,
    opened: u64,
    acknowledged: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    PowerCut,
    PowerCutWhileOpening,
    FailedSync,
    FullDisk,
    Kill,
}

fn options(disk: &SimDisk) -> Options {
    let small = common::small();
    Options {
        segment_bytes: 8 << 10,
        chunk_bytes: 2 << 10,
        checkpoint_bytes: 6 << 10,
        snapshot_bytes: 12 << 10,
        reserve_bytes: 0,
        background: false,
        disk: Arc::new(disk.clone()),
        index: Arc::new(disk.clone()),
        ..small
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let disk = SimDisk::new(seed ^ 0xD15C);
        Run { disk, seeded: Seeded(seed), model: Model::default(), opened: 0, acknowledged: 0 }
    }

    fn open(&mut self) -> Store {
        self.opened += 1;
        embedded::open(Path::new(DIR), options(&self.disk)).expect("the store opens")
    }

    fn batch(&mut self, n: u64) -> ModelBatch {
        let mut steps = Vec::new();
        for _ in 0..1 + self.seeded.below(4) {
            let key = vec![b'k', self.seeded.below(12) as u8];
            let len = if self.seeded.chance(5) { 3000 } else { self.seeded.below(200) as usize };
            let value = self.seeded.bytes(len);
            steps.push(match self.seeded.below(10) {
                0..5 => Step::Put(A, key, value),
                5..7 => Step::Delete(A, key),
                7 => Step::Add(A, b"n".to_vec(), 3),
                _ => Step::Append(A, b"c".to_vec(), B, b"log".to_vec(), value),
            });
        }
        let name = self.seeded.chance(20).then(|| n.to_be_bytes().to_vec());
        ModelBatch { steps, claims: Vec::new(), name }
    }

    /// One life of the store: open, check, load until the fault strikes, crash.
    async fn life(&mut self, fault: Fault) {
        if fault == Fault::PowerCutWhileOpening {
            self.disk.cut_after(Some(self.seeded.below(30)));
            // It may or may not get done before the cut.
            drop(embedded::open(Path::new(DIR), options(&self.disk)));
            self.disk.power_cut();
        }
        let store = self.open();
        self.verify_exactly(&store).await;
        match fault {
            Fault::PowerCut | Fault::PowerCutWhileOpening => {
                self.disk.cut_after(Some(self.seeded.below(300)));
            }
            Fault::FailedSync => self.disk.fail_sync_after(Some(self.seeded.below(40))),
            Fault::FullDisk => self.disk.set_capacity(self.disk.used() + self.seeded.below(20_000)),
            Fault::Kill => {}
        }
        let mut candidates = vec![self.model.clone()];
        for n in 0..8 + self.seeded.below(20) {
            let (stop, model) = self.burst(&store, n, &mut candidates).await;
            self.model = model;
            if stop {
                break;
            }
        }
        if fault == Fault::FullDisk {
            self.space_is_freed(&store).await;
            candidates = vec![self.model.clone()];
        }
        drop(store);
        // A failed sync shows its worst either after a mere restart, when the cache hides it, or after a cut.
        if fault != Fault::Kill && !(fault == Fault::FailedSync && self.seeded.chance(50)) {
            self.disk.power_cut();
        } else {
            self.disk.fail_sync_after(None);
        }
        let store = self.open();
        let found = dump(&store).await;
        let at = candidates.iter().position(|model| model.rows == found.rows && model.seq == found.seq);
        let at = at.unwrap_or_else(|| {
            panic!(
                "seq {} is no state between {} and {} ({fault:?})",
                found.seq,
                candidates[0].seq,
                candidates[candidates.len() - 1].seq
            )
        });
        self.model = candidates[at].clone();
    }

    /// Commits one batch and then some at once. Gives true if the store does not go on, else the model after all of them;
    /// `candidates` are the states that a crash may leave: from the last acknowledged batch to the last that was tried.
    async fn burst(&mut self, store: &Store, n: u64, candidates: &mut Vec<Model>) -> (bool, Model) {
        let size = 1 + self.seeded.below(5);
        let batches: Vec<ModelBatch> =
            (0..size).map(|m| self.batch(self.opened << 32 | n << 8 | m)).collect();
        // The first one alone, held in its write, so that the rest form exactly one group.
        self.disk.hold();
        let mut commits: Vec<_> = batches.iter().map(|batch| Box::pin(store.commit(real(batch)))).collect();
        // An engine that has stopped writing answers at once; so may any of them.
        let mut early = vec![poll_once(commits[0].as_mut())];
        if early[0].is_none() {
            self.disk.wait_blocked();
        }
        early.extend(commits[1..].iter_mut().map(|commit| poll_once(commit.as_mut())));
        self.disk.release();
        let mut model = self.model.clone();
        let mut unknown = Vec::new();
        let mut refused = false;
        for ((batch, commit), early) in batches.iter().zip(commits).zip(early) {
            let answer = match early {
                Some(answer) => answer,
                None => commit.await,
            };
            match answer {
                Ok(committed) => {
                    assert!(
                        unknown.is_empty(),
                        "acknowledged, although one before it is not known to be on disk"
                    );
                    assert!(matches!(model.apply(batch), Answer::Done { replayed: false, .. }));
                    assert_eq!(committed.seq, model.seq);
                    self.acknowledged += 1;
                }
                // Certainly not applied. The next group may fit.
                Err(Error::DiskFull) => refused = true,
                Err(Error::Failed(_)) => unknown.push(batch),
                Err(error) => panic!("{error:?}"),
            }
        }
        *candidates = vec![model.clone()];
        for batch in &unknown {
            let mut next = candidates[candidates.len() - 1].clone();
            next.apply(batch);
            candidates.push(next);
        }
        (refused || !unknown.is_empty(), model)
    }

    /// After room was made the same store goes on.
    async fn space_is_freed(&mut self, store: &Store) {
        self.verify_exactly(store).await;
        self.disk.set_capacity(u64::MAX);
        let batch = self.batch(self.opened << 32 | 0xffff);
        store.commit(real(&batch)).await.expect("there is room again");
        self.model.apply(&batch);
        assert!(!store.status().disk_full);
    }

    async fn verify_exactly(&self, store: &Store) {
        let found = dump(store).await;
        assert_eq!(found.seq, self.model.seq);
        assert!(found.rows == self.model.rows, "the rows are not those that were acknowledged");
    }
}

type Answered = Result<Committed, Error>;

fn poll_once(future: Pin<&mut (impl Future<Output = Answered> + ?Sized)>) -> Option<Answered> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

fn real(batch: &ModelBatch) -> Batch {
    let mut real = Batch::new();
    for step in &batch.steps {
        real = match step {
            Step::Put(t, k, v) => real.put(*t, k, v.clone()),
            Step::Delete(t, k) => real.delete(*t, k),
            Step::Add(t, k, n) => real.add(*t, k, *n),
            Step::Append(c, ck, t, k, v) => real.append(*c, ck, *t, k, v.clone()),
        };
    }
    match &batch.name {
        Some(name) => real.idempotency(name),
        None => real,
    }
}

async fn dump(store: &Store) -> Model {
    let mut model = Model { seq: store.status().seq, ..Model::default() };
    for table in [A, B] {
        for row in store.scan(table, Scan::prefix(b"").limit(SCAN_ROWS_MAX)).await.unwrap() {
            model.rows.insert((table.id, row.key), (row.value, row.version.0));
        }
    }
    model
}

fn run(seed: u64) -> (u64, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Unconstrained: tokio would now and then let a future wait that is polled once here to submit its batch.
    runtime.block_on(tokio::task::unconstrained(async {
        let mut run = Run::new(seed);
        for _ in 0..2 + run.seeded.below(3) {
            let faults = [
                Fault::PowerCut,
                Fault::PowerCut,
                Fault::PowerCutWhileOpening,
                Fault::FailedSync,
                Fault::FullDisk,
                Fault::Kill,
            ];
            let fault = faults[run.seeded.below(faults.len() as u64) as usize];
            run.life(fault).await;
        }
        (run.opened, run.acknowledged)
    }))
}

#[test]
fn no_acknowledged_batch_is_lost_on_a_bad_disk() {
    let seeds = seeds(SEEDS);
    let failures = std::sync::Mutex::new(Vec::new());
    let totals = std::sync::Mutex::new((0, 0));
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    match std::panic::catch_unwind(|| run(*seed)) {
                        Ok((opened, acknowledged)) => {
                            let mut totals = totals.lock().unwrap();
                            *totals = (totals.0 + opened, totals.1 + acknowledged);
                        }
                        Err(_) => failures.lock().unwrap().push(*seed),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {} seeds failed; replay with WEFT_SEED: {failures:?}",
        failures.len(),
        seeds.len()
    );
    let (opened, acknowledged) = totals.into_inner().unwrap();
    println!("{} seeds, opened {opened} times, {acknowledged} batches acknowledged, none lost", seeds.len());
    assert!(opened as usize >= 4 * seeds.len() && acknowledged > 10 * seeds.len() as u64);
}
