//! A pair of people on two nodes. Each node keeps its own person's record only, and tells the other node of each step; the
//! steps are such that both records come to the same in whatever order they cross.

use super::{Ask, ContactError, Contacts, News, Result, Stand, records::ContactRecord};
use weft_store::Tx;
use weft_wire::{Blob, Signed, UserAddress, UserName, federation::ContactStep, identity::UserIdentity};

/// Somebody on another node.
pub(crate) struct Far<'a> {
    pub user: &'a UserAddress,
    pub identity: &'a Signed<UserIdentity>,
}

/// What a person here does about somebody there.
pub(crate) enum Act<'a> {
    Ask(Ask<'a>),
    Accept(&'a Blob),
    Decline,
    Block,
    Remove,
}

/// What follows from a step: what to tell the devices here, and the other node.
#[derive(Default, Debug)]
pub(crate) struct Told {
    pub here: Option<News>,
    pub there: Option<ContactStep>,
}

impl Contacts {
    /// `me`, here, does something about `them`.
    ///
    /// # Errors
    /// [`ContactError::Blocked`], [`ContactError::NotFound`], [`crate::Fault::TooMany`].
    pub(crate) async fn stage_act(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Far<'_>,
        act: &Act<'_>,
    ) -> Result<Told> {
        let mine = self.stage_get_at(tx, me, them.user).await?;
        let stand = mine.as_ref().map(|record| record.stand);
        match act {
            Act::Ask(ask) => self.stage_ask(tx, me, them, mine, ask).await,
            Act::Accept(sealed) => match stand {
                Some(Stand::Accepted) => Ok(told(Some(Stand::Accepted), None)),
                Some(Stand::Incoming) => self.stage_agree(tx, me, them, mine, sealed).await,
                _ => Err(ContactError::NotFound),
            },
            Act::Decline if stand == Some(Stand::Incoming) => {
                self.stage_put_at(tx, me, them.user, them.identity, Stand::Declined, None).await?;
                Ok(told(None, None))
            }
            Act::Decline => Err(ContactError::NotFound),
            Act::Block => {
                self.stage_put_at(tx, me, them.user, them.identity, Stand::Blocked, None).await?;
                // A contact goes on for the other, who is not told; a request of mine is taken back.
                let withdrawn = (stand == Some(Stand::Outgoing)).then_some(ContactStep::Remove);
                Ok(told(Some(Stand::Blocked), withdrawn))
            }
            Act::Remove => {
                let ends = match stand {
                    None | Some(Stand::Declined) => return Err(ContactError::NotFound),
                    Some(Stand::Outgoing | Stand::Accepted) => Some(ContactStep::Remove),
                    // To the one who asked it looks as if nobody had answered.
                    Some(Stand::Incoming | Stand::Blocked) => None,
                };
                self.stage_delete_at(tx, me, them.user).await?;
                Ok(told(None, ends))
            }
        }
    }

    async fn stage_ask(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Far<'_>,
        mine: Option<ContactRecord>,
        ask: &Ask<'_>,
    ) -> Result<Told> {
        match mine.as_ref().map(|record| record.stand) {
            Some(Stand::Blocked) => Err(ContactError::Blocked),
            Some(Stand::Accepted) => Ok(told(Some(Stand::Accepted), None)),
            Some(Stand::Incoming) => self.stage_agree(tx, me, them, mine, ask.sealed).await,
            Some(Stand::Outgoing | Stand::Declined) | None => {
                self.stage_put_at(tx, me, them.user, them.identity, Stand::Outgoing, None).await?;
                let step = ContactStep::Ask { sealed: ask.sealed.clone(), token: ask.token.cloned() };
                Ok(told(Some(Stand::Outgoing), Some(step)))
            }
        }
    }

    /// What they asked is agreed to; their greeting stays.
    async fn stage_agree(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Far<'_>,
        mine: Option<ContactRecord>,
        sealed: &Blob,
    ) -> Result<Told> {
        let greeting = mine.and_then(|record| record.sealed);
        self.stage_put_at(tx, me, them.user, them.identity, Stand::Accepted, greeting.clone()).await?;
        Ok(Told {
            here: Some(News { stand: Some(Stand::Accepted), sealed: greeting }),
            there: Some(ContactStep::Accept { sealed: Some(sealed.clone()) }),
        })
    }

    /// `them`, there, has done something about `me`.
    ///
    /// # Errors
    /// [`ContactError::LinkInvalid`], [`crate::Fault::TooMany`].
    pub(crate) async fn stage_heard(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Far<'_>,
        step: &ContactStep,
    ) -> Result<Told> {
        let stand = self.stage_get_at(tx, me, them.user).await?.map(|record| record.stand);
        match step {
            ContactStep::Ask { sealed, token } => {
                self.stage_asked(tx, me, them, stand, sealed, token.as_ref()).await
            }
            ContactStep::Accept { sealed } if stand == Some(Stand::Outgoing) => {
                self.stage_put_at(tx, me, them.user, them.identity, Stand::Accepted, sealed.clone()).await?;
                let news = News { stand: Some(Stand::Accepted), sealed: sealed.clone() };
                Ok(Told { here: Some(news), there: None })
            }
            ContactStep::Remove if matches!(stand, Some(Stand::Accepted | Stand::Incoming)) => {
                self.stage_delete_at(tx, me, them.user).await?;
                Ok(told(None, None))
            }
            // Nobody here asked them, or it was taken back meanwhile; or I have said already what I think of it.
            ContactStep::Accept { .. } | ContactStep::Remove => Ok(Told::default()),
        }
    }

    async fn stage_asked(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Far<'_>,
        stand: Option<Stand>,
        sealed: &Blob,
        token: Option<&Blob>,
    ) -> Result<Told> {
        let agreed = Some(ContactStep::Accept { sealed: None });
        match stand {
            // One who is blocked learns nothing, by a link either.
            Some(Stand::Blocked) => return Ok(Told::default()),
            // They have forgotten: their data comes from a backup.
            Some(Stand::Accepted) => return Ok(Told { here: None, there: agreed }),
            _ => {}
        }
        if let Some(token) = token {
            self.stage_use_link(tx, me, token).await?;
        }
        let stand = match stand {
            // Both have asked. They are told: what I asked may have been declined there before.
            _ if token.is_some() => Stand::Accepted,
            Some(Stand::Outgoing) => Stand::Accepted,
            Some(Stand::Declined) => return Ok(Told::default()),
            _ => Stand::Incoming,
        };
        self.stage_put_at(tx, me, them.user, them.identity, stand, Some(sealed.clone())).await?;
        let news = News { stand: Some(stand), sealed: Some(sealed.clone()) };
        Ok(Told { here: Some(news), there: agreed.filter(|_| stand == Stand::Accepted) })
    }

    /// The other node has refused a request of `me`, or could not be reached for too long: it is as if it had not been made.
    pub(crate) async fn stage_unasked(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &UserAddress,
    ) -> Result<Option<ContactRecord>> {
        let mine = self.stage_get_at(tx, me, them).await?;
        let Some(mine) = mine.filter(|record| record.stand == Stand::Outgoing) else { return Ok(None) };
        self.stage_delete_at(tx, me, them).await?;
        Ok(Some(mine))
    }
}

fn told(stand: Option<Stand>, there: Option<ContactStep>) -> Told {
    Told { here: Some(News { stand, sealed: None }), there }
}
