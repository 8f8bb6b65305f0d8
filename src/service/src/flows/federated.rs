//! What comes over the border is handed on to the features, and what became of what left.

use super::{FlowError, Flows};
use crate::{
    Fault,
    accounts::AccountError,
    contacts::ContactError,
    federation::{Bridge, FederationError, Outcome, Outgoing, Trouble},
    rooms::RoomError,
};
use futures::future::BoxFuture;
use weft_store::Tx;
use weft_wire::{
    Code, NodeName, Problem,
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
                Event::Room { .. } => self.take_news(tx, from, event).await.map_err(trouble),
                Event::Welcome { .. } => self.take_welcome(tx, from, event).await.map_err(trouble),
                Event::Message { .. } => self.take_message(from, event).await.map_err(in_order),
                Event::Item { .. } => self.take_item(tx, from, event).await.map_err(trouble),
                Event::Delivered { .. } => self.take_delivered(tx, from, event).await.map_err(trouble),
                Event::DeviceGone { .. } => self.take_gone(from, event).await.map_err(trouble),
                Event::Left { .. } => self.take_left(tx, from, event).await.map_err(trouble),
            }
        })
    }

    fn answer<'a>(&'a self, from: &'a NodeName, question: Question) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answer = match question {
                Question::Person { by, user } => self.answer_person(from, &by, &user).await,
                Question::Claim { by, user, room } => self.answer_claim(from, &by, &user, room).await,
                Question::GroupInfo { room, by } => self.answer_group_info(from, room, by).await,
                Question::Commit { room, cert, submit } => {
                    self.answer_commit(from, room, &cert, submit).await
                }
                Question::Ephemeral { room, by, sealed, .. } => {
                    self.answer_ephemeral(from, room, by, sealed).await
                }
                Question::Join { room, user, identity, token } => {
                    self.answer_join(from, room, &user, &identity, &token).await
                }
                Question::Door { room, by, act } => self.answer_door(from, room, by, act).await,
            };
            answer.unwrap_or_else(|error| Answer::Problem(error.into()))
        })
    }

    fn open<'a>(
        &'a self,
        to: &'a NodeName,
        item: &'a Outgoing,
        last: bool,
    ) -> BoxFuture<'a, Result<Event, Fault>> {
        Box::pin(async move {
            match item {
                Outgoing::Event(event) => Ok(event.as_ref().clone()),
                Outgoing::Room { room, state } => {
                    self.read_news(to, *room, *state, last).await.map_err(|error| match error {
                        RoomError::Fault(fault) => fault,
                        _ => Fault::Internal("what is new in a room cannot be read"),
                    })
                }
                Outgoing::Welcome { .. } => self.open_welcome(to, item).await,
            }
        })
    }

    fn settle<'a>(
        &'a self,
        tx: &'a Tx,
        to: &'a NodeName,
        item: &'a Outgoing,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            let refused = matches!(outcome, Outcome::Result(EventResult::Refused(_)));
            let failed = refused || *outcome == Outcome::Expired;
            match item {
                Outgoing::Room { room, .. } => match outcome {
                    Outcome::Result(EventResult::Accepted(copy)) => {
                        self.note_follower(tx, to, *room, copy.seq).await
                    }
                    Outcome::Expired => self.note_behind(tx, to, *room).await,
                    _ => Ok(()),
                },
                Outgoing::Event(event) if matches!(event.as_ref(), Event::Message { .. }) => {
                    self.settle_said(tx, event, outcome).await
                }
                Outgoing::Event(event) if *outcome == Outcome::Expired && must_arrive(event) => {
                    self.stage_again(tx, to, item.clone()).await
                }
                Outgoing::Event(event) if matches!(event.as_ref(), Event::Left { .. }) => {
                    self.settle_left(tx, event, outcome).await.map_err(fault)
                }
                Outgoing::Welcome { .. } => self.settle_welcome(tx, to, item, outcome).await.map_err(fault),
                Outgoing::Event(event) if failed => self.unask(tx, event, to).await,
                _ => Ok(()),
            }
        })
    }
}

/// What a hub that comes back after a long time has to hear still: people and devices that it must not go on to serve.
fn must_arrive(event: &Event) -> bool {
    matches!(event, Event::Left { .. } | Event::DeviceGone { .. })
}

/// Of what is settled here: a fault is to be tried again, all else is the sender's own doing.
fn fault(error: FlowError) -> Fault {
    match error {
        FlowError::Fault(fault) | FlowError::Room(RoomError::Fault(fault)) => fault,
        _ => Fault::Internal("what came of an event cannot be noted"),
    }
}

/// What is about this node and this moment is no reason to refuse anything for good.
pub(super) fn trouble(error: FlowError) -> Trouble {
    match error {
        FlowError::Fault(fault)
        | FlowError::Room(RoomError::Fault(fault))
        | FlowError::Contact(ContactError::Fault(fault))
        | FlowError::Account(AccountError::Fault(fault))
        | FlowError::Federation(FederationError::Fault(fault)) => fault.into(),
        error => Problem::from(error).into(),
    }
}

/// A message that comes too fast is to come again, with all that follows it: refused, it would come after those.
fn in_order(error: FlowError) -> Trouble {
    match trouble(error) {
        Trouble::Refused(problem) if problem.code == Code::RateLimited => Trouble::Later(problem),
        trouble => trouble,
    }
}
