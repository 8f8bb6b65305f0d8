//! What of a log has reached somebody with several devices.
//!
//! A device vouches for what it has acknowledged after it came into the group, and for nothing before that. So what reached an
//! account is told as the highest number that any of its devices has acknowledged, together with the gaps below it. A message
//! that a device has is delivered, however long another one stays away; and a message that only a lost device could have read
//! is not, neither while that device may come back, nor when it is signed out, nor when the retention has ended. What a device
//! had stays had when it leaves or comes in anew.

use super::{
    Rooms,
    records::CursorRecord,
    state::{ROWS_MAX, Room, cursor_key, far_cursor_key},
};
use crate::{Fault, context::joined, error::at_most};
use std::collections::BTreeMap;
use weft_store::{Batch, Scan, Tx, Version, record::Record, tables};
use weft_wire::{RoomId, UserAddress, federation::Event, limits::DELIVERED_GAPS_MAX, rooms::DeviceRef};

/// Ranges that are kept of devices that have left. Of more the oldest are let go: they count as missed then.
const LEFT_MAX: usize = 16;

/// How far an account has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub user: UserAddress,
    /// The highest number that one of its devices has acknowledged.
    pub seq: u64,
    /// What none of them has below that: after the first number, up to the second.
    pub missed: Vec<(u64, u64)>,
    /// Of the row that says so.
    pub version: Version,
}

/// Where what the devices have had stands that left the group.
pub(super) fn left_key(room: RoomId, user: &UserAddress) -> Vec<u8> {
    [room.as_bytes().as_slice(), &joined(user.name.as_str(), [])].concat()
}

/// What of a log a row vouches for.
fn ranges(cursor: &CursorRecord) -> impl Iterator<Item = (u64, u64)> + '_ {
    let own = (cursor.from, cursor.acked);
    cursor.left.iter().copied().chain([own]).filter(|(from, upto)| from < upto)
}

/// The same, in order and without overlaps.
fn united(ranges: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_unstable();
    let mut united: Vec<(u64, u64)> = Vec::new();
    for (from, upto) in ranges {
        match united.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(upto),
            _ => united.push((from, upto)),
        }
    }
    united
}

/// What is kept of devices that left, with one more of them.
pub(super) fn with_left(kept: Option<CursorRecord>, left: &CursorRecord) -> CursorRecord {
    let kept = kept.unwrap_or_default();
    let mut united = united(ranges(&kept).chain(ranges(left)));
    united.drain(..united.len().saturating_sub(LEFT_MAX));
    CursorRecord { acked: 0, from: 0, left: united }
}

/// How far somebody has come, and what they missed since they are in the room.
fn reached<'a>(since: u64, devices: impl Iterator<Item = &'a CursorRecord>) -> (u64, Vec<(u64, u64)>) {
    let (mut seq, mut missed) = (since, Vec::new());
    for (from, upto) in united(devices.flat_map(ranges)) {
        if from > seq {
            missed.push((seq, from));
        }
        seq = seq.max(upto);
    }
    // Of too many gaps the oldest are told as one: better too little is called delivered than too much.
    if let Some(last) = missed.len().checked_sub(DELIVERED_GAPS_MAX)
        && let (Some((first, _)), Some(last)) = (missed.first().copied(), missed.get_mut(last))
    {
        last.0 = first;
    }
    missed.drain(..missed.len().saturating_sub(DELIVERED_GAPS_MAX));
    (seq, missed)
}

/// How far the devices of one account have come, together.
pub(super) fn together(
    user: UserAddress,
    since: u64,
    mut devices: Vec<(CursorRecord, Version)>,
) -> Option<Delivered> {
    devices.retain(|(cursor, _)| ranges(cursor).next().is_some());
    devices.sort_by_key(|(_, version)| *version);
    let of = |devices: &[(CursorRecord, Version)]| reached(since, devices.iter().map(|(cursor, _)| cursor));
    let (seq, missed) = of(&devices);
    // The news is the row that changed it last: a device that only comes after the others is none.
    let (mut last, mut before) = devices.split_last()?;
    while let Some((earlier, rest)) = before.split_last().filter(|_| of(before) == (seq, missed.clone())) {
        (last, before) = (earlier, rest);
    }
    Some(Delivered { user, seq, missed, version: last.1 })
}

impl Rooms {
    /// How far each member has come whose devices have acknowledged anything. The latest news comes last.
    pub(crate) async fn delivered(&self, room: &Room) -> Result<Vec<Delivered>, Fault> {
        let since: BTreeMap<_, _> = room.members.iter().map(|member| (&member.user, member.since)).collect();
        let scan = Scan::prefix(room.id.as_bytes()).limit(ROWS_MAX);
        let mut cursors: BTreeMap<UserAddress, Vec<_>> = BTreeMap::new();
        for row in self.ctx.store.scan(tables::ROOM_CURSORS, scan).await? {
            let name = row.key.get(16..).and_then(|key| key.split(|byte| *byte == 0).next());
            let Some(user) = name.and_then(|name| self.whose_cursor(name)) else { continue };
            let cursor = CursorRecord::from_record(&row.value)?;
            cursors.entry(user).or_default().push((cursor, row.version));
        }
        let delivered = cursors.into_iter().filter_map(|(user, devices)| {
            let since = *since.get(&user)?;
            together(user, since, devices)
        });
        let mut delivered: Vec<_> = delivered.collect();
        delivered.sort_by_key(|one| one.version);
        Ok(delivered)
    }

    /// Whose row this is: somebody of this node by their name, somebody of another one by their address.
    fn whose_cursor(&self, name: &[u8]) -> Option<UserAddress> {
        let text = std::str::from_utf8(name).ok()?;
        text.parse().map(|name| self.ctx.address(&name)).or_else(|_| text.parse()).ok()
    }

    /// What other nodes are told once one row of an account has changed; nothing, if that brought no news.
    pub(super) async fn told(
        &self,
        tx: &Tx,
        room: &Room,
        user: &UserAddress,
        changed: &[u8],
        cursor: CursorRecord,
    ) -> Result<Option<Event>, Fault> {
        let since = room.member(user).map_or(0, |member| member.since);
        let (mut before, mut after) = (Vec::new(), vec![cursor]);
        for row in tx.scan(tables::ROOM_CURSORS, Scan::prefix(left_key(room.id, user))).await? {
            let other = CursorRecord::from_record(&row.value)?;
            if row.key != changed {
                after.push(other.clone());
            }
            before.push(other);
        }
        let (before, after) = (reached(since, before.iter()), reached(since, after.iter()));
        let is_news = after != before;
        let (seq, missed) = after;
        Ok(is_news.then(|| Event::Delivered { room: room.id, user: user.clone(), seq, missed }))
    }

    /// How far somebody of another node has come, as their node says. False: that is no news.
    ///
    /// # Errors
    /// [`Fault::TooMany`] for more gaps than there may be, [`Fault::Invalid`] for what are none.
    pub(crate) async fn stage_delivered(
        &self,
        tx: &Tx,
        room: &Room,
        user: &UserAddress,
        seq: u64,
        missed: &[(u64, u64)],
    ) -> Result<bool, Fault> {
        at_most("gaps", missed.len(), DELIVERED_GAPS_MAX)?;
        let acked = seq.min(self.head(room.id).await?);
        let mut left = Vec::with_capacity(missed.len() + 1);
        let mut from = 0;
        for (after, upto) in missed {
            if *after < from || upto <= after || *upto > seq {
                return Err(Fault::Invalid { field: "missed", why: "gaps in order, below the number" });
            }
            left.push((from, (*after).min(acked)));
            from = *upto;
        }
        left.push((from, acked));
        left.retain(|(from, upto)| from < upto);
        let key = far_cursor_key(room.id, user);
        let row = tx.get(tables::ROOM_CURSORS, &key).await?;
        let before = row.map(|row| CursorRecord::from_record(&row.value)).transpose()?;
        // What is in order is the later word; but what was had stays had.
        let kept = with_left(before.clone(), &CursorRecord { left, ..CursorRecord::default() });
        let is_news = before.is_none_or(|before| before.left != kept.left);
        if is_news {
            tx.put(tables::ROOM_CURSORS, key, kept.to_record());
        }
        Ok(is_news)
    }

    /// Devices leave the group, or come in anew: what they had is kept, and their rows are deleted.
    pub(super) async fn stage_left(
        &self,
        mut batch: Batch,
        room: RoomId,
        devices: impl Iterator<Item = DeviceRef>,
    ) -> Result<Batch, Fault> {
        let mut left: BTreeMap<UserAddress, CursorRecord> = BTreeMap::new();
        for device in devices {
            let key = cursor_key(room, &device.user, device.device);
            let Some(cursor) = self.ctx.read(tables::ROOM_CURSORS, &key).await? else { continue };
            batch = batch.delete(tables::ROOM_CURSORS, key);
            let kept = match left.remove(&device.user) {
                Some(kept) => Some(kept),
                None => self.ctx.read(tables::ROOM_CURSORS, left_key(room, &device.user)).await?,
            };
            left.insert(device.user, with_left(kept, &cursor));
        }
        let put = |batch: Batch, (user, kept): (UserAddress, CursorRecord)| {
            batch.put(tables::ROOM_CURSORS, left_key(room, &user), kept.to_record())
        };
        Ok(left.into_iter().fold(batch, put))
    }
}
