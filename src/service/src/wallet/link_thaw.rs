//! A link that stands still is started again, once both operators have signed what follows from the books of both nodes.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    records::{OfferRecord, ThawingRecord},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use std::sync::Arc;
use weft_ledger::link::{Statement, Thaw, begin_thaw, propose_thaw, thaw_part};
use weft_store::tables;
use weft_wire::{Millis, NodeName, Signed, admin::ThawRow, decode, signed::Signable};

/// Of a thaw, in one row.
const CHUNK_BYTES: usize = 32 << 10;

impl Wallet {
    /// What this node has in its books of a link that stands still: the same as long as it does.
    ///
    /// # Errors
    /// [`WalletError::Link`] if there is no link, or it does not stand still; [`Fault::TooMany`].
    pub(crate) async fn frozen_statement(
        &self,
        peer: &NodeName,
        since_ms: Millis,
    ) -> Result<Signed<Statement>> {
        self.finish_thaw(peer).await?;
        let link = self.link(peer).await?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let frozen = link.frozen.ok_or(WalletError::Link(LinkTrouble::NotFrozen))?;
        let statement = self.link_statement(peer, since_ms).await?;
        Ok(Signed::sign(&Statement { at_ms: frozen.at_ms, ..statement }, &self.key))
    }

    /// What follows from the books of both. With `named`, its digest, the operator agrees to it.
    ///
    /// # Errors
    /// [`WalletError::Link`] if nothing follows, or the statement begins too late; [`WalletError::Signature`],
    /// [`WalletError::NotFound`] if something else was named.
    pub(crate) async fn draw_thaw(
        &self,
        peer: &NodeName,
        (theirs, key): (&Signed<Statement>, &[u8; 32]),
        since_ms: Millis,
        named: Option<&str>,
    ) -> Result<(ThawRow, Option<Signed<Thaw>>)> {
        let theirs = theirs.verify(key).map_err(|_| WalletError::Signature("the statement"))?;
        let own = self.frozen_statement(peer, since_ms).await?;
        let own = own.peek().map_err(|_| Fault::Internal("a statement that cannot be read"))?;
        if theirs.of != *peer {
            return Err(WalletError::Link(LinkTrouble::Refused("the statement is of another node".into())));
        }
        self.lists_all(&own, &theirs).await?;
        let thaw = propose_thaw(&own, &theirs)
            .map_err(|difference| WalletError::Link(LinkTrouble::Refused(difference.to_string())))?;
        let mut row = self.thaw_row(&own, &theirs, &thaw).await?;
        row.guarded = self.thaw_guarded(peer, &thaw).await?;
        let Some(named) = named else { return Ok((row, None)) };
        if row.digest != named.to_ascii_lowercase() {
            return Err(WalletError::NotFound("thaw"));
        }
        if let Some(sum) = row.guarded {
            return Err(WalletError::Link(LinkTrouble::Guarded(sum)));
        }
        let signed = Signed::sign(&thaw, &self.key);
        self.keep_thaw(peer, &thaw, signed.body()).await?;
        Ok((row, Some(signed)))
    }

    /// Keeps what the operator has agreed to, in chunks, and then that it is there.
    async fn keep_thaw(&self, peer: &NodeName, thaw: &Thaw, body: &[u8]) -> Result<()> {
        let chunks: Vec<Vec<u8>> = body.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
        let (digest, count) = (thaw.digest(), u32::try_from(chunks.len()).unwrap_or(u32::MAX));
        // Whatever was agreed to before is not any more: nothing is begun while its chunks are written over.
        let of = peer.clone();
        let forget = move |sheet: &mut Sheet<'_>| {
            let known = sheet.offers(&of)?;
            if known.thawing.as_ref().is_some_and(|thawing| thawing.begun) {
                return Err(being_done());
            }
            sheet.put_offers(&of, &OfferRecord { thaw: None, thawing: None, ..known })
        };
        self.teller.run(forget).await?;
        for (index, chunk) in (0..).zip(chunks) {
            let (of, key) = (peer.clone(), chunk_key(peer, index));
            let work = move |sheet: &mut Sheet<'_>| {
                if sheet.offers(&of)?.thawing.is_some() {
                    return Err(being_done());
                }
                sheet.put_bytes(tables::LINK_THAWS, &key, chunk.clone());
                Ok(())
            };
            self.teller.run(work).await?;
        }
        let peer = peer.clone();
        self.teller
            .run(move |sheet| {
                let known = sheet.offers(&peer)?;
                if known.thawing.is_some() {
                    return Err(being_done());
                }
                let thawing = Some(ThawingRecord { digest, chunks: count, begun: false });
                sheet.put_offers(&peer, &OfferRecord { thaw: None, thawing, ..known })
            })
            .await
    }

    /// What the operator has agreed to, of a link that stands still.
    async fn kept_thaw(&self, peer: &NodeName) -> Result<Option<(Thaw, bool)>> {
        let record: OfferRecord =
            self.ctx.read(tables::LINK_OFFERS, peer.as_str()).await?.unwrap_or_default();
        let Some(link) = self.link(peer).await?.filter(|link| link.frozen.is_some()) else { return Ok(None) };
        let unreadable = || Fault::Internal("a thaw that cannot be read");
        let (body, begun) = match (record.thawing, record.thaw) {
            (Some(thawing), _) => {
                let mut body = Vec::new();
                for index in 0..thawing.chunks {
                    let chunk = self.ctx.store.get(tables::LINK_THAWS, &chunk_key(peer, index)).await?;
                    body.extend_from_slice(&chunk.ok_or_else(unreadable)?.value);
                }
                (body, thawing.begun)
            }
            (None, Some(body)) => (body.0, false),
            (None, None) => return Ok(None),
        };
        let thaw: Thaw = decode(&body, Thaw::BYTES_MAX).map_err(|_| unreadable())?;
        // Chunks of one that was drawn up and not agreed to any more.
        let is_it = record.thawing.is_none_or(|thawing| thawing.digest == thaw.digest());
        Ok((is_it && thaw.era > link.era).then_some((thaw, begun)))
    }

    /// What the operator has agreed to and the other has not answered.
    pub(crate) async fn agreed_thaw(&self, peer: &NodeName) -> Result<Option<Signed<Thaw>>> {
        Ok(self.kept_thaw(peer).await?.map(|(thaw, _)| Signed::sign(&thaw, &self.key)))
    }

    /// The other operator has signed this. If this one's has agreed to the same, it is done, and signed as well.
    ///
    /// # Errors
    /// [`WalletError::Signature`], [`WalletError::Link`].
    pub(crate) async fn take_thaw(
        &self,
        peer: &NodeName,
        key: &[u8; 32],
        signed: &Signed<Thaw>,
    ) -> Result<Option<Signed<Thaw>>> {
        let agreed = signed.verify(key).map_err(|_| WalletError::Signature("the thaw"))?;
        let digest = agreed.digest();
        let kept = self.kept_thaw(peer).await?;
        let done = match &kept {
            Some((own, _)) if own.digest() == digest => {
                let rows = guarded::payments(&self.ctx.node, peer, &agreed);
                let (peer, agreed) = (peer.clone(), agreed.clone());
                let begin = move |sheet: &mut Sheet<'_>| sheet.begin_thaw(&peer, &agreed);
                self.teller.run_with(rows, begin).await?;
                true
            }
            // It was done, and the answer was lost.
            _ => self.link(peer).await?.is_some_and(|link| link.frozen.is_none() && link.origin == digest),
        };
        self.finish_thaw(peer).await?;
        Ok(done.then(|| Signed::sign(&agreed, &self.key)))
    }

    /// Goes on with what both operators have signed, part by part: each is a commit of its own, and whatever ends this in between, it
    /// is begun once more and comes to the same.
    ///
    /// # Errors
    /// [`WalletError::Link`] if the books are against it.
    pub(crate) async fn finish_thaw(&self, peer: &NodeName) -> Result<()> {
        let Some((thaw, true)) = self.kept_thaw(peer).await? else { return Ok(()) };
        let thaw = Arc::new(thaw);
        for part in 0.. {
            let (peer, thaw) = (peer.clone(), thaw.clone());
            let work = move |sheet: &mut Sheet<'_>| {
                let now = sheet.now;
                let is_done = thaw_part(sheet, &peer, &thaw, part, now)?;
                if is_done {
                    let record = OfferRecord { thawing: None, thaw: None, ..sheet.offers(&peer)? };
                    sheet.put_offers(&peer, &record)?;
                }
                Ok(is_done)
            };
            if self.teller.run(work).await? {
                break;
            }
        }
        Ok(())
    }
}

impl Sheet<'_> {
    /// Both operators have signed it: from now on it is done, and nothing else is.
    fn begin_thaw(&mut self, peer: &NodeName, thaw: &Thaw) -> Result<(), Stop> {
        let (mut record, digest) = (self.offers(peer)?, thaw.digest());
        if record.thawing.as_ref().is_none_or(|thawing| !thawing.begun) {
            // A threshold may have been set since the operator has signed it.
            self.guard_thaw(peer, thaw)?;
        }
        begin_thaw(self, peer, thaw)?;
        match (&mut record.thawing, &record.thaw) {
            (Some(thawing), _) if thawing.digest == digest => thawing.begun = true,
            // As it was kept by an earlier version, in one piece.
            (None, Some(body)) => {
                self.put_bytes(tables::LINK_THAWS, chunk_key(peer, 0), body.0.clone());
                record.thawing = Some(ThawingRecord { digest, chunks: 1, begun: true });
                record.thaw = None;
            }
            _ => return Err(WalletError::NotFound("thaw").into()),
        }
        self.put_offers(peer, &record)
    }
}

/// Somebody else has agreed to a thaw meanwhile.
fn being_done() -> Stop {
    WalletError::Link(LinkTrouble::Refused("another thaw is being done".into())).into()
}

/// Where a chunk of a thaw is kept.
fn chunk_key(peer: &NodeName, index: u32) -> Vec<u8> {
    joined(peer.as_str(), index.to_be_bytes())
}

mod guarded;
mod row;
#[cfg(test)]
mod tests;
