//! Histories at random, against a model that keeps nothing but what was asked for and works everything out anew each time.

use crate::model::{Model, Verdict};
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use std::{cell::RefCell, collections::BTreeMap};
use weft_ledger::{
    Account, AccountKind, Books, Bounds, Event, Freeze, Hold, LedgerError, Memory, Movement, Outcome,
    Purpose, Refusal, Transfer, apply,
};
use weft_wire::{AccountId, AssetId, TransferId};

/// Few of everything, so that histories meet the same account, id and time again and again.
const ACCOUNTS: u8 = 7;
const IDS: u8 = 20;

fn account_id() -> impl Strategy<Value = AccountId> {
    // The last one does not exist.
    (0..=ACCOUNTS).prop_map(|n| AccountId([n; 16]))
}

fn transfer_id() -> impl Strategy<Value = TransferId> {
    (0..IDS).prop_map(|n| TransferId([n; 16]))
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 1..30_u64, 1 => Just(0), 1 => Just(u64::MAX)]
}

fn movement() -> impl Strategy<Value = Movement> {
    let refunds = || prop::option::weighted(0.25, transfer_id());
    let expires = prop::option::of(0..40_u64);
    prop_oneof![
        4 => (account_id(), account_id(), amount(), refunds())
            .prop_map(|(debit, credit, amount, refunds)| Movement::Posted { debit, credit, amount, refunds }),
        3 => (account_id(), account_id(), amount(), expires, refunds()).prop_map(
            |(debit, credit, amount, expires_ms, refunds)| Movement::Pending { debit, credit, amount, expires_ms, refunds }
        ),
        2 => (transfer_id(), amount()).prop_map(|(pending, amount)| Movement::Post { pending, amount }),
        1 => transfer_id().prop_map(|pending| Movement::Void { pending }),
    ]
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let release = prop::option::weighted(0.2, transfer_id());
    (transfer_id(), movement(), release).prop_map(|(id, movement, release)| Transfer {
        id,
        movement,
        purpose: if release.is_some() { Purpose::EscrowRelease } else { Purpose::Transfer },
        about: release.map_or([0; 16], |funded| funded.0),
    })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let bound = || prop::option::weighted(0.7, -40..60_i128);
    (bound(), bound()).prop_map(|(floor, cap)| Bounds { floor, cap })
}

/// What is asked for.
#[derive(Debug, Clone)]
enum Ask {
    /// Something that makes sense, mostly.
    Steps(Vec<Step>),
    /// Anything.
    Wild(Event),
    Change(Index, Bounds, Freeze),
    Expire(Index),
    /// What was asked for before, as a client does that heard no answer.
    Again(Index),
}

/// One transfer, with what it refers to still open.
#[derive(Debug, Clone)]
enum Step {
    Pay { asset: bool, from: Index, to: Index, amount: u64, hold: Option<Option<u64>> },
    End { which: Index, amount: Option<u64> },
    Refund { which: Index, amount: u64, hold: Option<Option<u64>> },
}

fn step() -> impl Strategy<Value = Step> {
    let hold = || prop::option::weighted(0.4, prop::option::of(0..60_u64));
    let index = any::<Index>;
    prop_oneof![
        4 => (any::<bool>(), index(), index(), amount(), hold())
            .prop_map(|(asset, from, to, amount, hold)| Step::Pay { asset, from, to, amount, hold }),
        2 => (index(), prop::option::weighted(0.6, amount())).prop_map(|(which, amount)| Step::End { which, amount }),
        2 => (index(), amount(), hold()).prop_map(|(which, amount, hold)| Step::Refund { which, amount, hold }),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let freeze = prop_oneof![3 => Just(Freeze::None), 1 => Just(Freeze::Debits), 1 => Just(Freeze::All)];
    let wild = prop_oneof![
        3 => prop::collection::vec(transfer(), 1..4).prop_map(Event::Chain),
        1 => (account_id(), bounds(), Just(Freeze::None))
            .prop_map(|(id, bounds, freeze)| Event::Change { id, bounds, freeze }),
        1 => transfer_id().prop_map(Event::Expire),
    ];
    prop_oneof![
        12 => step().prop_map(|step| Ask::Steps(vec![step])),
        4 => prop::collection::vec(step(), 2..5).prop_map(Ask::Steps),
        4 => wild.prop_map(Ask::Wild),
        1 => (any::<Index>(), bounds(), freeze).prop_map(|(which, bounds, freeze)| Ask::Change(which, bounds, freeze)),
        2 => any::<Index>().prop_map(Ask::Expire),
        3 => any::<Index>().prop_map(Ask::Again),
    ]
}

/// Six accounts in two assets, one of each with nothing below it.
fn opening() -> Vec<Event> {
    let kinds = [
        AccountKind::Issuance,
        AccountKind::User,
        AccountKind::Envelope,
        AccountKind::Merchant,
        AccountKind::Issuance,
        AccountKind::User,
        AccountKind::Nostro,
    ];
    let open = |(n, kind): (usize, AccountKind)| {
        let asset = AssetId([u8::from(n >= 4); 16]);
        Event::Open { id: AccountId([n as u8; 16]), asset, kind, bounds: kind.bounds() }
    };
    let mut events: Vec<Event> = kinds.into_iter().enumerate().map(open).collect();
    for (n, (from, to)) in [(0, 1), (0, 2), (0, 3), (4, 5)].into_iter().enumerate() {
        let (debit, credit) = (AccountId([from; 16]), AccountId([to; 16]));
        let movement = Movement::Posted { debit, credit, amount: 60, refunds: None };
        let transfer =
            Transfer { id: TransferId([n as u8; 16]), movement, purpose: Purpose::Issue, about: [0; 16] };
        events.push(Event::Chain(vec![transfer]));
    }
    events
}

/// A ledger, the model of it, and its log.
#[derive(Default)]
struct Run {
    books: Memory,
    model: Model,
    log: Vec<(Event, u64)>,
    seen: BTreeMap<String, u32>,
    ids: u8,
}

impl Run {
    /// What an ask means now. `None` if it refers to what there is none of.
    fn resolve(&mut self, ask: Ask, asked: &[Event]) -> Option<Event> {
        let choose = |which: Index, of: Vec<TransferId>| (!of.is_empty()).then(|| *which.get(&of));
        Some(match ask {
            Ask::Wild(event) => event,
            Ask::Again(which) if !asked.is_empty() => which.get(asked).clone(),
            Ask::Again(_) => return None,
            Ask::Change(which, bounds, freeze) => Event::Change {
                id: AccountId([which.index(usize::from(ACCOUNTS)) as u8; 16]),
                bounds,
                freeze,
            },
            Ask::Expire(which) => Event::Expire(choose(which, self.model.pending())?),
            Ask::Steps(steps) => {
                let chain: Option<Vec<Transfer>> =
                    steps.into_iter().map(|step| self.transfer(step)).collect();
                Event::Chain(chain?)
            }
        })
    }

    fn transfer(&mut self, step: Step) -> Option<Transfer> {
        let choose = |which: Index, of: Vec<TransferId>| (!of.is_empty()).then(|| *which.get(&of));
        let new = |debit, credit, amount, hold, refunds| match hold {
            None => Movement::Posted { debit, credit, amount, refunds },
            Some(expires_ms) => Movement::Pending { debit, credit, amount, expires_ms, refunds },
        };
        let movement = match step {
            Step::Pay { asset, from, to, amount, hold } => {
                let of: &[u8] = if asset { &[0, 1, 2, 3] } else { &[4, 5, 6] };
                new(AccountId([*from.get(of); 16]), AccountId([*to.get(of); 16]), amount, hold, None)
            }
            Step::End { which, amount } => match (choose(which, self.model.pending())?, amount) {
                (pending, Some(amount)) => Movement::Post { pending, amount },
                (pending, None) => Movement::Void { pending },
            },
            Step::Refund { which, amount, hold } => {
                let mut of = self.model.done();
                if self.ids.is_multiple_of(4) {
                    let held = |id: &TransferId| {
                        self.books.entry(*id).unwrap().and_then(|entry| self.held(entry.transfer)).is_some()
                    };
                    let released: Vec<_> = of.iter().copied().filter(held).collect();
                    of = if released.is_empty() { of } else { released };
                }
                let original = choose(which, of)?;
                let entry = self.books.entry(original).unwrap()?;
                let (moved, held) = (entry.moved?, self.held(entry.transfer));
                new(moved.credit, held.unwrap_or(moved).debit, amount, hold, Some(original))
            }
        };
        self.ids += 1;
        let id = TransferId([IDS + self.ids; 16]);
        let transfer = Transfer { id, movement, purpose: Purpose::Transfer, about: [0; 16] };
        // Now and then it pays on what was held for somebody.
        let funded = self.model.done().into_iter().rev().find(|funded| {
            let about = funded.0;
            self.held(Transfer { purpose: Purpose::EscrowRelease, about, ..transfer }).is_some()
        });
        Some(match funded.filter(|_| self.ids.is_multiple_of(2)) {
            Some(funded) => Transfer { purpose: Purpose::EscrowRelease, about: funded.0, ..transfer },
            None => transfer,
        })
    }

    /// What was paid in and is paid on by this, if that is so.
    fn held(&self, paid: Transfer) -> Option<Hold> {
        let (Movement::Posted { debit, .. }, Purpose::EscrowRelease) = (paid.movement, paid.purpose) else {
            return None;
        };
        let funded = self.books.entry(TransferId(paid.about)).unwrap()?;
        funded.moved.filter(|held| funded.is_posted() && held.credit == debit)
    }

    fn step(&mut self, event: &Event, now: u64) -> Result<(), TestCaseError> {
        let before = (self.books.to_bytes(), self.books.newest().unwrap());
        let verdict = self.model.judge(event, now);
        let outcome = apply(&mut self.books, event, now);
        match (&verdict, &outcome) {
            (Verdict::Done, Ok(())) | (Verdict::Malformed, Err(LedgerError::Malformed(_))) => {}
            (Verdict::IdConflict, Err(LedgerError::IdConflict)) => {}
            (Verdict::UnknownAccount, Err(LedgerError::UnknownAccount)) => {}
            (
                Verdict::Refused { at, why, replayed },
                Err(LedgerError::Refused { at: own, refusal, replayed: was }),
            ) => {
                prop_assert_eq!(at, own);
                prop_assert_eq!(replayed, was);
                prop_assert!(why.contains(refusal), "{:?} is none of {:?}", refusal, why);
            }
            _ => prop_assert!(false, "{event:?}: the model says {verdict:?}, the ledger {outcome:?}"),
        }
        self.see(event, &outcome, self.books.newest().unwrap() == before.1);
        match self.books.newest().unwrap() - before.1 {
            0 => prop_assert_eq!(&before.0, &self.books.to_bytes(), "what is no event changes nothing"),
            1 => self.log.push((event.clone(), now)),
            more => prop_assert!(false, "{} events at once", more),
        }
        self.model.note(event, now, &outcome);
        self.check()
    }

    fn see(
        &mut self,
        event: &Event,
        outcome: &Result<(), LedgerError<std::convert::Infallible>>,
        again: bool,
    ) {
        let mut see = |what: String| *self.seen.entry(what).or_insert(0) += 1;
        match (event, outcome) {
            (Event::Chain(_), Ok(())) if again => see("again".into()),
            (Event::Chain(chain), Ok(())) => chain.iter().for_each(|transfer| {
                see(done(transfer.movement));
                if let Movement::Posted { refunds: Some(original), credit, .. } = transfer.movement
                    && self.books.entry(original).unwrap().unwrap().moved.unwrap().debit != credit
                {
                    see("Back to whoever had it held".into());
                }
            }),
            (Event::Expire(_), Ok(())) => see("Expire done".into()),
            (_, Err(LedgerError::Refused { refusal, .. })) => see(format!("{refusal:?}")),
            (_, Err(error)) => see(format!("{error:?}")),
            (_, Ok(())) => {}
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for account in self.books.accounts() {
            prop_assert_eq!(account.balances, self.model.balances(account.id), "{:?}", account);
        }
        for asset in [AssetId([0; 16]), AssetId([1; 16])] {
            let of = || {
                self.books.accounts().filter(|account| account.asset == asset).map(|account| account.balances)
            };
            prop_assert_eq!(
                of().map(|b| b.debits_posted).sum::<u128>(),
                of().map(|b| b.credits_posted).sum()
            );
            prop_assert_eq!(
                of().map(|b| b.debits_pending).sum::<u128>(),
                of().map(|b| b.credits_pending).sum()
            );
        }
        for entry in self.books.entries() {
            let id = entry.transfer.id;
            let chain: Vec<_> = self.books.entries().filter(|other| other.chain == entry.chain).collect();
            prop_assert_eq!(chain.len(), usize::from(entry.chain_len));
            prop_assert!(
                chain.iter().all(|other| other.outcome == entry.outcome && other.number == entry.number)
            );
            let done = || self.books.entries().filter(|other| other.outcome == Outcome::Done);
            let ends = done().filter(|other| {
                matches!(other.transfer.movement, Movement::Post { pending, .. } | Movement::Void { pending } if pending == id)
            });
            prop_assert!(ends.count() <= 1, "a pending transfer ends once");
            if entry.outcome == Outcome::Done {
                let paid = u128::from(entry.moved.unwrap().amount);
                prop_assert!(self.model.refunds(id) <= paid, "refunds are no more than what was paid");
            }
        }
        Ok(())
    }
}

fn done(movement: Movement) -> String {
    let what = match movement {
        Movement::Posted { refunds: None, .. } => "Posted",
        Movement::Posted { .. } => "Posted back",
        Movement::Pending { refunds: None, .. } => "Pending",
        Movement::Pending { .. } => "Pending back",
        Movement::Post { .. } => "Post",
        Movement::Void { .. } => "Void",
    };
    format!("{what} done")
}

/// How far below its floor, or above its cap, an account is: that never grows.
fn outside(account: &Account) -> (i128, i128) {
    let (floor, cap) = (account.bounds.floor.unwrap_or(i128::MIN), account.bounds.cap.unwrap_or(i128::MAX));
    let below = floor.saturating_sub(account.balances.lowest()).max(0);
    (below, account.balances.highest().saturating_sub(cap).max(0))
}

#[test]
fn no_history_breaks_the_rules() {
    let config = ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() };
    let seen = RefCell::new(BTreeMap::new());
    let histories = prop::collection::vec((ask(), 0..3_u64), 1..40);
    let outcome = TestRunner::new(config).run(&histories, |asks| {
        let run = live(asks)?;
        replay(&run)?;
        let mut seen = seen.borrow_mut();
        run.seen.into_iter().for_each(|(what, times)| *seen.entry(what).or_insert(0) += times);
        Ok(())
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
    // Histories in which little happens would show little.
    let seen = seen.into_inner();
    for what in EXPECTED {
        let times = seen.iter().filter(|(is, _)| is.starts_with(what)).map(|(_, times)| times).sum::<u32>();
        assert!(times >= 100, "{what}: only {times} times in {seen:#?}");
    }
}

/// What a fair sample of histories has in it.
const EXPECTED: &[&str] = &[
    "Posted done",
    "Posted back done",
    "Pending done",
    "Pending back done",
    "Post done",
    "Void done",
    "Expire done",
    "again",
    "IdConflict",
    "Malformed",
    "UnknownAccount(Debit)",
    "UnknownAccount(Credit)",
    "AssetsDiffer",
    "Frozen(Debit)",
    "Frozen(Credit)",
    "Floor",
    "Cap",
    "UnknownPending",
    "NotPending",
    "AlreadyPosted",
    "AlreadyVoided",
    "PendingExpired",
    "NotDue",
    "AbovePending",
    "UnknownOriginal",
    "NothingToRefund",
    "OtherWay",
    "AboveOriginal",
    "Back to whoever had it held",
];

fn live(asks: Vec<(Ask, u64)>) -> Result<Run, TestCaseError> {
    let (mut run, mut now) = (Run::default(), 0);
    for event in opening() {
        run.step(&event, now)?;
    }
    let mut asked: Vec<Event> = Vec::new();
    for (ask, step) in asks {
        now += step;
        let Some(event) = run.resolve(ask, &asked) else { continue };
        let before: Vec<Account> = run.books.accounts().cloned().collect();
        run.step(&event, now)?;
        if !matches!(event, Event::Change { .. }) {
            for was in before {
                let is = run.books.account(was.id).unwrap().unwrap();
                prop_assert!(outside(&is).0 <= outside(&was).0, "below the floor: {:?} then {:?}", was, is);
                prop_assert!(outside(&is).1 <= outside(&was).1, "above the cap: {:?} then {:?}", was, is);
            }
        }
        asked.push(event);
    }
    Ok(run)
}

/// The log gives the same state, to the byte; and in the end nothing stays held back whose time was bounded.
fn replay(run: &Run) -> Result<(), TestCaseError> {
    let mut again = Memory::default();
    for (event, at) in &run.log {
        let _ = apply(&mut again, event, *at);
    }
    prop_assert_eq!(again.to_bytes(), run.books.to_bytes());
    for pending in again.due(u64::MAX).collect::<Vec<_>>() {
        prop_assert_eq!(apply(&mut again, &Event::Expire(pending), u64::MAX), Ok(()));
    }
    prop_assert_eq!(again.due(u64::MAX).count(), 0);
    Ok(())
}

#[test]
fn sums_end_where_their_differences_would() {
    let (from, to) = (AccountId([0; 16]), AccountId([1; 16]));
    let mut books = Memory::default();
    for id in [from, to] {
        let mut account = Account::new(id, AssetId([0; 16]), AccountKind::Equity);
        // As after more transfers than anybody can make.
        account.balances.debits_posted = i128::MAX as u128 - 5;
        account.balances.credits_posted = i128::MAX as u128 - 5;
        books.put_account(account);
    }
    let pay = |id: u8, amount| {
        let movement = Movement::Posted { debit: from, credit: to, amount, refunds: None };
        vec![Transfer { id: TransferId([id; 16]), movement, purpose: Purpose::Transfer, about: [0; 16] }]
    };
    assert_eq!(apply(&mut books, &Event::Chain(pay(1, 5)), 0), Ok(()));
    let full = LedgerError::Refused { at: 0, refusal: Refusal::Overflow, replayed: false };
    assert_eq!(apply(&mut books, &Event::Chain(pay(2, 1)), 0), Err(full));
}
