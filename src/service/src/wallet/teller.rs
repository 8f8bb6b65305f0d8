//! The teller: everything that touches the ledger goes through one pair of hands, in one order, many pieces in one commit.
//!
//! A payment changes two accounts that the next one may change again. Writers that race for the same rows would undo one another's
//! work all day; one that takes what waits, does it one by one in memory and commits all of it at once waits for the disk once. Every
//! commit asserts the head of the ledger, so that a second teller, in whatever process, could not write beside this one.

use super::{
    books::HEAD,
    error::WalletError,
    records::HeadRecord,
    sheet::{Place, Rows, Sheet, Stop},
};
use crate::{Fault, context::Ctx};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use weft_store::{Batch, Store, Table, Version, record::Record, tables};

/// Pieces that wait. Whoever brings one more waits with it.
const WAITING_MAX: usize = 4_096;
/// Pieces of one commit.
const PIECES_MAX: usize = 512;
/// Rows and bytes of one commit at which it takes no more pieces. A piece stages a few dozen rows of some hundred bytes each, so
/// that the store's own bounds are far.
const ROWS_MAX: usize = 3_000;
const BYTES_MAX: usize = 768 << 10;
/// Rows that one piece may ask for, one after the other.
const FETCHES_MAX: usize = 256;
/// Tries of a commit that another teller was in the way of.
const TRIES_MAX: usize = 8;
/// Rows that are kept at hand between commits: of these tables, and no more than this.
const KEPT: &[Table] = &[
    tables::LEDGER_ACCOUNTS,
    tables::ASSETS,
    tables::OWNERS,
    tables::PAYERS,
    tables::ORDER_KEYS,
    tables::WALLETS,
    tables::PACKETS,
];
const KEPT_MAX: usize = 50_000;

/// A piece of work and whoever waits for it.
trait Piece: Send {
    /// Does it on a sheet. The outcome is kept until [`Piece::tell`].
    fn work(&mut self, sheet: &mut Sheet<'_>) -> Worked;
    /// It is not done, for this reason.
    fn give_up(&mut self, fault: Fault);
    /// Tells the outcome; or, if it could not be kept, why.
    fn tell(self: Box<Self>, fault: Option<Fault>);
}

enum Worked {
    Keep,
    Drop,
    Missing(Place),
}

struct Task<F, T> {
    work: F,
    outcome: Result<T, WalletError>,
    reply: oneshot::Sender<Result<T, WalletError>>,
}

impl<F, T> Piece for Task<F, T>
where
    F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send,
    T: Send,
{
    fn work(&mut self, sheet: &mut Sheet<'_>) -> Worked {
        let (outcome, worked) = match (self.work)(sheet) {
            Ok(value) => (Ok(value), Worked::Keep),
            Err(Stop::Kept(error)) => (Err(error), Worked::Keep),
            Err(Stop::Undone(error)) => (Err(error), Worked::Drop),
            Err(Stop::Missing(place)) => return Worked::Missing(place),
        };
        self.outcome = outcome;
        worked
    }

    fn give_up(&mut self, fault: Fault) {
        self.outcome = Err(fault.into());
    }

    fn tell(self: Box<Self>, fault: Option<Fault>) {
        let outcome = match fault {
            Some(fault) => Err(fault.into()),
            None => self.outcome,
        };
        // Whoever asked may be gone.
        let _ = self.reply.send(outcome);
    }
}

/// Where work is brought. Cheap to clone; the teller ends when the last one is gone.
#[derive(Clone)]
pub(super) struct Teller(mpsc::Sender<Box<dyn Piece>>);

impl Teller {
    /// Starts it on the current runtime.
    pub(super) fn start(ctx: Arc<Ctx>) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(
            Desk { ctx, rows: Rows::default(), head: None, pending: HashMap::new(), is_urgent: false }
                .run(waiting),
        );
        Teller(sender)
    }

    /// Has a piece of work done, and answers when it is on disk. The work may be done several times, until it goes through once: it
    /// does nothing but read and stage.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, WalletError>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let outcome = Err(Fault::Internal("the teller did not come to it").into());
        let closed = || WalletError::from(Fault::Store(weft_store::Error::Closed));
        self.0.send(Box::new(Task { work, outcome, reply })).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

struct Desk {
    ctx: Arc<Ctx>,
    /// Rows at hand. They are as they are stored as long as nobody else has moved the head.
    rows: Rows,
    /// The version of the head after the last commit from here.
    head: Option<Version>,
    /// What the commit under way would write.
    pending: HashMap<Place, Option<Arc<[u8]>>>,
    /// Whether something of that cannot wait for a disk with more room. What came beside it then goes with it.
    is_urgent: bool,
}

impl Desk {
    async fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Piece>>) {
        let mut pieces = Vec::new();
        loop {
            if pieces.is_empty() && waiting.recv_many(&mut pieces, PIECES_MAX).await == 0 {
                return;
            }
            // What came while the last commit was under way is done as well, as far as there is room.
            while pieces.len() < PIECES_MAX
                && let Ok(piece) = waiting.try_recv()
            {
                pieces.push(piece);
            }
            pieces = self.commit(pieces).await;
        }
    }

    /// Does pieces and commits them. Gives back those for which there was no room.
    async fn commit(&mut self, mut pieces: Vec<Box<dyn Piece>>) -> Vec<Box<dyn Piece>> {
        for _ in 0..TRIES_MAX {
            let (done, outcome) = match self.begin().await {
                Ok(()) => self.work_through(&mut pieces).await,
                Err(fault) => (pieces.len(), Err(fault)),
            };
            let outcome = match outcome {
                Ok(()) => self.write().await,
                Err(fault) => Err(fault),
            };
            self.pending.clear();
            self.is_urgent = false;
            if let Err(Fault::Store(weft_store::Error::Conflict { .. })) = outcome {
                self.forget();
                continue;
            }
            if outcome.is_err() {
                self.forget();
            }
            let rest = pieces.split_off(done);
            pieces.into_iter().for_each(|piece| piece.tell(outcome.clone().err()));
            return rest;
        }
        let contended =
            weft_store::Error::Contended { attempts: TRIES_MAX as u32, table: tables::LEDGER_HEAD.name };
        pieces.into_iter().for_each(|piece| piece.tell(Some(Fault::Store(contended.clone()))));
        Vec::new()
    }

    /// Sees to it that the rows at hand are those of the store.
    async fn begin(&mut self) -> Result<(), Fault> {
        let head = self.ctx.store.get(tables::LEDGER_HEAD, HEAD).await?;
        let version = head.as_ref().map(|row| row.version);
        if version != self.head || self.rows.len() > KEPT_MAX {
            self.rows.clear();
        }
        self.head = version;
        self.rows.insert((tables::LEDGER_HEAD, HEAD.to_vec()), head.map(|row| row.value.into()));
        Ok(())
    }

    /// Does the pieces in their order, as far as there is room. Gives how many.
    async fn work_through(&mut self, pieces: &mut [Box<dyn Piece>]) -> (usize, Result<(), Fault>) {
        let mut bytes = 0;
        for (at, piece) in pieces.iter_mut().enumerate() {
            if at > 0 && (self.pending.len() > ROWS_MAX || bytes > BYTES_MAX) {
                return (at, Ok(()));
            }
            match self.work(piece.as_mut()).await {
                Ok(written) => bytes += written,
                Err(fault) => return (pieces.len(), Err(fault)),
            }
        }
        (pieces.len(), Ok(()))
    }

    /// Does one piece, fetching what it asks for. Gives the bytes that it staged.
    async fn work(&mut self, piece: &mut dyn Piece) -> Result<usize, Fault> {
        for _ in 0..FETCHES_MAX {
            let mut sheet = Sheet::new(&self.rows, self.ctx.now());
            match piece.work(&mut sheet) {
                Worked::Drop => return Ok(0),
                Worked::Keep => {
                    let (staged, is_urgent) = sheet.into_staged();
                    self.is_urgent |= is_urgent;
                    return Ok(self.take(staged));
                }
                Worked::Missing(place) => {
                    let row = self.ctx.store.get(place.0, &place.1).await?;
                    self.rows.insert(place, row.map(|row| row.value.into()));
                }
            }
        }
        // Its own fault, and of nobody who waits beside it.
        piece.give_up(Fault::Internal("a piece of work asks for too many rows"));
        Ok(0)
    }

    /// What one piece has staged is what the next one finds.
    fn take(&mut self, staged: HashMap<Place, Option<Vec<u8>>>) -> usize {
        let mut bytes = 0;
        for (place, value) in staged {
            bytes += place.1.len() + value.as_ref().map_or(0, Vec::len);
            let value: Option<Arc<[u8]>> = value.map(Into::into);
            self.rows.insert(place.clone(), value.clone());
            self.pending.insert(place, value);
        }
        bytes
    }

    async fn write(&mut self) -> Result<(), Fault> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut batch = match self.head {
            Some(version) => Batch::new().assert_version(tables::LEDGER_HEAD, HEAD, version),
            None => Batch::new().assert_absent(tables::LEDGER_HEAD, HEAD),
        };
        // The head is written with every commit, also where no event was: that is what a second teller sees.
        let head = (tables::LEDGER_HEAD, HEAD.to_vec());
        if !self.pending.contains_key(&head) {
            let newest = newest(&self.ctx.store).await?;
            batch = batch.put(head.0, &head.1, HeadRecord { newest }.to_record());
        }
        for ((table, key), value) in self.pending.drain() {
            batch = match value {
                Some(value) => batch.put(table, key, value.to_vec()),
                None => batch.delete(table, key),
            };
        }
        if self.is_urgent {
            batch = batch.urgent();
        }
        let committed = self.ctx.store.commit(batch).await?;
        self.head = Some(Version(committed.seq));
        self.rows.keep(KEPT);
        Ok(())
    }

    fn forget(&mut self) {
        self.rows.clear();
        self.head = None;
    }
}

/// The number of the newest event.
pub(super) async fn newest(store: &Store) -> Result<u64, Fault> {
    let row = store.get(tables::LEDGER_HEAD, HEAD).await?;
    Ok(row.map(|row| HeadRecord::from_record(&row.value)).transpose()?.map_or(0, |head| head.newest))
}
