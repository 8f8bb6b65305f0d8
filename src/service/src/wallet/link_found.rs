//! What a thaw alone says that somebody here got: it is in the node's position, until the operator gives it to them.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::link::{Aim, LinkBooks, Reason, Way, pay_found};
use weft_wire::{NodeName, TransferId, UserName, wallet::Payee};

impl Wallet {
    /// Gives somebody a payment that has come to them by the word of a thaw alone, out of the node's position. Once: the same again is
    /// nothing. Whose it is stands in the payment, or only the operator knows.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] if no thaw has found it for somebody here, [`WalletError::AlreadyDecided`] if somebody has it,
    /// [`Fault::Invalid`] for somebody else than it was to, [`WalletError::Refused`] if their account takes nothing,
    /// [`WalletError::Link`] for what needs approval.
    pub(crate) async fn pay_found(
        &self,
        peer: &NodeName,
        payment: TransferId,
        user: &UserName,
    ) -> Result<()> {
        let (peer, user) = (peer.clone(), user.clone());
        self.teller.run(move |sheet| sheet.pay_found(&peer, payment, &user)).await
    }
}

impl Sheet<'_> {
    fn pay_found(&mut self, peer: &NodeName, payment: TransferId, user: &UserName) -> Result<(), Stop> {
        let none = || WalletError::NotFound("transfer");
        let record = self.payment(peer, Way::In, payment)?.ok_or_else(none)?;
        let asset = match (&record.prepare, record.lost) {
            (Some(prepare), _) => {
                let Aim::Payment { payee: Payee::Person(payee), .. } = &prepare.aim else {
                    return Err(none().into());
                };
                if payee.name != *user {
                    return Err(Fault::Invalid { field: "user", why: "it was paid to somebody else" }.into());
                }
                // What is exchanged comes into the world by that.
                if self.gives_guarded(prepare)? {
                    return Err(WalletError::Link(LinkTrouble::Payment(Reason::Guarded)).into());
                }
                prepare.got().asset
            }
            (None, Some(lost)) => lost.give.asset,
            (None, None) => return Err(none().into()),
        };
        let (to, now) = (self.personal(user, asset)?, self.now);
        pay_found(self, peer, payment, to, now)?;
        Ok(())
    }
}
