//! What is kept about other nodes.

pub(crate) use crate::outgoing::{FollowerRecord, OutboxRecord, Outgoing, SaidRecord};
use crate::record::first_version;
use serde::{Deserialize, Serialize};
use weft_wire::{Millis, Signed, bytes, federation::EventResult, identity::UserIdentity};

/// Another node. Key: its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct PeerRecord {
    /// The key that speaks for the name.
    #[serde(with = "bytes::array")]
    pub key: [u8; 32],
    /// Where it said that it may be reached.
    pub addresses: Vec<String>,
    pub state: PeerState,
    /// Per cent of the usual budgets, where the operator has said so.
    pub limit: Option<u32>,
    pub first_seen_ms: Millis,
    /// To the hour.
    pub last_contact_ms: Millis,
    pub last_error: Option<String>,
    /// Nobody here has to do with anybody there, as yet: the row goes by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stranger: bool,
}

/// What is thought of a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum PeerState {
    /// Met, and its key pinned.
    Pinned,
    /// The operator has named it: it is on the list of those that are allowed.
    Trusted,
    /// Somebody else speaks, or the node's record speaks, under this name with another key. The pinned key goes on to count
    /// until the operator says otherwise, or else any stranger could cut two nodes off from each other.
    Quarantined {
        #[serde(with = "bytes::array")]
        new_key: [u8; 32],
        /// It was trusted before.
        trusted: bool,
    },
    /// The operator wants to have nothing to do with it.
    Blocked,
}

/// How far another node has taken what is for it. Key: its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct RunRecord {
    /// The name of this run of numbers.
    #[serde(with = "bytes::array")]
    pub run: [u8; 16],
    /// The number of a row, less this, is its number in the run.
    pub base: u64,
    /// The number of the last row that was acknowledged.
    pub acked: u64,
    /// In which life of the data the run was begun: see [`super::outbox::begin_anew`].
    #[serde(with = "bytes::array")]
    pub life: [u8; 16],
}

/// How far we have taken what another node sends. Key: its name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ArrivalRecord {
    #[serde(with = "bytes::array")]
    pub run: [u8; 16],
    /// The number of the last event that has taken effect, or was refused for good.
    pub upto: u64,
    /// Runs that were followed by another one: what arrives late under their names is not taken again. The last few.
    pub over: Vec<weft_wire::Blob>,
}

/// What came of an event, kept until the sender has heard. Key: its node's name, 0x00, BE64(number in the run).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct ResultRecord {
    pub result: EventResult,
}

/// A person of another node, as first seen. Key: their address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct PersonRecord {
    pub identity: Signed<UserIdentity>,
    pub first_seen_ms: Millis,
}

first_version!(PeerRecord, RunRecord, ArrivalRecord, ResultRecord, PersonRecord);
