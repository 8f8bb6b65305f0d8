//! Days of alice and bob, whose node signs what its ledger was.

use super::{
    super::{
        check_ledger,
        records::{EntryRecord, EventRecord},
        tests::{HOUR_MS, Payer, Till},
    },
    DAY_MS,
    records::RootRecord,
};
use crate::{Worker, testing::START_MS, wallet::WalletError};
use weft_ledger::proof::{self, check_chain, check_root};
use weft_store::{Batch, record::Record, tables};
use weft_wire::{
    AccountId, TransferId,
    wallet::{AccountProof, DayRoot, Intent, RootList},
};

const TODAY: u64 = START_MS / DAY_MS;

impl Till {
    pub(super) async fn close(&self) -> u64 {
        Worker::Roots.run_once(&self.world.service).await.unwrap()
    }

    /// Until a time of the next day.
    pub(super) async fn days_go_by(&self, days: u64) {
        // By small steps, as a node runs: see `aging`.
        for _ in 0..days {
            self.world.clock.advance(DAY_MS);
            self.world.context().aged().await.unwrap();
        }
    }

    pub(super) async fn pay_all(&mut self, amounts: impl IntoIterator<Item = u64>) -> Vec<TransferId> {
        let mut transfers = Vec::new();
        for amount in amounts {
            transfers.push(self.pay(amount, Intent::Payment).await.unwrap().transfer);
        }
        transfers
    }

    async fn roots(&self) -> RootList {
        self.world.service.wallet().roots(None).await.unwrap()
    }

    /// The newest root, as a device makes sure of it.
    pub(super) async fn root(&self) -> DayRoot {
        let list = self.roots().await;
        check_root(&list.roots[0].root, &self.world.context().node, &list.key).unwrap()
    }

    async fn id(&self, of: &Payer) -> AccountId {
        let accounts = self.world.service.wallet().accounts(of.device.caller()).await.unwrap();
        accounts.accounts[0].id
    }

    async fn proof(&self, of: &Payer, day: u64, after: Option<u64>) -> Result<AccountProof, WalletError> {
        let account = self.id(of).await;
        self.world.service.wallet().account_proof(of.device.caller(), account, day, after).await
    }

    /// What a device finds out by itself: the balance at the end of a day, and what the entries of the day come to.
    async fn checked(&self, of: &Payer, day: u64) -> (u128, i128) {
        let list = self.roots().await;
        let (mut after, mut moved, mut balance) = (None, 0, 0);
        loop {
            let shown = self.proof(of, day, after).await.unwrap();
            let root = check_root(&shown.root, &self.world.context().node, &list.key).unwrap();
            balance = proof::balance(&root, &shown).unwrap().max(balance);
            for event in &shown.entries {
                moved += proof::moved(&proof::entry(&root, event).unwrap(), shown.account);
                after = Some(event.number);
            }
            if !shown.more {
                return (balance, moved);
            }
        }
    }

    pub(super) async fn findings(&self) -> Vec<String> {
        check_ledger(&self.world.store).await.unwrap().findings
    }
}

#[tokio::test]
async fn at_the_end_of_a_day_the_node_signs_what_everybody_had() {
    let mut till = Till::open().await;
    let transfers = till.pay_all([100, 250]).await;
    assert_eq!(till.close().await, 0, "the day is not over");
    let proof = till.world.service.wallet().transfer_proof(till.alice.device.caller(), transfers[0]).await;
    assert!(matches!(proof, Err(WalletError::NotFound("root"))));

    till.days_go_by(1).await;
    assert_eq!(till.close().await, 1);
    assert_eq!(till.close().await, 0, "one root a day");
    let root = till.root().await;
    assert_eq!((root.day, root.before), (TODAY, None));
    assert_eq!(root.events.sum(), u128::from(root.last));
    let [euro] = root.assets.as_slice() else { panic!("one asset") };
    assert_eq!((euro.asset, euro.issued.0, euro.held.sum(), euro.leaves), (till.euro.id, 10_000, 10_000, 4));
    assert_eq!(till.checked(&till.alice, TODAY).await, (9_650, 9_650));
    assert_eq!(till.checked(&till.bob, TODAY).await, (350, 350));
    for payer in [&till.alice, &till.bob] {
        let caller = payer.device.caller();
        let shown = till.world.service.wallet().transfer_proof(caller, transfers[1]).await.unwrap();
        let entry = proof::entry(&root, &shown.proof).unwrap();
        assert_eq!((entry.transfer.id, entry.moved.unwrap().amount), (transfers[1], 250));
    }
    assert_eq!(till.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_day_goes_on_from_the_one_before_and_quiet_days_too() {
    let mut till = Till::open().await;
    till.days_go_by(1).await;
    till.pay_all([1_000]).await;
    till.days_go_by(3).await;
    assert_eq!(till.close().await, 4);
    let list = till.roots().await;
    let roots: Vec<DayRoot> = list.roots.iter().map(|info| info.root.peek().unwrap()).collect();
    let days: Vec<u64> = roots.iter().map(|root| root.day).collect();
    assert_eq!(days, [TODAY + 3, TODAY + 2, TODAY + 1, TODAY], "the newest first");
    for (root, before) in roots.iter().zip(&list.roots[1..]) {
        assert_eq!(check_chain(root, &before.root), Ok(()));
    }
    assert_eq!(till.checked(&till.alice, TODAY).await, (10_000, 10_000));
    assert_eq!(till.checked(&till.alice, TODAY + 1).await, (9_000, -1_000));
    assert_eq!(till.checked(&till.alice, TODAY + 2).await, (9_000, 0));
    assert_eq!(till.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_payment_that_waits_over_midnight_moves_on_the_day_when_it_is_taken() {
    let mut till = Till::open().await;
    let waiting = till.pay(700, Intent::Transfer).await.unwrap().transfer;
    till.world.clock.advance(20 * HOUR_MS);
    let wallet = till.world.service.wallet();
    wallet.answer(till.bob.device.caller(), waiting, weft_wire::wallet::Answer::Accept).await.unwrap();
    till.days_go_by(1).await;
    assert_eq!(till.close().await, 2);
    assert_eq!(till.checked(&till.alice, TODAY).await, (10_000, 10_000));
    assert_eq!(till.checked(&till.alice, TODAY + 1).await, (9_300, -700));
    assert_eq!(till.checked(&till.bob, TODAY + 1).await, (700, 700));
}

#[tokio::test]
async fn nobody_is_shown_what_is_not_theirs() {
    let mut till = Till::open().await;
    let transfers = till.pay_all([5]).await;
    till.days_go_by(1).await;
    till.close().await;
    let carol = till.world.sign_up("carol").await;
    let wallet = till.world.service.wallet();
    let shown = wallet.transfer_proof(carol.caller(), transfers[0]).await;
    assert!(matches!(shown, Err(WalletError::NotFound("transfer"))));
    let alice = till.id(&till.alice).await;
    for caller in [carol.caller(), till.bob.device.caller()] {
        let shown = wallet.account_proof(caller, alice, TODAY, None).await;
        assert!(matches!(shown, Err(WalletError::NotFound("account"))));
    }
    let none = till.proof(&till.alice, TODAY + 1, None).await;
    assert!(matches!(none, Err(WalletError::NotFound("root"))));
}

#[tokio::test]
async fn a_day_of_many_payments_is_shown_in_pages() {
    let mut till = Till::open().await;
    let transfers = till.pay_all(std::iter::repeat_n(1, 300)).await;
    till.days_go_by(1).await;
    assert_eq!(till.close().await, 1);
    assert!(till.root().await.events.sum() > 300);
    assert_eq!(till.checked(&till.alice, TODAY).await, (9_700, 9_700));
    let caller = till.bob.device.caller();
    for transfer in [transfers[0], transfers[255], transfers[299]] {
        let shown = till.world.service.wallet().transfer_proof(caller, transfer).await.unwrap();
        let entry = proof::entry(&till.root().await, &shown.proof).unwrap();
        assert_eq!(entry.transfer.id, transfer);
    }
    assert_eq!(till.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_root_that_a_stop_cut_off_is_made_again_as_it_was() {
    let mut till = Till::open().await;
    till.days_go_by(1).await;
    till.close().await;
    till.pay_all([100, 200]).await;
    till.days_go_by(1).await;
    till.close().await;
    let made = till.roots().await;
    // All of its rows are on disk but the last one; meanwhile there are payments of the next day.
    let cut = Batch::new().delete(tables::ROOTS, (TODAY + 1).to_be_bytes());
    till.world.store.commit(cut).await.unwrap();
    till.pay_all([300]).await;
    assert_eq!(till.findings().await, Vec::<String>::new(), "a day that is half made is nothing wrong");
    assert_eq!(till.close().await, 1);
    assert_eq!(till.roots().await, made);
    till.days_go_by(1).await;
    till.close().await;
    assert_eq!(till.checked(&till.alice, TODAY + 2).await, (9_400, -300));
    assert_eq!(till.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_jumps_closes_no_day() {
    let mut till = Till::open().await;
    till.days_go_by(1).await;
    assert_eq!(till.close().await, 1);
    let now = START_MS + DAY_MS;
    till.world.clock.jump_to(START_MS + 400 * DAY_MS);
    till.pay_all([10]).await;
    assert_eq!(till.close().await, 0);
    till.world.clock.jump_to(now);
    till.pay_all([20]).await;
    till.days_go_by(1).await;
    assert_eq!(till.close().await, 1);
    assert_eq!(
        till.checked(&till.bob, TODAY + 1).await,
        (30, 30),
        "what was dated wrong is in the day in which it came"
    );
    assert_eq!(till.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_ledger_that_was_changed_afterwards_is_found_out() {
    let mut till = Till::open().await;
    let transfer = till.pay_all([100]).await[0];
    till.days_go_by(1).await;
    till.close().await;
    let store = &till.world.store;
    // All that doing the events again would look at fits.
    let row = store.get(tables::LEDGER_ENTRIES, &transfer.0).await.unwrap().unwrap();
    let EntryRecord(mut entry) = EntryRecord::from_record(&row.value).unwrap();
    let key = entry.number.to_be_bytes();
    let row = store.get(tables::LEDGER_LOG, &key).await.unwrap().unwrap();
    let mut event = EventRecord::from_record(&row.value).unwrap();
    (entry.at_ms, event.at_ms) = (entry.at_ms + 1, event.at_ms + 1);
    let change = Batch::new().put(tables::LEDGER_ENTRIES, transfer.0, EntryRecord(entry).to_record()).put(
        tables::LEDGER_LOG,
        key,
        event.to_record(),
    );
    store.commit(change).await.unwrap();
    assert_eq!(till.findings().await, [format!("the root of day {TODAY} is not that of its events")]);
    // Nor can the node show it any more.
    let shown =
        till.world.service.wallet().transfer_proof(till.alice.device.caller(), transfer).await.unwrap();
    assert!(proof::entry(&till.root().await, &shown.proof).is_err());
}

#[tokio::test]
async fn a_root_that_was_signed_anew_or_lost_is_found_out() {
    let mut till = Till::open().await;
    till.pay_all([100]).await;
    till.days_go_by(2).await;
    assert_eq!(till.close().await, 2);
    let store = till.world.store.clone();
    let key = TODAY.to_be_bytes();
    let row = store.get(tables::ROOTS, &key).await.unwrap().unwrap();
    let record = RootRecord::from_record(&row.value).unwrap();
    let mut root = record.root.peek().unwrap();
    root.assets[0].issued.0 += 1;
    let forged = RootRecord { root: weft_wire::Signed::sign(&root, &till.world.key), ..record };
    store.commit(Batch::new().put(tables::ROOTS, key, forged.to_record())).await.unwrap();
    let findings = till.findings().await;
    for what in
        ["what was given out is not what is held", "has other sums than the books", "does not go on from"]
    {
        assert!(findings.iter().any(|finding| finding.contains(what)), "{what}: {findings:?}");
    }
}

#[tokio::test]
async fn where_accounts_stood_is_forgotten_after_five_weeks_and_entries_never() {
    let mut till = Till::open().await;
    let transfer = till.pay_all([100]).await[0];
    till.days_go_by(40).await;
    while till.close().await > 0 {}
    assert!(matches!(till.proof(&till.alice, TODAY, None).await, Err(WalletError::NotFound("proof"))));
    assert_eq!(till.checked(&till.alice, TODAY + 39).await, (9_900, 0));
    let caller = till.alice.device.caller();
    let shown = till.world.service.wallet().transfer_proof(caller, transfer).await.unwrap();
    assert!(proof::entry(&shown.root.peek().unwrap(), &shown.proof).is_ok());
    assert_eq!(till.findings().await, Vec::<String>::new());
}
