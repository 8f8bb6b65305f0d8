//! Dual control and cash agents for the operator's command: as people write it.

use super::{Result, Wallet};
use crate::Fault;
use weft_ledger::{format_amount, parse_amount};
use weft_wire::{
    admin::{AgentRow, GuardRows},
    wallet::{Agent, AgentInfo, Asset, AssetAmount, AssetCode, ProposalInfo, Proposed},
};

impl Wallet {
    /// Who approves what, and what waits.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn guard_rows(&self) -> Result<GuardRows> {
        let info = self.guard_for(None).await?;
        let mut thresholds = Vec::new();
        for known in info.thresholds {
            let asset = self.asset(known.asset).await?.asset;
            let sum = |minor: u64| format_amount(minor.into(), asset.scale);
            let (amount, today) = (sum(known.amount), sum(known.today));
            thresholds.push((asset, amount, today));
        }
        let waiting = info.waiting.into_iter().map(|known| (known.id, in_words(known))).collect();
        Ok(GuardRows { approvers: info.approvers, thresholds, waiting })
    }

    /// As [`Wallet::set_threshold`], of an asset by its code, and an amount as people write it.
    ///
    /// # Errors
    /// As there; [`Fault::Invalid`] for what is no amount.
    pub async fn set_threshold_of(&self, code: &AssetCode, amount: &str) -> Result<()> {
        let asset = self.own_asset(code).await?;
        let amount = parse_amount(amount, asset.scale);
        let amount =
            amount.map_err(|_| Fault::Invalid { field: "amount", why: "this is no amount of that asset" })?;
        self.set_threshold(AssetAmount { asset: asset.id(), amount }).await
    }

    /// The cash agents.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn agent_rows(&self) -> Result<Vec<AgentRow>> {
        Ok(self.agent_desk().await?.mine.into_iter().map(agent_row).collect())
    }
}

fn agent_row(info: AgentInfo) -> AgentRow {
    let Agent { user, asset, frozen } = info.agent;
    let sum = |minor: i128| format_amount(minor, asset.scale);
    AgentRow {
        owed: sum(i128::from(info.owed) - i128::from(info.held)),
        limit: sum(info.limit.into()),
        today: (sum(info.today_in.into()), sum(info.today_out.into())),
        user,
        frozen,
        asset,
    }
}

fn in_words(known: ProposalInfo) -> String {
    let asset = known.asset;
    let sum = |minor: u64| match &asset {
        Some(Asset { code, scale, .. }) => format!("{} {code}", format_amount(minor.into(), *scale)),
        None => minor.to_string(),
    };
    match known.what {
        Proposed::Issue(of) => format!("issue {} to {}", sum(of.amount), of.user),
        Proposed::Settle(of) => format!("settle {} that {} has brought", sum(of.amount), of.user),
        Proposed::Float(of) => format!("{} may owe {} as a cash agent", of.user, sum(of.amount)),
        Proposed::Appoint(user) => format!("{user} becomes an approver"),
        Proposed::Dismiss(user) => format!("{user} is an approver no longer"),
        Proposed::Threshold(of) if of.amount == 0 => "no threshold any more".to_owned(),
        Proposed::Threshold(of) => format!("the threshold becomes {}", sum(of.amount)),
        Proposed::File(of) => {
            format!("a bank's file of {}: {} credits, {}", of.account, of.lines, sum(of.amount))
        }
        _ => "not known to this version".to_owned(),
    }
}
