//! The pump between a WebSocket and a [`SyncSession`], which holds all the logic.

use crate::Api;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use weft_service::{SyncSession, sync::SyncError};
use weft_wire::{
    Code, Problem, codec, limits,
    sync::{ClientFrame, ServerFrame},
};

/// How long a good-bye may take: a peer that does not listen is not waited for.
pub(crate) const GOODBYE: Duration = Duration::from_secs(2);

/// Why the pump ends.
enum End {
    /// The peer closed, or the connection broke.
    Gone,
    /// The node ends it, and says why.
    Problem(ServerFrame),
    /// The node ends it: the peer does not read. Whether it hears why is its own affair.
    Deaf,
}

/// Runs one socket to its end.
pub(crate) async fn run(api: Api, mut session: SyncSession, mut socket: WebSocket) {
    metrics::counter!("weft_sockets_opened_total").increment(1);
    let end = pump(&api, &mut session, &mut socket).await;
    let frame = match end {
        End::Gone => None,
        End::Deaf => Some(SyncError::SlowReader.into_frame()),
        End::Problem(frame) => Some(frame),
    };
    let why = match &frame {
        None => "gone",
        Some(ServerFrame::Problem { problem, .. }) => problem.code.as_str(),
        Some(_) => "closed",
    };
    metrics::counter!("weft_sockets_closed_total", "why" => why).increment(1);
    if let Some(frame) = frame {
        let code = close_code(&frame);
        let goodbye = async {
            socket.send(Message::Binary(codec::encode(&frame).into())).await?;
            socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
    session.close().await;
}

async fn pump(api: &Api, session: &mut SyncSession, socket: &mut WebSocket) -> End {
    let config = api.config();
    if let Err(end) = send(socket, session.challenge(), config.write_timeout).await {
        return end;
    }
    let opened = Instant::now();
    let mut heard = opened;
    loop {
        // Before hello the time for it runs; after it, the time in which a living peer says at least a ping.
        let deadline = match session.session() {
            None => opened + config.hello_timeout,
            Some(_) => heard + config.idle_timeout,
        };
        tokio::select! {
            // What the peer says comes first, so that acknowledgements are heard even while much is to be sent.
            biased;
            () = api.stopping().cancelled() => return fatal(Problem::new(Code::ShuttingDown)),
            () = tokio::time::sleep_until(deadline) => {
                let detail = match session.session() {
                    None => "no hello came in time",
                    Some(_) => "nothing was heard for too long",
                };
                return fatal(Problem::new(Code::SlowReader).detail(detail));
            }
            message = socket.recv() => {
                heard = Instant::now();
                if let Err(end) = hear(session, message).await {
                    return end;
                }
            }
            frame = session.next() => match frame {
                Ok(frame) => if let Err(end) = send(socket, frame, config.write_timeout).await {
                    return end;
                },
                Err(error) => return End::Problem(error.into_frame()),
            },
        }
    }
}

async fn hear(session: &mut SyncSession, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
    let bytes = match message {
        Some(Ok(Message::Binary(bytes))) => bytes,
        // Pings are answered by the WebSocket itself; they are counted all the same.
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
            return session.on_control().map_err(|error| End::Problem(error.into_frame()));
        }
        Some(Ok(Message::Text(_))) => {
            return Err(fatal(Problem::new(Code::Malformed).detail("frames are binary")));
        }
        Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
        Some(Err(error)) => return Err(broken(&error)),
    };
    let frame: ClientFrame = codec::decode(&bytes, limits::SOCKET_FRAME_BYTES_MAX)
        .map_err(|error| fatal(Problem::new(Code::Malformed).detail(error)))?;
    session.on_frame(frame).await.map_err(|error| End::Problem(error.into_frame()))
}

/// A frame over its bound is refused by its header, before its body is read; everything else that goes wrong below is
/// the connection's end.
fn broken(error: &axum::Error) -> End {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("too long") || error.to_string().contains("too large") {
            let detail = format!("at most {} bytes a frame", limits::SOCKET_FRAME_BYTES_MAX);
            return fatal(Problem::new(Code::TooLarge).detail(detail));
        }
        cause = error.source();
    }
    End::Gone
}

async fn send(socket: &mut WebSocket, frame: ServerFrame, within: Duration) -> Result<(), End> {
    let bytes = codec::encode(&frame);
    match timeout(within, socket.send(Message::Binary(bytes.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Deaf),
    }
}

fn fatal(problem: Problem) -> End {
    End::Problem(ServerFrame::Problem { problem, room: None, fatal: true })
}

fn close_code(frame: &ServerFrame) -> u16 {
    let ServerFrame::Problem { problem, .. } = frame else { return close_code::NORMAL };
    match problem.code {
        Code::ShuttingDown => close_code::RESTART,
        Code::TooLarge => close_code::SIZE,
        Code::Malformed => close_code::UNSUPPORTED,
        Code::Internal | Code::StorageUnavailable => close_code::ERROR,
        _ => close_code::POLICY,
    }
}
