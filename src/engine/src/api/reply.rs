//! What the engine answers.

use super::*;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
    /// One's own money.
    Wallet(WalletView),
    /// A transfer.
    Transfer(TransferView),
    /// A page of a history.
    History(HistoryView),
    /// A red packet.
    Packet(PacketView),
    /// A request for money.
    Request(RequestView),
    /// About shops.
    #[serde(untagged)]
    Shop(ShopReply),
    /// About banks.
    #[serde(untagged)]
    TopUp(TopUpReply),
    /// About receipts.
    #[serde(untagged)]
    Receipt(ReceiptReply),
    /// About invoices.
    #[serde(untagged)]
    Bill(BillReply),
    /// About escrow.
    #[serde(untagged)]
    Escrow(EscrowReply),
    /// About mandates.
    #[serde(untagged)]
    Mandate(MandateReply),
    /// About signed days.
    #[serde(untagged)]
    Books(BooksReply),
    /// About dual control.
    #[serde(untagged)]
    Guard(GuardReply),
    /// About cash agents.
    #[serde(untagged)]
    Agent(AgentReply),
    /// About what nodes owe each other.
    #[serde(untagged)]
    NodeLink(LinkReply),
    /// About the passkey.
    #[serde(untagged)]
    Passkey(PasskeyReply),
}
