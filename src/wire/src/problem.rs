//! Errors as a client sees them: RFC 9457 problem details, in CBOR or JSON.

use crate::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// What went wrong, as a stable name that clients switch on and translate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)*
            /// A code of a newer version.
            #[serde(other)]
            Unknown,
        }

        impl Code {
            /// Every code that this version knows.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* Code::Unknown => "unknown" }
            }

            /// The HTTP status it travels with.
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* Code::Unknown => 500 }
            }

            /// One plain English sentence, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* Code::Unknown => "Something went wrong." }
            }
        }
    };
}

codes! {
    /// The body is not what the route takes.
    Malformed = "malformed", 400, "The request could not be understood.";
    /// A name, address or other field is ill-formed.
    InvalidField = "invalid_field", 422, "A field is not valid.";
    /// The body, frame or field is over its limit.
    TooLarge = "too_large", 413, "The request is too large.";
    /// A count is at its limit.
    TooMany = "too_many", 409, "A limit on the number of entries was reached.";
    /// What the account may keep on the node is full; what makes it smaller is still taken.
    Quota = "quota", 409, "This account keeps as much on the node as it may.";
    /// No session, or one that ended.
    Unauthenticated = "unauthenticated", 401, "Please sign in again.";
    /// The name or the password is wrong; which of the two is not said.
    WrongCredentials = "wrong_credentials", 401, "The name or the password is wrong.";
    /// The recovery phrase does not open this account.
    WrongRecovery = "wrong_recovery", 401, "The recovery phrase does not belong to this account.";
    /// A ticket or OPAQUE state that is too old or was made by another node.
    Expired = "expired", 401, "This took too long; please start again.";
    /// Known, but not allowed.
    Forbidden = "forbidden", 403, "You are not allowed to do that.";
    /// The other side has not agreed to be contacted.
    NoConsent = "no_consent", 403, "This person has not accepted your request yet.";
    /// The device was signed out.
    DeviceRevoked = "device_revoked", 401, "This device was signed out.";
    /// No such thing, or none that this account may see: the answer is the same.
    NotFound = "not_found", 404, "Not found.";
    /// No route of that name or method.
    NoRoute = "no_route", 404, "There is no such address.";
    /// The name belongs to somebody.
    NameTaken = "name_taken", 409, "This name is taken.";
    /// Sign-up needs an invite.
    InviteRequired = "invite_required", 403, "This node takes new members by invitation only.";
    /// The invite is unknown, used up or expired.
    InviteInvalid = "invite_invalid", 403, "This invite was already used or has expired.";
    /// Sign-up is closed.
    SignupClosed = "signup_closed", 403, "This node takes no new members.";
    /// A signature is not valid.
    BadSignature = "bad_signature", 403, "A signature is not valid.";
    /// A device certificate does not fit the account.
    BadCertificate = "bad_certificate", 403, "The device certificate is not valid for this account.";
    /// The MLS message is not valid for this room.
    BadMls = "bad_mls", 422, "The group message is not valid.";
    /// The commit is for another epoch than the room's; `current` says which it is.
    StaleEpoch = "stale_epoch", 409, "The conversation has moved on; the change was not applied.";
    /// The id exists with another content.
    IdConflict = "id_conflict", 409, "This id was used for something else.";
    /// Someone else changed it at the same moment.
    Conflict = "conflict", 409, "Somebody else changed this at the same moment.";
    /// Too many requests; `retry_after_ms` says when to try again.
    RateLimited = "rate_limited", 429, "Too many requests; please wait a moment.";
    /// A socket that did not read what was sent to it in time.
    SlowReader = "slow_reader", 408, "The connection did not keep up.";
    /// Log entries below the cursor are gone; join the room anew.
    CursorLost = "cursor_lost", 410, "The history on the node no longer reaches back that far.";
    /// The node cannot store anything now (disk full, index broken) and says so instead of guessing.
    StorageUnavailable = "storage_unavailable", 503, "The node cannot store anything at the moment.";
    /// The node is stopping.
    ShuttingDown = "shutting_down", 503, "The node is restarting.";
    /// Another node is needed for this, and it does not answer now; `detail` names it.
    NodeUnreachable = "node_unreachable", 503, "The other node does not answer at the moment.";
    /// The payer's account does not hold as much.
    InsufficientFunds = "insufficient_funds", 409, "There is not enough money in the account.";
    /// More than one order, or one day, allows.
    PaymentLimit = "payment_limit", 409, "This is more than may be paid at once or in a day.";
    /// The node takes more for it by now than the order allows; `current` says how much.
    FeeTooLow = "fee_too_low", 409, "The fee for this payment has changed; please look at it and pay again.";
    /// The operator has stopped payments from or to the account.
    AccountFrozen = "account_frozen", 403, "Payments of this account are stopped.";
    /// The order's time is over, or its counter was used.
    OrderStale = "order_stale", 409, "This payment order is too old; please pay again.";
    /// The transfer was accepted, returned or is over.
    AlreadyDecided = "already_decided", 409, "This payment was already accepted or returned.";
    /// Others were faster.
    PacketEmpty = "packet_empty", 410, "All shares of the red packet are taken.";
    /// It could be opened for a day.
    PacketOver = "packet_over", 410, "The time of the red packet is over.";
    /// The payee's node keeps no accounts with this one, or not in this asset.
    NoLink = "no_link", 409, "Money cannot be sent to that community.";
    /// Payments with the payee's node are stopped until the operators have looked at them.
    LinkFrozen = "link_frozen", 409, "Payments with that community are stopped at the moment.";
    /// More than the two nodes lend each other, or have with each other.
    LinkLimit = "link_limit", 409, "That community does not take as much at the moment.";
    /// The operators have no such rate of exchange, or none any more.
    RateChanged = "rate_changed", 409, "The rate of exchange has changed; please look again.";
    /// Somebody has paid the sale, or used the code.
    AlreadyPaid = "already_paid", 409, "This was already paid.";
    /// The sale cannot be paid any more: its time is over, or the shop has taken it back.
    SaleOver = "sale_over", 410, "This sale can no longer be paid.";
    /// Its issuer has taken it back.
    InvoiceCancelled = "invoice_cancelled", 410, "This invoice was cancelled.";
    /// Whoever has given the mandate has ended it, its creditor has given it up, or its time is over.
    MandateOver = "mandate_over", 410, "This mandate has ended.";
    /// The period has not begun, or is over.
    NotDue = "not_due", 409, "This is not due now.";
    /// The shop is closed.
    ShopClosed = "shop_closed", 409, "This shop takes no money at the moment.";
    /// No code that can be used now: unknown, replaced, or too old.
    CodeInvalid = "code_invalid", 404, "This payment code is not valid, or no longer.";
    /// More than the customer's code allows.
    CodeLimit = "code_limit", 409, "This is more than the customer's code allows.";
    /// The shop or the payer is of another node.
    OtherNode = "other_node", 422, "This is of another community, and can be paid only there.";
    /// A bank's file cannot be read or does not add up; `detail` says where and why. Nothing of it was taken.
    BankFile = "bank_file", 422, "This bank file cannot be imported; nothing of it was taken.";
    /// It waits for somebody else than the owner to sign for it.
    NeedsApproval = "needs_approval", 409, "This waits for a second person to approve it.";
    /// The owner cannot approve what the owner has proposed.
    OwnProposal = "own_proposal", 403, "Nobody approves their own proposal.";
    /// Only those whom the proposal is for can decide it.
    NotApprover = "not_approver", 403, "Only an approver can decide this.";
    /// It was decided, taken back, or its time is over.
    ProposalOver = "proposal_over", 410, "This proposal was decided already, or its time is over.";
    /// What was signed is not what is proposed.
    ProposalChanged = "proposal_changed", 409, "This proposal says something else now; please look again.";
    /// More than the cash agent's float holds; `current` says how much is left.
    AgentLimit = "agent_limit", 409, "This is more than the cash agent's float allows.";
    /// The ledger refuses for another reason; `detail` says which.
    PaymentRefused = "payment_refused", 409, "The payment was not made.";
    /// A fault of the node.
    Internal = "internal", 500, "Something went wrong on the node.";
}

/// An RFC 9457 problem. `type` is `urn:weft:problem:CODE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// `urn:weft:problem:CODE`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// The sentence of the code.
    #[serde(default)]
    pub title: String,
    /// What was special about this occurrence. Never holds a secret or another person's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field that is meant, for [`Code::InvalidField`]; which conflict it is, for some that are [`Code::Conflict`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<Millis>,
    /// The current value that the request should have matched (an epoch, a version).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
}

impl Problem {
    /// A problem without particulars.
    pub fn new(code: Code) -> Self {
        Problem {
            code,
            kind: format!("urn:weft:problem:{}", code.as_str()),
            status: code.status(),
            title: code.title().to_owned(),
            detail: None,
            field: None,
            retry_after_ms: None,
            current: None,
        }
    }

    /// Adds what was special.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// Names the field.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, wait: Millis) -> Self {
        self.retry_after_ms = Some(wait);
        self
    }

    /// Says what the value is now.
    #[must_use]
    pub fn current(mut self, value: u64) -> Self {
        self.current = Some(value);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{} ({detail})", self.title),
            None => f.write_str(&self.title),
        }
    }
}

impl std::error::Error for Problem {}
