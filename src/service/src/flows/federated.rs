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
                Event::Room { .. } => self.take_news(tx, from, event).await.map_err(trouble),
                Event::Welcome { .. } => self.take_welcome(tx, from, event).await.map_err(trouble),
                Event::Message { .. } => self.take_message(from, event).await.map_err(trouble),
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
                Question::Join { room, user, identity, token, proof } => {
                    self.answer_join(from, room, &user, &identity, (&token, proof)).await
                }
                Question::Link { from: _, post } => self.answer_link(from, &post).await,
                Question::Packet { by, packet, open } => self.answer_packet(&by, packet, open).await,
                Question::Shop { by, shop, sale } => self.answer_shop(&by, &shop, sale).await,
                Question::Invoice { by, issuer, invoice } => self.answer_invoice(&by, &issuer, invoice).await,
                Question::Charge { from: _, charge } => self.answer_charge(from, charge).await,
                Question::Root { from: _, root } => self.answer_root(from, root).await,
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
                Outgoing::Event(event) | Outgoing::Owed(event) => Ok(event.as_ref().clone()),
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
            match item {
                Outgoing::Room { room, .. } => self.settle_news(tx, to, *room, outcome).await,
                Outgoing::Welcome { .. } => self.settle_welcome(tx, to, item, outcome).await.map_err(fault),
                Outgoing::Event(event) | Outgoing::Owed(event) => {
                    let owed = matches!(item, Outgoing::Owed(_));
                    match event.as_ref() {
                        Event::Message { .. } => self.settle_said(tx, event, outcome).await,
                        event if *outcome == Outcome::Expired && must_arrive(event) => {
                            self.say_again(tx, to, item).await
                        }
                        Event::Left { .. } => {
                            self.settle_left(tx, to, event, owed, outcome).await.map_err(fault)
                        }
                        _ if owed => self.settle_owed(tx, to, event, outcome).await,
                        _ => self.settle_told(tx, to, event, outcome).await,
                    }
                }
            }
        })
    }
}

impl Flows {
    /// News of a room: how far the other node has its copy now, or that it keeps none.
    async fn settle_news(
        &self,
        tx: &Tx,
        to: &NodeName,
        room: RoomId,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        match outcome {
            Outcome::Result(EventResult::Accepted(copy)) => {
                self.note_follower(tx, to, room, Some(copy.seq)).await
            }
            Outcome::Result(EventResult::Refused(problem)) if problem.code == Code::Internal => {
                self.note_fault(tx, to, room).await
            }
            // Whatever it does not like, it has not taken what it was told.
            Outcome::Result(EventResult::Refused(_)) => self.note_follower(tx, to, room, None).await,
            Outcome::Expired => self.note_behind(tx, to, room).await,
            Outcome::Done => Ok(()),
        }
    }

    /// What must arrive begins to wait anew, unless nothing is said to that node any more.
    async fn say_again(&self, tx: &Tx, to: &NodeName, item: &Outgoing) -> Result<(), Fault> {
        match self.shuts_out(to).await? {
            true => Ok(()),
            false => self.stage_again(tx, to, item.clone()).await,
        }
    }

    /// What was owed since an earlier time was given up: it goes on to be, or has arrived.
    async fn settle_owed(
        &self,
        tx: &Tx,
        to: &NodeName,
        event: &Event,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        if *outcome == Outcome::Expired {
            return self.owe(tx, to, event, true).await;
        }
        Self::no_longer_owed(tx, to, event);
        Ok(())
    }

    /// Every other event: whoever waits for what comes of it hears that nothing does.
    async fn settle_told(
        &self,
        tx: &Tx,
        to: &NodeName,
        event: &Event,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        match outcome {
            Outcome::Done | Outcome::Result(EventResult::Accepted(_)) => return Ok(()),
            Outcome::Expired => self.owe(tx, to, event, false).await?,
            Outcome::Result(EventResult::Refused(_)) => {}
        }
        self.unask(tx, event, to).await
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
