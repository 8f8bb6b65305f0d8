//! Money over a bank: paying in, paying out, and what the node's owner does for both. Nothing is kept here.

use super::orders::{self, Wish};
use super::{asset_view, id, look, some};
use crate::account::me;
use crate::api::{
    BankAccountView, BankLineView, BankLinesView, ImportedView, NodeLinkView, NodeOwedView, Reply, TopUpCall,
    TopUpReply, TopUpView, WithdrawalView, WithdrawalsView,
};
use crate::error::{Refusal, call_error, field_error};
use crate::http;
use crate::runtime::Cx;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use weft_wire::admin::{LinkList, LinkRow};
use weft_wire::limits::BANK_FILE_BYTES_MAX;
use weft_wire::wallet::{
    BankAccount, BankAccountInfo, BankAccountList, BankImport, BankLine, BankLineList, BankPayee,
    DecideBankLine, DecideWithdrawal, ImportBank, Intent, Payee, TopUpList, TopUpWay, WithdrawalInfo,
    WithdrawalList, WithdrawalState,
};
use weft_wire::{BankLineId, Blob, TransferId};
use zeroize::Zeroizing;

/// Answers a call about banks.
pub(super) async fn answer(cx: &Cx, call: TopUpCall) -> Result<Reply, Refusal> {
    let reply = match call {
        TopUpCall::TopUps => {
            let list: TopUpList = http::get(cx, "wallet/top-ups").await?;
            TopUpReply::TopUps(list.ways.into_iter().map(way).collect())
        }
        TopUpCall::Withdraw { id, asset, amount, name, account, pin } => {
            let pin = Zeroizing::new(pin);
            withdraw(cx, [&id, &asset, &amount, &name, &account], &pin).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::Withdrawals => withdrawals(cx, "wallet/withdrawals").await?,
        TopUpCall::TakeBackWithdrawal { id: transfer } => {
            let transfer: TransferId = id("id", &transfer)?;
            http::tell::<()>(cx, "DELETE", &format!("wallet/withdrawals/{transfer}"), None).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::BeginWithdrawal { id: transfer } => {
            let transfer: TransferId = id("id", &transfer)?;
            http::tell::<()>(cx, "PUT", &format!("wallet/admin/withdrawals/{transfer}"), None).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::BankAccounts => {
            let list: BankAccountList = http::get(cx, "wallet/admin/bank").await?;
            TopUpReply::BankAccounts(list.accounts.into_iter().map(account_view).collect())
        }
        TopUpCall::SetBankAccount { asset, name, account, note } => {
            let request = BankAccount { asset: id("asset", &asset)?, holder: name, account, bank: note };
            http::tell(cx, "PUT", "wallet/admin/bank", Some(&request)).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::ImportBank { text } => TopUpReply::Imported(import(cx, &text).await?),
        TopUpCall::BankLines { id: after } => {
            let list: BankLineList = http::get(cx, &page("wallet/admin/bank/lines", after)).await?;
            let lines = list.lines.into_iter().map(line).collect();
            TopUpReply::BankLines(BankLinesView { lines, more: list.more })
        }
        TopUpCall::DecideLine { id: line, act, user } => {
            decide(cx, &line, &act, user.as_deref()).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::WithdrawalsWaiting { id: after } => {
            withdrawals(cx, &page("wallet/admin/withdrawals", after)).await?
        }
        TopUpCall::DecideWithdrawal { id: transfer, accept } => {
            let transfer: TransferId = id("id", &transfer)?;
            let path = format!("wallet/admin/withdrawals/{transfer}");
            http::tell(cx, "POST", &path, Some(&DecideWithdrawal { paid: accept })).await?;
            return Ok(Reply::Done);
        }
        TopUpCall::NodeLinks => {
            let list: LinkList = http::get(cx, "wallet/admin/links").await?;
            TopUpReply::Links(list.links.into_iter().map(link).collect())
        }
    };
    Ok(Reply::TopUp(reply))
}

/// An id of 32 hexadecimal digits needs no escaping, and what is none the node refuses.
fn page(path: &str, after: Option<String>) -> String {
    let well_formed = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match after.filter(well_formed) {
        Some(after) => format!("{path}?after={after}"),
        None => path.to_owned(),
    }
}

fn way(way: TopUpWay) -> TopUpView {
    TopUpView {
        asset: asset_view(&way.asset.asset),
        title: way.asset.title,
        backing: way.asset.backing,
        name: way.holder,
        account: way.account,
        note: way.bank,
        reference: way.reference,
    }
}

async fn withdraw(cx: &Cx, said: [&str; 5], pin: &str) -> Result<(), Refusal> {
    let [form, asset, amount, name, account] = said;
    let plain = account.chars().filter(|c| !c.is_whitespace());
    let account = plain.map(|c| c.to_ascii_uppercase()).collect();
    let name = weft_wire::text::name(name).trim().to_owned();
    let wish = Wish {
        id: id("id", form)?,
        payee: Payee::Bank(BankPayee { name, account }),
        asset: id("asset", asset)?,
        amount: some("amount", amount)?,
        intent: Intent::Payment,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
        card: None,
    };
    match orders::pay(cx, &wish, pin).await {
        Ok(_) => Ok(()),
        // The same form again: it was taken, and the answer did not come.
        Err(refusal) if refusal.code == "id_conflict" => {
            let transfer = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
            let list: WithdrawalList = http::get(cx, "wallet/withdrawals").await?;
            let is_it = |known: &WithdrawalInfo| {
                known.id == transfer
                    && known.amount == wish.amount
                    && Payee::Bank(known.to.clone()) == wish.payee
            };
            if list.withdrawals.iter().any(is_it) { Ok(()) } else { Err(refusal) }
        }
        Err(refusal) => Err(refusal),
    }
}

async fn withdrawals(cx: &Cx, path: &str) -> Result<TopUpReply, Refusal> {
    let list: WithdrawalList = http::get(cx, path).await?;
    let withdrawals = cx.with(|s| {
        let view = |known: WithdrawalInfo| WithdrawalView {
            id: known.id.to_string(),
            person: look::person(s, &known.user),
            asset: asset_view(&known.asset),
            amount: known.amount.to_string(),
            name: known.to.name,
            account: known.to.account,
            reference: known.reference,
            state: match known.state {
                WithdrawalState::Paid => "paid",
                WithdrawalState::Returned => "returned",
                WithdrawalState::Paying => "paying",
                WithdrawalState::TakenBack => "taken_back",
                _ => "waiting",
            }
            .into(),
            time_ms: known.at_ms as f64,
        };
        list.withdrawals.into_iter().map(view).collect()
    });
    Ok(TopUpReply::Withdrawals(WithdrawalsView { withdrawals, more: list.more }))
}

fn account_view(info: BankAccountInfo) -> BankAccountView {
    BankAccountView {
        asset: info.account.asset.to_string(),
        name: info.account.holder,
        account: info.account.account,
        note: info.account.bank,
        issued: info.issued.to_string(),
        suspense: info.suspense.to_string(),
        closing: info.closing.map(|closing| (closing.amount.to_string(), closing.day)),
    }
}

async fn import(cx: &Cx, text: &str) -> Result<ImportedView, Refusal> {
    let file = URL_SAFE_NO_PAD.decode(text).map_err(|_| field_error("text", "not base64url"))?;
    if file.len() > BANK_FILE_BYTES_MAX {
        return Err(call_error("too_large", "A file has at most 4 MiB here."));
    }
    let request = ImportBank { file: Blob(file) };
    let done: BankImport = http::post(cx, "wallet/admin/bank/files", &request).await?;
    let BankImport { credited, paid, waiting, known, above, left_out, foreign, unproved, .. } = done;
    Ok(ImportedView { credited, paid, waiting, known, above, left_out, foreign, unproved })
}

fn line(line: BankLine) -> BankLineView {
    BankLineView {
        id: line.id.to_string(),
        asset: asset_view(&line.asset),
        day: line.booked,
        amount: line.amount.to_string(),
        credit: line.credit,
        name: line.counterparty,
        account: line.counterparty_account,
        text: line.text,
    }
}

async fn decide(cx: &Cx, line: &str, act: &str, user: Option<&str>) -> Result<(), Refusal> {
    let line: BankLineId = id("id", line)?;
    let wish = match (act, user) {
        ("assign", Some(user)) => {
            DecideBankLine::Assign(user.parse().map_err(|error| field_error("user", error))?)
        }
        ("return", _) => DecideBankLine::Return,
        ("note", _) => DecideBankLine::Note,
        _ => return Err(field_error("act", "assign, return or note")),
    };
    Ok(http::tell(cx, "POST", &format!("wallet/admin/bank/lines/{line}"), Some(&wish)).await?)
}

fn link(row: LinkRow) -> NodeLinkView {
    let owed = row.owed.into_iter().map(|owed| NodeOwedView {
        code: owed.asset.code.to_string(),
        ours: owed.vostro,
        owed: owed.owed,
        limit: owed.limit,
        position: owed.position,
    });
    let rates = row.terms.iter().flat_map(|terms| &terms.rates);
    let rates = rates.map(|rate| (rate.give.code.to_string(), rate.get.code.to_string(), rate.rate.clone()));
    let rates = rates.collect();
    NodeLinkView {
        node: row.peer.to_string(),
        terms: row.terms.is_some(),
        offered: row.ours.is_some(),
        asked: row.theirs.is_some(),
        frozen: row.frozen,
        frozen_ms: row.frozen_ms.map(|at| at as f64),
        waiting_out: row.waiting_out,
        waiting_in: row.waiting_in,
        owed: owed.collect(),
        rates,
    }
}
