//! Money on a real node: from hand to hand, in red packets, for what was asked; and the books added up by somebody else.

use anyhow::{Context as _, Result, ensure};
use std::{path::Path, process::Command};
use weft_engine::api::{BodyView, Call, MessageView, PacketView, Reply, TransferView};
use weft_testkit::{
    Cast, NodeProcess, Person,
    money::{PIN, balance, form, issue, set_pin},
};

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_weft")
}

fn pay(to: &Person, asset: &str, amount: u64, chat: Option<String>) -> Call {
    Call::Pay {
        id: form(),
        user: to.address.clone(),
        asset: asset.into(),
        amount: amount.to_string(),
        note: "for the tea".into(),
        hold: true,
        chat,
        request: None,
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    }
}

async fn transfer(person: &Person, call: Call) -> Result<TransferView> {
    match person.call(call).await? {
        Reply::Transfer(transfer) => Ok(transfer),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn packet(person: &Person, call: Call) -> Result<PacketView> {
    match person.call(call).await? {
        Reply::Packet(packet) => Ok(packet),
        other => anyhow::bail!("{other:?}"),
    }
}

/// The first message of a chat that says such a thing, once the chat is there.
async fn card(person: &Person, chat: &str, is_it: fn(&BodyView) -> bool) -> Result<MessageView> {
    person
        .until("the card", async |me: &Person| {
            let chats = match me.call(Call::Chats).await? {
                Reply::Chats(chats) => chats,
                other => anyhow::bail!("{other:?}"),
            };
            if chats.iter().all(|view| view.chat != chat) {
                return Ok(None);
            }
            Ok(me.messages_in(chat).await?.into_iter().find(|message| is_it(&message.body)))
        })
        .await
}

/// Hledger adds the exported books up, and checks what Weft says that each account has.
fn hledger_agrees(journal: &Path) -> Result<()> {
    let run = |arguments: &[&str]| Command::new("hledger").arg("-f").arg(journal).args(arguments).output();
    let checked = match run(&["check"]) {
        Ok(checked) => checked,
        Err(error) => {
            println!("NOT RUN for want of hledger: {error}");
            return Ok(());
        }
    };
    ensure!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let sums = String::from_utf8(run(&["balance", "-N"])?.stdout)?;
    ensure!(sums.contains("liabilities:people:alice"), "{sums}");
    Ok(())
}

#[tokio::test]
async fn money_goes_from_hand_to_hand_and_the_books_add_up() -> Result<()> {
    let mut node = NodeProcess::start(binary(), &[]).await?;
    let (alice, bob) = (node.sign_up(Cast::Alice).await?, node.sign_up(Cast::Bob).await?);
    bob.connect(&alice).await?;
    let euro = issue(&alice, &[(&alice, 10_000)]).await?;
    let direct = alice.chat(&bob.address).await?.chat;

    // Without a PIN nothing moves, nor with the wrong one; nor can whoever has the device alone set one.
    let no_pin = alice.call(pay(&bob, &euro, 1, None)).await.unwrap_err().to_string();
    assert!(no_pin.contains("no_pin"), "{no_pin}");
    let stranger = Call::SetPin { pin: PIN.into(), password: "not the password".into() };
    assert!(alice.call(stranger).await.unwrap_err().to_string().contains("wrong_credentials"));
    set_pin(&alice, Cast::Alice).await?;
    let mut wrong = pay(&bob, &euro, 1, None);
    if let Call::Pay { pin, .. } = &mut wrong {
        *pin = "000000".into();
    }
    assert!(alice.call(wrong).await.unwrap_err().to_string().contains("wrong_pin"));
    assert_eq!(balance(&alice).await?, 10_000);

    // A double tap: the same form twice is paid once.
    let tapped = pay(&bob, &euro, 1_234, Some(direct.clone()));
    let held = transfer(&alice, tapped.clone()).await?;
    assert_eq!((held.state.as_str(), held.amount.as_str(), held.mine), ("held", "1234", true));
    assert_eq!(transfer(&alice, tapped.clone()).await?.id, held.id);
    let mut other = tapped;
    if let Call::Pay { amount, .. } = &mut other {
        *amount = "1".into();
    }
    let other = alice.call(other).await.unwrap_err().to_string();
    assert!(other.contains("id_conflict"), "{other}");
    let seen = card(&bob, &direct, |body| matches!(body, BodyView::Transfer { .. })).await?;
    let BodyView::Transfer { transfer: id, amount, note, .. } = seen.body else { unreachable!() };
    assert_eq!((id.as_str(), amount.as_str(), note.as_str()), (held.id.as_str(), "1234", "for the tea"));
    transfer(&bob, Call::AnswerTransfer { id: id.clone(), accept: true }).await?;
    assert_eq!((balance(&alice).await?, balance(&bob).await?), (8_766, 1_234));
    let done = alice
        .until("the acceptance", async |me: &Person| {
            let now = transfer(me, Call::Transfer { id: id.clone() }).await?;
            Ok((now.state == "done").then_some(now))
        })
        .await?;
    assert_eq!(done.payee.user, bob.address);

    // A kill in between changes nothing of that, and what is kept is what the log comes to.
    node.kill().await?;
    let checked = node.command(&["check"]).await?;
    assert!(checked.contains("ledger: ") && checked.contains("all is well"), "{checked}");
    node.start_again().await?;
    alice.call(Call::Wake).await?;
    alice.online().await?;
    assert_eq!(balance(&alice).await?, 8_766);
    let journal = node.data().join("../books.journal");
    let told = node.command(&["ledger", "export", &journal.to_string_lossy()]).await?;
    assert!(told.contains("events of the ledger"), "{told}");
    let twice = node.command(&["ledger", "export", &journal.to_string_lossy()]).await;
    assert!(twice.is_err(), "nothing is written over");
    hledger_agrees(&journal)?;
    assert!(!node.log().contains("panic"), "{}", node.log());
    node.terminate().await?;
    Ok(())
}

#[tokio::test]
async fn a_packet_and_a_bill_in_a_group_of_three() -> Result<()> {
    let mut node = NodeProcess::start(binary(), &[]).await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let (bob, carol) = (node.sign_up(Cast::Bob).await?, node.sign_up(Cast::Carol).await?);
    bob.connect(&alice).await?;
    carol.connect(&alice).await?;
    let euro = issue(&alice, &[(&alice, 10_000), (&bob, 5_000)]).await?;
    let members = vec![bob.address.clone(), carol.address.clone()];
    let Reply::Chat(group) = alice.call(Call::CreateGroup { name: "Tea".into(), members }).await? else {
        anyhow::bail!("no group")
    };
    let group = group.chat;
    alice.say_in(&group, "who is there?").await?;
    for guest in [&bob, &carol] {
        card(guest, &group, |body| matches!(body, BodyView::Text { .. })).await?;
    }
    set_pin(&alice, Cast::Alice).await?;
    set_pin(&bob, Cast::Bob).await?;

    let gift = Call::SendPacket {
        id: form(),
        chat: group.clone(),
        asset: euro.clone(),
        amount: "1000".into(),
        shares: 3,
        lucky: true,
        only: None,
        greeting: "恭喜发财".into(),
        cover: 1,
        pin: PIN.into(),
    };
    alice.call(gift).await?;
    let is_packet: fn(&BodyView) -> bool = |body| matches!(body, BodyView::Packet { .. });
    let mut sum = 0;
    for person in [&bob, &carol, &alice] {
        let MessageView { id, body, .. } = card(person, &group, is_packet).await?;
        let BodyView::Packet { cover, .. } = body else { unreachable!() };
        assert_eq!(cover, 1);
        let open = Call::OpenPacket { chat: group.clone(), id };
        let got = packet(person, open.clone()).await?;
        let mine: u64 = got.mine.clone().context("no share")?.parse()?;
        assert!(mine >= 1);
        assert_eq!(packet(person, open).await?.mine, got.mine, "a second tap");
        sum += mine;
    }
    assert_eq!(sum, 1_000);
    let id = card(&bob, &group, is_packet).await?.id;
    let over = packet(&bob, Call::Packet { chat: group.clone(), id }).await?;
    assert_eq!((over.state.as_str(), over.fair, over.claims.len()), ("empty", Some(true), 3));
    assert_eq!(over.claims.iter().filter(|claim| claim.best).count(), 1);

    // Thirty euros for the tea, ten of them alice's own.
    let parts = vec![(bob.address.clone(), "1000".to_owned()), (carol.address.clone(), "1000".to_owned())];
    let (chat, asset, note) = (group.clone(), euro.clone(), "tea".to_owned());
    let ask = Call::AskMoney { chat, asset, parts, total: "3000".into(), note };
    let too_much = match ask.clone() {
        Call::AskMoney { chat, asset, parts, note, .. } => {
            Call::AskMoney { chat, asset, parts, total: "1999".into(), note }
        }
        other => other,
    };
    assert!(alice.call(too_much).await.is_err(), "the parts are more than the bill");
    let Reply::Sent(_) = alice.call(ask).await? else { anyhow::bail!("not asked") };
    let is_bill: fn(&BodyView) -> bool = |body| matches!(body, BodyView::Request { .. });
    let bill = card(&bob, &group, is_bill).await?;
    let BodyView::Request { request, .. } = &bill.body else { unreachable!() };
    let before = balance(&bob).await?;
    let payment = Call::Pay {
        id: form(),
        user: alice.address.clone(),
        asset: euro.clone(),
        amount: "1000".into(),
        note: String::new(),
        hold: false,
        chat: Some(group.clone()),
        request: Some(request.clone()),
        refunds: None,
        exchange: None,
        pin: PIN.into(),
    };
    let done = transfer(&bob, payment.clone()).await?;
    assert_eq!(done.state, "done");
    // The same form again, and another one for the same bill: it is paid once.
    assert_eq!(transfer(&bob, payment.clone()).await?.id, done.id);
    let mut anew = payment;
    if let Call::Pay { id, .. } = &mut anew {
        *id = form();
    }
    assert!(bob.call(anew).await.unwrap_err().to_string().contains("already_paid"));
    assert_eq!(balance(&bob).await?, before - 1_000);
    let id = card(&alice, &group, is_bill).await?.id;
    let paid = alice
        .until("who has paid", async |me: &Person| {
            let look = Call::Request { chat: group.clone(), id: id.clone() };
            let Reply::Request(view) = me.call(look).await? else { return Ok(None) };
            let paid: Vec<_> =
                view.parts.iter().map(|part| (part.person.user.clone(), part.paid.is_some())).collect();
            Ok(paid.iter().any(|(_, paid)| *paid).then_some(paid))
        })
        .await?;
    assert_eq!(paid, [(bob.address.clone(), true), (carol.address.clone(), false)]);
    node.terminate().await?;
    Ok(())
}
