//! One sample of every type of the wallet that travels, and of each of its variants.

use super::{Visitor, alice, blob, bob, key};
use weft_wire::{
    AccountId, AssetId, DeviceId, OrderId, RequestId, RoomId, Signed, TransferId,
    links::{DecideSettlement, ProposeSettlement},
    paycode::PayCode,
    wallet::*,
};

const AT_MS: u64 = 1_700_000_000_000;
const ASSET: AssetId = AssetId([1; 16]);
const TRANSFER: TransferId = TransferId([2; 16]);
const REQUEST: RequestId = RequestId([3; 16]);
const DEVICE: DeviceId = DeviceId([4; 16]);

pub fn euro() -> Asset {
    Asset { issuer: alice().node, code: "EUR".parse().unwrap(), scale: 2 }
}

pub fn asset_info() -> AssetInfo {
    AssetInfo {
        id: ASSET,
        asset: euro(),
        title: "Euro".into(),
        backing: "the cash box".into(),
        payment_max: 5,
        day_max: 6,
        issue_max: 7,
        issued: 8,
        fees: Vec::new(),
    }
}

fn account() -> AccountView {
    AccountView {
        id: AccountId([5; 16]),
        asset: asset_info(),
        balance: 9,
        available: 7,
        incoming: 1,
        outgoing: 2,
        frozen: true,
    }
}

fn terms() -> PacketTerms {
    PacketTerms { room: RoomId([6; 16]), kind: PacketKind::Lucky, shares: 2, only: None }
}

pub fn order(payee: Payee) -> PaymentOrder {
    PaymentOrder {
        id: OrderId([7; 16]),
        payer: alice(),
        device: DEVICE,
        payee,
        asset: ASSET,
        amount: 5,
        max_fee: 1,
        intent: Intent::Payment,
        expires_ms: AT_MS,
        counter: 3,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
    }
}

fn transfer() -> TransferInfo {
    TransferInfo {
        id: TRANSFER,
        payer: alice(),
        payee: bob(),
        asset: euro(),
        amount: 5,
        refunded: 1,
        request: Some(REQUEST),
        shop: Some(ShopName { shop: bob(), title: "Corner".into() }),
        state: TransferState::Held,
        at_ms: AT_MS,
        until_ms: Some(AT_MS),
        exchange: None,
        refunds: None,
        rejection: Some(Rejection::Closed),
    }
}

fn packet() -> PacketInfo {
    PacketInfo {
        id: TRANSFER,
        maker: alice(),
        asset: euro(),
        terms: terms(),
        total: 9,
        left: 0,
        state: PacketState::Empty,
        until_ms: AT_MS,
        promise: PacketPromise { commitment: [4; 32] },
        seed: Some(PacketSeed([5; 32])),
        claims: [false, true]
            .map(|returned| PacketClaim { user: bob(), amount: 3, at_ms: 5, returned })
            .into(),
    }
}

fn shop() -> ShopView {
    let details = ShopDetails {
        title: "Corner".into(),
        merchant_name: "CORNER".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    };
    ShopView {
        info: ShopInfo { shop: bob(), details, open: true, key: [8; 32] },
        role: ShopRole::Manager,
        owner: alice(),
        staff: vec![ShopMember { user: alice(), role: ShopRole::Cashier, invited: true }],
        accounts: vec![account()],
        invited: false,
        stopped: true,
    }
}

fn sale() -> SaleInfo {
    SaleInfo {
        id: REQUEST,
        shop: bob(),
        asset: euro(),
        amount: 5,
        tip_allowed: true,
        bill: "12".into(),
        till: Some("1".into()),
        kind: SaleKind::Dynamic,
        state: SaleState::Paid,
        made_ms: AT_MS,
        expires_ms: Some(AT_MS),
        code: Some("000201".into()),
        by: Some(alice()),
        paid: Some(SalePaid {
            payer: alice(),
            transfer: TRANSFER,
            at_ms: AT_MS,
            tip: 1,
            refunded: 2,
            at_rate: false,
        }),
        refused: None,
    }
}

/// All that people sign, and what is signed for them.
fn orders(v: &mut impl Visitor) {
    let cert = OrderKeyCert { user: alice(), device: DEVICE, order_key: [9; 32], created_ms: AT_MS };
    v.visit("order_key_cert", cert.clone());
    v.visit("put_order_key", PutOrderKey { cert: Signed::sign(&cert, &key(2)) });
    let merchant = MerchantPayee { shop: bob(), till: Some("1".into()), sale: Some(REQUEST) };
    let only = PacketTerms { kind: PacketKind::Equal, shares: 1, only: Some(bob()), ..terms() };
    for (name, payee) in [
        ("order_person", Payee::Person(bob())),
        ("order_packet", Payee::Packet(terms())),
        ("order_packet_only", Payee::Packet(only)),
        ("order_merchant", Payee::Merchant(merchant)),
        ("order_bearer", Payee::Bearer(BearerPayee { code: [1; 32], digits: [2; 32] })),
    ] {
        v.visit(name, order(payee));
    }
    let full = PaymentOrder {
        intent: Intent::Transfer,
        request: Some(REQUEST),
        refunds: Some(TRANSFER),
        from: Some(bob()),
        tip: Some(1),
        ..order(Payee::Person(bob()))
    };
    v.visit("order_full", full.clone());
    let exchange = Some(Exchange { asset: ASSET, amount: 6 });
    v.visit("order_exchange", PaymentOrder { exchange, ..order(Payee::Person(bob())) });
    let signed = Signed::sign(&full, &key(3));
    v.visit("submit_order", SubmitOrder { order: signed.clone() });
    v.visit("put_code", PutCode { order: signed });
    let receipt = Receipt {
        order: full.id,
        transfer: TRANSFER,
        number: 4,
        payer: alice(),
        payee: full.payee,
        asset: ASSET,
        amount: 5,
        fee: 0,
        state: TransferState::Held,
        at_ms: AT_MS,
        until_ms: Some(AT_MS),
        promise: Some(PacketPromise { commitment: [4; 32] }),
        exchange: None,
    };
    v.visit("receipt", receipt);
}

fn links_of_nodes(v: &mut impl Visitor) {
    let rate = LinkedRate {
        give: ASSET,
        get: euro(),
        numerator: 109,
        denominator: 100,
        rate: "1.09".into(),
        until_ms: AT_MS,
    };
    v.visit("linked_node", LinkedNode { node: bob().node, assets: vec![ASSET], rates: vec![rate] });
    let wish = ProposeSettlement {
        id: TRANSFER,
        asset: "EUR".parse().unwrap(),
        amount: "12.50".into(),
        against: Some("USD".parse().unwrap()),
        note: "RF18".into(),
    };
    v.visit("propose_settlement", wish);
    v.visit("decide_settlement", DecideSettlement { accept: true, amount: "12.50".into() });
}

fn fees(v: &mut impl Visitor) {
    let kinds = [FeeKind::Person, FeeKind::Shop, FeeKind::Remote, FeeKind::Out];
    let fee = |kind| Fee { kind, fixed: 1, points: 150, least: 2, most: 30 };
    v.visit("asset_info_fees", AssetInfo { fees: kinds.map(fee).to_vec(), ..asset_info() });
    v.visit("set_fee", SetFee { asset: ASSET, fee: fee(FeeKind::Shop) });
}

fn views(v: &mut impl Visitor) {
    let define = DefineAsset {
        code: "EUR".parse().unwrap(),
        scale: 2,
        title: "Euro".into(),
        backing: "the cash box".into(),
        payment_max: 5,
        day_max: 6,
        issue_max: 7,
    };
    v.visit("define_asset", define);
    let links = vec![LinkedNode { node: bob().node, assets: vec![ASSET], rates: Vec::new() }];
    links_of_nodes(v);
    v.visit("asset_list", AssetList { assets: vec![asset_info()], links });
    fees(v);
    v.visit("account_list", AccountList { accounts: vec![account()], counter: 3 });
    v.visit("answer_transfer", AnswerTransfer { answer: Answer::Return });
    v.visit("transfer_info", transfer());
    v.visit("request_payments", RequestPayments { payments: vec![transfer()] });
    let line = HistoryLine {
        number: 4,
        transfer: TRANSFER,
        at_ms: AT_MS,
        purpose: "payment".into(),
        credit: true,
        amount: 5,
        other: Some(bob()),
        shop: Some("Corner".into()),
        packet: Some(TRANSFER),
        refunds: Some(TRANSFER),
        fee_of: Some(TRANSFER),
        refunded: 1,
        state: TransferState::Done,
        until_ms: None,
        settled_ms: Some(AT_MS),
        settled_by: Some(6),
        exchange: None,
    };
    v.visit("history", History { lines: vec![line], more: true });
    let issue = IssueAsset { id: TRANSFER, asset: ASSET, user: bob(), amount: 5, redeem: true };
    v.visit("issue_asset", issue);
    v.visit("change_account", ChangeAccount { user: bob(), asset: ASSET, frozen: true });
    v.visit("packet_info", packet());
}

fn cards(v: &mut impl Visitor) {
    let note = || "tea".to_owned();
    v.visit("transfer_card", TransferCard { transfer: TRANSFER, asset: euro(), amount: 5, note: note() });
    let parts = vec![RequestPart { user: bob(), amount: 2 }];
    let card = RequestCard { request: REQUEST, asset: euro(), parts, total: 5, note: note() };
    v.visit("request_card", card);
    v.visit("paid_card", PaidCard { request: REQUEST, transfer: TRANSFER, asset: euro(), amount: 5 });
    let card = PacketCard {
        packet: TRANSFER,
        node: alice().node,
        promise: PacketPromise { commitment: [4; 32] },
        asset: euro(),
        total: 9,
        kind: PacketKind::Lucky,
        shares: 2,
        greeting: note(),
        cover: 1,
        only: Some(bob()),
    };
    v.visit("packet_card", card);
}

fn shops(v: &mut impl Visitor) {
    let ShopView { info, .. } = shop();
    v.visit("shop_list", ShopList { shops: vec![shop()] });
    v.visit("shop_info", info.clone());
    v.visit("open_shop", OpenShop { name: bob().name, details: info.details.clone() });
    let staff = Some(shop().staff);
    let change =
        ChangeShop { details: Some(info.details), staff, member: None, join: Some(true), open: Some(false) };
    v.visit("change_shop", change);
    let open = OpenSale {
        id: REQUEST,
        asset: ASSET,
        amount: 5,
        bill: "12".into(),
        till: Some("1".into()),
        tip_allowed: true,
        lifetime_ms: 6,
    };
    v.visit("open_sale", open);
    v.visit("sale_list", SaleList { sales: vec![sale()], more: true });
    v.visit("shop_sign", ShopSign { code: "000201".into() });
    v.visit("code_shown", CodeShown { until_ms: AT_MS });
    let charge = ChargeCode { id: REQUEST, code: "1234".into(), asset: ASSET, amount: 5, bill: "12".into() };
    v.visit("charge_code", charge);
}

/// Between nodes.
fn questions(v: &mut impl Visitor) {
    use weft_wire::federation::{Answer, Question, ShopAnswer};
    v.visit("question_link", Question::Link { from: bob().node, post: blob(3) });
    v.visit("answer_link", Answer::Link(blob(3)));
    v.visit("question_packet", Question::Packet { by: bob(), packet: TRANSFER, open: true });
    v.visit("answer_packet", Answer::Packet(packet()));
    let asked = Question::Shop { by: bob(), shop: alice().name, sale: Some(REQUEST) };
    v.visit("question_shop", asked);
    let answer = ShopAnswer { info: shop().info, sale: Some(sale()) };
    v.visit("answer_shop", Answer::Shop(answer));
    let code = PayCode::new(bob().node, [4; 16]).unwrap();
    let (shop, title) = (alice(), "Corner shop".into());
    let charge = CodeCharge { shop, title, sale: REQUEST, code, asset: ASSET, amount: 5 };
    let charge = Signed::sign(&charge, &key(1));
    v.visit("question_charge", Question::Charge { from: alice().node, charge });
    v.visit("answer_charged", Answer::Charged);
}

/// What is signed of the ledger each day.
fn roots(v: &mut impl Visitor) {
    use weft_wire::federation::{Answer, Question};
    let held = TreeNode::new([4; 32], 100);
    let (issued, abroad, own) = (Sum(90), Sum(10), Sum(0));
    let sum = AssetSum { asset: AssetId([9; 16]), issued, abroad, own, held, leaves: 6 };
    let (node, events) = (alice().node, TreeNode::new([5; 32], 7));
    let before = Some(Hash([3; 32]));
    let root = DayRoot { node: node.clone(), day: 20_000, last: 12, events, before, assets: vec![sum] };
    let root = Signed::sign(&root, &key(1));
    let word = Witness { node, day: 20_000, root: Hash::of_root(&root), by: bob().node, at_ms: 1_000 };
    let word = Signed::sign(&word, &key(2));
    v.visit("question_root", Question::Root { from: alice().node, root: root.clone() });
    v.visit("answer_root", Answer::Root(word.clone()));
    let witnesses = vec![WitnessWord { key: [6; 32], word }];
    let info = RootInfo { root: root.clone(), witnesses };
    v.visit("root_list", RootList { key: [7; 32], roots: vec![info], more: true });
    let (entry, path) = (blob(3), vec![events]);
    let proof = EventProof { number: 11, at_ms: 1_000, parts: vec![Hash([1; 32])], entry, path };
    v.visit("transfer_proof", TransferProof { root: root.clone(), proof: proof.clone() });
    let pieces = vec![BalancePiece { index: 2, amount: Sum(60), path: vec![held] }];
    let (account, asset) = (AccountId([2; 16]), AssetId([9; 16]));
    let entries = vec![proof];
    v.visit(
        "account_proof",
        AccountProof { account, asset, root, salt: [8; 32], pieces, entries, more: false },
    );
}

pub fn visit_all(v: &mut impl Visitor) {
    orders(v);
    views(v);
    cards(v);
    shops(v);
    questions(v);
    roots(v);
}
