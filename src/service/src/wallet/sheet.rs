//! What one piece of the teller's work sees and would write.
//!
//! Work is plain code that reads rows and stages others. A row that is not at hand stops it; the teller fetches the row and has the
//! same work done again from the start. So the rules are written without waiting for anything in between, and a test of them
//! needs no store.

use super::error::WalletError;
use crate::Fault;
use std::{collections::HashMap, sync::Arc};
use weft_store::{
    Table,
    record::{Record, RecordError},
};
use weft_wire::Millis;

/// A row's table and key.
pub(super) type Place = (Table, Vec<u8>);

/// Room for the rows of most pieces of work.
const STAGED_ROWS: usize = 14;

/// Rows as they are stored, or will be as soon as what stands before this work is.
#[derive(Default)]
pub(super) struct Rows(HashMap<Place, Option<Arc<[u8]>>>);

impl Rows {
    pub(super) fn insert(&mut self, place: Place, value: Option<Arc<[u8]>>) {
        self.0.insert(place, value);
    }

    /// Whether it is known what stands there, if anything.
    pub(super) fn is_at_hand(&self, place: &Place) -> bool {
        self.0.contains_key(place)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Keeps some rows only.
    pub(super) fn keep(&mut self, is_kept: impl Fn(&Place) -> bool) {
        self.0.retain(|place, _| is_kept(place));
    }
}

/// Why a piece of work ends before its end.
pub(super) enum Stop {
    /// A row is not at hand.
    Missing(Place),
    /// It is not done, and nothing of it is kept.
    Undone(WalletError),
    /// It is not done, and what was staged is kept all the same: that it was refused is part of the books.
    Kept(WalletError),
}

impl From<WalletError> for Stop {
    fn from(error: WalletError) -> Self {
        Stop::Undone(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Undone(fault.into())
    }
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Stop::Undone(error.into())
    }
}

/// What a piece of work would write.
pub(super) struct Staged {
    /// `None`: deleted.
    pub(super) rows: HashMap<Place, Option<Arc<[u8]>>>,
    /// What must not be there by then.
    pub(super) absent: Vec<Place>,
    /// Whether it cannot wait for a disk with more room.
    pub(super) is_urgent: bool,
}

/// Rows at hand and rows to write, for one piece of work.
pub(super) struct Sheet<'a> {
    rows: &'a Rows,
    staged: HashMap<Place, Option<Arc<[u8]>>>,
    is_urgent: bool,
    /// Rows of others that must not be there when this is written.
    absent: Vec<Place>,
    /// The time by which it is judged.
    pub(super) now: Millis,
    /// Whether the payee of the payment at hand, which comes from another node, takes it.
    pub(super) takes: bool,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(rows: &'a Rows, now: Millis) -> Self {
        Sheet {
            rows,
            staged: HashMap::with_capacity(STAGED_ROWS),
            is_urgent: false,
            absent: Vec::new(),
            now,
            takes: false,
        }
    }

    /// The record of a key: as this work has staged it, else as it is stored.
    pub(super) fn get<R: Record>(&self, table: Table, key: impl AsRef<[u8]>) -> Result<Option<R>, Stop> {
        let place = (table, key.as_ref().to_vec());
        let bytes = match (self.staged.get(&place), self.rows.0.get(&place)) {
            (Some(staged), _) => staged.as_deref(),
            (None, Some(stored)) => stored.as_deref(),
            (None, None) => return Err(Stop::Missing(place)),
        };
        Ok(bytes.map(R::from_record).transpose()?)
    }

    pub(super) fn put<R: Record>(&mut self, table: Table, key: impl AsRef<[u8]>, record: &R) {
        self.staged.insert((table, key.as_ref().to_vec()), Some(record.to_record().into()));
    }

    /// Bytes as they are. They are never read here.
    pub(super) fn put_bytes(&mut self, table: Table, key: impl AsRef<[u8]>, bytes: Vec<u8>) {
        self.staged.insert((table, key.as_ref().to_vec()), Some(bytes.into()));
    }

    /// A row that says all by its key. It is never read here, so that it need not be at hand.
    pub(super) fn mark(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.staged.insert((table, key.as_ref().to_vec()), Some(Arc::default()));
    }

    pub(super) fn delete(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.staged.insert((table, key.as_ref().to_vec()), None);
    }

    /// It goes through also where the disk has room for what is urgent only: see [`weft_store::Batch::urgent`].
    pub(super) fn urgent(&mut self) {
        self.is_urgent = true;
    }

    /// Whether a table that others write has no row of this key. If so, there is none either when this is written.
    pub(super) fn is_free(&mut self, table: Table, key: impl AsRef<[u8]>) -> Result<bool, Stop> {
        let place = (table, key.as_ref().to_vec());
        match self.rows.0.get(&place) {
            None => Err(Stop::Missing(place)),
            Some(Some(_)) => Ok(false),
            Some(None) => {
                self.absent.push(place);
                Ok(true)
            }
        }
    }

    /// What it would write.
    pub(super) fn into_staged(self) -> Staged {
        Staged { rows: self.staged, absent: self.absent, is_urgent: self.is_urgent }
    }
}
