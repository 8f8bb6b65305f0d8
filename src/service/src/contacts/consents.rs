//! Whom somebody's home has given their KeyPackages to, and for which group: that is their consent to be brought in there by that
//! person. Without it any node could name somebody here as a member of a room of its own, and learn from the answer whose contact
//! they are.

use super::{ContactError, Contacts, Stand, records::ConsentRecord};
use crate::{Fault, context::joined};
use std::collections::BTreeSet;
use weft_store::{Batch, Row, Scan, Tx, record::Record, tables};
use weft_wire::{Millis, RoomId, UserAddress, UserName};

/// For how long it counts: longer than a commit waits for a hub that is away.
const LIFETIME_MS: Millis = 8 * super::DAY_MS;
/// Rows of one person; of more the oldest goes.
const ROWS_MAX: usize = 1_000;
/// Of these, by the same other person: nobody pushes out what others need.
const ROWS_BY_ONE_MAX: usize = 64;
/// Rows that are looked at in one sweep's scan.
const SWEEP_PAGE: usize = 256;
/// What a room's id takes in a key.
const ROOM_BYTES: usize = 16;

fn key(name: &UserName, room: RoomId, by: &UserAddress) -> Vec<u8> {
    [prefix(name, room), by.to_string().into_bytes()].concat()
}

fn prefix(name: &UserName, room: RoomId) -> Vec<u8> {
    joined(name.as_str(), room.as_bytes())
}

impl Contacts {
    /// Notes that `by` has got KeyPackages of somebody here, to bring them into a room.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) async fn note_consent(
        &self,
        name: &UserName,
        by: &UserAddress,
        room: RoomId,
    ) -> Result<(), ContactError> {
        let (now, this) = (self.ctx.now(), &key(name, room, by));
        self.ctx
            .store
            .transact(|tx| async move {
                let mut others = Vec::new();
                let all = Scan::prefix(joined(name.as_str(), [])).limit(ROWS_MAX + 1);
                for row in tx.scan(tables::CONSENTS, all).await? {
                    let until_ms = ConsentRecord::from_record(&row.value)?.until_ms;
                    if until_ms <= now {
                        tx.delete(tables::CONSENTS, &row.key);
                    } else if row.key != *this {
                        others.push((until_ms, row));
                    }
                }
                if let Some(row) = one_too_many(name, &others, by) {
                    tx.delete(tables::CONSENTS, &row.key);
                }
                let record = ConsentRecord { until_ms: now + LIFETIME_MS, used: false };
                tx.put(tables::CONSENTS, this, record.to_record());
                Ok(())
            })
            .await
    }

    /// Whether one of some people may bring somebody here into a room: they have got KeyPackages for it, and are a contact still.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) async fn consents(
        &self,
        name: &UserName,
        room: RoomId,
        to: &BTreeSet<&UserAddress>,
    ) -> Result<bool, Fault> {
        for (key, record) in self.consents_for(name, room).await? {
            let Some(by) = by_whom(&key, name).filter(|by| to.contains(by)) else { continue };
            if record.until_ms > self.ctx.now() && self.stand_to(name, &by).await? == Some(Stand::Accepted) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Somebody has come into a room. Their home may lose its copy of it and be told again, so the agreement stays for its time;
    /// but it ends with their going.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) async fn stage_use_consents(
        &self,
        tx: &Tx,
        name: &UserName,
        room: RoomId,
    ) -> Result<(), Fault> {
        for (key, record) in self.consents_for(name, room).await? {
            tx.put(tables::CONSENTS, key, ConsentRecord { used: true, ..record }.to_record());
        }
        Ok(())
    }

    /// Somebody is out of a room: whoever brings them in again asks again. What was given since they came in stays, as long as
    /// they have not left by themselves.
    ///
    /// # Errors
    /// [`Fault::Store`].
    pub(crate) async fn stage_end_consents(
        &self,
        tx: &Tx,
        name: &UserName,
        room: RoomId,
        left: bool,
    ) -> Result<(), Fault> {
        for (key, record) in self.consents_for(name, room).await? {
            if left || record.used {
                tx.delete(tables::CONSENTS, key);
            }
        }
        Ok(())
    }

    async fn consents_for(
        &self,
        name: &UserName,
        room: RoomId,
    ) -> Result<Vec<(Vec<u8>, ConsentRecord)>, Fault> {
        let rows = self.ctx.store.scan(tables::CONSENTS, Scan::prefix(prefix(name, room)).limit(ROWS_MAX));
        let rows = rows.await?.into_iter();
        rows.map(|row| Ok((row.key.to_vec(), ConsentRecord::from_record(&row.value)?))).collect()
    }

    /// Removes what is over. Gives how many rows.
    pub(super) async fn sweep_consents(&self, aged: Millis) -> Result<u64, ContactError> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            let scan = Scan::prefix([]).after(&after).limit(SWEEP_PAGE);
            let rows = self.ctx.store.scan(tables::CONSENTS, scan).await?;
            let Some(last) = rows.last() else { return Ok(removed) };
            after.clone_from(&last.key);
            let mut batch = Batch::new();
            for row in rows {
                if ConsentRecord::from_record(&row.value)?.until_ms <= aged {
                    batch = batch.delete(tables::CONSENTS, &row.key);
                    removed += 1;
                }
            }
            if !batch.is_empty() {
                self.ctx.store.commit(batch).await?;
            }
        }
    }
}

/// The row that makes room for one more of `by`.
fn one_too_many<'a>(name: &UserName, rows: &'a [(Millis, Row)], by: &UserAddress) -> Option<&'a Row> {
    let theirs: Vec<_> =
        rows.iter().filter(|(_, row)| by_whom(&row.key, name).as_ref() == Some(by)).collect();
    let of = match (theirs.len() >= ROWS_BY_ONE_MAX, rows.len() >= ROWS_MAX) {
        (true, _) => theirs,
        (false, true) => rows.iter().collect(),
        (false, false) => return None,
    };
    of.into_iter().min_by_key(|(until_ms, _)| *until_ms).map(|(_, row)| row)
}

/// Who it is that a row of somebody's names: behind their name and the room.
fn by_whom(key: &[u8], name: &UserName) -> Option<UserAddress> {
    let address = key.get(name.as_str().len() + 1 + ROOM_BYTES..)?;
    std::str::from_utf8(address).ok()?.parse().ok()
}
