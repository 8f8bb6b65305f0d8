//! Cash agents: money for cash, and cash for money. Nothing is kept here.

use super::orders::{self, Wish};
use super::{amount, asset_view, id, look, some};
use crate::account::me;
use crate::api::{AgentCall, AgentReply, AgentView, AgentsView, FloatView, Reply};
use crate::error::{Refusal, field_error};
use crate::http;
use crate::runtime::{Cx, State};
use weft_wire::UserAddress;
use weft_wire::wallet::{Agent, AgentInfo, AgentList, Intent, Payee, SetAgent, SettleAgent, TransferInfo};
use zeroize::Zeroizing;

/// Answers a call about cash agents.
pub(super) async fn answer(cx: &Cx, call: AgentCall) -> Result<Reply, Refusal> {
    let (method, path, body) = match call {
        AgentCall::Agents => return list(cx, "wallet/agents").await,
        AgentCall::AgentDesk => return list(cx, "wallet/admin/agents").await,
        AgentCall::CashIn { id, user, asset, amount, pin } => {
            let pin = Zeroizing::new(pin);
            return pay(cx, &id, Payee::CashIn(address(&user)?), [&asset, &amount], &pin).await;
        }
        AgentCall::CashOut { id, user, asset, amount, pin } => {
            let pin = Zeroizing::new(pin);
            return pay(cx, &id, Payee::CashOut(address(&user)?), [&asset, &amount], &pin).await;
        }
        AgentCall::SetAgent { user, asset, amount: sum, frozen, on } => {
            let (user, asset, limit) = (address(&user)?, id("asset", &asset)?, amount("amount", &sum)?);
            let request = SetAgent { user, asset, limit, frozen, end: !on };
            ("PUT", "wallet/admin/agents", weft_wire::encode(&request))
        }
        AgentCall::SettleAgent { id: form, user, asset, amount: sum, sent } => {
            let (user, asset, amount) = (address(&user)?, id("asset", &asset)?, some("amount", &sum)?);
            let request = SettleAgent { id: id("id", &form)?, user, asset, amount, paid_out: sent };
            ("POST", "wallet/admin/agents/settle", weft_wire::encode(&request))
        }
    };
    http::send(cx, method, path, body).await?;
    Ok(Reply::Done)
}

async fn list(cx: &Cx, path: &str) -> Result<Reply, Refusal> {
    let AgentList { agents, mine } = http::get(cx, path).await?;
    Ok(Reply::Agent(cx.with(|s| {
        let agents = agents.into_iter().map(|agent| view(s, agent)).collect();
        AgentReply::Agents(AgentsView { agents, mine: mine.into_iter().map(|info| float(s, info)).collect() })
    })))
}

fn address(user: &str) -> Result<UserAddress, Refusal> {
    user.parse().map_err(|error| field_error("user", error))
}

async fn pay(cx: &Cx, form: &str, payee: Payee, of: [&str; 2], pin: &str) -> Result<Reply, Refusal> {
    let [asset, amount] = of;
    let wish = Wish {
        exchange: None,
        id: id("id", form)?,
        payee,
        asset: id("asset", asset)?,
        amount: some("amount", amount)?,
        intent: Intent::Payment,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        card: None,
    };
    match orders::pay(cx, &wish, pin).await {
        // The same form again: it was paid, and the answer did not come.
        Err(refusal) if refusal.code == "id_conflict" => {
            let transfer = cx.with(|s| me(s).map(|me| wish.transfer(&me.user)))?;
            let known: TransferInfo = http::get(cx, &format!("wallet/transfers/{transfer}")).await?;
            let payee = match &wish.payee {
                Payee::CashIn(user) | Payee::CashOut(user) => Some(user),
                _ => None,
            };
            let is_it =
                (known.amount, known.asset.id(), Some(&known.payee)) == (wish.amount, wish.asset, payee);
            if is_it { Ok(Reply::Done) } else { Err(refusal) }
        }
        outcome => outcome.map(|_| Reply::Done),
    }
}

fn view(s: &mut State, agent: Agent) -> AgentView {
    let person = look::person(s, &agent.user);
    AgentView { person, asset: asset_view(&agent.asset), frozen: agent.frozen }
}

fn float(s: &mut State, info: AgentInfo) -> FloatView {
    FloatView {
        agent: view(s, info.agent),
        account: info.account.to_string(),
        limit: info.limit.to_string(),
        owed: info.owed.to_string(),
        held: info.held.to_string(),
        left: info.left.to_string(),
        today_in: info.today_in.to_string(),
        today_out: info.today_out.to_string(),
    }
}
