//! What is addressed to a device outside any room: in order, bounded, deleted when it is acknowledged.

pub(crate) mod records;
#[cfg(test)]
mod tests;

use crate::{
    Fault, ahead, chunks,
    context::{Ctx, be64, joined},
};
use records::{InboxRecord, Kept, WelcomeBody};
use std::sync::Arc;
use weft_store::{Batch, Row, Scan, Table, Tx, Watch, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, MessageId, Millis, RoomId, Signed, UserAddress, UserName, contacts::ContactState,
    identity::UserIdentity, limits::INBOX_ITEMS_MAX, sync::InboxItem,
};

/// A Welcome up to this size may stand in its entry.
const INLINE_BYTES_MAX: usize = 48 << 10;
/// All Welcomes of one commit that stand in their entries, together: they share a batch with the commit.
const INLINE_TOGETHER_BYTES_MAX: usize = 256 << 10;
/// Entries about people, of those that wait: strangers can send them, and must leave room for Welcomes.
const CONTACTS_MAX: usize = INBOX_ITEMS_MAX / 2;
/// Rows that are deleted in one batch.
const DELETE_PAGE: usize = 512;
/// Entries that are deleted in one batch, with all that belongs to them: a long Welcome has a row for each part.
const ACKNOWLEDGE_PAGE: usize = 64;

/// Inboxes of devices. They are written by flows and read by sockets only.
#[derive(Clone)]
pub(crate) struct Inbox {
    ctx: Arc<Ctx>,
}

/// An entry as it was kept.
pub(crate) struct Entry {
    pub seq: u64,
    pub time_ms: Millis,
    pub item: Item,
}

/// What an entry says.
pub(crate) enum Item {
    Ready(InboxItem),
    /// The number of its commit is still to be found.
    Welcome {
        room: RoomId,
        device: DeviceId,
        message: MessageId,
        welcome: Blob,
    },
}

/// A Welcome on its way into an inbox.
pub(crate) struct NewWelcome<'a> {
    pub room: RoomId,
    /// The device that commits.
    pub by: DeviceId,
    /// The commit's id.
    pub message: MessageId,
    pub welcome: &'a [u8],
    /// How many devices it is for.
    pub copies: usize,
}

/// A Welcome that the hub of a room on another node has sent.
pub(crate) struct FarWelcome<'a> {
    pub room: RoomId,
    /// The number of its commit.
    pub seq: u64,
    pub welcome: &'a [u8],
}

/// How an account stands to a person, on its way into the inboxes of the account's devices.
pub(crate) struct ContactNews<'a> {
    pub user: &'a UserAddress,
    pub state: Option<ContactState>,
    pub identity: &'a Signed<UserIdentity>,
    pub sealed: Option<&'a Blob>,
}

/// Whether a Welcome may stand in the rows of so many devices, which share a batch with the commit.
pub(crate) fn fits_inline(welcome: &[u8], copies: usize) -> bool {
    let together = welcome.len().saturating_mul(copies);
    welcome.len() <= INLINE_BYTES_MAX && together <= INLINE_TOGETHER_BYTES_MAX
}

/// The key of a device's rows.
fn mailbox(name: &UserName, device: DeviceId) -> Vec<u8> {
    joined(name.as_str(), device.as_bytes())
}

impl Inbox {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        Inbox { ctx }
    }

    /// The number of the newest entry that waits; 0: none does. Not the newest that was ever given: of a node that comes from a
    /// backup nobody has had that one.
    pub async fn newest(&self, name: &UserName, device: DeviceId) -> Result<u64, Fault> {
        let newest = Scan::prefix(mailbox(name, device)).reverse().limit(1);
        let row = self.ctx.store.scan(tables::INBOX, newest).await?.pop();
        Ok(row.and_then(|row| be64(&row.key)).unwrap_or(0))
    }

    /// How many entries wait. An inbox that is older than this counter counts what has come since.
    async fn waiting(&self, mailbox: &[u8]) -> Result<usize, Fault> {
        let waiting = self.ctx.count(tables::INBOX_WAITING, mailbox).await?;
        Ok(usize::try_from(waiting).unwrap_or(usize::MAX))
    }

    async fn is_full(&self, mailbox: &[u8]) -> Result<bool, Fault> {
        Ok(self.waiting(mailbox).await? >= INBOX_ITEMS_MAX)
    }

    /// Whether an entry about one more person may come. People are counted only where they could be too many.
    async fn takes_person(&self, mailbox: &[u8]) -> Result<bool, Fault> {
        if self.waiting(mailbox).await? < CONTACTS_MAX {
            return Ok(true);
        }
        let people = Scan::prefix(mailbox).limit(CONTACTS_MAX);
        let people = self.ctx.store.scan(tables::INBOX_CONTACTS, people).await?.len();
        Ok(people < CONTACTS_MAX && !self.is_full(mailbox).await?)
    }

    /// Adds an entry for each device to a batch. A device whose inbox is full is left out: what it misses it finds in the
    /// lists of devices and rooms.
    pub async fn add(
        &self,
        mut batch: Batch,
        name: &UserName,
        devices: impl IntoIterator<Item = DeviceId>,
        item: &InboxItem,
    ) -> Result<Batch, Fault> {
        let record = InboxRecord { time_ms: self.ctx.now(), item: Kept::Item(item.clone()) }.to_record();
        for device in devices {
            let key = mailbox(name, device);
            if !self.is_full(&key).await? {
                batch = append(batch, &key, record.clone());
            }
        }
        Ok(batch)
    }

    /// Tells each device how its account stands to a person now. Of one person one entry waits: whoever asks and takes it
    /// back, over and over, must not fill the inbox of a device that is away. The newer entry is a new one at the end, since
    /// the older one may have gone out already.
    pub async fn stage_contact(
        &self,
        tx: &Tx,
        name: &UserName,
        devices: impl IntoIterator<Item = DeviceId>,
        news: &ContactNews<'_>,
    ) -> Result<(), Fault> {
        for device in devices {
            let key = mailbox(name, device);
            let place = person(&key, news.user);
            let older = match tx.get(tables::INBOX_CONTACTS, &place).await?.and_then(|row| be64(&row.value)) {
                Some(seq) => tx.get(tables::INBOX, &numbered(&key, seq)).await?,
                None => None,
            };
            let mut sealed = news.sealed.cloned();
            if let Some(older) = older {
                // What they sent along stays good; the device would have read it before the newer entry.
                sealed = sealed.or(sealed_in(&older.value)?);
                tx.delete(tables::INBOX, &older.key);
            } else if self.takes_person(&key).await? {
                tx.add(tables::INBOX_WAITING, &key, 1);
            } else {
                continue;
            }
            let head = tx.get(tables::INBOX_HEADS, &key).await?.and_then(|row| be64(&row.value));
            let seq = head.unwrap_or(0) + 1;
            let item = InboxItem::Contact {
                user: news.user.clone(),
                state: news.state,
                identity: news.identity.clone(),
                sealed,
            };
            let record = InboxRecord { time_ms: self.ctx.now(), item: Kept::Item(item) };
            tx.put(tables::INBOX_HEADS, &key, seq.to_be_bytes());
            tx.put(tables::INBOX, numbered(&key, seq), record.to_record());
            tx.put(tables::INBOX_CONTACTS, place, seq.to_be_bytes());
        }
        Ok(())
    }

    /// Adds a Welcome for one device to a batch. A long body is written at once, ahead of the batch. A device whose inbox is
    /// full is left out: it finds itself in a room that it cannot read, and joins by external commit. The others must not
    /// have to wait for it.
    pub async fn add_welcome(
        &self,
        batch: Batch,
        name: &UserName,
        device: DeviceId,
        new: &NewWelcome<'_>,
    ) -> Result<Batch, Fault> {
        let key = mailbox(name, device);
        if self.is_full(&key).await? {
            tracing::info!(room = %new.room, %device, "a full inbox goes without a Welcome");
            return Ok(batch);
        }
        let (batch, body) = self.stage_body(batch, &key, new.welcome, new.copies).await?;
        let kept = Kept::Welcome { room: new.room, device: new.by, message: new.message, body };
        let record = InboxRecord { time_ms: self.ctx.now(), item: kept };
        Ok(append(batch, &key, record.to_record()))
    }

    /// The same for a Welcome that the hub of a room on another node has sent. Of one room one waits, the newest by its commit: a
    /// hub fills no inbox.
    pub async fn stage_far_welcome(
        &self,
        tx: &Tx,
        name: &UserName,
        device: DeviceId,
        new: &FarWelcome<'_>,
    ) -> Result<(), Fault> {
        let key = mailbox(name, device);
        let place = of_room(&key, new.room);
        let waits = tx.get(tables::INBOX_WELCOMES, &place).await?.and_then(|row| be64(&row.value));
        let older = match waits {
            Some(seq) => tx.get(tables::INBOX, &numbered(&key, seq)).await?,
            None => None,
        };
        match &older {
            Some(older) if welcome_in(&older.value)?.is_some_and(|seq| seq >= new.seq) => return Ok(()),
            Some(_) => {}
            None if self.is_full(&key).await? => {
                tracing::info!(room = %new.room, %device, "a full inbox goes without a Welcome");
                return Ok(());
            }
            None => tx.add(tables::INBOX_WAITING, &key, 1),
        }
        if let Some(older) = older {
            tx.merge(delete_body(Batch::new(), &key, &older.value)?);
            tx.delete(tables::INBOX, &older.key);
        }
        let (batch, body) = self.stage_body(Batch::new(), &key, new.welcome, 1).await?;
        tx.merge(batch);
        let head = tx.get(tables::INBOX_HEADS, &key).await?.and_then(|row| be64(&row.value));
        let seq = head.unwrap_or(0) + 1;
        let item = Kept::FarWelcome { room: new.room, seq: new.seq, body };
        let record = InboxRecord { time_ms: self.ctx.now(), item };
        tx.put(tables::INBOX_HEADS, &key, seq.to_be_bytes());
        tx.put(tables::INBOX, numbered(&key, seq), record.to_record());
        tx.put(tables::INBOX_WELCOMES, place, seq.to_be_bytes());
        Ok(())
    }

    async fn stage_body(
        &self,
        batch: Batch,
        key: &[u8],
        welcome: &[u8],
        copies: usize,
    ) -> Result<(Batch, WelcomeBody), Fault> {
        if fits_inline(welcome, copies) {
            return Ok((batch, WelcomeBody::Inline(Blob::from(welcome))));
        }
        let id: [u8; 16] = self.ctx.random();
        let prefix = part(key, &id);
        let (long, count) = chunks::put(Batch::new(), tables::INBOX_PARTS, &prefix, welcome)?;
        let settled = ahead::INBOX_PARTS.write(&self.ctx, &prefix, vec![long]).await?;
        Ok((batch.merge(settled), WelcomeBody::Parts { id: Blob(id.to_vec()), count }))
    }

    /// Entries after a number, in order.
    pub async fn page(
        &self,
        name: &UserName,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault> {
        let key = mailbox(name, device);
        let scan = Scan::prefix(&key).after(numbered(&key, after)).limit(limit);
        let mut entries = Vec::new();
        for row in self.ctx.store.scan(tables::INBOX, scan).await? {
            let seq = be64(&row.key).ok_or(Fault::Internal("an inbox key without a number"))?;
            let record = InboxRecord::from_record(&row.value)?;
            let item = match record.item {
                Kept::Item(item) => Item::Ready(item),
                Kept::Welcome { room, device, message, body } => {
                    // Acknowledged by another socket of the device at this moment.
                    let Some(welcome) = self.body(&key, body).await? else { continue };
                    Item::Welcome { room, device, message, welcome }
                }
                Kept::FarWelcome { room, seq, body } => {
                    let Some(welcome) = self.body(&key, body).await? else { continue };
                    Item::Ready(InboxItem::Welcome { room, seq, welcome })
                }
            };
            entries.push(Entry { seq, time_ms: record.time_ms, item });
        }
        Ok(entries)
    }

    async fn body(&self, key: &[u8], body: WelcomeBody) -> Result<Option<Blob>, Fault> {
        match body {
            WelcomeBody::Inline(welcome) => Ok(Some(welcome)),
            WelcomeBody::Parts { id, count } => {
                let key = part(key, id.as_slice());
                Ok(chunks::get(&self.ctx.store, tables::INBOX_PARTS, &key, count).await?.map(Blob))
            }
        }
    }

    /// Tells of new entries.
    pub fn watch(&self, name: &UserName, device: DeviceId) -> Watch {
        self.ctx.store.watch(tables::INBOX, mailbox(name, device))
    }

    /// Deletes everything up to a number.
    pub async fn acknowledge(&self, name: &UserName, device: DeviceId, up_to: u64) -> Result<(), Fault> {
        let key = mailbox(name, device);
        loop {
            let mut rows =
                self.ctx.store.scan(tables::INBOX, Scan::prefix(&key).limit(ACKNOWLEDGE_PAGE)).await?;
            let found = rows.len();
            rows.retain(|row| be64(&row.key).is_some_and(|seq| seq <= up_to));
            if rows.is_empty() {
                return Ok(());
            }
            // An inbox that is older than its counter holds more than was counted.
            let counted = rows.len().min(self.waiting(&key).await?);
            let mut batch = Batch::new().add(tables::INBOX_WAITING, &key, -(counted as i128));
            for row in &rows {
                batch = self.delete_entry(batch, &key, row).await?;
            }
            match self.ctx.store.commit(batch).await {
                Ok(_) if found < ACKNOWLEDGE_PAGE => return Ok(()),
                Ok(_) => {}
                // Another socket of the device was quicker, or an entry was replaced: each is counted once.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Deletes an entry that is still there, and what belongs to it.
    async fn delete_entry(&self, batch: Batch, key: &[u8], row: &Row) -> Result<Batch, Fault> {
        let batch =
            batch.assert_version(tables::INBOX, &row.key, row.version).delete(tables::INBOX, &row.key);
        let batch = delete_body(batch, key, &row.value)?;
        let (table, place) = match InboxRecord::from_record(&row.value)?.item {
            Kept::FarWelcome { room, .. } => (tables::INBOX_WELCOMES, of_room(key, room)),
            Kept::Item(InboxItem::Contact { user, .. }) => (tables::INBOX_CONTACTS, person(key, &user)),
            _ => return Ok(batch),
        };
        let waits = self.ctx.count(table, &place).await?;
        let this = be64(&row.key) == Some(waits);
        Ok(if this { batch.delete(table, place) } else { batch })
    }

    /// Removes long Welcomes of commits that never came. Gives how many rows.
    pub async fn sweep(&self) -> Result<u64, Fault> {
        ahead::INBOX_PARTS.sweep(&self.ctx).await
    }

    /// Deletes a device's inbox, long bodies that no entry names included.
    pub async fn drop_all(&self, name: &UserName, device: DeviceId) -> Result<(), Fault> {
        let key = mailbox(name, device);
        // The entries first: whoever acknowledges them at this moment finds them gone before their counter is.
        let counts =
            [tables::INBOX_CONTACTS, tables::INBOX_WELCOMES, tables::INBOX_WAITING, tables::INBOX_HEADS];
        for table in [tables::INBOX, tables::INBOX_PARTS].into_iter().chain(counts) {
            self.drop_rows(table, &key).await?;
        }
        Ok(())
    }

    async fn drop_rows(&self, table: Table, key: &[u8]) -> Result<(), Fault> {
        loop {
            let rows = self.ctx.store.scan(table, Scan::prefix(key).limit(DELETE_PAGE)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let batch = rows.iter().fold(Batch::new(), |batch, row| batch.delete(table, &row.key));
            self.ctx.store.commit(batch).await?;
        }
    }
}

fn append(batch: Batch, key: &[u8], record: Vec<u8>) -> Batch {
    batch.append(tables::INBOX_HEADS, key, tables::INBOX, key, record).add(tables::INBOX_WAITING, key, 1)
}

/// What a person sent along in an entry that waits.
fn sealed_in(entry: &[u8]) -> Result<Option<Blob>, Fault> {
    match InboxRecord::from_record(entry)?.item {
        Kept::Item(InboxItem::Contact { sealed, .. }) => Ok(sealed),
        _ => Ok(None),
    }
}

/// The number of the commit whose Welcome waits in an entry.
fn welcome_in(entry: &[u8]) -> Result<Option<u64>, Fault> {
    match InboxRecord::from_record(entry)?.item {
        Kept::FarWelcome { seq, .. } => Ok(Some(seq)),
        _ => Ok(None),
    }
}

/// Deletes what an entry keeps elsewhere.
fn delete_body(batch: Batch, key: &[u8], entry: &[u8]) -> Result<Batch, Fault> {
    match InboxRecord::from_record(entry)?.item {
        Kept::Welcome { body: WelcomeBody::Parts { id, count }, .. }
        | Kept::FarWelcome { body: WelcomeBody::Parts { id, count }, .. } => {
            Ok(chunks::delete(batch, tables::INBOX_PARTS, &part(key, id.as_slice()), count))
        }
        _ => Ok(batch),
    }
}

fn of_room(key: &[u8], room: RoomId) -> Vec<u8> {
    [key, room.as_bytes()].concat()
}

fn person(key: &[u8], user: &UserAddress) -> Vec<u8> {
    [key, user.to_string().as_bytes()].concat()
}

fn numbered(key: &[u8], seq: u64) -> Vec<u8> {
    [key, &seq.to_be_bytes()].concat()
}

fn part(key: &[u8], id: &[u8]) -> Vec<u8> {
    [key, id].concat()
}
