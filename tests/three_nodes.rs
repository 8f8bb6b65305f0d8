//! A group of people on three nodes: real nodes, real streams between them, real clients.

use anyhow::{Result, bail};
use weft_engine::api::{BodyView, Call, GroupView, Reply};
use weft_testkit::{Cast, Cluster, Person};

/// Alice at the hub, bob and dave away, carol and erin far. Alice knows bob and carol, and has a group with them in which bob is
/// an admin; bob knows dave. Bob's node and carol's have never heard of each other.
struct Story {
    cluster: Cluster,
    alice: Person,
    bob: Person,
    carol: Person,
    dave: Person,
    erin: Person,
    chat: String,
}

impl Story {
    async fn new() -> Result<Story> {
        let cluster = Cluster::start(3).await?;
        let alice = cluster.node(0)?.sign_up(Cast::Alice).await?;
        let bob = cluster.node(1)?.sign_up(Cast::Bob).await?;
        let dave = cluster.node(1)?.sign_up("dave").await?;
        let carol = cluster.node(2)?.sign_up(Cast::Carol).await?;
        let erin = cluster.node(2)?.sign_up("erin").await?;
        bob.connect(&alice).await?;
        carol.connect(&alice).await?;
        dave.connect(&bob).await?;
        let members = vec![bob.address.clone(), carol.address.clone()];
        let made = alice.call(Call::CreateGroup { name: "Hiking".to_owned(), members }).await?;
        let Reply::Chat(made) = made else { bail!("no group") };
        let story = Story { cluster, alice, bob, carol, dave, erin, chat: made.chat };
        story.all_say(&[&story.alice, &story.bob, &story.carol], "hello").await?;
        let (chat, user) = (story.chat.clone(), story.bob.address.clone());
        story.alice.call(Call::SetRole { chat, user, role: "admin".to_owned() }).await?;
        Ok(story)
    }

    /// Each says something that the others hear.
    async fn all_say(&self, all: &[&Person], what: &str) -> Result<()> {
        for who in all {
            who.until("to be in the group", async |me: &Person| is_in(me, &self.chat).await).await?;
        }
        for who in all {
            let text = format!("{what} of {}", who.address);
            who.say_in(&self.chat, &text).await?;
            for other in all.iter().filter(|other| other.address != who.address) {
                other.hears_in(&self.chat, &text).await?;
            }
        }
        Ok(())
    }

    async fn group(&self, me: &Person) -> Result<GroupView> {
        group(me, &self.chat).await
    }

    async fn members(&self, me: &Person) -> Result<Vec<String>> {
        let mut members: Vec<_> = self.group(me).await?.members.into_iter().map(|one| one.user).collect();
        members.sort();
        Ok(members)
    }

    /// Until somebody sees these people in the group, and nobody else.
    async fn sees(&self, me: &Person, all: &[&Person]) -> Result<()> {
        let mut wanted: Vec<_> = all.iter().map(|one| one.address.clone()).collect();
        wanted.sort();
        let there = async |me: &Person| Ok((self.members(me).await? == wanted).then_some(()));
        me.until("who is in the group", there).await
    }

    async fn becomes(&self, me: &Person, state: &str) -> Result<()> {
        let there = async |me: &Person| Ok((self.group(me).await?.state == state).then_some(()));
        me.until(state, there).await
    }

    /// What was said, by whom, as somebody has it.
    async fn texts(&self, me: &Person) -> Result<Vec<(String, String)>> {
        let messages = me.messages_in(&self.chat).await?;
        let text = |body| match body {
            BodyView::Text { text } => Some(text),
            _ => None,
        };
        let said = messages.into_iter().filter_map(|one| Some((one.sender, text(one.body)?)));
        Ok(said.collect())
    }
}

async fn group(me: &Person, chat: &str) -> Result<GroupView> {
    match me.call(Call::Group { chat: chat.to_owned() }).await? {
        Reply::Group(group) => Ok(group),
        other => bail!("no group: {other:?}"),
    }
}

async fn is_in(me: &Person, chat: &str) -> Result<Option<()>> {
    let Reply::Chats(chats) = me.call(Call::Chats).await? else { bail!("no chats") };
    let active = |group: &weft_engine::api::ChatGroup| group.state == "active";
    Ok(chats.iter().any(|one| one.chat == chat && one.group.as_ref().is_some_and(active)).then_some(()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_three_nodes_come_talk_and_go() -> Result<()> {
    let story = Story::new().await?;
    let Story { alice, bob, carol, dave, chat, .. } = &story;
    bob.until("to be an admin", async |me: &Person| {
        Ok((group(me, chat).await?.role == "admin").then_some(()))
    })
    .await?;
    bob.call(Call::AddMembers { chat: chat.clone(), users: vec![dave.address.clone()] }).await?;
    story.all_say(&[alice, bob, carol, dave], "four of us").await?;
    for who in [alice, bob, carol, dave] {
        story.sees(who, &[alice, bob, carol, dave]).await?;
        assert_eq!(story.group(who).await?.name, "Hiking");
    }
    let texts = story.texts(alice).await?;
    assert_eq!(texts.len(), 7);
    assert_eq!(story.texts(bob).await?, texts);
    assert_eq!(story.texts(carol).await?, texts);
    assert_eq!(story.texts(dave).await?, texts[3..]);

    alice.call(Call::RemoveMembers { chat: chat.clone(), users: vec![carol.address.clone()] }).await?;
    story.becomes(carol, "removed").await?;
    for who in [alice, bob, dave] {
        story.sees(who, &[alice, bob, dave]).await?;
    }
    bob.call(Call::LeaveGroup { chat: chat.clone() }).await?;
    story.becomes(bob, "left").await?;
    for who in [alice, dave] {
        story.sees(who, &[alice, dave]).await?;
    }
    story.all_say(&[alice, dave], "two of us").await?;
    assert_eq!(story.texts(carol).await?.len(), 7, "what she has she keeps, and gets no more");
    assert_eq!(story.texts(bob).await?.len(), 7);
    story.cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_hub_is_away_what_its_followers_say_waits_and_arrives_once_and_in_order() -> Result<()> {
    let mut story = Story::new().await?;
    let hub = story.cluster.node(0)?.name().await?.to_string();
    let away = story.cluster.stop(0).await?;
    let Story { bob, carol, chat, .. } = &story;
    for number in 0..4 {
        bob.say_in(chat, &format!("bob {number}")).await?;
        carol.say_in(chat, &format!("carol {number}")).await?;
    }
    for who in [bob, carol] {
        let held = async |me: &Person| {
            let messages = me.messages_in(chat).await?;
            let held = messages.iter().filter(|one| one.waits_for.as_deref() == Some(hub.as_str()));
            Ok((held.count() == 4).then_some(()))
        };
        who.until("all four wait for the hub", held).await?;
    }
    story.cluster.resume(0, away).await?;
    let Story { alice, bob, carol, chat, .. } = &story;
    for who in [alice, bob, carol] {
        who.call(Call::Wake).await?;
    }
    for who in [alice, bob, carol] {
        let all = async |me: &Person| {
            let messages = me.messages_in(chat).await?;
            let waits = messages.iter().any(|one| one.waits_for.is_some());
            let texts = messages.iter().filter(|one| matches!(one.body, BodyView::Text { .. }));
            Ok((!waits && texts.count() >= 11).then_some(()))
        };
        who.until("all that was said", all).await?;
    }
    let texts = story.texts(alice).await?;
    assert_eq!(texts.len(), 11);
    assert_eq!(story.texts(bob).await?, texts);
    assert_eq!(story.texts(carol).await?, texts);
    for who in ["bob", "carol"] {
        let said: Vec<_> = texts.iter().map(|(_, text)| text).filter(|text| text.starts_with(who)).collect();
        assert_eq!(
            said,
            (0..4).map(|number| format!("{who} {number}")).collect::<Vec<_>>().iter().collect::<Vec<_>>()
        );
    }
    story.cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_a_link_somebody_who_knows_nobody_asks_and_is_let_in() -> Result<()> {
    let story = Story::new().await?;
    let Story { alice, bob, carol, erin, chat, .. } = &story;
    bob.until("to be an admin", async |me: &Person| {
        Ok((group(me, chat).await?.role == "admin").then_some(()))
    })
    .await?;
    let call = Call::GroupLink {
        chat: chat.clone(),
        approval: true,
        base_url: "http://127.0.0.1".to_owned(),
        fresh: false,
    };
    let Reply::GroupLink(link) = bob.call(call).await? else { bail!("no link") };
    let Reply::Joined(joined) = erin.call(Call::JoinGroup { text: link.url }).await? else {
        bail!("no answer")
    };
    assert_eq!(joined.state, "asked");
    let asks = async |me: &Person| {
        let asking = group(me, chat).await?.asking;
        Ok(asking.iter().any(|one| one.user == erin.address).then_some(()))
    };
    alice.until("who asks", asks).await?;
    bob.until("who asks", asks).await?;
    // Her node knows his by name only; alice's has heard of both.
    alice.call(Call::AnswerJoin { chat: chat.clone(), user: erin.address.clone(), accept: true }).await?;
    story.all_say(&[alice, bob, carol, erin], "welcome").await?;
    for who in [alice, bob, carol, erin] {
        story.sees(who, &[alice, bob, carol, erin]).await?;
    }
    let nobody = async |me: &Person| Ok(group(me, chat).await?.asking.is_empty().then_some(()));
    bob.until("that nobody asks any more", nobody).await?;
    story.cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_sent_away_comes_back_by_an_open_link_once_somebody_agrees() -> Result<()> {
    let story = Story::new().await?;
    let Story { alice, bob, carol, chat, .. } = &story;
    let (base_url, user) = ("http://127.0.0.1".to_owned(), carol.address.clone());
    let call = Call::GroupLink { chat: chat.clone(), approval: false, base_url, fresh: false };
    let Reply::GroupLink(link) = alice.call(call).await? else { bail!("no link") };
    alice.call(Call::RemoveMembers { chat: chat.clone(), users: vec![user.clone()] }).await?;
    story.becomes(carol, "removed").await?;
    carol.call(Call::JoinGroup { text: link.url }).await?;
    let asks = async |me: &Person| {
        let asking = group(me, chat).await?.asking;
        Ok(asking.iter().any(|one| one.user == user).then_some(()))
    };
    // The device that made the link knows of it, and has had a message go round since.
    alice.until("who asks", asks).await?;
    story.all_say(&[alice, bob], "without her").await?;
    assert!(asks(alice).await?.is_some(), "still asking");
    story.sees(alice, &[alice, bob]).await?;
    alice.call(Call::AnswerJoin { chat: chat.clone(), user: user.clone(), accept: true }).await?;
    story.all_say(&[alice, bob, carol], "welcome back").await?;
    story.cluster.end().await
}
