//! The wallet of the node in memory: it takes every order, signs for it, and loses answers on demand.

use super::node::{Answer, answer, problem, read};
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use weft_wire::wallet::{
    Approval, Asset, AssetInfo, AssetList, ChargeCode, CodeShown, DecideProposal, Fee, GuardInfo, LinkedNode,
    PaymentOrder, PutCode, Receipt, SaleInfo, SaleKind, SaleState, ShopDetails, ShopInfo, SubmitOrder,
    TransferState, fee_due,
};
use weft_wire::{Code, OrderId, Problem, RequestId, Signed, UserAddress};

#[derive(Default)]
pub struct Money {
    /// What the node says that its key is; none: it has no money.
    pub shows: Option<[u8; 32]>,
    /// What it signs with.
    pub signs: Option<[u8; 32]>,
    /// So many requests are carried out and their answers lost.
    pub lose: u32,
    /// So many requests are lost.
    pub ignore: u32,
    pub paid: BTreeMap<OrderId, PaymentOrder>,
    /// What it takes of euros now.
    pub fees: Vec<Fee>,
    /// Nodes whose people can be paid as well.
    pub links: Vec<LinkedNode>,
    /// Orders of codes that were shown.
    pub codes: Vec<PaymentOrder>,
    pub charged: BTreeMap<RequestId, (ChargeCode, u64)>,
    /// What waits for an approver, and what was said to it.
    pub guard: GuardInfo,
    pub approvals: Vec<Approval>,
}

pub fn signer(seed: [u8; 32]) -> SigningKey {
    SigningKey::from_bytes(&seed)
}

pub fn euro() -> Asset {
    Asset { issuer: "home.example".parse().unwrap(), code: "EUR".parse().unwrap(), scale: 2 }
}

impl Money {
    /// A node with this key.
    pub fn with(seed: [u8; 32]) -> Self {
        Money { shows: Some(seed), signs: Some(seed), ..Money::default() }
    }

    pub fn key(&self) -> Option<[u8; 32]> {
        self.shows.map(|seed| signer(seed).verifying_key().to_bytes())
    }

    pub fn route(
        &mut self,
        now: u64,
        method: &str,
        words: &[&str],
        user: &UserAddress,
        body: &[u8],
    ) -> Answer {
        match (method, words) {
            ("GET", ["wallet", "assets"]) => {
                let (asset, zero) = (euro(), 0);
                let info = AssetInfo {
                    id: asset.id(),
                    asset,
                    title: "Euro".into(),
                    backing: String::new(),
                    payment_max: zero,
                    day_max: zero,
                    issue_max: zero,
                    issued: zero,
                    fees: self.fees.clone(),
                };
                answer(&AssetList { assets: vec![info], links: self.links.clone() })
            }
            ("PUT", ["wallet", "order-key"]) => Ok(Vec::new()),
            ("GET", ["wallet", "guard"]) => answer(&self.guard),
            ("POST", ["wallet", "guard", "proposals", _]) => {
                let wish: DecideProposal = read(body)?;
                self.approvals.push(wish.approval.peek().unwrap());
                Ok(Vec::new())
            }
            ("POST", ["wallet", "codes"]) => {
                let order = read::<PutCode>(body)?.order.peek().unwrap();
                self.fee(&order)?;
                let until_ms = order.expires_ms;
                self.codes.push(order);
                answer(&CodeShown { until_ms })
            }
            ("POST", ["wallet", "orders"]) => self.lossy(|money| money.pay(now, body)),
            ("GET", ["wallet", "merchants", name]) => answer(&ShopInfo {
                shop: UserAddress::new(name.parse().unwrap(), user.node.clone()),
                details: ShopDetails {
                    title: "Corner".into(),
                    merchant_name: "Corner".into(),
                    city: "Berlin".into(),
                    country: "DE".into(),
                    mcc: 0,
                },
                open: true,
                key: self.key().unwrap(),
            }),
            ("GET", ["wallet", "merchants", _, "sales", id]) => self.sale(user, id.parse().unwrap()),
            ("POST", ["wallet", "merchants", _, "charges"]) => self.lossy(|money| {
                let wish: ChargeCode = read(body)?;
                let id = wish.id;
                let known = money.charged.entry(id).or_insert((wish, 0));
                known.1 += 1;
                money.sale(user, id)
            }),
            _ => Err(problem(Code::NoRoute)),
        }
    }

    fn lossy(&mut self, act: impl FnOnce(&mut Money) -> Answer) -> Answer {
        let lost = || Err(problem(Code::StorageUnavailable));
        if self.ignore > 0 {
            self.ignore -= 1;
            return lost();
        }
        let result = act(self);
        if self.lose > 0 {
            self.lose -= 1;
            return lost();
        }
        result
    }

    fn pay(&mut self, now: u64, body: &[u8]) -> Answer {
        let request: SubmitOrder = read(body)?;
        let order = request.order.peek().unwrap();
        let fee = self.fee(&order)?;
        let receipt = Receipt {
            order: order.id,
            transfer: order.transfer(),
            number: 7,
            payer: order.payer.clone(),
            payee: order.payee.clone(),
            asset: order.asset,
            amount: order.amount,
            fee,
            state: TransferState::Done,
            at_ms: now,
            until_ms: None,
            promise: None,
            exchange: order.exchange,
        };
        self.paid.insert(order.id, order);
        answer(&Signed::sign(&receipt, &signer(self.signs.unwrap())))
    }

    /// What is due for an order, if that allows it.
    fn fee(&self, order: &PaymentOrder) -> Result<u64, Problem> {
        let due = order.fee_kind().map_or(0, |kind| fee_due(&self.fees, kind, order.amount));
        if due > order.max_fee { Err(problem(Code::FeeTooLow)) } else { Ok(due) }
    }

    fn sale(&self, user: &UserAddress, id: RequestId) -> Answer {
        let (wish, _) = self.charged.get(&id).ok_or(problem(Code::NotFound))?;
        answer(&SaleInfo {
            id,
            shop: UserAddress::new("corner".parse().unwrap(), user.node.clone()),
            asset: euro(),
            amount: wish.amount,
            tip_allowed: false,
            bill: wish.bill.clone(),
            till: None,
            kind: SaleKind::Code,
            state: SaleState::Paid,
            made_ms: 1,
            expires_ms: None,
            code: None,
            by: None,
            paid: None,
            refused: None,
        })
    }
}
