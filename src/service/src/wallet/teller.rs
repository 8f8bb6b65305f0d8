//! The teller: everything that touches the ledger goes through one pair of hands, in one order, many pieces in one commit.
//!
//! A payment changes two accounts that the next one may change again. Writers that race for the same rows would undo one another's
//! work all day; one that takes what waits, does it one by one in memory and commits all of it at once waits for the disk once, and
//! does the pieces of the next commit meanwhile. Nobody is told of a piece before it is on disk, also not that it was refused: what it
//! was refused for may not be there after all. Every commit asserts the head of the ledger, so that a second teller, in whatever process, could not write beside this one.

use super::{
    books::HEAD,
    error::WalletError,
    records::HeadRecord,
    sheet::{Place, Rows, Sheet, Staged, Stop},
};
use crate::{Fault, context::Ctx};
use std::{
    collections::{HashMap, VecDeque},
    pin::Pin,
    sync::Arc,
};
use tokio::sync::{mpsc, oneshot};
use weft_store::{Batch, Committed, Store, Table, Version, record::Record, tables};

/// Pieces that wait. Whoever brings one more waits with it.
const WAITING_MAX: usize = 4_096;
/// Pieces of one commit.
const PIECES_MAX: usize = 512;
/// Rows and bytes of one commit at which it takes no more pieces. A piece stages a few dozen rows of some hundred bytes each, so
/// that the store's own bounds are far.
const ROWS_MAX: usize = 3_000;
const BYTES_MAX: usize = 768 << 10;
/// Rows and bytes that one piece may write: with what a commit holds before it, they stay within the store's bounds, so that no piece
/// takes others with it.
const PIECE_ROWS_MAX: usize = 1_000;
const PIECE_BYTES_MAX: usize = 192 << 10;
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
    tables::LINKS,
    tables::LINK_WAITING,
    tables::MERCHANTS,
    tables::BANK_ACCOUNTS,
    tables::GUARD,
    tables::GUARDED,
    tables::FEES,
];
const KEPT_MAX: usize = 50_000;

/// A piece of work and whoever waits for it.
trait Piece: Send {
    /// Rows that it will ask for, as far as whoever brought it could tell: fetched before, they need not stop it one by one. Once.
    fn take_hints(&mut self) -> Vec<Place>;
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
    hints: Vec<Place>,
    outcome: Result<T, WalletError>,
    reply: oneshot::Sender<Result<T, WalletError>>,
}

impl<F, T> Piece for Task<F, T>
where
    F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send,
    T: Send,
{
    fn take_hints(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.hints)
    }

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
        tokio::spawn(Desk::new(ctx).run(waiting));
        Teller(sender)
    }

    /// Has a piece of work done, and answers when it is on disk. The work may be done several times, until it goes through once: it
    /// does nothing but read and stage.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, WalletError>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        self.run_with(Vec::new(), work).await
    }

    /// The same, with rows that it will ask for.
    pub(super) async fn run_with<T, F>(&self, hints: Vec<Place>, work: F) -> Result<T, WalletError>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        self.bring(work, hints).await?.await.map_err(|_| closed())?
    }

    /// The same with several pieces, in their order: they come to the teller together, each with an outcome of its own.
    pub(super) async fn run_all<T, F>(&self, works: Vec<F>) -> Vec<Result<T, WalletError>>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        self.run_all_with(works.into_iter().map(|work| (Vec::new(), work)).collect()).await
    }

    /// The same, each with rows that it will ask for.
    pub(super) async fn run_all_with<T, F>(&self, works: Vec<(Vec<Place>, F)>) -> Vec<Result<T, WalletError>>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        let mut answers = Vec::with_capacity(works.len());
        for (hints, work) in works {
            answers.push(self.bring(work, hints).await);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Ok(answer) => answer.await.unwrap_or_else(|_| Err(closed())),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    async fn bring<T, F>(
        &self,
        work: F,
        hints: Vec<Place>,
    ) -> Result<oneshot::Receiver<Result<T, WalletError>>, WalletError>
    where
        F: Fn(&mut Sheet<'_>) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let outcome = Err(Fault::Internal("the teller did not come to it").into());
        self.0.send(Box::new(Task { work, hints, outcome, reply })).await.map_err(|_| closed())?;
        Ok(answer)
    }
}

fn closed() -> WalletError {
    Fault::Store(weft_store::Error::Closed).into()
}

struct Desk {
    ctx: Arc<Ctx>,
    /// Rows at hand: as they are stored, or will be when what stands below is. That holds as long as nobody else has moved the head.
    rows: Rows,
    /// The version of the head after the last commit from here.
    head: Option<Version>,
    /// The pieces that are done but not on their way to the disk, in their order.
    done: Vec<Box<dyn Piece>>,
    /// What they would write.
    pending: HashMap<Place, Option<Arc<[u8]>>>,
    /// Rows of others that must not be there by then.
    absent: Vec<Place>,
    /// Bytes of what is written.
    bytes: usize,
    /// Whether something of that cannot wait for a disk with more room. What came beside it then goes with it.
    is_urgent: bool,
    /// Pieces to be done once more, before any other.
    again: VecDeque<Box<dyn Piece>>,
    /// The commit before, on which all of that rests.
    before: Option<UnderWay>,
    /// Commits one after the other that another teller was in the way of.
    conflicts: usize,
}

/// A commit that the store has not answered yet.
struct UnderWay {
    pieces: Vec<Box<dyn Piece>>,
    answer: Pin<Box<dyn Future<Output = weft_store::Result<Committed>> + Send>>,
}

impl Desk {
    fn new(ctx: Arc<Ctx>) -> Self {
        Desk {
            ctx,
            rows: Rows::default(),
            head: None,
            done: Vec::new(),
            again: VecDeque::new(),
            pending: HashMap::new(),
            absent: Vec::new(),
            bytes: 0,
            is_urgent: false,
            before: None,
            conflicts: 0,
        }
    }

    /// While the disk writes one commit, the pieces of the next are done.
    async fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Piece>>) {
        loop {
            while self.has_room()
                && let Some(piece) = self.again.pop_front()
            {
                self.add(piece).await;
            }
            if self.before.is_none() {
                while self.has_room()
                    && let Ok(piece) = waiting.try_recv()
                {
                    self.add(piece).await;
                }
                self.begin().await;
                if !self.again.is_empty() {
                    continue;
                }
            }
            tokio::select! {
                // First, so that the next commit need not wait for more.
                biased;
                answer = answered(&mut self.before), if self.before.is_some() => self.end(answer),
                piece = waiting.recv(), if self.has_room() => match piece {
                    Some(piece) => self.add(piece).await,
                    None if self.before.is_none() => return,
                    None => {
                        let answer = answered(&mut self.before).await;
                        self.end(answer);
                    }
                },
            }
        }
    }

    /// Whether one more piece may go into the next commit.
    fn has_room(&self) -> bool {
        let fits = self.done.len() < PIECES_MAX && self.pending.len() <= ROWS_MAX && self.bytes <= BYTES_MAX;
        self.done.is_empty() || fits
    }

    /// Does a piece and keeps it for the next commit.
    async fn add(&mut self, mut piece: Box<dyn Piece>) {
        if let Err(fault) = self.attempt(piece.as_mut()).await {
            piece.give_up(fault);
        }
        self.done.push(piece);
    }

    async fn attempt(&mut self, piece: &mut dyn Piece) -> Result<(), Fault> {
        if self.before.is_none() && self.done.is_empty() {
            self.look_at_head().await?;
        }
        self.work(piece).await
    }

    /// Sees to it that the rows at hand are those of the store.
    async fn look_at_head(&mut self) -> Result<(), Fault> {
        let head = self.ctx.store.get(tables::LEDGER_HEAD, HEAD).await?;
        let version = head.as_ref().map(|row| row.version);
        if version != self.head || self.rows.len() > KEPT_MAX {
            self.rows.clear();
        }
        self.head = version;
        self.rows.insert((tables::LEDGER_HEAD, HEAD.to_vec()), head.map(|row| row.value.into()));
        Ok(())
    }

    /// Sends what is done on its way to the disk.
    async fn begin(&mut self) {
        let pieces = std::mem::take(&mut self.done);
        if self.pending.is_empty() {
            tell(pieces, None);
            return;
        }
        match self.batch().await {
            Ok(batch) => {
                let store = self.ctx.store.clone();
                let answer = Box::pin(async move { store.commit(batch).await });
                self.before = Some(UnderWay { pieces, answer });
            }
            Err(fault) => {
                self.forget();
                tell(pieces, Some(fault));
            }
        }
    }

    async fn batch(&mut self) -> Result<Batch, Fault> {
        let mut batch = match self.head {
            Some(version) => Batch::new().assert_version(tables::LEDGER_HEAD, HEAD, version),
            None => Batch::new().assert_absent(tables::LEDGER_HEAD, HEAD),
        };
        // Locking a stolen device out must not wait for room on the disk.
        if self.pending.values().all(Option::is_none) {
            batch = batch.urgent();
        }
        // The head is written with every commit, also where no event was: that is what a second teller sees.
        let head = (tables::LEDGER_HEAD, HEAD.to_vec());
        if !self.pending.contains_key(&head) {
            let newest = newest(&self.ctx.store).await?;
            batch = batch.put(head.0, &head.1, HeadRecord { newest }.to_record());
        }
        for (table, key) in self.absent.drain(..) {
            batch = batch.assert_absent(table, key);
        }
        for ((table, key), value) in self.pending.drain() {
            batch = match value {
                Some(value) => batch.put_shared(table, key, value),
                None => batch.delete(table, key),
            };
        }
        self.bytes = 0;
        Ok(if std::mem::take(&mut self.is_urgent) { batch.urgent() } else { batch })
    }

    /// The store has answered.
    fn end(&mut self, (mut pieces, answer): (Vec<Box<dyn Piece>>, weft_store::Result<Committed>)) {
        match answer {
            Ok(committed) => {
                self.head = Some(Version(committed.seq));
                self.conflicts = 0;
                let is_crowded = self.rows.len() > KEPT_MAX;
                let pending = &self.pending;
                self.rows
                    .keep(|place| (!is_crowded && KEPT.contains(&place.0)) || pending.contains_key(place));
                tell(pieces, None);
                return;
            }
            Err(weft_store::Error::Conflict { .. }) if self.conflicts + 1 < TRIES_MAX => self.conflicts += 1,
            Err(error) => {
                let (attempts, table) = (TRIES_MAX as u32, tables::LEDGER_HEAD.name);
                let error = match error {
                    weft_store::Error::Conflict { .. } => weft_store::Error::Contended { attempts, table },
                    error => error,
                };
                self.conflicts = 0;
                tell(std::mem::take(&mut pieces), Some(Fault::Store(error)));
            }
        }
        // What was done since rests on what is not.
        self.forget();
        pieces.append(&mut self.done);
        pieces.into_iter().rev().for_each(|piece| self.again.push_front(piece));
    }

    /// Does one piece, fetching what it asks for.
    async fn work(&mut self, piece: &mut dyn Piece) -> Result<(), Fault> {
        for place in piece.take_hints() {
            if !self.rows.is_at_hand(&place) {
                let row = self.ctx.store.get(place.0, &place.1).await?;
                self.rows.insert(place, row.map(|row| row.value.into()));
            }
        }
        for _ in 0..FETCHES_MAX {
            let mut sheet = Sheet::new(&self.rows, self.ctx.now());
            match piece.work(&mut sheet) {
                Worked::Drop => return Ok(()),
                Worked::Keep => {
                    return self.take(sheet.into_staged());
                }
                Worked::Missing(place) => {
                    let row = self.ctx.store.get(place.0, &place.1).await?;
                    self.rows.insert(place, row.map(|row| row.value.into()));
                }
            }
        }
        Err(Fault::Internal("a piece of work asks for too many rows"))
    }

    /// What one piece has staged is what the next one finds.
    fn take(&mut self, staged: Staged) -> Result<(), Fault> {
        let size = |(place, value): (&Place, &Option<Arc<[u8]>>)| {
            place.1.len() + value.as_ref().map_or(0, |value| value.len())
        };
        let bytes: usize = staged.rows.iter().map(size).sum();
        if staged.rows.len() > PIECE_ROWS_MAX || bytes > PIECE_BYTES_MAX {
            return Err(Fault::Internal("a piece of work writes too much"));
        }
        self.bytes += bytes;
        self.is_urgent |= staged.is_urgent;
        self.absent.extend(staged.absent);
        for (place, value) in staged.rows {
            self.rows.insert(place.clone(), value.clone());
            self.pending.insert(place, value);
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.rows.clear();
        self.pending.clear();
        self.absent.clear();
        (self.head, self.bytes, self.is_urgent) = (None, 0, false);
    }
}

/// The answer to a commit, and whose pieces it held.
async fn answered(before: &mut Option<UnderWay>) -> (Vec<Box<dyn Piece>>, weft_store::Result<Committed>) {
    let answer = match before.as_mut() {
        Some(before) => before.answer.as_mut().await,
        None => std::future::pending().await,
    };
    (before.take().map(|before| before.pieces).unwrap_or_default(), answer)
}

fn tell(pieces: Vec<Box<dyn Piece>>, fault: Option<Fault>) {
    for piece in pieces {
        piece.tell(fault.clone());
    }
}

/// The number of the newest event.
pub(super) async fn newest(store: &Store) -> Result<u64, Fault> {
    let row = store.get(tables::LEDGER_HEAD, HEAD).await?;
    Ok(row.map(|row| HeadRecord::from_record(&row.value)).transpose()?.map_or(0, |head| head.newest))
}
