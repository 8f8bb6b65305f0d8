//! A node whose disk is gone and that comes back from a backup: whoever had gone further with it talks on, from the first message.

use anyhow::{Result, bail};
use tempfile::TempDir;
use weft_engine::api::{BodyView, Call, DeliveryView, MessageView, Reply};
use weft_testkit::{Cast, Cluster, Person, within};

/// Each says something so often that the other hears.
async fn talk(alice: &Person, bob: &Person, what: &str, times: usize) -> Result<()> {
    for number in 0..times {
        for (one, other) in [(alice, bob), (bob, alice)] {
            let text = format!("{what} {number} of {}", one.address);
            one.say(&other.address, &text).await?;
            other.hears(&one.address, &text).await?;
        }
    }
    Ok(())
}

/// Alice and bob, who have met, at the nodes of these numbers; and a backup of the first node from then.
async fn backed_up(nodes: usize, bob_at: usize, lost: usize) -> Result<(Cluster, Person, Person, TempDir)> {
    let cluster = Cluster::start(nodes).await?;
    let alice = cluster.node(0)?.sign_up(Cast::Alice).await?;
    let bob = cluster.node(bob_at)?.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    talk(&alice, &bob, "before", 1).await?;
    let folder = tempfile::tempdir()?;
    cluster.node(lost)?.back_up(folder.path().join("backup")).await?;
    Ok((cluster, alice, bob, folder))
}

async fn lose_disk(cluster: &mut Cluster, at: usize, folder: &TempDir) -> Result<()> {
    let stopped = cluster.stop(at).await?;
    stopped.restore(&folder.path().join("backup")).await?;
    cluster.resume(at, stopped).await
}

/// Everything that was said is there, at both, once, and could be read.
async fn nothing_is_missing(alice: &Person, bob: &Person, texts: usize) -> Result<()> {
    for (who, with) in [(alice, bob), (bob, alice)] {
        let waits = |one: &MessageView| {
            use DeliveryView::{Failed, Queued, Sending};
            one.mine && matches!(one.delivery, Queued | Sending | Failed)
        };
        let all_sent = async |me: &Person| {
            let messages = me.messages(&with.address).await?;
            Ok((!messages.iter().any(waits)).then_some(()))
        };
        who.until("nothing waits", all_sent).await?;
    }
    // What the hub had taken when its disk went, and its writer had not seen in the log, was said again: later.
    let said = async |by: &Person, to: &Person| -> Result<Vec<(bool, String)>> {
        let mut texts = by.texts(&to.address).await?;
        texts.sort();
        Ok(texts)
    };
    let hers = said(alice, bob).await?;
    let mut mirrored: Vec<_> =
        said(bob, alice).await?.into_iter().map(|(mine, text)| (!mine, text)).collect();
    mirrored.sort();
    assert_eq!(hers, mirrored);
    assert_eq!(hers.len(), texts);
    for (who, with) in [(alice, bob), (bob, alice)] {
        let messages = who.messages(&with.address).await?;
        let anew = |body: &BodyView| matches!(body, BodyView::System { code, .. } if code == "undecryptable");
        assert!(!messages.iter().any(|one| anew(&one.body)), "{messages:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_one_node_talk_on() -> Result<()> {
    let (mut cluster, alice, bob, folder) = backed_up(1, 0, 0).await?;
    talk(&alice, &bob, "lost to the node", 8).await?;
    lose_disk(&mut cluster, 0, &folder).await?;
    talk(&alice, &bob, "after it", 12).await?;
    nothing_is_missing(&alice, &bob, 2 * (1 + 8 + 12)).await?;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_may_be_restored_more_than_once() -> Result<()> {
    let (mut cluster, alice, bob, folder) = backed_up(2, 1, 0).await?;
    lose_disk(&mut cluster, 0, &folder).await?;
    talk(&alice, &bob, "after the first time", 8).await?;
    lose_disk(&mut cluster, 0, &folder).await?;
    talk(&alice, &bob, "after the second time", 8).await?;
    nothing_is_missing(&alice, &bob, 2 * (1 + 8 + 8)).await?;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_that_had_gone_further_than_its_hub_goes_on() -> Result<()> {
    let (mut cluster, alice, bob, folder) = backed_up(2, 1, 0).await?;
    talk(&alice, &bob, "lost to the hub", 8).await?;
    lose_disk(&mut cluster, 0, &folder).await?;
    talk(&alice, &bob, "after it", 12).await?;
    nothing_is_missing(&alice, &bob, 2 * (1 + 8 + 12)).await?;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_gives_a_node_again_what_it_has_lost() -> Result<()> {
    let (mut cluster, alice, bob, folder) = backed_up(2, 1, 1).await?;
    talk(&alice, &bob, "lost to the follower", 8).await?;
    lose_disk(&mut cluster, 1, &folder).await?;
    talk(&alice, &bob, "after it", 12).await?;
    nothing_is_missing(&alice, &bob, 2 * (1 + 8 + 12)).await?;
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_had_changed_since_goes_on_as_the_backup_has_it() -> Result<()> {
    let (mut cluster, alice, bob, _) = backed_up(1, 0, 0).await?;
    let carol = cluster.node(0)?.sign_up(Cast::Carol).await?;
    carol.connect(&alice).await?;
    let members = vec![bob.address.clone()];
    let made = alice.call(Call::CreateGroup { name: "Hiking".to_owned(), members }).await?;
    let Reply::Chat(made) = made else { bail!("no group") };
    let chat = made.chat;
    bob.until("to be in the group", async |me: &Person| is_in(me, &chat).await).await?;
    alice.say_in(&chat, "before").await?;
    bob.hears_in(&chat, "before").await?;
    let folder = tempfile::tempdir()?;
    cluster.node(0)?.back_up(folder.path().join("backup")).await?;

    add(&alice, &chat, &carol).await?;
    carol.until("to be in the group", async |me: &Person| is_in(me, &chat).await).await?;
    carol.say_in(&chat, "I am in").await?;
    alice.hears_in(&chat, "I am in").await?;
    bob.hears_in(&chat, "I am in").await?;
    lose_disk(&mut cluster, 0, &folder).await?;

    // The group is where the backup has it: without carol. Alice and bob come in anew by themselves.
    let out = async |me: &Person| Ok(is_in(me, &chat).await?.is_none().then_some(()));
    carol.until("to be out of it", out).await?;
    for who in [&alice, &bob] {
        let resynced = async |me: &Person| {
            let messages = me.messages_in(&chat).await?;
            let anew = |body: &BodyView| matches!(body, BodyView::System { code, .. } if code == "resynced");
            Ok(messages.iter().any(|one| anew(&one.body)).then_some(()))
        };
        who.until("to have come in anew", resynced).await?;
    }
    alice.say_in(&chat, "who is here").await?;
    bob.hears_in(&chat, "who is here").await?;
    // Her device has to notice first that the node has no KeyPackages of hers any more.
    add(&alice, &chat, &carol).await?;
    carol.until("to be in the group again", async |me: &Person| is_in(me, &chat).await).await?;
    bob.say_in(&chat, "welcome back").await?;
    carol.hears_in(&chat, "welcome back").await?;
    alice.hears_in(&chat, "welcome back").await?;
    cluster.end().await
}

/// Adds somebody to a group as soon as they can be: their device brings KeyPackages in its own time, and nothing tells others when.
async fn add(by: &Person, chat: &str, who: &Person) -> Result<()> {
    let adding = async {
        let mut look = tokio::time::interval(std::time::Duration::from_millis(50));
        loop {
            look.tick().await;
            let call = Call::AddMembers { chat: chat.to_owned(), users: vec![who.address.clone()] };
            match by.call(call).await {
                Err(error) if error.to_string().starts_with("no_device") => {}
                answer => return answer.map(drop),
            }
        }
    };
    within("somebody can be added", adding).await
}

async fn is_in(me: &Person, chat: &str) -> Result<Option<()>> {
    let Reply::Chats(chats) = me.call(Call::Chats).await? else { bail!("no chats") };
    let active = |group: &weft_engine::api::ChatGroup| group.state == "active";
    Ok(chats.iter().any(|one| one.chat == chat && one.group.as_ref().is_some_and(active)).then_some(()))
}
