//! What comes over the border is handed on to the features, and what became of what left.

use super::Flows;
use crate::{
    Fault,
    federation::{Bridge, Outcome, Outgoing, Trouble},
};
use futures::future::BoxFuture;
use weft_store::Tx;
use weft_wire::{
    Code, NodeName, Problem, RoomId,
    federation::{Answer, Event, EventResult, Question},
};

impl Bridge for Flows {
    fn take<'a>(
        &'a self,
        tx: &'a Tx,
        from: &'a NodeName,
        event: &'a Event,
    ) -> BoxFuture<'a, Result<Option<EventResult>, Trouble>> {
        Box::pin(async move {
            match event {
                Event::Contact { .. } => self.take_contact(tx, from, event).await,
                _ => Err(no_rooms().into()),
            }
        })
    }

    fn answer<'a>(&'a self, from: &'a NodeName, question: Question) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answer = match question {
                Question::Person { by, user } => self.answer_person(from, &by, &user).await,
                Question::Claim { by, user } => self.answer_claim(from, &by, &user).await,
                _ => Ok(Answer::Problem(no_rooms())),
            };
            answer.unwrap_or_else(|error| Answer::Problem(error.into()))
        })
    }

    fn news<'a>(
        &'a self,
        _to: &'a NodeName,
        _room: RoomId,
        _state: bool,
        _bytes_max: usize,
    ) -> BoxFuture<'a, Result<Event, Fault>> {
        Box::pin(async { Err(Fault::Internal("no room of this node has followers")) })
    }

    fn settle<'a>(
        &'a self,
        tx: &'a Tx,
        to: &'a NodeName,
        item: &'a Outgoing,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let failed = matches!(outcome, Outcome::Expired | Outcome::Result(EventResult::Refused(_)));
            match item {
                Outgoing::Event(event) if failed => self.unask(tx, event, to).await,
                _ => Ok(()),
            }
        })
    }
}

/// No room of this version spans nodes, so nobody may have anything to say or ask about one.
fn no_rooms() -> Problem {
    Problem::new(Code::NotFound)
}
