//! The real binary as a process of its own, which can be killed at any moment.

use crate::person::{Person, SignUp};
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use weft_node::control::{self, Answer, Request};

/// A node in a process of its own. Dropping it kills it.
pub struct NodeProcess {
    /// Where it listens. The port stays the same when it is started again.
    pub address: SocketAddr,
    /// Where its numbers are, if it was started with `WEFT_HTTP__METRICS_LISTEN`.
    pub metrics: Option<String>,
    binary: PathBuf,
    child: Child,
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl NodeProcess {
    /// Starts `binary`, or the one that `WEFT_BIN` names, and waits until it listens. `variables` are `WEFT_SECTION__KEY`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(binary: impl Into<PathBuf>, variables: &[(&str, &str)]) -> Result<NodeProcess> {
        let binary = std::env::var_os("WEFT_BIN").map_or_else(|| binary.into(), PathBuf::from);
        let folder = tempfile::tempdir()?;
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (child, address, metrics) = spawn(&binary, folder.path(), "127.0.0.1:0", &variables).await?;
        Ok(NodeProcess { address, metrics, binary, child, folder, variables })
    }

    /// The node's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its data lies.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has logged, in all its lives.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The process.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Runs another command of the binary on the same data, and gives its standard output.
    ///
    /// # Errors
    /// When it fails; with what it said.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        environment(&mut command, self.folder.path(), &self.address.to_string(), &self.variables);
        let output = command.args(arguments).stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A link by which one may join; the owner's as long as there is none.
    ///
    /// # Errors
    /// When the node makes none.
    pub async fn invite(&self) -> Result<String> {
        Ok(self.command(&["invite"]).await?.trim().to_owned())
    }

    /// A link for so many people, asked for as the commands do, but from this process: for programs whose binary is not
    /// the `weft` command.
    ///
    /// # Errors
    /// When the node makes none.
    pub async fn invite_for(&self, uses: u32) -> Result<String> {
        let request = Request::Invite { owner: false, uses, lifetime_ms: 24 * 60 * 60 * 1000 };
        match control::ask(&crate::node::config(self.data()), request).await? {
            Answer::Invite { link, .. } => Ok(link),
            other => anyhow::bail!("no invite: {other:?}"),
        }
    }

    /// Memory of the process that is in RAM, in bytes.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_bytes(&self) -> Result<u64> {
        let pid = self.child.id().context("not running")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
        Ok(kib << 10)
    }

    /// Somebody joins, with a client in memory.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn sign_up(&self, who: impl Into<SignUp>) -> Result<Person> {
        Person::sign_up(&self.url(), who.into(), Some(self.invite().await?)).await
    }

    /// Time that the process has spent on processors so far: unlike the clock on the wall it does not depend on what else
    /// the machine does.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn processor_time(&self) -> Result<Duration> {
        let pid = self.child.id().context("not running")?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The command's name may hold spaces; what follows it does not. utime and stime are fields 14 and 15 of all.
        let (_, rest) = stat.rsplit_once(')').context("no process name")?;
        let ticks =
            rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)))
    }

    /// Another value of a `WEFT_SECTION__KEY`, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// SIGKILL: nothing is said, nothing is finished.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.start_kill()?;
        self.child.wait().await?;
        Ok(())
    }

    /// SIGSTOP: it is there, and does nothing, until [`Self::go_on`].
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn hold(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub fn go_on(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).context("not running")?;
        Ok(kill_process(pid, signal)?)
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Errors
    /// When there is no such process any more.
    pub async fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        Ok(self.child.wait().await?)
    }

    /// Starts it again after [`Self::kill`] or [`Self::terminate`].
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        (self.child, self.address, self.metrics) =
            spawn(&self.binary, self.folder.path(), &self.address.to_string(), &self.variables).await?;
        Ok(())
    }
}

fn environment(command: &mut Command, folder: &Path, listen: &str, variables: &[(String, String)]) {
    command
        .current_dir(folder)
        .env("WEFT_STORAGE__DATA", folder.join("data"))
        .env("WEFT_HTTP__LISTEN", listen)
        .env("WEFT_LIMITS__RATE_MULTIPLIER", "0")
        // Whoever wants other nodes says so: two tests must not meet.
        .env("WEFT_FEDERATION__POLICY", "closed")
        .envs(variables.iter().map(|(name, value)| (name, value)));
}

async fn spawn(
    binary: &Path,
    folder: &Path,
    listen: &str,
    variables: &[(String, String)],
) -> Result<(Child, SocketAddr, Option<String>)> {
    let log = File::options().create(true).append(true).open(folder.join("log"))?;
    let mut command = Command::new(binary);
    environment(&mut command, folder, listen, variables);
    let mut child = command
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", binary.display()))?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let line = crate::within("the node says that it listens", lines.next_line()).await?;
    let address = line
        .as_deref()
        .and_then(|line| line.strip_prefix("listening "))
        .and_then(|url| url.split("://").nth(1));
    let Some(address) = address.and_then(|address| address.parse().ok()) else {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        anyhow::bail!("the node did not start: {log}");
    };
    let mut metrics = None;
    if variables.iter().any(|(name, _)| name == "WEFT_HTTP__METRICS_LISTEN") {
        let line = crate::within("the node says where its numbers are", lines.next_line()).await?;
        metrics = line.as_deref().and_then(|line| line.strip_prefix("metrics ")).map(str::to_owned);
    }
    Ok((child, address, metrics))
}
