//! What an operator sees of a thaw before signing it: every payment that is decided, and every unit that moves.

use super::super::{
    LinkTrouble, Result, Wallet, WalletError, link_books::payment_key, link_terms::hex, records::RemoteRecord,
};
use std::collections::BTreeMap;
use weft_ledger::{
    format_amount,
    link::{Aim, Line, Prepare, State, Statement, Sum, Thaw, Verdict, Way},
};
use weft_store::tables;
use weft_wire::{AssetId, NodeName, TransferId, admin::ThawRow, wallet::Asset};

type Lines<'a> = BTreeMap<(&'a NodeName, TransferId), &'a Line>;
type Assets = BTreeMap<AssetId, Asset>;

fn by_payment(statement: &Statement) -> Lines<'_> {
    statement.lines.iter().map(|line| ((&line.payer, line.payment), line)).collect()
}

impl Wallet {
    /// What the other node lists, this one has not decided before the time with which its own statement begins: else it would be
    /// taken for something that is not known here.
    ///
    /// # Errors
    /// [`LinkTrouble::Since`].
    pub(super) async fn lists_all(&self, own: &Statement, theirs: &Statement) -> Result<()> {
        let listed = by_payment(own);
        for line in &theirs.lines {
            if listed.contains_key(&(&line.payer, line.payment)) {
                continue;
            }
            let Some(record) = self.payment_of(own, &line.payer, line.payment).await? else { continue };
            let moved = [record.state, line.state].iter().any(|state| !matches!(state, State::Rejected(_)));
            if moved {
                let (payment, at_ms) = (line.payment, record.at_ms);
                return Err(WalletError::Link(LinkTrouble::Since { payment, at_ms }));
            }
        }
        Ok(())
    }

    /// For the operator, who has to know what is not as in this node's own books, and what it costs.
    pub(super) async fn thaw_row(&self, own: &Statement, theirs: &Statement, thaw: &Thaw) -> Result<ThawRow> {
        let mut assets = Assets::new();
        for (id, _) in &thaw.owed {
            assets.insert(*id, self.asset(*id).await?.asset);
        }
        let (here, there) = (by_payment(own), by_payment(theirs));
        let mut lines = Vec::new();
        for verdict in &thaw.verdicts {
            let key = (&verdict.payer, verdict.payment);
            let (known, told) = (here.get(&key).copied(), there.get(&key).copied());
            let record = self.payment_of(own, &verdict.payer, verdict.payment).await?;
            let what = [known, told].into_iter().flatten().find(|line| line.give.is_some());
            let what =
                what.map_or("an amount that nobody knows any more".to_owned(), |line| moves(line, &assets));
            let who = who(own, &verdict.payer, record.and_then(|record| record.prepare).as_ref());
            let is = known.map_or("is not known here".to_owned(), |line| format!("is {:?} here", line.state));
            let then = if verdict.done { "has happened" } else { "has not happened" };
            lines.push(format!("{}, {what}, {who}, {is}: it {then}", verdict.payment));
            lines.extend(found(own, verdict, known, told));
            lines.extend(doubt(own, verdict, known, &what, told.is_some_and(|line| line.settles)));
        }
        lines.extend(sums(own, thaw, &here, &assets));
        Ok(ThawRow { digest: hex(&thaw.digest()), lines, guarded: None, agreed: false, done: false })
    }

    /// What this node has of a payment, however long ago it was.
    async fn payment_of(
        &self,
        own: &Statement,
        payer: &NodeName,
        payment: TransferId,
    ) -> Result<Option<weft_ledger::link::Payment>> {
        let way = if *payer == own.of { Way::Out } else { Way::In };
        let key = payment_key(&own.with, way, payment);
        let record: Option<RemoteRecord> = self.ctx.read(tables::LINK_PAYMENTS, key).await?;
        Ok(record.map(|RemoteRecord(payment)| payment))
    }
}

/// How much of what.
fn amount(sum: Sum, assets: &Assets) -> String {
    match assets.get(&sum.asset) {
        Some(asset) => format!("{} {asset}", format_amount(sum.amount.into(), asset.scale)),
        None => format!("{} of {}, which is not in the terms", sum.amount, sum.asset),
    }
}

/// What a payment moves between the two nodes.
fn moves(line: &Line, assets: &Assets) -> String {
    let give = line.give.map(|sum| amount(sum, assets)).unwrap_or_default();
    match line.against {
        _ if !line.settles => give,
        Some(against) => format!("a settlement of {give} against {}", amount(against, assets)),
        None => format!("a settlement of {give}"),
    }
}

/// Who pays whom: of what is not in these books only the nodes.
fn who(own: &Statement, payer: &NodeName, prepare: Option<&Prepare>) -> String {
    let payee = if *payer == own.of { &own.with } else { &own.of };
    match prepare.map(|prepare| &prepare.aim) {
        Some(Aim::Payment { payer, payee: to, .. }) => {
            let to = to.address().map_or_else(|| format!("a shop at {payee}"), ToString::to_string);
            format!("{payer} to {to}")
        }
        Some(Aim::Settlement) => format!("{payer} with {payee}"),
        None => format!("somebody at {payer} to somebody at {payee}"),
    }
}

/// What comes to nobody by itself, and how it does.
fn found(own: &Statement, verdict: &Verdict, known: Option<&Line>, told: Option<&Line>) -> Option<String> {
    let is_theirs = verdict.payer == own.of || [known, told].into_iter().flatten().any(|line| line.settles);
    let comes = matches!(known.map(|line| line.state), None | Some(State::Rejected(_)));
    let (peer, payment) = (&own.with, verdict.payment);
    (verdict.done && comes && !is_theirs).then(|| {
        format!(
            "    nobody here gets it by this: `weft peer terms pay {peer} {payment} NAME` gives it to whom it was \
             paid, out of this node's own position"
        )
    })
}

/// What cannot be so if this node has lost nothing: then the other one lies.
fn doubt(
    own: &Statement,
    verdict: &Verdict,
    known: Option<&Line>,
    what: &str,
    settles: bool,
) -> Option<String> {
    let is_ours = verdict.payer == own.of;
    let says = match known.map(|line| line.state) {
        None if is_ours && settles => format!("the other node says that this one asked for {what}"),
        None if is_ours => format!("the other node says that somebody here paid {what}"),
        None if verdict.done && settles => format!("the other node says that this one agreed to {what}"),
        None if verdict.done => format!("the other node says that somebody here got {what}"),
        Some(State::Waiting) | None => return None,
        Some(state) if (state == State::Fulfilled) == verdict.done => return None,
        Some(_) => {
            let why = "the other node says that this one has decided otherwise than these books have it";
            return Some(format!("    {why}: agree only if this node was restored from a backup"));
        }
    };
    let why = "these books know nothing of it: agree only if this node was restored from a backup";
    Some(format!("    {says}; {why}"))
}

/// What is owed of each asset before and after, and what of that is no payment's and goes over this node's own position.
fn sums(own: &Statement, thaw: &Thaw, here: &Lines<'_>, assets: &Assets) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, after) in &thaw.owed {
        let (Some(asset), Some(owed)) = (assets.get(id), own.owed.iter().find(|owed| owed.asset == *id))
        else {
            continue;
        };
        let mut booked = owed.net;
        for verdict in thaw.verdicts.iter().filter(|verdict| verdict.done) {
            let line = here.get(&(&verdict.payer, verdict.payment));
            let Some(line) = line.filter(|line| line.state == State::Waiting) else { continue };
            for sum in line.give.into_iter().chain(line.against).filter(|sum| sum.asset == *id) {
                let grows = !line.settles && owed.issuer == verdict.payer;
                booked += if grows { i128::from(sum.amount) } else { -i128::from(sum.amount) };
            }
        }
        let text = |sum: i128| format_amount(sum, asset.scale);
        let (before, after) = (owed.net, i128::from(*after));
        let waits = if booked == before {
            String::new()
        } else {
            format!("{} with what waits here and has happened, ", text(booked))
        };
        lines.push(format!(
            "{asset}: {} owed in these books, {waits}{} from then on",
            text(before),
            text(after)
        ));
        let rest = if owed.issuer == own.of { booked - after } else { after - booked };
        if rest != 0 {
            let way = if rest < 0 { "goes out of" } else { "comes into" };
            let sum = text(rest.saturating_abs());
            lines.push(format!(
                "    {sum} {asset} {way} this node's own position, for what these books do not have"
            ));
        }
    }
    lines
}
