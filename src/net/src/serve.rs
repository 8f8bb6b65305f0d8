//! Where streams ARRIVE: one request is read, handled, answered.

use crate::{
    PeerHandler, PeerKey,
    budget::Slot,
    frame::{self, FrameError},
    protocol::{Protocol, Status},
};
use futures::{AsyncRead, AsyncWrite, AsyncWriteExt, FutureExt};
use std::{io, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::time::timeout;

/// For saying why there is no answer, after the stream's time.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Serves one stream to its end. `slot` is `None` when there was no room: the caller is told so.
pub(crate) async fn serve<S>(
    mut stream: S,
    peer: PeerKey,
    protocol: Protocol,
    slot: Option<Slot>,
    handler: Arc<dyn PeerHandler>,
    time: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let outcome = match slot {
        Some(slot) => match timeout(time, answer(&mut stream, peer, protocol, slot, handler)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Status::TimedOut),
        },
        None => Err(Status::Busy),
    };
    let Err(status) = outcome else { return };
    tracing::debug!(%peer, ?protocol, ?status, "a stream got no answer");
    // The peer may be one that does not read either.
    let _ = timeout(LAST_WORD, refuse(&mut stream, status)).await;
}

async fn refuse(stream: &mut (impl AsyncWrite + Unpin), status: Status) -> io::Result<()> {
    stream.write_all(&[status.byte()]).await?;
    stream.close().await
}

async fn answer<S>(
    stream: &mut S,
    peer: PeerKey,
    protocol: Protocol,
    mut slot: Slot,
    handler: Arc<dyn PeerHandler>,
) -> Result<(), Status>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = match frame::read(stream, protocol.request_bytes_max(), Some(&mut slot)).await {
        Ok(request) => request,
        Err(FrameError::TooLarge) => return Err(Status::TooLarge),
        Err(FrameError::OverBudget) => return Err(Status::Busy),
        Err(FrameError::Io(_) | FrameError::Length) => return Err(Status::Failed),
    };
    // Room for the answer, before work is done for it. Only a request that came whole gets that far.
    slot.charge(protocol.answer_bytes_max()).map_err(|_| Status::Busy)?;
    let answer = handle(&handler, peer, protocol, request).await?;
    if answer.len() > protocol.answer_bytes_max() {
        tracing::error!(%peer, ?protocol, bytes = answer.len(), "an answer is too long to send");
        return Err(Status::TooLarge);
    }
    slot.shrink_to(answer.len());
    let sent = async {
        stream.write_all(&[Status::Answer.byte()]).await?;
        frame::write(stream, &answer).await?;
        stream.close().await
    };
    if let Err(error) = sent.await {
        // Nothing is left to tell the peer on this stream.
        tracing::debug!(%peer, ?protocol, %error, "an answer was not sent");
    }
    Ok(())
}

async fn handle(
    handler: &Arc<dyn PeerHandler>,
    peer: PeerKey,
    protocol: Protocol,
    request: Vec<u8>,
) -> Result<Vec<u8>, Status> {
    // A panic is a bug of ours that a peer has found: it must not end more than this stream. The handler is shared by
    // reference anyway, and what it shares is behind locks that do not poison.
    let work = async {
        match protocol {
            Protocol::Deliver => handler.deliver(peer, request).await,
            Protocol::Query => handler.query(peer, request).await,
        }
    };
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| {
        tracing::error!(%peer, ?protocol, "a handler panicked");
        Status::Failed
    })
}
