//! What the requests do.

use super::{Answer, Request, UserRow};
use crate::archive;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use weft_service::Service;
use weft_store::Store;
use weft_wire::{
    Millis, NodeName, Problem, UserAddress, UserName, invites::CreateInvite, invites::Link, limits,
};

/// What the operator may do, on a node that runs or on one that is only opened.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    service: Service,
    store: Store,
    data: PathBuf,
    url: String,
}

impl Control {
    /// On top of a service. `url` is the base of links.
    pub fn new(service: Service, store: Store, data: PathBuf, url: String) -> Control {
        Control(Arc::new(Inner { service, store, data, url }))
    }

    /// Does what is asked. What goes wrong becomes a sentence.
    pub async fn handle(&self, request: Request) -> Answer {
        let done = match request {
            Request::Status => self.status().await,
            Request::Invite { owner, uses, lifetime_ms } => self.invite(owner, uses, lifetime_ms).await,
            Request::Users { after } => self.users(after).await,
            Request::EndSessions { name } => self.end_sessions(&name).await,
            Request::SetDisabled { name, disabled } => self.set_disabled(&name, disabled).await,
            Request::Backup { dir } => self.backup(&dir).await,
        };
        done.unwrap_or_else(|problem| Answer::Refused(problem.to_string()))
    }

    async fn status(&self) -> Result<Answer, Problem> {
        let info = self.0.service.node_info().await?;
        Ok(Answer::Status { name: info.name.to_string(), url: self.0.url.clone(), claimed: info.claimed })
    }

    /// As long as nobody owns the node an invite can only be the owner's: whoever came first would own it.
    async fn invite(&self, owner: bool, uses: u32, lifetime_ms: Millis) -> Result<Answer, Problem> {
        let info = self.0.service.node_info().await?;
        if owner && info.claimed {
            return Ok(Answer::Refused("this node has an owner already".to_owned()));
        }
        let invites = self.0.service.invites();
        let made = match info.claimed {
            false => invites.owner_invite().await?,
            true => invites.create_by_operator(CreateInvite { uses, lifetime_ms }).await?,
        };
        let link = self.link(info.name, made.code);
        Ok(Answer::Invite { link, owner: !info.claimed, expires_ms: made.expires_ms })
    }

    fn link(&self, node: NodeName, invite: String) -> String {
        Link { person: None, node: Some(node), invite: Some(invite) }.to_url(&self.0.url)
    }

    async fn users(&self, after: Option<UserName>) -> Result<Answer, Problem> {
        let node = self.0.service.node_info().await?.name;
        let found = self.0.service.accounts().list(after.as_ref(), limits::PAGE_MAX).await?;
        let more = found.len() >= limits::PAGE_MAX;
        let users = found
            .into_iter()
            .map(|account| UserRow {
                user: UserAddress::new(account.name, node.clone()),
                role: account.role,
                created_ms: account.created_ms,
                devices: u32::try_from(account.devices).unwrap_or(u32::MAX),
                disabled: account.disabled,
            })
            .collect();
        Ok(Answer::Users { users, more })
    }

    async fn end_sessions(&self, name: &UserName) -> Result<Answer, Problem> {
        let ended = self.0.service.accounts().end_sessions(name).await?;
        Ok(Answer::Ended(ended as u64))
    }

    async fn set_disabled(&self, name: &UserName, disabled: bool) -> Result<Answer, Problem> {
        self.0.service.accounts().set_disabled(name, disabled).await?;
        Ok(Answer::Done)
    }

    async fn backup(&self, dir: &Path) -> Result<Answer, Problem> {
        match archive::backup(&self.0.store, &self.0.data, dir).await {
            Ok(seq) => Ok(Answer::Backup { seq }),
            // Its own sentences help the operator more than any code.
            Err(error) => Ok(Answer::Refused(with_causes(&error))),
        }
    }
}

/// An error's text with those of its causes, `a: b: c`.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
