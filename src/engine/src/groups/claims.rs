//! KeyPackages of those who are to be brought in.

use crate::contacts::{self, Pin};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use crate::sync::rooms;
use std::future::{Future, poll_fn};
use std::pin::Pin as Pinned;
use std::task::Poll;
use weft_wire::contacts::ClaimedKeyPackages;
use weft_wire::identity::UserIdentity;
use weft_wire::{Blob, DeviceId, RoomId, UserAddress};

/// So many are asked for at a time.
const AT_ONCE: usize = 4;
/// People whom one commit brings in.
pub(super) const AT_A_TIME: usize = 64;

/// What can be added of somebody.
#[derive(Debug)]
pub(super) struct Claimed {
    pub identity_key: [u8; 32],
    pub packages: Vec<(DeviceId, Blob)>,
}

/// KeyPackages of several people. `asked`: a room into which they have asked to be let.
pub(super) async fn of_all(
    cx: &Cx,
    users: &[UserAddress],
    asked: Option<RoomId>,
) -> Vec<(UserAddress, Result<Claimed, Failure>)> {
    let mut all = Vec::new();
    for some in users.chunks(AT_ONCE) {
        all.extend(together(some.iter().map(|user| of(cx, user, asked))).await);
    }
    users.iter().cloned().zip(all).collect()
}

/// Waits for several at once.
async fn together<T>(tasks: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut running: Vec<(Pinned<Box<_>>, Option<T>)> = tasks.map(|task| (Box::pin(task), None)).collect();
    poll_fn(|context| {
        for (task, done) in running.iter_mut().filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = task.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if running.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect()
}

/// KeyPackages of one person. One that is no good is left out: nobody keeps others out of a group by a bad one.
pub(super) async fn of(cx: &Cx, user: &UserAddress, asked: Option<RoomId>) -> Result<Claimed, Failure> {
    let query = asked.map_or_else(String::new, |room| format!("?room={room}"));
    let claimed: ClaimedKeyPackages =
        http::post_empty(cx, &format!("users/{user}/key-packages{query}")).await?;
    let identity = claimed.identity.open().map_err(|_| Failure::Nonsense("an identity that is none"))?;
    if &identity.user != user {
        return Err(Failure::Nonsense("the identity of somebody else"));
    }
    let packages = claimed.packages.into_iter().map(|one| (one.device, one.key_package)).collect::<Vec<_>>();
    cx.with(|s| {
        if !is_theirs(s, &identity) {
            return Err(Failure::Room(crate::rooms::RoomError::KeyChanged { user: user.clone() }));
        }
        let mut good = packages;
        // A node that gives two of one device would spoil the commit for all who come in by it.
        let mut devices = std::collections::BTreeSet::new();
        good.retain(|(device, _)| devices.insert(*device));
        good.retain(|(device, package)| {
            rooms::with(s, |ctx| crate::rooms::is_key_package_of(ctx, package, &identity, *device))
                .unwrap_or(false)
        });
        Ok(Claimed { identity_key: identity.identity_key, packages: good })
    })
}

/// Whether these are the keys that are known of a person, if any are.
fn is_theirs(s: &mut State, identity: &UserIdentity) -> bool {
    if let Some(me) = s.live.me.clone().filter(|me| me.user == identity.user) {
        return me.identity_key == identity.identity_key;
    }
    let Some(mut contact) = contacts::find(s, &identity.user) else { return true };
    let same = contacts::check_pin(s, &mut contact, Pin::from(identity));
    contacts::save(s, &contact);
    same
}
