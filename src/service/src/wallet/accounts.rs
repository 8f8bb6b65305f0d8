//! Whose account is which.

use super::{
    records::{Owner, OwnerRecord},
    sheet::{Sheet, Stop},
};
use crate::context::joined;
use weft_ledger::{Account, AccountKind};
use weft_store::tables;
use weft_wire::{AccountId, AssetId, TransferId, UserName};

/// The one account of this kind that an owner has in an asset. It can be told without looking.
pub(super) fn account_id(kind: AccountKind, owner: &Owner, asset: AssetId) -> AccountId {
    let mut hasher = blake3::Hasher::new_derive_key("weft/account-id/1");
    // A word that is written nowhere else, so that a kind that is renamed in the code stays what it is on disk.
    let kind: &[u8] = match kind {
        AccountKind::User => b"user",
        AccountKind::Merchant => b"merchant",
        AccountKind::Issuance => b"issuance",
        AccountKind::Fee => b"fee",
        AccountKind::Escrow => b"escrow",
        AccountKind::Envelope => b"envelope",
        AccountKind::Nostro => b"nostro",
        AccountKind::Vostro => b"vostro",
        AccountKind::InTransit => b"in-transit",
        AccountKind::Suspense => b"suspense",
        AccountKind::Rounding => b"rounding",
        AccountKind::Equity => b"equity",
    };
    hasher.update(kind).update(&[0]);
    match owner {
        Owner::Node => hasher.update(b"node"),
        Owner::Person(name) => hasher.update(b"person ").update(name.as_str().as_bytes()),
        Owner::Packet(packet) => hasher.update(b"packet ").update(&packet.0),
        Owner::Peer(node) => hasher.update(b"peer ").update(node.as_str().as_bytes()),
        Owner::Merchant(name) => hasher.update(b"merchant ").update(name.as_str().as_bytes()),
        Owner::Escrow(escrow) => hasher.update(b"escrow ").update(&escrow.0),
        Owner::Agent(name) => hasher.update(b"agent ").update(name.as_str().as_bytes()),
    };
    hasher.update(&[0]).update(&asset.0);
    AccountId::of_hash(&hasher.finalize())
}

/// What an account is called in a journal of plain text. Of one owner all assets stand under one name.
pub(super) fn account_name(kind: AccountKind, owner: &Owner) -> String {
    let kind = match kind {
        AccountKind::User => "liabilities:people",
        AccountKind::Merchant => "liabilities:merchants",
        AccountKind::Issuance => "assets:backing",
        AccountKind::Fee => "income:fees",
        AccountKind::Escrow => "liabilities:escrow",
        AccountKind::Envelope => "liabilities:packets",
        AccountKind::Nostro => "assets:nostro",
        AccountKind::Vostro => "liabilities:vostro",
        AccountKind::InTransit => "liabilities:in-transit",
        AccountKind::Suspense => "liabilities:suspense",
        AccountKind::Rounding => "expenses:rounding",
        AccountKind::Equity => "equity:own",
    };
    match owner {
        Owner::Node => kind.to_owned(),
        // What is below zero there is cash that is owed to the node.
        Owner::Agent(name) => format!("liabilities:agents:{name}"),
        Owner::Person(name) | Owner::Merchant(name) => format!("{kind}:{name}"),
        Owner::Packet(id) | Owner::Escrow(id) => format!("{kind}:{id}"),
        Owner::Peer(node) => format!("{kind}:{node}"),
    }
}

/// A person's account.
pub(super) fn personal(name: &UserName, asset: AssetId) -> AccountId {
    account_id(AccountKind::User, &Owner::Person(name.clone()), asset)
}

/// A shop's account.
pub(super) fn merchant(name: &UserName, asset: AssetId) -> AccountId {
    account_id(AccountKind::Merchant, &Owner::Merchant(name.clone()), asset)
}

/// A cash agent's float: below zero it is what they owe.
pub(super) fn agent(name: &UserName, asset: AssetId) -> AccountId {
    account_id(AccountKind::Merchant, &Owner::Agent(name.clone()), asset)
}

/// The account against which an asset is issued.
pub(super) fn issuance(asset: AssetId) -> AccountId {
    account_id(AccountKind::Issuance, &Owner::Node, asset)
}

/// The account of what the node has earned.
pub(super) fn earnings(asset: AssetId) -> AccountId {
    account_id(AccountKind::Fee, &Owner::Node, asset)
}

/// The account that holds what has come in by the bank, and nobody knows for whom.
pub(super) fn suspense(asset: AssetId) -> AccountId {
    account_id(AccountKind::Suspense, &Owner::Node, asset)
}

/// The account that holds the money of a red packet.
pub(super) fn envelope(packet: TransferId, asset: AssetId) -> AccountId {
    account_id(AccountKind::Envelope, &Owner::Packet(packet), asset)
}

/// The account that holds money for a seller.
pub(super) fn escrow(escrow: TransferId, asset: AssetId) -> AccountId {
    account_id(AccountKind::Escrow, &Owner::Escrow(escrow), asset)
}

impl Sheet<'_> {
    /// The account of a new escrow.
    pub(super) fn open_escrow(&mut self, funded: TransferId, asset: AssetId) -> Result<AccountId, Stop> {
        let id = escrow(funded, asset);
        self.open(Account::new(id, asset, AccountKind::Escrow))?;
        self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Escrow(funded), asset });
        Ok(id)
    }

    /// The account of a new red packet.
    pub(super) fn open_envelope(&mut self, packet: TransferId, asset: AssetId) -> Result<AccountId, Stop> {
        let id = envelope(packet, asset);
        self.open(Account::new(id, asset, AccountKind::Envelope))?;
        self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Packet(packet), asset });
        Ok(id)
    }

    /// An account of the node itself, opened if this is the first that comes to it.
    pub(super) fn node_account(&mut self, kind: AccountKind, asset: AssetId) -> Result<AccountId, Stop> {
        let id = account_id(kind, &Owner::Node, asset);
        if self.get::<OwnerRecord>(tables::OWNERS, id.0)?.is_none() {
            self.open(Account::new(id, asset, kind))?;
            self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Node, asset });
        }
        Ok(id)
    }

    /// A shop's account, opened if this is the first that comes to it.
    pub(super) fn merchant_account(&mut self, name: &UserName, asset: AssetId) -> Result<AccountId, Stop> {
        let id = merchant(name, asset);
        if self.get::<OwnerRecord>(tables::OWNERS, id.0)?.is_none() {
            self.open(Account::new(id, asset, AccountKind::Merchant))?;
            self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Merchant(name.clone()), asset });
            self.mark(tables::WALLETS, joined(name.as_str(), asset.0));
        }
        Ok(id)
    }

    /// A person's account, opened if this is the first that comes to it.
    pub(super) fn personal(&mut self, name: &UserName, asset: AssetId) -> Result<AccountId, Stop> {
        let id = personal(name, asset);
        if self.get::<OwnerRecord>(tables::OWNERS, id.0)?.is_none() {
            self.open(Account::new(id, asset, AccountKind::User))?;
            self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Person(name.clone()), asset });
            self.mark(tables::WALLETS, joined(name.as_str(), asset.0));
        }
        Ok(id)
    }
}
