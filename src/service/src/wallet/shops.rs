//! Shops: who has one, who works there, and whose money moves by their word.

use super::{
    Result, Wallet, WalletError,
    accounts::merchant,
    orders::{DAY_MS, To},
    records::{MerchantRecord, PlacesRecord},
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::{
    Books, Entry,
    link::{LinkBooks, Way},
};
use weft_store::tables;
use weft_wire::{
    AccountId, AssetId, NodeName, TransferId, UserAddress, UserName,
    emv::{Currency, EmvError, MerchantQr},
    limits::{SHOP_TITLE_CHARS_MAX, SHOPS_PER_OWNER_MAX},
    text,
    wallet::{
        ChangeShop, Intent, Payee, PaymentOrder, ShopDetails, ShopInfo, ShopList, ShopMember, ShopSign,
        ShopView, StaffChange,
    },
};

impl Wallet {
    /// `GET wallet/merchants`: the shops of the caller, and those where they work.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn shops(&self, caller: &Caller) -> Result<ShopList> {
        let PlacesRecord { owned, staff, invited } = self.places_record(caller.name()).await?;
        let mut names = [owned, staff, invited].concat();
        names.sort_unstable();
        let mut shops = Vec::with_capacity(names.len());
        for name in names {
            let record = self.merchant(&name).await?;
            let asked =
                record.member(caller.user()).filter(|member| member.invited).map(|member| member.role);
            let role = record.role(caller.user()).or(asked);
            let role = role.ok_or(Fault::Internal("a shop that knows nobody"))?;
            let (invited, stopped) = (asked.is_some(), record.stopped);
            let mut accounts = Vec::new();
            if record.is_led_by(caller.user()) {
                for asset in self.assets_of(&name).await? {
                    accounts.push(self.view(merchant(&name, asset)).await?);
                }
            }
            // Who else works there is no matter of somebody who is asked.
            let staff = if invited { Vec::new() } else { record.staff.clone() };
            let (owner, info) = (record.owner.clone(), self.shop_info(&name, record));
            shops.push(ShopView { info, role, owner, staff, accounts, invited, stopped });
        }
        Ok(ShopList { shops })
    }

    /// `GET wallet/merchants/NAME`, for every member.
    ///
    /// # Errors
    /// [`WalletError::NotFound`].
    pub async fn shop(&self, name: &UserName) -> Result<ShopInfo> {
        Ok(self.shop_info(name, self.merchant(name).await?))
    }

    /// Opens a shop of the caller. Asking again opens one.
    ///
    /// # Errors
    /// [`WalletError::NameTaken`], by whomever; [`Fault::TooMany`], [`Fault::Invalid`].
    pub async fn open_shop(&self, caller: &Caller, name: UserName, details: ShopDetails) -> Result<()> {
        let details = self.check_details(&name, details)?;
        let owner = caller.user().clone();
        self.teller.run(move |sheet| sheet.open_shop(&owner, &name, &details)).await
    }

    /// Changes a shop. That there are people of the names of new staff is for the caller to know.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`], [`Fault::TooMany`], [`Fault::Invalid`].
    pub(crate) async fn change_shop(
        &self,
        caller: &Caller,
        name: &UserName,
        mut wish: ChangeShop,
    ) -> Result<()> {
        wish.details = wish.details.map(|details| self.check_details(name, details)).transpose()?;
        let (user, is_owner, name) = (caller.user().clone(), caller.is_owner(), name.clone());
        self.teller.run(move |sheet| sheet.change_shop(&user, is_owner, &name, &wish)).await
    }

    /// `GET wallet/merchants/NAME/sign?asset=ID&till=TILL`: the code that stands on the counter, for the staff.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::NotStaff`]; [`Fault::Invalid`] for a till that no code holds.
    pub async fn sign(
        &self,
        caller: &Caller,
        name: &UserName,
        asset: AssetId,
        till: Option<String>,
    ) -> Result<ShopSign> {
        let record = self.staffed(caller, name).await?;
        self.asset(asset).await?;
        let mut qr = code(&self.ctx.address(name), &record.details, asset);
        qr.account.till = till;
        Ok(ShopSign { code: qr.encode().map_err(unfit)? })
    }

    /// Who works in a shop.
    pub(crate) async fn staff_of(&self, name: &UserName) -> Result<Vec<ShopMember>> {
        Ok(self.merchant(name).await?.staff)
    }

    /// Whether a shop has the name.
    pub(crate) async fn is_shop(&self, name: &UserName) -> Result<bool, Fault> {
        Ok(self.ctx.store.get(tables::MERCHANTS, name.as_str().as_bytes()).await?.is_some())
    }

    pub(super) async fn merchant(&self, name: &UserName) -> Result<MerchantRecord> {
        self.ctx.read(tables::MERCHANTS, name.as_str()).await?.ok_or(WalletError::NotFound("shop"))
    }

    /// A shop where the caller works.
    pub(super) async fn staffed(&self, caller: &Caller, name: &UserName) -> Result<MerchantRecord> {
        let record = self.merchant(name).await?;
        if record.role(caller.user()).is_some() { Ok(record) } else { Err(WalletError::NotStaff) }
    }

    /// The shops of somebody, and those where they work.
    pub(super) async fn places(&self, name: &UserName) -> Result<Vec<UserName>, Fault> {
        let PlacesRecord { mut owned, staff, .. } = self.places_record(name).await?;
        owned.extend(staff);
        Ok(owned)
    }

    async fn places_record(&self, name: &UserName) -> Result<PlacesRecord, Fault> {
        let places = self.ctx.read(tables::MERCHANTS_OF, joined(name.as_str(), [])).await?;
        Ok(places.unwrap_or_default())
    }

    fn shop_info(&self, name: &UserName, record: MerchantRecord) -> ShopInfo {
        ShopInfo {
            shop: self.ctx.address(name),
            open: record.is_open(),
            details: record.details,
            key: self.key.verifying_key().to_bytes(),
        }
    }

    /// A code is made of them: what it takes they have to be.
    fn check_details(&self, name: &UserName, details: ShopDetails) -> Result<ShopDetails> {
        let title = text::name(&details.title);
        if title.trim().is_empty() || title.chars().count() > SHOP_TITLE_CHARS_MAX {
            return Err(Fault::Invalid { field: "title", why: "1 to 64 characters" }.into());
        }
        let details = ShopDetails { title, ..details };
        code(&self.ctx.address(name), &details, AssetId([0; 16])).encode().map_err(unfit)?;
        Ok(details)
    }
}

/// A shop's static code.
pub(super) fn code(shop: &UserAddress, details: &ShopDetails, asset: AssetId) -> MerchantQr {
    let ShopDetails { merchant_name, city, country, mcc, .. } = details;
    let qr = MerchantQr::new(shop.clone(), Currency::Asset(asset), country, merchant_name, city);
    MerchantQr { merchant_category_code: *mcc, ..qr }
}

/// What does not fit into a code, by its name on the wire.
pub(super) fn unfit(error: EmvError) -> WalletError {
    let (field, why) = match error {
        EmvError::Value(26) => ("till", "with the shop's address it is too long for a code, or not ASCII"),
        EmvError::Value(52) => ("mcc", "at most 9999"),
        EmvError::Value(58) => ("country", "two capital letters"),
        EmvError::Value(59) => ("merchant_name", "1 to 25 characters of printable ASCII"),
        EmvError::Value(60) => ("city", "1 to 15 characters of printable ASCII"),
        EmvError::Value(62) => ("bill", "at most 25 characters of printable ASCII"),
        EmvError::Amount | EmvError::Value(54) => ("amount", "too many digits for a code"),
        _ => ("code", "it does not fit into a code"),
    };
    Fault::Invalid { field, why }.into()
}

impl Sheet<'_> {
    pub(super) fn shop(&self, name: &UserName) -> Result<MerchantRecord, Stop> {
        Ok(self.get(tables::MERCHANTS, name.as_str())?.ok_or(WalletError::NotFound("shop"))?)
    }

    /// A shop where somebody works.
    pub(super) fn shop_of(&self, name: &UserName, user: &UserAddress) -> Result<MerchantRecord, Stop> {
        let record = self.shop(name)?;
        if record.role(user).is_some() { Ok(record) } else { Err(WalletError::NotStaff.into()) }
    }

    fn open_shop(&mut self, owner: &UserAddress, name: &UserName, details: &ShopDetails) -> Result<(), Stop> {
        if let Some(known) = self.get::<MerchantRecord>(tables::MERCHANTS, name.as_str())? {
            let is_it = known.owner == *owner && known.details == *details;
            return if is_it { Ok(()) } else { Err(WalletError::NameTaken.into()) };
        }
        // People and shops are called by the same names: whoever signs up asks for the other table in the same way.
        if !self.is_free(tables::ACCOUNTS, name.as_str())? {
            return Err(WalletError::NameTaken.into());
        }
        let mut places = self.places(owner)?;
        if places.owned.len() >= SHOPS_PER_OWNER_MAX {
            return Err(Fault::TooMany { what: "shops", max: SHOPS_PER_OWNER_MAX }.into());
        }
        places.owned.push(name.clone());
        self.put_places(owner, &places);
        let record = MerchantRecord {
            details: details.clone(),
            owner: owner.clone(),
            staff: Vec::new(),
            open: true,
            stopped: false,
            created_ms: self.now,
        };
        self.put(tables::MERCHANTS, name.as_str(), &record);
        Ok(())
    }

    fn change_shop(
        &mut self,
        by: &UserAddress,
        is_owner: bool,
        name: &UserName,
        wish: &ChangeShop,
    ) -> Result<(), Stop> {
        let mut record = self.shop(name)?;
        if let Some(join) = wish.join {
            self.answer_invitation(by, name, &mut record, join)?;
            self.put(tables::MERCHANTS, name.as_str(), &record);
            return Ok(());
        }
        let is_led = record.is_led_by(by);
        let has_staff = wish.staff.is_some() || wish.member.is_some();
        let may_close = is_owner && wish.details.is_none() && !has_staff;
        if !is_led && !may_close && !record.is_left_by(by, wish) {
            return Err(WalletError::NotStaff.into());
        }
        if let Some(details) = &wish.details {
            record.details = details.clone();
        }
        if let Some(open) = wish.open {
            record.open = if is_led { open } else { record.open };
            record.stopped = if is_owner { !open } else { record.stopped };
        }
        if let Some(staff) = &wish.staff {
            self.set_staff(name, &mut record, staff)?;
        }
        if let Some(StaffChange { user, role }) = &wish.member {
            self.set_member(name, &mut record, user, *role)?;
        }
        self.put(tables::MERCHANTS, name.as_str(), &record);
        Ok(())
    }

    /// From whose account an order is paid: the payer's, or that of a shop for which they may sign.
    pub(super) fn debited(&mut self, order: &PaymentOrder, to: &To) -> Result<AccountId, Stop> {
        if order.tip.is_some() && !matches!(order.payee, Payee::Merchant(_)) {
            return Err(Fault::Invalid { field: "tip", why: "a tip is for a shop" }.into());
        }
        if let (None, To::CashIn(_)) = (&order.from, to) {
            return self.float_of(&order.payer.name, order.asset, order.amount);
        }
        let Some(from) = &order.from else { return self.personal(&order.payer.name, order.asset) };
        let record = self.shop_of(&from.name, &order.payer)?;
        if order.intent != Intent::Payment || order.request.is_some() {
            return Err(Fault::Invalid { field: "intent", why: "a shop pays at once" }.into());
        }
        let payee = match to {
            To::Person(payee) => payee,
            To::Remote(payee) if matches!(order.payee, Payee::Person(_)) => {
                let original = order.refunds.ok_or(Fault::Invalid {
                    field: "payee",
                    why: "a shop pays nobody of another node but who has paid there",
                })?;
                self.may_refund_over(
                    &payee.node,
                    &from.name,
                    order.asset,
                    original,
                    record.is_led_by(&order.payer),
                )?;
                return self.merchant_account(&from.name, order.asset);
            }
            To::Nobody => return Err(WalletError::NotFound("payee").into()),
            _ => return Err(Fault::Invalid { field: "payee", why: "a shop pays people" }.into()),
        };
        let is_led = record.is_led_by(&order.payer);
        match order.refunds {
            Some(original) => self.may_refund(&from.name, order.asset, original, is_led)?,
            None if !is_led => return Err(WalletError::NotStaff.into()),
            None if *payee != record.owner.name => {
                return Err(Fault::Invalid { field: "payee", why: "a shop pays out to its owner" }.into());
            }
            None => {}
        }
        self.merchant_account(&from.name, order.asset)
    }

    /// A shop gives back what has come to it; a cashier, within a day.
    fn may_refund(
        &self,
        shop: &UserName,
        asset: AssetId,
        original: TransferId,
        is_led: bool,
    ) -> Result<(), Stop> {
        let entry = self.entry(original)?.ok_or(WalletError::NotFound("transfer"))?;
        self.came_to(shop, asset, &entry, is_led)
    }

    /// The same, of what came from another node.
    fn may_refund_over(
        &self,
        peer: &NodeName,
        shop: &UserName,
        asset: AssetId,
        original: TransferId,
        is_led: bool,
    ) -> Result<(), Stop> {
        let payment = self.payment(peer, Way::In, original)?;
        let leg = payment.and_then(|payment| payment.legs.last().map(|leg| leg.transfer));
        let entry = leg.map(|leg| self.entry(leg)).transpose()?.flatten();
        self.came_to(shop, asset, &entry.ok_or(WalletError::NotFound("transfer"))?, is_led)
    }

    fn came_to(&self, shop: &UserName, asset: AssetId, entry: &Entry, is_led: bool) -> Result<(), Stop> {
        let came = entry.moved.is_some_and(|moved| moved.credit == merchant(shop, asset));
        if !came {
            return Err(WalletError::NotFound("transfer").into());
        }
        if !is_led && self.now.saturating_sub(entry.at_ms) >= DAY_MS {
            return Err(WalletError::NotStaff.into());
        }
        Ok(())
    }
}
