//! Two nodes on this machine, three made-up people and a short history across both: `make demo`. All of it is gone when it ends.

// A demonstration talks to whoever runs it, and fails where something is not as it should be.
#![allow(clippy::print_stdout)]

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use weft_testkit::{Cast, Cluster, Person};

/// Names and ports of the nodes.
const NODES: [(&str, &str, u16); 2] =
    [("north.example", "The northern house", 8450), ("south.example", "The southern house", 8460)];

/// Who says what to whom: indices of people.
const HISTORY: [(usize, usize, &str); 8] = [
    (0, 1, "Hello Bob! My own node is up, in the cupboard under the stairs."),
    (1, 0, "And mine is under the desk. This came straight from there to you?"),
    (0, 1, "Straight. Nobody in between, and neither of the two can read it."),
    (1, 0, "好 👍"),
    (1, 2, "Carol, Alice has a node as well now."),
    (2, 1, "We are on the same one! She asked me to try the garden pictures next."),
    (0, 2, "Did you plant the tomatoes?"),
    (2, 0, "Two of them. The third one is yours."),
];

#[tokio::main]
async fn main() -> Result<()> {
    let cluster = Cluster::start_with(NODES.len(), |at, config| {
        if let Some((name, title, port)) = NODES.get(at) {
            config.node.name = (*name).to_owned();
            config.node.title = (*title).to_owned();
            config.http.listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, *port))];
        }
    })
    .await?;
    cluster.acquaint().await?;
    let cast = [(Cast::Alice, 0), (Cast::Bob, 1), (Cast::Carol, 0)];
    let mut people = Vec::new();
    for (who, at) in cast {
        people.push(cluster.node(at)?.sign_up(who).await?);
    }
    tell(&people).await?;
    println!("\nTwo nodes, three people. Sign in as one of them, each in a browser window of its own:\n");
    for ((who, at), person) in cast.iter().zip(&people) {
        println!("  {}  {:<24} password: {}", cluster.node(*at)?.url(), person.address, who.password());
    }
    println!("\nCtrl+C ends it.");
    // The people here are at rest, so that those in the browsers have their accounts to themselves.
    drop(people);
    tokio::signal::ctrl_c().await?;
    cluster.end().await
}

async fn tell(people: &[Person]) -> Result<()> {
    for (nth, one) in people.iter().enumerate() {
        for other in people.iter().skip(nth + 1) {
            other.connect(one).await?;
        }
    }
    for (from, to, text) in HISTORY {
        let (Some(from), Some(to)) = (people.get(from), people.get(to)) else { continue };
        let id = from.say(&to.address, text).await?;
        from.sent(&to.address, &id).await?;
        to.hears(&from.address, text).await?;
    }
    Ok(())
}
