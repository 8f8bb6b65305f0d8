//! The node's own key: `node.key` in the data folder. It names a node that has no DNS name, and other nodes pin it.

use ed25519_dalek::SigningKey;
use rand_core::{OsRng, RngCore};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The key's file in the data folder: thirty-two bytes.
pub const KEY_FILE: &str = "node.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The data folder or the file cannot be used.
    #[error("{} cannot be used", path.display())]
    Io {
        /// What was meant.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Not thirty-two bytes.
    #[error("{}: not a key; restore it from a backup, for other nodes and members know this node by it", .0.display())]
    Damaged(PathBuf),
    /// Others on the machine can read it.
    #[error("{}: others on this machine may read the key; run `chmod 600` on it", .0.display())]
    Exposed(PathBuf),
}

/// Makes the data folder, for its owner only, if it is not there.
///
/// # Errors
/// [`IdentityError::Io`].
pub fn make_data_folder(data: &Path) -> Result<(), IdentityError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .map_err(|source| IdentityError::Io { path: data.to_owned(), source })
}

/// Whether a node was set up in this folder.
pub fn exists(data: &Path) -> bool {
    data.join(KEY_FILE).exists()
}

/// Reads the key, or makes it on the first start.
///
/// # Errors
/// [`IdentityError`].
pub fn load_or_create(data: &Path) -> Result<SigningKey, IdentityError> {
    let path = data.join(KEY_FILE);
    match read(&path) {
        Err(IdentityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            create(data, &path)
        }
        read => read,
    }
}

fn read(path: &Path) -> Result<SigningKey, IdentityError> {
    let fault = |source| IdentityError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fault)?;
    let metadata = file.metadata().map_err(fault)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(IdentityError::Exposed(path.to_owned()));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    if metadata.len() != bytes.len() as u64 {
        return Err(IdentityError::Damaged(path.to_owned()));
    }
    file.read_exact(&mut *bytes).map_err(fault)?;
    Ok(SigningKey::from_bytes(&bytes))
}

/// Written beside, synced and renamed: a crash leaves either no key or a whole one, never one that members have seen and
/// that is gone after a power cut.
fn create(data: &Path, path: &Path) -> Result<SigningKey, IdentityError> {
    let fault = |source| IdentityError::Io { path: path.to_owned(), source };
    let mut bytes = Zeroizing::new([0; 32]);
    OsRng.fill_bytes(&mut *bytes);
    let beside = data.join("node.key.new");
    let _ = std::fs::remove_file(&beside);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(fault)?;
    file.write_all(&*bytes).and_then(|()| file.sync_all()).map_err(fault)?;
    std::fs::rename(&beside, path).map_err(fault)?;
    File::open(data).and_then(|folder| folder.sync_all()).map_err(fault)?;
    Ok(SigningKey::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = load_or_create(folder.path()).unwrap();
        assert_eq!(first.to_bytes(), load_or_create(folder.path()).unwrap().to_bytes());
        let path = folder.path().join(KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_create(folder.path()), Err(IdentityError::Exposed(_))));
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        std::fs::write(&path, b"short").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load_or_create(folder.path()), Err(IdentityError::Damaged(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
    }
}
