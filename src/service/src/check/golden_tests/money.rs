//! The samples of the ledger and the wallet.

use super::*;
use weft_ledger::{
    Account, AccountKind, Balances, Bounds, Entry, Freeze, Hold, Movement, Outcome, Purpose, Refusal,
    Resolution, Side, Standing, Transfer,
};
use weft_wire::{
    AccountId, AssetId, Code, OrderId, RequestId, TransferId,
    paycode::PayCode,
    wallet::{
        Asset, BearerPayee, CodeCharge, EscrowTerms, Intent, InvoiceInfo, InvoiceLine, InvoicePayee,
        InvoiceState, InvoiceSums, MandatePeriod, MandateTerms, MerchantPayee, OrderKeyCert, PacketKind,
        PacketState, PacketTerms, Payee, PaymentOrder, SaleKind, SettlePayee, ShopDetails, ShopMember,
        ShopName, ShopRole,
    },
};

pub(super) const EURO: AssetId = AssetId([1; 16]);
const FROM: AccountId = AccountId([2; 16]);
const TO: AccountId = AccountId([3; 16]);

pub(super) fn transfer(n: u8) -> TransferId {
    TransferId([n; 16])
}

pub(super) fn ledger(all: &mut Samples) {
    all.add(tables::LEDGER_HEAD, "head", &wallet::HeadRecord { newest: 7 });
    let bounds = Bounds { floor: Some(-1_000), cap: Some(0) };
    for (sample, event) in [
        ("open", wallet::LoggedEvent::Open { id: FROM, asset: EURO, kind: AccountKind::User, bounds }),
        ("change", wallet::LoggedEvent::Change { id: FROM, bounds, freeze: Freeze::Debits }),
        ("chain", wallet::LoggedEvent::Chain(vec![transfer(4), transfer(5)])),
    ] {
        all.add(tables::LEDGER_LOG, sample, &wallet::EventRecord { at_ms: TIME_MS, event });
    }
    for (sample, kind) in AccountKind::ALL.into_iter().enumerate() {
        let balances = Balances {
            debits_pending: 1,
            debits_posted: u128::from(u64::MAX) + 2,
            credits_pending: 3,
            credits_posted: 4,
        };
        let account = Account { bounds, freeze: Freeze::All, balances, ..Account::new(FROM, EURO, kind) };
        all.add(tables::LEDGER_ACCOUNTS, &format!("kind-{sample}"), &wallet::AccountRecord(account));
    }
    entries(all);
    let resolution = Some(Resolution { by: transfer(6), posted: 5 });
    for (sample, standing) in [
        ("resolved", Standing { resolution, refunded: 0 }),
        ("refunded", Standing { resolution: None, refunded: 4 }),
    ] {
        all.add(tables::LEDGER_STANDINGS, sample, &wallet::StandingRecord(standing));
    }
}

fn entries(all: &mut Samples) {
    let refunds = Some(transfer(9));
    let posted = Movement::Posted { debit: FROM, credit: TO, amount: 5, refunds };
    let expires_ms = Some(TIME_MS);
    let pending = Movement::Pending { debit: FROM, credit: TO, amount: 5, expires_ms, refunds: None };
    let refused = Outcome::Refused { at: 1, refusal: Refusal::Frozen(Side::Debit) };
    for (sample, movement, purpose, outcome) in [
        ("posted", posted, Purpose::Refund, Outcome::Done),
        ("pending", pending, Purpose::Transfer, Outcome::Done),
        ("post", Movement::Post { pending: transfer(8), amount: 5 }, Purpose::Transfer, Outcome::Done),
        ("void", Movement::Void { pending: transfer(8) }, Purpose::Expiry, Outcome::Done),
        ("refused", posted, Purpose::Payment, refused),
        ("collection", posted, Purpose::Collection, Outcome::Done),
    ] {
        let moved = (outcome == Outcome::Done).then_some(Hold { debit: FROM, credit: TO, amount: 5 });
        let transfer_ = Transfer { id: transfer(4), movement, purpose, about: [7; 16] };
        let (chain, chain_len, number, at_ms) = (transfer(4), 1, 3, TIME_MS);
        let entry = Entry { transfer: transfer_, chain, chain_len, number, at_ms, outcome, moved };
        all.add(tables::LEDGER_ENTRIES, sample, &wallet::EntryRecord(entry));
    }
}

pub(super) fn wallet(all: &mut Samples) {
    let asset = Asset { issuer: alice().node, code: "EUR".parse().unwrap(), scale: 2 };
    let (title, backing) = ("Euro".to_owned(), "the cash box".to_owned());
    let asset = wallet::AssetRecord { asset, title, backing, payment_max: 100, day_max: 200 };
    all.add(tables::ASSETS, "asset", &asset);
    for (sample, owner) in [
        ("node", wallet::Owner::Node),
        ("person", wallet::Owner::Person(name())),
        ("packet", wallet::Owner::Packet(transfer(4))),
        ("peer", wallet::Owner::Peer(bob().node)),
        ("merchant", wallet::Owner::Merchant(name())),
        ("escrow", wallet::Owner::Escrow(transfer(4))),
    ] {
        all.add(tables::OWNERS, sample, &wallet::OwnerRecord { owner, asset: EURO });
    }
    all.add(tables::PAYERS, "payer", &wallet::PayerRecord { day: 19_000, paid: 12 });
    let order_key = key(5).verifying_key().to_bytes();
    let cert = OrderKeyCert { user: alice(), device: device(), order_key, created_ms: TIME_MS };
    let cert = Signed::sign(&cert, &key(2));
    let record =
        wallet::OrderKeyRecord { cert: cert.clone(), key: order_key, created_ms: TIME_MS, counter: 3 };
    all.add(tables::ORDER_KEYS, "key", &record);
    orders(all, &cert);
    let packet = wallet::PacketRecord {
        maker: alice(),
        asset: EURO,
        terms: PacketTerms { room: RoomId([3; 16]), kind: PacketKind::Lucky, shares: 3, only: None },
        total: 10,
        left: 4,
        claims: 2,
        until_ms: TIME_MS,
        seed: [6; 32],
        state: PacketState::Open,
    };
    all.add(tables::PACKETS, "open", &packet);
    let terms = PacketTerms { kind: PacketKind::Equal, shares: 1, only: Some(bob()), ..packet.terms.clone() };
    for (sample, state) in [("empty", PacketState::Empty), ("expired", PacketState::Expired)] {
        let record = wallet::PacketRecord { state, terms: terms.clone(), ..packet.clone() };
        all.add(tables::PACKETS, sample, &record);
    }
    let claim = wallet::ClaimRecord { user: bob(), amount: 3, at_ms: TIME_MS, returned: false };
    all.add(tables::PACKET_CLAIMS, "claim", &claim);
    all.add(tables::PACKET_CLAIMS, "returned", &wallet::ClaimRecord { returned: true, ..claim });
    shops(all, &cert);
    banks::banks(all, &cert);
    guards::guards(all, &cert);
    invoices(all, &cert);
    escrows(all, &cert);
    mandates(all, &cert);
}

fn mandates(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let terms = |standing, period| MandateTerms {
        creditor: bob(),
        standing,
        period,
        first_day: 20_800,
        last_day: (!standing).then_some(21_000),
        count: (!standing).then_some(12),
        zone: -300,
        purpose: "the rent".into(),
    };
    for (sample, standing, period, end) in [
        ("live", true, MandatePeriod::Month, None),
        ("ended", false, MandatePeriod::Week, Some(mandates::MandateEnd::Debtor)),
        ("given-up", false, MandatePeriod::Week, Some(mandates::MandateEnd::Creditor)),
        ("over", false, MandatePeriod::Month, Some(mandates::MandateEnd::Time)),
    ] {
        let terms = terms(standing, period);
        let order = Signed::sign(&shop_order(Payee::Mandate(terms.clone())), &key(5));
        let record = mandates::MandateRecord {
            order: wallet::OrderRecord { order, cert: cert.clone(), title: None },
            debtor: alice(),
            of_shop: !standing,
            asset: EURO,
            amount: 9,
            terms,
            made_ms: TIME_MS,
            since: 7,
            look_ms: end.is_none().then_some(TIME_MS + 1),
            end: end.map(|by| mandates::MandateEndRecord { at_ms: TIME_MS, until: 8, by }),
        };
        all.add(tables::MANDATES, sample, &record);
    }
    for (sample, refused) in [("collected", None), ("failed", Some("insufficient_funds".to_owned()))] {
        let record = mandates::CollectionRecord { amount: 9, at_ms: TIME_MS, refused };
        all.add(tables::COLLECTIONS, sample, &record);
    }
    all.add(tables::MANDATES_LIVE, "live", &mandates::LiveRecord { live: 3 });
}

fn escrows(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let settle = shop_order(Payee::Settle(SettlePayee { escrow: transfer(4), seller: bob() }));
    let offer =
        wallet::OrderRecord { order: Signed::sign(&settle, &key(5)), cert: cert.clone(), title: None };
    let open = wallet::EscrowRecord {
        buyer: alice(),
        seller: bob(),
        of_shop: true,
        asset: EURO,
        total: 9,
        note: "a bicycle".into(),
        made_ms: TIME_MS,
        until_ms: TIME_MS + 1,
        offer: Some(offer.clone()),
        asked: Some(6),
        end: None,
    };
    all.add(tables::ESCROWS, "open", &open);
    let end = wallet::EscrowEndRecord { at_ms: TIME_MS, to_seller: 5, by: Some(transfer(6)), expired: false };
    let ended = wallet::EscrowRecord { offer: None, asked: None, end: Some(end), ..open };
    all.add(tables::ESCROWS, "ended", &ended);
    all.add(tables::ORDERS, "settle", &offer);
    let terms = EscrowTerms { seller: bob(), until_ms: TIME_MS, note: "a bicycle".into() };
    let order = Signed::sign(&shop_order(Payee::Escrow(terms)), &key(5));
    all.add(tables::ORDERS, "escrow", &wallet::OrderRecord { order, cert: cert.clone(), title: None });
}

fn invoices(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let line = |tax_rate| InvoiceLine { text: "tea".into(), quantity: 1_500, unit_price: 200, tax_rate };
    let open = wallet::InvoiceRecord {
        number: 3,
        of_shop: true,
        by: Some(bob()),
        to: alice(),
        asset: EURO,
        lines: vec![line(Some(190)), line(None)],
        total: 657,
        note: "thank you".into(),
        made_ms: TIME_MS,
        due_ms: TIME_MS + 1,
        quiet: false,
        cancelled: false,
        paid: None,
    };
    all.add(tables::INVOICES, "open", &open);
    let by = wallet::InvoicePaidRecord { transfer: transfer(4), at_ms: TIME_MS };
    all.add(tables::INVOICES_FAR_PAID, "paid", &by);
    let paid = Some(by);
    all.add(
        tables::INVOICES,
        "paid",
        &wallet::InvoiceRecord { of_shop: false, by: None, quiet: true, paid, ..open },
    );
    let asked = InvoiceInfo {
        id: RequestId([8; 16]),
        issuer: alice(),
        shop: Some(ShopName { shop: alice(), title: "Corner".into() }),
        to: bob(),
        number: 3,
        reference: "RF18539007547034".into(),
        asset: Asset { issuer: alice().node, code: "EUR".parse().unwrap(), scale: 2 },
        lines: vec![line(Some(190)), line(None)],
        sums: InvoiceSums::of(&[line(Some(190)), line(None)]).unwrap(),
        note: "thank you".into(),
        made_ms: TIME_MS,
        due_ms: TIME_MS + 1,
        state: InvoiceState::Open,
        by: None,
        paid: None,
        rejection: None,
    };
    let info = Signed::sign(&asked, &key(6));
    let known = wallet::FarInvoiceRecord { info, kept_ms: TIME_MS, seen_ms: TIME_MS + 2, payment: None };
    all.add(tables::INVOICES_FAR, "open", &known);
    let paying = wallet::FarInvoiceRecord { payment: Some(transfer(4)), ..known };
    all.add(tables::INVOICES_FAR, "paying", &paying);
    all.add(tables::INVOICE_NUMBERS, "numbers", &wallet::NumbersRecord { last: 3 });
    let payee = InvoicePayee { issuer: bob(), invoice: RequestId([8; 16]) };
    let order = Signed::sign(&shop_order(Payee::Invoice(payee)), &key(5));
    all.add(tables::ORDERS, "invoice", &wallet::OrderRecord { order, cert: cert.clone(), title: None });
}

fn shops(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let details = ShopDetails {
        title: "Ecklädchen".into(),
        merchant_name: "Corner Shop".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        mcc: 5411,
    };
    let staff = [ShopRole::Manager, ShopRole::Cashier]
        .map(|role| ShopMember { user: bob(), role, invited: false })
        .into_iter()
        .collect();
    let (open, stopped, created_ms) = (true, false, TIME_MS);
    let shop = wallet::MerchantRecord { details, owner: alice(), staff, open, stopped, created_ms };
    all.add(tables::MERCHANTS, "shop", &shop);
    let asked = ShopMember { user: bob(), role: ShopRole::Cashier, invited: true };
    all.add(tables::MERCHANTS, "shop_asks", &wallet::MerchantRecord { staff: vec![asked], ..shop });
    let places = wallet::PlacesRecord { owned: vec![name()], staff: vec![bob().name], invited: Vec::new() };
    all.add(tables::MERCHANTS_OF, "places", &places);
    let places = wallet::PlacesRecord { invited: vec![name()], ..wallet::PlacesRecord::default() };
    all.add(tables::MERCHANTS_OF, "asked", &places);
    let open = wallet::SaleRecord {
        asset: EURO,
        amount: 5,
        tip_allowed: true,
        bill: "17".into(),
        till: Some("2".into()),
        kind: SaleKind::Dynamic,
        made_ms: TIME_MS,
        expires_ms: Some(TIME_MS + 1),
        by: Some(bob()),
        code: None,
        cancelled: false,
        paid: None,
        refused: None,
    };
    all.add(tables::SALES, "open", &open);
    let refused = wallet::SaleRecord { cancelled: true, refused: Some(Code::CodeLimit), ..open.clone() };
    all.add(tables::SALES, "refused", &refused);
    let paid = wallet::PaidRecord { payer: alice(), transfer: transfer(4), at_ms: TIME_MS, tip: 1 };
    for (sample, kind) in [("static", SaleKind::Static), ("code", SaleKind::Code)] {
        let (till, expires_ms, code, paid) = (None, None, Some(blob(32)), Some(paid.clone()));
        let record = wallet::SaleRecord { kind, till, expires_ms, code, paid, ..open.clone() };
        all.add(tables::SALES, sample, &record);
    }
    let order = shop_order(Payee::Bearer(BearerPayee { code: [4; 32], digits: [5; 32] }));
    let order = Signed::sign(&order, &key(5));
    let (until_ms, tried) = (TIME_MS, Vec::new());
    let code = wallet::CodeRecord { order, cert: cert.clone(), until_ms, used: true, refused: None, tried };
    all.add(tables::PAY_CODES, "code", &code);
    let asked = wallet::AskedRecord { shop: bob(), sale: RequestId([8; 16]), asset: EURO, amount: 9 };
    let tried = vec![wallet::TriedRecord { asked, why: Code::InsufficientFunds }];
    let poor = wallet::CodeRecord { used: false, refused: Some(1), tried, ..code };
    all.add(tables::PAY_CODES, "tried", &poor);
    let shown = PayCode::new(alice().node, [6; 16]).unwrap();
    let (title, sale) = ("Ecklädchen".into(), RequestId([8; 16]));
    let charge = CodeCharge { shop: bob(), title, sale, code: shown, asset: EURO, amount: 5 };
    let charge = wallet::ChargeRecord { charge: Signed::sign(&charge, &key(5)), transfer: transfer(4) };
    all.add(tables::CHARGES, "charge", &charge);
    all.add(tables::PAY_CODES_OF, "last", &wallet::LastCodeRecord { digits: [5; 32] });
    let shop = MerchantPayee { shop: bob(), till: Some("2".into()), sale: Some(RequestId([8; 16])) };
    let bought = PaymentOrder { tip: Some(1), ..shop_order(Payee::Merchant(shop)) };
    let back =
        PaymentOrder { from: Some(bob()), refunds: Some(transfer(9)), ..shop_order(Payee::Person(bob())) };
    let exchange = Some(weft_wire::wallet::Exchange { asset: EURO, amount: 6 });
    let exchanged = PaymentOrder { exchange, ..shop_order(Payee::Person(bob())) };
    for (sample, order) in [("bought", bought), ("from-shop", back), ("exchanged", exchanged)] {
        let record =
            wallet::OrderRecord { order: Signed::sign(&order, &key(5)), cert: cert.clone(), title: None };
        all.add(tables::ORDERS, sample, &record);
    }
}

pub(super) fn shop_order(payee: Payee) -> PaymentOrder {
    PaymentOrder {
        id: OrderId([7; 16]),
        payer: alice(),
        device: device(),
        payee,
        asset: EURO,
        amount: 5,
        max_fee: 0,
        intent: Intent::Payment,
        expires_ms: TIME_MS,
        counter: 4,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
    }
}

fn orders(all: &mut Samples, cert: &Signed<OrderKeyCert>) {
    let order = PaymentOrder {
        id: OrderId([7; 16]),
        payer: alice(),
        device: device(),
        payee: Payee::Person(bob()),
        asset: EURO,
        amount: 5,
        max_fee: 0,
        intent: Intent::Transfer,
        expires_ms: TIME_MS,
        counter: 4,
        request: None,
        refunds: None,
        from: None,
        tip: None,
        exchange: None,
    };
    let terms = PacketTerms { room: RoomId([3; 16]), kind: PacketKind::Lucky, shares: 3, only: None };
    for (sample, order) in [
        ("transfer", order.clone()),
        (
            "refund",
            PaymentOrder {
                intent: Intent::Payment,
                request: Some(RequestId([8; 16])),
                refunds: Some(transfer(9)),
                ..order.clone()
            },
        ),
        ("packet", PaymentOrder { intent: Intent::Payment, payee: Payee::Packet(terms), ..order }),
    ] {
        let record =
            wallet::OrderRecord { order: Signed::sign(&order, &key(5)), cert: cert.clone(), title: None };
        all.add(tables::ORDERS, sample, &record);
    }
}
