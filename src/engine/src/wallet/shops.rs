//! Shops: one's own, what is sold there, and paying in one. What is true of them the node says; nothing is kept here.

use super::orders::{self, Wish};
use super::{amount, asset_view, calls, charges, codes, id, look, requests, scanned, some};
use crate::account::me;
use crate::api::{
    Reply, SalePaidView, SaleView, SalesView, ShopCall, ShopReply, ShopView, SignView, StaffView,
    TransferView,
};
use crate::error::{Refusal, call_error, field_error};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use weft_wire::wallet::{
    ChangeShop, ChargeCode, Intent, MerchantPayee, OpenSale, OpenShop, Payee, SaleInfo, SaleKind, SaleList,
    SaleState, ShopDetails, ShopInfo, ShopList, ShopMember, ShopName, ShopRole, ShopSign,
    ShopView as KnownShop, StaffChange,
};
use weft_wire::{AssetId, RequestId, TransferId, UserAddress};
use zeroize::Zeroizing;

/// Answers a call about shops.
pub(super) async fn answer(cx: &Cx, call: ShopCall) -> Result<Reply, Refusal> {
    let reply = match call {
        ShopCall::Shops => ShopReply::Shops(shops(cx).await?),
        ShopCall::OpenShop { name, title, merchant_name, city, country, mcc } => {
            let name: weft_wire::UserName = name.parse().map_err(|error| field_error("name", error))?;
            let details = ShopDetails { title, merchant_name, city, country, mcc };
            let request = OpenShop { name: name.clone(), details };
            http::tell(cx, "POST", "wallet/merchants", Some(&request)).await?;
            let node = cx.with(|s| me(s).map(|me| me.user.node.clone()))?;
            return mine(cx, &UserAddress::new(name, node)).await;
        }
        ShopCall::ChangeShop { .. } | ShopCall::SetStaff { .. } | ShopCall::JoinShop { .. } => {
            return change(cx, call).await;
        }
        ShopCall::Sale { shop, sale } => {
            let (shop, sale) = (address(cx, &shop)?, id("sale", &sale)?);
            let sale = sale_of(cx, &shop, sale).await?;
            cx.with(|s| charges::seen(s, &sale));
            ShopReply::Sale(sale_view(cx, sale))
        }
        ShopCall::CancelSale { shop, sale } => {
            let (shop, sale): (_, RequestId) = (address(cx, &shop)?, id("sale", &sale)?);
            let path = format!("wallet/merchants/{}/sales/{sale}", shop.name);
            http::tell::<()>(cx, "DELETE", &path, None).await?;
            let sale = sale_of(cx, &shop, sale).await?;
            cx.with(|s| charges::seen(s, &sale));
            ShopReply::Sale(sale_view(cx, sale))
        }
        ShopCall::Sell { .. } | ShopCall::Charge { .. } | ShopCall::ChargeAgain { .. } => {
            ShopReply::Sale(sell(cx, call).await?)
        }
        ShopCall::Charges { shop } => {
            let shop = address(cx, &shop)?;
            ShopReply::Charges(cx.with(|s| charges::views(s, &shop)))
        }
        ShopCall::Sales { shop, sale } => ShopReply::Sales(sales(cx, &shop, sale.as_deref()).await?),
        ShopCall::ShopSign { shop, asset, till } => ShopReply::Sign(sign(cx, &shop, &asset, till).await?),
        ShopCall::ReadCode { text } => ShopReply::Scanned(scanned::read(cx, &text).await?),
        ShopCall::PayShop { .. } => return pay(cx, call).await.map(Reply::Transfer),
        ShopCall::ShowCode { asset, cap, pin } => {
            let pin = Zeroizing::new(pin);
            ShopReply::PayCode(codes::show(cx, &asset, &cap, &pin).await?)
        }
        ShopCall::CodeState { id } => ShopReply::CodeState(codes::state(cx, &id).await?),
        ShopCall::RefundSale { id, shop, sale, amount, pin } => {
            let pin = Zeroizing::new(pin);
            ShopReply::Sale(refund(cx, [&id, &shop, &sale, &amount], &pin).await?)
        }
        ShopCall::PayOut { id, shop, asset, amount, pin } => {
            let pin = Zeroizing::new(pin);
            return pay_out(cx, [&id, &shop, &asset, &amount], &pin).await.map(|()| Reply::Done);
        }
    };
    Ok(Reply::Shop(reply))
}

/// A shop's address, which has to be of the own node.
pub(super) fn address(cx: &Cx, shop: &str) -> Result<UserAddress, Refusal> {
    address_of(cx, "shop", shop)
}

/// An address in a field, which has to be of the own node.
pub(super) fn address_of(cx: &Cx, field: &'static str, text: &str) -> Result<UserAddress, Refusal> {
    let shop: UserAddress = text.parse().map_err(|error| field_error(field, error))?;
    let node = cx.with(|s| me(s).map(|me| me.user.node.clone()))?;
    if shop.node == node { Ok(shop) } else { Err(other_node()) }
}

fn other_node() -> Refusal {
    call_error("other_node", "This is of another node, where it cannot be paid from here.")
}

/// What the node says of a shop, of another node as well.
pub(super) async fn info(cx: &Cx, shop: &UserAddress) -> Result<ShopInfo, Refusal> {
    Ok(http::get(cx, &format!("wallet/merchants/{}?node={}", shop.name, shop.node)).await?)
}

/// What the node says of a sale.
pub(super) async fn sale_of(cx: &Cx, shop: &UserAddress, sale: RequestId) -> Result<SaleInfo, Refusal> {
    Ok(known_sale(cx, shop, sale).await?)
}

pub(super) async fn known_sale(cx: &Cx, shop: &UserAddress, sale: RequestId) -> Result<SaleInfo, Failure> {
    http::get(cx, &format!("wallet/merchants/{}/sales/{sale}?node={}", shop.name, shop.node)).await
}

async fn known(cx: &Cx) -> Result<Vec<KnownShop>, Refusal> {
    let list: ShopList = http::get(cx, "wallet/merchants").await?;
    Ok(list.shops)
}

async fn known_as(cx: &Cx, shop: &UserAddress) -> Result<KnownShop, Refusal> {
    let found = known(cx).await?.into_iter().find(|known| known.info.shop == *shop);
    found.ok_or_else(|| call_error("not_found", "You do not work in this shop."))
}

async fn shops(cx: &Cx) -> Result<Vec<ShopView>, Refusal> {
    let shops = known(cx).await?;
    Ok(cx.with(|s| shops.into_iter().map(|shop| view(s, shop)).collect()))
}

/// A shop as it is now; of one where one does not work oneself there is nothing to see.
async fn mine(cx: &Cx, shop: &UserAddress) -> Result<Reply, Refusal> {
    let found = known(cx).await?.into_iter().find(|known| known.info.shop == *shop);
    let view = found.map(|found| cx.with(|s| view(s, found)));
    Ok(view.map_or(Reply::Done, |view| Reply::Shop(ShopReply::Shop(view))))
}

fn view(s: &mut State, shop: KnownShop) -> ShopView {
    let KnownShop { info, role, owner, staff, accounts, invited, stopped } = shop;
    let ShopDetails { title, merchant_name, city, country, mcc } = info.details;
    let member = |s: &mut State, member: ShopMember| StaffView {
        person: look::person(s, &member.user),
        role: role_word(member.role).into(),
        invited: member.invited,
    };
    ShopView {
        shop: info.shop.to_string(),
        title,
        merchant_name,
        city,
        country,
        mcc,
        open: info.open,
        stopped,
        invited,
        role: role_word(role).into(),
        owner: look::person(s, &owner),
        staff: staff.into_iter().map(|one| member(s, one)).collect(),
        accounts: accounts.into_iter().map(look::account).collect(),
    }
}

fn role_word(role: ShopRole) -> &'static str {
    match role {
        ShopRole::Owner => "owner",
        ShopRole::Manager => "manager",
        _ => "cashier",
    }
}

async fn change(cx: &Cx, call: ShopCall) -> Result<Reply, Refusal> {
    let (shop, wish) = match call {
        ShopCall::ChangeShop { shop, title, merchant_name, city, country, mcc, open } => {
            let shop = address(cx, &shop)?;
            let is_said = [&title, &merchant_name, &city, &country].iter().any(|field| field.is_some());
            let mut wish = ChangeShop { open, ..ChangeShop::default() };
            if is_said || mcc.is_some() {
                let now = info(cx, &shop).await?.details;
                wish.details = Some(ShopDetails {
                    title: title.unwrap_or(now.title),
                    merchant_name: merchant_name.unwrap_or(now.merchant_name),
                    city: city.unwrap_or(now.city),
                    country: country.unwrap_or(now.country),
                    mcc: mcc.unwrap_or(now.mcc),
                });
            }
            (shop, wish)
        }
        ShopCall::SetStaff { shop, user, role } => {
            let shop = address(cx, &shop)?;
            let user: UserAddress = user.parse().map_err(|error| field_error("user", error))?;
            let role = match role.as_deref() {
                None => None,
                Some("manager") => Some(ShopRole::Manager),
                Some("cashier") => Some(ShopRole::Cashier),
                Some(_) => return Err(field_error("role", "manager or cashier")),
            };
            let member = Some(StaffChange { user, role });
            (shop, ChangeShop { member, ..ChangeShop::default() })
        }
        ShopCall::JoinShop { shop, accept } => {
            (address(cx, &shop)?, ChangeShop { join: Some(accept), ..ChangeShop::default() })
        }
        _ => return Err(call_error("bad_input", "This is no change of a shop.")),
    };
    http::tell(cx, "POST", &format!("wallet/merchants/{}", shop.name), Some(&wish)).await?;
    mine(cx, &shop).await
}

/// Makes a sale that waits, or one that a customer's code pays.
async fn sell(cx: &Cx, call: ShopCall) -> Result<SaleView, Refusal> {
    let sale: SaleInfo = match call {
        ShopCall::Sell { id: form, shop, asset, amount, bill, tip_allowed, lifetime } => {
            let lifetime_ms = lifetime.map_or(0, |seconds| u64::from(seconds) * 1_000);
            let (id, asset, amount) = (id("id", &form)?, id("asset", &asset)?, some("amount", &amount)?);
            let wish = OpenSale { id, asset, amount, bill, till: None, tip_allowed, lifetime_ms };
            let shop = address(cx, &shop)?;
            http::post(cx, &format!("wallet/merchants/{}/sales", shop.name), &wish).await?
        }
        ShopCall::Charge { id: form, shop, code, asset, amount, bill } => {
            let (id, asset, amount) = (id("id", &form)?, id("asset", &asset)?, some("amount", &amount)?);
            let wish = ChargeCode { id, code, asset, amount, bill };
            charges::charge(cx, address(cx, &shop)?, wish).await?
        }
        ShopCall::ChargeAgain { id: form } => charges::again(cx, id("id", &form)?).await?,
        _ => return Err(call_error("bad_input", "This is no sale.")),
    };
    Ok(sale_view(cx, sale))
}

async fn sales(cx: &Cx, shop: &str, before: Option<&str>) -> Result<SalesView, Refusal> {
    let shop = address(cx, shop)?;
    let before = before.map(|before| id::<RequestId>("sale", before)).transpose()?;
    let before = before.map(|before| format!("?before={before}")).unwrap_or_default();
    let list: SaleList = http::get(cx, &format!("wallet/merchants/{}/sales{before}", shop.name)).await?;
    let sales = list.sales.into_iter().map(|sale| sale_view(cx, sale)).collect();
    Ok(SalesView { sales, more: list.more })
}

async fn sign(cx: &Cx, shop: &str, asset: &str, till: Option<String>) -> Result<SignView, Refusal> {
    let (shop, asset): (_, AssetId) = (address(cx, shop)?, id("asset", asset)?);
    let query = till.as_deref().map(|till| format!("&till={}", encoded(till))).unwrap_or_default();
    let path = format!("wallet/merchants/{}/sign?asset={asset}{query}", shop.name);
    let sign: ShopSign = http::get(cx, &path).await?;
    let (title, asset) = (info(cx, &shop).await?.details.title, requests::asset(cx, asset).await?);
    Ok(SignView { shop: shop.to_string(), title, till, asset: asset_view(&asset), code: sign.code })
}

/// A text as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

fn sale_view(cx: &Cx, sale: SaleInfo) -> SaleView {
    cx.with(|s| SaleView {
        sale: sale.id.to_string(),
        shop: sale.shop.to_string(),
        asset: asset_view(&sale.asset),
        amount: sale.amount.to_string(),
        tip_allowed: sale.tip_allowed,
        bill: sale.bill,
        till: sale.till,
        kind: match sale.kind {
            SaleKind::Dynamic => "dynamic",
            SaleKind::Static => "static",
            _ => "code",
        }
        .into(),
        state: state_word(sale.state).into(),
        time_ms: sale.made_ms as f64,
        until_ms: sale.expires_ms.map(|until| until as f64),
        code: sale.code,
        by: sale.by.map(|user| look::person(s, &user)),
        paid: sale.paid.map(|paid| SalePaidView {
            payer: look::person(s, &paid.payer),
            transfer: paid.transfer.to_string(),
            time_ms: paid.at_ms as f64,
            tip: paid.tip.to_string(),
            refunded: paid.refunded.to_string(),
            at_rate: paid.at_rate,
        }),
        refused: sale.refused.map(|code| code.as_str().to_owned()),
    })
}

pub(super) fn state_word(state: SaleState) -> &'static str {
    match state {
        SaleState::Open => "open",
        SaleState::Paid => "paid",
        SaleState::Expired => "expired",
        _ => "cancelled",
    }
}

async fn pay(cx: &Cx, call: ShopCall) -> Result<TransferView, Refusal> {
    let ShopCall::PayShop { id: form, shop, asset, amount: sum, tip, sale, till, exchange, pin } = call
    else {
        return Err(call_error("bad_input", "This is no payment."));
    };
    let pin = Zeroizing::new(pin);
    let shop: UserAddress = shop.parse().map_err(|error| field_error("shop", error))?;
    let asset: AssetId = id("asset", &asset)?;
    let (sum, tip) = (some("amount", &sum)?, amount("tip", &tip)?);
    let sale = sale.map(|sale| id("sale", &sale)).transpose()?;
    let payee = Payee::Merchant(MerchantPayee { shop: shop.clone(), till, sale });
    let exchange = calls::exchange(exchange)?;
    let amount = if exchange.is_some() { Some(sum) } else { sum.checked_add(tip) };
    let amount = amount.ok_or_else(|| field_error("tip", "too much"))?;
    let wish = wish(id("id", &form)?, payee, asset, amount);
    let wish = Wish { tip: (tip > 0).then_some(tip), exchange, ..wish };
    let known = requests::asset(cx, asset).await?;
    let title = info(cx, &shop).await?.details.title;
    match orders::pay(cx, &wish, &pin).await {
        Ok(receipt) => {
            let name = ShopName { shop, title };
            cx.with(|s| look::done(s, &wish, &known, &receipt, Some(name)))
        }
        Err(refusal) => made_before(cx, &wish, refusal).await,
    }
}

pub(super) fn wish(id: weft_wire::OrderId, payee: Payee, asset: AssetId, amount: u64) -> Wish {
    let (request, refunds, from, tip, exchange, card) = (None, None, None, None, None, None);
    Wish { id, payee, asset, amount, intent: Intent::Payment, request, refunds, from, tip, exchange, card }
}

/// The same form again: it was paid, and the answer did not come.
pub(super) async fn made_before(cx: &Cx, wish: &Wish, refusal: Refusal) -> Result<TransferView, Refusal> {
    if refusal.code != "id_conflict" {
        return Err(refusal);
    }
    let id: TransferId = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
    let earlier = look::transfer(cx, id).await.ok().filter(|view| look::is_of(view, wish));
    earlier.ok_or(refusal)
}

/// Pays; the same form again has paid once.
pub(super) async fn pay_once(cx: &Cx, wish: &Wish, pin: &str) -> Result<(), Refusal> {
    match orders::pay(cx, wish, pin).await {
        Ok(_) => Ok(()),
        Err(refusal) => made_before(cx, wish, refusal).await.map(drop),
    }
}

async fn refund(cx: &Cx, said: [&str; 4], pin: &str) -> Result<SaleView, Refusal> {
    let [form, shop, sale, sum] = said;
    let (shop, sale) = (address(cx, shop)?, id("sale", sale)?);
    let before = sale_of(cx, &shop, sale).await?;
    let paid = before.paid.ok_or_else(|| call_error("not_found", "This sale was not paid."))?;
    let payee = Payee::Person(paid.payer);
    let wish = wish(id("id", form)?, payee, before.asset.id(), some("amount", sum)?);
    let wish = Wish { from: Some(shop.clone()), refunds: Some(paid.transfer), ..wish };
    pay_once(cx, &wish, pin).await?;
    Ok(sale_view(cx, sale_of(cx, &shop, sale).await?))
}

async fn pay_out(cx: &Cx, said: [&str; 4], pin: &str) -> Result<(), Refusal> {
    let [form, shop, asset, sum] = said;
    let shop = address(cx, shop)?;
    let owner = known_as(cx, &shop).await?.owner;
    let wish = wish(id("id", form)?, Payee::Person(owner), id("asset", asset)?, some("amount", sum)?);
    pay_once(cx, &Wish { from: Some(shop), ..wish }, pin).await
}
