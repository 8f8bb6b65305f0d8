//! Escrow on a real node: carol pays in for bob, who has it when she releases it, or when both agree on a split.

use anyhow::{Result, bail};
use weft_engine::api::{Call, EscrowCall, EscrowReply, EscrowView, Reply};
use weft_testkit::{
    Cast, NodeProcess, Person, device,
    money::{PIN, balance, form, issue, set_pin},
};

const DAY_MS: f64 = 86_400_000.0;

async fn ask(person: &Person, call: EscrowCall) -> Result<EscrowView> {
    match person.call(Call::Escrow(call)).await? {
        Reply::Escrow(EscrowReply::Escrow(escrow)) => Ok(escrow),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: EscrowCall) -> String {
    match person.call(Call::Escrow(call)).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

/// Alice runs the node and issues euros; carol has a hundred of them.
async fn market(node: &NodeProcess) -> Result<(Person, Person, String)> {
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    let asset = issue(&alice, &[(&carol, 10_000)]).await?;
    set_pin(&carol, Cast::Carol).await?;
    Ok((bob, carol, asset))
}

fn settle(id: &str, escrow: &EscrowView, amount: &str, pin: &str) -> EscrowCall {
    let (id, escrow, amount, pin) = (id.into(), escrow.escrow.clone(), amount.into(), pin.into());
    EscrowCall::SettleEscrow { id, escrow, amount, pin }
}

fn accept(escrow: &EscrowView, amount: &str) -> EscrowCall {
    EscrowCall::AcceptEscrow { escrow: escrow.escrow.clone(), amount: amount.into() }
}

#[tokio::test]
async fn what_carol_pays_in_goes_where_both_want_it_and_goes_once() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (bob, carol, euro) = market(&node).await?;
    let fund = |id: String| EscrowCall::FundEscrow {
        id,
        user: bob.address.clone(),
        asset: euro.clone(),
        amount: "1000".into(),
        note: "a bicycle".into(),
        due_ms: device::now_ms() as f64 + DAY_MS,
        pin: PIN.into(),
    };
    let call = fund(form());
    let first = ask(&carol, call.clone()).await?;
    assert_eq!(ask(&carol, call).await?, first, "a double tap is one payment");
    assert_eq!((first.state.as_str(), first.mine, balance(&carol).await?), ("open", true, 9_000));
    let wrong = refused(&carol, settle(&form(), &first, "1000", "000000")).await;
    assert!(wrong.contains("wrong_pin"), "{wrong}");
    let id = form();
    assert_eq!(ask(&carol, settle(&id, &first, "1000", PIN)).await?.state, "released");
    let again = refused(&carol, settle(&form(), &first, "1000", PIN)).await;
    assert!(again.contains("already_decided"), "{again}");
    assert!(refused(&bob, accept(&first, "0")).await.contains("already_decided"));
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (1_000, 9_000));
    // The bicycle comes back, and bob gives back what he had for it; not more.
    set_pin(&bob, Cast::Bob).await?;
    let back = |id: &str, amount: &str| EscrowCall::RefundEscrow {
        id: id.into(),
        escrow: first.escrow.clone(),
        amount: amount.into(),
        pin: PIN.into(),
    };
    let id = form();
    for _ in 0..2 {
        assert_eq!(ask(&bob, back(&id, "400")).await?.refunded, "400");
    }
    let more = refused(&bob, back(&form(), "601")).await;
    assert!(!more.starts_with("done"), "{more}");
    assert_eq!(ask(&bob, back(&form(), "600")).await?.refunded, "1000");
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (0, 10_000));

    // Bob asks for a part of the second one, and carol signs for it.
    let second = ask(&carol, fund(form())).await?;
    assert_eq!(ask(&bob, accept(&second, "600")).await?.asked.as_deref(), Some("600"));
    assert_eq!(ask(&carol, settle(&form(), &second, "600", PIN)).await?.state, "split");
    // Carol offers a part of the third one, and bob takes it.
    let third = ask(&carol, fund(form())).await?;
    assert_eq!(ask(&carol, settle(&form(), &third, "300", PIN)).await?.offered.as_deref(), Some("300"));
    assert_eq!(ask(&bob, accept(&third, "300")).await?.state, "split");
    // Bob gives the fourth one back.
    let fourth = ask(&carol, fund(form())).await?;
    assert_eq!(ask(&bob, accept(&fourth, "0")).await?.state, "returned");
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (900, 9_100));
    let list = carol.call(Call::Escrow(EscrowCall::Escrows { shop: None, escrow: None })).await?;
    let Reply::Escrow(EscrowReply::Escrows(page)) = list else { bail!("{list:?}") };
    let states: Vec<_> = page.escrows.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["returned", "split", "split", "released"]);
    Ok(())
}
