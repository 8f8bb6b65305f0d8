//! A sum over all rows, by which an index is compared with the journal without replaying it.
//!
//! Every row counts with a keyed hash of its key, its version and the checksum of its value; the sum of all, modulo 2^128,
//! does not depend on the order. Each frame of the journal carries the sum and the number of rows as they are after it, so
//! a full scan of the index at some sequence number either gives what that frame says or proves that the index is wrong. That
//! is what lets a snapshot be made from the index: it is published only if its rows add up.

/// Count and sum of all rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Digest {
    pub rows: u64,
    pub sum: u128,
}

impl Digest {
    pub(crate) fn add(&mut self, row: u128) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row);
    }

    pub(crate) fn remove(&mut self, row: u128) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(row);
    }

    /// Replaces a row, or adds or removes one.
    pub(crate) fn change(&mut self, old: Option<u128>, new: Option<u128>) {
        if let Some(old) = old {
            self.remove(old);
        }
        if let Some(new) = new {
            self.add(new);
        }
    }
}

/// What identifies one journal: 32 random bytes made with it. They key the row hashes and the checksums of frames, so that
/// a value which looks like a frame, put there by somebody who cannot read the disk, is not taken for one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct JournalId(pub [u8; 32]);

impl JournalId {
    pub(crate) fn random() -> Self {
        JournalId(rand::random())
    }

    /// What a row adds to a [`Digest`].
    pub(crate) fn row_hash(&self, full_key: &[u8], version: u64, crc: u32) -> u128 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&version.to_be_bytes());
        hasher.update(&crc.to_be_bytes());
        hasher.update(full_key);
        let mut half = [0; 16];
        hasher.finalize_xof().fill(&mut half);
        u128::from_be_bytes(half)
    }
}
