//! Mandates: giving one, collecting, and ending it. What is true of them the node says; nothing is kept here.

use super::orders;
use super::shops::{address_of, wish};
use super::{amount, asset_view, id, look, some};
use crate::account::me;
use crate::api::{CollectionView, MandateCall, MandateReply, MandateView, MandatesView, PersonView, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::TransferId;
use weft_wire::wallet::{
    GiveMandate, MandateAct, MandateInfo, MandateList, MandatePeriod, MandateState, MandateTerms, Payee,
};
use zeroize::Zeroizing;

/// Answers a call about mandates.
pub(super) async fn answer(cx: &Cx, call: MandateCall) -> Result<Reply, Refusal> {
    let info = match call {
        MandateCall::Mandates { shop, mandate } => {
            let page = list(cx, shop, mandate).await?;
            return Ok(Reply::Mandate(MandateReply::Mandates(page)));
        }
        MandateCall::Mandate { mandate } => http::get(cx, &path(&mandate)?).await?,
        MandateCall::CollectMandate { mandate, number, amount: sum } => {
            let act = MandateAct::Collect { period: number as u32, amount: amount("amount", &sum)? };
            http::post(cx, &path(&mandate)?, &act).await?
        }
        MandateCall::EndMandate { mandate } => http::post(cx, &path(&mandate)?, &MandateAct::End).await?,
        give => self::give(cx, give).await?,
    };
    cx.with(|s| view(s, info)).map(MandateReply::Mandate).map(Reply::Mandate)
}

fn path(mandate: &str) -> Result<String, Refusal> {
    Ok(format!("wallet/mandates/{}", id::<TransferId>("mandate", mandate)?))
}

async fn give(cx: &Cx, call: MandateCall) -> Result<MandateInfo, Refusal> {
    let MandateCall::GiveMandate {
        id: form,
        user,
        asset,
        amount,
        note,
        standing,
        period,
        day,
        last_day,
        count,
        zone,
        pin,
    } = call
    else {
        return Err(field_error("call", "it gives no mandate"));
    };
    let pin = Zeroizing::new(pin);
    let terms = MandateTerms {
        creditor: address_of(cx, "user", &user)?,
        standing,
        period: match period.as_str() {
            "week" => MandatePeriod::Week,
            "month" => MandatePeriod::Month,
            _ => return Err(field_error("period", "week or month")),
        },
        first_day: day as u32,
        last_day: last_day.map(|day| day as u32),
        count,
        zone: zone as i16,
        purpose: note,
    };
    let wish = wish(id("id", &form)?, Payee::Mandate(terms), id("asset", &asset)?, some("amount", &amount)?);
    let body = |order| weft_wire::encode(&GiveMandate { order });
    Ok(http::read(&orders::until_taken(cx, &wish, &pin, "wallet/mandates", body).await?)?)
}

async fn list(cx: &Cx, shop: Option<String>, before: Option<String>) -> Result<MandatesView, Refusal> {
    let mut query = String::new();
    if let Some(shop) = shop {
        query = format!("&shop={}", address_of(cx, "shop", &shop)?.name);
    }
    if let Some(before) = before {
        query.push_str(&format!("&before={}", id::<TransferId>("mandate", &before)?));
    }
    let list: MandateList =
        http::get(cx, &format!("wallet/mandates?{}", query.trim_start_matches('&'))).await?;
    let mut mandates = Vec::with_capacity(list.mandates.len());
    for info in list.mandates {
        mandates.push(cx.with(|s| view(s, info))?);
    }
    Ok(MandatesView { mandates, more: list.more })
}

fn view(s: &mut State, info: MandateInfo) -> Result<MandateView, Refusal> {
    let terms = info.terms;
    let creditor = match &info.shop {
        Some(shop) => PersonView { user: terms.creditor.to_string(), name: shop.title.clone() },
        None => look::person(s, &terms.creditor),
    };
    let mut collections = Vec::with_capacity(info.collections.len());
    for one in info.collections {
        collections.push(CollectionView {
            period: one.period.into(),
            day: one.day.into(),
            amount: one.amount.to_string(),
            transfer: one.transfer.map(|transfer| transfer.to_string()),
            time_ms: one.at_ms.map(|at| at as f64),
            refused: one.refused,
        });
    }
    Ok(MandateView {
        mandate: info.id.to_string(),
        mine: me(s)?.user == info.debtor,
        debtor: look::person(s, &info.debtor),
        creditor,
        shop: info.shop.is_some(),
        standing: terms.standing,
        period: if terms.period == MandatePeriod::Week { "week" } else { "month" }.into(),
        asset: asset_view(&info.asset),
        amount: info.amount.to_string(),
        note: terms.purpose,
        first_day: terms.first_day.into(),
        last_day: terms.last_day.map(f64::from),
        count: terms.count,
        time_ms: info.made_ms as f64,
        state: match info.state {
            MandateState::Live => "live",
            MandateState::Ended => "ended",
            MandateState::GivenUp => "given_up",
            _ => "over",
        }
        .into(),
        ended_ms: info.ended_ms.map(|at| at as f64),
        next: info.next.map(f64::from),
        next_day: info.next_day.map(f64::from),
        due: info.due,
        collections,
    })
}
