//! `weft chat`: a small terminal client, the same engine that runs in the browser.

mod groups;
mod place;
mod screen;
mod signin;
mod talk;
mod unsent;

use super::out;
use anyhow::{Context, Result, bail};
use clap::Args;
use place::{Place, Who};
use std::{
    io::{self, BufRead, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};
use tokio::sync::mpsc;
use weft_client::{Client, Options, keep};
use weft_engine::api::CallError;
use weft_wire::UserAddress;

/// Talk from the terminal. Signs in as ACCOUNT, or signs up with an invite link.
#[derive(Debug, Args)]
pub struct Chat {
    /// Oneself: alice@home.example; alice alone for the node of this folder
    account: Who,
    /// Sign up with this invite link
    #[arg(long, value_name = "LINK")]
    invite: Option<String>,
    /// The node's URL. When not given: that of the node in this folder (./node.toml), else https://NODE
    #[arg(long, value_name = "URL")]
    node: Option<String>,
    /// Where keys and messages are kept on this machine
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Allow plain HTTP to another machine, where anybody on the way can see who talks to whom
    #[arg(long)]
    plain_http: bool,
}

/// A line that was typed; none: it is no text.
type Line = Option<String>;

/// Lines that may wait to be read by the program.
const LINES_WAITING_MAX: usize = 64;

pub fn run(args: &Chat) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(session(args));
    // The thread that reads the terminal cannot be woken; it must not keep the process.
    runtime.shutdown_background();
    result
}

async fn session(args: &Chat) -> Result<ExitCode> {
    let place = place::find(&args.account, args.node.as_deref(), args.plain_http).await?;
    let state = state_folder(args, &place.account)?;
    let profile = keep::File::open(&state.join("profile"), &state.join("profile.key"))
        .with_context(|| format!("the state in {}", state.display()))?;
    let options = Options {
        keep: keep::Keep::File(Box::new(profile)),
        plain_http: args.plain_http,
        ..Options::memory(&place.url)
    };
    let client = Client::start(options).await?;
    let lines = lines();
    let done = talk_as(&client, args, &place, lines).await;
    client.stop().await;
    // A person has read it; a program looks at this.
    done.map(|all_sent| match all_sent || io::stdin().is_terminal() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Signs in and talks. Gives whether all that was typed is sent.
async fn talk_as(
    client: &Client,
    args: &Chat,
    place: &Place,
    mut lines: mpsc::Receiver<Line>,
) -> Result<bool> {
    let events = client.events();
    signin::enter(client, place, args.invite.as_deref(), &mut lines).await?;
    talk::talk(client, events, &place.url, &mut lines).await
}

fn state_folder(args: &Chat, account: &UserAddress) -> Result<PathBuf> {
    if let Some(dir) = &args.state {
        return Ok(dir.clone());
    }
    let home = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    match home {
        // One folder an account: they share nothing, so that no key of one is ever used for another.
        Some(home) => Ok(home.join("weft-chat").join(account.to_string())),
        None => bail!("there is no home folder; name one with --state"),
    }
}

/// Lines that are typed, read on a thread of their own: a read from a terminal cannot be given up.
fn lines() -> mpsc::Receiver<Line> {
    let (send, receive) = mpsc::channel(LINES_WAITING_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut bytes = Vec::new();
        while input.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            if send.blocking_send(line(std::mem::take(&mut bytes))).is_err() {
                break;
            }
        }
    });
    receive
}

/// What stands before the end of a line.
fn line(mut bytes: Vec<u8>) -> Line {
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).ok()
}

/// The next line, where no other can stand for it.
async fn answer(lines: &mut mpsc::Receiver<Line>, missing: &'static str) -> Result<String> {
    lines.recv().await.context(missing)?.context("what was typed is not UTF-8 text")
}

/// A secret, without echo at a terminal; else the next line of standard input.
async fn secret(prompt: &str, lines: &mut mpsc::Receiver<Line>) -> Result<String> {
    if !io::stdin().is_terminal() {
        return answer(lines, "the password was expected on standard input").await;
    }
    out::ask(prompt);
    // The reading thread has the terminal's input; only the echo is switched off meanwhile.
    let echo = screen::NoEcho::start();
    let line = answer(lines, "no password was given").await;
    drop(echo);
    out::note("");
    line
}

/// What the engine says no with, as an error.
fn refused(error: CallError) -> anyhow::Error {
    anyhow::anyhow!(screen::sentence(&error))
}
