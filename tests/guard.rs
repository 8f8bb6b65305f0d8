//! Alice runs a node; bob approves what she issues above 100 euros a day. Carol is a cash agent.

use anyhow::{Context as _, Result, bail, ensure};
use weft_engine::api::{
    AgentCall, AgentReply, AgentsView, Call, GuardCall, GuardReply, GuardView, ProposalView, Reply,
    WalletView,
};
use weft_testkit::{Cast, NodeProcess, Person, device};

const PIN: &str = "280195";

fn form() -> String {
    device::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn tell(person: &Person, call: Call) -> Result<()> {
    match person.call(call).await? {
        Reply::Done => Ok(()),
        other => bail!("{other:?}"),
    }
}

/// What the call is refused for; that it was not, in words of no refusal.
async fn refused(person: &Person, call: Call) -> String {
    match person.call(call).await {
        Ok(reply) => format!("done: {reply:?}"),
        Err(error) => error.to_string(),
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

async fn guard(person: &Person) -> Result<GuardView> {
    match person.call(Call::Guard(GuardCall::Guard)).await? {
        Reply::Guard(GuardReply::Guard(view)) => Ok(view),
        other => bail!("{other:?}"),
    }
}

async fn agents(person: &Person, call: AgentCall) -> Result<AgentsView> {
    match person.call(Call::Agent(call)).await? {
        Reply::Agent(AgentReply::Agents(view)) => Ok(view),
        other => bail!("{other:?}"),
    }
}

/// The one proposal that waits for somebody.
async fn waiting(person: &Person) -> Result<ProposalView> {
    let mine: Vec<_> = guard(person).await?.waiting.into_iter().filter(|one| one.mine).collect();
    let [one] = mine.as_slice() else { bail!("{mine:?}") };
    Ok(one.clone())
}

fn decide(of: &ProposalView, accept: bool) -> Call {
    let (id, print) = (of.id.clone(), of.print.clone());
    Call::Guard(GuardCall::DecideProposal { id, print, accept, pin: PIN.into() })
}

fn issue(to: &Person, asset: &str, amount: &str, id: &str) -> Call {
    let (user, asset) = (to.address.clone(), asset.to_owned());
    Call::Issue { id: id.to_owned(), user, asset, amount: amount.into(), redeem: false }
}

/// A node that issues euros: alice owns it, bob and carol have a PIN.
async fn community() -> Result<(NodeProcess, [Person; 3], String)> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    let carol = node.sign_up(Cast::Carol).await?;
    for (person, who) in [(&alice, Cast::Alice), (&bob, Cast::Bob), (&carol, Cast::Carol)] {
        tell(person, Call::SetPin { pin: PIN.into(), password: who.password().into() }).await?;
    }
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
    tell(&alice, define).await?;
    let asset = wallet(&alice).await?.assets.pop().context("nothing is issued")?.asset.id;
    Ok((node, [alice, bob, carol], asset))
}

#[tokio::test]
async fn much_money_comes_into_the_world_by_two_people() -> Result<()> {
    let (mut node, [alice, bob, carol], asset) = community().await?;
    // The first approver is proposed on the machine of the node, and agrees in the wallet.
    let said = node.command(&["guard", "appoint", "bob"]).await?;
    ensure!(said.contains("waits for approval"), "{said}");
    let appointment = waiting(&bob).await?;
    assert_eq!((appointment.kind.as_str(), appointment.state.as_str()), ("appoint", "waiting"));
    tell(&bob, decide(&appointment, true)).await?;
    let said = node.command(&["guard", "threshold", "EUR", "100.00"]).await?;
    ensure!(said.contains("done"), "{said}");

    // Alice issues as much, and then more.
    tell(&alice, issue(&carol, &asset, "10000", &form())).await?;
    let twice = form();
    for _ in 0..2 {
        let why = refused(&alice, issue(&carol, &asset, "2500", &twice)).await;
        ensure!(why.contains("needs_approval"), "{why}");
    }
    let proposal = waiting(&bob).await?;
    assert_eq!((proposal.kind.as_str(), proposal.amount.as_deref()), ("issue", Some("2500")));
    assert_eq!(proposal.person.as_ref().map(|one| &one.user), Some(&carol.address));
    // Neither she nor carol can approve it, and bob signs nothing that he did not see.
    let why = refused(&alice, decide(&proposal, true)).await;
    ensure!(why.contains("own_proposal"), "{why}");
    let why = refused(&carol, decide(&proposal, true)).await;
    ensure!(why.contains("proposal_over"), "{why}: of a proposal that is none of hers she hears nothing");
    let other = ProposalView { print: appointment.print.clone(), ..proposal.clone() };
    let why = refused(&bob, decide(&other, true)).await;
    ensure!(why.contains("proposal_changed"), "{why}");
    assert_eq!(balance(&carol).await?, 10_000);
    tell(&bob, decide(&proposal, true)).await?;
    assert_eq!(balance(&carol).await?, 12_500);
    tell(&alice, issue(&carol, &asset, "2500", &twice)).await?;
    assert_eq!(balance(&carol).await?, 12_500);

    // Weakening the rule waits for bob, too; he declines, and she takes the other one back.
    let said = node.command(&["guard", "threshold", "EUR", "0"]).await?;
    ensure!(said.contains("waits for approval"), "{said}");
    let weaker = waiting(&bob).await?;
    assert_eq!(weaker.amount.as_deref(), Some("0"));
    tell(&bob, decide(&weaker, false)).await?;
    let dismiss = GuardCall::ChangeApprover { user: bob.address.clone(), on: false };
    let why = refused(&alice, Call::Guard(dismiss)).await;
    ensure!(why.contains("needs_approval"), "{why}");
    let id = waiting(&bob).await?.id;
    tell(&alice, Call::Guard(GuardCall::WithdrawProposal { id })).await?;
    let view = guard(&alice).await?;
    assert_eq!((view.waiting.len(), view.thresholds[0].amount.as_str()), (0, "10000"));
    let states: Vec<_> = view.decided.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["withdrawn", "declined", "approved", "approved"]);
    // Of the owner's calls a member gets none.
    let change = GuardCall::ChangeApprover { user: carol.address.clone(), on: true };
    let lower = GuardCall::SetThreshold { asset: asset.clone(), amount: "1".into() };
    for call in [change, lower, GuardCall::WithdrawProposal { id: weaker.id.clone() }] {
        let why = refused(&carol, Call::Guard(call)).await;
        ensure!(why.contains("forbidden"), "{why}");
    }
    let said = node.command(&["guard", "show"]).await?;
    ensure!(said.contains("approver bob@") && said.contains("100.00 a day without approval"), "{said}");

    // All of it is in the books, and of one piece.
    node.terminate().await?;
    node.command(&["check"]).await?;
    Ok(())
}

#[tokio::test]
async fn an_agent_takes_cash_and_gives_it_out_within_the_float() -> Result<()> {
    let (mut node, [alice, bob, carol], asset) = community().await?;
    let agent = |amount: &str, frozen: bool, on: bool| {
        let (user, asset, amount) = (carol.address.clone(), asset.clone(), amount.to_owned());
        Call::Agent(AgentCall::SetAgent { user, asset, amount, frozen, on })
    };
    let why = refused(&bob, agent("5000", false, true)).await;
    ensure!(why.contains("forbidden"), "{why}");
    tell(&alice, agent("5000", false, true)).await?;
    let pay_in = |to: &Person, amount: &str, id: &str| {
        let (user, asset, pin) = (to.address.clone(), asset.clone(), PIN.to_owned());
        Call::Agent(AgentCall::CashIn { id: id.into(), user, asset, amount: amount.into(), pin })
    };
    let fetch = |amount: &str, id: &str| {
        let (user, asset, pin) = (carol.address.clone(), asset.clone(), PIN.to_owned());
        Call::Agent(AgentCall::CashOut { id: id.into(), user, asset, amount: amount.into(), pin })
    };
    // Bob brings 40 in cash, and wants 15 back later. The same form again moves nothing more.
    let (first, later) = (form(), form());
    for _ in 0..2 {
        tell(&carol, pay_in(&bob, "4000", &first)).await?;
    }
    for _ in 0..2 {
        tell(&bob, fetch("1500", &later)).await?;
    }
    assert_eq!(balance(&bob).await?, 2_500);
    let float = agents(&carol, AgentCall::Agents).await?.mine.pop().context("no float")?;
    let told = [&float.owed, &float.held, &float.left, &float.today_in, &float.today_out];
    assert_eq!(told.map(String::as_str), ["2500", "0", "2500", "4000", "1500"]);
    let history = Call::WalletHistory { account: float.account.clone(), before: None };
    let Reply::History(history) = carol.call(history).await? else { bail!("no history") };
    let lines: Vec<_> = history.lines.iter().map(|line| (line.purpose.as_str(), line.credit)).collect();
    assert_eq!(lines, [("cash_out", true), ("cash_in", false)]);
    assert!(agents(&bob, AgentCall::Agents).await?.mine.is_empty());

    // More than the float, no agent, not one's own desk: each is an error of its own.
    let why = refused(&carol, pay_in(&bob, "2501", &form())).await;
    ensure!(why.contains("agent_limit"), "{why}");
    let why = refused(&bob, pay_in(&carol, "1", &form())).await;
    ensure!(why.contains("not_found"), "{why}");
    let why = refused(&bob, fetch("2501", &form())).await;
    ensure!(why.contains("insufficient_funds"), "{why}");
    let why = refused(&bob, Call::Agent(AgentCall::AgentDesk)).await;
    ensure!(why.contains("forbidden"), "{why}");

    // Stopped, settled, and gone.
    tell(&alice, agent("5000", true, true)).await?;
    for (who, call) in [(&carol, pay_in(&bob, "1", &form())), (&bob, fetch("1", &form()))] {
        let why = refused(who, call).await;
        ensure!(why.contains("account_frozen"), "{why}");
    }
    let id = form();
    let settle = AgentCall::SettleAgent {
        id,
        user: carol.address.clone(),
        asset: asset.clone(),
        amount: "2500".into(),
        sent: false,
    };
    for _ in 0..2 {
        tell(&alice, Call::Agent(settle.clone())).await?;
    }
    let said = node.command(&["guard", "agents"]).await?;
    ensure!(
        said.contains("owes 0.00 of 50.00, stopped") && said.contains("today 40.00 in, 15.00 out"),
        "{said}"
    );
    tell(&alice, agent("0", true, false)).await?;
    assert!(agents(&alice, AgentCall::AgentDesk).await?.mine.is_empty());
    let assets = wallet(&alice).await?.assets;
    assert_eq!((assets[0].issued.as_str(), balance(&bob).await?), ("2500", 2_500));
    node.terminate().await?;
    node.command(&["check"]).await?;
    Ok(())
}
