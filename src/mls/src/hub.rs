//! The public view of a group that a hub keeps: who is in it, and whether a commit may come next.
//!
//! The hub holds no secret. What it cannot check, by the nature of MLS, is what only members can: the membership and
//! confirmation tags, whether the path secrets are encrypted honestly, and whether `external_pub` belongs to the epoch. A
//! member who lies there makes the other members fail to follow; they resync by external commit from the next good
//! GroupInfo.

use crate::{
    CommitFacts, MlsError, Roles, commit, config, credentials, messages,
    public_store::{PublicStore, StoreError},
};
use openmls::{
    group::ProposalStore,
    prelude::{
        ConfirmationTag, ContentType, ProcessedMessageContent, PublicGroup, StagedCommit,
        group_info::VerifiableGroupInfo,
    },
};
use openmls_rust_crypto::RustCrypto;
use std::collections::BTreeSet;
use weft_wire::{Millis, RoomId, identity::DeviceCert};

/// The GroupInfo of a group with one leaf: far below the general limit.
const NEW_GROUP_INFO_BYTES_MAX: usize = 16 << 10;

/// A group as its hub follows it.
pub struct HubGroup {
    group: PublicGroup,
    store: PublicStore,
}

/// What a device submits: the MLS parts of [`weft_wire::rooms::SubmitCommit`].
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The body of the envelope: an MLSMessage with a PublicMessage.
    pub commit: &'a [u8],
    /// GroupInfo after the commit, with ratchet tree and external_pub.
    pub group_info: &'a [u8],
    /// For the devices that are added.
    pub welcome: Option<&'a [u8]>,
}

/// A commit that may come next. It is for the group and epoch that checked it.
pub struct CheckedCommit {
    /// What it does, to be judged by [`crate::policy::check`]. `committer` must be the device that handed it in.
    pub facts: CommitFacts,
    room: RoomId,
    staged: Box<StagedCommit>,
}

impl std::fmt::Debug for CheckedCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckedCommit").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for HubGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HubGroup(epoch {})", self.epoch())
    }
}

impl HubGroup {
    /// Starts to follow a new group: epoch 0, exactly one leaf, and no roles ([`Self::roles`]) or those of its creator. Gives
    /// the creator too, which must be the device that handed it in.
    ///
    /// # Errors
    /// [`MlsError::TooLarge`], [`MlsError::Malformed`], [`MlsError::WrongRoom`], [`MlsError::GroupInfo`],
    /// [`MlsError::Credential`], [`MlsError::NotAllowed`], [`MlsError::Refused`].
    pub fn create(room: RoomId, group_info: &[u8], now_ms: Millis) -> Result<(Self, DeviceCert), MlsError> {
        let (len, max) = (group_info.len(), NEW_GROUP_INFO_BYTES_MAX);
        if len > max {
            return Err(MlsError::TooLarge { what: "GroupInfo", len, max });
        }
        let group = follow(room, messages::group_info(group_info)?)?;
        if group.group.group_context().epoch().as_u64() != 0 {
            return Err(MlsError::GroupInfo("a new group is at epoch 0"));
        }
        let roles = group.roles()?;
        let mut leaves = group.group.treesync().full_leaves();
        let creator = match (leaves.next(), leaves.next()) {
            (Some((_, leaf)), None) => credentials::leaf_device(leaf, now_ms)?,
            _ => return Err(MlsError::GroupInfo("a new group has one leaf")),
        };
        drop(leaves);
        if roles.is_some_and(|roles| roles != Roles::of_creator(creator.user.clone())) {
            return Err(MlsError::NotAllowed("roles that are not those of a new group"));
        }
        Ok((group, creator))
    }

    /// From what [`Self::to_bytes`] gave.
    ///
    /// # Errors
    /// [`MlsError::State`], [`MlsError::Incomplete`], [`MlsError::WrongRoom`].
    pub fn from_bytes(room: RoomId, bytes: &[u8]) -> Result<Self, MlsError> {
        let store = PublicStore::from_bytes(bytes)?;
        let group = PublicGroup::load(&store, &config::group_id(room)).map_err(state)?;
        let group = group.ok_or(MlsError::Incomplete)?;
        if group.group_id() != &config::group_id(room) {
            return Err(MlsError::WrongRoom);
        }
        Ok(HubGroup { group, store })
    }

    /// The whole state, to be stored in the same commit as the log entry that led to it. About 1.1 KB for each
    /// device (`tests/hub.rs` measures it).
    pub fn to_bytes(&self) -> Vec<u8> {
        self.store.to_bytes()
    }

    /// The current epoch.
    pub fn epoch(&self) -> u64 {
        self.group.group_context().epoch().as_u64()
    }

    /// The owners and admins; none in a direct room.
    ///
    /// # Errors
    /// [`MlsError::NotAllowed`] when the stored state was tampered with.
    pub fn roles(&self) -> Result<Option<Roles>, MlsError> {
        Roles::read(self.group.group_context().extensions())
    }

    /// The devices in the group, in the order of their leaves.
    ///
    /// # Errors
    /// [`MlsError::Credential`] when the stored state was tampered with.
    pub fn members(&self) -> Result<Vec<DeviceCert>, MlsError> {
        self.group.members().map(|member| Ok(credentials::member_device(&member)?)).collect()
    }

    /// Checks a commit with everything that comes with it: it is for this group and its current epoch, MLS holds it
    /// valid, certificates of arriving and renewed leaves are valid now, the Welcome is for exactly the added devices,
    /// and the GroupInfo describes exactly the group after the commit, so that nobody who joins by it is misled. Changes
    /// nothing.
    ///
    /// # Errors
    /// [`MlsError::WrongEpoch`] for a lost race; every other error is the submitter's fault.
    pub fn check_commit(
        &self,
        submission: &Submission<'_>,
        now_ms: Millis,
    ) -> Result<CheckedCommit, MlsError> {
        let message = messages::commit(submission.commit)?;
        if message.group_id() != self.group.group_id() {
            return Err(MlsError::WrongRoom);
        }
        let (expected, found) = (self.epoch(), message.epoch().as_u64());
        if expected != found {
            return Err(MlsError::WrongEpoch { expected, found });
        }
        if message.content_type() != ContentType::Commit {
            return Err(MlsError::NotAllowed("a message that is no commit"));
        }
        let tag = message.confirmation_tag().cloned().ok_or(MlsError::Malformed { what: "commit" })?;

        let processed = self
            .group
            .process_message(&RustCrypto::default(), message)
            .map_err(MlsError::refused("the commit"))?;
        let sender = processed.sender().clone();
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(MlsError::NotAllowed("a message that is no commit"));
        };

        let facts = commit::facts(self.group.members(), &sender, &staged, found, now_ms)?;
        check_welcome(&staged, submission.welcome)?;
        let room = self.room()?;
        check_group_info(room, &staged, &tag, submission.group_info)?;
        Ok(CheckedCommit { facts, room, staged })
    }

    /// Moves the group on. Store [`Self::to_bytes`] afterwards.
    ///
    /// # Errors
    /// [`MlsError::WrongEpoch`] or [`MlsError::WrongRoom`] when it was checked by another state of the group.
    pub fn apply(&mut self, checked: CheckedCommit) -> Result<CommitFacts, MlsError> {
        if checked.room != self.room()? {
            return Err(MlsError::WrongRoom);
        }
        let (expected, found) = (self.epoch(), checked.facts.from_epoch);
        if expected != found {
            return Err(MlsError::WrongEpoch { expected, found });
        }
        self.group
            .merge_commit(&self.store, *checked.staged)
            .map_err(MlsError::refused("to store the group"))?;
        Ok(checked.facts)
    }

    fn room(&self) -> Result<RoomId, MlsError> {
        RoomId::from_slice(self.group.group_id().as_slice()).map_err(|_| MlsError::WrongRoom)
    }
}

/// Verifies a GroupInfo with its tree (RFC 9420, 12.4.3.1) and gives the group it describes.
fn follow(room: RoomId, group_info: VerifiableGroupInfo) -> Result<HubGroup, MlsError> {
    if group_info.group_id() != &config::group_id(room) {
        return Err(MlsError::WrongRoom);
    }
    if group_info.ciphersuite() != config::CIPHERSUITE {
        return Err(MlsError::NotAllowed("another ciphersuite"));
    }
    if group_info.extensions().external_pub().is_none() {
        return Err(MlsError::GroupInfo("external_pub is missing"));
    }
    let tree =
        group_info.extensions().ratchet_tree().ok_or(MlsError::GroupInfo("the ratchet tree is missing"))?;
    let tree = tree.ratchet_tree().clone();
    let store = PublicStore::default();
    let (group, _) =
        PublicGroup::from_external(&RustCrypto::default(), &store, tree, group_info, ProposalStore::new())
            .map_err(MlsError::refused("the GroupInfo"))?;
    Ok(HubGroup { group, store })
}

/// The GroupInfo must describe the very group that the commit leads to. The group context holds room, epoch, tree hash and
/// transcript; the confirmation tag is the one that the commit carries.
fn check_group_info(
    room: RoomId,
    staged: &StagedCommit,
    tag: &ConfirmationTag,
    group_info: &[u8],
) -> Result<(), MlsError> {
    let group_info = messages::group_info(group_info)?;
    // The cheap comparison first: the rest verifies every leaf of the tree.
    if group_info.group_context() != staged.group_context() {
        return Err(MlsError::GroupInfo("another group context"));
    }
    if follow(room, group_info)?.group.confirmation_tag() != tag {
        return Err(MlsError::GroupInfo("another confirmation tag"));
    }
    Ok(())
}

/// The Welcome must be addressed to exactly the KeyPackages that the commit adds.
fn check_welcome(staged: &StagedCommit, welcome: Option<&[u8]>) -> Result<(), MlsError> {
    let crypto = RustCrypto::default();
    let mut added = BTreeSet::new();
    for add in staged.add_proposals() {
        let reference = add.add_proposal().key_package().hash_ref(&crypto);
        added.insert(reference.map_err(MlsError::refused("an added KeyPackage"))?.as_slice().to_vec());
    }
    let Some(welcome) = welcome else {
        return if added.is_empty() { Ok(()) } else { Err(MlsError::Welcome("it is missing")) };
    };
    let welcome = messages::welcome(welcome)?;
    if welcome.ciphersuite() != config::CIPHERSUITE {
        return Err(MlsError::Welcome("another ciphersuite"));
    }
    let addressed: Vec<_> =
        welcome.secrets().iter().map(|secrets| secrets.new_member().as_slice().to_vec()).collect();
    let distinct: BTreeSet<_> = addressed.iter().cloned().collect();
    if added.is_empty() || distinct != added || addressed.len() != added.len() {
        return Err(MlsError::Welcome("it is not for exactly the added devices"));
    }
    Ok(())
}

fn state(error: StoreError) -> MlsError {
    match error {
        StoreError::Decode(error) => MlsError::State(error),
        StoreError::Encode => MlsError::Incomplete,
    }
}
