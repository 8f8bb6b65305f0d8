//! What spans features: each flow is one story that touches several of them, in one store commit wherever it fits.

mod bills;
mod charges;
mod devices;
mod door;
#[cfg(test)]
mod door_tests;
mod error;
mod federated;
#[cfg(test)]
mod federated_consent_tests;
mod federated_contacts;
#[cfg(test)]
mod federated_copies_tests;
#[cfg(test)]
mod federated_groups_tests;
#[cfg(test)]
mod federated_limits_tests;
mod federated_messages;
mod federated_presence;
mod federated_rooms;
#[cfg(test)]
mod federated_rooms_tests;
#[cfg(test)]
mod federated_tests;
mod followers;
#[cfg(test)]
mod link_attack_tests;
#[cfg(test)]
mod link_audit_tests;
#[cfg(test)]
mod link_bill_tests;
#[cfg(test)]
mod link_code_tests;
mod link_couriers;
#[cfg(test)]
mod link_fee_tests;
#[cfg(test)]
mod link_settle_tests;
#[cfg(test)]
mod link_shop_tests;
#[cfg(test)]
mod link_sim;
#[cfg(test)]
mod link_terms_tests;
#[cfg(test)]
mod link_tests;
mod link_thaw;
#[cfg(test)]
mod link_thaw_tests;
#[cfg(test)]
mod link_two_assets_tests;
#[cfg(test)]
mod link_wrongs_tests;
mod links;
mod mandates;
mod owed;
#[cfg(test)]
mod packet_audit_tests;
#[cfg(test)]
mod packet_tests;
mod payments;
mod people;
mod rooms;
mod roots;
#[cfg(test)]
mod roots_tests;
mod shops;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trio;
mod waiting;
mod welcomes;

pub use error::FlowError;
pub use link_couriers::LinkCouriers;
#[cfg(test)]
pub(crate) use links::LinkRound;

use crate::{
    Accounts, Caller, Contacts, Invites, KeyPackages, Rooms, Wallet, ahead, context::Ctx, federation::Nodes,
    inbox::Inbox, sync::Fanout,
};
use std::{net::IpAddr, sync::Arc};
use weft_wire::{
    DeviceId, RoomId, UserAddress,
    accounts::{AddDevice, RegisterChallenge, RegisterFinish, RegisterStart, SessionGranted},
    contacts::{ClaimedKeyPackages, ContactAccept, ContactAnswer, ContactRequest, UserLookup},
    rooms::{
        Accepted, AskToJoin, CreateGroupLink, CreateRoom, GroupInfoAnswer, JoinAnswer, JoinRequests,
        RoomCreated, SubmitCommit, SubmitMessage,
    },
};

type Result<T, E = FlowError> = std::result::Result<T, E>;

/// What spans features.
#[derive(Clone)]
pub struct Flows {
    ctx: Arc<Ctx>,
    accounts: Accounts,
    invites: Invites,
    contacts: Contacts,
    key_packages: KeyPackages,
    rooms: Rooms,
    inbox: Inbox,
    wallet: Wallet,
    nodes: Nodes,
    waiting: waiting::Waiting,
    fanout: Arc<Fanout>,
    fleeting: federated_presence::Fleeting,
    voices: links::Voices,
}

impl Flows {
    #[allow(clippy::too_many_arguments)] // one a feature; that is what a flow is
    pub(crate) fn new(
        ctx: Arc<Ctx>,
        accounts: Accounts,
        invites: Invites,
        contacts: Contacts,
        key_packages: KeyPackages,
        rooms: Rooms,
        inbox: Inbox,
        wallet: Wallet,
        nodes: Nodes,
        fanout: Arc<Fanout>,
    ) -> Self {
        Flows {
            ctx,
            accounts,
            invites,
            contacts,
            key_packages,
            rooms,
            inbox,
            wallet,
            nodes,
            waiting: Default::default(),
            fanout,
            fleeting: Default::default(),
            voices: Default::default(),
        }
    }

    /// Removes what commits that never came left in inboxes and in the outbox. Gives how many rows.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        Ok(self.inbox.sweep().await? + ahead::OUTBOX_PARTS.sweep(&self.ctx).await?)
    }

    /// `POST accounts/register/start`.
    ///
    /// # Errors
    /// `SignupClosed`, `InviteRequired`, `InviteInvalid`, `NameTaken`, `Malformed`, rate limits.
    pub async fn register_start(&self, from: IpAddr, request: RegisterStart) -> Result<RegisterChallenge> {
        self.start_sign_up(from, request).await
    }

    /// `POST accounts/register/finish`: account, device, session and the use of the invite, whole or not at all. The first
    /// account is the owner.
    ///
    /// # Errors
    /// As [`Self::register_start`], `BadSignature`, `BadCertificate`.
    pub async fn register_finish(&self, from: IpAddr, request: RegisterFinish) -> Result<SessionGranted> {
        self.finish_sign_up(from, request).await
    }

    /// `POST devices`: a further device, with a ticket. The other devices are told.
    ///
    /// # Errors
    /// `Expired` for a ticket that is too old or was used, `BadCertificate`, `TooMany`.
    pub async fn add_device(&self, from: IpAddr, request: AddDevice) -> Result<SessionGranted> {
        self.join_device(from, request).await
    }

    /// `DELETE devices/ID`: its session ends, its KeyPackages and inbox go, its rooms and the other devices are told.
    ///
    /// # Errors
    /// `NotFound` for a device that is not the caller's.
    pub async fn sign_out(&self, caller: &Caller, device: DeviceId) -> Result<()> {
        self.leave_device(caller, device).await
    }

    /// `GET users/ADDRESS?at=MULTIADDR,…`, also of other nodes: their home is asked, which may be found at the addresses that a
    /// link has named.
    ///
    /// # Errors
    /// `NotFound`, `NodeUnreachable`, `TooMany` addresses, `BadCertificate` for somebody whose keys are not those that were pinned; rate limits.
    pub async fn lookup(&self, caller: &Caller, user: &UserAddress, at: &[String]) -> Result<UserLookup> {
        self.find_person(caller, user, at).await
    }

    /// `POST contacts/requests`. To somebody on another node: true here at once, and there when it arrives.
    ///
    /// # Errors
    /// `NodeUnreachable` for somebody of whom nothing is known here yet, `NotFound`, `InvalidField` for a request to oneself, `InviteInvalid` for a token that is not valid, `TooMany`, rate limits.
    pub async fn request_contact(&self, caller: &Caller, request: ContactRequest) -> Result<ContactAnswer> {
        self.ask(caller, request).await
    }

    /// `POST contacts/ADDRESS/accept`.
    ///
    /// # Errors
    /// `NotFound` where nobody asked.
    pub async fn accept_contact(
        &self,
        caller: &Caller,
        user: &UserAddress,
        request: ContactAccept,
    ) -> Result<ContactAnswer> {
        self.accept(caller, user, request).await
    }

    /// `POST contacts/ADDRESS/decline`. The one who asked is not told.
    ///
    /// # Errors
    /// `NotFound` where nobody asked.
    pub async fn decline_contact(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        self.decline(caller, user).await
    }

    /// `POST contacts/ADDRESS/block`. The other is not told.
    ///
    /// # Errors
    /// `NotFound` for nobody.
    pub async fn block_contact(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        self.block(caller, user).await
    }

    /// `POST contacts/ADDRESS/remove`: ends a contact, takes a request back, or lifts a block.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_contact(&self, caller: &Caller, user: &UserAddress) -> Result<()> {
        self.remove(caller, user).await
    }

    /// `POST users/ADDRESS/key-packages?room=ROOM`: one per device of an accepted contact, of somebody in a common room, of
    /// somebody who has asked to be let into the named room, where the caller decides about that, or of one's own other devices.
    /// Each is handed out once.
    ///
    /// # Errors
    /// `NoConsent` for everyone else, whether they exist or not; `NodeUnreachable`; rate limits.
    pub async fn claim_key_packages(
        &self,
        caller: &Caller,
        user: &UserAddress,
        room: Option<RoomId>,
    ) -> Result<ClaimedKeyPackages> {
        self.claim(caller, user, room).await
    }

    /// `POST rooms`. Two people have one direct room: see [`RoomCreated::existing`].
    ///
    /// # Errors
    /// `NoConsent`, `IdConflict`, `BadMls`, `InvalidField`, `TooMany`, rate limits.
    pub async fn create_room(&self, caller: &Caller, request: CreateRoom) -> Result<RoomCreated> {
        self.make_room(caller, request).await
    }

    /// `POST rooms/ROOM/messages`. Where another node is the hub: handed on to it, and it goes on waiting here when the hub does
    /// not answer in time; sent again, it is taken once.
    ///
    /// # Errors
    /// As [`Rooms::submit_message`], `NodeUnreachable`.
    pub async fn submit_message(
        &self,
        caller: &Caller,
        room: RoomId,
        request: SubmitMessage,
    ) -> Result<Accepted> {
        self.say(caller, room, request).await
    }

    /// `GET rooms/ROOM/group-info`, of the hub wherever it is.
    ///
    /// # Errors
    /// As [`Rooms::group_info`], `NodeUnreachable`.
    pub async fn group_info(&self, caller: &Caller, room: RoomId) -> Result<GroupInfoAnswer> {
        self.join_info(caller, room).await
    }

    /// `POST rooms/ROOM/commits`: log entry, new epoch, group info, membership and Welcomes, whole or not at all.
    ///
    /// # Errors
    /// `StaleEpoch` with the current epoch for the loser of a race, `BadMls`, `BadSignature`, `BadCertificate`, `NoConsent`,
    /// `Forbidden`, `NotFound`, `IdConflict`, `NodeUnreachable` where another node is the hub, rate limits.
    pub async fn submit_commit(
        &self,
        caller: &Caller,
        room: RoomId,
        request: SubmitCommit,
    ) -> Result<Accepted> {
        self.commit(caller, room, request).await
    }

    /// `POST rooms/ROOM/links`: a link by which people ask to be let in. Where another node is the hub, it is asked.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden` for who is no owner or admin, `InvalidField`, `TooMany`, `IdConflict`, `NodeUnreachable`, rate
    /// limits.
    pub async fn create_group_link(
        &self,
        caller: &Caller,
        room: RoomId,
        request: CreateGroupLink,
    ) -> Result<()> {
        self.make_link(caller, room, request).await
    }

    /// `DELETE rooms/ROOM/links`: all of them end.
    ///
    /// # Errors
    /// As [`Self::create_group_link`].
    pub async fn end_group_links(&self, caller: &Caller, room: RoomId) -> Result<()> {
        self.end_links(caller, room).await
    }

    /// `POST rooms/ROOM/join`: asks the hub, wherever it is. From now on whoever decides there may bring the caller in.
    ///
    /// # Errors
    /// `InviteInvalid` for a link that does not lead anywhere, whatever the reason; `TooMany`, `NodeUnreachable`, rate limits.
    pub async fn join_room(&self, caller: &Caller, room: RoomId, request: AskToJoin) -> Result<JoinAnswer> {
        self.ask_in(caller, room, request).await
    }

    /// `GET rooms/ROOM/requests`: who asks to be let in.
    ///
    /// # Errors
    /// As [`Self::create_group_link`].
    pub async fn join_requests(&self, caller: &Caller, room: RoomId) -> Result<JoinRequests> {
        self.asking(caller, room).await
    }

    /// `DELETE rooms/ROOM/requests/ADDRESS`. They are not told. Who does not ask is declined already.
    ///
    /// # Errors
    /// As [`Self::create_group_link`].
    pub async fn decline_join(&self, caller: &Caller, room: RoomId, user: UserAddress) -> Result<()> {
        self.decline_asking(caller, room, user).await
    }

    /// `POST rooms/ROOM/leave`: from now on nothing of the caller's is taken there and nothing is handed out to them; a member's
    /// client removes their devices from the group. Where another node is the hub, it hears of it. Leaving again changes nothing.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden` for the last owner, who names another first, and in a direct room.
    pub async fn leave_room(&self, caller: &Caller, room: RoomId) -> Result<()> {
        self.leave(caller, room).await
    }
}
