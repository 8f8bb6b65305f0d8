//! A node signs its days, and lies about them: to each lie a device says what is wrong, and to what is true nothing.

use crate::support::books::{
    AFTER, ALICE, BOB, Books, CAROL, DAY, KEY, close, events, first_day, paid, sign,
};
use crate::support::money::{Money, euro, signer};
use crate::support::{World, story::*};
use weft_engine::api::{BooksCall, BooksReply, Call, CallError, Reply};
use weft_wire::wallet::{Hash, Sum, TreeNode};
use weft_wire::{Blob, Signed};

/// Alice, who has seen none of the node's days.
fn alice() -> World {
    let mut world = World::new();
    world.node.money = Money::with(KEY);
    let at = world.device();
    sign_up(&mut world, at, "alice");
    world.settle(5_000);
    world
}

fn ask(world: &mut World, call: BooksCall) -> Result<BooksReply, CallError> {
    match world.try_call(0, Call::Books(call))? {
        Reply::Books(reply) => Ok(reply),
        other => panic!("{other:?}"),
    }
}

/// What is wrong with alice's part of the day; or her balance, and how many entries of hers are in it.
fn own(world: &mut World) -> Result<(String, f64), String> {
    let reply = ask(world, BooksCall::BooksOwn { day: DAY as f64 });
    let Ok(BooksReply::BooksOwn(own)) = reply else { panic!("{reply:?}") };
    assert_eq!((own.day, own.accounts.len()), (DAY as f64, 1));
    let account = own.accounts.into_iter().next().unwrap();
    account.flaw.map_or(Ok((account.balance, account.entries)), Err)
}

/// What is wrong with the day as it stands in the list.
fn listed(world: &mut World) -> Option<String> {
    let reply = ask(world, BooksCall::Books { before: None });
    let Ok(BooksReply::Books(books)) = reply else { panic!("{reply:?}") };
    assert_eq!(books.days[0].day, DAY as f64);
    books.days[0].flaw.clone()
}

/// The day in which a line is, or what is wrong with it.
fn line(world: &mut World, number: u64, amount: &str) -> Result<Option<f64>, String> {
    let (id, asset) = ("05".repeat(16), euro().id().to_string());
    let call = BooksCall::BooksLine { id, number: number as f64, amount: amount.into(), asset };
    let reply = ask(world, call);
    let Ok(BooksReply::BooksLine(line)) = reply else { panic!("{reply:?}") };
    line.flaw.map_or(Ok(line.day), Err)
}

fn good() -> Result<(String, f64), String> {
    Ok(("57".into(), 3.0))
}

type Lie = fn(&mut Books);
/// What the node does, how, and what that is to whoever looks for their own and at the list.
type Row = (&'static str, Lie, &'static str, Option<&'static str>);

fn each_is_found_out(rows: &[Row]) {
    for (what, lie, flaw, flaw_in_list) in rows {
        let mut books = Books::honest();
        lie(&mut books);
        let mut world = alice();
        books.tell(&mut world.node);
        assert_eq!(own(&mut world), Err((*flaw).to_owned()), "{what}");
        assert_eq!(listed(&mut world).as_deref(), *flaw_in_list, "{what}");
    }
}

#[test]
fn a_day_that_is_right_is_right_however_often_it_is_looked_at() {
    let mut world = alice();
    Books::honest().tell(&mut world.node);
    for _ in 0..2 {
        assert_eq!(own(&mut world), good());
        assert_eq!(listed(&mut world), None);
        assert_eq!(line(&mut world, 5, "7"), Ok(Some(DAY as f64)));
    }
    assert_eq!(line(&mut world, 7, "7"), Ok(None), "no day is signed yet in which that could be");
}

#[test]
fn an_entry_that_is_left_out_or_put_in_is_found_out() {
    each_is_found_out(&[
        ("the last is left out", |books| books.pages[1].entries.clear(), "sums", None),
        ("the first is left out", |books| drop(books.pages[0].entries.remove(0)), "sums", None),
        ("the second page is not shown", |books| books.pages[0].more = false, "sums", None),
        (
            "another one of as much is shown twice",
            |books| books.pages[1].entries = vec![books.pages[0].entries[0].clone()],
            "entry",
            None,
        ),
        (
            "the same one at once",
            |books| books.pages[0].entries[1] = books.pages[0].entries[0].clone(),
            "entry",
            None,
        ),
        ("they are in another order", |books| books.pages[0].entries.reverse(), "entry", None),
        (
            "it says another amount",
            |books| {
                let forged = weft_wire::encode(&paid(6, ALICE, BOB, 9));
                books.pages[1].entries[0].entry = Blob(forged);
            },
            "entry",
            None,
        ),
        (
            "one of another story of the day is shown",
            |books| {
                let story = [paid(3, ALICE, BOB, 10), paid(4, BOB, CAROL, 5), paid(5, BOB, ALICE, 7)];
                let other = Books::of(&[&story[..], &[paid(6, ALICE, BOB, 9)]].concat(), AFTER);
                books.pages[1].entries = other.pages[1].entries.clone();
            },
            "entry",
            None,
        ),
    ]);
}

#[test]
fn a_balance_that_is_not_what_is_counted_is_found_out() {
    each_is_found_out(&[
        ("more is said", |books| books.pages[0].pieces[0].amount.0 += 1, "balance", None),
        ("a part is not said", |books| drop(books.pages[0].pieces.pop()), "sums", None),
        ("nothing is said", |books| books.pages[0].pieces.clear(), "sums", None),
        (
            "a part is said twice",
            |books| {
                let piece = books.pages[0].pieces[0].clone();
                books.pages[0].pieces.push(piece);
            },
            "balance",
            None,
        ),
        (
            "bob's is shown for hers",
            |books| {
                let first = first_day();
                let closed = close(DAY, Some(&first.root), &events(), AFTER);
                let entries = std::mem::take(&mut books.pages[0].entries);
                books.pages[0] = closed.accounts[1].clone();
                (books.pages[0].entries, books.pages[0].more) = (entries, true);
            },
            "balance",
            None,
        ),
        ("bob's account is called hers", |books| books.hers = BOB, "balance", None),
        ("hers is called another asset's", |books| books.pages[0].asset.0[0] ^= 1, "balance", None),
        ("more is said of the day before", |books| books.before.pieces[0].amount.0 += 1, "balance", None),
        ("nothing is said of the day before", |books| books.before.pieces.clear(), "sums", None),
        (
            "bob's of the day before is shown for hers",
            |books| books.before = first_day().accounts[1].clone(),
            "chain",
            None,
        ),
        (
            "ten of hers are counted as bob's",
            |books| *books = Books::of(&events(), [(ALICE, 47), (BOB, 48), (CAROL, 5)]),
            "sums",
            None,
        ),
    ]);
}

#[test]
fn what_others_paid_does_not_count_as_hers_on_any_page() {
    // Five of hers are gone, and what bob has paid is shown with it, as if she were him.
    let mut books = Books::of(&events(), [(ALICE, 52), (BOB, 43), (CAROL, 5)]);
    let first = first_day();
    let closed = close(DAY, Some(&first.root), &events(), [(ALICE, 52), (BOB, 43), (CAROL, 5)]);
    books.pages[0].entries = vec![closed.proofs[0].clone()];
    let page = |nth: usize, more| {
        let mut page = books.pages[1].clone();
        (page.entries, page.more) = (vec![closed.proofs[nth].clone()], more);
        page
    };
    let mut pages = vec![books.pages[0].clone(), page(1, true), page(2, true), page(3, false)];
    pages[1].account = BOB;
    books.pages = pages;
    let mut world = alice();
    books.tell(&mut world.node);
    assert_eq!(own(&mut world), Err("sums".into()));
}

#[test]
fn a_proof_to_another_root_is_found_out() {
    each_is_found_out(&[
        ("to that of the day before", |books| books.pages[0].root = books.roots[1].clone(), "balance", None),
        (
            "the whole day before is shown as the day",
            |books| books.pages = vec![books.before.clone()],
            "balance",
            None,
        ),
        ("the day is shown as the day before", |books| books.before = books.pages[0].clone(), "chain", None),
        ("the day before is not in the list", |books| drop(books.roots.pop()), "chain", None),
        (
            "the day before was another one",
            |books| {
                let first = [paid(1, BOB, ALICE, 90), paid(2, ALICE, BOB, 30)];
                let other = close(DAY - 1, None, &first, [(ALICE, 60), (BOB, 30), (CAROL, 10)]);
                books.before = other.accounts[0].clone();
                books.roots[1] = sign(&other.root);
            },
            "chain",
            Some("chain"),
        ),
        ("it names no day before", |books| books.bend(|root| root.before = None), "chain", Some("chain")),
        (
            "it names another day before",
            |books| books.bend(|root| root.before = Some(Hash([1; 32]))),
            "chain",
            Some("chain"),
        ),
        ("an event was left out", |books| books.bend(|root| root.last += 1), "entry", Some("chain")),
    ]);
}

#[test]
fn sums_that_are_not_what_is_held_are_found_out() {
    each_is_found_out(&[
        (
            "more was given out than is held",
            |books| books.bend(|root| root.assets[0].issued = Sum(110)),
            "uneven",
            Some("uneven"),
        ),
        (
            "less was given out than is held",
            |books| books.bend(|root| root.assets[0].issued = Sum(90)),
            "uneven",
            Some("uneven"),
        ),
        (
            "more is abroad",
            |books| books.bend(|root| root.assets[0].abroad = Sum(1)),
            "uneven",
            Some("uneven"),
        ),
        (
            "an asset has two sums",
            |books| books.bend(|root| root.assets.push(root.assets[0])),
            "uneven",
            Some("uneven"),
        ),
        // These are even; but whoever looks for their own does not find it in there.
        (
            "more was given out, and more is said to be held",
            |books| {
                books.bend(|root| {
                    let sum = &mut root.assets[0];
                    let hash = sum.held.hash().try_into().unwrap();
                    (sum.issued, sum.held) = (Sum(110), TreeNode::new(hash, 110));
                });
            },
            "balance",
            None,
        ),
        ("nothing is said to be there", |books| books.bend(|root| root.assets.clear()), "balance", None),
    ]);
}

#[test]
fn what_the_node_has_not_signed_is_found_out() {
    each_is_found_out(&[
        (
            "another key",
            |books| {
                let root = books.roots[0].peek().unwrap();
                books.show(&Signed::sign(&root, &signer([8; 32])));
            },
            "signature",
            Some("signature"),
        ),
        (
            "another node's day",
            |books| books.bend(|root| root.node = "away.example".parse().unwrap()),
            "signature",
            Some("signature"),
        ),
        (
            "another key, where the list is right",
            |books| {
                let root = books.roots[0].peek().unwrap();
                books.pages[0].root = Signed::sign(&root, &signer([8; 32]));
            },
            "signature",
            None,
        ),
        (
            "another key for the day before",
            |books| {
                let root = Signed::sign(&books.roots[1].peek().unwrap(), &signer([8; 32]));
                (books.before.root, books.roots[1]) = (root.clone(), root);
            },
            "signature",
            // That day is; this one goes on from what it says.
            None,
        ),
    ]);
}

#[test]
fn a_day_of_which_another_story_was_shown_before_is_an_alarm() {
    let mut world = alice();
    Books::honest().tell(&mut world.node);
    assert_eq!(own(&mut world), good());
    // Ten cents were never paid: a whole day, signed and right in itself.
    let mut story = events();
    story[3] = paid(6, CAROL, BOB, 1);
    let mut other = Books::of(&story, [(ALICE, 67), (BOB, 29), (CAROL, 4)]);
    other.pages[0].more = false;
    other.tell(&mut world.node);
    let changed = "changed".to_owned();
    assert_eq!(own(&mut world), Err(changed.clone()));
    assert_eq!(listed(&mut world), Some(changed.clone()));
    assert_eq!(line(&mut world, 5, "7"), Err(changed));
    // Who sees only this one cannot know; who has seen the other one goes on believing that.
    let mut newcomer = alice();
    other.tell(&mut newcomer.node);
    assert_eq!(own(&mut newcomer), Ok(("67".into(), 2.0)));
    Books::honest().tell(&mut world.node);
    assert_eq!(own(&mut world), good());
}

#[test]
fn pages_without_an_end_are_not_read_for_ever() {
    let mut books = Books::honest();
    books.pages[1].entries.clear();
    books.pages[1].more = true;
    let mut world = alice();
    books.tell(&mut world.node);
    let refused = ask(&mut world, BooksCall::BooksOwn { day: DAY as f64 }).expect_err("a refusal");
    assert_eq!(refused.code, "too_many");
}

#[test]
fn a_line_that_is_not_what_is_in_the_day_is_found_out() {
    let of_newest: Lie = |books| {
        let root = books.roots[0].peek().unwrap();
        books.roots[0] = Signed::sign(&root, &signer([8; 32]));
    };
    let rows: [(&str, Lie, (u64, &str), &str); 8] = [
        ("another amount", |_| (), (5, "8"), "entry"),
        ("another number", |_| (), (6, "7"), "entry"),
        ("it is said not to be there", |books| books.line = None, (5, "7"), "entry"),
        (
            "another entry is shown",
            |books| books.line.as_mut().unwrap().proof = books.pages[0].entries[0].clone(),
            (5, "7"),
            "entry",
        ),
        (
            "it is changed",
            |books| {
                let forged = weft_wire::encode(&paid(5, BOB, ALICE, 8));
                books.line.as_mut().unwrap().proof.entry = Blob(forged);
            },
            (5, "8"),
            "entry",
        ),
        (
            "to the root of the day before",
            |books| books.line.as_mut().unwrap().root = books.roots[1].clone(),
            (5, "7"),
            "entry",
        ),
        (
            "to a root that the node has not signed",
            |books| {
                let root = books.roots[0].peek().unwrap();
                books.line.as_mut().unwrap().root = Signed::sign(&root, &signer([8; 32]));
            },
            (5, "7"),
            "signature",
        ),
        ("the newest day is not signed by the node", of_newest, (5, "7"), "signature"),
    ];
    for (what, lie, (number, amount), flaw) in rows {
        let mut books = Books::honest();
        lie(&mut books);
        let mut world = alice();
        books.tell(&mut world.node);
        assert_eq!(line(&mut world, number, amount), Err(flaw.to_owned()), "{what}");
    }
}

/// All of these are in the signed day and right in themselves; but not each is hers, or went this way.
#[test]
fn a_line_that_is_somebody_elses_is_found_out() {
    for (at, (number, amount), is_hers) in [
        (0, (3, "-10"), true),
        (0, (3, "10"), false),
        (1, (4, "5"), false),
        (1, (4, "-5"), false),
        (2, (5, "7"), true),
        (2, (5, "-7"), false),
        (2, (5, "--7"), false),
    ] {
        let mut books = Books::honest();
        books.line.as_mut().unwrap().proof = books.events[at].clone();
        let mut world = alice();
        books.tell(&mut world.node);
        let told = if is_hers { Ok(Some(DAY as f64)) } else { Err("entry".to_owned()) };
        assert_eq!(line(&mut world, number, amount), told, "{number}: {amount}");
    }
}
