//! Two people, one node, one encrypted conversation: through restarts and kills, each message once and in order.

// Stories fail where something is not as it should be.
use anyhow::Result;
use weft_engine::api::{Call, DeliveryView, Reply};
use weft_testkit::{Cast, NodeProcess, Person, TestNode};

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_weft")
}

/// What both should have: who said it, as Alice sees it, and the text.
fn mirrored(texts: &[(bool, String)]) -> Vec<(bool, String)> {
    texts.iter().map(|(mine, text)| (!mine, text.clone())).collect()
}

#[tokio::test]
async fn two_people_connect_by_link_and_talk_both_ways() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    for round in 0..10 {
        alice.say(&bob.address, &format!("ping {round}")).await?;
        bob.hears(&alice.address, &format!("ping {round}")).await?;
        bob.say(&alice.address, &format!("pong {round} 你好 🎉")).await?;
        alice.hears(&bob.address, &format!("pong {round} 你好 🎉")).await?;
    }
    let (hers, his) = (alice.texts(&bob.address).await?, bob.texts(&alice.address).await?);
    assert_eq!(hers.len(), 20);
    assert_eq!(hers, mirrored(&his));
    node.stop().await
}

#[tokio::test]
async fn a_request_by_address_is_accepted_and_delivery_and_reading_are_told() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    alice.call(Call::AddContact { target: bob.address.clone(), greeting: "it is me".to_owned() }).await?;
    let greeting = bob
        .until("the request", async |me: &Person| {
            let Reply::Contacts(contacts) = me.call(Call::Contacts).await? else { return Ok(None) };
            Ok(contacts
                .into_iter()
                .find(|contact| contact.state == "incoming")
                .map(|contact| contact.greeting))
        })
        .await?;
    assert_eq!(greeting, "it is me");
    bob.call(Call::AcceptContact { user: alice.address.clone() }).await?;
    let id = alice.say(&bob.address, "thank you").await?;
    bob.hears(&alice.address, "thank you").await?;
    let far = async |wanted: DeliveryView| {
        alice
            .until(&format!("{wanted:?}"), async |me: &Person| {
                let messages = me.messages(&bob.address).await?;
                let message = messages.iter().find(|message| message.id == id);
                Ok(message.filter(|message| message.delivery == wanted).map(|_| ()))
            })
            .await
    };
    far(DeliveryView::Delivered).await?;
    let chat = bob.chat(&alice.address).await?;
    assert_eq!(chat.unread, 1);
    let newest = bob.messages(&alice.address).await?.last().unwrap().order;
    bob.call(Call::MarkRead { chat: chat.chat, order: newest }).await?;
    far(DeliveryView::Read).await?;
    assert_eq!(bob.chat(&alice.address).await?.unread, 0);
    node.stop().await
}

#[tokio::test]
async fn what_is_written_offline_arrives_once_and_in_order_when_the_node_is_back() -> Result<()> {
    let mut node = NodeProcess::start(binary(), &[]).await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    alice.say(&bob.address, "before").await?;
    bob.hears(&alice.address, "before").await?;
    node.terminate().await?;
    for number in 0..5 {
        alice.say(&bob.address, &format!("hers {number}")).await?;
        bob.say(&alice.address, &format!("his {number}")).await?;
    }
    node.start_again().await?;
    for person in [&alice, &bob] {
        person.call(Call::Wake).await?;
    }
    bob.hears(&alice.address, "hers 4").await?;
    alice.hears(&bob.address, "his 4").await?;
    let (hers, his) = (alice.texts(&bob.address).await?, bob.texts(&alice.address).await?);
    assert_eq!(hers.len(), 11);
    assert_eq!(hers, mirrored(&his));
    let own = |texts: &[(bool, String)]| -> Vec<String> {
        texts.iter().filter(|(mine, _)| *mine).map(|(_, text)| text.clone()).collect()
    };
    assert_eq!(own(&hers), ["before", "hers 0", "hers 1", "hers 2", "hers 3", "hers 4"]);
    assert_eq!(own(&his), ["his 0", "his 1", "his 2", "his 3", "his 4"]);
    node.terminate().await?;
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_killed_again_and_again_loses_and_doubles_nothing() -> Result<()> {
    let mut node = NodeProcess::start(binary(), &[]).await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    let mut said = Vec::new();
    for round in 0..5 {
        for number in 0..8 {
            let text = format!("round {round}, number {number}");
            alice.say(&bob.address, &text).await?;
            said.push(text);
        }
        // Somewhere in the middle of all that.
        let third = format!("round {round}, number 2");
        bob.hears(&alice.address, &third).await?;
        node.kill().await?;
        node.start_again().await?;
        alice.call(Call::Wake).await?;
        bob.call(Call::Wake).await?;
    }
    bob.hears(&alice.address, said.last().unwrap()).await?;
    let heard: Vec<String> = bob.texts(&alice.address).await?.into_iter().map(|(_, text)| text).collect();
    assert_eq!(heard, said);
    let kept: Vec<String> = alice.texts(&bob.address).await?.into_iter().map(|(_, text)| text).collect();
    assert_eq!(kept, said);
    assert!(!node.log().contains("panic"), "{}", node.log());
    node.terminate().await?;
    Ok(())
}

#[tokio::test]
async fn safety_numbers_are_the_same_on_both_sides_and_can_be_verified_by_code() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    let safety =
        async |me: &Person, user: &str| match me.call(Call::SafetyNumber { user: user.to_owned() }).await? {
            Reply::Safety(safety) => Ok(safety),
            other => anyhow::bail!("{other:?}"),
        };
    let (hers, his) = (safety(&alice, &bob.address).await?, safety(&bob, &alice.address).await?);
    assert_eq!(hers.digits, his.digits);
    assert!(!hers.verified);
    alice.call(Call::VerifyByCode { user: bob.address.clone(), code: his.code }).await?;
    assert!(safety(&alice, &bob.address).await?.verified);
    assert!(!safety(&bob, &alice.address).await?.verified, "each verifies for themselves");
    node.stop().await
}

#[tokio::test]
async fn a_second_device_hears_and_speaks_too() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    alice.say(&bob.address, "from the first device").await?;
    bob.hears(&alice.address, "from the first device").await?;
    let tablet = Person::sign_in(node.url(), Cast::Alice).await?;
    let joined = async |me: &Person| {
        let Reply::Contacts(contacts) = me.call(Call::Contacts).await? else { return Ok(None) };
        Ok(contacts.iter().any(|contact| contact.user == bob.address && contact.chat.is_some()).then_some(()))
    };
    tablet.until("the contact and the chat", joined).await?;
    tablet.say(&bob.address, "from the tablet").await?;
    bob.hears(&alice.address, "from the tablet").await?;
    bob.say(&alice.address, "to both").await?;
    alice.hears(&bob.address, "to both").await?;
    tablet.hears(&bob.address, "to both").await?;
    let Reply::Devices(devices) = alice.call(Call::Devices).await? else { panic!("no devices") };
    assert_eq!(devices.len(), 2);
    node.stop().await
}

#[tokio::test]
async fn after_a_restart_a_wiped_device_signs_in_and_finds_its_people() -> Result<()> {
    let node = TestNode::start().await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    alice.say(&bob.address, "before").await?;
    bob.hears(&alice.address, "before").await?;
    alice.client.stop().await;
    let node = node.restart().await?;
    let alice = Person::sign_in(node.url(), Cast::Alice).await?;
    let known = async |me: &Person| {
        let Reply::Contacts(contacts) = me.call(Call::Contacts).await? else { return Ok(None) };
        Ok(contacts
            .iter()
            .any(|contact| contact.user == bob.address && contact.state == "accepted")
            .then_some(()))
    };
    alice.until("Bob is a contact again", known).await?;
    bob.call(Call::Wake).await?;
    alice.say(&bob.address, "after").await?;
    bob.hears(&alice.address, "after").await?;
    assert_eq!(bob.texts(&alice.address).await?, [(false, "before".to_owned()), (false, "after".to_owned())]);
    node.stop().await
}
