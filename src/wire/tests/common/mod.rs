//! One sample of every type that travels, made from fixed keys, and a way to visit all of them.
#![allow(dead_code, clippy::unwrap_used)]

mod bills;
mod wallet;

use ed25519_dalek::SigningKey;
use serde::{Serialize, de::DeserializeOwned};
use weft_wire::{
    Blob, Code, DeviceId, MessageId, Problem, RoomId, RoomNonce, Signed, UserAddress, accounts::*, admin::*,
    contacts::*, content::*, federation::*, identity::*, invites::*, node::*, rooms::*, sync::*, vault::*,
};

/// What is done with each sample.
pub trait Visitor {
    /// Called once a type; `name` is stable.
    fn visit<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(&mut self, name: &str, value: T);
}

pub fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

pub fn alice() -> UserAddress {
    "alice@home.example".parse().unwrap()
}

pub fn bob() -> UserAddress {
    "bob@other.example".parse().unwrap()
}

pub fn identity() -> UserIdentity {
    UserIdentity {
        user: alice(),
        identity_key: key(1).verifying_key().to_bytes(),
        seal_key: [7; 32],
        created_ms: 1_700_000_000_000,
    }
}

pub fn cert() -> DeviceCert {
    let device_key = key(2).verifying_key().to_bytes();
    DeviceCert {
        user: alice(),
        identity_key: key(1).verifying_key().to_bytes(),
        device: DeviceId::of_key(&device_key),
        device_key,
        created_ms: 1_700_000_000_000,
        expires_ms: 1_900_000_000_000,
    }
}

pub fn envelope() -> Envelope {
    Envelope {
        room: RoomId([3; 16]),
        sender: alice(),
        device: cert().device,
        message_id: MessageId([4; 16]),
        kind: EntryKind::Message,
        epoch: 5,
        body: blob(9),
    }
}

pub fn blob(n: usize) -> Blob {
    Blob((0..n).map(|i| i as u8).collect())
}

fn signed_identity() -> Signed<UserIdentity> {
    Signed::sign(&identity(), &key(1))
}

fn signed_cert() -> Signed<DeviceCert> {
    Signed::sign(&cert(), &key(1))
}

fn entry() -> LogEntry {
    LogEntry { seq: 12, time_ms: 1_700_000_000_123, envelope: Signed::sign(&envelope(), &key(2)) }
}

fn device_ref() -> DeviceRef {
    DeviceRef { user: bob(), device: cert().device }
}

fn room_state() -> RoomState {
    RoomState {
        room: RoomId([3; 16]),
        kind: RoomKind::Direct { members: (alice(), bob()) },
        hub: alice().node,
        nonce: Some(RoomNonce([9; 16])),
        epoch: 5,
        head: 12,
        tail: 1,
        members: vec![RoomMember { user: alice(), role: RoomRole::Owner, delivered: 11, missed: vec![] }],
        items: vec![item()],
        gone: vec![device_ref()],
        asking: 3,
    }
}

fn item() -> RoomItem {
    RoomItem { user: bob(), kind: "read".into(), version: 8, sealed: blob(5) }
}

fn record() -> VaultRecord {
    VaultRecord { name: [6; 32], version: 3, sealed: blob(4) }
}

/// Every type, in the order of the modules.
pub fn visit_all(v: &mut impl Visitor) {
    accounts(v);
    people(v);
    rooms(v);
    frames(v);
    nodes(v);
    wallet::visit_all(v);
    bills::visit_all(v);
}

fn accounts(v: &mut impl Visitor) {
    let name: weft_wire::UserName = "alice".parse().unwrap();
    let invite = Some("AAECAwQFBgcICQoLDA0ODw".to_owned());
    v.visit(
        "problem",
        Problem::new(Code::StaleEpoch).detail("epoch 4").current(5).field("epoch").retry_after_ms(9),
    );
    v.visit(
        "node_info",
        NodeInfo {
            name: alice().node,
            title: "Home".into(),
            accent: "#0f766e".into(),
            signup: SignupPolicy::Invite,
            claimed: true,
            addresses: vec!["/ip4/192.0.2.1/tcp/8441".into()],
            version: "0.1.0".into(),
            time_ms: 1,
            key: None,
        },
    );
    v.visit(
        "node_info_key",
        NodeInfo {
            name: alice().node,
            title: "Home".into(),
            accent: "#0f766e".into(),
            signup: SignupPolicy::Open,
            claimed: false,
            addresses: Vec::new(),
            version: "0.2.0".into(),
            time_ms: 1,
            key: Some(blob(32)),
        },
    );
    v.visit(
        "register_start",
        RegisterStart { name: name.clone(), invite: invite.clone(), opaque_request: blob(32) },
    );
    v.visit("register_challenge", RegisterChallenge { opaque_response: blob(64) });
    v.visit(
        "register_finish",
        RegisterFinish {
            name: name.clone(),
            invite,
            opaque_upload: blob(20),
            identity: signed_identity(),
            device: signed_cert(),
            keyring: blob(72),
            recovery: Recovery { auth_key: [8; 32], sealed: blob(72) },
        },
    );
    v.visit(
        "session_granted",
        SessionGranted {
            user: alice(),
            device: cert().device,
            token: "token".into(),
            expires_ms: 2,
            role: Role::Owner,
        },
    );
    v.visit("login_start", LoginStart { name: name.clone(), opaque_request: blob(3) });
    v.visit("login_challenge", LoginChallenge { opaque_response: blob(3), state: blob(2) });
    v.visit("login_finish", LoginFinish { state: blob(2), opaque_finalization: blob(3) });
    v.visit(
        "account_opened",
        AccountOpened { user: alice(), identity: signed_identity(), sealed: blob(72), ticket: blob(9) },
    );
    v.visit("recover_start", RecoverStart { name: name.clone() });
    v.visit("recover_challenge", RecoverChallenge { challenge: blob(4) });
    let proof = RecoverProof { name, node: alice().node, challenge: blob(4) };
    v.visit("recover_finish", RecoverFinish { proof: Signed::sign(&proof, &key(3)) });
    v.visit("password_start", PasswordStart { ticket: blob(9), opaque_request: blob(3) });
    v.visit("password_finish", PasswordFinish { ticket: blob(9), opaque_upload: blob(3), keyring: blob(72) });
    v.visit("add_device", AddDevice { ticket: blob(9), device: signed_cert() });
    v.visit(
        "session_request",
        SessionRequest { user: alice(), device: cert().device, time_ms: 4, nonce: blob(16) },
    );
    v.visit(
        "device_list",
        DeviceList { devices: vec![DeviceInfo { device: cert().device, cert: signed_cert(), seen_ms: 5 }] },
    );
}

fn people(v: &mut impl Visitor) {
    v.visit("create_invite", CreateInvite { uses: 1, lifetime_ms: 86_400_000 });
    v.visit("invite_created", InviteCreated { code: "AAEC".into(), expires_ms: 6 });
    v.visit("link", link());
    v.visit("user_identity", identity());
    v.visit("device_cert", cert());
    v.visit("user_lookup", UserLookup { identity: signed_identity() });
    v.visit("contact_request", ContactRequest { to: bob(), sealed: blob(80), token: Some(blob(16)) });
    v.visit("contact_accept", ContactAccept { sealed: blob(80) });
    v.visit("contact_answer", ContactAnswer { state: ContactState::Accepted });
    v.visit(
        "contact_list",
        ContactList {
            contacts: vec![Contact {
                user: alice(),
                state: ContactState::Incoming,
                identity: signed_identity(),
                sealed: Some(blob(3)),
                since_ms: 7,
            }],
            more: false,
        },
    );
    v.visit("create_contact_link", CreateContactLink { token_hash: [5; 32], uses: 3, lifetime_ms: 8 });
    v.visit(
        "publish_key_packages",
        PublishKeyPackages { packages: vec![blob(3)], last_resort: Some(blob(4)) },
    );
    v.visit("key_package_stock", KeyPackageStock { left: 49, last_resort: true });
    v.visit(
        "claimed_key_packages",
        ClaimedKeyPackages {
            identity: signed_identity(),
            packages: vec![DeviceKeyPackage { device: cert().device, key_package: blob(5) }],
        },
    );
    v.visit(
        "content",
        Content {
            id: MessageId([4; 16]),
            sent_ms: 9,
            kind: "text".into(),
            body: Blob(weft_wire::encode(&Text { text: "你好, bob".into() })),
            fallback: String::new(),
            reply_to: Some(MessageId([5; 16])),
        },
    );
    v.visit("text", Text { text: "hello".into() });
    v.visit("profile", Profile { name: "Alice".into() });
    v.visit("greeting", Greeting { name: "Alice".into(), text: "It is me".into() });
    v.visit("read_cursor", ReadCursor { seq: 11 });
    v.visit("typing", Ephemeral::Typing { on: true });
}

pub fn link() -> Link {
    Link {
        person: Some(LinkPerson {
            user: alice(),
            name: "Alice".into(),
            identity_key: key(1).verifying_key().to_bytes(),
            token: blob(16),
            at: vec!["/ip4/192.0.2.1/tcp/8441".into()],
        }),
        node: Some(alice().node),
        invite: Some("AAECAwQFBgcICQoLDA0ODw".into()),
        group: None,
    }
}

fn rooms(v: &mut impl Visitor) {
    v.visit("envelope", envelope());
    v.visit("log_page", LogPage { entries: vec![entry()], head: 12 });
    v.visit(
        "create_room",
        CreateRoom {
            room: RoomId([3; 16]),
            nonce: RoomNonce([9; 16]),
            kind: RoomKind::Direct { members: (alice(), bob()) },
            group_info: blob(6),
        },
    );
    v.visit("room_kind_group", RoomKind::Group);
    v.visit("room_created", RoomCreated { epoch: 0, existing: Some(RoomId([2; 16])) });
    v.visit("submit_message", SubmitMessage { envelope: Signed::sign(&envelope(), &key(2)) });
    v.visit(
        "submit_commit",
        SubmitCommit {
            envelope: Signed::sign(&envelope(), &key(2)),
            group_info: blob(7),
            welcome: Some(blob(8)),
            welcome_to: vec![device_ref()],
        },
    );
    v.visit("accepted", Accepted { seq: 12, time_ms: 10, epoch: 5 });
    v.visit("group_info_answer", GroupInfoAnswer { epoch: 5, head: 12, group_info: blob(7) });
    v.visit("put_item", PutItem { kind: "read".into(), version: 8, sealed: blob(5) });
    v.visit("room_list", RoomList { rooms: vec![room_state()], more: true });
    v.visit("put_vault_records", PutVaultRecords { records: vec![record()] });
    v.visit("vault_page", VaultPage { records: vec![record()], more: false });
}

fn frames(v: &mut impl Visitor) {
    let room = RoomId([3; 16]);
    let proof = SocketProof { nonce: [1; 32], device: cert().device };
    let hello = ClientFrame::Hello {
        token: "token".into(),
        proof: Signed::sign(&proof, &key(2)),
        inbox_after: 3,
        vault: true,
    };
    v.visit("client_hello", hello);
    v.visit("client_follow", ClientFrame::Follow { rooms: vec![(room, 11)] });
    v.visit("client_ack", ClientFrame::Ack { inbox: Some(4), rooms: vec![(room, 12)] });
    v.visit("client_ephemeral", ClientFrame::Ephemeral { room, sealed: blob(3) });
    v.visit("client_ping", ClientFrame::Ping);
    v.visit("server_challenge", ServerFrame::Challenge { nonce: [1; 32] });
    let ready = ServerFrame::Ready { user: alice(), time_ms: 11, key_packages: 50, inbox: Some(4) };
    v.visit("server_ready", ready);
    v.visit("server_room", ServerFrame::Room { state: room_state() });
    v.visit("server_entries", ServerFrame::Entries { room, entries: vec![entry()] });
    v.visit("server_delivered", ServerFrame::Delivered { room, user: bob(), seq: 12, missed: vec![] });
    let missed = vec![(3, 5), (8, 9)];
    v.visit("server_delivered_missed", ServerFrame::Delivered { room, user: bob(), seq: 12, missed });
    v.visit("server_item", ServerFrame::Item { room, item: item() });
    let ephemeral = ServerFrame::Ephemeral { room, user: bob(), device: cert().device, sealed: blob(3) };
    v.visit("server_ephemeral", ephemeral);
    v.visit("server_vault", ServerFrame::Vault { records: vec![record()] });
    v.visit("server_pong", ServerFrame::Pong);
    let problem = Problem::new(Code::NotFound);
    v.visit("server_problem", ServerFrame::Problem { problem, room: Some(room), fatal: false });
    let inbox = |item| ServerFrame::Inbox { items: vec![InboxEntry { seq: 4, time_ms: 12, item }] };
    let contact = InboxItem::Contact {
        user: bob(),
        state: Some(ContactState::Incoming),
        identity: signed_identity(),
        sealed: Some(blob(3)),
    };
    v.visit("inbox_contact", inbox(contact));
    v.visit("inbox_welcome", inbox(InboxItem::Welcome { room, seq: 1, welcome: blob(8) }));
    v.visit("inbox_device_added", inbox(InboxItem::DeviceAdded { cert: signed_cert() }));
    v.visit("inbox_device_removed", inbox(InboxItem::DeviceRemoved { device: cert().device }));
    v.visit("inbox_room_folded", inbox(InboxItem::RoomFolded { from: room, into: RoomId([2; 16]) }));
}

pub fn node_record() -> NodeRecord {
    NodeRecord {
        name: alice().node,
        key: key(9).verifying_key().to_bytes(),
        addresses: vec!["/ip4/192.0.2.1/udp/4401/quic-v1".into()],
        protocols: vec![PROTOCOL],
        policy: FederationPolicy::Open,
        created_ms: 1_700_000_000_000,
    }
}

fn nodes(v: &mut impl Visitor) {
    let room = RoomId([3; 16]);
    v.visit("node_record", node_record());
    let batch = |event| Batch { from: alice().node, run: [6; 16], first: 3, events: vec![event] };
    let contact =
        |step| batch(Event::Contact { from: alice(), to: bob().name, identity: signed_identity(), step });
    v.visit("event_contact_ask", contact(ContactStep::Ask { sealed: blob(3), token: Some(blob(16)) }));
    v.visit("event_contact_accept", contact(ContactStep::Accept { sealed: Some(blob(3)) }));
    v.visit("event_contact_remove", contact(ContactStep::Remove));
    v.visit(
        "event_room",
        batch(Event::Room {
            room,
            state: Some(room_state()),
            devices: vec![device_ref()],
            entries: vec![entry()],
        }),
    );
    let welcome = Event::Welcome { room, by: alice(), to: device_ref(), seq: 1, welcome: blob(8) };
    v.visit("event_welcome", batch(welcome));
    let message = Event::Message { cert: signed_cert(), envelope: Signed::sign(&envelope(), &key(2)) };
    v.visit("event_message", batch(message));
    v.visit("event_item", batch(Event::Item { room, item: item() }));
    v.visit("event_delivered", batch(Event::Delivered { room, user: bob(), seq: 12, missed: vec![(3, 5)] }));
    v.visit("event_device_gone", batch(Event::DeviceGone { room, device: device_ref() }));
    let accepted = Accepted { seq: 12, time_ms: 10, epoch: 5 };
    v.visit(
        "batch_ack",
        BatchAck {
            upto: 4,
            results: vec![
                (3, EventResult::Accepted(accepted.clone())),
                (4, EventResult::Refused(Problem::new(Code::Forbidden))),
            ],
            problem: Some(Problem::new(Code::StorageUnavailable)),
        },
    );
    v.visit("question_person", Question::Person { by: alice(), user: bob().name });
    v.visit("question_claim", Question::Claim { by: alice(), user: bob().name, room: None });
    v.visit("question_group_info", Question::GroupInfo { room, by: alice() });
    let submit = SubmitCommit {
        envelope: Signed::sign(&envelope(), &key(2)),
        group_info: blob(7),
        welcome: None,
        welcome_to: Vec::new(),
    };
    v.visit("question_commit", Question::Commit { room, cert: signed_cert(), submit });
    v.visit(
        "question_ephemeral",
        Question::Ephemeral { from: alice().node, room, by: device_ref(), sealed: blob(3) },
    );
    v.visit("answer_person", Answer::Person(UserLookup { identity: signed_identity() }));
    let claimed = ClaimedKeyPackages {
        identity: signed_identity(),
        packages: vec![DeviceKeyPackage { device: cert().device, key_package: blob(5) }],
    };
    v.visit("answer_claimed", Answer::Claimed(claimed));
    let group_info = GroupInfoAnswer { epoch: 5, head: 12, group_info: blob(7) };
    v.visit("answer_group_info", Answer::GroupInfo(group_info));
    v.visit("answer_accepted", Answer::Accepted(accepted));
    v.visit("answer_passed", Answer::Passed);
    groups(v, room);
    admin(v);
    v.visit("answer_problem", Answer::Problem(Problem::new(Code::NotFound)));
}

fn admin(v: &mut impl Visitor) {
    let row = PeerRow {
        name: bob().node,
        key: "12D3KooW".into(),
        new_key: None,
        trusted: true,
        blocked: false,
        limit: Some(50),
        connected: Some("/ip4/192.0.2.1/tcp/8441".into()),
        relayed: false,
        addresses: vec![],
        waiting: 3,
        first_seen_ms: 8,
        last_contact_ms: 9,
        last_error: None,
    };
    let addresses = vec!["/ip4/192.0.2.1/tcp/8441".into()];
    v.visit(
        "peer_list",
        PeerList { policy: FederationPolicy::Open, addresses, peers: vec![row], more: false },
    );
    v.visit("judge_peer", JudgePeer { wish: PeerWish::Limit(50) });
}

fn groups(v: &mut impl Visitor, room: RoomId) {
    let link = CreateGroupLink { token_hash: [7; 32], approval: true, lifetime_ms: 9, only: true };
    v.visit("create_group_link", link.clone());
    let hub = alice().node;
    let at = vec!["/ip4/192.0.2.1/tcp/8441".into()];
    v.visit("ask_to_join", AskToJoin { hub: hub.clone(), at: at.clone(), token: blob(32), proof: [5; 32] });
    v.visit("join_asked", JoinAnswer::Asked);
    let request =
        JoinRequest { user: bob(), identity: signed_identity(), asked_ms: 9, approval: true, proof: [5; 32] };
    let requests = JoinRequests { requests: vec![request] };
    v.visit("join_requests", requests.clone());
    v.visit("group_profile", GroupProfile { name: "Hiking".into() });
    v.visit("leave", Leave {});
    let group = LinkGroup { room, hub, name: "Hiking".into(), token: blob(16), at };
    v.visit("link_group", Link { person: None, node: None, invite: None, group: Some(group) });
    let batch = |event| Batch { from: bob().node, run: [6; 16], first: 3, events: vec![event] };
    v.visit("event_left", batch(Event::Left { room, user: bob() }));
    let claim = Question::Claim { by: alice(), user: bob().name, room: Some(room) };
    v.visit("question_claim_in_room", claim);
    let join =
        Question::Join { room, user: bob(), identity: signed_identity(), token: blob(32), proof: [5; 32] };
    v.visit("question_join", join);
    let door = |act| Question::Door { room, by: bob(), act };
    v.visit("question_door_link", door(DoorAct::Link(link)));
    v.visit("question_door_end_links", door(DoorAct::EndLinks));
    v.visit("question_door_requests", door(DoorAct::Requests));
    v.visit("question_door_decline", door(DoorAct::Decline(alice())));
    v.visit("answer_join", Answer::Join(JoinAnswer::Asked));
    v.visit("answer_requests", Answer::Requests(requests));
}
