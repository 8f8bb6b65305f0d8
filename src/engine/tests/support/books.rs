//! The signed books of the node in memory: two days of euros, as alice is shown them. A test bends them before they are told.

use super::money::{euro, signer};
use super::node::{Node, answer, problem};
use weft_ledger::proof::{event_leaf, part_of, path, pieces, root};
use weft_ledger::{Entry, Hold, Movement, Outcome, Purpose, Transfer};
use weft_wire::wallet::{
    AccountList, AccountProof, AccountView, AssetInfo, AssetSum, BalancePiece, DayRoot, EventProof, Hash,
    RootInfo, RootList, Sum, TransferProof,
};
use weft_wire::{AccountId, Blob, Code, Signed, TransferId};

/// What the node signs with.
pub const KEY: [u8; 32] = [7; 32];
/// The day that is looked at; there was one before, the first of all.
pub const DAY: u64 = 101;
/// As they follow from the names.
pub const ALICE: AccountId = AccountId(0x8d3d_2c3b_d73d_db9f_cbdd_f224_a8f8_fa25_u128.to_be_bytes());
pub const BOB: AccountId = AccountId(0x8435_6fd3_fa9e_29d5_88ee_bd05_c3ef_74cd_u128.to_be_bytes());
pub const CAROL: AccountId = AccountId([3; 16]);
/// What the node gave out comes from here.
const FUND: AccountId = AccountId([9; 16]);

/// What is in each account, in cents.
pub type Balances = [(AccountId, u128); 3];

/// Alice had 70 and bob 30.
const BEFORE: Balances = [(ALICE, 70), (BOB, 30), (CAROL, 0)];
/// After [`events`].
pub const AFTER: Balances = [(ALICE, 57), (BOB, 38), (CAROL, 5)];

/// Something that was paid, by the number of its event.
pub fn paid(number: u64, debit: AccountId, credit: AccountId, amount: u64) -> Entry {
    let movement = Movement::Posted { debit, credit, amount, refunds: None };
    let id = TransferId([number as u8; 16]);
    Entry {
        transfer: Transfer { id, movement, purpose: Purpose::Transfer, about: [0; 16] },
        chain: id,
        chain_len: 1,
        number,
        at_ms: 1_000 + number,
        outcome: Outcome::Done,
        moved: Some(Hold { debit, credit, amount }),
    }
}

/// What happened on the day: three times something of alice's, and once not.
pub fn events() -> Vec<Entry> {
    vec![paid(3, ALICE, BOB, 10), paid(4, BOB, CAROL, 5), paid(5, BOB, ALICE, 7), paid(6, ALICE, BOB, 10)]
}

/// A day that is over.
pub struct Closed {
    pub root: DayRoot,
    /// Of each event.
    pub proofs: Vec<EventProof>,
    /// Of each account, without entries.
    pub accounts: Vec<AccountProof>,
}

/// Signs as the node does.
pub fn sign(root: &DayRoot) -> Signed<DayRoot> {
    Signed::sign(root, &signer(KEY))
}

/// The end of a day.
pub fn close(day: u64, before: Option<&DayRoot>, entries: &[Entry], balances: Balances) -> Closed {
    let part = |entry: &Entry| part_of(&weft_wire::encode(entry));
    let events: Vec<_> = entries.iter().map(|one| event_leaf(one.number, one.at_ms, &[part(one)])).collect();
    let proofs = entries.iter().zip(0..).map(|(one, index)| EventProof {
        number: one.number,
        at_ms: one.at_ms,
        parts: vec![part(one)],
        entry: Blob(weft_wire::encode(one)),
        path: path(&events, index).unwrap(),
    });
    let held_by = balances.map(|(account, balance)| {
        let salt = [day as u8 ^ account.0[0]; 32];
        let cut = (balance > 0).then(|| pieces(&salt, account, balance).to_vec());
        (account, salt, cut.unwrap_or_default())
    });
    let held: Vec<_> = held_by.iter().flat_map(|(_, _, cut)| cut.iter().map(|piece| piece.leaf)).collect();
    let sum = AssetSum {
        asset: euro().id(),
        issued: Sum(100),
        abroad: Sum(0),
        own: Sum(0),
        held: root(&held).unwrap(),
        leaves: held.len() as u64,
    };
    let root = DayRoot {
        node: "home.example".parse().unwrap(),
        day,
        last: entries.last().unwrap().number,
        events: root(&events).unwrap(),
        before: before.map(|before| Hash::of_root(&sign(before))),
        assets: vec![sum],
    };
    let mut places = 0..;
    let accounts = held_by.iter().map(|(account, salt, cut)| {
        let shown = cut.iter().zip(places.by_ref()).map(|(piece, place)| BalancePiece {
            index: place as u64,
            amount: Sum(piece.amount),
            path: path(&held, place).unwrap(),
        });
        AccountProof {
            account: *account,
            asset: euro().id(),
            root: sign(&root),
            salt: *salt,
            pieces: shown.collect(),
            entries: Vec::new(),
            more: false,
        }
    });
    let accounts = accounts.collect();
    Closed { proofs: proofs.collect(), accounts, root }
}

/// The day before: the first of all.
pub fn first_day() -> Closed {
    close(DAY - 1, None, &[paid(1, FUND, ALICE, 100), paid(2, ALICE, BOB, 30)], BEFORE)
}

/// What alice is shown.
pub struct Books {
    /// The newest first.
    pub roots: Vec<Signed<DayRoot>>,
    /// Her account at the end of the day before.
    pub before: AccountProof,
    /// Her account, and what moved on it, in two pages.
    pub pages: Vec<AccountProof>,
    /// The entry of event 5; none: the node knows of none.
    pub line: Option<TransferProof>,
    /// What is told of each event, whosever it is.
    pub events: Vec<EventProof>,
    /// Which account is called hers.
    pub hers: AccountId,
}

impl Books {
    /// As they are.
    pub fn honest() -> Books {
        Books::of(&events(), AFTER)
    }

    /// As they are if this happened on the day and that was there at its end.
    pub fn of(entries: &[Entry], balances: Balances) -> Books {
        let first = first_day();
        let closed = close(DAY, Some(&first.root), entries, balances);
        let page = |numbers: &[u64], more| {
            let shown = closed.proofs.iter().filter(|proof| numbers.contains(&proof.number));
            AccountProof { entries: shown.cloned().collect(), more, ..closed.accounts[0].clone() }
        };
        let line = closed.proofs.iter().find(|proof| proof.number == 5).cloned();
        Books {
            roots: vec![sign(&closed.root), sign(&first.root)],
            before: first.accounts[0].clone(),
            pages: vec![page(&[3, 5], true), page(&[6], false)],
            line: line.map(|proof| TransferProof { root: sign(&closed.root), proof }),
            events: closed.proofs,
            hers: ALICE,
        }
    }

    /// Says something else at the end of the day, everywhere.
    pub fn bend(&mut self, change: impl Fn(&mut DayRoot)) {
        let mut root = self.roots[0].peek().unwrap();
        change(&mut root);
        self.show(&sign(&root));
    }

    /// Shows this one as the day's, everywhere.
    pub fn show(&mut self, root: &Signed<DayRoot>) {
        self.roots[0] = root.clone();
        self.pages.iter_mut().for_each(|page| page.root = root.clone());
        self.line.iter_mut().for_each(|line| line.root = root.clone());
    }

    /// From now on the node says this.
    pub fn tell(&self, node: &mut Node) {
        node.says.clear();
        let mut say = |path: String, body| node.says.insert(path, body);
        let info = |root: &Signed<DayRoot>| RootInfo { root: root.clone(), witnesses: Vec::new() };
        let key = signer(KEY).verifying_key().to_bytes();
        let list = RootList { key, roots: self.roots.iter().map(info).collect(), more: false };
        for path in ["wallet/roots".to_owned(), format!("wallet/roots?before={}", DAY + 1)] {
            say(path, answer(&list));
        }
        say(
            "wallet/accounts".into(),
            answer(&AccountList { accounts: vec![account(self.hers)], counter: 0 }),
        );
        let of = format!("wallet/proofs/accounts/{ALICE}?day=");
        say(format!("{of}{}", DAY - 1), answer(&self.before));
        let mut path = format!("{of}{DAY}");
        for page in &self.pages {
            say(path.clone(), answer(page));
            if let Some(last) = page.entries.last() {
                path = format!("{of}{DAY}&after={}", last.number);
            }
        }
        let line = self.line.as_ref().map_or_else(|| Err(problem(Code::NotFound)), answer);
        say(format!("wallet/proofs/{}", TransferId([5; 16])), line);
    }
}

/// Alice's. What stands here as her balance is not what is looked at.
fn account(id: AccountId) -> AccountView {
    let asset = AssetInfo {
        id: euro().id(),
        asset: euro(),
        title: "Euro".into(),
        backing: String::new(),
        payment_max: 0,
        day_max: 0,
        issue_max: 0,
        issued: 0,
        fees: Vec::new(),
    };
    AccountView { id, asset, balance: 0, available: 0, incoming: 0, outgoing: 0, frozen: false }
}
