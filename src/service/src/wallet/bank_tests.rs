//! The node's owner has an account at a bank; alice and bob pay into it, and want money out again.

use super::{
    WalletError,
    tests::{Till, refused},
};
use crate::{Fault, flows::FlowError};
use weft_ledger::Refusal;
use weft_wire::{
    AssetId, BankLineId, Code, Problem, Signed, TransferId,
    wallet::{
        BankAccount, BankImport, BankLine, BankLineState, BankPayee, DecideBankLine, DefineAsset, Intent,
        Payee, PaymentOrder, Receipt, TopUpNotice, TransferState, WithdrawalState,
    },
};

const IBAN: &str = "DE89370400440532013000";
const HERS: &str = "NL91ABNA0417164300";

/// A line of a file: in or out, cents, the bank's reference, what was written to it.
type Entry<'a> = (bool, u64, u32, &'a str);

/// A statement in MT940 that adds up.
fn mt940(account: &str, day: u32, opening: i64, entries: &[Entry<'_>]) -> Vec<u8> {
    let money = |cents: u64| format!("{},{:02}", cents / 100, cents % 100);
    let balance = |tag: &str, cents: i64| {
        let sign = if cents < 0 { 'D' } else { 'C' };
        format!(":{tag}:{sign}2411{day:02}EUR{}\n", money(cents.unsigned_abs()))
    };
    let mut file = format!(":20:STARTUMSE\n:25:{account}\n:28C:{day}/1\n{}", balance("60F", opening));
    let mut closing = opening;
    for (credit, cents, number, text) in entries {
        closing += if *credit { 1 } else { -1 } * i64::try_from(*cents).unwrap();
        let sign = if *credit { 'C' } else { 'D' };
        file += &format!(":61:2411{day:02}11{day:02}{sign}{}NTRFNONREF//{number}\n", money(*cents));
        file += &format!(":86:{text}\n");
    }
    (file + &balance("62F", closing) + "-\n").into_bytes()
}

impl Till {
    /// The owner's account backs the euro; alice has none of it yet but her 100.
    async fn at_bank() -> Till {
        let till = Till::open().await;
        till.put_account(IBAN).await.unwrap();
        till
    }

    async fn put_account(&self, account: &str) -> Result<(), WalletError> {
        let (asset, account) = (self.euro.id, account.to_owned());
        let account =
            BankAccount { asset, holder: "Café Kollektiv".into(), account, bank: "COBADEFF".into() };
        self.world.service.wallet().put_bank_account(account).await
    }

    async fn import(&self, file: &[u8]) -> Result<BankImport, WalletError> {
        let done = self.world.service.wallet().import_bank(file.to_vec()).await;
        self.is_sound().await;
        done
    }

    async fn references(&self) -> (String, String) {
        let of = async |payer: &super::tests::Payer| {
            let list = self.world.service.wallet().top_ups(payer.device.caller()).await.unwrap();
            assert_eq!((list.ways.len(), list.ways[0].account.as_str()), (1, IBAN));
            list.ways[0].reference.clone()
        };
        (of(&self.alice).await, of(&self.bob).await)
    }

    async fn work(&self) -> Vec<BankLine> {
        self.world.service.wallet().bank_lines(None).await.unwrap().lines
    }

    async fn decide(&self, line: BankLineId, wish: DecideBankLine) -> Result<(), FlowError> {
        let done = self.world.service.flows().decide_bank_line(line, wish).await;
        self.is_sound().await;
        done
    }

    /// In the world, and of that in suspense.
    async fn books(&self) -> (u64, u64) {
        let accounts = self.world.service.wallet().bank_accounts().await.unwrap().accounts;
        (accounts[0].issued, accounts[0].suspense)
    }

    async fn withdraw(&mut self, amount: u64, to: BankPayee) -> Result<Receipt, FlowError> {
        let user = self.alice.user().clone();
        let order = self.alice.order(&self.world, &user, self.euro.id, amount, Intent::Payment);
        let order = PaymentOrder { payee: Payee::Bank(to), ..order };
        let done = self.submit(&self.alice, Signed::sign(&order, &self.alice.key)).await;
        self.is_sound().await;
        done
    }
}

fn hers() -> BankPayee {
    BankPayee { name: "Alice Example".into(), account: HERS.into() }
}

#[tokio::test]
async fn what_has_a_reference_is_theirs_and_the_rest_waits_in_suspense() {
    let till = Till::at_bank().await;
    let (hers, his) = till.references().await;
    assert_ne!(hers, his);
    assert_eq!(till.references().await, (hers.clone(), his.clone()), "a reference stays what it is");
    let (spaced, both) = (format!("thanks {} {}", &hers[..4], &hers[4..]), format!("{hers} or {his}"));
    let entries = [
        (true, 2_500, 1, spaced.as_str()),
        (true, 700, 2, his.as_str()),
        (true, 999, 3, "for alice, from her aunt"),
        (true, 40, 4, both.as_str()),
        (false, 150, 5, "monthly fee"),
    ];
    let file = mt940(IBAN, 11, 10_000, &entries);
    let done = till.import(&file).await.unwrap();
    let expected = BankImport { statements: 1, credited: 2, waiting: 3, ..BankImport::default() };
    assert_eq!(done, expected);
    assert_eq!(till.balances().await, (12_500, 700));
    assert_eq!(till.books().await, (10_000 + 2_500 + 700 + 999 + 40, 999 + 40));

    // The same file, and one that overlaps: what is known is not booked again.
    let again = till.import(&file).await.unwrap();
    assert_eq!(again, BankImport { statements: 1, known: 5, ..BankImport::default() });
    let mut more = entries.to_vec();
    more.push((true, 1, 6, hers.as_str()));
    let more = till.import(&mt940(IBAN, 11, 10_000, &more)).await.unwrap();
    assert_eq!((more.known, more.credited), (5, 1));
    assert_eq!(till.balances().await, (12_501, 700));

    let accounts = till.world.service.wallet().bank_accounts().await.unwrap().accounts;
    let closing = accounts[0].closing.clone().unwrap();
    assert_eq!(
        (closing.day.as_str(), closing.amount),
        ("2024-11-11", 10_000 + 2_500 + 700 + 999 + 40 - 150 + 1)
    );
    assert_eq!(accounts[0].format.as_deref(), Some("MT940"));
}

#[tokio::test]
async fn the_owner_works_the_list_off_and_each_line_once() {
    let till = Till::at_bank().await;
    let entries = [(true, 999, 1, "for bob"), (true, 500, 2, "who knows"), (false, 150, 3, "monthly fee")];
    till.import(&mt940(IBAN, 11, 0, &entries)).await.unwrap();
    let work = till.work().await;
    let shown: Vec<_> = work.iter().map(|line| (line.credit, line.amount, line.text.as_str())).collect();
    // Of one commit all stand under one time: their order is that of their ids.
    for line in [(true, 999, "for bob"), (true, 500, "who knows"), (false, 150, "monthly fee")] {
        assert!(shown.contains(&line), "{shown:?}");
    }
    let line = |amount| work.iter().find(|line| line.amount == amount).unwrap().id;

    let nobody = DecideBankLine::Assign("dave@home.example".parse().unwrap());
    let refused = till.decide(line(999), nobody).await;
    assert!(matches!(refused, Err(FlowError::Wallet(WalletError::NotFound("user")))), "{refused:?}");
    let to_bob = DecideBankLine::Assign(till.bob.user().clone());
    for _ in 0..2 {
        till.decide(line(999), to_bob.clone()).await.unwrap();
    }
    let to_alice = DecideBankLine::Assign(till.alice.user().clone());
    let refused = till.decide(line(999), to_alice.clone()).await;
    assert!(matches!(refused, Err(FlowError::Wallet(WalletError::AlreadyDecided))), "{refused:?}");
    for (amount, wish) in [(500, DecideBankLine::Note), (150, DecideBankLine::Return), (150, to_alice)] {
        let refused = till.decide(line(amount), wish).await;
        let invalid = matches!(refused, Err(FlowError::Wallet(WalletError::Fault(Fault::Invalid { .. }))));
        assert!(invalid, "{refused:?}");
    }
    till.decide(line(500), DecideBankLine::Return).await.unwrap();
    till.decide(line(150), DecideBankLine::Note).await.unwrap();
    assert_eq!(till.work().await, []);
    assert_eq!(till.balances().await, (10_000, 999));
    assert_eq!(till.books().await, (10_999, 0));
    assert_eq!(till.history(&till.bob).await, [(true, 999, TransferState::Done)]);
    let unknown = till.decide(BankLineId([7; 16]), DecideBankLine::Note).await;
    assert!(matches!(unknown, Err(FlowError::Wallet(WalletError::NotFound("line")))));
}

#[tokio::test]
async fn a_file_that_is_none_or_does_not_add_up_is_refused_with_its_line() {
    let till = Till::at_bank().await;
    let before = till.books().await;
    let (hers, _) = till.references().await;
    let good = String::from_utf8(mt940(IBAN, 11, 0, &[(true, 100, 1, &hers)])).unwrap();
    for (file, says) in [
        ("PK\u{3}\u{4}".to_owned(), "neither camt.053 nor MT940"),
        (good.replace("C1,00", "C1,0x"), "line 5"),
        (good.replace("62F:C241111EUR1,00", "62F:C241111EUR2,00"), "the closing balance is 200"),
        (good.replace(IBAN, HERS), "that backs an asset here"),
        (good.replace("EUR", "USD"), "that backs an asset here"),
    ] {
        let error = till.import(file.as_bytes()).await.unwrap_err();
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::BankFile, "{says}");
        assert!(problem.detail.as_deref().is_some_and(|detail| detail.contains(says)), "{says}: {problem}");
    }
    assert_eq!((till.books().await, till.work().await.len()), (before, 0));
    // An account keeps to one format: what has no bank's reference would come again in another one.
    till.import(good.as_bytes()).await.unwrap();
    let camt = include_bytes!("../../../bank/tests/samples/camt053_german.xml");
    let camt = String::from_utf8(camt.to_vec()).unwrap();
    let start = camt.find("<IBAN>").unwrap() + 6;
    let camt = camt.replace(&camt[start..start + 22], IBAN);
    let problem = Problem::from(till.import(camt.as_bytes()).await.unwrap_err());
    assert!(problem.detail.unwrap().contains("imported from MT940"));
    // Nor does it forget that when it backs nothing for a while.
    for account in ["", IBAN] {
        till.put_account(account).await.unwrap();
    }
    let problem = Problem::from(till.import(camt.as_bytes()).await.unwrap_err());
    assert!(problem.detail.unwrap().contains("imported from MT940"));
}

#[tokio::test]
async fn more_than_may_be_issued_waits_for_the_file_to_come_again() {
    let till = Till::at_bank().await;
    let define = |issue_max| DefineAsset { issue_max, ..super::tests::euro() };
    till.world.service.wallet().define(define(10_500)).await.unwrap();
    let (hers, _) = till.references().await;
    let file = mt940(IBAN, 11, 0, &[(true, 400, 1, &hers), (true, 400, 2, &hers), (true, 100, 3, "?")]);
    let done = till.import(&file).await.unwrap();
    assert_eq!((done.credited, done.above, done.waiting), (1, 1, 1));
    till.world.service.wallet().define(define(20_000)).await.unwrap();
    let done = till.import(&file).await.unwrap();
    assert_eq!((done.known, done.credited), (2, 1));
    assert_eq!(till.balances().await.0, 10_800);
}

#[tokio::test]
async fn an_account_backs_a_currency_to_the_cent() {
    let till = Till::open().await;
    let wallet = till.world.service.wallet();
    for (account, field) in [
        ("DE89 3704 0044 0532 0130 01", "account"),
        ("de893704004405320130", "account"),
        ("hello", "account"),
        ("Café Zoë e. V.", "account"),
    ] {
        let refused = till.put_account(account).await;
        assert!(
            matches!(refused, Err(WalletError::Fault(Fault::Invalid { field: at, .. })) if at == field),
            "{account}: {refused:?}"
        );
    }
    // The two fields are swapped; and a bank that has no IBANs.
    let (asset, bank) = (till.euro.id, String::new());
    let swapped = BankAccount { asset, holder: IBAN.into(), account: "12 345/67".into(), bank };
    let refused = wallet.put_bank_account(swapped.clone()).await;
    assert!(
        matches!(refused, Err(WalletError::Fault(Fault::Invalid { field: "holder", .. }))),
        "{refused:?}"
    );
    wallet.put_bank_account(BankAccount { holder: "Café".into(), ..swapped }).await.unwrap();
    for (code, scale) in [("POINTS", 0), ("JPY", 2)] {
        let define = DefineAsset { code: code.parse().unwrap(), scale, ..super::tests::euro() };
        let asset = wallet.define(define).await.unwrap().id;
        let (holder, account, bank) = ("x".to_owned(), IBAN.to_owned(), String::new());
        let refused = wallet.put_bank_account(BankAccount { asset, holder, account, bank }).await;
        assert!(matches!(refused, Err(WalletError::Fault(Fault::Invalid { field: "asset", .. }))), "{code}");
    }
    let account = BankAccount {
        asset: AssetId([9; 16]),
        holder: "x".into(),
        account: IBAN.into(),
        bank: String::new(),
    };
    assert!(matches!(wallet.put_bank_account(account).await, Err(WalletError::NotFound("asset"))));
    till.put_account("de89 3704 0044 0532 0130 00").await.unwrap();
    assert_eq!(wallet.bank_accounts().await.unwrap().accounts[0].account.account, IBAN);
    till.put_account("").await.unwrap();
    assert_eq!(wallet.bank_accounts().await.unwrap().accounts, []);
    assert_eq!(wallet.top_ups(till.alice.device.caller()).await.unwrap().ways, []);
}

#[tokio::test]
async fn a_withdrawal_is_held_until_the_bank_has_paid_it() {
    let mut till = Till::at_bank().await;
    let receipt = till.withdraw(3_000, hers()).await.unwrap();
    assert_eq!((receipt.state, till.balances().await.0), (TransferState::Held, 7_000));
    let wallet = till.world.service.wallet().clone();
    let waiting = wallet.withdrawals_waiting(None).await.unwrap().withdrawals;
    assert_eq!(
        (waiting.len(), waiting[0].id, waiting[0].amount, &waiting[0].to),
        (1, receipt.transfer, 3_000, &hers())
    );
    assert_eq!(wallet.withdrawals(till.alice.device.caller()).await.unwrap().withdrawals, waiting);
    assert_eq!(wallet.withdrawals(till.bob.device.caller()).await.unwrap().withdrawals, []);
    let reference = waiting[0].reference.clone();

    // Of another amount, or the other way: that is not it.
    let wrong = [(false, 2_999, 1, reference.as_str()), (true, 3_000, 2, reference.as_str())];
    let done = till.import(&mt940(IBAN, 11, 0, &wrong)).await.unwrap();
    assert_eq!((done.paid, done.waiting), (0, 2));
    let entries = [(false, 3_000, 3, reference.as_str()), (false, 3_000, 4, reference.as_str())];
    let file = mt940(IBAN, 12, 0, &entries);
    let done = till.import(&file).await.unwrap();
    assert_eq!((done.paid, done.waiting), (1, 1), "the second one is somebody's mistake");
    assert_eq!(
        wallet.withdrawals(till.alice.device.caller()).await.unwrap().withdrawals[0].state,
        WithdrawalState::Paid
    );
    assert_eq!(wallet.withdrawals_waiting(None).await.unwrap().withdrawals, []);
    assert_eq!(till.books().await, (10_000 + 3_000 - 3_000, 3_000));
    let back = wallet.decide_withdrawal(receipt.transfer, false).await;
    assert!(matches!(back, Err(WalletError::AlreadyDecided)), "{back:?}");
    let mine = till.history(&till.alice).await;
    assert_eq!(mine[0], (false, 3_000, TransferState::Done));
}

#[tokio::test]
async fn the_owner_gives_a_withdrawal_back_or_says_that_it_is_paid() {
    let mut till = Till::at_bank().await;
    let wallet = till.world.service.wallet().clone();
    let first = till.withdraw(3_000, hers()).await.unwrap().transfer;
    for _ in 0..2 {
        wallet.decide_withdrawal(first, false).await.unwrap();
    }
    assert_eq!(till.balances().await.0, 10_000);
    let second = till.withdraw(4_000, hers()).await.unwrap().transfer;
    let reference = wallet.withdrawals_waiting(None).await.unwrap().withdrawals[0].reference.clone();
    wallet.decide_withdrawal(second, true).await.unwrap();
    assert_eq!((till.balances().await.0, till.books().await.0), (6_000, 6_000));
    // The bank's file comes later: it is that one, and moves nothing any more.
    let done = till.import(&mt940(IBAN, 11, 0, &[(false, 4_000, 1, &reference)])).await.unwrap();
    assert_eq!((done.paid, till.books().await.0), (1, 6_000));
}

#[tokio::test]
async fn who_asked_takes_a_withdrawal_back_until_the_owner_is_about_to_pay_it() {
    let mut till = Till::at_bank().await;
    let wallet = till.world.service.wallet().clone();
    let (alice, bob) = (till.alice.device.caller().clone(), till.bob.device.caller().clone());
    let first = till.withdraw(3_000, hers()).await.unwrap().transfer;
    let reference = wallet.withdrawals_waiting(None).await.unwrap().withdrawals[0].reference.clone();
    for nothing in [
        wallet.take_back_withdrawal(&bob, first).await,
        wallet.take_back_withdrawal(&alice, TransferId([7; 16])).await,
        wallet.begin_withdrawal(TransferId([7; 16])).await,
    ] {
        assert!(matches!(nothing, Err(WalletError::NotFound("withdrawal"))), "{nothing:?}");
    }
    assert_eq!(till.balances().await.0, 7_000);
    for _ in 0..2 {
        wallet.take_back_withdrawal(&alice, first).await.unwrap();
    }
    till.is_sound().await;
    assert_eq!(till.balances().await.0, 10_000);
    let mine = wallet.withdrawals(&alice).await.unwrap().withdrawals;
    assert_eq!(mine[0].state, WithdrawalState::TakenBack);
    assert_eq!(till.history(&till.alice).await[0], (false, 3_000, TransferState::Returned));
    assert_eq!(wallet.withdrawals_waiting(None).await.unwrap().withdrawals, []);
    for late in [
        wallet.begin_withdrawal(first).await,
        wallet.decide_withdrawal(first, true).await,
        wallet.decide_withdrawal(first, false).await,
    ] {
        assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
    }
    // An owner who has paid it without a word finds the debit on the list.
    let done = till.import(&mt940(IBAN, 11, 0, &[(false, 3_000, 1, &reference)])).await.unwrap();
    assert_eq!((done.paid, done.waiting, till.balances().await.0), (0, 1, 10_000));

    // About to be paid: it ends as the owner says, and still counts as one that waits.
    for paid in [true, false] {
        let next = till.withdraw(1_000, hers()).await.unwrap().transfer;
        for _ in 0..2 {
            wallet.begin_withdrawal(next).await.unwrap();
        }
        let late = wallet.take_back_withdrawal(&alice, next).await;
        assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
        let waiting = wallet.withdrawals_waiting(None).await.unwrap().withdrawals;
        assert_eq!((waiting.len(), waiting[0].state), (1, WithdrawalState::Paying));
        till.is_sound().await;
        wallet.decide_withdrawal(next, paid).await.unwrap();
        let late = wallet.take_back_withdrawal(&alice, next).await;
        assert!(matches!(late, Err(WalletError::AlreadyDecided)), "{late:?}");
    }
    assert_eq!(till.balances().await.0, 9_000);
    // A line of a file ends one that is about to be paid as well.
    let last = till.withdraw(500, hers()).await.unwrap().transfer;
    wallet.begin_withdrawal(last).await.unwrap();
    let reference = wallet.withdrawals_waiting(None).await.unwrap().withdrawals[0].reference.clone();
    let done = till.import(&mt940(IBAN, 12, 0, &[(false, 500, 2, &reference)])).await.unwrap();
    assert_eq!((done.paid, till.balances().await.0), (1, 8_500));
    assert_eq!(wallet.withdrawals_waiting(None).await.unwrap().withdrawals, []);
    till.is_sound().await;
}

#[tokio::test]
async fn of_taking_back_and_paying_at_one_moment_one_is_done() {
    for first in [false, true] {
        let mut till = Till::at_bank().await;
        let wallet = till.world.service.wallet().clone();
        let alice = till.alice.device.caller().clone();
        for paid_by_word in [false, true] {
            let before = till.balances().await.0;
            let id = till.withdraw(1_000, hers()).await.unwrap().transfer;
            let owner = async {
                if first {
                    tokio::task::yield_now().await;
                }
                match paid_by_word {
                    true => wallet.decide_withdrawal(id, true).await,
                    false => wallet.begin_withdrawal(id).await,
                }
            };
            let hers = async {
                if !first {
                    tokio::task::yield_now().await;
                }
                wallet.take_back_withdrawal(&alice, id).await
            };
            let (owner, hers) = tokio::join!(owner, hers);
            assert_ne!(owner.is_ok(), hers.is_ok(), "{owner:?} {hers:?}");
            let left = till.balances().await.0;
            assert_eq!(left, if hers.is_ok() { before } else { before - 1_000 });
            till.is_sound().await;
        }
    }
}

#[tokio::test]
async fn a_withdrawal_that_cannot_be_is_refused() {
    let mut till = Till::at_bank().await;
    let mistyped = BankPayee { account: "NL91ABNA0417164301".into(), ..hers() };
    let spaced = BankPayee { account: "NL91 ABNA 0417 1643 00".into(), ..hers() };
    let nameless = BankPayee { name: " ".into(), ..hers() };
    for to in [mistyped, spaced, nameless] {
        let refused = refused(till.withdraw(10, to.clone()).await);
        assert!(matches!(refused, WalletError::Fault(Fault::Invalid { .. })), "{to:?}: {refused:?}");
    }
    let long = BankPayee { name: "a".repeat(141), ..hers() };
    assert!(matches!(refused(till.withdraw(10, long).await), WalletError::Fault(Fault::TooLarge { .. })));
    assert!(matches!(refused(till.withdraw(10_001, hers()).await), WalletError::Refused(Refusal::Floor)));
    for _ in 0..8 {
        till.withdraw(10, hers()).await.unwrap();
    }
    assert!(matches!(refused(till.withdraw(10, hers()).await), WalletError::Fault(Fault::TooMany { .. })));
    let wallet = till.world.service.wallet().clone();
    let oldest = wallet.withdrawals_waiting(None).await.unwrap().withdrawals[0].id;
    wallet.decide_withdrawal(oldest, true).await.unwrap();
    till.withdraw(10, hers()).await.unwrap();
    till.put_account("").await.unwrap();
    assert!(matches!(refused(till.withdraw(10, hers()).await), WalletError::NotFound("bank")));
}

fn notice(id: &str, amount: u64, reference: &str) -> TopUpNotice {
    let (reference, payer) = (Some(reference.to_owned()), Some("A. Aunt".to_owned()));
    TopUpNotice { id: id.into(), amount, currency: "EUR".into(), reference, payer, text: String::new() }
}

#[tokio::test]
async fn what_a_provider_reports_is_booked_as_a_line_of_a_file_and_counts_once() {
    let till = Till::at_bank().await;
    let (hers, his) = till.references().await;
    let wallet = till.world.service.wallet().clone();
    let take = async |provider: &str, notice: TopUpNotice| {
        let taken = wallet.take_notice(provider, notice).await.map(|taken| taken.state);
        till.is_sound().await;
        taken
    };
    let spaced = format!("{} {}", &hers[..4], &hers[4..]);
    for _ in 0..2 {
        assert_eq!(take("cardpay", notice("1", 2_500, &spaced)).await.unwrap(), BankLineState::Credited);
    }
    // Of another provider the same number is another payment; and a text serves as well as it does in a file.
    let in_text = TopUpNotice { reference: None, text: format!("thanks {his}"), ..notice("1", 700, "") };
    assert_eq!(take("otherpay", in_text).await.unwrap(), BankLineState::Credited);
    assert_eq!(take("cardpay", notice("2", 40, "RF00 NOBODY")).await.unwrap(), BankLineState::Waiting);
    assert_eq!((till.balances().await, till.books().await), ((12_500, 700), (13_240, 40)));
    let work = till.work().await;
    let [line] = work.as_slice() else { panic!("{work:?}") };
    assert_eq!((line.counterparty.as_deref(), line.text.as_str()), (Some("cardpay: A. Aunt"), "RF00 NOBODY"));
    till.decide(line.id, DecideBankLine::Assign(till.bob.user().clone())).await.unwrap();
    assert_eq!(take("cardpay", notice("2", 40, "RF00 NOBODY")).await.unwrap(), BankLineState::Assigned);

    for changed in [notice("1", 2_501, &spaced), notice("1", 2_500, &his)] {
        assert!(matches!(take("cardpay", changed).await, Err(WalletError::IdConflict)));
    }
    for (bad, field) in [
        (notice("", 1, &hers), "id"),
        (notice("3", 0, &hers), "amount"),
        (notice("3", u64::MAX, &hers), "amount"),
        (TopUpNotice { currency: "euros".into(), ..notice("3", 1, &hers) }, "currency"),
    ] {
        let error = take("cardpay", bad).await.unwrap_err();
        assert!(
            matches!(&error, WalletError::Fault(Fault::Invalid { field: at, .. }) if *at == field),
            "{error:?}"
        );
    }
    let long = take("cardpay", notice(&"9".repeat(129), 1, &hers)).await;
    assert!(matches!(long, Err(WalletError::Fault(Fault::TooLarge { .. }))), "{long:?}");
    let foreign = TopUpNotice { currency: "USD".into(), ..notice("3", 1, &hers) };
    assert!(matches!(take("cardpay", foreign).await, Err(WalletError::NotFound("asset"))));
    assert_eq!(till.books().await, (13_240, 0));
}

#[tokio::test]
async fn a_provider_brings_no_more_than_may_be_issued_and_may_try_again() {
    let till = Till::at_bank().await;
    let (hers, _) = till.references().await;
    let define = |issue_max| DefineAsset { issue_max, ..super::tests::euro() };
    till.world.service.wallet().define(define(10_100)).await.unwrap();
    let take = async || till.world.service.wallet().take_notice("cardpay", notice("1", 101, &hers)).await;
    assert!(matches!(take().await, Err(WalletError::Refused(Refusal::Cap))));
    till.world.service.wallet().define(define(10_101)).await.unwrap();
    assert_eq!(take().await.unwrap().state, BankLineState::Credited);
    till.is_sound().await;
}
