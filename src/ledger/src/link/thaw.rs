//! A link that stands still is started again, as both operators have agreed.

use super::{
    Difference, Digest, HEARD_MAX, JOURNAL_MAX, LINES_MAX, Line, Link, LinkBooks, LinkError, Lost, Payment,
    Reason, State, Statement, Sum, Way,
    books::{Outcome, Step, book, chain, find, known},
    channel::begin,
    decide::resolve,
    legs::found,
    state::derived,
    statement::pairs,
    waiting::leave,
};
use crate::{LedgerError, Movement, Purpose, Transfer};
use serde::{Deserialize, Serialize};
use weft_wire::{AccountId, AssetId, Millis, NodeName, TransferId, encode, signed::Signable};

/// Payments of one part of a thaw. Each is a dozen rows.
const PART_VERDICTS: usize = 16;
/// Rows of each half-channel that one part drops.
const PART_ROWS: u64 = 256;

/// With what a link begins anew. Both operators sign the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thaw {
    /// One of the two nodes: the one whose name is the lower.
    pub a: NodeName,
    /// The other.
    pub b: NodeName,
    /// The era that begins: later than that of both.
    pub era: u32,
    /// The terms that are in force on both sides.
    pub terms: Digest,
    /// What it is based on: [`Statement::digest`] of `a`'s and of `b`'s.
    pub statements: (Digest, Digest),
    /// What becomes of each payment that waits on one side, or that the sides have differently. At most
    /// [`LINES_MAX`].
    pub verdicts: Vec<Verdict>,
    /// What the issuer owes of each asset of the terms from now on, in minor units. What is not so by the
    /// verdicts goes over the nodes' own positions: there the operators see what was lost.
    pub owed: Vec<(AssetId, u64)>,
}

/// What becomes of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which payment.
    pub payment: TransferId,
    /// Whose people pay.
    pub payer: NodeName,
    /// The payee has it. Else the payer has it back.
    pub done: bool,
    /// What it moves, if one of the two does not know that any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

impl Signable for Thaw {
    const CONTEXT: &'static str = "weft/link-thaw/1";
    const BYTES_MAX: usize = 2 << 20;
}

impl Thaw {
    /// With which the new half-channels begin.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("weft/link-thaw-digest/1", &encode(self))
    }
}

/// The thaw that follows from two statements of a link that stands still. What the payer's node has as
/// decided is what the payee's node once signed; of what it has not the payee's node has the last word, and
/// what that has not decided is not done. What is owed is what both sides come to by that. Both nodes come to
/// the same, whichever of the two statements is theirs.
///
/// # Errors
/// The difference because of which nothing follows: then the operators have to find out, and write the thaw
/// themselves.
pub fn propose_thaw(one: &Statement, other: &Statement) -> Result<Thaw, Difference> {
    let (a, b) = if one.of < other.of { (one, other) } else { (other, one) };
    let pairs = pairs(a, b).ok_or(Difference::Link)?;
    if let Some(running) = [a, b].into_iter().find(|statement| statement.frozen.is_none()) {
        return Err(Difference::Running { node: running.of.clone() });
    }
    if a.terms != b.terms {
        return Err(Difference::Terms);
    }
    let mut verdicts = Vec::new();
    let mut owed: Vec<(i128, i128)> = Vec::new();
    for own in &a.owed {
        let is_it = |theirs: &&super::Owed| (theirs.asset, &theirs.issuer) == (own.asset, &own.issuer);
        let theirs = b.owed.iter().find(is_it).ok_or(Difference::Terms)?;
        owed.push((own.net, theirs.net));
    }
    for ((payer, payment), (own, theirs)) in pairs {
        let is = |line: Option<&Line>, state| line.is_some_and(|line| line.state == state);
        let (moved, waits) =
            (|line| is(line, State::Fulfilled), is(own, State::Waiting) || is(theirs, State::Waiting));
        let (asks, decides) = if *payer == a.of { (own, theirs) } else { (theirs, own) };
        let done = match asks.map(|line| line.state) {
            Some(State::Fulfilled) => true,
            Some(State::Rejected(_)) => false,
            Some(State::Waiting) | None => moved(decides),
        };
        if waits || moved(own) != done || moved(theirs) != done {
            let lost = lost(own, theirs);
            verdicts.push(Verdict { payment, payer: payer.clone(), done, lost });
        }
        // Which of two amounts is the right one, no books can say: a peer could name whatever it likes.
        let sums = |line: &Line| Some((line.give?, line.settles, line.against));
        if let (Some(one), Some(other)) = (own.and_then(sums), theirs.and_then(sums))
            && one != other
        {
            return Err(Difference::Amount { payment });
        }
        let known = [own, theirs].into_iter().flatten().find_map(|line| Some((line, line.give?)));
        let Some((line, give)) = known else { continue };
        for sum in [give].into_iter().chain(line.against) {
            for (entry, sums) in a.owed.iter().zip(&mut owed).filter(|(entry, _)| entry.asset == sum.asset) {
                let grows = !line.settles && entry.issuer == *payer;
                let amount = if grows { i128::from(sum.amount) } else { -i128::from(sum.amount) };
                let missing = |line| amount * (i128::from(done) - i128::from(moved(line)));
                sums.0 = sums.0.saturating_add(missing(own));
                sums.1 = sums.1.saturating_add(missing(theirs));
            }
        }
    }
    let agreed = |(entry, (one, other)): (&super::Owed, &(i128, i128))| {
        let differs = Difference::Balance { asset: entry.asset, one: *one, other: *other };
        let amount = u64::try_from(*one).ok().filter(|_| one == other);
        amount.map(|amount| (entry.asset, amount)).ok_or(differs)
    };
    Ok(Thaw {
        a: a.of.clone(),
        b: b.of.clone(),
        era: a.era.max(b.era).saturating_add(1),
        terms: a.terms,
        statements: (a.digest(), b.digest()),
        verdicts,
        owed: a.owed.iter().zip(&owed).map(agreed).collect::<Result<_, _>>()?,
    })
}

/// What a payment moves, by the word of one of the two, if the other does not know it.
fn lost(own: Option<&Line>, theirs: Option<&Line>) -> Option<Lost> {
    let of = |line: &Line| Some(Lost { give: line.give?, settles: line.settles, against: line.against });
    match (own.and_then(of), theirs.and_then(of)) {
        (Some(_), Some(_)) => None,
        (one, other) => one.or(other),
    }
}

/// Does what both operators have signed: every payment that waits is decided, the accounts are as agreed, and
/// both half-channels begin with number 1. What was journalled and not confirmed is not sent any more;
/// messages of earlier eras are not taken.
///
/// # Errors
/// [`LinkError::Thaw`], [`LinkError::NotFrozen`], [`LinkError::OtherTerms`], [`LinkError::ThawRefused`].
pub fn thaw<B: LinkBooks>(books: &mut B, peer: &NodeName, thaw: &Thaw, now: Millis) -> Outcome<(), B> {
    begin_thaw(books, peer, thaw)?;
    let mut part = 0;
    while !thaw_part(books, peer, thaw, part, now)? {
        part += 1;
    }
    Ok(())
}

/// Whether a thaw can be begun with [`thaw_part`]. Nothing is put.
///
/// # Errors
/// As [`thaw`].
pub fn begin_thaw<B: LinkBooks>(books: &B, peer: &NodeName, thaw: &Thaw) -> Outcome<(), B> {
    let link = known(books, peer)?;
    if is_done(&link, thaw) {
        return Ok(());
    }
    check(&link, thaw)?;
    if thaw.terms != link.terms.digest() {
        return Err(LinkError::OtherTerms);
    }
    if thaw.owed.len() != link.terms.assets.len() {
        return Err(LinkError::Thaw("it does not say what is owed of each asset"));
    }
    Ok(())
}

/// One part of [`thaw`], which need not fit one commit: they are done from 0 upwards, each in a commit of its
/// own, until one gives true. Whoever has begun ([`begin_thaw`]) goes on with the same thaw, after a crash as
/// well: what was done of it before changes nothing the second time. Later terms may be in force by then: with
/// a higher limit, say, if the books were against it.
///
/// # Errors
/// As [`thaw`].
pub fn thaw_part<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    thaw: &Thaw,
    part: usize,
    now: Millis,
) -> Outcome<bool, B> {
    let mut link = known(books, peer)?;
    if is_done(&link, thaw) {
        return Ok(true);
    }
    check(&link, thaw)?;
    let digest = thaw.digest();
    let parts = thaw.verdicts.len().div_ceil(PART_VERDICTS);
    if part < parts {
        for verdict in thaw.verdicts.iter().skip(part * PART_VERDICTS).take(PART_VERDICTS) {
            apply(books, &mut link, verdict, now)?;
        }
        books.put_link(link);
        return Ok(false);
    }
    // Nothing reads them while the link stands still.
    let (journal, heard) = (link.confirmed.seq, link.taken.seq.saturating_sub(HEARD_MAX));
    let first = ((part - parts) as u64).saturating_mul(PART_ROWS);
    if first < JOURNAL_MAX.max(HEARD_MAX) {
        let chunk = |after: u64, last: u64| {
            let from = after.saturating_add(first);
            from.saturating_add(1)..=last.min(from.saturating_add(PART_ROWS))
        };
        chunk(journal, link.sent.seq).for_each(|seq| books.drop_outgoing(peer, seq));
        chunk(heard, link.taken.seq).for_each(|seq| books.drop_heard(peer, seq));
        return Ok(false);
    }
    if (link.waiting_out, link.waiting_in) != (0, 0) {
        return Err(LinkError::Thaw("a payment that waits has no verdict"));
    }
    for (asset, owed) in &thaw.owed {
        correct(books, &link, digest, (*asset, *owed), now)?;
    }
    begin(&mut link, thaw.era, digest);
    books.put_link(link);
    Ok(true)
}

fn is_done(link: &Link, thaw: &Thaw) -> bool {
    link.era == thaw.era && link.origin == thaw.digest()
}

fn check<F>(link: &Link, thaw: &Thaw) -> Result<(), LinkError<F>> {
    let (own, peer) = (&link.own, &link.peer);
    let nodes = [(&thaw.a, &thaw.b), (&thaw.b, &thaw.a)];
    if thaw.a >= thaw.b || !nodes.contains(&(own, peer)) {
        return Err(LinkError::Thaw("it is between other nodes"));
    }
    if thaw.era <= link.era {
        return Err(LinkError::Thaw("it is for an earlier era"));
    }
    if link.frozen.is_none() {
        return Err(LinkError::NotFrozen);
    }
    if !link.recent.contains(&thaw.terms) {
        return Err(LinkError::OtherTerms);
    }
    if thaw.verdicts.len() > LINES_MAX || thaw.verdicts.iter().any(|v| ![own, peer].contains(&&v.payer)) {
        return Err(LinkError::Thaw("its verdicts are too many, or on payments of others"));
    }
    let once = |asset: AssetId| thaw.owed.iter().filter(|(named, _)| *named == asset).count() == 1;
    if !thaw.owed.iter().all(|(asset, _)| once(*asset) && link.terms.covered(*asset).is_some()) {
        return Err(LinkError::Thaw("it does not say what is owed of each asset"));
    }
    Ok(())
}

/// The payment is as agreed from now on.
fn apply<B: LinkBooks>(books: &mut B, link: &mut Link, verdict: &Verdict, now: Millis) -> Outcome<(), B> {
    let way = if verdict.payer == link.own { Way::Out } else { Way::In };
    let state = if verdict.done { State::Fulfilled } else { State::Rejected(Reason::Reconciled) };
    let record = match find(books, &link.peer, way, verdict.payment)? {
        Some(record) if record.state == State::Waiting => {
            let record = resolve(books, record, state, now)?;
            leave(books, link, &record)?;
            Payment { thawed: true, ..record }
        }
        Some(record) if (record.state == State::Fulfilled) == verdict.done => return Ok(()),
        // What was moved by the other decision stays as it is: the difference is the position's.
        Some(record) => Payment {
            state,
            decided_ms: Some(now),
            legs: record.undone,
            undone: record.legs,
            thawed: true,
            lost: record.lost.or(verdict.lost.filter(|_| record.prepare.is_none())),
            ..record
        },
        // Lost here. It is known from now on, so that it does not happen a second time.
        None => Payment {
            id: verdict.payment,
            peer: link.peer.clone(),
            way,
            prepare: None,
            state,
            legs: Vec::new(),
            undone: Vec::new(),
            thawed: true,
            lost: verdict.lost,
            at_ms: now,
            decided_ms: Some(now),
            asked: false,
        },
    };
    books.put_payment(record);
    Ok(())
}

/// The operator gives somebody here what is theirs by a thaw alone: out of the node's position, to which the thaw has brought it. It
/// is given once; the same again is nothing. Gives how much of what.
///
/// # Errors
/// [`LinkError::UnknownPayment`]; [`LinkError::NothingFound`] if no thaw has found it for somebody here; [`LinkError::AlreadyDecided`] if
/// they have it; [`LinkError::Ledger`] if the account does not take it: nothing of that is to be kept.
pub fn pay_found<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    payment: TransferId,
    to: AccountId,
    now: Millis,
) -> Outcome<Sum, B> {
    let link = known(books, peer)?;
    let record = find(books, peer, Way::In, payment)?.ok_or(LinkError::UnknownPayment)?;
    let (leg, sum) = found(&link, &record, to).ok_or(LinkError::NothingFound)?;
    match record.legs.as_slice() {
        [given] if *given == leg => return Ok(sum),
        [] if record.state == State::Fulfilled => {}
        _ => return Err(LinkError::AlreadyDecided(record.state)),
    }
    if let Err((at, refusal)) = book(books, &[leg], Step::Move, (Purpose::Correction, payment), now)? {
        return Err(LinkError::Ledger(LedgerError::Refused { at, refusal, replayed: false }));
    }
    books.put_payment(Payment { legs: vec![leg], thawed: true, ..record });
    Ok(sum)
}

/// Brings the account of an asset to what is agreed, from the node's position or to it.
fn correct<B: LinkBooks>(
    books: &mut B,
    link: &Link,
    digest: Digest,
    (asset, owed): (AssetId, u64),
    now: Millis,
) -> Outcome<(), B> {
    let (over, position) = (link.account(asset), link.position(asset));
    let account = books.account(over).map_err(LinkError::Books)?;
    let net = account.ok_or(LinkError::Malformed("an account of the link is missing"))?.balances.net();
    let target = if link.is_issuer(asset) { i128::from(owed) } else { -i128::from(owed) };
    let missing = target.saturating_sub(net);
    if missing == 0 {
        return Ok(());
    }
    let (debit, credit) = if missing > 0 { (position, over) } else { (over, position) };
    let amount = u64::try_from(missing.unsigned_abs());
    let amount = amount.map_err(|_| LinkError::Thaw("the difference is too large for one transfer"))?;
    let parts: [&[u8]; 3] = [&digest.0, &asset.0, link.own.as_str().as_bytes()];
    let id = TransferId(derived("weft/link-correction/1", &parts));
    let movement = Movement::Posted { debit, credit, amount, refunds: None };
    let transfer = Transfer { id, movement, purpose: Purpose::Correction, about: [0; 16] };
    chain(books, vec![transfer], now)?.map_err(|(_, refusal)| LinkError::ThawRefused(refusal))
}
