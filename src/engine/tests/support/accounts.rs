//! Accounts, sessions and devices of the node in memory.

use super::node::{Answer, Node, answer, problem, read};
use opaque_ke::{
    CredentialFinalization, CredentialRequest, RegistrationRequest, RegistrationUpload, ServerLogin,
    ServerLoginParameters, ServerRegistration,
};
use std::collections::BTreeMap;
use weft_wire::accounts::*;
use weft_wire::contacts::ContactState;
use weft_wire::identity::{DeviceCert, UserIdentity};
use weft_wire::node::{NodeInfo, SignupPolicy};
use weft_wire::opaque::{CONTEXT, Suite, credential_identifier, identifiers};
use weft_wire::sync::{InboxEntry, InboxItem};
use weft_wire::vault::VaultRecord;
use weft_wire::{Blob, Code, DeviceId, Problem, Signed, UserAddress, UserName};

pub struct Device {
    pub cert: Signed<DeviceCert>,
    pub inbox: Vec<InboxEntry>,
    /// The newest item that there ever was.
    pub inbox_newest: u64,
    /// With the time until which each is handed out.
    pub key_packages: Vec<(Blob, u64)>,
    /// Those that were handed out, or had ended.
    pub used: Vec<Blob>,
    pub last_resort: Option<Blob>,
}

impl Device {
    pub fn key(&self) -> [u8; 32] {
        self.cert.peek().unwrap().device_key
    }

    /// Those that nobody will get any more go.
    pub fn drop_ended(&mut self, now: u64) {
        let ended = self.key_packages.extract_if(.., |(_, until)| *until <= now);
        self.used.extend(ended.map(|(package, _)| package));
    }
}

pub struct Account {
    pub user: UserAddress,
    pub identity: Signed<UserIdentity>,
    record: Blob,
    keyring: Blob,
    recovery: Recovery,
    pub devices: BTreeMap<DeviceId, Device>,
    pub revoked: Vec<DeviceId>,
    pub contacts: BTreeMap<UserAddress, (ContactState, Option<Blob>)>,
    pub vault: BTreeMap<[u8; 32], VaultRecord>,
}

fn opaque(message: &str) -> Problem {
    problem(Code::Malformed).detail(message)
}

impl Node {
    pub fn info(&mut self) -> Answer {
        answer(&NodeInfo {
            name: self.name.clone(),
            title: "Home".into(),
            accent: "#336699".into(),
            signup: SignupPolicy::Open,
            claimed: !self.accounts.is_empty(),
            addresses: Vec::new(),
            version: "test".into(),
            time_ms: self.now,
            key: self.money.key().map(|key| Blob(key.to_vec())),
        })
    }

    pub fn account_route(&mut self, words: &[&str], body: &[u8]) -> Answer {
        match words {
            ["accounts", "register", "start"] => {
                let request: RegisterStart = read(body)?;
                if self.accounts.contains_key(&request.name) {
                    return Err(problem(Code::NameTaken));
                }
                self.registration(&request.name, &request.opaque_request)
            }
            ["accounts", "register", "finish"] => self.register_finish(read(body)?),
            ["accounts", "login", "start"] => self.login_start(read(body)?),
            ["accounts", "login", "finish"] => self.login_finish(read(body)?),
            ["accounts", "recover", "start"] => {
                let request: RecoverStart = read(body)?;
                answer(&RecoverChallenge { challenge: Blob(request.name.as_str().as_bytes().to_vec()) })
            }
            ["accounts", "recover", "finish"] => self.recover_finish(read(body)?),
            ["accounts", "password", "start"] => {
                let request: PasswordStart = read(body)?;
                let name = ticket_name(&request.ticket)?;
                self.registration(&name, &request.opaque_request)
            }
            ["accounts", "password", "finish"] => {
                let request: PasswordFinish = read(body)?;
                let name = ticket_name(&request.ticket)?;
                let account = self.accounts.get_mut(&name).unwrap();
                account.record = request.opaque_upload;
                account.keyring = request.keyring;
                let user = account.user.clone();
                self.tokens.retain(|_, (who, _)| *who != user);
                Ok(Vec::new())
            }
            ["devices"] => self.add_device(read(body)?),
            ["sessions"] => self.session(read(body)?),
            _ => Err(problem(Code::NoRoute)),
        }
    }

    fn registration(&mut self, name: &UserName, request: &Blob) -> Answer {
        let request =
            RegistrationRequest::deserialize(request.as_slice()).map_err(|_| opaque("registration"))?;
        let start =
            ServerRegistration::<Suite>::start(&self.opaque, request, credential_identifier(name)).unwrap();
        answer(&RegisterChallenge { opaque_response: Blob(start.message.serialize().to_vec()) })
    }

    fn register_finish(&mut self, request: RegisterFinish) -> Answer {
        if self.accounts.contains_key(&request.name) {
            return Err(problem(Code::NameTaken));
        }
        let identity = request.identity.open().expect("an identity");
        let cert =
            request.device.open_for(&identity.user, &identity.identity_key, self.now).expect("a device");
        assert_eq!(identity.user.name, request.name);
        let account = Account {
            user: identity.user.clone(),
            identity: request.identity,
            record: request.opaque_upload,
            keyring: request.keyring,
            recovery: request.recovery,
            devices: BTreeMap::new(),
            revoked: Vec::new(),
            contacts: BTreeMap::new(),
            vault: BTreeMap::new(),
        };
        self.accounts.insert(request.name, account);
        self.insert_device(&identity.user, request.device, cert.device);
        self.grant(identity.user, cert.device)
    }

    fn insert_device(&mut self, user: &UserAddress, cert: Signed<DeviceCert>, device: DeviceId) {
        let new = Device {
            cert,
            inbox: Vec::new(),
            inbox_newest: 0,
            key_packages: Vec::new(),
            used: Vec::new(),
            last_resort: None,
        };
        self.account(user).unwrap().devices.insert(device, new);
    }

    fn grant(&mut self, user: UserAddress, device: DeviceId) -> Answer {
        let token: String = self.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        self.tokens.insert(token.clone(), (user.clone(), device));
        let role = if self.accounts.len() == 1 { Role::Owner } else { Role::Member };
        let expires_ms = self.now + 30 * 24 * 3_600_000;
        answer(&SessionGranted { user, device, token, expires_ms, role })
    }

    fn login_start(&mut self, request: LoginStart) -> Answer {
        let name = request.name;
        let record = self.accounts.get(&name).map(|account| {
            let upload =
                RegistrationUpload::<Suite>::deserialize(account.record.as_slice()).expect("an upload");
            ServerRegistration::finish(upload)
        });
        let ke1 =
            CredentialRequest::deserialize(request.opaque_request.as_slice()).map_err(|_| opaque("KE1"))?;
        let params = ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(&name) };
        let start = ServerLogin::start(
            &mut self.rng,
            &self.opaque,
            record,
            ke1,
            credential_identifier(&name),
            params,
        )
        .unwrap();
        let state = weft_wire::encode(&(name.clone(), Blob(start.state.serialize().to_vec())));
        let opaque_response = Blob(start.message.serialize().to_vec());
        answer(&LoginChallenge { opaque_response, state: Blob(state) })
    }

    fn login_finish(&mut self, request: LoginFinish) -> Answer {
        let (name, state): (UserName, Blob) = read(request.state.as_slice())?;
        let ke3 = CredentialFinalization::deserialize(request.opaque_finalization.as_slice())
            .map_err(|_| opaque("KE3"))?;
        let params = ServerLoginParameters { context: Some(CONTEXT), identifiers: identifiers(&name) };
        ServerLogin::<Suite>::deserialize(state.as_slice())
            .unwrap()
            .finish(ke3, params)
            .map_err(|_| problem(Code::WrongCredentials))?;
        let account = &self.accounts[&name];
        answer(&AccountOpened {
            user: account.user.clone(),
            identity: account.identity.clone(),
            sealed: account.keyring.clone(),
            ticket: ticket(&name),
        })
    }

    fn recover_finish(&mut self, request: RecoverFinish) -> Answer {
        let claimed = request.proof.peek().map_err(|_| problem(Code::Malformed))?;
        let account = self.accounts.get(&claimed.name).ok_or(problem(Code::WrongRecovery))?;
        let proof =
            request.proof.verify(&account.recovery.auth_key).map_err(|_| problem(Code::WrongRecovery))?;
        assert_eq!(proof.challenge.as_slice(), claimed.name.as_str().as_bytes());
        answer(&AccountOpened {
            user: account.user.clone(),
            identity: account.identity.clone(),
            sealed: account.recovery.sealed.clone(),
            ticket: ticket(&claimed.name),
        })
    }

    fn add_device(&mut self, request: AddDevice) -> Answer {
        let name = ticket_name(&request.ticket)?;
        let account = &self.accounts[&name];
        let (user, identity) = (account.user.clone(), account.identity.open().unwrap());
        let cert = request
            .device
            .open_for(&user, &identity.identity_key, self.now)
            .map_err(|_| problem(Code::BadCertificate))?;
        self.tell(&user, InboxItem::DeviceAdded { cert: request.device.clone() });
        self.insert_device(&user, request.device, cert.device);
        self.grant(user, cert.device)
    }

    fn session(&mut self, request: Signed<SessionRequest>) -> Answer {
        let claimed = request.peek().map_err(|_| problem(Code::Malformed))?;
        let account = self.account(&claimed.user).map_err(|_| problem(Code::Unauthenticated))?;
        if account.revoked.contains(&claimed.device) {
            return Err(problem(Code::DeviceRevoked));
        }
        let device = account.devices.get(&claimed.device).ok_or(problem(Code::Unauthenticated))?;
        let asked = request.verify(&device.key()).map_err(|_| problem(Code::BadSignature))?;
        self.grant(asked.user, asked.device)
    }

    /// The account is made anew by somebody else: the name stays, the keys do not.
    pub fn replace_account(&mut self, name: &str, by: &str) {
        let by: UserName = by.parse().unwrap();
        let name: UserName = name.parse().unwrap();
        let theirs = self.accounts[&by].identity.open().unwrap();
        let kept = self.accounts.get_mut(&name).unwrap();
        // Signed by the other's identity key in this name: all that a node can make up is another key.
        let key = ed25519_dalek::SigningKey::from_bytes(&[66; 32]);
        let identity = UserIdentity {
            user: kept.user.clone(),
            identity_key: key.verifying_key().to_bytes(),
            seal_key: theirs.seal_key,
            created_ms: 0,
        };
        kept.identity = Signed::sign(&identity, &key);
    }

    /// A device that the person knows nothing of.
    pub fn add_foreign_device(&mut self, name: &str, cert: Signed<DeviceCert>, device: DeviceId) {
        let user = self.accounts[&name.parse::<UserName>().unwrap()].user.clone();
        self.insert_device(&user, cert, device);
    }

    /// Signs a device out.
    pub fn revoke(&mut self, user: &UserAddress, device: DeviceId) -> Answer {
        let account = self.account(user)?;
        account.devices.remove(&device).ok_or(problem(Code::NotFound))?;
        account.revoked.push(device);
        self.tokens.retain(|_, (_, of)| *of != device);
        let sockets: Vec<u64> = self.sockets.keys().copied().collect();
        for id in sockets {
            let socket = self.sockets.get_mut(&id).unwrap();
            if socket.who.as_ref().is_some_and(|(_, of)| *of == device) {
                socket.who = None;
                let problem = problem(Code::DeviceRevoked);
                socket.out.push(weft_wire::sync::ServerFrame::Problem { problem, room: None, fatal: true });
            }
        }
        self.tell(user, InboxItem::DeviceRemoved { device });
        self.device_gone(user, device);
        Ok(Vec::new())
    }
}

fn ticket(name: &UserName) -> Blob {
    Blob(format!("ticket {name}").into_bytes())
}

fn ticket_name(ticket: &Blob) -> Result<UserName, Problem> {
    let text = String::from_utf8(ticket.0.clone()).map_err(|_| problem(Code::Expired))?;
    text.strip_prefix("ticket ").and_then(|name| name.parse().ok()).ok_or(problem(Code::Expired))
}
