//! A link that stands still is started again, once both operators have signed what follows from the books of both nodes.

use super::{LinkTrouble, Result, Wallet, WalletError, link_terms::hex, records::OfferRecord, sheet::Sheet};
use crate::Fault;
use weft_ledger::{
    format_amount,
    link::{LinkBooks, Statement, Thaw, propose_thaw, thaw},
};
use weft_store::tables;
use weft_wire::{Blob, Millis, NodeName, Signed, admin::ThawRow, decode, signed::Signable};

/// A thaw that is kept until the other operator has signed it too. One that is larger has to be made smaller by a later time.
const THAW_BYTES_MAX: usize = 24 << 10;

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
        let link = self.link(peer).await?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        let frozen = link.frozen.ok_or(WalletError::Link(LinkTrouble::NotFrozen))?;
        let statement = self.link_statement(peer, since_ms).await?;
        Ok(Signed::sign(&Statement { at_ms: frozen.at_ms, ..statement }, &self.key))
    }

    /// What follows from the books of both. With `named`, its digest, the operator agrees to it.
    ///
    /// # Errors
    /// [`WalletError::Link`] if nothing follows, [`WalletError::Signature`], [`WalletError::NotFound`] if something else was named.
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
        let thaw = propose_thaw(&own, &theirs)
            .map_err(|difference| WalletError::Link(LinkTrouble::Refused(difference.to_string())))?;
        let row = self.thaw_row(&own, &thaw).await?;
        let Some(named) = named else { return Ok((row, None)) };
        if row.digest != named.to_ascii_lowercase() {
            return Err(WalletError::NotFound("thaw"));
        }
        let signed = Signed::sign(&thaw, &self.key);
        crate::error::within("thaw", signed.body().len(), THAW_BYTES_MAX)?;
        let (peer, body) = (peer.clone(), Blob(signed.body().to_vec()));
        self.teller
            .run(move |sheet| {
                let record = OfferRecord { thaw: Some(body.clone()), ..sheet.offers(&peer)? };
                sheet.put_offers(&peer, &record)
            })
            .await?;
        Ok((row, Some(signed)))
    }

    /// What the operator has agreed to and the other has not answered.
    pub(crate) async fn agreed_thaw(&self, peer: &NodeName) -> Result<Option<Signed<Thaw>>> {
        let record: OfferRecord =
            self.ctx.read(tables::LINK_OFFERS, peer.as_str()).await?.unwrap_or_default();
        let link = self.link(peer).await?.filter(|link| link.frozen.is_some());
        let (Some(body), Some(link)) = (record.thaw, link) else { return Ok(None) };
        let thaw: Thaw = decode(body.as_slice(), Thaw::BYTES_MAX)
            .map_err(|_| Fault::Internal("a thaw that cannot be read"))?;
        Ok((thaw.era > link.era).then(|| Signed::sign_encoded(body.as_slice(), &self.key)))
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
        let (peer, body) = (peer.clone(), signed.body().to_vec());
        let work = move |sheet: &mut Sheet<'_>| {
            let (record, now) = (sheet.offers(&peer)?, sheet.now);
            if record.thaw.is_none_or(|own| own.as_slice() != body) {
                return Ok(false);
            }
            thaw(sheet, &peer, &agreed, now)?;
            Ok(sheet.link(&peer)?.is_some_and(|link| link.frozen.is_none()))
        };
        let done = self.teller.run(work).await?;
        Ok(done.then(|| Signed::sign_encoded(signed.body(), &self.key)))
    }

    /// For the operator, who has to know what is not as in this node's own books.
    async fn thaw_row(&self, own: &Statement, thaw: &Thaw) -> Result<ThawRow> {
        let mut lines = Vec::new();
        for verdict in &thaw.verdicts {
            let known =
                own.lines.iter().find(|line| line.payment == verdict.payment && line.payer == verdict.payer);
            let here =
                known.map_or("is not known here".to_owned(), |line| format!("is {:?} here", line.state));
            let then = if verdict.done { "has happened" } else { "has not happened" };
            lines.push(format!("{} of {} {here}: it {then}", verdict.payment, verdict.payer));
        }
        for (id, owed) in &thaw.owed {
            let asset = self.asset(*id).await?.asset;
            let before = own.owed.iter().find(|owed| owed.asset == *id).map_or(0, |owed| owed.net);
            let (before, after) =
                (format_amount(before, asset.scale), format_amount((*owed).into(), asset.scale));
            lines.push(format!("{asset}: {before} owed in these books, {after} from then on"));
        }
        Ok(ThawRow { digest: hex(&thaw.digest()), lines, agreed: false, done: false })
    }
}
