//! What the node tells about contacts: inbox items, and the whole list for a new device.

use super::{Contact, GREETING, Pin, Wish, check_pin, find, save};
use crate::account;
use crate::http::{self, Failure};
use crate::jobs::Done;
use crate::runtime::{Cx, State};
use crate::sealing::{self, Pair};
use crate::sync;
use weft_wire::contacts::{ContactList, ContactState, UserLookup};
use weft_wire::content::Greeting;
use weft_wire::identity::UserIdentity;
use weft_wire::{Blob, Millis, Signed, UserAddress, limits, text};

/// How a person stands to this account, as the node tells it.
pub(crate) struct News<'a> {
    pub user: &'a UserAddress,
    pub state: Option<ContactState>,
    pub identity: &'a Signed<UserIdentity>,
    pub sealed: Option<&'a Blob>,
    pub since_ms: Millis,
}

/// Takes news in. False: they make no sense and were left aside.
pub(crate) fn take(s: &mut State, news: &News<'_>) -> bool {
    let Some(me) = s.live.me.clone() else { return false };
    let Ok(identity) = news.identity.open() else { return false };
    if &identity.user != news.user || news.user == &me.user {
        return false;
    }
    let mut contact = find(s, news.user).unwrap_or_else(|| Contact::new(news.user.clone(), news.since_ms));
    let same_keys = check_pin(s, &mut contact, Pin::from(&identity));
    if let Some(sealed) = news.sealed
        && same_keys
        && let Some(greeting) = open_greeting(&me, &identity, sealed)
    {
        contact.name = greeting.name;
        if !greeting.text.is_empty() || news.state == Some(ContactState::Incoming) {
            contact.greeting = greeting.text;
        }
    }
    // A decision of this person that the node has not heard yet stands above what it said before.
    let state = match (&contact.wish, news.state) {
        (Some(Wish::Accept(_)), Some(ContactState::Accepted)) | (None, _) => {
            contact.wish = None;
            news.state
        }
        (Some(_), _) => contact.state,
    };
    if contact.state != state {
        contact.state = state;
        contact.since_ms = news.since_ms;
    }
    save(s, &contact);
    sync::contact_ready(s, &contact);
    true
}

fn open_greeting(me: &account::Me, from: &UserIdentity, sealed: &Blob) -> Option<Greeting> {
    if sealed.len() > limits::SEALED_GREETING_BYTES_MAX {
        return None;
    }
    let pair = Pair { from: &from.user, to: &me.user };
    let plain = sealing::open_from(&me.seal_key, &from.seal_key, &pair, GREETING, sealed.as_slice()).ok()?;
    let mut greeting: Greeting = weft_wire::decode(&plain, limits::SEALED_GREETING_BYTES_MAX).ok()?;
    greeting.name = tidy(&greeting.name, limits::DISPLAY_NAME_BYTES_MAX);
    // One line in a list.
    greeting.text = cut(&text::body(&greeting.text).replace('\n', " "), limits::SEALED_GREETING_BYTES_MAX);
    Some(greeting)
}

/// What others call themselves is shown in lists: by the rule for names, and not endless.
pub(crate) fn tidy(name: &str, bytes_max: usize) -> String {
    cut(&text::name(name), bytes_max)
}

/// As much as fits, without the blanks around it.
fn cut(text: &str, bytes_max: usize) -> String {
    let text = text.trim();
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default().trim_end().to_owned()
}

/// The job: what the node shows for a person now, compared with the pin. A difference is an alarm.
pub(crate) async fn check_keys(cx: &Cx, user: &UserAddress) -> Result<Done, Failure> {
    let lookup: UserLookup = match http::get(cx, &format!("users/{user}")).await {
        Ok(lookup) => lookup,
        Err(failure) if failure.is_final() => return Ok(Done::Yes),
        Err(failure) => return Err(failure),
    };
    let identity = lookup.identity.open().map_err(|_| Failure::Nonsense("an identity that is none"))?;
    cx.with(|s| {
        let Some(mut contact) = find(s, user).filter(|_| identity.user == *user) else { return };
        check_pin(s, &mut contact, Pin::from(&identity));
        save(s, &contact);
    });
    Ok(Done::Yes)
}

/// The job of a new device: all contacts, once.
pub(crate) async fn pull(cx: &Cx) -> Result<Done, Failure> {
    if cx.with(|s| account::sync_state(s).contacts_pulled) {
        return Ok(Done::Yes);
    }
    let mut after = String::new();
    loop {
        let path = if after.is_empty() { "contacts".to_owned() } else { format!("contacts?after={after}") };
        let page: ContactList = http::get(cx, &path).await?;
        cx.with(|s| {
            for contact in &page.contacts {
                take(
                    s,
                    &News {
                        user: &contact.user,
                        state: Some(contact.state),
                        identity: &contact.identity,
                        sealed: contact.sealed.as_ref(),
                        since_ms: contact.since_ms,
                    },
                );
            }
        });
        match page.contacts.last() {
            Some(last) if page.more => after = last.user.to_string(),
            _ => break,
        }
    }
    cx.with(|s| {
        let mut state = account::sync_state(s);
        state.contacts_pulled = true;
        account::set_sync_state(s, &state);
    });
    Ok(Done::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_turn_the_line_around() {
        assert_eq!(tidy(" \u{202e}ecila\u{202c}\u{2066}\u{200f}\0\n ", 128), "ecila");
        assert_eq!(tidy("صديق 👩‍👧", 128), "صديق 👩‍👧", "what people write stays");
        assert_eq!(tidy("ééé", 5), "éé");
    }

    #[test]
    fn two_names_cannot_look_alike() {
        for name in
            ["bo\u{200b}b", "\u{2800} bob", "bob \u{200d}", "b\u{2060}ob\u{fe0f}", "\u{200e} bob \u{200e}"]
        {
            assert_eq!(tidy(name, 128), "bob", "{}", name.escape_unicode());
        }
    }
}
