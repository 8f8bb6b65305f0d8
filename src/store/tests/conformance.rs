//! What every engine must do, run against each of them. A new engine adds a line at the end of this file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise; clippy knows that of test functions only, not of their helpers"
)]

mod common;

use std::{future::Future, time::Duration};

use common::model::{A, Answer, B, Claim, Model, ModelBatch, Step};
use proptest::prelude::*;
use weft_store::{
    BATCH_BYTES_MAX, Batch, Error, KEY_BYTES_MAX, SCAN_ROWS_MAX, Scan, Store, Table, VALUE_BYTES_MAX,
    Version, Watch,
};

async fn a_row_is_there_after_the_commit_and_gone_after_its_delete(store: Store) {
    assert_eq!(store.get(A, b"k").await.unwrap(), None);
    let first = store.commit(Batch::new().put(A, b"k", b"v1").put(B, b"k", b"other")).await.unwrap();
    let row = store.get(A, b"k").await.unwrap().unwrap();
    assert_eq!(
        (row.key.as_slice(), row.value.as_slice(), row.version),
        (&b"k"[..], &b"v1"[..], Version(first.seq))
    );
    let second = store.commit(Batch::new().delete(A, b"k").delete(A, b"never was")).await.unwrap();
    assert!(second.seq > first.seq);
    assert_eq!(store.get(A, b"k").await.unwrap(), None);
    assert_eq!(store.get(B, b"k").await.unwrap().unwrap().value, b"other");
    let third = store.commit(Batch::new().put(A, b"k", b"")).await.unwrap();
    let row = store.get(A, b"k").await.unwrap().unwrap();
    assert_eq!((row.value.as_slice(), row.version), (&b""[..], Version(third.seq)));
}

async fn a_refused_batch_leaves_nothing(store: Store) {
    let seq = store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap().seq;
    let refused = store.commit(Batch::new().put(A, b"x", b"1").assert_absent(A, b"k")).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict { table: "a", key } if key == b"k"), "{refused:?}");
    assert!(refused.is_conflict());
    let stale = Batch::new().put(A, b"x", b"1").assert_version(A, b"k", Version(seq + 1));
    assert!(store.commit(stale).await.unwrap_err().is_conflict());
    let missing = Batch::new().put(A, b"x", b"1").assert_version(A, b"nope", Version(seq));
    assert!(store.commit(missing).await.unwrap_err().is_conflict());
    assert_eq!(store.get(A, b"x").await.unwrap(), None);
    let right = Batch::new().put(A, b"x", b"1").assert_version(A, b"k", Version(seq)).assert_absent(A, b"x");
    store.commit(right).await.unwrap();
    assert!(store.get(A, b"x").await.unwrap().is_some());
}

async fn a_version_changes_with_every_write_even_of_the_same_value(store: Store) {
    let first = store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap().seq;
    // Many at once, so that an engine which groups commits puts some of them into one group.
    let writes = (0..50).map(|_| store.commit(Batch::new().put(A, b"k", b"v")));
    let mut seqs = std::collections::BTreeSet::from([first]);
    for committed in join_all(writes).await {
        assert!(seqs.insert(committed.unwrap().seq), "two commits share a number");
    }
    let stale = Batch::new().delete(A, b"k").assert_version(A, b"k", Version(first));
    assert!(store.commit(stale).await.unwrap_err().is_conflict());
    assert_eq!(store.get(A, b"k").await.unwrap().unwrap().version.0, *seqs.last().unwrap());
}

async fn of_many_claims_to_one_absent_key_one_wins(store: Store) {
    let claims =
        (0..40u8).map(|n| store.commit(Batch::new().assert_absent(A, b"name").put(A, b"name", vec![n])));
    let answers = join_all(claims).await;
    let won: Vec<usize> = (0..answers.len()).filter(|n| answers[*n].is_ok()).collect();
    assert_eq!(won.len(), 1);
    assert!(
        answers
            .iter()
            .filter(|answer| answer.is_err())
            .all(|answer| answer.as_ref().unwrap_err().is_conflict())
    );
    assert_eq!(store.get(A, b"name").await.unwrap().unwrap().value, vec![won[0] as u8]);
}

async fn counters_count_and_refuse_to_leave_their_range(store: Store) {
    store.commit(Batch::new().add(A, b"n", 5).add(A, b"n", -2)).await.unwrap();
    assert_eq!(counter(&store, b"n").await, 3);
    let under = store.commit(Batch::new().put(A, b"x", b"").add(A, b"n", -4)).await.unwrap_err();
    assert!(matches!(under, Error::CounterOverflow { table: "a", .. }), "{under:?}");
    store.commit(Batch::new().add(A, b"n", u64::MAX - 3)).await.unwrap();
    assert_eq!(counter(&store, b"n").await, u64::MAX);
    assert!(matches!(store.commit(Batch::new().add(A, b"n", 1)).await, Err(Error::CounterOverflow { .. })));
    store.commit(Batch::new().put(A, b"text", b"seven b")).await.unwrap();
    assert!(matches!(store.commit(Batch::new().add(A, b"text", 1)).await, Err(Error::NotACounter { .. })));
    assert_eq!(store.get(A, b"x").await.unwrap(), None);
    store.commit(Batch::new().add(A, b"n", -i128::from(u64::MAX))).await.unwrap();
    assert_eq!(counter(&store, b"n").await, 0);
}

async fn appends_number_their_entries_without_a_gap_and_never_conflict(store: Store) {
    let writers = (0..20u8).map(|writer| {
        let store = store.clone();
        async move {
            let mut numbers = Vec::new();
            for entry in 0..10u8 {
                let batch = Batch::new().append(A, b"room", B, b"room/", vec![writer, entry]);
                numbers.extend(store.commit(batch).await.unwrap().numbers);
            }
            assert!(numbers.is_sorted(), "one writer's entries are in its order");
            numbers
        }
    });
    let mut numbers: Vec<u64> = join_all(writers).await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    let log = store.scan(B, Scan::prefix(b"room/").limit(1000)).await.unwrap();
    let stored = log.iter().map(|row| u64::from_be_bytes(*row.key.last_chunk().unwrap()));
    assert_eq!(stored.collect::<Vec<_>>(), numbers);
    let two = Batch::new().append(A, b"room", B, b"room/", b"x").append(A, b"other", B, b"other/", b"y");
    assert_eq!(store.commit(two).await.unwrap().numbers, [201, 1]);
}

async fn a_named_batch_is_applied_once(store: Store) {
    let batch = || Batch::new().append(A, b"c", B, b"log/", b"x").add(A, b"n", 1).idempotency(b"name");
    let first = store.commit(batch()).await.unwrap();
    assert!(!first.replayed);
    store.commit(Batch::new().put(A, b"between", b"")).await.unwrap();
    let again = store.commit(batch()).await.unwrap();
    assert_eq!((again.seq, &again.numbers, again.replayed), (first.seq, &first.numbers, true));
    // A name decides before assertions do: the first coming may have changed what it asserted.
    let replay = Batch::new().assert_absent(A, b"n").idempotency(b"name");
    assert!(store.commit(replay).await.unwrap().replayed);
    assert_eq!(counter(&store, b"n").await, 1);
    // At the same time too.
    let answers =
        join_all((0..30).map(|_| store.commit(Batch::new().add(A, b"m", 1).idempotency(b"at once")))).await;
    assert_eq!(answers.iter().filter(|answer| !answer.as_ref().unwrap().replayed).count(), 1);
    assert_eq!(counter(&store, b"m").await, 1);
    // A refused batch leaves its name free.
    let refused = Batch::new().assert_absent(A, b"n").idempotency(b"free");
    assert!(store.commit(refused).await.unwrap_err().is_conflict());
    assert!(!store.commit(Batch::new().add(A, b"n", 1).idempotency(b"free")).await.unwrap().replayed);
}

async fn a_scan_gives_the_range_in_order_page_by_page(store: Store) {
    let keys: Vec<Vec<u8>> =
        [&b"p"[..], b"p\0", b"p\0\xff", b"pa", b"p\xff", b"p\xff\xff", b"q", b"\xff", b"\xff\xff\xff", b""]
            .map(<[u8]>::to_vec)
            .to_vec();
    let mut batch = Batch::new();
    for key in &keys {
        batch = batch.put(A, key, key.clone()).put(Table::new(199, "below"), key, b"").put(B, key, b"");
    }
    store.commit(batch).await.unwrap();
    let mut sorted = keys.clone();
    sorted.sort();
    for prefix in [&b""[..], b"p", b"p\xff", b"\xff", b"\xff\xff", b"none"] {
        let mut expected: Vec<_> = sorted.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        for reverse in [false, true] {
            for page in [1, 2, 3, 100] {
                assert_eq!(
                    pages(&store, prefix, page, reverse).await,
                    expected,
                    "{prefix:?} {page} {reverse}"
                );
            }
            expected.reverse();
        }
    }
    // A cursor outside of the prefix.
    let scan = |scan: Scan| async { keys_of(&store, scan).await };
    assert_eq!(scan(Scan::prefix(b"q").after(b"a")).await, [b"q"]);
    assert_eq!(scan(Scan::prefix(b"q").after(b"z")).await, Vec::<Vec<u8>>::new());
    assert_eq!(scan(Scan::prefix(b"q").after(b"z").reverse()).await, [b"q"]);
    assert_eq!(scan(Scan::prefix(b"q").after(b"a").reverse()).await, Vec::<Vec<u8>>::new());
    assert_eq!(scan(Scan::prefix(b"").limit(0)).await, Vec::<Vec<u8>>::new());
}

async fn a_scan_of_large_rows_stops_before_memory_does(store: Store) {
    let value = vec![7; VALUE_BYTES_MAX];
    for n in 0..20u8 {
        let puts = (0..15u8).fold(Batch::new(), |batch, m| batch.put(A, [n, m], value.clone()));
        store.commit(puts).await.unwrap();
    }
    let rows = store.scan(A, Scan::prefix(b"").limit(SCAN_ROWS_MAX)).await.unwrap();
    assert!(!rows.is_empty() && rows.len() < 300, "{} rows", rows.len());
    let all = pages(&store, b"", SCAN_ROWS_MAX, false).await;
    assert_eq!(all.len(), 300);
}

async fn what_is_too_large_or_reserved_is_refused(store: Store) {
    let too_large = async |batch: Batch| matches!(store.commit(batch).await, Err(Error::TooLarge { .. }));
    assert!(too_large(Batch::new().put(A, vec![0; KEY_BYTES_MAX + 1], b"")).await);
    assert!(too_large(Batch::new().put(A, b"k", vec![0; VALUE_BYTES_MAX + 1])).await);
    assert!(too_large(Batch::new().append(A, b"c", B, vec![0; KEY_BYTES_MAX - 7], b"")).await);
    assert!(too_large(Batch::new().assert_absent(A, vec![0; KEY_BYTES_MAX + 1])).await);
    assert!(too_large(Batch::new().idempotency(vec![0; KEY_BYTES_MAX + 1])).await);
    let wide = |n: u32| (0..n).fold(Batch::new(), |b, n| b.put(A, n.to_be_bytes(), vec![0; VALUE_BYTES_MAX]));
    assert!(too_large(wide(16)).await);
    assert!(too_large((0..5000u32).fold(Batch::new(), |b, n| b.delete(A, n.to_be_bytes()))).await);
    assert!(matches!(
        store.scan(A, Scan::prefix(b"").limit(SCAN_ROWS_MAX + 1)).await,
        Err(Error::TooLarge { .. })
    ));
    let reserved = Batch::new().put(Table::new(1, "mine"), b"k", b"");
    assert!(matches!(store.commit(reserved).await, Err(Error::Reserved { table: "mine" })));
    assert!(wide(15).encoded_len() <= BATCH_BYTES_MAX);
    store.commit(wide(15)).await.unwrap();
    let widest = Batch::new().put(A, vec![1; KEY_BYTES_MAX], vec![2; VALUE_BYTES_MAX]);
    store.commit(widest.append(A, b"c", B, vec![0; KEY_BYTES_MAX - 8], b"")).await.unwrap();
    assert_eq!(store.get(A, &[1; KEY_BYTES_MAX]).await.unwrap().unwrap().value.len(), VALUE_BYTES_MAX);
}

async fn an_empty_batch_changes_nothing_and_assertions_alone_are_checked(store: Store) {
    let seq = store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap().seq;
    assert_eq!(store.commit(Batch::new()).await.unwrap().seq, seq);
    let checked = store.commit(Batch::new().assert_version(A, b"k", Version(seq))).await.unwrap();
    assert_eq!((checked.seq, checked.replayed), (seq, false));
    assert!(store.commit(Batch::new().assert_absent(A, b"k")).await.unwrap_err().is_conflict());
    assert_eq!(store.status().seq, seq);
}

async fn a_watch_hears_of_every_commit_under_its_prefix_and_of_no_other(store: Store) {
    store.commit(Batch::new().put(A, b"room/1/old", b"")).await.unwrap();
    let mut one = store.watch(A, b"room/1/");
    let mut all = store.watch(A, b"room/");
    let mut other = store.watch(B, b"room/1/");
    assert!(is_quiet(&mut one).await, "what was before the watch is not news");
    store.commit(Batch::new().put(A, b"room/2/x", b"")).await.unwrap();
    assert!(is_quiet(&mut one).await && !is_quiet(&mut all).await && is_quiet(&mut other).await);
    // Two commits are one piece of news, and the news is there however late one asks.
    for value in [b"1", b"2"] {
        store.commit(Batch::new().put(A, b"room/1/x", value)).await.unwrap();
    }
    assert!(!is_quiet(&mut one).await && is_quiet(&mut one).await);
    store.commit(Batch::new().delete(A, b"room/1/x")).await.unwrap();
    assert!(!is_quiet(&mut one).await);
    store.commit(Batch::new().append(B, b"c", A, b"room/1/", b"")).await.unwrap();
    assert!(!is_quiet(&mut one).await);
    let refused = Batch::new().put(A, b"room/1/x", b"").assert_absent(B, b"c");
    assert!(store.commit(refused).await.is_err());
    assert!(is_quiet(&mut one).await);
    drop(all);
    // By the time the watch wakes, the commit can be read.
    let (reader, mut watch) = (store.clone(), store.watch(A, b"log/"));
    let follower = tokio::spawn(async move {
        let mut seen = 0;
        while seen < 100 {
            watch.changed().await;
            seen = reader.scan(A, Scan::prefix(b"log/")).await.unwrap().len();
        }
    });
    for _ in 0..100 {
        store.commit(Batch::new().append(B, b"log", A, b"log/", b"")).await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(20), follower)
        .await
        .expect("the watch missed a commit")
        .unwrap();
}

async fn transactions_that_meet_all_take_effect(store: Store) {
    let tasks = (0..8).map(|_| {
        let store = store.clone();
        async move {
            let mut done = 0;
            while done < 10 {
                let moved = store.transact(|tx| async move {
                    let now = tx.get(A, b"balance").await?.map_or(0, |row| row.value[0]);
                    tx.put(A, b"balance", [now + 1]);
                    assert_eq!(
                        tx.get(A, b"balance").await?.unwrap().value,
                        [now + 1],
                        "it sees its own write"
                    );
                    Ok::<_, Error>(())
                });
                match moved.await {
                    Ok(()) => done += 1,
                    Err(Error::Contended { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    });
    join_all(tasks).await;
    assert_eq!(store.get(A, b"balance").await.unwrap().unwrap().value, [80]);
}

async fn a_transaction_that_fails_writes_nothing_and_one_that_always_meets_another_gives_up(store: Store) {
    #[derive(Debug)]
    enum Own {
        No,
        Store(Error),
    }
    impl From<Error> for Own {
        fn from(error: Error) -> Self {
            Own::Store(error)
        }
    }
    let failed = store.transact(|tx| async move {
        tx.put(A, b"k", b"v");
        Err::<(), _>(Own::No)
    });
    assert!(matches!(failed.await, Err(Own::No)));
    assert_eq!(store.get(A, b"k").await.unwrap(), None);
    let saboteur = &store;
    let contended = store.transact(|tx| async move {
        tx.get(A, b"k").await?;
        saboteur.commit(Batch::new().put(A, b"k", b"again")).await?;
        tx.put(A, b"mine", b"");
        Ok::<_, Own>(())
    });
    let error = contended.await.unwrap_err();
    assert!(matches!(error, Own::Store(Error::Contended { attempts: 24, table: "a" })), "{error:?}");
    assert_eq!(store.get(A, b"mine").await.unwrap(), None);
    // Getting a key that is absent asserts that it still is.
    let (value, committed) = store
        .transact_committed(|tx| async move {
            let absent = tx.get(A, b"new").await?.is_none();
            tx.append(A, b"c", B, b"log/", b"entry");
            tx.delete(A, b"k");
            Ok::<_, Own>(absent && tx.get(A, b"k").await?.is_none())
        })
        .await
        .unwrap();
    assert_eq!((value, committed.numbers), (true, vec![1]));
}

async fn a_closed_store_says_so(store: Store) {
    store.commit(Batch::new().put(A, b"k", b"v")).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.commit(Batch::new().put(A, b"k", b"v")).await, Err(Error::Closed)));
    assert!(matches!(store.get(A, b"k").await, Err(Error::Closed)));
    assert!(matches!(store.scan(A, Scan::prefix(b"")).await, Err(Error::Closed)));
    store.close().await.unwrap();
}

async fn counter(store: &Store, key: &[u8]) -> u64 {
    let row = store.get(A, key).await.unwrap().unwrap();
    u64::from_be_bytes(row.value.try_into().unwrap())
}

async fn keys_of(store: &Store, scan: Scan) -> Vec<Vec<u8>> {
    store.scan(A, scan).await.unwrap().into_iter().map(|row| row.key).collect()
}

async fn pages(store: &Store, prefix: &[u8], limit: usize, reverse: bool) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut scan = Scan::prefix(prefix).limit(limit);
        if let Some(last) = all.last() {
            scan = scan.after(last);
        }
        let page = keys_of(store, if reverse { scan.reverse() } else { scan }).await;
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// True if the watch has nothing to say. A commit wakes its watches before it is answered, so there is nothing to wait for.
async fn is_quiet(watch: &mut Watch) -> bool {
    tokio::select! {
        biased;
        () = watch.changed() => false,
        () = std::future::ready(()) => true,
    }
}

async fn join_all<F: Future<Output: Send + 'static> + Send>(
    futures: impl Iterator<Item = F>,
) -> Vec<F::Output> {
    // Polled together, so that they are all under way at once.
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

// Against a model.

#[derive(Clone, Debug)]
enum Act {
    Commit(ModelBatch),
    Get(Table, Vec<u8>),
    Scan(Table, Vec<u8>, Option<Vec<u8>>, bool, usize),
    Watch(Table, Vec<u8>),
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(A), Just(B)]
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    // Few keys, so that they meet; some with edges.
    proptest::collection::vec(prop_oneof![Just(0u8), Just(b'a'), Just(255)], 0..3)
}

fn batch() -> impl Strategy<Value = ModelBatch> {
    let value = || {
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..20), any::<[u8; 8]>().prop_map(|b| b.to_vec())]
    };
    let step = prop_oneof![
        4 => (table(), key(), value()).prop_map(|(t, k, v)| Step::Put(t, k, v)),
        2 => (table(), key()).prop_map(|(t, k)| Step::Delete(t, k)),
        2 => (table(), key(), prop_oneof![-3i64..9, any::<i64>()]).prop_map(|(t, k, n)| Step::Add(t, k, n)),
        2 => (table(), key(), table(), key(), value()).prop_map(|(c, ck, t, k, v)| Step::Append(c, ck, t, k, v)),
    ];
    let claim = prop_oneof![
        (table(), key()).prop_map(|(t, k)| Claim::Absent(t, k)),
        (table(), key(), prop_oneof![4 => Just(0u64), 1 => Just(1)])
            .prop_map(|(t, k, off)| Claim::Version(t, k, off)),
    ];
    let name = proptest::option::weighted(0.2, proptest::collection::vec(0u8..3, 0..2));
    (proptest::collection::vec(step, 0..6), proptest::collection::vec(claim, 0..2), name)
        .prop_map(|(steps, claims, name)| ModelBatch { steps, claims, name })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => batch().prop_map(Act::Commit),
        2 => (table(), key()).prop_map(|(t, k)| Act::Get(t, k)),
        2 => (table(), key(), proptest::option::of(key()), any::<bool>(), 0usize..5)
            .prop_map(|(t, p, a, r, l)| Act::Scan(t, p, a, r, l)),
        1 => (table(), key()).prop_map(|(t, k)| Act::Watch(t, k)),
    ];
    proptest::collection::vec(act, 1..40)
}

fn real(batch: &ModelBatch, model: &Model, versions: &std::collections::BTreeMap<u64, u64>) -> Batch {
    let mut real = Batch::new();
    for claim in &batch.claims {
        real = match claim {
            Claim::Absent(t, k) => real.assert_absent(*t, k),
            Claim::Version(t, k, off) => {
                let version = versions.get(&model.version(*t, k)).copied().unwrap_or(0);
                real.assert_version(*t, k, Version(version + off))
            }
        };
    }
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

async fn follow(store: Store, acts: Vec<Act>) {
    let mut model = Model::default();
    // The model's sequence numbers to the store's: an engine may leave gaps, but only forwards.
    let mut versions = std::collections::BTreeMap::from([(0, 0)]);
    let mut watches: Vec<(Watch, Table, Vec<u8>)> = Vec::new();
    for act in acts {
        match act {
            Act::Commit(batch) => {
                let before = model.clone();
                let answer = store.commit(real(&batch, &model, &versions)).await;
                let expected = model.apply(&batch);
                match (&expected, answer) {
                    (Answer::Done { numbers, replayed }, Ok(done)) => {
                        assert_eq!((numbers, *replayed), (&done.numbers, done.replayed));
                        if model.seq > before.seq {
                            assert!(done.seq > *versions.last_key_value().unwrap().1);
                            versions.insert(model.seq, done.seq);
                        }
                    }
                    (Answer::Conflict, Err(Error::Conflict { .. }))
                    | (Answer::Overflow, Err(Error::CounterOverflow { .. }))
                    | (Answer::NotACounter, Err(Error::NotACounter { .. })) => {}
                    (expected, answer) => panic!("expected {expected:?}, got {answer:?} for {batch:?}"),
                }
                for (watch, table, prefix) in &mut watches {
                    let under = |rows: &Model| -> Vec<_> {
                        let under = rows
                            .rows
                            .iter()
                            .filter(|((id, key), _)| *id == table.id && key.starts_with(prefix));
                        under.map(|(key, row)| (key.clone(), row.clone())).collect()
                    };
                    let changed = under(&before) != under(&model);
                    // A delete of nothing may be told of as well.
                    assert!(
                        !is_quiet(watch).await || !changed,
                        "a commit under {prefix:?} went unheard: {batch:?}"
                    );
                }
            }
            Act::Get(table, key) => {
                let row = store.get(table, &key).await.unwrap();
                let expected = model.rows.get(&(table.id, key));
                assert_eq!(
                    row.map(|row| (row.value, row.version.0)),
                    expected.map(|(v, s)| (v.clone(), versions[s]))
                );
            }
            Act::Scan(table, prefix, after, reverse, limit) => {
                let mut scan = Scan::prefix(&prefix).limit(limit);
                if let Some(after) = &after {
                    scan = scan.after(after);
                }
                let rows = store.scan(table, if reverse { scan.reverse() } else { scan }).await.unwrap();
                let keys: Vec<_> = rows.into_iter().map(|row| row.key).collect();
                assert_eq!(keys, model.scan(table, &prefix, after.as_deref(), reverse, limit));
            }
            Act::Watch(table, prefix) => watches.push((store.watch(table, &prefix), table, prefix)),
        }
    }
    let rows: usize = model.rows.len();
    let mut found = 0;
    for table in [A, B] {
        for row in store.scan(table, Scan::prefix(b"").limit(SCAN_ROWS_MAX)).await.unwrap() {
            let (value, seq) = &model.rows[&(table.id, row.key)];
            assert_eq!((&row.value, row.version.0), (value, versions[seq]));
            found += 1;
        }
    }
    assert_eq!(found, rows);
}

macro_rules! conformance {
    ($engine:ident, $make:expr, cases: $cases:expr) => {
        mod $engine {
            use super::*;

            conformance!(@tests $make;
                a_row_is_there_after_the_commit_and_gone_after_its_delete,
                a_refused_batch_leaves_nothing,
                a_version_changes_with_every_write_even_of_the_same_value,
                of_many_claims_to_one_absent_key_one_wins,
                counters_count_and_refuse_to_leave_their_range,
                appends_number_their_entries_without_a_gap_and_never_conflict,
                a_named_batch_is_applied_once,
                a_scan_gives_the_range_in_order_page_by_page,
                a_scan_of_large_rows_stops_before_memory_does,
                what_is_too_large_or_reserved_is_refused,
                an_empty_batch_changes_nothing_and_assertions_alone_are_checked,
                a_watch_hears_of_every_commit_under_its_prefix_and_of_no_other,
                transactions_that_meet_all_take_effect,
                a_transaction_that_fails_writes_nothing_and_one_that_always_meets_another_gives_up,
                a_closed_store_says_so,
            );

            proptest! {
                #![proptest_config(ProptestConfig { cases: $cases, failure_persistence: None, ..ProptestConfig::default() })]
                #[test]
                fn it_does_what_the_model_does(acts in acts()) {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    let (store, _kept) = $make;
                    runtime.block_on(follow(store, acts));
                }
            }
        }
    };
    (@tests $make:expr; $($test:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let (store, _kept) = $make;
                super::$test(store).await;
            }
        )*
    };
}

fn embedded() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (weft_store::embedded::open(dir.path(), common::small()).unwrap(), dir)
}

conformance!(memory, (Store::memory(), ()), cases: 400);
conformance!(embedded, embedded(), cases: 60);
