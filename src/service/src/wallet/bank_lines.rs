//! The work list: what a bank's file has brought and nobody could tell whose it is.

use super::{
    Result, Wallet, WalletError,
    accounts::issuance,
    bank_import::{transfer_of, waiting_key},
    bank_records::BankLineRecord,
    sheet::{Sheet, Stop},
};
use crate::Fault;
use weft_ledger::{AccountKind, Movement, Purpose, Transfer};
use weft_store::{Scan, tables};
use weft_wire::{
    BankLineId, UserName,
    limits::PAGE_MAX,
    wallet::{BankLine, BankLineList, BankLineState, DecideBankLine},
};

/// What a line that waits becomes.
#[derive(Clone)]
enum Decision {
    Assign(UserName),
    Return,
    Note,
}

impl Wallet {
    /// `GET wallet/admin/bank/lines?after=LINE`: what waits for the owner, the oldest first.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for a line to go on after that is not known.
    pub async fn bank_lines(&self, after: Option<BankLineId>) -> Result<BankLineList> {
        let mut scan = Scan::prefix([]).limit(PAGE_MAX + 1);
        if let Some(after) = after {
            scan = scan.after(waiting_key(self.bank_line(after).await?.imported_ms, after));
        }
        let rows = self.ctx.store.scan(tables::BANK_WAITING, scan).await?;
        let mut lines = Vec::new();
        for row in rows.iter().take(PAGE_MAX) {
            let id = row.key.last_chunk::<16>().map(|id| BankLineId(*id));
            let id = id.ok_or(Fault::Internal("a line's key without a line"))?;
            let record = self.bank_line(id).await?;
            // Decided since the list was read.
            if record.state == BankLineState::Waiting {
                lines.push(self.line_view(id, record).await?);
            }
        }
        Ok(BankLineList { lines, more: rows.len() > PAGE_MAX })
    }

    /// `POST wallet/admin/bank/lines/LINE`. That there is such a member is for the caller to know. Asking again decides it once.
    ///
    /// # Errors
    /// [`WalletError::NotFound`]; [`WalletError::AlreadyDecided`] if it is something else already; [`Fault::Invalid`] for what
    /// cannot become of such a line.
    pub(crate) async fn decide_bank_line(&self, id: BankLineId, wish: DecideBankLine) -> Result<()> {
        let decision = match wish {
            DecideBankLine::Assign(user) => Decision::Assign(user.name),
            DecideBankLine::Return => Decision::Return,
            DecideBankLine::Note => Decision::Note,
            _ => return Err(Fault::Invalid { field: "decision", why: "not known here" }.into()),
        };
        self.teller.run(move |sheet| sheet.decide_line(id, &decision)).await
    }

    async fn bank_line(&self, id: BankLineId) -> Result<BankLineRecord> {
        self.ctx.read(tables::BANK_LINES, id.0).await?.ok_or(WalletError::NotFound("line"))
    }

    async fn line_view(&self, id: BankLineId, record: BankLineRecord) -> Result<BankLine> {
        Ok(BankLine {
            id,
            asset: self.asset(record.asset).await?.asset,
            booked: record.booked,
            amount: record.amount.unsigned_abs(),
            credit: record.amount > 0,
            counterparty: record.counterparty,
            counterparty_account: record.counterparty_account,
            text: record.text,
            imported_ms: record.imported_ms,
        })
    }
}

impl Sheet<'_> {
    fn decide_line(&mut self, id: BankLineId, decision: &Decision) -> Result<(), Stop> {
        let record: Option<BankLineRecord> = self.get(tables::BANK_LINES, id.0)?;
        let mut record = record.ok_or(WalletError::NotFound("line"))?;
        let (state, member) = match decision {
            Decision::Assign(name) => (BankLineState::Assigned, Some(name.clone())),
            Decision::Return => (BankLineState::Returned, None),
            Decision::Note => (BankLineState::Noted, None),
        };
        if record.state != BankLineState::Waiting {
            let is_same = (record.state, &record.member) == (state, &member);
            return if is_same { Ok(()) } else { Err(WalletError::AlreadyDecided.into()) };
        }
        if (record.amount > 0) == (state == BankLineState::Noted) {
            let why = "a credit is somebody's or goes back; a debit is only noted";
            return Err(Fault::Invalid { field: "decision", why }.into());
        }
        if record.amount > 0 {
            let debit = self.node_account(AccountKind::Suspense, record.asset)?;
            let (credit, purpose) = match &member {
                Some(name) => (self.personal(name, record.asset)?, Purpose::TopUp),
                None => (issuance(record.asset), Purpose::Withdrawal),
            };
            let amount = record.amount.unsigned_abs();
            let movement = Movement::Posted { debit, credit, amount, refunds: None };
            self.post(&[Transfer { id: transfer_of(id, true), movement, purpose, about: id.0 }])?;
        }
        self.delete(tables::BANK_WAITING, waiting_key(record.imported_ms, id));
        (record.state, record.member) = (state, member);
        self.put(tables::BANK_LINES, id.0, &record);
        Ok(())
    }
}
