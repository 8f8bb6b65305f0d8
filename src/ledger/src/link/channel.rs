//! The two half-channels: what is journalled, confirmed, and sent again.

use super::{
    Ack, Body, Digest, Freeze, JOURNAL_MAX, Link, LinkBooks, LinkError, Mark, Message, Outgoing,
    QUESTIONS_MAX,
    books::{Outcome, known},
};
use weft_wire::{Blob, Millis, NodeName, encode};

/// What a peer says of how far it is, in messages and in acks.
#[derive(Clone, Copy)]
pub(super) struct Claims {
    pub era: u32,
    pub seen: Mark,
    pub confirmed: u64,
}

/// Whether there is room for an answer; for a question there is less.
pub(super) fn has_room(link: &Link, is_question: bool) -> bool {
    let waiting = link.sent.seq.saturating_sub(link.confirmed.seq);
    waiting < if is_question { QUESTIONS_MAX } else { JOURNAL_MAX }
}

/// Writes a message into the journal, after everything that was said before.
pub(super) fn journal<B: LinkBooks>(books: &mut B, link: &mut Link, body: Body) -> Outcome<u64, B> {
    let is_question = matches!(body, Body::Prepare(_) | Body::Status { .. });
    if !has_room(link, is_question) {
        return Err(LinkError::JournalFull);
    }
    let seq = link.sent.seq + 1;
    let message = Message {
        from: link.own.clone(),
        to: link.peer.clone(),
        era: link.era,
        seq,
        before: link.sent.hash,
        seen: link.taken,
        confirmed: link.confirmed.seq,
        terms: link.terms.digest(),
        body,
    };
    let body = encode(&message);
    let hash = Message::hash(&body);
    link.sent = Mark { seq, hash };
    books.put_outgoing(&link.peer, Outgoing { seq, hash, body: Blob(body) });
    Ok(seq)
}

/// What the peer's claims prove, if they prove something: then the link stands still.
pub(super) fn judge<B: LinkBooks>(books: &B, link: &Link, claims: Claims) -> Outcome<Option<Freeze>, B> {
    let behind = |ours: u64, theirs: u64| Ok(Some(Freeze::BehindPeer { ours, theirs }));
    if claims.era != link.era {
        if claims.era > link.era {
            // This node has signed the thaw as well, and does not know of it.
            return behind(link.era.into(), claims.era.into());
        }
        return Err(LinkError::OtherEra { ours: link.era, theirs: claims.era });
    }
    if claims.seen.seq > link.sent.seq {
        return behind(link.sent.seq, claims.seen.seq);
    }
    if claims.confirmed > link.taken.seq {
        return behind(link.taken.seq, claims.confirmed);
    }
    // What was confirmed longer ago was compared then.
    let own = match claims.seen.seq {
        seq if seq < link.confirmed.seq => return Ok(None),
        seq if seq == link.confirmed.seq => Some(link.confirmed.hash),
        seq => books.outgoing(&link.peer, seq).map_err(LinkError::Books)?.map(|outgoing| outgoing.hash),
    };
    Ok((own != Some(claims.seen.hash)).then_some(Freeze::Diverged { seq: claims.seen.seq }))
}

/// The peer has taken this much: it needs not be kept.
pub(super) fn confirm<B: LinkBooks>(books: &mut B, link: &mut Link, seen: Mark) {
    if seen.seq > link.confirmed.seq {
        (link.confirmed.seq + 1..=seen.seq).for_each(|seq| books.drop_outgoing(&link.peer, seq));
        link.confirmed = seen;
    }
}

/// Stops the link as it is stored, and nothing else.
pub(super) fn stop<B: LinkBooks>(
    books: &mut B,
    peer: &NodeName,
    why: Freeze,
    evidence: Option<&[u8]>,
    now: Millis,
) -> Outcome<(), B> {
    let link = known(books, peer)?;
    if link.frozen.is_none() {
        let frozen = super::Frozen { why, at_ms: now, evidence: evidence.map(Blob::from) };
        books.put_link(Link { frozen: Some(frozen), ..link });
    }
    Ok(())
}

/// What the peer has not confirmed, in order: at most `most`, none if the link is frozen. To be signed and
/// sent, again and again. The first few are enough while nothing is confirmed.
///
/// # Errors
/// [`LinkError::NoLink`], [`LinkError::Books`].
pub fn unconfirmed<B: LinkBooks>(books: &B, peer: &NodeName, most: u64) -> Outcome<Vec<Outgoing>, B> {
    let link = known(books, peer)?;
    let mut all = Vec::new();
    if link.frozen.is_none() {
        let last = link.sent.seq.min(link.confirmed.seq.saturating_add(most));
        for seq in link.confirmed.seq + 1..=last {
            all.extend(books.outgoing(peer, seq).map_err(LinkError::Books)?);
        }
    }
    Ok(all)
}

/// How far this node is. It may say only what is committed: it is made from the rows as they are stored,
/// after a commit.
///
/// # Errors
/// [`LinkError::NoLink`], [`LinkError::Books`].
pub fn ack<B: LinkBooks>(books: &B, peer: &NodeName) -> Outcome<Ack, B> {
    Ok(known(books, peer)?.ack())
}

/// Where the half-channels of an era begin.
pub(super) fn begin(link: &mut Link, era: u32, hash: Digest) {
    let start = Mark { seq: 0, hash };
    (link.era, link.origin) = (era, hash);
    (link.sent, link.confirmed, link.taken) = (start, start, start);
    (link.waiting_out, link.waiting_in, link.tombstones) = (0, 0, 0);
    (link.peer_terms, link.frozen) = (link.recent.first().copied().unwrap_or(link.peer_terms), None);
}
