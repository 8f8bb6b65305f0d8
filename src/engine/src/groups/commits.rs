//! Changing a group by commits until it is as it should be. Somebody else may win the epoch: then it is looked at anew what is
//! still to be done.

use super::{Roster, roster};
use crate::error::{Refusal, call_error};
use crate::http::Failure;
use crate::jobs::Job;
use crate::rooms::{Changes, RoomError, change_group};
use crate::runtime::{Cx, State};
use crate::sync::{commits, rooms};
use weft_wire::rooms::RoomRole;
use weft_wire::{Blob, DeviceId, Millis, RoomId, UserAddress};

/// Races that are lost in a row before the person is told.
const TRIES: usize = 10;
/// So long the log may take to bring the commit that won.
const TURN_MS: Millis = 15_000;

/// What a commit is to change.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub add: Vec<Blob>,
    pub remove: Vec<DeviceId>,
    pub roles: Vec<(UserAddress, RoomRole)>,
}

impl Step {
    fn is_nothing(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.roles.is_empty()
    }
}

/// Commits until `plan` finds nothing left to do.
pub(super) async fn reach(
    cx: &Cx,
    room: RoomId,
    // Not generic: the browser loads this once, not once for each kind of change.
    plan: &mut dyn FnMut(&mut State, &Roster) -> Result<Step, Refusal>,
) -> Result<(), Refusal> {
    for _ in 0..TRIES {
        decide_pending(cx, room).await?;
        let planned = cx.with(|s| -> Result<bool, Refusal> {
            if !s.connection.is_ready() {
                return Err(Failure::NoAnswer.into());
            }
            if !rooms::is_active(s, room) {
                return Err(not_in_group());
            }
            let roster = roster(s, room);
            let step = plan(s, &roster)?;
            if step.is_nothing() {
                return Ok(false);
            }
            let changes = Changes { add: &step.add, remove: &step.remove, roles: &step.roles };
            match rooms::try_with(s, |ctx| change_group(ctx, room, &changes)) {
                Ok(_) => Ok(true),
                Err(Failure::Room(RoomError::Busy)) => Ok(true),
                Err(Failure::Room(RoomError::KeyChanged { user })) => Err(call_error(
                    "key_changed",
                    format_args!("The key of {user} is another one than before."),
                )),
                Err(failure) => Err(failure.into()),
            }
        })?;
        if !planned {
            return Ok(());
        }
    }
    Err(call_error("conflict", "Others change the group at the same moment; please try again."))
}

/// Whatever commit of this device is under way is taken or refused.
async fn decide_pending(cx: &Cx, room: RoomId) -> Result<(), Refusal> {
    let deadline = cx.with(|s| s.now + TURN_MS);
    while cx.with(|s| rooms::info(s, room).is_some_and(|info| info.pending)) {
        let turn = cx.with(|s| s.live.turns);
        if let Err(failure) = commits::submit(cx, room).await {
            if !failure.is_final() {
                cx.with(|s| s.jobs.want(Job::Commit(room)));
            }
            return Err(failure.into());
        }
        let waits = cx.with(|s| rooms::info(s, room).is_some_and(|info| info.pending));
        if waits && !next_turn(cx, turn, deadline).await {
            return Err(Failure::NoAnswer.into());
        }
    }
    Ok(())
}

/// Waits until something came in a room's log. False: nothing did.
pub(super) async fn next_turn(cx: &Cx, turn: u64, deadline: Millis) -> bool {
    cx.with(|s| s.wake_at(deadline));
    cx.until(|s| s.live.turns != turn || s.now >= deadline).await;
    cx.with(|s| s.live.turns != turn)
}

/// This account is not in the group (any more).
pub(super) fn not_in_group() -> Refusal {
    call_error("not_in_group", "Not in this group.")
}
