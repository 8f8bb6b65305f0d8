//! Real nodes for tests in other languages. Each line of standard input is a [`Request`], each line of standard output its
//! [`Answer`], both JSON. When the input ends, the nodes end.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use weft_testkit::NodeProcess;

/// What can be asked for. Nodes are numbered from 0, in the order of their start.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    /// Starts `binary` on a free port, with an empty folder and these `WEFT_SECTION__KEY`.
    Start { binary: PathBuf, variables: BTreeMap<String, String> },
    /// A link by which one may join.
    Invite { node: usize },
    /// SIGTERM; its folder is removed.
    Stop { node: usize },
    /// SIGKILL, and a start on what is on the disk.
    Crash { node: usize },
    /// What it has logged.
    Log { node: usize },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// `metrics` where `WEFT_HTTP__METRICS_LISTEN` was among the variables.
    Node {
        node: usize,
        url: String,
        metrics: Option<String>,
    },
    Link(String),
    Log(String),
    Done,
    Error(String),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut nodes = Vec::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut out = tokio::io::stdout();
    while let Some(line) = lines.next_line().await? {
        let request = serde_json::from_str(&line).with_context(|| format!("no request: {line}"));
        let answer = match request {
            Ok(request) => carry_out(&mut nodes, request).await,
            Err(error) => Err(error),
        };
        let answer = answer.unwrap_or_else(|error| Answer::Error(format!("{error:#}")));
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        out.write_all(&line).await?;
        out.flush().await?;
    }
    Ok(())
}

async fn carry_out(nodes: &mut Vec<Option<NodeProcess>>, request: Request) -> Result<Answer> {
    match request {
        Request::Start { binary, variables } => {
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let process = NodeProcess::start(binary, &variables).await?;
            let (node, url, metrics) = (nodes.len(), process.url(), process.metrics.clone());
            nodes.push(Some(process));
            Ok(Answer::Node { node, url, metrics })
        }
        Request::Invite { node } => Ok(Answer::Link(find(nodes, node)?.invite().await?)),
        Request::Stop { node } => {
            let mut process = nodes.get_mut(node).and_then(Option::take).context("no such node")?;
            process.terminate().await?;
            Ok(Answer::Done)
        }
        Request::Crash { node } => {
            let process = find(nodes, node)?;
            process.kill().await?;
            process.start_again().await?;
            Ok(Answer::Done)
        }
        Request::Log { node } => Ok(Answer::Log(find(nodes, node)?.log())),
    }
}

fn find(nodes: &mut [Option<NodeProcess>], node: usize) -> Result<&mut NodeProcess> {
    nodes.get_mut(node).and_then(Option::as_mut).context("no such node")
}
