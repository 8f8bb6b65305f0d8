mod arrivals;
mod strangers;
pub(crate) mod support;

use super::{courier::Round, *};
use crate::ServiceConfig;
use std::time::Duration;
use support::*;
use weft_wire::{Code, Problem, federation::FederationPolicy};

fn pair(seed: u64) -> (Arc<FakeNet>, TestNode, TestNode) {
    let net = FakeNet::new(seed);
    let (here, there) = (TestNode::new(&net, 1), TestNode::new(&net, 2));
    (net, here, there)
}

#[tokio::test]
async fn whatever_the_network_does_every_event_takes_effect_once_and_in_order() {
    for seed in 0..60 {
        let (net, mut here, mut there) = pair(seed);
        net.state.lock().faults = 60;
        let mut said = 0;
        while said < 40 {
            match net.dice(10) {
                0..=4 => {
                    said += 1;
                    here.say(&there, said).await;
                }
                5..=7 => drop(here.round(&there).await),
                8 => net.deliver_late().await,
                _ if net.dice(2) == 0 => here = here.restarted(),
                _ => there = there.restarted(),
            }
        }
        net.deliver_late().await;
        net.state.lock().faults = 0;
        here.finish(&there).await;
        net.deliver_late().await;
        assert_eq!(there.taken().await, (1..=40).collect::<Vec<_>>(), "seed {seed}");
        let settled = (1..=40).map(|seq| match seq % 3 {
            0 => format!("{seq} accepted {seq}"),
            _ => format!("{seq} done"),
        });
        assert_eq!(here.settled().await, settled.collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(here.federation.waiting(&there.name).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_refused_event_is_told_and_holds_nothing_up() {
    let (_net, here, there) = pair(1);
    for seq in [1, BAD, 3] {
        here.say(&there, seq).await;
    }
    here.finish(&there).await;
    assert_eq!(there.taken().await, [1, 3], "nothing of a refused event stays");
    assert_eq!(here.settled().await, ["1 done", "666 forbidden", "3 accepted 3"]);
}

#[tokio::test]
async fn a_node_that_cannot_store_takes_nothing_and_gets_it_again() {
    let (_net, here, there) = pair(1);
    for seq in 1..=3 {
        here.say(&there, seq).await;
    }
    *there.notebook.later.lock() = true;
    assert_eq!(here.round(&there).await.unwrap(), Round::Failed { retry_after: None, went: false });
    assert_eq!((there.taken().await, here.settled().await), (vec![], vec![]));
    let peer = here.federation.peers(None).await.unwrap().remove(0);
    assert!(peer.last_error.unwrap().contains("cannot store"), "the operator sees why");

    *there.notebook.later.lock() = false;
    here.finish(&there).await;
    assert_eq!(there.taken().await, [1, 2, 3]);
    assert_eq!(here.federation.peers(None).await.unwrap()[0].last_error, None, "and that it is over");
}

#[tokio::test]
async fn a_fault_of_the_receiver_is_tried_again_for_a_while_and_holds_nothing_up_for_ever() {
    let (_net, here, there) = pair(1);
    for seq in [1, BROKEN, 3] {
        here.say(&there, seq).await;
    }
    let failed = |went| Round::Failed { retry_after: None, went };
    assert_eq!(here.round(&there).await.unwrap(), failed(true));
    let peer = async || here.federation.peers(None).await.unwrap().remove(0);
    assert_eq!(peer().await.last_error, None, "it has taken something, and is no node that cannot");
    for _ in 0..14 {
        assert_eq!(here.round(&there).await.unwrap(), failed(false));
    }
    assert!(peer().await.last_error.is_some(), "the operator sees it");
    assert_eq!(here.settled().await, ["1 done"]);
    assert_eq!(here.round(&there).await.unwrap(), Round::Went);
    assert_eq!(there.taken().await, [1, 3]);
    assert_eq!(here.settled().await, ["1 done", "77777 internal", "3 accepted 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_a_little_each_time_is_slow_and_not_away() {
    let (net, here, there) = pair(1);
    let there = TestNode::with(&net, 2, there.name.clone(), scarce());
    for seq in 10_001..=11_060 {
        here.say(&there, seq).await;
    }
    while here.round(&there).await.unwrap() == Round::Went {}
    let couriers = here.federation.start(net.end(here.key), net.clone());
    // It lets one row in after a while, so that each round ends with a no: were it a failure, the pauses would soon be of
    // minutes.
    for _ in 0..12 {
        let before = there.taken().await.len();
        let begun = tokio::time::Instant::now();
        while there.taken().await.len() == before {
            there.clock.advance(1_000);
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(begun.elapsed() < Duration::from_secs(3_600), "nothing goes any more");
        }
    }
    there.clock.advance(24 * 60 * 60 * 1000);
    let begun = tokio::time::Instant::now();
    while there.taken().await.len() < 1_060 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < Duration::from_secs(150), "it waits for minutes");
    }
    couriers.shutdown().await;
}

/// A node that lets others write a MiB a day.
fn scarce() -> ServiceConfig {
    ServiceConfig { written_mib_per_day: 1, rate_limit_factor: 1.0, ..ServiceConfig::default() }
}

#[tokio::test]
async fn what_a_node_makes_another_one_store_is_charged_and_waits_when_it_is_too_much() {
    let (net, here, there) = pair(1);
    let there = TestNode::with(&net, 2, there.name.clone(), scarce());
    for seq in 10_001..=11_100 {
        here.say(&there, seq).await;
    }
    let mut last = Round::Went;
    while last == Round::Went {
        last = here.round(&there).await.unwrap();
    }
    let Round::Failed { retry_after: Some(wait), .. } = last else { panic!("not charged: {last:?}") };
    assert_eq!(there.taken().await.len(), 1_024, "a KiB each");
    assert!(here.settled().await.iter().all(|line| !line.contains("rate_limited")), "nothing is refused");
    let other = TestNode::new(&net, 3);
    other.say(&there, 2_000).await;
    other.finish(&there).await;
    there.clock.advance(u64::try_from(wait.as_millis()).unwrap());
    let Round::Failed { went: true, .. } = here.round(&there).await.unwrap() else { panic!("nothing went") };
    assert_eq!(there.taken().await.len(), 1_026);
    there.clock.advance(24 * 60 * 60 * 1000);
    here.finish(&there).await;
    assert_eq!(there.taken().await.len(), 1_101);
}

#[tokio::test]
async fn a_receiver_that_comes_from_a_backup_gets_what_still_waits() {
    let (_net, here, there) = pair(1);
    here.say(&there, 1).await;
    here.finish(&there).await;
    let backup = there.backup().await;
    for seq in 2..=5 {
        here.say(&there, seq).await;
    }
    here.finish(&there).await;
    let there = there.started_on(backup);
    here.say(&there, 6).await;
    here.say(&there, 7).await;
    here.finish(&there).await;
    assert_eq!(there.taken().await, [1, 6, 7]);
}

#[tokio::test]
async fn a_sender_that_comes_from_a_backup_begins_anew_and_nothing_is_swallowed() {
    for told in [true, false] {
        let (_net, here, there) = pair(1);
        here.say(&there, 1).await;
        here.finish(&there).await;
        let backup = here.backup().await;
        for seq in 2..=9 {
            here.say(&there, seq).await;
        }
        here.finish(&there).await;
        if told {
            begin_anew(&backup).await.unwrap();
        }
        // Its numbers are those of others that have arrived before. Where nobody told it of the restore, it finds out by the
        // answer, as long as it has not given as many numbers again.
        let here = here.started_on(backup);
        for seq in 10..=(if told { 30 } else { 12 }) {
            here.say(&there, seq).await;
        }
        here.finish(&there).await;
        let expected: Vec<u64> = (1..=if told { 30 } else { 12 }).collect();
        assert_eq!(there.taken().await, expected);
    }
}

#[tokio::test]
async fn what_waits_for_too_long_fails_visibly_and_what_came_later_goes() {
    let (net, here, there) = pair(1);
    here.say(&there, 1).await;
    here.finish(&there).await;
    net.state.lock().away.insert(there.key);
    here.say(&there, 2).await;
    here.clock.advance(here.config.peer_retention_ms);
    here.say(&there, 3).await;
    assert!(matches!(here.round(&there).await, Err(FederationError::Unreachable { .. })));
    assert_eq!(here.settled().await, ["1 done"], "not a moment too early");
    here.clock.advance(1);
    assert!(here.round(&there).await.is_err());
    assert_eq!(here.settled().await, ["1 done", "2 expired"]);
    net.back(there.key);
    here.finish(&there).await;
    assert_eq!(there.taken().await, [1, 3]);
}

#[tokio::test]
async fn more_than_fits_one_batch_goes_in_several() {
    let (net, here, there) = pair(1);
    for seq in 1..=600 {
        here.say(&there, seq).await;
    }
    here.finish(&there).await;
    assert_eq!(there.taken().await, (1..=600).collect::<Vec<_>>());
    assert_eq!(net.state.lock().sent, 3);
}

#[tokio::test(start_paused = true)]
async fn a_courier_goes_when_something_is_committed_and_when_the_other_comes_back() {
    let (net, here, there) = pair(1);
    net.state.lock().away.insert(there.key);
    let couriers = here.federation.start(net.end(here.key), net.clone());
    here.say(&there, 1).await;
    // Two hours of failures: the pauses grow, so that they are few.
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    assert!(there.taken().await.is_empty());
    let begun = tokio::time::Instant::now();
    net.back(there.key);
    while there.taken().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    here.say(&there, 2).await;
    while there.taken().await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "at once, not after the pause");
    couriers.shutdown().await;
    here.say(&there, 3).await;
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    assert_eq!(there.taken().await, [1, 2], "nobody goes any more");
}

#[tokio::test]
async fn what_follows_from_a_batch_may_be_more_than_one_commit_holds() {
    let (_net, here, there) = pair(1);
    let all: Vec<_> = (BULKY..BULKY + 40).collect();
    for seq in &all {
        here.say(&there, *seq).await;
    }
    here.finish(&there).await;
    assert_eq!((there.taken().await, here.settled().await.len()), (all, 40));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_hangs_up_each_time_is_not_called_again_at_once() {
    for answers in [true, false] {
        let (net, here, there) = pair(1);
        let closed = ServiceConfig { federation: FederationPolicy::Closed, ..config() };
        let there = TestNode::with(&net, 2, there.name.clone(), closed);
        net.state.lock().hang_up.insert(there.key, answers);
        here.say(&there, 1).await;
        let couriers = here.federation.start(net.end(here.key), net.clone());
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let tried = net.state.lock().tried;
        assert!((5..30).contains(&tried), "called {tried} times in an hour");
        couriers.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_calls_again_and_again_without_being_there_does_not_set_the_pace() {
    let (net, here, there) = pair(1);
    net.state.lock().away.insert(there.key);
    here.say(&there, 1).await;
    let couriers = here.federation.start(net.end(here.key), net.clone());
    for _ in 0..6_000 {
        net.back(there.key);
        net.state.lock().away.insert(there.key);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Each call but the first of some is answered with a pause of half a second and more.
    let tried = net.state.lock().tried;
    assert!((60..300).contains(&tried), "tried {tried} times in a minute");
    couriers.shutdown().await;
}

#[tokio::test]
async fn the_policy_decides_whom_a_node_speaks_with() {
    let net = FakeNet::new(1);
    let here = TestNode::new(&net, 1);
    for policy in [FederationPolicy::Open, FederationPolicy::AllowList, FederationPolicy::Closed] {
        let there = TestNode::new(&net, 2);
        let config = ServiceConfig { federation: policy, ..config() };
        let there = TestNode::with(&net, 2, there.name.clone(), config);
        let here = here.started_on(here.backup().await);
        here.say(&there, 1).await;
        let went = here.round(&there).await.unwrap() == Round::Went;
        assert_eq!(went, policy == FederationPolicy::Open);

        there.federation.judge(&here.name, Verdict::Trust).await.unwrap();
        let went = here.round(&there).await.unwrap() != Round::Failed { retry_after: None, went: false };
        assert_eq!(went, policy != FederationPolicy::Closed, "{policy:?}");

        there.federation.judge(&here.name, Verdict::Block).await.unwrap();
        here.say(&there, 2).await;
        assert_eq!(here.round(&there).await.unwrap(), Round::Failed { retry_after: None, went: false });
        let error = there.federation.nodes.ask(&here.name, &question(&there)).await.unwrap_err();
        assert_eq!(Problem::from(error).code, Code::Forbidden, "nor does it ask");
    }
}

#[tokio::test]
async fn whom_the_configuration_shuts_out_stays_out_whatever_is_said_while_the_node_runs() {
    let net = FakeNet::new(1);
    let (here, there) = (TestNode::new(&net, 1), TestNode::new(&net, 2));
    let config = ServiceConfig { blocked_nodes: [here.name.clone()].into(), ..config() };
    let there = TestNode::with(&net, 2, there.name.clone(), config);
    for verdict in [Verdict::Trust, Verdict::Ordinary] {
        let refused = there.federation.judge(&here.name, verdict).await.unwrap_err();
        assert!(matches!(refused, FederationError::NotAllowed { .. }), "{refused:?}");
    }
    here.say(&there, 1).await;
    assert_eq!(here.round(&there).await.unwrap(), Round::Failed { retry_after: None, went: false });
    let error = there.federation.nodes.ask(&here.name, &question(&there)).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::Forbidden);
}

#[tokio::test]
async fn budgets_of_a_node_are_its_own_and_the_operators_to_set() {
    let net = FakeNet::new(1);
    let name = TestNode::new(&net, 2).name;
    let there = TestNode::with(&net, 2, name, ServiceConfig::default());
    let (busy, other) = (TestNode::new(&net, 1), TestNode::new(&net, 3));
    there.federation.judge(&busy.name, Verdict::Limit(10)).await.unwrap();
    for seq in 1..=900 {
        busy.say(&there, seq).await;
    }
    // A burst is 5,120 events; at ten per cent each costs ten.
    assert_eq!(busy.round(&there).await.unwrap(), Round::Went);
    assert_eq!(busy.round(&there).await.unwrap(), Round::Went);
    let Round::Failed { retry_after: Some(wait), .. } = busy.round(&there).await.unwrap() else {
        panic!("not limited")
    };
    assert_eq!(there.taken().await.len(), 512);
    other.say(&there, 1_000).await;
    other.finish(&there).await;
    assert_eq!(there.taken().await.len(), 513, "another node is not held up");

    there.clock.advance(u64::try_from(wait.as_millis()).unwrap());
    assert_eq!(busy.round(&there).await.unwrap(), Round::Went);
}

fn question(by: &TestNode) -> Question {
    let by = weft_wire::UserAddress::new("alice".parse().unwrap(), by.name.clone());
    Question::Person { by, user: "bob".parse().unwrap() }
}

#[tokio::test]
async fn a_node_that_has_moved_is_found_by_its_name_but_not_with_another_key() {
    let net = FakeNet::new(1);
    let here = TestNode::new(&net, 1);
    let there = TestNode::with(&net, 2, "other.example".parse().unwrap(), config());
    net.publish_at(
        &there.name,
        2,
        &["/ip4/9.9.9.9/tcp/1", "/ip4/192.168.0.9/tcp/1", "/dns/evil.example/tcp/1"],
    );
    here.say(&there, 1).await;
    here.finish(&there).await;
    let addresses = async || here.federation.peer(&there.name).await.unwrap().unwrap().addresses;
    // What would make this node knock at doors of its own network is left out.
    assert_eq!(addresses().await, ["/ip4/9.9.9.9/tcp/1"]);
    net.publish_at(&there.name, 2, &["/dns/other.example/tcp/2"]);
    here.federation.nodes.peers.refresh(&there.name, net.as_ref()).await.unwrap();
    assert_eq!(addresses().await, ["/dns/other.example/tcp/2"]);
    net.publish_at(&there.name, 3, &["/ip4/9.9.9.9/tcp/3"]);
    here.federation.nodes.peers.refresh(&there.name, net.as_ref()).await.unwrap();
    let peer = here.federation.peer(&there.name).await.unwrap().unwrap();
    assert_eq!(
        (peer.addresses.as_slice(), peer.key),
        (&["/dns/other.example/tcp/2".to_owned()][..], there.key)
    );
    assert!(peer.new_key.is_some(), "the operator decides");
}

#[tokio::test]
async fn a_hint_does_not_lead_into_our_own_network_unless_the_others_are_there() {
    let hints = [
        "/ip4/127.0.0.1/tcp/22",
        "/ip4/192.168.1.1/tcp/80",
        "/ip6/::1/tcp/22",
        "/dns/localhost/tcp/22",
        "/ip4/9.9.9.9/tcp/1",
        "/dns/far.example/tcp/1",
    ];
    for (inward_hints, kept) in [(false, &hints[4..]), (true, &hints[..4])] {
        let net = FakeNet::new(1);
        let name = TestNode::new(&net, 1).name;
        let here = TestNode::with(&net, 1, name, ServiceConfig { inward_hints, ..config() });
        let there = TestNode::new(&net, 2);
        let told = hints.map(str::to_owned);
        here.federation.nodes.hint(&"alice".parse().unwrap(), &there.name, &told).await.unwrap();
        assert_eq!(here.federation.peer(&there.name).await.unwrap().unwrap().addresses, kept);
    }
}

#[tokio::test]
async fn where_a_node_was_is_kept_for_the_next_start_and_a_hint_comes_behind_it() {
    let (net, here, there) = pair(1);
    net.state.lock().learned.insert(there.key, vec!["/ip4/9.9.9.9/tcp/1".to_owned()]);
    here.say(&there, 1).await;
    here.finish(&there).await;
    let addresses = async || here.federation.peer(&there.name).await.unwrap().unwrap().addresses;
    assert_eq!(addresses().await, ["/ip4/9.9.9.9/tcp/1"]);
    let hints = ["/ip4/9.9.9.9/tcp/2".to_owned(), "nonsense".to_owned()];
    here.federation.nodes.hint(&"alice".parse().unwrap(), &there.name, &hints).await.unwrap();
    assert_eq!(addresses().await, ["/ip4/9.9.9.9/tcp/1", "/ip4/9.9.9.9/tcp/2"]);
    let many: Vec<_> = (3..=12).map(|port| format!("/ip4/9.9.9.9/tcp/{port}")).collect();
    here.federation.nodes.hint(&"alice".parse().unwrap(), &there.name, &many).await.unwrap();
    let known = (1..=6).map(|port| format!("/ip4/9.9.9.9/tcp/{port}"));
    assert_eq!(addresses().await, known.collect::<Vec<_>>(), "four at a time, behind what is known");
}
