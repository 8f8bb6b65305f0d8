//! A node's rows in memory. Verbs work on a sheet over them, which is committed as a whole, thrown away, or
//! cannot read a row.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};
use weft_ledger::{
    Account, AccountKind, Books, Entry, Event, LedgerError, Memory, Movement, Purpose, Standing, Transfer,
    apply,
    link::{Aim, Digest, Link, LinkBooks, LinkError, Outgoing, Payment, Prepare, Reason, Way},
    open_account, post,
};
use weft_wire::{AccountId, AssetId, Millis, NodeName, TransferId, UserAddress, UserName, wallet::Payee};

/// A row cannot be read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing;

pub type Outcome<T> = Result<T, LinkError<Missing>>;

#[derive(Debug, Clone, Default)]
pub struct Rows {
    newest: u64,
    pub accounts: BTreeMap<AccountId, Account>,
    pub entries: BTreeMap<TransferId, Entry>,
    pub standings: BTreeMap<TransferId, Standing>,
    pub links: BTreeMap<NodeName, Link>,
    pub payments: BTreeMap<(NodeName, Way, TransferId), Payment>,
    outgoing: BTreeMap<(NodeName, u64), Option<Outgoing>>,
    heard: BTreeMap<(NodeName, u64), Option<Digest>>,
    waiting: BTreeMap<(NodeName, Way, UserAddress), u32>,
    log: Vec<(Millis, Event)>,
}

/// What a node has on its disk.
#[derive(Debug, Clone)]
pub struct Disk {
    pub rows: Rows,
    pub people: BTreeSet<UserName>,
}

pub struct Sheet<'a> {
    disk: &'a Disk,
    staged: Rows,
    now: Millis,
    /// Rows that can be read until one cannot.
    reads: Cell<u32>,
}

impl Disk {
    pub fn new(people: impl IntoIterator<Item = &'static str>) -> Disk {
        let people = people.into_iter().map(|name| name.parse().unwrap()).collect();
        Disk { rows: Rows::default(), people }
    }

    pub fn sheet(&self, now: Millis, reads: u32) -> Sheet<'_> {
        let newest = self.rows.newest;
        Sheet { disk: self, staged: Rows { newest, ..Rows::default() }, now, reads: Cell::new(reads) }
    }

    /// One commit if it is `Ok`, nothing if it is not.
    pub fn run<T>(&mut self, now: Millis, work: impl FnOnce(&mut Sheet<'_>) -> Outcome<T>) -> Outcome<T> {
        let mut sheet = self.sheet(now, u32::MAX);
        let done = work(&mut sheet)?;
        let staged = sheet.staged;
        self.rows.take(staged);
        Ok(done)
    }

    pub fn commit(&mut self, staged: Rows) {
        self.rows.take(staged);
    }

    pub fn link(&self, peer: &NodeName) -> &Link {
        &self.rows.links[peer]
    }

    pub fn net(&self, account: AccountId) -> i128 {
        self.rows.accounts.get(&account).map_or(0, |account| account.balances.net())
    }

    /// The node issues so much of its asset to somebody.
    pub fn issue(&mut self, name: &str, asset: AssetId, amount: u64, id: u8) {
        let done: Outcome<()> = self.run(0, |sheet| {
            let issuance = AccountId([0xee; 16]);
            let payer = Account::new(issuance, asset, AccountKind::Issuance);
            let bounds = payer.bounds;
            if sheet.account(issuance).map_err(LinkError::Books)?.is_none() {
                let (id, kind) = (issuance, payer.kind);
                open_account(sheet, payer, 0)?;
                sheet.log(Event::Open { id, asset, kind, bounds }).map_err(LinkError::Books)?;
            }
            let credit = sheet.open(&name.parse().unwrap(), asset).map_err(LinkError::Books)?.unwrap();
            let movement = Movement::Posted { debit: issuance, credit, amount, refunds: None };
            let id = TransferId([id; 16]);
            let chain = vec![Transfer { id, movement, purpose: Purpose::Issue, about: [0; 16] }];
            post(sheet, &chain, 0)?;
            sheet.log(Event::Chain(chain)).map_err(LinkError::Books)
        });
        done.unwrap();
    }

    /// The log of the ledger's events, done again, gives the ledger.
    pub fn replays(&self) -> bool {
        let mut again = Memory::default();
        for (at, event) in &self.rows.log {
            match apply(&mut again, event, *at) {
                Ok(()) | Err(LedgerError::Refused { replayed: false, .. }) => {}
                Err(_) => return false,
            }
        }
        let mut own = Memory::default();
        own.advance(self.rows.newest);
        self.rows.accounts.values().for_each(|account| own.put_account(account.clone()));
        self.rows.entries.values().for_each(|entry| own.put_entry(*entry));
        self.rows.standings.iter().for_each(|(id, standing)| own.put_standing(*id, *standing));
        own.to_bytes() == again.to_bytes()
    }
}

/// Where somebody's money is.
pub fn account(name: &UserName, asset: AssetId) -> AccountId {
    let mut id = asset.0;
    name.as_str().bytes().zip(&mut id).for_each(|(letter, byte)| *byte ^= letter);
    AccountId(id)
}

impl Rows {
    fn take(&mut self, staged: Rows) {
        self.newest = staged.newest;
        self.accounts.extend(staged.accounts);
        self.entries.extend(staged.entries);
        self.standings.extend(staged.standings);
        self.links.extend(staged.links);
        self.payments.extend(staged.payments);
        for (key, row) in staged.outgoing {
            match row {
                Some(row) => self.outgoing.insert(key, Some(row)),
                None => self.outgoing.remove(&key),
            };
        }
        for (key, row) in staged.heard {
            match row {
                Some(row) => self.heard.insert(key, Some(row)),
                None => self.heard.remove(&key),
            };
        }
        self.waiting.extend(staged.waiting);
        self.log.extend(staged.log);
    }

    /// A node that counts nobody's payments.
    pub fn forget_who_waits(&mut self) {
        self.waiting.clear();
    }

    /// Payers of whom something waits.
    pub fn who_wait(&self) -> usize {
        self.waiting.values().filter(|count| **count > 0).count()
    }

    pub fn journal(&self) -> usize {
        self.outgoing.len()
    }

    pub fn heard(&self) -> usize {
        self.heard.len()
    }
}

impl Sheet<'_> {
    pub fn into_staged(self) -> Rows {
        self.staged
    }

    fn read<K: Ord, R: Clone>(
        &self,
        key: &K,
        of: impl Fn(&Rows) -> &BTreeMap<K, R>,
    ) -> Result<Option<R>, Missing> {
        let left = self.reads.get().checked_sub(1).ok_or(Missing)?;
        self.reads.set(left);
        Ok(of(&self.staged).get(key).or_else(|| of(&self.disk.rows).get(key)).cloned())
    }

    pub fn open(&mut self, name: &UserName, asset: AssetId) -> Result<Option<AccountId>, Missing> {
        if !self.disk.people.contains(name) {
            return Ok(None);
        }
        let id = account(name, asset);
        if self.account(id)?.is_none() {
            let account = Account::new(id, asset, AccountKind::User);
            let (kind, bounds) = (account.kind, account.bounds);
            self.advance(self.newest()? + 1);
            self.put_account(account);
            self.log(Event::Open { id, asset, kind, bounds })?;
        }
        Ok(Some(id))
    }
}

impl Books for Sheet<'_> {
    type Fault = Missing;

    fn account(&self, id: AccountId) -> Result<Option<Account>, Missing> {
        self.read(&id, |rows| &rows.accounts)
    }

    fn entry(&self, id: TransferId) -> Result<Option<Entry>, Missing> {
        self.read(&id, |rows| &rows.entries)
    }

    fn standing(&self, id: TransferId) -> Result<Option<Standing>, Missing> {
        self.read(&id, |rows| &rows.standings)
    }

    fn newest(&self) -> Result<u64, Missing> {
        Ok(self.staged.newest)
    }

    fn advance(&mut self, newest: u64) {
        self.staged.newest = newest;
    }

    fn put_account(&mut self, account: Account) {
        self.staged.accounts.insert(account.id, account);
    }

    fn put_entry(&mut self, entry: Entry) {
        self.staged.entries.insert(entry.transfer.id, entry);
    }

    fn put_standing(&mut self, id: TransferId, standing: Standing) {
        self.staged.standings.insert(id, standing);
    }
}

impl LinkBooks for Sheet<'_> {
    fn link(&self, peer: &NodeName) -> Result<Option<Link>, Missing> {
        self.read(peer, |rows| &rows.links)
    }

    fn payment(&self, peer: &NodeName, way: Way, id: TransferId) -> Result<Option<Payment>, Missing> {
        self.read(&(peer.clone(), way, id), |rows| &rows.payments)
    }

    fn outgoing(&self, peer: &NodeName, seq: u64) -> Result<Option<Outgoing>, Missing> {
        Ok(self.read(&(peer.clone(), seq), |rows| &rows.outgoing)?.flatten())
    }

    fn heard(&self, peer: &NodeName, seq: u64) -> Result<Option<Digest>, Missing> {
        Ok(self.read(&(peer.clone(), seq), |rows| &rows.heard)?.flatten())
    }

    fn payee(&mut self, prepare: &Prepare) -> Result<Result<AccountId, Reason>, Missing> {
        let account = match &prepare.aim {
            Aim::Payment { payee: Payee::Person(address), .. } => {
                self.open(&address.name.clone(), prepare.got().asset)?
            }
            _ => None,
        };
        Ok(account.ok_or(Reason::UnknownPayee))
    }

    fn waiting_of(&self, peer: &NodeName, way: Way, payer: &UserAddress) -> Result<u32, Missing> {
        Ok(self.read(&(peer.clone(), way, payer.clone()), |rows| &rows.waiting)?.unwrap_or(0))
    }

    fn put_waiting_of(&mut self, peer: &NodeName, way: Way, payer: &UserAddress, count: u32) {
        self.staged.waiting.insert((peer.clone(), way, payer.clone()), count);
    }

    fn put_link(&mut self, link: Link) {
        self.staged.links.insert(link.peer.clone(), link);
    }

    fn put_payment(&mut self, payment: Payment) {
        self.staged.payments.insert((payment.peer.clone(), payment.way, payment.id), payment);
    }

    fn put_outgoing(&mut self, peer: &NodeName, outgoing: Outgoing) {
        self.staged.outgoing.insert((peer.clone(), outgoing.seq), Some(outgoing));
    }

    fn drop_outgoing(&mut self, peer: &NodeName, seq: u64) {
        self.staged.outgoing.insert((peer.clone(), seq), None);
    }

    fn put_heard(&mut self, peer: &NodeName, seq: u64, hash: Digest) {
        self.staged.heard.insert((peer.clone(), seq), Some(hash));
    }

    fn drop_heard(&mut self, peer: &NodeName, seq: u64) {
        self.staged.heard.insert((peer.clone(), seq), None);
    }

    fn log(&mut self, event: Event) -> Result<(), Missing> {
        self.staged.log.push((self.now, event));
        Ok(())
    }
}
