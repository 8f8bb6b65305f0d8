//! `weft chat` as a person at a terminal uses it: two real processes, one real node.

// Stories fail where something is not as it should be.
use anyhow::Result;
use hyper::Method;
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
};
use weft_testkit::{NodeProcess, http, within};
use weft_wire::node::NodeInfo;

const BINARY: &str = env!("CARGO_BIN_EXE_weft");

/// A `weft chat` with somebody at its keyboard.
struct Terminal {
    who: String,
    child: Child,
    keyboard: ChildStdin,
    lines: mpsc::UnboundedReceiver<String>,
    /// All that was on the screen so far.
    seen: Vec<String>,
}

impl Terminal {
    fn start(who: &str, node: &NodeProcess, state: &Path, invite: Option<&str>) -> Result<Terminal> {
        let mut command = chat(who, state);
        command.args(["--node", &node.url()]);
        if let Some(link) = invite {
            command.args(["--invite", link]);
        }
        Terminal::run(who, &mut command)
    }

    fn run(who: &str, command: &mut Command) -> Result<Terminal> {
        let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.kill_on_drop(true).spawn()?;
        let (send, lines) = mpsc::unbounded_channel();
        read(child.stdout.take().unwrap(), send.clone());
        read(child.stderr.take().unwrap(), send);
        let keyboard = child.stdin.take().unwrap();
        Ok(Terminal { who: who.to_owned(), child, keyboard, lines, seen: Vec::new() })
    }

    async fn types(&mut self, line: &str) -> Result<()> {
        Ok(self.keyboard.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// The next line that holds a text, with what stood before it.
    async fn sees(&mut self, text: &str) -> String {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line);
                let line = self.seen.last().unwrap();
                if line.contains(text) {
                    return line.clone();
                }
            }
            panic!("{} ended without {text:?}:\n{}", self.who, self.seen.join("\n"))
        };
        within(&format!("{text:?} on a terminal"), found).await
    }

    /// The end of the process: whether it was in good order, and all that was on the screen.
    async fn ends(mut self) -> Result<(bool, String)> {
        drop(self.keyboard);
        let status = within("the end of weft chat", self.child.wait()).await?;
        while let Some(line) = self.lines.recv().await {
            self.seen.push(line);
        }
        Ok((status.success(), self.seen.join("\n")))
    }

    /// Gives a password for a new account, writes the 24 words down, and gives back those that are asked for.
    async fn signs_up(&mut self, password: &str) -> Result<()> {
        self.types(password).await?;
        self.types(password).await?;
        self.sees("Write these 24 words down").await;
        self.sees("no words bring them back").await;
        let mut words = Vec::new();
        while words.len() < 24 {
            let row = self.sees(" ").await;
            let mut columns = row.split_whitespace();
            while let (Some(number), Some(word)) = (columns.next(), columns.next()) {
                assert_eq!(number.parse(), Ok(words.len() + 1), "{row}");
                words.push(word.to_owned());
            }
        }
        for number in [3, 12, 21] {
            self.types(&words[number - 1]).await?;
        }
        self.sees("* confirmed").await;
        self.sees("/help lists").await;
        Ok(())
    }
}

/// `weft chat`, with nothing said of the node.
fn chat(who: &str, state: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("WEFT_BIN").unwrap_or_else(|| BINARY.into()));
    command.args(["chat", who, "--state"]).arg(state).current_dir(state.parent().unwrap());
    command
}

/// Sends the lines of a stream on.
fn read(stream: impl AsyncRead + Send + Unpin + 'static, to: mpsc::UnboundedSender<String>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

/// Whether a text stands in a file below a folder.
fn holds(dir: &Path, text: &str) -> bool {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => std::fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()),
    })
}

async fn address(node: &NodeProcess, name: &str) -> Result<String> {
    let info: NodeInfo = http::call(node.address, Method::GET, "/api/v1/node", None, &()).await?.value()?;
    Ok(format!("{name}@{}", info.name))
}

#[tokio::test]
async fn two_terminals_talk() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let (alice_is, bob_is) = (address(&node, "alice").await?, address(&node, "bob").await?);
    let home = tempfile::tempdir()?;
    let (hers, his) = (home.path().join("alice"), home.path().join("bob"));

    let owner = node.command(&["invite", "--owner"]).await?;
    let mut alice = Terminal::start(&alice_is, &node, &hers, Some(owner.trim()))?;
    alice.signs_up("correct horse battery").await?;
    alice.types("/link").await?;
    let link = alice.sees("/#/").await;

    // Her link is an invite as well, and whoever joins by it is her contact.
    let mut bob = Terminal::start(&bob_is, &node, &his, Some(link.trim()))?;
    bob.signs_up("staple battery horse").await?;
    alice.sees(&format!("{bob_is} is a contact")).await;
    bob.types(&format!("/to {alice_is}")).await?;
    bob.sees("* talking to").await;
    bob.types("hello from bob's terminal").await?;
    alice.sees(&format!("{bob_is}: hello from bob's terminal")).await;
    alice.types(&format!("/to {bob_is}")).await?;
    alice.sees("* talking to").await;
    for round in 0..5 {
        alice.types(&format!("ping {round} 你好 🎉")).await?;
        bob.sees(&format!("{alice_is}: ping {round} 你好 🎉")).await;
        bob.types(&format!("pong {round}")).await?;
        alice.sees(&format!("{bob_is}: pong {round}")).await;
    }

    // A decision about a group is asked for by the group's name; a chat of two is none.
    alice.types("/enter").await?;
    alice.sees("* which group?").await;
    alice.types("/leave Lunch").await?;
    alice.sees("* which group?").await;

    // Both compare the same digits.
    alice.types(&format!("/safety {bob_is}")).await?;
    bob.types(&format!("/safety {alice_is}")).await?;
    alice.sees("* compare them").await;
    bob.sees("* compare them").await;
    let digits = |terminal: &Terminal| -> Vec<String> {
        let is_digits =
            |line: &&String| line.len() > 20 && line.chars().all(|c| c.is_ascii_digit() || c == ' ');
        terminal.seen.iter().filter(is_digits).cloned().collect()
    };
    assert_eq!(digits(&alice), digits(&bob));
    assert!(!digits(&alice).is_empty());

    // While she is away he writes; when she is back, with the keys that were kept, all of it is there, once and in order.
    alice.types("/quit").await?;
    assert!(alice.ends().await?.0);
    assert!(!holds(&hers, "hello from bob's terminal") && !holds(&hers, "correct horse battery"));
    bob.types("are you there?").await?;
    let mut alice = Terminal::start(&alice_is, &node, &hers, None)?;
    alice.sees(&format!("{bob_is}: are you there?")).await;
    alice.types(&format!("/to {bob_is}")).await?;
    alice.sees("* talking to").await;
    alice.types("yes").await?;
    bob.sees(&format!("{alice_is}: yes")).await;
    alice.types("/quit").await?;
    let (in_good_order, screen) = alice.ends().await?;
    assert!(in_good_order, "{screen}");
    let history: Vec<&str> = screen.lines().filter(|line| line.contains("pong ")).collect();
    assert_eq!(history.len(), 5, "{screen}");
    assert!(
        history.iter().enumerate().all(|(round, line)| line.ends_with(&format!("pong {round}"))),
        "{screen}"
    );

    // The end of the input is an end as well.
    assert!(bob.ends().await?.0);
    assert!(node.terminate().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_and_an_account_of_another_folder_are_told() -> Result<()> {
    let node = NodeProcess::start(BINARY, &[]).await?;
    let (alice_is, bob_is) = (address(&node, "alice").await?, address(&node, "bob").await?);
    let home = tempfile::tempdir()?;
    let owner = node.command(&["invite", "--owner"]).await?;
    let mut alice = Terminal::start(&alice_is, &node, &home.path().join("first"), Some(owner.trim()))?;
    alice.signs_up("correct horse battery").await?;
    assert!(alice.ends().await?.0);

    let mut stranger = Terminal::start(&alice_is, &node, &home.path().join("second"), None)?;
    stranger.types("wrong horse battery").await?;
    let (in_good_order, screen) = stranger.ends().await?;
    assert!(!in_good_order && screen.contains("weft: "), "{screen}");
    assert!(!screen.contains("wrong horse battery"), "{screen}");

    let mixed_up = Terminal::start(&bob_is, &node, &home.path().join("first"), None)?;
    let (in_good_order, screen) = mixed_up.ends().await?;
    assert!(!in_good_order && screen.contains("--state"), "{screen}");

    let mut second = Terminal::start(&alice_is, &node, &home.path().join("second"), None)?;
    second.types("correct horse battery").await?;
    second.sees("/help lists").await;
    second.types("/devices").await?;
    second.sees("this one").await;
    assert!(second.ends().await?.0);
    Ok(())
}

#[tokio::test]
async fn the_node_at_hand_is_found_and_another_one_is_told() -> Result<()> {
    let node = NodeProcess::start(BINARY, &[]).await?;
    let alice_is = address(&node, "alice").await?;
    let home = tempfile::tempdir()?;
    let owner = node.command(&["invite", "--owner"]).await?;

    // In the folder of the node neither its name nor its URL need be said.
    let mut command = chat("alice", &home.path().join("first"));
    command.env("WEFT_STORAGE__DATA", node.data()).args(["--invite", owner.trim()]);
    let mut alice = Terminal::run("alice", &mut command)?;
    alice.signs_up("correct horse battery").await?;
    alice.sees("* connected").await;
    alice.types("/add nobody").await?;
    alice.sees("* There is nobody of that name.").await;
    alice.types("/add alice").await?;
    alice.sees("* This is you.").await;
    assert!(alice.ends().await?.1.contains(&format!("* {alice_is} — /help")));

    // Elsewhere either will do.
    let mut second = Terminal::start("alice", &node, &home.path().join("second"), None)?;
    second.types("correct horse battery").await?;
    second.sees(&format!("* {alice_is} — /help")).await;
    assert!(second.ends().await?.0);

    // What is meant for one node is not told to another.
    let other = format!("alice@{}", weft_wire::NodeName::of_key(&[7; 32]));
    let lost = Terminal::start(&other, &node, &home.path().join("third"), None)?;
    let (in_good_order, screen) = lost.ends().await?;
    assert!(!in_good_order && screen.contains("say with --node URL where"), "{screen}");
    assert!(!screen.contains("password"), "{screen}");
    Ok(())
}

#[tokio::test]
async fn what_was_typed_is_sent_before_the_end_or_told() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let (alice_is, bob_is) = (address(&node, "alice").await?, address(&node, "bob").await?);
    let home = tempfile::tempdir()?;
    let (hers, his) = (home.path().join("alice"), home.path().join("bob"));
    let owner = node.command(&["invite", "--owner"]).await?;
    let mut alice = Terminal::start(&alice_is, &node, &hers, Some(owner.trim()))?;
    alice.signs_up("correct horse battery").await?;
    alice.types("/link").await?;
    let link = alice.sees("/#/").await;
    let mut bob = Terminal::start(&bob_is, &node, &his, Some(link.trim()))?;
    bob.signs_up("staple battery horse").await?;
    alice.sees(&format!("{bob_is} is a contact")).await;

    // A line that is no text is not the end.
    bob.types(&format!("/to {alice_is}")).await?;
    bob.sees("* talking to").await;
    bob.keyboard.write_all(b"caf\xe9\n").await?;
    bob.sees("is not UTF-8").await;
    for n in 0..20 {
        bob.types(&format!("one after the other {n}")).await?;
    }
    let (in_good_order, screen) = bob.ends().await?;
    assert!(in_good_order && !screen.contains("not sent"), "{screen}");
    alice.sees("one after the other 19").await;

    // Nobody takes it.
    alice.types(&format!("/to {bob_is}")).await?;
    alice.sees("* talking to").await;
    assert!(node.terminate().await?.success());
    alice.sees("* offline").await;
    alice.types("into the void").await?;
    let (in_good_order, screen) = alice.ends().await?;
    assert!(!in_good_order && screen.contains("* 1 message is not sent yet"), "{screen}");
    node.start_again().await?;
    let mut bob = Terminal::start(&bob_is, &node, &his, None)?;
    let alice = Terminal::start(&alice_is, &node, &hers, None)?;
    bob.sees(&format!("{alice_is}: into the void")).await;
    assert!(alice.ends().await?.0 && bob.ends().await?.0);
    Ok(())
}

/// Paths, sizes and times of all that is below a folder.
fn listing(dir: &Path) -> Vec<(std::path::PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(listing(&entry.path()));
        }
        found.push((entry.path(), metadata.len(), metadata.modified().unwrap()));
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_node_that_does_not_run_is_found_and_its_data_are_not_touched() -> Result<()> {
    let mut node = NodeProcess::start(BINARY, &[]).await?;
    let alice_is = address(&node, "alice").await?;
    assert!(node.terminate().await?.success());
    let home = tempfile::tempdir()?;
    let before = listing(&node.data());
    for who in ["alice", alice_is.as_str()] {
        let mut command = chat(who, &home.path().join("state"));
        // Nobody listens on the port of the discard protocol.
        command.env("WEFT_STORAGE__DATA", node.data()).env("WEFT_HTTP__LISTEN", "127.0.0.1:9");
        let (in_good_order, screen) = Terminal::run(who, &mut command)?.ends().await?;
        assert!(!in_good_order && screen.contains("http://127.0.0.1:9"), "{screen}");
        assert_eq!(listing(&node.data()), before, "{screen}");
    }
    Ok(())
}

#[tokio::test]
async fn a_configuration_of_another_node_is_no_hindrance() -> Result<()> {
    let home = tempfile::tempdir()?;
    std::fs::write(home.path().join("node.toml"), "[node]\ncolour = 3\n")?;
    let end = |who: &str| -> Result<Terminal> {
        let mut command = chat(who, &home.path().join("state"));
        Terminal::run(who, &mut command)
    };
    // By a name of loopback, for there nobody is asked for addresses.
    let (in_good_order, screen) = end("alice@localhost")?.ends().await?;
    assert!(!in_good_order && screen.contains("https://localhost"), "{screen}");
    assert!(screen.contains("left aside"), "{screen}");
    // Who means the node of this folder needs its configuration.
    let (in_good_order, screen) = end("alice")?.ends().await?;
    assert!(
        !in_good_order && screen.contains("node.toml, line 2") && !screen.contains("https://"),
        "{screen}"
    );
    Ok(())
}
