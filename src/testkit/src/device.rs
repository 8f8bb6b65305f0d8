//! A device that speaks the protocol by hand: real keys, real OPAQUE, real MLS, but nothing that holds it to the rules.
//!
//! Tests of bad input bend its requests; the load generator makes hundreds of it. Its password is random and lightly
//! stretched, which the node can neither see nor tell.

use crate::{http, socket::Socket};
use anyhow::{Context as _, Result, anyhow, bail};
use ed25519_dalek::SigningKey;
use hyper::Method;
use opaque_ke::{ClientRegistration, ClientRegistrationFinishParameters, RegistrationResponse};
use openmls_rust_crypto::OpenMlsRustCrypto;
use rand::{RngCore, rngs::OsRng};
use serde::Serialize;
use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};
use weft_mls::{DeviceIdentity, key_packages, member, openmls::prelude::MlsGroup};
use weft_wire::{
    Blob, DeviceId, MessageId, Millis, NodeName, RoomId, RoomNonce, Signed, UserAddress, UserName,
    accounts::{Recovery, RegisterChallenge, RegisterFinish, RegisterStart, SessionGranted},
    contacts::{ClaimedKeyPackages, ContactRequest, CreateContactLink, PublishKeyPackages},
    identity::{DeviceCert, UserIdentity},
    invites::Link,
    node::NodeInfo,
    opaque::{Stretching, Suite, identifiers},
    rooms::{
        Accepted, CreateRoom, DeviceRef, EntryKind, Envelope, RoomCreated, RoomKind, SubmitCommit,
        SubmitMessage,
    },
    sync::{ClientFrame, InboxItem, ServerFrame, SocketProof},
};

const YEAR_MS: Millis = 365 * 24 * 60 * 60 * 1000;

/// A device with an account and a session.
pub struct Device {
    /// The node.
    pub node: SocketAddr,
    /// Who.
    pub user: UserAddress,
    /// The person's identity key.
    pub identity: SigningKey,
    /// The device's key.
    pub key: SigningKey,
    /// Its certificate.
    pub cert: Signed<DeviceCert>,
    /// Its session.
    pub token: String,
    /// Its MLS state.
    pub mls: OpenMlsRustCrypto,
}

/// A room that a device is in.
pub struct Room {
    /// Which.
    pub id: RoomId,
    /// The group.
    pub group: MlsGroup,
}

/// Now, by the clock of this machine.
pub fn now_ms() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis().try_into().unwrap_or(Millis::MAX))
}

/// Random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// A certificate of a person for a device key.
pub fn certify(
    user: &UserAddress,
    identity: &SigningKey,
    key: &SigningKey,
    expires_ms: Millis,
) -> Signed<DeviceCert> {
    let device_key = key.verifying_key().to_bytes();
    let cert = DeviceCert {
        user: user.clone(),
        identity_key: identity.verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: now_ms().saturating_sub(1000),
        expires_ms,
    };
    Signed::sign(&cert, identity)
}

/// The invite code in a link, or the text itself.
pub fn invite_code(text: &str) -> Option<String> {
    Link::parse(text).ok().and_then(|link| link.invite).or_else(|| Some(text.to_owned()))
}

/// Runs the first half of a registration, and gives the second request, ready to be bent.
///
/// # Errors
/// When the node refuses the first half; the answer is in the error's text.
pub async fn prepare_registration(
    node: SocketAddr,
    name: &str,
    invite: Option<String>,
) -> Result<(RegisterFinish, SigningKey, SigningKey)> {
    let info: NodeInfo = http::get(node, "/api/v1/node", None).await?.value()?;
    let name: UserName = name.parse()?;
    let user = UserAddress::new(name.clone(), info.name);
    let password = random::<16>();
    let start =
        ClientRegistration::<Suite>::start(&mut OsRng, &password).map_err(|error| anyhow!("{error:?}"))?;
    let request = RegisterStart {
        name: name.clone(),
        invite: invite.clone(),
        opaque_request: Blob(start.message.serialize().to_vec()),
    };
    let answer = http::call(node, Method::POST, "/api/v1/accounts/register/start", None, &request).await?;
    let challenge: RegisterChallenge = answer.value()?;
    let response = RegistrationResponse::<Suite>::deserialize(challenge.opaque_response.as_slice())
        .map_err(|error| anyhow!("{error:?}"))?;
    let parameters = ClientRegistrationFinishParameters::new(identifiers(&name), Some(&Stretching::LIGHT));
    let finish = start
        .state
        .finish(&mut OsRng, &password, response, parameters)
        .map_err(|error| anyhow!("{error:?}"))?;
    let (identity, key) = (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
    let public = UserIdentity {
        user: user.clone(),
        identity_key: identity.verifying_key().to_bytes(),
        seal_key: random(),
        created_ms: now_ms(),
    };
    let request = RegisterFinish {
        name,
        invite,
        opaque_upload: Blob(finish.message.serialize().to_vec()),
        identity: Signed::sign(&public, &identity),
        device: certify(&user, &identity, &key, now_ms() + YEAR_MS),
        keyring: Blob(random::<64>().to_vec()),
        recovery: Recovery {
            auth_key: SigningKey::generate(&mut OsRng).verifying_key().to_bytes(),
            sealed: Blob(random::<64>().to_vec()),
        },
    };
    Ok((request, identity, key))
}

impl Device {
    /// Makes an account with this as its first device. `invite` is a link or a code.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn register(node: SocketAddr, name: &str, invite: Option<&str>) -> Result<Device> {
        let invite = invite.and_then(invite_code);
        let (request, identity, key) = prepare_registration(node, name, invite).await?;
        let answer =
            http::call(node, Method::POST, "/api/v1/accounts/register/finish", None, &request).await?;
        let granted: SessionGranted = answer.value()?;
        let (user, cert) = (granted.user, request.device);
        Ok(Device {
            node,
            user,
            identity,
            key,
            cert,
            token: granted.token,
            mls: OpenMlsRustCrypto::default(),
        })
    }

    /// The device's id.
    pub fn id(&self) -> DeviceId {
        DeviceId::of_key(&self.key.verifying_key().to_bytes())
    }

    /// As MLS knows it.
    pub fn me(&self) -> DeviceIdentity<'_> {
        DeviceIdentity { key: &self.key, cert: &self.cert }
    }

    /// A POST below `/api/v1/`.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn post<T: Serialize>(&self, path: &str, body: &T) -> Result<http::Answer> {
        http::call(self.node, Method::POST, &format!("/api/v1/{path}"), Some(&self.token), body).await
    }

    /// A PUT below `/api/v1/`.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn put<T: Serialize>(&self, path: &str, body: &T) -> Result<http::Answer> {
        http::call(self.node, Method::PUT, &format!("/api/v1/{path}"), Some(&self.token), body).await
    }

    /// A GET below `/api/v1/`.
    ///
    /// # Errors
    /// When no answer came.
    pub async fn get(&self, path: &str) -> Result<http::Answer> {
        http::get(self.node, &format!("/api/v1/{path}"), Some(&self.token)).await
    }

    /// Puts KeyPackages in stock.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn publish(&self, count: usize) -> Result<()> {
        let build = |_| Ok(Blob(key_packages::build(&self.mls, self.me(), false)?));
        let packages = (0..count).map(build).collect::<Result<Vec<_>>>()?;
        let answer = self.post("key-packages", &PublishKeyPackages { packages, last_resort: None }).await?;
        answer.value::<weft_wire::contacts::KeyPackageStock>()?;
        Ok(())
    }

    /// Becomes a contact of the other at once, by a link that the other makes.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn befriend(&self, other: &Device) -> Result<()> {
        let token = random::<16>();
        let link =
            CreateContactLink { token_hash: *blake3::hash(&token).as_bytes(), uses: 1, lifetime_ms: 60_000 };
        let made = other.post("contacts/links", &link).await?;
        anyhow::ensure!(made.status.is_success(), "no link: {:?}", made.problem());
        let request = ContactRequest {
            to: other.user.clone(),
            sealed: Blob(random::<64>().to_vec()),
            token: Some(Blob(token.to_vec())),
        };
        self.post("contacts/requests", &request).await?.value::<weft_wire::contacts::ContactAnswer>()?;
        Ok(())
    }

    /// The id of a room that is going to be made, and what it is made of.
    pub fn new_room(&self) -> (RoomId, RoomNonce) {
        let nonce = RoomNonce(random());
        (RoomId::of_hub(&self.user.node, nonce), nonce)
    }

    /// Makes a direct room with a contact, whose KeyPackages it takes; its own side of it. The other finds a Welcome in
    /// its inbox: see [`Device::join`].
    ///
    /// # Errors
    /// When the node says no.
    pub async fn direct_room(&self, other: &Device) -> Result<Room> {
        let (id, nonce) = self.new_room();
        let (group, group_info) = member::create(&self.mls, self.me(), id)?;
        let mut members = [self.user.clone(), other.user.clone()];
        members.sort();
        let [first, second] = members;
        let create = CreateRoom {
            room: id,
            nonce,
            kind: RoomKind::Direct { members: (first, second) },
            group_info: Blob(group_info),
        };
        let created: RoomCreated = self.post("rooms", &create).await?.value()?;
        anyhow::ensure!(created.existing.is_none(), "the two have a room");
        let mut room = Room { id, group };
        let packages = self.claim(other).await?;
        self.bring_in(&mut room, &packages).await?;
        Ok(room)
    }

    /// Makes a group in which it is alone.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn group(&self) -> Result<Room> {
        let (id, nonce) = self.new_room();
        let (group, group_info) = member::create_group(&self.mls, self.me(), id)?;
        let create = CreateRoom { room: id, nonce, kind: RoomKind::Group, group_info: Blob(group_info) };
        self.post("rooms", &create).await?.value::<RoomCreated>()?;
        Ok(Room { id, group })
    }

    /// Takes the KeyPackages of a contact.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn claim(&self, other: &Device) -> Result<Vec<Blob>> {
        self.claim_at(&format!("users/{}/key-packages", other.user)).await
    }

    /// The same, to bring them into a room, which is what their home notes as their consent.
    ///
    /// # Errors
    /// When the node says no.
    pub async fn claim_for(&self, other: &Device, room: RoomId) -> Result<Vec<Blob>> {
        self.claim_at(&format!("users/{}/key-packages?room={room}", other.user)).await
    }

    async fn claim_at(&self, path: &str) -> Result<Vec<Blob>> {
        let claimed = self.post(path, &()).await?;
        let packages = claimed.value::<ClaimedKeyPackages>()?.packages;
        Ok(packages.into_iter().map(|package| package.key_package).collect())
    }

    /// Adds devices to a room, in one commit.
    ///
    /// # Errors
    /// When MLS or the node says no.
    pub async fn bring_in(&self, room: &mut Room, packages: &[Blob]) -> Result<()> {
        let bytes: Vec<&[u8]> = packages.iter().map(Blob::as_slice).collect();
        let prepared = member::prepare(&self.mls, self.me(), &mut room.group, &bytes, &[], now_ms())?;
        let (id, message) = (room.id, MessageId(random()));
        let commit = SubmitCommit {
            envelope: self.envelope(id, EntryKind::Commit, prepared.epoch, message, prepared.commit),
            group_info: Blob(prepared.group_info),
            welcome: prepared.welcome.map(Blob),
            welcome_to: prepared
                .added
                .iter()
                .map(|cert| DeviceRef { user: cert.user.clone(), device: cert.device })
                .collect(),
        };
        self.post(&format!("rooms/{id}/commits"), &commit).await?.value::<Accepted>()?;
        room.group.merge_pending_commit(&self.mls).map_err(|error| anyhow!("{error}"))?;
        Ok(())
    }

    /// Joins the first room that its inbox holds a Welcome for.
    ///
    /// # Errors
    /// When there is none.
    pub async fn join(&self) -> Result<(Room, u64)> {
        let mut socket = self.socket().await?;
        loop {
            let ServerFrame::Inbox { items } = socket.next().await? else { continue };
            for entry in items {
                if let InboxItem::Welcome { room, welcome, .. } = entry.item {
                    let group = member::join(&self.mls, room, welcome.as_slice())?;
                    return Ok((Room { id: room, group }, entry.seq));
                }
            }
        }
    }

    /// An envelope, signed.
    pub fn envelope(
        &self,
        room: RoomId,
        kind: EntryKind,
        epoch: u64,
        message_id: MessageId,
        body: Vec<u8>,
    ) -> Signed<Envelope> {
        let envelope = Envelope {
            room,
            sender: self.user.clone(),
            device: self.id(),
            message_id,
            kind,
            epoch,
            body: Blob(body),
        };
        Signed::sign(&envelope, &self.key)
    }

    /// An encrypted message, ready to be submitted.
    ///
    /// # Errors
    /// When MLS says no.
    pub fn message(&self, room: &mut Room, id: MessageId, content: &[u8]) -> Result<SubmitMessage> {
        let epoch = room.group.epoch().as_u64();
        let body = member::seal(&self.mls, self.me(), &mut room.group, content)?;
        Ok(SubmitMessage { envelope: self.envelope(room.id, EntryKind::Message, epoch, id, body) })
    }

    /// Opens the socket and says hello.
    ///
    /// # Errors
    /// When the node does not let it in.
    pub async fn socket(&self) -> Result<Socket> {
        let mut socket = Socket::connect(self.node).await?;
        let hello = self.hello(&mut socket).await?;
        socket.send(&hello).await?;
        match socket.next().await? {
            ServerFrame::Ready { .. } => Ok(socket),
            other => bail!("not ready: {other:?}"),
        }
    }

    /// The right answer to a socket's challenge.
    ///
    /// # Errors
    /// When the socket does not begin with one.
    pub async fn hello(&self, socket: &mut Socket) -> Result<ClientFrame> {
        let ServerFrame::Challenge { nonce } = socket.next().await.context("a challenge")? else {
            bail!("a socket begins with a challenge")
        };
        let proof = Signed::sign(&SocketProof { nonce, device: self.id() }, &self.key);
        Ok(ClientFrame::Hello { token: self.token.clone(), proof, inbox_after: 0, vault: false })
    }

    /// Where its account is.
    pub fn node_name(&self) -> &NodeName {
        &self.user.node
    }
}
