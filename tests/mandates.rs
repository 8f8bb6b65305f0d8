//! Mandates on a real node: carol lets bob have money of hers each month, and ends it.

use anyhow::{Context as _, Result, bail};
use weft_engine::api::{Call, MandateCall, MandateReply, MandateView, Reply, WalletView};
use weft_testkit::{Cast, NodeProcess, Person, device};

const PIN: &str = "280195";
const DAY_MS: u64 = 86_400_000;

fn form() -> String {
    device::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn ask(person: &Person, call: MandateCall) -> Result<MandateView> {
    match person.call(Call::Mandate(call)).await? {
        Reply::Mandate(MandateReply::Mandate(mandate)) => Ok(mandate),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: MandateCall) -> String {
    match person.call(Call::Mandate(call)).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

async fn list(person: &Person) -> Result<Vec<MandateView>> {
    match person.call(Call::Mandate(MandateCall::Mandates { shop: None, mandate: None })).await? {
        Reply::Mandate(MandateReply::Mandates(page)) => Ok(page.mandates),
        other => bail!("{other:?}"),
    }
}

async fn wallet(person: &Person) -> Result<WalletView> {
    match person.call(Call::Wallet).await? {
        Reply::Wallet(wallet) => Ok(wallet),
        other => bail!("{other:?}"),
    }
}

async fn balance(person: &Person) -> Result<u64> {
    let accounts = wallet(person).await?.accounts;
    Ok(accounts.first().map_or(Ok(0), |account| account.available.parse())?)
}

/// Alice runs the node and issues euros; carol has a hundred of them.
async fn market(node: &NodeProcess) -> Result<(Person, Person, Person, String)> {
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    let zero = || "0".to_owned();
    let define = Call::DefineAsset {
        code: "EUR".into(),
        scale: 2,
        title: "Euro".into(),
        backing: "the cash box".into(),
        payment_max: zero(),
        day_max: zero(),
        issue_max: zero(),
    };
    alice.call(define).await?;
    let asset = wallet(&alice).await?.assets.pop().context("nothing is issued")?.asset.id;
    let (id, user, amount) = (form(), carol.address.clone(), "10000".to_owned());
    alice.call(Call::Issue { id, user, asset: asset.clone(), amount, redeem: false }).await?;
    carol.call(Call::SetPin { pin: PIN.into(), password: Cast::Carol.password().into() }).await?;
    Ok((alice, bob, carol, asset))
}

fn give(bob: &Person, asset: &str, amount: &str, standing: bool) -> MandateCall {
    MandateCall::GiveMandate {
        id: form(),
        user: bob.address.clone(),
        asset: asset.into(),
        amount: amount.into(),
        note: "the rent".into(),
        standing,
        period: "month".into(),
        day: (device::now_ms() / DAY_MS) as f64,
        last_day: None,
        count: None,
        zone: 0.0,
        pin: PIN.into(),
    }
}

fn collect(mandate: &MandateView, number: f64, amount: &str) -> MandateCall {
    MandateCall::CollectMandate { mandate: mandate.mandate.clone(), number, amount: amount.into() }
}

fn end(mandate: &MandateView) -> MandateCall {
    MandateCall::EndMandate { mandate: mandate.mandate.clone() }
}

#[tokio::test]
async fn bob_collects_by_carols_mandate_once_a_month_and_no_more_once_she_has_ended_it() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (_alice, bob, carol, euro) = market(&node).await?;
    let call = give(&bob, &euro, "1500", true);
    let rent = ask(&carol, call.clone()).await?;
    assert_eq!(ask(&carol, call).await?, rent, "a double tap is one mandate");
    assert_eq!((rent.state.as_str(), rent.mine, rent.next, rent.due), ("live", true, Some(1.0), false));
    assert!(rent.collections[0].transfer.is_some(), "due today, and collected by the node");
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (1_500, 8_500));
    let again = refused(&bob, collect(&rent, 0.0, "1")).await;
    assert!(again.contains("already_paid"), "{again}");
    let early = refused(&bob, collect(&rent, 1.0, "1500")).await;
    assert!(early.contains("not_due"), "{early}");

    // What bob asks for by himself: as much as he has used, once.
    let power = ask(&carol, give(&bob, &euro, "2000", false)).await?;
    assert!(power.due && power.collections.is_empty());
    assert!(refused(&bob, collect(&power, 0.0, "2001")).await.contains("invalid_field"));
    let used = ask(&bob, collect(&power, 0.0, "700")).await?;
    assert_eq!((used.mine, used.due, used.collections[0].amount.as_str()), (false, false, "700"));
    assert_eq!(ask(&bob, collect(&power, 0.0, "700")).await?, used, "a double tap is one collection");

    // More than carol has: both see that it has failed, and that it has not moved.
    let much = ask(&carol, give(&bob, &euro, "900000", true)).await?;
    for (who, of) in [(&carol, &much), (&bob, &list(&bob).await?[0])] {
        assert_eq!(of.collections[0].refused.as_deref(), Some("insufficient_funds"));
        let poor = refused(who, collect(&much, 0.0, "900000")).await;
        assert!(poor.contains("insufficient_funds"), "{poor}");
    }

    // Carol ends it, and bob gives the other one up.
    assert_eq!(ask(&carol, end(&much)).await?.state, "ended");
    let over = refused(&bob, collect(&much, 0.0, "900000")).await;
    assert!(over.contains("mandate_over"), "{over}");
    assert_eq!(ask(&bob, end(&power)).await?.state, "given_up");
    let states: Vec<_> = list(&carol).await?.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["ended", "given_up", "live"]);
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (2_200, 7_800));
    let wrong = MandateCall::GiveMandate {
        id: form(),
        user: bob.address.clone(),
        asset: euro,
        amount: "100".into(),
        note: String::new(),
        standing: true,
        period: "month".into(),
        day: (device::now_ms() / DAY_MS) as f64,
        last_day: None,
        count: None,
        zone: 0.0,
        pin: "000000".into(),
    };
    assert!(refused(&carol, wrong).await.contains("wrong_pin"));
    Ok(())
}
