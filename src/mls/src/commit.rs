//! What a commit does, in terms of devices.

use crate::sets::set;
use crate::{MlsError, Roles, credentials};
use openmls::prelude::{LeafNodeIndex, Member, Proposal, Sender, StagedCommit};
use std::collections::BTreeMap;
use weft_wire::{Millis, identity::DeviceCert, rooms::DeviceRef};

/// What a commit does. The hub and every member derive it from the commit alike, and judge it by [`crate::policy::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFacts {
    /// Who commits. Of an external commit: who joins.
    pub committer: DeviceCert,
    /// Whether the committer joins by this commit (RFC 9420, 12.4.3.2).
    pub external: bool,
    /// The epoch that it starts from.
    pub from_epoch: u64,
    /// The epoch that it leads to.
    pub to_epoch: u64,
    /// Devices that are added; the joiner of an external commit is not among them.
    pub added: Vec<DeviceCert>,
    /// Devices that are removed. Of an external commit: at most the joiner's own old leaf (a resync).
    pub removed: Vec<DeviceRef>,
    /// The owners and admins after it, if it says who they are.
    pub roles: Option<Roles>,
}

impl CommitFacts {
    /// Whether a device joins anew in place of its own old leaf.
    pub fn is_resync(&self) -> bool {
        self.external && !self.removed.is_empty()
    }

    /// Everybody who comes in by it: added devices and the joiner.
    pub fn arrivals(&self) -> impl Iterator<Item = &DeviceCert> {
        self.added.iter().chain(self.external.then_some(&self.committer))
    }
}

/// The name of a device, from its certificate.
pub fn device_ref(cert: &DeviceCert) -> DeviceRef {
    DeviceRef { user: cert.user.clone(), device: cert.device }
}

/// Reads what a staged commit does. `members` are those before it. OpenMLS has verified signatures and tree; here the
/// certificates are verified and the list of proposals is held to what Weft uses.
///
/// # Errors
/// [`MlsError::Credential`], [`MlsError::NotAllowed`], [`MlsError::Duplicate`].
pub fn facts(
    members: impl Iterator<Item = Member>,
    sender: &Sender,
    staged: &StagedCommit,
    from_epoch: u64,
    now_ms: Millis,
) -> Result<CommitFacts, MlsError> {
    let mut leaves = BTreeMap::new();
    for member in members {
        leaves.insert(member.index.u32(), credentials::member_device(&member)?);
    }
    let leaf = |index: &LeafNodeIndex| {
        leaves.get(&index.u32()).ok_or(MlsError::NotAllowed("a leaf that is not in the group"))
    };

    let (mut added, mut removed, mut roles) = (Vec::new(), Vec::new(), None);
    for queued in staged.queued_proposals() {
        match queued.proposal() {
            Proposal::Add(add) => {
                added.push(credentials::leaf_device(add.key_package().leaf_node(), now_ms)?);
            }
            Proposal::Remove(remove) => removed.push(device_ref(leaf(&remove.removed())?)),
            Proposal::ExternalInit(_) => {}
            Proposal::GroupContextExtensions(change) => {
                let named = Roles::read(change.extensions())?;
                roles = Some(named.ok_or(MlsError::NotAllowed("a group without roles"))?);
            }
            _ => return Err(MlsError::NotAllowed("a proposal other than Add, Remove and roles")),
        }
    }

    // The path renews the committer's leaf. OpenMLS requires one of every commit but those that only add.
    let renewed =
        staged.update_path_leaf_node().map(|leaf| credentials::leaf_device(leaf, now_ms)).transpose()?;
    let (committer, external) = match sender {
        Sender::Member(index) => {
            let before = leaf(index)?;
            let after = renewed.unwrap_or_else(|| before.clone());
            if device_ref(&after) != device_ref(before) || after.identity_key != before.identity_key {
                return Err(MlsError::NotAllowed("a leaf that becomes another device"));
            }
            (after, false)
        }
        Sender::NewMemberCommit => {
            let joiner = renewed.ok_or(MlsError::NotAllowed("an external commit without a path"))?;
            if removed.iter().any(|gone| *gone != device_ref(&joiner)) {
                return Err(MlsError::NotAllowed("an external commit that removes another device"));
            }
            (joiner, true)
        }
        _ => return Err(MlsError::NotAllowed("a commit by somebody outside the group")),
    };

    let facts = CommitFacts {
        committer,
        external,
        from_epoch,
        to_epoch: from_epoch.saturating_add(1),
        added,
        removed,
        roles,
    };
    no_duplicates(leaves.values(), &facts)?;
    Ok(facts)
}

/// A device has one leaf at most.
fn no_duplicates<'a>(
    before: impl Iterator<Item = &'a DeviceCert>,
    facts: &CommitFacts,
) -> Result<(), MlsError> {
    let removed = set(facts.removed.iter().map(|gone| gone.device));
    let mut present = set(before.map(|cert| cert.device).filter(|device| !removed.contains(device)));
    for cert in facts.arrivals() {
        if !present.insert(cert.device) {
            return Err(MlsError::Duplicate(cert.device));
        }
    }
    Ok(())
}
