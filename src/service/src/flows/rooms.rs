//! Making rooms and committing to them: what the hub alone cannot decide, consent and registered devices, and what follows
//! outside the room, Welcomes and news.

use super::{
    FlowError, Flows, Result,
    people::{require_consent_in, require_consent_to},
};
use crate::{
    Budget, Caller, Fault, LimitKey,
    federation::FederationError,
    rooms::{Judged, Room, RoomError, Stored},
};
use weft_store::{Batch, Error as StoreError, tables};
use weft_wire::{
    Code, RoomId,
    federation::{Answer, Question},
    identity::DeviceCert,
    rooms::{Accepted, CreateRoom, RoomCreated, SubmitCommit},
    sync::InboxItem,
};

/// How often a commit is judged again when the room changes in between without a new epoch.
const ATTEMPTS_MAX: u32 = 8;

impl Flows {
    pub(super) async fn make_room(&self, caller: &Caller, request: CreateRoom) -> Result<RoomCreated> {
        if let Some(answer) = self.rooms.made_before(caller, &request).await? {
            return Ok(answer);
        }
        let kind = request.kind.clone();
        let new = self.rooms.check_new(caller, request).await?;
        for user in new.members() {
            require_consent_to(self, caller, &kind, user).await?;
            if self.ctx.is_local(user) {
                self.rooms.check_room_for(user).await?;
            }
        }
        let new = &new;
        let made = self
            .ctx
            .store
            .transact(|tx| async move {
                let made = self.rooms.stage_new(&tx, new).await?;
                if let Some(from) = made.folded {
                    let news = InboxItem::RoomFolded { from, into: new.id };
                    let mut batch = Batch::new();
                    for user in new.members().filter(|user| self.ctx.is_local(user)) {
                        let devices = self.accounts.active_devices(&user.name).await?;
                        let devices = devices.into_iter().map(|(device, _)| device);
                        batch = self.inbox.add(batch, &user.name, devices, &news).await?;
                    }
                    tx.merge(batch);
                }
                Ok::<_, FlowError>(made)
            })
            .await?;
        if made.answer.existing.is_none() {
            tracing::info!(room = %new.id, by = %caller.device(), "made a room");
        }
        Ok(made.answer)
    }

    pub(super) async fn commit(
        &self,
        caller: &Caller,
        room: RoomId,
        request: SubmitCommit,
    ) -> Result<Accepted> {
        if let Some(accepted) = self.commit_elsewhere(caller, room, &request).await? {
            return Ok(accepted);
        }
        for attempt in 0..ATTEMPTS_MAX {
            let checked = match self.rooms.judge(caller, room, &request, attempt == 0).await? {
                Judged::Known(accepted) => return Ok(accepted),
                Judged::New(checked) => checked,
            };
            for cert in checked.facts.arrivals() {
                if !self.knows_device(caller, &checked.room, cert).await? {
                    return Err(RoomError::Certificate.into());
                }
            }
            for user in checked.invited() {
                require_consent_in(self, caller, room, &user).await?;
                if self.ctx.is_local(&user) {
                    self.rooms.check_room_for(&user).await?;
                }
            }
            let with = match &request.welcome {
                Some(welcome) => self.stage_welcomes(caller, &checked, welcome).await?,
                None => Batch::new(),
            };
            if let Stored::Accepted(accepted) = self.rooms.store(&checked, with).await? {
                tracing::debug!(%room, epoch = accepted.epoch, seq = accepted.seq, "took a commit");
                return Ok(accepted);
            }
        }
        let contended = StoreError::Contended { attempts: ATTEMPTS_MAX, table: tables::ROOMS.name };
        Err(Fault::Store(contended).into())
    }

    /// Whether a device that comes into a room is one of the person whose it says it is: by their account, or by the identity
    /// that their home gives. Whom somebody of another node brings in, this node may never have heard of.
    async fn knows_device(&self, caller: &Caller, room: &Room, cert: &DeviceCert) -> Result<bool> {
        if self.ctx.is_local(&cert.user) {
            return Ok(self.accounts.is_registered(cert).await?);
        }
        let people = &self.nodes.people;
        if people.pinned(&cert.user).await?.is_none() {
            let by = room.record.creator.as_ref().map(|creator| creator.user.clone());
            let by = by.ok_or(Fault::Internal("a room without a creator"))?;
            self.ctx.limits.take_caller(Budget::Lookup, caller)?;
            let question = Question::Person { by, user: cert.user.name.clone() };
            let payer = match caller.session.is_far() {
                true => LimitKey::Peer(caller.user().node.clone()),
                false => LimitKey::caller(caller),
            };
            let found = match self.nodes.ask_for(&payer, &cert.user.node, &question).await {
                Ok(Answer::Person(found)) => found,
                Ok(_) => return Err(FederationError::Nonsense { node: cert.user.node.clone() }.into()),
                // Not to be mistaken for a room that is not there.
                Err(FederationError::Refused(problem)) if problem.code == Code::NotFound => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            let found = &found.identity;
            self.ctx
                .store
                .transact(|tx| async move { people.stage_pin(&tx, &cert.user, found).await })
                .await?;
        }
        Ok(people.is_pinned(&cert.user, &cert.identity_key).await?)
    }
}
