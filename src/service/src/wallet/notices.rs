//! What an operator's payment provider reports: it is booked as a line of a bank's file is, and waits in the same work list.

use super::{
    Result, Wallet, WalletError,
    bank_import::{Line, Taken, kept_words},
    bank_records::BankLineRecord,
    sheet::{Sheet, Stop},
};
use crate::{Fault, error::within};
use weft_bank::{Currency, Reference};
use weft_ledger::Refusal;
use weft_store::tables;
use weft_wire::{
    AssetId, BankLineId,
    limits::NOTICE_ID_BYTES_MAX,
    time,
    wallet::{Asset, BankLineState, TopUpNotice, TopUpTaken},
};

impl Wallet {
    /// `POST wallet/webhooks/NAME`. That it was `provider` who said so is for the caller to know. The same again counts once.
    ///
    /// # Errors
    /// [`Fault::Invalid`]; [`WalletError::NotFound`] for a currency of which no account backs an asset; [`WalletError::IdConflict`] for
    /// another payment under a known id; [`WalletError::NeedsApproval`] beyond the threshold of the day and [`WalletError::Refused`] where more may not be issued: then it may come again later.
    pub async fn take_notice(&self, provider: &str, notice: TopUpNotice) -> Result<TopUpTaken> {
        let asset = self.of_currency(&notice.currency).await?;
        let line = line(provider, asset, notice)?;
        let state = self.teller.run(move |sheet| sheet.take_notice(&line)).await?;
        Ok(TopUpTaken { state })
    }

    /// The asset that is called as a currency and backed by an account.
    async fn of_currency(&self, code: &str) -> Result<AssetId> {
        let unknown = || Fault::Invalid { field: "currency", why: "no currency of ISO 4217" };
        let currency = Currency::of_code(code).map_err(|_| unknown())?;
        let (issuer, code) = (self.ctx.node.clone(), currency.code().parse().map_err(|_| unknown())?);
        let asset = Asset { issuer, code, scale: currency.scale() }.id();
        let is_backed = self.bank_records().await?.iter().any(|one| one.account.asset == asset);
        if is_backed { Ok(asset) } else { Err(WalletError::NotFound("asset")) }
    }
}

/// A notice as a line: its id is the provider's, so that two providers who count from 1 are not taken for one.
fn line(provider: &str, asset: AssetId, notice: TopUpNotice) -> Result<Line> {
    let TopUpNotice { id, amount, reference, payer, text, .. } = notice;
    within("id", id.len(), NOTICE_ID_BYTES_MAX)?;
    if id.is_empty() {
        return Err(Fault::Invalid { field: "id", why: "how is the payment called?" }.into());
    }
    let amount = i64::try_from(amount).ok().filter(|amount| *amount > 0);
    let amount = amount.ok_or(Fault::Invalid { field: "amount", why: "at least 1, in minor units" })?;
    let mut hasher = blake3::Hasher::new_derive_key("weft/top-up-notice/1");
    let hash = hasher.update(provider.as_bytes()).update(&[0]).update(id.as_bytes()).finalize();
    let id = BankLineId::from_slice(hash.as_bytes().get(..16).unwrap_or_default());
    let reference = reference.unwrap_or_default();
    // As of a line of a bank: what it names, or else what stands in the text.
    let named = reference.parse::<Reference>().map(|one| vec![one]);
    let references = named.unwrap_or_else(|_| Reference::find(&text));
    let said: Vec<&str> =
        [reference.as_str(), text.as_str()].into_iter().filter(|one| !one.is_empty()).collect();
    let who = payer.map_or_else(|| provider.to_owned(), |payer| format!("{provider}: {payer}"));
    let (counterparty, text) = kept_words(&who, &said.join(" "));
    Ok(Line {
        id: id.map_err(|_| Fault::Internal("a hash that is too short"))?,
        asset,
        booked: String::new(),
        amount,
        counterparty: Some(counterparty),
        counterparty_account: None,
        text,
        references: references.iter().map(|one| one.as_str().to_owned()).collect(),
        proposal: None,
    })
}

impl Sheet<'_> {
    fn take_notice(&mut self, line: &Line) -> Result<BankLineState, Stop> {
        if let Some(known) = self.get::<BankLineRecord>(tables::BANK_LINES, line.id.0)? {
            let is_same = (known.asset, known.amount) == (line.asset, line.amount)
                && (&known.text, &known.counterparty) == (&line.text, &line.counterparty);
            return if is_same { Ok(known.state) } else { Err(WalletError::IdConflict.into()) };
        }
        if self.needs_approval(line.asset, line.amount.unsigned_abs())? {
            return Err(WalletError::NeedsApproval.into());
        }
        let booked = time::date(self.now);
        match self.import_line(&Line { booked, ..line.clone() })? {
            Some(Taken::New(state)) => Ok(state),
            _ => Err(WalletError::Refused(Refusal::Cap).into()),
        }
    }
}
