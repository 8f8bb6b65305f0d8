//! The engine's side towards its host: what comes in, what goes out. The engine itself does no I/O and has no clock.
//!
//! The host's duties, in this order for each [`Output`]: make `writes` durable in ONE transaction, then carry out
//! `effects` in order. Writes of a later output never overtake those of an earlier one. That is all it takes for the
//! engine to survive being killed at any moment.

use crate::api::{Call, CallError, Event, Reply};
use weft_wire::Millis;

/// Names a request or a read until its answer comes. Unique in one run of the engine.
pub type Ticket = u64;

/// What happened outside.
#[derive(Debug)]
pub enum Input {
    /// The user interface wishes something; `id` is the host's.
    Call {
        /// Echoed in [`Effect::Reply`].
        id: u64,
        /// The wish.
        call: Call,
    },
    /// An answer to [`Effect::Request`].
    Response {
        /// Which request.
        ticket: Ticket,
        /// The answer, or that none came.
        result: Result<Response, NoAnswer>,
    },
    /// Rows for [`Effect::ReadHistory`], in the order asked for.
    History {
        /// Which read.
        ticket: Ticket,
        /// Key and value.
        rows: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// The socket that [`Effect::SocketOpen`] asked for is open.
    SocketOpened,
    /// A binary frame came.
    SocketFrame(Vec<u8>),
    /// The socket could not be opened, or has closed.
    SocketClosed,
    /// Time has passed; at least as late as the last `wake_ms`.
    Tick,
}

/// An HTTP answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// CBOR.
    pub body: Vec<u8>,
}

/// No answer came: no network, a time-out, an aborted request. Whether the node has acted is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

/// What the engine wants done.
#[derive(Debug, Default)]
pub struct Output {
    /// To be made durable first, in one transaction.
    pub writes: Vec<Write>,
    /// To be carried out then, in order.
    pub effects: Vec<Effect>,
    /// When the engine would like a [`Input::Tick`], if by then nothing else has come.
    pub wake_ms: Option<Millis>,
}

/// Two spaces of ordered keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Small; handed to the engine whole when it opens.
    State,
    /// Large, append-only but for deletion of a chat; read by range through [`Effect::ReadHistory`].
    History,
}

/// A change of what is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a value.
    Put {
        /// Where.
        space: Space,
        /// Key.
        key: Vec<u8>,
        /// Value; secret, so the host seals it.
        value: Vec<u8>,
    },
    /// Removes a value.
    Delete {
        /// Where.
        space: Space,
        /// Key.
        key: Vec<u8>,
    },
    /// Removes everything: the person signed out.
    Wipe,
}

/// Something to do outside.
#[derive(Debug)]
pub enum Effect {
    /// An HTTP request to the own node; body and answer are `application/cbor`. Answered by [`Input::Response`], by
    /// [`NoAnswer`] after 30 seconds at the latest.
    Request {
        /// Echoed.
        ticket: Ticket,
        /// `GET`, `POST`, `PUT`, `DELETE`.
        method: &'static str,
        /// Path and query below the node's address.
        path: String,
        /// For `Authorization: Bearer`.
        token: Option<String>,
        /// CBOR; none for GET.
        body: Option<Vec<u8>>,
    },
    /// Opens the one socket, `/api/v1/sync`; one that is open is closed first.
    SocketOpen,
    /// Sends a binary frame. Lost when the socket is not open.
    SocketSend(Vec<u8>),
    /// Closes the socket.
    SocketClose,
    /// Reads `History` rows with `from <= key < to`, at most `limit`, from the end backwards when `reverse`.
    ReadHistory {
        /// Echoed.
        ticket: Ticket,
        /// Inclusive.
        from: Vec<u8>,
        /// Exclusive.
        to: Vec<u8>,
        /// At most so many.
        limit: usize,
        /// From the end.
        reverse: bool,
    },
    /// The answer to a call.
    Reply {
        /// The host's id.
        id: u64,
        /// The answer.
        result: Result<Reply, CallError>,
    },
    /// News for the user interface.
    Event(Event),
}

impl std::fmt::Debug for Write {
    /// Keys and values are secret: only kinds and lengths are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Write::Put { space, key, value } => {
                write!(f, "Put({space:?}, {} + {} bytes)", key.len(), value.len())
            }
            Write::Delete { space, key } => write!(f, "Delete({space:?}, {} bytes)", key.len()),
            Write::Wipe => f.write_str("Wipe"),
        }
    }
}
