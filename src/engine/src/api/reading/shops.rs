//! Reading a call about shops.

use super::{Said, need};
use crate::api::ShopCall;

impl Said {
    pub(super) fn shop_call(&mut self, call: &str) -> Result<ShopCall, String> {
        Ok(match call {
            "shops" => ShopCall::Shops,
            "open_shop" => ShopCall::OpenShop {
                name: need(&mut self.name, "name")?,
                title: need(&mut self.title, "title")?,
                merchant_name: need(&mut self.merchant_name, "merchant_name")?,
                city: need(&mut self.city, "city")?,
                country: need(&mut self.country, "country")?,
                mcc: need(&mut self.mcc, "mcc")?,
            },
            "change_shop" => ShopCall::ChangeShop {
                shop: need(&mut self.shop, "shop")?,
                title: self.title.take(),
                merchant_name: self.merchant_name.take(),
                city: self.city.take(),
                country: self.country.take(),
                mcc: self.mcc.take(),
                open: self.open.take(),
            },
            "set_staff" => ShopCall::SetStaff {
                shop: need(&mut self.shop, "shop")?,
                user: need(&mut self.user, "user")?,
                role: self.role.take(),
            },
            "join_shop" => ShopCall::JoinShop {
                shop: need(&mut self.shop, "shop")?,
                accept: need(&mut self.accept, "accept")?,
            },
            "sell" => ShopCall::Sell {
                id: need(&mut self.id, "id")?,
                shop: need(&mut self.shop, "shop")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                bill: need(&mut self.bill, "bill")?,
                tip_allowed: need(&mut self.tip_allowed, "tip_allowed")?,
                lifetime: self.lifetime.take(),
            },
            "sale" => {
                ShopCall::Sale { shop: need(&mut self.shop, "shop")?, sale: need(&mut self.sale, "sale")? }
            }
            "cancel_sale" => ShopCall::CancelSale {
                shop: need(&mut self.shop, "shop")?,
                sale: need(&mut self.sale, "sale")?,
            },
            "sales" => ShopCall::Sales { shop: need(&mut self.shop, "shop")?, sale: self.sale.take() },
            "shop_sign" => ShopCall::ShopSign {
                shop: need(&mut self.shop, "shop")?,
                asset: need(&mut self.asset, "asset")?,
                till: self.till.take(),
            },
            "read_code" => ShopCall::ReadCode { text: need(&mut self.text, "text")? },
            _ => return self.paying(call),
        })
    }

    fn paying(&mut self, call: &str) -> Result<ShopCall, String> {
        Ok(match call {
            "pay_shop" => ShopCall::PayShop {
                id: need(&mut self.id, "id")?,
                shop: need(&mut self.shop, "shop")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                tip: need(&mut self.tip, "tip")?,
                sale: self.sale.take(),
                till: self.till.take(),
                exchange: self.exchange.take(),
                pin: need(&mut self.pin, "pin")?,
            },
            "show_code" => ShopCall::ShowCode {
                asset: need(&mut self.asset, "asset")?,
                cap: need(&mut self.cap, "cap")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "code_state" => ShopCall::CodeState { id: need(&mut self.id, "id")? },
            "charge" => ShopCall::Charge {
                id: need(&mut self.id, "id")?,
                shop: need(&mut self.shop, "shop")?,
                code: need(&mut self.code, "code")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                bill: need(&mut self.bill, "bill")?,
            },
            "charges" => ShopCall::Charges { shop: need(&mut self.shop, "shop")? },
            "charge_again" => ShopCall::ChargeAgain { id: need(&mut self.id, "id")? },
            "refund_sale" => ShopCall::RefundSale {
                id: need(&mut self.id, "id")?,
                shop: need(&mut self.shop, "shop")?,
                sale: need(&mut self.sale, "sale")?,
                amount: need(&mut self.amount, "amount")?,
                pin: need(&mut self.pin, "pin")?,
            },
            "pay_out" => ShopCall::PayOut {
                id: need(&mut self.id, "id")?,
                shop: need(&mut self.shop, "shop")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                pin: need(&mut self.pin, "pin")?,
            },
            other => return Err(format!("no such call: {other}")),
        })
    }
}
