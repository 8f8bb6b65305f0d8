//! Folders that only their owner may enter.
//!
//! A store holds nothing that opens a conversation, but it does hold the server's OPAQUE keys and who talks to whom. So its
//! files are made 0600 and its folders 0700, and a folder that was there before is closed when it is found open.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Component, Path, PathBuf},
};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// What a group and everybody else may do.
const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it, for their owner only. One that is there already is closed to others if it is ours and
/// empty, or holds one of `known`, the names by which it is recognised as a folder of this program's own.
///
/// # Errors
/// `PermissionDenied` with a sentence for the operator if the folder is somebody else's, or is open to others and holds other
/// things: closing `/var/lib` because of a slip in the configuration would be worse than not to start. Others as the
/// operating system says.
pub fn make_folder(dir: &Path, known: &[&str]) -> io::Result<()> {
    let found = match fs::metadata(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(dir);
        }
        found => found?,
    };
    let is_ours = |name: &str| dir.join(name).exists();
    let open = found.is_dir() && found.mode() & OTHERS != 0;
    if open && fs::read_dir(dir)?.next().is_some() && !known.iter().copied().any(is_ours) {
        return Err(refused(
            "others on this machine may look into this folder, and it holds other things: name a folder of its own, or run \
             `chmod 700` on this one",
        ));
    }
    close_folder(dir)
}

/// Makes a folder for its owner only, or accepts one in which there is nothing.
///
/// # Errors
/// `DirectoryNotEmpty`, with nothing changed; else as [`make_folder`].
pub fn make_empty_folder(dir: &Path) -> io::Result<()> {
    match fs::read_dir(dir).map(|mut entries| entries.next()) {
        Ok(Some(_)) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => make_folder(dir, &[]),
    }
}

/// Closes an existing folder, and what is in it, to everybody but its owner.
///
/// # Errors
/// As [`make_folder`].
pub fn close_folder(dir: &Path) -> io::Result<()> {
    let found = fs::metadata(dir)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(
            "this folder belongs to another user, who could read what is kept in it: run `chown` on it, or run the node as \
             that user",
        ));
    }
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    tracing::warn!(folder = %dir.display(), "others on this machine could look into this folder until now; it is closed");
    let changed = fs::set_permissions(dir, Permissions::from_mode(FOLDER_MODE));
    // Some file systems refuse, others agree and do nothing.
    if changed.is_err() || fs::metadata(dir)?.mode() & OTHERS != 0 {
        return Err(refused(
            "others may look into this folder, and its file system does not let that be changed: name another folder, or \
             mount it for yourself alone (`umask=077`)",
        ));
    }
    close_contents(dir)
}

/// Takes the rights of others from everything below a folder. What is not a file or a folder is left as it is: a link may
/// lead anywhere.
fn close_contents(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let found = entry.metadata()?;
        if found.mode() & OTHERS != 0 && (found.is_dir() || found.is_file()) {
            fs::set_permissions(entry.path(), Permissions::from_mode(found.mode() & 0o7777 & !OTHERS))?;
        }
        if found.is_dir() {
            close_contents(&entry.path())?;
        }
    }
    Ok(())
}

/// Makes an empty file to read and write that only its owner may open, in place of any that is there.
///
/// # Errors
/// Those of the operating system.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(FILE_MODE).open(path)
}

/// Opens or makes a file to hold a lock on.
pub(crate) fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)
}

/// Makes one folder, whose parent is there.
pub(crate) fn create_folder(dir: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(dir)
}

/// Whether `path`, which need not be there, is `dir` or lies in it, whatever links and `..` lead to it.
///
/// # Errors
/// Those of the operating system, if `path` cannot be followed.
pub fn lies_inside(path: &Path, dir: &Path) -> io::Result<bool> {
    Ok(real(path)?.starts_with(real(dir)?))
}

/// A path without links and `..`, as far as it exists; what does not exist cannot be a link.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut real = PathBuf::new();
    for component in std::path::absolute(path)?.components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            Component::CurDir => {}
            component => {
                real.push(component);
                match real.canonicalize() {
                    Ok(found) => real = found,
                    Err(error) if error.kind() == io::ErrorKind::NotFound && !real.is_symlink() => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(real)
}

fn refused(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_folder_of_ours_is_closed_with_all_that_is_in_it() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("new/data");
        make_folder(&dir, &[]).unwrap();
        assert_eq!(mode(&dir), 0o700);
        fs::create_dir(dir.join("journal")).unwrap();
        fs::write(dir.join("journal/1"), b"x").unwrap();
        for path in ["", "journal", "journal/1"] {
            fs::set_permissions(dir.join(path), Permissions::from_mode(0o755)).unwrap();
        }
        make_folder(&dir, &["lock", "journal"]).unwrap();
        assert_eq!(["", "journal", "journal/1"].map(|path| mode(&dir.join(path))), [0o700; 3]);
        let empty = temp.path().join("empty");
        fs::create_dir(&empty).unwrap();
        fs::set_permissions(&empty, Permissions::from_mode(0o777)).unwrap();
        make_folder(&empty, &[]).unwrap();
        assert_eq!(mode(&empty), 0o700);
    }

    #[test]
    fn a_folder_that_holds_other_things_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join("letter"), b"x").unwrap();
        fs::set_permissions(temp.path(), Permissions::from_mode(0o700)).unwrap();
        make_folder(temp.path(), &["journal"]).unwrap();
        fs::set_permissions(temp.path(), Permissions::from_mode(0o755)).unwrap();
        let error = make_folder(temp.path(), &["journal"]).unwrap_err();
        assert!(error.to_string().contains("chmod 700"), "{error}");
        assert_eq!(mode(temp.path()), 0o755);
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        // Only root may give a folder away; for everybody else the root folder is somebody else's already.
        let dir = match std::os::unix::fs::chown(temp.path(), Some(12_345), None) {
            Ok(()) => temp.path(),
            Err(_) => Path::new("/"),
        };
        let error = close_folder(dir).unwrap_err();
        assert!(error.to_string().contains("another user"), "{error}");
    }

    #[test]
    fn what_lies_inside_is_seen_through_links_and_dots() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("data");
        fs::create_dir_all(dir.join("store")).unwrap();
        std::os::unix::fs::symlink(&dir, temp.path().join("link")).unwrap();
        for inside in
            ["data", "data/store/new", "link/x/y", "other/../data/x", "data/../link", "data/none/../x"]
        {
            assert!(lies_inside(&temp.path().join(inside), &dir).unwrap(), "{inside}");
        }
        for outside in ["", "data2", "data/../data2", "link/../other", "data/none/../../x"] {
            assert!(!lies_inside(&temp.path().join(outside), &dir).unwrap(), "{outside}");
        }
        std::os::unix::fs::symlink(dir.join("later"), temp.path().join("dangling")).unwrap();
        assert!(lies_inside(&temp.path().join("dangling/x"), &dir).is_err(), "where it leads may come to be");
    }
}
