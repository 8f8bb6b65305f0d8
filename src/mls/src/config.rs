//! The one configuration of every group.

use crate::{MlsError, Roles, roles::ROLES_EXTENSION};
use openmls::{
    group::MIXED_PLAINTEXT_WIRE_FORMAT_POLICY,
    prelude::{
        Capabilities, Ciphersuite, CredentialType, ExtensionType, GroupId, Lifetime, MlsGroupCreateConfig,
        MlsGroupJoinConfig, ProtocolVersion, SenderRatchetConfiguration,
    },
};
use weft_wire::{Millis, RoomId};

/// MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519, 0x0003 (RFC 9420, 17.1).
pub const CIPHERSUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// The size that messages are padded to a multiple of: short texts, and reactions to them, look alike.
pub const PADDING_BYTES: usize = 256;

/// Epochs back from which the hub takes messages: one that was under way while commits passed it is not lost.
pub const PAST_EPOCHS_MAX: u64 = 5;

/// Own commits that a member may merge, as accepted, before it has read the log up to them.
pub const COMMITS_AHEAD_MAX: u64 = 2;

/// Epochs back whose messages a member can open. More would weaken forward secrecy for nothing.
pub const PAST_EPOCHS_KEPT: u64 = PAST_EPOCHS_MAX + COMMITS_AHEAD_MAX;

/// Messages of one sender that may come late (RFC 9420, 9.1). The room log is in order, but several requests of one
/// device may overtake each other on their way into it.
const OUT_OF_ORDER_MAX: u32 = 64;

/// Messages of one sender that may be missing: encrypted, but never accepted by the hub.
const FORWARD_MAX: u32 = 2_000;

/// How long a node hands out a single-use KeyPackage after it was published, ms: 90 days. Bounds how far back a device whose
/// state is stolen can be added by what was claimed for it. The last-resort one has no such end, or else nobody could write
/// to a person who was away for longer; it is replaced when its device comes back.
pub const KEY_PACKAGE_LIFETIME_MS: Millis = 90 * 24 * 3_600_000;

/// The life time in every KeyPackage: for ever. How long a device counts is said once, in its certificate, and checked
/// against a clock that is handed in. A second limit inside the leaf would let one device with a short one block a group:
/// OpenMLS refuses a whole tree for one leaf that has run out.
pub fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// What a leaf can do: exactly what Weft uses.
pub fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[CIPHERSUITE]),
        Some(&[ExtensionType::LastResort, ExtensionType::Unknown(ROLES_EXTENSION)]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// For making a group: commits in the clear, so that the hub can follow; messages always encrypted. With roles, unless it is
/// for a direct room.
///
/// # Errors
/// [`MlsError::Refused`].
pub fn create(roles: Option<&Roles>) -> Result<MlsGroupCreateConfig, MlsError> {
    let builder = MlsGroupCreateConfig::builder()
        .ciphersuite(CIPHERSUITE)
        .capabilities(capabilities())
        .lifetime(lifetime())
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(past_epochs())
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX));
    Ok(match roles {
        Some(roles) => builder.with_group_context_extensions(roles.extensions()?).build(),
        None => builder.build(),
    })
}

/// For joining a group: the same.
pub fn join() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(past_epochs())
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER_MAX, FORWARD_MAX))
        .build()
}

/// The MLS group id of a room: its sixteen bytes.
pub fn group_id(room: RoomId) -> GroupId {
    GroupId::from_slice(room.as_bytes())
}

fn past_epochs() -> usize {
    usize::try_from(PAST_EPOCHS_KEPT).unwrap_or(usize::MAX)
}
