//! The two protocols: their names, and how much each may carry.

use crate::LinkError;
use libp2p::StreamProtocol;
use weft_wire::limits::{PEER_BATCH_BYTES_MAX, PEER_QUERY_BYTES_MAX};

/// The protocol version that nodes tell each other when they connect.
pub(crate) const IDENTIFY: &str = "/weft/1";
/// Our own distributed table: not the public IPFS one.
pub(crate) const KADEMLIA: StreamProtocol = StreamProtocol::new("/weft/kad/1");
const DELIVER: StreamProtocol = StreamProtocol::new("/weft/deliver/1");
const QUERY: StreamProtocol = StreamProtocol::new("/weft/query/1");

/// What a stream is for. One stream carries one request and one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Deliver,
    Query,
}

impl Protocol {
    pub(crate) const ALL: [Protocol; 2] = [Protocol::Deliver, Protocol::Query];

    pub(crate) fn name(self) -> StreamProtocol {
        match self {
            Protocol::Deliver => DELIVER,
            Protocol::Query => QUERY,
        }
    }

    pub(crate) fn request_bytes_max(self) -> usize {
        match self {
            Protocol::Deliver => PEER_BATCH_BYTES_MAX,
            Protocol::Query => PEER_QUERY_BYTES_MAX,
        }
    }

    /// An acknowledgement names each event of its batch at most once, with a few bytes to each; an answer may be a GroupInfo.
    pub(crate) fn answer_bytes_max(self) -> usize {
        PEER_QUERY_BYTES_MAX
    }
}

/// The first byte of an answer. What follows [`Status::Answer`] is the answer's frame, what follows the others is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Answer,
    Busy,
    TooLarge,
    TimedOut,
    Failed,
}

impl Status {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Status::Answer => 0,
            Status::Busy => 1,
            Status::TooLarge => 2,
            Status::TimedOut => 3,
            Status::Failed => 4,
        }
    }

    /// The refusal that a peer's status byte stands for; none if an answer follows.
    pub(crate) fn refusal(byte: u8) -> Option<LinkError> {
        match byte {
            0 => None,
            1 => Some(LinkError::Busy),
            2 => Some(LinkError::TooLarge),
            3 => Some(LinkError::TimedOut),
            _ => Some(LinkError::Closed),
        }
    }
}
