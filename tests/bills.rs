//! Invoices on a real node: alice's corner shop sends carol one, who pays it once; bob sends one of his own.

use anyhow::{Context as _, Result, bail};
use weft_engine::api::{BillCall, BillReply, Call, InvoiceView, Reply, ShopCall};
use weft_testkit::{
    Cast, NodeProcess, Person, device,
    money::{PIN, balance, form, issue, set_pin},
};

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

async fn invoices(person: &Person, sent: bool, shop: Option<&str>) -> Result<Vec<InvoiceView>> {
    let call = BillCall::Invoices { sent, shop: shop.map(str::to_owned), user: None, invoice: None };
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

/// Alice runs the node, issues euros and opens a shop. Carol has a hundred euros.
async fn street(node: &NodeProcess) -> Result<(Person, Person, Person, String)> {
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    let asset = issue(&alice, &[(&carol, 10_000)]).await?;
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob), (&carol, Cast::Carol)] {
        set_pin(person, who).await?;
    }
    let open = ShopCall::OpenShop {
        name: "corner".into(),
        title: "Ecklädchen".into(),
        merchant_name: "Corner Shop".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    };
    alice.call(Call::Shop(open)).await?;
    Ok((alice, bob, carol, asset))
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

#[tokio::test]
async fn carol_pays_each_invoice_once_and_gets_some_of_it_back() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob, carol, euro) = street(&node).await?;
    let shop = format!("corner@{}", carol.address.split('@').nth(1).context("an address")?);

    let send = bill(Some(shop.clone()), &carol, &euro);
    let sent = invoice(&alice, send.clone()).await?;
    assert_eq!(invoice(&alice, send).await?, sent, "a second tap sends one");
    assert_eq!((sent.number, sent.state.as_str(), sent.mine), (1.0, "open", false));
    let [got] = &*invoices(&carol, false, None).await? else { bail!("carol has not got one") };
    assert_eq!((got.issuer.name.as_str(), got.mine, got.by.is_none()), ("Ecklädchen", true, true));
    assert_eq!((got.net.as_str(), got.taxes[0].tax.as_str(), got.total.as_str()), ("1300", "190", "1490"));
    assert!(got.reference.starts_with("RF"), "{}", got.reference);

    let wrong = refused(&carol, pay(&form(), got, "1489")).await;
    assert!(wrong.contains("invalid_field"), "{wrong}");
    let id = form();
    for _ in 0..2 {
        // A double tap is one payment.
        assert_eq!(invoice(&carol, pay(&id, got, "1490")).await?.state, "paid");
    }
    let twice = refused(&carol, pay(&form(), got, "1490")).await;
    assert!(twice.contains("already_paid"), "{twice}");
    assert_eq!(balance(&carol).await?, 8_510);
    let gone = BillCall::CancelInvoice { user: shop.clone(), invoice: sent.invoice.clone() };
    assert!(refused(&alice, gone).await.contains("already_paid"));
    let back = BillCall::RefundInvoice {
        id: form(),
        user: shop.clone(),
        invoice: sent.invoice.clone(),
        amount: "490".into(),
        pin: PIN.into(),
    };
    for _ in 0..2 {
        assert_eq!(invoice(&alice, back.clone()).await?.refunded, "490");
    }
    assert_eq!(balance(&carol).await?, 9_000);
    assert_eq!(invoices(&alice, true, Some(&shop)).await?.len(), 1);

    // Bob's own; the second one he takes back.
    let first = invoice(&bob, bill(None, &carol, &euro)).await?;
    let second = invoice(&bob, bill(None, &carol, &euro)).await?;
    assert_eq!((first.number, second.number, second.shop), (1.0, 2.0, false));
    let gone = BillCall::CancelInvoice { user: bob.address.clone(), invoice: second.invoice.clone() };
    assert_eq!(invoice(&bob, gone).await?.state, "cancelled");
    let late = refused(&carol, pay(&form(), &second, "1490")).await;
    assert!(late.contains("invoice_cancelled"), "{late}");
    let not_hers = refused(&alice, pay(&form(), &first, "1490")).await;
    assert!(not_hers.contains("not_found"), "{not_hers}");
    invoice(&carol, pay(&form(), &first, "1490")).await?;
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (1_490, 7_510));
    let states: Vec<_> = invoices(&carol, false, None).await?.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["cancelled", "paid", "paid"], "the newest first");
    Ok(())
}
