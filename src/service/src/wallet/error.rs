//! What the wallet can answer instead.

use super::LinkTrouble;
use crate::{Fault, error::from_below};
use weft_ledger::{LedgerError, Refusal, Side};
use weft_wire::{Code, Problem};

/// Everything that can go wrong with money.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WalletError {
    /// See [`Fault`].
    #[error(transparent)]
    Fault(#[from] Fault),
    /// No such asset, account or transfer, or none that the caller may see.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Only the owner of the node may.
    #[error("only the owner of the node may do that")]
    Forbidden,
    /// The order speaks for somebody else than the one who brings it.
    #[error("the order is not of this device")]
    ForeignOrder,
    /// The device has no order key as yet.
    #[error("this device has no order key")]
    NoOrderKey,
    /// The device was signed out meanwhile.
    #[error("this device was signed out")]
    SignedOut,
    /// A signature is not valid.
    #[error("the signature of {0} is not valid")]
    Signature(&'static str),
    /// The order's time is over, or too far away.
    #[error("the order's time is over, or further away than a day")]
    Expired,
    /// The counter was used, by this order key or one before it.
    #[error("the order's counter is not above the last one, {last}")]
    Counter {
        /// That of the last order.
        last: u64,
    },
    /// More than one order may move.
    #[error("an order of this asset moves at most {max}")]
    PaymentMax {
        /// In minor units.
        max: u64,
    },
    /// More than the account may pay in a day.
    #[error("an account pays at most {max} of this asset in a day")]
    DayMax {
        /// In minor units.
        max: u64,
    },
    /// More is due for it than the order allows.
    #[error("the fee for this payment is {due}")]
    FeeTooLow {
        /// In minor units.
        due: u64,
    },
    /// The id was used for something else.
    #[error("the id was used for something else")]
    IdConflict,
    /// The transfer was accepted, returned or is over.
    #[error("the transfer was decided already")]
    AlreadyDecided,
    /// The name is an account's, or another shop's.
    #[error("the name is taken")]
    NameTaken,
    /// Whoever asks does not work in the shop, or may not do that there.
    #[error("only those who work in the shop may do that, and not in every role")]
    NotStaff,
    /// The shop takes no money.
    #[error("the shop is closed")]
    ShopClosed,
    /// Somebody has paid the sale, or used the code.
    #[error("this was paid already")]
    AlreadyPaid,
    /// The sale's time is over, or the shop has taken it back.
    #[error("the sale cannot be paid any more")]
    SaleOver,
    /// Its issuer has taken it back.
    #[error("the invoice was cancelled")]
    InvoiceCancelled,
    /// It was ended, or its time is over.
    #[error("the mandate has ended")]
    MandateOver,
    /// The period has not begun, or is over.
    #[error("this period has not begun, or is over")]
    NotDue,
    /// There is no such code now.
    #[error("the payment code is not valid, or no longer")]
    CodeInvalid,
    /// The code is for less.
    #[error("the code allows less")]
    CodeLimit,
    /// The customer's node, another one, has refused the charge.
    #[error("the customer's node has refused it: {}", .0.as_str())]
    ChargeRefused(Code),
    /// It is of another node.
    #[error("payments between nodes are not possible yet")]
    OtherNode,
    /// All shares are taken.
    #[error("all shares of the red packet are taken")]
    PacketEmpty,
    /// Its time is over.
    #[error("the time of the red packet is over")]
    PacketOver,
    /// The ledger is against it.
    #[error(transparent)]
    Refused(Refusal),
    /// A bank's file is not one, or is damaged.
    #[error(transparent)]
    BankFile(weft_bank::BankError),
    /// It is one, and cannot be taken.
    #[error("{0}")]
    BankStatement(String),
    /// It waits for an approver.
    #[error("it waits for an approver to sign for it")]
    NeedsApproval,
    /// Whoever proposes does not approve.
    #[error("the owner does not approve what the owner proposes")]
    OwnProposal,
    /// Whoever asks may not decide it.
    #[error("only an approver decides that")]
    NotApprover,
    /// It cannot be decided any more.
    #[error("the proposal was decided, taken back, or its time is over")]
    ProposalOver,
    /// What was signed is something else.
    #[error("what was signed is not what is proposed")]
    ProposalChanged,
    /// The agent's float does not hold as much.
    #[error("the float of the cash agent holds {left}")]
    AgentLimit {
        /// In minor units.
        left: u64,
    },
    /// See [`LinkTrouble`].
    #[error(transparent)]
    Link(LinkTrouble),
}
from_below!(WalletError);

impl<F> From<LedgerError<F>> for WalletError {
    /// Of an error that is not about the books.
    fn from(error: LedgerError<F>) -> Self {
        match error {
            LedgerError::Refused { refusal, .. } => WalletError::Refused(refusal),
            LedgerError::IdConflict => WalletError::IdConflict,
            LedgerError::UnknownAccount => WalletError::NotFound("account"),
            LedgerError::Malformed(why) => Fault::Invalid { field: "transfer", why }.into(),
            LedgerError::Books(_) => Fault::Internal("the books").into(),
        }
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Problem {
        let detail = error.to_string();
        match error {
            WalletError::Fault(fault) => fault.into(),
            WalletError::NotFound(what) => Problem::new(Code::NotFound).detail(what),
            WalletError::Forbidden => Problem::new(Code::Forbidden),
            WalletError::ForeignOrder => Problem::new(Code::Forbidden).detail(detail),
            WalletError::NoOrderKey => Problem::new(Code::BadCertificate).detail(detail),
            WalletError::SignedOut => Problem::new(Code::DeviceRevoked),
            WalletError::Signature(_) => Problem::new(Code::BadSignature).detail(detail),
            WalletError::Expired => Problem::new(Code::OrderStale).detail(detail),
            WalletError::Counter { last } => {
                Problem { current: Some(last), ..Problem::new(Code::OrderStale) }
            }
            WalletError::PaymentMax { max } | WalletError::DayMax { max } => {
                Problem { current: Some(max), ..Problem::new(Code::PaymentLimit).detail(detail) }
            }
            WalletError::FeeTooLow { due } => Problem { current: Some(due), ..Problem::new(Code::FeeTooLow) },
            WalletError::IdConflict => Problem::new(Code::IdConflict),
            WalletError::AlreadyDecided => Problem::new(Code::AlreadyDecided),
            WalletError::NameTaken => Problem::new(Code::NameTaken).field("name"),
            WalletError::NotStaff => Problem::new(Code::Forbidden).detail(detail),
            WalletError::ShopClosed => Problem::new(Code::ShopClosed),
            WalletError::AlreadyPaid => Problem::new(Code::AlreadyPaid),
            WalletError::SaleOver => Problem::new(Code::SaleOver),
            WalletError::InvoiceCancelled => Problem::new(Code::InvoiceCancelled),
            WalletError::MandateOver => Problem::new(Code::MandateOver),
            WalletError::NotDue => Problem::new(Code::NotDue),
            WalletError::CodeInvalid => Problem::new(Code::CodeInvalid),
            WalletError::CodeLimit => Problem::new(Code::CodeLimit),
            WalletError::ChargeRefused(code) => Problem::new(code).detail(detail),
            WalletError::OtherNode => Problem::new(Code::OtherNode),
            WalletError::PacketEmpty => Problem::new(Code::PacketEmpty),
            WalletError::PacketOver => Problem::new(Code::PacketOver),
            WalletError::Refused(Refusal::Floor) => Problem::new(Code::InsufficientFunds),
            WalletError::Refused(Refusal::Frozen(Side::Debit | Side::Credit)) => {
                Problem::new(Code::AccountFrozen).detail(detail)
            }
            WalletError::Refused(
                Refusal::AlreadyPosted | Refusal::AlreadyVoided | Refusal::PendingExpired,
            ) => Problem::new(Code::AlreadyDecided).detail(detail),
            WalletError::BankFile(_) | WalletError::BankStatement(_) => {
                Problem::new(Code::BankFile).detail(detail)
            }
            WalletError::AgentLimit { left } => {
                Problem { current: Some(left), ..Problem::new(Code::AgentLimit) }
            }
            WalletError::NeedsApproval => Problem::new(Code::NeedsApproval),
            WalletError::OwnProposal => Problem::new(Code::OwnProposal),
            WalletError::NotApprover => Problem::new(Code::NotApprover),
            WalletError::ProposalOver => Problem::new(Code::ProposalOver),
            WalletError::ProposalChanged => Problem::new(Code::ProposalChanged),
            WalletError::Link(trouble) => trouble.into(),
            WalletError::Refused(_) => Problem::new(Code::PaymentRefused).detail(detail),
        }
    }
}
