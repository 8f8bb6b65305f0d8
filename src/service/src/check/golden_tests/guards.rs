//! The samples of dual control and of cash agents.

use super::*;
use money::{EURO, shop_order, transfer};
use weft_wire::wallet::{
    Approval, AssetAmount, BankFile, Fee, FeeKind, Hash, MoneyFor, OrderKeyCert, Payee, Proposed,
};

pub(super) fn guards(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let record = guard::GuardRecord {
        approvers: vec![name()],
        waiting: vec![transfer(1)],
        decided: vec![transfer(2), transfer(3)],
        changes: 4,
    };
    all.add(tables::GUARD, "guard", &record);
    let (asset, amount, user) = (EURO, 2_500, alice());
    for (sample, change, proposal) in [
        ("appointed", guard::GuardChange::Appointed(name()), Some(transfer(1))),
        ("dismissed", guard::GuardChange::Dismissed(name()), Some(transfer(2))),
        ("threshold", guard::GuardChange::Threshold { asset, amount }, None),
    ] {
        let record = guard::GuardChangeRecord { at_ms: TIME_MS, event: 9, change, proposal };
        all.add(tables::GUARD_LOG, sample, &record);
    }
    let money = MoneyFor { asset, user: user.clone(), amount };
    let account = "DE89370400440532013000".to_owned();
    let file = BankFile { asset, digest: Hash([7; 32]), account, lines: 12, amount };
    for (sample, what) in [
        ("issue", Proposed::Issue(money.clone())),
        ("file", Proposed::File(file)),
        ("threshold", Proposed::Threshold(AssetAmount { asset, amount })),
        ("appoint", Proposed::Appoint(user.clone())),
        ("dismiss", Proposed::Dismiss(user.clone())),
        ("float", Proposed::Float(money.clone())),
        ("settle", Proposed::Settle(money)),
    ] {
        let (at_ms, until_ms) = (TIME_MS, TIME_MS + 1);
        let record = guard::ProposalRecord { what, at_ms, until_ms, withdrawn: false, decision: None };
        all.add(tables::PROPOSALS, sample, &record);
        if sample != "issue" {
            continue;
        }
        let approval = Approval {
            proposal: transfer(1),
            what: record.what.clone(),
            proposed_ms: TIME_MS,
            by: alice(),
            device: device(),
            approve: true,
        };
        let decision = guard::DecisionRecord {
            approval: Signed::sign(&approval, &key(5)),
            cert: cert.clone(),
            by: name(),
            approved: true,
            at_ms: TIME_MS,
            change: 3,
        };
        let decided = guard::ProposalRecord { decision: Some(decision), ..record.clone() };
        all.add(tables::PROPOSALS, "decided", &decided);
        all.add(tables::PROPOSALS, "withdrawn", &guard::ProposalRecord { withdrawn: true, ..record });
    }
    let guarded = guard::GuardedRecord { threshold: 10_000, day: 20_000, issued: 400 };
    all.add(tables::GUARDED, "asset", &guarded);
    let kinds = [FeeKind::Person, FeeKind::Shop, FeeKind::Remote, FeeKind::Out];
    let fees = kinds.map(|kind| Fee { kind, fixed: 10, points: 150, least: 20, most: 500 }).to_vec();
    all.add(tables::FEES, "asset", &wallet::FeesRecord { fees });
    let lent = agent::AgentRecord {
        limit: 10_000,
        frozen: true,
        since: 3,
        event: 4,
        proposal: Some(transfer(1)),
        day: 20_000,
        cash_in: 500,
        cash_out: 20,
    };
    all.add(tables::AGENTS, "approved", &lent);
    all.add(tables::AGENTS, "agent", &agent::AgentRecord { proposal: None, ..lent });
    all.add(tables::AGENT_BOOKS, "asset", &agent::AgentBook { agents: vec![name()] });
    let float = wallet::OwnerRecord { owner: wallet::Owner::Agent(name()), asset: EURO };
    all.add(tables::OWNERS, "agent", &float);
    let taken = shop_order(Payee::CashIn(bob()));
    let given = shop_order(Payee::CashOut(bob()));
    for (sample, order) in [("cash-in", taken), ("cash-out", given)] {
        let order = Signed::sign(&order, &key(5));
        all.add(tables::ORDERS, sample, &wallet::OrderRecord { order, cert: cert.clone(), title: None });
    }
}
