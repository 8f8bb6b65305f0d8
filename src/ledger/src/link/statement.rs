//! What a node has in its books of a link, for both operators to see and compare.

use super::{
    Aim, Digest, Freeze, LINES_MAX, Link, LinkBooks, LinkError, Lost, Mark, Payment, State, Sum, Way,
    books::{Outcome, known},
};
use crate::{Account, wide};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weft_wire::{AssetId, Millis, NodeName, TransferId, encode, signed::Signable};

/// A link as one node has it at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose books.
    pub of: NodeName,
    /// With whom.
    pub with: NodeName,
    /// When it was drawn up.
    pub at_ms: Millis,
    /// How often the link was thawed.
    pub era: u32,
    /// Under which terms.
    pub terms: Digest,
    /// The last message that was journalled.
    pub sent: Mark,
    /// The last message of the other's that was taken.
    pub taken: Mark,
    /// That the link stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Freeze>,
    /// What the issuer of each asset owes.
    pub owed: Vec<Owed>,
    /// The payments, in the order of who pays and of their ids. At most [`LINES_MAX`].
    pub lines: Vec<Line>,
}

/// What the issuer of an asset owes the other node's people, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Of what.
    pub asset: AssetId,
    /// Who owes it.
    pub issuer: NodeName,
    /// How much, by what is posted.
    #[serde(with = "wide::signed")]
    pub net: i128,
    /// How much more it may become by what waits.
    #[serde(with = "wide::unsigned")]
    pub more: u128,
    /// How much less.
    #[serde(with = "wide::unsigned")]
    pub less: u128,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id.
    pub payment: TransferId,
    /// Whose people pay.
    pub payer: NodeName,
    /// What goes over the link. `None`: it never came here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<Sum>,
    /// It is a settlement: the issuer owes less, whoever proposed it.
    pub settles: bool,
    /// What it is set off against, of the other node's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Sum>,
    /// What became of it.
    pub state: State,
    /// When it came to be known here.
    pub at_ms: Millis,
    /// When its decision came to be known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_ms: Option<Millis>,
}

/// Where two statements differ. While messages are under way they may; when the link stands still it is what
/// got lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// They are not of the two sides of one link, or one has a payment twice.
    #[error("these are not the statements of one link")]
    Link,
    /// The link does not stand still by one of them: what follows from it may not be so any more.
    #[error("the link does not stand still at {node}")]
    Running {
        /// Where.
        node: NodeName,
    },
    /// They are under different terms.
    #[error("the terms differ")]
    Terms,
    /// One has more of a half-channel than the other.
    #[error("{from} has sent {sent} messages, of which the other has taken {taken}")]
    Messages {
        /// Who sent.
        from: NodeName,
        /// By its own books.
        sent: u64,
        /// By the other's.
        taken: u64,
    },
    /// One knows nothing of a payment.
    #[error("{node} does not know payment {payment}")]
    Missing {
        /// Who.
        node: NodeName,
        /// Which payment.
        payment: TransferId,
    },
    /// They have it differently.
    #[error("payment {payment} is {one:?} here and {other:?} there")]
    State {
        /// Which payment.
        payment: TransferId,
        /// In the first statement.
        one: State,
        /// In the second.
        other: State,
    },
    /// They have another amount.
    #[error("payment {payment} has two amounts")]
    Amount {
        /// Which payment.
        payment: TransferId,
    },
    /// They have another balance.
    #[error("of {asset} is owed {one} here and {other} there")]
    Balance {
        /// Of what.
        asset: AssetId,
        /// In the first statement.
        one: i128,
        /// In the second.
        other: i128,
    },
}

impl Signable for Statement {
    const CONTEXT: &'static str = "weft/link-statement/1";
    const BYTES_MAX: usize = 4 << 20;
}

impl Statement {
    /// By which a [`super::Thaw`] names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("weft/link-statement-digest/1", &encode(self))
    }
}

/// Draws up a statement. `payments` are those that it is about, of the period that the operators ask for, and
/// all that wait; the caller scans its rows for them.
///
/// # Errors
/// [`LinkError::NoLink`]; [`LinkError::Malformed`] if they are too many for one statement, or of another
/// link.
pub fn statement<B: LinkBooks>(
    books: &B,
    peer: &NodeName,
    payments: impl IntoIterator<Item = Payment>,
    now: Millis,
) -> Outcome<Statement, B> {
    let link = known(books, peer)?;
    let mut lines = Vec::new();
    for payment in payments.into_iter().take(LINES_MAX + 1) {
        if payment.peer != *peer {
            return Err(LinkError::Malformed("a payment of another link"));
        }
        let payer = if payment.way == Way::Out { &link.own } else { &link.peer };
        lines.push(line(payment, payer.clone()));
    }
    if lines.len() > LINES_MAX {
        return Err(LinkError::Malformed("too many payments for one statement"));
    }
    lines.sort_unstable_by(|one, other| (&one.payer, one.payment).cmp(&(&other.payer, other.payment)));
    let mut owed = Vec::new();
    for covered in &link.terms.assets {
        let asset = covered.asset.id();
        let account = books.account(link.account(asset)).map_err(LinkError::Books)?;
        let account = account.ok_or(LinkError::Malformed("an account of the link is missing"))?;
        owed.push(self::owed(&account, covered.asset.issuer.clone(), link.is_issuer(asset)));
    }
    Ok(Statement {
        at_ms: now,
        era: link.era,
        terms: link.terms.digest(),
        sent: link.sent,
        taken: link.taken,
        frozen: link.frozen.map(|frozen| frozen.why),
        of: link.own,
        with: link.peer,
        owed,
        lines,
    })
}

/// What a payment that is done has added to what the issuer of each asset owes the other node, or taken from it. `None`: what it moves
/// is not known here.
#[must_use]
pub fn owed_by(link: &Link, payment: &Payment) -> Option<Vec<(AssetId, i128)>> {
    if payment.state != State::Fulfilled {
        return Some(Vec::new());
    }
    let Lost { give, settles, against } = moves(payment)?;
    let by_issuer = |asset| link.is_issuer(asset) == (payment.way == Way::Out);
    let owed = |sum: Sum| {
        let amount = i128::from(sum.amount);
        (sum.asset, if !settles && by_issuer(sum.asset) { amount } else { -amount })
    };
    Some([give].into_iter().chain(against).map(owed).collect())
}

/// What goes over the link, as far as it is known here.
fn moves(payment: &Payment) -> Option<Lost> {
    let asked = payment.prepare.as_ref().map(|prepare| {
        let settles = prepare.aim == Aim::Settlement;
        Lost { give: prepare.give, settles, against: prepare.get.filter(|_| settles) }
    });
    asked.or(payment.lost)
}

fn line(payment: Payment, payer: NodeName) -> Line {
    let what = moves(&payment);
    Line {
        payment: payment.id,
        payer,
        give: what.map(|what| what.give),
        settles: what.is_some_and(|what| what.settles),
        against: what.and_then(|what| what.against),
        state: payment.state,
        at_ms: payment.at_ms,
        decided_ms: payment.decided_ms,
    }
}

fn owed(account: &Account, issuer: NodeName, is_issuer: bool) -> Owed {
    let balances = &account.balances;
    let (net, more, less) = if is_issuer {
        (balances.net(), balances.credits_pending, balances.debits_pending)
    } else {
        (-balances.net(), balances.debits_pending, balances.credits_pending)
    };
    Owed { asset: account.asset, issuer, net, more, less }
}

/// What two statements have of each payment.
pub(super) type Pairs<'a> = BTreeMap<(&'a NodeName, TransferId), (Option<&'a Line>, Option<&'a Line>)>;

/// The lines of both by payment. `None`: one has a payment twice, or they are not of one link.
pub(super) fn pairs<'a>(one: &'a Statement, other: &'a Statement) -> Option<Pairs<'a>> {
    let nodes = [&one.of, &one.with];
    let are_two = (&one.of, &one.with) == (&other.with, &other.of) && one.of != one.with;
    let mut lines = one.lines.iter().chain(&other.lines);
    if !are_two || !lines.all(|line| nodes.contains(&&line.payer)) {
        return None;
    }
    let mut pairs = Pairs::new();
    for line in &one.lines {
        if pairs.insert((&line.payer, line.payment), (Some(line), None)).is_some() {
            return None;
        }
    }
    for line in &other.lines {
        let pair = pairs.entry((&line.payer, line.payment)).or_default();
        if pair.1.replace(line).is_some() {
            return None;
        }
    }
    Some(pairs)
}

/// Everything in which the statements of the two sides of a link differ. None: each payment is the same on
/// both sides, and so is what is owed.
#[must_use]
pub fn compare(one: &Statement, other: &Statement) -> Vec<Difference> {
    let Some(pairs) = pairs(one, other) else { return vec![Difference::Link] };
    let mut found = Vec::new();
    if one.era != other.era {
        found.push(Difference::Link);
    }
    if one.terms != other.terms {
        found.push(Difference::Terms);
    }
    for (from, to) in [(one, other), (other, one)] {
        if from.sent != to.taken {
            let (sent, taken) = (from.sent.seq, to.taken.seq);
            found.push(Difference::Messages { from: from.of.clone(), sent, taken });
        }
    }
    for ((_, payment), pair) in pairs {
        found.extend(differs(one, other, payment, pair));
    }
    for own in &one.owed {
        let theirs = other.owed.iter().find(|theirs| theirs.asset == own.asset);
        if theirs.is_none_or(|theirs| theirs.net != own.net) {
            let theirs = theirs.map_or(0, |theirs| theirs.net);
            found.push(Difference::Balance { asset: own.asset, one: own.net, other: theirs });
        }
    }
    found
}

fn differs(
    one: &Statement,
    other: &Statement,
    payment: TransferId,
    pair: (Option<&Line>, Option<&Line>),
) -> Option<Difference> {
    let (own, theirs) = match pair {
        (Some(own), Some(theirs)) => (own, theirs),
        // What it has refused, the payee's node forgets.
        (Some(line), None) | (None, Some(line))
            if matches!(line.state, State::Rejected(_)) && (pair.0.is_some() == (line.payer == one.of)) =>
        {
            return None;
        }
        (None, _) => return Some(Difference::Missing { node: one.of.clone(), payment }),
        (_, None) => return Some(Difference::Missing { node: other.of.clone(), payment }),
    };
    let is_same = match (own.state, theirs.state) {
        // The reasons may differ: one side may have lost the first of two rejections.
        (State::Rejected(_), State::Rejected(_)) => true,
        (own, theirs) => own == theirs,
    };
    if !is_same {
        return Some(Difference::State { payment, one: own.state, other: theirs.state });
    }
    let (Some(a), Some(b)) = (own.give, theirs.give) else { return None };
    ((a, own.settles, own.against) != (b, theirs.settles, theirs.against))
        .then_some(Difference::Amount { payment })
}
