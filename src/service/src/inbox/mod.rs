//! What is addressed to a device outside any room: in order, bounded, deleted when it is acknowledged.

pub(crate) mod records;
#[cfg(test)]
mod tests;

use crate::{
    Fault, ahead, chunks,
    context::{Ctx, be64, joined},
    error::at_most,
};
use records::{InboxRecord, Kept, WelcomeBody};
use std::sync::Arc;
use weft_store::{Batch, Scan, Table, Watch, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, MessageId, Millis, RoomId, UserName, limits::INBOX_ITEMS_MAX, sync::InboxItem,
};

/// A Welcome up to this size may stand in its entry.
const INLINE_BYTES_MAX: usize = 48 << 10;
/// All Welcomes of one commit that stand in their entries, together: they share a batch with the commit.
const INLINE_TOGETHER_BYTES_MAX: usize = 256 << 10;
/// Entries that are deleted in one batch.
const DELETE_PAGE: usize = 512;

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

/// The key of a device's rows.
fn mailbox(name: &UserName, device: DeviceId) -> Vec<u8> {
    joined(name.as_str(), device.as_bytes())
}

impl Inbox {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        Inbox { ctx }
    }

    /// The number of the newest entry that there ever was.
    pub async fn newest(&self, name: &UserName, device: DeviceId) -> Result<u64, Fault> {
        self.ctx.count(tables::INBOX_HEADS, mailbox(name, device)).await
    }

    /// How many entries wait. Numbers have no gaps before they are acknowledged, and go from the front.
    pub async fn waiting(&self, name: &UserName, device: DeviceId) -> Result<usize, Fault> {
        let key = mailbox(name, device);
        let head = self.ctx.count(tables::INBOX_HEADS, &key).await?;
        let first = self.ctx.store.scan(tables::INBOX, Scan::prefix(&key).limit(1)).await?;
        let first = first.first().and_then(|row| be64(&row.key));
        Ok(first.map_or(0, |first| usize::try_from(head + 1 - first.min(head + 1)).unwrap_or(usize::MAX)))
    }

    /// Refuses when an inbox is full: what would be written there must not be promised.
    pub async fn check_room(&self, name: &UserName, device: DeviceId) -> Result<(), Fault> {
        at_most("items in the inbox", self.waiting(name, device).await? + 1, INBOX_ITEMS_MAX)
    }

    /// Adds an entry for each device to a batch. A device whose inbox is full is left out: what it misses it finds in the
    /// lists of devices and contacts.
    pub async fn add(
        &self,
        mut batch: Batch,
        name: &UserName,
        devices: impl IntoIterator<Item = DeviceId>,
        item: &InboxItem,
    ) -> Result<Batch, Fault> {
        let record = InboxRecord { time_ms: self.ctx.now(), item: Kept::Item(item.clone()) }.to_record();
        for device in devices {
            if self.check_room(name, device).await.is_ok() {
                let key = mailbox(name, device);
                batch = batch.append(tables::INBOX_HEADS, &key, tables::INBOX, &key, record.clone());
            }
        }
        Ok(batch)
    }

    /// Adds a Welcome for one device to a batch. A long body is written at once, ahead of the batch.
    pub async fn add_welcome(
        &self,
        mut batch: Batch,
        name: &UserName,
        device: DeviceId,
        new: &NewWelcome<'_>,
    ) -> Result<Batch, Fault> {
        let key = mailbox(name, device);
        let together = new.welcome.len().saturating_mul(new.copies);
        let inline = new.welcome.len() <= INLINE_BYTES_MAX && together <= INLINE_TOGETHER_BYTES_MAX;
        let body = if inline {
            WelcomeBody::Inline(Blob::from(new.welcome))
        } else {
            let id: [u8; 16] = self.ctx.random();
            let prefix = part(&key, &id);
            let (long, count) = chunks::put(Batch::new(), tables::INBOX_PARTS, &prefix, new.welcome)?;
            batch = batch.merge(ahead::INBOX_PARTS.write(&self.ctx, &prefix, vec![long]).await?);
            WelcomeBody::Parts { id: Blob(id.to_vec()), count }
        };
        let kept = Kept::Welcome { room: new.room, device: new.by, message: new.message, body };
        let record = InboxRecord { time_ms: self.ctx.now(), item: kept };
        Ok(batch.append(tables::INBOX_HEADS, &key, tables::INBOX, &key, record.to_record()))
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
            let rows = self.ctx.store.scan(tables::INBOX, Scan::prefix(&key).limit(DELETE_PAGE)).await?;
            let full = rows.len() == DELETE_PAGE;
            let mut batch = Batch::new();
            let mut done = true;
            for row in rows {
                if be64(&row.key).is_none_or(|seq| seq > up_to) {
                    break;
                }
                done = false;
                if let Kept::Welcome { body: WelcomeBody::Parts { id, count }, .. } =
                    InboxRecord::from_record(&row.value)?.item
                {
                    batch = chunks::delete(batch, tables::INBOX_PARTS, &part(&key, id.as_slice()), count);
                }
                batch = batch.delete(tables::INBOX, &row.key);
            }
            if done {
                return Ok(());
            }
            self.ctx.store.commit(batch).await?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Removes long Welcomes of commits that never came. Gives how many rows.
    pub async fn sweep(&self) -> Result<u64, Fault> {
        ahead::INBOX_PARTS.sweep(&self.ctx).await
    }

    /// Deletes a device's inbox, long bodies that no entry names included.
    pub async fn drop_all(&self, name: &UserName, device: DeviceId) -> Result<(), Fault> {
        let key = mailbox(name, device);
        for table in [tables::INBOX, tables::INBOX_PARTS, tables::INBOX_HEADS] {
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

fn numbered(key: &[u8], seq: u64) -> Vec<u8> {
    [key, &seq.to_be_bytes()].concat()
}

fn part(key: &[u8], id: &[u8]) -> Vec<u8> {
    [key, id].concat()
}
