//! What is still to be done, and the reconciler that does it.
//!
//! A job is only a name: what it means stands in the persistent state, and doing it twice does no harm. So nothing but the
//! state has to survive a restart; [`crate::sync::plan`] finds the jobs again when the engine opens or connects.

use crate::chats::{ChatId, queue, timeline};
use crate::http::Failure;
use crate::runtime::{Cx, State};
use crate::shelf::Shelf;
use rand_chacha::rand_core::RngCore;
use weft_wire::{Millis, RoomId, UserAddress};

/// First wait after a failure.
const RETRY_MS_MIN: Millis = 1_000;
/// Longest wait after a failure.
const RETRY_MS_MAX: Millis = 60_000;
/// A node may ask for more patience, but not for ever.
const ASKED_MS_MAX: Millis = 3_600_000;
/// Jobs that run beside each other. More would only stand in each other's way at the node.
const RUNNING_MAX: usize = 8;

/// Something that the engine wants to be so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// Contacts as the node knows them (a new device asks once).
    PullContacts,
    /// Records that other devices changed while this one was away.
    PullVault,
    /// Rooms that this device ought to be in.
    ListRooms,
    /// Enough KeyPackages in stock at the node.
    StockKeyPackages,
    /// An answer to a contact that the node has not heard yet.
    AnswerContact(UserAddress),
    /// The keys that the node shows for a person are compared with the pinned ones.
    CheckKeys(UserAddress),
    /// The room of a direct chat exists and the other side is in it.
    SetUp(ChatId),
    /// A group exists and those who were wanted are in it.
    Make(RoomId),
    /// This account is out of a group.
    Leave(RoomId),
    /// It is known whether this account is still in a group.
    LookIn(RoomId),
    /// It is known who asks to be let into a group.
    Asking(RoomId),
    /// Those are in a group whom nobody has to agree to.
    LetIn(RoomId),
    /// A commit of this device is decided at the hub.
    Commit(RoomId),
    /// This device is in the room, by external commit.
    Join(RoomId),
    /// Devices that were signed out are out of the group.
    RemoveGone(RoomId),
    /// What was queued in a chat is on the node.
    Send(ChatId),
    /// The read cursor is on the node.
    PutRead(RoomId),
    /// Records of this device are on the node.
    PushVault,
    /// It is known what became of payments.
    Pay,
    /// The node knows the invoices of other nodes that were heard of in chats.
    HearInvoices,
}

/// What became of a job.
pub(crate) enum Done {
    /// It is so; or it cannot be so before something else happens, which then wants the job again.
    Yes,
    /// Again, after this time in ms.
    After(Millis),
}

#[derive(Default)]
struct Wanted {
    not_before: Millis,
    failures: u32,
    running: bool,
    again: bool,
}

/// The jobs that are wanted.
#[derive(Default)]
pub(crate) struct Jobs {
    wanted: Shelf<Job, Wanted>,
    open: bool,
}

impl Jobs {
    /// Wants a job now; one that is running is run once more.
    pub fn want(&mut self, job: Job) {
        self.want_at(job, 0);
    }

    /// Wants a job, not before this time. An earlier wish stands.
    pub fn want_at(&mut self, job: Job, not_before: Millis) {
        match self.wanted.get_mut(&job) {
            Some(wanted) if wanted.running => wanted.again = true,
            Some(wanted) if wanted.failures == 0 => wanted.not_before = wanted.not_before.min(not_before),
            // It failed before: its own wait counts, or else every event would be another attempt.
            Some(_) => {}
            None => {
                self.wanted.insert(job, Wanted { not_before, ..Wanted::default() });
            }
        }
    }

    /// The node can be reached (again): nothing waits for an earlier failure any more.
    pub fn set_open(&mut self, open: bool) {
        self.open = open;
        if open {
            self.wanted.iter_mut().for_each(|(_, wanted)| {
                if wanted.failures > 0 {
                    wanted.failures = 0;
                    wanted.not_before = 0;
                }
            });
        }
    }

    /// Whether this job is wanted or running.
    pub fn has(&self, job: &Job) -> bool {
        self.wanted.contains_key(job)
    }

    /// When the next job may run.
    pub fn next_wake(&self, now: Millis) -> Option<Millis> {
        if !self.open {
            return None;
        }
        self.wanted.values().filter(|w| !w.running && w.not_before > now).map(|w| w.not_before).min()
    }

    fn start(&mut self, now: Millis) -> Vec<Job> {
        let running = self.wanted.values().filter(|wanted| wanted.running).count();
        if !self.open || running >= RUNNING_MAX {
            return Vec::new();
        }
        self.wanted
            .iter_mut()
            .filter(|(_, wanted)| !wanted.running && wanted.not_before <= now)
            .take(RUNNING_MAX - running)
            .map(|(job, wanted)| {
                wanted.running = true;
                wanted.again = false;
                job.clone()
            })
            .collect()
    }
}

/// Starts what may be started. Called after every pass over the tasks.
pub(crate) fn reconcile(cx: &Cx) {
    let mut ready = Vec::new();
    cx.step(|s| {
        ready = s.jobs.start(s.now);
        !ready.is_empty()
    });
    for job in ready {
        let task = run(cx.clone(), job);
        cx.spawn(task);
    }
    let mut follow_ups = Vec::new();
    let mut replies = Vec::new();
    cx.step(|s| {
        follow_ups = std::mem::take(&mut s.live.follow_ups);
        replies = std::mem::take(&mut s.live.queued_replies);
        !follow_ups.is_empty() || !replies.is_empty()
    });
    for work in follow_ups {
        let task = timeline::follow_up(cx.clone(), work);
        cx.spawn(task);
    }
    for (chat, id) in replies {
        let task = queue::show_with_reply(cx.clone(), chat, id);
        cx.spawn(task);
    }
}

async fn run(cx: Cx, job: Job) {
    let result = crate::sync::carry_out(&cx, &job).await;
    cx.with(|s| finish(s, job, result));
}

fn finish(s: &mut State, job: Job, result: Result<Done, Failure>) {
    let now = s.now;
    let jitter = s.rng.next_u32();
    let Some(wanted) = s.jobs.wanted.get_mut(&job) else { return };
    wanted.running = false;
    match result {
        Ok(Done::Yes) => {
            wanted.failures = 0;
            wanted.not_before = 0;
            if !wanted.again {
                s.jobs.wanted.remove(&job);
            }
        }
        Ok(Done::After(wait)) => wanted.not_before = now + wait,
        Err(failure) => {
            wanted.failures = wanted.failures.saturating_add(1);
            let asked = failure.retry_after_ms().map(|wait| wait.min(ASKED_MS_MAX));
            wanted.not_before = now + asked.unwrap_or_else(|| backoff_ms(wanted.failures, jitter));
        }
    }
}

/// 1 s, 2 s, 4 s … 60 s, each between half and the whole of it, so that devices do not come back in step.
fn backoff_ms(failures: u32, random: u32) -> Millis {
    let whole = RETRY_MS_MIN.saturating_mul(1 << failures.saturating_sub(1).min(6)).min(RETRY_MS_MAX);
    whole / 2 + u64::from(random) % (whole / 2 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn a_job_waits_for_the_node_and_runs_once() {
        let mut jobs = Jobs::default();
        jobs.want(Job::PushVault);
        jobs.want(Job::PushVault);
        assert!(jobs.start(5).is_empty());
        jobs.set_open(true);
        assert_eq!(jobs.start(5), vec![Job::PushVault]);
        assert!(jobs.start(5).is_empty());
    }

    #[test]
    fn a_node_cannot_ask_for_patience_without_end() {
        let (kv, rng) = (crate::kv::MemoryKv::default(), rand_chacha::ChaCha20Rng::from_seed([1; 32]));
        let mut s = State::new(kv, rng, 1_000, weft_wire::opaque::Stretching::LIGHT);
        s.jobs.set_open(true);
        s.jobs.want(Job::PushVault);
        assert_eq!(s.jobs.start(s.now), vec![Job::PushVault]);
        let mut problem = weft_wire::Problem::new(weft_wire::Code::RateLimited);
        problem.retry_after_ms = Some(Millis::MAX);
        finish(&mut s, Job::PushVault, Err(problem.into()));
        assert_eq!(s.jobs.next_wake(s.now), Some(1_000 + ASKED_MS_MAX));
    }

    #[test]
    fn waits_grow_and_stay_within_bounds() {
        for failures in 1..40 {
            for random in [0, 1, u32::MAX] {
                let wait = backoff_ms(failures, random);
                assert!((RETRY_MS_MIN / 2..=RETRY_MS_MAX).contains(&wait));
            }
        }
        assert!(backoff_ms(1, u32::MAX) <= 1_000);
        assert!(backoff_ms(20, 0) >= 30_000);
    }
}
