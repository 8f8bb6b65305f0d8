//! Debian's hledger adds a ledger up again and comes to the same.

use rand::{Rng, SeedableRng};
use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};
use weft_ledger::{
    Account, AccountKind, Books, Event, Memory, Movement, Purpose, Transfer, apply, format_amount, hledger,
};
use weft_wire::{AccountId, AssetId, TransferId};

const EUR: AssetId = AssetId([1; 16]);
const POINTS: AssetId = AssetId([2; 16]);

struct Names(BTreeMap<AccountId, (AssetId, String)>);

impl hledger::Names for Names {
    fn asset(&self, asset: AssetId) -> (String, u8) {
        if asset == EUR { ("EUR of home.example".into(), 2) } else { ("★ \"points\"; or so".into(), 0) }
    }

    fn account(&self, account: AccountId) -> String {
        self.0[&account].1.clone()
    }

    fn asset_of(&self, account: AccountId) -> AssetId {
        self.0[&account].0
    }
}

/// Two currencies, forty people, two thousand asks, most of which go through.
fn story(seed: u64) -> (Memory, Names) {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let (mut books, mut names) = (Memory::default(), BTreeMap::new());
    for n in 0..42_u8 {
        let asset = if n % 2 == 0 { EUR } else { POINTS };
        let kind = if n < 2 { AccountKind::Issuance } else { AccountKind::User };
        let id = AccountId([n; 16]);
        let name = if n < 2 {
            "assets:issuance".into()
        } else {
            format!("liabilities:users:no. {}; she  said", n / 2)
        };
        names.insert(id, (asset, name));
        apply(&mut books, &Event::Open { id, asset, kind, bounds: kind.bounds() }, 0).unwrap();
    }
    for n in 0..2_000_u32 {
        let id = |n: u32| TransferId(core::array::from_fn(|at| n.to_be_bytes()[at % 4]));
        let asset = random.gen_range(0..2_u8);
        let mut who = |from: u8| AccountId([asset + 2 * random.gen_range(from..21_u8); 16]);
        let (debit, credit) = if n % 5 == 0 { (AccountId([asset; 16]), who(1)) } else { (who(1), who(0)) };
        let amount = random.gen_range(1..if n % 5 == 0 { 1_000_000 } else { 60_000 });
        let movement = match random.gen_range(0..8) {
            0 => Movement::Pending { debit, credit, amount, expires_ms: None, refunds: None },
            1 => Movement::Post { pending: id(random.gen_range(0..=n)), amount: random.gen_range(1..30_000) },
            2 => Movement::Void { pending: id(random.gen_range(0..=n)) },
            _ => Movement::Posted { debit, credit, amount, refunds: None },
        };
        let transfer = Transfer { id: id(n), movement, purpose: Purpose::Payment, about: [0; 16] };
        let _ = apply(&mut books, &Event::Chain(vec![transfer]), u64::from(n) * 7_000_000);
    }
    (books, Names(names))
}

fn journal(books: &Memory, names: &Names) -> String {
    let mut text = String::new();
    hledger::begin(&mut text, "a made-up ledger", names, &[EUR, POINTS]).unwrap();
    let mut entries: Vec<_> = books.entries().collect();
    entries.sort_unstable_by_key(|entry| (entry.number, entry.transfer.id));
    entries.iter().for_each(|entry| hledger::entry(&mut text, names, entry).unwrap());
    let mut accounts: Vec<&Account> = books.accounts().collect();
    accounts.sort_unstable_by_key(|account| account.id);
    hledger::end(&mut text, names, accounts.into_iter(), entries.last().unwrap().at_ms).unwrap();
    text
}

/// What hledger answers, and whether it was content. `None` where there is none.
fn ask(journal: &str, arguments: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("hledger");
    command.args(["--file", "-"]).args(arguments).env("LC_ALL", "C.UTF-8");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.inspect_err(|error| println!("NOT RUN for want of hledger: {error}")).ok()?;
    child.stdin.take().unwrap().write_all(journal.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(text).unwrap()))
}

#[test]
fn hledger_comes_to_the_same_balances() {
    for seed in 0..4 {
        let (books, names) = story(seed);
        let posted = books.entries().filter(|entry| entry.is_posted()).count();
        assert!(posted > 900, "only {posted} transfers moved anything");
        let text = journal(&books, &names);
        let Some((is_good, said)) = ask(&text, &["check"]) else { return };
        assert!(is_good, "{said}");
        // Not only that it agrees with what the journal asserts: what it says by itself.
        let (_, table) =
            ask(&text, &["balance", "--flat", "--empty", "--layout=bare", "-O", "csv", "--no-total"])
                .unwrap();
        let rows: BTreeMap<(String, String), String> = table
            .lines()
            .skip(1)
            .map(|line| {
                line.trim_matches('"').split("\",\"").map(|cell| cell.replace("\"\"", "\"")).collect()
            })
            .map(|cells: Vec<String>| ((cells[0].clone(), cells[1].clone()), cells[2].clone()))
            .collect();
        let own = books
            .accounts()
            .filter(|account| account.balances.debits_posted + account.balances.credits_posted > 0);
        for account in own {
            let (commodity, scale) =
                if account.asset == EUR { ("EUR of home.example", 2) } else { ("★ points or so", 0) };
            let name: String = names.0[&account.id].1.replace([' ', ';'], "-");
            let known = rows.get(&(name.clone(), commodity.to_owned()));
            let is = format_amount(-account.balances.net(), scale);
            assert_eq!(known.map(String::as_str), Some(is.as_str()), "{name} in {table}");
        }
    }
}

#[test]
fn hledger_notices_a_unit_too_much() {
    let (books, names) = story(9);
    let mut wrong = Memory::default();
    let mut touched = false;
    for account in books.accounts() {
        let mut account = account.clone();
        if !touched && account.balances.credits_posted > 0 {
            account.balances.credits_posted += 1;
            touched = true;
        }
        wrong.put_account(account);
    }
    books.entries().for_each(|entry| wrong.put_entry(*entry));
    let Some((is_good, said)) = ask(&journal(&wrong, &names), &["check"]) else { return };
    assert!(touched && !is_good && said.contains("alance assertion"), "{said}");
}
