//! What a user interface asks of the engine, and what the engine tells it. JSON at the browser's boundary; TypeScript
//! types are generated from here (ts-rs), so this page is the contract between the engine and every user interface.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A wish of the user interface. Each is answered once by [`Reply`] or [`CallError`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum Call {
    /// What the node says of itself. → [`Reply::Node`]
    Node,
    /// Who is signed in here. → [`Reply::Me`]
    Me,
    /// Makes an account. The invite comes from a link. → [`Reply::Me`]
    SignUp {
        /// The wished name.
        name: String,
        /// What others read above messages.
        display_name: String,
        /// At least 10 characters; leaves the engine only as OPAQUE.
        password: String,
        /// Code of an invite, or the whole link.
        invite: Option<String>,
    },
    /// The 24 words, until they were confirmed once. → [`Reply::Phrase`]
    Phrase,
    /// The person shows that they wrote the words down: position (from 0) and word. → [`Reply::Done`]
    ConfirmPhrase {
        /// At least three, as the interface asked for them.
        words: Vec<(u8, String)>,
    },
    /// → [`Reply::Me`]
    SignIn {
        /// `alice`, or the whole address.
        name: String,
        /// The password.
        password: String,
    },
    /// Opens the account by its words, and sets a new password. → [`Reply::Me`]
    Recover {
        /// `alice`, or the whole address.
        name: String,
        /// 24 words, in any case, separated by any white space.
        phrase: String,
        /// The new one.
        new_password: String,
    },
    /// Changes the password; who does it has to know the old one. The other devices stay signed in. → [`Reply::Done`]
    ChangePassword {
        /// The one that holds now.
        old_password: String,
        /// The new one.
        new_password: String,
    },
    /// Signs this device out at the node and forgets everything here. → [`Reply::Done`]
    SignOut,
    /// Changes what others read. → [`Reply::Me`]
    SetDisplayName {
        /// The new one.
        name: String,
    },
    /// → [`Reply::Devices`]
    Devices,
    /// What this device is called in the list of devices. Only the account's own devices read it. → [`Reply::Done`]
    NameDevice {
        /// `Chrome on Linux`; at most 128 bytes are kept.
        name: String,
    },
    /// Signs another device of one's own out. → [`Reply::Done`]
    RevokeDevice {
        /// Which.
        device: String,
    },
    /// A personal link and QR content: whoever opens it becomes a contact, and, where asked for, may sign up here. → [`Reply::Link`]
    CreateLink {
        /// Whether people without an account may sign up by it.
        invite: bool,
        /// The public address of this node, as the browser sees it.
        base_url: String,
        /// A new one, though the last is still good. Those that were handed out before stay good until they end.
        #[serde(default)]
        #[ts(as = "Option<bool>", optional)]
        fresh: bool,
    },
    /// Reads a link, a QR content or an address, and says what it leads to. → [`Reply::LinkPreview`]
    ReadLink {
        /// What was pasted or scanned.
        text: String,
    },
    /// Adds a person by a link (at once) or an address (they are asked). → [`Reply::Contact`]
    AddContact {
        /// Link, QR content or address; a name alone is somebody of this node.
        target: String,
        /// A line of greeting.
        greeting: String,
    },
    /// → [`Reply::Contact`]
    AcceptContact {
        /// Address.
        user: String,
    },
    /// → [`Reply::Done`]
    DeclineContact {
        /// Address.
        user: String,
    },
    /// No request and no message of theirs any more. → [`Reply::Done`]
    BlockContact {
        /// Address.
        user: String,
    },
    /// Ends a contact or a block. → [`Reply::Done`]
    RemoveContact {
        /// Address.
        user: String,
    },
    /// → [`Reply::Contacts`]
    Contacts,
    /// → [`Reply::Safety`]
    SafetyNumber {
        /// Address.
        user: String,
    },
    /// Compares a scanned code with the pinned key; a match marks the person as verified. → [`Reply::Safety`]
    VerifyByCode {
        /// Address.
        user: String,
        /// What was scanned.
        code: String,
    },
    /// The people compared the digits themselves. When the key has changed, this is also the decision to go on with the new
    /// one, verified or not; until then nothing is sent. → [`Reply::Safety`]
    SetVerified {
        /// Address.
        user: String,
        /// Whether.
        verified: bool,
    },
    /// → [`Reply::Chats`]
    Chats,
    /// A page of a chat, oldest first. → [`Reply::Messages`]
    Messages {
        /// Chat id.
        chat: String,
        /// Messages before this order; none: the newest page.
        before: Option<f64>,
        /// 1 to 200.
        limit: u32,
    },
    /// Queues a text; it is sent as soon as that is possible, also after a restart. → [`Reply::Sent`]
    SendText {
        /// Chat id.
        chat: String,
        /// At most 16 KiB.
        text: String,
        /// The message that it answers.
        reply_to: Option<String>,
    },
    /// Tries a failed message again. → [`Reply::Done`]
    Retry {
        /// Chat id.
        chat: String,
        /// Message id.
        id: String,
    },
    /// Drops a message that was not sent. → [`Reply::Done`]
    Discard {
        /// Chat id.
        chat: String,
        /// Message id.
        id: String,
    },
    /// Everything up to this order was seen. → [`Reply::Done`]
    MarkRead {
        /// Chat id.
        chat: String,
        /// Order of the newest message seen.
        order: f64,
    },
    /// Keeps what was typed and not sent. → [`Reply::Done`]
    SetDraft {
        /// Chat id.
        chat: String,
        /// Empty: none.
        text: String,
    },
    /// Tells the others that somebody is typing; the engine spaces these out. → [`Reply::Done`]
    Typing {
        /// Chat id.
        chat: String,
        /// Whether.
        on: bool,
    },
    /// The chat with a contact, which need not have a message yet. → [`Reply::Chat`]
    OpenChat {
        /// Address.
        user: String,
    },
    /// Makes a group with some contacts, who are in it at once. → [`Reply::Chat`]
    CreateGroup {
        /// Empty: it is shown by the names of its members.
        name: String,
        /// Addresses of contacts; none: only oneself, and others come by link.
        members: Vec<String>,
    },
    /// A group as it is now. → [`Reply::Group`]
    Group {
        /// Chat id.
        chat: String,
    },
    /// Brings contacts in, in one step. For owners and admins. → [`Reply::Done`], once the node has taken it
    AddMembers {
        /// Chat id.
        chat: String,
        /// Addresses of contacts.
        users: Vec<String>,
    },
    /// Sends members away. Admins: those without a role; owners: anybody. → [`Reply::Done`]
    RemoveMembers {
        /// Chat id.
        chat: String,
        /// Addresses.
        users: Vec<String>,
    },
    /// What a member may do. For owners. → [`Reply::Done`]
    SetRole {
        /// Chat id.
        chat: String,
        /// Address.
        user: String,
        /// `owner`, `admin` or `member`.
        role: String,
    },
    /// For owners and admins. → [`Reply::Done`]
    RenameGroup {
        /// Chat id.
        chat: String,
        /// 1 to 128 bytes.
        name: String,
    },
    /// Goes. What was said stays readable here. The last owner names another first, unless nobody else is there
    /// (`last_owner`). → [`Reply::Done`]
    LeaveGroup {
        /// Chat id.
        chat: String,
    },
    /// A link and QR content by which people ask to be let in. For owners and admins. → [`Reply::GroupLink`]
    GroupLink {
        /// Chat id.
        chat: String,
        /// Whether somebody has to agree to each.
        approval: bool,
        /// The public address of this node, as the browser sees it.
        base_url: String,
        /// A new one, and all from before end.
        #[serde(default)]
        #[ts(as = "Option<bool>", optional)]
        fresh: bool,
    },
    /// Ends all links of a group. → [`Reply::Done`]
    EndGroupLinks {
        /// Chat id.
        chat: String,
    },
    /// Asks to be let into the group that a link leads to. → [`Reply::Joined`]
    JoinGroup {
        /// Link or QR content.
        text: String,
    },
    /// Lets somebody in who has asked, or declines. For owners and admins. → [`Reply::Done`]
    AnswerJoin {
        /// Chat id.
        chat: String,
        /// Address.
        user: String,
        /// Whether.
        accept: bool,
    },
    /// What the node has to do with others; for its owner. → [`Reply::Peers`]
    Peers,
    /// Decides about another node; for the owner. → [`Reply::Done`]
    JudgePeer {
        /// Its name.
        name: String,
        /// `trust`, `block`, `reset`, `accept_key` or `reject_key`.
        act: String,
    },
    /// The network came back, or the tab was woken: connect now rather than after the back-off. → [`Reply::Done`]
    Wake,
}

/// The answer to a [`Call`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum Reply {
    /// Nothing to tell.
    Done,
    /// About the node.
    Node(NodeView),
    /// About the person; none when nobody is signed in.
    Me(Option<MeView>),
    /// The 24 words; none once they were confirmed.
    Phrase(Option<Vec<String>>),
    /// Devices of the account.
    Devices(Vec<DeviceView>),
    /// A link.
    Link(LinkView),
    /// What a link leads to.
    LinkPreview(LinkPreview),
    /// A contact, as it is now.
    Contact(ContactView),
    /// All contacts and requests, by name.
    Contacts(Vec<ContactView>),
    /// Safety number.
    Safety(SafetyView),
    /// All chats, newest first.
    Chats(Vec<ChatView>),
    /// One chat.
    Chat(ChatView),
    /// A page of messages.
    Messages(MessagePage),
    /// The queued message.
    Sent(MessageView),
    /// Other nodes.
    Peers(PeersView),
    /// A group.
    Group(GroupView),
    /// A group's link.
    GroupLink(GroupLinkView),
    /// Whether one has asked (`asked`), or is in it already (`member`).
    Joined(JoinedView),
}

/// Why a call was not done, in a form that the interface can translate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallError {
    /// A code of [`weft_wire::Code`] as the node told it, or one of the engine's own: `offline`, `timeout`, `not_signed_in`,
    /// `already_signed_in`, `bad_input`, `weak_password`, `wrong_phrase`, `bad_link`, `own_link`, `unknown_contact`,
    /// `unknown_chat`, `not_in_group`, `not_allowed` (it takes a higher role), `last_owner`, `key_changed`, `state_damaged`, `password_unsure` (the answer to the last step of a change was lost:
    /// either password may hold).
    pub code: String,
    /// One English sentence, for logs and for codes that have no translation.
    pub message: String,
    /// The field that is meant.
    pub field: Option<String>,
    /// When to try again.
    pub retry_after_ms: Option<f64>,
}

/// Something changed, without having been asked for.
// An event is made, handed over and gone: a box for each chat would cost more than the room it saves.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "event", content = "value")]
pub enum Event {
    /// Signed in, out, or changed.
    Me(Option<MeView>),
    /// The connection to the node.
    Connection(ConnectionView),
    /// These contacts changed or are new.
    Contacts(Vec<ContactView>),
    /// This contact is gone.
    ContactRemoved {
        /// Address.
        user: String,
    },
    /// This chat changed or is new.
    Chat(ChatView),
    /// These messages changed or are new. A message that was queued keeps its id and gets its final order.
    Messages {
        /// Chat id.
        chat: String,
        /// The messages.
        messages: Vec<MessageView>,
    },
    /// This unsent message was dropped.
    MessageDiscarded {
        /// Chat id.
        chat: String,
        /// Message id.
        id: String,
    },
    /// This group changed: members, roles, name, who asks to be let in.
    Group(GroupView),
    /// Somebody types, or has stopped. It ends by itself after six seconds.
    Typing {
        /// Chat id.
        chat: String,
        /// Address.
        user: String,
        /// Whether.
        on: bool,
    },
    /// Something that the person must know: `key_changed` (a contact's identity is another one than before), `device_added`,
    /// `foreign_device` (an alarm: the node shows a device on this account that the account's own key did not certify),
    /// `signed_out_remotely`, `state_damaged`.
    Notice {
        /// Which.
        code: String,
        /// Whom it is about.
        user: Option<String>,
    },
}

/// About the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NodeView {
    /// The right half of addresses here.
    pub name: String,
    /// What the operator calls it.
    pub title: String,
    /// `#rrggbb`.
    pub accent: String,
    /// `open`, `invite` or `closed`.
    pub signup: String,
    /// Whether an owner has signed up.
    pub claimed: bool,
    /// Version of the software.
    pub version: String,
}

/// What a node has to do with others, for its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PeersView {
    /// `open`, `allow_list` or `closed`.
    pub policy: String,
    /// Where others reach it, as it tells them.
    pub addresses: Vec<String>,
    /// By name.
    pub peers: Vec<PeerView>,
}

/// Another node, for the owner of this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PeerView {
    /// Its name.
    pub name: String,
    /// `blocked`, `new_key` (it speaks with another key than before: to be decided), `trusted` or `pinned`.
    pub state: String,
    /// The peer id of its key.
    pub key: String,
    /// The other key, if it wants to speak with one.
    pub new_key: Option<String>,
    /// Whether it is connected now.
    pub connected: bool,
    /// Whether there is no way but over a relay.
    pub relayed: bool,
    /// What waits for it.
    pub waiting: f64,
    /// Per cent of the usual budgets, where that was decided.
    pub limit: Option<u32>,
    /// When it was last heard, to the hour, ms.
    pub last_contact_ms: f64,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// About the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MeView {
    /// `alice@home.example`.
    pub user: String,
    /// `alice`.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// This device.
    pub device: String,
    /// `member` or `owner`.
    pub role: String,
    /// Whether the 24 words were written down and checked.
    pub phrase_confirmed: bool,
}

/// A device of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DeviceView {
    /// Id.
    pub device: String,
    /// What it calls itself; empty when it has not said.
    pub name: String,
    /// This one.
    pub this: bool,
    /// The account's own key did not certify it: the node alone says that it is the account's.
    pub foreign: bool,
    /// When it was added, ms; 0 when it is foreign.
    pub created_ms: f64,
    /// When it was last connected, ms.
    pub seen_ms: f64,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ConnectionView {
    /// No attempt is under way; the next at this time.
    Offline {
        /// ms, if one is planned.
        retry_ms: Option<f64>,
    },
    /// Connecting, or catching up.
    Connecting,
    /// All that the node has is here.
    Online,
}

/// A link to give away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LinkView {
    /// The URL; also the content of the QR code.
    pub url: String,
    /// When it ends, ms.
    pub expires_ms: f64,
    /// So many people may become contacts by it.
    pub people_max: u32,
    /// So many people may sign up by it; 0: none.
    pub newcomers_max: u32,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkPreview {
    /// Address of the person, if it leads to one.
    pub user: Option<String>,
    /// What they call themselves; from the link, so not proven.
    pub display_name: Option<String>,
    /// The node's name, if it carries an invite.
    pub invite_node: Option<String>,
    /// The invite code.
    pub invite: Option<String>,
    /// Whether it becomes a contact at once.
    pub instant: bool,
    /// How the person stands to oneself already, if signed in: a state of [`ContactView`], or `me`.
    pub state: Option<String>,
    /// The group, if it leads to one.
    pub group: Option<GroupPreview>,
}

/// The group that a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GroupPreview {
    /// What it is called; from the link, so not proven. Empty: it has no name.
    pub name: String,
    /// The node that orders it.
    pub node: String,
    /// The chat, if one is in it.
    pub chat: Option<String>,
}

/// A person, to be shown by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PersonView {
    /// Address.
    pub user: String,
    /// What they call themselves; the name of their account when that is not known.
    pub name: String,
}

/// What a chat's list row and head say of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChatGroup {
    /// How many people are in it.
    pub members: u32,
    /// One's own role: `owner`, `admin` or `member`.
    pub role: String,
    /// `making` (members are still being brought in), `active`, `left`, `removed`.
    pub state: String,
    /// How many people ask to be let in; 0 unless one may decide that.
    pub asking: u32,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GroupView {
    /// Chat id.
    pub chat: String,
    /// As it was named; empty: it was not.
    pub name: String,
    /// The node that orders it.
    pub node: String,
    /// One's own role: `owner`, `admin` or `member`.
    pub role: String,
    /// As in [`ChatGroup`].
    pub state: String,
    /// Owners, admins, members; within these by name.
    pub members: Vec<MemberView>,
    /// Those who ask to be let in, oldest first; none unless one may decide that.
    pub asking: Vec<AskingView>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MemberView {
    /// Address.
    pub user: String,
    /// As in [`PersonView`].
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Whether it is oneself.
    pub me: bool,
    /// Whether one may send them away.
    pub removable: bool,
    /// How they stand to oneself: a state of [`ContactView`], if they do.
    pub state: Option<String>,
    /// Whether their key was verified in person.
    pub verified: bool,
}

/// Somebody who asks to be let in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct AskingView {
    /// Address.
    pub user: String,
    /// As in [`PersonView`].
    pub name: String,
    /// When they asked, ms.
    pub asked_ms: f64,
}

/// A group's link to give away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct GroupLinkView {
    /// The URL; also the content of the QR code.
    pub url: String,
    /// When it ends, ms.
    pub expires_ms: f64,
    /// Whether somebody has to agree to each who comes by it.
    pub approval: bool,
}

/// What came of asking to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinedView {
    /// `asked` or `member`.
    pub state: String,
    /// The chat, if one is in it.
    pub chat: Option<String>,
}

/// A contact or request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ContactView {
    /// Address.
    pub user: String,
    /// What they call themselves; their name when that is not known yet.
    pub display_name: String,
    /// `outgoing`, `incoming`, `accepted` or `blocked`.
    pub state: String,
    /// Their line of greeting.
    pub greeting: String,
    /// Whether their key was verified in person.
    pub verified: bool,
    /// Whether their identity key has changed since it was pinned; nothing is sent until that is resolved.
    pub key_changed: bool,
    /// Chat with them, once both have agreed.
    pub chat: Option<String>,
    /// Since when it stands so, ms.
    pub since_ms: f64,
}

/// Safety number of two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SafetyView {
    /// Address.
    pub user: String,
    /// Sixty digits in twelve groups of five, the same on both sides.
    pub digits: Vec<String>,
    /// What one's own screen shows as QR code for the other to scan.
    pub code: String,
    /// Whether they are verified.
    pub verified: bool,
}

/// A chat in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ChatView {
    /// Id; for a direct chat it never changes, whatever room lies under it.
    pub chat: String,
    /// `direct` or `group`. A group's id is that of its room.
    pub kind: String,
    /// The other person of a direct chat.
    pub user: Option<String>,
    /// Name to show.
    pub title: String,
    /// The newest message.
    pub last: Option<MessageView>,
    /// Messages of others that were not read.
    pub unread: u32,
    /// Order of the last message that was read here; the first unread one is above it.
    pub read_order: f64,
    /// What was typed and not sent.
    pub draft: String,
    /// Whether the other side is verified.
    pub verified: bool,
    /// For sorting, ms.
    pub active_ms: f64,
    /// What there is to know of a group; none for a direct chat.
    pub group: Option<ChatGroup>,
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessagePage {
    /// Chat id.
    pub chat: String,
    /// Oldest first.
    pub messages: Vec<MessageView>,
    /// Whether there are older ones.
    pub more: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MessageView {
    /// Id, as its sender named it.
    pub id: String,
    /// Position in the chat; a message that is not sent yet stands after all others.
    pub order: f64,
    /// Who.
    pub sender: String,
    /// In a group: what the sender calls themselves.
    pub sender_name: Option<String>,
    /// Whether it is one's own.
    pub mine: bool,
    /// When, ms: the hub's time once it was taken, before that this device's.
    pub time_ms: f64,
    /// What.
    pub body: BodyView,
    /// The message that it answers.
    pub reply_to: Option<ReplyView>,
    /// For one's own: how far it has come.
    pub delivery: DeliveryView,
    /// The node that is away, where one's own keeps the message for it: it goes out by itself when that node is back.
    pub waits_for: Option<String>,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BodyView {
    /// Text.
    Text {
        /// As it was written.
        text: String,
    },
    /// A kind that this version does not know.
    Unknown {
        /// What the sender gave for this case.
        fallback: String,
    },
    /// A line in the middle: `secured`, `joined`, `device_added`, `resynced`, `undecryptable`, `key_changed`. In groups: `created`
    /// (by), `named` (by, text), `added` (by, people), `came` (people, by a link), `removed` (by, people), `left` (people),
    /// `owner`, `admin`, `member` (by, people: their role from now on), `removed_me`, `left_me`.
    System {
        /// Which.
        code: String,
        /// Whom it is about.
        user: Option<String>,
        /// In a group: who did it.
        by: Option<PersonView>,
        /// In a group: whom it is about.
        people: Vec<PersonView>,
        /// In a group: its new name.
        text: String,
    },
}

/// The message that is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReplyView {
    /// Its id.
    pub id: String,
    /// Who wrote it; none when it is not here.
    pub sender: Option<String>,
    /// Its beginning.
    pub excerpt: String,
}

/// How far one's own message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryView {
    /// Somebody else's, or a system line.
    None,
    /// Waits here: offline, or the other has not accepted yet.
    Queued,
    /// Under way.
    Sending,
    /// On the node, on disk.
    Sent,
    /// On a device of the other; in a group: of every other.
    Delivered,
    /// Read by the other; in a group: by every other.
    Read,
    /// Given up; it can be tried again or dropped.
    Failed,
}
