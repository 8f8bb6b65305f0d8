//! One sample of every type of invoices, escrow and bank accounts that travels, and of each of its variants.

use super::{
    Visitor, alice, blob, bob, key,
    wallet::{asset_info, euro, order},
};
use weft_wire::{
    AssetId, BankLineId, RequestId, Signed, TransferId,
    federation::{Answer, Question},
    wallet::*,
};

const AT_MS: u64 = 1_700_000_000_000;
const ASSET: AssetId = AssetId([1; 16]);
const TRANSFER: TransferId = TransferId([2; 16]);
const INVOICE: RequestId = RequestId([3; 16]);

fn shop() -> ShopName {
    ShopName { shop: bob(), title: "Corner".into() }
}

fn invoices(v: &mut impl Visitor) {
    let payee = InvoicePayee { issuer: bob(), invoice: INVOICE };
    v.visit("order_invoice", order(Payee::Invoice(payee)));
    let line = |tax_rate| InvoiceLine { text: "tea".into(), quantity: 2_500, unit_price: 400, tax_rate };
    let lines = vec![line(Some(190)), line(None)];
    let send = SendInvoice {
        id: INVOICE,
        shop: Some(bob()),
        to: alice(),
        asset: ASSET,
        lines: lines.clone(),
        total: 2_190,
        due_ms: AT_MS,
        note: "thank you".into(),
    };
    v.visit("send_invoice_own", SendInvoice { shop: None, note: String::new(), ..send.clone() });
    v.visit("send_invoice", send);
    let info = |state| InvoiceInfo {
        id: INVOICE,
        issuer: bob(),
        shop: Some(shop()),
        to: alice(),
        number: 7,
        reference: "RF18539007547034".into(),
        asset: euro(),
        sums: InvoiceSums::of(&lines).unwrap(),
        lines: lines.clone(),
        note: "thank you".into(),
        made_ms: AT_MS,
        due_ms: AT_MS + 1,
        state,
        by: Some(bob()),
        paid: Some(InvoicePaid { transfer: TRANSFER, at_ms: AT_MS, refunded: 5, at_rate: false }),
        rejection: None,
    };
    let open = InvoiceInfo { shop: None, by: None, paid: None, ..info(InvoiceState::Open) };
    v.visit("invoice_info", info(InvoiceState::Paid));
    // Between nodes.
    let mut at_rate = info(InvoiceState::Paid);
    at_rate.paid = at_rate.paid.map(|paid| InvoicePaid { at_rate: true, ..paid });
    v.visit("invoice_at_rate", at_rate);
    let back = InvoiceInfo { rejection: Some(Rejection::Over), ..info(InvoiceState::Paying) };
    v.visit("answer_invoice", Answer::Invoice(Signed::sign(&back, &key(1))));
    v.visit("question_invoice", Question::Invoice { by: alice(), issuer: bob().name, invoice: INVOICE });
    let card = InvoiceCard {
        issuer: bob(),
        invoice: INVOICE,
        number: 7,
        asset: euro(),
        total: 2_190,
        due_ms: AT_MS + 1,
    };
    v.visit("invoice_card", card);
    let states = [InvoiceState::Overdue, InvoiceState::Cancelled].map(info);
    let invoices = [vec![open], states.to_vec()].concat();
    v.visit("invoice_list", InvoiceList { invoices, more: true });
}

fn escrows(v: &mut impl Visitor) {
    let terms = EscrowTerms { seller: bob(), until_ms: AT_MS, note: "a bicycle".into() };
    v.visit("order_escrow", order(Payee::Escrow(terms)));
    let settle = order(Payee::Settle(SettlePayee { escrow: TRANSFER, seller: bob() }));
    v.visit("order_settle", settle.clone());
    v.visit("escrow_settle", EscrowAct::Settle { order: Signed::sign(&settle, &key(3)) });
    v.visit("escrow_accept", EscrowAct::Accept { to_seller: 3 });
    let info = |state| EscrowInfo {
        id: TRANSFER,
        buyer: alice(),
        seller: bob(),
        shop: None,
        asset: euro(),
        total: 9,
        note: String::new(),
        made_ms: AT_MS,
        until_ms: AT_MS + 1,
        state,
        offered: None,
        asked: None,
        ended_ms: Some(AT_MS),
        to_seller: 0,
        by: None,
        refunded: 0,
    };
    let open = EscrowInfo {
        shop: Some(shop()),
        note: "a bicycle".into(),
        offered: Some(3),
        asked: Some(4),
        ended_ms: None,
        ..info(EscrowState::Open)
    };
    v.visit("escrow_info", open);
    let paid = |state, to_seller| EscrowInfo { to_seller, by: Some(TransferId([4; 16])), ..info(state) };
    let released = EscrowInfo { refunded: 2, ..paid(EscrowState::Released, 9) };
    let back = [EscrowState::Returned, EscrowState::Expired].map(info);
    let escrows = [vec![released, paid(EscrowState::Split, 4)], back.to_vec()].concat();
    v.visit("escrow_list", EscrowList { escrows, more: true });
}

fn bank_payee() -> BankPayee {
    BankPayee { name: "Alice".into(), account: "DE02120300000000202051".into() }
}

fn topups(v: &mut impl Visitor) {
    let way = TopUpWay {
        asset: asset_info(),
        holder: "The node".into(),
        account: "DE02120300000000202051".into(),
        bank: "A bank".into(),
        reference: "RF18539007547034".into(),
    };
    v.visit("top_up_list", TopUpList { ways: vec![way] });
    v.visit("order_bank", order(Payee::Bank(bank_payee())));
    let withdrawal = |state| WithdrawalInfo {
        id: TRANSFER,
        user: alice(),
        asset: euro(),
        amount: 5,
        to: bank_payee(),
        reference: "RF18539007547034".into(),
        state,
        at_ms: AT_MS,
    };
    let states = [
        WithdrawalState::Waiting,
        WithdrawalState::Paid,
        WithdrawalState::Returned,
        WithdrawalState::Paying,
        WithdrawalState::TakenBack,
    ];
    v.visit("withdrawal_list", WithdrawalList { withdrawals: states.map(withdrawal).into(), more: true });
    v.visit("decide_withdrawal", DecideWithdrawal { paid: true });
}

fn banks(v: &mut impl Visitor) {
    let account = BankAccount {
        asset: ASSET,
        holder: "The node".into(),
        account: "DE02120300000000202051".into(),
        bank: "A bank".into(),
    };
    v.visit("bank_account", account.clone());
    let info = BankAccountInfo {
        account,
        format: Some("camt.053".into()),
        closing: Some(BankBalance { day: "2026-01-31".into(), amount: -5 }),
        issued: 8,
        suspense: 3,
    };
    let fresh = BankAccountInfo { format: None, closing: None, ..info.clone() };
    v.visit("bank_account_list", BankAccountList { accounts: vec![info, fresh] });
    v.visit("import_bank", ImportBank { file: blob(3) });
    let import = BankImport {
        statements: 1,
        foreign: 2,
        unproved: 3,
        credited: 4,
        paid: 5,
        waiting: 6,
        known: 7,
        above: 8,
        left_out: 9,
    };
    v.visit("bank_import", import);
    let line = BankLine {
        id: BankLineId([6; 16]),
        asset: euro(),
        booked: "2026-01-31".into(),
        amount: 5,
        credit: true,
        counterparty: Some("Bob".into()),
        counterparty_account: Some("DE02120300000000202051".into()),
        text: "for tea".into(),
        imported_ms: AT_MS,
    };
    let bare = BankLine { credit: false, counterparty: None, counterparty_account: None, ..line.clone() };
    v.visit("bank_line_list", BankLineList { lines: vec![line, bare], more: true });
    v.visit("decide_bank_line_assign", DecideBankLine::Assign(bob()));
    v.visit("decide_bank_line_return", DecideBankLine::Return);
    v.visit("decide_bank_line_note", DecideBankLine::Note);
    let states = [
        ("bank_line_credited", BankLineState::Credited),
        ("bank_line_waiting", BankLineState::Waiting),
        ("bank_line_assigned", BankLineState::Assigned),
        ("bank_line_returned", BankLineState::Returned),
        ("bank_line_noted", BankLineState::Noted),
        ("bank_line_paid", BankLineState::Paid),
    ];
    for (name, state) in states {
        v.visit(name, state);
    }
}

pub fn visit_all(v: &mut impl Visitor) {
    invoices(v);
    escrows(v);
    topups(v);
    banks(v);
}
