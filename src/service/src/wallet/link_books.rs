//! The rows of links with other nodes, as [`weft_ledger::link`] wants them: beside those of the ledger, so that one commit holds a
//! message and what it moves.

use super::{
    error::WalletError,
    link_error::LinkTrouble,
    link_settle::settled_key,
    records::{
        HeardRecord, LinkRecord, LoggedEvent, OutgoingRecord, Owner, OwnerRecord, RejectedRecord,
        RemoteRecord, WaitingRecord,
    },
    sheet::{Sheet, Stop},
};
use crate::context::joined;
use weft_ledger::{
    Event, LedgerError,
    link::{Aim, Digest, Link, LinkBooks, LinkError, Outgoing, Payment, Prepare, Reason, State, Way},
};
use weft_store::tables;
use weft_wire::{AccountId, Millis, NodeName, TransferId, UserAddress, wallet::Payee};

/// For how long after its time a payment's decision is waited for, until it is asked what became of it.
const ASK_AFTER_MS: Millis = 10 * 60 * 1000;

impl LinkBooks for Sheet<'_> {
    fn link(&self, peer: &NodeName) -> Result<Option<Link>, Stop> {
        Ok(self.get::<LinkRecord>(tables::LINKS, peer.as_str())?.map(|record| record.0))
    }

    fn payment(&self, peer: &NodeName, way: Way, id: TransferId) -> Result<Option<Payment>, Stop> {
        let record: Option<RemoteRecord> = self.get(tables::LINK_PAYMENTS, payment_key(peer, way, id))?;
        Ok(record.map(|record| record.0))
    }

    fn outgoing(&self, peer: &NodeName, seq: u64) -> Result<Option<Outgoing>, Stop> {
        let record: Option<OutgoingRecord> = self.get(tables::LINK_OUTGOING, message_key(peer, seq))?;
        Ok(record.map(|record| record.0))
    }

    fn heard(&self, peer: &NodeName, seq: u64) -> Result<Option<Digest>, Stop> {
        let record: Option<HeardRecord> = self.get(tables::LINK_HEARD, message_key(peer, seq))?;
        Ok(record.map(|record| record.0))
    }

    fn waiting_of(&self, peer: &NodeName, way: Way, payer: &UserAddress) -> Result<u32, Stop> {
        let record: Option<WaitingRecord> = self.get(tables::LINK_WAITING, payer_key(peer, way, payer))?;
        Ok(record.map_or(0, |record| record.0))
    }

    fn put_waiting_of(&mut self, peer: &NodeName, way: Way, payer: &UserAddress, count: u32) {
        let key = payer_key(peer, way, payer);
        match count {
            0 => self.delete(tables::LINK_WAITING, key),
            _ => self.put(tables::LINK_WAITING, key, &WaitingRecord(count)),
        }
    }

    fn rejected(&mut self, link: &Link, payment: TransferId) {
        let record = RejectedRecord { payment, at_ms: self.now };
        self.put(tables::LINK_REJECTED, rejected_key(&link.peer, link.era, link.sent.seq), &record);
    }

    /// Whether there is such a person, and whether they take it, is looked up before: see [`Sheet::takes`].
    fn payee(&mut self, prepare: &Prepare) -> Result<Result<AccountId, Reason>, Stop> {
        if self.gives_guarded(prepare)? {
            return Ok(Err(Reason::Guarded));
        }
        match &prepare.aim {
            Aim::Payment { payee: Payee::Person(user), .. } if self.takes => {
                self.personal(&user.name, prepare.got().asset).map(Ok)
            }
            Aim::Payment { payer, payee: Payee::Merchant(payee), .. } if self.takes => {
                self.sold_over(prepare, payer, payee)
            }
            Aim::Payment { payer, payee: Payee::Invoice(payee), .. } if self.takes => {
                self.billed_over(prepare, payer, payee)
            }
            _ => Ok(Err(Reason::UnknownPayee)),
        }
    }

    /// What has become guarded since it came.
    fn against(&self, prepare: &Prepare) -> Result<Option<Reason>, Stop> {
        Ok(self.gives_guarded(prepare)?.then_some(Reason::Guarded))
    }

    fn released(&mut self, payment: &Payment) -> Result<(), Stop> {
        self.came_back(payment)
    }

    fn went_over(&mut self, payment: &Payment) -> Result<(), Stop> {
        self.bill_taken(payment)?;
        self.end_fee_over(payment.id, true)
    }

    fn put_link(&mut self, link: Link) {
        let peer = link.peer.clone();
        self.put(tables::LINKS, peer.as_str(), &LinkRecord(link));
    }

    fn put_payment(&mut self, payment: Payment) {
        if let Some(due) = due_key(&payment) {
            match payment.state {
                State::Waiting => self.mark(tables::LINK_DUE, due),
                _ => self.delete(tables::LINK_DUE, due),
            }
        }
        if payment.way == Way::In && !payment.legs.is_empty() {
            self.mark(tables::LINK_ARRIVED, [&payment.id.0, payment.peer.as_str().as_bytes()].concat());
        }
        if let Some(settled) = settled_key(&payment) {
            self.mark(tables::LINK_SETTLEMENTS, settled);
        }
        let key = payment_key(&payment.peer, payment.way, payment.id);
        self.put(tables::LINK_PAYMENTS, key, &RemoteRecord(payment));
    }

    fn put_outgoing(&mut self, peer: &NodeName, outgoing: Outgoing) {
        let key = message_key(peer, outgoing.seq);
        self.put(tables::LINK_OUTGOING, key, &OutgoingRecord(outgoing));
    }

    fn drop_outgoing(&mut self, peer: &NodeName, seq: u64) {
        self.delete(tables::LINK_OUTGOING, message_key(peer, seq));
    }

    fn put_heard(&mut self, peer: &NodeName, seq: u64, hash: Digest) {
        self.put(tables::LINK_HEARD, message_key(peer, seq), &HeardRecord(hash));
    }

    fn drop_heard(&mut self, peer: &NodeName, seq: u64) {
        self.delete(tables::LINK_HEARD, message_key(peer, seq));
    }

    fn log(&mut self, event: Event) -> Result<(), Stop> {
        self.write_down(match event {
            Event::Open { id, asset, kind, bounds } => LoggedEvent::Open { id, asset, kind, bounds },
            Event::Change { id, bounds, freeze } => LoggedEvent::Change { id, bounds, freeze },
            Event::Chain(chain) => LoggedEvent::Chain(chain.iter().map(|transfer| transfer.id).collect()),
            Event::Expire(pending) => LoggedEvent::Chain(vec![TransferId::of_expiry(pending)]),
        })
    }
}

impl Sheet<'_> {
    /// Says of the accounts of a link whose they are.
    pub(super) fn own_link_accounts(&mut self, link: &Link) {
        for covered in &link.terms.assets {
            let asset = covered.asset.id();
            for account in [link.account(asset), link.position(asset)] {
                let record = OwnerRecord { owner: Owner::Peer(link.peer.clone()), asset };
                self.put(tables::OWNERS, account.0, &record);
            }
        }
    }
}

/// Where a payment is kept.
pub(super) fn payment_key(peer: &NodeName, way: Way, id: TransferId) -> Vec<u8> {
    joined(peer.as_str(), [&[way_byte(way)], id.0.as_slice()].concat())
}

/// Where the payments of somebody that wait are counted.
pub(super) fn payer_key(peer: &NodeName, way: Way, payer: &UserAddress) -> Vec<u8> {
    joined(peer.as_str(), [&[way_byte(way)], payer.to_string().as_bytes()].concat())
}

/// Where it stands that a message has rejected a payment as it came.
fn rejected_key(peer: &NodeName, era: u32, seq: u64) -> Vec<u8> {
    joined(peer.as_str(), [era.to_be_bytes().as_slice(), &seq.to_be_bytes()].concat())
}

/// The era and the number of such a key.
pub(super) fn read_rejected(key: &[u8]) -> Option<(u32, u64)> {
    let (rest, seq) = key.split_last_chunk::<8>()?;
    let (_, era) = rest.split_last_chunk::<4>()?;
    Some((u32::from_be_bytes(*era), u64::from_be_bytes(*seq)))
}

/// Where a message of a half-channel is kept.
fn message_key(peer: &NodeName, seq: u64) -> Vec<u8> {
    joined(peer.as_str(), seq.to_be_bytes())
}

/// Where a payment stands among those that something has to be done about if nothing comes.
fn due_key(payment: &Payment) -> Option<Vec<u8>> {
    let expires_ms = payment.prepare.as_ref()?.expires_ms;
    let due_ms = match payment.way {
        Way::In => expires_ms,
        Way::Out => expires_ms.saturating_add(ASK_AFTER_MS),
    };
    let mut key = due_ms.to_be_bytes().to_vec();
    key.push(way_byte(payment.way));
    key.extend_from_slice(&payment.id.0);
    key.extend_from_slice(payment.peer.as_str().as_bytes());
    Some(key)
}

/// The time, the way, the payment and the node of such a key.
pub(super) fn read_due(key: &[u8]) -> Option<(Millis, Way, TransferId, NodeName)> {
    let (time, rest) = key.split_first_chunk::<8>()?;
    let (way, rest) = rest.split_first()?;
    let (id, peer) = rest.split_first_chunk::<16>()?;
    let way = if *way == way_byte(Way::Out) { Way::Out } else { Way::In };
    let peer = std::str::from_utf8(peer).ok()?.parse().ok()?;
    Some((Millis::from_be_bytes(*time), way, TransferId(*id), peer))
}

fn way_byte(way: Way) -> u8 {
    match way {
        Way::Out => 0,
        Way::In => 1,
    }
}

impl From<LinkError<Stop>> for Stop {
    /// What the books have stopped goes on stopping; the rest is the wallet's to say.
    fn from(error: LinkError<Stop>) -> Self {
        match error {
            LinkError::Books(stop) | LinkError::Ledger(LedgerError::Books(stop)) => stop,
            LinkError::Ledger(error) => WalletError::from(error).into(),
            LinkError::IdConflict => WalletError::IdConflict.into(),
            LinkError::AlreadyDecided(_) | LinkError::Expired => WalletError::AlreadyDecided.into(),
            LinkError::UnknownPayment | LinkError::NothingFound => WalletError::NotFound("transfer").into(),
            error => WalletError::Link(LinkTrouble::of(&error)).into(),
        }
    }
}
