//! Red packets: money for the first so many of a room. Who is in the room is for the caller to know.

use super::{
    LinkTrouble, Memo, Result, Wallet, WalletError,
    accounts::{envelope, personal},
    orders::DAY_MS,
    records::{ClaimRecord, OrderRecord, PacketRecord},
    remote::Share,
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::{
    Books, Movement, Outcome, Purpose, Transfer,
    link::{self, Aim, Prepare, Sent, State, Sum},
    packet,
};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AccountId, Blob, Millis, TransferId, UserAddress, encode,
    wallet::{
        Intent, PacketClaim, PacketInfo, PacketKind, PacketPromise, PacketSeed, PacketState, PacketTerms,
        Payee, PaymentOrder,
    },
};

/// How long a packet can be opened.
const OPEN_MS: Millis = DAY_MS;

impl Wallet {
    /// Who gave a packet, and who may open it.
    pub(crate) async fn packet_of(&self, packet: TransferId) -> Result<(UserAddress, PacketTerms)> {
        let PacketRecord { maker, terms, .. } = self.packet_record(packet).await?;
        Ok((maker, terms))
    }

    /// Opens a packet for somebody. Whoever has opened it before keeps what they got. To people of other nodes it goes over the link.
    ///
    /// # Errors
    /// [`WalletError::PacketEmpty`], [`WalletError::PacketOver`], [`WalletError::Forbidden`] where it is for somebody else,
    /// [`WalletError::Link`] where it cannot reach them.
    pub(crate) async fn claim(&self, packet: TransferId, user: &UserAddress) -> Result<()> {
        // Most who come late are answered without the teller.
        let known = self.packet_record(packet).await?;
        if known.state == PacketState::Empty {
            let claim = TransferId::of_claim(packet, user);
            let has_some = self.ctx.store.get(tables::LEDGER_ENTRIES, &claim.0).await?.is_some();
            return if has_some { Ok(()) } else { Err(WalletError::PacketEmpty) };
        }
        let (user, is_local) = (user.clone(), self.ctx.is_local(user));
        self.teller.run(move |sheet| sheet.claim(packet, &user, is_local)).await
    }

    /// A packet as it stands.
    ///
    /// # Errors
    /// [`WalletError::NotFound`].
    pub(crate) async fn packet(&self, id: TransferId) -> Result<PacketInfo> {
        let record = self.packet_record(id).await?;
        let asset = self.asset(record.asset).await?.asset;
        // No more than the record counts: one that came since is not in what is left either.
        let (mut claims, mut after, count) = (Vec::new(), Vec::new(), record.claims as usize);
        while claims.len() < count {
            let scan = Scan::prefix(id.0).after(&after).limit(count - claims.len());
            let rows = self.ctx.store.scan(tables::PACKET_CLAIMS, scan).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            for row in rows {
                let ClaimRecord { user, amount, at_ms, returned } = ClaimRecord::from_record(&row.value)?;
                claims.push(PacketClaim { user, amount, at_ms, returned });
            }
        }
        let PacketRecord { maker, terms, total, left, until_ms, state, .. } = record;
        let promise = PacketPromise { commitment: packet::commit(&record.seed, id.0) };
        let seed = (state != PacketState::Open).then_some(PacketSeed(record.seed));
        Ok(PacketInfo { id, maker, asset, terms, total, left, state, until_ms, promise, seed, claims })
    }

    async fn packet_record(&self, packet: TransferId) -> Result<PacketRecord> {
        self.ctx.read(tables::PACKETS, packet.0).await?.ok_or(WalletError::NotFound("packet"))
    }
}

impl Sheet<'_> {
    /// The account for the money of a packet that an order wants.
    pub(super) fn new_packet(
        &mut self,
        order: &PaymentOrder,
        terms: &PacketTerms,
        seed: &[u8; 32],
    ) -> Result<AccountId, Stop> {
        let (id, total, asset) = (order.transfer(), order.amount, order.asset);
        let is_possible = match terms.kind {
            PacketKind::Equal => packet::equal_share(total, terms.shares).map(drop),
            PacketKind::Lucky => packet::draw(seed, 0, id.0, total, terms.shares).map(drop),
        };
        is_possible.map_err(|_| Fault::Invalid { field: "shares", why: "no such packet is possible" })?;
        if terms.only.is_some() && terms.shares != 1 {
            return Err(Fault::Invalid { field: "shares", why: "one person has one share" }.into());
        }
        self.open_envelope(id, asset)
    }

    /// The money is in it: it can be opened.
    pub(super) fn packet_paid(&mut self, order: &PaymentOrder, terms: &PacketTerms, seed: [u8; 32]) {
        let (id, until_ms) = (order.transfer(), self.now + OPEN_MS);
        let record = PacketRecord {
            maker: order.payer.clone(),
            asset: order.asset,
            terms: terms.clone(),
            total: order.amount,
            left: order.amount,
            claims: 0,
            until_ms,
            seed,
            state: PacketState::Open,
        };
        self.put(tables::PACKETS, id.0, &record);
        self.mark(tables::PACKETS_DUE, due_key(until_ms, id));
    }

    /// What the node has promised about a packet, if that is what was paid for.
    pub(super) fn promise(&self, id: TransferId, payee: &Payee) -> Result<Option<PacketPromise>, Stop> {
        let Payee::Packet(_) = payee else { return Ok(None) };
        let record = self.get::<PacketRecord>(tables::PACKETS, id.0)?;
        Ok(record.map(|record| PacketPromise { commitment: packet::commit(&record.seed, id.0) }))
    }

    fn claim(&mut self, id: TransferId, user: &UserAddress, is_local: bool) -> Result<(), Stop> {
        let claim = TransferId::of_claim(id, user);
        match self.entry(claim)?.map(|entry| entry.outcome) {
            Some(Outcome::Done) => return Ok(()),
            Some(Outcome::Refused { refusal, .. }) => return Err(WalletError::Refused(refusal).into()),
            None => {}
        }
        let record: PacketRecord = self.get(tables::PACKETS, id.0)?.ok_or(WalletError::NotFound("packet"))?;
        match record.state {
            PacketState::Empty => return Err(WalletError::PacketEmpty.into()),
            PacketState::Expired => return Err(WalletError::PacketOver.into()),
            PacketState::Open if self.now >= record.until_ms => return Err(WalletError::PacketOver.into()),
            PacketState::Open => {}
        }
        if record.terms.only.as_ref().is_some_and(|only| only != user) {
            return Err(WalletError::Forbidden.into());
        }
        let PacketTerms { kind, shares, .. } = record.terms;
        let amount = match kind {
            PacketKind::Equal => packet::equal_share(record.total, shares),
            PacketKind::Lucky => {
                packet::draw(&record.seed, record.claims, claim.0, record.left, shares - record.claims)
            }
        };
        let amount = amount.map_err(|_| Fault::Internal("a packet without a share"))?;
        let debit = envelope(id, record.asset);
        if is_local {
            let credit = self.personal(&user.name, record.asset)?;
            let movement = Movement::Posted { debit, credit, amount, refunds: None };
            self.post(&[Transfer { id: claim, movement, purpose: Purpose::PacketClaim, about: id.0 }])?;
        } else {
            let share = Share { packet: id, claim: record.claims };
            self.send_share(&record.maker, user, share, (debit, Sum { asset: record.asset, amount }))?;
        }
        let kept = ClaimRecord { user: user.clone(), amount, at_ms: self.now, returned: false };
        self.put(tables::PACKET_CLAIMS, claim_key(id, record.claims), &kept);
        let (left, claims) = (record.left - amount, record.claims + 1);
        let state = if claims == shares { PacketState::Empty } else { PacketState::Open };
        if state == PacketState::Empty {
            self.delete(tables::PACKETS_DUE, due_key(record.until_ms, id));
        }
        self.put(tables::PACKETS, id.0, &PacketRecord { left, claims, state, ..record });
        Ok(())
    }

    /// Sends somebody of another node their share. Nothing is kept where that cannot be: they may try again.
    fn send_share(
        &mut self,
        maker: &UserAddress,
        user: &UserAddress,
        share: Share,
        (envelope, give): (AccountId, Sum),
    ) -> Result<(), Stop> {
        let kept: Option<OrderRecord> = self.get(tables::ORDERS, share.packet.0)?;
        let order = kept.and_then(|kept| kept.order.peek().ok());
        let order = order.ok_or(Fault::Internal("a packet without its order"))?.id;
        let aim = Aim::Payment {
            payer: maker.clone(),
            payee: Payee::Person(user.clone()),
            intent: Intent::Payment,
        };
        let prepare = Prepare {
            payment: TransferId::of_claim(share.packet, user),
            give,
            get: None,
            refunds: None,
            aim,
            expires_ms: self.end_over(&user.node)?,
            memo: Blob(encode(&Memo { order, request: None, tip: None, by: None, share: Some(share) })),
        };
        let (now, payment) = (self.now, prepare.payment);
        match link::send(self, &user.node, envelope, prepare, now)? {
            // One that a thaw has brought into the link's books after a restore is not in those of the ledger: it pays for nothing here.
            Sent::Asked(state) if self.entry(payment)?.is_none() => Err(match state {
                State::Rejected(reason) => WalletError::Link(LinkTrouble::Payment(reason)).into(),
                _ => WalletError::IdConflict.into(),
            }),
            Sent::Asked(_) => Ok(()),
            Sent::Refused { reason, .. } => Err(WalletError::Link(LinkTrouble::Payment(reason)).into()),
        }
    }

    /// The node of whoever took a share did not take it: it is the giver's again.
    pub(super) fn share_returned(&mut self, share: Share) -> Result<(), Stop> {
        let Share { packet: id, claim } = share;
        let none = Fault::Internal("a share of a packet that is not there");
        let record: PacketRecord = self.get(tables::PACKETS, id.0)?.ok_or(none.clone())?;
        let key = claim_key(id, claim);
        let kept: ClaimRecord = self.get(tables::PACKET_CLAIMS, &key)?.ok_or(none)?;
        let movement = Movement::Posted {
            debit: envelope(id, record.asset),
            credit: personal(&record.maker.name, record.asset),
            amount: kept.amount,
            refunds: None,
        };
        let back = TransferId::of_packet_return(TransferId::of_claim(id, &kept.user));
        self.put(tables::PACKET_CLAIMS, key, &ClaimRecord { returned: true, ..kept });
        self.post(&[Transfer { id: back, movement, purpose: Purpose::PacketReturn, about: id.0 }])?;
        Ok(())
    }

    /// Gives back what is left in a packet whose time is over.
    pub(super) fn end_packet(&mut self, id: TransferId) -> Result<bool, Stop> {
        let record: PacketRecord =
            self.get(tables::PACKETS, id.0)?.ok_or(Fault::Internal("a due packet that is not there"))?;
        if record.state != PacketState::Open || self.now < record.until_ms {
            return Ok(false);
        }
        let movement = Movement::Posted {
            debit: envelope(id, record.asset),
            credit: personal(&record.maker.name, record.asset),
            amount: record.left,
            refunds: None,
        };
        let back = TransferId::of_packet_return(id);
        self.delete(tables::PACKETS_DUE, due_key(record.until_ms, id));
        self.put(tables::PACKETS, id.0, &PacketRecord { left: 0, state: PacketState::Expired, ..record });
        self.post(&[Transfer { id: back, movement, purpose: Purpose::PacketReturn, about: id.0 }])?;
        Ok(true)
    }
}

fn claim_key(packet: TransferId, claim: u32) -> Vec<u8> {
    [packet.0.as_slice(), &claim.to_be_bytes()].concat()
}

fn due_key(until_ms: Millis, packet: TransferId) -> Vec<u8> {
    [until_ms.to_be_bytes().as_slice(), &packet.0].concat()
}
