//! Every bound that a peer, a member or an upload can run into, on one page.
//!
//! A bound that is hit gives [`crate::Code::TooLarge`], [`crate::Code::TooMany`], [`crate::Code::Quota`] or
//! [`crate::Code::RateLimited`], never a silent cut. Units are last in the name.

/// Gaps in what the devices of one member have acknowledged. Of more the oldest are told as one.
pub const DELIVERED_GAPS_MAX: usize = 16;
/// A request body, before it is decoded. Larger things are blobs.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;
/// A frame that a client may send on its socket.
pub const SOCKET_FRAME_BYTES_MAX: usize = 128 << 10;
/// A frame that the node sends on a socket (several log entries share one).
pub const SERVER_FRAME_BYTES_MAX: usize = 1 << 20;
/// The MLS body of one application message: text and small structured content.
pub const MESSAGE_BYTES_MAX: usize = 48 << 10;
/// The MLS body of a commit. 500 members with their certificates fit.
pub const COMMIT_BYTES_MAX: usize = 512 << 10;
/// A GroupInfo with its ratchet tree.
pub const GROUP_INFO_BYTES_MAX: usize = 900 << 10;
/// One KeyPackage.
pub const KEY_PACKAGE_BYTES_MAX: usize = 8 << 10;
/// KeyPackages that a device may keep on its node.
pub const KEY_PACKAGES_PER_DEVICE_MAX: usize = 100;
/// A message's text, in bytes of UTF-8, as the composer allows it.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// A display name, in bytes of UTF-8.
pub const DISPLAY_NAME_BYTES_MAX: usize = 128;
/// A greeting or profile sealed to one identity.
pub const SEALED_GREETING_BYTES_MAX: usize = 4 << 10;
/// A sealed room item (read cursor) or room profile.
pub const ROOM_ITEM_BYTES_MAX: usize = 4 << 10;
/// A sealed ephemeral payload (typing).
pub const EPHEMERAL_BYTES_MAX: usize = 1 << 10;
/// A sealed vault record.
pub const VAULT_RECORD_BYTES_MAX: usize = 32 << 10;
/// Vault records of one account.
pub const VAULT_RECORDS_MAX: usize = 20_000;
/// A sealed account secret.
pub const KEYRING_BYTES_MAX: usize = 4 << 10;
/// Any OPAQUE message.
pub const OPAQUE_BYTES_MAX: usize = 2 << 10;
/// Devices of one account that are not revoked.
pub const DEVICES_PER_ACCOUNT_MAX: usize = 16;
/// Contacts of one account, requests included.
pub const CONTACTS_MAX: usize = 5_000;
/// Requests that wait for one person's answer; the next one is refused.
pub const CONTACT_REQUESTS_WAITING_MAX: usize = 200;
/// Contact links of one account that are alive.
pub const CONTACT_LINKS_MAX: usize = 50;
/// Members of a room.
pub const ROOM_MEMBERS_MAX: usize = 500;
/// People who wait to be let into one room.
pub const JOIN_REQUESTS_MAX: usize = 100;
/// Links of one room that are alive.
pub const GROUP_LINKS_MAX: usize = 16;
/// A group's name, in bytes of UTF-8.
pub const GROUP_NAME_BYTES_MAX: usize = 128;
/// Rooms of one account.
pub const ROOMS_PER_ACCOUNT_MAX: usize = 4_096;
/// Rooms named in one socket frame.
pub const ROOMS_PER_FRAME_MAX: usize = 1_024;
/// Log entries, inbox items or records in one answer.
pub const PAGE_MAX: usize = 256;
/// People whom one invite of a member lets in. The owner's and the operator's may be for more.
pub const MEMBER_INVITE_USES_MAX: u32 = 20;
/// Items that wait in one device's inbox. What comes when it is full is left out: the device joins its rooms by external commit.
pub const INBOX_ITEMS_MAX: usize = 10_000;
/// Commits that a client may be behind before it joins anew by external commit.
pub const COMMITS_BEHIND_MAX: u64 = 2_000;
/// Sockets of one device: its tabs share one, so all but one are left over from connections that broke.
pub const SOCKETS_PER_DEVICE_MAX: usize = 8;
/// Sockets of one account.
pub const SOCKETS_PER_ACCOUNT_MAX: usize = 32;
/// Sockets from one address.
pub const SOCKETS_PER_ADDRESS_MAX: usize = 256;
/// A link that is pasted or scanned.
pub const LINK_BYTES_MAX: usize = 2 << 10;
/// How far the clock of a device may be from the node's when it signs a session request.
pub const CLOCK_SKEW_MS_MAX: u64 = 10 * 60 * 1000;
/// A batch of events between nodes, encoded.
pub const PEER_BATCH_BYTES_MAX: usize = 4 << 20;
/// A question or an answer between nodes, encoded: a commit of 500 members with its GroupInfo and Welcome fits.
pub const PEER_QUERY_BYTES_MAX: usize = 3 << 20;
/// What one node says to another of payments between them, at once.
pub const LINK_POST_BYTES_MAX: usize = 2 << 20;
/// Events in one batch.
pub const EVENTS_PER_BATCH_MAX: usize = 256;
/// Addresses at which a node says that it may be reached.
pub const PEER_ADDRESSES_MAX: usize = 16;
/// One such address, in bytes.
pub const PEER_ADDRESS_BYTES_MAX: usize = 256;
/// Assets that a node issues.
pub const ASSETS_MAX: usize = 64;
/// An asset's title, in bytes of UTF-8.
pub const ASSET_TITLE_BYTES_MAX: usize = 64;
/// What stands behind an asset, in bytes of UTF-8.
pub const ASSET_BACKING_BYTES_MAX: usize = 1 << 10;
/// What is said beside money: what for, a greeting. In bytes of UTF-8.
pub const MONEY_NOTE_BYTES_MAX: usize = 256;
/// A file of a bank that is uploaded. The operator's command reads larger ones.
pub const BANK_FILE_BYTES_MAX: usize = 4 << 20;
/// Who holds an account at a bank, what the bank is called, and how it calls the account: each in bytes of UTF-8. SEPA carries 70 characters.
pub const BANK_NAME_BYTES_MAX: usize = 140;
/// How a payment provider calls a payment, in bytes.
pub const NOTICE_ID_BYTES_MAX: usize = 128;
/// A notice of a payment provider, in JSON.
pub const NOTICE_BYTES_MAX: usize = 8 << 10;
/// Withdrawals of one member in one asset that wait.
pub const WITHDRAWALS_WAITING_MAX: u32 = 8;
/// People who may approve what the owner of a node issues.
pub const APPROVERS_MAX: usize = 8;
/// Proposals that wait for an approver.
pub const PROPOSALS_WAITING_MAX: usize = 32;
/// Proposals that were decided, and are still told.
pub const PROPOSALS_TOLD_MAX: usize = 16;
/// Cash agents of one asset.
pub const AGENTS_MAX: usize = 64;
/// A shop's title, in characters.
pub const SHOP_TITLE_CHARS_MAX: usize = 64;
/// People who work in one shop, beside its owner.
pub const SHOP_STAFF_MAX: usize = 64;
/// Shops that one member has.
pub const SHOPS_PER_OWNER_MAX: usize = 8;
/// Shops of one member, and those where they work.
pub const SHOPS_PER_PERSON_MAX: usize = 64;
/// How long a sale can be paid, where nothing else is said.
pub const SALE_LIFETIME_MS: u64 = 10 * 60 * 1000;
/// How long at most.
pub const SALE_LIFETIME_MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// How long a payer's code can be used.
pub const PAY_CODE_LIFETIME_MS: u64 = 60 * 1000;
/// What is said beside money in escrow, in bytes of UTF-8.
pub const ESCROW_NOTE_BYTES_MAX: usize = 128;
/// For how long money is held in escrow at least.
pub const ESCROW_MS_MIN: u64 = 60 * 60 * 1000;
/// For how long at most.
pub const ESCROW_MS_MAX: u64 = 183 * 24 * 60 * 60 * 1000;
/// What is said beside a mandate, in bytes of UTF-8.
pub const MANDATE_PURPOSE_BYTES_MAX: usize = 128;
/// Mandates of one debtor that hold at the same time.
pub const MANDATES_LIVE_MAX: u32 = 100;
/// How far away a mandate's first day may be, in days.
pub const MANDATE_AHEAD_DAYS_MAX: u32 = 366;
/// Periods of one mandate that has an end.
pub const MANDATE_PERIODS_MAX: u32 = 5200;
/// How far its last day may be from the first one, in days.
pub const MANDATE_DAYS_MAX: u32 = 7 * MANDATE_PERIODS_MAX;
/// What came of a mandate's periods, of so many at once.
pub const MANDATE_COLLECTIONS_SHOWN: u32 = 24;
/// How far from UTC days begin, in minutes.
pub const ZONE_MINUTES_MAX: u16 = 14 * 60;
/// Lines of one invoice.
pub const INVOICE_LINES_MAX: usize = 32;
/// What is said in one of them, in bytes of UTF-8.
pub const INVOICE_LINE_BYTES_MAX: usize = 128;
/// How much of something is invoiced in one line, in thousandths.
pub const INVOICE_QUANTITY_MAX: u64 = 1_000_000_000;
/// What is said below an invoice, in bytes of UTF-8.
pub const INVOICE_NOTE_BYTES_MAX: usize = 512;
/// How far away the day may be by which an invoice is to be paid.
pub const INVOICE_DUE_MS_MAX: u64 = 2 * 366 * 24 * 60 * 60 * 1000;
/// Signed roots of days in one answer.
pub const ROOTS_PAGE_MAX: usize = 32;
/// Entries with their proofs in one answer.
pub const PROOFS_PAGE_MAX: usize = 64;
/// Days for which it is kept where each account stands in the day's tree.
pub const BALANCE_PROOF_DAYS: u64 = 35;
/// What an operator says to a settlement between two nodes, in bytes of UTF-8.
pub const SETTLEMENT_NOTE_BYTES_MAX: usize = 512;
/// Lines of one asset in the statement of a link. Of more there are the sums.
pub const STATEMENT_LINES_MAX: usize = 1_000;
