//! The node's own key: `node.key` in the data folder. It names a node that has no DNS name, and other nodes pin it.

use ed25519_dalek::SigningKey;
use rand_core::{OsRng, RngCore};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use weft_store::{embedded, private};
use zeroize::Zeroizing;

/// The key's file in the data folder: thirty-two bytes.
pub const KEY_FILE: &str = "node.key";
/// The key during the first start, until the store beside it holds something.
const BEGUN_FILE: &str = "node.key.new";
/// The store's folder in the data folder.
pub const STORE_FOLDER: &str = "store";
/// The store's folder while a backup is put back: until it has its name, nothing in the data folder is a node.
pub const RESTORING_FOLDER: &str = "store.restoring";

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
    /// No file, or not of thirty-two bytes.
    #[error("{}: not a key, which is a file of thirty-two bytes; restore it from a backup, for other nodes and members know this node by it", .0.display())]
    Damaged(PathBuf),
    /// Others on the machine can read it.
    #[error("{}: others on this machine may read the key; run `chmod 600` on it", .0.display())]
    Exposed(PathBuf),
    /// A key, and no data with it.
    #[error(
        "{}: there is a {KEY_FILE}, but the store beside it is missing or empty: its data was lost, or not copied. Bring the \
         folder `{STORE_FOLDER}` back, or move this folder away and run `weft restore BACKUP`. To begin another node, name \
         another folder", .0.display()
    )]
    StoreLost(PathBuf),
    /// A backup was put back in part.
    #[error(
        "{}: a restore was cut off here, so that this is no node as yet: run `weft restore BACKUP` again, which begins anew",
        .0.display()
    )]
    RestoreCut(PathBuf),
    /// Data, and no key with it.
    #[error(
        "{}: there is a store, but its {KEY_FILE} is missing, by which other nodes and members know this node. Put it back \
         from a backup: it is the file {KEY_FILE} there", .0.display()
    )]
    KeyLost(PathBuf),
}

/// Makes the data folder, for its owner only, or closes one that is there to others.
///
/// # Errors
/// [`IdentityError::Io`], with a sentence if the folder is another user's or holds other things.
pub fn make_data_folder(data: &Path) -> Result<(), IdentityError> {
    // `store` alone is an ordinary name.
    private::make_folder(data, &[KEY_FILE, BEGUN_FILE, &format!("{STORE_FOLDER}/journal")])
        .map_err(|source| IdentityError::Io { path: data.to_owned(), source })
}

/// Whether a node was set up in this folder.
pub fn exists(data: &Path) -> bool {
    data.join(KEY_FILE).exists()
}

/// Before the store is opened, and so perhaps made: a folder with a key had a store.
///
/// # Errors
/// [`IdentityError::StoreLost`], [`IdentityError::RestoreCut`].
pub fn expects_store(data: &Path) -> Result<(), IdentityError> {
    let store = data.join(STORE_FOLDER);
    if data.join(RESTORING_FOLDER).is_dir() && !store.exists() {
        return Err(IdentityError::RestoreCut(data.to_owned()));
    }
    let there = embedded::exists(&store).map_err(|source| IdentityError::Io { path: store, source })?;
    if exists(data) && !there { Err(IdentityError::StoreLost(data.to_owned())) } else { Ok(()) }
}

/// Reads the key; on a first start, makes it. `empty` says whether the store that was opened beside it holds no commit. The
/// caller holds the store's lock, so nobody else is here.
///
/// A key gets its name, by [`settle`], only after the first commit beside it. So a key beside an empty store tells of data
/// that was lost, and a store without a key tells of a key that was lost; a first start that was cut short leaves neither.
///
/// # Errors
/// [`IdentityError`].
pub fn open(data: &Path, empty: bool) -> Result<SigningKey, IdentityError> {
    match (find(data), empty) {
        (Ok((_, KEY_FILE)), true) => Err(IdentityError::StoreLost(data.to_owned())),
        (Ok((key, _)), _) => Ok(key),
        // Nothing was ever signed with a key that is beside an empty store.
        (Err(IdentityError::KeyLost(_) | IdentityError::Damaged(_)), true) if !exists(data) => begin(data),
        (Err(error), _) => Err(error),
    }
}

/// Gives the key of a first start its name: from here on this folder is a node. Nothing happens on later starts.
///
/// # Errors
/// [`IdentityError::Io`].
pub fn settle(data: &Path) -> Result<(), IdentityError> {
    let path = data.join(KEY_FILE);
    if path.exists() {
        return Ok(());
    }
    let named = std::fs::rename(data.join(BEGUN_FILE), &path).and_then(|()| File::open(data)?.sync_all());
    named.map_err(|source| IdentityError::Io { path, source })
}

/// The key that is there, and the name of its file.
///
/// # Errors
/// [`IdentityError::KeyLost`] if there is none; as [`open`].
pub fn find(data: &Path) -> Result<(SigningKey, &'static str), IdentityError> {
    for name in [KEY_FILE, BEGUN_FILE] {
        match read(&data.join(name)) {
            Err(IdentityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(|key| (key, name)),
        }
    }
    Err(IdentityError::KeyLost(data.to_owned()))
}

fn read(path: &Path) -> Result<SigningKey, IdentityError> {
    let fault = |source| IdentityError::Io { path: path.to_owned(), source };
    let file = open_file(path).map_err(fault)?;
    if file.metadata().map_err(fault)?.mode() & 0o077 != 0 {
        return Err(IdentityError::Exposed(path.to_owned()));
    }
    let key = read_key(file).map_err(fault)?;
    key.ok_or_else(|| IdentityError::Damaged(path.to_owned()))
}

/// Opens a file to read; what is in its place and no file, a pipe for one, keeps nobody waiting.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let wait_for_nobody = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(wait_for_nobody).open(path)
}

/// The key in a file; none if it holds none.
pub(crate) fn read_key(mut file: File) -> io::Result<Option<SigningKey>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() != bytes.len() as u64 {
        return Ok(None);
    }
    file.read_exact(&mut *bytes)?;
    Ok(Some(SigningKey::from_bytes(&bytes)))
}

/// Makes a key and syncs it, so that whatever the store's first commit seals with it can be opened later.
fn begin(data: &Path) -> Result<SigningKey, IdentityError> {
    let path = data.join(BEGUN_FILE);
    let make = || {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut *bytes);
        let _ = std::fs::remove_file(&path);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&*bytes).and_then(|()| file.sync_all())?;
        File::open(data)?.sync_all()?;
        Ok(SigningKey::from_bytes(&bytes))
    };
    make().map_err(|source| IdentityError::Io { path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder_with_store() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        drop(embedded::open(&folder.path().join(STORE_FOLDER), embedded::Options::default()).unwrap());
        folder
    }

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        let folder = folder_with_store();
        let data = folder.path();
        let first = open(data, true).unwrap().to_bytes();
        assert!(!exists(data), "nothing is a node before its first commit");
        // The first start was cut short: before its first commit, and after it.
        assert_eq!(open(data, true).unwrap().to_bytes(), first);
        assert_eq!(open(data, false).unwrap().to_bytes(), first);
        settle(data).unwrap();
        settle(data).unwrap();
        assert!(exists(data) && !data.join(BEGUN_FILE).exists());
        assert_eq!(open(data, false).unwrap().to_bytes(), first);
        let path = data.join(KEY_FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(open(data, false), Err(IdentityError::Exposed(_))));
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let folder = folder_with_store();
        for (name, empty) in [(KEY_FILE, false), (KEY_FILE, true), (BEGUN_FILE, false)] {
            let path = folder.path().join(name);
            std::fs::write(&path, b"short").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(open(folder.path(), empty), Err(IdentityError::Damaged(_))), "{name} {empty}");
            assert_eq!(std::fs::read(&path).unwrap(), b"short");
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_key_that_a_crash_left_half_written_is_made_again() {
        let folder = folder_with_store();
        let path = folder.path().join(BEGUN_FILE);
        std::fs::write(&path, b"short").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let made = open(folder.path(), true).unwrap().to_bytes();
        assert_eq!(std::fs::read(path).unwrap(), made);
    }

    #[test]
    fn a_key_without_its_store_and_a_store_without_its_key_are_refused() {
        let folder = folder_with_store();
        let data = folder.path();
        let error = open(data, false).unwrap_err();
        assert!(
            matches!(error, IdentityError::KeyLost(_)) && error.to_string().contains("backup"),
            "{error}"
        );
        open(data, true).unwrap();
        settle(data).unwrap();
        let error = open(data, true).unwrap_err();
        assert!(
            matches!(error, IdentityError::StoreLost(_)) && error.to_string().contains("weft restore"),
            "{error}"
        );
        expects_store(data).unwrap();
        std::fs::remove_dir_all(data.join(STORE_FOLDER)).unwrap();
        assert!(matches!(expects_store(data), Err(IdentityError::StoreLost(_))));
        std::fs::remove_file(data.join(KEY_FILE)).unwrap();
        expects_store(data).unwrap();
    }
}
