//! Operators settle what their nodes owe each other, and read the statement of it.

use super::{
    federated_tests::key,
    link_tests::{AWAY, HOME, HOUR_MS, Pair},
};
use crate::wallet::{LinkTrouble, WalletError};
use std::sync::Arc;
use weft_ledger::link::{Body, Message};
use weft_wire::{
    Blob, Code, Problem, Signed, TransferId,
    links::{
        DecideSettlement, LinkStatement, ProposeSettlement, SettlementRow, SettlementState, StatementKind,
    },
    wallet::Intent,
};

const ID: TransferId = TransferId([9; 16]);

fn wish(id: TransferId, amount: &str) -> ProposeSettlement {
    let note = "transfer of 2026-11-20, RF18 5390 0754 7034".to_owned();
    ProposeSettlement { id, asset: "EUR".parse().unwrap(), amount: amount.into(), against: None, note }
}

fn code<T: std::fmt::Debug>(result: Result<T, WalletError>) -> Code {
    Problem::from(result.unwrap_err()).code
}

impl Pair {
    async fn propose(&self, at: usize, wish: ProposeSettlement) -> Result<(), WalletError> {
        self.worlds[at].service.wallet().propose_settlement(&self.worlds[1 - at].name, wish).await
    }

    async fn decide(&self, at: usize, id: TransferId, seen: Option<&str>) -> Result<(), WalletError> {
        let wish = DecideSettlement { accept: seen.is_some(), amount: seen.unwrap_or_default().into() };
        self.worlds[at].service.wallet().decide_settlement(&self.worlds[1 - at].name, id, wish).await
    }

    async fn settled(&self, at: usize) -> SettlementRow {
        let wallet = self.worlds[at].service.wallet();
        wallet.settlements(&self.worlds[1 - at].name).await.unwrap().settlements.remove(0)
    }

    async fn owed(&self) -> [String; 2] {
        [self.row(HOME).await.owed[0].owed.clone(), self.row(AWAY).await.owed[0].owed.clone()]
    }

    async fn told(&self, at: usize, from_ms: u64, until_ms: u64) -> LinkStatement {
        let wallet = self.worlds[at].service.wallet();
        wallet.link_account(&self.worlds[1 - at].name, from_ms, until_ms).await.unwrap()
    }
}

/// Bob's node has 30 euros with alice's.
async fn owing() -> Pair {
    let mut pair = Pair::new().await;
    pair.pay(HOME, 3_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair
}

#[tokio::test]
async fn what_was_paid_by_bank_is_owed_no_more_once_the_other_operator_says_so() {
    let pair = owing().await;
    pair.propose(HOME, wish(ID, "12.50")).await.unwrap();
    pair.propose(HOME, wish(ID, "12.50")).await.unwrap();
    assert!(matches!(pair.propose(HOME, wish(ID, "12.51")).await, Err(WalletError::IdConflict)));
    pair.carry().await;
    // A lie moves nothing, nor does silence.
    assert_eq!(pair.owed().await, ["30.00", "30.00"]);
    let seen = pair.settled(AWAY).await;
    assert_eq!((seen.ours, seen.amount.as_str(), seen.state), (false, "12.50", SettlementState::Waiting));
    assert_eq!(seen.note, "transfer of 2026-11-20, RF18 5390 0754 7034");
    assert_eq!(code(pair.decide(AWAY, ID, Some("12.49")).await), Code::InvalidField);
    assert_eq!(code(pair.decide(AWAY, TransferId([8; 16]), Some("12.50")).await), Code::NotFound);
    assert_eq!(code(pair.decide(HOME, ID, Some("12.50")).await), Code::NotFound, "not by who proposed it");
    assert_eq!(pair.owed().await, ["30.00", "30.00"]);
    pair.decide(AWAY, ID, Some("12.50")).await.unwrap();
    pair.decide(AWAY, ID, Some("12.50")).await.unwrap();
    assert!(matches!(pair.decide(AWAY, ID, None).await, Err(WalletError::AlreadyDecided)));
    pair.carry().await;
    assert_eq!(pair.owed().await, ["17.50", "17.50"]);
    for at in [HOME, AWAY] {
        assert_eq!(pair.settled(at).await.state, SettlementState::Done);
    }
    let positions =
        [pair.row(HOME).await.owed[0].position.clone(), pair.row(AWAY).await.owed[0].position.clone()];
    assert_eq!(positions, ["12.50", "-12.50"], "what people have is untouched: the nodes stand in");
    assert_eq!((pair.has(HOME).await.0, pair.has(AWAY).await.0), (7_000, 3_000));
    pair.is_sound().await;
}

#[tokio::test]
async fn what_is_not_so_or_more_than_is_owed_is_not_settled() {
    let pair = owing().await;
    let over = pair.propose(HOME, wish(ID, "30.01")).await;
    assert!(matches!(over, Err(WalletError::Link(LinkTrouble::NotOwed))), "{over:?}");
    for (bad, field) in [("0", Code::InvalidField), ("-1", Code::InvalidField), ("1.234", Code::InvalidField)]
    {
        assert_eq!(code(pair.propose(HOME, wish(TransferId([8; 16]), bad)).await), field, "{bad}");
    }
    let silent = ProposeSettlement { note: " ".into(), ..wish(TransferId([8; 16]), "1.00") };
    assert_eq!(code(pair.propose(HOME, silent).await), Code::InvalidField);
    let long = ProposeSettlement { note: "n".repeat(513), ..wish(TransferId([8; 16]), "1.00") };
    assert_eq!(code(pair.propose(HOME, long).await), Code::TooLarge);
    // Bob's node owes nothing of its own.
    assert_eq!(code(pair.propose(AWAY, wish(TransferId([8; 16]), "1.00")).await), Code::NotFound);
    let second = TransferId([10; 16]);
    pair.propose(HOME, wish(second, "30.00")).await.unwrap();
    pair.carry().await;
    // What is proposed cannot be paid back or settled a second time meanwhile.
    let more = pair.propose(HOME, wish(TransferId([11; 16]), "0.01")).await;
    assert!(matches!(more, Err(WalletError::Link(LinkTrouble::NotOwed))), "{more:?}");
    pair.decide(AWAY, second, None).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.owed().await, ["30.00", "30.00"]);
    let told = pair.settled(HOME).await;
    assert_eq!(told.state, SettlementState::Rejected);
    assert_eq!(told.why.as_deref(), Some("the other operator says that it is not so"));
    // One that nobody decides ends by itself.
    let third = TransferId([12; 16]);
    pair.propose(HOME, wish(third, "30.00")).await.unwrap();
    pair.carry().await;
    pair.worlds.iter().for_each(|world| world.clock.advance(15 * 24 * HOUR_MS));
    assert!(matches!(pair.decide(AWAY, third, Some("30.00")).await, Err(WalletError::AlreadyDecided)));
    assert_eq!(pair.worlds[AWAY].service.wallet().expire().await.unwrap(), 1);
    pair.carry().await;
    assert_eq!(
        (pair.settled(HOME).await.state, pair.owed().await),
        (SettlementState::Rejected, ["30.00", "30.00"].map(String::from))
    );
    pair.is_sound().await;
}

#[tokio::test]
async fn a_node_that_confirms_what_was_never_proposed_or_another_amount_stops_the_link() {
    for lie in 0..2 {
        let pair = owing().await;
        pair.propose(HOME, wish(ID, "5.00")).await.unwrap();
        pair.carry().await;
        pair.decide(AWAY, ID, Some("5.00")).await.unwrap();
        let wallet = pair.worlds[AWAY].service.wallet();
        let mut said = wallet.say(&pair.worlds[HOME].name, false).await.unwrap().post;
        let mut message: Message = said.messages[0].peek().unwrap();
        let Body::Fulfil { payment, given, got } = &mut message.body else { panic!("not what was expected") };
        match lie {
            0 => *payment = TransferId([77; 16]),
            _ => (given.amount, got.amount) = (3_000, 3_000),
        }
        said.messages = vec![Signed::sign(&message, &pair.worlds[AWAY].key)];
        let bytes = Blob(weft_wire::encode(&said));
        pair.worlds[HOME].service.flows().answer_link(&pair.worlds[AWAY].name, &bytes).await.unwrap();
        assert!(pair.row(HOME).await.frozen.is_some());
        assert_eq!(pair.owed().await[HOME], "30.00");
        assert_eq!(code(pair.propose(HOME, wish(TransferId([8; 16]), "1.00")).await), Code::LinkFrozen);
    }
}

#[tokio::test]
async fn the_statement_of_a_link_adds_up_and_both_nodes_have_the_same() {
    let mut pair = owing().await;
    let noon = crate::Clock::now_ms(&*pair.worlds[HOME].clock) + HOUR_MS;
    pair.worlds.iter().for_each(|world| world.clock.advance(2 * HOUR_MS));
    let paid = pair.pay(HOME, 1_000, Intent::Transfer).await.unwrap();
    pair.carry().await;
    let wallet = pair.worlds[AWAY].service.wallet();
    let answer = weft_wire::wallet::Answer::Accept;
    wallet.answer(pair.people[AWAY].device.caller(), paid.transfer, answer).await.unwrap();
    pair.pay(AWAY, 250, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.propose(HOME, wish(ID, "20.00")).await.unwrap();
    pair.carry().await;
    pair.decide(AWAY, ID, Some("20.00")).await.unwrap();
    pair.carry().await;
    let evening = crate::Clock::now_ms(&*pair.worlds[HOME].clock) + HOUR_MS;
    pair.worlds.iter().for_each(|world| world.clock.advance(2 * HOUR_MS));
    pair.pay(HOME, 77, Intent::Payment).await.unwrap();
    pair.carry().await;
    for at in [HOME, AWAY] {
        let part = pair.told(at, noon, evening).await.assets.remove(0);
        assert_eq!((part.opening.as_str(), part.closing.as_str(), part.whole), ("30.00", "17.50", true));
        let lines: Vec<_> = part
            .lines
            .iter()
            .map(|line| (line.kind, line.more, line.amount.as_str(), line.owed.as_str()))
            .collect();
        let expected = [
            (StatementKind::Payment, true, "10.00", "40.00"),
            (StatementKind::Payment, false, "2.50", "37.50"),
            (StatementKind::Settlement, false, "20.00", "17.50"),
        ];
        assert_eq!(lines, expected);
        assert!(part.lines[0].text.starts_with("alice@") && part.lines[2].text.contains("RF18"));
        let sums: Vec<_> =
            part.sums.iter().map(|sum| (sum.count, sum.more.as_str(), sum.less.as_str())).collect();
        assert_eq!(sums, [(2, "10.00", "2.50"), (1, "0.00", "20.00")]);
        let all = pair.told(at, 0, u64::MAX).await.assets.remove(0);
        assert_eq!((all.opening.as_str(), all.closing.as_str(), all.lines.len()), ("0.00", "18.27", 5));
    }
    let wallet = pair.worlds[HOME].service.wallet();
    assert_eq!(code(wallet.link_account(&pair.worlds[AWAY].name, 5, 5).await), Code::InvalidField);
    let stranger = "far.example".parse().unwrap();
    assert_eq!(code(wallet.link_account(&stranger, 0, 5).await), Code::NoLink);
    assert_eq!(code(wallet.settlements(&stranger).await), Code::NoLink);
    pair.is_sound().await;
}

#[tokio::test]
async fn a_settlement_that_a_node_from_a_backup_has_forgotten_counts_once_both_have_looked() {
    let mut pair = owing().await;
    let backup = pair.worlds[AWAY].backed_up().await;
    pair.propose(HOME, wish(ID, "12.50")).await.unwrap();
    pair.carry().await;
    pair.decide(AWAY, ID, Some("12.50")).await.unwrap();
    pair.carry().await;
    let federation = backup.service.federation();
    federation.connect(pair.net.end(key(&backup)), pair.net.clone());
    pair.net.state.lock().handlers.insert(key(&backup), Arc::new(federation.clone()));
    pair.worlds[AWAY] = backup;
    assert_eq!(pair.owed().await, ["17.50", "30.00"]);
    pair.carry().await;
    for at in [HOME, AWAY] {
        assert!(pair.row(at).await.frozen.is_some());
    }
    let flows = [HOME, AWAY].map(|at| pair.worlds[at].service.flows().clone());
    let names = [HOME, AWAY].map(|at| pair.worlds[at].name.clone());
    let seen = flows[HOME].thaw_link(&names[AWAY], 0, None).await.unwrap();
    flows[HOME].thaw_link(&names[AWAY], 0, Some(&seen.digest)).await.unwrap();
    assert!(flows[AWAY].thaw_link(&names[HOME], 0, Some(&seen.digest)).await.unwrap().done);
    pair.carry().await;
    assert_eq!(pair.owed().await, ["17.50", "17.50"]);
    let told = pair.told(AWAY, 0, u64::MAX).await.assets.remove(0);
    let last = told.lines.last().unwrap();
    assert_eq!((last.kind, last.more, last.amount.as_str()), (StatementKind::Correction, false, "12.50"));
    for world in &pair.worlds {
        let report = crate::wallet::check_ledger(&world.store).await.unwrap();
        assert!(report.findings.is_empty(), "{}: {report:#?}", world.name);
    }
}
