//! The rules once more, slowly: a list of what was done, and every sum, hold and refund found by going through all of it.

use std::collections::BTreeMap;
use weft_ledger::{
    AccountKind, Balances, Bounds, CHAIN_MAX, Event, Freeze, LedgerError, Movement, Purpose, Refusal, Side,
    Transfer,
};
use weft_wire::{AccountId, AssetId, TransferId};

/// What should come of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Done,
    Malformed,
    IdConflict,
    UnknownAccount,
    /// Any of these may be given as the reason.
    Refused {
        at: u8,
        why: Vec<Refusal>,
        replayed: bool,
    },
}

#[derive(Debug, Clone)]
struct Facts {
    asset: AssetId,
    kind: AccountKind,
    bounds: Bounds,
    freeze: Freeze,
}

/// What was asked for together, and why it was refused, if it was.
type Chain = (Vec<Transfer>, Option<(u8, Refusal)>);

#[derive(Debug, Clone, Default)]
pub struct Model {
    accounts: BTreeMap<AccountId, Facts>,
    chains: Vec<Chain>,
    done: Vec<Transfer>,
}

impl Model {
    pub fn judge(&self, event: &Event, now: u64) -> Verdict {
        match event {
            Event::Open { id, asset, kind, bounds } => match self.accounts.get(id) {
                _ if !is_room(bounds) => Verdict::Malformed,
                Some(facts) if (facts.asset, facts.kind) != (*asset, *kind) => Verdict::IdConflict,
                _ => Verdict::Done,
            },
            Event::Change { bounds, .. } if !is_room(bounds) => Verdict::Malformed,
            Event::Change { id, .. } if !self.accounts.contains_key(id) => Verdict::UnknownAccount,
            Event::Change { .. } => Verdict::Done,
            Event::Chain(chain) => self.judge_chain(chain, now),
            Event::Expire(pending) => self.judge_expiry(*pending, now),
        }
    }

    /// Remembers what came of it.
    pub fn note<F>(&mut self, event: &Event, _now: u64, outcome: &Result<(), LedgerError<F>>) {
        match (event, outcome) {
            (Event::Open { id, asset, kind, bounds }, Ok(())) => {
                let facts = Facts { asset: *asset, kind: *kind, bounds: *bounds, freeze: Freeze::None };
                self.accounts.entry(*id).or_insert(facts);
            }
            (Event::Change { id, bounds, freeze }, Ok(())) => {
                let facts = self.accounts.get_mut(id).unwrap();
                (facts.bounds, facts.freeze) = (*bounds, *freeze);
            }
            (Event::Chain(chain), _) => self.note_chain(chain.clone(), outcome),
            (Event::Expire(pending), _) => {
                // Where it was not due, or nothing pending, nothing is written down.
                let is_written = match outcome {
                    Ok(()) => true,
                    Err(LedgerError::Refused { refusal, .. }) => {
                        matches!(refusal, Refusal::AlreadyPosted | Refusal::AlreadyVoided)
                    }
                    Err(_) => false,
                };
                if is_written {
                    self.note_chain(expiry(*pending), outcome);
                }
            }
            _ => {}
        }
    }

    pub fn balances(&self, id: AccountId) -> Balances {
        sums(&self.done, id)
    }

    /// All that was given back of a transfer, or is being given back.
    pub fn refunds(&self, original: TransferId) -> u128 {
        refunds(&self.done, original)
    }

    /// Transfers that were pending, also those that have ended.
    pub fn pending(&self) -> Vec<TransferId> {
        let is_pending = |transfer: &&Transfer| matches!(transfer.movement, Movement::Pending { .. });
        self.done.iter().filter(is_pending).map(|transfer| transfer.id).collect()
    }

    /// Every transfer that was done.
    pub fn done(&self) -> Vec<TransferId> {
        self.done.iter().map(|transfer| transfer.id).collect()
    }

    fn note_chain<F>(&mut self, chain: Vec<Transfer>, outcome: &Result<(), LedgerError<F>>) {
        if self.chains.iter().any(|(known, _)| *known == chain) {
            return;
        }
        match outcome {
            Ok(()) => {
                self.done.extend(&chain);
                self.chains.push((chain, None));
            }
            Err(LedgerError::Refused { at, refusal, .. }) => self.chains.push((chain, Some((*at, *refusal)))),
            Err(_) => {}
        }
    }

    fn judge_expiry(&self, pending: TransferId, now: u64) -> Verdict {
        let refused = |refusal| Verdict::Refused { at: 0, why: vec![refusal], replayed: false };
        match find(&self.done, pending).map(|transfer| transfer.movement) {
            None => refused(Refusal::UnknownPending),
            Some(Movement::Pending { expires_ms: Some(expires_ms), .. }) if expires_ms <= now => {
                self.judge_chain(&expiry(pending), now)
            }
            Some(Movement::Pending { .. }) => refused(Refusal::NotDue),
            Some(_) => refused(Refusal::NotPending),
        }
    }

    fn judge_chain(&self, chain: &[Transfer], now: u64) -> Verdict {
        let mut ids: Vec<_> = chain.iter().map(|transfer| transfer.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if chain.is_empty()
            || chain.len() > CHAIN_MAX
            || ids.len() < chain.len()
            || chain.iter().any(is_malformed)
        {
            return Verdict::Malformed;
        }
        if let Some((_, outcome)) = self.chains.iter().find(|(known, _)| known == chain) {
            return match outcome {
                None => Verdict::Done,
                Some((at, refusal)) => Verdict::Refused { at: *at, why: vec![*refusal], replayed: true },
            };
        }
        if self.chains.iter().flat_map(|(known, _)| known).any(|known| ids.contains(&known.id)) {
            return Verdict::IdConflict;
        }
        let mut done = self.done.clone();
        for (at, transfer) in chain.iter().enumerate() {
            let why = self.against(&done, transfer, now);
            if !why.is_empty() {
                return Verdict::Refused { at: at as u8, why, replayed: false };
            }
            done.push(*transfer);
        }
        Verdict::Done
    }

    /// Everything that is against one more transfer.
    fn against(&self, done: &[Transfer], transfer: &Transfer, now: u64) -> Vec<Refusal> {
        let mut why = Vec::new();
        let (debit, credit, amount, refunded) = match transfer.movement {
            Movement::Posted { debit, credit, amount, refunds } => (debit, credit, amount, refunds),
            Movement::Pending { debit, credit, amount, expires_ms, refunds } => {
                if expires_ms.is_some_and(|end| end <= now) {
                    why.push(Refusal::PendingExpired);
                }
                (debit, credit, amount, refunds)
            }
            Movement::Post { pending, .. } | Movement::Void { pending } => {
                return against_end(done, pending, transfer, now);
            }
        };
        let (from, to) = (self.accounts.get(&debit), self.accounts.get(&credit));
        if from.is_none() {
            why.push(Refusal::UnknownAccount(Side::Debit));
        }
        if to.is_none() {
            why.push(Refusal::UnknownAccount(Side::Credit));
        }
        if let (Some(from), Some(to)) = (from, to) {
            if from.asset != to.asset {
                why.push(Refusal::AssetsDiffer);
            }
            if from.freeze != Freeze::None {
                why.push(Refusal::Frozen(Side::Debit));
            }
            if to.freeze == Freeze::All {
                why.push(Refusal::Frozen(Side::Credit));
            }
            let amount = i128::from(amount);
            let (has, gets) = (sums(done, debit), sums(done, credit));
            let left =
                has.credits_posted as i128 - has.debits_posted as i128 - has.debits_pending as i128 - amount;
            let grown = gets.credits_posted as i128 - gets.debits_posted as i128
                + gets.credits_pending as i128
                + amount;
            if from.bounds.floor.is_some_and(|floor| left < floor) {
                why.push(Refusal::Floor);
            }
            if to.bounds.cap.is_some_and(|cap| grown > cap) {
                why.push(Refusal::Cap);
            }
        }
        if let Some(original) = refunded {
            why.extend(against_refund(done, original, debit, credit, amount));
        }
        why
    }
}

fn is_room(bounds: &Bounds) -> bool {
    bounds.floor.unwrap_or(i128::MIN) <= bounds.cap.unwrap_or(i128::MAX)
}

fn is_malformed(transfer: &Transfer) -> bool {
    match transfer.movement {
        Movement::Posted { debit, credit, amount, .. } | Movement::Pending { debit, credit, amount, .. } => {
            amount == 0 || debit == credit
        }
        Movement::Post { amount, .. } => amount == 0,
        Movement::Void { .. } => false,
    }
}

fn expiry(pending: TransferId) -> Vec<Transfer> {
    let movement = Movement::Void { pending };
    vec![Transfer { id: TransferId::of_expiry(pending), movement, purpose: Purpose::Expiry, about: [0; 16] }]
}

fn find(done: &[Transfer], id: TransferId) -> Option<&Transfer> {
    done.iter().find(|transfer| transfer.id == id)
}

/// How a pending transfer ended: how much of it moved.
fn end(done: &[Transfer], pending: TransferId) -> Option<u64> {
    done.iter().find_map(|transfer| match transfer.movement {
        Movement::Post { pending: of, amount } if of == pending => Some(amount),
        Movement::Void { pending: of } if of == pending => Some(0),
        _ => None,
    })
}

fn sums(done: &[Transfer], id: AccountId) -> Balances {
    let mut sums = Balances::default();
    for transfer in done {
        let (debit, credit, posted, held) = match transfer.movement {
            Movement::Posted { debit, credit, amount, .. } => (debit, credit, amount, 0),
            Movement::Pending { debit, credit, amount, .. } => match end(done, transfer.id) {
                Some(posted) => (debit, credit, posted, 0),
                None => (debit, credit, 0, amount),
            },
            _ => continue,
        };
        if debit == id {
            sums.debits_posted += u128::from(posted);
            sums.debits_pending += u128::from(held);
        }
        if credit == id {
            sums.credits_posted += u128::from(posted);
            sums.credits_pending += u128::from(held);
        }
    }
    sums
}

fn refunds(done: &[Transfer], original: TransferId) -> u128 {
    let of = |transfer: &Transfer| match transfer.movement {
        Movement::Posted { amount, refunds: Some(of), .. } if of == original => amount,
        Movement::Pending { amount, refunds: Some(of), .. } if of == original => {
            end(done, transfer.id).unwrap_or(amount)
        }
        _ => 0,
    };
    done.iter().map(|transfer| u128::from(of(transfer))).sum()
}

fn against_end(done: &[Transfer], pending: TransferId, transfer: &Transfer, now: u64) -> Vec<Refusal> {
    let Some(held) = find(done, pending) else { return vec![Refusal::UnknownPending] };
    let Movement::Pending { amount: most, expires_ms, .. } = held.movement else {
        return vec![Refusal::NotPending];
    };
    let mut why = Vec::new();
    match end(done, pending) {
        Some(0) => why.push(Refusal::AlreadyVoided),
        Some(_) => why.push(Refusal::AlreadyPosted),
        None => {}
    }
    if let Movement::Post { amount, .. } = transfer.movement {
        if amount > most {
            why.push(Refusal::AbovePending);
        }
        if expires_ms.is_some_and(|end| end <= now) {
            why.push(Refusal::PendingExpired);
        }
    }
    why
}

fn against_refund(
    done: &[Transfer],
    original: TransferId,
    debit: AccountId,
    credit: AccountId,
    amount: u64,
) -> Vec<Refusal> {
    let Some(paid) = find(done, original) else {
        // A refused one is known, but moved nothing.
        return vec![Refusal::UnknownOriginal, Refusal::NothingToRefund];
    };
    let (from, to, most) = match paid.movement {
        Movement::Posted { debit, credit, amount, .. } => (debit, credit, amount),
        Movement::Post { pending, amount } => match find(done, pending).map(|held| held.movement) {
            Some(Movement::Pending { debit, credit, .. }) => (debit, credit, amount),
            _ => return vec![Refusal::NothingToRefund],
        },
        Movement::Pending { .. } | Movement::Void { .. } => return vec![Refusal::NothingToRefund],
    };
    // What was held for a while goes back to whoever paid it in.
    let funded = match paid.purpose {
        Purpose::EscrowRelease => find(done, TransferId(paid.about)),
        _ => None,
    };
    let from = match funded.map(|funded| funded.movement) {
        Some(Movement::Posted { debit, credit, .. }) if credit == from => debit,
        Some(Movement::Post { pending, .. }) => match find(done, pending).map(|held| held.movement) {
            Some(Movement::Pending { debit, credit, .. }) if credit == from => debit,
            _ => from,
        },
        _ => from,
    };
    let mut why = Vec::new();
    if (from, to) != (credit, debit) {
        why.push(Refusal::OtherWay);
    }
    if refunds(done, original) + u128::from(amount) > u128::from(most) {
        why.push(Refusal::AboveOriginal);
    }
    why
}
