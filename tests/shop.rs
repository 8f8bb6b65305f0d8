//! A corner shop on a real node: alice has it, bob is at the till, carol pays by both kinds of code and gets some of it back.

use anyhow::{Context as _, Result, bail};
use weft_engine::api::{
    Call, PayCodeView, Reply, SaleView, ScannedShop, ScannedView, ShopCall, ShopReply, ShopView,
};
use weft_testkit::{
    Cast, NodeProcess, Person,
    money::{PIN, balance, form, issue, set_pin},
};

async fn ask(person: &Person, call: ShopCall) -> Result<ShopReply> {
    match person.call(Call::Shop(call)).await? {
        Reply::Shop(reply) => Ok(reply),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: ShopCall) -> String {
    match person.call(Call::Shop(call)).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

async fn sale(person: &Person, call: ShopCall) -> Result<SaleView> {
    match ask(person, call).await? {
        ShopReply::Sale(sale) => Ok(sale),
        other => bail!("{other:?}"),
    }
}

async fn scan(person: &Person, text: &str) -> Result<ScannedShop> {
    match ask(person, ShopCall::ReadCode { text: text.into() }).await? {
        ShopReply::Scanned(ScannedView::Merchant(shop)) => Ok(shop),
        other => bail!("{other:?}"),
    }
}

async fn shop(person: &Person) -> Result<ShopView> {
    match ask(person, ShopCall::Shops).await? {
        ShopReply::Shops(mut shops) => shops.pop().context("no shop"),
        other => bail!("{other:?}"),
    }
}

/// Alice runs the node and issues euros; she opens a shop, and bob is its cashier. Carol has a hundred euros.
async fn street(node: &NodeProcess) -> Result<(Person, Person, Person, String, String)> {
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
    let ShopReply::Shop(opened) = ask(&alice, open).await? else { bail!("no shop was opened") };
    let (shop, user, role) = (opened.shop, bob.address.clone(), Some("cashier".into()));
    ask(&alice, ShopCall::SetStaff { shop: shop.clone(), user, role }).await?;
    ask(&bob, ShopCall::JoinShop { shop: shop.clone(), accept: true }).await?;
    Ok((alice, bob, carol, asset, shop))
}

fn pay(scanned: &ScannedShop, asset: &str, amount: &str, tip: &str) -> ShopCall {
    ShopCall::PayShop {
        id: form(),
        shop: scanned.shop.clone(),
        asset: asset.into(),
        amount: amount.into(),
        tip: tip.into(),
        sale: scanned.sale.clone(),
        till: scanned.till.clone(),
        exchange: None,
        pin: PIN.into(),
    }
}

async fn show(person: &Person, asset: &str, cap: &str) -> Result<PayCodeView> {
    let call = ShopCall::ShowCode { asset: asset.into(), cap: cap.into(), pin: PIN.into() };
    match ask(person, call).await? {
        ShopReply::PayCode(code) => Ok(code),
        other => bail!("{other:?}"),
    }
}

#[tokio::test]
async fn carol_pays_by_both_kinds_of_code_and_some_of_it_comes_back() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob, carol, euro, shop_) = street(&node).await?;
    assert_eq!(shop(&bob).await?.role, "cashier");

    // The sign on the counter.
    let till = Some("2 & 3".to_owned());
    let call = ShopCall::ShopSign { shop: shop_.clone(), asset: euro.clone(), till };
    let ShopReply::Sign(sign) = ask(&bob, call).await? else { bail!("no sign") };
    let scanned = scan(&carol, &sign.code).await?;
    assert_eq!(
        (scanned.title.as_str(), scanned.verified, scanned.amount.clone()),
        ("Ecklädchen", false, None)
    );
    assert_eq!(scanned.till.as_deref(), Some("2 & 3"));
    let again = pay(&scanned, &euro, "300", "20");
    for _ in 0..2 {
        // A double tap is one payment.
        let Reply::Transfer(paid) = carol.call(Call::Shop(again.clone())).await? else { bail!("not paid") };
        assert_eq!(
            (paid.amount.as_str(), paid.shop.as_deref(), paid.mine),
            ("320", Some("Ecklädchen"), true)
        );
    }
    assert_eq!(balance(&carol).await?, 9_680);

    // A code for one sale.
    let sell = ShopCall::Sell {
        id: form(),
        shop: shop_.clone(),
        asset: euro.clone(),
        amount: "1250".into(),
        bill: "17".into(),
        tip_allowed: false,
        lifetime: None,
    };
    let waits = sale(&bob, sell).await?;
    let code = waits.code.clone().context("a code")?;
    let scanned = scan(&carol, &code).await?;
    assert_eq!((scanned.verified, scanned.amount.as_deref(), scanned.expired), (true, Some("1250"), false));
    let broken = refused(&carol, ShopCall::ReadCode { text: code.replacen("12.50", "02.50", 1) }).await;
    assert!(broken.contains("code_damaged"), "{broken}");
    let wrong_sum = refused(&carol, pay(&scanned, &euro, "1", "0")).await;
    assert!(wrong_sum.contains("invalid_field"), "{wrong_sum}");
    carol.call(Call::Shop(pay(&scanned, &euro, "1250", "0"))).await?;
    let twice = refused(&carol, pay(&scanned, &euro, "1250", "0")).await;
    assert!(twice.contains("already_paid"), "{twice}");
    let paid = sale(&bob, ShopCall::Sale { shop: shop_.clone(), sale: waits.sale.clone() }).await?;
    assert_eq!((paid.state.as_str(), paid.paid.context("paid")?.payer.user), ("paid", carol.address.clone()));

    // A code that carol shows, read and typed.
    for typed in [false, true] {
        let code = show(&carol, &euro, "2000").await?;
        let text = if typed { code.digits.clone() } else { code.text.clone() };
        let read = ask(&bob, ShopCall::ReadCode { text: text.clone() }).await?;
        assert_eq!(read, ShopReply::Scanned(ScannedView::PayCode { text: text.clone() }));
        let charge = |amount: &str| ShopCall::Charge {
            id: form(),
            shop: shop_.clone(),
            code: text.clone(),
            asset: euro.clone(),
            amount: amount.into(),
            bill: String::new(),
        };
        let much = refused(&bob, charge("2001")).await;
        assert!(much.contains("code_limit"), "{much}");
        assert_eq!(sale(&bob, charge("500")).await?.state, "paid");
        let ShopReply::CodeState(state) = ask(&carol, ShopCall::CodeState { id: code.id }).await? else {
            bail!("no state")
        };
        assert_eq!(
            (state.state.as_str(), state.transfer.context("by whom")?.amount.as_str()),
            ("used", "500")
        );
    }

    // Some of it comes back, and alice takes the rest home.
    let back = ShopCall::RefundSale {
        id: form(),
        shop: shop_.clone(),
        sale: waits.sale.clone(),
        amount: "250".into(),
        pin: PIN.into(),
    };
    for _ in 0..2 {
        assert_eq!(sale(&bob, back.clone()).await?.paid.context("paid")?.refunded, "250");
    }
    let out = |pin: &str| ShopCall::PayOut {
        id: form(),
        shop: shop_.clone(),
        asset: euro.clone(),
        amount: "2320".into(),
        pin: pin.into(),
    };
    assert!(refused(&bob, out(PIN)).await.contains("forbidden"));
    assert_eq!(alice.call(Call::Shop(out(PIN))).await?, Reply::Done);
    assert_eq!((balance(&alice).await?, balance(&carol).await?), (2_320, 10_000 - 2_320));
    let ShopReply::Sales(roll) = ask(&bob, ShopCall::Sales { shop: shop_, sale: None }).await? else {
        bail!("no till roll")
    };
    let kinds: Vec<_> = roll.sales.iter().map(|sale| sale.kind.as_str()).collect();
    assert_eq!(kinds, ["code", "code", "dynamic", "static"]);
    Ok(())
}
