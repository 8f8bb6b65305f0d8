//! Alice at one real node bills bob at another, and so does her shop: he hears of it in their chat, reads it at her node and pays it
//! over the link, though both nodes stop and start between.

use anyhow::{Context as _, Result, bail, ensure};
use std::time::Duration;
use weft_engine::api::{BillCall, BillReply, BodyView, Call, InvoiceView, Reply, ShopCall};
use weft_node::control::{Answer, LinkRow, Request};
use weft_testkit::{
    Cast, Cluster, Person, TestNode, device,
    money::{PIN, balance, form, issue, set_pin},
};
use weft_wire::link_terms::{CoveredAsset, ProposeTerms};

const DAY_MS: f64 = 86_400_000.0;

async fn ask(person: &Person, call: BillCall) -> Result<BillReply> {
    match person.call(Call::Bill(call)).await? {
        Reply::Bill(reply) => Ok(reply),
        other => bail!("{other:?}"),
    }
}

async fn invoice(person: &Person, call: BillCall) -> Result<InvoiceView> {
    match ask(person, call).await? {
        BillReply::Invoice(invoice) => Ok(invoice),
        other => bail!("{other:?}"),
    }
}

async fn to_pay(person: &Person) -> Result<Vec<InvoiceView>> {
    let call = BillCall::Invoices { sent: false, shop: None, user: None, invoice: None };
    match ask(person, call).await? {
        BillReply::Invoices(page) => Ok(page.invoices),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: BillCall) -> String {
    match person.call(Call::Bill(call)).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

/// Waits until an invoice stands so for somebody.
async fn stands(
    person: &Person,
    one: &InvoiceView,
    is_so: impl Fn(&InvoiceView) -> bool,
) -> Result<InvoiceView> {
    let look = async |me: &Person| {
        let call = BillCall::Invoice { user: one.issuer.user.clone(), invoice: one.invoice.clone() };
        Ok(invoice(me, call).await.ok().filter(|now| is_so(now)))
    };
    person.until("how the invoice stands", look).await
}

async fn link(node: &TestNode) -> Result<Option<LinkRow>> {
    match node.running().control().handle(Request::Links).await {
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
async fn agree(here: &TestNode, there: &TestNode) -> Result<()> {
    let assets =
        vec![CoveredAsset { code: "EUR".parse()?, theirs: false, scale: None, limit: "100.00".into() }];
    let wish = ProposeTerms { assets, ..Default::default() };
    let request = Request::ProposeTerms { node: there.name().await?, wish };
    here.running().control().handle(request).await;
    let offer = until("the offer", || async { Ok(link(there).await?.and_then(|row| row.theirs)) }).await?;
    let request = Request::AcceptTerms { node: here.name().await?, digest: offer.digest };
    there.running().control().handle(request).await;
    until("the acceptance", || async { Ok(link(here).await?.and_then(|row| row.terms)) }).await?;
    Ok(())
}

/// Two and a half teas with 19 % tax, and a cup: 14.90.
fn bill(shop: Option<String>, to: &Person, asset: &str) -> BillCall {
    let line = |text: &str, quantity: &str, price: &str, tax: &str| {
        (text.to_owned(), quantity.to_owned(), price.to_owned(), tax.to_owned())
    };
    BillCall::SendInvoice {
        id: form(),
        shop,
        user: to.address.clone(),
        asset: asset.into(),
        lines: vec![line("tea", "2500", "400", "190"), line("a cup", "1000", "300", "")],
        total: "1490".into(),
        due_ms: device::now_ms() as f64 + DAY_MS,
        note: "thank you".into(),
    }
}

fn pay(id: &str, bill: &InvoiceView, amount: &str) -> BillCall {
    BillCall::PayInvoice {
        id: id.into(),
        user: bill.issuer.user.clone(),
        invoice: bill.invoice.clone(),
        asset: bill.asset.id.clone(),
        amount: amount.into(),
        exchange: None,
        pin: PIN.into(),
    }
}

/// Alice at the first node, bob with fifty euros at the second; they are contacts, and money goes between the two.
async fn neighbours() -> Result<(Cluster, Person, Person, String)> {
    let cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (here, there) = (cluster.node(0)?, cluster.node(1)?);
    let (alice, bob) = (here.sign_up(Cast::Alice).await?, there.sign_up(Cast::Bob).await?);
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob)] {
        set_pin(person, who).await?;
    }
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    let stranger = refused(&alice, bill(None, &bob, &euro)).await;
    ensure!(stranger.contains("unknown_contact"), "{stranger}");
    bob.connect(&alice).await?;
    alice.say(&bob.address, "hello").await?;
    bob.hears(&alice.address, "hello").await?;
    let early = refused(&alice, bill(None, &bob, &euro)).await;
    ensure!(early.contains("no_link"), "{early}");
    agree(here, there).await?;
    let gift = Call::Pay {
        id: form(),
        user: bob.address.clone(),
        asset: euro.clone(),
        amount: "5000".into(),
        note: String::new(),
        hold: false,
        chat: None,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    };
    alice.call(gift).await?;
    bob.until("the euros", async |me: &Person| Ok((balance(me).await? == 5_000).then_some(()))).await?;
    Ok((cluster, alice, bob, euro))
}

/// Waits until so many invoices stand in somebody's list.
async fn listed(person: &Person, count: usize) -> Result<Vec<InvoiceView>> {
    let look = async |me: &Person| Ok(Some(to_pay(me).await?).filter(|list| list.len() == count));
    person.until("the list", look).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bob_of_another_node_is_billed_in_the_chat_and_pays_once_though_the_nodes_start_again() -> Result<()>
{
    let (mut cluster, alice, bob, euro) = neighbours().await?;
    let send = bill(None, &bob, &euro);
    let sent = invoice(&alice, send.clone()).await?;
    ensure!(invoice(&alice, send).await? == sent, "a second tap sends one");
    let got = listed(&bob, 1).await?.remove(0);
    ensure!(
        (got.issuer.user.as_str(), got.mine, got.state.as_str()) == (&*alice.address, true, "open"),
        "{got:?}"
    );
    ensure!((&got.reference, got.total.as_str(), got.lines.len()) == (&sent.reference, "1490", 2), "{got:?}");
    let cards = async |me: &Person, with: &str| -> Result<usize> {
        let is_it =
            |body: &BodyView| matches!(body, BodyView::Invoice { invoice, .. } if *invoice == sent.invoice);
        Ok(me.messages(with).await?.iter().filter(|message| is_it(&message.body)).count())
    };
    ensure!(cards(&bob, &alice.address).await? == 1, "the chat says it once");
    // His other device has heard nothing in the chat: his node knows of it.
    let other = Person::sign_in(cluster.node(1)?.url(), Cast::Bob).await?;
    ensure!(listed(&other, 1).await?[0].invoice == sent.invoice);

    let less = invoice(&bob, pay(&form(), &got, "1489")).await?;
    ensure!(less.state != "paid", "{less:?}");
    let back = stands(&bob, &got, |now| now.rejection.is_some()).await?;
    ensure!((back.state.as_str(), back.rejection.as_deref()) == ("open", Some("asked")), "{back:?}");
    ensure!(balance(&bob).await? == 5_000, "he has it again");

    // Her node is away as he pays; it starts, and his does, and then it is paid on both sides.
    let stopped = cluster.stop(0).await?;
    let id = form();
    let under_way = invoice(&bob, pay(&id, &got, "1490")).await?;
    ensure!(under_way.state == "paying", "{under_way:?}");
    let his = cluster.stop(1).await?;
    cluster.resume(1, his).await?;
    cluster.resume(0, stopped).await?;
    for person in [&bob, &alice] {
        person.online().await?;
    }
    let paid = stands(&bob, &got, |now| now.state == "paid").await?;
    let hers = stands(&alice, &sent, |now| now.state == "paid").await?;
    ensure!(paid.transfer.is_some() && paid.transfer == hers.transfer, "{paid:?} {hers:?}");
    ensure!(invoice(&bob, pay(&id, &got, "1490")).await?.state == "paid", "a double tap is one payment");
    ensure!(balance(&bob).await? == 3_510);
    let twice = refused(&bob, pay(&form(), &got, "1490")).await;
    ensure!(twice.contains("already_paid"), "{twice}");
    ensure!(balance(&bob).await? == 3_510, "his own node has it as paid: nothing goes out");

    // Some of it goes back.
    let back = BillCall::RefundInvoice {
        id: form(),
        user: sent.issuer.user.clone(),
        invoice: sent.invoice.clone(),
        amount: "490".into(),
        pin: PIN.into(),
    };
    ensure!(invoice(&alice, back.clone()).await?.refunded == "490");
    ensure!(stands(&bob, &got, |now| now.refunded == "490").await?.state == "paid");
    ensure!(invoice(&alice, back).await?.refunded == "490", "once");
    ensure!(balance(&bob).await? == 4_000);
    cluster.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_bills_somebody_of_another_node_and_takes_one_back() -> Result<()> {
    let (cluster, alice, bob, euro) = neighbours().await?;
    let open = ShopCall::OpenShop {
        name: "corner".into(),
        title: "Ecklädchen".into(),
        merchant_name: "Corner Shop".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    };
    alice.call(Call::Shop(open)).await?;
    let shop = format!("corner@{}", alice.address.split('@').nth(1).context("an address")?);
    let first = invoice(&alice, bill(Some(shop.clone()), &bob, &euro)).await?;
    let second = invoice(&alice, bill(Some(shop.clone()), &bob, &euro)).await?;
    let list = listed(&bob, 2).await?;
    ensure!(list.iter().all(|one| one.shop && one.issuer.name == "Ecklädchen"), "{list:?}");
    let gone = BillCall::CancelInvoice { user: shop.clone(), invoice: second.invoice.clone() };
    ensure!(invoice(&alice, gone.clone()).await?.state == "cancelled");
    let late = invoice(&bob, pay(&form(), &second, "1490")).await?;
    ensure!(late.state != "paid", "{late:?}");
    let late = stands(&bob, &second, |now| now.rejection.is_some()).await?;
    ensure!((late.state.as_str(), late.rejection.as_deref()) == ("cancelled", Some("over")), "{late:?}");
    invoice(&bob, pay(&form(), &first, "1490")).await?;
    stands(&bob, &first, |now| now.state == "paid").await?;
    stands(&alice, &first, |now| now.state == "paid").await?;
    let gone = BillCall::CancelInvoice { user: shop, invoice: first.invoice.clone() };
    ensure!(refused(&alice, gone).await.contains("already_paid"));
    ensure!(balance(&bob).await? == 5_000 - 1_490);
    // The chat can be told once more, by whoever has sent it.
    let again = BillCall::TellInvoice { user: second.issuer.user.clone(), invoice: second.invoice.clone() };
    invoice(&alice, again).await?;
    let told = async |me: &Person| {
        let messages = me.messages(&alice.address).await?;
        let cards = messages.iter().filter(|message| matches!(message.body, BodyView::Invoice { .. }));
        Ok((cards.count() == 3).then_some(()))
    };
    bob.until("the card", told).await?;
    cluster.end().await
}
