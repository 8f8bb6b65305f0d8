//! The catalogue: every table of a node, its key, its record and its owner, on one page.
//!
//! Numbers are on disk: a number is never reused, and a table that is dropped stays here as a tombstone. Numbers below 8 are
//! the store's own. Keys are bytewise ordered; `BE64(n)` is eight bytes, big-endian.

use std::hash::{Hash, Hasher};

/// One ordered table. Cheap to copy; make one with an entry of the catalogue below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// The number on disk.
    pub id: u8,
    /// The name in errors, metrics and `weft check`.
    pub name: &'static str,
}

impl Hash for Table {
    /// The number says it all.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// Tables below this number belong to the store.
pub const RESERVED_IDS: u8 = 8;

impl Table {
    /// A table with a number and a name.
    #[must_use]
    pub const fn new(id: u8, name: &'static str) -> Self {
        Table { id, name }
    }
}

const fn numbers_differ(tables: &[Table]) -> bool {
    let [first, rest @ ..] = tables else { return true };
    let mut others = rest;
    while let [other, more @ ..] = others {
        if other.id == first.id {
            return false;
        }
        others = more;
    }
    numbers_differ(rest)
}

/// Declares tables, their documentation and the list [`ALL`], and fails to compile when two share a number.
macro_rules! tables {
    ($($name:ident = $id:literal, $text:literal, key: $key:literal, record: $record:literal, owner: $owner:literal;)*) => {
        $(
            #[doc = concat!("`", $text, "`: ", $key, " → ", $record, ". Owner: ", $owner, ".")]
            pub const $name: Table = Table::new($id, $text);
        )*
        /// Every table, in the order of this page.
        pub const ALL: &[Table] = &[$($name),*];
        // Two names for one number would mix two features' rows; better that it does not build.
        const _: () = assert!(numbers_differ(ALL), "two tables have the same number");
    };
}

tables! {
    // store
    IDEMPOTENCY       = 1, "store.idempotency",       key: "BLAKE3 of the caller's key", record: "sequence and numbers of the first commit", owner: "store";
    IDEMPOTENCY_ORDER = 2, "store.idempotency_order", key: "BE64(ordinal)",              record: "sequence, BLAKE3 of the caller's key",     owner: "store";

    // the node itself
    NODE              = 16, "node",                   key: "name of the setting",        record: "OPAQUE server setup, name and public key of the node, owner's name, hash of the owner invite, BE64 time up to which things have aged", owner: "service/accounts, service/invites, service/context, service/aging";
    COUNTS            = 17, "counts",                 key: "what is counted",            record: "counter",                     owner: "service/accounts, service/rooms";

    // accounts
    ACCOUNTS          = 20, "accounts",               key: "name",                       record: "AccountRecord",               owner: "service/accounts";
    DEVICES           = 21, "accounts.devices",       key: "name 00 device",             record: "DeviceRecord; signed-out devices stay as tombstones", owner: "service/accounts";
    SESSIONS          = 22, "accounts.sessions",      key: "BLAKE3 of the token",        record: "SessionRecord",               owner: "service/accounts";
    SPENT             = 23, "accounts.spent",         key: "BE64(expiry) kind id",       record: "nothing: a ticket, challenge or nonce that was used", owner: "service/accounts";

    // invites
    INVITES           = 28, "invites",                key: "BLAKE3 of the code",         record: "InviteRecord",                owner: "service/invites";

    // contacts
    CONTACTS          = 32, "contacts",               key: "name 00 address",            record: "ContactRecord",               owner: "service/contacts";
    CONTACT_BOOKS     = 33, "contacts.books",         key: "name",                       record: "BookRecord: how many contacts, requests, links", owner: "service/contacts";
    CONTACT_LINKS     = 34, "contacts.links",         key: "BLAKE3 of the token",        record: "LinkRecord",                  owner: "service/contacts";
    CONSENTS          = 35, "contacts.consents",      key: "name 00 room address",       record: "ConsentRecord: who has got KeyPackages for a room", owner: "service/contacts";

    // KeyPackages
    KEY_PACKAGES      = 40, "key_packages",           key: "name 00 device reference",   record: "PackageRecord",               owner: "service/keypackages";
    KEY_PACKAGES_LEFT = 41, "key_packages.left",      key: "name 00 device",             record: "counter",                     owner: "service/keypackages";
    KEY_PACKAGES_LAST = 42, "key_packages.last",      key: "name 00 device",             record: "PackageRecord, the last-resort one", owner: "service/keypackages";
    KEY_PACKAGES_USED = 43, "key_packages.used",      key: "name 00 device reference",   record: "nothing: it was handed out",  owner: "service/keypackages";

    // rooms
    ROOMS             = 48, "rooms",                  key: "room",                       record: "RoomRecord",                  owner: "service/rooms";
    ROOM_PARTS        = 49, "rooms.parts",            key: "room part kind index",       record: "bytes: hub state, GroupInfo, members, long commits in chunks", owner: "service/rooms";
    ROOM_LOG          = 50, "rooms.log",              key: "room BE64(number)",          record: "LogRecord",                   owner: "service/rooms";
    ROOM_HEADS        = 51, "rooms.heads",            key: "room",                       record: "counter: the newest number of the log", owner: "service/rooms";
    ROOM_MESSAGE_IDS  = 52, "rooms.message_ids",      key: "room device message",        record: "MessageIdRecord",             owner: "service/rooms";
    ROOM_CURSORS      = 53, "rooms.cursors",          key: "room name 00 device",        record: "CursorRecord",                owner: "service/rooms";
    ROOM_ITEMS        = 54, "rooms.items",            key: "room address 00 kind",       record: "ItemRecord",                  owner: "service/rooms";
    ROOMS_OF          = 55, "rooms.of",               key: "name 00 room",               record: "nothing; rewritten when the account comes in", owner: "service/rooms";
    ROOMS_OF_COUNT    = 56, "rooms.of_count",         key: "name",                       record: "counter",                     owner: "service/rooms";
    DIRECT_ROOMS      = 57, "rooms.direct",           key: "address 00 address",         record: "room",                        owner: "service/rooms";
    ROOM_PARTS_AHEAD  = 58, "rooms.parts_ahead",      key: "BE64(time) room part",       record: "nothing: parts written ahead of a commit that may never come", owner: "service/rooms";

    ROOM_DOORS        = 59, "rooms.doors",            key: "room",                       record: "DoorRecord: links to a group, and how many ask to be let in", owner: "service/rooms";
    ROOM_ASKING       = 60, "rooms.asking",           key: "room address",               record: "AskingRecord: somebody who asks to be let in", owner: "service/rooms";
    ROOMS_ASKED       = 61, "rooms.asked",            key: "name 00 room",               record: "AskedRecord: a group into which somebody here has asked to be let", owner: "service/rooms";

    // inboxes
    INBOX             = 64, "inbox",                  key: "name 00 device BE64(number)", record: "InboxRecord",                owner: "service/inbox";
    INBOX_HEADS       = 65, "inbox.heads",            key: "name 00 device",             record: "counter: the newest number",  owner: "service/inbox";
    INBOX_PARTS       = 66, "inbox.parts",            key: "name 00 device part index",  record: "bytes: long Welcomes in chunks", owner: "service/inbox";
    INBOX_PARTS_AHEAD = 67, "inbox.parts_ahead",      key: "BE64(time) name 00 device part", record: "nothing: parts written ahead of a commit that may never come", owner: "service/inbox";
    INBOX_WAITING     = 68, "inbox.waiting",          key: "name 00 device",             record: "counter: entries that wait",  owner: "service/inbox";
    INBOX_CONTACTS    = 69, "inbox.contacts",         key: "name 00 device address",     record: "BE64(number): the entry about that person that waits", owner: "service/inbox";
    INBOX_WELCOMES    = 70, "inbox.welcomes",         key: "name 00 device room",        record: "BE64(number): the Welcome to a room of another hub that waits", owner: "service/inbox";

    // vault
    VAULT             = 72, "vault",                  key: "name 00 record",             record: "VaultRow",                    owner: "service/vault";
    VAULT_BOOKS       = 73, "vault.books",            key: "name",                       record: "VaultBook: how many records, the newest change", owner: "service/vault";
    VAULT_CHANGES     = 74, "vault.changes",          key: "name 00 BE64(change)",       record: "record name; one row a record", owner: "service/vault";

    // flows
    SIGN_OUTS         = 80, "flows.sign_outs",        key: "name 00 device",             record: "nothing: a sign-out whose rooms are not all told", owner: "service/flows";

    // between nodes
    PEERS             = 88, "federation.peers",       key: "node",                       record: "PeerRecord",                  owner: "service/federation";
    OUTBOX            = 89, "federation.outbox",      key: "node 00 BE64(number)",       record: "OutboxRecord",                owner: "service/federation";
    OUTBOX_HEADS      = 90, "federation.outbox_heads", key: "node",                      record: "counter: the newest number",  owner: "service/federation";
    OUTBOX_RUNS       = 91, "federation.outbox_runs", key: "node",                       record: "RunRecord: how far the other node has taken what is for it", owner: "service/federation";
    INBOX_PEERS       = 92, "federation.inbox_peers", key: "node",                       record: "ArrivalRecord: how far we have taken what it sends", owner: "service/federation";
    INBOX_RESULTS     = 93, "federation.inbox_results", key: "node 00 BE64(number)",     record: "ResultRecord: what came of an event, until the sender knows", owner: "service/federation";
    PEOPLE            = 94, "federation.people",      key: "address",                    record: "PersonRecord: a person of another node, pinned", owner: "service/federation";
    ROOM_FOLLOWERS    = 95, "federation.room_followers", key: "room node",               record: "FollowerRecord: how far its copy of the log goes", owner: "service/federation";
    OUTBOX_PARTS      = 97, "federation.outbox_parts", key: "node 00 part index",         record: "bytes: long Welcomes in chunks", owner: "service/flows";
    OUTBOX_PARTS_AHEAD = 98, "federation.outbox_parts_ahead", key: "BE64(time) node 00 part", record: "nothing: parts written ahead of a commit that may never come", owner: "service/flows";
    OUTBOX_OWED       = 99, "federation.owed",        key: "node 00 name 00 name 00 kind", record: "nothing: a step towards somebody there that waits though it has waited for too long", owner: "service/flows";
    OUTBOX_SAID       = 96, "federation.said",        key: "room device message",        record: "SaidRecord: a message that waits for its hub", owner: "service/flows";

    // the ledger: everything here is written by the teller alone, in one commit with the head
    LEDGER_HEAD       = 104, "ledger.head",           key: "\"head\"",                   record: "HeadRecord: the newest event; rewritten with every commit of the teller", owner: "service/wallet";
    LEDGER_LOG        = 105, "ledger.log",            key: "BE64(number)",               record: "EventRecord",                 owner: "service/wallet";
    LEDGER_ACCOUNTS   = 106, "ledger.accounts",       key: "account",                    record: "AccountRecord",               owner: "service/wallet";
    LEDGER_ENTRIES    = 107, "ledger.entries",        key: "transfer",                   record: "EntryRecord",                 owner: "service/wallet";
    LEDGER_STANDINGS  = 108, "ledger.standings",      key: "transfer",                   record: "StandingRecord: what became of a transfer later", owner: "service/wallet";
    LEDGER_HISTORY    = 109, "ledger.history",        key: "account BE64(number) transfer", record: "nothing: a transfer that touched the account", owner: "service/wallet";
    LEDGER_DUE        = 110, "ledger.due",            key: "BE64(time) transfer",        record: "nothing: a pending transfer that ends by itself", owner: "service/wallet";

    // the wallet
    ASSETS            = 112, "wallet.assets",         key: "asset",                      record: "AssetRecord: what this node issues", owner: "service/wallet";
    WALLETS           = 113, "wallet.accounts",       key: "name 00 asset",              record: "nothing: an account of a person", owner: "service/wallet";
    OWNERS            = 114, "wallet.owners",         key: "account",                    record: "OwnerRecord: whose an account is", owner: "service/wallet";
    PAYERS            = 115, "wallet.payers",         key: "account",                    record: "PayerRecord: what was paid from it today", owner: "service/wallet";
    ORDER_KEYS        = 116, "wallet.order_keys",     key: "name 00 device",             record: "OrderKeyRecord: what a device signs payments with, and its last counter", owner: "service/wallet";
    ORDER_KEYS_GONE   = 186, "wallet.order_keys_gone", key: "name 00 device",            record: "nothing: a device that was signed out gets no order key any more", owner: "service/wallet";
    ORDERS            = 117, "wallet.orders",         key: "transfer",                   record: "OrderRecord: the order that the payer signed", owner: "service/wallet";
    PACKETS           = 118, "wallet.packets",        key: "packet",                     record: "PacketRecord",                owner: "service/wallet";
    PACKET_CLAIMS     = 119, "wallet.packet_claims",  key: "packet BE32(claim)",         record: "ClaimRecord: who has opened it", owner: "service/wallet";
    PACKETS_DUE       = 120, "wallet.packets_due",    key: "BE64(time) packet",          record: "nothing: a packet that ends by itself", owner: "service/wallet";
    REQUESTS_PAID     = 121, "wallet.requests_paid",  key: "name 00 request other 00 BE64(number) transfer", record: "nothing: the same of before there was wallet.requests_sums; not written any more", owner: "service/wallet";

    // links with other nodes: written by the teller as well, in one commit with what they move
    LINKS             = 128, "links",                 key: "node",                       record: "LinkRecord: the terms, and how far both half-channels are", owner: "service/wallet";
    LINK_PAYMENTS     = 129, "links.payments",        key: "node 00 way transfer",       record: "RemoteRecord: a payment over the link", owner: "service/wallet";
    LINK_OUTGOING     = 130, "links.outgoing",        key: "node 00 BE64(number)",       record: "OutgoingRecord: a message that is not confirmed", owner: "service/wallet";
    LINK_HEARD        = 131, "links.heard",           key: "node 00 BE64(number)",       record: "HeardRecord: the hash of a message that was taken", owner: "service/wallet";
    LINK_DUE          = 132, "links.due",             key: "BE64(time) way transfer node", record: "nothing: a payment that has to be ended, or asked after", owner: "service/wallet";
    LINK_ARRIVED      = 133, "links.arrived",         key: "transfer node",              record: "nothing: a payment from there to somebody here", owner: "service/wallet";
    LINK_OFFERS       = 134, "links.offers",          key: "node",                       record: "OfferRecord: which terms the two operators have signed", owner: "service/wallet";
    LINK_THAWS        = 136, "links.thaws",           key: "node 00 BE32(index)",        record: "bytes: the thaw that the operator has agreed to, in chunks", owner: "service/wallet";
    LINK_WAITING      = 137, "links.waiting",         key: "node 00 way address",        record: "WaitingRecord: how many payments of somebody wait", owner: "service/wallet";
    LINK_REJECTED     = 138, "links.rejected",        key: "node 00 BE32(era) BE64(number)", record: "RejectedRecord: a payment that was refused as it came, by the message that says so", owner: "service/wallet";

    LINK_TERMS        = 139, "links.terms",           key: "node 00 BE32(version)",      record: "AgreedRecord: terms that both operators have signed, and since when they are in force here", owner: "service/wallet";
    LINK_SETTLEMENTS  = 182, "links.settlements",     key: "node 00 BE64(time) way transfer", record: "nothing: what an operator has proposed to settle", owner: "service/wallet";

    // shops: written by the teller, too
    MERCHANTS         = 140, "wallet.merchants",      key: "name",                       record: "MerchantRecord: a shop; no account has its name", owner: "service/wallet";
    MERCHANTS_OF      = 141, "wallet.merchants_of",   key: "name 00",                    record: "PlacesRecord: the shops of somebody, and where they work", owner: "service/wallet";
    SALES             = 142, "wallet.sales",          key: "shop 00 sale",               record: "SaleRecord",                  owner: "service/wallet";
    SALES_LIST        = 143, "wallet.sales_list",     key: "shop 00 BE64(time) sale",    record: "nothing: the sales of a shop in their order", owner: "service/wallet";
    PAY_CODES         = 144, "wallet.pay_codes",      key: "BLAKE3 of the digits",       record: "CodeRecord: a code that a payer shows", owner: "service/wallet";
    CHARGES           = 191, "wallet.charges",        key: "shop@node 00 sale",          record: "ChargeRecord: what a shop of another node has charged by a code", owner: "service/wallet";
    PAY_CODES_OF      = 145, "wallet.pay_codes_of",   key: "name 00 device",             record: "BLAKE3 of the digits: the device's last code", owner: "service/wallet";

    // what is signed of the ledger each day: written beside the teller, from what it has written
    ROOTS             = 146, "ledger.roots",          key: "BE64(day)",                  record: "RootRecord: what the node has signed at the end of a day, and who has seen it", owner: "service/wallet";
    ROOT_NODES        = 147, "ledger.root_nodes",     key: "BE64(day) asset or zeros level BE64(index)", record: "bytes: up to 256 nodes of a day's tree, 48 bytes each", owner: "service/wallet";
    ROOT_BALANCES     = 148, "ledger.root_balances",  key: "account",                    record: "BalanceRecord: what was in it at the end of the last day that has a root", owner: "service/wallet";
    ROOTS_SEEN        = 149, "ledger.roots_seen",     key: "node 00 BE64(day)",          record: "SeenRecord: the root of another node that this one has witnessed", owner: "service/wallet";

    // invoices: written by the teller, too
    INVOICES          = 150, "wallet.invoices",       key: "issuer 00 id",               record: "InvoiceRecord",               owner: "service/wallet";
    INVOICES_LIST     = 151, "wallet.invoices_list",  key: "name 00 box BE64(time) issuer 00 id", record: "nothing: an invoice that somebody has sent or got; an issuer of another node by address", owner: "service/wallet";
    INVOICE_NUMBERS   = 152, "wallet.invoice_numbers", key: "issuer 00",                 record: "NumbersRecord: how many invoices somebody has sent", owner: "service/wallet";
    INVOICES_FAR      = 190, "wallet.invoices_far",   key: "name 00 address of the issuer 00 id", record: "FarInvoiceRecord: an invoice of another node, for somebody here", owner: "service/wallet";
    INVOICES_FAR_PAID = 192, "wallet.invoices_far_paid", key: "name 00 address of the issuer 00 id", record: "InvoicePaidRecord: what somebody here has paid an invoice of another node with", owner: "service/wallet";

    // escrow: written by the teller, too
    ESCROWS           = 153, "wallet.escrows",        key: "escrow",                     record: "EscrowRecord: money that is held for a seller", owner: "service/wallet";
    ESCROWS_LIST      = 154, "wallet.escrows_list",   key: "name 00 BE64(time) escrow",  record: "nothing: an escrow of a buyer or seller", owner: "service/wallet";
    ESCROWS_DUE       = 155, "wallet.escrows_due",    key: "BE64(time) escrow",          record: "nothing: an escrow that ends by itself", owner: "service/wallet";

    // mandates: written by the teller, too
    MANDATES          = 156, "wallet.mandates",       key: "mandate",                    record: "MandateRecord: what a debtor allows a creditor to collect", owner: "service/wallet";
    MANDATES_LIST     = 157, "wallet.mandates_list",  key: "name 00 BE64(time) mandate", record: "nothing: a mandate of a debtor or creditor", owner: "service/wallet";
    MANDATES_DUE      = 167, "wallet.mandates_due",   key: "BE64(time) mandate",         record: "nothing: when a mandate is looked at next", owner: "service/wallet";
    MANDATES_LIVE     = 168, "wallet.mandates_live",  key: "debtor 00",                  record: "LiveRecord: how many mandates of somebody hold", owner: "service/wallet";
    COLLECTIONS       = 169, "wallet.collections",    key: "mandate BE32(period)",       record: "CollectionRecord: what came of a period", owner: "service/wallet";

    // what a bank says, and what members ask of it: written by the teller, too
    BANK_ACCOUNTS     = 158, "wallet.bank_accounts",  key: "asset",                      record: "BankAccountRecord: the account at a bank that backs an asset", owner: "service/wallet";
    BANK_LINES        = 159, "wallet.bank_lines",     key: "line",                       record: "BankLineRecord: a line of a bank's file, so that it counts once", owner: "service/wallet";
    BANK_WAITING      = 160, "wallet.bank_waiting",   key: "BE64(time) line",            record: "nothing: a line that waits for the owner", owner: "service/wallet";
    BANKING           = 161, "wallet.banking",        key: "name 00 asset",              record: "BankingRecord: somebody's reference, and how many of their withdrawals wait", owner: "service/wallet";
    REFERENCES        = 162, "wallet.references",     key: "creditor reference",         record: "ReferenceRecord: whose it is, or of which withdrawal", owner: "service/wallet";
    WITHDRAWALS       = 163, "wallet.withdrawals",    key: "transfer",                   record: "WithdrawalRecord",            owner: "service/wallet";
    WITHDRAWALS_OF    = 164, "wallet.withdrawals_of", key: "name 00 BE64(time) transfer", record: "nothing: a withdrawal of somebody", owner: "service/wallet";
    WITHDRAWALS_WAITING = 165, "wallet.withdrawals_waiting", key: "BE64(time) transfer", record: "nothing: a withdrawal that is not decided", owner: "service/wallet";
    BANK_FORMATS      = 166, "wallet.bank_formats",   key: "asset account",              record: "FormatRecord: in what form an account's files come, for good", owner: "service/wallet";

    // what needs a second person: written by the teller, too
    GUARD             = 172, "wallet.guard",          key: "\"guard\"",                  record: "GuardRecord: who approves, and what waits", owner: "service/wallet";
    GUARD_LOG         = 173, "wallet.guard_log",      key: "BE64(number)",               record: "GuardChangeRecord: a change of who approves, or of a threshold", owner: "service/wallet";
    PROPOSALS         = 174, "wallet.proposals",      key: "proposal",                   record: "ProposalRecord: what waits for an approver, or did", owner: "service/wallet";
    GUARDED           = 175, "wallet.guarded",        key: "asset",                      record: "GuardedRecord: its threshold, and what was issued today without approval", owner: "service/wallet";

    // cash agents: written by the teller, too
    AGENTS            = 176, "wallet.agents",         key: "name 00 asset",              record: "AgentRecord: a cash agent", owner: "service/wallet";
    AGENT_BOOKS       = 177, "wallet.agent_books",    key: "asset",                      record: "AgentBook: the cash agents of an asset", owner: "service/wallet";
    // fees: written by the teller, too
    FEES              = 183, "wallet.fees",           key: "asset",                      record: "FeesRecord: what the node takes for payments", owner: "service/wallet";
    // lists beside orders: written by the teller, too
    ORDERS_REFUSED    = 181, "wallet.orders_refused", key: "BE64(time) transfer",        record: "nothing: an order that the ledger has refused, and until when it is kept", owner: "service/wallet";
    REQUESTS_SUMS     = 180, "wallet.requests_sums",  key: "name 00 request asset BE64(all ones less the amount) BE64(number) transfer", record: "nothing: what was paid for a request, by or to somebody, the largest first", owner: "service/wallet";
}

/// The catalogue's entry for a number, if there is one.
#[must_use]
pub fn by_id(id: u8) -> Option<Table> {
    ALL.iter().copied().find(|table| table.id == id)
}
