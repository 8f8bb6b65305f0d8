//! Where streams LEAVE: one request is written, one answer read.

use crate::{
    LinkError, PeerKey,
    frame::{self, FrameError},
    protocol::{Protocol, Status},
};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, future};
use parking_lot::Mutex;
use std::{collections::HashMap, io, pin::pin, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls to one peer that run at once; further ones wait for their turn. Half of what the peer takes.
pub(crate) const LANES: usize = 8;
/// Calls of this node, running or waiting. With batches of 4 MiB this is what outgoing memory is bounded by, since each is
/// held by its caller.
const CALLS_MAX: usize = 4_096;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Lanes {
    all: Arc<Semaphore>,
    peers: Mutex<HashMap<PeerKey, Arc<Semaphore>>>,
}

/// The right to call, given back when it is dropped.
pub(crate) struct Turn<'a> {
    lanes: &'a Lanes,
    peer: PeerKey,
    own: Arc<Semaphore>,
    _all: OwnedSemaphorePermit,
    running: Option<OwnedSemaphorePermit>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        Lanes { all: Arc::new(Semaphore::new(CALLS_MAX)), peers: Mutex::default() }
    }

    /// Waits until this peer may be called. Turns come in the order in which they were asked for.
    pub(crate) async fn turn(&self, peer: PeerKey) -> Result<Turn<'_>, LinkError> {
        let all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| LinkError::Busy)?;
        let own =
            Arc::clone(self.peers.lock().entry(peer).or_insert_with(|| Arc::new(Semaphore::new(LANES))));
        // Made before the wait, so that giving up while waiting cleans up as well.
        let mut turn = Turn { lanes: self, peer, own: Arc::clone(&own), _all: all, running: None };
        turn.running = Some(own.acquire_owned().await.map_err(|_| LinkError::Closed)?);
        Ok(turn)
    }

    #[cfg(test)]
    pub(crate) fn is_unused(&self) -> bool {
        self.peers.lock().is_empty()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut peers = self.lanes.peers.lock();
        drop(self.running.take());
        // Counted under the lock, under which alone others take hold of it: the table's, and ours.
        if Arc::strong_count(&self.own) == 2 {
            peers.remove(&self.peer);
        }
    }
}

/// One exchange on an open stream.
pub(crate) async fn exchange<S>(stream: S, protocol: Protocol, request: &[u8]) -> Result<Vec<u8>, LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = stream.split();
    let write = async {
        frame::write(&mut writer, request).await?;
        writer.close().await
    };
    let read = pin!(read_answer(&mut reader, protocol));
    // A peer that refuses does so without reading on, and its word must be heard while we still write.
    match future::select(pin!(write), read).await {
        future::Either::Left((written, read)) => {
            let written: io::Result<()> = written;
            match (written, read.await) {
                // The answer is there, so the request was.
                (_, Ok(answer)) => Ok(answer),
                (_, Err(error)) => Err(error),
            }
        }
        future::Either::Right((answer, _)) => answer,
    }
}

async fn read_answer(
    reader: &mut (impl AsyncRead + Unpin),
    protocol: Protocol,
) -> Result<Vec<u8>, LinkError> {
    let mut status = [Status::Failed.byte()];
    reader.read_exact(&mut status).await.map_err(|_| LinkError::Closed)?;
    let [status] = status;
    if let Some(refusal) = Status::refusal(status) {
        return Err(refusal);
    }
    frame::read(reader, protocol.answer_bytes_max(), None).await.map_err(|error| match error {
        FrameError::TooLarge => LinkError::TooLarge,
        FrameError::Io(_) | FrameError::Length | FrameError::OverBudget => LinkError::Closed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_wait_for_their_turn_and_leave_nothing_behind() {
        let lanes = Lanes::new();
        let peer = PeerKey([1; 32]);
        let mut turns = Vec::new();
        for _ in 0..LANES {
            turns.push(lanes.turn(peer).await.unwrap());
        }
        let mut waiting = pin!(lanes.turn(peer));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        let elsewhere = lanes.turn(PeerKey([2; 32])).await.unwrap();
        turns.pop();
        turns.push(waiting.await.unwrap());
        {
            let mut given_up = pin!(lanes.turn(peer));
            assert!(futures::poll!(given_up.as_mut()).is_pending());
        }
        drop(turns);
        drop(elsewhere);
        assert!(lanes.is_unused());
    }
}
