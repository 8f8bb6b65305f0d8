//! The samples of what banks say, and of what members ask of them.

use super::*;
use money::{EURO, shop_order, transfer};
use weft_wire::{
    BankLineId,
    wallet::{BankAccount, BankBalance, BankLineState, BankPayee, OrderKeyCert, Payee, WithdrawalState},
};

pub(super) fn banks(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let to = BankPayee { name: "Alice".into(), account: "NL91ABNA0417164300".into() };
    let order = Signed::sign(&shop_order(Payee::Bank(to)), &key(5));
    all.add(tables::ORDERS, "to-bank", &wallet::OrderRecord { order, cert: cert.clone(), title: None });
    let (holder, account) = ("Café Kollektiv e. V.".to_owned(), "DE89370400440532013000".to_owned());
    let account = BankAccount { asset: EURO, holder, account, bank: "COBADEFFXXX".into() };
    let closing = Some(BankBalance { day: "2026-11-22".into(), amount: -5 });
    let fresh = bank::BankAccountRecord { account, format: None, closing: None };
    let known = bank::BankAccountRecord { format: Some("MT940".into()), closing, ..fresh.clone() };
    all.add(tables::BANK_ACCOUNTS, "fresh", &fresh);
    all.add(tables::BANK_ACCOUNTS, "known", &known);
    all.add(tables::BANK_FORMATS, "format", &bank::FormatRecord { format: "MT940".into() });
    let line = bank::BankLineRecord {
        asset: EURO,
        booked: "2026-11-22".into(),
        amount: 2_500,
        counterparty: Some("Carol Müller".into()),
        counterparty_account: Some("NL91ABNA0417164300".into()),
        text: "for RF18 5390 0754 7034".into(),
        imported_ms: TIME_MS,
        state: BankLineState::Waiting,
        member: None,
        withdrawal: None,
        proposal: None,
    };
    all.add(tables::BANK_LINES, "waiting", &line);
    let approved = bank::BankLineRecord { proposal: Some(transfer(6)), ..line.clone() };
    all.add(tables::BANK_LINES, "approved", &approved);
    for (sample, state) in [("credited", BankLineState::Credited), ("assigned", BankLineState::Assigned)] {
        all.add(
            tables::BANK_LINES,
            sample,
            &bank::BankLineRecord { state, member: Some(name()), ..line.clone() },
        );
    }
    for (sample, state) in [
        ("returned", BankLineState::Returned),
        ("noted", BankLineState::Noted),
        ("paid", BankLineState::Paid),
    ] {
        let (counterparty, counterparty_account) = (None, None);
        let withdrawal = (state == BankLineState::Paid).then(|| transfer(8));
        let record =
            bank::BankLineRecord { state, counterparty, counterparty_account, withdrawal, ..line.clone() };
        all.add(tables::BANK_LINES, sample, &record);
    }
    let reference = Some("RF18539007547034".to_owned());
    all.add(tables::BANKING, "member", &bank::BankingRecord { reference, waiting: 2 });
    all.add(tables::BANKING, "none", &bank::BankingRecord { reference: None, waiting: 1 });
    let top_up = bank::ReferenceRecord::TopUp { name: name(), asset: EURO };
    all.add(tables::REFERENCES, "top-up", &top_up);
    all.add(tables::REFERENCES, "withdrawal", &bank::ReferenceRecord::Withdrawal(transfer(8)));
    let to = BankPayee { name: "Alice Example".into(), account: "NL91ABNA0417164300".into() };
    let waiting = bank::WithdrawalRecord {
        name: name(),
        asset: EURO,
        amount: 5,
        to: to.clone(),
        reference: "RF18539007547034".into(),
        at_ms: TIME_MS,
        state: WithdrawalState::Waiting,
        line: None,
    };
    all.add(tables::WITHDRAWALS, "waiting", &waiting);
    let line = Some(BankLineId([9; 16]));
    for (sample, state, line) in [
        ("paid", WithdrawalState::Paid, line),
        ("returned", WithdrawalState::Returned, None),
        ("paying", WithdrawalState::Paying, None),
        ("taken-back", WithdrawalState::TakenBack, None),
    ] {
        all.add(tables::WITHDRAWALS, sample, &bank::WithdrawalRecord { state, line, ..waiting.clone() });
    }
}
