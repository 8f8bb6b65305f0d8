//! Olga owns the node. Alice and carol approve what she issues above 100 euros a day.

use super::{
    Wallet, WalletError,
    accounts::issuance,
    bank_approved::{file_digest, proposal_of},
    guard_records::{GuardedRecord, ProposalRecord},
    tests::{HOUR_MS, Payer, euro},
};
use crate::{Caller, Fault, flows::FlowError, testing::World};
use ed25519_dalek::SigningKey;
use weft_ledger::{Movement, Purpose, Refusal, Transfer};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AssetId, Code, Problem, Signed, TransferId, UserAddress,
    wallet::{
        Approval, AssetAmount, BankAccount, ChangeApprover, DecideProposal, DefineAsset, MoneyFor,
        ProposalInfo, ProposalState, Proposed,
    },
};

const DAY_MS: u64 = 24 * HOUR_MS;

struct Vault {
    world: World,
    euro: AssetId,
    olga: Payer,
    alice: Payer,
    bob: Payer,
}

impl Vault {
    /// Nobody approves anything yet.
    async fn open() -> Vault {
        let world = World::new().await;
        let olga = Payer::new(&world, "olga", 1).await;
        let (alice, bob) = (Payer::new(&world, "alice", 2).await, Payer::new(&world, "bob", 3).await);
        let wish = DefineAsset { payment_max: 0, day_max: 0, issue_max: 1_000_000, ..euro() };
        let euro = world.service.wallet().define(wish).await.unwrap().id;
        Vault { world, euro, olga, alice, bob }
    }

    /// Alice approves what is above 100 euros.
    async fn guarded() -> Vault {
        let vault = Vault::open().await;
        vault.appoint(&vault.alice).await;
        vault.threshold(10_000).await.unwrap();
        vault
    }

    fn wallet(&self) -> &Wallet {
        self.world.service.wallet()
    }

    async fn change(&self, user: &UserAddress, appoint: bool) -> Result<(), FlowError> {
        let wish = ChangeApprover { user: user.clone(), appoint };
        self.world.service.flows().change_approver(wish).await
    }

    /// The first one agrees themselves.
    async fn appoint(&self, who: &Payer) {
        assert_waits(self.change(who.user(), true).await);
        let proposal = self.waiting(who).await.remove(0);
        assert!(proposal.mine && proposal.what == Proposed::Appoint(who.user().clone()));
        self.decide(who, &proposal, true).await.unwrap();
    }

    async fn threshold(&self, amount: u64) -> Result<(), WalletError> {
        let done = self.wallet().set_threshold(AssetAmount { asset: self.euro, amount }).await;
        self.is_sound().await;
        done
    }

    async fn issue(&self, id: u8, amount: u64) -> Result<(), FlowError> {
        let done = self
            .world
            .service
            .flows()
            .issue(TransferId([id; 16]), self.euro, self.bob.user(), amount, false)
            .await;
        self.is_sound().await;
        done
    }

    async fn waiting(&self, who: &Payer) -> Vec<ProposalInfo> {
        self.wallet().guard(who.device.caller()).await.unwrap().waiting
    }

    async fn decided(&self) -> Vec<ProposalState> {
        let info = self.wallet().guard(self.alice.device.caller()).await.unwrap();
        info.decided.into_iter().map(|one| one.state).collect()
    }

    async fn approvers(&self) -> Vec<String> {
        let info = self.wallet().guard(&self.owner()).await.unwrap();
        info.approvers.iter().map(|user| user.name.to_string()).collect()
    }

    /// The first account of a node owns it.
    fn owner(&self) -> Caller {
        assert!(self.olga.device.caller().is_owner());
        self.olga.device.caller().clone()
    }

    async fn decide(&self, who: &Payer, of: &ProposalInfo, approve: bool) -> Result<(), WalletError> {
        let word = word(who, of, approve);
        self.say(who, of.id, Signed::sign(&word, &who.key)).await
    }

    async fn say(&self, who: &Payer, id: TransferId, approval: Signed<Approval>) -> Result<(), WalletError> {
        let wish = DecideProposal { approval };
        let done = self.world.service.flows().decide_proposal(who.device.caller(), id, wish).await;
        self.is_sound().await;
        done.map_err(|error| match error {
            FlowError::Wallet(error) => error,
            other => panic!("{other:?}"),
        })
    }

    async fn issued(&self) -> u64 {
        self.wallet().assets().await.unwrap().assets[0].issued
    }

    async fn findings(&self) -> Vec<String> {
        super::check_ledger(&self.world.store).await.unwrap().findings
    }

    async fn is_sound(&self) {
        assert_eq!(self.findings().await, Vec::<String>::new());
    }
}

fn word(who: &Payer, of: &ProposalInfo, approve: bool) -> Approval {
    let (by, device) = (who.user().clone(), who.device.id());
    Approval { proposal: of.id, what: of.what.clone(), proposed_ms: of.at_ms, by, device, approve }
}

fn assert_waits(outcome: Result<(), FlowError>) {
    assert!(matches!(outcome, Err(FlowError::Wallet(WalletError::NeedsApproval))), "{outcome:?}");
}

fn code(error: WalletError) -> Code {
    Problem::from(error).code
}

#[tokio::test]
async fn what_is_above_the_threshold_waits_for_somebody_else_and_is_issued_once() {
    let vault = Vault::guarded().await;
    vault.issue(1, 10_000).await.unwrap();
    assert_eq!(vault.issued().await, 10_000);
    assert_waits(vault.issue(2, 10_001).await);
    assert_waits(vault.issue(2, 10_001).await);
    assert_eq!((vault.issued().await, vault.waiting(&vault.alice).await.len()), (10_000, 1));
    // The same form with another sum is not what waits.
    let other = vault.issue(2, 10_002).await;
    assert!(matches!(other, Err(FlowError::Wallet(WalletError::IdConflict))), "{other:?}");

    let proposal = vault.waiting(&vault.alice).await.remove(0);
    let (asset, user) = (vault.euro, vault.bob.user().clone());
    assert_eq!(proposal.what, Proposed::Issue(MoneyFor { asset, user, amount: 10_001 }));
    assert_eq!((proposal.id, proposal.mine), (TransferId([2; 16]), true));
    assert!(vault.waiting(&vault.bob).await.is_empty(), "others hear nothing of it");
    for _ in 0..2 {
        vault.decide(&vault.alice, &proposal, true).await.unwrap();
        vault.issue(2, 10_001).await.unwrap();
    }
    assert_eq!(vault.issued().await, 20_001);
    assert_eq!(vault.decided().await[0], ProposalState::Approved);
}

#[tokio::test]
async fn what_is_issued_in_small_pieces_counts_together_for_a_day() {
    let vault = Vault::guarded().await;
    vault.issue(1, 6_000).await.unwrap();
    assert_waits(vault.issue(2, 4_001).await);
    vault.issue(3, 4_000).await.unwrap();
    vault.issue(3, 4_000).await.unwrap();
    assert_waits(vault.issue(4, 1).await);
    // What somebody has signed for does not count against the owner's own share.
    let waiting = vault.waiting(&vault.alice).await;
    vault.decide(&vault.alice, &waiting[0], true).await.unwrap();
    vault.world.clock.advance(DAY_MS);
    vault.issue(5, 10_000).await.unwrap();
    assert_eq!(vault.issued().await, 24_001);
}

#[tokio::test]
async fn nobody_but_an_approver_decides_and_only_what_they_were_shown() {
    let vault = Vault::guarded().await;
    assert_waits(vault.issue(2, 20_000).await);
    let proposal = vault.waiting(&vault.alice).await.remove(0);
    let own = vault.decide(&vault.olga, &proposal, true).await.unwrap_err();
    assert_eq!(code(own), Code::OwnProposal);
    let wrong = vault.decide(&vault.bob, &proposal, true).await.unwrap_err();
    assert_eq!(code(wrong), Code::NotApprover);
    // Bob carries what alice would have to sign; and signs in her name.
    let hers = word(&vault.alice, &proposal, true);
    let carried = vault.say(&vault.bob, proposal.id, Signed::sign(&hers, &vault.bob.key)).await;
    assert!(matches!(carried, Err(WalletError::ForeignOrder)), "{carried:?}");
    let forged = Signed::sign(&hers, &SigningKey::from_bytes(&[9; 32]));
    assert_eq!(code(vault.say(&vault.alice, proposal.id, forged).await.unwrap_err()), Code::BadSignature);
    // Something else than what is proposed: another sum, another person, another time, another proposal.
    let (asset, user) = (vault.euro, vault.bob.user().clone());
    let more = Proposed::Issue(MoneyFor { asset, user, amount: 20_001 });
    let another = Proposed::Issue(MoneyFor { asset, user: vault.alice.user().clone(), amount: 20_000 });
    for changed in [
        Approval { what: more, ..hers.clone() },
        Approval { what: another, ..hers.clone() },
        Approval { proposed_ms: hers.proposed_ms + 1, ..hers.clone() },
        Approval { proposal: TransferId([7; 16]), ..hers.clone() },
    ] {
        let changed = Signed::sign(&changed, &vault.alice.key);
        let refused = vault.say(&vault.alice, proposal.id, changed).await.unwrap_err();
        assert_eq!(code(refused), Code::ProposalChanged);
    }
    assert_eq!(vault.issued().await, 0);
    // Declined is declined.
    vault.decide(&vault.alice, &proposal, false).await.unwrap();
    let late = vault.decide(&vault.alice, &proposal, true).await.unwrap_err();
    assert_eq!(code(late), Code::ProposalOver);
    let again = vault.issue(2, 20_000).await;
    assert!(matches!(again, Err(FlowError::Wallet(WalletError::ProposalOver))), "{again:?}");
    assert_eq!((vault.issued().await, vault.decided().await[0]), (0, ProposalState::Declined));
}

#[tokio::test]
async fn a_proposal_ends_by_itself_and_can_be_taken_back() {
    let vault = Vault::guarded().await;
    assert_waits(vault.issue(2, 20_000).await);
    let stale = vault.waiting(&vault.alice).await.remove(0);
    vault.world.clock.advance(7 * DAY_MS);
    assert!(vault.waiting(&vault.alice).await.is_empty());
    let late = vault.decide(&vault.alice, &stale, true).await.unwrap_err();
    assert_eq!(code(late), Code::ProposalOver);
    assert_eq!(vault.decided().await[0], ProposalState::Expired);
    assert_waits(vault.issue(3, 20_000).await);
    let fresh = vault.waiting(&vault.alice).await.remove(0);
    for _ in 0..2 {
        vault.wallet().withdraw_proposal(fresh.id).await.unwrap();
    }
    assert_eq!(code(vault.decide(&vault.alice, &fresh, true).await.unwrap_err()), Code::ProposalOver);
    assert_eq!((vault.issued().await, vault.decided().await[0]), (0, ProposalState::Withdrawn));
}

#[tokio::test]
async fn the_owner_alone_does_not_get_around_the_rule() {
    let vault = Vault::open().await;
    let nobody = vault.threshold(10_000).await;
    assert!(matches!(nobody, Err(WalletError::Fault(Fault::Invalid { field: "approvers", .. }))));
    let own = vault.change(vault.olga.user(), true).await;
    assert!(matches!(own, Err(FlowError::Wallet(WalletError::OwnProposal))), "{own:?}");
    // Two are asked to be the first; once one is, the other needs her yes.
    assert_waits(vault.change(vault.bob.user(), true).await);
    vault.appoint(&vault.alice).await;
    let his = vault.waiting(&vault.alice).await.remove(0);
    assert_eq!(code(vault.decide(&vault.bob, &his, true).await.unwrap_err()), Code::NotApprover);
    vault.threshold(10_000).await.unwrap();
    vault.threshold(5_000).await.unwrap();
    // Raised, off, somebody new, and the last one gone: all of that waits.
    assert!(matches!(vault.threshold(5_001).await, Err(WalletError::NeedsApproval)));
    assert!(matches!(vault.threshold(0).await, Err(WalletError::NeedsApproval)));
    assert_waits(vault.change(vault.alice.user(), false).await);
    assert_waits(vault.change(vault.alice.user(), false).await);
    assert_eq!(vault.waiting(&vault.alice).await.len(), 4);
    assert_waits(vault.issue(1, 5_001).await);
    // She agrees to bob, who then agrees to all of the rest.
    vault.decide(&vault.alice, &his, true).await.unwrap();
    assert_eq!(vault.approvers().await, ["alice", "bob"]);
    for proposal in vault.waiting(&vault.bob).await {
        if !matches!(proposal.what, Proposed::Issue(_)) {
            vault.decide(&vault.bob, &proposal, true).await.unwrap();
        }
    }
    assert_eq!(vault.approvers().await, ["bob"]);
    // Without a threshold all goes again.
    vault.issue(2, 500_000).await.unwrap();
}

#[tokio::test]
async fn what_may_not_be_in_the_world_is_not_proposed_and_a_proposal_outlives_a_refusal() {
    let vault = Vault::guarded().await;
    let over = vault.issue(1, 1_000_001).await;
    assert!(matches!(over, Err(FlowError::Wallet(WalletError::Refused(Refusal::Floor)))), "{over:?}");
    assert_waits(vault.issue(2, 900_000).await);
    assert_waits(vault.issue(3, 900_000).await);
    let waiting = vault.waiting(&vault.alice).await;
    vault.decide(&vault.alice, &waiting[0], true).await.unwrap();
    let over = vault.decide(&vault.alice, &waiting[1], true).await;
    assert!(matches!(over, Err(WalletError::Refused(Refusal::Floor))), "{over:?}");
    let wish = DefineAsset { issue_max: 2_000_000, ..euro() };
    vault.wallet().define(wish).await.unwrap();
    vault.decide(&vault.alice, &waiting[1], true).await.unwrap();
    assert_eq!(vault.issued().await, 1_800_000);
}

#[tokio::test]
async fn a_banks_file_of_much_money_waits_as_well() {
    const IBAN: &str = "DE89370400440532013000";
    let vault = Vault::guarded().await;
    let (asset, account) = (vault.euro, IBAN.to_owned());
    let account = BankAccount { asset, holder: "Café Kollektiv".into(), account, bank: String::new() };
    vault.wallet().put_bank_account(account).await.unwrap();
    let file = |day: u32, opening: u32, credits: &[u32]| {
        let mut file = format!(":20:S\n:25:{IBAN}\n:28C:{day}/1\n:60F:C2411{day:02}EUR{opening},00\n");
        for (at, credit) in credits.iter().enumerate() {
            file += &format!(":61:2411{day:02}11{day:02}C{credit},00NTRFNONREF//{day}{at}\n:86:rent\n");
        }
        let closing = opening + credits.iter().sum::<u32>();
        (file + &format!(":62F:C2411{day:02}EUR{closing},00\n-\n")).into_bytes()
    };
    // Below the threshold it counts towards it.
    vault.wallet().import_bank(file(11, 0, &[40, 20])).await.unwrap();
    let more = file(12, 60, &[30, 11]);
    // Whoever chooses ids has something else approved under the one that the file will have: the file is not.
    let small = file(13, 60, &[50]);
    let id = proposal_of(file_digest(&small), asset);
    let bob = vault.bob.user();
    assert_waits(vault.world.service.flows().issue(id, asset, bob, 10_001, false).await);
    vault.decide(&vault.alice, &vault.waiting(&vault.alice).await[0], true).await.unwrap();
    assert_eq!(vault.issued().await, 16_001);
    assert!(vault.wallet().import_bank(small).await.is_err());
    assert_eq!(vault.issued().await, 16_001);
    for _ in 0..2 {
        let waits = vault.wallet().import_bank(more.clone()).await;
        assert!(matches!(waits, Err(WalletError::NeedsApproval)), "{waits:?}");
    }
    let [proposal] = &vault.waiting(&vault.alice).await[..] else { panic!("not one proposal") };
    let Proposed::File(said) = &proposal.what else { panic!("{proposal:?}") };
    assert_eq!((said.account.as_str(), said.lines, said.amount), (IBAN, 2, 4_100));
    assert_eq!(vault.issued().await, 16_001);
    vault.decide(&vault.alice, proposal, true).await.unwrap();
    // Another file than that one is not approved by it.
    let other = vault.wallet().import_bank(file(12, 60, &[30, 12])).await;
    assert!(matches!(other, Err(WalletError::NeedsApproval)), "{other:?}");
    let done = vault.wallet().import_bank(more.clone()).await.unwrap();
    assert_eq!((done.waiting, done.above), (2, 0));
    assert_eq!(vault.wallet().import_bank(more).await.unwrap().known, 2);
    assert_eq!(vault.issued().await, 20_101);
    vault.is_sound().await;
    // What is left of the day is still the owner's.
    vault.issue(1, 4_000).await.unwrap();
    assert_waits(vault.issue(2, 1).await);
}

#[tokio::test]
async fn what_is_held_of_new_money_counts_as_issued_for_the_audit() {
    let vault = Vault::guarded().await;
    vault.issue(1, 6_000).await.unwrap();
    let (asset, bob) = (vault.euro, vault.bob.user().name.clone());
    // A bug holds new money for bob, for which nobody was asked: first what may be, and then a cent more.
    for (n, amount) in [(2, 4_000), (3, 1)] {
        let (id, name) = (TransferId([n; 16]), bob.clone());
        let work = move |sheet: &mut super::sheet::Sheet<'_>| {
            let (debit, credit) = (issuance(asset), sheet.personal(&name, asset)?);
            let movement = Movement::Pending { debit, credit, amount, expires_ms: None, refunds: None };
            sheet.post(&[Transfer { id, movement, purpose: Purpose::Issue, about: [0; 16] }]).map(drop)
        };
        vault.wallet().teller.run(work).await.unwrap();
        match n {
            2 => vault.is_sound().await,
            _ => {
                let told = format!("transfer {id} is above the threshold, and nobody has approved it");
                assert_eq!(vault.findings().await, [told]);
            }
        }
    }
}

#[tokio::test]
async fn what_was_changed_behind_the_guards_back_is_found() {
    let vault = Vault::guarded().await;
    assert_waits(vault.issue(2, 20_000).await);
    let proposal = vault.waiting(&vault.alice).await.remove(0);
    vault.decide(&vault.alice, &proposal, true).await.unwrap();
    let store = &vault.world.store;
    let key = proposal.id.0;
    let row = store.get(tables::PROPOSALS, &key).await.unwrap().unwrap().value;
    let record = ProposalRecord::from_record(&row).unwrap();
    // Somebody with the disk takes the signature away, or puts another name below it.
    let unsigned = ProposalRecord { decision: None, ..record.clone() };
    let mut theirs = record.clone();
    theirs.decision.as_mut().unwrap().by = "bob".parse().unwrap();
    let mut more = record.clone();
    more.what = Proposed::Appoint(vault.bob.user().clone());
    for forged in [unsigned, theirs, more] {
        store.commit(Batch::new().put(tables::PROPOSALS, key, forged.to_record())).await.unwrap();
        let findings = vault.findings().await.join("\n");
        assert!(findings.contains("above the threshold"), "{findings}");
    }
    store.commit(Batch::new().put(tables::PROPOSALS, key, row)).await.unwrap();
    vault.is_sound().await;
    let raised = GuardedRecord { threshold: 1 << 40, ..GuardedRecord::default() };
    store.commit(Batch::new().put(tables::GUARDED, vault.euro.0, raised.to_record())).await.unwrap();
    let findings = vault.findings().await.join("\n");
    assert!(findings.contains("is not what the guard's log says"), "{findings}");
}
