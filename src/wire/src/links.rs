//! What two operators settle of what their nodes owe each other, and the statement of a link. Sums are as people write them.
//!
//! `GET, POST wallet/admin/links/NODE/settlements` · `POST wallet/admin/links/NODE/settlements/ID` ·
//! `GET wallet/admin/links/NODE/statement?from=MS&until=MS`, for a session of the owner.

use crate::{
    Millis, NodeName, TransferId,
    wallet::{Asset, AssetCode},
};
use serde::{Deserialize, Serialize};

/// `POST wallet/admin/links/NODE/settlements`: this node owes less from now on, once the other operator agrees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposeSettlement {
    /// Made by whoever asks: the same proposal again is one.
    pub id: TransferId,
    /// Which asset of this node's.
    pub asset: AssetCode,
    /// How much less this node owes.
    pub amount: String,
    /// It is set off against what the other node owes of this asset of its own. None: it was paid elsewhere, at a bank say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<AssetCode>,
    /// Where and how it was paid. At most [`crate::limits::SETTLEMENT_NOTE_BYTES_MAX`].
    pub note: String,
}

/// `POST wallet/admin/links/NODE/settlements/ID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecideSettlement {
    /// Whether it is so.
    pub accept: bool,
    /// How much this operator has seen come: it has to be what was proposed.
    pub amount: String,
}

/// What was settled with a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementList {
    /// The newest first; at most [`crate::limits::PAGE_MAX`].
    pub settlements: Vec<SettlementRow>,
}

/// A settlement, or a netting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementRow {
    /// Its id.
    pub id: TransferId,
    /// This operator has proposed it; else the other has, and this one decides.
    pub ours: bool,
    /// Of which asset its issuer owes less.
    pub asset: Asset,
    /// How much less.
    pub amount: String,
    /// What it is set off against.
    pub against: Option<(Asset, String)>,
    /// What was said to it.
    pub note: String,
    /// What became of it.
    pub state: SettlementState,
    /// Why it did not come about, in words.
    pub why: Option<String>,
    /// When it was proposed, or came.
    pub at_ms: Millis,
    /// Until when it can be agreed to, by the clock of the node that decides.
    pub until_ms: Millis,
    /// When it was decided.
    pub decided_ms: Option<Millis>,
}

/// What `GET wallet/admin/links/NODE/settlements` and `…/statement` answer: rows of texts, as the page shows them. The engine in the browser hands them
/// on as they are, and need not know what is in them.
pub type Table = Vec<Vec<String>>;

/// A yes or no of a [`Table`].
pub(crate) fn flag(yes: bool) -> String {
    if yes { "1".to_owned() } else { String::new() }
}

impl SettlementList {
    /// Id, whether it was proposed here, code, amount, what it is set off against, note, state, why, when, until when; times in ms.
    #[must_use]
    pub fn table(&self) -> Table {
        let row = |row: &SettlementRow| {
            let against = row.against.as_ref().map(|(asset, amount)| format!("{amount} {}", asset.code));
            let state = match row.state {
                SettlementState::Waiting => "waiting",
                SettlementState::Done => "done",
                SettlementState::Rejected => "rejected",
            };
            vec![
                row.id.to_string(),
                flag(row.ours),
                row.asset.code.to_string(),
                row.amount.clone(),
                against.unwrap_or_default(),
                row.note.clone(),
                state.to_owned(),
                row.why.clone().unwrap_or_default(),
                row.at_ms.to_string(),
                row.until_ms.to_string(),
            ]
        };
        self.settlements.iter().map(row).collect()
    }
}

impl LinkStatement {
    /// For each asset `asset`, code, issuer, opening, closing, whether its lines are there; then its sums: `sum`, kind, how many, more, less;
    /// then its lines: `line`, ms, kind, id, whether more is owed, how much, what is owed, text.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut rows = Vec::new();
        for StatementAsset { asset, opening, closing, sums, lines, whole } in &self.assets {
            let (code, issuer) = (asset.code.to_string(), asset.issuer.to_string());
            rows.push(vec!["asset".to_owned(), code, issuer, opening.clone(), closing.clone(), flag(*whole)]);
            rows.extend(sums.iter().map(|sum| {
                let (kind, count) = (sum.kind.code().to_owned(), sum.count.to_string());
                vec!["sum".to_owned(), kind, count, sum.more.clone(), sum.less.clone()]
            }));
            rows.extend(lines.iter().map(|line| {
                vec![
                    "line".to_owned(),
                    line.at_ms.to_string(),
                    line.kind.code().to_owned(),
                    line.id.to_string(),
                    flag(line.more),
                    line.amount.clone(),
                    line.owed.clone(),
                    line.text.clone(),
                ]
            }));
        }
        rows
    }
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementState {
    /// It is not decided: nothing has moved.
    Waiting,
    /// Both operators say so: less is owed.
    Done,
    /// It did not come about: nothing has moved.
    Rejected,
}

/// What became of what is owed between two times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatement {
    /// Whose books.
    pub of: NodeName,
    /// With whom.
    pub with: NodeName,
    /// From then on.
    pub from_ms: Millis,
    /// Up to then, without it.
    pub until_ms: Millis,
    /// Each asset of the terms.
    pub assets: Vec<StatementAsset>,
}

/// An asset of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementAsset {
    /// Which. Its issuer owes.
    pub asset: Asset,
    /// What was owed at the beginning.
    pub opening: String,
    /// What was owed at the end.
    pub closing: String,
    /// What of it moved, by kind: they add up.
    pub sums: Vec<StatementSum>,
    /// What moved, the oldest first. Empty where it is more than [`crate::limits::STATEMENT_LINES_MAX`]: then there are the sums.
    pub lines: Vec<StatementLine>,
    /// Whether the lines are there.
    pub whole: bool,
}

/// All that is of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSum {
    /// Which.
    pub kind: StatementKind,
    /// How many.
    pub count: u64,
    /// By how much more is owed.
    pub more: String,
    /// By how much less.
    pub less: String,
}

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementLine {
    /// When it moved.
    pub at_ms: Millis,
    /// What it is.
    pub kind: StatementKind,
    /// The payment or settlement; of a correction, the transfer.
    pub id: TransferId,
    /// More is owed by it; else less.
    pub more: bool,
    /// How much.
    pub amount: String,
    /// What is owed after it.
    pub owed: String,
    /// Who paid whom, or what an operator has said to it.
    pub text: String,
}

/// What moves what is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StatementKind {
    /// Between people.
    Payment,
    /// Between people, of one asset for another.
    Exchange,
    /// What was given back.
    Refund,
    /// What both nodes have set off.
    Netting,
    /// What was paid elsewhere.
    Settlement,
    /// What both operators have put right in a thaw.
    Correction,
}

impl StatementKind {
    /// Its name, as programs write it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            StatementKind::Payment => "payment",
            StatementKind::Exchange => "exchange",
            StatementKind::Refund => "refund",
            StatementKind::Netting => "netting",
            StatementKind::Settlement => "settlement",
            StatementKind::Correction => "correction",
        }
    }
}
