//! Asking, answering, and taking the KeyPackages of those who agreed.

use super::{FlowError, Flows, Result};
use crate::{
    Budget, Caller, Fault, LimitKey,
    contacts::{Act, Ask, ContactError, News, Outcome, Side, Stand},
    error::{at_most, within},
    inbox::ContactNews,
};
use weft_store::Tx;
use weft_wire::{
    Blob, RoomId, Signed, UserAddress, UserName,
    contacts::{ClaimedKeyPackages, ContactAccept, ContactAnswer, ContactRequest, ContactState, UserLookup},
    identity::UserIdentity,
    limits::{PEER_ADDRESSES_MAX, SEALED_GREETING_BYTES_MAX},
    rooms::RoomKind,
};

/// Bytes of a link's token.
const TOKEN_BYTES_MAX: usize = 64;

/// A person and their public keys.
struct Person {
    user: UserAddress,
    identity: Signed<UserIdentity>,
}

impl Person {
    fn side(&self) -> Side<'_> {
        Side { name: &self.user.name, identity: &self.identity }
    }
}

impl Flows {
    pub(super) async fn ask(&self, caller: &Caller, request: ContactRequest) -> Result<ContactAnswer> {
        self.ctx.limits.take_account(Budget::ContactRequest, caller.name())?;
        within("sealed", request.sealed.len(), SEALED_GREETING_BYTES_MAX)?;
        check_token(request.token.as_ref())?;
        if !self.ctx.is_local(&request.to) {
            let ask = Ask { sealed: &request.sealed, token: request.token.as_ref() };
            return self.act_far(caller, &request.to, Act::Ask(ask)).await;
        }
        let (me, them) = self.pair(caller, &request.to).await?;
        let (me, them) = (&me, &them);
        let ask = &Ask { sealed: &request.sealed, token: request.token.as_ref() };
        let outcome = self
            .ctx
            .store
            .transact(|tx| async move {
                let outcome = self.contacts.stage_request(&tx, &me.side(), &them.side(), ask).await?;
                self.tell(&tx, me, them, outcome).await
            })
            .await?;
        Ok(answer(outcome.mine.as_ref()))
    }

    pub(super) async fn accept(
        &self,
        caller: &Caller,
        user: &UserAddress,
        request: ContactAccept,
    ) -> Result<ContactAnswer> {
        within("sealed", request.sealed.len(), SEALED_GREETING_BYTES_MAX)?;
        if !self.ctx.is_local(user) {
            return self.change_far(caller, user, Act::Accept(&request.sealed)).await;
        }
        let (me, them) = self.change(caller, user).await?;
        let (me, them, sealed) = (&me, &them, &request.sealed);
        let outcome = self
            .ctx
            .store
            .transact(|tx| async move {
                let outcome = self.contacts.stage_accept(&tx, &me.side(), &them.side(), sealed).await?;
                self.tell(&tx, me, them, outcome).await
            })
            .await?;
        Ok(answer(outcome.mine.as_ref()))
    }

    pub(super) async fn decline(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        if !self.ctx.is_local(user) {
            return self.change_far(caller, user, Act::Decline).await.map(|_| ());
        }
        let (me, them) = self.change(caller, user).await?;
        let (me, them) = (&me, &them);
        self.ctx
            .store
            .transact(|tx| async move {
                let outcome = self.contacts.stage_decline(&tx, &me.user.name, &them.side()).await?;
                self.tell(&tx, me, them, outcome).await.map(|_| ())
            })
            .await
    }

    pub(super) async fn block(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        if !self.ctx.is_local(user) {
            return self.change_far(caller, user, Act::Block).await.map(|_| ());
        }
        let (me, them) = self.change(caller, user).await?;
        let (me, them) = (&me, &them);
        self.ctx
            .store
            .transact(|tx| async move {
                let outcome = self.contacts.stage_block(&tx, &me.user.name, &them.side()).await?;
                self.tell(&tx, me, them, outcome).await.map(|_| ())
            })
            .await
    }

    pub(super) async fn remove(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        if !self.ctx.is_local(user) {
            return self.change_far(caller, user, Act::Remove).await.map(|_| ());
        }
        let (me, them) = self.change(caller, user).await?;
        let (me, them) = (&me, &them);
        self.ctx
            .store
            .transact(|tx| async move {
                let outcome = self.contacts.stage_remove(&tx, &me.user.name, &them.user.name).await?;
                self.tell(&tx, me, them, outcome).await.map(|_| ())
            })
            .await
    }

    async fn change_far(&self, caller: &Caller, user: &UserAddress, act: Act<'_>) -> Result<ContactAnswer> {
        self.ctx.limits.take_account(Budget::ContactChange, caller.name())?;
        self.act_far(caller, user, act).await
    }

    async fn change(&self, caller: &Caller, user: &UserAddress) -> Result<(Person, Person)> {
        self.ctx.limits.take_account(Budget::ContactChange, caller.name())?;
        self.pair(caller, user).await
    }

    async fn pair(&self, caller: &Caller, user: &UserAddress) -> Result<(Person, Person)> {
        if user == caller.user() {
            return Err(ContactError::Oneself.into());
        }
        let me = self.person(caller.user()).await?.ok_or(ContactError::NotFound)?;
        let them = self.person(user).await?.ok_or(ContactError::NotFound)?;
        Ok((me, them))
    }

    async fn person(&self, user: &UserAddress) -> Result<Option<Person>> {
        if !self.ctx.is_local(user) {
            return Ok(None);
        }
        let account = self.accounts.account(&user.name).await?;
        Ok(account.map(|account| Person { user: user.clone(), identity: account.identity }))
    }

    /// Puts the news into the inboxes of all devices of both, in the same transaction.
    async fn tell(&self, tx: &Tx, me: &Person, them: &Person, outcome: Outcome) -> Result<Outcome> {
        for (to, about, news) in [(me, them, &outcome.mine), (them, me, &outcome.theirs)] {
            let Some(News { stand, sealed }) = news else { continue };
            let news = ContactNews {
                user: &about.user,
                state: stand.and_then(Stand::shown),
                identity: &about.identity,
                sealed: sealed.as_ref(),
            };
            let devices = self.accounts.active_devices(&to.user.name).await?;
            let devices = devices.into_iter().map(|(device, _)| device);
            self.inbox.stage_contact(tx, &to.user.name, devices, &news).await?;
        }
        Ok(outcome)
    }

    pub(super) async fn find_person(
        &self,
        caller: &Caller,
        user: &UserAddress,
        at: &[String],
    ) -> Result<UserLookup> {
        at_most("addresses", at.len(), PEER_ADDRESSES_MAX)?;
        if self.ctx.is_local(user) || !self.nodes.is_on() {
            return Ok(self.accounts.lookup(caller, user).await?);
        }
        self.ctx.limits.take_account(Budget::Lookup, caller.name())?;
        self.nodes.hint(caller.name(), &user.node, at).await?;
        self.look_up_far(caller, user).await
    }

    pub(super) async fn claim(
        &self,
        caller: &Caller,
        user: &UserAddress,
        room: Option<RoomId>,
    ) -> Result<ClaimedKeyPackages> {
        let decides = self.decides(caller, room).await?;
        let budget = if decides { Budget::GroupClaim } else { Budget::Claim };
        self.ctx.limits.take_account(budget, caller.name())?;
        if !self.ctx.is_local(user) {
            return self.claim_far(caller, user, (room, decides)).await;
        }
        let own = user == caller.user();
        if !own {
            self.ctx
                .limits
                .take(Budget::ClaimOfOne, &LimitKey::Of(user.name.clone(), caller.user().clone()))?;
        }
        let asked = decides && self.has_asked(&user.name, room).await?;
        if !own && !asked && !self.may_reach(caller, user).await? {
            return Err(ContactError::NoConsent.into());
        }
        let person = self.person(user).await?.ok_or(ContactError::NoConsent)?;
        self.note_claim(&user.name, caller.user(), room).await?;
        let mut packages = Vec::new();
        for (device, _) in self.accounts.active_devices(&user.name).await? {
            if own && device == caller.device() {
                continue;
            }
            packages.extend(self.key_packages.take(&user.name, device).await?);
        }
        Ok(ClaimedKeyPackages { identity: person.identity, packages })
    }

    /// Somebody gets KeyPackages of a person here, to bring them into a room: where they are a contact, that is consent. Who has
    /// asked to be let in has given it by that.
    pub(super) async fn note_claim(
        &self,
        name: &UserName,
        by: &UserAddress,
        room: Option<RoomId>,
    ) -> Result<()> {
        let Some(room) = room else { return Ok(()) };
        if self.contacts.stand_to(name, by).await? == Some(Stand::Accepted) {
            self.contacts.note_consent(name, by, room).await?;
        }
        Ok(())
    }

    /// Whether somebody may be added to a group by the caller: a contact, or somebody in a common room.
    async fn may_reach(&self, caller: &Caller, user: &UserAddress) -> Result<bool> {
        if !self.ctx.is_local(user) {
            return Ok(false);
        }
        if self.contacts.seem_contacts(caller.name(), &user.name).await? {
            return Ok(true);
        }
        let mut after = None;
        loop {
            let rooms = self.rooms.rooms_of(caller.user(), after, 256).await?;
            let Some((last, _)) = rooms.last() else { return Ok(false) };
            after = Some(*last);
            for (room, _) in rooms {
                if self.rooms.is_in(room, user).await? {
                    return Ok(true);
                }
            }
        }
    }
}

/// A link's token is short.
pub(super) fn check_token(token: Option<&Blob>) -> Result<(), Fault> {
    within("token", token.map_or(0, Blob::len), TOKEN_BYTES_MAX)
}

pub(super) fn answer(news: Option<&News>) -> ContactAnswer {
    let state = news.and_then(|news| news.stand).and_then(Stand::shown);
    ContactAnswer { state: state.unwrap_or(ContactState::Outgoing) }
}

/// For bringing somebody into a group: both have agreed to hear from one another, and do so still.
pub(super) async fn require_consent(
    flows: &Flows,
    caller: &Caller,
    user: &UserAddress,
) -> Result<(), FlowError> {
    let agreed = user == caller.user() || flows.have_agreed(caller.user(), user, false).await?;
    if agreed { Ok(()) } else { Err(crate::rooms::RoomError::NoConsent.into()) }
}

/// For bringing somebody into a group that there is. Whoever has asked to be let in has agreed. Of people on other nodes whom
/// somebody of yet another one brings in this node knows nothing: their home lets them be brought in, or does not.
pub(super) async fn require_consent_in(
    flows: &Flows,
    caller: &Caller,
    room: RoomId,
    user: &UserAddress,
) -> Result<(), FlowError> {
    let elsewhere = !flows.ctx.is_local(caller.user()) && !flows.ctx.is_local(user);
    if elsewhere || flows.rooms.is_asking(room, user).await? {
        return Ok(());
    }
    if flows.ctx.is_local(user)
        && flows.rooms.asked_at(&user.name, room).await?.as_ref() == Some(&flows.ctx.node)
    {
        return Ok(());
    }
    require_consent(flows, caller, user).await
}

/// For the making of a room. In a direct one, which no third person sees, who was blocked must not notice.
pub(super) async fn require_consent_to(
    flows: &Flows,
    caller: &Caller,
    kind: &RoomKind,
    user: &UserAddress,
) -> Result<(), FlowError> {
    let direct = matches!(kind, RoomKind::Direct { .. });
    if direct && user != caller.user() && flows.have_agreed(caller.user(), user, true).await? {
        return Ok(());
    }
    require_consent(flows, caller, user).await
}

impl Flows {
    /// Whether two people are contacts, as far as this node knows: it knows of its own people only. `seem`: also where the
    /// second has blocked the first since.
    async fn have_agreed(&self, one: &UserAddress, other: &UserAddress, seem: bool) -> Result<bool, Fault> {
        let accepted = Some(Stand::Accepted);
        match (self.ctx.is_local(one), self.ctx.is_local(other)) {
            (true, true) if seem => self.contacts.seem_contacts(&one.name, &other.name).await,
            (true, true) => self.contacts.are_contacts(&one.name, &other.name).await,
            (true, false) => Ok(self.contacts.stand_to(&one.name, other).await? == accepted),
            (false, true) => {
                let stand = self.contacts.stand_to(&other.name, one).await?;
                Ok(stand == accepted || (seem && stand == Some(Stand::Blocked)))
            }
            (false, false) => Ok(false),
        }
    }
}
