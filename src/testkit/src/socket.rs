//! A raw WebSocket, for tests that say what no well-behaved client would.

use anyhow::{Context as _, Result, bail};
use futures::{SinkExt, StreamExt};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message, client::IntoClientRequest, handshake::client::Response, http::HeaderValue,
    },
};
use weft_wire::{
    codec,
    sync::{ClientFrame, ServerFrame},
};

/// An open socket.
pub struct Socket(pub WebSocketStream<TcpStream>);

/// What came of trying to open one.
pub enum Opened {
    /// It is open.
    Open(Socket),
    /// The node answered with something else: a status and a body.
    Refused(Box<Response>, Vec<u8>),
}

impl Socket {
    /// Opens `/api/v1/sync`, with an `Origin` if one is given.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn open(address: SocketAddr, origin: Option<&str>) -> Result<Opened> {
        let tcp = TcpStream::connect(address).await?;
        let mut request = format!("ws://{address}/api/v1/sync").into_client_request()?;
        request.headers_mut().insert("accept", HeaderValue::from_static("application/cbor"));
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", HeaderValue::from_str(origin)?);
        }
        match client_async(request, tcp).await {
            Ok((socket, _)) => Ok(Opened::Open(Socket(socket))),
            Err(Error::Http(response)) => {
                let (parts, body) = response.into_parts();
                Ok(Opened::Refused(Box::new(Response::from_parts(parts, None)), body.unwrap_or_default()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens it, or fails.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect(address: SocketAddr) -> Result<Socket> {
        match Socket::open(address, None).await? {
            Opened::Open(socket) => Ok(socket),
            Opened::Refused(response, _) => bail!("refused: {}", response.status()),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send(&mut self, frame: &ClientFrame) -> Result<()> {
        Ok(self.0.send(Message::Binary(codec::encode(frame).into())).await?)
    }

    /// Sends any bytes as a frame.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send_raw(&mut self, bytes: Vec<u8>) -> Result<()> {
        Ok(self.0.send(Message::Binary(bytes.into())).await?)
    }

    /// The next frame.
    ///
    /// # Errors
    /// When the socket is closed, or the frame is none of ours.
    pub async fn next(&mut self) -> Result<ServerFrame> {
        loop {
            match crate::within("a frame", self.0.next()).await.context("the socket ended")?? {
                Message::Binary(bytes) => return Ok(codec::decode(&bytes, usize::MAX)?),
                Message::Close(frame) => bail!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Waits for the node to end the socket, and gives the problem that it told before.
    ///
    /// # Errors
    /// When it told none.
    pub async fn fatal(&mut self) -> Result<weft_wire::Problem> {
        loop {
            if let ServerFrame::Problem { problem, fatal: true, .. } = self.next().await? {
                return Ok(problem);
            }
        }
    }
}
