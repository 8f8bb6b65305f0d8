//! What waits for the committer.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{Batch, Committed, Error, Result};

pub(crate) enum Request {
    Commit {
        batch: Batch,
        reply: oneshot::Sender<Result<Committed>>,
        /// Room in the queue, given back when the request is answered.
        permit: OwnedSemaphorePermit,
    },
    Heal {
        generation: u64,
        reason: String,
        reply: oneshot::Sender<Result<()>>,
    },
    /// Checkpoint and snapshot, in an engine without a keeper's thread.
    Keep {
        reply: oneshot::Sender<Result<()>>,
    },
}

impl Request {
    fn bytes(&self) -> usize {
        match self {
            Request::Commit { batch, .. } => batch.encoded_len(),
            Request::Heal { .. } | Request::Keep { .. } => 0,
        }
    }
}

/// Bytes of batches in one group. One batch more than this fits below the largest payload of a frame.
const GROUP_BYTES: usize = 2 << 20;
/// Batches in one group.
const GROUP_BATCHES: usize = 1_024;

#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Request>,
    closed: bool,
}

impl Queue {
    pub(crate) fn push(&self, request: Request) -> Result<()> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(Error::Closed);
        }
        inner.waiting.push_back(request);
        drop(inner);
        self.filled.notify_one();
        Ok(())
    }

    /// The next group, in the order of arrival; `None` when the queue is closed and empty.
    ///
    /// It takes what is there and does not wait for more: while one group is being synced the next one gathers by itself.
    pub(crate) fn next_group(&self) -> Option<Vec<Request>> {
        let mut inner = self.inner.lock();
        while inner.waiting.is_empty() {
            if inner.closed {
                return None;
            }
            self.filled.wait(&mut inner);
        }
        let (mut bytes, mut group) = (0, Vec::new());
        while bytes < GROUP_BYTES && group.len() < GROUP_BATCHES {
            let Some(request) = inner.waiting.pop_front() else { break };
            bytes += request.bytes();
            group.push(request);
        }
        Some(group)
    }

    /// Lets nothing more in and lets go of what waits: there is nobody left to serve it. Whoever waits gets [`Error::Closed`].
    pub(crate) fn abandon(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        drop(waiting);
    }

    /// Lets nothing more in. What is in is still served.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.filled.notify_all();
    }
}
