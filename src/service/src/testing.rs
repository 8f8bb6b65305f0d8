//! A node in memory and clients that speak to it in wire types, for the tests of all features.

mod engine;

use crate::{
    Caller, Deps, Limits, ManualClock, NodeIdentity, Service, ServiceConfig, SharedRng, SyncSession,
    SystemEntropy, context::Ctx, flows::FlowError, seal::Sealer,
};
use ed25519_dalek::SigningKey;
pub use engine::ObservedEngine;
use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialResponse, RegistrationResponse,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rand_core::RngCore;
use std::{net::IpAddr, sync::Arc, time::Duration};
use weft_mls::{
    DeviceIdentity, key_packages,
    member::{self, Prepared},
    openmls::prelude::MlsGroup,
};
use weft_store::{Batch, Row, Store};
use weft_wire::{
    Blob, Code, DeviceId, MessageId, NodeName, Problem, RoomId, RoomNonce, Signed, UserAddress, UserName,
    accounts::*,
    contacts::*,
    identity::{DeviceCert, UserIdentity},
    node::SignupPolicy,
    opaque::{CONTEXT, Stretching, Suite, identifiers},
    rooms::*,
    sync::{ClientFrame, ServerFrame, SocketProof},
};

/// Where all clients of the tests come from.
pub const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
/// The hour at which every test begins.
pub const START_MS: u64 = 1_800_000_000_000;
pub const NODE: &str = "home.example";

/// Rooms of [`NODE`], by their ids.
pub const IDS: [RoomId; 10] = [
    RoomId(0x08a21bc31ab86bc1ea139f21a8a40e45_u128.to_be_bytes()),
    RoomId(0x0dfdf646db7bdb71b0e28690f7ade453_u128.to_be_bytes()),
    RoomId(0x1b9ca63dc8bad654383a78e2a162b30f_u128.to_be_bytes()),
    RoomId(0x2acb0529765a2d35021c44f683646b56_u128.to_be_bytes()),
    RoomId(0x32f28e2812cb44abfa14ffccc6afc7a8_u128.to_be_bytes()),
    RoomId(0x6d0d2935a31215f6ee0b18e89639cdf2_u128.to_be_bytes()),
    RoomId(0x8a107c378d745e2f45de1f5760069842_u128.to_be_bytes()),
    RoomId(0xa8d2f5445658636f753d98d1f60aeca3_u128.to_be_bytes()),
    RoomId(0xe73acde2aece30e1fa35e23861445ff2_u128.to_be_bytes()),
    RoomId(0xff026c6b22f27925cd687e7e3a9cc806_u128.to_be_bytes()),
];

/// Rooms of any node, by their ids, and of what they are made. Those of [`NODE`] are [`IDS`].
pub fn nonces(hub: &NodeName) -> Vec<(RoomId, RoomNonce)> {
    let nonces = (0..10).map(|n| RoomNonce([n; 16]));
    let mut rooms: Vec<_> = nonces.map(|nonce| (RoomId::of_hub(hub, nonce), nonce)).collect();
    rooms.sort();
    rooms
}

/// What a room of a node is made of; of others no more than a guess.
pub fn nonce_of(hub: &NodeName, room: RoomId) -> RoomNonce {
    let found = nonces(hub).into_iter().find(|(id, _)| *id == room);
    found.map_or(RoomNonce([0; 16]), |(_, nonce)| nonce)
}

/// A node.
pub struct World {
    pub service: Service,
    pub store: Store,
    /// What is below the store.
    pub engine: Arc<ObservedEngine>,
    pub clock: Arc<ManualClock>,
    pub config: ServiceConfig,
    pub name: NodeName,
    pub key: SigningKey,
}

impl World {
    /// Open sign-up, no rate limits.
    pub async fn new() -> World {
        let config =
            ServiceConfig { signup: SignupPolicy::Open, rate_limit_factor: 0.0, ..ServiceConfig::default() };
        World::with(config).await
    }

    pub async fn with(config: ServiceConfig) -> World {
        World::named(NODE, SigningKey::from_bytes(&[9; 32]), config).await
    }

    /// A node of another name.
    pub async fn named(name: &str, key: SigningKey, config: ServiceConfig) -> World {
        let clock = Arc::new(ManualClock::new(START_MS));
        World::on(Arc::default(), clock, config, (name.parse().unwrap(), key)).await
    }

    async fn on(
        engine: Arc<ObservedEngine>,
        clock: Arc<ManualClock>,
        config: ServiceConfig,
        (name, key): (NodeName, SigningKey),
    ) -> World {
        let store = Store::new(engine.clone());
        let deps = Deps {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Box::new(SharedRng::new(ChaCha20Rng::seed_from_u64(store.status().seq))),
            identity: NodeIdentity { key: key.clone(), name: name.clone() },
            config: config.clone(),
        };
        World { service: Service::open(deps).await.unwrap(), store, engine, clock, config, name, key }
    }

    /// The same node after a restart.
    pub async fn restarted(&self) -> World {
        let identity = (self.name.clone(), self.key.clone());
        World::on(self.engine.clone(), self.clock.clone(), self.config.clone(), identity).await
    }

    /// The same node as its data is now, on another disk: what a backup brings back.
    pub async fn backed_up(&self) -> World {
        self.copied(self.clock.clone()).await
    }

    /// The same, as a node of another world with a time of its own.
    pub async fn copied(&self, clock: Arc<ManualClock>) -> World {
        let engine: Arc<ObservedEngine> = Arc::default();
        let copy = Store::new(engine.clone());
        for table in
            weft_store::tables::ALL.iter().filter(|table| table.id >= weft_store::tables::RESERVED_IDS)
        {
            let rows = self.store.scan(*table, weft_store::Scan::prefix([]).limit(10_000)).await.unwrap();
            for some in rows.chunks(8) {
                let put = |batch: Batch, row: &Row| batch.put(*table, &row.key, row.value.clone());
                copy.commit(some.iter().fold(Batch::new(), put)).await.unwrap();
            }
        }
        let identity = (self.name.clone(), self.key.clone());
        World::on(engine, clock, self.config.clone(), identity).await
    }

    /// What the features of this node stand on, for tests of a part by itself.
    pub fn context(&self) -> Ctx {
        Ctx {
            store: self.store.clone(),
            clock: self.clock.clone(),
            entropy: Box::new(SystemEntropy),
            node: self.name.clone(),
            config: self.config.clone(),
            limits: Limits::new(self.clock.clone(), 0.0, 1),
            sealer: Sealer::of_node(&self.key),
            aging: crate::aging::Aging::new(crate::Clock::steady_ms(&*self.clock)),
        }
    }

    /// Somebody who signs up, with the first device.
    pub async fn sign_up(&self, name: &str) -> Device {
        let mut device = Device::at(&self.name, name, 1);
        device.sign_up(&self.service, None).await.unwrap();
        device
    }

    /// Two people who are contacts.
    pub async fn two_contacts(&self) -> (Device, Device) {
        let (alice, bob) = (self.sign_up("alice").await, self.sign_up("bob").await);
        self.connect(&alice, &bob).await;
        (alice, bob)
    }

    pub async fn connect(&self, alice: &Device, bob: &Device) {
        let flows = self.service.flows();
        let request = ContactRequest { to: bob.user.clone(), sealed: sealed("hello"), token: None };
        flows.request_contact(alice.caller(), request).await.unwrap();
        let accept = ContactAccept { sealed: sealed("welcome") };
        let answer = flows.accept_contact(bob.caller(), &alice.user, accept).await.unwrap();
        assert_eq!(answer.state, ContactState::Accepted);
    }

    /// Two contacts in a direct room, both in its group.
    pub async fn talking(&self) -> (Device, Device, RoomId, MlsGroup, MlsGroup) {
        let (alice, bob) = self.two_contacts().await;
        bob.publish(&self.service, 3).await;
        let room = IDS[1];
        let mut at_alice = alice.create_direct(&self.service, &bob, room).await.unwrap();
        let prepared = self.add(&alice, &mut at_alice, room, &bob).await;
        let at_bob = member::join(&bob.provider, room, prepared.welcome.as_deref().unwrap()).unwrap();
        (alice, bob, room, at_alice, at_bob)
    }

    /// `by` adds all devices of `whom`.
    pub async fn add(&self, by: &Device, group: &mut MlsGroup, room: RoomId, whom: &Device) -> Prepared {
        let claimed = self.service.flows().claim_key_packages(by.caller(), &whom.user, None).await.unwrap();
        let packages: Vec<_> = claimed.packages.into_iter().map(|package| package.key_package).collect();
        assert!(!packages.is_empty(), "nothing to add");
        let prepared = by.prepare(group, &packages, &[]);
        let submit = by.commit(room, &prepared, 0xff);
        self.service.flows().submit_commit(by.caller(), room, submit).await.unwrap();
        group.merge_pending_commit(&by.provider).unwrap();
        prepared
    }
}

/// Something sealed; the node cannot tell.
pub fn sealed(text: &str) -> Blob {
    Blob(text.as_bytes().iter().map(|byte| byte ^ 0x5a).collect())
}

/// The code that a client would see.
pub fn code<E: Into<Problem>>(error: E) -> Code {
    error.into().code
}

/// A person's device with all its secrets. Seeds follow from name and number, so that a test replays.
pub struct Device {
    pub user: UserAddress,
    pub password: String,
    pub identity_key: SigningKey,
    pub key: SigningKey,
    pub cert: Signed<DeviceCert>,
    pub provider: OpenMlsRustCrypto,
    pub rng: ChaCha20Rng,
    pub token: String,
    caller: Option<Caller>,
}

impl Device {
    pub fn new(name: &str, number: u8) -> Device {
        Device::at(&NODE.parse().unwrap(), name, number)
    }

    /// Of somebody on a node.
    pub fn at(node: &NodeName, name: &str, number: u8) -> Device {
        let user = UserAddress::new(name.parse().unwrap(), node.clone());
        let mut rng = ChaCha20Rng::from_seed(*blake3::hash(name.as_bytes()).as_bytes());
        let identity_key = SigningKey::generate(&mut rng);
        rng.set_stream(u64::from(number));
        let key = SigningKey::generate(&mut rng);
        let cert = cert(&user, &identity_key, &key, START_MS + 365 * 86_400_000);
        Device {
            password: format!("correct horse of {name}"),
            user,
            identity_key,
            key,
            cert,
            provider: OpenMlsRustCrypto::default(),
            rng,
            token: String::new(),
            caller: None,
        }
    }

    pub fn name(&self) -> &UserName {
        &self.user.name
    }

    pub fn id(&self) -> DeviceId {
        DeviceId::of_key(&self.key.verifying_key().to_bytes())
    }

    pub fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("not signed in")
    }

    pub fn me(&self) -> DeviceIdentity<'_> {
        DeviceIdentity { key: &self.key, cert: &self.cert }
    }

    pub fn identity(&self) -> Signed<UserIdentity> {
        let identity = UserIdentity {
            user: self.user.clone(),
            identity_key: self.identity_key.verifying_key().to_bytes(),
            seal_key: [3; 32],
            created_ms: START_MS,
        };
        Signed::sign(&identity, &self.identity_key)
    }

    pub fn recovery_key(&self) -> SigningKey {
        SigningKey::from_bytes(blake3::hash(self.user.name.as_str().as_bytes()).as_bytes())
    }

    async fn signed_in(&mut self, service: &Service, granted: SessionGranted) {
        assert_eq!((&granted.user, granted.device), (&self.user, self.id()));
        self.token = granted.token;
        self.caller = Some(service.accounts().authenticate(&self.token, FROM).await.unwrap());
    }

    /// What the OPAQUE client makes of a password, and what goes to the node in two steps.
    pub fn register_start(&mut self) -> (Blob, ClientRegistration<Suite>) {
        let started = ClientRegistration::<Suite>::start(&mut self.rng, self.password.as_bytes()).unwrap();
        (Blob(started.message.serialize().to_vec()), started.state)
    }

    pub fn register_upload(&mut self, state: ClientRegistration<Suite>, answer: &Blob) -> Blob {
        let name = self.user.name.clone();
        let answer = RegistrationResponse::deserialize(answer.as_slice()).unwrap();
        let params = ClientRegistrationFinishParameters::new(identifiers(&name), Some(&Stretching::LIGHT));
        let finished = state.finish(&mut self.rng, self.password.as_bytes(), answer, params).unwrap();
        Blob(finished.message.serialize().to_vec())
    }

    pub fn register_finish(&self, invite: Option<String>, opaque_upload: Blob) -> RegisterFinish {
        RegisterFinish {
            name: self.user.name.clone(),
            invite,
            opaque_upload,
            identity: self.identity(),
            device: self.cert.clone(),
            keyring: sealed("keyring"),
            recovery: Recovery {
                auth_key: self.recovery_key().verifying_key().to_bytes(),
                sealed: sealed("recovery"),
            },
        }
    }

    pub async fn sign_up(&mut self, service: &Service, invite: Option<String>) -> Result<(), FlowError> {
        let (opaque_request, state) = self.register_start();
        let start = RegisterStart { name: self.user.name.clone(), invite: invite.clone(), opaque_request };
        let challenge = service.flows().register_start(FROM, start).await?;
        let upload = self.register_upload(state, &challenge.opaque_response);
        let granted = service.flows().register_finish(FROM, self.register_finish(invite, upload)).await?;
        self.signed_in(service, granted).await;
        Ok(())
    }

    /// Opens the account with the password.
    pub async fn open_account(&mut self, service: &Service) -> Result<AccountOpened, Problem> {
        let name = self.user.name.clone();
        let started = ClientLogin::<Suite>::start(&mut self.rng, self.password.as_bytes()).unwrap();
        let opaque_request = Blob(started.message.serialize().to_vec());
        let start = LoginStart { name: name.clone(), opaque_request };
        let challenge = service.accounts().login_start(FROM, start).await?;
        let answer = CredentialResponse::deserialize(challenge.opaque_response.as_slice()).unwrap();
        let params =
            ClientLoginFinishParameters::new(Some(CONTEXT), identifiers(&name), Some(&Stretching::LIGHT));
        let finished = started.state.finish(&mut self.rng, self.password.as_bytes(), answer, params);
        // A client that finds its password wrong has nothing to send; this one sends something anyway.
        let finalization =
            finished.map_or_else(|_| vec![7; 64], |finished| finished.message.serialize().to_vec());
        let finish = LoginFinish { state: challenge.state, opaque_finalization: Blob(finalization) };
        Ok(service.accounts().login_finish(FROM, finish).await?)
    }

    /// Signs in with the password as a further device.
    pub async fn sign_in(&mut self, service: &Service) -> Result<(), Problem> {
        let opened = self.open_account(service).await?;
        let add = AddDevice { ticket: opened.ticket, device: self.cert.clone() };
        let granted = service.flows().add_device(FROM, add).await?;
        self.signed_in(service, granted).await;
        Ok(())
    }

    pub fn session_request(&mut self, time_ms: u64) -> Signed<SessionRequest> {
        let mut nonce = vec![0; 16];
        self.rng.fill_bytes(&mut nonce);
        let request =
            SessionRequest { user: self.user.clone(), device: self.id(), time_ms, nonce: Blob(nonce) };
        Signed::sign(&request, &self.key)
    }

    pub fn key_package(&self, last_resort: bool) -> Blob {
        Blob(key_packages::build(&self.provider, self.me(), last_resort).unwrap())
    }

    pub async fn publish(&self, service: &Service, count: usize) {
        let packages = (0..count).map(|_| self.key_package(false)).collect();
        let request = PublishKeyPackages { packages, last_resort: Some(self.key_package(true)) };
        service.key_packages().publish(self.caller(), request).await.unwrap();
    }

    pub fn direct_kind(&self, other: &UserAddress) -> RoomKind {
        let mut members = (self.user.clone(), other.clone());
        if members.0 > members.1 {
            members = (members.1, members.0);
        }
        RoomKind::Direct { members }
    }

    pub fn create_request(&self, kind: RoomKind, room: RoomId) -> (CreateRoom, MlsGroup) {
        let made = match kind {
            RoomKind::Direct { .. } => member::create(&self.provider, self.me(), room),
            RoomKind::Group => member::create_group(&self.provider, self.me(), room),
        };
        let (group, group_info) = made.unwrap();
        let nonce = nonce_of(&self.user.node, room);
        (CreateRoom { room, nonce, kind, group_info: Blob(group_info) }, group)
    }

    pub async fn create_direct(
        &self,
        service: &Service,
        other: &Device,
        room: RoomId,
    ) -> Result<MlsGroup, FlowError> {
        let (request, group) = self.create_request(self.direct_kind(&other.user), room);
        let created = service.flows().create_room(self.caller(), request).await?;
        assert_eq!(created, RoomCreated { epoch: 0, existing: None });
        Ok(group)
    }

    pub fn prepare(&self, group: &mut MlsGroup, packages: &[Blob], remove: &[DeviceId]) -> Prepared {
        member::prepare(&self.provider, self.me(), group, packages, remove, START_MS).unwrap()
    }

    pub fn envelope(&self, room: RoomId, kind: EntryKind, epoch: u64, id: u8, body: &[u8]) -> Envelope {
        Envelope {
            room,
            sender: self.user.clone(),
            device: self.id(),
            message_id: MessageId([id; 16]),
            kind,
            epoch,
            body: Blob::from(body),
        }
    }

    pub fn commit(&self, room: RoomId, prepared: &Prepared, id: u8) -> SubmitCommit {
        let envelope = self.envelope(room, EntryKind::Commit, prepared.epoch, id, &prepared.commit);
        SubmitCommit {
            envelope: Signed::sign(&envelope, &self.key),
            group_info: Blob::from(prepared.group_info.as_slice()),
            welcome: prepared.welcome.clone().map(Blob),
            welcome_to: prepared
                .added
                .iter()
                .map(|cert| DeviceRef { user: cert.user.clone(), device: cert.device })
                .collect(),
        }
    }

    pub fn message(&self, group: &mut MlsGroup, room: RoomId, id: u8, text: &str) -> SubmitMessage {
        let epoch = group.epoch().as_u64();
        let body = member::seal(&self.provider, self.me(), group, text.as_bytes()).unwrap();
        let envelope = self.envelope(room, EntryKind::Message, epoch, id, &body);
        SubmitMessage { envelope: Signed::sign(&envelope, &self.key) }
    }

    /// A socket of this device, past its hello.
    pub async fn socket(&self, service: &Service, inbox_after: u64) -> SyncSession {
        let mut session = service.sync().open(FROM).unwrap();
        session.on_frame(self.hello(&session, inbox_after)).await.unwrap();
        let ServerFrame::Ready { user, .. } = next(&mut session).await else { panic!("not ready") };
        assert_eq!(user, self.user);
        session
    }

    pub fn hello(&self, session: &SyncSession, inbox_after: u64) -> ClientFrame {
        let ServerFrame::Challenge { nonce } = session.challenge() else { panic!("no challenge") };
        let proof = Signed::sign(&SocketProof { nonce, device: self.id() }, &self.key);
        ClientFrame::Hello { token: self.token.clone(), proof, inbox_after, vault: true }
    }
}

pub fn cert(
    user: &UserAddress,
    identity: &SigningKey,
    device: &SigningKey,
    expires_ms: u64,
) -> Signed<DeviceCert> {
    let device_key = device.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: user.clone(),
        identity_key: identity.verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: START_MS,
        expires_ms,
    };
    Signed::sign(&cert, identity)
}

/// The next frame; fails the test when none comes.
pub async fn next(session: &mut SyncSession) -> ServerFrame {
    tokio::time::timeout(Duration::from_secs(10), session.next()).await.expect("no frame came").unwrap()
}

/// Whether there is nothing to send: the session was asked until it had to wait.
pub async fn is_quiet(session: &mut SyncSession) -> bool {
    // Long enough for watch tasks to run; what is not there after it does not come by itself.
    tokio::time::timeout(Duration::from_millis(50), session.next()).await.is_err()
}
