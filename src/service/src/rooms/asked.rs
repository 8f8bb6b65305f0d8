//! Groups into which somebody here has asked to be let. That is their consent: for thirty days whoever decides there may bring
//! them in, though they know none of the people. It ends when they go from the group.

use super::{Result, RoomError, Rooms, records::AskedRecord};
use crate::{Fault, context::joined, error::at_most};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{Millis, NodeName, RoomId, UserAddress, UserName};

/// For how long it counts.
const LIFETIME_MS: Millis = 30 * 24 * 60 * 60 * 1000;
/// Groups that one account has asked to be let into at one time.
const ASKED_MAX: usize = 100;
/// Rows that are looked at in one sweep's scan.
const SWEEP_PAGE: usize = 256;

pub(super) fn asked_key(name: &UserName, room: RoomId) -> Vec<u8> {
    joined(name.as_str(), room.as_bytes())
}

impl Rooms {
    /// Notes that somebody asks to be let into a group of a hub. Gives whether they had not asked that hub before.
    ///
    /// # Errors
    /// [`Fault::TooMany`].
    pub(crate) async fn note_asked(&self, name: &UserName, room: RoomId, hub: &NodeName) -> Result<bool> {
        let key = &asked_key(name, room);
        let (now, record) =
            (self.ctx.now(), AskedRecord { hub: hub.clone(), until_ms: self.ctx.now() + LIFETIME_MS });
        let record = &record;
        self.ctx
            .store
            .transact(|tx| async move {
                let (mut others, mut is_first) = (0, true);
                for row in tx.scan(tables::ROOMS_ASKED, Scan::prefix(joined(name.as_str(), []))).await? {
                    let known = AskedRecord::from_record(&row.value)?;
                    if known.until_ms <= now {
                        tx.delete(tables::ROOMS_ASKED, &row.key);
                    } else if row.key != *key {
                        others += 1;
                    } else {
                        is_first = known.hub != record.hub;
                    }
                }
                at_most("groups that were asked", others + 1, ASKED_MAX)?;
                tx.put(tables::ROOMS_ASKED, key, record.to_record());
                Ok(is_first)
            })
            .await
    }

    /// The hub has refused.
    pub(crate) async fn forget_asked(&self, name: &UserName, room: RoomId) -> Result<()> {
        self.ctx.store.commit(Batch::new().delete(tables::ROOMS_ASKED, asked_key(name, room))).await?;
        Ok(())
    }

    /// The hub of a group into which somebody here has asked to be let.
    pub(crate) async fn asked_at(&self, name: &UserName, room: RoomId) -> Result<Option<NodeName>, Fault> {
        let asked: Option<AskedRecord> = self.ctx.read(tables::ROOMS_ASKED, asked_key(name, room)).await?;
        Ok(asked.filter(|asked| asked.until_ms > self.ctx.now()).map(|asked| asked.hub))
    }

    /// Whether somebody may be in a room, as far as this node knows.
    pub(crate) async fn may_be_in(&self, room: RoomId, user: &UserAddress) -> Result<bool> {
        match self.load(room).await {
            Ok(room) => Ok(room.member(user).is_some()),
            Err(RoomError::NotFound) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Removes what is over. Gives how many rows.
    pub(super) async fn sweep_asked(&self, aged: Millis) -> Result<u64> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            let scan = Scan::prefix([]).after(&after).limit(SWEEP_PAGE);
            let rows = self.ctx.store.scan(tables::ROOMS_ASKED, scan).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            let mut batch = Batch::new();
            for row in rows {
                if AskedRecord::from_record(&row.value)?.until_ms <= aged {
                    batch = batch.delete(tables::ROOMS_ASKED, &row.key);
                    removed += 1;
                }
            }
            if !batch.is_empty() {
                self.ctx.store.commit(batch).await?;
            }
        }
    }
}
