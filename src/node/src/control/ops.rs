//! What the requests do.

use super::{Answer, PeerRow, Request, UserRow, Wish};
use crate::{
    archive,
    config::{PeerConfig, check_name},
    federation::Gate,
};
use futures::future::BoxFuture;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use weft_net::{Addresses, PeerKey};
use weft_service::{
    Service,
    federation::{FederationError, Verdict},
};
use weft_store::Store;
use weft_wire::{
    Code, Millis, NodeName, Problem, UserAddress, UserName, admin::PeerList, federation::FederationPolicy,
    invites::CreateInvite, invites::Link, limits, links::ProposeSettlement,
};

const NOT_RUNNING: &str =
    "the node does not run: name the key with --key, or start it so that it can ask the name";
/// What is shown of a key that is none.
const SHOWN_CHARS_MAX: usize = 64;
const OWN_KEY: &str = "the key is the one of this node itself";
const OFF: &str = "this node speaks with no others, federation.policy is \"closed\"";

/// What the operator may do, on a node that runs or on one that is only opened.
#[derive(Clone)]
pub struct Control(Arc<Inner>);

struct Inner {
    service: Service,
    store: Store,
    data: PathBuf,
    url: String,
    own: PeerKey,
    /// None where the node does not run, or speaks with no others.
    gate: Option<Gate>,
}

impl Control {
    /// On top of a service. `url` is the base of links, `own` the key of the node.
    pub fn new(service: Service, store: Store, data: PathBuf, url: String, own: PeerKey) -> Control {
        Control(Arc::new(Inner { service, store, data, url, own, gate: None }))
    }

    /// With the running network.
    #[must_use]
    pub fn with_gate(self, gate: Option<Gate>) -> Control {
        let Inner { service, store, data, url, own, .. } = self.0.as_ref();
        let (service, store, data, url) = (service.clone(), store.clone(), data.clone(), url.clone());
        Control(Arc::new(Inner { service, store, data, url, own: *own, gate }))
    }

    pub(super) fn service(&self) -> &Service {
        &self.0.service
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
            Request::ExportLedger { file } => self.export_ledger(&file).await,
            Request::Roots { before } => self.roots(before).await,
            Request::Peers { after } => self.peers(after).await,
            Request::ZoneLine => Ok(self.zone_line()),
            Request::AddPeer { name, key, addresses } => {
                self.add_peer(&name, key, addresses).await.or_else(in_words)
            }
            Request::Links => self.links().await,
            Request::ProposeTerms { node, wish } => self.propose_terms(&node, wish).await.or_else(in_words),
            Request::WithdrawTerms { node } => self.withdraw_terms(&node).await.or_else(in_words),
            Request::LinkTerms { node } => self.link_terms(&node).await.or_else(in_words),
            Request::AcceptTerms { node, digest } => {
                self.accept_terms(&node, &digest).await.or_else(in_words)
            }
            Request::ThawLink { node, since_ms, digest } => {
                self.thaw_link(&node, since_ms, digest.as_deref()).await.or_else(in_words)
            }
            Request::PayFound { node, payment, name } => {
                self.pay_found(&node, payment, name).await.or_else(in_words)
            }
            Request::FreezeLink { node } => self.freeze_link(&node).await.or_else(in_words),
            Request::Settle { node, id, asset, amount, against, note } => {
                let wish = ProposeSettlement { id, asset, amount, against, note };
                self.settle(&node, wish).await.or_else(in_words)
            }
            Request::Settlements { node } => self.settlements(&node).await.or_else(in_words),
            Request::DecideSettlement { node, id, amount } => {
                self.decide_settlement(&node, id, amount).await.or_else(in_words)
            }
            Request::LinkStatement { node, from_ms, until_ms } => {
                self.link_statement(&node, from_ms, until_ms).await.or_else(in_words)
            }
            Request::BankAccounts => self.bank_accounts().await,
            Request::PutBankAccount { code, holder, account, bank } => {
                self.put_bank_account(&code, holder, account, bank).await.or_else(in_words)
            }
            Request::ImportBank { file } => self.import_bank(file).await,
            Request::Fees => self.fees().await,
            Request::SetFee { code, fee } => self.set_fee(&code, &fee).await.or_else(in_words),
            Request::Guard => self.guard().await,
            Request::ChangeApprover { name, appoint } => self.change_approver(name, appoint).await,
            Request::SetThreshold { code, amount } => self.set_threshold(&code, &amount).await,
            Request::WithdrawProposal { id } => self.withdraw_proposal(id).await,
            Request::Agents => self.agents().await,
            Request::JudgePeer { name, wish } => self.judge_peer(&name, wish).await.or_else(in_words),
        };
        done.unwrap_or_else(|problem| Answer::Refused(problem.to_string()))
    }

    async fn roots(&self, before: Option<u64>) -> Result<Answer, Problem> {
        Ok(Answer::Roots(self.0.service.wallet().roots(before).await?))
    }

    async fn status(&self) -> Result<Answer, Problem> {
        let info = self.0.service.node_info().await?;
        Ok(Answer::Status {
            name: info.name.to_string(),
            peer_id: self.0.own.to_string(),
            addresses: self.0.service.federation().own_addresses(),
            url: self.0.url.clone(),
            claimed: info.claimed,
        })
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
        Link { person: None, node: Some(node), invite: Some(invite), group: None }.to_url(&self.0.url)
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
        match archive::backup(&self.0.store, &self.0.data, &self.0.own.name(), dir).await {
            Ok(seq) => Ok(Answer::Backup { seq }),
            // Its own sentences help the operator more than any code.
            Err(error) => Ok(Answer::Refused(with_causes(&error))),
        }
    }

    /// The file is there whole or not at all, and for the operator alone: it names who has how much.
    async fn export_ledger(&self, file: &Path) -> Result<Answer, Problem> {
        let mut journal = String::new();
        let events = self.0.service.wallet().export_hledger(&mut journal).await?;
        match write_new(file, journal.as_bytes()) {
            Ok(()) => Ok(Answer::Exported(events)),
            Err(error) => Ok(Answer::Refused(format!("{} cannot be written: {error}", file.display()))),
        }
    }
}

/// A new file for the operator alone. Of one that cannot be written to its end nothing is left.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

impl Control {
    async fn peers(&self, after: Option<NodeName>) -> Result<Answer, Problem> {
        let (peers, more) = self.peer_rows(after).await?;
        Ok(Answer::Peers { peers, more })
    }

    async fn peer_rows(&self, after: Option<NodeName>) -> Result<(Vec<PeerRow>, bool), Problem> {
        let federation = self.0.service.federation();
        let found = federation.peers(after.as_ref()).await.map_err(told)?;
        let more = found.len() >= limits::PAGE_MAX;
        let connected = self.0.gate.as_ref().map(Gate::connected).unwrap_or_default();
        let mut peers = Vec::new();
        for peer in found {
            let link = connected.iter().find(|link| link.peer == peer.key);
            peers.push(PeerRow {
                waiting: federation.waiting(&peer.name).await?,
                key: peer.key.to_string(),
                new_key: peer.new_key.map(|key| key.to_string()),
                trusted: peer.trusted,
                blocked: peer.blocked,
                limit: peer.limit,
                connected: link.map(|link| link.address.clone()),
                relayed: link.is_some_and(|link| link.relayed),
                addresses: peer.addresses,
                first_seen_ms: peer.first_seen_ms,
                last_contact_ms: peer.last_contact_ms,
                last_error: peer.last_error,
                name: peer.name,
            });
        }
        Ok((peers, more))
    }

    fn zone_line(&self) -> Answer {
        let Some(record) = self.0.service.federation().record() else {
            return Answer::Refused("the node does not run, or speaks with no others".to_owned());
        };
        match record.open() {
            Ok(opened) if !opened.name.is_peer_id() => {
                Answer::ZoneLine(crate::federation::zone_line(&opened.name, &record))
            }
            _ => Answer::Refused("this node has no name in DNS: see node.name".to_owned()),
        }
    }

    /// A node with its key, or, where it is not given, with what its name says.
    async fn add_peer(
        &self,
        name: &NodeName,
        key: Option<String>,
        addresses: Vec<String>,
    ) -> Result<Answer, Problem> {
        let own = self.0.service.node_info().await?.name;
        if *name == own {
            // Before it is asked who it is.
            return Err(told(FederationError::Itself { node: own }));
        }
        // Before anybody is asked about it.
        if let Err(why) = check_name(name.as_str()) {
            return Ok(Answer::Refused(why));
        }
        let key = match self.key_to_add(name, key).await? {
            Ok(key) if key == self.0.own => return Ok(Answer::Refused(OWN_KEY.to_owned())),
            Ok(key) => key,
            Err(why) => return Ok(Answer::Refused(why)),
        };
        let entry = PeerConfig { name: name.to_string(), key: key.to_string(), addresses, limit: None };
        if let Err(why) = entry.check() {
            return Ok(Answer::Refused(why));
        }
        let addresses = Addresses::of(key, &entry.addresses).texts();
        let federation = self.0.service.federation();
        federation.add_peer(name, key, addresses).await.map_err(told)?;
        let answer = self.judge_peer(name, Wish::Trust).await?;
        if let (Some(gate), Some(peer)) = (&self.0.gate, federation.peer(name).await.map_err(told)?) {
            gate.call(key, peer.addresses).await;
        }
        Ok(answer)
    }

    /// The key of a node that is to be added, or why there is none.
    async fn key_to_add(
        &self,
        name: &NodeName,
        given: Option<String>,
    ) -> Result<Result<PeerKey, String>, Problem> {
        let federation = self.0.service.federation();
        let by_name = name.key().map(PeerKey);
        Ok(match given.as_deref().map(str::parse::<PeerKey>) {
            Some(Err(error)) => {
                let given: String = given.unwrap_or_default().chars().take(SHOWN_CHARS_MAX).collect();
                Err(format!("{given}: {error}"))
            }
            Some(Ok(key)) if by_name.is_some_and(|named| named != key) => {
                Err("the name is a peer id, of another key".to_owned())
            }
            Some(Ok(key)) => Ok(key),
            None => match by_name {
                Some(key) => Ok(key),
                None if federation.policy() == FederationPolicy::Closed => {
                    Err(format!("{OFF}: name the key with --key"))
                }
                None if self.0.gate.is_none() => Err(NOT_RUNNING.to_owned()),
                None => Ok(federation.meet(name).await.map_err(told)?.key),
            },
        })
    }

    async fn judge_peer(&self, name: &NodeName, wish: Wish) -> Result<Answer, Problem> {
        let verdict = match wish {
            Wish::Trust => Verdict::Trust,
            Wish::Block => Verdict::Block,
            Wish::Ordinary => Verdict::Ordinary,
            Wish::AcceptKey => Verdict::AcceptKey,
            Wish::RejectKey => Verdict::RejectKey,
            Wish::Limit(percent) => Verdict::Limit(percent),
        };
        let federation = self.0.service.federation();
        let before = federation.peer(name).await.map_err(told)?;
        federation.judge(name, verdict).await.map_err(|error| match error {
            FederationError::NotFound => never_met(name, verdict),
            error => told(error),
        })?;
        if let (Some(gate), Some(peer)) = (&self.0.gate, federation.peer(name).await.map_err(told)?) {
            gate.follow(&self.0.service, peer.key, verdict).await?;
            // A key that is no longer the node's is nobody's.
            if let Some(old) = before.filter(|before| before.key != peer.key) {
                gate.follow(&self.0.service, old.key, Verdict::Block).await?;
            }
        }
        Ok(Answer::Done)
    }
}

impl weft_api::Operator for Control {
    fn peers(&self, after: Option<NodeName>) -> BoxFuture<'_, Result<PeerList, Problem>> {
        Box::pin(async move {
            let (peers, more) = self.peer_rows(after).await?;
            let federation = self.0.service.federation();
            let addresses = federation.own_addresses();
            Ok(PeerList { policy: federation.policy(), addresses, peers, more })
        })
    }

    fn judge(&self, name: NodeName, wish: Wish) -> BoxFuture<'_, Result<(), Problem>> {
        Box::pin(async move {
            if let Wish::Limit(percent) = wish
                && !(1..=10_000).contains(&percent)
            {
                return Err(Problem::new(Code::InvalidField).field("limit").detail("1 to 10,000 per cent"));
            }
            self.judge_peer(&name, wish).await.map(drop)
        })
    }
}

/// The codes of federation are for other nodes; an operator is told in words.
fn told(error: FederationError) -> Problem {
    let text = with_causes(&error);
    let problem = Problem::from(error);
    Problem::new(problem.code).detail(text)
}

/// What can be done about a node that nobody has met.
fn never_met(name: &NodeName, verdict: Verdict) -> Problem {
    let why = match verdict {
        Verdict::Block => {
            "this node was never met; `federation.blocked` in node.toml shuts it out before it comes"
                .to_owned()
        }
        _ => format!("this node was never met; `weft peer add {name}` names it, and trusts it"),
    };
    Problem::new(Code::NotFound).detail(why)
}

/// A terminal shows the sentence alone.
pub(super) fn in_words(problem: Problem) -> Result<Answer, Problem> {
    let sentence = problem.detail.clone();
    sentence.map(Answer::Refused).ok_or(problem)
}

/// An error's text with those of its causes, `a: b: c`.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
