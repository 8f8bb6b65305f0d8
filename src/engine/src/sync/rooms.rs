//! The rooms of this device, with what they need of the rest of the engine.

use crate::runtime::State;
use weft_wire::content::Ephemeral;
use weft_wire::{Blob, RoomId};

pub(crate) fn seal_ephemeral(_s: &mut State, _room: RoomId, _what: &Ephemeral) -> Option<Blob> {
    None
}
