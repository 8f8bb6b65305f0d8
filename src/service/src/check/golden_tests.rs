//! One sample of every record that is stored, and the bytes that were once written for it.
//!
//! A file here is a promise: what it holds lies on somebody's disk. `TABLE--SAMPLE--vVERSION.txt` holds the record twice, with
//! its field names readable and in hexadecimal. `WEFT_BLESS=1 cargo nextest run -p weft-service -E 'test(golden)'` writes
//! files for new samples and new versions; it never writes over one. So when a layout changes, either raise the record's
//! version and keep the old file (it must go on to be read, through the migration), or, if the change is a new field with a
//! default, give the old file another sample name, so that it too must go on to be read.

mod banks;
mod guards;
mod links;
mod money;
mod roots;

use super::*;
use crate::{
    inbox::records::{Kept, WelcomeBody},
    rooms::records::{DoorKey, Hub, KeptEnvelope, MemberRecord, Parts},
};
use ed25519_dalek::SigningKey;
use std::{collections::BTreeMap, fs, path::PathBuf};
use weft_store::record::Versioned;
use weft_wire::{
    Blob, DeviceId, MessageId, RoomId, RoomNonce, Signed, UserAddress, UserName,
    accounts::{Recovery, Role},
    contacts::ContactState,
    identity::{DeviceCert, UserIdentity},
    rooms::{DeviceRef, EntryKind, Envelope, RoomKind, RoomRole},
    sync::InboxItem,
};

const TIME_MS: u64 = 1_700_000_000_123;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn alice() -> UserAddress {
    "alice@home.example".parse().unwrap()
}

fn bob() -> UserAddress {
    "bob@other.example".parse().unwrap()
}

fn name() -> UserName {
    alice().name
}

fn blob(len: u8) -> Blob {
    Blob((0..len).collect())
}

fn device() -> DeviceId {
    DeviceId::of_key(&key(2).verifying_key().to_bytes())
}

fn identity() -> Signed<UserIdentity> {
    let identity_key = key(1).verifying_key().to_bytes();
    Signed::sign(
        &UserIdentity { user: alice(), identity_key, seal_key: [7; 32], created_ms: TIME_MS },
        &key(1),
    )
}

fn cert() -> Signed<DeviceCert> {
    let device_key = key(2).verifying_key().to_bytes();
    let cert = DeviceCert {
        user: alice(),
        identity_key: key(1).verifying_key().to_bytes(),
        device: device(),
        device_key,
        created_ms: TIME_MS,
        expires_ms: TIME_MS + 1,
    };
    Signed::sign(&cert, &key(1))
}

fn envelope() -> Signed<Envelope> {
    let envelope = Envelope {
        room: RoomId([3; 16]),
        sender: alice(),
        device: device(),
        message_id: MessageId([4; 16]),
        kind: EntryKind::Message,
        epoch: 5,
        body: blob(9),
    };
    Signed::sign(&envelope, &key(2))
}

/// The bytes of every sample, by the name of its file.
#[derive(Default)]
struct Samples(BTreeMap<String, Vec<u8>>);

impl Samples {
    fn add<R: Record + Versioned>(&mut self, table: Table, sample: &str, record: &R) {
        let bytes = record.to_record();
        assert_eq!(R::from_record(&bytes).unwrap().to_record(), bytes, "{sample}: there and back");
        self.0.insert(format!("{}--{sample}--v{}.txt", table.name, R::VERSION), bytes);
    }
}

fn samples() -> Samples {
    let mut all = Samples::default();
    people(&mut all);
    contacts(&mut all);
    rooms(&mut all);
    inboxes(&mut all);
    nodes(&mut all);
    money::ledger(&mut all);
    money::wallet(&mut all);
    links::links(&mut all);
    roots::roots(&mut all);
    all.add(tables::VAULT, "row", &VaultRow { version: 3, sealed: blob(6), by: device(), change: 12 });
    all.add(tables::VAULT_BOOKS, "book", &VaultBook { records: 4, changes: 12, bytes: Some(24) });
    all
}

fn people(all: &mut Samples) {
    let account = AccountRecord {
        identity: identity(),
        identity_key: key(1).verifying_key().to_bytes(),
        role: Role::Owner,
        opaque: blob(5),
        keyring: blob(6),
        recovery: Recovery { auth_key: [8; 32], sealed: blob(7) },
        credentials: 2,
        changed_by: Some(blob(3)),
        devices: 1,
        created_ms: TIME_MS,
        disabled: false,
    };
    all.add(tables::ACCOUNTS, "account", &account);
    let locked = AccountRecord { role: Role::Member, changed_by: None, disabled: true, ..account };
    all.add(tables::ACCOUNTS, "locked-out", &locked);
    let record = DeviceRecord {
        cert: cert(),
        device_key: key(2).verifying_key().to_bytes(),
        cert_expires_ms: TIME_MS,
        seen_ms: TIME_MS,
        session: Some(blob(4)),
        revoked_ms: None,
    };
    all.add(tables::DEVICES, "device", &record);
    let gone = DeviceRecord { session: None, revoked_ms: Some(TIME_MS), ..record };
    all.add(tables::DEVICES, "tombstone", &gone);
    let session = SessionRecord { name: name(), device: device(), expires_ms: TIME_MS };
    all.add(tables::SESSIONS, "session", &session);
    let invite = InviteRecord { by: Some(name()), uses_left: 3, expires_ms: TIME_MS };
    all.add(tables::INVITES, "of-a-person", &invite);
    all.add(tables::INVITES, "of-the-operator", &InviteRecord { by: None, ..invite });
    let package = PackageRecord { package: blob(9), expires_ms: TIME_MS };
    all.add(tables::KEY_PACKAGES, "package", &package);
    all.add(tables::KEY_PACKAGES_LAST, "package", &package);
}

fn contacts(all: &mut Samples) {
    use crate::contacts::records::Stand;
    for (stand, sample) in [
        (Stand::Outgoing, "outgoing"),
        (Stand::Incoming, "incoming"),
        (Stand::Accepted, "accepted"),
        (Stand::Blocked, "blocked"),
        (Stand::Declined, "declined"),
    ] {
        let sealed = (stand == Stand::Incoming).then(|| blob(5));
        let record = ContactRecord { stand, identity: identity(), sealed, since_ms: TIME_MS };
        all.add(tables::CONTACTS, sample, &record);
    }
    all.add(tables::CONTACT_BOOKS, "book", &BookRecord { contacts: 3, waiting: 1, links: 2 });
    let link = LinkRecord { owner: name(), uses_left: 100, expires_ms: TIME_MS };
    all.add(tables::CONTACT_LINKS, "link", &link);
    all.add(tables::CONSENTS, "consent", &ConsentRecord { until_ms: TIME_MS, used: false });
}

fn rooms(all: &mut Samples) {
    let member = MemberRecord { user: alice(), role: RoomRole::Owner, since: 7, devices: vec![device()] };
    let room = RoomRecord {
        kind: RoomKind::Direct { members: (alice(), bob()) },
        creator: Some(DeviceRef { user: alice(), device: device() }),
        created_ms: TIME_MS,
        epoch: 5,
        members: vec![
            member,
            MemberRecord { user: bob(), role: RoomRole::Member, since: 0, devices: vec![] },
        ],
        gone: vec![DeviceRef { user: bob(), device: device() }],
        left: vec![],
        folded_into: Some(RoomId([9; 16])),
        parts: Parts { id: blob(8), hub: 1, info: 2, members: 0 },
        hub: Hub::Here,
        nonce: None,
    };
    all.add(tables::ROOMS, "direct", &room);
    let with_nonce = RoomRecord { nonce: Some(RoomNonce([8; 16])), ..room.clone() };
    all.add(tables::ROOMS, "with-nonce", &with_nonce);
    let copy = RoomRecord { creator: None, hub: Hub::At(bob().node), ..room.clone() };
    all.add(tables::ROOMS, "copy", &copy);
    let group =
        RoomRecord { kind: RoomKind::Group, members: vec![], gone: vec![], folded_into: None, ..room };
    all.add(tables::ROOMS, "group", &group);
    let inline = LogRecord { time_ms: TIME_MS, envelope: KeptEnvelope::Inline(envelope()) };
    all.add(tables::ROOM_LOG, "inline", &inline);
    let parts = KeptEnvelope::Parts { id: blob(8), count: 3 };
    all.add(tables::ROOM_LOG, "parts", &LogRecord { time_ms: TIME_MS, envelope: parts });
    let id = MessageIdRecord { hash: [6; 32], time_ms: TIME_MS, near: 40, epoch: 5 };
    all.add(tables::ROOM_MESSAGE_IDS, "id", &id);
    all.add(tables::ROOM_CURSORS, "cursor", &CursorRecord { acked: 41, from: 7, left: vec![] });
    let key = DoorKey { hash: [6; 32], by: bob(), approval: true, expires_ms: TIME_MS };
    all.add(tables::ROOM_DOORS, "door", &DoorRecord { keys: vec![key], asking: 3 });
    let asking = AskingRecord { identity: identity(), asked_ms: TIME_MS, approval: true, proof: [5; 32] };
    all.add(tables::ROOM_ASKING, "asking", &asking);
    all.add(tables::ROOMS_ASKED, "asked", &AskedRecord { hub: bob().node, until_ms: TIME_MS });
    all.add(tables::ROOM_ITEMS, "item", &ItemRecord { version: 2, sealed: blob(7) });
}

fn inboxes(all: &mut Samples) {
    let welcome =
        |body| Kept::Welcome { room: RoomId([3; 16]), device: device(), message: MessageId([4; 16]), body };
    let contact = |state, sealed| InboxItem::Contact { user: bob(), state, identity: identity(), sealed };
    for (sample, item) in [
        ("contact", Kept::Item(contact(Some(ContactState::Incoming), Some(blob(5))))),
        ("contact-removed", Kept::Item(contact(None, None))),
        ("welcome", Kept::Item(InboxItem::Welcome { room: RoomId([3; 16]), seq: 4, welcome: blob(6) })),
        ("welcome-inline", welcome(WelcomeBody::Inline(blob(6)))),
        ("welcome-parts", welcome(WelcomeBody::Parts { id: blob(8), count: 2 })),
        (
            "welcome-far",
            Kept::FarWelcome { room: RoomId([3; 16]), seq: 4, body: WelcomeBody::Inline(blob(6)) },
        ),
        ("device-added", Kept::Item(InboxItem::DeviceAdded { cert: cert() })),
        ("device-removed", Kept::Item(InboxItem::DeviceRemoved { device: device() })),
        ("room-folded", Kept::Item(InboxItem::RoomFolded { from: RoomId([3; 16]), into: RoomId([9; 16]) })),
    ] {
        all.add(tables::INBOX, sample, &InboxRecord { time_ms: TIME_MS, item });
    }
}

fn nodes(all: &mut Samples) {
    use crate::{
        federation::records::{Outgoing, PeerState},
        outgoing::Until,
    };
    use weft_wire::{
        Code, Problem,
        federation::{ContactStep, Event, EventResult},
    };
    for (sample, state) in [
        ("pinned", PeerState::Pinned),
        ("stranger", PeerState::Pinned),
        ("trusted", PeerState::Trusted),
        ("quarantined", PeerState::Quarantined { new_key: [5; 32], trusted: true }),
        ("blocked", PeerState::Blocked),
    ] {
        let record = PeerRecord {
            key: [4; 32],
            addresses: vec!["/dns4/other.example/tcp/4001".to_owned()],
            state,
            limit: Some(50),
            first_seen_ms: TIME_MS,
            last_contact_ms: TIME_MS + 1,
            last_error: Some("no answer".to_owned()),
            stranger: sample == "stranger",
        };
        all.add(tables::PEERS, sample, &record);
    }
    let step = ContactStep::Ask { sealed: blob(5), token: Some(blob(4)) };
    let event = Event::Contact { from: alice(), to: bob().name, identity: identity(), step };
    let event = OutboxRecord { time_ms: TIME_MS, item: Outgoing::Event(Box::new(event)) };
    all.add(tables::OUTBOX, "event", &event);
    let item = Outgoing::Room { room: RoomId([3; 16]), state: true };
    let welcome = Outgoing::Welcome {
        room: RoomId([3; 16]),
        by: alice(),
        to: DeviceRef { user: bob(), device: device() },
        device: device(),
        message: MessageId([4; 16]),
        welcome: blob(6),
        long: None,
    };
    all.add(tables::OUTBOX, "welcome", &OutboxRecord { time_ms: TIME_MS, item: welcome.clone() });
    let mut long = welcome;
    if let Outgoing::Welcome { welcome, long, .. } = &mut long {
        *welcome = blob(0);
        *long = Some(crate::outgoing::LongWelcome { id: blob(8), count: 3, last: true });
    }
    all.add(tables::OUTBOX, "welcome-parts", &OutboxRecord { time_ms: TIME_MS, item: long });
    all.add(tables::OUTBOX, "room", &OutboxRecord { time_ms: TIME_MS, item });
    let run = RunRecord { run: [6; 16], base: 7, acked: 9, life: [8; 16] };
    all.add(tables::OUTBOX_RUNS, "run", &run);
    let arrivals = ArrivalRecord { run: [6; 16], upto: 12, over: vec![Blob(vec![5; 16])] };
    all.add(tables::INBOX_PEERS, "arrivals", &arrivals);
    let refused = EventResult::Refused(Problem::new(Code::Forbidden).detail("no"));
    all.add(tables::INBOX_RESULTS, "refused", &ResultRecord { result: refused });
    let accepted = weft_wire::rooms::Accepted { seq: 3, time_ms: TIME_MS, epoch: 2 };
    all.add(tables::INBOX_RESULTS, "accepted", &ResultRecord { result: EventResult::Accepted(accepted) });
    all.add(tables::PEOPLE, "person", &PersonRecord { identity: identity(), first_seen_ms: TIME_MS });
    all.add(tables::ROOM_FOLLOWERS, "follower", &FollowerRecord::from(41));
    let until = Some(Until::Commit { device: device(), message: MessageId([4; 16]) });
    let ended = FollowerRecord { behind_ms: Some(TIME_MS), until, stuck: 1, ..FollowerRecord::from(41) };
    all.add(tables::ROOM_FOLLOWERS, "ended", &ended);
    let left = FollowerRecord { until: Some(Until::Number(40)), ..ended };
    all.add(tables::ROOM_FOLLOWERS, "ended-at", &left);
    let step = ContactStep::Remove;
    let event = Event::Contact { from: alice(), to: bob().name, identity: identity(), step };
    let owed = OutboxRecord { time_ms: TIME_MS, item: Outgoing::Owed(Box::new(event)) };
    all.add(tables::OUTBOX, "owed", &owed);
    all.add(tables::OUTBOX_SAID, "said", &SaidRecord { hash: [7; 32], given_up: true });
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/check/golden")
}

/// Readable, then exact.
fn page(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}\n\n{hex}\n", bytes.escape_ascii())
}

fn bytes_of(page: &str) -> Vec<u8> {
    let hex = page.lines().last().unwrap();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn every_record_is_written_as_it_was() {
    for (file, bytes) in samples().0 {
        let path = folder().join(&file);
        if std::env::var_os("WEFT_BLESS").is_some() && !path.exists() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, page(&bytes)).unwrap();
        }
        let frozen = fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{file} is missing; see the head of golden_tests.rs"));
        assert_eq!(
            page(&bytes),
            frozen,
            "{file}: the record is laid out anew; see the head of golden_tests.rs"
        );
    }
}

#[test]
fn every_record_that_was_ever_written_is_still_read() {
    let mut read = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let table = tables::ALL.iter().find(|table| file.split("--").next() == Some(table.name));
        let table = table.unwrap_or_else(|| panic!("{file} names no table"));
        let bytes = bytes_of(&fs::read_to_string(&path).unwrap());
        check_record(*table, b"", &bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
        read += 1;
    }
    assert!(read > 0);
}

#[test]
fn every_table_with_a_record_has_a_sample() {
    let samples = samples().0;
    for table in tables::ALL {
        let is_raw = check_record(*table, b"", b"").is_ok();
        let is_counter = check_record(*table, b"", &[0; 8]).is_ok();
        let has_sample = samples.keys().any(|file| file.starts_with(&format!("{}--", table.name)));
        assert_eq!(has_sample, !is_raw && !is_counter, "{}", table.name);
    }
}
