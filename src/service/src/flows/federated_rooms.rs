//! Rooms whose people are on several nodes. The hub orders; a follower keeps a copy for its people, hands their messages on
//! and asks the hub for what it alone can decide.

use super::{Flows, Result};
use crate::{
    Budget, Caller, Fault, LimitKey, Session,
    contacts::Stand,
    error::at_most,
    federation::FederationError,
    outgoing::{self, Outgoing},
    rooms::{News, RoomError, written_bytes},
};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc};
use weft_store::{Batch, Tx, tables};
use weft_wire::{
    DeviceId, NodeName, RoomId, Signed, UserAddress,
    federation::{Answer, Event, EventResult, Question},
    identity::DeviceCert,
    limits::ROOM_MEMBERS_MAX,
    rooms::{Accepted, DeviceRef, GroupInfoAnswer, RoomKind, RoomState, SubmitCommit, SubmitMessage},
    sync::InboxItem,
};

// ---- here, with the hub elsewhere ----

impl Flows {
    /// The hub of a room in which the caller is, when it is another node.
    async fn hub_of(&self, caller: &Caller, room: RoomId) -> Result<Option<NodeName>> {
        Ok(self.rooms.load_for(room, caller.user()).await?.record.hub.elsewhere().cloned())
    }

    pub(super) async fn cert_of(&self, caller: &Caller) -> Result<Signed<DeviceCert>> {
        let device = self.accounts.device(caller.name(), caller.device()).await?;
        Ok(device.ok_or(RoomError::Certificate)?.cert)
    }

    /// A commit, decided by the hub; none: this node is the hub.
    pub(super) async fn commit_elsewhere(
        &self,
        caller: &Caller,
        room: RoomId,
        request: &SubmitCommit,
    ) -> Result<Option<Accepted>> {
        let Some(hub) = self.hub_of(caller, room).await? else { return Ok(None) };
        self.ctx.limits.take_account(Budget::Commit, caller.name())?;
        // The hub counts it, too. Did their home not, it would go on to take messages for which the hub has no room left.
        self.ctx.limits.take_bytes(&LimitKey::caller(caller), written_bytes(request))?;
        let cert = self.cert_of(caller).await?;
        let question = Question::Commit { room, cert, submit: request.clone() };
        match self.nodes.ask(&hub, &question).await? {
            Answer::Accepted(accepted) => Ok(Some(accepted)),
            _ => Err(FederationError::Nonsense { node: hub }.into()),
        }
    }

    pub(super) async fn join_info(&self, caller: &Caller, room: RoomId) -> Result<GroupInfoAnswer> {
        let Some(hub) = self.hub_of(caller, room).await? else {
            return Ok(self.rooms.group_info(caller, room).await?);
        };
        self.ctx.limits.take_account(Budget::Read, caller.name())?;
        let question = Question::GroupInfo { room, by: caller.user().clone() };
        match self.nodes.ask(&hub, &question).await? {
            Answer::GroupInfo(info) => Ok(info),
            _ => Err(FederationError::Nonsense { node: hub }.into()),
        }
    }

    /// What the hub says of a room. A room that is new here is one into which somebody here has agreed to be brought.
    pub(super) async fn take_news(
        &self,
        tx: &Tx,
        hub: &NodeName,
        event: &Event,
    ) -> Result<Option<EventResult>> {
        let Event::Room { room, state, devices, entries } = event else {
            return Err(RoomError::Mismatch("event").into());
        };
        let known = tx.get(tables::ROOMS, room.as_bytes()).await?.is_some();
        let state = match state {
            Some(state) => Some(self.check_state(hub, *room, known, state).await?),
            None => None,
        };
        if let Some(state) = &state {
            self.use_consents(tx, *room, known, state).await?;
        }
        let devices = &self.real_devices(*room, state.as_ref(), devices).await?;
        let news = News { room: *room, hub, state: state.as_ref(), devices, entries };
        let seq = self.rooms.stage_news(tx, &news).await?;
        if let (false, Some(state)) = (known, &state) {
            self.nodes.peers.stage_use(tx, hub).await?;
            self.fold_twins(tx, *room, state).await?;
        }
        let epoch = state.as_ref().map_or(0, |state| state.epoch);
        Ok(Some(EventResult::Accepted(Accepted { seq, time_ms: self.ctx.now(), epoch })))
    }

    /// Two people who open a direct room at the same moment, each at home, end in one: that with the lower id, as both nodes
    /// find out by themselves. What was said in the other one stays where it is.
    async fn fold_twins(&self, tx: &Tx, room: RoomId, state: &RoomState) -> Result<()> {
        let Some((from, into)) = self.rooms.stage_twins(tx, room, &state.kind).await? else { return Ok(()) };
        let news = InboxItem::RoomFolded { from, into };
        for member in state.members.iter().filter(|member| self.ctx.is_local(&member.user)) {
            let devices = self.accounts.active_devices(&member.user.name).await?;
            let devices = devices.into_iter().map(|(device, _)| device);
            tx.merge(self.inbox.add(Batch::new(), &member.user.name, devices, &news).await?);
        }
        Ok(())
    }

    /// What a hub may say a room is like: its id is one of the hub's own; a direct room is one of the two whom it names, at the home
    /// of one of them, or else any node could end the chat of two others with a room of its own; and nobody here comes in who has
    /// not agreed. In a group the others here are not to suffer from that: it is as if the hub had not named that person, and their
    /// Welcome is refused.
    async fn check_state(
        &self,
        hub: &NodeName,
        room: RoomId,
        known: bool,
        state: &RoomState,
    ) -> Result<RoomState> {
        at_most("members", state.members.len(), ROOM_MEMBERS_MAX)?;
        let members: BTreeSet<&UserAddress> = state.members.iter().map(|member| &member.user).collect();
        if members.len() != state.members.len() {
            return Err(RoomError::Mismatch("members").into());
        }
        let before = if known { Some(self.rooms.load(room).await?) } else { None };
        if before.as_ref().is_some_and(|before| before.record.hub.elsewhere() != Some(hub)) {
            return Err(RoomError::NotFound.into());
        }
        if before.as_ref().is_some_and(|before| before.record.kind != state.kind) {
            return Err(RoomError::Mismatch("kind").into());
        }
        if state.hub != *hub || state.room != room || (before.is_none() && !state.id_fits()) {
            return Err(RoomError::Mismatch("room").into());
        }
        if let RoomKind::Direct { members: (one, other) } = &state.kind {
            let both = one < other && members == BTreeSet::from([one, other]);
            if !both || (one.node != *hub && other.node != *hub) {
                return Err(RoomError::Mismatch("members").into());
            }
        }
        let is_new = |user: &UserAddress| before.as_ref().is_none_or(|room| room.member(user).is_none());
        let mut unwilling = BTreeSet::new();
        for user in members.iter().filter(|user| self.ctx.is_local(user) && is_new(user)) {
            let full = match self.rooms.check_room_for(user).await {
                Ok(()) => false,
                Err(Fault::TooMany { .. }) => true,
                Err(fault) => return Err(fault.into()),
            };
            if full || !self.comes_willingly(user, hub, (room, &state.kind), &members).await? {
                unwilling.insert((*user).clone());
            }
        }
        let mut state = state.clone();
        state.members.retain(|member| !unwilling.contains(&member.user));
        let direct = matches!(state.kind, RoomKind::Direct { .. });
        let nobody = !known && !state.members.iter().any(|member| self.ctx.is_local(&member.user));
        if nobody || (direct && !unwilling.is_empty()) {
            return Err(RoomError::NoConsent.into());
        }
        Ok(state)
    }

    /// Whether somebody here has agreed to be brought into a room of a hub by one of some people. Into a group: who has got their
    /// KeyPackages for it and is a contact still, or whoever it is, if they have asked to be let in. What is answered tells nothing
    /// that their home has not told whom it gave the KeyPackages. A direct room is the other's, at whose home it is; who was blocked
    /// must not notice it.
    pub(super) async fn comes_willingly(
        &self,
        user: &UserAddress,
        hub: &NodeName,
        (room, kind): (RoomId, &RoomKind),
        by: &BTreeSet<&UserAddress>,
    ) -> Result<bool> {
        if let RoomKind::Direct { members: (one, other) } = kind {
            let other = if one == user { other } else { one };
            let stand = self.contacts.stand_to(&user.name, other).await?;
            return Ok(by.contains(other) && matches!(stand, Some(Stand::Accepted | Stand::Blocked)));
        }
        Ok(self.rooms.asked_at(&user.name, room).await?.as_ref() == Some(hub)
            || self.contacts.consents(&user.name, room, by).await?)
    }

    /// An agreement is for one coming: whoever goes and is brought in again has to agree anew. Who has left by themselves is not
    /// in by what the hub says of the room, but by a Welcome.
    async fn use_consents(&self, tx: &Tx, room: RoomId, known: bool, state: &RoomState) -> Result<()> {
        let before = if known { Some(self.rooms.load(room).await?) } else { None };
        let named = |user: &UserAddress| state.members.iter().any(|member| member.user == *user);
        for user in state.members.iter().map(|member| &member.user).filter(|user| self.ctx.is_local(user)) {
            if before.as_ref().is_none_or(|before| before.member(user).is_none() && !before.has_left(user)) {
                self.contacts.stage_use_consents(tx, &user.name, room).await?;
            }
        }
        let were = before.iter().flat_map(|before| &before.members).map(|member| &member.user);
        for user in were.filter(|user| self.ctx.is_local(user) && !named(user)) {
            self.contacts.stage_end_consents(tx, &user.name, room, false).await?;
        }
        Ok(())
    }
}

impl Flows {
    /// The hub of a room, when it is another node, hears of a device that was signed out. Telling it twice does no harm.
    pub(super) async fn tell_hub_of_gone(&self, room: RoomId, gone: &DeviceRef) -> Result<()> {
        let loaded = match self.rooms.load(room).await {
            Err(RoomError::NotFound) => return Ok(()),
            loaded => loaded?,
        };
        let Some(hub) = loaded.record.hub.elsewhere() else { return Ok(()) };
        let event = Event::DeviceGone { room, device: gone.clone() };
        let batch = outgoing::stage(&self.ctx, Batch::new(), hub, Outgoing::Event(Box::new(event))).await?;
        self.ctx.store.commit(batch).await?;
        Ok(())
    }

    /// The home of somebody has signed a device of theirs out: any member's client may remove its leaf now.
    pub(super) async fn take_gone(&self, node: &NodeName, event: &Event) -> Result<Option<EventResult>> {
        let Event::DeviceGone { room, device } = event else {
            return Err(RoomError::Mismatch("event").into());
        };
        if device.user.node != *node {
            return Err(RoomError::Forbidden("a device of another node").into());
        }
        self.only_as_hub(&far_person(device.user.clone()), *room).await?;
        self.rooms.mark_gone(*room, device).await?;
        Ok(None)
    }
}

// ---- here, as the hub ----

impl Flows {
    /// Somebody of another node, as a caller: the node vouches for who they are, the certificate for which device. The person's
    /// identity must be the one that was pinned for them.
    async fn far_caller(&self, node: &NodeName, cert: &Signed<DeviceCert>) -> Result<Caller> {
        let claimed = cert.peek().map_err(|_| RoomError::Certificate)?;
        if claimed.user.node != *node {
            return Err(RoomError::Certificate.into());
        }
        let pinned = self.nodes.people.pinned(&claimed.user).await?.ok_or(RoomError::Certificate)?;
        let identity_key = pinned.open().map_err(|_| RoomError::Certificate)?.identity_key;
        let cert = cert
            .open_for(&claimed.user, &identity_key, self.ctx.now())
            .map_err(|_| RoomError::Certificate)?;
        Ok(far(cert.user, cert.device, cert.device_key, identity_key))
    }

    pub(super) async fn take_message(&self, node: &NodeName, event: &Event) -> Result<Option<EventResult>> {
        let Event::Message { cert, envelope } = event else {
            return Err(RoomError::Mismatch("event").into());
        };
        let caller = self.far_caller(node, cert).await?;
        let said = envelope.peek().map_err(RoomError::Malformed)?;
        let room = said.room;
        self.only_as_hub(&caller, room).await?;
        // What was taken once costs nothing more when its event comes again.
        let hash = *blake3::hash(envelope.body()).as_bytes();
        if said.device == caller.device()
            && let Some(accepted) = self.rooms.replay(&said, &hash).await?
        {
            return Ok(Some(EventResult::Accepted(accepted)));
        }
        // A commit of its own, before the one of the event's number. A stop in between lets the event come again, and the
        // message's id gives the same answer.
        let request = SubmitMessage { envelope: envelope.clone() };
        let accepted = self.rooms.submit_message(&caller, room, request).await?;
        Ok(Some(EventResult::Accepted(accepted)))
    }

    pub(super) async fn answer_commit(
        &self,
        node: &NodeName,
        room: RoomId,
        cert: &Signed<DeviceCert>,
        submit: SubmitCommit,
    ) -> Result<Answer> {
        let caller = self.far_caller(node, cert).await?;
        self.only_as_hub(&caller, room).await?;
        Ok(Answer::Accepted(self.commit(&caller, room, submit).await?))
    }

    pub(super) async fn answer_group_info(
        &self,
        node: &NodeName,
        room: RoomId,
        by: UserAddress,
    ) -> Result<Answer> {
        if by.node != *node {
            return Err(RoomError::NotFound.into());
        }
        let caller = far_person(by);
        self.only_as_hub(&caller, room).await?;
        Ok(Answer::GroupInfo(self.rooms.group_info(&caller, room).await?))
    }

    /// A follower answers for its own people only: never a chain of nodes.
    async fn only_as_hub(&self, caller: &Caller, room: RoomId) -> Result<()> {
        match self.hub_of(caller, room).await? {
            None => Ok(()),
            Some(_) => Err(RoomError::NotFound.into()),
        }
    }
}

/// Somebody of another node, for whom it vouches; no device of theirs speaks.
pub(super) fn far_person(user: UserAddress) -> Caller {
    far(user, DeviceId([0; 16]), [0; 32], [0; 32])
}

fn far(user: UserAddress, device: DeviceId, device_key: [u8; 32], identity_key: [u8; 32]) -> Caller {
    let session = Session::far(user, device, device_key, identity_key);
    Caller { session: Arc::new(session), from: IpAddr::from([0, 0, 0, 0]) }
}
