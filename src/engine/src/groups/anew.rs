//! A group that this device does not enter by itself: what the person is shown, and what they decide.
//!
//! What is shown is only remembered while the engine runs: it is the node's word of a moment, and asked for again when that
//! moment is over.

use super::{Standing, door, find, names, tell, views};
use crate::api::{AnewView, UnsureView};
use crate::chats;
use crate::error::Refusal;
use crate::http::Failure;
use crate::jobs::Job;
use crate::rooms::{Anew, Unsure};
use crate::runtime::State;
use crate::shelf::sorted;
use weft_wire::RoomId;

/// How this device may come into a group; none: not at all. Who has gone, or was sent away, comes in by a Welcome of somebody who
/// was there, or because they have asked for it. What else the node says of it they are only shown. So is everybody where one is
/// there again who was sent away: the node may have the group from a backup, and whoever went in there first vouches for it.
pub(crate) fn how(s: &mut State, room: RoomId) -> Option<Anew> {
    let agreed = s.live.agreed.get(&room).copied();
    let ask = match find(s, room).map(|(_, group)| (group.standing, group.asked)) {
        Some((Standing::Leaving, _)) => return None,
        Some((Standing::Left | Standing::Removed | Standing::NotMade, asked)) => !asked,
        _ => false,
    };
    let (away, others) = door::sent_away(s, room);
    Some(Anew { ask: ask || others, away, agreed })
}

/// Whether what the node says of a group is looked at, when it says that this account is in it. Who has gone by themselves has
/// said all there is to say.
pub(crate) fn is_open(s: &mut State, room: RoomId) -> bool {
    find(s, room).is_none_or(|(_, group)| match group.standing {
        Standing::Leaving => false,
        Standing::Left | Standing::NotMade => group.asked,
        _ => true,
    })
}

/// The person is to look at what the node says of a group; with nobody in it, that cannot even be verified. False: nothing is
/// known of such a group here.
pub(crate) fn ask(s: &mut State, room: RoomId, unsure: Unsure) -> bool {
    if find(s, room).is_none() {
        return false;
    }
    s.live.agreed.remove(&room);
    if s.live.unsure.get(&room) != Some(&unsure) {
        s.live.unsure.insert(room, unsure);
        tell(s, room);
        chats::tell_room(s, room);
    }
    true
}

/// There is nothing to decide any more.
pub(super) fn decided(s: &mut State, room: RoomId) {
    s.live.agreed.remove(&room);
    s.live.unsure.remove(&room);
}

/// The person has seen who would be there, named by `seen`, and enters. Others by now: those are what the view shows.
pub(super) fn enter(s: &mut State, room: RoomId, seen: &str) -> Result<(), Refusal> {
    if !s.connection.is_ready() {
        return Err(Failure::NoAnswer.into());
    }
    match s.live.unsure.get(&room).map(|unsure| unsure.print) {
        Some(print) if text(&print) == seen => {
            s.live.agreed.insert(room, print);
            s.jobs.want(Job::Join(room));
        }
        _ => tell(s, room),
    }
    Ok(())
}

/// As the interface carries it.
fn text(print: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*print).to_hex().to_string()
}

/// Who would be there, new people first.
pub(super) fn view(s: &mut State, room: RoomId) -> Option<AnewView> {
    let unsure = s.live.unsure.get(&room).cloned()?;
    let mut people = Vec::new();
    for one in unsure.people {
        people.push(UnsureView {
            user: one.user.to_string(),
            // Whatever was said under this address before: it may be somebody else now.
            name: if one.new || one.changed {
                one.user.name.to_string()
            } else {
                names::of(s, room, &one.user)
            },
            role: views::role_name(one.role).into(),
            new: one.new,
            risen: one.risen,
            changed: one.changed,
        });
    }
    let rank =
        |one: &UnsureView| [!one.new, !one.changed, !one.risen].map(|later| if later { '1' } else { '0' });
    let people = sorted(people, |one| {
        format!("{}{}\0{}", String::from_iter(rank(one)), one.name.to_lowercase(), one.user)
    });
    Some(AnewView { print: text(&unsure.print), people })
}
