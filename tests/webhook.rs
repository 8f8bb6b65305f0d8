//! Alice's payment provider reports money to a real node, as docs/topping-up.md says that it should.

use anyhow::{Context as _, Result, bail};
use std::{fs, path::Path, process::Command};
use weft_engine::api::{Call, Reply, TopUpCall, TopUpReply, WalletView};
use weft_testkit::{Cast, NodeProcess, Person};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/webhook_provider.sh");
const SECRET: &str = "a secret that the provider and the node share";

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

async fn top_up(person: &Person, call: TopUpCall) -> Result<TopUpReply> {
    match person.call(Call::TopUp(call)).await? {
        Reply::TopUp(reply) => Ok(reply),
        other => bail!("{other:?}"),
    }
}

/// Has the script report something, and gives what the node answers; also that it has refused it.
async fn report(url: &str, secret: &Path, payment: [&str; 4]) -> Result<String> {
    let mut script = Command::new("sh");
    script.arg(SCRIPT).arg(url).arg(secret).args(payment);
    let output = tokio::task::spawn_blocking(move || script.output()).await??;
    Ok(String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?)
}

#[tokio::test]
async fn a_provider_reports_money_and_it_counts_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (secret, wrong) = (folder.path().join("cardpay.secret"), folder.path().join("wrong.secret"));
    fs::write(&secret, format!("{SECRET}\n"))?;
    fs::write(&wrong, "a secret that nobody shares with anybody at all")?;
    let providers = format!("[{{ name = \"cardpay\", secret_file = \"{}\" }}]", secret.display());
    let node =
        NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[("WEFT_WEBHOOKS__PROVIDERS", &providers)]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let zero = || "0".to_owned();
    let define = Call::DefineAsset {
        code: "EUR".into(),
        scale: 2,
        title: "Euro".into(),
        backing: "our account at the Volksbank".into(),
        payment_max: zero(),
        day_max: zero(),
        issue_max: zero(),
    };
    alice.call(define).await?;
    node.command(&["bank", "set", "EUR", "--account", "DE89370400440532013000", "--holder", "Café"]).await?;
    let TopUpReply::TopUps(ways) = top_up(&bob, TopUpCall::TopUps).await? else { bail!("no ways") };
    let reference = ways.first().context("no way to top up")?.reference.clone();

    let hook = |name: &str| format!("{}/api/v1/wallet/webhooks/{name}", node.url());
    let url = hook("cardpay");
    for _ in 0..2 {
        let said = report(&url, &secret, ["pay_1", "2500", "EUR", &reference]).await?;
        assert!(said.contains("credited"), "{said}");
    }
    let said = report(&url, &secret, ["pay_2", "300", "EUR", ""]).await?;
    assert!(said.contains("waiting"), "{said}");
    assert_eq!(balance(&bob).await?, 2_500);
    let TopUpReply::BankLines(page) = top_up(&alice, TopUpCall::BankLines { id: None }).await? else {
        bail!("no work list")
    };
    assert_eq!(page.lines.iter().map(|line| line.amount.as_str()).collect::<Vec<_>>(), ["300"]);

    for (url, secret, payment, why) in [
        (&url, &wrong, ["pay_3", "100", "EUR", &reference], "bad_signature"),
        (&hook("otherpay"), &secret, ["pay_3", "100", "EUR", &reference], "bad_signature"),
        (&url, &secret, ["pay_1", "2501", "EUR", &reference], "id_conflict"),
        (&url, &secret, ["pay_3", "0", "EUR", &reference], "invalid_field"),
        (&url, &secret, ["pay_3", "-1", "EUR", &reference], "malformed"),
        (&url, &secret, ["pay_3", "100", "CHF", &reference], "not_found"),
        (&url, &secret, ["pay_3", "100", "EUR", &"9".repeat(9_000)], "too_large"),
    ] {
        let said = report(url, secret, payment).await?;
        assert!(said.contains(why), "{payment:?}: {said}");
    }
    assert_eq!(balance(&bob).await?, 2_500);
    assert!(!node.log().contains(SECRET));
    Ok(())
}

#[tokio::test]
async fn a_node_does_not_start_with_a_secret_that_can_be_guessed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let secret = folder.path().join("short");
    fs::write(&secret, "hunter2\n")?;
    for (path, why) in [(secret, "expected 32 or more"), (folder.path().join("none"), "No such file")] {
        let providers = format!("[{{ name = \"cardpay\", secret_file = \"{}\" }}]", path.display());
        let started =
            NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[("WEFT_WEBHOOKS__PROVIDERS", &providers)]).await;
        let Err(error) = started else { bail!("it has started") };
        assert!(format!("{error:#}").contains(why), "{error:#}");
        assert!(!format!("{error:#}").contains("hunter2"));
    }
    Ok(())
}
