//! Asking to be let into a group, deciding about it, and leaving: at the hub where that is this node, else by a question to it.

use super::{FlowError, Flows, Result, federated_rooms::far_person, people::check_token};
use crate::{
    Budget, Caller, LimitKey,
    contacts::Stand,
    error::at_most,
    federation::{FederationError, Outcome, Outgoing},
    outgoing,
    rooms::{Doorway, RoomError},
};
use weft_store::{Batch, Tx};
use weft_wire::{
    Blob, Code, NodeName, RoomId, Signed, UserAddress,
    federation::{Answer, DoorAct, Event, EventResult, Question},
    identity::UserIdentity,
    limits::PEER_ADDRESSES_MAX,
    rooms::{Accepted, AskToJoin, CreateGroupLink, JoinAnswer, JoinRequests},
};

// ---- deciding ----

impl Flows {
    pub(super) async fn make_link(&self, caller: &Caller, room: RoomId, link: CreateGroupLink) -> Result<()> {
        self.at_door(caller, room, DoorAct::Link(link)).await.map(drop)
    }

    pub(super) async fn end_links(&self, caller: &Caller, room: RoomId) -> Result<()> {
        self.at_door(caller, room, DoorAct::EndLinks).await.map(drop)
    }

    pub(super) async fn asking(&self, caller: &Caller, room: RoomId) -> Result<JoinRequests> {
        match self.at_door(caller, room, DoorAct::Requests).await? {
            Answer::Requests(requests) => Ok(requests),
            _ => Err(FederationError::Nonsense { node: caller.user().node.clone() }.into()),
        }
    }

    pub(super) async fn decline_asking(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserAddress,
    ) -> Result<()> {
        self.at_door(caller, room, DoorAct::Decline(user)).await.map(drop)
    }

    /// What the caller does at the door of a group, wherever its hub is.
    async fn at_door(&self, caller: &Caller, room: RoomId, act: DoorAct) -> Result<Answer> {
        self.take_for(caller, &act)?;
        let loaded = self.rooms.load_for(room, caller.user()).await?;
        let Some(hub) = loaded.record.hub.elsewhere() else {
            return self.decide(caller.user(), room, act).await;
        };
        if !loaded.decides(caller.user()) {
            return Err(RoomError::Forbidden("owners and admins decide that").into());
        }
        let reads = matches!(act, DoorAct::Requests);
        let question = Question::Door { room, by: caller.user().clone(), act };
        match self.nodes.ask(hub, &question).await? {
            answer @ Answer::Requests(_) if reads => Ok(answer),
            Answer::Passed if !reads => Ok(Answer::Passed),
            _ => Err(FederationError::Nonsense { node: hub.clone() }.into()),
        }
    }

    fn take_for(&self, caller: &Caller, act: &DoorAct) -> Result<()> {
        let budget = if matches!(act, DoorAct::Requests) { Budget::Read } else { Budget::Door };
        Ok(self.ctx.limits.take_caller(budget, caller)?)
    }

    async fn decide(&self, by: &UserAddress, room: RoomId, act: DoorAct) -> Result<Answer> {
        match act {
            DoorAct::Link(link) => self.rooms.make_link(by, room, &link).await?,
            DoorAct::EndLinks => self.rooms.end_links(by, room).await?,
            DoorAct::Decline(user) => self.rooms.decline(by, room, &user).await?,
            DoorAct::Requests => return Ok(Answer::Requests(self.rooms.requests(by, room).await?)),
        }
        Ok(Answer::Passed)
    }

    /// Somebody of another node decides.
    pub(super) async fn answer_door(
        &self,
        node: &NodeName,
        room: RoomId,
        by: UserAddress,
        act: DoorAct,
    ) -> Result<Answer> {
        if by.node != *node {
            return Err(RoomError::NotFound.into());
        }
        let caller = far_person(by);
        self.take_for(&caller, &act)?;
        self.decide(caller.user(), room, act).await
    }
}

// ---- asking ----

impl Flows {
    pub(super) async fn ask_in(&self, caller: &Caller, room: RoomId, ask: AskToJoin) -> Result<JoinAnswer> {
        self.ctx.limits.take_account(Budget::Join, caller.name())?;
        let AskToJoin { hub, at, token, proof } = ask;
        check_token(Some(&token))?;
        at_most("addresses", at.len(), PEER_ADDRESSES_MAX)?;
        if self.rooms.is_in(room, caller.user()).await? {
            return Ok(JoinAnswer::Member);
        }
        let me = self.accounts.account(caller.name()).await?.ok_or(RoomError::NotFound)?;
        // Before the hub is asked: whoever lets them in at once needs to find that they have agreed.
        let is_first = self.rooms.note_asked(caller.name(), room, &hub).await?;
        let answer = if hub == self.ctx.node {
            self.come_to_door(caller.user(), room, &me.identity, (&token, proof)).await
        } else {
            self.ask_in_far(caller, room, (&hub, &at), (me.identity, token, proof)).await
        };
        // Where nothing is known of an answer, the question may have arrived.
        let unknown = matches!(&answer, Err(FlowError::Federation(FederationError::Unreachable { .. })));
        // Another question of theirs may stand.
        if answer.is_err() && !unknown && is_first {
            self.rooms.forget_asked(caller.name(), room).await?;
        }
        answer
    }

    async fn ask_in_far(
        &self,
        caller: &Caller,
        room: RoomId,
        (hub, at): (&NodeName, &[String]),
        (identity, token, proof): (Signed<UserIdentity>, Blob, [u8; 32]),
    ) -> Result<JoinAnswer> {
        if self.nodes.is_on() {
            self.nodes.hint(caller.name(), hub, at).await?;
        }
        let question = Question::Join { room, user: caller.user().clone(), identity, token, proof };
        match self.nodes.ask(hub, &question).await? {
            Answer::Join(answer) => Ok(answer),
            _ => Err(FederationError::Nonsense { node: hub.clone() }.into()),
        }
    }

    /// Somebody of another node has a link.
    pub(super) async fn answer_join(
        &self,
        node: &NodeName,
        room: RoomId,
        user: &UserAddress,
        identity: &Signed<UserIdentity>,
        (token, proof): (&Blob, [u8; 32]),
    ) -> Result<Answer> {
        if user.node != *node {
            return Err(RoomError::LinkInvalid.into());
        }
        self.ctx.limits.take(Budget::Join, &LimitKey::Person(user.clone()))?;
        self.ctx.limits.take(Budget::PeerJoin, &LimitKey::Peer(node.clone()))?;
        check_token(Some(token))?;
        Ok(Answer::Join(self.come_to_door(user, room, identity, (token, proof)).await?))
    }

    async fn come_to_door(
        &self,
        user: &UserAddress,
        room: RoomId,
        identity: &Signed<UserIdentity>,
        (token, proof): (&Blob, [u8; 32]),
    ) -> Result<JoinAnswer> {
        self.ctx
            .store
            .transact(|tx| async move {
                let (by, approval) = match self.rooms.stage_look(&tx, room, user, token).await? {
                    Doorway::Member => return Ok(JoinAnswer::Member),
                    Doorway::Open { by, approval } => (by, approval),
                };
                // One who is blocked learns nothing by a link: nobody hears of it.
                let blocked = self.ctx.is_local(&by)
                    && self.contacts.stand_to(&by.name, user).await? == Some(Stand::Blocked);
                if !blocked {
                    if !self.ctx.is_local(user) {
                        self.nodes.people.stage_pin(&tx, user, identity).await?;
                    }
                    self.rooms.stage_asking(&tx, room, user, identity, (approval, proof)).await?;
                }
                Ok(JoinAnswer::Asked)
            })
            .await
    }
}

// ---- leaving ----

impl Flows {
    pub(super) async fn leave(&self, caller: &Caller, room: RoomId) -> Result<()> {
        self.ctx.limits.take_account(Budget::Write, caller.name())?;
        let user = caller.user();
        self.ctx
            .store
            .transact(|tx| async move {
                if let Some(hub) = self.rooms.stage_leave(&tx, user, room).await? {
                    self.contacts.stage_end_consents(&tx, &user.name, room, true).await?;
                    self.tell_left(&tx, &hub, room, user).await?;
                }
                Ok(())
            })
            .await
    }

    async fn tell_left(&self, tx: &Tx, hub: &NodeName, room: RoomId, user: &UserAddress) -> Result<()> {
        let event = Event::Left { room, user: user.clone() };
        // It has to be said, however much waits for that hub.
        tx.merge(outgoing::stage_due(&self.ctx, Batch::new(), hub, Outgoing::Event(Box::new(event))));
        Ok(())
    }

    /// The home of somebody says that they have left.
    pub(super) async fn take_left(
        &self,
        tx: &Tx,
        node: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>> {
        let Event::Left { room, user } = event else { return Err(RoomError::Mismatch("event").into()) };
        if user.node != *node {
            return Err(RoomError::Forbidden("a person of another node").into());
        }
        if self.rooms.load(*room).await?.record.hub.elsewhere().is_some() {
            return Err(RoomError::NotFound.into());
        }
        match self.rooms.stage_leave(tx, user, *room).await {
            // Sent away at the same moment.
            Ok(_) | Err(RoomError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let (seq, epoch) = (self.rooms.head(*room).await?, self.rooms.load(*room).await?.record.epoch);
        Ok(Some(EventResult::Accepted(Accepted { seq, time_ms: self.ctx.now(), epoch })))
    }

    /// What the hub made of it; `again`: it was asked a second time.
    pub(super) async fn settle_left(
        &self,
        tx: &Tx,
        hub: &NodeName,
        event: &Event,
        again: bool,
        outcome: &Outcome,
    ) -> Result<()> {
        let Event::Left { room, user } = event else { return Ok(()) };
        let settled = match outcome {
            Outcome::Result(EventResult::Accepted(out)) => {
                self.rooms.stage_has_left(tx, user, *room, out.epoch).await
            }
            Outcome::Result(EventResult::Refused(problem)) if problem.code == Code::Forbidden => {
                match self.rooms.stage_stays(tx, user, *room).await {
                    Ok(false) if !again => {
                        // That the other owners have gone may be on its way here.
                        self.stage_again(tx, hub, Outgoing::Owed(Box::new(event.clone()))).await?;
                        Ok(())
                    }
                    Ok(false) => self.rooms.stage_has_left(tx, user, *room, u64::MAX).await,
                    stays => stays.map(drop),
                }
            }
            // Whatever else the hub says, they are out.
            Outcome::Result(EventResult::Refused(_)) | Outcome::Done | Outcome::Expired => {
                self.rooms.stage_has_left(tx, user, *room, u64::MAX).await
            }
        };
        match settled {
            Err(RoomError::NotFound) => Ok(()),
            settled => Ok(settled?),
        }
    }
}
