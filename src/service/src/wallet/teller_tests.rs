//! Commits that fail or meet another teller, with the pieces of the next one done already.

use super::{
    Result, WalletError,
    books::HEAD,
    tests::{Till, refused},
};
use crate::{
    flows::FlowError,
    testing::{World, code},
};
use weft_store::{Batch, tables};
use weft_wire::{
    Signed,
    wallet::{Intent, PaymentOrder, Receipt, SubmitOrder},
};

/// Alice's next orders, of a euro each.
fn orders(till: &mut Till, count: usize) -> Vec<Signed<PaymentOrder>> {
    let (to, asset) = (till.bob.user().clone(), till.euro.id);
    let mut order = || {
        let order = till.alice.order(&till.world, &to, asset, 100, Intent::Payment);
        Signed::sign(&order, &till.alice.key)
    };
    (0..count).map(|_| order()).collect()
}

/// All of them beside one another, brought in their order a few steps apart: some come while a commit is under way.
async fn submit_all(till: &Till, orders: &[Signed<PaymentOrder>]) -> Vec<Result<Signed<Receipt>, FlowError>> {
    let flows = till.world.service.flows();
    let pay = async |(n, order): (usize, &Signed<PaymentOrder>)| {
        for _ in 0..2 * n {
            tokio::task::yield_now().await;
        }
        flows.pay(till.alice.device.caller(), SubmitOrder { order: order.clone() }).await
    };
    futures::future::join_all(orders.iter().enumerate().map(pay)).await
}

#[tokio::test]
async fn what_rests_on_a_commit_that_fails_is_not_told_and_not_kept() {
    for commits in 0..4 {
        let mut till = Till::open().await;
        let orders = orders(&mut till, 20);
        till.world.engine.refuse_commits_after(commits);
        let first = submit_all(&till, &orders).await;
        let done: Vec<_> = first.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        assert!((commits..20).contains(&done.len()), "{commits} commits took {}", done.len());
        assert_eq!(till.balances().await.1, 100 * done.len() as u64, "told of what is kept, and of no more");

        till.world.engine.take_commits();
        let again = submit_all(&till, &orders).await;
        for (first, again) in first.iter().zip(&again) {
            let again = again.as_ref().unwrap().peek().unwrap();
            if let Ok(first) = first {
                assert_eq!(first.peek().unwrap(), again, "what was done before is not done again");
            }
        }
        assert_eq!(till.balances().await, (8_000, 2_000));
        till.is_sound().await;
    }
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_commit_that_fails_is_not_told() {
    let mut till = Till::open().await;
    let orders = orders(&mut till, 2);
    let (first, mut second) = (orders[0].clone(), orders[1].peek().unwrap());
    // The second has all that alice has: after the first it is too much, without it it is not.
    second.amount = 10_000;
    let second = Signed::sign(&second, &till.alice.key);
    till.world.engine.refuse_commits_after(0);
    let answers = submit_all(&till, &[first, second.clone()]).await;
    for answer in answers {
        assert_eq!(code(answer.unwrap_err()), weft_wire::Code::StorageUnavailable);
    }
    till.world.engine.take_commits();
    till.submit(&till.alice, second).await.unwrap();
    assert_eq!(till.balances().await, (0, 10_000));
    till.is_sound().await;
}

/// Moves the head as another teller would, without an event.
async fn touch(world: &World) {
    let head = world.store.get(tables::LEDGER_HEAD, HEAD).await.unwrap().unwrap();
    let batch = Batch::new().assert_version(tables::LEDGER_HEAD, HEAD, head.version);
    // In a race it is this one that may lose.
    let _ = world.store.commit(batch.put(tables::LEDGER_HEAD, HEAD, head.value)).await;
}

#[tokio::test]
async fn beside_another_teller_all_is_done_once() {
    let mut till = Till::open().await;
    let mut orders = orders(&mut till, 60);
    let last = orders.pop().unwrap();
    for some in orders.chunks(7) {
        let (answers, ..) =
            tokio::join!(submit_all(&till, some), touch(&till.world), touch(&till.world), touch(&till.world));
        for answer in answers {
            answer.unwrap();
        }
    }
    touch(&till.world).await;
    assert_eq!(till.balances().await, (4_100, 5_900));
    // An order that is refused is refused by what the other one has written.
    let mut more = last.peek().unwrap();
    more.amount = 4_101;
    let more = Signed::sign(&more, &till.alice.key);
    assert!(matches!(refused(till.submit(&till.alice, more).await), WalletError::Refused(_)));
    till.is_sound().await;
}
