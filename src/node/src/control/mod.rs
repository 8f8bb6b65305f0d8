//! What an operator's commands ask of a node: through a Unix socket in the data folder while it runs, directly when not.
//!
//! Whoever can open the socket owns the data folder (0700, the socket 0600), and so owns the node; there is no other
//! authentication. One request a connection: four bytes of length, big-endian, then CBOR; the answer alike.

mod bank;
mod client;
mod guard;
mod links;
mod ops;
mod socket;

pub(crate) use client::is_running;
pub use client::{ControlError, ask, ask_socket, set_up};
pub use ops::Control;
pub use socket::{listen, remove, serve};

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use weft_wire::{
    Millis, NodeName, TransferId, UserAddress, UserName,
    accounts::Role,
    link_terms::{LinkTerms, ProposeTerms},
    links::{LinkStatement, SettlementList},
    wallet::{AssetCode, BankImport, RootList},
};

pub use weft_wire::admin::{
    AgentRow, BankRow, DueRow, FeeRow, FeesRow, GuardRows, LinkRow, PeerRow, PeerWish as Wish, RateRow,
    TermsRow, ThawRow,
};

/// The socket's name in the data folder.
pub const SOCKET: &str = "control.sock";
/// A request or an answer.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Is the node claimed, who is it, how is its store?
    Status,
    /// A new invite link. As long as nobody owns the node, it is the owner's and works once.
    Invite {
        /// Only the owner's is wanted: refused when the node has an owner.
        owner: bool,
        /// How many people may use it.
        uses: u32,
        /// For how long it lives.
        lifetime_ms: Millis,
    },
    /// A page of accounts, by name.
    Users {
        /// Those after this one.
        after: Option<UserName>,
    },
    /// Ends all sessions of an account: its devices have to sign in again.
    EndSessions {
        /// Whose.
        name: UserName,
    },
    /// Locks an account out, or lets it in again.
    SetDisabled {
        /// Whose.
        name: UserName,
        /// Whether to lock it out.
        disabled: bool,
    },
    /// A consistent copy, taken while the node goes on.
    Backup {
        /// An absolute path that does not exist, or an empty folder.
        dir: PathBuf,
    },
    /// The whole ledger as a journal of hledger, written into a new file.
    ExportLedger {
        /// An absolute path that does not exist.
        file: PathBuf,
    },
    /// A page of what the node has signed of its days, the newest first.
    Roots {
        /// Days before this one, counted from 1970.
        before: Option<u64>,
    },
    /// A page of the nodes that this one has met, by name.
    Peers {
        /// Those after this one.
        after: Option<NodeName>,
    },
    /// The line for DNS that says who this node is and where.
    ZoneLine,
    /// Names a node, and trusts it.
    AddPeer {
        /// Which.
        name: NodeName,
        /// The peer id of its key. None: what its name says.
        key: Option<String>,
        /// Multiaddresses at which it is reached.
        addresses: Vec<String>,
    },
    /// Payments between this node and others: terms, offers, what is owed.
    Links,
    /// Signs terms, and offers them to another node.
    ProposeTerms {
        /// Which.
        node: NodeName,
        /// What is to be changed in the terms that there are.
        wish: ProposeTerms,
    },
    /// Takes back what was offered to another node.
    WithdrawTerms {
        /// Which.
        node: NodeName,
    },
    /// What is offered, in force, and was in force with another node, with its signatures.
    LinkTerms {
        /// Which.
        node: NodeName,
    },
    /// Signs what another node has offered.
    AcceptTerms {
        /// Which.
        node: NodeName,
        /// The digest of what was looked at.
        digest: String,
    },
    /// Starts payments again that stand still, as far as both operators agree.
    ThawLink {
        /// Which.
        node: NodeName,
        /// Payments since then are compared; both operators name the same.
        since_ms: Millis,
        /// The digest of what was looked at. None: only to look.
        digest: Option<String>,
    },
    /// Gives somebody here what a thaw has found to be theirs.
    PayFound {
        /// With which node.
        node: NodeName,
        /// Which payment.
        payment: TransferId,
        /// Whom.
        name: UserName,
    },
    /// Stops payments to and from a node.
    FreezeLink {
        /// Which.
        node: NodeName,
    },
    /// This node owes another less: it has paid elsewhere, or what the other owes is set off.
    Settle {
        /// Which.
        node: NodeName,
        /// Made by whoever asks: the same again is one.
        id: TransferId,
        /// An asset of this node's.
        asset: AssetCode,
        /// How much less.
        amount: String,
        /// An asset of the other's that it is set off against.
        against: Option<AssetCode>,
        /// Where and how it was paid.
        note: String,
    },
    /// What was settled with a node.
    Settlements {
        /// Which.
        node: NodeName,
    },
    /// Whether what the other operator has settled is so.
    DecideSettlement {
        /// Which node.
        node: NodeName,
        /// Which settlement.
        id: TransferId,
        /// How much has come. None: it is not so.
        amount: Option<String>,
    },
    /// What moved what two nodes owe each other.
    LinkStatement {
        /// Which node.
        node: NodeName,
        /// From then on.
        from_ms: Millis,
        /// Up to then.
        until_ms: Millis,
    },
    /// The accounts at banks that back assets, and how much waits for the owner.
    BankAccounts,
    /// This account backs that asset from now on.
    PutBankAccount {
        /// What the asset is called.
        code: AssetCode,
        /// Whose account it is.
        holder: String,
        /// The IBAN; empty: none backs it any more.
        account: String,
        /// A BIC, or the bank's name.
        bank: String,
    },
    /// Takes a file of a bank.
    ImportBank {
        /// An absolute path that the node can read.
        file: PathBuf,
    },
    /// What is taken for payments, and what was earned.
    Fees,
    /// So much is taken for payments of a kind from now on.
    SetFee {
        /// What the asset is called.
        code: AssetCode,
        /// How much.
        fee: FeeRow,
    },
    /// Who approves what is issued, above which thresholds, and what waits.
    Guard,
    /// Somebody is to become an approver, or is one no longer.
    ChangeApprover {
        /// Who.
        name: UserName,
        /// Becomes one.
        appoint: bool,
    },
    /// So much of an asset may be issued in a day without approval.
    SetThreshold {
        /// What the asset is called.
        code: AssetCode,
        /// As people write it; 0: any amount.
        amount: String,
    },
    /// Takes back what waits.
    WithdrawProposal {
        /// Which.
        id: TransferId,
    },
    /// Cash agents, their limits and what they owe.
    Agents,
    /// What is thought of a node.
    JudgePeer {
        /// Which.
        name: NodeName,
        /// What.
        wish: Wish,
    },
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Request::Status`].
    Status {
        /// The right half of addresses.
        name: String,
        /// The peer id of its key: its name where it has no other.
        peer_id: String,
        /// Where others reach it, as it tells them; empty where it does not run.
        addresses: Vec<String>,
        /// Base of links.
        url: String,
        /// Whether it has an owner.
        claimed: bool,
    },
    /// To [`Request::Invite`]: a whole link.
    Invite {
        /// The link.
        link: String,
        /// Whether whoever uses it becomes the owner.
        owner: bool,
        /// When it ends.
        expires_ms: Millis,
    },
    /// To [`Request::Users`].
    Users {
        /// By name.
        users: Vec<UserRow>,
        /// Whether there are more.
        more: bool,
    },
    /// To [`Request::EndSessions`]: how many ended.
    Ended(u64),
    /// To [`Request::SetDisabled`], [`Request::AddPeer`], [`Request::JudgePeer`], [`Request::AcceptTerms`], [`Request::WithdrawTerms`], [`Request::FreezeLink`],
    /// [`Request::PayFound`],
    /// [`Request::Settle`], [`Request::DecideSettlement`],
    /// [`Request::PutBankAccount`], [`Request::SetFee`], [`Request::ChangeApprover`], [`Request::SetThreshold`], [`Request::WithdrawProposal`].
    Done,
    /// To [`Request::Backup`]: up to which commit it reaches.
    Backup {
        /// Sequence number.
        seq: u64,
    },
    /// To [`Request::ExportLedger`]: how many events it holds.
    Exported(u64),
    /// To [`Request::Roots`].
    Roots(RootList),
    /// To [`Request::Peers`].
    Peers {
        /// By name.
        peers: Vec<PeerRow>,
        /// Whether there are more.
        more: bool,
    },
    /// To [`Request::ZoneLine`].
    ZoneLine(String),
    /// To [`Request::Links`], by the other node's name.
    Links(Vec<LinkRow>),
    /// To [`Request::LinkTerms`].
    LinkTerms(LinkTerms),
    /// To [`Request::ThawLink`].
    Thaw(ThawRow),
    /// To [`Request::ProposeTerms`]: by what they are named.
    Offered(String),
    /// To [`Request::Settlements`].
    Settlements(SettlementList),
    /// To [`Request::LinkStatement`].
    LinkStatement(LinkStatement),
    /// To [`Request::BankAccounts`].
    BankAccounts {
        /// By asset.
        accounts: Vec<BankRow>,
        /// Lines of files that wait for the owner: at most a page of them is counted.
        lines: u64,
        /// Withdrawals that wait, alike.
        withdrawals: u64,
        /// The first page of them.
        due: Vec<DueRow>,
    },
    /// To [`Request::Fees`], by asset.
    Fees(Vec<FeesRow>),
    /// To [`Request::Guard`].
    Guard(GuardRows),
    /// To [`Request::ChangeApprover`], [`Request::SetThreshold`]: it waits for an approver.
    Waits,
    /// To [`Request::Agents`], by asset.
    Agents(Vec<AgentRow>),
    /// To [`Request::ImportBank`].
    Imported(BankImport),
    /// It was not done; a sentence for the operator.
    Refused(String),
}

/// An account, as its operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// Who.
    pub user: UserAddress,
    /// What they may do.
    pub role: Role,
    /// When the account was made.
    pub created_ms: Millis,
    /// Devices that are not signed out.
    pub devices: u32,
    /// Whether the operator has locked it out.
    #[serde(default)]
    pub disabled: bool,
}
