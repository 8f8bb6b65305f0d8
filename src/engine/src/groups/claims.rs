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
use weft_wire::{Blob, Code, DeviceId, RoomId, UserAddress};

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

/// What came of asking for the KeyPackages of several people.
pub(super) struct Claims {
    /// Of those who were asked for.
    pub given: Vec<(UserAddress, Result<Claimed, Failure>)>,
    /// The node gives no more for now, of some or of all: those wait.
    pub wait: Option<Failure>,
    /// Of all: who comes after them was not asked for.
    pub stopped: bool,
}

/// KeyPackages of several people, for a group.
pub(super) async fn of_all(cx: &Cx, users: &[UserAddress], room: RoomId) -> Claims {
    let mut claims = Claims { given: Vec::new(), wait: None, stopped: false };
    for some in users.chunks(AT_ONCE) {
        let answers = together(some.iter().map(|user| of(cx, user, room))).await;
        let limited = |answer: &Result<Claimed, Failure>| {
            answer.as_ref().is_err_and(|failure| failure.code() == Some(Code::RateLimited))
        };
        // It may be about one of them only, and that one holds nobody else up.
        claims.stopped = answers.iter().all(limited);
        for (user, answer) in some.iter().cloned().zip(answers) {
            match answer {
                Err(failure) if failure.code() == Some(Code::RateLimited) => claims.wait = Some(failure),
                answer => claims.given.push((user, answer)),
            }
        }
        if claims.stopped {
            break;
        }
    }
    claims
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
pub(super) async fn of(cx: &Cx, user: &UserAddress, room: RoomId) -> Result<Claimed, Failure> {
    let claimed: ClaimedKeyPackages =
        http::post_empty(cx, &format!("users/{user}/key-packages?room={room}")).await?;
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
