//! Judges one stored record at a time, for `weft check`: is it what the catalogue of tables says?

use crate::{
    accounts::records::{AccountRecord, DeviceRecord, SessionRecord},
    contacts::records::{BookRecord, ConsentRecord, ContactRecord, LinkRecord},
    context::check_own,
    federation::records::{
        ArrivalRecord, FollowerRecord, OutboxRecord, PeerRecord, PersonRecord, ResultRecord, RunRecord,
        SaidRecord,
    },
    inbox::records::InboxRecord,
    invites::records::InviteRecord,
    keypackages::records::PackageRecord,
    rooms::records::{
        AskedRecord, AskingRecord, CursorRecord, DoorRecord, ItemRecord, LogRecord, MessageIdRecord,
        RoomRecord,
    },
    vault::records::{VaultBook, VaultRow},
    wallet::agent_records as agent,
    wallet::bank_records as bank,
    wallet::guard_records as guard,
    wallet::mandate_records as mandates,
    wallet::records as wallet,
};
use weft_store::{Table, record::Record, tables};

/// Reads a record as its table's type, older versions included. Tables of raw bytes and of other versions pass.
///
/// # Errors
/// What is wrong, without the record's contents.
pub fn check_record(table: Table, key: &[u8], value: &[u8]) -> Result<(), String> {
    match table {
        tables::NODE => check_own(key, value),
        tables::ACCOUNTS => read::<AccountRecord>(value),
        tables::DEVICES => read::<DeviceRecord>(value),
        tables::SESSIONS => read::<SessionRecord>(value),
        tables::INVITES => read::<InviteRecord>(value),
        tables::CONTACTS => read::<ContactRecord>(value),
        tables::CONTACT_BOOKS => read::<BookRecord>(value),
        tables::CONTACT_LINKS => read::<LinkRecord>(value),
        tables::CONSENTS => read::<ConsentRecord>(value),
        tables::KEY_PACKAGES | tables::KEY_PACKAGES_LAST => read::<PackageRecord>(value),
        tables::ROOMS => read::<RoomRecord>(value),
        tables::ROOM_LOG => read::<LogRecord>(value),
        tables::ROOM_MESSAGE_IDS => read::<MessageIdRecord>(value),
        tables::ROOM_CURSORS => read::<CursorRecord>(value),
        tables::ROOM_ITEMS => read::<ItemRecord>(value),
        tables::ROOM_DOORS => read::<DoorRecord>(value),
        tables::ROOM_ASKING => read::<AskingRecord>(value),
        tables::ROOMS_ASKED => read::<AskedRecord>(value),
        tables::INBOX => read::<InboxRecord>(value),
        tables::VAULT => read::<VaultRow>(value),
        tables::VAULT_BOOKS => read::<VaultBook>(value),
        tables::PEERS => read::<PeerRecord>(value),
        tables::OUTBOX => read::<OutboxRecord>(value),
        tables::OUTBOX_RUNS => read::<RunRecord>(value),
        tables::INBOX_PEERS => read::<ArrivalRecord>(value),
        tables::INBOX_RESULTS => read::<ResultRecord>(value),
        tables::PEOPLE => read::<PersonRecord>(value),
        tables::ROOM_FOLLOWERS => read::<FollowerRecord>(value),
        tables::OUTBOX_SAID => read::<SaidRecord>(value),
        tables::LEDGER_HEAD => read::<wallet::HeadRecord>(value),
        tables::LEDGER_LOG => read::<wallet::EventRecord>(value),
        tables::LEDGER_ACCOUNTS => read::<wallet::AccountRecord>(value),
        tables::LEDGER_ENTRIES => read::<wallet::EntryRecord>(value),
        tables::LEDGER_STANDINGS => read::<wallet::StandingRecord>(value),
        tables::ASSETS => read::<wallet::AssetRecord>(value),
        tables::OWNERS => read::<wallet::OwnerRecord>(value),
        tables::PAYERS => read::<wallet::PayerRecord>(value),
        tables::ORDER_KEYS => read::<wallet::OrderKeyRecord>(value),
        tables::ORDERS => read::<wallet::OrderRecord>(value),
        tables::PACKETS => read::<wallet::PacketRecord>(value),
        tables::PACKET_CLAIMS => read::<wallet::ClaimRecord>(value),
        tables::LINKS => read::<wallet::LinkRecord>(value),
        tables::LINK_PAYMENTS => read::<wallet::RemoteRecord>(value),
        tables::LINK_OUTGOING => read::<wallet::OutgoingRecord>(value),
        tables::LINK_HEARD => read::<wallet::HeardRecord>(value),
        tables::LINK_OFFERS => read::<wallet::OfferRecord>(value),
        tables::LINK_TERMS => read::<wallet::AgreedRecord>(value),
        tables::LINK_WAITING => read::<wallet::WaitingRecord>(value),
        tables::LINK_REJECTED => read::<wallet::RejectedRecord>(value),
        tables::MERCHANTS => read::<wallet::MerchantRecord>(value),
        tables::MERCHANTS_OF => read::<wallet::PlacesRecord>(value),
        tables::SALES => read::<wallet::SaleRecord>(value),
        tables::PAY_CODES => read::<wallet::CodeRecord>(value),
        tables::CHARGES => read::<wallet::ChargeRecord>(value),
        tables::PAY_CODES_OF => read::<wallet::LastCodeRecord>(value),
        tables::ROOTS => read::<wallet::RootRecord>(value),
        tables::ROOT_BALANCES => read::<wallet::BalanceRecord>(value),
        tables::ROOTS_SEEN => read::<wallet::SeenRecord>(value),
        tables::ESCROWS => read::<wallet::EscrowRecord>(value),
        tables::MANDATES => read::<mandates::MandateRecord>(value),
        tables::MANDATES_LIVE => read::<mandates::LiveRecord>(value),
        tables::COLLECTIONS => read::<mandates::CollectionRecord>(value),
        tables::INVOICES => read::<wallet::InvoiceRecord>(value),
        tables::INVOICES_FAR => read::<wallet::FarInvoiceRecord>(value),
        tables::INVOICES_FAR_PAID => read::<wallet::InvoicePaidRecord>(value),
        tables::INVOICE_NUMBERS => read::<wallet::NumbersRecord>(value),
        tables::BANK_ACCOUNTS => read::<bank::BankAccountRecord>(value),
        tables::BANK_FORMATS => read::<bank::FormatRecord>(value),
        tables::BANK_LINES => read::<bank::BankLineRecord>(value),
        tables::BANKING => read::<bank::BankingRecord>(value),
        tables::REFERENCES => read::<bank::ReferenceRecord>(value),
        tables::WITHDRAWALS => read::<bank::WithdrawalRecord>(value),
        tables::GUARD => read::<guard::GuardRecord>(value),
        tables::GUARD_LOG => read::<guard::GuardChangeRecord>(value),
        tables::PROPOSALS => read::<guard::ProposalRecord>(value),
        tables::GUARDED => read::<guard::GuardedRecord>(value),
        tables::AGENTS => read::<agent::AgentRecord>(value),
        tables::FEES => read::<wallet::FeesRecord>(value),
        tables::AGENT_BOOKS => read::<agent::AgentBook>(value),
        tables::COUNTS
        | tables::KEY_PACKAGES_LEFT
        | tables::ROOM_HEADS
        | tables::ROOMS_OF_COUNT
        | tables::INBOX_HEADS
        | tables::INBOX_WAITING
        | tables::INBOX_CONTACTS
        | tables::INBOX_WELCOMES
        | tables::OUTBOX_HEADS => counter(value),
        _ => Ok(()),
    }
}

fn read<R: Record>(value: &[u8]) -> Result<(), String> {
    R::from_record(value).map(drop).map_err(|error| error.to_string())
}

fn counter(value: &[u8]) -> Result<(), String> {
    if value.len() == 8 { Ok(()) } else { Err(format!("a counter of {} bytes", value.len())) }
}

#[cfg(test)]
mod golden_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_record_is_found() {
        assert!(check_record(tables::ACCOUNTS, b"alice", b"").is_err());
        assert!(check_record(tables::ACCOUNTS, b"alice", &[9, 0xa0]).unwrap_err().contains("version 9"));
        assert!(check_record(tables::ROOM_LOG, b"", b"\x01nonsense").is_err());
        assert!(check_record(tables::COUNTS, b"accounts", &[0; 7]).is_err());
        assert!(check_record(tables::COUNTS, b"accounts", &[0; 8]).is_ok());
        assert!(check_record(tables::NODE, b"key", &[0; 31]).is_err());
        assert!(check_record(tables::NODE, b"key", &[0; 32]).is_ok());
    }
}
