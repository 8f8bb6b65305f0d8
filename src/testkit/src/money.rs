//! Money of people: what the owner issues, what somebody has, and the PIN under which they pay.

use crate::{Cast, Person, device};
use anyhow::{Context as _, Result, bail};
use weft_engine::api::{Call, Reply, WalletView};

/// The payment PIN of everybody.
pub const PIN: &str = "280195";

/// A number for a form that is filled in.
pub fn form() -> String {
    device::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What somebody sees of their money.
///
/// # Errors
/// Any.
pub async fn wallet(person: &Person) -> Result<WalletView> {
    match person.call(Call::Wallet).await? {
        Reply::Wallet(wallet) => Ok(wallet),
        other => bail!("{other:?}"),
    }
}

/// What somebody can pay with, in minor units of the first asset that they have.
///
/// # Errors
/// Any.
pub async fn balance(person: &Person) -> Result<u64> {
    let accounts = wallet(person).await?.accounts;
    Ok(accounts.first().map_or(Ok(0), |account| account.available.parse())?)
}

/// Somebody makes a key for their payments, under [`PIN`].
///
/// # Errors
/// Any.
pub async fn set_pin(person: &Person, who: Cast) -> Result<()> {
    person.call(Call::SetPin { pin: PIN.into(), password: who.password().into() }).await?;
    Ok(())
}

/// The owner issues euros, so many cents to each. Gives the asset's id.
///
/// # Errors
/// Any.
pub async fn issue(owner: &Person, people: &[(&Person, u64)]) -> Result<String> {
    let zero = || "0".to_owned();
    let define = Call::DefineAsset {
        code: "EUR".into(),
        scale: 2,
        title: "Euro".into(),
        backing: "the cash box".into(),
        payment_max: zero(),
        day_max: zero(),
        issue_max: zero(),
    };
    owner.call(define).await?;
    let asset = wallet(owner).await?.assets.pop().context("nothing is issued")?.asset.id;
    for (person, amount) in people {
        let (user, amount) = (person.address.clone(), amount.to_string());
        owner.call(Call::Issue { id: form(), user, asset: asset.clone(), amount, redeem: false }).await?;
    }
    Ok(asset)
}
