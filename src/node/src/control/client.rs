//! The command's side: the running node, or the data folder itself.

use super::{Answer, Control, Request, socket};
use crate::{Config, Node, StartError, wiring::configured_url};
use std::{io, path::Path};
use tokio::net::UnixStream;
use weft_wire::codec;

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No node runs here, and the folder cannot be opened either.
    #[error(transparent)]
    Open(#[from] StartError),
    /// No node was ever set up here.
    #[error("there is no node in {}; `weft init` or `weft run` makes one", .0.display())]
    NotSetUp(std::path::PathBuf),
    /// The node runs, but the conversation with it broke off.
    #[error("the running node did not answer: {0}")]
    Broken(io::Error),
    /// The node's answer is of another version.
    #[error("the running node speaks another version: {0}")]
    Version(#[from] weft_wire::DecodeError),
    /// The node said no; its sentence.
    #[error("{0}")]
    Refused(String),
}

impl ControlError {
    /// Whether somebody holds the data and does not answer as yet: a node that is starting, or another command.
    pub fn is_taken(&self) -> bool {
        let ControlError::Open(StartError::Store { source, .. }) = self else { return false };
        matches!(source, weft_store::Error::Locked { .. })
    }
}

/// Asks the node of this configuration.
///
/// # Errors
/// [`ControlError`].
pub async fn ask(config: &Config, request: Request) -> Result<Answer, ControlError> {
    let data = &config.storage.data;
    if !crate::identity::exists(data) {
        return Err(ControlError::NotSetUp(data.clone()));
    }
    let answer = match ask_socket(config, &request).await? {
        Some(answer) => answer,
        None => ask_folder(config, request).await?,
    };
    match answer {
        Answer::Refused(sentence) => Err(ControlError::Refused(sentence)),
        answer => Ok(answer),
    }
}

/// Asks the node of this configuration if it runs: nothing is opened and nothing written. None: nobody runs here, or it is not
/// for this user to know.
///
/// # Errors
/// [`ControlError::Broken`], [`ControlError::Version`].
pub async fn ask_socket(config: &Config, request: &Request) -> Result<Option<Answer>, ControlError> {
    let connect = |path: &std::path::Path| std::os::unix::net::UnixStream::connect(path);
    match socket::with_short_path(&config.storage.data, connect) {
        Ok(stream) => Ok(Some(ask_running(stream, request).await?)),
        // No socket, or one that a killed node left behind.
        Err(_) => Ok(None),
    }
}

/// Whether a node answers in this data folder.
pub(crate) fn is_running(data: &Path) -> bool {
    socket::with_short_path(data, |path| std::os::unix::net::UnixStream::connect(path)).is_ok()
}

/// Sets a node up in the folder of this configuration, where nobody runs, and says what it is.
///
/// # Errors
/// [`ControlError`].
pub async fn set_up(config: &Config) -> Result<Answer, ControlError> {
    ask_folder(config, Request::Status).await
}

async fn ask_running(
    stream: std::os::unix::net::UnixStream,
    request: &Request,
) -> Result<Answer, ControlError> {
    let exchange = async {
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream)?;
        socket::write_message(&mut stream, &codec::encode(request)).await?;
        socket::read_message(&mut stream).await
    };
    let answer = exchange.await.map_err(ControlError::Broken)?;
    Ok(codec::decode(&answer, super::MESSAGE_BYTES_MAX)?)
}

async fn ask_folder(config: &Config, request: Request) -> Result<Answer, ControlError> {
    let data = &config.storage.data;
    let url = configured_url(config);
    let node = Node::open(config.clone()).await?;
    let own = node.peer_key();
    let control = Control::new(node.service.clone(), node.store.clone(), data.clone(), url, own);
    let answer = control.handle(request).await;
    if let Err(error) = node.store.close().await {
        tracing::warn!(%error, "the store did not come to rest");
    }
    Ok(answer)
}
