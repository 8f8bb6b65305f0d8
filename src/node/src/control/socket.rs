//! The socket's side in the node.

use super::{Answer, Control, MESSAGE_BYTES_MAX, Request, SOCKET};
use std::{
    io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;
use weft_wire::codec;

/// A request has to come within this.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest path that a Unix socket takes on Linux, with some room.
const PATH_BYTES_MAX: usize = 100;

/// Listens in the data folder. The store's lock has told by now that no other node is there, so a socket that is left
/// over is a dead one.
///
/// # Errors
/// As the operating system says.
pub fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_path(data, |path| UnixListener::bind(path))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Removes the socket of a node that stops.
pub fn remove(data: &Path) {
    let _ = std::fs::remove_file(data.join(SOCKET));
}

/// A data folder may lie deeper than the 108 bytes that an address of a Unix socket holds; then it is named through its
/// open descriptor.
pub(super) fn with_short_path<T>(data: &Path, use_it: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = data.join(SOCKET);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return use_it(&path);
    }
    let folder = std::fs::File::open(data)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET);
    use_it(&short)
}

/// Answers one request after the other until the node stops.
pub async fn serve(listener: UnixListener, control: Control, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // One after the other: an operator's commands are few, and a backup has the disk to itself.
            Ok((stream, _)) => tokio::select! {
                () = stop.cancelled() => return,
                result = answer(stream, &control) => if let Err(error) = result {
                    tracing::debug!(%error, "a command went away");
                },
            },
            Err(error) => {
                tracing::warn!(%error, "the control socket");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, control: &Control) -> io::Result<()> {
    let request = tokio::time::timeout(READ_TIMEOUT, read_message(&mut stream)).await??;
    let answer = match codec::decode::<Request>(&request, MESSAGE_BYTES_MAX) {
        Ok(request) => control.handle(request).await,
        Err(error) => Answer::Refused(format!("the node did not understand the command: {error}")),
    };
    write_message(&mut stream, &codec::encode(&answer)).await
}

pub(super) async fn read_message(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let len = stream.read_u32().await? as usize;
    if len > MESSAGE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

pub(super) async fn write_message(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_u32(len).await?;
    stream.write_all(bytes).await?;
    stream.flush().await
}
