//! What the terminal shows of the engine's news.

use super::out;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io;
use weft_engine::api::{
    AssetView, BodyView, CallError, ChatView, ConnectionView, ContactView, DeliveryView, DeviceView,
    MessageView, PersonView, UnsureView,
};
use weft_wire::time;

/// The terminal does not echo for as long as this lives.
pub struct NoEcho(Option<Termios>);

impl NoEcho {
    /// Switches the echo off; nothing where standard input is no terminal.
    pub fn start() -> NoEcho {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        }
        NoEcho(before)
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// `03:05 bob@home.example: hello`, in a group `03:05 [Lunch] Bob (bob@home.example): hello`, and for one's own how far it came.
pub fn message(message: &MessageView, group: Option<&str>) {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // times are whole, positive and below 2^53
    let time = time::minute(message.time_ms as u64);
    let clock = time.split_once(' ').map_or(time.as_str(), |(_, clock)| clock);
    let place = group.map_or_else(String::new, |group| format!("[{}] ", out::plain(group)));
    let text = match &message.body {
        BodyView::Text { text } => out::body(text),
        BodyView::Transfer { asset, amount, note, .. } => {
            format!("[transfer of {}] {}", sum(amount, asset), out::plain(note))
        }
        BodyView::Packet { greeting, .. } => format!("[red packet] {}", out::plain(greeting)),
        BodyView::Request { asset, total, note, .. } => {
            format!("[asks for {}] {}", sum(total, asset), out::plain(note))
        }
        BodyView::Paid { asset, amount, .. } => format!("[paid {}]", sum(amount, asset)),
        BodyView::Invoice { number, asset, total, .. } => {
            format!("[invoice {number} for {}]", sum(total, asset))
        }
        BodyView::Unknown { fallback } => format!("[{}]", out::body(fallback)),
        BodyView::System { code, user, by, people, text } => {
            let line = in_group(code, by.as_ref(), people, text)
                .unwrap_or_else(|| system(code, user.as_deref().unwrap_or_default()));
            return out::line(format_args!("{clock} {place}* {line}"));
        }
    };
    let who = match &message.sender_name {
        _ if message.mine => "me".to_owned(),
        Some(name) => format!("{} ({})", out::plain(name), out::plain(&message.sender)),
        None => out::plain(&message.sender),
    };
    out::line(format_args!("{clock} {place}{who}: {text}{}", delivery(message.delivery)));
}

/// What happened to a group; none: it is a line of another kind.
fn in_group(code: &str, by: Option<&PersonView>, people: &[PersonView], text: &str) -> Option<String> {
    let by = by.map(|by| out::plain(&by.name)).unwrap_or_default();
    let people = people.iter().map(|person| out::plain(&person.name)).collect::<Vec<_>>().join(", ");
    // By whom is not known where this device could not follow.
    let made = |what: &str| match by.is_empty() {
        true => format!("{people} became {what}"),
        false => format!("{by} made {people} {what}"),
    };
    Some(match code {
        "created" => format!("{by} made this group"),
        "named" => format!("{by} named the group \"{}\"", out::plain(text)),
        "added" => format!("{by} added {people}"),
        "removed" => format!("{by} removed {people}"),
        "left" => format!("{people} left"),
        "gone" => format!("{people}: not in this group any more"),
        "came_meanwhile" => format!("{people} came while this device could not follow"),
        "went_meanwhile" => format!("{people} went while this device could not follow"),
        "owner" => made("an owner"),
        "admin" => made("an admin"),
        "member" => made("a member without a role"),
        "removed_me" => "you were removed from this group".to_owned(),
        "left_me" => "you left this group".to_owned(),
        "not_added" => format!("{people} could not be added"),
        "not_made" => format!("the node did not take this group ({})", out::plain(text)),
        _ => return None,
    })
}

/// What happened in a chat.
fn system(code: &str, user: &str) -> String {
    let user = out::plain(user);
    match code {
        "secured" => "encrypted end to end: only the two of you can read this".to_owned(),
        "joined" => "this device reads from here on".to_owned(),
        "resynced" => "this device caught up; some messages may be missing".to_owned(),
        "undecryptable" => "a message that this device cannot open".to_owned(),
        "device_added" => format!("{user} uses a new device"),
        "key_changed" => format!("the safety number of {user} has changed"),
        other => format!("{} {user}", out::plain(other)),
    }
}

/// What should not be overlooked.
pub fn notice(code: &str, user: &str) -> String {
    let user = out::plain(user);
    match code {
        "device_added" => {
            "a new device has signed in to your account; if that was not you, sign it out".to_owned()
        }
        "foreign_device" => {
            "a device that your keys never approved has appeared on your account; write nothing that matters \
                             until the node's operator has explained it"
                .to_owned()
        }
        "key_changed" => format!(
            "the key of {user} is another one than before; nothing is sent until you compare — /safety {user}"
        ),
        "signed_out_remotely" => "this device was signed out".to_owned(),
        "state_damaged" => "something that was kept here could not be read".to_owned(),
        other => format!("{} {user}", out::plain(other)),
    }
}

/// Why something was not done. The node's own sentences are made for every place where they may stand; here it is known
/// what was asked for.
pub fn sentence(error: &CallError) -> String {
    let wait = error.retry_after_ms.map(|ms| format!(" Try again in {:.0} s.", (ms / 1000.0).ceil()));
    let text = match error.code.as_str() {
        "not_found" => "There is nobody of that name.".to_owned(),
        "bad_link" => {
            "This is neither a link, nor an address, nor the name of somebody on your node.".to_owned()
        }
        _ => out::plain(&error.message),
    };
    format!("{text}{}", wait.unwrap_or_default())
}

fn delivery(delivery: DeliveryView) -> &'static str {
    match delivery {
        DeliveryView::None | DeliveryView::Sent => "",
        DeliveryView::Queued => "  (waiting)",
        DeliveryView::Sending => "  (sending)",
        DeliveryView::Delivered => "  (delivered)",
        DeliveryView::Read => "  (read)",
        DeliveryView::Failed => "  (failed)",
    }
}

/// One line of `/contacts`.
pub fn contact(contact: &ContactView) {
    let name = out::plain(&contact.display_name);
    let marks = [(contact.verified, "verified"), (contact.key_changed, "KEY CHANGED")];
    let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    out::line(format_args!(
        "{:<40} {:<10} {name} {}",
        out::plain(&contact.user),
        contact.state,
        marks.join(", ")
    ));
}

/// Somebody asks to be a contact, or has become one.
pub fn contact_news(contact: &ContactView) {
    let user = out::plain(&contact.user);
    match contact.state.as_str() {
        "incoming" => out::line(format_args!(
            "* {user} ({}) would like to talk: {} — /accept {user} or /decline {user}",
            out::plain(&contact.display_name),
            out::body(&contact.greeting)
        )),
        "accepted" => out::line(format_args!("* {user} is a contact — /to {user}")),
        _ => {}
    }
}

/// One line of `/chats`.
pub fn chat(chat: &ChatView) {
    let who = match (&chat.user, &chat.group) {
        (Some(user), _) => out::plain(user),
        (None, Some(group)) if group.unsure => "group (you decide: /enter or /leave)".to_owned(),
        (None, Some(group)) if group.state == "active" => format!("group of {}", group.members),
        (None, Some(group)) => format!("group ({})", out::plain(&group.state)),
        (None, None) => String::new(),
    };
    out::line(format_args!("{who:<40} {} unread  {}", chat.unread, out::plain(&chat.title)));
}

/// A group that this device does not enter by itself, and who would be in it.
pub fn unsure(title: &str, people: &[UnsureView]) -> Vec<String> {
    let title = out::plain(title);
    if people.is_empty() {
        return vec![format!(
            "* ATTENTION: what the node says of the group {title} cannot be verified, and there is nothing to enter; \
             wait, or /leave {title}"
        )];
    }
    let mut lines = vec![format!(
        "* ATTENTION: this device could not follow the group {title}. It would enter one with these people:"
    )];
    lines.extend(people.iter().map(|one| {
        let marks = [(one.new, "NEW"), (one.changed, "ANOTHER KEY"), (one.risen, "A HIGHER ROLE")];
        let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let (user, name, role) = (out::plain(&one.user), out::plain(&one.name), out::plain(&one.role));
        format!("    {user:<40} {role:<7} {name} {}", marks.join(", ")).trim_end().to_owned()
    }));
    lines.push(format!("* ask them by another way, then /enter {title} or /leave {title}"));
    lines
}

/// One line of `/devices`.
pub fn device(device: &DeviceView) -> String {
    let name = if device.name.is_empty() { String::new() } else { format!("  {}", out::plain(&device.name)) };
    let marks = [(device.this, "  this one"), (device.foreign, "  NOT APPROVED BY YOUR KEYS")];
    let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
    format!("{}{name}{marks}", device.device)
}

/// The connection, when it comes and goes.
pub fn connection(state: &ConnectionView) {
    match state {
        ConnectionView::Online => out::note("* connected"),
        ConnectionView::Offline { .. } => {
            out::note("* offline; what you write is sent when the node is back")
        }
        ConnectionView::Connecting => {}
    }
}

/// An amount of minor units, as people write it.
fn sum(minor: &str, asset: &AssetView) -> String {
    let scale = usize::from(asset.scale);
    let digits = format!("{minor:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at_checked(digits.len() - scale).unwrap_or((minor, ""));
    let point = if part.is_empty() { "" } else { "." };
    format!("{whole}{point}{part} {}", out::plain(&asset.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_and_drives_nothing() {
        let error = |code: &str, message: &str| CallError {
            code: code.into(),
            message: message.into(),
            field: None,
            retry_after_ms: None,
        };
        assert_eq!(sentence(&error("not_found", "Not found.")), "There is nobody of that name.");
        assert!(sentence(&error("bad_link", "x")).contains("neither a link"));
        assert_eq!(sentence(&error("offline", "No\u{202e} \x1b[2Jnode.")), "No [2Jnode.");
        let wait = CallError { retry_after_ms: Some(1_200.0), ..error("rate_limited", "Too many.") };
        assert_eq!(sentence(&wait), "Too many. Try again in 2 s.");
    }

    #[test]
    fn sums_have_their_point_where_the_asset_has_it() {
        let asset = |scale| AssetView { id: "1".into(), issuer: "n".into(), code: "EUR".into(), scale };
        for (minor, scale, text) in
            [("1234", 2, "12.34 EUR"), ("5", 2, "0.05 EUR"), ("7", 0, "7 EUR"), ("1000", 3, "1.000 EUR")]
        {
            assert_eq!(sum(minor, &asset(scale)), text);
        }
    }

    #[test]
    fn what_happens_to_a_group_is_said_with_names_that_drive_nothing() {
        let person = |name: &str| PersonView { user: "bob@home.example".into(), name: name.into() };
        let (alice, others) = (person("Alice"), [person("Bob"), person("Ca\u{202e}rol")]);
        let line = |code: &str| in_group(code, Some(&alice), &others, "Lu\x1bnch");
        assert_eq!(line("added").unwrap(), "Alice added Bob, Carol");
        assert_eq!(line("named").unwrap(), "Alice named the group \"Lunch\"");
        assert_eq!(in_group("removed_me", None, &[], "").unwrap(), "you were removed from this group");
        assert_eq!(line("admin").unwrap(), "Alice made Bob, Carol an admin");
        assert_eq!(in_group("admin", None, &others, "").unwrap(), "Bob, Carol became an admin");
        assert_eq!(line("secured"), None);
    }

    #[test]
    fn a_group_that_is_not_the_known_one_is_shown_with_what_differs() {
        let bob = UnsureView {
            user: "bob@home.example".into(),
            name: "Bo\u{202e}b".into(),
            role: "admin".into(),
            new: false,
            risen: true,
            changed: true,
        };
        let lines = unsure("Lu\x1bnch", &[bob]);
        assert!(lines[0].contains("group Lunch."), "{lines:?}");
        assert!(lines[1].ends_with(" admin   Bob ANOTHER KEY, A HIGHER ROLE"), "{lines:?}");
        assert!(lines[2].ends_with("/enter Lunch or /leave Lunch"), "{lines:?}");
        assert!(unsure("Lunch", &[])[0].contains("cannot be verified"));
    }

    #[test]
    fn a_device_that_the_own_keys_did_not_certify_is_named_as_such() {
        let known = DeviceView {
            device: "d1".into(),
            name: "Terminal".into(),
            this: true,
            foreign: false,
            created_ms: 1.0,
            seen_ms: 1.0,
        };
        assert_eq!(device(&known), "d1  Terminal  this one");
        let foreign = DeviceView { this: false, foreign: true, created_ms: 0.0, ..known };
        assert_eq!(device(&foreign), "d1  Terminal  NOT APPROVED BY YOUR KEYS");
    }
}
