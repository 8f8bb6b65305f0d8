//! Alice owns a node that takes fees of what its people pay; bob pays carol, and no more than he was shown.

use anyhow::{Result, bail, ensure};
use std::process::Command;
use weft_engine::api::{AccountView, Call, FeeCall, FeeReply, GuardCall, GuardReply, HistoryLineView, Reply};
use weft_testkit::{
    Cast, NodeProcess, Person,
    money::{PIN, balance, form, issue, set_pin, wallet},
};

fn pay(to: &Person, asset: &str, amount: u64, hold: bool) -> Call {
    Call::Pay {
        id: form(),
        user: to.address.clone(),
        asset: asset.into(),
        amount: amount.to_string(),
        note: String::new(),
        hold,
        chat: None,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    }
}

/// What somebody is shown before they pay.
async fn shown(person: &Person, asset: &str, amount: u64) -> Result<u64> {
    let (kind, asset, amount) = ("person".into(), asset.to_owned(), amount.to_string());
    match person.call(Call::Guard(GuardCall::Fee(FeeCall::Fee { kind, asset, amount }))).await? {
        Reply::Guard(GuardReply::Fee(FeeReply::Fee(due))) => Ok(due.parse()?),
        other => bail!("{other:?}"),
    }
}

async fn set(owner: &Person, asset: &str, fee: [&str; 4]) -> Result<()> {
    let fee = fee.map(str::to_owned);
    owner
        .call(Call::Guard(GuardCall::Fee(FeeCall::SetFee {
            kind: "person".into(),
            asset: asset.to_owned(),
            fee,
        })))
        .await?;
    Ok(())
}

async fn earned(owner: &Person, asset: &str) -> Result<AccountView> {
    match owner.call(Call::Guard(GuardCall::Fee(FeeCall::FeesEarned { asset: asset.to_owned() }))).await? {
        Reply::Guard(GuardReply::Fee(FeeReply::FeesEarned(earned))) => Ok(earned),
        other => bail!("{other:?}"),
    }
}

async fn pays(person: &Person, call: Call) -> Result<String> {
    match person.call(call).await? {
        Reply::Transfer(transfer) => Ok(transfer.id),
        other => bail!("{other:?}"),
    }
}

async fn refused(person: &Person, call: Call) -> String {
    match person.call(call).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

async fn lines(person: &Person) -> Result<Vec<HistoryLineView>> {
    let account = wallet(person).await?.accounts[0].id.clone();
    match person.call(Call::WalletHistory { account, before: None }).await? {
        Reply::History(history) => Ok(history.lines),
        other => bail!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_pays_more_than_they_were_shown() -> Result<()> {
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob)] {
        set_pin(person, who).await?;
    }
    let euro = issue(&alice, &[(&bob, 10_000)]).await?;
    // 10 cents and 1.5 %. Only the owner says so, and nothing that makes no sense.
    let why = refused(
        &bob,
        Call::Guard(GuardCall::Fee(FeeCall::SetFee {
            kind: "person".into(),
            asset: euro.clone(),
            fee: ["0", "0", "0", "0"].map(str::to_owned),
        })),
    )
    .await;
    ensure!(why.contains("forbidden"), "{why}");
    assert!(set(&alice, &euro, ["0", "10001", "0", "0"]).await.is_err(), "more than all of it");
    assert!(set(&alice, &euro, ["-1", "0", "0", "0"]).await.is_err(), "less than nothing");
    set(&alice, &euro, ["10", "150", "0", "0"]).await?;

    // A device that shows no fee pays none, and so pays nothing.
    let why = refused(&bob, pay(&carol, &euro, 1_000, false)).await;
    ensure!(why.contains("fee_too_low"), "{why}");
    assert_eq!(shown(&bob, &euro, 1_000).await?, 25);
    pays(&bob, pay(&carol, &euro, 1_000, false)).await?;
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (8_975, 1_000));
    // It is raised after he has looked.
    set(&alice, &euro, ["10", "200", "0", "0"]).await?;
    let why = refused(&bob, pay(&carol, &euro, 1_000, false)).await;
    ensure!(why.contains("fee_too_low"), "{why}");
    assert_eq!(balance(&bob).await?, 8_975);
    assert_eq!(shown(&bob, &euro, 1_000).await?, 30);
    let held = pays(&bob, pay(&carol, &euro, 1_000, true)).await?;
    assert_eq!(balance(&bob).await?, 7_945);
    let earned_now = earned(&alice, &euro).await?;
    assert_eq!((earned_now.available.as_str(), earned_now.incoming.as_str()), ("25", "30"));
    carol.call(Call::AnswerTransfer { id: held, accept: false }).await?;
    assert_eq!(balance(&bob).await?, 8_975, "what goes back brings its fee back");

    // The fee stands in his history, and what stands there comes to what he has.
    let his = lines(&bob).await?;
    let fees: Vec<_> = his.iter().filter(|line| line.purpose == "fee").collect();
    let states: Vec<_> = fees.iter().map(|line| (line.amount.as_str(), line.state.as_str())).collect();
    assert_eq!(states, [("30", "returned"), ("25", "done")]);
    let sum: i64 = his
        .iter()
        .filter(|line| line.state == "done")
        .map(|line| line.amount.parse::<i64>().unwrap_or(0) * if line.credit { 1 } else { -1 })
        .sum();
    assert_eq!(sum, 8_975);

    // Alice takes out what was earned.
    let take = |amount: &str, id: &str| {
        let (user, asset) = (alice.address.clone(), euro.clone());
        Call::Guard(GuardCall::Fee(FeeCall::TakeFees { id: id.into(), user, asset, amount: amount.into() }))
    };
    let why = refused(&alice, take("26", &form())).await;
    ensure!(why.contains("insufficient_funds"), "{why}");
    let id = form();
    for _ in 0..2 {
        alice.call(take("20", &id)).await?;
    }
    assert_eq!((balance(&alice).await?, earned(&alice, &euro).await?.available.as_str()), (20, "5"));

    let journal = node.data().join("../books.journal");
    node.command(&["ledger", "export", &journal.to_string_lossy()]).await?;
    let text = std::fs::read_to_string(&journal)?;
    ensure!(text.contains("income:fees"), "{text}");
    match Command::new("hledger").arg("-f").arg(&journal).arg("check").output() {
        Ok(run) => ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr)),
        Err(error) => println!("NOT RUN for want of hledger: {error}"),
    }
    node.kill().await?;
    let checked = node.command(&["check"]).await?;
    ensure!(checked.contains("all is well"), "{checked}");
    Ok(())
}

#[tokio::test]
async fn fees_are_set_from_the_terminal_as_people_write_them() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let euro = issue(&alice, &[(&bob, 10_000)]).await?;
    let shown_now = async || node.command(&["fees", "show"]).await;
    ensure!(shown_now().await?.contains("person   free"), "nothing was set");
    for (why, wrong) in [
        ("nothing is said", vec!["EUR", "person"]),
        ("only a bound", vec!["EUR", "person", "--most", "1"]),
        ("both", vec!["EUR", "person", "--free", "--fixed", "1"]),
        ("no such kind", vec!["EUR", "people", "--fixed", "1"]),
        ("no such asset", vec!["USD", "person", "--fixed", "1"]),
        ("finer than a cent", vec!["EUR", "person", "--fixed", "0.001"]),
        ("more than all of it", vec!["EUR", "person", "--percent", "100.01"]),
        ("less than nothing", vec!["EUR", "person", "--fixed=-1"]),
    ] {
        let done = node.command(&[["fees", "set"].as_slice(), &wrong].concat()).await;
        ensure!(done.is_err(), "{why}: {done:?}");
    }
    let set = ["fees", "set", "EUR", "person", "--fixed", "0.10", "--percent", "1.5", "--most", "3"];
    node.command(&set).await?;
    let said = shown_now().await?;
    ensure!(said.contains("earned 0.00"), "{said}");
    ensure!(said.contains("person   0.10, 1.50 %, at most 3.00"), "{said}");
    ensure!(said.contains("shop     free"), "{said}");
    assert_eq!(shown(&bob, &euro, 1_000).await?, 25, "what the owner's page and a payer see is the same");
    node.command(&["fees", "set", "EUR", "person", "--free"]).await?;
    let said = shown_now().await?;
    ensure!(said.contains("person   free"), "{said}");
    Ok(())
}
