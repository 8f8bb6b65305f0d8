//! Backup, restore and check of a whole data folder: the store, and the node's key beside it.
//!
//! A backup is a folder: `store/` as `weft-store` writes it, and `node.key`. It is as secret as the data folder itself.

use crate::{
    Config,
    identity::{self, IdentityError, KEY_FILE, STORE_FOLDER},
    wiring::store_options,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use weft_service::federation::begin_anew;
use weft_store::{
    Store,
    embedded::{self, Report, Restored},
    private,
};
use zeroize::Zeroizing;

/// Why a folder could not be copied, put back or checked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store's part.
    #[error(transparent)]
    Store(#[from] weft_store::Error),
    /// The key's part.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The operating system said no.
    #[error("{} cannot be used", path.display())]
    Io {
        /// What was meant.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The target holds something.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// A backup and its data must not contain each other.
    #[error("{} lies inside {}: a disk or a slip that takes the one would take both", inner.display(), outer.display())]
    Inside {
        /// The folder that was named.
        inner: PathBuf,
        /// The folder that it lies in.
        outer: PathBuf,
    },
    /// Nothing is there.
    #[error("there is no node in {}", .0.display())]
    NoNode(PathBuf),
    /// The source is no backup.
    #[error("{} is no backup: it holds no {KEY_FILE}", .0.display())]
    NoBackup(PathBuf),
}

/// Writes a consistent copy while the node goes on, and gives the commit up to which it reaches. The key comes last, so
/// that a folder with a key is a whole backup.
///
/// # Errors
/// [`ArchiveError`].
pub async fn backup(store: &Store, data: &Path, dir: &Path) -> Result<u64, ArchiveError> {
    apart(dir, data)?;
    empty(dir)?;
    let seq = store.backup(&dir.join(STORE_FOLDER)).await?;
    copy_key(&data.join(KEY_FILE), dir)?;
    Ok(seq)
}

/// Puts a backup into a data folder that is empty or absent. What was numbered for other nodes since the backup was taken is not
/// in it, so that numbers begin anew.
///
/// # Errors
/// [`ArchiveError`].
pub async fn restore(from: &Path, data: &Path) -> Result<Restored, ArchiveError> {
    let key = from.join(KEY_FILE);
    if !key.is_file() {
        return Err(ArchiveError::NoBackup(from.to_owned()));
    }
    apart(data, from)?;
    empty(data)?;
    let folder = data.join(STORE_FOLDER);
    let restored = embedded::restore(&from.join(STORE_FOLDER), &folder)?;
    let store = embedded::open(&folder, embedded::Options::default())?;
    begin_anew(&store).await?;
    store.close().await?;
    copy_key(&key, data)?;
    Ok(restored)
}

/// Verifies the store of a node that does not run: journal, snapshot, index, and each record.
///
/// # Errors
/// [`ArchiveError`]; among them [`weft_store::Error::Corrupt`], whose text says what can be done.
pub fn check(config: &Config) -> Result<Report, ArchiveError> {
    let data = &config.storage.data;
    let dir = data.join(STORE_FOLDER);
    if !dir.is_dir() && !identity::exists(data) {
        return Err(ArchiveError::NoNode(data.clone()));
    }
    identity::expects_store(data)?;
    let report = embedded::check(&dir, &store_options(config), &weft_service::check_record)?;
    match identity::find(data)? {
        (_, KEY_FILE) if report.seq == 0 => Err(IdentityError::StoreLost(data.clone()).into()),
        _ => Ok(report),
    }
}

/// Refuses a folder that lies in the other one.
fn apart(inner: &Path, outer: &Path) -> Result<(), ArchiveError> {
    let inside = private::lies_inside(inner, outer)
        .map_err(|source| ArchiveError::Io { path: inner.to_owned(), source })?;
    if inside {
        return Err(ArchiveError::Inside { inner: inner.to_owned(), outer: outer.to_owned() });
    }
    Ok(())
}

fn empty(dir: &Path) -> Result<(), ArchiveError> {
    private::make_empty_folder(dir).map_err(|source| match source.kind() {
        io::ErrorKind::DirectoryNotEmpty => ArchiveError::NotEmpty(dir.to_owned()),
        _ => ArchiveError::Io { path: dir.to_owned(), source },
    })
}

fn copy_key(from: &Path, dir: &Path) -> Result<(), ArchiveError> {
    let to = dir.join(KEY_FILE);
    let copy = || {
        let key = Zeroizing::new(fs::read(from)?);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to)?;
        file.write_all(&key)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()
    };
    copy().map_err(|source| ArchiveError::Io { path: to.clone(), source })
}
