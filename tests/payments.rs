//! Money between two real nodes: the operators agree on terms, people pay each other across, and both books add up.

use anyhow::{Context as _, Result, bail, ensure};
use std::time::Duration;
use weft_engine::api::{BodyView, Call, Reply, TransferView};
use weft_node::control::{Answer, LinkRow, Request};
use weft_testkit::{
    Cast, Cluster, Person, TestNode,
    money::{PIN, balance, form, issue, set_pin, wallet},
};
use weft_wire::link_terms::{CoveredAsset, ProposeTerms};

pub(crate) async fn transfer(person: &Person, call: Call) -> Result<TransferView> {
    match person.call(call).await? {
        Reply::Transfer(transfer) => Ok(transfer),
        other => bail!("{other:?}"),
    }
}

pub(crate) fn pay(to: &Person, asset: &str, amount: u64, hold: bool, chat: Option<String>) -> Call {
    Call::Pay {
        id: form(),
        user: to.address.clone(),
        asset: asset.into(),
        amount: amount.to_string(),
        note: "for the tea".into(),
        hold,
        chat,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    }
}

async fn ask(node: &TestNode, request: Request) -> Result<Answer> {
    match node.running().control().handle(request).await {
        Answer::Refused(why) => bail!("{why}"),
        answer => Ok(answer),
    }
}

pub(crate) async fn link(node: &TestNode) -> Result<Option<LinkRow>> {
    match ask(node, Request::Links).await? {
        Answer::Links(mut rows) => Ok(rows.pop()),
        other => bail!("{other:?}"),
    }
}

/// Looks again and again: nothing tells from outside what two nodes have said to each other.
async fn until<T, F: Future<Output = Result<Option<T>>>>(what: &str, look: impl Fn() -> F) -> Result<T> {
    let waiting = async {
        let mut again = tokio::time::interval(Duration::from_millis(50));
        loop {
            again.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.with_context(|| what.to_owned())?
}

/// The second node is willing to have 100 euros of the first.
pub(crate) async fn agree(here: &TestNode, there: &TestNode) -> Result<()> {
    let assets =
        vec![CoveredAsset { code: "EUR".parse()?, theirs: false, scale: None, limit: "100.00".into() }];
    let wish = ProposeTerms { assets, ..Default::default() };
    let request = Request::ProposeTerms { node: there.name().await?, wish };
    ask(here, request).await?;
    let offer = until("the offer", || async { Ok(link(there).await?.and_then(|row| row.theirs)) }).await?;
    ask(there, Request::AcceptTerms { node: here.name().await?, digest: offer.digest }).await?;
    until("the acceptance", || async { Ok(link(here).await?.and_then(|row| row.terms)) }).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_two_nodes_pay_each_other_once_their_operators_have_agreed() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (here, there) = (cluster.node(0)?, cluster.node(1)?);
    let (alice, bob) = (here.sign_up(Cast::Alice).await?, there.sign_up(Cast::Bob).await?);
    bob.connect(&alice).await?;
    alice.say(&bob.address, "hello").await?;
    bob.hears(&alice.address, "hello").await?;
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob)] {
        set_pin(person, who).await?;
    }
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    let refused = alice.call(pay(&bob, &euro, 1, false, None)).await;
    ensure!(refused.is_err(), "there are no terms as yet: {refused:?}");
    agree(here, there).await?;
    ensure!(wallet(&bob).await?.assets.iter().any(|issued| issued.asset.id == euro), "bob sees what it is");

    // A transfer with its card in the chat: bob accepts what the card names.
    let chat = alice.chat(&bob.address).await?.chat;
    let sent = transfer(&alice, pay(&bob, &euro, 3_000, true, Some(chat))).await?;
    ensure!((sent.state.as_str(), balance(&alice).await?) == ("held", 7_000), "{sent:?}");
    let card = bob.until("the card", async |me: &Person| {
        let messages = me.messages(&alice.address).await?;
        Ok(messages.into_iter().find_map(|message| match message.body {
            BodyView::Transfer { transfer, .. } => Some(transfer),
            _ => None,
        }))
    });
    let card = card.await?;
    ensure!(card == sent.id);
    let incoming = bob.until("the money", async |me: &Person| {
        Ok(wallet(me).await?.accounts.into_iter().find(|account| account.incoming == "3000"))
    });
    incoming.await?;
    let taken = transfer(&bob, Call::AnswerTransfer { id: card, accept: true }).await?;
    ensure!((taken.state.as_str(), balance(&bob).await?) == ("done", 3_000), "{taken:?}");
    let decided = alice.until("the decision", async |me: &Person| {
        let own = transfer(me, Call::Transfer { id: sent.id.clone() }).await?;
        Ok((own.state == "done").then_some(()))
    });
    decided.await?;

    // Bob pays a part of it back, at once.
    let back = transfer(&bob, pay(&alice, &euro, 1_000, false, None)).await?;
    ensure!(back.state == "held", "it is under way: {back:?}");
    let paid =
        alice.until("what bob paid", async |me: &Person| Ok((balance(me).await? == 8_000).then_some(())));
    paid.await?;
    let done = bob.until("that it has come", async |me: &Person| {
        let own = transfer(me, Call::Transfer { id: back.id.clone() }).await?;
        Ok((own.state == "done").then_some(()))
    });
    done.await?;
    for (node, vostro) in [(here, true), (there, false)] {
        let owed = link(node).await?.context("no link")?.owed;
        ensure!(owed.len() == 1 && owed[0].vostro == vostro && owed[0].owed == "20.00", "{owed:?}");
    }
    drop((alice, bob));
    cluster.end().await
}
