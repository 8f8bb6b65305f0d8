//! A shop on one real node, and a customer of another: bob pays alice's shop by both its codes and by one of his own, and gets some of it
//! back.

use anyhow::{Context as _, Result, bail, ensure};
use std::time::Duration;
use weft_engine::api::{
    Call, PayCodeView, Reply, SaleView, ScannedShop, ScannedView, ShopCall, ShopReply, TransferView,
};
use weft_node::control::{Answer, LinkRow, Request};
use weft_testkit::{
    Cast, Cluster, Person, TestNode,
    money::{PIN, balance, form, issue, set_pin, wallet},
};
use weft_wire::link_terms::{CoveredAsset, ProposeTerms};

async fn ask(person: &Person, call: ShopCall) -> Result<ShopReply> {
    match person.call(Call::Shop(call)).await? {
        Reply::Shop(reply) => Ok(reply),
        other => bail!("{other:?}"),
    }
}

async fn transfer(person: &Person, call: Call) -> Result<TransferView> {
    match person.call(call).await? {
        Reply::Transfer(transfer) => Ok(transfer),
        other => bail!("{other:?}"),
    }
}

async fn scan(person: &Person, text: &str) -> Result<ScannedShop> {
    match ask(person, ShopCall::ReadCode { text: text.into() }).await? {
        ShopReply::Scanned(ScannedView::Merchant(shop)) => Ok(shop),
        other => bail!("{other:?}"),
    }
}

async fn sale(person: &Person, call: ShopCall) -> Result<SaleView> {
    match ask(person, call).await? {
        ShopReply::Sale(sale) => Ok(sale),
        other => bail!("{other:?}"),
    }
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

fn pay(scanned: &ScannedShop, asset: &str, amount: &str, tip: &str) -> Call {
    Call::Shop(ShopCall::PayShop {
        id: form(),
        shop: scanned.shop.clone(),
        asset: asset.into(),
        amount: amount.into(),
        tip: tip.into(),
        sale: scanned.sale.clone(),
        till: scanned.till.clone(),
        exchange: None,
        pin: PIN.into(),
    })
}

/// Waits until the other node has decided what somebody has paid.
async fn decided(person: &Person, paid: &TransferView) -> Result<TransferView> {
    person
        .until("the decision", async |me: &Person| {
            let now = transfer(me, Call::Transfer { id: paid.id.clone() }).await?;
            Ok((now.state != "held").then_some(now))
        })
        .await
}

async fn open_shop(owner: &Person) -> Result<String> {
    let open = ShopCall::OpenShop {
        name: "corner".into(),
        title: "Ecklädchen".into(),
        merchant_name: "Corner Shop".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    };
    let ShopReply::Shop(opened) = ask(owner, open).await? else { bail!("no shop was opened") };
    Ok(opened.shop)
}

/// 50 euros of the first node go to the second.
async fn give(alice: &Person, bob: &Person, euro: &str) -> Result<()> {
    let gift = Call::Pay {
        id: form(),
        user: bob.address.clone(),
        asset: euro.to_owned(),
        amount: "5000".into(),
        note: String::new(),
        hold: false,
        chat: None,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    };
    transfer(alice, gift).await?;
    bob.until("the euros", async |me: &Person| Ok((balance(me).await? == 5_000).then_some(()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bob_of_another_node_pays_by_both_codes_and_gets_some_of_it_back() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (here, there) = (cluster.node(0)?, cluster.node(1)?);
    let (alice, bob) = (here.sign_up(Cast::Alice).await?, there.sign_up(Cast::Bob).await?);
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob)] {
        set_pin(person, who).await?;
    }
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    let shop = open_shop(&alice).await?;
    let call = ShopCall::ShopSign { shop: shop.clone(), asset: euro.clone(), till: None };
    let ShopReply::Sign(sign) = ask(&alice, call).await? else { bail!("no sign") };
    let far = bob.call(Call::Shop(ShopCall::ReadCode { text: sign.code.clone() })).await;
    ensure!(far.is_err_and(|error| error.to_string().contains("no_link")), "there are no terms as yet");
    agree(here, there).await?;
    give(&alice, &bob, &euro).await?;

    // The sign on the counter: nothing vouches for it but what the shop's node says of the name.
    let scanned = scan(&bob, &sign.code).await?;
    ensure!((scanned.title.as_str(), scanned.verified) == ("Ecklädchen", false), "{scanned:?}");
    let call = pay(&scanned, &euro, "300", "20");
    let paid = transfer(&bob, call.clone()).await?;
    ensure!((paid.state.as_str(), paid.shop.as_deref()) == ("held", Some("Ecklädchen")), "{paid:?}");
    ensure!(decided(&bob, &paid).await?.state == "done");
    ensure!(transfer(&bob, call).await?.id == paid.id, "a double tap is one payment");

    // A code for one sale, which his device verifies by the key of the shop's node.
    let sell = ShopCall::Sell {
        id: form(),
        shop: shop.clone(),
        asset: euro.clone(),
        amount: "1250".into(),
        bill: "17".into(),
        tip_allowed: false,
        lifetime: None,
    };
    let waits = sale(&alice, sell).await?;
    let scanned = scan(&bob, waits.code.as_deref().context("a code")?).await?;
    ensure!((scanned.verified, scanned.amount.as_deref()) == (true, Some("1250")), "{scanned:?}");
    let less = transfer(&bob, pay(&scanned, &euro, "1", "0")).await?;
    ensure!(decided(&bob, &less).await?.state == "returned", "the shop's node has another sum");
    let paid = transfer(&bob, pay(&scanned, &euro, "1250", "0")).await?;
    ensure!(decided(&bob, &paid).await?.state == "done");
    let twice = transfer(&bob, pay(&scanned, &euro, "1250", "0")).await?;
    ensure!(decided(&bob, &twice).await?.state == "returned", "it is paid once");
    ensure!(scan(&bob, waits.code.as_deref().context("a code")?).await?.state.as_deref() == Some("paid"));
    let known = sale(&alice, ShopCall::Sale { shop: shop.clone(), sale: waits.sale.clone() }).await?;
    ensure!(known.paid.as_ref().is_some_and(|paid| paid.payer.user == bob.address), "{known:?}");
    ensure!(balance(&bob).await? == 5_000 - 320 - 1_250);

    // Some of it comes back.
    let back = ShopCall::RefundSale {
        id: form(),
        shop,
        sale: waits.sale.clone(),
        amount: "250".into(),
        pin: PIN.into(),
    };
    ensure!(sale(&alice, back).await?.paid.context("paid")?.refunded == "250");
    let came = bob.until("the refund", async |me: &Person| {
        Ok((balance(me).await? == 5_000 - 320 - 1_000).then_some(()))
    });
    came.await?;
    let owed = until("what is owed", || async {
        let rows = [link(here).await?, link(there).await?];
        let owed = rows.map(|row| row.and_then(|row| row.owed.first().map(|owed| owed.owed.clone())));
        Ok((owed.iter().all(|owed| owed.as_deref() == Some("36.80"))).then_some(()))
    });
    owed.await?;
    let account = wallet(&bob).await?.accounts.first().context("an account")?.id.clone();
    let Reply::History(history) = bob.call(Call::WalletHistory { account, before: None }).await? else {
        bail!("no history")
    };
    let line = history.lines.first().context("a line")?;
    ensure!((line.purpose.as_str(), line.shop.as_deref()) == ("refund", Some("Ecklädchen")), "{line:?}");
    cluster.end().await
}

/// Bob shows a code of his own.
async fn show(bob: &Person, euro: &str, cap: &str) -> Result<PayCodeView> {
    let call = ShopCall::ShowCode { asset: euro.into(), cap: cap.into(), pin: PIN.into() };
    match ask(bob, call).await? {
        ShopReply::PayCode(code) => Ok(code),
        other => bail!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bob_of_another_node_shows_a_code_that_the_till_takes_once() -> Result<()> {
    let cluster = Cluster::start(2).await?;
    cluster.acquaint().await?;
    let (here, there) = (cluster.node(0)?, cluster.node(1)?);
    let (alice, bob) = (here.sign_up(Cast::Alice).await?, there.sign_up(Cast::Bob).await?);
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob)] {
        set_pin(person, who).await?;
    }
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    let shop = open_shop(&alice).await?;
    let charge = |code: &str, amount: &str| ShopCall::Charge {
        id: form(),
        shop: shop.clone(),
        code: code.into(),
        asset: euro.clone(),
        amount: amount.into(),
        bill: "18".into(),
    };
    agree(here, there).await?;
    give(&alice, &bob, &euro).await?;

    let code = show(&bob, &euro, "2000").await?;
    let over = alice.call(Call::Shop(charge(&code.text, "2001"))).await;
    ensure!(over.is_err_and(|error| error.to_string().contains("code_limit")), "more than he allows");
    let digits = alice.call(Call::Shop(charge(&code.digits, "1250"))).await;
    ensure!(digits.is_err_and(|error| error.to_string().contains("code_invalid")), "digits name no node");
    let wish = charge(&code.text, "1250");
    let asked = sale(&alice, wish.clone()).await?;
    ensure!(asked.kind == "code" && matches!(asked.state.as_str(), "open" | "paid"), "{asked:?}");
    let look = ShopCall::Sale { shop: shop.clone(), sale: asked.sale.clone() };
    let paid = alice
        .until("the money", async |me: &Person| {
            let now = sale(me, look.clone()).await?;
            Ok((now.state == "paid").then_some(now))
        })
        .await?;
    ensure!(paid.paid.as_ref().is_some_and(|paid| paid.payer.user == bob.address), "{paid:?}");
    ensure!(sale(&alice, wish).await? == paid, "a double tap is one payment");
    let again = alice.call(Call::Shop(charge(&code.text, "1"))).await;
    ensure!(again.is_err_and(|error| error.to_string().contains("already_paid")), "it is good once");
    // He sees who has taken how much.
    let state = bob
        .until("the decision", async |me: &Person| {
            let ShopReply::CodeState(state) = ask(me, ShopCall::CodeState { id: code.id.clone() }).await?
            else {
                bail!("no state")
            };
            Ok(state.transfer.filter(|transfer| transfer.state == "done"))
        })
        .await?;
    ensure!((state.amount.as_str(), state.shop.as_deref()) == ("1250", Some("Ecklädchen")), "{state:?}");
    ensure!(balance(&bob).await? == 3_750);
    let back = ShopCall::RefundSale {
        id: form(),
        shop: shop.clone(),
        sale: asked.sale.clone(),
        amount: "250".into(),
        pin: PIN.into(),
    };
    ensure!(sale(&alice, back).await?.paid.context("paid")?.refunded == "250");
    bob.until("the refund", async |me: &Person| Ok((balance(me).await? == 4_000).then_some(()))).await?;
    cluster.end().await
}
