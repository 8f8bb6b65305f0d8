//! A node that is told to stop says so to everyone, finishes what it began, and loses nothing.

use anyhow::Result;
use hyper::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use weft_testkit::{Cast, NodeProcess, TestNode, http, socket::Socket, within};
use weft_wire::{Code, sync::ServerFrame};

#[tokio::test]
async fn sockets_are_told_that_the_node_is_stopping() -> Result<()> {
    let node = TestNode::start().await?;
    let mut socket = Socket::connect(node.address).await?;
    assert!(matches!(socket.next().await?, ServerFrame::Challenge { .. }));
    let stopping = tokio::spawn(node.stop());
    assert_eq!(socket.fatal().await?.code, Code::ShuttingDown);
    within("the node stops", stopping).await??;
    Ok(())
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_node_stops() -> Result<()> {
    let node = TestNode::start().await?;
    let address = node.address;
    let mut tcp = TcpStream::connect(address).await?;
    let body = b"not CBOR";
    let head = format!(
        "POST /api/v1/accounts/login/start HTTP/1.1\r\nhost: {address}\r\naccept: application/json\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await?;
    // The node asks for the body: from here on the request is under way.
    let mut asked = [0; 25];
    within("100 Continue", tcp.read_exact(&mut asked)).await?;
    assert!(asked.starts_with(b"HTTP/1.1 100"));
    let stopping = tokio::spawn(node.stop());
    within("new connections are refused", async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    tcp.write_all(body).await?;
    let mut answer = String::new();
    within("the answer", tcp.read_to_string(&mut answer)).await?;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("malformed"), "{answer}");
    within("the node stops", stopping).await??;
    Ok(())
}

#[tokio::test]
async fn sigterm_ends_the_process_with_success_and_everything_is_there_afterwards() -> Result<()> {
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let alice = node.sign_up(Cast::Alice).await?;
    let bob = node.sign_up(Cast::Bob).await?;
    bob.connect(&alice).await?;
    let id = alice.say(&bob.address, "kept").await?;
    alice.sent(&bob.address, &id).await?;
    assert!(node.terminate().await?.success());
    assert!(!node.data().join("control.sock").exists());
    let checked = node.command(&["check"]).await?;
    assert!(checked.contains("all is well"), "{checked}");
    node.start_again().await?;
    bob.hears(&alice.address, "kept").await?;
    assert!(node.terminate().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_second_node_on_the_same_folder_is_refused() -> Result<()> {
    let node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let refused = node.command(&["check"]).await.unwrap_err().to_string();
    assert!(refused.contains("a node is running on") && refused.contains("stop it first"), "{refused}");
    // With the port of the first one, and with another.
    let same = node.command(&["run"]).await.unwrap_err().to_string();
    assert!(same.contains("a node is running on") && same.contains("already"), "{same}");
    let other = tokio::process::Command::new(env!("CARGO_BIN_EXE_weft"))
        .arg("run")
        .env("WEFT_STORAGE__DATA", node.data())
        .env("WEFT_HTTP__LISTEN", "127.0.0.1:0")
        .output()
        .await?;
    let said = String::from_utf8(other.stderr)?;
    assert!(!other.status.success() && said.contains("a node is running on"), "{said}");
    // Also where nothing tells of it any more but what it holds.
    for file in ["control.sock", "store/lock"] {
        std::fs::remove_file(node.data().join(file))?;
    }
    let checked = node.command(&["check"]).await.unwrap_err().to_string();
    assert!(checked.contains("a node is running on") && checked.contains("stop it first"), "{checked}");
    let other = tokio::process::Command::new(env!("CARGO_BIN_EXE_weft"))
        .arg("run")
        .env("WEFT_STORAGE__DATA", node.data())
        .env("WEFT_HTTP__LISTEN", "127.0.0.1:0")
        .kill_on_drop(true)
        .output();
    let said = String::from_utf8(weft_testkit::within("the refusal", other).await?.stderr)?;
    assert!(said.contains("a node is running on"), "{said}");
    let answer = http::get(node.address, "/readyz", None).await?;
    assert_eq!(answer.status.as_u16(), 200);
    Ok(())
}

#[tokio::test]
async fn commands_reach_the_running_node_and_the_resting_one() -> Result<()> {
    let mut node = NodeProcess::start(env!("CARGO_BIN_EXE_weft"), &[]).await?;
    let owner = node.command(&["invite", "--owner"]).await?;
    assert!(owner.trim().starts_with(&node.url()) && owner.contains("/#/i/"), "{owner}");
    let _alice = node.sign_up(Cast::Alice).await?;
    let refused = node.command(&["invite", "--owner"]).await.unwrap_err().to_string();
    assert!(refused.contains("has an owner"), "{refused}");
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    let backup = node.data().with_file_name("backup");
    let backup = backup.to_str().unwrap();
    assert!(node.command(&["backup", backup]).await?.contains("backed up"));
    assert!(node.terminate().await?.success());
    assert!(node.command(&["user", "list"]).await?.contains("owner"));

    std::fs::rename(node.data(), node.data().with_file_name("old"))?;
    assert!(node.command(&["restore", backup]).await?.contains("restored"));
    assert!(node.command(&["check"]).await?.contains("all is well"));
    assert!(node.command(&["user", "list"]).await?.contains("alice"));
    node.start_again().await?;
    let answer = http::call(node.address, Method::GET, "/api/v1/node", None, &()).await?;
    assert!(answer.value::<weft_wire::node::NodeInfo>()?.claimed);
    Ok(())
}
