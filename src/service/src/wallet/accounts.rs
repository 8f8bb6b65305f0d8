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
    // A word that is written nowhere else, so that a kind that is renamed in the code stays what it is on disk.
    let kind = match kind {
        AccountKind::User => "user",
        AccountKind::Merchant => "merchant",
        AccountKind::Issuance => "issuance",
        AccountKind::Fee => "fee",
        AccountKind::Escrow => "escrow",
        AccountKind::Envelope => "envelope",
        AccountKind::Nostro => "nostro",
        AccountKind::Vostro => "vostro",
        AccountKind::InTransit => "in-transit",
        AccountKind::Suspense => "suspense",
        AccountKind::Rounding => "rounding",
        AccountKind::Equity => "equity",
    };
    let owner: [&[u8]; 2] = match owner {
        Owner::Node => [b"node", b""],
        Owner::Person(name) => [b"person ", name.as_str().as_bytes()],
        Owner::Packet(packet) => [b"packet ", &packet.0],
        Owner::Peer(node) => [b"peer ", node.as_str().as_bytes()],
        Owner::Merchant(name) => [b"merchant ", name.as_str().as_bytes()],
        Owner::Escrow(escrow) => [b"escrow ", &escrow.0],
        Owner::Agent(name) => [b"agent ", name.as_str().as_bytes()],
    };
    AccountId::of_owner(kind, &owner, asset)
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
    AccountId::of_person(name, asset)
}

/// A shop's account.
pub(super) fn merchant(name: &UserName, asset: AssetId) -> AccountId {
    account_id(AccountKind::Merchant, &Owner::Merchant(name.clone()), asset)
}

/// A cash agent's float: below zero it is what they owe.
pub(super) fn agent(name: &UserName, asset: AssetId) -> AccountId {
    AccountId::of_agent(name, asset)
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
