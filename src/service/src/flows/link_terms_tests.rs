//! What two operators do to come to terms: what is signed is what was seen, what is offered can be taken back, and what both have
//! signed stays readable.

use super::{
    FlowError,
    federated_tests::key,
    link_tests::{AWAY, HOME, Pair, code_of, wish},
};
use crate::federation::tests::support::signing_key;
use crate::wallet::{CoveredWish, LinkTrouble, RateWish, TermsWish, WalletError, hex, tests::euro};
use weft_wire::{
    Code, NodeName, Problem, Signed,
    link_terms::{LinkTerms, SignedTerms, TermsStanding},
    wallet::Intent,
};

impl Pair {
    async fn offer(&self, at: usize, wish: TermsWish) -> Result<String, FlowError> {
        self.worlds[at].service.flows().propose_terms(&self.worlds[1 - at].name, wish).await
    }

    async fn sign(&self, at: usize, digest: &str) -> Result<(), FlowError> {
        self.worlds[at].service.flows().accept_terms(&self.worlds[1 - at].name, digest).await
    }

    async fn take_back(&self, at: usize) -> Result<(), FlowError> {
        self.worlds[at].service.flows().withdraw_terms(&self.worlds[1 - at].name).await
    }

    async fn terms(&self, at: usize) -> LinkTerms {
        self.worlds[at].service.wallet().link_terms(&self.worlds[1 - at].name).await.unwrap()
    }

    async fn standings(&self, at: usize) -> Vec<(TermsStanding, String)> {
        let terms = self.terms(at).await.terms;
        terms.into_iter().map(|row| (row.standing, row.terms.assets[0].1.clone())).collect()
    }
}

fn seen(limit: &str, digest: &str) -> TermsWish {
    TermsWish { seen: Some(digest.to_owned()), ..wish(limit) }
}

fn stands(rows: &[(TermsStanding, &str)]) -> Vec<(TermsStanding, String)> {
    rows.iter().map(|(standing, limit)| (*standing, (*limit).to_owned())).collect()
}

/// Which conflict it is.
fn part<T: std::fmt::Debug>(result: Result<T, FlowError>) -> (Code, Option<String>) {
    let problem = Problem::from(result.unwrap_err());
    (problem.code, problem.field)
}

#[tokio::test]
async fn what_is_accepted_is_what_was_looked_at() {
    let pair = Pair::strangers().await;
    let first = pair.offer(HOME, seen("100", "")).await.unwrap();
    pair.carry().await;
    assert_eq!(pair.standings(AWAY).await, stands(&[(TermsStanding::Asked, "100.00")]));
    // While bob's operator looks at it, alice's writes another.
    let second = pair.offer(HOME, seen("90", "")).await.unwrap();
    pair.carry().await;
    assert_eq!(code_of(pair.sign(AWAY, &first).await), Code::NotFound);
    assert_eq!(code_of(pair.sign(AWAY, &second[..63]).await), Code::NotFound);
    pair.sign(AWAY, &second).await.unwrap();
    // Two of them at once, or one who hears no answer: it is signed once.
    pair.sign(AWAY, &second).await.unwrap();
    assert_eq!(code_of(pair.sign(AWAY, &first).await), Code::NotFound);
    pair.carry().await;
    for at in [HOME, AWAY] {
        assert_eq!(pair.standings(at).await, stands(&[(TermsStanding::InForce, "90.00")]), "{at}");
    }
    pair.sign(HOME, &second).await.unwrap();
}

#[tokio::test]
async fn two_owners_who_change_the_same_terms_do_not_undo_each_other() {
    let pair = Pair::new().await;
    let known = pair.terms(HOME).await.terms[0].terms.digest.clone();
    let lower = pair.offer(HOME, seen("40", &known)).await.unwrap();
    assert_eq!(pair.offer(HOME, seen("40", &known)).await.unwrap(), lower, "the same again is one");
    pair.offer(HOME, seen("60", &known)).await.unwrap();
    let both = [(TermsStanding::Offered, "60.00"), (TermsStanding::Offered, "40.00")];
    assert_eq!(pair.standings(HOME).await[..2], stands(&both), "the other may sign either");
    pair.carry().await;
    let asked = pair.terms(AWAY).await.terms.remove(0);
    assert_eq!((asked.standing, asked.terms.assets[0].1.as_str()), (TermsStanding::Asked, "60.00"));
    pair.sign(AWAY, &asked.terms.digest).await.unwrap();
    pair.carry().await;
    // Whoever looked at those of before has to look again.
    let moved = (Code::Conflict, Some("terms_moved".to_owned()));
    assert_eq!(part(pair.offer(HOME, seen("80", &known)).await), moved);
    assert_eq!(
        part(pair.offer(AWAY, TermsWish { seen: Some(String::new()), ..TermsWish::default() }).await),
        moved
    );
    assert_eq!(code_of(pair.sign(AWAY, &lower).await), Code::NotFound);
    assert_eq!(pair.row(HOME).await.terms.unwrap().assets[0].1, "60.00");
}

#[tokio::test]
async fn what_cannot_be_terms_is_named() {
    let pair = Pair::strangers().await;
    for bad in ["-1", "", "1e5", "1,000", "1.234", "184467440737095516.16", "99999999999999999999999", "all"]
    {
        let outcome = part(pair.offer(HOME, wish(bad)).await);
        assert_eq!(outcome, (Code::InvalidField, Some("limit".to_owned())), "{bad}");
    }
    let theirs =
        |scale| CoveredWish { code: "USD".parse().unwrap(), is_theirs: true, scale, limit: "5".into() };
    for scale in [None, Some(13), Some(255)] {
        let wish = TermsWish { assets: vec![theirs(scale)], ..TermsWish::default() };
        assert_eq!(part(pair.offer(HOME, wish).await), (Code::InvalidField, Some("asset".to_owned())));
    }
    let unknown = CoveredWish { is_theirs: false, ..theirs(None) };
    let outcome = pair.offer(HOME, TermsWish { assets: vec![unknown], ..TermsWish::default() }).await;
    assert_eq!(code_of(outcome), Code::NotFound, "this node issues no dollars");
    assert_eq!(part(pair.offer(HOME, TermsWish::default()).await).1.as_deref(), Some("assets"));
    for lifetime_ms in [0, u64::MAX] {
        let wish = TermsWish { lifetime_ms: Some(lifetime_ms), ..wish("5") };
        assert_eq!(part(pair.offer(HOME, wish).await), (Code::Conflict, Some("lifetime".to_owned())));
    }
    let rate = |give_theirs: bool, rate: &str| {
        let code = |theirs| if theirs { "USD" } else { "EUR" }.parse().unwrap();
        let (gives_theirs, gets_theirs, rate) = (give_theirs, !give_theirs, Some(rate.to_owned()));
        let (give, get) = (code(gives_theirs), code(gets_theirs));
        RateWish { give, gives_theirs, get, gets_theirs, rate, until_ms: u64::MAX }
    };
    let with = |rates: Vec<RateWish>| {
        let TermsWish { mut assets, .. } = wish("5");
        assets.push(theirs(Some(2)));
        TermsWish { assets, rates, ..TermsWish::default() }
    };
    for bad in ["0", "-1", "1,5", "1e3", ".5"] {
        let outcome = part(pair.offer(HOME, with(vec![rate(false, bad)])).await);
        assert_eq!(outcome, (Code::InvalidField, Some("rate".to_owned())), "{bad}");
    }
    // There and back again would be more than before.
    let gains = with(vec![rate(false, "1.10"), rate(true, "0.92")]);
    assert_eq!(part(pair.offer(HOME, gains).await), (Code::Conflict, Some("gain".to_owned())));
    // Nothing of all that was kept, or said.
    assert!(pair.terms(HOME).await.terms.is_empty());
    pair.offer(HOME, with(vec![rate(false, "1.10"), rate(true, "0.90")])).await.unwrap();
    pair.carry().await;
    let asked = pair.terms(AWAY).await.terms.remove(0);
    assert_eq!((asked.standing, asked.terms.rates.len()), (TermsStanding::Asked, 2));
}

#[tokio::test]
async fn a_node_that_was_never_met_is_offered_nothing() {
    let pair = Pair::strangers().await;
    let nobody: NodeName = "nobody.example".parse().unwrap();
    let flows = pair.worlds[HOME].service.flows();
    assert_eq!(code_of(flows.propose_terms(&nobody, wish("5")).await), Code::NotFound);
    assert_eq!(code_of(flows.accept_terms(&nobody, "00").await), Code::NotFound);
    assert_eq!(code_of(flows.withdraw_terms(&nobody).await), Code::NotFound);
    assert_eq!(code_of(flows.thaw_link(&nobody, 0, None).await), Code::NotFound);
    let own = pair.worlds[HOME].name.clone();
    assert!(flows.propose_terms(&own, wish("5")).await.is_err());
    let stopped = pair.worlds[HOME].service.wallet().freeze_link(&nobody).await;
    assert!(matches!(stopped, Err(WalletError::Link(LinkTrouble::NoLink))), "{stopped:?}");
}

#[tokio::test]
async fn what_is_taken_back_can_be_signed_by_nobody_once_the_other_node_knows() {
    let pair = Pair::strangers().await;
    assert_eq!(code_of(pair.take_back(HOME).await), Code::NotFound, "nothing is offered");
    let offered = pair.offer(HOME, wish("100")).await.unwrap();
    pair.carry().await;
    let away = key(&pair.worlds[AWAY]);
    pair.net.state.lock().away.insert(away);
    pair.take_back(HOME).await.unwrap();
    pair.take_back(HOME).await.unwrap();
    assert!(pair.round(HOME).await.is_err(), "there is nobody");
    assert_eq!(pair.standings(HOME).await, stands(&[(TermsStanding::Withdrawn, "100.00")]));
    pair.net.back(away);
    pair.carry().await;
    for at in [HOME, AWAY] {
        assert!(pair.terms(at).await.terms.is_empty(), "{at}");
    }
    assert_eq!(code_of(pair.sign(AWAY, &offered).await), Code::NotFound);
    // It may be offered anew, and be signed then.
    assert_eq!(pair.offer(HOME, wish("100")).await.unwrap(), offered);
    pair.carry().await;
    pair.sign(AWAY, &offered).await.unwrap();
    pair.carry().await;
    for at in [HOME, AWAY] {
        assert_eq!(pair.standings(at).await, stands(&[(TermsStanding::InForce, "100.00")]), "{at}");
    }
}

#[tokio::test]
async fn what_was_signed_before_the_other_node_knew_is_in_force() {
    let mut pair = Pair::new().await;
    let offered = pair.offer(HOME, wish("30")).await.unwrap();
    pair.carry().await;
    // Both at the same moment.
    pair.take_back(HOME).await.unwrap();
    pair.sign(AWAY, &offered).await.unwrap();
    pair.carry().await;
    for at in [HOME, AWAY] {
        let expected = [(TermsStanding::InForce, "30.00"), (TermsStanding::Past, "100.00")];
        assert_eq!(pair.standings(at).await, stands(&expected), "{at}");
    }
    assert_eq!(code_of(pair.take_back(HOME).await), Code::NotFound);
    assert_eq!(code_of(pair.pay(HOME, 3_001, Intent::Payment).await), Code::LinkLimit);
    pair.pay(HOME, 3_000, Intent::Payment).await.unwrap();
    pair.carry().await;
    pair.is_sound().await;
}

#[tokio::test]
async fn all_terms_that_both_have_signed_stay_with_both_signatures() {
    let pair = Pair::new().await;
    pair.worlds.iter().for_each(|world| world.clock.advance(1_000));
    pair.agree("50").await;
    let told = [pair.terms(HOME).await.terms, pair.terms(AWAY).await.terms];
    let (start, later) = (crate::testing::START_MS, crate::testing::START_MS + 1_000);
    for terms in &told {
        let rows: Vec<_> = terms.iter().map(|row| (row.standing, row.terms.version, row.at_ms)).collect();
        let expected = [(TermsStanding::InForce, 2, Some(later)), (TermsStanding::Past, 1, Some(start))];
        assert_eq!(rows, expected);
    }
    let [home, away] = &told;
    for (one, other) in home.iter().zip(away) {
        let both = |row: &SignedTerms| (row.own.clone().unwrap(), row.theirs.clone().unwrap());
        let (ours, theirs) = both(one);
        assert_eq!((theirs.clone(), ours.clone()), both(other), "each has the signatures of both");
        assert_eq!((ours.len(), one.terms.digest == other.terms.digest), (128, true));
        assert_ne!(ours, theirs);
    }
    assert_eq!(pair.terms(HOME).await.frozen, None);
    pair.worlds[HOME].service.wallet().freeze_link(&pair.worlds[AWAY].name).await.unwrap();
    assert!(pair.terms(HOME).await.frozen.is_some());
    let table = pair.terms(HOME).await.table();
    assert_eq!(table[0][0], "link");
    assert_eq!(table.iter().filter(|row| row[0] == "terms").count(), 2);
}

/// Points are issued beside the euros.
async fn with_points() -> Pair {
    let pair = Pair::strangers().await;
    let points = weft_wire::wallet::DefineAsset { code: "PTS".parse().unwrap(), ..euro() };
    pair.worlds[HOME].service.wallet().define(points).await.unwrap();
    pair
}

/// Euros, points, and what the other node issues, at these rates.
fn at_rates(rates: &[(&str, &str, &str)]) -> TermsWish {
    let covered = |code: &str, is_theirs| CoveredWish {
        code: code.parse().unwrap(),
        is_theirs,
        scale: is_theirs.then_some(2),
        limit: "100".into(),
    };
    let rate = |(give, get, rate): &(&str, &str, &str)| RateWish {
        give: give.parse().unwrap(),
        gives_theirs: *give == "ACME",
        get: get.parse().unwrap(),
        gets_theirs: *get == "ACME",
        rate: Some((*rate).into()),
        until_ms: u64::MAX,
    };
    TermsWish {
        assets: vec![covered("EUR", false), covered("PTS", false), covered("ACME", true)],
        rates: rates.iter().map(rate).collect(),
        ..TermsWish::default()
    }
}

#[tokio::test]
async fn a_ring_is_seen_though_two_offers_to_one_node_would_make_one_as_well() {
    let pair = with_points().await;
    let wallet = pair.worlds[HOME].service.wallet();
    let [away, far] = ["away.example", "far.example"].map(|name| name.parse().unwrap());
    // Only one of the two can be in force.
    let first = [("EUR", "ACME", "1"), ("ACME", "PTS", "2"), ("PTS", "ACME", "0.5"), ("ACME", "EUR", "1")];
    let second = [("EUR", "ACME", "1"), ("ACME", "PTS", "1"), ("PTS", "ACME", "1"), ("ACME", "EUR", "1")];
    for rates in [first, second] {
        wallet.propose_terms(&away, at_rates(&rates)).await.unwrap();
    }
    let dear = |of| at_rates(&[("EUR", "ACME", "1"), ("ACME", "PTS", of)]);
    for of in ["3", "2", "1.5"] {
        let gains = wallet.propose_terms(&far, dear(of)).await;
        assert_eq!(part(gains.map_err(FlowError::from)), (Code::Conflict, Some("gain".to_owned())), "{of}");
    }
    wallet.propose_terms(&far, dear("1")).await.unwrap();
}

#[tokio::test]
async fn nobody_has_more_by_exchanging_round_through_several_links() {
    let pair = with_points().await;
    let wallet = pair.worlds[HOME].service.wallet();
    let [away, far, third] =
        ["away.example", "far.example", "third.example"].map(|name| name.parse().unwrap());
    // Euros become points through the one node, and those become more euros through the other.
    let there = at_rates(&[("EUR", "ACME", "2"), ("ACME", "PTS", "0.5")]);
    wallet.propose_terms(&away, there.clone()).await.unwrap();
    let back = |of| at_rates(&[("PTS", "ACME", "1"), ("ACME", "EUR", of)]);
    let gains = wallet.propose_terms(&far, back("1.25")).await;
    assert_eq!(part(gains.map_err(FlowError::from)), (Code::Conflict, Some("gain".to_owned())));
    wallet.propose_terms(&far, back("1")).await.unwrap();
    // Nor by what another operator has written.
    wallet.propose_terms(&third, back("1")).await.unwrap();
    let mut offer = wallet.say(&third, false).await.unwrap().post.offer.unwrap();
    let mut theirs = offer.terms.peek().unwrap();
    theirs.rates[1].numerator *= 5;
    theirs.rates[1].denominator *= 4;
    let (key, digest) = (signing_key(3), hex(&theirs.digest()));
    offer.terms = Signed::sign(&theirs, &key);
    wallet.take_offer(&third, &key.verifying_key().to_bytes(), offer).await.unwrap();
    let gains = wallet.accept_terms(&third, &digest).await;
    assert_eq!(part(gains.map_err(FlowError::from)), (Code::Conflict, Some("gain".to_owned())));
    // What is changed at the one link is looked at with the others; of its own former rates nothing counts.
    let dearer = at_rates(&[("EUR", "ACME", "2"), ("ACME", "PTS", "0.6")]);
    let gains = wallet.propose_terms(&away, dearer).await;
    assert_eq!(part(gains.map_err(FlowError::from)), (Code::Conflict, Some("gain".to_owned())));
}
