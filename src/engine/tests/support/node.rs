//! The node: routes and sockets. Checks what a client must get right, not what a node must refuse (the service's own tests do).

use super::accounts::Account;
use super::rooms::Room;
use opaque_ke::ServerSetup;
use rand_chacha::{ChaCha20Rng, rand_core::RngCore, rand_core::SeedableRng};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use weft_wire::opaque::Suite;
use weft_wire::sync::{ClientFrame, InboxEntry, InboxItem, ServerFrame};
use weft_wire::{Code, DeviceId, NodeName, Problem, RoomId, UserAddress, UserName};

pub type Answer = Result<Vec<u8>, Problem>;

pub struct Node {
    pub now: u64,
    pub name: NodeName,
    pub rng: ChaCha20Rng,
    pub opaque: ServerSetup<Suite>,
    pub accounts: BTreeMap<UserName, Account>,
    pub tokens: BTreeMap<String, (UserAddress, DeviceId)>,
    pub links: BTreeMap<[u8; 32], UserAddress>,
    pub rooms: BTreeMap<RoomId, Room>,
    pub sockets: BTreeMap<u64, Socket>,
    pub inbox_seq: u64,
    /// Requests, by method and first word of the path.
    pub requests: BTreeMap<String, u32>,
    /// Refuses messages with this.
    pub refuse_messages: Option<Problem>,
    /// Does not let anybody leave, with this.
    pub refuse_leaving: Option<Problem>,
    /// Takes no new room, with this.
    pub refuse_rooms: Option<Problem>,
    /// KeyPackages are claimed so often in ten minutes, and when that was.
    pub claims_max: Option<usize>,
    pub claims: Vec<u64>,
    /// Of this person nobody gets any for now.
    pub gives_none_of: Option<UserAddress>,
    /// Gives each KeyPackage twice.
    pub doubles_key_packages: bool,
    /// So many answers to what is published are lost.
    pub lose_published: u32,
    /// Takes what is published, and has nothing all the same.
    pub forget_published: bool,
    /// Does not take what is published.
    pub refuse_published: bool,
    /// Finds that messages are of an epoch that is over.
    pub messages_are_late: bool,
    /// Bytes of one account's vault.
    pub vault_bytes_max: usize,
    /// Says nothing of rooms.
    pub rooms_are_silent: bool,
    /// Takes frames and says nothing.
    pub deaf: bool,
    /// What lies in inboxes comes later than everything else.
    pub inbox_is_slow: bool,
    /// After so many requests, one is carried out and its answer lost.
    pub lose_after: Option<u32>,
    /// Its money.
    pub money: super::money::Money,
    /// What it says to these paths instead of what it would.
    pub says: BTreeMap<String, Answer>,
}

#[derive(Default)]
pub struct Socket {
    pub nonce: [u8; 32],
    pub who: Option<(UserAddress, DeviceId)>,
    pub inbox_sent: u64,
    pub follows: BTreeMap<RoomId, u64>,
    /// Version of each room's description that was sent.
    pub described: BTreeMap<RoomId, u64>,
    pub out: Vec<ServerFrame>,
}

pub fn problem(code: Code) -> Problem {
    Problem::new(code)
}

pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    weft_wire::decode(body, 1 << 20).map_err(|error| problem(Code::Malformed).detail(error))
}

pub fn answer(value: &impl Serialize) -> Answer {
    Ok(weft_wire::encode(value))
}

impl Node {
    pub fn new() -> Self {
        let mut rng = ChaCha20Rng::from_seed([42; 32]);
        Node {
            now: 1_800_000_000_000,
            name: "home.example".parse().unwrap(),
            opaque: ServerSetup::new(&mut rng),
            rng,
            accounts: BTreeMap::new(),
            tokens: BTreeMap::new(),
            links: BTreeMap::new(),
            rooms: BTreeMap::new(),
            sockets: BTreeMap::new(),
            inbox_seq: 0,
            requests: BTreeMap::new(),
            lose_after: None,
            lose_published: 0,
            forget_published: false,
            refuse_published: false,
            refuse_messages: None,
            refuse_leaving: None,
            refuse_rooms: None,
            claims_max: None,
            claims: Vec::new(),
            gives_none_of: None,
            doubles_key_packages: false,
            messages_are_late: false,
            rooms_are_silent: false,
            vault_bytes_max: usize::MAX,
            deaf: false,
            inbox_is_slow: false,
            money: super::money::Money::default(),
            says: BTreeMap::new(),
        }
    }

    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        token: Option<String>,
        body: Vec<u8>,
    ) -> (u16, Vec<u8>) {
        let path = path.strip_prefix("/api/v1/").expect("a path of the API");
        let said = self.says.get(path).cloned();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let words: Vec<&str> = path.split('/').collect();
        *self.requests.entry(format!("{method} {}", words[0])).or_default() += 1;
        if let Some(what) = words.get(2) {
            *self.requests.entry(format!("{method} {}/{what}", words[0])).or_default() += 1;
        }
        let result = said.unwrap_or_else(|| self.route(method, &words, query, token, &body));
        if let Some(left) = self.lose_after {
            self.lose_after = left.checked_sub(1);
            if left == 0 {
                return (502, b"bad gateway".to_vec());
            }
        }
        if (method, words.as_slice()) == ("POST", &["key-packages"]) && self.lose_published > 0 {
            self.lose_published -= 1;
            return (502, b"bad gateway".to_vec());
        }
        match result {
            Ok(body) => (200, body),
            Err(problem) => (problem.status, weft_wire::encode(&problem)),
        }
    }

    fn route(
        &mut self,
        method: &str,
        words: &[&str],
        query: &str,
        token: Option<String>,
        body: &[u8],
    ) -> Answer {
        match (method, words) {
            ("GET", ["node"]) => return self.info(),
            ("POST", ["accounts", ..] | ["sessions"] | ["devices"]) => {
                return self.account_route(words, body);
            }
            _ => {}
        }
        let token = token.ok_or(problem(Code::Unauthenticated))?;
        let (user, device) = self.tokens.get(&token).cloned().ok_or(problem(Code::Unauthenticated))?;
        match words[0] {
            "wallet" => self.money.route(self.now, method, words, &user, body),
            "rooms" => self.room_route(method, words, query, &user, device, body),
            _ => self.people_route(method, words, query, &user, device, body),
        }
    }

    pub fn account(&mut self, user: &UserAddress) -> Result<&mut Account, Problem> {
        self.accounts
            .get_mut(&user.name)
            .filter(|account| account.user == *user)
            .ok_or(problem(Code::NotFound))
    }

    /// Puts an item into the inbox of every device of a person.
    pub fn tell(&mut self, user: &UserAddress, item: InboxItem) {
        let devices: Vec<_> = self.account(user).unwrap().devices.keys().copied().collect();
        for device in devices {
            self.tell_device(user, device, item.clone());
        }
    }

    pub fn tell_device(&mut self, user: &UserAddress, device: DeviceId, item: InboxItem) {
        self.inbox_seq += 1;
        let entry = InboxEntry { seq: self.inbox_seq, time_ms: self.now, item };
        if let Some(device) = self.account(user).unwrap().devices.get_mut(&device) {
            device.inbox_newest = entry.seq;
            device.inbox.push(entry);
        }
    }

    pub fn socket_opened(&mut self, id: u64) {
        let nonce = self.random();
        let out = vec![ServerFrame::Challenge { nonce }];
        self.sockets.insert(id, Socket { nonce, out, ..Socket::default() });
    }

    pub fn socket_closed(&mut self, id: u64) {
        self.sockets.remove(&id);
    }

    pub fn client_frame(&mut self, id: u64, frame: ClientFrame) {
        if self.deaf {
            return;
        }
        let Some(mut socket) = self.sockets.remove(&id) else { return };
        match frame {
            ClientFrame::Hello { token, proof, inbox_after, vault } => {
                assert!(vault);
                match self.tokens.get(&token).cloned() {
                    Some((user, device)) => {
                        let (now, nonce) = (self.now, socket.nonce);
                        let kept = self.account(&user).unwrap().devices.get_mut(&device).unwrap();
                        let proof = proof.verify(&kept.key()).expect("a proof by the device");
                        assert_eq!((proof.nonce, proof.device), (nonce, device));
                        kept.inbox.retain(|entry| entry.seq > inbox_after);
                        let key_packages = kept.key_packages.len() as u32;
                        let inbox = Some(kept.inbox_newest);
                        socket.who = Some((user.clone(), device));
                        socket.out.push(ServerFrame::Ready { user, time_ms: now, key_packages, inbox });
                    }
                    None => socket.out.push(ServerFrame::Problem {
                        problem: problem(Code::Unauthenticated),
                        room: None,
                        fatal: true,
                    }),
                }
            }
            ClientFrame::Follow { rooms } => {
                for (room, after) in rooms {
                    socket.follows.insert(room, after);
                    socket.described.remove(&room);
                }
            }
            ClientFrame::Ack { inbox, rooms } => {
                let (user, device) = socket.who.clone().expect("hello came first");
                if let Some(seq) = inbox {
                    let kept = self.account(&user).unwrap().devices.get_mut(&device).unwrap();
                    kept.inbox.retain(|entry| entry.seq > seq);
                }
                for (room, seq) in rooms {
                    self.acked(room, &user, seq);
                }
            }
            ClientFrame::Ephemeral { room, sealed } => {
                let (user, device) = socket.who.clone().expect("hello came first");
                for other in self.sockets.values_mut().filter(|other| other.follows.contains_key(&room)) {
                    let (user, sealed) = (user.clone(), sealed.clone());
                    other.out.push(ServerFrame::Ephemeral { room, user, device, sealed });
                }
            }
            ClientFrame::Ping => socket.out.push(ServerFrame::Pong),
        }
        self.sockets.insert(id, socket);
    }

    /// Everything that the sockets are owed now.
    pub fn frames(&mut self) -> Vec<(u64, ServerFrame)> {
        let mut frames = Vec::new();
        if self.deaf {
            return frames;
        }
        let ids: Vec<u64> = self.sockets.keys().copied().collect();
        for id in ids {
            let mut socket = self.sockets.remove(&id).unwrap();
            if let Some((user, device)) = socket.who.clone() {
                let sent = socket.inbox_sent;
                let kept = &self.account(&user).unwrap().devices[&device];
                let items: Vec<_> = kept.inbox.iter().filter(|entry| entry.seq > sent).cloned().collect();
                if let Some(last) = items.last().filter(|_| !self.inbox_is_slow) {
                    socket.inbox_sent = last.seq;
                    socket.out.push(ServerFrame::Inbox { items });
                }
                if !self.rooms_are_silent {
                    self.room_frames(&mut socket, &user);
                }
            }
            frames.extend(socket.out.drain(..).map(|frame| (id, frame)));
            self.sockets.insert(id, socket);
        }
        frames
    }

    /// To the sockets of a person, but for one device's.
    pub fn push(&mut self, user: &UserAddress, but: Option<DeviceId>, frame: &ServerFrame) {
        for socket in self.sockets.values_mut() {
            let is = socket.who.as_ref().is_some_and(|(who, device)| who == user && Some(*device) != but);
            if is {
                socket.out.push(frame.clone());
            }
        }
    }
}
