//! The one socket of a client, as a task that turns it into inputs.

use futures::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use tokio_tungstenite::{Connector, connect_async_tls_with_config};
use weft_engine::host::Input;
use weft_wire::limits;

/// Frames that may wait for the network. The engine sends little; a socket that takes nothing is closed.
const OUTGOING_MAX: usize = 1_024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// What the driver hears, tagged with the socket that it is about, so that a late word of an old one is ignored.
pub(crate) struct Heard {
    pub socket: u64,
    pub input: Input,
}

/// A socket that is open or opening. Dropping it closes it.
pub(crate) struct Socket {
    pub number: u64,
    outgoing: mpsc::Sender<Vec<u8>>,
    task: tokio::task::AbortHandle,
}

impl Socket {
    pub fn open(
        number: u64,
        url: String,
        tls: Arc<rustls::ClientConfig>,
        heard: mpsc::Sender<Heard>,
    ) -> Self {
        let (outgoing, frames) = mpsc::channel(OUTGOING_MAX);
        let task = tokio::task::spawn_local(async move {
            let say = |input| heard.send(Heard { socket: number, input });
            if let Err(error) = carry(url, tls, frames, &say).await {
                tracing::debug!(%error, "socket closed");
            }
            let _ = say(Input::SocketClosed).await;
        });
        Socket { number, outgoing, task: task.abort_handle() }
    }

    /// Whether the frame was taken.
    pub fn send(&self, frame: Vec<u8>) -> bool {
        self.outgoing.try_send(frame).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn carry<S, F>(
    url: String,
    tls: Arc<rustls::ClientConfig>,
    mut frames: mpsc::Receiver<Vec<u8>>,
    say: &S,
) -> Result<(), Failure>
where
    S: Fn(Input) -> F,
    F: Future<Output = Result<(), mpsc::error::SendError<Heard>>>,
{
    let max = Some(limits::SERVER_FRAME_BYTES_MAX + 4_096);
    let config = WebSocketConfig::default().max_message_size(max).max_frame_size(max);
    let connect = connect_async_tls_with_config(url, Some(config), true, Some(Connector::Rustls(tls)));
    let (socket, _) = tokio::time::timeout(CONNECT_TIMEOUT, connect).await??;
    let (mut sink, mut stream) = socket.split();
    say(Input::SocketOpened).await?;
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => sink.send(Message::Binary(frame.into())).await?,
                None => return Ok(sink.close().await?),
            },
            message = stream.next() => match message {
                Some(Ok(Message::Binary(bytes))) => say(Input::SocketFrame(bytes.to_vec())).await?,
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => sink.flush().await?,
                Some(Err(error)) => return Err(error.into()),
            },
        }
    }
}
