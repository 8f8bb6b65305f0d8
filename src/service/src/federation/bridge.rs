//! What federation asks of the features, without knowing them. [`crate::Flows`] implements it; tests have their own.

use super::records::Outgoing;
use crate::Fault;
use futures::future::BoxFuture;
use weft_store::Tx;
use weft_wire::{
    Code, NodeName, Problem,
    federation::{Answer, Event, EventResult, Question},
};

/// Why an event had no effect.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It never will: the sender is told, and goes on with the next one.
    Refused(Problem),
    /// This node cannot do it now: it is to be sent again. What is a fault of this node and does not pass is refused in the
    /// end.
    Later(Problem),
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        match problem.code {
            Code::StorageUnavailable | Code::ShuttingDown | Code::Internal => Trouble::Later(problem),
            _ => Trouble::Refused(problem),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(weft_store::Error::TooLarge { .. }) => Trouble::Refused(fault.into()),
            // Also a conflict that would not end: it is about the moment, not about the event.
            Fault::Store(_) => Trouble::Later(fault.into()),
            fault => Problem::from(fault).into(),
        }
    }
}

impl From<weft_store::Error> for Trouble {
    fn from(error: weft_store::Error) -> Self {
        Fault::from(error).into()
    }
}

impl From<weft_store::record::RecordError> for Trouble {
    fn from(error: weft_store::record::RecordError) -> Self {
        Fault::from(error).into()
    }
}

/// What became of something that was for another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It took effect.
    Done,
    /// It has a result.
    Result(EventResult),
    /// It waited for too long, and was given up.
    Expired,
}

/// The features, seen from the border.
pub(crate) trait Bridge: Send + Sync + 'static {
    /// Stages what an event of a node does here. Whatever it says may be a lie, save that this node says it.
    fn take<'a>(
        &'a self,
        tx: &'a Tx,
        from: &'a NodeName,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Option<EventResult>, Trouble>>;

    /// Answers a node's question.
    fn answer<'a>(&'a self, from: &'a NodeName, question: Question) -> BoxFuture<'a, Answer>;

    /// The event of a row that only says what it is about. `last`: no later row of this batch speaks of the same room.
    fn open<'a>(
        &'a self,
        to: &'a NodeName,
        item: &'a Outgoing,
        last: bool,
    ) -> BoxFuture<'a, Result<Event, Fault>>;

    /// Stages what follows from what became of something that was for a node.
    fn settle<'a>(
        &'a self,
        tx: &'a Tx,
        to: &'a NodeName,
        item: &'a Outgoing,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), Fault>>;
}
