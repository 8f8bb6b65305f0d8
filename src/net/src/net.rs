//! The network as the node holds it.

use crate::{
    Admission, LinkError, LinkEvent, Nat, NetConfig, NetError, NodeKey, PeerHandler, PeerKey, PeerLink,
    PeerStatus,
    address::{self, AddressError, Addresses},
    behaviour::{self, Weft},
    budget::Budget,
    call::{Lanes, exchange},
    config::Parsed,
    dial::Book,
    protocol::Protocol,
    relays::Relays,
    roster::Roster,
    search::Searches,
    streams::Opened,
    task::{Command, Task},
};
use futures::{StreamExt, future::BoxFuture};
use libp2p::{Multiaddr, Swarm, TransportError, core::transport::ListenerId, multiaddr, swarm::SwarmEvent};
use rand::Rng;
use std::{collections::HashMap, io, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Commands on their way to the swarm's task. It does nothing that takes long: more would wait longer, not get further.
const COMMANDS_MAX: usize = 256;
/// The system says within this whether an address can be listened on.
const LISTEN_TIME: Duration = Duration::from_secs(5);
/// A socket that is taken is tried again for so long, this often.
const LINGER_TIME: Duration = Duration::from_secs(2);
const LINGER_STEP: Duration = Duration::from_millis(50);
/// A peer that is busy is asked again so often, after a pause that doubles: a caller who has only to wait for other calls of
/// the same node is not told that the peer is away.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_millis(25);
/// What the system says where there is no IPv6 (EAFNOSUPPORT).
const NO_SUCH_FAMILY: i32 = 97;

/// The running network of a node. Clones share it; when the last one is dropped it ends where it is, [`Net::shutdown`] ends
/// it in order.
#[derive(Clone)]
pub struct Net(Arc<Inner>);

struct Inner {
    own: PeerKey,
    commands: mpsc::Sender<Command>,
    roster: Arc<Roster>,
    book: Arc<Book>,
    lanes: Lanes,
    call_time: Duration,
    stop: CancellationToken,
    /// The swarm's task and its connections.
    tasks: TaskTracker,
    /// Streams that are being answered.
    serving: TaskTracker,
}

impl Net {
    /// Starts the network on the current runtime: when this returns, every address in `config.listen` is listened on.
    ///
    /// # Errors
    /// An address is wrong or cannot be listened on, or a part of the network cannot be set up.
    pub async fn start(
        config: NetConfig,
        key: NodeKey,
        handler: Arc<dyn PeerHandler>,
    ) -> Result<Net, NetError> {
        let Parsed { listen, external, first_contacts, relays } = config.parse()?;
        let (tasks, serving, stop) = (TaskTracker::new(), TaskTracker::new(), CancellationToken::new());
        let cut = CancellationToken::new();
        let swarm = behaviour::build(&config, key, tasks.clone(), cut.clone())?;
        let own = PeerKey::of_peer_id(swarm.local_peer_id())?;
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let anchors = first_contacts.iter().chain(&relays).map(|(peer, _)| *peer).collect();
        let (roster, book) = (Arc::new(Roster::new()), Arc::new(Book::new(anchors)));
        for (peer, address) in first_contacts.iter().chain(&relays) {
            book.learn(*peer, std::slice::from_ref(address));
        }
        let mut task = Task {
            own,
            swarm,
            commands: receiver,
            handler,
            roster: Arc::clone(&roster),
            book: Arc::clone(&book),
            budget: Budget::new(config.budgets),
            searches: Searches::default(),
            relays: Relays::new(relays),
            first_contacts: first_contacts.into_iter().map(|(peer, _)| peer).collect(),
            announce_listeners: config.announce_listeners,
            timeouts: config.timeouts,
            serving: serving.clone(),
            stop: stop.clone(),
            cut,
        };
        external.into_iter().for_each(|address| task.swarm.add_external_address(address));
        task.listen(listen).await?;
        tasks.spawn(task.run());
        let call_time = config.timeouts.call;
        let lanes = Lanes::new();
        Ok(Net(Arc::new(Inner { own, commands, roster, book, lanes, call_time, stop, tasks, serving })))
    }

    /// This node's own key.
    pub fn key(&self) -> PeerKey {
        self.0.own
    }

    /// Where this node listens at this moment, relays included. Addresses like `0.0.0.0` stand as those of each interface.
    pub fn listen_addresses(&self) -> Vec<String> {
        self.0.roster.listening().iter().map(Multiaddr::to_string).collect()
    }

    /// Whether others reach this node directly.
    pub fn nat(&self) -> Nat {
        self.0.roster.nat()
    }

    /// Who is connected, by key.
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.0.roster.peers()
    }

    /// Makes a connection to a peer, at these addresses or where else it is found, without waiting for it.
    pub async fn call_up(&self, peer: PeerKey, addresses: Vec<String>) {
        self.learn(peer, addresses);
        self.tell(Command::Call(peer)).await;
    }

    /// Ends every connection to a peer, and neither makes nor takes another.
    pub async fn block(&self, peer: PeerKey) {
        self.tell(Command::Block(peer)).await;
    }

    /// Takes that back.
    pub async fn unblock(&self, peer: PeerKey) {
        self.tell(Command::Unblock(peer)).await;
    }

    /// Who may connect, from now on and among those who are connected.
    pub async fn admit(&self, admission: Admission) {
        self.tell(Command::Admit(admission)).await;
    }

    /// Ends the network: answers that are under way get a moment to finish, peers are told, every task has ended when this
    /// returns. Calls that wait end with [`LinkError::Closed`].
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.serving.wait().await;
    }

    async fn tell(&self, command: Command) {
        // The task has ended: there is no connection left that could be meant.
        let _ = self.0.commands.send(command).await;
    }

    async fn call(&self, to: PeerKey, protocol: Protocol, request: Vec<u8>) -> Result<Vec<u8>, LinkError> {
        if request.len() > protocol.request_bytes_max() {
            return Err(LinkError::TooLarge);
        }
        let call = async {
            let _turn = self.0.lanes.turn(to).await?;
            let mut tries = 0;
            while tries < BUSY_TRIES {
                match self.exchange(to, protocol, &request).await {
                    // Nothing was done. Its place in the peer's budget is free as soon as another call of ours has ended.
                    // A batch is long, and its courier comes again by itself.
                    Err(LinkError::Busy) if protocol == Protocol::Query => {
                        let share = rand::thread_rng().gen_range(0.5..=1.0);
                        time::sleep(BUSY_PAUSE.saturating_mul(1 << tries).mul_f64(share)).await;
                        tries += 1;
                    }
                    outcome => return outcome,
                }
            }
            self.exchange(to, protocol, &request).await
        };
        match time::timeout(self.0.call_time, call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(LinkError::TimedOut),
        }
    }

    /// One exchange, made once more where the connection was just going away.
    async fn exchange(&self, to: PeerKey, protocol: Protocol, request: &[u8]) -> Result<Vec<u8>, LinkError> {
        match self.try_exchange(to, protocol, request).await {
            // When two nodes meet, each may have made a connection, of which one is closed again at once. Calls are safe
            // to repeat.
            Err(LinkError::Closed) if !self.0.stop.is_cancelled() => {
                self.try_exchange(to, protocol, request).await
            }
            outcome => outcome,
        }
    }

    async fn try_exchange(
        &self,
        to: PeerKey,
        protocol: Protocol,
        request: &[u8],
    ) -> Result<Vec<u8>, LinkError> {
        let Opened { stream, closed } = self.stream(to, protocol).await?;
        tokio::select! {
            // First: an answer that came before the end is one.
            biased;
            outcome = exchange(stream, protocol, request) => outcome,
            () = closed.cancelled() => Err(LinkError::Closed),
        }
    }

    async fn stream(&self, peer: PeerKey, protocol: Protocol) -> Result<Opened, LinkError> {
        match self.try_stream(peer, protocol).await {
            // The connection was just ending. Nothing was sent, so that a new one may be tried at once.
            Err(LinkError::Closed) => self.try_stream(peer, protocol).await,
            outcome => outcome,
        }
    }

    async fn try_stream(&self, peer: PeerKey, protocol: Protocol) -> Result<Opened, LinkError> {
        let (reply, opened) = oneshot::channel();
        let command = Command::Open { peer, protocol, reply };
        self.0.commands.send(command).await.map_err(|_| LinkError::Closed)?;
        opened.await.map_err(|_| LinkError::Closed)?
    }
}

impl PeerLink for Net {
    fn deliver(&self, to: PeerKey, batch: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        Box::pin(self.call(to, Protocol::Deliver, batch))
    }

    fn query(&self, to: PeerKey, question: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, LinkError>> {
        Box::pin(self.call(to, Protocol::Query, question))
    }

    fn events(&self) -> broadcast::Receiver<LinkEvent> {
        self.0.roster.events()
    }

    fn is_connected(&self, peer: PeerKey) -> bool {
        self.0.roster.is_connected(peer)
    }

    fn learn(&self, peer: PeerKey, addresses: Vec<String>) {
        self.0.book.learn(peer, Addresses::of(peer, addresses).as_slice());
    }

    fn addresses(&self, peer: PeerKey) -> Vec<String> {
        self.0.book.addresses(peer).iter().map(Multiaddr::to_string).collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Task {
    /// Listens on all of these, and waits until it does.
    async fn listen(&mut self, addresses: Vec<Multiaddr>) -> Result<(), NetError> {
        let mut waiting: HashMap<ListenerId, Multiaddr> = HashMap::new();
        for address in &addresses {
            wait_for(address).await?;
        }
        for address in addresses {
            match self.swarm.listen_on(address.clone()) {
                Ok(listener) => {
                    waiting.insert(listener, address);
                }
                Err(TransportError::Other(source)) => not_listening(&address, source)?,
                Err(TransportError::MultiaddrNotSupported(_)) => {
                    let (field, text) = ("listen", address.to_string());
                    return Err(NetError::Address { field, text, source: AddressError::Kind });
                }
            }
        }
        let deadline = time::sleep(LISTEN_TIME);
        tokio::pin!(deadline);
        while !waiting.is_empty() {
            let event = tokio::select! {
                () = &mut deadline => break,
                event = self.swarm.select_next_some() => event,
            };
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    waiting.remove(listener_id);
                }
                SwarmEvent::ListenerClosed { listener_id, reason: Err(error), .. } => {
                    if let Some(address) = waiting.remove(listener_id) {
                        not_listening(&address, io::Error::new(error.kind(), error.to_string()))?;
                    }
                }
                _ => {}
            }
            self.event(event);
        }
        match waiting.into_values().next() {
            Some(address) => not_listening(&address, io::ErrorKind::TimedOut.into()),
            None => Ok(()),
        }
    }
}

/// Waits until an address is free: the socket of a node that has just ended lingers until its last connections have said
/// good-bye.
async fn wait_for(address: &Multiaddr) -> Result<(), NetError> {
    let deadline = time::Instant::now() + LINGER_TIME;
    loop {
        match is_free(address) {
            Err(NetError::Listen { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse && time::Instant::now() < deadline =>
            {
                time::sleep(LINGER_STEP).await;
            }
            outcome => return outcome,
        }
    }
}

/// An address cannot be listened on. On a machine without IPv6 that is no reason to do without IPv4.
fn not_listening(address: &Multiaddr, source: io::Error) -> Result<(), NetError> {
    let is_missing =
        source.raw_os_error() == Some(NO_SUCH_FAMILY) || source.kind() == io::ErrorKind::AddrNotAvailable;
    if is_missing && matches!(address.iter().next(), Some(multiaddr::Protocol::Ip6(_))) {
        tracing::warn!(%address, error = %source, "there is no IPv6 here");
        return Ok(());
    }
    Err(NetError::Listen { address: address.to_string(), source })
}

/// The TCP transport shares its ports with other sockets of the same user, for the sake of hole punching: a second node on the
/// same port would start, and each get half of the calls. So it is looked at first. `::` is left out, which to the system is
/// 0.0.0.0 as well; whoever has the one mostly has the other.
fn is_free(address: &Multiaddr) -> Result<(), NetError> {
    let (mut port, mut udp) = (None, false);
    for part in address.iter() {
        match part {
            multiaddr::Protocol::Tcp(number) if number != 0 => port = Some(number),
            multiaddr::Protocol::Udp(number) if number != 0 => (port, udp) = (Some(number), true),
            _ => {}
        }
    }
    let (Some(port), Some(ip)) = (port, address::ip(address)) else { return Ok(()) };
    if ip.is_unspecified() && ip.is_ipv6() {
        return Ok(());
    }
    let bound = match udp {
        true => std::net::UdpSocket::bind((ip, port)).map(drop),
        false => std::net::TcpListener::bind((ip, port)).map(drop),
    };
    match bound {
        Ok(()) => Ok(()),
        Err(source) => not_listening(address, source),
    }
}

/// The swarm moves between threads with its task.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Swarm<Weft>>();
};

#[cfg(test)]
impl Net {
    /// How many connections there are to a peer.
    pub(crate) fn connections(&self, peer: PeerKey) -> usize {
        self.0.roster.connections(peer)
    }
}
