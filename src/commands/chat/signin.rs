//! Signing in, or signing up with an invite.

use super::{
    Line, answer, out,
    place::{self, Place},
    refused, screen, secret,
};
use anyhow::{Result, bail, ensure};
use tokio::sync::mpsc;
use weft_client::Client;
use weft_engine::api::{Call, MeView, Reply};
use weft_wire::UserAddress;

/// Words that the person has to give back, to show that the phrase was written down.
const WORDS_ASKED: [u8; 3] = [2, 11, 20];

/// Gets a session: the one that is kept here, a new account, or a sign-in.
pub async fn enter(
    client: &Client,
    place: &Place,
    invite: Option<&str>,
    lines: &mut mpsc::Receiver<Line>,
) -> Result<()> {
    let account = &place.account;
    let me = match client.call(Call::Me).await.map_err(refused)? {
        Reply::Me(Some(me)) => me,
        _ => {
            place::check(client, place).await?;
            match invite {
                Some(link) => sign_up(client, account, link, lines).await?,
                None => sign_in(client, account, lines).await?,
            }
        }
    };
    ensure!(
        me.user == account.to_string(),
        "{} is signed in with this state, not {account}; name another folder with --state",
        me.user
    );
    if !me.phrase_confirmed {
        confirm_phrase(client, lines).await?;
    }
    // Its place in the list of devices; a name that is not taken is no reason to stop.
    let _ = client.call(Call::NameDevice { name: "Terminal".to_owned() }).await;
    out::note(format_args!("* {} — /help lists what can be done", me.user));
    Ok(())
}

async fn sign_up(
    client: &Client,
    account: &UserAddress,
    link: &str,
    lines: &mut mpsc::Receiver<Line>,
) -> Result<MeView> {
    let password = secret(&format!("new password for {account}: "), lines).await?;
    let again = secret("the same again: ", lines).await?;
    ensure!(password == again, "the two passwords differ");
    out::note("* making keys; this takes a moment");
    let name = account.name.to_string();
    let call = Call::SignUp { display_name: name.clone(), name, password, invite: Some(link.to_owned()) };
    let me = me(client.call(call).await.map_err(refused)?)?;
    add_inviter(client, link).await;
    Ok(me)
}

/// The link may be a person's: then they become a contact at once.
async fn add_inviter(client: &Client, link: &str) {
    let preview = client.call(Call::ReadLink { text: link.to_owned() }).await;
    if let Ok(Reply::LinkPreview(preview)) = preview
        && preview.user.is_some()
    {
        let call = Call::AddContact { target: link.to_owned(), greeting: String::new() };
        if let Err(error) = client.call(call).await {
            out::note(format_args!("* {}", screen::sentence(&error)));
        }
    }
}

async fn sign_in(client: &Client, account: &UserAddress, lines: &mut mpsc::Receiver<Line>) -> Result<MeView> {
    let password = secret(&format!("password of {account}: "), lines).await?;
    out::note("* opening the keys; this takes a moment");
    let call = Call::SignIn { name: account.name.to_string(), password };
    me(client.call(call).await.map_err(refused)?)
}

fn me(reply: Reply) -> Result<MeView> {
    match reply {
        Reply::Me(Some(me)) => Ok(me),
        _ => bail!("the engine did not say who is signed in"),
    }
}

async fn confirm_phrase(client: &Client, lines: &mut mpsc::Receiver<Line>) -> Result<()> {
    let Reply::Phrase(Some(phrase)) = client.call(Call::Phrase).await.map_err(refused)? else {
        return Ok(());
    };
    out::line(
        "\nWrite these 24 words down, on paper. They are the only way back to the account (its name and contacts) when the\n\
         password is lost. Messages are on the devices only; no words bring them back:\n",
    );
    for (row, words) in phrase.chunks(6).enumerate() {
        let words: Vec<String> =
            words.iter().enumerate().map(|(i, word)| format!("{:>2} {word:<9}", row * 6 + i + 1)).collect();
        out::line(words.join(" "));
    }
    let mut given = Vec::new();
    for position in WORDS_ASKED {
        out::ask(format_args!("word {}: ", position + 1));
        let word = answer(lines, "the words were not confirmed").await?;
        given.push((position, word.trim().to_lowercase()));
    }
    match client.call(Call::ConfirmPhrase { words: given }).await {
        Ok(_) => out::note("* confirmed; the words are not shown again"),
        Err(error) => {
            out::note(format_args!("* {} They are asked for again next time.", screen::sentence(&error)))
        }
    }
    Ok(())
}
