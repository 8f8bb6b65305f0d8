//! Alice at one node, bob at another: real nodes, real streams between them, real clients.

use anyhow::Result;
use weft_engine::api::{Call, DeliveryView, Event, Reply};
use weft_testkit::{Cast, Cluster, Person};

/// Alice at the first node, bob at the second, and the nodes.
async fn alice_and_bob() -> Result<(Cluster, Person, Person)> {
    let cluster = Cluster::start(2).await?;
    let alice = cluster.node(0)?.sign_up(Cast::Alice).await?;
    let bob = cluster.node(1)?.sign_up(Cast::Bob).await?;
    Ok((cluster, alice, bob))
}

/// They are contacts, and have said something to each other in a room whose hub is alice's node.
async fn talking() -> Result<(Cluster, Person, Person)> {
    let (cluster, alice, bob) = alice_and_bob().await?;
    bob.connect(&alice).await?;
    alice.say(&bob.address, "hello").await?;
    bob.hears(&alice.address, "hello").await?;
    bob.say(&alice.address, "hello yourself").await?;
    alice.hears(&bob.address, "hello yourself").await?;
    Ok((cluster, alice, bob))
}

/// What both should have: who said it, as the other sees it, and the text.
fn mirrored(texts: &[(bool, String)]) -> Vec<(bool, String)> {
    texts.iter().map(|(mine, text)| (!mine, text.clone())).collect()
}

async fn same_texts(alice: &Person, bob: &Person) -> Result<Vec<String>> {
    let (hers, his) = (alice.texts(&bob.address).await?, bob.texts(&alice.address).await?);
    assert_eq!(hers, mirrored(&his));
    Ok(hers.into_iter().map(|(_, text)| text).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_link_alone_two_people_of_two_nodes_meet_and_talk() -> Result<()> {
    let (cluster, alice, bob) = talking().await?;
    assert_ne!(alice.address.split_once('@').unwrap().1, bob.address.split_once('@').unwrap().1);
    for round in 0..5 {
        alice.say(&bob.address, &format!("ping {round}")).await?;
        bob.hears(&alice.address, &format!("ping {round}")).await?;
        bob.say(&alice.address, &format!("pong {round} 你好 🎉")).await?;
        alice.hears(&bob.address, &format!("pong {round} 你好 🎉")).await?;
    }
    assert_eq!(same_texts(&alice, &bob).await?.len(), 12);
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_address_with_typing_delivery_and_reading_told_across() -> Result<()> {
    let (cluster, alice, bob) = alice_and_bob().await?;
    cluster.acquaint().await?;
    alice.call(Call::AddContact { target: bob.address.clone(), greeting: "it is me".to_owned() }).await?;
    let asked = async |me: &Person| {
        let Reply::Contacts(contacts) = me.call(Call::Contacts).await? else { return Ok(None) };
        Ok(contacts.into_iter().find(|one| one.state == "incoming").map(|one| one.greeting))
    };
    assert_eq!(bob.until("the request", asked).await?, "it is me");
    bob.call(Call::AcceptContact { user: alice.address.clone() }).await?;
    let id = alice.say(&bob.address, "thank you").await?;
    bob.hears(&alice.address, "thank you").await?;
    let far = async |wanted: DeliveryView| {
        let reached = async |me: &Person| {
            let messages = me.messages(&bob.address).await?;
            let message = messages.iter().find(|message| message.id == id);
            Ok(message.filter(|message| message.delivery == wanted).map(|_| ()))
        };
        alice.until(&format!("{wanted:?}"), reached).await
    };
    far(DeliveryView::Delivered).await?;
    let chat = bob.chat(&alice.address).await?.chat;
    let newest = bob.messages(&alice.address).await?.last().unwrap().order;
    bob.call(Call::MarkRead { chat: chat.clone(), order: newest }).await?;
    far(DeliveryView::Read).await?;

    let typing = |event: &Event| matches!(event, Event::Typing { on: true, .. }).then_some(());
    let (heard, _) = tokio::join!(alice.event("typing", typing), async {
        bob.call(Call::Typing { chat, on: true }).await.unwrap();
    });
    heard?;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_hub_is_away_its_follower_keeps_what_is_said_and_shows_for_whom() -> Result<()> {
    let (mut cluster, alice, bob) = talking().await?;
    let hub = cluster.node(0)?.name().await?.to_string();
    let away = cluster.stop(0).await?;
    for number in 0..4 {
        bob.say(&alice.address, &format!("his {number}")).await?;
        alice.say(&bob.address, &format!("hers {number}")).await?;
    }
    let held = async |me: &Person| {
        let waiting = me.messages(&alice.address).await?;
        let held = waiting.iter().filter(|message| message.waits_for.as_deref() == Some(hub.as_str()));
        Ok((held.count() == 4).then_some(()))
    };
    bob.until("all four wait for the hub", held).await?;
    // The follower has it on its disk, and goes away itself.
    let follower = cluster.stop(1).await?;
    cluster.resume(1, follower).await?;
    cluster.resume(0, away).await?;
    alice.call(Call::Wake).await?;
    alice.hears(&bob.address, "his 3").await?;
    bob.call(Call::Wake).await?;
    bob.hears(&alice.address, "hers 3").await?;
    let all_sent = async |me: &Person| {
        let messages = me.messages(&alice.address).await?;
        Ok(messages.iter().all(|message| message.waits_for.is_none()).then_some(()))
    };
    bob.until("nothing waits", all_sent).await?;
    let texts = same_texts(&alice, &bob).await?;
    let of = |who: &str| texts.iter().filter(|text| text.starts_with(who)).cloned().collect::<Vec<_>>();
    assert_eq!(of("his"), ["his 0", "his 1", "his 2", "his 3"]);
    assert_eq!(of("hers "), ["hers 0", "hers 1", "hers 2", "hers 3"]);
    assert_eq!(texts.len(), 10);
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_write_first_at_the_same_moment_end_in_one_chat() -> Result<()> {
    let (cluster, alice, bob) = alice_and_bob().await?;
    bob.connect(&alice).await?;
    let (hers, his) = tokio::join!(alice.say(&bob.address, "mine"), bob.say(&alice.address, "and mine"));
    hers?;
    his?;
    bob.hears(&alice.address, "mine").await?;
    alice.hears(&bob.address, "and mine").await?;
    alice.say(&bob.address, "one more").await?;
    bob.hears(&alice.address, "one more").await?;
    bob.say(&alice.address, "and one").await?;
    alice.hears(&bob.address, "and one").await?;
    let chats = async |me: &Person| -> Result<usize> {
        let Reply::Chats(chats) = me.call(Call::Chats).await? else { panic!("no chats") };
        Ok(chats.len())
    };
    assert_eq!((chats(&alice).await?, chats(&bob).await?), (1, 1));
    cluster.end().await
}
