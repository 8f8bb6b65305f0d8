//! KeyPackages (RFC 9420, 10): made by a device, checked by its node, claimed by whoever adds it.

use crate::{DeviceIdentity, MlsError, config, credentials, member, messages};
use openmls::{prelude::*, storage::OpenMlsProvider};
use openmls_traits::storage::StorageProvider as _;
use weft_wire::{Millis, identity::DeviceCert};

/// What a node learns from a KeyPackage before it keeps it or hands it out.
#[cfg(feature = "hub")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedKeyPackage {
    /// The device it adds.
    pub cert: DeviceCert,
    /// Whether it may be handed out again and again.
    pub last_resort: bool,
    /// KeyPackageRef (RFC 9420, 5.2): its name, by which a Welcome is addressed.
    pub reference: Vec<u8>,
}

/// A KeyPackage that was made here.
#[derive(Debug, Clone)]
pub struct Made {
    /// As an MLSMessage, for the node.
    pub key_package: Vec<u8>,
    /// KeyPackageRef (RFC 9420, 5.2): what its private keys are kept under.
    pub reference: KeyPackageRef,
}

/// Makes a KeyPackage. Its private keys go to the provider's storage.
///
/// # Errors
/// [`MlsError::Refused`].
pub fn build<P: OpenMlsProvider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    last_resort: bool,
) -> Result<Vec<u8>, MlsError> {
    make(provider, me, last_resort).map(|made| made.key_package)
}

/// The same, and gives the name by which [`forget`] lets its private keys go.
///
/// # Errors
/// [`MlsError::Refused`].
pub fn make<P: OpenMlsProvider>(
    provider: &P,
    me: DeviceIdentity<'_>,
    last_resort: bool,
) -> Result<Made, MlsError> {
    let builder = KeyPackage::builder()
        .key_package_lifetime(config::lifetime())
        .leaf_node_capabilities(config::capabilities());
    let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
    let bundle = builder
        .build(config::CIPHERSUITE, provider, &me, me.credential())
        .map_err(MlsError::refused("to build a KeyPackage"))?;
    let key_package = bundle.key_package().clone();
    let reference = key_package.hash_ref(provider.crypto()).map_err(MlsError::refused("a KeyPackage"))?;
    Ok(Made { key_package: messages::to_bytes(key_package)?, reference })
}

/// Whether the private keys of a KeyPackage are here: neither used up nor forgotten.
///
/// # Errors
/// [`MlsError::Refused`] when what is stored cannot be read.
pub fn is_kept<P: member::Provider>(provider: &P, reference: &KeyPackageRef) -> Result<bool, MlsError> {
    let kept: Option<KeyPackageBundle> =
        provider.storage().key_package(reference).map_err(MlsError::refused("a stored KeyPackage"))?;
    Ok(kept.is_some())
}

/// Lets the private keys of a KeyPackage go. A Welcome to it does not open afterwards ([`MlsError::NoKeyPackage`]).
///
/// # Errors
/// [`MlsError::Refused`].
pub fn forget<P: member::Provider>(provider: &P, reference: &KeyPackageRef) -> Result<(), MlsError> {
    provider.storage().delete_key_package(reference).map_err(MlsError::refused("to forget a KeyPackage"))
}

/// Checks a KeyPackage: signatures, the device's certificate, and that it keeps to what Weft uses.
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`], [`MlsError::Credential`], [`MlsError::Refused`].
#[cfg(feature = "hub")]
pub fn check(bytes: &[u8], now_ms: Millis) -> Result<CheckedKeyPackage, MlsError> {
    let crypto = openmls_rust_crypto::RustCrypto::default();
    let (key_package, cert) = open(&crypto, bytes, now_ms)?;
    let reference = key_package.hash_ref(&crypto).map_err(MlsError::refused("a KeyPackage"))?;
    Ok(CheckedKeyPackage {
        cert,
        last_resort: key_package.last_resort(),
        reference: reference.as_slice().to_vec(),
    })
}

/// Checks a KeyPackage like a node does, and gives it for an Add.
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`], [`MlsError::Credential`], [`MlsError::Refused`].
pub fn open(
    crypto: &impl OpenMlsCrypto,
    bytes: &[u8],
    now_ms: Millis,
) -> Result<(KeyPackage, DeviceCert), MlsError> {
    let key_package = messages::key_package(bytes)?
        .validate(crypto, ProtocolVersion::Mls10)
        .map_err(MlsError::refused("a KeyPackage"))?;
    if key_package.ciphersuite() != config::CIPHERSUITE {
        return Err(MlsError::NotAllowed("another ciphersuite"));
    }
    if key_package.extensions().iter().any(|e| e.extension_type() != ExtensionType::LastResort) {
        return Err(MlsError::NotAllowed("extensions of a KeyPackage"));
    }
    let cert = credentials::leaf_device(key_package.leaf_node(), now_ms)?;
    Ok((key_package, cert))
}
