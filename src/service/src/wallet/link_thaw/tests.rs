//! What the operator of alice's node has agreed to.

use super::*;
use crate::testing::World;
use weft_ledger::link::Digest;
use weft_wire::{TransferId, encode};

/// A thaw of so many payments.
fn thaw(era: u32, payments: u8) -> Thaw {
    let (a, b): (NodeName, NodeName) = ("away.example".parse().unwrap(), "home.example".parse().unwrap());
    let verdict = |n: u8| weft_ledger::link::Verdict {
        payment: TransferId([n; 16]),
        payer: a.clone(),
        done: true,
        lost: None,
    };
    let verdicts = (0..payments).map(verdict).collect();
    let digest = Digest([7; 32]);
    Thaw { a, b, era, terms: digest, statements: (digest, digest), verdicts, owed: Vec::new() }
}

async fn chunks(world: &World, peer: &NodeName) -> Vec<u8> {
    let rows =
        world.store.scan(tables::LINK_THAWS, weft_store::Scan::prefix(joined(peer.as_str(), []))).await;
    rows.unwrap().into_iter().flat_map(|row| row.value).collect()
}

#[tokio::test]
async fn a_thaw_that_is_being_done_is_not_written_over() {
    let world = World::new().await;
    let wallet = world.service.wallet();
    let peer: NodeName = "away.example".parse().unwrap();
    let (first, second, third) = (thaw(2, 9), thaw(2, 3), thaw(3, 5));
    for thaw in [&first, &second] {
        wallet.keep_thaw(&peer, thaw, &encode(thaw)).await.unwrap();
    }
    // The other operator signs it as well, and this one agrees to something else at that moment.
    let of = peer.clone();
    let begin = move |sheet: &mut Sheet<'_>| {
        let record = sheet.offers(&of)?;
        let thawing = record.thawing.map(|thawing| ThawingRecord { begun: true, ..thawing });
        sheet.put_offers(&of, &OfferRecord { thawing, ..record })
    };
    wallet.teller.run(begin).await.unwrap();
    let late = wallet.keep_thaw(&peer, &third, &encode(&third)).await;
    assert!(matches!(late, Err(WalletError::Link(LinkTrouble::Refused(_)))), "{late:?}");
    let record: OfferRecord =
        world.context().read(tables::LINK_OFFERS, peer.as_str()).await.unwrap().unwrap();
    assert_eq!(record.thawing, Some(ThawingRecord { digest: second.digest(), chunks: 1, begun: true }));
    assert_eq!(chunks(&world, &peer).await, encode(&second), "what is being done is there as it was signed");
}
