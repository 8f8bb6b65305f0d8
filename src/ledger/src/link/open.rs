//! A link is opened, its terms change, and it is stopped by hand.

use super::{
    Digest, Freeze, Link, LinkBooks, LinkError, Mark, Terms, TermsError,
    books::{Outcome, open},
    channel::stop,
};
use crate::{Account, AccountKind, Bounds, Event, change_account};
use weft_wire::{AssetId, Millis, NodeName};

/// Earlier terms under which messages may still be on their way.
const RECENT_MAX: usize = 8;
/// Up to which version terms open a link: one side may have lost earlier ones. Behind it there is room for all that can come.
const FIRST_VERSION_MAX: u32 = 1 << 16;

/// Opens a link under terms that both operators have signed. Asked for again under its present terms, it is
/// left as it is.
///
/// # Errors
/// [`LinkError::Terms`]; [`LinkError::TermsVersion`] if there is a link under others.
pub fn open_link<B: LinkBooks>(books: &mut B, own: &NodeName, terms: Terms, now: Millis) -> Outcome<(), B> {
    terms.check(now)?;
    let peer = if terms.a == *own { terms.b.clone() } else { terms.a.clone() };
    if !terms.is_between(own, &peer) {
        return Err(TermsError::Parties.into());
    }
    if let Some(link) = books.link(&peer).map_err(LinkError::Books)? {
        let expected = link.terms.version.saturating_add(1);
        return if link.terms == terms { Ok(()) } else { Err(LinkError::TermsVersion { expected }) };
    }
    if terms.version > FIRST_VERSION_MAX {
        return Err(TermsError::Version.into());
    }
    let digest = terms.digest();
    let link = Link {
        own: own.clone(),
        peer,
        terms,
        recent: vec![digest],
        peer_terms: digest,
        era: 0,
        origin: Mark::START.hash,
        sent: Mark::START,
        confirmed: Mark::START,
        taken: Mark::START,
        waiting_out: 0,
        waiting_in: 0,
        tombstones: 0,
        frozen: None,
    };
    accounts(books, &link, now)?;
    books.put_link(link);
    Ok(())
}

/// The next terms come into force here: what is sent from now on is under them. The peer's messages may be
/// under the earlier ones until it follows; a payment is judged by the terms that are in force here when it
/// comes. A limit that is lower than what there is already lets it only go down.
///
/// # Errors
/// [`LinkError::Terms`], [`LinkError::TermsVersion`], [`LinkError::AssetGone`], [`LinkError::TermsUnseen`].
pub fn change_terms<B: LinkBooks>(
    books: &mut B,
    own: &NodeName,
    terms: Terms,
    now: Millis,
) -> Outcome<(), B> {
    terms.check(now)?;
    let peer = if terms.a == *own { &terms.b } else { &terms.a };
    let mut link = books.link(peer).map_err(LinkError::Books)?.ok_or(LinkError::NoLink)?;
    if !terms.is_between(&link.own, peer) || link.own != *own {
        return Err(TermsError::Parties.into());
    }
    if link.terms == terms {
        return Ok(());
    }
    let expected = link.terms.version.saturating_add(1);
    if terms.version != expected {
        return Err(LinkError::TermsVersion { expected });
    }
    let mut before = link.terms.assets.iter().map(|covered| covered.asset.id());
    if let Some(gone) = before.find(|id| terms.covered(*id).is_none()) {
        return Err(LinkError::AssetGone(gone));
    }
    while link.recent.len() >= RECENT_MAX {
        if link.recent.first() == Some(&link.peer_terms) {
            return Err(LinkError::TermsUnseen);
        }
        link.recent.remove(0);
    }
    link.recent.push(terms.digest());
    link.terms = terms;
    accounts(books, &link, now)?;
    books.put_link(link);
    Ok(())
}

/// This operator has signed other terms of the version that is in force as well: the other one may have put
/// them into force at the same moment, and speak under them until the two have agreed on the same
/// ([`prefer_terms`]).
///
/// # Errors
/// [`LinkError::NoLink`].
pub fn expect_terms<B: LinkBooks>(books: &mut B, peer: &NodeName, rivals: &[Digest]) -> Outcome<(), B> {
    let mut link = books.link(peer).map_err(LinkError::Books)?.ok_or(LinkError::NoLink)?;
    let current = link.terms.digest();
    let expected = rivals.iter().filter(|rival| **rival != current).copied();
    let mut expected: Vec<Digest> = expected.collect();
    link.recent.retain(|known| *known != current && !expected.contains(known));
    // Nothing was heard under the terms in force, as far as is known: what comes under a rival is no step back.
    if link.peer_terms == current
        && let Some(first) = expected.first()
    {
        link.peer_terms = *first;
    }
    link.recent.append(&mut expected);
    link.recent.push(current);
    books.put_link(link);
    Ok(())
}

/// Both operators have signed two terms of one version, each those of the other at the same moment. Both come
/// to hear of both, or only of the winner, and both choose alike: the terms with the lower digest. Gives
/// whether it is `terms`, which are in force then in place of the others. That an asset is left out is no
/// matter: nothing was taken under terms that only one of the two had.
///
/// # Errors
/// [`LinkError::Terms`], [`LinkError::NoLink`], [`LinkError::TermsVersion`] if they are of another version.
pub fn prefer_terms<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    terms: &Terms,
    now: Millis,
) -> Outcome<bool, B> {
    terms.check(now)?;
    let mut link = books.link(peer).map_err(LinkError::Books)?.ok_or(LinkError::NoLink)?;
    if !terms.is_between(&link.own, peer) {
        return Err(TermsError::Parties.into());
    }
    if terms.version != link.terms.version {
        return Err(LinkError::TermsVersion { expected: link.terms.version.saturating_add(1) });
    }
    if terms.digest() >= link.terms.digest() {
        return Ok(link.terms == *terms);
    }
    let before = std::mem::replace(&mut link.terms, terms.clone()).digest();
    accounts(books, &link, now)?;
    books.put_link(link);
    expect_terms(books, peer, &[before])?;
    Ok(true)
}

/// The operator stops a link. Only a [`super::Thaw`] starts it again.
///
/// # Errors
/// [`LinkError::NoLink`].
pub fn freeze<B: LinkBooks>(books: &mut B, peer: &NodeName, now: Millis) -> Outcome<(), B> {
    stop(books, peer, Freeze::Operator, None, now)
}

/// The accounts of a link, with the bounds that its terms give them.
fn accounts<B: LinkBooks>(books: &mut B, link: &Link, now: Millis) -> Outcome<(), B> {
    for covered in &link.terms.assets {
        let (asset, limit) = (covered.asset.id(), i128::from(covered.limit));
        let (kind, id) = (link.kind(asset), link.account(asset));
        // What is owed is the net of a vostro account, and the negative net of a nostro account.
        let (floor, cap) = if link.is_issuer(asset) { (0, limit) } else { (-limit, 0) };
        bounded(books, Account::new(id, asset, kind).within(Some(floor), Some(cap)), now)?;
        let position = position(link, asset);
        open(books, position, now)?;
    }
    Ok(())
}

fn position(link: &Link, asset: AssetId) -> Account {
    Account::new(link.position(asset), asset, AccountKind::Equity)
}

fn bounded<B: LinkBooks>(books: &mut B, account: Account, now: Millis) -> Outcome<(), B> {
    let (id, Bounds { floor, cap }) = (account.id, account.bounds);
    match books.account(id).map_err(LinkError::Books)? {
        Some(known) if known.bounds != (Bounds { floor, cap }) => {
            let (bounds, freeze) = (Bounds { floor, cap }, known.freeze);
            change_account(books, id, bounds, freeze)?;
            books.log(Event::Change { id, bounds, freeze }).map_err(LinkError::Books)
        }
        _ => open(books, account, now),
    }
}
