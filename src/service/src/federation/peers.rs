//! Who is who among nodes: a key is pinned for a name when the two first meet, and a change is the operator's to decide.

use super::{
    Directory, FederationError, Result,
    records::{PeerRecord, PeerState},
    strangers::STRANGERS,
};
use crate::{Budget, Fault, LimitKey, cache::Cache, context::Ctx};
use std::sync::Arc;
use weft_net::{LinkError, PeerKey};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    Millis, NodeName, Signed,
    federation::{FederationPolicy, NodeRecord},
    limits::{PAGE_MAX, PEER_ADDRESSES_MAX},
};

/// How exact the time of the last contact is on the disk: one write an hour. While the node runs it is known exactly.
const CONTACT_STEP_MS: Millis = 60 * 60 * 1000;
/// What is kept of an error, for the operator.
const ERROR_CHARS_MAX: usize = 200;

/// A node, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: NodeName,
    /// The key that speaks for it.
    pub key: PeerKey,
    /// Another key that wants to speak for it.
    pub new_key: Option<PeerKey>,
    /// On the list of those that are allowed.
    pub trusted: bool,
    /// Shut out.
    pub blocked: bool,
    /// Where it was found, or said that it may be.
    pub addresses: Vec<String>,
    /// Per cent of the usual budgets.
    pub limit: Option<u32>,
    /// When it was first met.
    pub first_seen_ms: Millis,
    /// When it was last heard, to the hour where that was before this start; 0: never.
    pub last_contact_ms: Millis,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// What the operator may decide about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, also where only those on the list are.
    Trust,
    /// Shut out.
    Block,
    /// As every other node: lifts a block, takes it off the list, gives it the usual budgets.
    Ordinary,
    /// The new key counts from now on.
    AcceptKey,
    /// The new key was somebody else's.
    RejectKey,
    /// So many per cent of the usual budgets.
    Limit(u32),
}

#[derive(Clone)]
pub(crate) struct Peers {
    pub(super) ctx: Arc<Ctx>,
    /// Keys of names that are not keys themselves, as they were read last.
    keys: Arc<Cache<NodeName, [u8; 32]>>,
    /// When nodes were last heard, of those that were heard lately.
    contacts: Arc<Cache<NodeName, Millis>>,
}

/// Addresses that one hint adds.
const HINTS_MAX: usize = 4;

/// Keys that are remembered.
const KEYS_MAX: usize = 1_024;

impl PeerRecord {
    fn new(key: [u8; 32], addresses: Vec<String>, now: Millis) -> Self {
        PeerRecord {
            key,
            addresses,
            state: PeerState::Pinned,
            limit: None,
            first_seen_ms: now,
            last_contact_ms: 0,
            last_error: None,
            stranger: true,
        }
    }

    /// Whether nothing depends on it: nobody here knows anybody there, and the operator has said nothing about it.
    pub fn may_go(&self) -> bool {
        let spoken_of = matches!(
            self.state,
            PeerState::Trusted | PeerState::Blocked | PeerState::Quarantined { trusted: true, .. }
        );
        self.stranger && !spoken_of && self.limit.is_none()
    }

    fn is_trusted(&self) -> bool {
        matches!(self.state, PeerState::Trusted | PeerState::Quarantined { trusted: true, .. })
    }

    /// What something costs this node, which may have less or more than the usual budgets.
    pub fn cost(&self, count: usize) -> u32 {
        let limit = u64::from(self.limit.unwrap_or(100).max(1));
        u32::try_from((count as u64).saturating_mul(100) / limit).unwrap_or(u32::MAX).max(1)
    }
}

impl Peers {
    pub fn new(ctx: Arc<Ctx>) -> Self {
        Peers { ctx, keys: Arc::new(Cache::new(KEYS_MAX)), contacts: Arc::new(Cache::new(KEYS_MAX)) }
    }

    /// The key of a node that was spoken with lately.
    pub fn key_of(&self, name: &NodeName) -> Option<[u8; 32]> {
        self.keys.get(name)
    }

    /// Whether a key may speak under a name. A name that is new is pinned: one that is a peer id by itself, a DNS name by what
    /// that name's own record says.
    ///
    /// # Errors
    /// [`FederationError::NotAllowed`], [`FederationError::Foreign`], [`FederationError::Unreachable`] when the record of a
    /// new name cannot be had now, rate limits.
    pub async fn admit(
        &self,
        from: PeerKey,
        name: &NodeName,
        directory: Option<&dyn Directory>,
    ) -> Result<PeerRecord> {
        if *name == self.ctx.node {
            return Err(FederationError::Foreign { node: name.clone() });
        }
        let known = self.get(name).await?;
        self.allow(name, known.as_ref())?;
        match known {
            Some(record) if record.key == from.0 => Ok(record),
            Some(_) => {
                self.ctx.limits.take(Budget::PeerStranger, &LimitKey::Peer(from.name()))?;
                // Keys are free to make; what a look-up costs is not.
                self.ctx.limits.take(Budget::PeerFirst, &LimitKey::Crowd)?;
                // Whoever holds some key may say any name: only the name's own record is worth the operator's attention.
                if let Ok(found) = self.look_up(name, directory).await
                    && found.key == from.0
                {
                    self.quarantine(name, from.0).await?;
                }
                Err(FederationError::Foreign { node: name.clone() })
            }
            None => {
                self.ctx.limits.take(Budget::PeerStranger, &LimitKey::Peer(from.name()))?;
                self.ctx.limits.take(Budget::PeerFirst, &LimitKey::Crowd)?;
                let record = self.meet(name, directory).await?;
                if record.key == from.0 {
                    Ok(record)
                } else {
                    Err(FederationError::Foreign { node: name.clone() })
                }
            }
        }
    }

    /// The pinned record of a node that somebody wants to speak to.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub async fn reach(
        &self,
        by: &LimitKey,
        name: &NodeName,
        directory: Option<&dyn Directory>,
    ) -> Result<PeerRecord> {
        let known = self.get(name).await?;
        self.allow(name, known.as_ref())?;
        if let Some(record) = known {
            return Ok(record);
        }
        // What others look for, and who comes, holds nobody up.
        self.ctx.limits.take(Budget::PeerSought, by)?;
        self.meet(name, directory).await
    }

    pub async fn get(&self, name: &NodeName) -> Result<Option<PeerRecord>, Fault> {
        let generation = self.keys.generation();
        let record: Option<PeerRecord> = self.ctx.read(tables::PEERS, name.as_str()).await?;
        if let Some(record) = &record {
            self.keys.insert(name.clone(), record.key, generation);
        }
        Ok(record)
    }

    fn allow(&self, name: &NodeName, known: Option<&PeerRecord>) -> Result<()> {
        let blocked = known.is_some_and(|record| record.state == PeerState::Blocked);
        let blocked = blocked || self.ctx.config.blocked_nodes.contains(name);
        let allowed = match self.ctx.config.federation {
            FederationPolicy::Open => !blocked,
            FederationPolicy::AllowList => !blocked && known.is_some_and(PeerRecord::is_trusted),
            FederationPolicy::Closed => false,
        };
        if allowed { Ok(()) } else { Err(FederationError::NotAllowed { node: name.clone() }) }
    }

    /// Pins a node that is new.
    pub async fn meet(&self, name: &NodeName, directory: Option<&dyn Directory>) -> Result<PeerRecord> {
        let found = self.look_up(name, directory).await?;
        self.make_room().await?;
        let met = PeerRecord::new(found.key, found.addresses, self.ctx.now());
        let met = &met;
        let pinned = self
            .ctx
            .store
            .transact(|tx| async move {
                // Met by another stream meanwhile: what is pinned first stays.
                if let Some(row) = tx.get(tables::PEERS, name.as_str().as_bytes()).await? {
                    return Ok::<_, FederationError>(PeerRecord::from_record(&row.value)?);
                }
                tx.put(tables::PEERS, name.as_str(), met.to_record());
                tx.add(tables::COUNTS, STRANGERS, 1);
                Ok(met.clone())
            })
            .await?;
        tracing::info!(node = %name, key = %PeerKey(pinned.key), "met a node");
        Ok(pinned)
    }

    /// What a name says of itself: key and addresses.
    async fn look_up(&self, name: &NodeName, directory: Option<&dyn Directory>) -> Result<Found> {
        if let Some(key) = name.key() {
            return Ok(Found { key, addresses: Vec::new() });
        }
        let unreachable = |source| FederationError::Unreachable { node: name.clone(), source };
        let directory = directory.ok_or(FederationError::Off)?;
        let record: Signed<NodeRecord> = directory.find(name).await.map_err(unreachable)?;
        let record =
            record.open_for(name).map_err(|source| FederationError::Record { node: name.clone(), source })?;
        // A stranger wrote this: it must not make us knock at doors inside our own network.
        let mut addresses = record.addresses;
        addresses.retain(|text| weft_net::is_public(text) || weft_net::is_at_name(text, name.as_str()));
        Ok(Found { key: record.key, addresses })
    }

    async fn quarantine(&self, name: &NodeName, new_key: [u8; 32]) -> Result<()> {
        let changed = self
            .change(name, |record| match record.state {
                PeerState::Pinned | PeerState::Trusted => {
                    let trusted = record.state == PeerState::Trusted;
                    record.state = PeerState::Quarantined { new_key, trusted };
                    true
                }
                PeerState::Quarantined { .. } | PeerState::Blocked => false,
            })
            .await?;
        if changed {
            tracing::warn!(node = %name, key = %PeerKey(new_key), "a node speaks with another key; the operator decides");
        }
        Ok(())
    }

    /// Notes that a node was heard, at most once an hour, that what went wrong is over, and where it is, so that it is found
    /// after a restart.
    pub async fn heard(&self, name: &NodeName, record: &PeerRecord, known: Vec<String>) -> Result<()> {
        let now = self.ctx.now();
        self.contacts.insert(name.clone(), now, self.contacts.generation());
        let elsewhere = record.addresses.is_empty() && !known.is_empty();
        let due = now >= record.last_contact_ms.saturating_add(CONTACT_STEP_MS);
        if record.last_error.is_none() && !due && !elsewhere {
            return Ok(());
        }
        let known = &known;
        let heard = |record: &mut PeerRecord| {
            record.last_contact_ms = now;
            record.last_error = None;
            if !known.is_empty() {
                record.addresses.clone_from(known);
            }
            true
        };
        self.change(name, heard).await.map(drop)
    }

    /// Notes what went wrong with a node, for the operator.
    pub async fn failed(&self, name: &NodeName, error: &FederationError) -> Result<()> {
        let text: String = error.to_string().chars().take(ERROR_CHARS_MAX).collect();
        let failed = |record: &mut PeerRecord| {
            let new = record.last_error.as_ref() != Some(&text);
            record.last_error = Some(text.clone());
            new
        };
        self.change(name, failed).await.map(drop)
    }

    /// A node that is not found where it was: its name may say where it is by now.
    pub async fn refresh(&self, name: &NodeName, directory: &dyn Directory) -> Result<()> {
        let Some(known) = self.get(name).await?.filter(|_| name.key().is_none()) else { return Ok(()) };
        let found = self.look_up(name, Some(directory)).await?;
        if found.key != known.key {
            return self.quarantine(name, found.key).await;
        }
        let moved = |record: &mut PeerRecord| {
            let is_news = !found.addresses.is_empty() && record.addresses != found.addresses;
            if is_news {
                record.addresses.clone_from(&found.addresses);
            }
            is_news
        };
        self.change(name, moved).await.map(drop)
    }

    /// Where somebody says that a node is whose name is its key: whoever is there has to prove it.
    pub async fn hint(&self, by: &LimitKey, name: &NodeName, addresses: &[String]) -> Result<()> {
        if addresses.is_empty() || name.key().is_none() {
            return Ok(());
        }
        self.reach(by, name, None).await?;
        let hinted = |record: &mut PeerRecord| {
            let new: Vec<_> =
                addresses.iter().filter(|one| !record.addresses.contains(one)).cloned().collect();
            // Anybody can make up a link: what is known already stays, and stays first.
            let room = PEER_ADDRESSES_MAX.saturating_sub(record.addresses.len()).min(HINTS_MAX);
            let before = record.addresses.len();
            record.addresses.extend(new.into_iter().take(room));
            record.addresses.len() > before
        };
        self.change(name, hinted).await.map(drop)
    }

    /// What the operator says. A node that was never met may be named as well, when its key is its name.
    pub async fn judge(&self, name: &NodeName, verdict: Verdict) -> Result<()> {
        if *name == self.ctx.node {
            return Err(FederationError::Itself { node: name.clone() });
        }
        // The configuration shuts it out: that is lifted there.
        if matches!(verdict, Verdict::Trust | Verdict::Ordinary)
            && self.ctx.config.blocked_nodes.contains(name)
        {
            return Err(FederationError::NotAllowed { node: name.clone() });
        }
        if self.get(name).await?.is_none()
            && let Some(key) = name.key()
        {
            let met = PeerRecord { stranger: false, ..PeerRecord::new(key, Vec::new(), self.ctx.now()) };
            let batch = weft_store::Batch::new().assert_absent(tables::PEERS, name.as_str());
            match self.ctx.store.commit(batch.put(tables::PEERS, name.as_str(), met.to_record())).await {
                Ok(_) | Err(weft_store::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let Some(known) = self.get(name).await? else { return Err(FederationError::NotFound) };
        let of_new_key = matches!(verdict, Verdict::AcceptKey | Verdict::RejectKey);
        if of_new_key && !matches!(known.state, PeerState::Quarantined { .. }) {
            return Err(FederationError::NoNewKey { node: name.clone() });
        }
        self.change(name, |record| apply(record, verdict)).await?;
        self.ctx.store.transact(|tx| async move { self.stage_use(&tx, name).await }).await?;
        tracing::info!(node = %name, ?verdict, "the operator has decided about a node");
        Ok(())
    }

    /// A node that the operator adds with its key. One that is known by another key is not so easily another: the key waits, as
    /// one that the node has shown.
    ///
    /// # Errors
    /// [`FederationError::OtherKey`], [`FederationError::SameKey`], [`FederationError::ShutOut`], [`FederationError::Itself`].
    pub async fn add(&self, name: &NodeName, key: [u8; 32], addresses: Vec<String>) -> Result<()> {
        if *name == self.ctx.node {
            return Err(FederationError::Itself { node: name.clone() });
        }
        if let Some(other) = self.other_of_key(name, &key).await? {
            return Err(FederationError::SameKey { other });
        }
        let Some(known) = self.get(name).await?.filter(|known| known.key != key) else {
            return self.name(name, key, addresses).await;
        };
        if known.state == PeerState::Blocked {
            return Err(FederationError::ShutOut { node: name.clone() });
        }
        let waits = |record: &mut PeerRecord| {
            record.state = PeerState::Quarantined { new_key: key, trusted: record.is_trusted() };
            true
        };
        self.change(name, waits).await?;
        Err(FederationError::OtherKey { node: name.clone(), key: PeerKey(known.key) })
    }

    /// Who else speaks with this key, of those with whom somebody here has to do.
    async fn other_of_key(&self, name: &NodeName, key: &[u8; 32]) -> Result<Option<NodeName>> {
        let mut after = None;
        loop {
            let page = self.rows(after.as_ref()).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            after = Some(last.clone());
            let mut others = page.into_iter().filter(|(other, row)| other != name && !row.may_go());
            if let Some((other, _)) = others.find(|(_, row)| row.key == *key) {
                return Ok(Some(other));
            }
        }
    }

    /// A node that the configuration names with its key, in `[[federation.peers]]`: trusted, whatever was pinned.
    pub async fn name(&self, name: &NodeName, key: [u8; 32], addresses: Vec<String>) -> Result<()> {
        let addresses = &addresses;
        self.ctx
            .store
            .transact(|tx| async move {
                let row = tx.get(tables::PEERS, name.as_str().as_bytes()).await?;
                let before = row.map(|row| PeerRecord::from_record(&row.value)).transpose()?;
                let mut record =
                    before.clone().unwrap_or_else(|| PeerRecord::new(key, addresses.clone(), self.ctx.now()));
                record.key = key;
                if !addresses.is_empty() {
                    record.addresses.clone_from(addresses);
                }
                if before.as_ref().is_some_and(|before| before.stranger) {
                    tx.add(tables::COUNTS, STRANGERS, -1);
                }
                record.stranger = false;
                if record.state != PeerState::Blocked {
                    record.state = PeerState::Trusted;
                }
                if before.as_ref() != Some(&record) {
                    tx.put(tables::PEERS, name.as_str(), record.to_record());
                }
                Ok(())
            })
            .await
    }

    /// Nodes by name.
    pub async fn list(&self, after: Option<&NodeName>) -> Result<Vec<Peer>> {
        let rows = self.rows(after).await?;
        Ok(rows.into_iter().map(|(name, record)| self.shown(name, record)).collect())
    }

    async fn rows(&self, after: Option<&NodeName>) -> Result<Vec<(NodeName, PeerRecord)>> {
        let scan = Scan::prefix([]).limit(PAGE_MAX);
        let scan = match after {
            Some(after) => scan.after(after.as_str()),
            None => scan,
        };
        let mut rows = Vec::new();
        for row in self.ctx.store.scan(tables::PEERS, scan).await? {
            let name = std::str::from_utf8(&row.key).ok().and_then(|name| name.parse().ok());
            let name = name.ok_or(Fault::Internal("a node's key is no name"))?;
            rows.push((name, PeerRecord::from_record(&row.value)?));
        }
        Ok(rows)
    }

    /// One node.
    pub async fn show(&self, name: &NodeName) -> Result<Option<Peer>> {
        Ok(self.get(name).await?.map(|record| self.shown(name.clone(), record)))
    }

    fn shown(&self, name: NodeName, record: PeerRecord) -> Peer {
        let blocked = self.ctx.config.blocked_nodes.contains(&name);
        let heard_ms = self.contacts.get(&name).unwrap_or(0);
        let peer = shown(name, record);
        Peer { blocked: blocked || peer.blocked, last_contact_ms: peer.last_contact_ms.max(heard_ms), ..peer }
    }

    async fn change(&self, name: &NodeName, change: impl Fn(&mut PeerRecord) -> bool) -> Result<bool> {
        let change = &change;
        self.ctx
            .store
            .transact(|tx| async move {
                let Some(row) = tx.get(tables::PEERS, name.as_str().as_bytes()).await? else {
                    return Ok(false);
                };
                let mut record = PeerRecord::from_record(&row.value)?;
                let changed = change(&mut record);
                if changed {
                    tx.put(tables::PEERS, name.as_str(), record.to_record());
                }
                Ok(changed)
            })
            .await
    }
}

struct Found {
    key: [u8; 32],
    addresses: Vec<String>,
}

fn apply(record: &mut PeerRecord, verdict: Verdict) -> bool {
    let before = record.clone();
    match (verdict, &record.state) {
        (Verdict::Trust, _) => record.state = PeerState::Trusted,
        (Verdict::Block, _) => record.state = PeerState::Blocked,
        (Verdict::Ordinary, _) => (record.state, record.limit) = (PeerState::Pinned, None),
        (Verdict::AcceptKey, PeerState::Quarantined { new_key, trusted }) => {
            record.key = *new_key;
            record.state = if *trusted { PeerState::Trusted } else { PeerState::Pinned };
        }
        (Verdict::RejectKey, PeerState::Quarantined { trusted, .. }) => {
            record.state = if *trusted { PeerState::Trusted } else { PeerState::Pinned };
        }
        (Verdict::AcceptKey | Verdict::RejectKey, _) => {}
        (Verdict::Limit(percent), _) => record.limit = Some(percent),
    }
    *record != before
}

fn shown(name: NodeName, record: PeerRecord) -> Peer {
    let new_key = match record.state {
        PeerState::Quarantined { new_key, .. } => Some(PeerKey(new_key)),
        _ => None,
    };
    Peer {
        name,
        key: PeerKey(record.key),
        new_key,
        trusted: record.is_trusted(),
        blocked: record.state == PeerState::Blocked,
        addresses: record.addresses,
        limit: record.limit,
        first_seen_ms: record.first_seen_ms,
        last_contact_ms: record.last_contact_ms,
        last_error: record.last_error,
    }
}

/// An error of the network, about a node.
pub(super) fn unreachable(node: &NodeName) -> impl FnOnce(LinkError) -> FederationError + '_ {
    move |source| FederationError::Unreachable { node: node.clone(), source }
}
