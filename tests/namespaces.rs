//! Nodes in networks of their own, made with `ip netns` and `nft`: two at home, each behind a router that lets nobody in, and one
//! that the world can reach. Where such networks cannot be made, the tests say so and pass; `make test` repeats it.

use anyhow::{Context as _, Result, bail, ensure};
use std::{
    os::unix::fs::PermissionsExt as _,
    process::Command,
    time::{Duration, Instant},
};
use weft_node::control::{self, Answer, Request};
use weft_testkit::{Cast, NodeProcess, Person, Tap};

/// What the routers do: everybody behind them may call, nobody outside may call them, and no word is said to who tries: a refusal
/// would end the call that is on its way from the other side.
const ROUTER: &str = "table ip router {
  chain post { type nat hook postrouting priority 100; oifname \"wan\" masquerade; }
  chain own { type filter hook input priority 0; iifname \"wan\" drop; }
  chain pass { type filter hook forward priority 0; policy drop;
    iifname \"lan\" accept; ct state established,related accept; }
}";
/// A cable that was pulled: nothing is refused, nothing arrives.
const CUT: &str = "table ip cut {
  chain pass { type filter hook forward priority -10; policy drop; }
}";
/// How long it stays so.
const CUT_FOR: Duration = Duration::from_secs(60);

fn run(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().context("a command")?).args(words).output()?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// Three homes and what lies between them. All of it goes when this does.
struct World {
    id: u32,
    folder: tempfile::TempDir,
}

impl World {
    /// None: not on this machine, or not for this user.
    fn make() -> Result<Option<World>> {
        let world = World { id: std::process::id() % 60_000, folder: tempfile::tempdir()? };
        let possible = Command::new("nft").arg("--version").output().is_ok()
            && run(&format!("ip netns add {}", world.name("inet"))).is_ok();
        if !possible {
            eprintln!("NOT RUN: networks cannot be made here (root, ip and nft are needed)");
            return Ok(None);
        }
        world.build()?;
        Ok(Some(world))
    }

    fn name(&self, what: &str) -> String {
        format!("w{}{what}", self.id)
    }

    /// `in_it("home", "ip link …")` runs something there.
    fn inside(&self, what: &str, line: &str) -> Result<()> {
        run(&format!("ip netns exec {} {line}", self.name(what)))
    }

    /// A cable between two networks, with the names of its ends there and an address for each.
    fn cable(
        &self,
        (one, one_end, one_ip): (&str, &str, &str),
        (other, other_end, other_ip): (&str, &str, &str),
    ) -> Result<()> {
        let (one_ns, other_ns) = (self.name(one), self.name(other));
        run(&format!("ip -n {one_ns} link add {one_end} type veth peer name {other_end} netns {other_ns}"))?;
        for (what, end, ip) in [(one, one_end, one_ip), (other, other_end, other_ip)] {
            if !ip.is_empty() {
                self.inside(what, &format!("ip address add {ip} dev {end}"))?;
            }
            self.inside(what, &format!("ip link set {end} up"))?;
        }
        Ok(())
    }

    fn build(&self) -> Result<()> {
        for what in ["north", "south", "home1", "home2", "relay"] {
            run(&format!("ip netns add {}", self.name(what)))?;
        }
        self.inside("inet", "ip link add bridge type bridge")?;
        self.inside("inet", "ip link set bridge up")?;
        for (nth, what) in [("1", "north"), ("2", "south"), ("9", "relay")] {
            self.cable(("inet", &format!("to{nth}"), ""), (what, "wan", &format!("5.5.5.{nth}/24")))?;
            self.inside("inet", &format!("ip link set to{nth} master bridge"))?;
        }
        for (nth, router, home) in [("1", "north", "home1"), ("2", "south", "home2")] {
            self.cable(
                (router, "lan", &format!("10.{nth}.0.1/24")),
                (home, "eth", &format!("10.{nth}.0.2/24")),
            )?;
            self.inside(home, &format!("ip route add default via 10.{nth}.0.1"))?;
            self.inside(router, "sysctl -qw net.ipv4.ip_forward=1")?;
            self.rules(router, ROUTER)?;
        }
        // By these the people of this test reach their own nodes, and nobody anything else.
        for (nth, what) in [(1, "home1"), (2, "home2"), (9, "relay")] {
            let (ns, end) = (self.name(what), format!("w{}m{nth}", self.id));
            run(&format!("ip link add {end} type veth peer name door netns {ns}"))?;
            let (here, there) = self.door(nth);
            run(&format!("ip address add {here}/30 dev {end}"))?;
            run(&format!("ip link set {end} up"))?;
            self.inside(what, &format!("ip address add {there}/30 dev door"))?;
            self.inside(what, "ip link set door up")?;
            self.inside(what, "ip link set lo up")?;
        }
        Ok(())
    }

    fn door(&self, nth: u32) -> (String, String) {
        // Two tests at once have neighbouring ids.
        let net = format!("10.{}.{}", 200 + self.id % 50, self.id / 50 % 16 * 16 + nth);
        (format!("{net}.1"), format!("{net}.2"))
    }

    fn rules(&self, what: &str, rules: &str) -> Result<()> {
        let file = self.folder.path().join("rules");
        std::fs::write(&file, rules)?;
        self.inside(what, &format!("nft -f {}", file.display()))
    }

    /// A node in one of the networks. `listen` is what it has there.
    async fn node(&self, nth: u32, what: &str, listen: &str, more: &[(&str, &str)]) -> Result<NodeProcess> {
        let script = self.folder.path().join(format!("weft-{what}"));
        let weft = env!("CARGO_BIN_EXE_weft");
        std::fs::write(
            &script,
            format!("#!/bin/sh\nexec ip netns exec {} {weft} \"$@\"\n", self.name(what)),
        )?;
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
        let http = format!("{}:8440", self.door(nth).1);
        let listen = format!("[\"/ip4/{listen}/udp/8441/quic-v1\", \"/ip4/{listen}/tcp/8441\"]");
        let mut variables = vec![
            ("WEFT_HTTP__LISTEN", http.as_str()),
            ("WEFT_HTTP__PLAIN_ON_PUBLIC_ADDRESS", "true"),
            ("WEFT_TLS__OFF_ON_PUBLIC_ADDRESS", "true"),
            ("WEFT_FEDERATION__POLICY", "open"),
            ("WEFT_FEDERATION__LISTEN", listen.as_str()),
            ("WEFT_FEDERATION__MDNS", "false"),
        ];
        variables.extend(more);
        NodeProcess::start(script, &variables).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for what in ["home1", "home2", "north", "south", "relay", "inet"] {
            if let Err(error) = run(&format!("ip netns del {}", self.name(what))) {
                eprintln!("{error}");
            }
        }
    }
}

async fn sign_up(node: &NodeProcess, door: &Tap, who: Cast) -> Result<Person> {
    Person::sign_up(&format!("http://{}", door.address), who.into(), Some(node.invite().await?)).await
}

/// The texts of one person, in order, as the other has them.
async fn heard(by: &Person, from: &Person) -> Result<Vec<String>> {
    let texts = by.texts(&from.address).await?;
    Ok(texts.into_iter().filter(|(mine, _)| !mine).map(|(_, text)| text).collect())
}

/// Alice and bob at their homes, and a node in between that is there for both.
struct Homes {
    world: World,
    north: NodeProcess,
    alice: Person,
    bob: Person,
    _relay: NodeProcess,
    _south: NodeProcess,
    _doors: [Tap; 2],
}

impl Homes {
    /// They have met over the relay, and spoken. None: not on this machine.
    async fn meet() -> Result<Option<Homes>> {
        let Some(world) = World::make()? else { return Ok(None) };
        let open =
            [("WEFT_FEDERATION__RELAY_FOR_OTHERS", "true"), ("WEFT_FEDERATION__ANNOUNCE_LISTENERS", "true")];
        let relay = world.node(9, "relay", "5.5.5.9", &open).await?;
        let info: weft_wire::node::NodeInfo =
            weft_testkit::http::get(relay.address, "/api/v1/node", None).await?.value()?;
        let relays = format!("/ip4/5.5.5.9/tcp/8441/p2p/{}", info.name);
        let at_home = [
            ("WEFT_FEDERATION__RELAYS", relays.as_str()),
            ("WEFT_FEDERATION__FIRST_CONTACTS", relays.as_str()),
        ];
        let north = world.node(1, "home1", "10.1.0.2", &at_home).await?;
        let south = world.node(2, "home2", "10.2.0.2", &at_home).await?;
        // Clients speak plain HTTP with their own machine only.
        let doors = [Tap::before(north.address).await?, Tap::before(south.address).await?];
        let alice = sign_up(&north, &doors[0], Cast::Alice).await?;
        let bob = sign_up(&south, &doors[1], Cast::Bob).await?;

        // Her link says over whom her node can be called; that is known once the relay has agreed.
        until("the relay agrees", async || {
            let info: weft_wire::node::NodeInfo =
                weft_testkit::http::get(north.address, "/api/v1/node", None).await?.value()?;
            Ok(info.addresses.iter().any(|address| address.ends_with("/p2p-circuit")))
        })
        .await
        .with_context(|| north.log())?;
        bob.connect(&alice).await?;
        alice.say(&bob.address, "hello").await?;
        bob.hears(&alice.address, "hello").await?;
        bob.say(&alice.address, "hello yourself").await?;
        alice.hears(&bob.address, "hello yourself").await?;
        Ok(Some(Homes { world, north, alice, bob, _relay: relay, _south: south, _doors: doors }))
    }
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let (started, mut look) = (Instant::now(), tokio::time::interval(Duration::from_millis(200)));
    while !is_so().await? {
        ensure!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        look.tick().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_homes_behind_routers_find_a_way_without_the_node_over_which_they_met() -> Result<()> {
    let Some(homes) = Homes::meet().await? else { return Ok(()) };
    let config = weft_testkit::node::config(homes.north.data());
    until("a direct way", async || {
        let Answer::Peers { peers, .. } = control::ask(&config, Request::Peers { after: None }).await? else {
            bail!("another answer");
        };
        Ok(peers.iter().any(|peer| {
            homes.bob.address.ends_with(peer.name.as_str()) && peer.connected.is_some() && !peer.relayed
        }))
    })
    .await
    .with_context(|| homes.north.log())?;
    // What they met over goes away, and they talk on.
    homes.world.inside("inet", "ip link set to9 down")?;
    homes.alice.say(&homes.bob.address, "only us").await?;
    homes.bob.hears(&homes.alice.address, "only us").await?;
    homes.bob.say(&homes.alice.address, "as it should be").await?;
    homes.alice.hears(&homes.bob.address, "as it should be").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_homes_behind_routers_meet_over_a_third_node_and_a_pulled_cable_loses_nothing() -> Result<()> {
    let Some(Homes { world, alice, bob, .. }) = &Homes::meet().await? else { return Ok(()) };

    world.rules("north", CUT)?;
    let (started, mut sent) = (Instant::now(), 0);
    let mut pace = tokio::time::interval(Duration::from_millis(500));
    while started.elapsed() < CUT_FOR {
        pace.tick().await;
        alice.say(&bob.address, &format!("hers {sent}")).await?;
        bob.say(&alice.address, &format!("his {sent}")).await?;
        sent += 1;
    }
    assert_eq!(heard(bob, alice).await?, ["hello"], "nothing gets through");
    world.inside("north", "nft delete table ip cut")?;
    let healed = Instant::now();
    alice.hears(&bob.address, &format!("his {}", sent - 1)).await?;
    bob.hears(&alice.address, &format!("hers {}", sent - 1)).await?;
    eprintln!("all of it arrived {:.1} s after the cable was back", healed.elapsed().as_secs_f64());
    let expected = |first: &str, who: &str| -> Vec<String> {
        let rest = (0..sent).map(|number| format!("{who} {number}"));
        std::iter::once(first.to_owned()).chain(rest).collect()
    };
    assert_eq!(heard(bob, alice).await?, expected("hello", "hers"));
    assert_eq!(heard(alice, bob).await?, expected("hello yourself", "his"));
    Ok(())
}
