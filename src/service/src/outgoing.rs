//! What is for other nodes, staged in the store commit that makes it true. Carrying it there is `federation`'s.

use crate::{
    Fault,
    context::{Ctx, be64, joined},
    error::{at_most, within},
    record::first_version,
};
use serde::{Deserialize, Serialize};
use weft_store::{Batch, Scan, record::Record, tables};
use weft_wire::{
    Blob, DeviceId, MessageId, Millis, NodeName, RoomId, UserAddress, codec, federation::Event,
    rooms::DeviceRef,
};

/// Rows that may wait for one node. At 300 bytes a row that is some 30 MB.
const ROWS_MAX: u64 = 100_000;
/// With so many, what a later row makes up for is left out: the rest is for what has to go.
const CROWDED: u64 = ROWS_MAX / 2;
/// A row's event; more than one of the longest messages, less than the store takes.
const EVENT_BYTES_MAX: usize = 60 << 10;

/// Something for another node. Key: its name, 0x00, BE64(number).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct OutboxRecord {
    pub time_ms: Millis,
    pub item: Outgoing,
}

/// What is for another node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Outgoing {
    /// As it goes out.
    Event(Box<Event>),
    /// The same, a second time: of a contact's step that has waited for too long (see `flows/owed.rs`), or that somebody has left
    /// whom the hub did not let go.
    Owed(Box<Event>),
    /// There is news in a room of which this node is the hub. What it is is read when the row is sent, so that a log is kept
    /// once and not once for each node.
    Room {
        room: RoomId,
        /// Members, epoch or gone devices have changed, too.
        state: bool,
    },
    /// A Welcome for a device there. The number of its commit is assigned by the very store commit that writes this.
    Welcome {
        room: RoomId,
        by: UserAddress,
        to: DeviceRef,
        /// The commit, by its author and id.
        device: DeviceId,
        message: MessageId,
        /// Empty where it is long.
        welcome: Blob,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        long: Option<LongWelcome>,
    },
}

/// A Welcome in [`tables::OUTBOX_PARTS`]. The rows of one commit for one node share it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LongWelcome {
    pub id: Blob,
    pub count: u8,
    /// Rows go in their order: with this one it goes.
    pub last: bool,
}

/// What the rows of a long Welcome begin with.
pub(crate) fn welcome_key(node: &NodeName, id: &[u8]) -> Vec<u8> {
    joined(node.as_str(), id)
}

/// How far the copy of a room's log on another node goes. Key: room, its name. It is there for as long as people of that node
/// are in the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct FollowerRecord {
    pub acked: u64,
    /// When it had been away for so long that news was given up. In their place one row waits for it, which says what the room
    /// is like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_ms: Option<Millis>,
    /// The last of its people is out. It hears how it ended for them, and then this row goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
    /// Answers since its copy was whole that did not bring it forward.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stuck: u8,
}

impl FollowerRecord {
    /// Of a node whose first people come after a number.
    pub fn from(seq: u64) -> Self {
        FollowerRecord { acked: seq, behind_ms: None, until: None, stuck: 0 }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(count: &u8) -> bool {
    *count == 0
}

/// The last entry that is for a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Until {
    Number(u64),
    /// The commit that took its people out, by author and id: its number is assigned by the very store commit that writes this.
    Commit {
        device: DeviceId,
        message: MessageId,
    },
}

/// A message that was handed in here for a room of another node. Key: room, device, message id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct SaidRecord {
    /// BLAKE3 of the envelope that was staged last.
    #[serde(with = "weft_wire::bytes::array")]
    pub hash: [u8; 32],
    /// It waited for too long; its sender has not heard that yet.
    pub given_up: bool,
}

first_version!(OutboxRecord, FollowerRecord, SaidRecord);

/// The key of a [`FollowerRecord`].
pub(crate) fn follower_key(room: RoomId, node: &NodeName) -> Vec<u8> {
    [room.as_bytes().as_slice(), node.as_str().as_bytes()].concat()
}

/// Adds something for a node to a batch. It leaves once the batch is committed, and not before.
///
/// # Errors
/// [`Fault::TooMany`] when too much waits for that node already, [`Fault::TooLarge`].
pub(crate) async fn stage(ctx: &Ctx, batch: Batch, to: &NodeName, item: Outgoing) -> Result<Batch, Fault> {
    match &item {
        Outgoing::Event(event) | Outgoing::Owed(event) => {
            within("event", codec::encode(event).len(), EVENT_BYTES_MAX)?
        }
        Outgoing::Welcome { welcome, .. } => within("welcome", welcome.len(), EVENT_BYTES_MAX)?,
        Outgoing::Room { .. } => {}
    }
    let rows = usize::try_from(waiting(ctx, to).await?).unwrap_or(usize::MAX);
    at_most("events that wait for this node", rows.saturating_add(1), ROWS_MAX as usize)?;
    Ok(stage_due(ctx, batch, to, item))
}

/// [`stage`] for what is owed whatever else waits: it is rare, or takes the place of other rows. Without it a node that is away
/// could stop what others do.
pub(crate) fn stage_due(ctx: &Ctx, batch: Batch, to: &NodeName, item: Outgoing) -> Batch {
    let record = OutboxRecord { time_ms: ctx.now(), item };
    let prefix = joined(to.as_str(), []);
    batch.append(tables::OUTBOX_HEADS, to.as_str(), tables::OUTBOX, prefix, record.to_record())
}

/// [`stage_due`] for what is new in a room's log. Where very much waits for a node, one row a room has to do for all that comes
/// after it: what is new is read when it is sent.
///
/// # Errors
/// [`Fault::Store`].
pub(crate) async fn stage_news(ctx: &Ctx, batch: Batch, to: &NodeName, room: RoomId) -> Result<Batch, Fault> {
    let key = follower_key(room, to);
    let row = match waiting(ctx, to).await? < CROWDED {
        true => None,
        false => ctx.store.get(tables::ROOM_FOLLOWERS, &key).await?,
    };
    let Some(row) = row else {
        return Ok(stage_due(ctx, batch, to, Outgoing::Room { room, state: false }));
    };
    let record = FollowerRecord::from_record(&row.value)?;
    // Asserted: that row may be going out at this moment.
    let batch = batch.assert_version(tables::ROOM_FOLLOWERS, &key, row.version);
    if record.behind_ms.is_some() {
        return Ok(batch);
    }
    let behind = FollowerRecord { behind_ms: Some(ctx.now()), ..record };
    let batch = batch.put(tables::ROOM_FOLLOWERS, &key, behind.to_record());
    Ok(stage_due(ctx, batch, to, Outgoing::Room { room, state: true }))
}

/// [`stage`], for what may be left out when too much waits: a later one makes up for it.
///
/// # Errors
/// [`Fault::Store`].
pub(crate) async fn stage_if_room(
    ctx: &Ctx,
    batch: Batch,
    to: &NodeName,
    item: Outgoing,
) -> Result<Batch, Fault> {
    if waiting(ctx, to).await? >= CROWDED {
        return Ok(batch);
    }
    stage(ctx, batch, to, item).await
}

/// How many rows wait for a node. Numbers have no gaps, and go from the front.
pub(crate) async fn waiting(ctx: &Ctx, to: &NodeName) -> Result<u64, Fault> {
    let head = ctx.count(tables::OUTBOX_HEADS, to.as_str()).await?;
    let first = ctx.store.scan(tables::OUTBOX, Scan::prefix(joined(to.as_str(), [])).limit(1)).await?;
    Ok(first.first().and_then(|row| be64(&row.key)).map_or(0, |first| (head + 1).saturating_sub(first)))
}
