//! Charges by a code that a customer of another node shows: a sale that is open until that node has paid it. See decision 0022.

use super::{
    LinkTrouble, Result, Wallet, WalletError,
    records::{AssetRecord, SaleRecord},
    sales::{check_label, sale_key},
    sheet::{Sheet, Stop},
};
use crate::{Budget, Caller, Fault};
use weft_store::tables;
use weft_wire::{
    Blob, Code, Millis, NodeName, RequestId, Signed, UserAddress, UserName,
    limits::PAY_CODE_LIFETIME_MS,
    paycode::PayCode,
    wallet::{BearerPayee, ChargeCode, CodeCharge, SaleKind, SaleState},
};

/// For how long a charge may wait for its money: the minute of the code, and another for the way. What comes later goes back, so that
/// whoever stands at the till knows by then.
const CHARGE_MS: Millis = 2 * PAY_CODE_LIFETIME_MS;

impl Wallet {
    /// What was read at a till, if it is a code of another node.
    pub(crate) fn far_code(&self, text: &str) -> Option<PayCode> {
        PayCode::parse(text).ok().filter(|code| *code.node() != self.ctx.node)
    }

    /// Whether there is such a sale, in whatever state.
    pub(crate) async fn has_sale(&self, shop: &UserName, id: RequestId) -> Result<bool> {
        Ok(self.ctx.store.get(tables::SALES, &sale_key(shop, id)).await?.is_some())
    }

    /// Whether what another node sends is taken at all.
    pub(crate) async fn is_running(&self, peer: &NodeName) -> Result<()> {
        let link = self.link(peer).await?.ok_or(WalletError::Link(LinkTrouble::NoLink))?;
        match link.frozen {
            Some(frozen) => Err(WalletError::Link(LinkTrouble::Frozen(frozen.why))),
            None => Ok(()),
        }
    }

    /// Opens the sale of a charge, and gives what its customer's node is to be asked. `None`: it is paid already.
    ///
    /// # Errors
    /// As [`Wallet::open_sale`]; [`WalletError::ChargeRefused`] and [`WalletError::SaleOver`] for one that ended without money.
    pub(crate) async fn begin_charge(
        &self,
        caller: &Caller,
        shop: &UserName,
        wish: &ChargeCode,
        code: PayCode,
    ) -> Result<Option<Signed<CodeCharge>>> {
        self.ctx.limits.take_account(Budget::Payment, caller.name())?;
        let record = self.staffed(caller, shop).await?;
        check_label("bill", &wish.bill)?;
        let charge = CodeCharge {
            shop: self.ctx.address(shop),
            title: record.details.title,
            sale: wish.id,
            code,
            asset: wish.asset,
            amount: wish.amount,
        };
        let read = BearerPayee::of(&charge.code).code;
        let (by, wish) = (caller.user().clone(), wish.clone());
        let name = shop.clone();
        let is_open = self.teller.run(move |sheet| sheet.begin_charge(&by, &name, &wish, read)).await?;
        Ok(is_open.then(|| Signed::sign(&charge, &self.key)))
    }

    /// The customer's node has said that it does not pay: neither will what comes from it after that. Nothing, if it has paid before.
    pub(crate) async fn end_charge(&self, shop: &UserName, id: RequestId, why: Code) -> Result<()> {
        let key = sale_key(shop, id);
        self.teller
            .run(move |sheet| {
                let sale: SaleRecord =
                    sheet.get(tables::SALES, &key)?.ok_or(WalletError::NotFound("sale"))?;
                if sale.state(sheet.now) == SaleState::Open {
                    sheet.put(
                        tables::SALES,
                        &key,
                        &SaleRecord { cancelled: true, refused: Some(why), ..sale },
                    );
                }
                Ok(())
            })
            .await
    }
}

impl Sheet<'_> {
    /// Whether the sale of a charge waits for its money.
    fn begin_charge(
        &mut self,
        by: &UserAddress,
        shop: &UserName,
        wish: &ChargeCode,
        code: [u8; 32],
    ) -> Result<bool, Stop> {
        let record = self.shop_of(shop, by)?;
        let sale = SaleRecord {
            asset: wish.asset,
            amount: wish.amount,
            tip_allowed: false,
            bill: wish.bill.clone(),
            till: None,
            kind: SaleKind::Code,
            made_ms: self.now,
            expires_ms: Some(self.now.saturating_add(CHARGE_MS)),
            by: Some(by.clone()),
            code: Some(Blob(code.to_vec())),
            cancelled: false,
            paid: None,
            refused: None,
        };
        if let Some(known) = self.get::<SaleRecord>(tables::SALES, sale_key(shop, wish.id))? {
            if !known.is_as(&sale) {
                return Err(WalletError::IdConflict.into());
            }
            return match (known.state(self.now), known.refused) {
                (SaleState::Paid, _) => Ok(false),
                (SaleState::Open, _) => Ok(true),
                (_, Some(why)) => Err(WalletError::ChargeRefused(why).into()),
                (_, None) => Err(WalletError::SaleOver.into()),
            };
        }
        if !record.is_open() {
            return Err(WalletError::ShopClosed.into());
        }
        let asset: AssetRecord =
            self.get(tables::ASSETS, wish.asset.0)?.ok_or(WalletError::NotFound("asset"))?;
        if wish.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        if asset.payment_max > 0 && wish.amount > asset.payment_max {
            return Err(WalletError::PaymentMax { max: asset.payment_max }.into());
        }
        self.put_sale(shop, wish.id, &sale);
        Ok(true)
    }
}
