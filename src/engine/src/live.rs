//! What is known only while the engine runs. Losing it costs a request, never a message.

use crate::account::Me;
use crate::chats::ChatId;
use crate::chats::members::Far;
use crate::chats::timeline::FollowUp;
use crate::groups::Roster;
use crate::rooms::Unsure;
use crate::shelf::Shelf;
use crate::sync::rooms::PinMap;
use crate::vault::Full;
use crate::wallet::fees::Shown;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use weft_wire::rooms::{JoinRequest, RoomState};
use weft_wire::sync::InboxEntry;
use weft_wire::{DeviceId, MessageId, Millis, RoomId, UserAddress};

/// What the node said when it let this device in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Single-use KeyPackages of this device that it had left.
    pub key_packages: u32,
    /// The newest item of the inbox; none: it does not say.
    pub inbox: Option<u64>,
}

/// The state in memory.
#[derive(Default)]
pub(crate) struct Live {
    /// Who is signed in, keys opened.
    pub me: Option<Rc<Me>>,
    /// A new session is being asked for.
    pub session_asked: bool,
    /// Calls of the host that were not answered yet.
    pub calls: Shelf<u64, ()>,
    /// A sign-up, sign-in or recovery is under way.
    pub opening: bool,
    /// How far the node's clock is ahead of the host's, ms.
    clock_ahead_ms: i64,
    /// Inbox items that came and were not processed yet, and whether somebody is at it.
    pub inbox: VecDeque<InboxEntry>,
    pub inbox_busy: bool,
    /// Until all is taken that lay in the inbox when the node let this device in.
    pub arrival: Option<Arrival>,
    /// Whether that is so on this connection.
    pub inbox_taken: bool,
    /// The pinned identity keys.
    pub pins: PinMap,
    /// Messages whose request is under way.
    pub sending: Shelf<MessageId, ()>,
    /// Work that needs the history; taken up after this pass.
    pub follow_ups: Vec<FollowUp>,
    /// Queued messages to be shown together with what they answer.
    pub queued_replies: Vec<(ChatId, MessageId)>,
    /// Rooms as the node described them last.
    pub rooms: Shelf<RoomId, RoomState>,
    /// Devices that a room was said to be rid of, in a description from before the one in `rooms`: the commit that removes them may
    /// come after the description that does not name them any more.
    pub signed_out: Shelf<RoomId, BTreeSet<DeviceId>>,
    /// The vault is full, as far as is known.
    pub vault_full: Option<Full>,
    /// Until when somebody is shown as typing.
    pub typing: Shelf<(RoomId, UserAddress), Millis>,
    /// Who is in each group, at the epoch where that was read.
    pub rosters: Shelf<RoomId, Rc<Roster>>,
    /// Groups that the interface is to hear of.
    pub groups_changed: Shelf<RoomId, ()>,
    /// Who is blocked.
    pub blocked: BTreeSet<UserAddress>,
    /// Who asks to be let into a group.
    pub asking: Shelf<RoomId, Vec<JoinRequest>>,
    /// Groups that this device does not enter by itself: what the node says that they are.
    pub unsure: Shelf<RoomId, Unsure>,
    /// What of that the person has agreed to.
    pub agreed: Shelf<RoomId, [u8; 32]>,
    /// Groups on the way out of which this device is: until then it tries to say so first.
    pub say_by: Shelf<RoomId, Millis>,
    /// How far each member of a group has come. What all of them have is kept.
    pub members: Shelf<RoomId, Shelf<UserAddress, Far>>,
    /// Grows whenever something came in a room's log, for those who wait for it.
    pub turns: u64,
    /// Fees that the person was shown: what their orders allow.
    pub fees: Vec<Shown>,
    /// When this device last said that it is typing.
    pub typing_told: Shelf<RoomId, Millis>,
}

impl Live {
    /// The node has told its time.
    pub fn set_node_clock(&mut self, now: Millis, node: Millis) {
        let ahead = i128::from(node) - i128::from(now);
        self.clock_ahead_ms = ahead.try_into().unwrap_or_default();
    }

    /// What the node's clock shows now, as far as it is known. For expiry: the host's clock may be set by hand.
    pub fn node_time(&self, now: Millis) -> Millis {
        now.saturating_add_signed(self.clock_ahead_ms)
    }
}
