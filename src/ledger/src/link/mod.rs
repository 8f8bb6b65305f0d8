//! Payments between two nodes that keep accounts with each other: nostro and vostro accounts under terms that
//! both operators signed.
//!
//! Over a link go assets that one of the two issues. Of an asset of A's, A's books have `vostro(B)`, what A
//! owes B's people, and B's books have `nostro(A)`, what B has at A and what its own people's holdings of the
//! asset are backed by. When everything that is under way has arrived, the two are the same number. How large
//! it may grow is the credit limit of the terms; it is a bound of both accounts, so that the ledger keeps it
//! on both sides and counts what is pending.
//!
//! A payment is a hold at the payer's node and a PREPARE; then a hold at the payee's node, and its decision:
//! FULFIL posts both holds, REJECT voids both. **The payee's node decides, and it alone.** A payment's expiry
//! is the time until which the payee may accept, by the clock of the payee's node, which rejects it by itself
//! afterwards. The payer's node looks at no clock: it keeps its hold until it hears the decision, and posts a
//! FULFIL however late it comes. Who hears nothing asks (STATUS) and gets the decision again, or that it
//! still waits; a node that has never seen the payment writes a tombstone and rejects it, and takes it no
//! more afterwards.
//!
//! Each direction is a half-channel of messages, numbered from 1, each with the hash of the one before. A
//! message is journalled among the rows of what it says, so that one commit holds both, and is sent again
//! until the other side has told that it has taken it. What is taken twice is taken once. Each message, and
//! each [`Ack`], says how far its sender has got in both directions: a node that was restored from an old
//! backup finds there that the other knows more of it than it does itself, and freezes the link instead of
//! saying something else the second time. A frozen link sends nothing and takes nothing, until both operators
//! have compared their [`Statement`]s and signed a [`Thaw`].
//!
//! # What a caller does
//!
//! A verb is a function over [`LinkBooks`]. **`Ok`: what it has put is to be committed, at once. `Err`:
//! nothing of it is to be kept.** So a peer's lie that freezes the link is an `Ok` ([`Received::Frozen`]).
//! After a commit the caller sends what [`unconfirmed`] gives, and an [`ack`] for what has come; never
//! before. Signatures are the caller's: a [`Message`] or an [`Ack`] is verified with the pinned key of the
//! peer before it comes here, and terms, thaws and statements with those of both operators ([`Agreed`]). All
//! verbs are idempotent.

mod agreed;
mod books;
mod channel;
mod decide;
mod error;
mod legs;
mod message;
mod open;
mod receive;
mod rings;
mod send;
mod state;
mod statement;
mod terms;
mod thaw;
mod waiting;

pub use agreed::Agreed;
pub use books::LinkBooks;
pub use channel::{ack, unconfirmed};
pub use decide::{Decided, accept, decline, expire};
pub use error::{Freeze, LinkError};
pub use legs::is_as_asked;
pub use message::{Ack, Aim, Body, Digest, Mark, Message, Prepare, Reason, Sum};
pub use open::{change_terms, expect_terms, freeze, open_link, prefer_terms};
pub use receive::{Notice, Received, receive, receive_ack};
pub use rings::gain_across;
pub use send::{Sent, ask, send, settle};
pub use state::{Frozen, Leg, Link, Lost, Outgoing, Payment, State, Way};
pub use statement::{Difference, Line, Owed, Statement, compare, owed_by, statement};
pub use terms::{Covered, Rate, Terms, TermsError};
pub use thaw::{Thaw, Verdict, begin_thaw, pay_found, propose_thaw, thaw, thaw_part};

/// Payments of one direction that wait for their decision. One more is refused.
pub const WAITING_MAX: u32 = 256;
/// Of those, how many may be of one payer: nobody shuts a link for all others.
pub const PAYER_WAITING_MAX: u32 = 32;
/// Payments to the peer that may wait when one more is to wait for a person's yes: the rest is for payments at
/// once, red packets, refunds and settlements, which nobody can hold up by saying nothing.
pub const TRANSFERS_MAX: u32 = 192;
/// Of those, how many may be of one payer.
pub const PAYER_TRANSFERS_MAX: u32 = 16;
/// Messages of one direction that the other side has not confirmed. One more is not written, and what would
/// need it is not taken.
pub const JOURNAL_MAX: u64 = 1024;
/// Of those, how many may be there before a payment or a question is added: the rest is for answers. If both
/// journals were full, both nodes would wait for each other. It cannot be: of the two, take the one whose
/// oldest unconfirmed answer is the younger. All its answers are to questions that were there before the
/// other's oldest answer, and are as few as this, and to payments that waited, and are [`WAITING_MAX`]; with
/// as many questions of its own that is less than [`JOURNAL_MAX`].
pub const QUESTIONS_MAX: u64 = 256;
/// Hashes of messages that were taken, by which another one under the same number is found out. What is older
/// is told from the chain.
pub const HEARD_MAX: u64 = 1024;
/// What a payer writes beside a payment, or an operator beside a settlement, in bytes.
pub const MEMO_BYTES_MAX: usize = 1024;
/// Payments that a peer may ask for and that never were, until the link is frozen: who is honest asks for
/// none.
pub const TOMBSTONES_MAX: u32 = 1024;
/// Lines of a statement, and verdicts of a thaw.
pub const LINES_MAX: usize = 4096;
