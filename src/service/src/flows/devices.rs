//! Signing up, adding a device, signing a device out.

use super::{FlowError, Flows, Result};
use crate::{Budget, Caller, Fault, accounts::AccountError, context::joined, invites::InviteError};
use std::net::IpAddr;
use weft_store::{Batch, Scan, Tx, tables};
use weft_wire::{
    DeviceId, UserName,
    accounts::{AddDevice, RegisterChallenge, RegisterFinish, RegisterStart, SessionGranted},
    node::SignupPolicy,
    rooms::DeviceRef,
    sync::InboxItem,
};

impl Flows {
    /// Whether an invite has to be shown and used. While nobody owns the node, its invite opens it whatever the policy says.
    async fn invite_needed(&self) -> Result<bool> {
        match self.ctx.config.signup {
            SignupPolicy::Open => Ok(false),
            SignupPolicy::Invite => Ok(true),
            SignupPolicy::Closed if self.accounts.is_claimed().await? => {
                Err(AccountError::SignupClosed.into())
            }
            SignupPolicy::Closed => Ok(true),
        }
    }

    pub(super) async fn start_sign_up(
        &self,
        from: IpAddr,
        request: RegisterStart,
    ) -> Result<RegisterChallenge> {
        let limits = &self.ctx.limits;
        limits.take_address(Budget::SignUp, from)?;
        if self.invite_needed().await? {
            limits.take_address(Budget::InviteTry, from)?;
            // Before the name is looked at: who holds no invite learns nothing about names.
            self.invites.check(request.invite.as_deref()).await?;
        }
        let is_shop = self.wallet.is_shop(&request.name).await?;
        if is_shop || self.accounts.account(&request.name).await?.is_some() {
            return Err(AccountError::NameTaken.into());
        }
        Ok(self.accounts.registration_response(&request.name, &request.opaque_request)?)
    }

    pub(super) async fn finish_sign_up(
        &self,
        from: IpAddr,
        request: RegisterFinish,
    ) -> Result<SessionGranted> {
        self.ctx.limits.take_address(Budget::SignUp, from)?;
        let invite_needed = self.invite_needed().await?;
        let invite = request.invite.clone();
        if invite_needed {
            self.ctx.limits.take_address(Budget::InviteTry, from)?;
            self.invites.check(invite.as_deref()).await?;
        }
        let new = self.accounts.check_new(request)?;
        let (new, invite) = (&new, &invite);
        let granted = self
            .ctx
            .store
            .transact(|tx| async move {
                // An invite that came along though none was needed is used where it is good, and ignored where it is not.
                match self.invites.stage_use(&tx, invite.as_deref()).await {
                    Err(InviteError::Required | InviteError::Invalid) if !invite_needed => {}
                    used => used?,
                }
                // Read, hence asserted: no shop of this name is opened meanwhile.
                if tx.get(tables::MERCHANTS, new.name.as_str().as_bytes()).await?.is_some() {
                    return Err(AccountError::NameTaken.into());
                }
                Ok::<_, FlowError>(self.accounts.stage_account(&tx, new).await?)
            })
            .await?;
        tracing::info!(user = %granted.user, device = %granted.device, "signed up");
        Ok(granted)
    }

    pub(super) async fn join_device(&self, from: IpAddr, request: AddDevice) -> Result<SessionGranted> {
        let ticket = self.accounts.open_ticket(from, &request.ticket)?;
        self.ctx.limits.take_account(Budget::AddDevice, &ticket.name)?;
        let (ticket, cert) = (&ticket, &request.device);
        let granted = self
            .ctx
            .store
            .transact(|tx| async move {
                let granted = self.accounts.stage_add_device(&tx, ticket, cert).await?;
                let news = InboxItem::DeviceAdded { cert: cert.clone() };
                self.tell_others(&tx, &ticket.name, granted.device, &news).await?;
                Ok::<_, FlowError>(granted)
            })
            .await?;
        self.accounts.forget_device(&ticket.name, granted.device);
        tracing::info!(user = %granted.user, device = %granted.device, "added a device");
        Ok(granted)
    }

    pub(super) async fn leave_device(&self, caller: &Caller, device: DeviceId) -> Result<()> {
        let name = caller.name();
        self.ctx
            .store
            .transact(|tx| async move {
                self.accounts.stage_revoke(&tx, name, device).await?;
                let news = InboxItem::DeviceRemoved { device };
                self.tell_others(&tx, name, device, &news).await?;
                // What is left to do may be long; written down, so that a node that stops half-way goes on after its start.
                tx.put(tables::SIGN_OUTS, joined(name.as_str(), device.as_bytes()), Vec::new());
                Ok::<_, FlowError>(())
            })
            .await?;
        self.accounts.forget_device(name, device);
        tracing::info!(user = %caller.user(), %device, "signed a device out");
        self.finish_sign_out(name, device).await
    }

    /// Tells the account's other devices. They are read behind the account, in the same transaction: of two devices that come
    /// at the same moment the later one is tried again, and finds the other.
    async fn tell_others(&self, tx: &Tx, name: &UserName, about: DeviceId, news: &InboxItem) -> Result<()> {
        let devices = self.accounts.active_devices(name).await?;
        let others = devices.into_iter().map(|(device, _)| device).filter(|device| *device != about);
        tx.merge(self.inbox.add(Batch::new(), name, others, news).await?);
        Ok(())
    }

    /// Clears up behind a device that was signed out. Can be done again at any time.
    async fn finish_sign_out(&self, name: &UserName, device: DeviceId) -> Result<()> {
        self.wallet.forget_key(name, device).await?;
        self.key_packages.drop_all(name, device).await?;
        self.inbox.drop_all(name, device).await?;
        let gone = DeviceRef { user: self.ctx.address(name), device };
        let mut after = None;
        loop {
            let rooms = self.rooms.rooms_of(&gone.user, after, 256).await?;
            let Some((last, _)) = rooms.last() else { break };
            after = Some(*last);
            for (room, _) in rooms {
                self.rooms.mark_gone(room, &gone).await?;
                self.tell_hub_of_gone(room, &gone).await?;
                self.forget_said(room, device).await?;
            }
        }
        let done = Batch::new().delete(tables::SIGN_OUTS, joined(name.as_str(), device.as_bytes()));
        self.ctx.store.commit(done).await?;
        Ok(())
    }

    /// Finishes sign-outs that a stop cut short. Gives how many. One that fails does not keep the others from being finished.
    pub(crate) async fn resume_sign_outs(&self) -> Result<u64> {
        let rows = self.ctx.store.scan(tables::SIGN_OUTS, Scan::prefix([])).await?;
        let (mut done, mut failed) = (0, None);
        for row in rows {
            let mut parts = row.key.splitn(2, |byte| *byte == 0);
            let name = parts.next().and_then(|name| std::str::from_utf8(name).ok()?.parse().ok());
            let device = parts.next().and_then(|device| DeviceId::from_slice(device).ok());
            let (Some(name), Some(device)) = (name, device) else {
                failed = Some(Fault::Internal("a sign-out's key cannot be read").into());
                continue;
            };
            match self.finish_sign_out(&name, device).await {
                Ok(()) => done += 1,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(done), Err)
    }
}
