//! What a user interface asks of the engine, and what it is told: JSON in the browser; TypeScript types are generated from here (ts-rs).

mod agents;
mod bills;
mod books;
mod chats;
mod error;
mod escrow;
mod events;
mod fees;
mod groups;
mod guard;
mod links;
mod mandates;
mod passkeys;
mod people;
mod reading;
mod reply;
mod shops;
mod topups;
mod wallet;

pub use agents::*;
pub use bills::*;
pub use books::*;
pub use chats::*;
pub use error::*;
pub use escrow::*;
pub use events::*;
pub use fees::*;
pub use groups::*;
pub use guard::*;
pub use links::*;
pub use mandates::*;
pub use passkeys::*;
pub use people::*;
pub use reply::*;
pub use shops::*;
pub use topups::*;
pub use wallet::*;

use serde::Serialize;
use ts_rs::TS;

/// A wish of the user interface. Each is answered once by [`Reply`] or [`CallError`].
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
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
    /// This device enters a group as the node says that it is now, after the person has seen who would be there
    /// ([`GroupView::unsure`]). Others by then: they are shown, and it is asked again. → [`Reply::Done`], before it is done
    EnterAnew {
        /// Chat id.
        chat: String,
        /// [`AnewView::print`] of what the person has seen.
        print: String,
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
    /// One's own money. → [`Reply::Wallet`]
    Wallet,
    /// Sets the PIN that unlocks payments on this device. → [`Reply::Done`]
    SetPin {
        /// Six digits.
        pin: String,
        /// The account's password: who finds an unlocked device cannot pay with it.
        password: String,
    },
    /// Pays somebody. Asked again with the same `id` it is paid once. `payment_unsure`: the node did not answer, and it is asked
    /// again by itself. → [`Reply::Transfer`]
    Pay {
        /// 32 hexadecimal digits, random: one a form that is filled in.
        id: String,
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// What for; the other reads it in the chat.
        note: String,
        /// Held until the other accepts it, or gives it back; after a day it comes back by itself. Else it is theirs at once.
        hold: bool,
        /// The chat in which a card is to show it.
        chat: Option<String>,
        /// What it is paid for, if that was asked for.
        request: Option<String>,
        /// It gives back what came by this transfer, or a part of it.
        refunds: Option<String>,
        /// What the payee, of another node, gets instead: asset id, and how much by the rate of the two nodes.
        #[serde(default)]
        #[ts(as = "Option<(String, String)>", optional)]
        exchange: Option<(String, String)>,
        /// The payment PIN.
        pin: String,
    },
    /// A transfer as it stands now. → [`Reply::Transfer`]
    Transfer {
        /// Its id.
        id: String,
    },
    /// Accepts a transfer that waits, or gives it back. → [`Reply::Transfer`]
    AnswerTransfer {
        /// Its id.
        id: String,
        /// Whether.
        accept: bool,
    },
    /// A page of an account's history, the newest first. → [`Reply::History`]
    WalletHistory {
        /// Account id.
        account: String,
        /// Lines before this number; none: the newest page.
        before: Option<f64>,
    },
    /// Gives a red packet. → [`Reply::Done`], once it is paid; its card follows in the chat
    SendPacket {
        /// As in [`Call::Pay`].
        id: String,
        /// Chat id. In a direct chat the other one alone may open it.
        chat: String,
        /// Asset id.
        asset: String,
        /// What is in it, in minor units.
        amount: String,
        /// Among how many: 1 to 500.
        shares: u32,
        /// By lot; else everyone gets the same.
        lucky: bool,
        /// In a group: the one who may open it.
        only: Option<String>,
        /// A wish.
        greeting: String,
        /// Which cover.
        cover: u8,
        /// The payment PIN.
        pin: String,
    },
    /// A red packet as it stands. → [`Reply::Packet`]
    Packet {
        /// The chat of its card.
        chat: String,
        /// The id of the message.
        id: String,
    },
    /// Opens a red packet. Asked again it gives the same share. → [`Reply::Packet`]
    OpenPacket {
        /// The chat of its card.
        chat: String,
        /// The id of the message.
        id: String,
    },
    /// Asks for money in a chat; in a group, splits a bill. → [`Reply::Sent`]
    AskMoney {
        /// Chat id.
        chat: String,
        /// Asset id.
        asset: String,
        /// Who is to pay how much: address, minor units.
        parts: Vec<(String, String)>,
        /// The whole bill, with what one bears oneself.
        total: String,
        /// What for.
        note: String,
    },
    /// A request for money as it stands. → [`Reply::Request`]
    Request {
        /// The chat of its card.
        chat: String,
        /// The id of the message.
        id: String,
    },
    /// The node issues an asset, or changes what may be done with it. For the owner. → [`Reply::Done`]
    DefineAsset {
        /// `EUR`.
        code: String,
        /// Decimals, at most 12.
        scale: u8,
        /// What people read.
        title: String,
        /// What stands behind it.
        backing: String,
        /// The most that one payment moves; `0`: no bound.
        payment_max: String,
        /// The most that one account pays in a day; `0`: no bound.
        day_max: String,
        /// The most that may be in the world; `0`: no bound.
        issue_max: String,
    },
    /// Brings money into the world, on somebody's account, or takes it out. For the owner. → [`Reply::Done`]
    Issue {
        /// As in [`Call::Pay`].
        id: String,
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// In minor units.
        amount: String,
        /// Out of the world.
        redeem: bool,
    },
    /// Stops payments from somebody's account, or lets them go on. For the owner. → [`Reply::Done`]
    FreezeAccount {
        /// Address.
        user: String,
        /// Asset id.
        asset: String,
        /// Whether.
        frozen: bool,
    },
    /// The network came back, or the tab was woken: connect now rather than after the back-off. → [`Reply::Done`]
    Wake,
    /// A call about shops.
    #[serde(untagged)]
    Shop(ShopCall),
    /// A call about banks.
    #[serde(untagged)]
    TopUp(TopUpCall),
    /// A call about receipts.
    #[serde(untagged)]
    Receipt(ReceiptCall),
    /// A call about invoices.
    #[serde(untagged)]
    Bill(BillCall),
    /// A call about escrow.
    #[serde(untagged)]
    Escrow(EscrowCall),
    /// A call about mandates.
    #[serde(untagged)]
    Mandate(MandateCall),
    /// A call about signed days.
    #[serde(untagged)]
    Books(BooksCall),
    /// A call about dual control.
    #[serde(untagged)]
    Guard(GuardCall),
    /// A call about cash agents.
    #[serde(untagged)]
    Agent(AgentCall),
    /// A call about what nodes owe each other.
    #[serde(untagged)]
    NodeLink(LinkCall),
    /// A call about the passkey.
    #[serde(untagged)]
    Passkey(PasskeyCall),
}
