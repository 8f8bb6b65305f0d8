//! A profile in one file: an append-only journal of sealed frames, rewritten when most of it is old.
//!
//! One frame is one output of the engine; it is on disk (`fdatasync`) before the output's effects are carried out. A frame
//! that was cut off by a crash is dropped when the file is opened: nothing of it had been done yet. Damage anywhere else is
//! said, never skipped.

use super::frame::{self, Found};
use super::rows::Rows;
use crate::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use weft_engine::host::Write;
use zeroize::Zeroizing;

const MAGIC: &[u8; 16] = b"weft profile v1\n";
/// A file smaller than this is never rewritten.
const REWRITE_BYTES_MIN: u64 = 4 << 20;

/// A profile file, its key, and its rows in memory.
pub struct File {
    path: PathBuf,
    file: fs::File,
    _lock: fs::File,
    key: Zeroizing<[u8; 32]>,
    rows: Rows,
    frames: u64,
    bytes: u64,
}

impl File {
    /// Opens a profile, or makes an empty one. The key file (32 random bytes, mode 0600) is made when neither is there.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open, [`Error::NotAProfile`] for another file or key,
    /// [`Error::Damaged`] when a frame before the last one does not open, [`Error::Io`].
    pub fn open(path: &Path, key_file: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            fs::create_dir_all(dir).map_err(io)?;
        }
        let lock = private(&path.with_extension("lock")).map_err(io)?;
        lock.try_lock().map_err(|_| Error::InUse(path.to_owned()))?;
        let key = read_key(key_file, path.exists())?;
        let mut file = private(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let mut profile = File {
            path: path.to_owned(),
            file,
            _lock: lock,
            key,
            rows: Rows::default(),
            frames: 0,
            bytes: 0,
        };
        if bytes.len() < MAGIC.len() && MAGIC.starts_with(&bytes) {
            profile.rewrite()?; // new, or killed while it was being made
        } else {
            profile.load(&bytes)?;
        }
        Ok(profile)
    }

    /// What is there now.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Appends one frame and applies it; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Io`]; the file then still holds all earlier frames.
    pub fn apply(&mut self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        let wiped = writes.iter().any(|write| matches!(write, Write::Wipe));
        let sealed = self.seal(self.frames, &writes)?;
        self.append(&sealed).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.frames += 1;
        self.bytes += sealed.len() as u64;
        self.rows.apply(writes);
        // After a sign-out nothing of the old content may stay on the disk.
        let old = self.bytes > REWRITE_BYTES_MIN && self.bytes > 3 * self.rows.bytes() as u64;
        if wiped || old { self.rewrite() } else { Ok(()) }
    }

    fn seal(&self, number: u64, writes: &[Write]) -> Result<Vec<u8>, Error> {
        let source = || io::Error::other("the writes of one output are too large");
        frame::seal(&self.key, number, writes)
            .ok_or_else(|| Error::Io { path: self.path.clone(), source: source() })
    }

    fn append(&mut self, sealed: &[u8]) -> io::Result<()> {
        self.file.write_all(sealed)?;
        self.file.sync_data()
    }

    fn load(&mut self, file: &[u8]) -> Result<(), Error> {
        if !file.starts_with(MAGIC) {
            return Err(Error::NotAProfile(self.path.clone()));
        }
        let mut at = MAGIC.len();
        loop {
            match frame::open(&self.key, self.frames, file, at) {
                Found::Frame(writes, next) => {
                    self.rows.apply(writes);
                    self.frames += 1;
                    at = next;
                }
                Found::End => break,
                // The very first frame is written whole before the file gets its name: it is the key that does not fit.
                Found::Broken if self.frames == 0 => return Err(Error::NotAProfile(self.path.clone())),
                Found::Broken if frame::any_whole(file, at) => {
                    return Err(Error::Damaged { path: self.path.clone(), offset: at as u64 });
                }
                Found::Broken => {
                    self.file
                        .set_len(at as u64)
                        .and_then(|()| self.file.sync_data())
                        .map_err(|source| Error::Io { path: self.path.clone(), source })?;
                    break;
                }
            }
        }
        self.bytes = at as u64;
        Ok(())
    }

    /// Writes the rows as one frame into a new file beside, and renames it over the old one.
    fn rewrite(&mut self) -> Result<(), Error> {
        let writes: Vec<Write> = self.rows.as_writes().collect();
        let sealed = self.seal(0, &writes)?;
        self.replace(&sealed).map_err(|source| Error::Io { path: self.path.clone(), source })?;
        self.frames = 1;
        self.bytes = (MAGIC.len() + sealed.len()) as u64;
        Ok(())
    }

    fn replace(&mut self, sealed: &[u8]) -> io::Result<()> {
        let beside = self.path.with_extension("new");
        let mut file = private(&beside)?;
        file.set_len(0)?;
        file.write_all(MAGIC)?;
        file.write_all(sealed)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        sync_dir(&self.path)?;
        self.file = file;
        Ok(())
    }
}

/// Opens for reading and appending, for this user only.
fn private(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

fn sync_dir(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(dir)?.sync_all()
}

fn read_key(path: &Path, must_exist: bool) -> Result<Zeroizing<[u8; 32]>, Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Zeroizing::new(key)),
            Err(_) => Err(Error::NotAProfile(path.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {
            let key = Zeroizing::new(rand::random::<[u8; 32]>());
            let mut file = private(path).map_err(io)?;
            file.write_all(key.as_slice()).and_then(|()| file.sync_all()).map_err(io)?;
            sync_dir(path).map_err(io)?;
            Ok(key)
        }
        Err(error) => Err(io(error)),
    }
}
