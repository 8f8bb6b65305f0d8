//! What two operators settle: the one whose node owes says what was paid elsewhere, or what is set off, and the other says yes or no.
//! It goes over the link as a payment does, and until the yes has come nothing moves.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    link_books::payment_key,
    records::RemoteRecord,
    remote::{refused, taken},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use weft_ledger::{
    format_amount,
    link::{self, Aim, Link, LinkBooks, Payment, Prepare, Reason, Sent, State, Sum, Way},
    parse_amount,
};
use weft_store::{Scan, tables};
use weft_wire::{
    Blob, Millis, NodeName, TransferId,
    limits::{PAGE_MAX, SETTLEMENT_NOTE_BYTES_MAX},
    links::{DecideSettlement, ProposeSettlement, SettlementList, SettlementRow, SettlementState},
    text,
    wallet::{Asset, AssetCode},
};

/// How long the other operator has, if the terms allow as much: money needs its days from bank to bank.
const DECIDE_MS: Millis = 14 * 24 * 60 * 60 * 1000;

impl Wallet {
    /// The operator says that this node owes less: it has paid elsewhere, or what the other owes is set off. The other one is asked;
    /// until they agree nothing moves. The same proposal again is one.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an asset that the terms do not have, [`Fault::Invalid`], [`WalletError::IdConflict`],
    /// [`WalletError::Link`], among others for more than is owed.
    pub async fn propose_settlement(&self, peer: &NodeName, wish: ProposeSettlement) -> Result<()> {
        crate::error::within("note", wish.note.len(), SETTLEMENT_NOTE_BYTES_MAX)?;
        let note = text::body(&wish.note).trim().to_owned();
        if note.is_empty() && wish.against.is_none() {
            let why = "say where and how it was paid, so that the other operator finds it";
            return Err(Fault::Invalid { field: "note", why }.into());
        }
        let peer = peer.clone();
        self.teller.run(move |sheet| sheet.propose_settlement(&peer, &wish, &note)).await
    }

    /// The operator says whether what the other has proposed is so. `amount` is what they have seen come: another one than was
    /// proposed is a mistake, and nothing is decided.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] if the other has proposed no such thing, [`Fault::Invalid`] for another amount,
    /// [`WalletError::AlreadyDecided`], [`WalletError::Link`].
    pub async fn decide_settlement(
        &self,
        peer: &NodeName,
        id: TransferId,
        wish: DecideSettlement,
    ) -> Result<()> {
        let peer = peer.clone();
        self.teller.run(move |sheet| sheet.decide_settlement(&peer, id, &wish)).await
    }

    /// What was proposed by either, the newest first.
    ///
    /// # Errors
    /// [`WalletError::Link`] if there is no link.
    pub async fn settlements(&self, peer: &NodeName) -> Result<SettlementList> {
        let link = self.link(peer).await?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let scan = Scan::prefix(joined(peer.as_str(), [])).reverse().limit(PAGE_MAX);
        let mut settlements = Vec::new();
        for row in self.ctx.store.scan(tables::LINK_SETTLEMENTS, scan).await? {
            let (way, id) = read_settled(&row.key).ok_or(Fault::Internal("a settlement's key"))?;
            let record: Option<RemoteRecord> =
                self.ctx.read(tables::LINK_PAYMENTS, payment_key(peer, way, id)).await?;
            settlements.extend(record.and_then(|RemoteRecord(payment)| settlement_row(&link, &payment)));
        }
        Ok(SettlementList { settlements })
    }
}

impl Sheet<'_> {
    fn propose_settlement(
        &mut self,
        peer: &NodeName,
        wish: &ProposeSettlement,
        note: &str,
    ) -> Result<(), Stop> {
        let now = self.now;
        let link = self.link(peer)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let asset = |code: &AssetCode, issuer: &NodeName| -> Result<Asset, Stop> {
            let mut covered = link.terms.assets.iter().map(|covered| &covered.asset);
            let found = covered.find(|asset| asset.code == *code && asset.issuer == *issuer);
            Ok(found.cloned().ok_or(WalletError::NotFound("asset"))?)
        };
        let own = asset(&wish.asset, &link.own)?;
        let amount = parse_amount(&wish.amount, own.scale).ok().filter(|amount| *amount > 0);
        let why = "it is no amount of the asset";
        let amount = amount.ok_or(Fault::Invalid { field: "amount", why })?;
        let give = Sum { asset: own.id(), amount };
        let theirs = wish.against.as_ref().map(|code| asset(code, peer)).transpose()?.map(|asset| asset.id());
        let memo = Blob(note.as_bytes().to_vec());
        if let Some(known) = self.payment(peer, Way::Out, wish.id)? {
            // At the rate of then, whatever it is by now.
            let said = known
                .prepare
                .map(|prepare| (prepare.give, prepare.get.map(|sum| sum.asset), prepare.aim, prepare.memo));
            let is_same = said == Some((give, theirs, Aim::Settlement, memo));
            return if is_same { Ok(()) } else { Err(WalletError::IdConflict.into()) };
        }
        let at_rate = |theirs| {
            let against = link.terms.set_off(give.asset, amount, theirs, now);
            let none = WalletError::Link(LinkTrouble::Payment(Reason::Rate));
            Ok::<_, Stop>(Sum { asset: theirs, amount: against.ok_or(none)? })
        };
        let get = theirs.map(at_rate).transpose()?;
        // The clock of the other node may be behind.
        let expires_ms = now.saturating_add(DECIDE_MS.min(link.terms.lifetime_ms_max / 2));
        let (payment, aim) = (wish.id, Aim::Settlement);
        let prepare = Prepare { payment, give, get, refunds: None, aim, expires_ms, memo };
        match link::settle(self, peer, prepare, now)? {
            Sent::Asked(_) => Ok(()),
            Sent::Refused { reason: Reason::NotCovered, .. } => {
                Err(Stop::Kept(WalletError::Link(LinkTrouble::NotOwed)))
            }
            Sent::Refused { reason, .. } => Err(refused(reason)),
        }
    }

    fn decide_settlement(
        &mut self,
        peer: &NodeName,
        id: TransferId,
        wish: &DecideSettlement,
    ) -> Result<(), Stop> {
        let now = self.now;
        let link = self.link(peer)?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let known = self.payment(peer, Way::In, id)?.and_then(|payment| payment.prepare);
        let known = known.filter(|prepare| prepare.aim == Aim::Settlement);
        let proposed = known.ok_or(WalletError::NotFound("settlement"))?;
        let covered = link.terms.covered(proposed.give.asset);
        let scale = covered.ok_or(WalletError::NotFound("asset"))?.asset.scale;
        if wish.accept && parse_amount(&wish.amount, scale).ok() != Some(proposed.give.amount) {
            return Err(Fault::Invalid { field: "amount", why: "it is not what was proposed" }.into());
        }
        match wish.accept {
            true => taken(link::accept(self, peer, id, now)?),
            false => Ok(link::decline(self, peer, id, now).map(drop)?),
        }
    }
}

/// Where a settlement stands among those with a node. None: it is none.
pub(super) fn settled_key(payment: &Payment) -> Option<Vec<u8>> {
    payment.prepare.as_ref().filter(|prepare| prepare.aim == Aim::Settlement)?;
    let way = [u8::from(payment.way == Way::In)];
    let rest = [payment.at_ms.to_be_bytes().as_slice(), &way, &payment.id.0].concat();
    Some(joined(payment.peer.as_str(), rest))
}

/// The way and the id of such a key.
fn read_settled(key: &[u8]) -> Option<(Way, TransferId)> {
    let (rest, id) = key.split_last_chunk::<16>()?;
    let way = if *rest.last()? == 1 { Way::In } else { Way::Out };
    Some((way, TransferId(*id)))
}

/// What an operator has said to a settlement, as far as it can be shown.
pub(super) fn note_of(prepare: &Prepare) -> String {
    let text = text::body(&String::from_utf8_lossy(prepare.memo.as_slice()));
    text.chars().take(SETTLEMENT_NOTE_BYTES_MAX).collect()
}

fn settlement_row(link: &Link, payment: &Payment) -> Option<SettlementRow> {
    let prepare = payment.prepare.as_ref()?;
    let shown = |sum: Sum| {
        let asset = link.terms.covered(sum.asset)?.asset.clone();
        let amount = format_amount(sum.amount.into(), asset.scale);
        Some((asset, amount))
    };
    let (asset, amount) = shown(prepare.give)?;
    let (state, why) = match payment.state {
        State::Waiting => (SettlementState::Waiting, None),
        State::Fulfilled => (SettlementState::Done, None),
        State::Rejected(reason) => (SettlementState::Rejected, Some(words(reason))),
    };
    Some(SettlementRow {
        id: payment.id,
        ours: payment.way == Way::Out,
        asset,
        amount,
        against: prepare.get.and_then(shown),
        note: note_of(prepare),
        state,
        why,
        at_ms: payment.at_ms,
        until_ms: prepare.expires_ms,
        decided_ms: payment.decided_ms,
    })
}

/// Why it did not come about. Of payments the same words speak of payees.
fn words(reason: Reason) -> String {
    match reason {
        Reason::Declined => "the other operator says that it is not so".to_owned(),
        Reason::NotCovered => "it is more than is owed".to_owned(),
        reason => reason.to_string(),
    }
}
