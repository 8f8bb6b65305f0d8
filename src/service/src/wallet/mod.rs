//! The wallet: accounts in the node's ledger, and payments that their owners sign.
//!
//! The rules of money are `weft-ledger`'s; here stands who may ask for what. Whatever changes the ledger is a piece of work for the
//! teller.

mod accounts;
pub(crate) mod agent_records;
#[cfg(test)]
mod agent_tests;
mod agents;
mod assets;
mod audit;
mod audit_agents;
mod audit_bank;
mod audit_bills;
#[cfg(test)]
mod audit_fee_tests;
mod audit_fees;
mod audit_guard;
mod audit_links;
mod audit_mandates;
#[cfg(test)]
mod audit_packet_tests;
mod audit_packets;
mod audit_roots;
#[cfg(test)]
mod audit_sale_tests;
mod audit_sales;
mod bank_accounts;
mod bank_approved;
mod bank_import;
mod bank_lines;
pub(crate) mod bank_records;
#[cfg(test)]
mod bank_tests;
mod books;
mod charges;
mod codes;
mod collections;
mod error;
#[cfg(test)]
mod escrow_tests;
mod escrows;
mod export;
#[cfg(test)]
mod fee_tests;
mod fees;
mod fees_desk;
mod guard;
mod guard_decide;
mod guard_desk;
pub(crate) mod guard_records;
#[cfg(test)]
mod guard_tests;
mod history;
#[cfg(test)]
mod invoice_tests;
mod invoices;
mod link_account;
mod link_books;
mod link_error;
mod link_found;
mod link_look;
mod link_offers;
mod link_post;
mod link_rates;
mod link_settle;
mod link_terms;
mod link_thaw;
pub(crate) mod mandate_records;
#[cfg(test)]
mod mandate_tests;
mod mandates;
mod notices;
mod orders;
#[cfg(test)]
mod packet_tests;
mod packets;
mod receipts;
pub(crate) mod records;
mod remote;
mod remote_bills;
mod remote_codes;
mod remote_shops;
mod roots;
mod sales;
mod sheet;
#[cfg(test)]
mod shop_code_tests;
#[cfg(test)]
mod shop_tests;
mod shops;
mod staff;
#[cfg(test)]
mod staff_tests;
mod teller;
#[cfg(test)]
mod teller_tests;
#[cfg(test)]
pub(crate) mod tests;
mod watch;
mod withdrawals;

pub use audit::{LedgerReport, check_ledger};
pub use error::WalletError;
pub use invoices::InvoiceBox;
pub use link_error::LinkTrouble;
pub(crate) use link_post::{Heard, Letter, LinkPost, MESSAGES_MAX};
pub use link_terms::{CoveredWish, RateWish, TermsWish, hex};
pub(crate) use orders::Submitted;
pub(crate) use remote::Memo;
pub(crate) use remote_shops::is_shop_title;
pub(crate) use watch::WalletWatch;

use crate::{cache::Cache, context::Ctx};
use ed25519_dalek::{SigningKey, VerifyingKey};
use std::sync::Arc;
use teller::Teller;

type Result<T, E = WalletError> = std::result::Result<T, E>;

/// Accounts and payments.
#[derive(Clone)]
pub struct Wallet {
    ctx: Arc<Ctx>,
    teller: Teller,
    /// The node's own key: receipts are signed with it.
    key: Arc<SigningKey>,
    /// Order keys as they are reckoned with: that takes longer than to look here.
    order_keys: Arc<Cache<[u8; 32], VerifyingKey>>,
}

/// Order keys that are at hand, of 200 bytes each.
const ORDER_KEYS_MAX: usize = 4_096;

impl Wallet {
    pub(crate) fn new(ctx: Arc<Ctx>, key: SigningKey) -> Self {
        let order_keys = Arc::new(Cache::new(ORDER_KEYS_MAX));
        Wallet { teller: Teller::start(ctx.clone()), ctx, key: Arc::new(key), order_keys }
    }

    /// What receipts and the codes of shops are checked with.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}
