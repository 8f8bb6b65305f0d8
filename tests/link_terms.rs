//! Terms with another node over the owner's session: what is no wish, and whose it is to wish.

use anyhow::{Result, ensure};
use weft_engine::api::{Call, LinkCall};
use weft_testkit::{Cast, NodeProcess, Person};

fn ask(act: &str, name: &str, rows: &[&[&str]]) -> Call {
    let rows = rows.iter().map(|row| row.iter().map(|text| (*text).to_owned()).collect()).collect();
    Call::NodeLink(LinkCall::LinkTerms { name: name.to_owned(), act: act.to_owned(), rows })
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: Call) -> String {
    match person.call(call).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
    }
}

const AWAY: &str = "away.example";

#[tokio::test]
async fn terms_are_the_owners_and_what_is_no_wish_is_refused() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    for act in ["terms", "offer", "accept", "withdraw", "freeze", "thaw"] {
        let why = refused(&bob, ask(act, AWAY, &[&["0", ""]])).await;
        ensure!(why.contains("forbidden"), "{act}: {why}");
    }
    let ours: &[&[&str]] = &[&["seen", ""], &["asset", "EUR", "", "", "5.00"]];
    let cases: [(&str, &str, &[&[&str]], &str); 14] = [
        ("offer", AWAY, ours, "not_found"),
        ("offer", AWAY, &[&["asset", "eur", "", "", "5"]], "invalid_field"),
        ("offer", AWAY, &[&["asset", "EUR", "1", "99999", "5"]], "invalid_field"),
        ("offer", AWAY, &[&["lifetime", "-1"]], "invalid_field"),
        ("offer", AWAY, &[&["limit"]], "invalid_field"),
        ("offer", "no name", ours, "bad_input"),
        ("accept", AWAY, &[], "invalid_field"),
        ("accept", AWAY, &[&["00"]], "not_found"),
        ("withdraw", AWAY, &[], "not_found"),
        ("freeze", AWAY, &[], "no_link"),
        ("thaw", AWAY, &[&["soon", ""]], "invalid_field"),
        ("thaw", AWAY, &[&["0", ""]], "not_found"),
        ("terms/../../issue", AWAY, &[], "bad_input"),
        ("other", AWAY, &[], "no_route"),
    ];
    for (act, name, rows, code) in cases {
        let why = refused(&alice, ask(act, name, rows)).await;
        ensure!(why.contains(code), "{act} {rows:?}: {why}");
    }
    let long = "9".repeat(9_000);
    let why = refused(&alice, ask("offer", AWAY, &[&["asset", "EUR", "", "", &long]])).await;
    ensure!(why.contains("too_large"), "{why}");
    // Nothing of all that is kept.
    let told = person_terms(&alice).await?;
    ensure!(told.contains("Table([[\"link\", \"\", \"\", \"\"]])"), "{told}");
    Ok(())
}

async fn person_terms(person: &Person) -> Result<String> {
    Ok(format!("{:?}", person.call(ask("terms", AWAY, &[])).await?))
}
