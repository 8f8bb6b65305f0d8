//! People: how one stands to them, and which keys are pinned for them.

pub(crate) mod answers;
pub(crate) mod incoming;
pub(crate) mod links;
pub(crate) mod requests;
pub mod safety;

use crate::api::{ContactView, Event};
use crate::chats;
use crate::error::{Refusal, call_error, field_error};
use crate::runtime::State;
use crate::shelf::sorted;
use crate::sync;
use crate::vault;
use serde::{Deserialize, Serialize};
use weft_wire::contacts::ContactState;
use weft_wire::identity::UserIdentity;
use weft_wire::{Blob, Millis, NameError, UserAddress, bytes};

const CONTACTS: &[u8] = b"c/";

/// What a greeting is sealed for.
const GREETING: &[u8] = b"weft/greeting";

/// The keys that stand for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pin {
    /// Certifies their devices.
    #[serde(with = "bytes::array")]
    pub identity_key: [u8; 32],
    /// Greetings are sealed to it.
    #[serde(with = "bytes::array")]
    pub seal_key: [u8; 32],
}

impl From<&UserIdentity> for Pin {
    fn from(identity: &UserIdentity) -> Self {
        Pin { identity_key: identity.identity_key, seal_key: identity.seal_key }
    }
}

/// An answer that the node has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wish {
    Accept(Blob),
    Decline,
    Block,
    Remove,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub user: UserAddress,
    /// None: no contact (any more); kept for its pin.
    pub state: Option<ContactState>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub greeting: String,
    pub since_ms: Millis,
    #[serde(default)]
    pub pin: Option<Pin>,
    #[serde(default)]
    pub verified: bool,
    /// When a person decided that they are verified, or are not, by the node's clock. 0: nobody has, or long ago.
    #[serde(default)]
    pub verified_ms: Millis,
    /// Other keys than the pinned ones turned up; nothing is sent until a person has decided.
    #[serde(default)]
    pub changed: Option<Pin>,
    #[serde(default)]
    pub wish: Option<Wish>,
}

impl Contact {
    pub fn new(user: UserAddress, now: Millis) -> Self {
        Contact {
            user,
            state: None,
            name: String::new(),
            greeting: String::new(),
            since_ms: now,
            pin: None,
            verified: false,
            verified_ms: 0,
            changed: None,
            wish: None,
        }
    }

    /// The name to show.
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.user.name.to_string() } else { self.name.clone() }
    }

    /// Whether messages may go to them now.
    pub fn may_send(&self) -> bool {
        self.state == Some(ContactState::Accepted) && self.changed.is_none() && self.wish.is_none()
    }

    pub fn view(&self, own: &UserAddress) -> Option<ContactView> {
        let state = state_name(self.state?);
        let chat = self.state == Some(ContactState::Accepted);
        Some(ContactView {
            user: self.user.to_string(),
            display_name: self.title(),
            state: state.into(),
            greeting: self.greeting.clone(),
            verified: self.verified && self.changed.is_none(),
            key_changed: self.changed.is_some(),
            chat: chat.then(|| chats::direct_id(own, &self.user).to_string()),
            since_ms: self.since_ms as f64,
        })
    }
}

pub(crate) fn state_name(state: ContactState) -> &'static str {
    match state {
        ContactState::Outgoing => "outgoing",
        ContactState::Incoming => "incoming",
        ContactState::Accepted => "accepted",
        ContactState::Blocked => "blocked",
    }
}

fn key(user: &UserAddress) -> Vec<u8> {
    [CONTACTS, user.to_string().as_bytes()].concat()
}

/// What is known of a person.
pub(crate) fn find(s: &mut State, user: &UserAddress) -> Option<Contact> {
    s.load(&key(user))
}

/// Whether this person is blocked: nothing of theirs is shown, and they are told nothing.
pub(crate) fn is_blocked(s: &mut State, user: &UserAddress) -> bool {
    find(s, user).is_some_and(|contact| contact.state == Some(ContactState::Blocked))
}

/// All people, contacts or not.
pub(crate) fn all(s: &mut State) -> Vec<Contact> {
    s.load_all(CONTACTS)
}

/// Keeps a person and tells the interface and, when what all devices share has changed, the vault.
pub(crate) fn save(s: &mut State, contact: &Contact) {
    let old = find(s, &contact.user);
    let shared = |c: &Contact| (c.pin, c.verified, c.verified_ms, c.name.clone());
    if old.as_ref().map(shared) != Some(shared(contact)) && contact.pin.is_some() {
        vault::changed(s, vault::Name::Contact(contact.user.clone()));
    }
    save_quietly(s, contact);
}

/// As [`save`], for what came out of the vault.
pub(crate) fn save_quietly(s: &mut State, contact: &Contact) {
    s.store(&key(&contact.user), contact);
    sync::rooms::set_pin(s, contact);
    let Some(me) = s.live.me.clone() else { return };
    match contact.view(&me.user) {
        Some(view) => s.event(Event::Contacts(vec![view])),
        None => s.event(Event::ContactRemoved { user: contact.user.to_string() }),
    }
    chats::contact_changed(s, contact);
}

/// The person whom somebody means who writes `bob@home.example` or, for people of the own node, only `bob`.
pub(crate) fn address(s: &State, text: &str) -> Result<UserAddress, NameError> {
    match (&s.live.me, text.contains('@')) {
        (Some(me), false) => Ok(UserAddress::new(text.parse()?, me.user.node.clone())),
        _ => text.parse(),
    }
}

/// A contact, by the address that the interface gave.
pub(crate) fn by_address(s: &mut State, user: &str) -> Result<Contact, Refusal> {
    let user = address(s, user).map_err(|error| field_error("user", error))?;
    find(s, &user).ok_or_else(|| call_error("unknown_contact", "This person is no contact."))
}

/// All contacts and requests, by name.
pub(crate) fn views(s: &mut State) -> Vec<ContactView> {
    let Some(me) = s.live.me.clone() else { return Vec::new() };
    let views = all(s).iter().filter_map(|contact| contact.view(&me.user)).collect();
    sorted(views, |view: &ContactView| format!("{}\0{}", view.display_name.to_lowercase(), view.user))
}

/// Compares keys with the pinned ones; pins them when there are none. False: they are others, and the person is told.
pub(crate) fn check_pin(s: &mut State, contact: &mut Contact, found: Pin) -> bool {
    match contact.pin {
        None => {
            contact.pin = Some(found);
            true
        }
        Some(pin) if pin == found => {
            contact.changed = None;
            true
        }
        Some(_) => {
            if contact.changed != Some(found) {
                contact.changed = Some(found);
                let user = Some(contact.user.to_string());
                s.event(Event::Notice { code: "key_changed".into(), user });
                chats::key_changed(s, &contact.user);
            }
            false
        }
    }
}
