//! Cash agents (decision 0018): who they are, how much they may owe, and what goes through their hands.

use super::{
    Result, Wallet, WalletError,
    accounts::{agent, issuance, personal},
    agent_records::{AgentBook, AgentRecord},
    orders::{DAY_MS, To},
    records::{AccountRecord, AssetRecord, Owner, OwnerRecord},
    sheet::{Sheet, Stop},
};
use crate::{Caller, Fault, context::joined};
use weft_ledger::{Account, AccountKind, Books, Bounds, Freeze, Movement, Purpose, Side, Transfer};
use weft_store::{Scan, record::Record, tables};
use weft_wire::{
    AccountId, AssetId, TransferId, UserName,
    limits::{AGENTS_MAX, ASSETS_MAX},
    wallet::{Agent, AgentInfo, AgentList, Intent, MoneyFor, PaymentOrder, Proposed, SetAgent, SettleAgent},
};

impl Wallet {
    /// `GET wallet/agents`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn agents(&self, caller: &Caller) -> Result<AgentList> {
        let mut list = AgentList::default();
        for (name, asset) in self.agents_known().await? {
            let info = self.agent_info(&name, asset).await?;
            list.agents.push(info.agent.clone());
            if name == *caller.name() {
                list.mine.push(info);
            }
        }
        Ok(list)
    }

    /// `GET wallet/admin/agents`.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn agent_desk(&self) -> Result<AgentList> {
        let mut desk = AgentList::default();
        for (name, asset) in self.agents_known().await? {
            desk.mine.push(self.agent_info(&name, asset).await?);
        }
        Ok(desk)
    }

    /// `PUT wallet/admin/agents`. For whoever runs the node; the caller is not looked at. That there is such a member is for the caller
    /// to know.
    ///
    /// # Errors
    /// [`WalletError::NeedsApproval`] for a higher limit of an asset that has a threshold; [`Fault::TooMany`];
    /// [`Fault::Invalid`] for an end with something unsettled.
    pub(crate) async fn set_agent(&self, wish: SetAgent) -> Result<()> {
        let (own, id) = (self.ctx.node.clone(), TransferId(self.ctx.random()));
        self.teller
            .run(move |sheet| {
                let known: Option<AssetRecord> = sheet.get(tables::ASSETS, wish.asset.0)?;
                if known.is_none_or(|known| known.asset.issuer != own) {
                    return Err(WalletError::NotFound("asset").into());
                }
                sheet.wish_agent(id, &wish)
            })
            .await
    }

    /// `POST wallet/admin/agents/settle`: cash has changed hands between the agent and the owner. Asking again settles once.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::AgentLimit`] for more than the agent has, [`WalletError::Refused`],
    /// [`WalletError::IdConflict`]; [`WalletError::NeedsApproval`] as of what is issued.
    pub async fn settle_agent(&self, wish: SettleAgent) -> Result<()> {
        if !self.ctx.is_local(&wish.user) {
            return Err(WalletError::NotFound("agent"));
        }
        self.teller.run(move |sheet| sheet.settle_agent(&wish)).await
    }

    async fn agents_known(&self) -> Result<Vec<(UserName, AssetId)>> {
        let rows = self.ctx.store.scan(tables::AGENT_BOOKS, Scan::prefix([]).limit(ASSETS_MAX)).await?;
        let mut known = Vec::new();
        for row in rows {
            let asset = AssetId::from_slice(&row.key).map_err(|_| Fault::Internal("an agents' key"))?;
            let book = AgentBook::from_record(&row.value)?;
            known.extend(book.agents.into_iter().map(|name| (name, asset)));
        }
        Ok(known)
    }

    async fn agent_info(&self, name: &UserName, asset: AssetId) -> Result<AgentInfo> {
        let record: Option<AgentRecord> = self.ctx.read(tables::AGENTS, agent_key(name, asset)).await?;
        let record = record.unwrap_or_default().on(self.ctx.now() / DAY_MS);
        let id = agent(name, asset);
        let account: Option<AccountRecord> = self.ctx.read(tables::LEDGER_ACCOUNTS, id.0).await?;
        let AccountRecord(account) = account.ok_or(Fault::Internal("an agent without a float"))?;
        let net = account.balances.net();
        let sum = |sum: i128| u64::try_from(sum.max(0)).unwrap_or(u64::MAX);
        let (user, asset) = (self.ctx.address(name), self.asset(asset).await?.asset);
        Ok(AgentInfo {
            agent: Agent { user, asset, frozen: record.frozen },
            account: id,
            limit: record.limit,
            owed: sum(-net),
            held: sum(net),
            left: left(&account),
            today_in: record.cash_in,
            today_out: record.cash_out,
        })
    }
}

/// Where an agent's record stands.
pub(super) fn agent_key(name: &UserName, asset: AssetId) -> Vec<u8> {
    joined(name.as_str(), asset.0)
}

/// What a float can give.
fn left(account: &Account) -> u64 {
    u64::try_from(account.available()).unwrap_or(u64::MAX)
}

/// How a float is bound.
fn bounds(limit: u64) -> Bounds {
    Bounds { floor: Some(-i128::from(limit)), cap: None }
}

fn freeze(frozen: bool) -> Freeze {
    if frozen { Freeze::All } else { Freeze::None }
}

impl Sheet<'_> {
    fn agent(&self, name: &UserName, asset: AssetId) -> Result<Option<AgentRecord>, Stop> {
        self.get(tables::AGENTS, agent_key(name, asset))
    }

    fn wish_agent(&mut self, id: TransferId, wish: &SetAgent) -> Result<(), Stop> {
        let name = &wish.user.name;
        let known = self.agent(name, wish.asset)?;
        if wish.end {
            return if known.is_some() { self.end_agent(name, wish.asset) } else { Ok(()) };
        }
        let book: AgentBook = self.get(tables::AGENT_BOOKS, wish.asset.0)?.unwrap_or_default();
        if known.is_none() && book.agents.len() >= AGENTS_MAX {
            return Err(Fault::TooMany { what: "cash agents", max: AGENTS_MAX }.into());
        }
        let record = match known {
            Some(known) => known,
            None => AgentRecord { since: self.newest()?, ..AgentRecord::default() },
        };
        // What is lent is money that comes into the world.
        if wish.limit > record.limit && self.guarded(wish.asset)?.threshold > 0 {
            let (asset, user, amount) = (wish.asset, wish.user.clone(), wish.limit);
            return self.await_approval(id, Proposed::Float(MoneyFor { asset, user, amount }));
        }
        self.put_agent(name, wish.asset, AgentRecord { frozen: wish.frozen, ..record }, wish.limit, None)
    }

    /// Keeps an agent, opens the float if it is new, and binds it.
    fn put_agent(
        &mut self,
        name: &UserName,
        asset: AssetId,
        mut record: AgentRecord,
        limit: u64,
        proposal: Option<TransferId>,
    ) -> Result<(), Stop> {
        if limit > record.limit {
            (record.event, record.proposal) = (self.newest()?, proposal);
        }
        record.limit = limit;
        let (id, bounds, freeze) = (agent(name, asset), bounds(limit), freeze(record.frozen));
        if self.get::<OwnerRecord>(tables::OWNERS, id.0)?.is_none() {
            self.open(Account { bounds, ..Account::new(id, asset, AccountKind::Merchant) })?;
            self.put(tables::OWNERS, id.0, &OwnerRecord { owner: Owner::Agent(name.clone()), asset });
        }
        let account = self.account(id)?.ok_or(Fault::Internal("an agent without a float"))?;
        if (account.bounds, account.freeze) != (bounds, freeze) {
            self.change(id, bounds, freeze)?;
        }
        let mut book: AgentBook = self.get(tables::AGENT_BOOKS, asset.0)?.unwrap_or_default();
        if !book.agents.contains(name) {
            book.agents.push(name.clone());
            self.put(tables::AGENT_BOOKS, asset.0, &book);
        }
        self.put(tables::AGENTS, agent_key(name, asset), &record);
        Ok(())
    }

    fn end_agent(&mut self, name: &UserName, asset: AssetId) -> Result<(), Stop> {
        let id = agent(name, asset);
        let account = self.account(id)?.ok_or(Fault::Internal("an agent without a float"))?;
        if account.balances.net() != 0 {
            let why = "the float is settled first";
            return Err(Fault::Invalid { field: "end", why }.into());
        }
        self.change(id, bounds(0), Freeze::All)?;
        let mut book: AgentBook = self.get(tables::AGENT_BOOKS, asset.0)?.unwrap_or_default();
        book.agents.retain(|known| known != name);
        self.put(tables::AGENT_BOOKS, asset.0, &book);
        self.delete(tables::AGENTS, agent_key(name, asset));
        Ok(())
    }

    /// An approver has agreed to a limit. The agent may have become one, or have been stopped, since it was proposed.
    pub(super) fn float_approved(&mut self, id: TransferId, wish: &MoneyFor) -> Result<(), Stop> {
        let record = match self.agent(&wish.user.name, wish.asset)? {
            Some(known) => known,
            None => AgentRecord { since: self.newest()?, ..AgentRecord::default() },
        };
        let limit = wish.amount.max(record.limit);
        self.put_agent(&wish.user.name, wish.asset, record, limit, Some(id))
    }

    fn settle_agent(&mut self, wish: &SettleAgent) -> Result<(), Stop> {
        let (name, asset) = (&wish.user.name, wish.asset);
        if wish.amount == 0 {
            return Err(Fault::Invalid { field: "amount", why: "an amount is at least 1" }.into());
        }
        let is_new = self.entry(wish.id)?.is_none();
        if is_new && self.agent(name, asset)?.is_none() {
            return Err(WalletError::NotFound("agent").into());
        }
        let (float, own) = (agent(name, asset), issuance(asset));
        let (debit, credit) = if wish.paid_out { (float, own) } else { (own, float) };
        if is_new && wish.paid_out {
            // Only what is the agent's: a limit is for cash that was taken.
            let account = self.account(float)?.ok_or(Fault::Internal("an agent without a float"))?;
            let held = u64::try_from(account.balances.lowest().max(0)).unwrap_or(u64::MAX);
            if wish.amount > held {
                return Err(WalletError::AgentLimit { left: held }.into());
            }
        }
        if is_new && !wish.paid_out {
            let (user, amount) = (wish.user.clone(), wish.amount);
            let what = Proposed::Settle(MoneyFor { asset, user, amount });
            self.may_mint(asset, amount)?;
            if self.needs_approval(asset, amount)? || self.proposal(wish.id)?.is_some() {
                return self.await_approval(wish.id, what);
            }
        }
        let movement = Movement::Posted { debit, credit, amount: wish.amount, refunds: None };
        let transfer = Transfer { id: wish.id, movement, purpose: Purpose::Settlement, about: [0; 16] };
        self.settled(float, &transfer)?;
        if is_new && !wish.paid_out { self.count_issued(asset, wish.amount) } else { Ok(()) }
    }

    pub(super) fn settle_approved(&mut self, id: TransferId, wish: &MoneyFor) -> Result<(), Stop> {
        self.may_mint(wish.asset, wish.amount)?;
        let float = agent(&wish.user.name, wish.asset);
        let debit = issuance(wish.asset);
        let movement = Movement::Posted { debit, credit: float, amount: wish.amount, refunds: None };
        self.settled(float, &Transfer { id, movement, purpose: Purpose::Settlement, about: [0; 16] })
    }

    /// A stopped agent settles all the same.
    fn settled(&mut self, float: AccountId, transfer: &Transfer) -> Result<(), Stop> {
        let account = self.account(float)?.ok_or(WalletError::NotFound("agent"))?;
        let is_frozen = account.freeze != Freeze::None && self.entry(transfer.id)?.is_none();
        if is_frozen {
            self.change(float, account.bounds, Freeze::None)?;
        }
        self.undone_if_refused(transfer)?;
        if is_frozen { self.change(float, account.bounds, account.freeze) } else { Ok(()) }
    }

    /// Whether payments of the agent as a member were stopped: then the float is, too.
    fn is_stopped(&self, name: &UserName, asset: AssetId) -> Result<bool, Stop> {
        let account = self.account(personal(name, asset))?;
        Ok(account.is_some_and(|account| account.freeze != weft_ledger::Freeze::None))
    }

    /// The float that a cash-in goes from. It is asked before whether it holds as much, so that the order can be sent again once it
    /// does.
    pub(super) fn float_of(&self, name: &UserName, asset: AssetId, amount: u64) -> Result<AccountId, Stop> {
        let record = self.agent(name, asset)?.ok_or(WalletError::NotFound("agent"))?;
        if record.frozen || self.is_stopped(name, asset)? {
            return Err(WalletError::Refused(weft_ledger::Refusal::Frozen(Side::Debit)).into());
        }
        let id = agent(name, asset);
        let account = self.account(id)?.ok_or(Fault::Internal("an agent without a float"))?;
        match left(&account) {
            left if left < amount => Err(WalletError::AgentLimit { left }.into()),
            _ => Ok(id),
        }
    }

    /// The transfer of an agent's order: cash was taken.
    pub(super) fn cash_in(
        &mut self,
        order: &PaymentOrder,
        payee: &UserName,
        debit: AccountId,
    ) -> Result<Transfer, Stop> {
        is_plain(order)?;
        let (id, amount, about) = (order.transfer(), order.amount, order.id.0);
        let credit = self.personal(payee, order.asset)?;
        let movement = Movement::Posted { debit, credit, amount, refunds: None };
        Ok(Transfer { id, movement, purpose: Purpose::CashIn, about })
    }

    /// The transfer of a member's order: cash was given out.
    pub(super) fn cash_out(
        &mut self,
        order: &PaymentOrder,
        name: &UserName,
        debit: AccountId,
    ) -> Result<Transfer, Stop> {
        is_plain(order)?;
        let record = self.agent(name, order.asset)?.ok_or(WalletError::NotFound("agent"))?;
        if record.frozen || self.is_stopped(name, order.asset)? {
            return Err(WalletError::Refused(weft_ledger::Refusal::Frozen(Side::Credit)).into());
        }
        let (id, amount, about) = (order.transfer(), order.amount, order.id.0);
        let movement = Movement::Posted { debit, credit: agent(name, order.asset), amount, refunds: None };
        Ok(Transfer { id, movement, purpose: Purpose::CashOut, about })
    }

    /// It was done: it counts as the agent's turnover of the day.
    pub(super) fn cash_counted(&mut self, order: &PaymentOrder, to: &To) -> Result<(), Stop> {
        let name = match to {
            To::CashIn(_) => &order.payer.name,
            To::CashOut(name) => name,
            _ => return Ok(()),
        };
        let record = self.agent(name, order.asset)?.ok_or(Fault::Internal("cash without an agent"))?;
        let mut record = record.on(self.now / DAY_MS);
        let sum = if matches!(to, To::CashIn(_)) { &mut record.cash_in } else { &mut record.cash_out };
        *sum = sum.saturating_add(order.amount);
        self.put(tables::AGENTS, agent_key(name, order.asset), &record);
        Ok(())
    }
}

/// Cash changes hands at once, and for nothing else.
fn is_plain(order: &PaymentOrder) -> Result<(), Fault> {
    if order.intent != Intent::Payment || order.refunds.is_some() || order.request.is_some() {
        return Err(Fault::Invalid { field: "intent", why: "cash is a payment" });
    }
    match order.from {
        Some(_) => Err(Fault::Invalid { field: "from", why: "a shop is no cash agent" }),
        None => Ok(()),
    }
}
