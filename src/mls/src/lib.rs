//! MLS (RFC 9420) as Weft uses it: credentials, group policy, the public view of a group that a hub keeps.
//!
//! One ciphersuite, one credential type, one kind of proposal list. What MLS allows beyond that (proposals by reference,
//! pre-shared keys, re-initialisation, other group context extensions) is refused by both the hub and the members, so that
//! there is less to get wrong:
//!
//! - A leaf carries a [`DeviceCert`](weft_wire::identity::DeviceCert), signed by the person's identity key
//!   ([`credentials`]).
//! - A commit adds devices, removes devices, changes roles and renews the committer's own leaf. Or it is an external commit:
//!   a new device joins, or a device joins anew in place of its own old leaf ([`commit`]).
//! - The group context of a group holds its owners and admins ([`roles`]); that of a direct room holds nothing.
//! - The hub follows the group by its commits and checks each before it takes it ([`hub`]). It holds no secret.
//! - Who may do what is a pure function that the hub and every member run alike ([`policy`]).
//!
//! Clocks: every verb takes the time as an argument. OpenMLS itself looks at the system clock only for the life time of
//! KeyPackages, which here never ends by itself: the certificate's does ([`config::lifetime`]).

pub mod commit;
pub mod config;
pub mod credentials;
mod error;
#[cfg(feature = "hub")]
pub mod hub;
pub mod identity;
pub mod key_packages;
pub mod member;
pub mod messages;
pub mod policy;
#[cfg(feature = "hub")]
mod public_store;
pub mod roles;
pub mod sets;

pub use commit::CommitFacts;
pub use credentials::CredentialError;
pub use error::MlsError;
#[cfg(feature = "hub")]
pub use hub::{CheckedCommit, HubGroup, Submission};
pub use identity::DeviceIdentity;
pub use openmls;
pub use policy::PolicyError;
pub use roles::Roles;
