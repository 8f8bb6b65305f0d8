//! Writing the journal.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    digest::{Digest, JournalId},
    disk::{Disk, DiskFile, is_full},
    frame::FrameBuilder,
    io_error,
    segment::{FRAMES_AT, Link, SegmentHeader, segment_name},
    survey::{SegmentReader, Survey},
};
use crate::Result;

/// A segment as the rest of the engine sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentSummary {
    pub number: u64,
    pub first_seq: u64,
    pub bytes: u64,
}

/// How large things get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub segment_bytes: u64,
    pub chunk_bytes: u64,
}

/// Where the durable part of the journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub segment: u64,
    pub offset: u64,
}

/// Why a frame was not appended.
pub(crate) enum AppendError {
    /// No room. The journal is as it was before, and the next frame may be tried.
    Full,
    /// What the disk holds is not known. Nothing may be written any more.
    Unknown(String),
}

/// The end of the journal, open for writing. One thread owns it.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    sizes: Sizes,
    id: JournalId,
    file: Box<dyn DiskFile>,
    number: u64,
    offset: u64,
    /// Bytes of the file that were filled with zeros (or frames). Writing inside them changes no metadata, which makes
    /// the sync of a frame about a third cheaper on ext4 than one that also moves the end of the file.
    allocated: u64,
    link: Link,
    segments: Arc<Mutex<Vec<SegmentSummary>>>,
}

impl Journal {
    /// Makes a new journal: one segment, without frames.
    pub(crate) fn create(disk: Arc<dyn Disk>, dir: &Path, sizes: Sizes) -> Result<Self> {
        let id = JournalId::random();
        let header = SegmentHeader { id, number: 1, link: Link::START };
        let file = new_segment(&*disk, dir, &header, 0).map_err(io_error("make the journal"))?;
        let segments = vec![SegmentSummary { number: 1, first_seq: 1, bytes: FRAMES_AT }];
        Ok(Journal {
            disk,
            dir: dir.to_owned(),
            sizes,
            id,
            file,
            number: 1,
            offset: FRAMES_AT,
            allocated: FRAMES_AT,
            link: Link::START,
            segments: Arc::new(Mutex::new(segments)),
        })
    }

    /// Goes on where a surveyed journal ends.
    ///
    /// What follows the last frame is cut off. The last frame itself is written once more and synced: after a sync that
    /// failed, the kernel may show it in its cache, clean, without it being on disk, and everything later would hang on it.
    pub(crate) fn resume(disk: Arc<dyn Disk>, dir: &Path, sizes: Sizes, survey: &Survey) -> Result<Self> {
        if let Some(unborn) = survey.unborn {
            disk.remove(&dir.join(segment_name(unborn))).map_err(io_error("remove an empty segment"))?;
        }
        let Some(last) = survey.segments.last() else { return Journal::create(disk, dir, sizes) };
        let again = {
            let mut reader = SegmentReader::open(&*disk, dir, last.number)?;
            let at = last.last_frame_at.unwrap_or(0);
            let len = usize::try_from(last.end - at).unwrap_or_default();
            (at, reader.at(at, len)?.to_vec())
        };
        let file = disk.open(&dir.join(segment_name(last.number))).map_err(io_error("open the journal"))?;
        let settle = || {
            file.set_len(last.end)?;
            file.write_at(&again.1, again.0)?;
            file.sync_data()?;
            disk.sync_dir(dir)
        };
        settle().map_err(io_error("settle the end of the journal"))?;
        let segments = survey.segments.iter().map(|segment| SegmentSummary {
            number: segment.number,
            first_seq: segment.header.link.next_seq,
            bytes: segment.end,
        });
        let segments = Arc::new(Mutex::new(segments.collect()));
        Ok(Journal {
            disk,
            dir: dir.to_owned(),
            sizes,
            id: survey.id,
            file,
            number: last.number,
            offset: last.end,
            allocated: last.end,
            link: survey.end,
            segments,
        })
    }

    pub(crate) fn id(&self) -> JournalId {
        self.id
    }

    /// What the next frame follows.
    pub(crate) fn link(&self) -> Link {
        self.link
    }

    pub(crate) fn end(&self) -> End {
        End { segment: self.number, offset: self.offset }
    }

    /// The list of segments, shared with those who delete and copy them.
    pub(crate) fn segments(&self) -> Arc<Mutex<Vec<SegmentSummary>>> {
        self.segments.clone()
    }

    /// Writes one frame and syncs it. `Ok` means that it will survive a power cut. Gives its bytes on disk.
    pub(crate) fn append(&mut self, frame: FrameBuilder, digest: Digest) -> Result<u64, AppendError> {
        let (bytes, header, hash) = frame.finish(&self.id, digest, self.link.hash);
        let len = bytes.len() as u64;
        if self.offset > FRAMES_AT && self.offset + len > self.sizes.segment_bytes {
            self.rotate()?;
        }
        let end = self.offset + len;
        if end > self.allocated {
            self.extend(end)?;
        }
        if let Err(error) = self.file.write_at(&bytes, self.offset) {
            return Err(self.undo(self.offset, error));
        }
        // Never a second try: see `DiskFile::sync_data`.
        self.file
            .sync_data()
            .map_err(|error| AppendError::Unknown(format!("sync of the journal: {error}")))?;
        self.offset = end;
        self.link = Link { next_seq: header.last_seq() + 1, hash, digest };
        if let Some(summary) = self.segments.lock().last_mut() {
            summary.bytes = self.allocated;
        }
        Ok(len)
    }

    /// Fills the file with zeros, a chunk at a time. They are synced together with the frame that needs them.
    fn extend(&mut self, end: u64) -> Result<(), AppendError> {
        let target = end.max((self.allocated + self.sizes.chunk_bytes).min(self.sizes.segment_bytes));
        let zeros = vec![0; usize::try_from(target - self.allocated).unwrap_or_default()];
        if let Err(error) = self.file.write_at(&zeros, self.allocated) {
            return Err(self.undo(self.allocated, error));
        }
        self.allocated = target;
        Ok(())
    }

    /// Takes back a write that failed, if it failed for want of room. What was cut off had not been acknowledged.
    fn undo(&mut self, len: u64, error: io::Error) -> AppendError {
        if !is_full(&error) {
            return AppendError::Unknown(format!("write to the journal: {error}"));
        }
        match self.file.set_len(len) {
            Ok(()) => {
                self.allocated = len;
                AppendError::Full
            }
            Err(error) => AppendError::Unknown(format!("cut of the journal: {error}")),
        }
    }

    /// Starts the next segment. The one before it is complete and synced.
    fn rotate(&mut self) -> Result<(), AppendError> {
        let header = SegmentHeader { id: self.id, number: self.number + 1, link: self.link };
        let file = match new_segment(&*self.disk, &self.dir, &header, self.sizes.chunk_bytes) {
            Ok(file) => file,
            Err(error) if is_full(&error) => {
                // It must be gone for good before a smaller frame goes into the segment that we have: a header that came
                // back after a power cut would say that the journal branched there.
                let name = self.dir.join(segment_name(header.number));
                let gone = self.disk.remove(&name).and_then(|()| self.disk.sync_dir(&self.dir));
                return Err(match gone {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        AppendError::Unknown(format!("removal of a segment that found no room: {error}"))
                    }
                    _ => AppendError::Full,
                });
            }
            Err(error) => return Err(AppendError::Unknown(format!("new journal segment: {error}"))),
        };
        let mut segments = self.segments.lock();
        if let Some(summary) = segments.last_mut() {
            summary.bytes = self.allocated;
        }
        let bytes = FRAMES_AT + self.sizes.chunk_bytes;
        segments.push(SegmentSummary { number: header.number, first_seq: self.link.next_seq, bytes });
        drop(segments);
        self.file = file;
        self.number = header.number;
        self.offset = FRAMES_AT;
        self.allocated = bytes;
        Ok(())
    }
}

/// A segment on disk with its header, `chunk_bytes` of zeros behind it, and its name in the folder.
fn new_segment(
    disk: &dyn Disk,
    dir: &Path,
    header: &SegmentHeader,
    chunk_bytes: u64,
) -> io::Result<Box<dyn DiskFile>> {
    let file = disk.create(&dir.join(segment_name(header.number)))?;
    let mut bytes = header.encode();
    bytes.resize(bytes.len() + usize::try_from(chunk_bytes).unwrap_or_default(), 0);
    file.write_at(&bytes, 0)?;
    file.sync_data()?;
    disk.sync_dir(dir)?;
    Ok(file)
}
