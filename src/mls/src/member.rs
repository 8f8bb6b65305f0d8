//! What a member does with a group: thin verbs over OpenMLS that hold it to what Weft uses of MLS.
//!
//! Generic over the storage, so that the engine runs them over its own state and tests over a plain map.

use crate::{
    CommitFacts, DeviceIdentity, MlsError, Roles, commit, config, credentials, key_packages, messages,
};
use openmls::{
    framing::errors::MessageDecryptionError,
    prelude::{
        LeafNodeIndex, LeafNodeParameters, MlsGroup, ProcessMessageError, ProcessedMessageContent,
        StagedCommit, StagedWelcome, ValidationError, WelcomeError, tls_codec::Serialize as _,
    },
    storage::OpenMlsProvider,
};
use weft_wire::{DeviceId, Millis, RoomId, identity::DeviceCert};

/// A provider whose storage errors can be kept as causes.
pub trait Provider: OpenMlsProvider<StorageError: Send + Sync + 'static> {}
impl<P: OpenMlsProvider<StorageError: Send + Sync + 'static>> Provider for P {}

/// A commit with all that goes to the hub.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// MLSMessage with a PublicMessage.
    pub commit: Vec<u8>,
    /// GroupInfo after it.
    pub group_info: Vec<u8>,
    /// For the devices it adds.
    pub welcome: Option<Vec<u8>>,
    /// The devices it adds.
    pub added: Vec<DeviceCert>,
    /// The epoch it starts from.
    pub epoch: u64,
}

/// An application message that was opened.
#[derive(Debug)]
pub struct Opened {
    /// Who sent it, at the epoch when it was sent.
    pub sender: DeviceCert,
    /// The plaintext.
    pub content: Vec<u8>,
}

/// Why an application message was not opened. In each case the group is as before.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One's own: a sender does not keep the keys of what it sent.
    #[error("one's own message")]
    Own,
    /// Its key was used and erased: it was read before.
    #[error("the message was opened before")]
    Replayed,
    /// Its epoch is out of reach ([`config::PAST_EPOCHS_KEPT`]) or from before this device joined, or too many later messages
    /// of its sender came first.
    #[error("the keys of the message are not there")]
    NoKeys,
    /// It is not what it claims to be.
    #[error(transparent)]
    Refused(#[from] MlsError),
}

/// What a commit is to do, besides renewing the own leaf.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan<'a> {
    /// KeyPackages of devices to be added.
    pub add: &'a [&'a [u8]],
    /// Devices to be removed.
    pub remove: &'a [DeviceId],
    /// The owners and admins from then on, if they change.
    pub roles: Option<&'a Roles>,
}

/// Makes a group for a direct room, in which only this device is, and its GroupInfo for the hub.
///
/// # Errors
/// [`MlsError::Refused`], for example when a group of this id is in the storage already.
pub fn create<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    room: RoomId,
) -> Result<(MlsGroup, Vec<u8>), MlsError> {
    create_with(provider, me, room, None)
}

/// Makes a group that this device's person owns, in which only this device is, and its GroupInfo for the hub.
///
/// # Errors
/// As [`create`]; [`MlsError::Credential`] when the own certificate cannot be read.
pub fn create_group<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    room: RoomId,
) -> Result<(MlsGroup, Vec<u8>), MlsError> {
    let own = me.cert.peek().map_err(credentials::CredentialError::from)?;
    create_with(provider, me, room, Some(&Roles::of_creator(own.user)))
}

fn create_with<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    room: RoomId,
    roles: Option<&Roles>,
) -> Result<(MlsGroup, Vec<u8>), MlsError> {
    let group = MlsGroup::new_with_group_id(
        provider,
        &me,
        &config::create(roles)?,
        config::group_id(room),
        me.credential(),
    )
    .map_err(MlsError::refused("to create a group"))?;
    let group_info = group
        .export_group_info(provider.crypto(), &me, true)
        .map_err(MlsError::refused("to describe a group"))?;
    Ok((group, messages::to_bytes(group_info)?))
}

/// Prepares a commit that adds `key_packages`, removes `remove` and renews the own leaf (with the current certificate).
/// It stays pending in the group until [`MlsGroup::merge_pending_commit`]; another commit of the epoch drops it.
///
/// # Errors
/// [`MlsError`]; the group is as before.
pub fn prepare<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    group: &mut MlsGroup,
    key_packages: &[impl AsRef<[u8]>],
    remove: &[DeviceId],
    now_ms: Millis,
) -> Result<Prepared, MlsError> {
    let add: Vec<&[u8]> = key_packages.iter().map(AsRef::as_ref).collect();
    prepare_plan(provider, me, group, Plan { add: &add, remove, roles: None }, now_ms)
}

/// The same for a whole plan.
///
/// # Errors
/// [`MlsError`]; the group is as before.
pub fn prepare_plan<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    group: &mut MlsGroup,
    plan: Plan<'_>,
    now_ms: Millis,
) -> Result<Prepared, MlsError> {
    let Plan { add, remove, roles } = plan;
    let mut adds = Vec::new();
    let mut added = Vec::new();
    for bytes in add {
        let (key_package, cert) = key_packages::open(provider.crypto(), bytes, now_ms)?;
        adds.push(key_package);
        added.push(cert);
    }
    let leaves = leaves(group)?;
    let removals = remove
        .iter()
        .map(|device| {
            let found = leaves.iter().find(|(_, cert)| cert.device == *device);
            found.map(|(index, _)| *index).ok_or(MlsError::NoSuchDevice(*device))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = added.iter().find(|cert| {
        leaves.iter().any(|(_, leaf)| leaf.device == cert.device) && !remove.contains(&cert.device)
    }) {
        return Err(MlsError::Duplicate(twice.device));
    }

    let epoch = group.epoch().as_u64();
    let leaf = LeafNodeParameters::builder().with_credential_with_key(me.credential()).build();
    let mut builder = group
        .commit_builder()
        .force_self_update(true)
        .leaf_node_parameters(leaf)
        .propose_adds(adds)
        .propose_removals(removals);
    if let Some(roles) = roles {
        builder = builder
            .propose_group_context_extensions(roles.extensions()?)
            .map_err(MlsError::refused("to change roles"))?;
    }
    let bundle = builder
        .load_psks(provider.storage())
        .and_then(|builder| builder.build(provider.rand(), provider.crypto(), &me, |_| true))
        .map_err(MlsError::refused("to build a commit"))?
        .stage_commit(provider)
        .map_err(MlsError::refused("to stage a commit"))?;
    let (commit, welcome, group_info) = bundle.into_messages();
    Ok(Prepared {
        commit: messages::to_bytes(commit)?,
        group_info: messages::to_bytes(group_info.ok_or(MlsError::Incomplete)?)?,
        welcome: welcome.map(messages::to_bytes).transpose()?,
        added,
        epoch,
    })
}

/// Prepares an external commit by a GroupInfo (RFC 9420, 12.4.3.2). The own old leaf, if one is there, is removed. The
/// group is at the epoch after it: keep it aside until the hub has accepted.
///
/// # Errors
/// [`MlsError`].
pub fn join_externally<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    room: RoomId,
    group_info: &[u8],
) -> Result<(MlsGroup, Prepared), MlsError> {
    join_externally_by(provider, me, room, group_info).map(|(group, prepared, _)| (group, prepared))
}

/// The same, and gives who signed the GroupInfo.
///
/// # Errors
/// As [`join_externally`].
pub fn join_externally_by<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    room: RoomId,
    group_info: &[u8],
) -> Result<(MlsGroup, Prepared, DeviceCert), MlsError> {
    let signer = messages::signer(group_info)?;
    let group_info = messages::group_info(group_info)?;
    if group_info.group_id() != &config::group_id(room) {
        return Err(MlsError::WrongRoom);
    }
    if group_info.ciphersuite() != config::CIPHERSUITE {
        return Err(MlsError::NotAllowed("another ciphersuite"));
    }
    let epoch = group_info.epoch().as_u64();
    let leaf = LeafNodeParameters::builder().with_capabilities(config::capabilities()).build();
    let (group, bundle) = MlsGroup::external_commit_builder()
        .with_config(config::join())
        .skip_lifetime_validation()
        .build_group(provider, group_info, me.credential())
        .map_err(MlsError::refused("to join by the GroupInfo"))?
        .leaf_node_parameters(leaf)
        .load_psks(provider.storage())
        .and_then(|builder| builder.build(provider.rand(), provider.crypto(), &me, |_| true))
        .map_err(MlsError::refused("to build an external commit"))?
        .finalize(provider)
        .map_err(MlsError::refused("to stage an external commit"))?;
    roles(&group)?;
    let by = signer_of(&group, me, signer)?;
    let (commit, _, group_info) = bundle.into_messages();
    let prepared = Prepared {
        commit: messages::to_bytes(commit)?,
        group_info: messages::to_bytes(group_info.ok_or(MlsError::Incomplete)?)?,
        welcome: None,
        added: Vec::new(),
        epoch,
    };
    Ok((group, prepared, by))
}

/// Whether a group is where a GroupInfo says: at the same epoch, with the same history, members and extensions. Of the GroupInfo
/// only its GroupContext is looked at, which comes first in it (RFC 9420, 12.4.3); its signature is not.
///
/// # Errors
/// [`MlsError::Refused`] when the context cannot be written.
pub fn is_at(group: &MlsGroup, group_info: &[u8]) -> Result<bool, MlsError> {
    let context = group.public_group().group_context().tls_serialize_detached();
    let context = context.map_err(MlsError::refused("the context of the group"))?;
    // Before it: the version and the format of the message.
    Ok(group_info.get(4..).is_some_and(|rest| rest.starts_with(&context)))
}

/// Whose leaf was there when a GroupInfo was signed by which this device has come in. Where nobody is now, or this device itself,
/// its own old leaf was: an external commit removes the leaf that signs with the joiner's key, and no other.
fn signer_of(group: &MlsGroup, me: DeviceIdentity<'_>, signer: u32) -> Result<DeviceCert, MlsError> {
    let own = group.own_leaf_index();
    let by = group.members().find(|member| member.index.u32() == signer && member.index != own);
    Ok(match by {
        Some(by) => credentials::device_of_any_age(&by.credential, &by.signature_key)?,
        None => me.cert.peek().map_err(credentials::CredentialError::from)?,
    })
}

/// Joins by a Welcome. A group of this id that is in the storage is replaced.
///
/// # Errors
/// As [`join_by`].
pub fn join<P: Provider>(provider: &P, room: RoomId, welcome: &[u8]) -> Result<MlsGroup, MlsError> {
    join_by(provider, room, welcome).map(|(group, _)| group)
}

/// The same, and gives whose commit the Welcome belongs to: it is signed by them.
///
/// # Errors
/// [`MlsError::NoKeyPackage`], [`MlsError::WrongRoom`], [`MlsError::Refused`].
pub fn join_by<P: Provider>(
    provider: &P,
    room: RoomId,
    welcome: &[u8],
) -> Result<(MlsGroup, DeviceCert), MlsError> {
    let welcome = messages::welcome(welcome)?;
    let builder =
        StagedWelcome::build_from_welcome(provider, &config::join(), welcome).map_err(
            |error| match error {
                WelcomeError::NoMatchingKeyPackage => MlsError::NoKeyPackage,
                error => MlsError::refused("the Welcome")(error),
            },
        )?;
    if builder.processed_welcome().unverified_group_info().group_id() != &config::group_id(room) {
        return Err(MlsError::WrongRoom);
    }
    let staged = builder
        .skip_lifetime_validation()
        .replace_old_group()
        .build()
        .map_err(MlsError::refused("the Welcome"))?;
    let sender = staged.welcome_sender().map_err(MlsError::refused("the Welcome's sender"))?;
    let by = credentials::device_in(sender.credential())?;
    let group = staged.into_group(provider).map_err(MlsError::refused("the Welcome"))?;
    roles(&group)?;
    Ok((group, by))
}

/// Verifies a commit of somebody else and tells what it does. Merge it with [`MlsGroup::merge_staged_commit`].
///
/// # Errors
/// [`MlsError::WrongEpoch`], [`MlsError::WrongRoom`], and what [`commit::facts`] gives.
pub fn stage<P: Provider>(
    provider: &P,
    group: &mut MlsGroup,
    bytes: &[u8],
    now_ms: Millis,
) -> Result<(CommitFacts, Box<StagedCommit>), MlsError> {
    let message = messages::commit(bytes)?;
    if message.group_id() != group.group_id() {
        return Err(MlsError::WrongRoom);
    }
    let (expected, found) = (group.epoch().as_u64(), message.epoch().as_u64());
    if expected != found {
        return Err(MlsError::WrongEpoch { expected, found });
    }
    let processed = group.process_message(provider, message).map_err(MlsError::refused("the commit"))?;
    let sender = processed.sender().clone();
    let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
        return Err(MlsError::NotAllowed("a message that is no commit"));
    };
    let facts = commit::facts(group.members(), &sender, &staged, found, now_ms)?;
    Ok((facts, staged))
}

/// Encrypts an application message. The ratchet moves on: what comes out is to be stored before it is sent.
///
/// # Errors
/// [`MlsError::Refused`], for example when this device was removed.
pub fn seal<P: Provider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    group: &mut MlsGroup,
    content: &[u8],
) -> Result<Vec<u8>, MlsError> {
    let message =
        group.create_message(provider, &me, content).map_err(MlsError::refused("to encrypt a message"))?;
    messages::to_bytes(message)
}

/// Opens an application message of this epoch or one of the last [`config::PAST_EPOCHS_KEPT`].
///
/// # Errors
/// [`OpenError`].
pub fn open<P: Provider>(provider: &P, group: &mut MlsGroup, bytes: &[u8]) -> Result<Opened, OpenError> {
    let message = messages::application(bytes)?;
    if message.group_id() != group.group_id() {
        return Err(MlsError::WrongRoom.into());
    }
    let processed = group.process_message(provider, message).map_err(why_not)?;
    let credential = processed.credential().clone();
    match processed.into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => {
            let sender = credentials::device_in(&credential).map_err(MlsError::from)?;
            Ok(Opened { sender, content: message.into_bytes() })
        }
        ProcessedMessageContent::OwnPrivateMessage => Err(OpenError::Own),
        _ => Err(MlsError::NotAllowed("an encrypted message that is not for people").into()),
    }
}

/// The devices in a group, in the order of their leaves; verified when they came in, only decoded here.
///
/// # Errors
/// [`MlsError::Credential`].
pub fn members(group: &MlsGroup) -> Result<Vec<DeviceCert>, MlsError> {
    Ok(leaves(group)?.into_iter().map(|(_, cert)| cert).collect())
}

/// The devices in a group that was just joined, each certificate verified. Expired ones pass: they were admitted in time.
///
/// # Errors
/// [`MlsError::Credential`].
pub fn verified_members(group: &MlsGroup) -> Result<Vec<DeviceCert>, MlsError> {
    group
        .members()
        .map(|member| Ok(credentials::device_of_any_age(&member.credential, &member.signature_key)?))
        .collect()
}

fn leaves(group: &MlsGroup) -> Result<Vec<(LeafNodeIndex, DeviceCert)>, MlsError> {
    group.members().map(|member| Ok((member.index, credentials::member_device(&member)?))).collect()
}

/// The owners and admins of a group; none in a direct room.
///
/// # Errors
/// [`MlsError::NotAllowed`] for any other extension of the group context.
pub fn roles(group: &MlsGroup) -> Result<Option<Roles>, MlsError> {
    Roles::read(group.extensions())
}

fn why_not<E: std::error::Error + Send + Sync + 'static>(error: ProcessMessageError<E>) -> OpenError {
    match &error {
        ProcessMessageError::ValidationError(ValidationError::NoPastEpochData) => OpenError::NoKeys,
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(secret),
        )) => match format!("{secret:?}").as_str() {
            // OpenMLS does not export the type of this error, only its names.
            "SecretReuseError" => OpenError::Replayed,
            "TooDistantInThePast" => OpenError::NoKeys,
            _ => OpenError::Refused(MlsError::refused("the message")(error)),
        },
        _ => OpenError::Refused(MlsError::refused("the message")(error)),
    }
}
