//! Asking people, by link or by address.

use super::incoming::tidy;
use super::{Contact, GREETING, Pin, address, check_pin, find, save};
use crate::account::{self, me};
use crate::api::ContactView;
use crate::error::{Refusal, call_error, field_error, internal};
use crate::http;
use crate::runtime::{Cx, State};
use crate::sealing::{self, Pair};
use crate::sync;
use weft_wire::contacts::{ContactAnswer, ContactRequest, ContactState, UserLookup};
use weft_wire::content::Greeting;
use weft_wire::identity::UserIdentity;
use weft_wire::invites::{Link, LinkPerson};
use weft_wire::{Blob, UserAddress, limits};

/// A greeting is a line, not a letter.
const GREETING_BYTES_MAX: usize = 500;

enum Target {
    Address(UserAddress),
    Person(LinkPerson),
}

impl Target {
    /// No link is as short as a name, so that the one is never taken for the other.
    fn read(s: &State, text: &str) -> Result<Target, Refusal> {
        if let Ok(user) = address(s, text) {
            return Ok(Target::Address(user));
        }
        let link = Link::parse(text).map_err(|error| call_error("bad_link", error))?;
        let person = link.person.ok_or_else(|| call_error("bad_link", "This link leads to no person."))?;
        Ok(Target::Person(person))
    }

    /// Where the link says that the person's node is, as a query. What is no plain address is nothing to pass on.
    fn at(&self) -> String {
        let Target::Person(person) = self else { return String::new() };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | ':' | '-' | '_');
        let hints: Vec<&str> = person
            .at
            .iter()
            .map(String::as_str)
            .filter(|hint| hint.chars().all(plain))
            .take(limits::PEER_ADDRESSES_MAX)
            .collect();
        if hints.is_empty() { String::new() } else { format!("?at={}", hints.join(",")) }
    }

    fn user(&self) -> &UserAddress {
        match self {
            Target::Address(user) => user,
            Target::Person(person) => &person.user,
        }
    }
}

/// Asks a person, or, by their link, makes them a contact at once.
pub(crate) async fn add(cx: &Cx, target: &str, greeting: &str) -> Result<ContactView, Refusal> {
    let me = cx.with(|s| me(s))?;
    let target = cx.with(|s| Target::read(s, target))?;
    let user = target.user().clone();
    if user == me.user {
        return Err(call_error("own_link", "This is you."));
    }
    if greeting.len() > GREETING_BYTES_MAX {
        return Err(field_error("greeting", "a greeting has at most 500 bytes"));
    }
    let known = cx.with(|s| find(s, &user));
    let before = known.as_ref().and_then(|contact| contact.state);
    if let Some(contact) = known.filter(|c| c.state == Some(ContactState::Accepted) && c.wish.is_none()) {
        if let Target::Person(person) = &target {
            cx.with(|s| check_link(s, contact.clone(), person))?;
        }
        return contact.view(&me.user).ok_or_else(|| internal("contact"));
    }
    let lookup: UserLookup = http::get(cx, &format!("users/{user}{}", target.at())).await?;
    let identity = lookup.identity.open().map_err(|_| internal("identity"))?;
    if identity.user != user {
        return Err(internal("identity"));
    }
    if let Target::Person(person) = &target
        && person.identity_key != identity.identity_key
    {
        return Err(call_error(
            "key_changed",
            "The node shows another key for this person than the link does.",
        ));
    }
    let token = match &target {
        Target::Person(person) => Some(person.token.clone()),
        Target::Address(_) => None,
    };
    let sealed = cx.with(|s| -> Result<_, Refusal> {
        let now = s.now;
        let mut contact = find(s, &user).unwrap_or_else(|| Contact::new(user.clone(), now));
        if !check_pin(s, &mut contact, Pin::from(&identity)) {
            save(s, &contact);
            return Err(call_error("key_changed", "This person's key is another one than before."));
        }
        seal_greeting(s, &identity, greeting)
    })?;
    let request = ContactRequest { to: user.clone(), sealed, token };
    let answer: ContactAnswer = http::post(cx, "contacts/requests", &request).await?;
    cx.with(|s| {
        let now = s.now;
        let mut contact = find(s, &user).unwrap_or_else(|| Contact::new(user.clone(), now));
        check_pin(s, &mut contact, Pin::from(&identity));
        // Nobody answers to a link, so that no greeting will ever bring their name: what the link says has to do until
        // they change it. A name that they gave themselves stands above it.
        if contact.name.is_empty()
            && let Target::Person(person) = &target
        {
            contact.name = tidy(&person.name, limits::DISPLAY_NAME_BYTES_MAX);
        }
        // The other node may have agreed while this answer was under way: that it waits for them is no news then.
        let agreed = contact.state == Some(ContactState::Accepted) && contact.state != before;
        let state = if agreed { contact.state } else { Some(answer.state) };
        if contact.state != state {
            contact.since_ms = now;
        }
        contact.state = state;
        contact.wish = None;
        save(s, &contact);
        sync::contact_ready(s, &contact);
        contact.view(&me.user).ok_or_else(|| internal("contact"))
    })
}

/// A link or code of somebody who is a contact already says nothing new, unless it names another key: then either the link
/// or what the node has shown since the beginning is not theirs, and nothing is sent until a person has decided.
fn check_link(s: &mut State, mut contact: Contact, link: &LinkPerson) -> Result<(), Refusal> {
    let Some(pin) = contact.pin else { return Ok(()) };
    if pin.identity_key == link.identity_key {
        return Ok(());
    }
    // A link names no key for sealing.
    check_pin(s, &mut contact, Pin { identity_key: link.identity_key, ..pin });
    save(s, &contact);
    Err(call_error("key_changed", "The link shows another key for this person than the one known here."))
}

/// Seals a line of greeting, with the own name, to a person.
pub(super) fn seal_greeting(s: &mut State, to: &UserIdentity, text: &str) -> Result<Blob, Refusal> {
    let me = me(s)?;
    let name = account::account(s).map(|account| account.display_name.clone()).unwrap_or_default();
    let greeting = weft_wire::encode(&Greeting { name, text: text.trim().to_owned() });
    let pair = Pair { from: &me.user, to: &to.user };
    let sealed = sealing::seal_to(&mut s.rng, &me.seal_key, &to.seal_key, &pair, GREETING, &greeting)?;
    Ok(Blob(sealed))
}
