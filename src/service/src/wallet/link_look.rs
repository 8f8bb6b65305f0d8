//! What operators see of links.

use super::{
    Result, Wallet,
    link_terms::hex,
    records::{LinkRecord, OfferRecord, RemoteRecord},
    sheet::{Sheet, Stop},
};
use crate::{Fault, context::joined};
use weft_ledger::{
    Books, format_amount,
    link::{Covered, LINES_MAX, Link, LinkBooks, Owed, Payment, Rate, State, Statement, Terms, statement},
};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    Millis, NodeName,
    admin::{LinkRow, OwedRow, RateRow, TermsRow},
};

impl Wallet {
    /// The links of this node, and what is offered, by the other node's name.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn links(&self) -> Result<Vec<LinkRow>> {
        let mut rows = Vec::new();
        for peer in self.linked().await? {
            rows.push(self.teller.run(move |sheet| sheet.link_row(&peer)).await?);
        }
        Ok(rows)
    }

    /// Stops payments to and from a node. Only a thaw, which both operators sign, starts them again.
    ///
    /// # Errors
    /// [`super::WalletError::Link`] if there is no link.
    pub async fn freeze_link(&self, peer: &NodeName) -> Result<()> {
        let peer = peer.clone();
        let work = move |sheet: &mut Sheet<'_>| {
            let now = sheet.now;
            Ok(weft_ledger::link::freeze(sheet, &peer, now)?)
        };
        self.teller.run(work).await
    }

    /// What this node has in its books of a link: all payments that wait, and those that came to be known since a time.
    ///
    /// # Errors
    /// [`super::WalletError::Link`] if there is none, [`Fault::TooMany`].
    pub async fn link_statement(&self, peer: &NodeName, since_ms: Millis) -> Result<Statement> {
        let (mut payments, mut after) = (Vec::new(), Vec::new());
        loop {
            let scan = Scan::prefix(joined(peer.as_str(), [])).after(&after);
            let rows = self.ctx.store.scan(tables::LINK_PAYMENTS, scan).await?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            for row in rows {
                let RemoteRecord(payment) = RemoteRecord::from_record(&row.value)?;
                if payment.at_ms >= since_ms || payment.state == State::Waiting {
                    payments.push(payment);
                }
            }
            if payments.len() > LINES_MAX {
                return Err(Fault::TooMany { what: "payments of one statement", max: LINES_MAX }.into());
            }
        }
        let (peer, version) = (peer.clone(), self.link(peer).await?);
        self.teller.run(move |sheet| sheet.statement(&peer, version.as_ref(), &payments)).await
    }
}

impl Sheet<'_> {
    /// Of payments that were read before: what has changed since would not fit them.
    fn statement(
        &mut self,
        peer: &NodeName,
        before: Option<&Link>,
        payments: &[Payment],
    ) -> Result<Statement, Stop> {
        if self.link(peer)?.as_ref() != before {
            return Err(Fault::Internal("the link has moved meanwhile").into());
        }
        Ok(statement(self, peer, payments.iter().cloned(), self.now)?)
    }

    fn link_row(&self, peer: &NodeName) -> Result<LinkRow, Stop> {
        let record: OfferRecord = self.offers(peer)?;
        let offered = |signed: Option<&weft_wire::Signed<Terms>>| signed?.peek().ok().as_ref().map(terms_row);
        let mut row = LinkRow {
            peer: peer.clone(),
            terms: None,
            ours: offered(record.ours.last()),
            theirs: offered(record.theirs.as_ref()),
            owed: Vec::new(),
            era: 0,
            sent: 0,
            confirmed: 0,
            taken: 0,
            waiting_out: 0,
            waiting_in: 0,
            frozen: None,
            frozen_ms: None,
        };
        let Some(LinkRecord(link)) = self.get(tables::LINKS, peer.as_str())? else { return Ok(row) };
        let books = statement(self, peer, [], self.now)?;
        let owed = link.terms.assets.iter().zip(&books.owed);
        for (covered, owed) in owed {
            let position = self.account(link.position(covered.asset.id()))?;
            let position = position.map_or(0, |position| position.balances.net());
            row.owed.push(owed_row(covered, owed, &link, position));
        }
        row.terms = Some(terms_row(&link.terms));
        (row.era, row.sent, row.confirmed, row.taken) =
            (link.era, link.sent.seq, link.confirmed.seq, link.taken.seq);
        (row.waiting_out, row.waiting_in) = (link.waiting_out, link.waiting_in);
        row.frozen_ms = link.frozen.as_ref().map(|frozen| frozen.at_ms);
        row.frozen = link.frozen.map(|frozen| frozen.why.to_string());
        Ok(row)
    }
}

pub(super) fn terms_row(terms: &Terms) -> TermsRow {
    let assets = terms.assets.iter();
    TermsRow {
        digest: hex(&terms.digest()),
        version: terms.version,
        lifetime_ms: terms.lifetime_ms_max,
        assets: assets
            .map(|covered| (covered.asset.clone(), format_amount(covered.limit.into(), covered.asset.scale)))
            .collect(),
        rates: terms.rates.iter().filter_map(|rate| rate_row(terms, rate)).collect(),
    }
}

fn rate_row(terms: &Terms, rate: &Rate) -> Option<RateRow> {
    let asset = |id| terms.covered(id).map(|covered| covered.asset.clone());
    let (give, get) = (asset(rate.give)?, asset(rate.get)?);
    let written = super::link_rates::write(&give, &get, rate);
    Some(RateRow { give, get, rate: written, until_ms: rate.until_ms })
}

fn owed_row(covered: &Covered, owed: &Owed, link: &Link, position: i128) -> OwedRow {
    let scale = covered.asset.scale;
    let sum = |sum: u128| format_amount(i128::try_from(sum).unwrap_or(i128::MAX), scale);
    OwedRow {
        asset: covered.asset.clone(),
        vostro: link.is_issuer(owed.asset),
        owed: format_amount(owed.net, scale),
        more: sum(owed.more),
        less: sum(owed.less),
        limit: format_amount(covered.limit.into(), scale),
        position: format_amount(position, scale),
    }
}
