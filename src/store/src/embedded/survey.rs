//! Reading a journal: is every frame there and whole, and where does it end?
//!
//! The end needs care. A crash may leave a frame half written; that frame was never acknowledged, and cutting it off is right.
//! Damage further up hits what was acknowledged, and cutting there would lose it silently. Both look alike at the bad spot.
//! What tells them apart is how the journal is written:
//!
//! 1. A frame is written only after the frame before it was synced without an error. So at any moment at most ONE frame is
//!    not known to be on disk, and it is the last one. (A segment is created, header first, only between two frames.)
//! 2. A valid frame, or a segment's header, anywhere behind a bad spot therefore proves that the bad spot had been synced
//!    once, and acknowledged: it is damage. Frames start on sectors, so looking at every sector finds each of them.
//! 3. A checkpoint names a sequence number that was on disk. If the journal ends before it, that is damage too, even at the
//!    very end; after an orderly stop this covers the last frame.
//!
//! What remains is damage to the last acknowledged frame alone, after a crash, before a checkpoint: nothing in the file
//! distinguishes it from a write cut short.

use std::{collections::BTreeMap, io, path::Path};

use super::{
    codec::SECTOR,
    digest::JournalId,
    disk::{Disk, DiskFile},
    frame::{self, FRAME_HEADER_BYTES, FrameHeader},
    io_error,
    segment::{FRAMES_AT, Link, SegmentHeader, segment_name, segment_number},
};
use crate::{Error, Result};

/// What the operator can do about a damaged journal.
pub(crate) const RESTORE_HINT: &str = "Nothing was changed. Look for a failing disk, copy this folder away, then put a \
     backup into an empty data folder with `weft restore BACKUP` (or repair the file from another copy)";

/// Bytes read at once; also the least that is looked at when frames are searched for.
const WINDOW_BYTES: usize = 1 << 20;

/// A segment that was read to its end.
pub(crate) struct Surveyed {
    pub number: u64,
    pub header: SegmentHeader,
    /// Byte after the last frame.
    pub end: u64,
    /// Where the last frame starts, if there is one.
    pub last_frame_at: Option<u64>,
}

/// A journal that was read to its end.
pub(crate) struct Survey {
    pub id: JournalId,
    pub segments: Vec<Surveyed>,
    /// What the next frame follows.
    pub end: Link,
    /// A last segment without a header and without frames: a crash came while it was made.
    pub unborn: Option<u64>,
    /// Frames seen.
    pub frames: u64,
}

/// Numbers of the segments in a folder, ascending.
pub(crate) fn segment_numbers(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>> {
    let names = disk.list(dir).map_err(io_error("list the journal"))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the journal in `dir` from its first segment to its end and verifies all of it. `None` if there is none yet.
///
/// `required_seq` is a sequence number that is known to have been on disk. `each` sees the header of every valid frame.
pub(crate) fn survey(
    disk: &dyn Disk,
    dir: &Path,
    required_seq: u64,
    mut each: impl FnMut(&FrameHeader),
) -> Result<Option<Survey>> {
    let mut numbers = segment_numbers(disk, dir)?;
    let mut headers = BTreeMap::new();
    for number in &numbers {
        let mut reader = SegmentReader::open(disk, dir, *number)?;
        let header = SegmentHeader::decode(reader.at(0, SECTOR)?).filter(|header| header.number == *number);
        headers.insert(*number, header);
    }
    let id = headers.values().flatten().map(|header| header.id).next();
    let unborn = match numbers.last() {
        Some(last) if headers.get(last).is_some_and(Option::is_none) => {
            // Frames in it would prove that its header was once there. Without any header there is no id to know them by.
            if let Some(id) = &id
                && SegmentReader::open(disk, dir, *last)?.find_frame(id, 0, 0)?.is_some()
            {
                return Err(corrupt(*last, 0, 0, "the segment's header is unreadable"));
            }
            numbers.pop()
        }
        _ => None,
    };
    let Some(id) = id else {
        numbers.extend(unborn);
        return nothing_yet(disk, dir, &numbers, required_seq).map(|()| None);
    };
    let mut survey = Survey { id, segments: Vec::new(), end: Link::START, unborn, frames: 0 };
    for number in &numbers {
        let Some(Some(header)) = headers.get(number) else {
            return Err(corrupt(*number, 0, 0, "the segment's header is unreadable"));
        };
        if header.id != id {
            return Err(corrupt(*number, 0, 0, "the segment belongs to another journal"));
        }
        check_follows(&survey, header)?;
        let mut reader = SegmentReader::open(disk, dir, *number)?;
        read_segment(&mut reader, &mut survey, header, &mut each)?;
    }
    if survey.end.next_seq <= required_seq {
        let (number, end) = survey.segments.last().map_or((0, 0), |last| (last.number, last.end));
        return Err(corrupt(
            number,
            survey.end.next_seq,
            end,
            "a frame that a checkpoint vouches for is missing",
        ));
    }
    Ok(Some(survey))
}

/// A journal without any readable header is one that never was, or one that was damaged. It never was if all there is of it
/// is what a crash leaves of its making: the first file, with at most one sector, of which nothing was written. (The first
/// header is alone in its file, and synced before any frame; a sector is written whole or not at all.)
fn nothing_yet(disk: &dyn Disk, dir: &Path, numbers: &[u64], required_seq: u64) -> Result<()> {
    let Some(first) = numbers.first() else { return Ok(()) };
    let mut reader = SegmentReader::open(disk, dir, *first)?;
    let blank = reader.len <= FRAMES_AT && reader.at(0, SECTOR)?.iter().all(|byte| *byte == 0);
    if required_seq == 0 && *first == 1 && numbers.len() == 1 && blank {
        return Ok(());
    }
    Err(corrupt(*first, 0, 0, "the segment's header is unreadable"))
}

/// A segment must go on exactly where the one before it ended.
fn check_follows(survey: &Survey, header: &SegmentHeader) -> Result<()> {
    let Some(before) = survey.segments.last() else { return Ok(()) };
    if header.number != before.number + 1 {
        return Err(corrupt(before.number + 1, 0, 0, "the segment is missing"));
    }
    if header.link == survey.end {
        return Ok(());
    }
    let what = if header.link.next_seq > survey.end.next_seq {
        "frames at the end of the segment are missing or unreadable"
    } else {
        "the next segment does not follow from its last frame"
    };
    Err(corrupt(before.number, survey.end.next_seq, before.end, what))
}

fn read_segment(
    reader: &mut SegmentReader,
    survey: &mut Survey,
    header: &SegmentHeader,
    each: &mut impl FnMut(&FrameHeader),
) -> Result<()> {
    let mut surveyed =
        Surveyed { number: header.number, header: *header, end: FRAMES_AT, last_frame_at: None };
    let mut link = header.link;
    while let Some((frame, bytes)) = reader.frame_at(&header.id, surveyed.end)? {
        if frame.first_seq != link.next_seq || frame.previous != link.hash {
            let what = "the frame does not follow from the one before it";
            return Err(corrupt(header.number, link.next_seq, surveyed.end, what));
        }
        link = Link { next_seq: frame.last_seq() + 1, hash: frame::hash(bytes), digest: frame.digest };
        each(&frame);
        survey.frames += 1;
        surveyed.last_frame_at = Some(surveyed.end);
        surveyed.end += frame.disk_bytes();
    }
    // Rule 2 of the page's head. In an earlier segment the next header is the proof, see `check_follows`; searching there
    // too costs little and names the place better.
    if reader.find_frame(&header.id, surveyed.end, link.next_seq)?.is_some() {
        let what = "the frame is unreadable, and whole frames follow it";
        return Err(corrupt(header.number, link.next_seq, surveyed.end, what));
    }
    survey.end = link;
    survey.segments.push(surveyed);
    Ok(())
}

/// Hands every frame that reaches past `after_seq` to `visit`, in order. The journal was surveyed before, or its end is known
/// to be synced: a frame that cannot be read is an error here.
pub(crate) fn replay(
    disk: &dyn Disk,
    dir: &Path,
    id: &JournalId,
    segments: &[u64],
    after_seq: u64,
    end_seq: u64,
    mut visit: impl FnMut(&FrameHeader, &[u8]) -> Result<()>,
) -> Result<()> {
    let mut headers = Vec::new();
    for number in segments {
        let mut reader = SegmentReader::open(disk, dir, *number)?;
        let header = SegmentHeader::decode(reader.at(0, SECTOR)?);
        headers.push(header.ok_or_else(|| corrupt(*number, 0, 0, "the segment's header is unreadable"))?);
    }
    let mut expected = after_seq + 1;
    for (at, header) in headers.iter().enumerate() {
        // Skip segments whose successor starts at or before the first frame that is wanted.
        if headers.get(at + 1).is_some_and(|next| next.link.next_seq <= after_seq + 1) {
            continue;
        }
        let mut reader = SegmentReader::open(disk, dir, header.number)?;
        let mut offset = FRAMES_AT;
        while expected <= end_seq
            && let Some((frame, bytes)) = reader.frame_at(id, offset)?
        {
            offset += frame.disk_bytes();
            if frame.last_seq() <= after_seq {
                continue;
            }
            if frame.first_seq > expected {
                break;
            }
            visit(&frame, bytes)?;
            expected = frame.last_seq() + 1;
        }
    }
    if expected <= end_seq {
        let last = segments.last().copied().unwrap_or(0);
        return Err(corrupt(last, expected, 0, "a frame that is needed is missing"));
    }
    Ok(())
}

pub(crate) fn corrupt(number: u64, frame: u64, offset: u64, what: &'static str) -> Error {
    Error::Corrupt { segment: segment_name(number), frame, offset, what, hint: RESTORE_HINT }
}

/// Reads a segment through a window, so that memory does not depend on its size.
pub(crate) struct SegmentReader {
    file: Box<dyn DiskFile>,
    len: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl SegmentReader {
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Self> {
        let file = disk.open(&dir.join(segment_name(number))).map_err(io_error("open a journal segment"))?;
        let len = file.len_bytes().map_err(io_error("measure a journal segment"))?;
        Ok(SegmentReader { file, len, window: Vec::new(), window_at: 0 })
    }

    /// Up to `len` bytes at `offset`; fewer at the end of the file.
    pub(crate) fn at(&mut self, offset: u64, len: usize) -> Result<&[u8]> {
        let end = offset.saturating_add(len as u64).min(self.len);
        let held = self.window_at..=self.window_at + self.window.len() as u64;
        if !(held.contains(&offset) && held.contains(&end)) {
            self.fill(offset, len.max(WINDOW_BYTES)).map_err(io_error("read a journal segment"))?;
        }
        let from = usize::try_from(offset.saturating_sub(self.window_at)).unwrap_or(usize::MAX);
        let rest = self.window.get(from..).unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    fn fill(&mut self, offset: u64, len: usize) -> io::Result<()> {
        let there = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        self.window.resize(len.min(there), 0);
        self.window_at = offset;
        let read = self.file.read_at(&mut self.window, offset)?;
        self.window.truncate(read);
        Ok(())
    }

    /// The frame at an offset with its bytes (padding not included), if a whole one with a right checksum is there.
    pub(crate) fn frame_at(&mut self, id: &JournalId, offset: u64) -> Result<Option<(FrameHeader, &[u8])>> {
        let Some((header, _)) = FrameHeader::parse(self.at(offset, FRAME_HEADER_BYTES)?) else {
            return Ok(None);
        };
        if offset + header.disk_bytes() > self.len {
            return Ok(None);
        }
        let bytes = self.at(offset, FRAME_HEADER_BYTES + header.payload_bytes as usize)?;
        Ok(frame::verify(id, bytes).then_some((header, bytes)))
    }

    /// Offset of the first valid frame past `offset` whose sequence number is at least `seq_min`.
    fn find_frame(&mut self, id: &JournalId, offset: u64, seq_min: u64) -> Result<Option<u64>> {
        let mut at = offset + SECTOR as u64;
        while at < self.len {
            if let Some((header, _)) = self.frame_at(id, at)?
                && header.first_seq >= seq_min
            {
                return Ok(Some(at));
            }
            at += SECTOR as u64;
        }
        Ok(None)
    }
}
