//! Who works in alice's corner shop, and what it is called.

use super::{
    WalletError,
    shop_tests::{Street, denied, details, joins},
};
use weft_wire::{
    UserAddress,
    wallet::{ChangeShop, ShopDetails, ShopMember, ShopRole, StaffChange},
};

#[tokio::test]
async fn whoever_works_there_may_leave_and_changes_nothing_else() {
    let street = Street::new().await;
    let (bob, carol) = (street.till.bob.user().clone(), street.carol.user().clone());
    street.staff(&[(&bob, ShopRole::Cashier), (&carol, ShopRole::Cashier)]).await.unwrap();
    let only = |user: &UserAddress, role| ChangeShop {
        staff: Some(vec![ShopMember { user: user.clone(), role, invited: false }]),
        ..ChangeShop::default()
    };
    for wish in [only(&bob, ShopRole::Cashier), only(&carol, ShopRole::Manager)] {
        let error = denied(street.change(&street.till.bob.device, wish).await);
        assert!(matches!(error, WalletError::NotStaff), "{error:?}");
    }
    street.change(&street.till.bob.device, only(&carol, ShopRole::Cashier)).await.unwrap();
    let sold = street.sell(&street.till.bob, street.wish(1, 100)).await;
    assert!(matches!(sold, Err(WalletError::NotStaff)), "{sold:?}");
    street.sell(&street.carol, street.wish(2, 100)).await.unwrap();
}

#[tokio::test]
async fn nobody_works_in_a_shop_who_has_not_agreed() {
    let street = Street::new().await;
    let (carol, device) = (street.carol.user().clone(), &street.carol.device);
    let nobody = denied(street.change(device, joins(true)).await);
    assert!(matches!(nobody, WalletError::NotFound("invitation")), "{nobody:?}");
    street.member(&carol, Some(ShopRole::Manager)).await.unwrap();
    // She sees that she is asked, and nothing of the shop; and may do nothing there.
    let seen = street.shops(device).await;
    assert_eq!((seen[0].role, seen[0].invited), (ShopRole::Manager, true));
    assert!(seen[0].staff.is_empty() && seen[0].accounts.is_empty());
    let sold = street.sell(&street.carol, street.wish(1, 100)).await;
    assert!(matches!(sold, Err(WalletError::NotStaff)), "{sold:?}");
    let wish = ChangeShop { details: Some(details()), ..ChangeShop::default() };
    assert!(matches!(denied(street.change(device, wish).await), WalletError::NotStaff));
    let sees = street.shops(&street.till.alice.device).await[0].staff.clone();
    assert_eq!(sees.iter().map(|member| member.invited).collect::<Vec<_>>(), [false, true]);

    street.change(device, joins(false)).await.unwrap();
    assert!(street.shops(device).await.is_empty());
    street.member(&carol, Some(ShopRole::Cashier)).await.unwrap();
    for _ in 0..2 {
        street.change(device, joins(true)).await.unwrap();
    }
    street.sell(&street.carol, street.wish(2, 100)).await.unwrap();
    assert_eq!(street.shops(device).await[0].staff.len(), 2);
}

#[tokio::test]
async fn who_wants_to_hear_nothing_of_somebody_is_not_asked_to_work_for_them() {
    let street = Street::new().await;
    let (alice, bob, carol) =
        (street.till.alice.user().clone(), street.till.bob.user().clone(), street.carol.user().clone());
    let flows = street.till.world.service.flows();
    flows.block_contact(street.carol.device.caller(), &alice).await.unwrap();
    for outcome in [
        street.member(&carol, Some(ShopRole::Cashier)).await,
        street.ask(&[(&bob, ShopRole::Cashier), (&carol, ShopRole::Cashier)]).await,
    ] {
        let error = denied(outcome);
        assert!(matches!(error, WalletError::NotFound("user")), "{error:?}");
    }
    assert!(street.shops(&street.carol.device).await.is_empty());
    // Bob, who works there, is not dismissed by blocking her.
    flows.block_contact(street.till.bob.device.caller(), &alice).await.unwrap();
    street.ask(&[(&bob, ShopRole::Manager)]).await.unwrap();
    assert_eq!(street.shops(&street.till.bob.device).await[0].role, ShopRole::Manager);
}

#[tokio::test]
async fn a_dismissal_is_not_undone_by_what_somebody_else_changes() {
    let street = Street::new().await;
    let (bob, carol) = (street.till.bob.user().clone(), street.carol.user().clone());
    // Two who lead the shop have the same list before them: one dismisses bob, the other asks carol.
    street.member(&bob, None).await.unwrap();
    street.member(&carol, Some(ShopRole::Cashier)).await.unwrap();
    assert!(street.shops(&street.till.bob.device).await.is_empty());
    let staff = street.shops(&street.till.alice.device).await[0].staff.clone();
    assert_eq!(staff.iter().map(|member| &member.user).collect::<Vec<_>>(), [&carol]);
    // A client from before writes its whole list: bob is asked by that, and does not work there.
    street.ask(&[(&bob, ShopRole::Cashier)]).await.unwrap();
    let sold = street.sell(&street.till.bob, street.wish(1, 100)).await;
    assert!(matches!(sold, Err(WalletError::NotStaff)), "{sold:?}");
    // Whoever works there may leave in the new way as well, and have nobody else leave.
    street.change(&street.till.bob.device, joins(true)).await.unwrap();
    let gone = |user: &UserAddress| ChangeShop {
        member: Some(StaffChange { user: user.clone(), role: None }),
        ..ChangeShop::default()
    };
    let of_alice = denied(street.change(&street.till.bob.device, gone(&carol)).await);
    assert!(matches!(of_alice, WalletError::NotStaff), "{of_alice:?}");
    street.change(&street.till.bob.device, gone(&bob)).await.unwrap();
    assert!(street.shops(&street.till.bob.device).await.is_empty());
}

#[tokio::test]
async fn a_payment_keeps_the_title_that_it_was_made_to() {
    let mut street = Street::new().await;
    let order = street.purchase(None, 300);
    let receipt = street.pays(&order).await.unwrap();
    let named = ShopDetails { title: "Post office".into(), ..details() };
    let wish = ChangeShop { details: Some(named), ..ChangeShop::default() };
    street.change(&street.till.alice.device, wish).await.unwrap();
    let wallet = street.till.world.service.wallet().clone();
    let carol = street.carol.device.caller();
    let account = wallet.accounts(carol).await.unwrap().accounts[0].id;
    let lines = wallet.history(carol, account, None).await.unwrap().lines;
    assert_eq!(lines[0].shop.as_deref(), Some("Ecklädchen"));
    let info = wallet.transfer(carol, receipt.transfer).await.unwrap();
    assert_eq!(info.shop.unwrap().title, "Ecklädchen");
    let back = street.gives_back(true, receipt.transfer, 100).await.unwrap();
    let info = wallet.transfer(street.carol.device.caller(), back.transfer).await.unwrap();
    assert_eq!(info.shop.unwrap().title, "Post office");
}
