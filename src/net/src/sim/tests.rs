use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const ALICE: PeerKey = PeerKey([1; 32]);
const BOB: PeerKey = PeerKey([2; 32]);
const CAROL: PeerKey = PeerKey([3; 32]);

/// Notes what it handles, and asks `then` before it answers a question.
#[derive(Default)]
struct Node {
    seen: Mutex<Vec<(PeerKey, Vec<u8>)>>,
    then: Option<(SimLink, PeerKey)>,
    hangs: bool,
}

impl PeerHandler for Node {
    fn deliver(&self, from: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        self.seen.lock().push((from, batch));
        Box::pin(async { b"stored".to_vec() })
    }

    fn query(&self, from: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Vec<u8>> {
        self.seen.lock().push((from, question.clone()));
        Box::pin(async move {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            match &self.then {
                Some((link, to)) => link.query(*to, question).await.unwrap_or_default(),
                None => question.into_iter().rev().collect(),
            }
        })
    }
}

fn seen(node: &Arc<Node>) -> Vec<Vec<u8>> {
    node.seen.lock().iter().map(|(_, bytes)| bytes.clone()).collect()
}

fn two(seed: u64, faults: Faults) -> (SimNet, SimLink, Arc<Node>) {
    let net = SimNet::new(seed, faults);
    let bob = Arc::new(Node::default());
    let alice = net.attach(ALICE, Arc::new(Node::default()));
    net.attach(BOB, bob.clone());
    (net, alice, bob)
}

#[tokio::test]
async fn a_call_takes_the_time_that_it_takes() {
    let (net, alice, bob) = two(1, Faults { delay_ms: 30..=30, ..Faults::none() });
    let answer = net.run_until(alice.deliver(BOB, b"hello".to_vec())).await;
    assert_eq!(answer.as_deref(), Ok(&b"stored"[..]));
    assert_eq!((net.now_ms(), seen(&bob)), (60, vec![b"hello".to_vec()]));
    assert_eq!(bob.seen.lock()[0].0, ALICE);
    assert!(net.is_idle(), "no time-out is left behind");
    net.advance(1_000).await;
    assert_eq!(net.now_ms(), 1_060);
}

#[tokio::test]
async fn nothing_happens_until_it_is_stepped() {
    let (net, alice, bob) = two(1, Faults::none());
    let mut call = pin!(alice.query(BOB, b"ab".to_vec()));
    assert!(futures::poll!(call.as_mut()).is_pending());
    assert!(seen(&bob).is_empty());
    assert_eq!(net.step().await, Some(5));
    assert_eq!(seen(&bob).len(), 1);
    assert!(futures::poll!(call.as_mut()).is_pending());
    assert_eq!(net.step().await, Some(10));
    assert_eq!(call.await.unwrap(), b"ba");
    assert_eq!(net.step().await, None);
}

/// What a story told: answers in order, what bob saw, the time, the counts.
async fn story(seed: u64) -> (Vec<Result<Vec<u8>, LinkError>>, Vec<Vec<u8>>, u64, Counts) {
    let (net, alice, bob) = two(seed, Faults::bad());
    let calls = (0..100_u8).map(|n| alice.deliver(BOB, vec![n]));
    let answers = net.run_until(futures::future::join_all(calls)).await;
    net.advance(60_000).await;
    (answers, seen(&bob), net.now_ms(), net.counts())
}

#[tokio::test]
async fn a_seed_repeats_itself_and_another_does_not() {
    let first = story(7).await;
    assert_eq!(first, story(7).await);
    assert_ne!(first.1, story(8).await.1);
    let Counts { requests_lost, answers_lost, duplicated, .. } = first.3;
    assert!(requests_lost > 0 && answers_lost > 0 && duplicated > 0, "{:?}", first.3);
    assert!(!first.1.is_sorted(), "later ones overtook");
}

#[tokio::test]
async fn what_is_lost_on_the_way_back_was_done() {
    let (net, alice, bob) = two(1, Faults { answers_lost: 1_000, ..Faults::none() });
    let answer = net.run_until(alice.deliver(BOB, vec![1])).await;
    assert_eq!((answer, seen(&bob), net.now_ms()), (Err(LinkError::TimedOut), vec![vec![1]], 10_000));
    net.set_faults(Faults { requests_lost: 1_000, ..Faults::none() });
    let answer = net.run_until(alice.deliver(BOB, vec![2])).await;
    assert_eq!((answer, seen(&bob)), (Err(LinkError::TimedOut), vec![vec![1]]));
}

#[tokio::test]
async fn what_comes_twice_is_answered_once() {
    let (net, alice, bob) = two(1, Faults { duplicated: 1_000, ..Faults::none() });
    net.run_until(alice.deliver(BOB, vec![1])).await.unwrap();
    net.advance(1_000).await;
    assert_eq!(seen(&bob), [vec![1], vec![1]]);
}

#[tokio::test]
async fn a_partition_cuts_what_is_on_its_way_and_heals() {
    let (net, alice, bob) = two(1, Faults { delay_ms: 30..=30, ..Faults::none() });
    let carol = net.attach(CAROL, Arc::new(Node::default()));
    let mut events = alice.events();
    let mut call = pin!(alice.deliver(BOB, vec![1]));
    assert!(futures::poll!(call.as_mut()).is_pending());
    net.partition(&[&[ALICE, CAROL], &[BOB]]);
    assert_eq!(events.recv().await, Ok(LinkEvent::Disconnected(BOB)));
    assert!(!alice.is_connected(BOB) && alice.is_connected(CAROL) && !carol.is_connected(BOB));
    assert_eq!(net.run_until(call).await, Err(LinkError::TimedOut));
    assert!(seen(&bob).is_empty());
    let started = net.now_ms();
    assert_eq!(net.run_until(alice.deliver(BOB, vec![2])).await, Err(LinkError::Unreachable));
    assert!(net.now_ms() - started < 100);
    assert!(net.run_until(alice.query(CAROL, vec![2])).await.is_ok());
    net.heal();
    assert_eq!(events.recv().await, Ok(LinkEvent::Connected(BOB)));
    assert!(net.run_until(alice.deliver(BOB, vec![3])).await.is_ok());
    assert_eq!(seen(&bob), [vec![3]]);
}

#[tokio::test]
async fn an_answer_does_not_pass_a_cut_either() {
    let (net, alice, bob) = two(1, Faults { delay_ms: 30..=30, ..Faults::none() });
    let mut call = pin!(alice.deliver(BOB, vec![1]));
    assert!(futures::poll!(call.as_mut()).is_pending());
    assert_eq!(net.step().await, Some(30));
    assert_eq!(seen(&bob).len(), 1);
    net.cut(ALICE, BOB);
    assert_eq!(net.run_until(call).await, Err(LinkError::TimedOut));
}

#[tokio::test]
async fn a_handler_may_call_others() {
    let net = SimNet::new(1, Faults::none());
    let link = net.link(BOB);
    let alice = net.attach(ALICE, Arc::new(Node::default()));
    net.attach(BOB, Arc::new(Node { then: Some((link, CAROL)), ..Node::default() }));
    net.attach(CAROL, Arc::new(Node::default()));
    assert_eq!(net.run_until(alice.query(BOB, b"abc".to_vec())).await.unwrap(), b"cba");
    assert_eq!(net.now_ms(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_goes_takes_its_work_with_it() {
    let net = SimNet::new(1, Faults::none());
    let alice = net.attach(ALICE, Arc::new(Node::default()));
    let hanging = Arc::new(Node { hangs: true, ..Node::default() });
    let bob = net.attach(BOB, hanging.clone());
    let mut events = alice.events();
    let mut asked = pin!(alice.query(BOB, vec![1]));
    let mut own = pin!(bob.query(ALICE, vec![2]));
    assert!(futures::poll!(asked.as_mut()).is_pending() && futures::poll!(own.as_mut()).is_pending());
    net.advance(5).await;
    assert_eq!(seen(&hanging).len(), 1);
    net.detach(BOB);
    assert_eq!(own.await, Err(LinkError::Closed));
    assert_eq!(bob.query(ALICE, vec![2]).await, Err(LinkError::Closed));
    assert_eq!(net.run_until(asked).await, Err(LinkError::TimedOut));
    assert_eq!(Arc::strong_count(&hanging), 1, "its handlers are gone");
    net.attach(BOB, Arc::new(Node::default()));
    assert!(net.run_until(alice.query(BOB, vec![3])).await.is_ok());
    assert_eq!(events.recv().await, Ok(LinkEvent::Disconnected(BOB)));
    assert_eq!(events.recv().await, Ok(LinkEvent::Connected(BOB)));
}

#[tokio::test]
async fn what_is_too_large_does_not_leave() {
    let (_, alice, _) = two(1, Faults::none());
    let batch = vec![0; weft_wire::limits::PEER_BATCH_BYTES_MAX + 1];
    assert_eq!(alice.deliver(BOB, batch).await, Err(LinkError::TooLarge));
    assert_eq!(alice.query(ALICE, vec![]).await, Err(LinkError::Refused));
    alice.learn(BOB, vec!["/ip4/192.0.2.1/tcp/1".to_owned()]);
    assert_eq!(alice.net.learned(ALICE, BOB), ["/ip4/192.0.2.1/tcp/1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the network does, every call ends, and what was answered was done.
    #[test]
    fn every_call_ends(seed: u64, cuts in proptest::collection::vec(0_u64..20_000, 0..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (net, alice, bob) = two(seed, Faults::bad());
            let calls = tokio::spawn(all_calls(alice, 40));
            for (index, pause) in cuts.iter().enumerate() {
                net.advance(*pause).await;
                if index.is_multiple_of(2) { net.cut(ALICE, BOB) } else { net.heal() }
            }
            let answers = net.run_until(calls).await.unwrap();
            let mut times: BTreeMap<u8, usize> = BTreeMap::new();
            seen(&bob).iter().for_each(|bytes| *times.entry(bytes[0]).or_default() += 1);
            for (n, answer) in answers.iter().enumerate() {
                let done = times.get(&(n as u8)).copied().unwrap_or(0);
                prop_assert!(answer.is_err() || done > 0, "{n} was answered and not done");
                prop_assert!(done <= 2);
            }
            Ok(())
        })?;
    }
}

async fn all_calls(link: SimLink, calls: u8) -> Vec<Result<Vec<u8>, LinkError>> {
    futures::future::join_all((0..calls).map(|n| link.deliver(BOB, vec![n]))).await
}
