//! A raw WebSocket, for tests that say what no well-behaved client would.

use anyhow::{Context as _, Result, bail};
use futures::{SinkExt, StreamExt};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};
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

impl Opened {
    fn or_fail(self) -> Result<Socket> {
        match self {
            Opened::Open(socket) => Ok(socket),
            Opened::Refused(response, _) => bail!("refused: {}", response.status()),
        }
    }
}

impl Socket {
    /// Opens `/api/v1/sync`, with an `Origin` if one is given.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn open(address: SocketAddr, origin: Option<&str>) -> Result<Opened> {
        Socket::over(TcpStream::connect(address).await?, address, origin).await
    }

    /// Opens it from another address of loopback, as another caller: all of `127.0.0.0/8` is this machine.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn connect_from(from: Ipv4Addr, address: SocketAddr) -> Result<Socket> {
        let tcp = TcpSocket::new_v4()?;
        tcp.bind(SocketAddr::from((from, 0)))?;
        Socket::over(tcp.connect(address).await?, address, None).await?.or_fail()
    }

    async fn over(tcp: TcpStream, address: SocketAddr, origin: Option<&str>) -> Result<Opened> {
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
        Socket::open(address, None).await?.or_fail()
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

    /// The code with which the other side closes, once everything else was read.
    ///
    /// # Errors
    /// When the connection breaks first.
    pub async fn close_code(&mut self) -> Result<u16> {
        loop {
            let message = crate::within("a close", self.0.next()).await.context("the socket ended")??;
            if let Message::Close(frame) = message {
                return Ok(frame.context("a close without a code")?.code.into());
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
