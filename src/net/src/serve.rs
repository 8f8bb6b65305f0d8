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
use tokio_util::sync::CancellationToken;

/// For saying why there is no answer, after the stream's time.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Serves one stream to its end. `slot` is `None` when there was no room: the caller is told so.
///
/// A handler that runs is left to finish when the connection goes: what it has done by then need not be done again.
pub(crate) async fn serve<S>(
    mut stream: S,
    closed: CancellationToken,
    peer: PeerKey,
    protocol: Protocol,
    slot: Option<Slot>,
    handler: Arc<dyn PeerHandler>,
    time: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let outcome = match slot {
        Some(slot) => {
            match timeout(time, answer(&mut stream, &closed, peer, protocol, slot, handler)).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Status::TimedOut),
            }
        }
        None => Err(Status::Busy),
    };
    let Err(status) = outcome else { return };
    tracing::debug!(%peer, ?protocol, ?status, "a stream got no answer");
    // The peer may be one that does not read either.
    let _ = timeout(LAST_WORD, closed.run_until_cancelled(refuse(&mut stream, status))).await;
}

async fn refuse(stream: &mut (impl AsyncWrite + Unpin), status: Status) -> io::Result<()> {
    stream.write_all(&[status.byte()]).await?;
    stream.close().await
}

async fn answer<S>(
    stream: &mut S,
    closed: &CancellationToken,
    peer: PeerKey,
    protocol: Protocol,
    mut slot: Slot,
    handler: Arc<dyn PeerHandler>,
) -> Result<(), Status>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let read = frame::read(stream, protocol.request_bytes_max(), Some(&mut slot));
    let request = match closed.run_until_cancelled(read).await {
        Some(Ok(request)) => request,
        Some(Err(FrameError::TooLarge)) => return Err(Status::TooLarge),
        Some(Err(FrameError::OverBudget)) => return Err(Status::Busy),
        Some(Err(FrameError::Io(_) | FrameError::Length)) | None => return Err(Status::Failed),
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
    let sent: Option<io::Result<()>> = closed.run_until_cancelled(sent).await;
    if let Some(Err(error)) = sent {
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
