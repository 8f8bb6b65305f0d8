//! From an MLS leaf to the device behind it.

use crate::config;
use openmls::{
    prelude::{Credential, CredentialType, LeafNode, Member},
    treesync::LeafNodeSource,
};
use weft_wire::{
    DecodeError, Millis, Signed, decode,
    identity::{DeviceCert, IdentityError},
    signed::SignedError,
};

/// The most bytes of a credential's identity: a certificate of at most 1,024 bytes, its signature, and the frame of both.
pub const CREDENTIAL_BYTES_MAX: usize = 1_280;

/// Why a leaf was not accepted as a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Only basic credentials that hold a certificate are taken.
    #[error("not a basic credential")]
    Type,
    /// The identity of the credential is no certificate.
    #[error("the credential holds no certificate")]
    Decode(#[from] DecodeError),
    /// The certificate is not valid: signature, device id, life time.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The leaf signs with another key than the certified one.
    #[error("the leaf's signature key is not the certified device key")]
    Key,
    /// The KeyPackage has a life time of its own ([`config::lifetime`]).
    #[error("the leaf has a life time besides its certificate's")]
    Lifetime,
    /// Leaves carry no extensions.
    #[error("the leaf has extensions")]
    Extensions,
}

/// The certificate in a credential, not yet verified.
fn certificate(credential: &Credential) -> Result<Signed<DeviceCert>, CredentialError> {
    if credential.credential_type() != CredentialType::Basic {
        return Err(CredentialError::Type);
    }
    // A basic credential's content IS its identity (openmls: `BasicCredential::identity`).
    Ok(decode(credential.serialized_content(), CREDENTIAL_BYTES_MAX)?)
}

/// The device behind a credential and signature key: the certificate is valid by itself at `now_ms`, and the leaf signs
/// with the certified key. Whether the identity key is the pinned one is the caller's to compare.
///
/// # Errors
/// [`CredentialError`].
pub fn device(
    credential: &Credential,
    signature_key: &[u8],
    now_ms: Millis,
) -> Result<DeviceCert, CredentialError> {
    bound(certificate(credential)?.open(now_ms)?, signature_key)
}

/// Like [`device`], but an expired certificate passes: for leaves that were admitted while it was valid. Who is in the
/// group must stay readable, or one expired device would lock everybody out.
///
/// # Errors
/// [`CredentialError`].
pub fn device_of_any_age(
    credential: &Credential,
    signature_key: &[u8],
) -> Result<DeviceCert, CredentialError> {
    let cert = certificate(credential)?;
    let claimed = cert.peek().map_err(|error| IdentityError::Signed(SignedError::Body(error)))?;
    bound(cert.open(claimed.created_ms)?, signature_key)
}

/// The device of a leaf that is to be admitted now: [`device`], and the leaf keeps to what Weft uses.
///
/// # Errors
/// [`CredentialError`].
pub fn leaf_device(leaf: &LeafNode, now_ms: Millis) -> Result<DeviceCert, CredentialError> {
    check_shape(leaf)?;
    device(leaf.credential(), leaf.signature_key().as_slice(), now_ms)
}

/// The device of a leaf that is in a group already, as told by OpenMLS. Its signature was checked when it was admitted
/// and what is stored is our own: only decoded, not verified again.
///
/// # Errors
/// [`CredentialError`].
pub fn member_device(member: &Member) -> Result<DeviceCert, CredentialError> {
    let cert = certificate(&member.credential)?;
    bound(cert.peek()?, &member.signature_key)
}

/// The certificate in a credential that OpenMLS has just matched with a leaf that was admitted before.
pub(crate) fn device_in(credential: &Credential) -> Result<DeviceCert, CredentialError> {
    Ok(certificate(credential)?.peek()?)
}

/// What OpenMLS would let pass and we do not.
pub(crate) fn check_shape(leaf: &LeafNode) -> Result<(), CredentialError> {
    if let LeafNodeSource::KeyPackage(lifetime) = leaf.leaf_node_source()
        && *lifetime != config::lifetime()
    {
        return Err(CredentialError::Lifetime);
    }
    if leaf.extensions().iter().next().is_some() {
        return Err(CredentialError::Extensions);
    }
    Ok(())
}

fn bound(cert: DeviceCert, signature_key: &[u8]) -> Result<DeviceCert, CredentialError> {
    if cert.device_key.as_slice() != signature_key {
        return Err(CredentialError::Key);
    }
    Ok(cert)
}
