//! Contacts come first: nobody reaches a person without that person's consent.

mod consents;
mod error;
pub(crate) mod records;
mod remote;
mod stand;
#[cfg(test)]
mod tests;

pub use error::ContactError;
pub(crate) use records::Stand;
pub(crate) use remote::{Act, Far, Told};
pub(crate) use stand::{Ask, News, Outcome, Side};

use crate::{
    Budget, Caller, Fault,
    context::{Ctx, joined},
    error::at_most,
};
use records::{ContactRecord, LinkRecord};
use std::sync::Arc;
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    Millis, UserAddress, UserName,
    contacts::{Contact, ContactList, CreateContactLink},
    limits::{CONTACT_LINKS_MAX, PAGE_MAX},
};

const DAY_MS: Millis = 24 * 60 * 60 * 1000;
/// How long a link may live.
const LINK_LIFETIME_MS_MAX: Millis = 365 * DAY_MS;
/// How many people one link may be for.
const LINK_USES_MAX: u32 = 1_000;

type Result<T, E = ContactError> = std::result::Result<T, E>;

/// The contact list and personal links. Asking and answering tell both sides' devices: see [`crate::Flows`].
#[derive(Clone)]
pub struct Contacts {
    ctx: Arc<Ctx>,
}

impl Contacts {
    pub(crate) fn new(ctx: Arc<Ctx>) -> Self {
        Contacts { ctx }
    }

    /// `GET contacts?after=ADDRESS`.
    ///
    /// # Errors
    /// [`crate::Fault`].
    pub async fn list(&self, caller: &Caller, after: Option<&UserAddress>) -> Result<ContactList> {
        let prefix = joined(caller.name().as_str(), []);
        // One more than a page tells whether there is more. Declined ones are rows too, but not shown.
        let mut scan = Scan::prefix(&prefix).limit(PAGE_MAX + 1);
        if let Some(after) = after {
            scan = scan.after(joined(caller.name().as_str(), after.to_string()));
        }
        let mut contacts = Vec::new();
        loop {
            let rows = self.ctx.store.scan(tables::CONTACTS, scan.clone()).await?;
            let Some(last) = rows.last() else { return Ok(ContactList { contacts, more: false }) };
            scan = scan.after(&last.key);
            for row in rows {
                let Some(contact) =
                    shown(row.key.get(prefix.len()..), ContactRecord::from_record(&row.value)?)?
                else {
                    continue;
                };
                if contacts.len() == PAGE_MAX {
                    return Ok(ContactList { contacts, more: true });
                }
                contacts.push(contact);
            }
        }
    }

    /// `POST contacts/links`.
    ///
    /// # Errors
    /// [`crate::Fault::Invalid`], [`crate::Fault::TooMany`], [`ContactError::LinkExists`].
    pub async fn create_link(&self, caller: &Caller, request: CreateContactLink) -> Result<()> {
        let CreateContactLink { token_hash, uses, lifetime_ms } = request;
        if !(1..=LINK_USES_MAX).contains(&uses) {
            return Err(Fault::Invalid { field: "uses", why: "1 to 1,000" }.into());
        }
        if !(1..=LINK_LIFETIME_MS_MAX).contains(&lifetime_ms) {
            return Err(Fault::Invalid { field: "lifetime_ms", why: "from 1 ms to 365 days" }.into());
        }
        self.ctx.limits.take_account(Budget::ContactChange, caller.name())?;
        let owner = caller.name();
        self.drop_ended_links(owner).await?;
        let link =
            LinkRecord { owner: owner.clone(), uses_left: uses, expires_ms: self.ctx.now() + lifetime_ms };
        let link = &link;
        self.ctx
            .store
            .transact(|tx| async move {
                if let Some(row) = tx.get(tables::CONTACT_LINKS, &token_hash).await? {
                    // A retry whose first answer was lost.
                    let same = LinkRecord::from_record(&row.value)?.owner == link.owner;
                    return if same { Ok(()) } else { Err(ContactError::LinkExists) };
                }
                let mut book = self.stage_book(&tx, owner).await?;
                book.links += 1;
                at_most("links", book.links as usize, CONTACT_LINKS_MAX)?;
                tx.put(tables::CONTACT_BOOKS, owner.as_str(), book.to_record());
                tx.put(tables::CONTACT_LINKS, token_hash, link.to_record());
                Ok(())
            })
            .await
    }
}

impl Contacts {
    /// Whether both have agreed to hear from one another.
    pub(crate) async fn are_contacts(&self, one: &UserName, other: &UserName) -> Result<bool, Fault> {
        let (ours, theirs) = (self.stand(one, other).await?, self.stand(other, one).await?);
        Ok(ours == Some(Stand::Accepted) && theirs == Some(Stand::Accepted))
    }

    /// Whether `one` may think so: also where `other` has blocked `one` since. What they may do with a contact goes on, or else
    /// the refusal would tell them; the other's devices show nothing of it.
    pub(crate) async fn seem_contacts(&self, one: &UserName, other: &UserName) -> Result<bool, Fault> {
        let (ours, theirs) = (self.stand(one, other).await?, self.stand(other, one).await?);
        Ok(ours == Some(Stand::Accepted) && matches!(theirs, Some(Stand::Accepted | Stand::Blocked)))
    }

    async fn stand(&self, me: &UserName, them: &UserName) -> Result<Option<Stand>, Fault> {
        self.stand_to(me, &self.ctx.address(them)).await
    }

    /// How an account here stands to somebody, wherever they are.
    pub(crate) async fn stand_to(&self, me: &UserName, them: &UserAddress) -> Result<Option<Stand>, Fault> {
        let key = joined(me.as_str(), them.to_string());
        let record: Option<ContactRecord> = self.ctx.read(tables::CONTACTS, key).await?;
        Ok(record.map(|record| record.stand))
    }

    /// Whether an account here wants to hear nothing of somebody.
    pub(crate) async fn has_blocked(&self, me: &UserName, them: &UserAddress) -> Result<bool, Fault> {
        Ok(self.stand_to(me, them).await? == Some(Stand::Blocked))
    }

    /// Removes links and consents that are over. Gives how many.
    pub(crate) async fn sweep(&self) -> Result<u64, ContactError> {
        let aged = self.ctx.aged().await?;
        Ok(self.drop_links(aged, |_| true).await? + self.sweep_consents(aged).await?)
    }

    async fn drop_ended_links(&self, owner: &UserName) -> Result<(), ContactError> {
        let book: Option<records::BookRecord> = self.ctx.read(tables::CONTACT_BOOKS, owner.as_str()).await?;
        // Only when room is short: the sweep does it otherwise.
        if book.is_some_and(|book| book.links as usize >= CONTACT_LINKS_MAX) {
            self.drop_links(self.ctx.now(), |link| link.owner == *owner).await?;
        }
        Ok(())
    }

    async fn drop_links(
        &self,
        now: Millis,
        which: impl Fn(&LinkRecord) -> bool,
    ) -> Result<u64, ContactError> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            let rows = self.ctx.store.scan(tables::CONTACT_LINKS, Scan::prefix([]).after(&after)).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            for row in rows {
                let link = LinkRecord::from_record(&row.value)?;
                if link.expires_ms > now || !which(&link) {
                    continue;
                }
                let (key, owner) = (&row.key, &link.owner);
                removed += self
                    .ctx
                    .store
                    .transact(|tx| async move {
                        // Used up meanwhile: counted already.
                        if tx.get(tables::CONTACT_LINKS, key).await?.is_none() {
                            return Ok::<_, ContactError>(0);
                        }
                        self.stage_drop_link(&tx, key, owner).await.map(|()| 1)
                    })
                    .await?;
            }
        }
    }
}

fn shown(address: Option<&[u8]>, record: ContactRecord) -> Result<Option<Contact>, Fault> {
    let Some(state) = record.stand.shown() else { return Ok(None) };
    let address =
        address.and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.parse().ok());
    let user = address.ok_or(Fault::Internal("a contact's key is no address"))?;
    let ContactRecord { identity, sealed, since_ms, .. } = record;
    Ok(Some(Contact { user, state, identity, sealed, since_ms }))
}
