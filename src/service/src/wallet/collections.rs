//! Collections: what is taken by a mandate, when, and what happens where it cannot be.
//!
//! In each period there is one transfer at most: its id follows from the mandate and the period, so that whatever runs twice, on whatever
//! clock, moves the money once. Only the period in which a moment lies is collected; those that have gone by are not made up for. What
//! fails is written down for both sides and tried again each day until the period is over.

use super::{
    Result, Wallet, WalletError,
    accounts::personal,
    mandate_records::{CollectionRecord, MandateEnd, MandateRecord},
    mandates::due_key,
    orders::DAY_MS,
    records::{AssetRecord, MerchantRecord},
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::{Books, Freeze, Movement, Outcome, Purpose, Refusal, Side, Transfer};
use weft_store::{Scan, tables};
use weft_wire::{AccountId, Millis, Problem, TransferId, UserAddress};

/// Mandates that go to the teller together.
const TOGETHER: usize = 128;
/// Mandates that are looked at in one round; what is left waits for the next one, a minute later.
const ROUND_MAX: usize = 1_024;
/// When one that could not even be looked at is looked at again.
const LATER_MS: Millis = 60 * 60 * 1000;

/// A mandate that is to be looked at.
pub(crate) struct DueMandate {
    id: TransferId,
    look_ms: Millis,
    pub(crate) debtor: UserAddress,
    pub(crate) creditor: UserAddress,
    /// Whether both sides are still there. For the caller to say.
    pub(crate) is_there: bool,
}

impl Wallet {
    /// The mandates that are to be looked at, those that have waited longest first.
    pub(crate) async fn due_mandates(&self) -> Result<Vec<DueMandate>> {
        let (now, mut due) = (self.ctx.now(), Vec::new());
        let rows = self.ctx.store.scan(tables::MANDATES_DUE, Scan::prefix([]).limit(ROUND_MAX)).await?;
        for row in rows {
            let Some((time, id)) = row.key.split_first_chunk::<8>() else { continue };
            let look_ms = Millis::from_be_bytes(*time);
            let Some(id) = TransferId::from_slice(id).ok().filter(|_| look_ms <= now) else { break };
            match self.sides_of_mandate(id).await {
                Ok((debtor, creditor)) => {
                    due.push(DueMandate { id, look_ms, debtor, creditor, is_there: true });
                }
                Err(WalletError::Fault(fault @ Fault::Store(_))) => return Err(fault.into()),
                Err(error) => self.put_off(id, look_ms, &error).await?,
            }
        }
        Ok(due)
    }

    /// One that cannot be read must not hold up the others, now or in the next round.
    async fn put_off(&self, id: TransferId, look_ms: Millis, error: &WalletError) -> Result<()> {
        tracing::warn!(%id, %error, "a mandate was not looked at");
        self.teller.run(move |sheet| sheet.put_off(id, look_ms)).await
    }

    /// Collects what is due. Gives how many collections there were.
    pub(crate) async fn collect_due(&self, due: Vec<DueMandate>) -> Result<u64> {
        let mut done = 0;
        for some in due.chunks(TOGETHER) {
            let works = some.iter().map(|one| {
                let (id, look_ms, is_there) = (one.id, one.look_ms, one.is_there);
                move |sheet: &mut Sheet<'_>| sheet.look_again(id, look_ms, is_there)
            });
            let outcomes = self.teller.run_all(works.collect()).await;
            for (one, outcome) in some.iter().zip(outcomes) {
                match outcome {
                    Ok(is_collected) => done += u64::from(is_collected),
                    Err(WalletError::Fault(fault @ Fault::Store(_))) => return Err(fault.into()),
                    Err(error) => self.put_off(one.id, one.look_ms, &error).await?,
                }
            }
        }
        Ok(done)
    }
}

impl Sheet<'_> {
    /// Collects what is due now, and says when to look next. For one that was just given, or whose time has come.
    pub(super) fn look_at(&mut self, id: TransferId, record: MandateRecord) -> Result<(), Stop> {
        self.look(id, record, true).map(drop)
    }

    fn look_again(&mut self, id: TransferId, look_ms: Millis, is_there: bool) -> Result<bool, Stop> {
        let record = self.given(id)?;
        if record.look_ms != Some(look_ms) {
            // It has ended, or was looked at meanwhile.
            self.delete(tables::MANDATES_DUE, due_key(look_ms, id));
            return Ok(false);
        }
        self.look(id, record, is_there)
    }

    fn look(&mut self, id: TransferId, record: MandateRecord, is_there: bool) -> Result<bool, Stop> {
        if record.is_over(self.now) {
            return self.close_mandate(id, record, MandateEnd::Time).map(|()| false);
        }
        let mut is_collected = false;
        if let Some(period) = record.terms.period_at(self.now).filter(|_| record.terms.standing)
            && self.entry(TransferId::of_collection(id, period))?.is_none()
        {
            is_collected = self.collect(id, &record, period, record.amount, is_there)?.is_none();
        }
        self.look_later(id, record)?;
        Ok(is_collected)
    }

    /// Somebody asks for the collection of a period.
    pub(super) fn ask_collection(
        &mut self,
        by: &UserAddress,
        id: TransferId,
        period: u32,
        amount: u64,
        is_there: bool,
    ) -> Result<(), Stop> {
        let record = self.given(id)?;
        let (_, is_creditor) = self.side(by, &record)?;
        // The debtor's own word is the mandate: what they may ask for is what the node does by itself.
        if !is_creditor && !record.terms.standing {
            return Err(WalletError::Forbidden.into());
        }
        let earlier: Option<CollectionRecord> = self.get(tables::COLLECTIONS, collection_key(id, period))?;
        if let Some(earlier) = earlier.filter(|earlier| earlier.refused.is_none()) {
            let is_same = earlier.amount == amount;
            return if is_same { Ok(()) } else { Err(WalletError::AlreadyPaid.into()) };
        }
        if record.end.is_some() || record.is_over(self.now) {
            return Err(WalletError::MandateOver.into());
        }
        if record.terms.period_at(self.now) != Some(period) || !record.terms.has(period) {
            return Err(WalletError::NotDue.into());
        }
        let is_right = if record.terms.standing { amount == record.amount } else { amount <= record.amount };
        if amount == 0 || !is_right {
            let why = "what the mandate is for, and no more";
            return Err(Fault::Invalid { field: "amount", why }.into());
        }
        let refused = self.collect(id, &record, period, amount, is_there)?;
        self.look_later(id, record)?;
        // That it has failed is kept for both to see.
        refused.map_or(Ok(()), |error| Err(Stop::Kept(error)))
    }

    /// Moves the money of a period, or writes down why not, and says so.
    fn collect(
        &mut self,
        id: TransferId,
        record: &MandateRecord,
        period: u32,
        amount: u64,
        is_there: bool,
    ) -> Result<Option<WalletError>, Stop> {
        let error = match self.move_collection(id, record, period, amount, is_there) {
            Ok(()) => None,
            Err(Stop::Undone(error) | Stop::Kept(error)) if is_refusal(&error) => Some(error),
            Err(stop) => return Err(stop),
        };
        let refused = error.clone().map(|error| Problem::from(error).code.as_str().to_owned());
        let kept = CollectionRecord { amount, at_ms: self.now, refused };
        self.put(tables::COLLECTIONS, collection_key(id, period), &kept);
        Ok(error)
    }

    /// What the ledger would refuse is not brought to it: it would be refused for the whole period.
    fn move_collection(
        &mut self,
        id: TransferId,
        record: &MandateRecord,
        period: u32,
        amount: u64,
        is_there: bool,
    ) -> Result<(), Stop> {
        let transfer = TransferId::of_collection(id, period);
        if let Some(Outcome::Refused { refusal, .. }) = self.entry(transfer)?.map(|entry| entry.outcome) {
            return Err(WalletError::Refused(refusal).into());
        }
        if !is_there {
            return Err(WalletError::NotFound("payee").into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, record.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        let debit = personal(&record.debtor.name, record.asset);
        // Whoever never had any has no account.
        let account = self.account(debit)?.ok_or(WalletError::Refused(Refusal::Floor))?;
        if account.freeze != Freeze::None {
            return Err(WalletError::Refused(Refusal::Frozen(Side::Debit)).into());
        }
        if account.available() < u128::from(amount) {
            return Err(WalletError::Refused(Refusal::Floor).into());
        }
        // It counts as what the debtor pays in a day, like everything that leaves the account.
        let paid = self.within_limits(&asset, debit, amount)?;
        let credit = self.creditor_account(record)?;
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        self.post(&[Transfer { id: transfer, movement, purpose: Purpose::Collection, about: id.0 }])?;
        if let Some(paid) = paid {
            self.put(tables::PAYERS, debit.0, &paid);
        }
        Ok(())
    }

    fn creditor_account(&mut self, record: &MandateRecord) -> Result<AccountId, Stop> {
        let name = &record.terms.creditor.name;
        let credit = if record.of_shop {
            // What was agreed is due also while a shop takes no new orders, but not once the node's owner has closed it.
            if self.get::<MerchantRecord>(tables::MERCHANTS, name.as_str())?.is_none_or(|shop| shop.stopped) {
                return Err(WalletError::ShopClosed.into());
            }
            self.merchant_account(name, record.asset)?
        } else {
            self.personal(name, record.asset)?
        };
        match self.account(credit)? {
            Some(account) if account.freeze != Freeze::None => {
                Err(WalletError::Refused(Refusal::Frozen(Side::Credit)).into())
            }
            _ => Ok(credit),
        }
    }

    /// Says when it is looked at next: a day from now while the period is open, or when the next one begins; and after the last one,
    /// to end it.
    fn look_later(&mut self, id: TransferId, mut record: MandateRecord) -> Result<(), Stop> {
        let terms = &record.terms;
        let look_ms = match (terms.standing, terms.period_at(self.now)) {
            (false, _) => terms.last_period().map(|last| terms.due_ms(last.saturating_add(1))),
            (true, None) => Some(terms.due_ms(0)),
            (true, Some(period)) => {
                let (kept, over_ms) = (collection_key(id, period), terms.due_ms(period.saturating_add(1)));
                let kept: Option<CollectionRecord> = self.get(tables::COLLECTIONS, kept)?;
                let is_done = kept.is_some_and(|kept| kept.refused.is_none());
                Some(if is_done { over_ms } else { over_ms.min(self.now + DAY_MS) })
            }
        };
        if let Some(before) = record.look_ms.filter(|before| Some(*before) != look_ms) {
            self.delete(tables::MANDATES_DUE, due_key(before, id));
        }
        if let Some(look_ms) = look_ms {
            self.mark(tables::MANDATES_DUE, due_key(look_ms, id));
        }
        record.look_ms = look_ms;
        self.put_mandate(id, &record);
        Ok(())
    }

    /// One that cannot be looked at now.
    fn put_off(&mut self, id: TransferId, before: Millis) -> Result<(), Stop> {
        self.delete(tables::MANDATES_DUE, due_key(before, id));
        let look_ms = self.now + LATER_MS;
        self.mark(tables::MANDATES_DUE, due_key(look_ms, id));
        match self.get::<MandateRecord>(tables::MANDATES, id.0) {
            Ok(Some(record)) => {
                self.put(tables::MANDATES, id.0, &MandateRecord { look_ms: Some(look_ms), ..record });
            }
            Err(stop @ Stop::Missing(_)) => return Err(stop),
            _ => {}
        }
        Ok(())
    }
}

/// Whether it is about the money, or those who give and get it, as it stands now: that may change.
fn is_refusal(error: &WalletError) -> bool {
    matches!(
        error,
        WalletError::Refused(_)
            | WalletError::PaymentMax { .. }
            | WalletError::DayMax { .. }
            | WalletError::ShopClosed
            | WalletError::NotFound(_)
    )
}

fn collection_key(id: TransferId, period: u32) -> Vec<u8> {
    [id.0.as_slice(), &period.to_be_bytes()].concat()
}
