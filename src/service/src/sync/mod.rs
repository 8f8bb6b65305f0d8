//! The socket's logic without the socket: what a device is owed past its cursors, pulled from the store when it changes.
//!
//! Durable data is never queued here. A socket holds cursors and a flag for what changed; each frame is read from the store
//! when the one before it was handed over, so that a client that reads slowly costs the node what one frame costs.

mod counts;
#[cfg(test)]
mod crowd_tests;
mod error;
mod fanout;
mod live;
mod pull;
mod shared;
#[cfg(test)]
mod tests;

pub use error::SyncError;

use crate::{
    Accounts, Budget, Fault, Flows, KeyPackages, LimitKey, Rooms, Session, Vault, Wallet,
    accounts::AccountError, context::Ctx, error::at_most, error::within, inbox::Inbox, rooms::RoomError,
};
use counts::{Counts, Place};
pub(crate) use fanout::Fanout;
use fanout::{Dirty, Mailbox};
use live::{Followed, Live, Watches, Work};
use pull::about_room;
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use weft_store::{Version, tables};
use weft_wire::{
    Blob, DeviceId, RoomId, Signed, UserName,
    limits::{
        EPHEMERAL_BYTES_MAX, ROOMS_PER_ACCOUNT_MAX, ROOMS_PER_FRAME_MAX, SOCKETS_PER_ACCOUNT_MAX,
        SOCKETS_PER_ADDRESS_MAX, SOCKETS_PER_DEVICE_MAX,
    },
    rooms::DeviceRef,
    sync::{ClientFrame, ServerFrame, SocketProof},
};

/// How long acknowledgements are gathered before they are written down together. What is not written down when the node
/// stops is sent again, and skipped by the client.
const ACK_DELAY: Duration = Duration::from_millis(100);
/// Answers that wait to be sent: a client that sends and does not read is cut off.
const ANSWERS_WAITING_MAX: usize = 256;

/// Control frames that a socket may have before somebody has said hello on it.
const CONTROLS_BEFORE_HELLO_MAX: usize = 16;

type Result<T, E = SyncError> = std::result::Result<T, E>;

/// Opens sockets' sessions and counts them.
#[derive(Clone)]
pub struct Sync {
    node: Arc<Node>,
}

/// What all sockets share.
struct Node {
    ctx: Arc<Ctx>,
    accounts: Accounts,
    key_packages: KeyPackages,
    rooms: Rooms,
    inbox: Inbox,
    vault: Vault,
    wallet: Wallet,
    fanout: Arc<Fanout>,
    flows: Flows,
    next_id: AtomicU64,
    by_address: Counts<LimitKey>,
    by_account: Counts<UserName>,
    by_device: Counts<(UserName, DeviceId)>,
}

impl Sync {
    #[allow(clippy::too_many_arguments)] // one a feature, whose news it streams
    pub(crate) fn new(
        ctx: Arc<Ctx>,
        accounts: Accounts,
        key_packages: KeyPackages,
        rooms: Rooms,
        inbox: Inbox,
        vault: Vault,
        wallet: Wallet,
        flows: Flows,
        fanout: Arc<Fanout>,
    ) -> Self {
        let next_id = AtomicU64::new(0);
        let node = Node {
            ctx,
            accounts,
            key_packages,
            rooms,
            inbox,
            vault,
            wallet,
            fanout,
            flows,
            next_id,
            by_address: Counts::default(),
            by_account: Counts::default(),
            by_device: Counts::default(),
        };
        Sync { node: Arc::new(node) }
    }

    /// A new socket from an address. It is counted until the session is dropped.
    ///
    /// # Errors
    /// [`Fault::TooMany`] past [`SOCKETS_PER_ADDRESS_MAX`], rate limits.
    pub fn open(&self, from: IpAddr) -> Result<SyncSession> {
        let node = self.node.clone();
        node.ctx.limits.take_address(Budget::Socket, from)?;
        let place = node.by_address.take(LimitKey::address(from), SOCKETS_PER_ADDRESS_MAX)?;
        let nonce = node.ctx.random();
        Ok(SyncSession { node, nonce, from, out: VecDeque::new(), controls: 0, live: None, _place: place })
    }

    /// Sockets that are open now.
    pub fn sockets(&self) -> usize {
        self.node.by_address.total()
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
    node: Arc<Node>,
    nonce: [u8; 32],
    from: IpAddr,
    /// Answers to frames, and the rest of what was found together.
    out: VecDeque<ServerFrame>,
    /// Control frames that came before hello.
    controls: usize,
    live: Option<Box<Live>>,
    _place: Place<LimitKey>,
}

impl SyncSession {
    /// The first frame.
    pub fn challenge(&self) -> ServerFrame {
        ServerFrame::Challenge { nonce: self.nonce }
    }

    /// Who it is, once the device has said hello.
    pub fn session(&self) -> Option<&Arc<Session>> {
        self.live.as_ref().map(|live| &live.caller.session)
    }

    /// Takes a frame of the client. What there is to answer comes out of [`Self::next`].
    ///
    /// # Errors
    /// What ends the socket: send [`SyncError::into_frame`] and close. Everything else becomes a frame that is not fatal.
    pub async fn on_frame(&mut self, frame: ClientFrame) -> Result<()> {
        if let ClientFrame::Hello { token, proof, inbox_after, vault } = frame {
            return self.hello(&token, &proof, inbox_after, vault).await;
        }
        let Some(live) = &self.live else { return Err(SyncError::OutOfTurn("hello comes first")) };
        self.count_frame()?;
        if live.caller.session.expires_ms <= self.node.ctx.now() {
            return Err(AccountError::Unauthenticated.into());
        }
        if self.out.len() >= ANSWERS_WAITING_MAX {
            return Err(SyncError::SlowReader);
        }
        match frame {
            ClientFrame::Hello { .. } => Err(SyncError::OutOfTurn("hello comes once")),
            ClientFrame::Follow { rooms } => self.follow(rooms).await,
            ClientFrame::Ack { inbox, rooms } => self.ack(inbox, &rooms).await,
            ClientFrame::Ephemeral { room, sealed } => self.ephemeral(room, sealed).await,
            ClientFrame::Ping => {
                self.out.push_back(ServerFrame::Pong);
                Ok(())
            }
        }
    }

    /// Takes note of a frame of the socket itself, a ping or a pong: it costs the node as much as one of the client's, and some
    /// of them an answer.
    ///
    /// # Errors
    /// What ends the socket, as in [`Self::on_frame`]: more frames than there may be.
    pub fn on_control(&mut self) -> Result<()> {
        if self.live.is_some() {
            return self.count_frame();
        }
        // Nobody's yet, so there is no account to count it for; no client has a reason to send many before its hello.
        self.controls += 1;
        Ok(at_most("control frames before hello", self.controls, CONTROLS_BEFORE_HELLO_MAX)?)
    }

    fn count_frame(&self) -> Result<()> {
        let Some(live) = &self.live else { return Ok(()) };
        Ok(self.node.ctx.limits.take_account(Budget::Frame, live.caller.name())?)
    }

    /// The next frame for the client; waits until there is one. Before hello it waits for ever. Dropping the future
    /// loses nothing: durable data is pulled from the store only when it can be handed over.
    ///
    /// # Errors
    /// What ends the socket, as in [`Self::on_frame`]: a revoked session, a broken store.
    pub async fn next(&mut self) -> Result<ServerFrame> {
        loop {
            if let Some(frame) = self.out.pop_front() {
                return Ok(frame);
            }
            if let Some(frame) = self.pull().await? {
                return Ok(frame);
            }
            match &mut self.live {
                Some(live) => live.wait().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Writes down what was acknowledged last. A session that is dropped without it only makes the node send a little twice.
    pub async fn close(mut self) {
        if let Err(error) = self.flush().await {
            tracing::debug!(%error, "acknowledgements were not written down");
        }
    }

    async fn hello(
        &mut self,
        token: &str,
        proof: &Signed<SocketProof>,
        inbox_after: u64,
        vault: bool,
    ) -> Result<()> {
        if self.live.is_some() {
            return Err(SyncError::OutOfTurn("hello comes once"));
        }
        let node = self.node.clone();
        let caller = node.accounts.authenticate(token, self.from).await?;
        let proof = proof.verify(&caller.session.device_key).map_err(|_| AccountError::Signature)?;
        if proof.nonce != self.nonce || proof.device != caller.device() {
            return Err(AccountError::Signature.into());
        }
        let (name, device) = (caller.name().clone(), caller.device());
        // A device counts by itself as well: one that runs wild must not keep the person's others out.
        let places = (
            node.by_account.take(name.clone(), SOCKETS_PER_ACCOUNT_MAX)?,
            node.by_device.take((name.clone(), device), SOCKETS_PER_DEVICE_MAX)?,
        );
        // The watches come first: what changes from here on is seen by them, what was before by the first look.
        let store = &node.ctx.store;
        let watches = Watches {
            session: store.watch(tables::SESSIONS, caller.session.token_hash),
            inbox: node.inbox.watch(&name, device),
            rooms_of: node.rooms.watch_rooms_of(caller.user()),
            vault: vault.then(|| node.vault.watch(&name)),
            wallet: node.wallet.watch(&name).await?,
        };
        let rooms_of_seen = Version(store.status().seq);
        node.accounts.check_session(&caller.session).await?;
        node.inbox.acknowledge(&name, device, inbox_after).await?;
        node.accounts.touch(&caller).await?;
        let vault_after = node.vault.newest(&name).await?;
        let key_packages = node.key_packages.left(&name, device).await?;
        let inbox = Some(node.inbox.newest(&name, device).await?);
        let (user, time_ms) = (caller.user().clone(), node.ctx.now());
        self.live = Some(Box::new(Live {
            id: node.next_id.fetch_add(1, Ordering::Relaxed),
            caller,
            fanout: node.fanout.clone(),
            mailbox: Arc::new(Mailbox::default()),
            watches,
            work: Work { inbox: true, ..Work::default() },
            followed: HashMap::new(),
            inbox_after,
            vault_after,
            rooms_of_seen,
            acks: HashMap::new(),
            flush_at: None,
            _places: places,
        }));
        self.out.push_back(ServerFrame::Ready { user, time_ms, key_packages, inbox });
        Ok(())
    }

    async fn follow(&mut self, rooms: Vec<(RoomId, u64)>) -> Result<()> {
        at_most("rooms in a frame", rooms.len(), ROOMS_PER_FRAME_MAX)?;
        for (room, after) in rooms {
            let Some(live) = &mut self.live else { return Ok(()) };
            self.node.ctx.limits.take_account(Budget::Follow, live.caller.name())?;
            if let Err(error) = self.node.rooms.load_for(room, live.caller.user()).await {
                self.out.push_back(about_room(error, room)?);
                continue;
            }
            if !live.followed.contains_key(&room) {
                at_most("rooms followed", live.followed.len() + 1, ROOMS_PER_ACCOUNT_MAX)?;
            }
            let reads = live.fanout.subscribe(room, live.id, &live.mailbox);
            live.followed.insert(room, Followed::new(after, reads));
            live.work.add(room, Dirty { room: true, log: true, items: true, cursors: false });
        }
        Ok(())
    }

    async fn ack(&mut self, inbox: Option<u64>, rooms: &[(RoomId, u64)]) -> Result<()> {
        at_most("rooms in a frame", rooms.len(), ROOMS_PER_FRAME_MAX)?;
        let Some(live) = &mut self.live else { return Ok(()) };
        if let Some(up_to) = inbox {
            self.node.inbox.acknowledge(live.caller.name(), live.caller.device(), up_to).await?;
        }
        for (room, seq) in rooms {
            // A room that is not followed is not being read either.
            if live.followed.contains_key(room) {
                let acked = live.acks.entry(*room).or_default();
                *acked = (*acked).max(*seq);
                live.flush_at.get_or_insert_with(|| Instant::now() + ACK_DELAY);
            }
        }
        Ok(())
    }

    async fn ephemeral(&mut self, room: RoomId, sealed: Blob) -> Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let refused = within("sealed", sealed.len(), EPHEMERAL_BYTES_MAX)
            .and_then(|()| self.node.ctx.limits.take_account(Budget::Ephemeral, live.caller.name()));
        if let Err(fault) = refused {
            self.out.push_back(problem(fault, room));
            return Ok(());
        }
        let (user, device) = (live.caller.user().clone(), live.caller.device());
        let sent = match self.node.rooms.load_for(room, &user).await {
            Ok(loaded) if loaded.has_device(&user, device) => Ok(loaded),
            Ok(_) => Err(RoomError::Forbidden("this device is not in the room's group")),
            Err(error) => Err(error),
        };
        match sent {
            Ok(loaded) => {
                let by = DeviceRef { user: user.clone(), device };
                self.node.flows.send_on(&loaded, None, by, sealed.clone());
                live.fanout.broadcast(room, live.id, &ServerFrame::Ephemeral { room, user, device, sealed });
            }
            Err(error) => self.out.push_back(about_room(error, room)?),
        }
        Ok(())
    }
}

fn problem(fault: Fault, room: RoomId) -> ServerFrame {
    ServerFrame::Problem { problem: fault.into(), room: Some(room), fatal: false }
}
