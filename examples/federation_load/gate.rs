//! The only way between two nodes, which can be shut: as a pulled cable, nothing is refused and nothing arrives.

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};

/// Forwards connections to a port of this machine.
pub struct Gate {
    /// Where it is entered.
    pub port: u16,
    is_open: watch::Sender<bool>,
    porter: JoinHandle<()>,
}

impl Gate {
    /// Before a port; open at first.
    pub async fn before(port: u16) -> Result<Gate> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (is_open, _) = watch::channel(true);
        let own = listener.local_addr()?.port();
        let opened = is_open.clone();
        let porter = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let mut gate = opened.subscribe();
                tokio::spawn(async move {
                    gate.wait_for(|is_open| *is_open).await?;
                    let far = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
                    near.set_nodelay(true)?;
                    far.set_nodelay(true)?;
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::try_join!(pass(near_in, far_out, gate.clone()), pass(far_in, near_out, gate))?;
                    anyhow::Ok(())
                });
            }
        });
        Ok(Gate { port: own, is_open, porter })
    }

    /// Nothing passes any more.
    pub fn shut(&self) {
        self.is_open.send_replace(false);
    }

    /// What was under way goes on.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.porter.abort();
    }
}

async fn pass(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut gate: watch::Receiver<bool>,
) -> Result<()> {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut bytes).await?;
        if count == 0 {
            return Ok(to.shutdown().await?);
        }
        gate.wait_for(|is_open| *is_open).await?;
        to.write_all(bytes.get(..count).unwrap_or_default()).await?;
    }
}
