//! What operators settle of what their nodes owe each other, and the statements of it. Nothing is kept here.

use super::id;
use crate::api::{LinkCall, LinkReply, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::Cx;
use weft_wire::links::{DecideSettlement, ProposeSettlement, Table};
use weft_wire::{NodeName, TransferId};

/// Answers a call about links.
pub(super) async fn answer(cx: &Cx, call: LinkCall) -> Result<Reply, Refusal> {
    match call {
        LinkCall::Settlements { name } => table(cx, &path(&name, "settlements")?).await,
        LinkCall::Settle { id: form, name, code, amount, against, note } => {
            let asset = |code: String| code.parse().map_err(|error| field_error("code", error));
            let against = against.map(asset).transpose()?;
            let wish = ProposeSettlement { id: id("id", &form)?, asset: asset(code)?, amount, against, note };
            http::tell(cx, "POST", &path(&name, "settlements")?, Some(&wish)).await?;
            Ok(Reply::Done)
        }
        LinkCall::DecideSettlement { id: settled, name, accept, amount } => {
            let settled: TransferId = id("id", &settled)?;
            let path = format!("{}/{settled}", path(&name, "settlements")?);
            http::tell(cx, "POST", &path, Some(&DecideSettlement { accept, amount })).await?;
            Ok(Reply::Done)
        }
        LinkCall::LinkTerms { name, act, rows } => {
            let path = path(&name, &act)?;
            if act == "terms" {
                return table(cx, &path).await;
            }
            Ok(Reply::NodeLink(LinkReply::Table(http::post(cx, &path, &rows).await?)))
        }
        LinkCall::LinkStatement { name, from_ms, until_ms } => {
            let (from, until) = (from_ms.max(0.0) as u64, until_ms.max(0.0) as u64);
            let path = format!("{}?from={from}&until={until}", path(&name, "statement")?);
            table(cx, &path).await
        }
    }
}

async fn table(cx: &Cx, path: &str) -> Result<Reply, Refusal> {
    let table: Table = http::get(cx, path).await?;
    Ok(Reply::NodeLink(LinkReply::Table(table)))
}

/// A node's name needs no escaping.
fn path(node: &str, what: &str) -> Result<String, Refusal> {
    let node: NodeName = node.parse().map_err(|error| field_error("name", error))?;
    if !what.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(field_error("act", "letters"));
    }
    Ok(format!("wallet/admin/links/{node}/{what}"))
}
