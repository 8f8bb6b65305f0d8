//! `weft peer` on real processes: who was met, and what the operator decides about them.

use anyhow::Result;
use weft_engine::api::{Call, Reply};
use weft_node::{
    archive,
    control::{Answer, Request},
};
use weft_store::{Scan, embedded, tables};
use weft_testkit::{Cast, Cluster, NodeProcess, Person};

async fn node() -> Result<NodeProcess> {
    let variables = [
        ("WEFT_FEDERATION__POLICY", "open"),
        ("WEFT_FEDERATION__LISTEN", "/ip4/127.0.0.1/udp/0/quic-v1"),
        ("WEFT_FEDERATION__ANNOUNCE_LISTENERS", "true"),
        ("WEFT_FEDERATION__MDNS", "false"),
        ("WEFT_FEDERATION__DISCOVERY", "false"),
    ];
    NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &variables).await
}

fn node_of(person: &Person) -> &str {
    person.address.split_once('@').unwrap().1
}

/// What stands in the list below the node itself.
async fn others(node: &NodeProcess) -> Result<String> {
    let said = node.command(&["peer", "list"]).await?;
    assert!(said.starts_with("this node is "), "{said}");
    Ok(said.split_once("\n\n").map(|(_, others)| others.to_owned()).unwrap_or_default())
}

#[tokio::test]
async fn an_operator_sees_shuts_out_and_lets_in_other_nodes() -> Result<()> {
    let (home, away) = (node().await?, node().await?);
    let alice = home.sign_up(Cast::Alice).await?;
    let bob = away.sign_up(Cast::Bob).await?;
    assert_eq!(others(&home).await?, "");
    bob.connect(&alice).await?;
    alice.say(&bob.address, "hello").await?;
    bob.hears(&alice.address, "hello").await?;

    let listed = others(&home).await?;
    assert!(
        listed.starts_with(node_of(&bob)) && listed.contains("pinned") && listed.contains("connected"),
        "{listed}"
    );

    home.command(&["peer", "block", node_of(&bob)]).await?;
    let listed = others(&home).await?;
    assert!(listed.contains("blocked") && !listed.contains("connected"), "{listed}");
    bob.say(&alice.address, "do you hear me?").await?;
    let waits = async |me: &Person| {
        let messages = me.messages(&alice.address).await?;
        Ok(messages.iter().any(|message| message.waits_for.is_some()).then_some(()))
    };
    bob.until("it waits", waits).await?;
    home.command(&["peer", "reset", node_of(&bob)]).await?;
    // Something for the other node makes the connection anew, which wakes its courier.
    alice.say(&bob.address, "now I do").await?;
    bob.hears(&alice.address, "now I do").await?;
    alice.hears(&bob.address, "do you hear me?").await?;

    home.command(&["peer", "trust", node_of(&bob)]).await?;
    home.command(&["peer", "limit", node_of(&bob), "50"]).await?;
    let listed = others(&home).await?;
    assert!(listed.contains("trusted") && listed.contains("50 %"), "{listed}");
    home.command(&["peer", "reset", node_of(&bob)]).await?;
    let listed = others(&home).await?;
    assert!(listed.contains("pinned") && !listed.contains('%'), "{listed}");
    let stranger = home.command(&["peer", "block", "other.example"]).await.unwrap_err().to_string();
    assert!(stranger.contains("never met"), "{stranger}");
    Ok(())
}

/// What the page of the owner shows and does; nobody else sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_sees_and_judges_other_nodes_in_the_app_and_a_member_does_not() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    let (home, away) = (cluster.node(0)?, cluster.node(1)?);
    let alice = home.sign_up(Cast::Alice).await?;
    let carol = home.sign_up(Cast::Carol).await?;
    let bob = away.sign_up(Cast::Bob).await?;
    let peers = async |me: &Person| match me.call(Call::Peers).await? {
        Reply::Peers(view) => Ok(view),
        other => anyhow::bail!("{other:?}"),
    };
    assert_eq!(peers(&alice).await?.peers, []);
    bob.connect(&alice).await?;
    let view = peers(&alice).await?;
    assert_eq!(view.policy, "open");
    assert!(!view.addresses.is_empty());
    let row = &view.peers[0];
    assert_eq!((row.name.as_str(), row.state.as_str(), row.connected), (node_of(&bob), "pinned", true));

    let judge = |act: &str| Call::JudgePeer { name: node_of(&bob).to_owned(), act: act.to_owned() };
    for (act, state) in [("block", "blocked"), ("reset", "pinned"), ("trust", "trusted")] {
        alice.call(judge(act)).await?;
        assert_eq!(peers(&alice).await?.peers[0].state, state, "{act}");
    }
    alice.call(judge("block")).await?;
    alice.until("it is cut off", async |me| Ok((!peers(me).await?.peers[0].connected).then_some(()))).await?;
    assert!(alice.call(judge("befriend")).await.unwrap_err().to_string().contains("bad_input"));
    let unmet = Call::JudgePeer { name: "other.example".to_owned(), act: "block".to_owned() };
    assert!(alice.call(unmet).await.unwrap_err().to_string().contains("not_found"));
    for call in [Call::Peers, judge("reset")] {
        assert!(carol.call(call).await.unwrap_err().to_string().contains("forbidden"));
    }
    assert_eq!(peers(&alice).await?.peers[0].state, "blocked");
    cluster.end().await
}

#[tokio::test]
async fn an_operator_gets_the_line_for_dns_of_a_node_that_has_a_name() -> Result<()> {
    let mut node = node().await?;
    let nameless = node.command(&["peer", "dns"]).await.unwrap_err().to_string();
    assert!(nameless.contains("node.name"), "{nameless}");
    node.terminate().await?;
    node.set("WEFT_NODE__NAME", "home.example");
    node.start_again().await?;
    let line = node.command(&["peer", "dns"]).await?;
    assert!(line.starts_with("_weft.home.example. 3600 IN TXT \"weft1="), "{line}");
    let own = node.command(&["peer", "add", "home.example"]).await.unwrap_err().to_string();
    assert!(own.contains("home.example is this node itself"), "{own}");
    assert_eq!(others(&node).await?, "");
    Ok(())
}

#[tokio::test]
async fn a_node_is_named_with_its_key_also_while_it_does_not_run() -> Result<()> {
    let mut node = node().await?;
    let key = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
    node.terminate().await?;
    let address = "/ip4/192.0.2.1/tcp/8441";
    node.command(&["peer", "add", "other.example", "--key", key, "--address", address]).await?;
    let unknown = node.command(&["peer", "add", "third.example"]).await.unwrap_err().to_string();
    assert!(unknown.contains("--key"), "{unknown}");
    let wrong = node.command(&["peer", "add", "third.example", "--key", "nonsense"]).await.unwrap_err();
    assert!(wrong.to_string().contains("nonsense"), "{wrong}");
    node.start_again().await?;
    let listed = others(&node).await?;
    assert!(
        listed.starts_with("other.example") && listed.contains("trusted") && listed.contains(key),
        "{listed}"
    );
    assert!(listed.contains("never heard"), "{listed}");
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_of_a_node_is_refused_with_what_to_do() -> Result<()> {
    let mut node = node().await?;
    let key = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";
    let other = "12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE";
    let add = ["peer", "add", "other.example", "--key"];
    node.command(&[&add[..], &[key]].concat()).await?;
    let alice = node.sign_up(Cast::Alice).await?;
    // Longer than it takes to read it as a number to the base 58, were that tried.
    let long = "2".repeat(100_000);
    let said = weft_testkit::within("a long key", node.command(&[&add[..], &[&long]].concat())).await;
    let said = said.unwrap_err().to_string();
    // It stands once in what the command was asked, and not in what it answers.
    assert!(said.contains("2222: ") && said.len() < long.len() + 1_000, "{}", said.len());
    let many: Vec<String> = (0..17).map(|last| format!("--address=/ip4/9.9.9.{last}/tcp/1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (arguments, wanted) in [
        (vec!["peer", "add", node_of(&alice)], "this node itself"),
        (vec!["peer", "trust", node_of(&alice)], "this node itself"),
        (
            [&add[..], &[key, "--address", "foo"]].concat(),
            "the address \"foo\": not a multiaddress; it looks like /ip4/",
        ),
        (vec!["peer", "accept-key", "other.example"], "no other key"),
        ([&add[..], &[key, "--address", "/ip4/9.9.9.9/tcp/0"]].concat(), "port 0"),
        ([&add[..], &[key][..], &many].concat(), "at most 16 addresses"),
        (vec!["peer", "add", "third.example", "--key", key], "that of other.example"),
        (vec!["peer", "add", "third.example", "--key", node_of(&alice)], "the one of this node itself"),
        (vec!["peer", "add", "127.0.0.1", "--key", key], "is an address"),
        (vec!["peer", "add", "12D3KooWbad", "--key", key], "looks like a peer id"),
        ([&add[..], &[other]].concat(), "weft peer accept-key other.example"),
        (vec!["peer", "block", "unmet.example"], "federation.blocked"),
        (vec!["peer", "trust", "unmet.example"], "`weft peer add unmet.example`"),
        (vec!["peer", "reset", "unmet.example"], "`weft peer add unmet.example`"),
        (vec!["peer", "limit", "unmet.example", "50"], "`weft peer add unmet.example`"),
    ] {
        let said = node.command(&arguments).await.unwrap_err().to_string();
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    assert!(others(&node).await?.contains("NEW KEY"));
    let said = node.command(&["peer", "accept-key", "other.example"]).await?;
    assert!(said.contains("known by its new key"), "{said}");

    node.terminate().await?;
    node.set("WEFT_FEDERATION__POLICY", "closed");
    node.start_again().await?;
    let said = node.command(&["peer", "add", "third.example"]).await.unwrap_err().to_string();
    assert!(said.contains("federation.policy is \"closed\"") && said.contains("--key"), "{said}");
    // The name of a node without one is known only with its key.
    node.terminate().await?;
    node.set("WEFT_FEDERATION__POLICY", "open");
    node.set("WEFT_FEDERATION__PEERS", &format!("[{{name=\"{}\"}}]", node_of(&alice)));
    let said = node.start_again().await.unwrap_err().to_string() + &node.log();
    assert!(said.contains("federation.peers") && said.contains("this node itself"), "{said}");
    Ok(())
}

/// Two operators on one machine: what the one reads of its own node is what the other types, and it is called at once.
#[tokio::test]
async fn an_operator_names_another_node_by_what_that_one_says_of_itself() -> Result<()> {
    let (mut home, away) = (node().await?, node().await?);
    let said = away.command(&["peer", "list"]).await?;
    let of = |what: &str| said.lines().find_map(|line| line.trim().strip_prefix(what)).unwrap();
    let (key, address) = (of("PEER-ID "), of("reached at "));
    assert_eq!(of("this node is "), key, "it has no other name");
    assert!(away.command(&["config"]).await?.contains(key), "also where it does not run");
    home.command(&["peer", "add", key, "--address", address]).await?;
    weft_testkit::within("the other node is called", async {
        while !others(&home).await.unwrap().contains("connected at") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    // The own key under another name is told before the start as well.
    home.terminate().await?;
    let own = home.command(&["peer", "list"]).await?;
    let own = own.lines().find_map(|line| line.trim().strip_prefix("PEER-ID ")).unwrap();
    home.set("WEFT_FEDERATION__PEERS", &format!("[{{name=\"other.example\", key=\"{own}\"}}]"));
    let told = home.command(&["config"]).await.unwrap_err().to_string();
    assert!(told.contains("other.example") && told.contains("the key of this node itself"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_from_a_backup_begins_its_numbers_anew() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    let alice = cluster.node(0)?.sign_up(Cast::Alice).await?;
    let bob = cluster.node(1)?.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    let folder = tempfile::tempdir()?;
    let (backup, data) = (folder.path().join("backup"), folder.path().join("data"));
    let control = cluster.node(1)?.running().control().clone();
    let answer = control.handle(Request::Backup { dir: backup.clone() }).await;
    assert!(matches!(answer, Answer::Backup { .. }), "{answer:?}");
    archive::restore(&backup, &data).await?;
    let store = embedded::open(&data.join("store"), embedded::Options::default())?;
    let runs = store.scan(tables::OUTBOX_RUNS, Scan::prefix([])).await?;
    assert_eq!(runs.len(), 1, "it had said something to the other node");
    assert!(store.get(tables::NODE, b"federation.life").await?.is_none());
    store.close().await?;
    cluster.end().await
}
