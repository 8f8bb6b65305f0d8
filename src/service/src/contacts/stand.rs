//! How two accounts stand to one another, and what each step changes on both sides.

use super::{
    ContactError, Contacts, Result,
    records::{BookRecord, ContactRecord, LinkRecord, Stand},
};
use crate::{context::joined, error::at_most};
use weft_store::{Tx, record::Record, tables};
use weft_wire::{Blob, Signed, UserAddress, UserName, identity::UserIdentity, limits};

/// One side of a pair: who, and their public keys.
pub(crate) struct Side<'a> {
    pub name: &'a UserName,
    pub identity: &'a Signed<UserIdentity>,
}

/// What an account's devices are to be told of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// How it stands now; none: no longer a contact.
    pub stand: Option<Stand>,
    /// What the other sent along.
    pub sealed: Option<Blob>,
}

/// What a step leads to: what to answer, and whom to tell what.
#[derive(Default, Debug)]
pub(crate) struct Outcome {
    /// For the devices of the one who took the step.
    pub mine: Option<News>,
    /// For the devices of the other.
    pub theirs: Option<News>,
}

/// What somebody who asks hands over.
pub(crate) struct Ask<'a> {
    pub sealed: &'a Blob,
    pub token: Option<&'a Blob>,
}

impl Contacts {
    /// `me` asks `them`.
    pub(crate) async fn stage_request(
        &self,
        tx: &Tx,
        me: &Side<'_>,
        them: &Side<'_>,
        ask: &Ask<'_>,
    ) -> Result<Outcome> {
        let mine = self.stage_get(tx, me.name, them.name).await?;
        let theirs = self.stage_get(tx, them.name, me.name).await?.map(|record| record.stand);
        match mine.as_ref().map(|record| record.stand) {
            Some(Stand::Blocked) => return Err(ContactError::Blocked),
            Some(Stand::Accepted) => {
                return Ok(Outcome {
                    mine: Some(News { stand: Some(Stand::Accepted), sealed: None }),
                    theirs: None,
                });
            }
            _ => {}
        }
        let asked_by_them = theirs == Some(Stand::Outgoing);
        let by_link = match ask.token {
            // One who is blocked learns nothing by a link either: it is used, or refused, as ever, and opens nothing.
            Some(token) => {
                self.stage_use_link(tx, them.name, token).await?;
                theirs != Some(Stand::Blocked)
            }
            None => false,
        };
        if asked_by_them || by_link {
            return self.stage_both_accepted(tx, me, them, ask.sealed).await;
        }
        self.stage_put(tx, me.name, them, Stand::Outgoing, None).await?;
        let outgoing = Some(News { stand: Some(Stand::Outgoing), sealed: None });
        if matches!(theirs, Some(Stand::Blocked | Stand::Declined)) {
            return Ok(Outcome { mine: outgoing, theirs: None });
        }
        self.stage_put(tx, them.name, me, Stand::Incoming, Some(ask.sealed.clone())).await?;
        let incoming = News { stand: Some(Stand::Incoming), sealed: Some(ask.sealed.clone()) };
        Ok(Outcome { mine: outgoing, theirs: Some(incoming) })
    }

    /// `me` agrees to what `them` asked.
    pub(crate) async fn stage_accept(
        &self,
        tx: &Tx,
        me: &Side<'_>,
        them: &Side<'_>,
        sealed: &Blob,
    ) -> Result<Outcome> {
        let mine = self.stage_get(tx, me.name, them.name).await?.ok_or(ContactError::NotFound)?;
        let theirs = self.stage_get(tx, them.name, me.name).await?.map(|record| record.stand);
        match (mine.stand, theirs) {
            (Stand::Accepted, _) => {
                Ok(Outcome { mine: Some(News { stand: Some(Stand::Accepted), sealed: None }), theirs: None })
            }
            (Stand::Incoming, Some(Stand::Outgoing)) => self.stage_both_accepted(tx, me, them, sealed).await,
            _ => Err(ContactError::NotFound),
        }
    }

    async fn stage_both_accepted(
        &self,
        tx: &Tx,
        me: &Side<'_>,
        them: &Side<'_>,
        sealed: &Blob,
    ) -> Result<Outcome> {
        let greeting = self.stage_get(tx, me.name, them.name).await?.and_then(|record| record.sealed);
        self.stage_put(tx, me.name, them, Stand::Accepted, greeting.clone()).await?;
        self.stage_put(tx, them.name, me, Stand::Accepted, Some(sealed.clone())).await?;
        Ok(Outcome {
            mine: Some(News { stand: Some(Stand::Accepted), sealed: greeting }),
            theirs: Some(News { stand: Some(Stand::Accepted), sealed: Some(sealed.clone()) }),
        })
    }

    /// `me` says no. The row stays, out of sight, so that asking again is in vain.
    pub(crate) async fn stage_decline(&self, tx: &Tx, me: &UserName, them: &Side<'_>) -> Result<Outcome> {
        let mine = self.stage_get(tx, me, them.name).await?;
        if mine.map(|record| record.stand) != Some(Stand::Incoming) {
            return Err(ContactError::NotFound);
        }
        self.stage_put(tx, me, them, Stand::Declined, None).await?;
        Ok(Outcome { mine: Some(News { stand: None, sealed: None }), theirs: None })
    }

    /// `me` wants to hear nothing from `them`. What `them` sees does not change, save that a request of mine is gone.
    pub(crate) async fn stage_block(&self, tx: &Tx, me: &UserName, them: &Side<'_>) -> Result<Outcome> {
        self.stage_put(tx, me, them, Stand::Blocked, None).await?;
        let theirs = self.stage_get(tx, them.name, me).await?.map(|record| record.stand);
        let withdrawn = theirs == Some(Stand::Incoming);
        if withdrawn {
            self.stage_delete(tx, them.name, me).await?;
        }
        Ok(Outcome {
            mine: Some(News { stand: Some(Stand::Blocked), sealed: None }),
            theirs: withdrawn.then_some(News { stand: None, sealed: None }),
        })
    }

    /// `me` ends what there is: a contact (for both), a request (for both), a block (for me).
    pub(crate) async fn stage_remove(&self, tx: &Tx, me: &UserName, them: &UserName) -> Result<Outcome> {
        let mine = self.stage_get(tx, me, them).await?.ok_or(ContactError::NotFound)?;
        if mine.stand == Stand::Declined {
            return Err(ContactError::NotFound);
        }
        self.stage_delete(tx, me, them).await?;
        let theirs = self.stage_get(tx, them, me).await?.map(|record| record.stand);
        let ends = matches!(theirs, Some(Stand::Accepted | Stand::Incoming));
        if ends {
            self.stage_delete(tx, them, me).await?;
        }
        let gone = News { stand: None, sealed: None };
        Ok(Outcome { mine: Some(gone.clone()), theirs: ends.then_some(gone) })
    }

    async fn stage_get(&self, tx: &Tx, me: &UserName, them: &UserName) -> Result<Option<ContactRecord>> {
        self.stage_get_at(tx, me, &self.ctx.address(them)).await
    }

    pub(super) async fn stage_get_at(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &UserAddress,
    ) -> Result<Option<ContactRecord>> {
        let row = tx.get(tables::CONTACTS, &joined(me.as_str(), them.to_string())).await?;
        Ok(row.map(|row| ContactRecord::from_record(&row.value)).transpose()?)
    }

    async fn stage_put(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &Side<'_>,
        stand: Stand,
        sealed: Option<Blob>,
    ) -> Result<()> {
        self.stage_put_at(tx, me, &self.ctx.address(them.name), them.identity, stand, sealed).await
    }

    pub(super) async fn stage_put_at(
        &self,
        tx: &Tx,
        me: &UserName,
        them: &UserAddress,
        identity: &Signed<UserIdentity>,
        stand: Stand,
        sealed: Option<Blob>,
    ) -> Result<()> {
        let before = self.stage_get_at(tx, me, them).await?.map(|record| record.stand);
        self.stage_count(tx, me, before, Some(stand)).await?;
        let record = ContactRecord { stand, identity: identity.clone(), sealed, since_ms: self.ctx.now() };
        tx.put(tables::CONTACTS, joined(me.as_str(), them.to_string()), record.to_record());
        Ok(())
    }

    async fn stage_delete(&self, tx: &Tx, me: &UserName, them: &UserName) -> Result<()> {
        self.stage_delete_at(tx, me, &self.ctx.address(them)).await
    }

    pub(super) async fn stage_delete_at(&self, tx: &Tx, me: &UserName, them: &UserAddress) -> Result<()> {
        let before = self.stage_get_at(tx, me, them).await?.map(|record| record.stand);
        self.stage_count(tx, me, before, None).await?;
        tx.delete(tables::CONTACTS, joined(me.as_str(), them.to_string()));
        Ok(())
    }

    /// Keeps the bounds: how many rows, how many that wait for an answer.
    async fn stage_count(
        &self,
        tx: &Tx,
        me: &UserName,
        before: Option<Stand>,
        after: Option<Stand>,
    ) -> Result<()> {
        let mut book = self.stage_book(tx, me).await?;
        let waits = |stand| u32::from(stand == Some(Stand::Incoming));
        book.contacts =
            (book.contacts + u32::from(after.is_some())).saturating_sub(u32::from(before.is_some()));
        book.waiting = (book.waiting + waits(after)).saturating_sub(waits(before));
        if before.is_none() && after.is_some() {
            at_most("contacts", book.contacts as usize, limits::CONTACTS_MAX)?;
        }
        if waits(after) > waits(before) {
            at_most("requests that wait", book.waiting as usize, limits::CONTACT_REQUESTS_WAITING_MAX)?;
        }
        tx.put(tables::CONTACT_BOOKS, me.as_str(), book.to_record());
        Ok(())
    }

    pub(super) async fn stage_book(&self, tx: &Tx, me: &UserName) -> Result<BookRecord> {
        let row = tx.get(tables::CONTACT_BOOKS, me.as_str().as_bytes()).await?;
        Ok(row.map(|row| BookRecord::from_record(&row.value)).transpose()?.unwrap_or_default())
    }

    pub(super) async fn stage_use_link(&self, tx: &Tx, owner: &UserName, token: &Blob) -> Result<()> {
        let hash = *blake3::hash(token.as_slice()).as_bytes();
        let row = tx.get(tables::CONTACT_LINKS, &hash).await?.ok_or(ContactError::LinkInvalid)?;
        let mut link = LinkRecord::from_record(&row.value)?;
        if link.owner != *owner || link.expires_ms <= self.ctx.now() || link.uses_left == 0 {
            return Err(ContactError::LinkInvalid);
        }
        link.uses_left -= 1;
        if link.uses_left == 0 {
            self.stage_drop_link(tx, &hash, owner).await
        } else {
            tx.put(tables::CONTACT_LINKS, hash, link.to_record());
            Ok(())
        }
    }

    pub(super) async fn stage_drop_link(&self, tx: &Tx, hash: &[u8], owner: &UserName) -> Result<()> {
        let mut book = self.stage_book(tx, owner).await?;
        book.links = book.links.saturating_sub(1);
        tx.put(tables::CONTACT_BOOKS, owner.as_str(), book.to_record());
        tx.delete(tables::CONTACT_LINKS, hash);
        Ok(())
    }
}
