//! What an operator sees of a thaw with a node that lies about its books: nothing moves that is not named before it is signed.

use super::link_tests::{AWAY, HOME, HOUR_MS, Pair};
use crate::{
    testing::START_MS,
    wallet::{LinkTrouble, WalletError, check_ledger, guard_records::GuardChangeRecord, tests::Payer},
};
use weft_ledger::link::{Line, State, Statement, Sum, Thaw};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{Code, Problem, Signed, TransferId, admin::ThawRow, wallet::Intent};

impl Pair {
    /// The operator of [`HOME`] stops the link.
    async fn stop(&self) {
        let away = &self.worlds[AWAY].name;
        self.worlds[HOME].service.wallet().freeze_link(away).await.unwrap();
        self.carry().await;
    }

    /// What follows for the operator of [`HOME`] from what the other node says of its books since a time.
    async fn drawn(
        &self,
        (ours_ms, theirs_ms): (u64, u64),
        lie: impl FnOnce(&mut Statement),
    ) -> Result<ThawRow, WalletError> {
        let [home, away] = &self.worlds;
        let said = away.service.wallet().frozen_statement(&home.name, theirs_ms).await.unwrap();
        let mut said = said.peek().unwrap();
        lie(&mut said);
        let (said, key) = (Signed::sign(&said, &away.key), away.key.verifying_key().to_bytes());
        let drawn = home.service.wallet().draw_thaw(&away.name, (&said, &key), ours_ms, None).await;
        drawn.map(|(row, _)| row)
    }

    /// Something that alice's node has never heard of.
    fn invented(&self, payer: usize, state: State) -> Line {
        Line {
            payment: TransferId([9; 16]),
            payer: self.worlds[payer].name.clone(),
            give: Some(Sum { asset: self.euro.id, amount: 1_000 }),
            settles: false,
            against: None,
            state,
            at_ms: START_MS,
            decided_ms: Some(START_MS),
        }
    }
}

fn has(row: &ThawRow, text: &str) -> bool {
    row.lines.iter().any(|line| line.contains(text))
}

#[tokio::test]
async fn what_waits_is_shown_with_its_people_and_its_amount() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 500, Intent::Transfer).await.unwrap();
    pair.carry().await;
    pair.stop().await;
    let (names, euro) =
        ([HOME, AWAY].map(|at| pair.people[at].user().to_string()), pair.euro.asset.to_string());
    let row = pair.drawn((0, 0), |_| ()).await.unwrap();
    let told = format!("5.00 {euro}, {} to {}, is Waiting here: it has not happened", names[0], names[1]);
    assert!(has(&row, &told), "{row:?}");
    assert!(has(&row, "0.00 owed in these books, 0.00 from then on"), "{row:?}");
    // Bob has it, as his node says: that is owed by the payment itself.
    let row = pair.drawn((0, 0), |theirs| {
        (theirs.lines[0].state, theirs.owed[0].net) = (State::Fulfilled, 500);
    });
    let row = row.await.unwrap();
    assert!(has(&row, "5.00 with what waits here and has happened, 5.00 from then on"), "{row:?}");
    assert!(!has(&row, "position") && !has(&row, "backup"), "{row:?}");
    // And not a hundred times as much.
    let more = pair.drawn((0, 0), |theirs| {
        let line = &mut theirs.lines[0];
        (line.state, line.give.as_mut().unwrap().amount) = (State::Fulfilled, 50_000);
        theirs.owed[0].net = 50_000;
    });
    let refused = more.await.unwrap_err().to_string();
    assert!(refused.contains("two amounts"), "{refused}");
}

#[tokio::test]
async fn what_another_node_invents_is_named_with_what_it_costs() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 5_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.stop().await;
    let euro = pair.euro.asset.to_string();
    let invented = pair.invented(HOME, State::Fulfilled);
    let row = pair.drawn((0, 0), |theirs| {
        theirs.lines.push(invented);
        theirs.owed[0].net += 1_000;
    });
    let row = row.await.unwrap();
    for told in [
        format!(
            "10.00 {euro}, somebody at {} to somebody at {}, is not known here: it has happened",
            pair.worlds[HOME].name, pair.worlds[AWAY].name
        ),
        format!(
            "the other node says that somebody here paid 10.00 {euro}; these books know nothing of it: agree only if \
            this node was restored from a backup"
        ),
        format!("{euro}: 50.00 owed in these books, 60.00 from then on"),
        format!("10.00 {euro} goes out of this node's own position"),
    ] {
        assert!(has(&row, &told), "{told}: {row:?}");
    }
    // A settlement to which nobody here has agreed.
    let settled = Line { settles: true, ..pair.invented(AWAY, State::Fulfilled) };
    let row = pair.drawn((0, 0), |theirs| {
        theirs.lines.push(settled);
        theirs.owed[0].net -= 1_000;
    });
    let row = row.await.unwrap();
    let told = format!(
        "the other node says that this one agreed to a settlement of 10.00 {euro}; these books know nothing"
    );
    assert!(has(&row, &told), "{row:?}");
    assert!(has(&row, &format!("10.00 {euro} comes into this node's own position")), "{row:?}");
    // That bob has given back what he has.
    let row = pair.drawn((0, 0), |theirs| {
        theirs.lines[0].state = State::Rejected(weft_ledger::link::Reason::Declined);
        theirs.owed[0].net -= 5_000;
    });
    let row = row.await.unwrap();
    assert!(has(&row, "is Fulfilled here: it has happened") && !has(&row, "backup"), "{row:?}");
}

#[tokio::test]
async fn what_was_decided_before_the_statements_begin_is_not_taken_for_unknown() {
    let mut pair = Pair::new().await;
    let paid = pair.pay(HOME, 500, Intent::Payment).await.unwrap().transfer;
    pair.carry().await;
    pair.worlds.iter().for_each(|world| world.clock.advance(2 * HOUR_MS));
    pair.stop().await;
    let since = START_MS + HOUR_MS;
    assert!(pair.drawn((since, since), |_| ()).await.is_ok(), "neither lists it");
    let refused = pair.drawn((since, 0), |theirs| theirs.owed[0].net += 500).await.unwrap_err();
    let WalletError::Link(LinkTrouble::Since { payment, at_ms }) = &refused else { panic!("{refused:?}") };
    assert_eq!((*payment, *at_ms), (paid, START_MS));
    assert!(refused.to_string().contains(&format!("--since {START_MS}")), "{refused}");
    assert_eq!(Problem::from(refused).code, Code::Conflict);
    assert!(pair.drawn((START_MS, 0), |_| ()).await.is_ok(), "as it says");
}

impl Pair {
    /// Both operators agree to what follows from what the other node of [`HOME`] makes up.
    async fn forced(&self, lie: impl Fn(&mut Statement)) -> Result<(), WalletError> {
        let signed = self.signed(lie).await?;
        self.done(&signed).await
    }

    /// The operator of [`HOME`] signs it.
    async fn signed(&self, lie: impl Fn(&mut Statement)) -> Result<Signed<Thaw>, WalletError> {
        let [home, away] = &self.worlds;
        let row = self.drawn((0, 0), &lie).await.unwrap();
        let said = away.service.wallet().frozen_statement(&home.name, 0).await.unwrap();
        let mut said = said.peek().unwrap();
        lie(&mut said);
        let (said, key) = (Signed::sign(&said, &away.key), away.key.verifying_key().to_bytes());
        let wallet = home.service.wallet();
        let drawn = wallet.draw_thaw(&away.name, (&said, &key), 0, Some(&row.digest)).await?;
        Ok(drawn.1.expect("it was named"))
    }

    /// The other one's as well.
    async fn done(&self, signed: &Signed<Thaw>) -> Result<(), WalletError> {
        let [home, away] = &self.worlds;
        let key = away.key.verifying_key().to_bytes();
        let theirs = Signed::sign(&signed.peek().unwrap(), &away.key);
        home.service.wallet().take_thaw(&away.name, &key, &theirs).await?;
        let report = check_ledger(&home.store).await.unwrap();
        assert!(report.findings.is_empty(), "{report:?}");
        Ok(())
    }

    /// What comes into the world of euros from now on needs carol.
    async fn guard_euros(&self) {
        let carol = Payer::new(&self.worlds[HOME], "carol", 3).await;
        carol.guard(&self.worlds[HOME], self.euro.id, 1_000_000).await;
    }
}

/// Alice has paid bob 50 euros, and the link stands still.
async fn stopped() -> Pair {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 5_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.stop().await;
    pair
}

/// The other node says that somebody here has paid ten euros more.
fn more(pair: &Pair) -> impl Fn(&mut Statement) + use<> {
    let invented = pair.invented(HOME, State::Fulfilled);
    move |theirs: &mut Statement| {
        theirs.lines.push(invented.clone());
        theirs.owed[0].net += 1_000;
    }
}

fn is_guarded(result: Result<impl Sized, WalletError>) -> bool {
    let error = result.err();
    matches!(&error, Some(WalletError::Link(LinkTrouble::Guarded(sum))) if sum.starts_with("10.00 EUR"))
}

#[tokio::test]
async fn a_thaw_brings_in_no_money_that_needs_a_second_person() {
    let pair = stopped().await;
    pair.guard_euros().await;
    let row = pair.drawn((0, 0), more(&pair)).await.unwrap();
    assert_eq!(
        row.guarded.as_deref().map(|sum| sum.starts_with("10.00 EUR")),
        Some(true),
        "the operator sees it before: {row:?}"
    );
    assert!(is_guarded(pair.signed(more(&pair)).await));
    assert_eq!(pair.row(HOME).await.owed[0].owed, "50.00");
    let refused = Problem::from(pair.signed(more(&pair)).await.err().unwrap());
    assert_eq!((refused.code, refused.field.as_deref()), (Code::Conflict, Some("guarded")));
    // What makes it less, and what changes nothing, asks nobody.
    let less = |theirs: &mut Statement| {
        theirs.lines[0].state = State::Rejected(weft_ledger::link::Reason::Declined);
        theirs.owed[0].net -= 5_000;
    };
    assert!(pair.signed(less).await.is_ok());
    pair.forced(|_| ()).await.unwrap();
    assert_eq!(pair.row(HOME).await.frozen, None);
    let report = check_ledger(&pair.worlds[HOME].store).await.unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
}

#[tokio::test]
async fn what_waits_and_has_happened_is_no_new_money() {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 500, Intent::Transfer).await.unwrap();
    pair.carry().await;
    pair.guard_euros().await;
    pair.stop().await;
    let signed = pair.signed(|theirs| {
        (theirs.lines[0].state, theirs.owed[0].net) = (State::Fulfilled, 500);
    });
    let signed = signed.await.unwrap();
    pair.done(&signed).await.unwrap();
    assert_eq!(pair.row(HOME).await.owed[0].owed, "5.00");
    let report = check_ledger(&pair.worlds[HOME].store).await.unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_threshold_that_was_set_after_the_operator_has_signed_counts() {
    let pair = stopped().await;
    let signed = pair.signed(more(&pair)).await.unwrap();
    pair.guard_euros().await;
    assert!(is_guarded(pair.done(&signed).await));
    assert!(pair.row(HOME).await.frozen.is_some());
    assert_eq!(pair.row(HOME).await.owed[0].owed, "50.00");
}

#[tokio::test]
async fn a_thaw_that_has_brought_in_what_needs_a_second_person_is_found() {
    let pair = stopped().await;
    pair.forced(more(&pair)).await.unwrap();
    assert_eq!(
        pair.row(HOME).await.owed[0].owed,
        "60.00",
        "without a threshold it is the operator's to know"
    );
    pair.guard_euros().await;
    let store = &pair.worlds[HOME].store;
    let report = check_ledger(store).await.unwrap();
    assert!(report.findings.is_empty(), "it was before: {report:?}");
    // Had there been a threshold from the beginning.
    for row in store.scan(tables::GUARD_LOG, Scan::prefix([])).await.unwrap() {
        let change = GuardChangeRecord::from_record(&row.value).unwrap();
        let earlier = GuardChangeRecord { event: 0, ..change }.to_record();
        store.commit(Batch::new().put(tables::GUARD_LOG, row.key, earlier)).await.unwrap();
    }
    let report = check_ledger(store).await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.contains("of a thaw with")), "{report:?}");
}
