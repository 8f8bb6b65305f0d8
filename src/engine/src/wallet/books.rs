//! The node's signed days, as this device finds them: it takes the node's word for nothing that it can work out itself.
//!
//! Roots count under the key that is pinned ([`super::trust`]). What is kept here is which root was shown of each of the last days: a
//! node that tells another story later is found out.

use super::{asset_view, id, trust};
use crate::account::me;
use crate::api::{
    BooksAccountView, BooksCall, BooksDayView, BooksLineView, BooksOwnView, BooksReply, BooksSumView,
    BooksView, Reply,
};
use crate::error::{Refusal, call_error};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use serde::{Deserialize, Serialize};
use weft_ledger::{
    Hold,
    proof::{self, Flaw},
};
use weft_wire::wallet::{
    AccountList, AccountProof, DayRoot, Hash, RootInfo, RootList, TransferProof, Witness,
};
use weft_wire::{AccountId, AssetId, Code, NodeName, Signed, TransferId};

const SEEN: &[u8] = b"w/roots";
/// Days of which it is kept which root was shown.
const DAYS_MAX: usize = 64;
/// Pages of one day's entries that are asked for.
const PAGES_MAX: usize = 64;
const CHANGED: &str = "changed";
const SUMS: &str = "sums";

/// What was shown before.
#[derive(Default, Serialize, Deserialize)]
struct Seen {
    days: Vec<(u64, Hash)>,
}

/// Whose days these are, and by which key.
struct Trust {
    node: NodeName,
    key: [u8; 32],
}

/// What a line of one's history says.
struct Line {
    number: u64,
    /// What went out has a minus.
    amount: String,
    /// On one of these it was: one's own, or one's float as a cash agent. They follow from one's name: the node has no say in it.
    own: [AccountId; 2],
}

impl Line {
    /// Whether this is what moved.
    fn is_moved(&self, moved: &Hold) -> bool {
        let sides = [(moved.debit, "-"), (moved.credit, "")];
        let amount = moved.amount.to_string();
        sides.iter().any(|(side, sign)| {
            self.own.contains(side) && self.amount.strip_prefix(*sign) == Some(amount.as_str())
        })
    }
}

/// Answers a call about signed days.
pub(super) async fn answer(cx: &Cx, call: BooksCall) -> Result<Reply, Refusal> {
    let reply = match call {
        BooksCall::Books { before } => BooksReply::Books(books(cx, before).await?),
        BooksCall::BooksOwn { day } => BooksReply::BooksOwn(own(cx, day as u64).await?),
        BooksCall::BooksLine { id: transfer, number, amount, asset } => {
            let name = cx.with(|s| me(s).map(|me| me.user.name.clone()))?;
            let asset: AssetId = id("asset", &asset)?;
            let own = [AccountId::of_person(&name, asset), AccountId::of_agent(&name, asset)];
            let said = Line { number: number as u64, amount, own };
            BooksReply::BooksLine(line(cx, id("id", &transfer)?, &said).await?)
        }
    };
    Ok(Reply::Books(reply))
}

fn word(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Signature => "signature",
        Flaw::Uneven => "uneven",
        Flaw::Chain => "chain",
        Flaw::Entry => "entry",
        Flaw::Balance => "balance",
    }
}

/// What a root says, if it is right in itself and the one that was shown before.
fn open(s: &mut State, trust: &Trust, root: &Signed<DayRoot>) -> Result<DayRoot, &'static str> {
    let known = proof::check_root(root, &trust.node, &trust.key).map_err(word)?;
    let mut seen = s.load::<Seen>(SEEN).unwrap_or_default();
    let hash = Hash::of_root(root);
    match seen.days.binary_search_by_key(&known.day, |(day, _)| *day) {
        Ok(at) if seen.days.get(at).is_some_and(|(_, before)| *before == hash) => {}
        Ok(_) => return Err(CHANGED),
        Err(at) => {
            seen.days.insert(at, (known.day, hash));
            // The oldest ones go.
            let over = seen.days.len().saturating_sub(DAYS_MAX);
            seen.days.drain(..over);
            s.store(SEEN, &seen);
        }
    }
    Ok(known)
}

async fn list(cx: &Cx, before: Option<u64>) -> Result<(RootList, Trust), Refusal> {
    let before = before.map(|day| format!("?before={day}")).unwrap_or_default();
    let list: RootList = http::get(cx, &format!("wallet/roots{before}")).await?;
    let node = cx.with(|s| me(s).map(|me| me.user.node.clone()))?;
    Ok((list, Trust { node, key: trust::key(cx).await? }))
}

async fn books(cx: &Cx, before: Option<f64>) -> Result<BooksView, Refusal> {
    let (list, trust) = list(cx, before.map(|day| day as u64)).await?;
    // The last of a page only shows what the one after it goes on from; the next page begins with it.
    let count = list.roots.len();
    let count = if list.more && count > 1 { count - 1 } else { count };
    let mut days = Vec::new();
    for (at, info) in list.roots.iter().take(count).enumerate() {
        let older = list.roots.get(at + 1).map(|older| &older.root);
        days.push(cx.with(|s| day(s, &trust, info, older)));
    }
    Ok(BooksView { days, more: list.more })
}

fn day(s: &mut State, trust: &Trust, info: &RootInfo, older: Option<&Signed<DayRoot>>) -> BooksDayView {
    let checked = open(s, trust, &info.root);
    let broken = |root: &DayRoot| older.and_then(|older| proof::check_chain(root, older).err().map(word));
    let flaw = checked.as_ref().map_or_else(|flaw| Some(*flaw), broken);
    let said = info.root.peek().ok();
    let sums = said.iter().flat_map(|root| &root.assets).map(|sum| BooksSumView {
        asset: sum.asset.to_string(),
        issued: sum.issued.0.to_string(),
        abroad: sum.abroad.0.to_string(),
        own: sum.own.0.to_string(),
        held: sum.held.sum().to_string(),
    });
    BooksDayView {
        day: said.as_ref().map_or(0, |root| root.day) as f64,
        flaw: flaw.map(Into::into),
        events: said.as_ref().map_or(0, |root| root.events.sum()) as f64,
        witnesses: said.as_ref().map(|root| witnesses(root, info)).unwrap_or_default(),
        sums: sums.collect(),
    }
}

/// Who has signed that they saw just this root.
fn witnesses(root: &DayRoot, info: &RootInfo) -> Vec<String> {
    let hash = Hash::of_root(&info.root);
    let is_of = |word: &Witness| (&word.node, word.day, word.root) == (&root.node, root.day, hash);
    let heard = info.witnesses.iter().filter_map(|one| {
        let by = one.word.peek().ok()?.by;
        let word = one.word.verify(&by.key().unwrap_or(one.key)).ok()?;
        (is_of(&word) && by != root.node).then(|| by.to_string())
    });
    let mut names: Vec<String> = heard.collect();
    names.sort_unstable();
    names.dedup();
    names
}

async fn own(cx: &Cx, day: u64) -> Result<BooksOwnView, Refusal> {
    // The day before as well: what was there then is where the day begins.
    let (list, trust) = list(cx, Some(day + 1)).await?;
    let accounts: AccountList = http::get(cx, "wallet/accounts").await?;
    let name = cx.with(|s| me(s).map(|me| me.user.name.clone()))?;
    let mut views = Vec::new();
    for account in accounts.accounts {
        let asset = account.asset.asset;
        let own = AccountId::of_person(&name, asset.id());
        // Whose it is follows from the name: else the node could show somebody else's, with all that moved there.
        let of = |proof: &AccountProof| (account.id, proof.account, proof.asset) == (own, own, asset.id());
        let path = format!("wallet/proofs/accounts/{own}");
        let (flaw, balance, entries) = match checked(cx, &trust, (&list, day), &path, of).await? {
            Ok((balance, entries)) => (None, balance, entries),
            Err(flaw) => (Some(flaw.to_owned()), 0, 0),
        };
        views.push(BooksAccountView {
            asset: asset_view(&asset),
            flaw,
            balance: balance.to_string(),
            entries: entries as f64,
        });
    }
    Ok(BooksOwnView { day: day as f64, accounts: views })
}

/// An account's balance at the end of a day, and how many entries of it are in there; or what is wrong.
async fn checked(
    cx: &Cx,
    trust: &Trust,
    (list, day): (&RootList, u64),
    path: &str,
    of: impl Fn(&AccountProof) -> bool,
) -> Result<Result<(u128, usize), &'static str>, Refusal> {
    let mut shown: AccountProof = http::get(cx, &format!("{path}?day={day}")).await?;
    let root = match cx.with(|s| open(s, trust, &shown.root)) {
        Ok(root) if root.day == day && of(&shown) => root,
        Ok(_) => return Ok(Err(word(Flaw::Balance))),
        Err(flaw) => return Ok(Err(flaw)),
    };
    let Ok(balance) = proof::balance(&root, &shown) else { return Ok(Err(word(Flaw::Balance))) };
    let (mut moved, mut entries, mut last) = (0_i128, Vec::new(), 0);
    // The same one on all pages, whatever the later ones say.
    let account = shown.account;
    for _ in 0..PAGES_MAX {
        for event in &shown.entries {
            let Ok(entry) = proof::entry(&root, event) else { return Ok(Err(word(Flaw::Entry))) };
            if event.number < last || entries.contains(&entry.transfer.id) {
                return Ok(Err(word(Flaw::Entry)));
            }
            last = event.number;
            moved = moved.saturating_add(proof::moved(&entry, account));
            entries.push(entry.transfer.id);
        }
        if !shown.more {
            break;
        }
        shown = http::get(cx, &format!("{path}?day={day}&after={last}")).await?;
    }
    if shown.more {
        return Err(call_error("too_many", "more moved on this day than this device checks"));
    }
    let before = match before(cx, trust, &root, list, path, &of).await? {
        Ok(before) => before,
        Err(flaw) => return Ok(Err(flaw)),
    };
    let comes_to = i128::try_from(before).ok().and_then(|before| before.checked_add(moved));
    let is_right = comes_to.and_then(|sum| u128::try_from(sum).ok()) == Some(balance);
    Ok(if is_right { Ok((balance, entries.len())) } else { Err(SUMS) })
}

/// What was in the account when the day began.
async fn before(
    cx: &Cx,
    trust: &Trust,
    root: &DayRoot,
    list: &RootList,
    path: &str,
    of: impl Fn(&AccountProof) -> bool,
) -> Result<Result<u128, &'static str>, Refusal> {
    if root.before.is_none() {
        // The first day of all begins with the first event, and nothing in any account.
        let is_first = root.events.sum() == u128::from(root.last);
        return Ok(if is_first { Ok(0) } else { Err(word(Flaw::Chain)) });
    }
    let shown: AccountProof = http::get(cx, &format!("{path}?day={}", root.day.saturating_sub(1))).await?;
    let listed = list.roots.iter().any(|info| info.root == shown.root);
    let earlier = match cx.with(|s| open(s, trust, &shown.root)) {
        Ok(earlier) if listed && of(&shown) => earlier,
        Ok(_) => return Ok(Err(word(Flaw::Chain))),
        Err(flaw) => return Ok(Err(flaw)),
    };
    let follows = proof::check_chain(root, &shown.root).map_err(word);
    Ok(follows.and_then(|()| proof::balance(&earlier, &shown).map_err(word)))
}

async fn line(cx: &Cx, transfer: TransferId, said: &Line) -> Result<BooksLineView, Refusal> {
    let (list, trust) = list(cx, None).await?;
    let newest = list.roots.first().map(|info| cx.with(|s| open(s, &trust, &info.root)));
    let last = match newest {
        None => 0,
        Some(Ok(root)) => root.last,
        Some(Err(flaw)) => return Ok(BooksLineView { day: None, flaw: Some(flaw.into()) }),
    };
    if said.number > last {
        return Ok(BooksLineView { day: None, flaw: None });
    }
    let shown: TransferProof = match http::get(cx, &format!("wallet/proofs/{transfer}")).await {
        Ok(shown) => shown,
        // It must be there by now.
        Err(Failure::Problem(problem)) if problem.code == Code::NotFound => {
            return Ok(BooksLineView { day: None, flaw: Some(word(Flaw::Entry).into()) });
        }
        Err(failure) => return Err(failure.into()),
    };
    let found = cx.with(|s| open(s, &trust, &shown.root)).and_then(|root| {
        let entry = proof::entry(&root, &shown.proof).map_err(word)?;
        // What came from another node has another name there, and the number is the same.
        let is_it = entry.number == said.number && entry.moved.is_some_and(|moved| said.is_moved(&moved));
        if is_it { Ok(root.day) } else { Err(word(Flaw::Entry)) }
    });
    let (day, flaw) = found.map_or_else(|flaw| (None, Some(flaw.into())), |day| (Some(day as f64), None));
    Ok(BooksLineView { day, flaw })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
    use weft_wire::wallet::{TreeNode, WitnessWord};

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn state() -> State {
        let rng = ChaCha20Rng::from_seed([1; 32]);
        State::new(crate::kv::MemoryKv::default(), rng, 1_000, weft_wire::opaque::Stretching::LIGHT)
    }

    fn home() -> Trust {
        Trust { node: "home.example".parse().unwrap(), key: key(1).verifying_key().to_bytes() }
    }

    fn root(day: u64, last: u64) -> Signed<DayRoot> {
        let events = TreeNode::new([5; 32], 1);
        let root = DayRoot { node: home().node, day, last, events, before: None, assets: Vec::new() };
        Signed::sign(&root, &key(1))
    }

    #[test]
    fn reading_a_day_again_is_nothing_new_and_another_story_of_it_is_an_alarm() {
        let mut s = state();
        assert_eq!(open(&mut s, &home(), &root(5, 7)).unwrap().last, 7);
        assert!(open(&mut s, &home(), &root(5, 7)).is_ok());
        assert_eq!(open(&mut s, &home(), &root(5, 8)), Err(CHANGED));
        let other = Trust { key: key(2).verifying_key().to_bytes(), ..home() };
        assert_eq!(open(&mut s, &other, &root(6, 9)), Err("signature"));
        // So much is kept that the list cannot grow for ever, and the newest days are among it.
        for day in 6..200 {
            open(&mut s, &home(), &root(day, day)).unwrap();
        }
        assert_eq!(s.load::<Seen>(SEEN).unwrap().days.len(), DAYS_MAX);
        assert_eq!(open(&mut s, &home(), &root(199, 3)), Err(CHANGED));
    }

    #[test]
    fn reading_who_has_seen_a_day_counts_each_once_and_only_what_they_have_signed_of_it() {
        let signed = root(5, 7);
        let word = |by: &str, n: u8, of: &Signed<DayRoot>| {
            let by: NodeName = by.parse().unwrap();
            let (node, root) = (home().node, Hash::of_root(of));
            let word = Witness { node, day: 5, root, by, at_ms: 1 };
            WitnessWord { key: key(3).verifying_key().to_bytes(), word: Signed::sign(&word, &key(n)) }
        };
        let witnesses = vec![
            word("away.example", 3, &signed),
            word("away.example", 3, &signed),
            word("forged.example", 4, &signed),
            word("elsewhere.example", 3, &root(5, 8)),
            word("home.example", 3, &signed),
        ];
        let info = RootInfo { root: signed.clone(), witnesses };
        assert_eq!(witnesses_of(&info), ["away.example"]);
        let seen = day(&mut state(), &home(), &info, None);
        assert_eq!((seen.flaw, seen.witnesses.len()), (None, 1));
        let broken = day(&mut state(), &home(), &info, Some(&root(4, 3)));
        assert_eq!(broken.flaw.as_deref(), Some("chain"));
    }

    fn witnesses_of(info: &RootInfo) -> Vec<String> {
        witnesses(&info.root.peek().unwrap(), info)
    }
}
