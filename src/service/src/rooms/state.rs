//! A room as it is now: read, remembered by its version, shown.

use super::{
    Result, RoomError, Rooms,
    records::{ItemRecord, MemberRecord, Parts, RoomRecord},
};
use crate::{Fault, chunks, context::be64};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use weft_store::{SCAN_BYTES_MAX, Scan, Version, Watch, record::Record, tables};
use weft_wire::{
    DeviceId, NodeName, RoomId, UserAddress, codec, limits,
    rooms::{DeviceRef, RoomItem, RoomMember, RoomState},
};

/// How often a room is read again when it changes in between.
const READS_MAX: usize = 8;
/// Rows of cursors or items that are looked at: every device of every member.
pub(super) const ROWS_MAX: usize = 10_000;
/// Bytes of sealed items in one description; more are sent one by one as they change.
const ITEM_BYTES_MAX: usize = 256 << 10;

/// A room as it was at one version.
pub(crate) struct Room {
    pub id: RoomId,
    pub version: Version,
    pub record: RoomRecord,
    pub members: Vec<MemberRecord>,
}

impl Room {
    pub fn member(&self, user: &UserAddress) -> Option<&MemberRecord> {
        self.members.iter().find(|member| member.user == *user)
    }

    /// Whether somebody has left, though leaves of theirs are still in the group.
    pub fn has_left(&self, user: &UserAddress) -> bool {
        self.record.left.contains(user)
    }

    /// Whether a device has a leaf in the group and was not signed out.
    pub fn has_device(&self, user: &UserAddress, device: DeviceId) -> bool {
        self.member(user).is_some_and(|member| member.devices.contains(&device))
            && !self.record.gone.iter().any(|gone| gone.device == device && gone.user == *user)
    }

    /// Its row as it was read, to be changed and written again.
    pub(super) fn record_with_members(&self) -> RoomRecord {
        let mut record = self.record.clone();
        if record.parts.members == 0 {
            record.members.clone_from(&self.members);
        }
        record
    }

    /// The members who have not left.
    pub fn present(&self) -> impl Iterator<Item = &MemberRecord> {
        self.members.iter().filter(|member| !self.has_left(&member.user))
    }

    /// The other nodes whose people are in it.
    pub fn nodes(&self, here: &NodeName) -> BTreeSet<NodeName> {
        nodes_of(self.present(), here)
    }

    /// The newest number of the log when the first of a node's people came who are there; none: nobody is. What is older is not
    /// for that node.
    pub fn since_of(&self, node: &NodeName) -> Option<u64> {
        self.present().filter(|member| member.user.node == *node).map(|member| member.since).min()
    }

    /// Whether it is a copy of which nobody here has anything any more.
    pub fn is_over(&self, here: &NodeName) -> bool {
        self.record.hub.elsewhere().is_some() && !self.members.iter().any(|member| member.user.node == *here)
    }

    /// The other nodes that hear of what happens in it from this one: those of all members, if it is the hub; the hub, if not.
    pub fn beside(&self, here: &NodeName) -> BTreeSet<NodeName> {
        match self.record.hub.elsewhere() {
            Some(hub) => BTreeSet::from([hub.clone()]),
            None => self.nodes(here),
        }
    }

    /// All devices in the group.
    pub fn devices(&self) -> impl Iterator<Item = DeviceRef> + '_ {
        self.members.iter().flat_map(|member| {
            member.devices.iter().map(|device| DeviceRef { user: member.user.clone(), device: *device })
        })
    }
}

/// The nodes of some people, without this one.
pub(super) fn nodes_of<'a>(
    members: impl Iterator<Item = &'a MemberRecord>,
    here: &NodeName,
) -> BTreeSet<NodeName> {
    members.map(|member| &member.user.node).filter(|node| *node != here).cloned().collect()
}

/// A room as its members see it, and up to which version its cursors and items are in it.
pub(crate) struct Described {
    pub state: RoomState,
    pub cursors: Version,
    pub items: Version,
}

/// Kinds of parts, in their keys.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Hub = 1,
    Info = 2,
    Members = 3,
    Envelope = 4,
}

pub(super) fn part_key(room: RoomId, id: &[u8], part: Part) -> Vec<u8> {
    let mut key = room.as_bytes().to_vec();
    key.extend_from_slice(id);
    key.push(part as u8);
    key
}

pub(super) fn cursor_key(room: RoomId, user: &UserAddress, device: DeviceId) -> Vec<u8> {
    let mut key = room.as_bytes().to_vec();
    key.extend(crate::context::joined(user.name.as_str(), device.as_bytes()));
    key
}

/// How far somebody of another node has come, whichever of their devices: their node says no more. No name holds an `@`.
pub(super) fn far_cursor_key(room: RoomId, user: &UserAddress) -> Vec<u8> {
    let mut key = room.as_bytes().to_vec();
    key.extend(crate::context::joined(&user.to_string(), []));
    key
}

impl Rooms {
    /// Reads a room.
    ///
    /// # Errors
    /// [`RoomError::NotFound`].
    pub(crate) async fn load(&self, id: RoomId) -> Result<Arc<Room>> {
        for _ in 0..READS_MAX {
            let generation = self.cache.generation();
            let row = self.ctx.store.get(tables::ROOMS, id.as_bytes()).await?.ok_or(RoomError::NotFound)?;
            // The row is read each time, so that a remembered room is never older than the store; what is saved is decoding.
            if let Some(room) = self.cache.get(&id).filter(|room| room.version == row.version) {
                return Ok(room);
            }
            let mut record = RoomRecord::from_record(&row.value)?;
            let members = if record.parts.members == 0 {
                std::mem::take(&mut record.members)
            } else {
                // Parts that are gone: a commit came between the two reads.
                let Some(members) = self.part(id, &record.parts, Part::Members).await? else { continue };
                codec::decode(&members, members.len())
                    .map_err(|_| Fault::Internal("the members of a room cannot be read"))?
            };
            let room = Arc::new(Room { id, version: row.version, record, members });
            self.cache.insert(id, room.clone(), generation);
            return Ok(room);
        }
        Err(Fault::Internal("a room changes faster than it can be read").into())
    }

    /// Reads a room in which somebody is.
    ///
    /// # Errors
    /// [`RoomError::NotFound`] for a room that is not there, and for one in which they are not, or not any more.
    pub(crate) async fn load_for(&self, id: RoomId, user: &UserAddress) -> Result<Arc<Room>> {
        let room = self.load(id).await?;
        if room.member(user).is_some() && !room.has_left(user) { Ok(room) } else { Err(RoomError::NotFound) }
    }

    /// Whether somebody is in a room.
    pub(crate) async fn is_in(&self, id: RoomId, user: &UserAddress) -> Result<bool> {
        match self.load_for(id, user).await {
            Ok(_) => Ok(true),
            Err(RoomError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn part(
        &self,
        room: RoomId,
        parts: &Parts,
        part: Part,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let count = match part {
            Part::Hub => parts.hub,
            Part::Info => parts.info,
            Part::Members => parts.members,
            Part::Envelope => 0,
        };
        let key = part_key(room, parts.id.as_slice(), part);
        chunks::get(&self.ctx.store, tables::ROOM_PARTS, &key, count).await
    }

    /// The newest number of a log.
    pub(crate) async fn head(&self, room: RoomId) -> Result<u64, Fault> {
        self.ctx.count(tables::ROOM_HEADS, room.as_bytes()).await
    }

    /// The oldest number that is still there; one past the head when there is none.
    pub(super) async fn tail(&self, room: RoomId, head: u64) -> Result<u64, Fault> {
        let first = self.ctx.store.scan(tables::ROOM_LOG, Scan::prefix(room.as_bytes()).limit(1)).await?;
        Ok(first.first().and_then(|row| be64(&row.key)).unwrap_or(head + 1))
    }

    /// The sealed items of a room that were written after a version, oldest first, and the version up to which all are told.
    pub(crate) async fn items_since(
        &self,
        room: RoomId,
        seen: Version,
    ) -> Result<(Vec<(RoomItem, Version)>, Version), Fault> {
        // All items of a large group may be more than one scan gives, and what is written between two scans may be seen
        // while something older behind it is not: it is left to the next time, which its own change brings about.
        let upto = Version(self.ctx.store.status().seq).max(seen);
        let (mut items, mut after) = (Vec::new(), Vec::new());
        loop {
            let scan = Scan::prefix(room.as_bytes()).after(&after).limit(ROWS_MAX);
            let rows = self.ctx.store.scan(tables::ROOM_ITEMS, scan).await?;
            let bytes: usize = rows.iter().map(|row| row.key.len() + row.value.len()).sum();
            // A scan that stopped early is near its bound; only then is there more to ask for.
            let whole = rows.len() < ROWS_MAX && bytes < SCAN_BYTES_MAX / 2;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            for row in rows.into_iter().filter(|row| row.version > seen && row.version <= upto) {
                let Some((user, kind)) = row.key.get(16..).and_then(item_key_parts) else { continue };
                let ItemRecord { version, sealed } = ItemRecord::from_record(&row.value)?;
                items.push((RoomItem { user, kind, version, sealed }, row.version));
            }
            if whole {
                break;
            }
        }
        items.sort_by_key(|(_, version)| *version);
        Ok((items, upto))
    }

    /// The room as its members see it, but for what only some of them may know: see [`Self::asking`].
    pub(crate) async fn describe(&self, room: &Room) -> Result<Described, Fault> {
        let head = self.head(room.id).await?;
        let tail = self.tail(room.id, head).await?;
        let delivered = self.delivered(room).await?;
        let cursors = delivered.last().map_or(Version(0), |last| last.version);
        let mut delivered: BTreeMap<_, _> =
            delivered.into_iter().map(|one| (one.user, (one.seq, one.missed))).collect();
        let (items, mut newest) = self.items_since(room.id, Version(0)).await?;
        let (mut shown, mut bytes) = (Vec::new(), 0);
        for (item, version) in items.into_iter().filter(|(item, _)| room.member(&item.user).is_some()) {
            bytes += item.sealed.len();
            if bytes > ITEM_BYTES_MAX {
                break;
            }
            newest = version;
            shown.push(item);
        }
        let members = room.members.iter().filter(|member| !room.has_left(&member.user)).map(|member| {
            let (seq, missed) = delivered.remove(&member.user).unwrap_or_default();
            RoomMember { user: member.user.clone(), role: member.role, delivered: seq, missed }
        });
        let state = RoomState {
            room: room.id,
            kind: room.record.kind.clone(),
            hub: room.record.hub.elsewhere().unwrap_or(&self.ctx.node).clone(),
            nonce: room.record.nonce,
            epoch: room.record.epoch,
            head,
            tail,
            members: members.collect(),
            items: shown,
            gone: room.record.gone.clone(),
            asking: 0,
        };
        Ok(Described { state, cursors, items: newest })
    }

    /// The rooms of an account after one, by id.
    pub(crate) async fn rooms_of(
        &self,
        user: &UserAddress,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<(RoomId, Version)>, Fault> {
        let prefix = crate::context::joined(user.name.as_str(), []);
        let mut scan = Scan::prefix(&prefix).limit(limit);
        if let Some(after) = after {
            scan = scan.after([prefix.as_slice(), after.as_bytes()].concat());
        }
        let rows = self.ctx.store.scan(tables::ROOMS_OF, scan).await?;
        let id = |key: &[u8]| key.get(prefix.len()..).and_then(|id| RoomId::from_slice(id).ok());
        Ok(rows.iter().filter_map(|row| Some((id(&row.key)?, row.version))).collect())
    }

    /// Tells of rooms that an account comes into or leaves.
    pub(crate) fn watch_rooms_of(&self, user: &UserAddress) -> Watch {
        self.ctx.store.watch(tables::ROOMS_OF, crate::context::joined(user.name.as_str(), []))
    }

    /// How many rooms an account is in.
    pub(crate) async fn check_room_for(&self, user: &UserAddress) -> Result<(), Fault> {
        let count = self.ctx.count(tables::ROOMS_OF_COUNT, user.name.as_str()).await?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        crate::error::at_most("rooms", count.saturating_add(1), limits::ROOMS_PER_ACCOUNT_MAX)
    }
}

fn item_key_parts(key: &[u8]) -> Option<(UserAddress, String)> {
    let mut parts = key.split(|byte| *byte == 0);
    let user = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let kind = std::str::from_utf8(parts.next()?).ok()?.to_owned();
    Some((user, kind))
}
