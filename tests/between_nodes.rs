//! What happens to the processes of two nodes that talk: one is stopped and goes on, or is killed in the middle of it.

use anyhow::Result;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::net::Ipv4Addr;
use weft_engine::api::Call;
use weft_testkit::{Cast, NodeProcess, Person};

/// A node on a port that it keeps over its lives.
async fn node() -> Result<NodeProcess> {
    let port = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let listen = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
    let variables = [
        ("WEFT_FEDERATION__POLICY", "open"),
        ("WEFT_FEDERATION__LISTEN", listen.as_str()),
        ("WEFT_FEDERATION__ANNOUNCE_LISTENERS", "true"),
        ("WEFT_FEDERATION__MDNS", "false"),
        ("WEFT_FEDERATION__DISCOVERY", "false"),
    ];
    NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &variables).await
}

async fn alice_and_bob() -> Result<([NodeProcess; 2], [Person; 2])> {
    let nodes = [node().await?, node().await?];
    let people = [nodes[0].sign_up(Cast::Alice).await?, nodes[1].sign_up(Cast::Bob).await?];
    people[1].connect(&people[0]).await?;
    people[0].say(&people[1].address, "hello").await?;
    people[1].hears(&people[0].address, "hello").await?;
    Ok((nodes, people))
}

/// What each wrote has arrived at the other once and in order, and both see the same.
async fn all_arrived([alice, bob]: &[Person; 2], count: usize) -> Result<()> {
    for (one, other) in [(alice, bob), (bob, alice)] {
        other.hears(&one.address, &format!("{} {}", one.address, count - 1)).await?;
    }
    let (hers, his) = (alice.texts(&bob.address).await?, bob.texts(&alice.address).await?);
    let mirrored: Vec<_> = his.iter().map(|(mine, text)| (!mine, text.clone())).collect();
    assert_eq!(hers, mirrored, "the same order at both");
    for (mine, who) in [(true, alice), (false, bob)] {
        let of: Vec<_> = hers.iter().filter(|(own, _)| *own == mine).map(|(_, text)| text.as_str()).collect();
        let said: Vec<_> = of.into_iter().filter(|text| *text != "hello").collect();
        let expected: Vec<String> = (0..count).map(|number| format!("{} {number}", who.address)).collect();
        assert_eq!(said, expected);
    }
    Ok(())
}

/// Gives the id of alice's message.
async fn both_say([alice, bob]: &[Person; 2], number: usize) -> Result<String> {
    let id = alice.say(&bob.address, &format!("{} {number}", alice.address)).await?;
    bob.say(&alice.address, &format!("{} {number}", bob.address)).await?;
    Ok(id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_stopped_goes_on_where_it_was() -> Result<()> {
    let (nodes, people) = alice_and_bob().await?;
    let mut count = 0;
    for (at, held) in nodes.iter().enumerate() {
        held.hold()?;
        let mut last = String::new();
        for _ in 0..20 {
            last = both_say(&people, count).await?;
            count += 1;
        }
        // Until the one that goes on has noticed: where the hub is held, what bob writes waits for it.
        if at == 0 {
            let waits = async |me: &Person| {
                let messages = me.messages(&people[0].address).await?;
                Ok(messages.iter().any(|message| message.waits_for.is_some()).then_some(()))
            };
            people[1].until("it waits", waits).await?;
        } else {
            people[0].sent(&people[1].address, &last).await?;
        }
        held.go_on()?;
        both_say(&people, count).await?;
        count += 1;
        all_arrived(&people, count).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_in_the_middle_of_a_batch_loses_and_doubles_nothing() -> Result<()> {
    let seed: u64 = std::env::var("WEFT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut nodes, people) = alice_and_bob().await?;
    let mut count = 0;
    for round in 0..8 {
        let before = count;
        // What is written while one of them is away goes over in batches when it is back; that is when the next one is killed.
        for _ in 0..rng.gen_range(5..25) {
            both_say(&people, count).await?;
            count += 1;
        }
        let (at, seen) = (round % 2, rng.gen_range(before..count));
        people[1].hears(&people[0].address, &format!("{} {seen}", people[0].address)).await?;
        nodes[at].kill().await?;
        for _ in 0..rng.gen_range(1..10) {
            both_say(&people, count).await?;
            count += 1;
        }
        nodes[at].start_again().await?;
        for person in &people {
            person.call(Call::Wake).await?;
        }
    }
    both_say(&people, count).await?;
    all_arrived(&people, count + 1).await.map_err(|error| error.context(format!("WEFT_SEED={seed}")))
}
