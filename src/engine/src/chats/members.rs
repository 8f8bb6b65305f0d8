//! How far the others in a group have come. What each of them has is known only while the engine runs, from the node; kept is
//! what all of them have.

use super::{Chat, of_room, reads};
use crate::groups;
use crate::runtime::State;
use weft_wire::{RoomId, UserAddress, limits};

/// How far one person has come, by log number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Far {
    pub delivered: u64,
    /// But not what they missed of it: after the first number, up to the second.
    pub missed: Vec<(u64, u64)>,
    pub read: u64,
}

/// Somebody in a group has come further.
pub(crate) fn moved(s: &mut State, chat: &Chat, user: &UserAddress, change: impl FnOnce(&mut Far)) {
    let room = groups::room_of(chat.id);
    let moved = |far: &mut Far| {
        let before = far.clone();
        change(far);
        *far != before
    };
    if s.live.members.change(&room, |people| people.change(user, moved)) {
        changed(s, room);
    }
}

/// People came or went, or have come further: what all of them have may be more.
pub(crate) fn changed(s: &mut State, room: RoomId) {
    let Some(group) = of_room(s, room).and_then(|chat| chat.group) else { return };
    let mut others = groups::others(s, room, &group);
    // Nothing is to be seen of those who are blocked; so nobody waits for them either.
    others.retain(|user| !s.live.blocked.contains(user));
    let known = s.live.members.get(&room).cloned().unwrap_or_default();
    let far: Vec<Far> = others.iter().map(|user| known.get(user).cloned().unwrap_or_default()).collect();
    let (Some(delivered), Some(read)) =
        (far.iter().map(|far| far.delivered).min(), far.iter().map(|far| far.read).min())
    else {
        return;
    };
    let missed = joined(far.into_iter().flat_map(|far| far.missed).collect());
    reads::all_have(s, room, delivered, &missed);
    reads::all_read(s, room, read);
}

/// What anybody misses, in order. Of more than can be kept the last are told as one: better "sent" for too many than
/// "delivered" for one that was not.
fn joined(mut gaps: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    gaps.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (after, upto) in gaps {
        let full = joined.len() == limits::DELIVERED_GAPS_MAX;
        match joined.last_mut() {
            Some(last) if after <= last.1 || full => last.1 = last.1.max(upto),
            _ => joined.push((after, upto)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_of_several_people_are_told_once_and_never_cut() {
        assert_eq!(joined(vec![(7, 9), (1, 3), (2, 5), (8, 8)]), [(1, 5), (7, 9)]);
        let many: Vec<_> = (0..40).map(|n| (n * 10, n * 10 + 1)).collect();
        let joined = joined(many);
        assert_eq!(joined.len(), limits::DELIVERED_GAPS_MAX);
        assert_eq!(joined.last(), Some(&(150, 391)));
    }
}
