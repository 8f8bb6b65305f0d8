//! The socket's logic without the socket: what a device is owed past its cursors, pulled from the store when it changes.

mod error;

pub use error::SyncError;

use crate::{Accounts, KeyPackages, Rooms, Session, Vault, context::Ctx, inbox::Inbox};
use std::{net::IpAddr, sync::Arc};
use weft_wire::sync::{ClientFrame, ServerFrame};

type Result<T, E = SyncError> = std::result::Result<T, E>;

/// Opens sockets' sessions and counts them.
#[derive(Clone)]
pub struct Sync {
    ctx: Arc<Ctx>,
}

impl Sync {
    pub(crate) fn new(
        ctx: Arc<Ctx>,
        accounts: Accounts,
        key_packages: KeyPackages,
        rooms: Rooms,
        inbox: Inbox,
        vault: Vault,
    ) -> Self {
        Sync { ctx }
    }

    /// A new socket from an address. It is counted until the session is dropped.
    ///
    /// # Errors
    /// [`crate::Fault::TooMany`] past [`weft_wire::limits::SOCKETS_PER_ADDRESS_MAX`], rate limits.
    pub fn open(&self, from: IpAddr) -> Result<SyncSession> {
        unbuilt!()
    }

    /// Sockets that are open now.
    pub fn sockets(&self) -> usize {
        0
    }
}

/// One socket. The API pumps: what arrives goes to [`Self::on_frame`], what [`Self::next`] gives is sent.
///
/// ```ignore
/// let mut session = service.sync().open(address)?;
/// send(session.challenge()).await?;
/// loop {
///     tokio::select! {
///         frame = socket.recv() => session.on_frame(frame?).await?,   // an error is fatal: send it as a problem, close
///         frame = session.next() => send(frame?).await?,              // with a time limit: SlowReader
///     }
/// }
/// session.close().await;
/// ```
pub struct SyncSession {
    nonce: [u8; 32],
}

impl SyncSession {
    /// The first frame.
    pub fn challenge(&self) -> ServerFrame {
        ServerFrame::Challenge { nonce: self.nonce }
    }

    /// Who it is, once the device has said hello.
    pub fn session(&self) -> Option<&Arc<Session>> {
        None
    }

    /// Takes a frame of the client. What there is to answer comes out of [`Self::next`].
    ///
    /// # Errors
    /// What ends the socket: send [`SyncError::into_frame`] and close. Everything else becomes a frame that is not fatal.
    pub async fn on_frame(&mut self, frame: ClientFrame) -> Result<()> {
        unbuilt!()
    }

    /// The next frame for the client; waits until there is one. Before hello it waits for ever. Dropping the future
    /// loses nothing: durable data is pulled from the store only when it can be handed over.
    ///
    /// # Errors
    /// What ends the socket, as in [`Self::on_frame`]: a revoked session, a broken store.
    pub async fn next(&mut self) -> Result<ServerFrame> {
        unbuilt!()
    }

    /// Writes down what was acknowledged last. A session that is dropped without it only makes the node send a little twice.
    pub async fn close(self) {}
}
