//! Alice runs a node whose euro an account at a bank backs: bob pays in, carol's money waits, bob has some of it paid out.

use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use weft_engine::api::{BankLineView, Call, ImportedView, Reply, TopUpCall, TopUpReply, WithdrawalsView};
use weft_testkit::{
    Cast, NodeProcess, Person,
    money::{PIN, balance, form, issue, set_pin},
};

const IBAN: &str = "DE89370400440532013000";
const HIS: &str = "NL91ABNA0417164300";

async fn ask(person: &Person, call: TopUpCall) -> Result<TopUpReply> {
    match person.call(Call::TopUp(call)).await? {
        Reply::TopUp(reply) => Ok(reply),
        other => bail!("{other:?}"),
    }
}

async fn tell(person: &Person, call: TopUpCall) -> Result<()> {
    match person.call(Call::TopUp(call)).await? {
        Reply::Done => Ok(()),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: TopUpCall) -> String {
    match person.call(Call::TopUp(call)).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

/// A statement in MT940: of each line cents, below zero going out, and what was written to it.
fn mt940(day: u32, opening: i64, lines: &[(i64, &str)]) -> String {
    let money = |cents: i64| {
        let cents = cents.unsigned_abs();
        format!("{},{:02}", cents / 100, cents % 100)
    };
    let mut file =
        format!(":20:STATEMENT\n:25:{IBAN}\n:28C:{day}/1\n:60F:C2411{day:02}EUR{}\n", money(opening));
    for (number, (cents, text)) in lines.iter().enumerate() {
        let way = if *cents < 0 { 'D' } else { 'C' };
        file += &format!(
            ":61:2411{day:02}11{day:02}{way}{}NTRFNONREF//{day}{number}\n:86:{text}\n",
            money(*cents)
        );
    }
    let closing = opening + lines.iter().map(|(cents, _)| cents).sum::<i64>();
    file + &format!(":62F:C2411{day:02}EUR{}\n-\n", money(closing))
}

/// As the browser sends it.
async fn import(owner: &Person, file: &str) -> Result<ImportedView> {
    let text = base64url(file.as_bytes());
    match ask(owner, TopUpCall::ImportBank { text }).await? {
        TopUpReply::Imported(done) => Ok(done),
        other => bail!("{other:?}"),
    }
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..=three.len() {
            text.push(char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    text
}

async fn work(owner: &Person) -> Result<Vec<BankLineView>> {
    match ask(owner, TopUpCall::BankLines { id: None }).await? {
        TopUpReply::BankLines(page) => Ok(page.lines),
        other => bail!("{other:?}"),
    }
}

async fn withdrawals(person: &Person, call: TopUpCall) -> Result<WithdrawalsView> {
    match ask(person, call).await? {
        TopUpReply::Withdrawals(page) => Ok(page),
        other => bail!("{other:?}"),
    }
}

async fn reference(person: &Person) -> Result<String> {
    match ask(person, TopUpCall::TopUps).await? {
        TopUpReply::TopUps(ways) => Ok(ways.first().context("no way to top up")?.reference.clone()),
        other => bail!("{other:?}"),
    }
}

#[tokio::test]
async fn money_comes_in_by_a_banks_file_and_goes_out_by_one() -> Result<()> {
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    let asset = issue(&alice, &[]).await?;

    // The account is named on the machine of the node; members see it.
    let set =
        ["bank", "set", "EUR", "--account", "DE89 3704 0044 0532 0130 00", "--holder", "Café Kollektiv"];
    node.command(&set).await?;
    let (his, hers) = (reference(&bob).await?, reference(&carol).await?);
    ensure!(his != hers && his.starts_with("RF"), "{his} {hers}");

    // Bob's money has his reference, carol's a mistyped one; the bank takes its fee.
    let mistyped = hers.replace("RF", "RF ").replace(char::is_alphabetic, "x");
    let first = mt940(11, 100, &[(2_500, &his), (900, &mistyped), (-150, "monthly fee")]);
    let done = import(&alice, &first).await?;
    assert_eq!((done.credited, done.waiting, done.known), (1, 2, 0));
    assert_eq!((balance(&bob).await?, balance(&carol).await?), (2_500, 0));
    assert_eq!(import(&alice, &first).await?.known, 3);
    let lines = work(&alice).await?;
    let line = |credit| lines.iter().find(|line| line.credit == credit).map(|line| line.id.clone());
    let (credit, debit) = (line(true).context("no credit")?, line(false).context("no debit")?);
    let assign =
        TopUpCall::DecideLine { id: credit, act: "assign".into(), user: Some(carol.address.clone()) };
    for _ in 0..2 {
        tell(&alice, assign.clone()).await?;
    }
    tell(&alice, TopUpCall::DecideLine { id: debit, act: "note".into(), user: None }).await?;
    assert_eq!((balance(&carol).await?, work(&alice).await?.len()), (900, 0));

    // Of the owner's calls a member gets none.
    for call in [
        TopUpCall::BankAccounts,
        TopUpCall::BankLines { id: None },
        TopUpCall::WithdrawalsWaiting { id: None },
        TopUpCall::ImportBank { text: base64url(first.as_bytes()) },
        TopUpCall::NodeLinks,
        assign,
    ] {
        let why = refused(&bob, call.clone()).await;
        ensure!(why.contains("forbidden"), "{call:?}: {why}");
    }
    let why = refused(&alice, TopUpCall::ImportBank { text: base64url(b":20:x\n:25:y\n:28C:z\n") }).await;
    ensure!(why.contains("bank_file"), "{why}");

    // Bob wants some of it out; the file in which it left his operator's account is read by the command.
    set_pin(&bob, Cast::Bob).await?;
    let account = "nl91 abna 0417 1643 00".to_owned();
    let withdraw = |amount: &str, id: &str, account: &str| TopUpCall::Withdraw {
        id: id.to_owned(),
        asset: asset.clone(),
        amount: amount.into(),
        name: "Bob Example".into(),
        account: account.to_owned(),
        pin: PIN.into(),
    };
    let why = refused(&bob, withdraw("2000", &form(), "NL91ABNA0417164301")).await;
    ensure!(why.contains("invalid_field"), "{why}");
    let twice = form();
    for _ in 0..2 {
        tell(&bob, withdraw("2000", &twice, &account)).await?;
    }
    assert_eq!(balance(&bob).await?, 500);
    let waiting = withdrawals(&alice, TopUpCall::WithdrawalsWaiting { id: None }).await?.withdrawals;
    let [one] = waiting.as_slice() else { bail!("{waiting:?}") };
    assert_eq!((one.person.user.as_str(), one.account.as_str()), (bob.address.as_str(), HIS));
    let path = node.data().with_extension("sta");
    fs::write(&path, mt940(12, 3_350, &[(-2_000, &one.reference)]))?;
    let file = path.to_str().context("a path")?;
    let said = node.command(&["bank", "import", file]).await?;
    ensure!(said.contains("1 withdrawals of members, paid"), "{said}");
    let mine = withdrawals(&bob, TopUpCall::Withdrawals).await?.withdrawals;
    assert_eq!(mine.iter().map(|one| one.state.as_str()).collect::<Vec<_>>(), ["paid"]);
    let said = node.command(&["bank", "show"]).await?;
    ensure!(said.contains("in the world 14.00, of it in suspense 0.00"), "{said}");
    ensure!(said.contains("at the bank 13.50 at the end of 2024-11-12"), "{said}");
    fs::remove_file(&path)?;

    // What nobody has begun to pay he takes back; what the owner is about to pay he does not.
    for begun in [false, true] {
        tell(&bob, withdraw("300", &form(), &account)).await?;
        let waiting = withdrawals(&alice, TopUpCall::WithdrawalsWaiting { id: None }).await?.withdrawals;
        let [one] = waiting.as_slice() else { bail!("{waiting:?}") };
        let back = TopUpCall::TakeBackWithdrawal { id: one.id.clone() };
        let begin = TopUpCall::BeginWithdrawal { id: one.id.clone() };
        for (person, call, code) in [(&carol, &back, "not_found"), (&bob, &begin, "forbidden")] {
            let why = refused(person, call.clone()).await;
            ensure!(why.contains(code), "{call:?}: {why}");
        }
        tell(if begun { &alice } else { &bob }, if begun { begin.clone() } else { back.clone() }).await?;
        let (late, said) = (refused(&bob, back).await, node.command(&["bank", "show"]).await?);
        ensure!(begun == late.contains("already_decided"), "{late}");
        ensure!(begun == said.contains("being paid"), "{said}");
    }
    let mine = withdrawals(&bob, TopUpCall::Withdrawals).await?.withdrawals;
    let states: Vec<_> = mine.iter().map(|one| one.state.as_str()).collect();
    assert_eq!((states, balance(&bob).await?), (vec!["paying", "taken_back", "paid"], 200));

    // All of that is in the books, and of one piece.
    node.terminate().await?;
    node.command(&["check"]).await?;
    Ok(())
}
