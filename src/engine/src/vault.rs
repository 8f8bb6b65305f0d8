//! Vault records: what all devices of one account share. Last writer wins; the node sees keyed hashes and ciphertext.
//!
//! A record is written down as changed before anything is sent, and its content is taken from the state when it is sent: so
//! many changes in a row cost one record, and a crash costs none.

use crate::account::{self, Account, devices};
use crate::chats;
use crate::contacts::{self, Contact, Pin};
use crate::groups;
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use crate::sealing;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use weft_wire::vault::{PutVaultRecords, VaultPage, VaultRecord};
use weft_wire::{Blob, Code, DeviceId, Millis, RoomId, UserAddress, bytes, limits};

const RECORDS: &[u8] = b"v/";
/// Records in one request, as the node takes them.
const PUT_MAX: usize = 64;
/// A request ends with the record with which it passes this many bytes; the node takes 900 KiB.
const PUT_BYTES: usize = 512 << 10;
/// What a full vault did not take is tried again so seldom: only somebody's doing makes room there.
const FULL_MS: Millis = 30 * 60_000;
/// Changes are gathered for so long: a draft changes with every key.
const GATHER_MS: Millis = 1_500;

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Name {
    /// What the person calls themselves.
    Profile,
    /// A person's pinned keys.
    Contact(UserAddress),
    /// A chat's draft and rooms.
    Chat(UserAddress),
    /// What a device calls itself.
    Device(DeviceId),
    /// A group's name and draft.
    Group(RoomId),
}

/// What a record says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Profile {
        display_name: String,
    },
    Contact {
        user: UserAddress,
        pin: Pin,
        verified: bool,
        /// When that was decided. Records of before do not say.
        #[serde(default)]
        verified_ms: Millis,
        name: String,
    },
    Chat {
        user: UserAddress,
        draft: String,
        /// Read up to these log numbers.
        read: Vec<(RoomId, u64)>,
    },
    Device {
        device: DeviceId,
        name: String,
    },
    Group {
        room: RoomId,
        /// None: nobody has said it yet.
        name: Option<String>,
        draft: String,
        /// Read up to this log number.
        read: u64,
    },
    /// Of a newer version.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    name: Name,
    #[serde(with = "bytes::array")]
    hash: [u8; 32],
    version: u64,
    dirty: bool,
}

impl Name {
    fn text(&self) -> String {
        match self {
            Name::Profile => "profile".into(),
            Name::Contact(user) => format!("contact/{user}"),
            Name::Chat(user) => format!("chat/{user}"),
            Name::Device(device) => format!("device/{device}"),
            Name::Group(room) => format!("group/{room}"),
        }
    }
}

fn hash(me: &account::Me, name: &Name) -> [u8; 32] {
    *blake3::keyed_hash(&me.secret.vault_name_key(), name.text().as_bytes()).as_bytes()
}

fn key(hash: &[u8; 32]) -> Vec<u8> {
    [RECORDS, hash].concat()
}

/// What a sealed record is bound to: its place and its version, so that the node cannot put an old one in its stead.
fn purpose(hash: &[u8; 32], version: u64) -> Vec<u8> {
    [b"weft/vault\0".as_slice(), hash, &version.to_be_bytes()].concat()
}

/// Notes that this record is another one now.
pub(crate) fn changed(s: &mut State, name: Name) {
    let Some(me) = s.live.me.clone() else { return };
    let hash = hash(&me, &name);
    let old: Option<Known> = s.load(&key(&hash));
    let version = s.live.node_time(s.now).max(old.map_or(0, |known| known.version) + 1);
    s.store(&key(&hash), &Known { name, hash, version, dirty: true });
    let at = s.now + GATHER_MS;
    s.jobs.want_at(Job::PushVault, at);
}

/// Whether this device has changed records that the node does not have.
pub(crate) fn has_changes(s: &mut State) -> bool {
    s.load_all::<Known>(RECORDS).iter().any(|known| known.dirty)
}

/// The vault is full: records are put one by one, so that what is smaller than before gets through.
pub(crate) struct Full {
    /// Then everything is tried again.
    until: Millis,
    /// Which records, at which versions, were refused.
    refused: BTreeSet<([u8; 32], u64)>,
}

impl Full {
    /// Also what the account's records are too many for, and what a record is too large for: it holds up no other one.
    fn says(failure: &Failure) -> bool {
        matches!(failure.code(), Some(Code::Quota | Code::TooMany | Code::TooLarge))
    }
}

/// The job: puts what has changed.
pub(crate) async fn push(cx: &Cx) -> Result<Done, Failure> {
    loop {
        let (known, records, alone) = cx.with(changed_records);
        if records.is_empty() {
            let again = cx.with(|s| s.live.vault_full.as_ref().map(|full| full.until.saturating_sub(s.now)));
            return Ok(again.map_or(Done::Yes, Done::After));
        }
        match http::tell(cx, "PUT", "vault/records", Some(&PutVaultRecords { records })).await {
            Err(failure) if Full::says(&failure) => {
                cx.with(|s| {
                    let until = s.now + FULL_MS;
                    let full = s.live.vault_full.get_or_insert(Full { until, refused: BTreeSet::new() });
                    // Of several it is not known which one it was.
                    let refused = known.iter().filter(|_| alone).map(|known| (known.hash, known.version));
                    full.refused.extend(refused);
                });
                continue;
            }
            other => other?,
        }
        cx.with(|s| {
            for sent in known {
                let unchanged = s.load::<Known>(&key(&sent.hash)).filter(|now| now.version == sent.version);
                if let Some(known) = unchanged {
                    s.store(&key(&sent.hash), &Known { dirty: false, ..known });
                }
            }
        });
    }
}

/// What goes into the next request, and whether that is each record by itself.
fn changed_records(s: &mut State) -> (Vec<Known>, Vec<VaultRecord>, bool) {
    let Some(me) = s.live.me.clone() else { return Default::default() };
    let dirty = s.load_all::<Known>(RECORDS).into_iter().filter(|known| known.dirty).collect::<Vec<_>>();
    let now = s.now;
    s.live.vault_full.take_if(|full| dirty.is_empty() || now >= full.until);
    let (mut known, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
    let alone = s.live.vault_full.is_some();
    for one in dirty {
        let refused = |full: &Full| full.refused.contains(&(one.hash, one.version));
        if s.live.vault_full.as_ref().is_some_and(refused) {
            continue;
        }
        let Some(content) = content(s, &one.name) else { continue };
        let (key, bound) = (me.secret.vault_key(), purpose(&one.hash, one.version));
        let Ok(sealed) = sealing::seal(&mut s.rng, &key, &bound, &weft_wire::encode(&content)) else {
            continue;
        };
        bytes += sealed.len();
        records.push(VaultRecord { name: one.hash, version: one.version, sealed: Blob(sealed) });
        known.push(one);
        if alone || records.len() == PUT_MAX || bytes > PUT_BYTES {
            break;
        }
    }
    (known, records, alone)
}

fn content(s: &mut State, name: &Name) -> Option<Entry> {
    Some(match name {
        Name::Profile => {
            Entry::Profile { display_name: account::account(s).map(|a: Account| a.display_name.clone())? }
        }
        Name::Contact(user) => {
            let contact = contacts::find(s, user)?;
            Entry::Contact {
                user: user.clone(),
                pin: contact.pin?,
                verified: contact.verified,
                verified_ms: contact.verified_ms,
                name: contact.name,
            }
        }
        Name::Chat(user) => {
            let me = s.live.me.clone()?;
            let (draft, read) = chats::shared(s, chats::direct_id(&me.user, user));
            Entry::Chat { user: user.clone(), draft, read }
        }
        Name::Group(room) => {
            let (_, group) = groups::find(s, *room)?;
            let (draft, read) = chats::shared(s, groups::chat_of(*room));
            let read = read.first().map_or(0, |(_, seq)| *seq);
            Entry::Group { room: *room, name: group.heard.then_some(group.name), draft, read }
        }
        Name::Device(device) => Entry::Device { device: *device, name: devices::name(s, device)? },
    })
}

/// The job: all records that the node has. Those that are newer than the known ones count.
pub(crate) async fn pull(cx: &Cx) -> Result<Done, Failure> {
    let mut after = String::new();
    let mut kept = BTreeMap::new();
    loop {
        let path = format!("vault/records{after}");
        let page: VaultPage = http::get(cx, &path).await?;
        cx.with(|s| apply(s, &page.records));
        kept.extend(page.records.iter().map(|record| (record.name, record.version)));
        match page.records.last() {
            Some(last) if page.more => after = format!("?after={}", hex(&last.name)),
            _ => break,
        }
    }
    cx.with(|s| put_back(s, &kept));
    Ok(Done::Yes)
}

/// A node that comes from a backup has forgotten what it had taken: it gets that again.
fn put_back(s: &mut State, kept: &BTreeMap<[u8; 32], u64>) {
    for known in s.load_all::<Known>(RECORDS) {
        let is_there = kept.get(&known.hash).is_some_and(|version| *version >= known.version);
        if !known.dirty && !is_there {
            s.store(&key(&known.hash), &Known { dirty: true, ..known });
            s.jobs.want(Job::PushVault);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes records in that another device has written.
pub(crate) fn apply(s: &mut State, records: &[VaultRecord]) {
    let Some(me) = s.live.me.clone() else { return };
    for record in records {
        let old: Option<Known> = s.load(&key(&record.name));
        if old.is_some_and(|known| known.version >= record.version) {
            continue;
        }
        let bound = purpose(&record.name, record.version);
        let Ok(plain) = sealing::open(&me.secret.vault_key(), &bound, record.sealed.as_slice()) else {
            continue;
        };
        let Ok(entry) = weft_wire::decode::<Entry>(&plain, limits::VAULT_RECORD_BYTES_MAX) else { continue };
        let name = match &entry {
            Entry::Profile { .. } => Name::Profile,
            Entry::Contact { user, .. } => Name::Contact(user.clone()),
            Entry::Chat { user, .. } => Name::Chat(user.clone()),
            Entry::Device { device, .. } => Name::Device(*device),
            Entry::Group { room, .. } => Name::Group(*room),
            Entry::Unknown => continue,
        };
        // Sealed by this account, so only a fault of another device could have put it in the wrong place.
        if hash(&me, &name) != record.name {
            continue;
        }
        s.store(
            &key(&record.name),
            &Known { name, hash: record.name, version: record.version, dirty: false },
        );
        take(s, entry);
    }
}

fn take(s: &mut State, entry: Entry) {
    match entry {
        Entry::Profile { display_name } => {
            // A name that this version would not take is no reason to stop.
            let _ = account::set_display_name(s, &display_name, true);
        }
        Entry::Contact { user, pin, verified, verified_ms, name } => {
            take_contact(s, user, Told { pin, verified, verified_ms, name });
        }
        Entry::Chat { user, draft, read } => {
            if let Some(chat) = chats::with_user(s, &user) {
                chats::take_shared(s, chat, draft, &read);
            }
        }
        Entry::Group { room, name, draft, read } => groups::take_shared(s, room, name, draft, read),
        Entry::Device { device, name } => {
            devices::set_name(s, &device, &name);
        }
        Entry::Unknown => {}
    }
}

/// What another device knows of a person.
#[derive(Clone)]
struct Told {
    pin: Pin,
    verified: bool,
    verified_ms: Millis,
    name: String,
}

/// What another device has pinned. A key that differs from the own pin counts only when a person has compared it there: a new
/// device pins what the node shows it, and a node that withholds the vault from a new device could otherwise change the pin
/// on all of them.
fn take_contact(s: &mut State, user: UserAddress, told: Told) {
    if s.live.me.as_ref().is_none_or(|me| me.user == user) {
        return;
    }
    let now = s.now;
    let mut contact = contacts::find(s, &user).unwrap_or_else(|| Contact::new(user, now));
    if told.verified || contact.pin.is_none_or(|own| own == told.pin) {
        contact.changed = contact.changed.filter(|changed| *changed != told.pin);
    } else {
        contacts::check_pin(s, &mut contact, told.pin);
    }
    let pin = told.pin;
    let knew_less = merge(&mut contact, told);
    contacts::save_quietly(s, &contact);
    if knew_less && contact.pin == Some(pin) {
        changed(s, Name::Contact(contact.user.clone()));
    }
    crate::sync::contact_ready(s, &contact);
}

/// Joins what two devices know of a person. Of a new device that was kept from the vault comes a record that is newer than
/// all others and knows less: nothing is lost by it but what somebody took back. Gives whether the other device has to be told.
fn merge(contact: &mut Contact, told: Told) -> bool {
    let name = contacts::incoming::tidy(&told.name, limits::DISPLAY_NAME_BYTES_MAX);
    let nameless = name.is_empty() && !contact.name.is_empty();
    if !nameless {
        contact.name = name;
    }
    let other_keys = contact.pin.is_some_and(|own| own != told.pin);
    if other_keys && !told.verified {
        return nameless;
    }
    let before = (contact.verified, contact.verified_ms);
    contact.pin = Some(told.pin);
    (contact.verified, contact.verified_ms) = match told.verified_ms.cmp(&contact.verified_ms) {
        // What was decided of other keys says nothing of these.
        _ if other_keys => (told.verified, told.verified_ms),
        Ordering::Greater => (told.verified, told.verified_ms),
        Ordering::Equal => (told.verified || before.0, before.1),
        Ordering::Less => before,
    };
    nameless || (contact.verified, contact.verified_ms) != (told.verified, told.verified_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: Pin = Pin { identity_key: [1; 32], seal_key: [2; 32] };
    const OTHER: Pin = Pin { identity_key: [3; 32], seal_key: [2; 32] };

    fn user() -> UserAddress {
        "bob@home.example".parse().unwrap()
    }

    fn contact(verified: bool, verified_ms: Millis, name: &str) -> Contact {
        let name = name.into();
        Contact { pin: Some(PIN), verified, verified_ms, name, ..Contact::new(user(), 0) }
    }

    fn told(pin: Pin, verified: bool, verified_ms: Millis, name: &str) -> Told {
        Told { pin, verified, verified_ms, name: name.into() }
    }

    fn merged(mut own: Contact, told: Told) -> (bool, Millis, String, bool) {
        let knew_less = merge(&mut own, told);
        (own.verified, own.verified_ms, own.name, knew_less)
    }

    #[test]
    fn who_knows_less_takes_nothing_away() {
        let less = told(PIN, false, 0, "");
        assert_eq!(merged(contact(true, 5, "Bob"), less.clone()), (true, 5, "Bob".into(), true));
        assert_eq!(merged(contact(true, 0, "Bob"), less.clone()), (true, 0, "Bob".into(), true));
        assert_eq!(merged(contact(false, 5, ""), less.clone()), (false, 5, "".into(), true));
        assert_eq!(merged(contact(false, 0, ""), less), (false, 0, "".into(), false));
    }

    #[test]
    fn the_newest_decision_counts_and_so_does_the_newest_name() {
        assert_eq!(merged(contact(true, 5, "Bob"), told(PIN, false, 6, "B")), (false, 6, "B".into(), false));
        assert_eq!(merged(contact(false, 6, "Bob"), told(PIN, true, 5, "B")), (false, 6, "B".into(), true));
        assert_eq!(merged(contact(false, 0, "Bob"), told(PIN, true, 0, "B")), (true, 0, "B".into(), false));
    }

    #[test]
    fn other_keys_count_with_what_was_decided_of_them() {
        let (own, verified) = (contact(true, 5, "Bob"), told(OTHER, true, 4, "B"));
        assert_eq!(merged(own.clone(), verified), (true, 4, "B".into(), false));
        assert_eq!(merged(own, told(OTHER, false, 9, "")), (true, 5, "Bob".into(), true));
    }

    #[test]
    fn two_devices_come_to_the_same_and_are_quiet_then() {
        let cases = [(true, 5), (false, 6), (true, 0), (false, 0)];
        for (a, b) in cases.iter().flat_map(|a| cases.iter().map(move |b| (*a, *b))) {
            let (mut left, mut right) = (contact(a.0, a.1, "Bob"), contact(b.0, b.1, ""));
            let says = |c: &Contact| told(PIN, c.verified, c.verified_ms, &c.name);
            let (from_left, from_right) = (says(&left), says(&right));
            merge(&mut left, from_right);
            merge(&mut right, from_left);
            let now = says(&left);
            assert!(!merge(&mut right, now.clone()) && !merge(&mut left, now), "{a:?} {b:?}");
            assert_eq!((left.verified, &left.name), (right.verified, &right.name), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_record_of_before_opens() {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Before {
            Contact { user: UserAddress, pin: Pin, verified: bool, name: String },
        }
        let before = Before::Contact { user: user(), pin: PIN, verified: true, name: "Bob".into() };
        let entry: Entry = weft_wire::decode(&weft_wire::encode(&before), 1024).unwrap();
        let Entry::Contact { verified: true, verified_ms: 0, .. } = entry else { panic!("{entry:?}") };
    }
}
