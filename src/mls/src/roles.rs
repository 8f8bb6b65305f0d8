//! Who may do what in a group: a plain extension of the group context (RFC 9420, 13.4).
//!
//! It is part of what every member signs and confirms with each epoch, so neither the hub nor anybody else promotes a person
//! behind the others' backs. A direct room has no such extension, and that is how a member tells the two kinds apart
//! whatever the hub says.

use crate::MlsError;
use openmls::prelude::{
    Extension, ExtensionType, Extensions, GroupContext, RequiredCapabilitiesExtension, UnknownExtension,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use weft_wire::{UserAddress, decode, encode, limits, rooms::RoomRole};

/// The extension's type, of the range for private use (RFC 9420, 17.3).
pub const ROLES_EXTENSION: u16 = 0xF0C1;
/// Every member an admin, with the longest address and what goes around it.
const BYTES_MAX: usize = limits::ROOM_MEMBERS_MAX * 384;

/// The owners and admins of a group. Whoever is not named is a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(BTreeMap<UserAddress, RoomRole>);

impl Roles {
    /// Of a new group: the one who makes it owns it.
    pub fn of_creator(creator: UserAddress) -> Self {
        Roles([(creator, RoomRole::Owner)].into())
    }

    /// What somebody may do, if they are in the group.
    pub fn of(&self, user: &UserAddress) -> RoomRole {
        self.0.get(user).copied().unwrap_or(RoomRole::Member)
    }

    /// Gives somebody a role, or takes theirs.
    pub fn set(&mut self, user: &UserAddress, role: RoomRole) {
        match role {
            RoomRole::Member => drop(self.0.remove(user)),
            role => drop(self.0.insert(user.clone(), role)),
        }
    }

    /// Owners and admins.
    pub fn named(&self) -> &BTreeMap<UserAddress, RoomRole> {
        &self.0
    }

    /// Whether somebody owns the group.
    pub fn has_owner(&self) -> bool {
        self.0.values().any(|role| *role == RoomRole::Owner)
    }

    /// Reads the roles out of a group context. None: it has no extensions at all, as a direct room. Anything but the roles, and
    /// that every leaf has to know them, is refused: other extensions could name external senders.
    ///
    /// # Errors
    /// [`MlsError::NotAllowed`], [`MlsError::TooLarge`].
    pub fn read(extensions: &Extensions<GroupContext>) -> Result<Option<Self>, MlsError> {
        if extensions.iter().next().is_none() {
            return Ok(None);
        }
        let only = extensions.iter().count() == 2
            && extensions.required_capabilities() == Some(&required())
            && extensions.unknown(ROLES_EXTENSION).is_some();
        let found = extensions.unknown(ROLES_EXTENSION).filter(|_| only);
        let bytes = &found.ok_or(MlsError::NotAllowed("group context extensions"))?.0;
        let (len, max) = (bytes.len(), BYTES_MAX);
        if len > max {
            return Err(MlsError::TooLarge { what: "roles", len, max });
        }
        let roles: Roles =
            decode(bytes, max).map_err(|_| MlsError::NotAllowed("roles that cannot be read"))?;
        // One way to write the same: what is compared here and there is the same bytes.
        let canonical = encode(&roles) == *bytes && !roles.0.values().any(|role| *role == RoomRole::Member);
        if !canonical || roles.0.len() > limits::ROOM_MEMBERS_MAX {
            return Err(MlsError::NotAllowed("roles that are written otherwise"));
        }
        Ok(Some(roles))
    }

    /// The extensions of a group with these roles.
    ///
    /// # Errors
    /// [`MlsError::Refused`]; never, as long as OpenMLS takes unknown extensions in a group context.
    pub(crate) fn extensions(&self) -> Result<Extensions<GroupContext>, MlsError> {
        let roles = Extension::Unknown(ROLES_EXTENSION, UnknownExtension(encode(self)));
        Extensions::from_vec(vec![Extension::RequiredCapabilities(required()), roles])
            .map_err(MlsError::refused("the roles"))
    }
}

/// OpenMLS lets roles be changed only where every leaf is required to know them.
fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(&[ExtensionType::Unknown(ROLES_EXTENSION)], &[], &[])
}
