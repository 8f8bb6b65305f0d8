//! A wire-tap: a proxy in front of a node that keeps every byte that was sent to it.

use anyhow::Result;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Forwards connections to a node and records what goes in.
pub struct Tap {
    /// Where clients connect to.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
    target: Arc<Mutex<SocketAddr>>,
    accepting: JoinHandle<()>,
}

impl Tap {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When there is none.
    pub async fn before(node: SocketAddr) -> Result<Tap> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let heard: Arc<Mutex<Vec<u8>>> = Arc::default();
        let target = Arc::new(Mutex::new(node));
        let (ears, to) = (Arc::clone(&heard), Arc::clone(&target));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let node = *to.lock().unwrap_or_else(PoisonError::into_inner);
                tokio::spawn(forward(client, node, Arc::clone(&ears)));
            }
        });
        Ok(Tap { address, heard, target, accepting })
    }

    /// Sends new connections elsewhere: a node that was restarted has another port, its clients need not know.
    pub fn redirect(&self, node: SocketAddr) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = node;
    }

    /// Everything that was sent so far, in the order of arrival.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(client: TcpStream, node: SocketAddr, ears: Arc<Mutex<Vec<u8>>>) -> std::io::Result<()> {
    let node = TcpStream::connect(node).await?;
    node.set_nodelay(true)?;
    client.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = node.into_split();
    let inbound = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from_client.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
            ears.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            to_node.write_all(bytes).await?;
        }
        to_node.shutdown().await
    };
    let outbound = async {
        copy(&mut from_node, &mut to_client).await?;
        to_client.shutdown().await
    };
    tokio::select! {
        // The node closing ends both ways; a client that half-closes still gets its answer.
        result = outbound => result,
        Err(error) = inbound => Err(error),
    }
}
