//! Backup while running, and restore.
//!
//! A backup is a folder with the newest snapshot, the journal behind it up to some frame, and a manifest that is written last,
//! says whose data it is and names every file with its BLAKE3 hash. It holds no index: the first start after a restore builds one.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::{
    Options,
    checkpoint::Checkpoint,
    disk::DiskFile,
    io_error,
    segment::segment_name,
    shared::{Shared, journal_dir, snapshot_dir},
    snapshot::{snapshot_name, snapshot_seqs},
    survey::survey,
};
use crate::{Error, Result, private};

const MANIFEST: &str = "weft-backup.txt";
const FIRST_LINE: &str = "weft-backup 2";
/// Of a backup that does not say whose data it is.
const FIRST_LINE_BEFORE: &str = "weft-backup 1";
/// A manifest is a few lines; nothing longer is read.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;
const COPY_BYTES: usize = 1 << 20;

/// What [`restore`] put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Sequence number of the last commit in it.
    pub seq: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Whose data it is, as was said when it was backed up. None: it was by a version that did not say.
    pub of: Option<String>,
}

/// See [`crate::Store::backup`].
pub(crate) fn backup(shared: &Shared, dir: &Path, of: &str) -> Result<u64> {
    if private::lies_inside(dir, &shared.dir).map_err(io_error("follow the folder's path"))? {
        let what = "a backup cannot lie inside the data that it is a backup of";
        return Err(Error::Folder { path: dir.to_owned(), what });
    }
    make_empty(dir)?;
    // No snapshot comes or goes and no segment is deleted while this is held. Commits go on.
    let _maintenance = shared.maintenance.lock();
    let (seq, end) = {
        let gate = shared.gate.read();
        (gate.seq(), gate.end)
    };
    let disk = &*shared.options.disk;
    let of = of.lines().next().unwrap_or_default();
    let mut manifest = format!("{FIRST_LINE}\nof {of}\nseq {seq}\n");
    let mut copy = |name: PathBuf, from: &dyn DiskFile, len: u64| -> Result<()> {
        let hash = copy_file(from, len, &dir.join(&name)).map_err(io_error("copy a file"))?;
        manifest += &format!("file {hash} {len} {}\n", name.display());
        Ok(())
    };
    for folder in [journal_dir(dir), snapshot_dir(dir)] {
        private::create_folder(&folder).map_err(io_error("make the backup's folders"))?;
    }
    if let Some(newest) = snapshot_seqs(disk, &shared.snapshot_dir())?.pop() {
        let name = snapshot_name(newest);
        let file = disk.open(&shared.snapshot_dir().join(&name)).map_err(io_error("open a snapshot"))?;
        let len = file.len_bytes().map_err(io_error("measure a snapshot"))?;
        copy(Path::new("snapshots").join(name), &*file, len)?;
    }
    let segments: Vec<_> = shared.segments.lock().iter().map(|segment| segment.number).collect();
    for number in segments.into_iter().filter(|number| *number <= end.segment) {
        let name = segment_name(number);
        let file =
            disk.open(&shared.journal_dir().join(&name)).map_err(io_error("open a journal segment"))?;
        // The last one only as far as it was synced when the backup began: a later frame may be half there.
        let len = if number == end.segment {
            end.offset
        } else {
            file.len_bytes().map_err(io_error("measure a journal segment"))?
        };
        copy(Path::new("journal").join(name), &*file, len)?;
    }
    manifest += &format!("end {}\n", blake3::hash(manifest.as_bytes()));
    let finish = || {
        let mut file = private::create_file(&dir.join(MANIFEST))?;
        file.write_all(manifest.as_bytes())?;
        file.sync_all()?;
        for folder in [journal_dir(dir), snapshot_dir(dir), dir.to_owned()] {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    finish().map_err(io_error("finish the backup"))?;
    Ok(seq)
}

/// Puts a backup into a folder that is empty or absent, so that a store opens there. The backup is verified first and is
/// not changed.
///
/// # Errors
/// [`Error::BadSnapshot`] if the backup is not whole, [`Error::Folder`] if `into` holds something, [`Error::Corrupt`] if its
/// journal is damaged, [`Error::Io`], [`Error::DiskFull`].
pub fn restore(from: &Path, into: &Path) -> Result<Restored> {
    let Manifest { of, seq, files } = read_manifest(from)?;
    make_empty(into)?;
    let options = Options::default();
    for folder in [journal_dir(into), snapshot_dir(into)] {
        options.disk.create_dir(&folder).map_err(io_error("make the data folder"))?;
    }
    let mut bytes = 0;
    for Entry { name, len, hash } in files {
        // To read alone: a backup may lie on a disk that takes no writes.
        let file = File::open(from.join(&name)).map_err(io_error("open a file of the backup"))?;
        let bad = |what| Error::BadSnapshot { path: from.join(&name), what };
        let copied = copy_file(&file, len, &into.join(&name)).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => bad("the file is shorter than it was backed up"),
            _ => io_error("copy a file")(error),
        })?;
        if copied != hash {
            return Err(bad("the file is not as it was backed up"));
        }
        bytes += len;
    }
    for folder in [journal_dir(into), snapshot_dir(into)] {
        options.disk.sync_dir(&folder).map_err(io_error("sync the data folder"))?;
    }
    let Some(survey) = survey(&*options.disk, &journal_dir(into), seq, |_| {})? else {
        return Err(Error::BadSnapshot { path: from.to_owned(), what: "the backup holds no journal" });
    };
    // From here on the journal is known to reach `seq`; generation 0 says that there is no index yet.
    Checkpoint { id: survey.id, seq, generation: 0 }.write(&*options.disk, into)?;
    Ok(Restored { seq, bytes, of })
}

struct Manifest {
    of: Option<String>,
    seq: u64,
    files: Vec<Entry>,
}

struct Entry {
    name: PathBuf,
    len: u64,
    hash: blake3::Hash,
}

fn read_manifest(dir: &Path) -> Result<Manifest> {
    let path = dir.join(MANIFEST);
    let bad = |what| Error::BadSnapshot { path: path.clone(), what };
    let mut text = String::new();
    match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Folder {
                path: dir.to_owned(),
                what: "this is no backup, or one that was not finished",
            });
        }
        file => file
            .and_then(|file| file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text))
            .map_err(io_error("read the backup's manifest"))?,
    };
    let (summed, end) = text.rsplit_once("end ").ok_or_else(|| bad("the manifest is cut short"))?;
    if blake3::Hash::from_hex(end.trim_end()).ok() != Some(blake3::hash(summed.as_bytes())) {
        return Err(bad("the manifest's hash is wrong"));
    }
    let mut lines = summed.lines();
    let of = match lines.next() {
        Some(FIRST_LINE) => {
            let of = lines.next().and_then(|line| line.strip_prefix("of "));
            Some(of.ok_or_else(|| bad("the manifest does not say whose data it is"))?.to_owned())
        }
        Some(FIRST_LINE_BEFORE) => None,
        _ => return Err(bad("the backup is of a version that this program does not know")),
    };
    let seq = lines.next().and_then(|line| line.strip_prefix("seq ")?.parse().ok());
    let files: Option<Vec<Entry>> = lines.map(parse_entry).collect();
    match (seq, files) {
        (Some(seq), Some(files)) => Ok(Manifest { of, seq, files }),
        _ => Err(bad("the manifest cannot be read")),
    }
}

fn parse_entry(line: &str) -> Option<Entry> {
    let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
    let hash = blake3::Hash::from_hex(words.next()?).ok()?;
    let len = words.next()?.parse().ok()?;
    let name = words.next()?;
    // A manifest must not name a place outside its folder.
    let (folder, file) = name.split_once('/')?;
    let inside =
        matches!(folder, "journal" | "snapshots") && !file.contains(['/', '\\']) && !file.starts_with('.');
    inside.then(|| Entry { name: PathBuf::from(name), len, hash })
}

fn make_empty(dir: &Path) -> Result<()> {
    private::make_empty_folder(dir).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty => {
            Error::Folder { path: dir.to_owned(), what: "the folder is not empty" }
        }
        _ => io_error("make a folder")(error),
    })
}

/// Copies the first `len` bytes, synced, and gives their hash.
fn copy_file(from: &dyn DiskFile, len: u64, to: &Path) -> io::Result<blake3::Hash> {
    let mut to = private::create_file(to)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = 0;
    while at < len {
        let want = usize::try_from(len - at).unwrap_or(usize::MAX).min(COPY_BYTES);
        let part = buffer.get_mut(..want).unwrap_or_default();
        let read = from.read_at(part, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let part = part.get(..read).unwrap_or_default();
        hasher.update(part);
        to.write_all(part)?;
        at += read as u64;
    }
    to.sync_all()?;
    Ok(hasher.finalize())
}
