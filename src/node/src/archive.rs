//! Backup, restore and check of a whole data folder: the store, and the node's key beside it.
//!
//! A backup is a folder: `store/` as `weft-store` writes it, and `node.key`. It is as secret as the data folder itself. The store's
//! manifest names the peer id that follows from the key, so that one in which a bit has changed is not taken for the node's.

use crate::{
    Config,
    identity::{self, IdentityError, KEY_FILE, RESTORING_FOLDER, STORE_FOLDER},
    wiring::store_options,
};
use std::{
    cell::Cell,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use weft_service::{Clock as _, SystemClock, wallet::LedgerReport};
use weft_store::{
    Store, Table,
    embedded::{self, Report},
    private, tables,
};
use weft_wire::NodeName;
use zeroize::Zeroizing;

/// Why a folder could not be copied, put back or checked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store's part.
    #[error(transparent)]
    Store(#[from] weft_store::Error),
    /// What was restored cannot be read.
    #[error(transparent)]
    Restored(#[from] weft_service::Fault),
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
    /// The key beside the data, or in the backup, is damaged, or was put there from elsewhere.
    #[error(
        "{} is another key than the node's: that one makes it {of}, this one {node}. Put the right one in its place, from \
         another copy or another backup", path.display()
    )]
    OtherKey {
        /// The key's file.
        path: PathBuf,
        /// The node that was backed up.
        of: String,
        /// The node that the key makes.
        node: NodeName,
    },
    /// The key in the backup is none.
    #[error("{} is no key: it has not thirty-two bytes. Take the one of another backup of the same node", .0.display())]
    NoKey(PathBuf),
    /// Nothing is there.
    #[error("there is no node in {}", .0.display())]
    NoNode(PathBuf),
    /// The source is no backup.
    #[error("{} is no backup: it holds no {KEY_FILE}", .0.display())]
    NoBackup(PathBuf),
}

/// Writes a consistent copy of the node of this peer id while it goes on, and gives the commit up to which it reaches. The key
/// comes last, so that a folder with a key is a whole backup.
///
/// # Errors
/// [`ArchiveError`].
pub async fn backup(store: &Store, data: &Path, node: &NodeName, dir: &Path) -> Result<u64, ArchiveError> {
    apart(dir, data)?;
    // On the disk, too, a bit may have changed since the node has read it.
    let key = data.join(KEY_FILE);
    is_key_of(&key, node)?;
    empty(dir)?;
    let seq = store.backup(&dir.join(STORE_FOLDER), node.as_str()).await?;
    copy_key(&key, dir)?;
    Ok(seq)
}

/// What [`restore`] put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The store's part.
    pub store: embedded::Restored,
    /// The node that it is, by its key.
    pub node: NodeName,
}

/// Puts a backup into a data folder that is empty or absent. What was numbered since the backup was taken is not in it, so that
/// numbers begin anew. Until all of that is done the store has another name: one that was put back in part is none. Of a backup
/// that is refused nothing is left.
///
/// # Errors
/// [`ArchiveError`].
pub async fn restore(from: &Path, data: &Path) -> Result<Restored, ArchiveError> {
    let key = from.join(KEY_FILE);
    if !key.is_file() {
        return Err(ArchiveError::NoBackup(from.to_owned()));
    }
    let node = node_of(&key)?;
    apart(data, from)?;
    let (part, store_folder) = (data.join(RESTORING_FOLDER), data.join(STORE_FOLDER));
    clear_cut_off(&part, &key, data)?;
    let is_new = !data.exists();
    empty(data)?;
    let restored = match fill(from, &node, &part).await {
        Ok(restored) => restored,
        Err(error) => {
            // What the error says matters more than what cannot be tidied up, and the next restore begins anew in any case.
            let _ = fs::remove_dir_all(&part);
            if is_new {
                let _ = fs::remove_dir(data);
            }
            return Err(error);
        }
    };
    // In this order: whatever is cut off here has no store, and a node starts on none.
    let finish = || {
        fs::rename(part.join(KEY_FILE), data.join(KEY_FILE))?;
        File::open(data)?.sync_all()?;
        fs::rename(&part, &store_folder)?;
        File::open(data)?.sync_all()
    };
    finish().map_err(|source| ArchiveError::Io { path: store_folder.clone(), source })?;
    Ok(Restored { store: restored, node })
}

/// Takes away what a restore that was cut off has left: a store that is none yet, and a key that is in the backup as well.
fn clear_cut_off(part: &Path, key: &Path, data: &Path) -> Result<(), ArchiveError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ArchiveError::Io { path, source }
    };
    if !part.is_dir() || data.join(STORE_FOLDER).exists() {
        return Ok(());
    }
    let there = data.join(KEY_FILE);
    if there.is_file() && node_of(&there)? == node_of(key)? {
        fs::remove_file(&there).map_err(io(&there))?;
    }
    fs::remove_dir_all(part).map_err(io(part))
}

/// A whole store with its key in it, under another name.
async fn fill(from: &Path, node: &NodeName, part: &Path) -> Result<embedded::Restored, ArchiveError> {
    let restored = embedded::restore(&from.join(STORE_FOLDER), part)?;
    if let Some(of) = restored.of.as_ref().filter(|of| *of != node.as_str()) {
        return Err(ArchiveError::OtherKey { path: from.join(KEY_FILE), of: of.clone(), node: node.clone() });
    }
    let store = embedded::open(part, embedded::Options::default())?;
    weft_service::restored(&store, SystemClock.now_ms()).await?;
    store.close().await?;
    copy_key(&from.join(KEY_FILE), part)?;
    Ok(restored)
}

fn is_key_of(path: &Path, of: &NodeName) -> Result<(), ArchiveError> {
    let node = node_of(path)?;
    if node == *of {
        return Ok(());
    }
    Err(ArchiveError::OtherKey { path: path.to_owned(), of: of.to_string(), node })
}

/// The node whose key a file holds.
fn node_of(path: &Path) -> Result<NodeName, ArchiveError> {
    let io = |source| ArchiveError::Io { path: path.to_owned(), source };
    let key = identity::open_file(path).and_then(identity::read_key).map_err(io)?;
    let key = key.ok_or_else(|| ArchiveError::NoKey(path.to_owned()))?;
    Ok(NodeName::of_key(key.verifying_key().as_bytes()))
}

/// Verifies the store of a node that does not run: journal, snapshot, index, and each record; and that the key is the one of its data.
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
    let kept = Cell::new(None);
    let judge = |table: Table, key: &[u8], value: &[u8]| {
        kept.set(weft_service::key_told_by(table, key, value).or(kept.get()));
        weft_service::check_record(table, key, value)
    };
    let report = embedded::check(&dir, &store_options(config), &judge)?;
    let (key, file) = identity::find(data)?;
    if file == KEY_FILE && report.seq == 0 {
        return Err(IdentityError::StoreLost(data.clone()).into());
    }
    match kept.get().filter(|kept| kept != key.verifying_key().as_bytes()) {
        None => Ok(report),
        Some(kept) => Err(ArchiveError::OtherKey {
            path: data.join(file),
            of: NodeName::of_key(&kept).to_string(),
            node: NodeName::of_key(key.verifying_key().as_bytes()),
        }),
    }
}

/// Does the ledger of a node that does not run once more from its log, if it has one. For data that [`check`] has found whole: the
/// store is opened for it, as a start would.
///
/// # Errors
/// [`ArchiveError`].
pub async fn check_ledger(config: &Config, report: &Report) -> Result<Option<LedgerReport>, ArchiveError> {
    if !report.rows_of_tables.iter().any(|(id, _)| *id == tables::LEDGER_LOG.id) {
        return Ok(None);
    }
    let store = embedded::open(&config.storage.data.join(STORE_FOLDER), store_options(config))?;
    let ledger = weft_service::wallet::check_ledger(&store).await;
    store.close().await?;
    Ok(Some(ledger?))
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
