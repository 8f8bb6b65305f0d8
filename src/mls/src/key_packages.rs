//! KeyPackages (RFC 9420, 10): made by a device, checked by its node, claimed by whoever adds it.

use crate::{DeviceIdentity, MlsError, config, credentials, messages};
use openmls::{prelude::*, storage::OpenMlsProvider};
use openmls_rust_crypto::RustCrypto;
use weft_wire::{Millis, identity::DeviceCert};

/// What a node learns from a KeyPackage before it keeps it or hands it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedKeyPackage {
    /// The device it adds.
    pub cert: DeviceCert,
    /// Whether it may be handed out again and again.
    pub last_resort: bool,
    /// KeyPackageRef (RFC 9420, 5.2): its name, by which a Welcome is addressed.
    pub reference: Vec<u8>,
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
    let builder = KeyPackage::builder()
        .key_package_lifetime(config::lifetime())
        .leaf_node_capabilities(config::capabilities());
    let builder = if last_resort { builder.mark_as_last_resort() } else { builder };
    let bundle = builder
        .build(config::CIPHERSUITE, provider, &me, me.credential())
        .map_err(MlsError::refused("to build a KeyPackage"))?;
    messages::to_bytes(bundle.key_package().clone())
}

/// Checks a KeyPackage: signatures, the device's certificate, and that it keeps to what Weft uses.
///
/// # Errors
/// [`MlsError::TooLarge`], [`MlsError::Malformed`], [`MlsError::Credential`], [`MlsError::Refused`].
pub fn check(bytes: &[u8], now_ms: Millis) -> Result<CheckedKeyPackage, MlsError> {
    let crypto = RustCrypto::default();
    let (key_package, cert) = open(&crypto, bytes, now_ms)?;
    let reference = key_package.hash_ref(&crypto).map_err(MlsError::refused("a KeyPackage"))?;
    Ok(CheckedKeyPackage {
        cert,
        last_resort: key_package.last_resort(),
        reference: reference.as_slice().to_vec(),
    })
}

/// Like [`check`], and gives the KeyPackage for an Add.
///
/// # Errors
/// As [`check`].
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
