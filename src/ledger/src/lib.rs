//! Double entry as a pure state machine: accounts, transfers, and the rules that no sequence of them breaks.
//!
//! Money is an integer number of an asset's minor units. A [`Transfer`] moves an amount from one account to another and is
//! never changed afterwards; one that is pending holds its amount back until it is posted, voided, or its time is over.
//! Transfers that belong together stand in one chain, of which all happen or none. Every id is made by whoever asks, so
//! that asking again gives the first answer again.
//!
//! Whatever is done, in this order or another: of each asset the debits are the credits; no account goes below its floor
//! or above its cap, also counting what is pending; a pending transfer is resolved once; the refunds of a transfer are no more
//! than it; and the same events give the same state to the byte. `tests/histories.rs` holds the crate to that, against a model
//! that is written differently.
//!
//! Beside it stand two sums of everyday life: red packets ([`packet`]) and bills that are shared ([`split`]). Payments between nodes
//! ([`link`]) are two ledgers and what they say to each other. What members check of a day's books is [`proof`].
//!
//! The crate keeps nothing: rows come from [`Books`]. In memory that is [`Memory`]; a node's are in its store.
//!
//! ```
//! use weft_ledger::{Account, AccountKind, Memory, Movement, Purpose, Transfer, open_account, post};
//! use weft_wire::{AccountId, AssetId, TransferId};
//!
//! let (issuance, alice) = (AccountId([1; 16]), AccountId([2; 16]));
//! let mut books = Memory::default();
//! open_account(&mut books, Account::new(issuance, AssetId([9; 16]), AccountKind::Issuance), 0)?;
//! open_account(&mut books, Account::new(alice, AssetId([9; 16]), AccountKind::User), 0)?;
//! let movement = Movement::Posted { debit: issuance, credit: alice, amount: 100, refunds: None };
//! let issue = Transfer { id: TransferId([7; 16]), movement, purpose: Purpose::Issue, about: [0; 16] };
//! post(&mut books, std::slice::from_ref(&issue), 0)?;
//! assert!(post(&mut books, &[issue], 1)?.replayed, "it was done before");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod books;
mod decimal;
mod draft;
mod error;
mod event;
pub mod hledger;
pub mod link;
mod memory;
pub mod packet;
mod post;
pub mod proof;
pub mod split;
mod transfer;
mod wide;

pub use account::{Account, AccountKind, Balances, Bounds, Freeze, Side};
pub use books::Books;
pub use decimal::{DecimalError, format_amount, parse_amount};
pub use error::{LedgerError, Refusal};
pub use event::{Event, apply, change_account, open_account};
pub use memory::Memory;
pub use post::{CHAIN_MAX, Done, expire, post};
pub use transfer::{Entry, Hold, Movement, Outcome, Purpose, Resolution, Standing, Transfer};
