//! `GET sync`: the socket's door. Refusals are told as ordinary answers, before anything is upgraded.

use crate::{Api, connection::Held, error::Fault, origin, session::From, socket};
use axum::{
    Router,
    extract::{Extension, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{HeaderMap, Uri},
    response::Response,
    routing::get,
};
use weft_wire::{Code, limits};

/// What devices say is small: acknowledgements, pings, typing.
const READ_BUFFER_BYTES: usize = 4 << 10;

pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/sync", get(sync))
}

async fn sync(
    State(api): State<Api>,
    From(from): From,
    Extension(held): Extension<Held>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    if api.stopping().is_cancelled() {
        return Err(Fault::new(Code::ShuttingDown));
    }
    origin::check(&api, &headers, uri.authority().map(|authority| authority.as_str()))?;
    let upgrade = upgrade.map_err(|_| Fault::malformed("this address wants a WebSocket"))?;
    let session = api.service().sync().open(from)?;
    let tasks = api.socket_tasks().clone();
    Ok(upgrade
        .max_message_size(limits::SOCKET_FRAME_BYTES_MAX)
        .max_frame_size(limits::SOCKET_FRAME_BYTES_MAX)
        // Taken at once for every socket that opens, and filled with zeros at every read: the library's 128 KiB are most of
        // what a socket would cost. A frame that is larger gets a buffer of its own while it arrives.
        .read_buffer_size(READ_BUFFER_BYTES)
        // Frames are written out at once, and what one write may hold back is bounded by the largest frame.
        .write_buffer_size(0)
        .max_write_buffer_size(2 * limits::SERVER_FRAME_BYTES_MAX)
        .on_upgrade(move |socket| {
            tasks.track_future(async move {
                socket::run(api, session, socket).await;
                // Only now is the connection's place free for another.
                drop(held);
            })
        }))
}
