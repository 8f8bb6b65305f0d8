//! People on two nodes: looking somebody up, asking, answering, taking KeyPackages. Each node keeps its own person's record;
//! a step is committed here and waits in the outbox until the other node has it.

use super::{FlowError, Flows, Result, people::answer};
use crate::{
    Budget, Caller, Fault, LimitKey,
    contacts::{Act, ContactError, Far, News, Stand, Told},
    error::{at_most, within},
    federation::{FederationError, Outgoing, Trouble},
    rooms::RoomError,
};
use weft_net::LinkError;
use weft_store::{Batch, Tx};
use weft_wire::{
    Code, NodeName, Problem, RoomId, Signed, UserAddress, UserName,
    contacts::{ClaimedKeyPackages, ContactAnswer, UserLookup},
    federation::{Answer, ContactStep, Event, EventResult, Question},
    identity::UserIdentity,
    limits::{DEVICES_PER_ACCOUNT_MAX, KEY_PACKAGE_BYTES_MAX, SEALED_GREETING_BYTES_MAX},
    sync::InboxItem,
};

impl Flows {
    /// Asks the home of somebody who they are.
    pub(super) async fn look_up_far(&self, caller: &Caller, user: &UserAddress) -> Result<UserLookup> {
        let question = Question::Person { by: caller.user().clone(), user: user.name.clone() };
        let Answer::Person(found) = self.nodes.ask(&user.node, &question).await? else {
            return Err(FederationError::Nonsense { node: user.node.clone() }.into());
        };
        self.nodes.people.check(user, &found.identity).await?;
        Ok(found)
    }

    /// Somebody's keys: those that were pinned or looked up lately, or else their home is asked.
    async fn far(&self, caller: &Caller, user: &UserAddress) -> Result<Signed<UserIdentity>> {
        if !self.nodes.is_on() {
            return Err(ContactError::NotFound.into());
        }
        match self.nodes.people.known(user).await? {
            Some(identity) => Ok(identity),
            None => Ok(self.look_up_far(caller, user).await?.identity),
        }
    }

    /// A step of the caller towards somebody on another node. It is true here at once, and there when it arrives.
    pub(super) async fn act_far(
        &self,
        caller: &Caller,
        user: &UserAddress,
        act: Act<'_>,
    ) -> Result<ContactAnswer> {
        let theirs = self.far(caller, user).await?;
        let me = self.accounts.account(caller.name()).await?.ok_or(ContactError::NotFound)?;
        let (theirs, mine, act) = (&theirs, &me.identity, &act);
        let told = self
            .ctx
            .store
            .transact(|tx| async move {
                self.nodes.people.stage_pin(&tx, user, theirs).await?;
                let far = Far { user, identity: theirs };
                let told = self.contacts.stage_act(&tx, caller.name(), &far, act).await?;
                self.tell_far(&tx, caller.name(), mine, &far, &told).await?;
                Ok::<_, FlowError>(told)
            })
            .await?;
        Ok(answer(told.here.as_ref()))
    }

    /// Puts what follows from a step into the inboxes here and into the outbox.
    async fn tell_far(
        &self,
        tx: &Tx,
        me: &UserName,
        mine: &Signed<UserIdentity>,
        them: &Far<'_>,
        told: &Told,
    ) -> Result<()> {
        if let Some(news) = &told.here {
            self.tell_here(tx, me, them, news).await?;
        }
        if let Some(step) = &told.there {
            let event = Event::Contact {
                from: self.ctx.address(me),
                to: them.user.name.clone(),
                identity: mine.clone(),
                step: step.clone(),
            };
            let item = Outgoing::Event(Box::new(event));
            tx.merge(self.nodes.stage(Batch::new(), &them.user.node, item).await?);
        }
        Ok(())
    }

    async fn tell_here(&self, tx: &Tx, me: &UserName, them: &Far<'_>, news: &News) -> Result<()> {
        let item = InboxItem::Contact {
            user: them.user.clone(),
            state: news.stand.and_then(Stand::shown),
            identity: them.identity.clone(),
            sealed: news.sealed.clone(),
        };
        let devices = self.accounts.active_devices(me).await?;
        let devices = devices.into_iter().map(|(device, _)| device);
        tx.merge(self.inbox.add(Batch::new(), me, devices, &item).await?);
        Ok(())
    }

    /// A step of somebody there towards a person here.
    pub(super) async fn take_contact(
        &self,
        tx: &Tx,
        node: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>, Trouble> {
        let Event::Contact { from, to, identity, step } = event else {
            return Err(Problem::new(Code::Malformed).into());
        };
        // A node speaks for its own people only.
        if from.node != *node {
            return Err(Problem::new(Code::Forbidden).detail("a user of another node").into());
        }
        if let ContactStep::Ask { sealed, .. } | ContactStep::Accept { sealed: Some(sealed) } = step {
            within("sealed", sealed.len(), SEALED_GREETING_BYTES_MAX)?;
        }
        if let ContactStep::Ask { token, .. } = step {
            super::people::check_token(token.as_ref())?;
            self.ctx.limits.take(Budget::ContactRequest, &LimitKey::Person(from.clone()))?;
        }
        let staged = async {
            let me = self.accounts.account(to).await?.ok_or(ContactError::NotFound)?;
            self.nodes.people.stage_pin(tx, from, identity).await?;
            let far = Far { user: from, identity };
            let told = self.contacts.stage_heard(tx, to, &far, step).await?;
            self.tell_far(tx, to, &me.identity, &far, &told).await
        };
        staged.await.map_err(super::federated::trouble)?;
        Ok(None)
    }

    /// A request that the other node refused, or that waited for too long, is taken back here, and the devices are told.
    pub(super) async fn unask(&self, tx: &Tx, event: &Event, node: &NodeName) -> Result<(), Fault> {
        let Event::Contact { from, to, step: ContactStep::Ask { .. }, .. } = event else { return Ok(()) };
        let them = UserAddress::new(to.clone(), node.clone());
        let undone = async {
            let Some(record) = self.contacts.stage_unasked(tx, &from.name, &them).await? else {
                return Ok(());
            };
            let far = Far { user: &them, identity: &record.identity };
            self.tell_here(tx, &from.name, &far, &News { stand: None, sealed: None }).await
        };
        undone.await.map_err(|error: FlowError| match error {
            FlowError::Fault(fault) | FlowError::Contact(ContactError::Fault(fault)) => fault,
            _ => Fault::Internal("a request cannot be taken back"),
        })
    }

    /// Answers a node that asks for one of its people who somebody here is. One at a time and by name: no list is to be had.
    pub(super) async fn answer_person(
        &self,
        node: &NodeName,
        by: &UserAddress,
        user: &UserName,
    ) -> Result<Answer> {
        check_speaker(node, by)?;
        self.ctx.limits.take(Budget::Lookup, &LimitKey::Person(by.clone()))?;
        self.ctx.limits.take(Budget::PeerLookup, &LimitKey::Peer(node.clone()))?;
        if self.nodes.is_stranger(node).await? {
            self.ctx.limits.take(Budget::PeerLookups, &LimitKey::Crowd)?;
        }
        let account = self.accounts.account(user).await?.ok_or(ContactError::NotFound)?;
        Ok(Answer::Person(UserLookup { identity: account.identity }))
    }

    /// Hands out KeyPackages to somebody who was agreed to. One who was blocked since goes on to get them, or else the refusal
    /// would tell; the devices here show nothing of what comes of it.
    pub(super) async fn answer_claim(
        &self,
        node: &NodeName,
        by: &UserAddress,
        user: &UserName,
        room: Option<RoomId>,
    ) -> Result<Answer> {
        check_speaker(node, by)?;
        let limits = &self.ctx.limits;
        let budget = if room.is_some() { Budget::GroupClaim } else { Budget::Claim };
        limits.take(budget, &LimitKey::Person(by.clone()))?;
        limits.take(Budget::ClaimOfOne, &LimitKey::Of(user.clone(), by.clone()))?;
        let stand = self.contacts.stand_to(user, by).await?;
        let reached = matches!(stand, Some(Stand::Accepted | Stand::Blocked));
        if !reached && !self.may_let_in(by, user, room).await? {
            return Err(ContactError::NoConsent.into());
        }
        let account = self.accounts.account(user).await?.ok_or(ContactError::NoConsent)?;
        self.note_claim(user, by, room).await?;
        let mut packages = Vec::new();
        for (device, _) in self.accounts.active_devices(user).await? {
            packages.extend(self.key_packages.take(user, device).await?);
        }
        Ok(Answer::Claimed(ClaimedKeyPackages { identity: account.identity, packages }))
    }

    /// Whether somebody elsewhere may have the KeyPackages of a person here who has asked to be let into a room. Who decides there
    /// only the hub knows for sure; where this node has a copy of the room, they have to be in it.
    async fn may_let_in(&self, by: &UserAddress, user: &UserName, room: Option<RoomId>) -> Result<bool> {
        let Some(room) = room else { return Ok(false) };
        let Some(hub) = self.rooms.asked_at(user, room).await? else { return Ok(false) };
        if by.node != hub && !self.rooms.may_be_in(room, by).await? {
            return Ok(false);
        }
        self.ctx.limits.take(Budget::PeerClaim, &LimitKey::Peer(by.node.clone()))?;
        self.ctx.limits.take(Budget::ClaimAsked, &LimitKey::In(user.clone(), room))?;
        Ok(true)
    }

    /// Whether somebody here has asked to be let into a room.
    pub(super) async fn has_asked(&self, user: &UserName, room: Option<RoomId>) -> Result<bool> {
        match room {
            Some(room) => Ok(self.rooms.asked_at(user, room).await?.is_some()),
            None => Ok(false),
        }
    }

    /// Whether the caller decides who comes into a room.
    pub(super) async fn decides(&self, caller: &Caller, room: Option<RoomId>) -> Result<bool> {
        let Some(room) = room else { return Ok(false) };
        match self.rooms.load_for(room, caller.user()).await {
            Ok(room) => Ok(room.decides(caller.user())),
            Err(RoomError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes KeyPackages of a contact on another node, or of somebody who has asked to be let into a room. What comes is compared with the keys that were pinned for them.
    pub(super) async fn claim_far(
        &self,
        caller: &Caller,
        user: &UserAddress,
        (room, decides): (Option<RoomId>, bool),
    ) -> Result<ClaimedKeyPackages> {
        let contacts = self.contacts.stand_to(caller.name(), user).await? == Some(Stand::Accepted);
        if !contacts && !decides {
            return Err(ContactError::NoConsent.into());
        }
        let question = Question::Claim { by: caller.user().clone(), user: user.name.clone(), room };
        let claimed = match self.nodes.ask(&user.node, &question).await {
            Ok(Answer::Claimed(claimed)) => claimed,
            Ok(_) => return Err(FederationError::Nonsense { node: user.node.clone() }.into()),
            // That node gives nothing now, about this person; what this one gives is another matter.
            Err(FederationError::Refused(problem)) if problem.code == Code::RateLimited => {
                let (node, source) = (user.node.clone(), LinkError::Busy);
                return Err(FederationError::Unreachable { node, source }.into());
            }
            Err(error) => return Err(error.into()),
        };
        self.nodes.people.check(user, &claimed.identity).await?;
        at_most("devices", claimed.packages.len(), DEVICES_PER_ACCOUNT_MAX)?;
        for package in &claimed.packages {
            within("key_package", package.key_package.len(), KEY_PACKAGE_BYTES_MAX)?;
        }
        Ok(claimed)
    }
}

fn check_speaker(node: &NodeName, by: &UserAddress) -> Result<()> {
    if by.node == *node { Ok(()) } else { Err(FederationError::Foreign { node: by.node.clone() }.into()) }
}
