//! Codes of ours, of others, and of nobody.

use super::*;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

/// The sample of the standard (annex of MPM 1.1): two accounts of one system, names in Chinese, a tip that is asked for.
const STANDARD: &str = "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT\
    6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A";

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn shop() -> MerchantQr {
    let payee = "shop@home.example".parse().unwrap();
    MerchantQr::new(payee, Currency::Iso4217(978), "DE", "Corner Shop", "Berlin")
}

/// Everything that a code can say.
fn full() -> MerchantQr {
    MerchantQr {
        initiation: Initiation::Dynamic(Request { id: RequestId([7; 16]), expires_ms: 1_800_000_000_000 }),
        account: WeftAccount { payee: "shop@home.example".parse().unwrap(), till: Some("till 2".into()) },
        merchant_category_code: 5_411,
        currency: Currency::Asset(AssetId([9; 16])),
        amount: Some("23.72".parse().unwrap()),
        tip: Some(Tip::Percentage { percent_hundredths: 550 }),
        postal_code: Some("10115".into()),
        additional: AdditionalData {
            bill_number: Some("INV/2026/0001".into()),
            mobile_number: Some("***".into()),
            reference_label: Some("table 4".into()),
            purpose: Some("Dinner".into()),
            ..AdditionalData::default()
        },
        local: Some(LocalNames {
            language: "zh".into(),
            merchant_name: "街角小店".into(),
            merchant_city: Some("柏林".into()),
        }),
        ..shop()
    }
}

/// The same with the checksum that fits.
fn sealed(body: &str) -> String {
    let covered = format!("{body}6304");
    format!("{covered}{:04X}", crc::checksum(&covered))
}

fn unsealed(code: &str) -> &str {
    &code[..code.len() - 8]
}

fn verified(code: &str, key: &SigningKey) -> Result<MerchantQr, EmvError> {
    match decode(code)? {
        Scanned::Static(qr) => Ok(qr),
        Scanned::Dynamic(signed) => signed.verify(key.verifying_key().as_bytes(), 0).map(|(qr, _)| qr),
    }
}

#[test]
fn codes_of_other_systems_are_sound_and_not_ours() {
    for (code, system) in [
        (STANDARD, Some("D15600000000")),
        // The manual of Brazil's Pix.
        (
            "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D",
            Some("br.gov.bcb.pix"),
        ),
        // Thailand's PromptPay leaves out names and category.
        (
            "00020101021129370016A000000677010111011300660000000005802TH530376463048956",
            Some("A000000677010111"),
        ),
        // Hong Kong's FPS.
        (
            "00020101021226330012hk.com.hkicl0313+852-6789123452040000530334454031005802HK5914company_1_data6002HK62170513INV/TEST/00016304A154",
            Some("hk.com.hkicl"),
        ),
        // Singapore's SGQR with PayNow.
        (
            "00020101021126490009SG.PAYNOW010120210201403121W030110408203012315204000053037025802SG5913ACME Pte Ltd.6009Singapore6304B69E",
            Some("SG.PAYNOW"),
        ),
        // Indonesia's QRIS.
        (
            "00020101021126660014ID.CO.QRIS.WWW01189360091400000000000215ID10200000000000303UMI5204581253033605802ID5910KOPI SENJA6007JAKARTA6105121906304A4A4",
            Some("ID.CO.QRIS.WWW"),
        ),
        // India's Bharat QR: UPI and card schemes, here with a fee below one in object 04 of its template.
        (
            "000201010212021643926300000000850415540461000000008061661005900000000890827YESB0CMSNOC222333004882700126430010A0000005240117razorpaybqr@icici02041.1027350010A0000005240117RZPGT8ildsFTgS5Sp52047531530335654041.105802IN5906zxcbmn6005Delhi610611008562300514GT8ildsFTgS5Sp070838R004506304B6A9",
            Some("A000000524"),
        ),
        // Card schemes only.
        (
            "0002010102121313JCB12345678900416MASTER12345678905204531153033925407999.1235802JP5906DONGRI6005TOKYO62240104hoge0504fuga0704piyo6304C343",
            None,
        ),
    ] {
        assert_eq!(decode(code), Err(EmvError::NotOurs { system: system.map(str::to_owned) }), "{code}");
        // One that writes its checksum small is no less sound; one that is altered is.
        let (front, checksum) = code.split_at(code.len() - 4);
        let small = format!("{front}{}", checksum.to_lowercase());
        assert!(matches!(decode(&small), Err(EmvError::NotOurs { .. })), "{code}");
        assert_eq!(decode(&code.replacen("5802", "5803", 1)), Err(EmvError::Checksum), "{code}");
    }
}

#[test]
fn a_static_code_has_one_spelling() {
    let code = shop().encode().unwrap();
    assert_eq!(
        unsealed(&code),
        "00020101021126330008app.weft0117shop@home.example5204000053039785802DE5911Corner Shop6006Berlin"
    );
    assert_eq!(decode(&code), Ok(Scanned::Static(shop())));
    assert_eq!(
        decode(&format!(" {code}\n")),
        Ok(Scanned::Static(shop())),
        "what a scanner or a clipboard adds"
    );
    assert_eq!(decode(&code.to_lowercase()), Err(EmvError::Checksum));
    assert_eq!(full().encode(), Err(EmvError::Unsigned));
    assert_eq!(shop().encode_signed(&key(1)), Err(EmvError::Unexpected(81)));
}

#[test]
fn a_dynamic_code_is_believed_when_its_shop_signed_it() {
    let code = full().encode_signed(&key(1)).unwrap();
    assert!(code.chars().count() <= 450, "{} characters", code.chars().count());
    let Ok(Scanned::Dynamic(signed)) = decode(&code) else { panic!("dynamic") };
    assert_eq!(signed.peek(), &full());
    let (mine, others) = (key(1).verifying_key(), key(2).verifying_key());
    let request = Request { id: RequestId([7; 16]), expires_ms: 1_800_000_000_000 };
    assert_eq!(signed.clone().verify(mine.as_bytes(), 1_799_999_999_999), Ok((full(), request)));
    assert_eq!(signed.clone().verify(mine.as_bytes(), 1_800_000_000_000), Err(EmvError::Expired));
    assert_eq!(signed.clone().verify(others.as_bytes(), 0), Err(EmvError::Signature(SignedError::Signature)));
    // The neutral element: with it as a key, lax verifiers take one signature for many texts.
    let mut small_order = [0; 32];
    small_order[0] = 1;
    assert_eq!(signed.verify(&small_order, 0), Err(EmvError::Signature(SignedError::Signature)));
}

#[test]
fn a_signature_belongs_to_its_text() {
    let (code, other) = (full().encode_signed(&key(1)).unwrap(), {
        let amount = Some("1.00".parse().unwrap());
        MerchantQr { amount, ..full() }.encode_signed(&key(1)).unwrap()
    });
    let cut = code.find("81590008app.weft").unwrap();
    let (body, signature) = unsealed(&code).split_at(cut);
    let body_of_other = &other[..other.find("81590008app.weft").unwrap()];
    let forged = EmvError::Signature(SignedError::Signature);
    for (text, error) in [
        (format!("{body_of_other}{signature}"), forged.clone()),
        // An object that nobody knows is signed as well.
        (format!("{body}9001x{signature}"), forged.clone()),
        (body.replace("010212", "010211"), EmvError::Unexpected(80)),
        (format!("{}{signature}", body.replace("010212", "010211")), EmvError::Unexpected(80)),
        (body.to_owned(), EmvError::Unsigned),
        (format!("{body}{}", &signature[..63]), EmvError::Unexpected(81)),
        (format!("{body}{}", &signature[63..]), EmvError::Unexpected(82)),
        (format!("{body}{}{}", &signature[63..], &signature[..63]), EmvError::Value(81)),
        (format!("{body}{signature}9001x"), EmvError::Unexpected(81)),
        (
            format!("{body}{}", signature.replace("8159", "8360").replace("0443", "0444x")),
            EmvError::Unexpected(82),
        ),
        (format!("{body}{}", signature.replace("0443", "0643")), EmvError::Value(81)),
        // A sub-tag beside the half would not be signed.
        (
            format!("{body}{}", signature.replacen("8159", "8164", 1).replacen("8259", "0601x8259", 1)),
            EmvError::Value(81),
        ),
    ] {
        assert_eq!(verified(&sealed(&text), &key(1)), Err(error), "{text}");
    }
    let unsigned_static = format!("{}{signature}", unsealed(&shop().encode().unwrap()));
    assert_eq!(decode(&sealed(&unsigned_static)), Err(EmvError::Unexpected(81)));
}

#[test]
fn what_is_wrong_is_said() {
    const HEAD: &str = "00020101021126330008app.weft0117shop@home.example";
    const TAIL: &str = "5802DE5911Corner Shop6006Berlin";
    let asset = "AAAAAAAAAAAAAAAAAAAAAA";
    for (body, error) in [
        (format!("{HEAD}52040000{TAIL}"), EmvError::Missing(53)),
        (format!("{HEAD}5303978{TAIL}"), EmvError::Missing(52)),
        (format!("{HEAD}520400005303978"), EmvError::Missing(58)),
        (format!("{HEAD}5204000053039785802DE"), EmvError::Missing(59)),
        (format!("{HEAD}5204000053039785802DE5901x"), EmvError::Missing(60)),
        (format!("{HEAD}5203000530397{TAIL}"), EmvError::Malformed(TlvError::Header { at: 63 })),
        (format!("{HEAD}52030005303978{TAIL}"), EmvError::Value(52)),
        (format!("{HEAD}5204+0015303978{TAIL}"), EmvError::Value(52)),
        (format!("{HEAD}520400005303000{TAIL}"), EmvError::Value(53)),
        (format!("{HEAD}5204000053039 9{TAIL}"), EmvError::Value(53)),
        (format!("{HEAD}520400005303999{TAIL}"), EmvError::Missing(80)),
        (format!("{HEAD}520400005303978{TAIL}80380008app.weft0122{asset}"), EmvError::Unexpected(80)),
        (format!("{HEAD}520400005303978{TAIL}80380008app.weft0222{asset}"), EmvError::Unexpected(80)),
        (format!("{HEAD}520400005303999{TAIL}80380008app.weft0122{}B", &asset[1..]), EmvError::Value(80)),
        (format!("{HEAD}520400005303999{TAIL}80370008app.weft0121{}", &asset[1..]), EmvError::Value(80)),
        (
            format!("{HEAD}520400005303999{TAIL}80370008app.weft0122{}", &asset[1..]),
            EmvError::Template { id: 80, error: TlvError::Cut { id: 1 } },
        ),
        (format!("{HEAD}52040000530397854045,00{TAIL}"), EmvError::Amount),
        (format!("{HEAD}52040000530397854040.00{TAIL}"), EmvError::Amount),
        (format!("{HEAD}52040000530397854025.{TAIL}"), EmvError::Amount),
        (format!("{HEAD}520400005303978550204{TAIL}"), EmvError::Value(55)),
        (format!("{HEAD}520400005303978550202{TAIL}"), EmvError::Missing(56)),
        (format!("{HEAD}520400005303978550203{TAIL}"), EmvError::Missing(57)),
        (format!("{HEAD}5204000053039785502015601157015{TAIL}"), EmvError::Unexpected(56)),
        (format!("{HEAD}52040000530397857015{TAIL}"), EmvError::Unexpected(57)),
        (format!("{HEAD}5204000053039785502025601157015{TAIL}"), EmvError::Unexpected(57)),
        (format!("{HEAD}5204000053039785502035703100{TAIL}"), EmvError::Value(57)),
        (format!("{HEAD}5204000053039785802de5901x6001y"), EmvError::Value(58)),
        (format!("{HEAD}5204000053039785802DE5902街角6001y"), EmvError::Value(59)),
        (format!("{HEAD}5204000053039785802DE5901x6016{}", "y".repeat(16)), EmvError::Value(60)),
        (format!("{HEAD}520400005303978{TAIL}6111{}", "1".repeat(11)), EmvError::Value(61)),
        (format!("{HEAD}520400005303978{TAIL}62300126{}", "1".repeat(26)), EmvError::Value(62)),
        (format!("{HEAD}520400005303978{TAIL}6299a"), EmvError::Malformed(TlvError::Cut { id: 62 })),
        (
            format!("{HEAD}520400005303978{TAIL}620401ab"),
            EmvError::Template { id: 62, error: TlvError::Header { at: 0 } },
        ),
        (
            format!("{HEAD}520400005303978{TAIL}64110003zho0100"),
            EmvError::Template { id: 64, error: TlvError::Empty { id: 1 } },
        ),
        (format!("{HEAD}520400005303978{TAIL}64120003zho0101街"), EmvError::Value(64)),
        (format!("{HEAD}520400005303978{TAIL}64120002zh0102街\u{202e}"), EmvError::Value(64)),
        (format!("{HEAD}520400005303978{TAIL}64060002zh"), EmvError::Value(64)),
        (format!("{HEAD}520400005303978{TAIL}5301x"), EmvError::Malformed(TlvError::Duplicate { id: 53 })),
        (format!("{HEAD}27330008app.weft0117shop@home.example"), EmvError::Unexpected(27)),
        (format!("{}520400005303978{TAIL}", HEAD.replace("0211", "0213")), EmvError::Value(1)),
        (format!("{}520400005303978{TAIL}", HEAD.replace("shop", "Shop")), EmvError::Value(26)),
        (format!("{}520400005303978{TAIL}", HEAD.replace("shop@", "shop.")), EmvError::Value(26)),
        (format!("{}520400005303978{TAIL}", HEAD.replace("0117", "0317")), EmvError::Value(26)),
        (
            format!("{}520400005303978{TAIL}", HEAD.replace("0117", "0118")),
            EmvError::Template { id: 26, error: TlvError::Cut { id: 1 } },
        ),
        (format!("{}520400005303978{TAIL}", HEAD.replace("0211", "0212")), EmvError::Missing(80)),
        ("000201".to_owned(), EmvError::NotOurs { system: None }),
        ("000202".to_owned(), EmvError::NotEmv),
        ("0102110002 1".to_owned(), EmvError::NotEmv),
        // What stands where the checksum should is the end of another object.
        ("0002015916".to_owned(), EmvError::Malformed(TlvError::Cut { id: 59 })),
        ("0002015908".to_owned(), EmvError::Checksum),
    ] {
        assert_eq!(decode(&sealed(&body)), Err(error), "{body}");
    }
    for (text, error) in [
        ("", EmvError::NotEmv),
        ("https://home.example/#/i/AAAA", EmvError::NotEmv),
        ("upi://pay?pa=shop@bank&am=1", EmvError::NotEmv),
        ("000201", EmvError::Checksum),
        ("00020163", EmvError::Checksum),
        ("000201北", EmvError::Checksum),
    ] {
        assert_eq!(decode(text), Err(error), "{text:?}");
    }
    assert_eq!(decode(&format!("000201{}", "1".repeat(507))), Err(EmvError::TooLong));
    assert_eq!(decode(&format!("000201{}", "北".repeat(169))), Err(EmvError::TooLong));
    assert_eq!(decode(&format!("000201{}", "1".repeat(506))), Err(EmvError::Checksum));
    assert_eq!(decode(&"1".repeat(1 << 20)), Err(EmvError::NotEmv));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let long_node = format!("shop@{}.example", "n".repeat(63));
    let long = |label: &str| Some(label.repeat(25));
    for (qr, error) in [
        (MerchantQr { merchant_name: String::new(), ..shop() }, EmvError::Value(59)),
        (MerchantQr { merchant_name: "街角小店".into(), ..shop() }, EmvError::Value(59)),
        (MerchantQr { merchant_name: "n".repeat(26), ..shop() }, EmvError::Value(59)),
        (MerchantQr { merchant_city: "n".repeat(16), ..shop() }, EmvError::Value(60)),
        (MerchantQr { country: "de".into(), ..shop() }, EmvError::Value(58)),
        (MerchantQr { merchant_category_code: 10_000, ..shop() }, EmvError::Value(52)),
        (MerchantQr { currency: Currency::Iso4217(999), ..shop() }, EmvError::Value(53)),
        (MerchantQr { currency: Currency::Iso4217(0), ..shop() }, EmvError::Value(53)),
        (MerchantQr { tip: Some(Tip::Percentage { percent_hundredths: 0 }), ..shop() }, EmvError::Value(57)),
        (
            MerchantQr { tip: Some(Tip::Percentage { percent_hundredths: 10_000 }), ..shop() },
            EmvError::Value(57),
        ),
        (
            MerchantQr {
                account: WeftAccount { payee: long_node.parse().unwrap(), till: long("t") },
                ..shop()
            },
            EmvError::Value(26),
        ),
        (
            MerchantQr {
                additional: AdditionalData {
                    bill_number: long("b"),
                    store_label: long("s"),
                    reference_label: long("r"),
                    purpose: long("p"),
                    ..AdditionalData::default()
                },
                ..shop()
            },
            EmvError::Value(62),
        ),
        (
            MerchantQr {
                local: Some(LocalNames {
                    language: "zh".into(),
                    merchant_name: "街\u{200b}角".into(),
                    merchant_city: None,
                }),
                ..shop()
            },
            EmvError::Value(64),
        ),
    ] {
        assert_eq!(qr.encode(), Err(error), "{qr:?}");
    }
}

#[test]
fn the_largest_address_fits() {
    let node = crate::NodeName::of_key(&[3; 32]);
    let payee = |name: usize| format!("{}@{node}", "n".repeat(name)).parse().unwrap();
    let account = |name| WeftAccount { payee: payee(name), till: None };
    let qr = MerchantQr { account: account(30), ..full() };
    assert_eq!(qr.account.payee.to_string().len(), ADDRESS_CHARS_MAX);
    assert_eq!(verified(&qr.encode_signed(&key(1)).unwrap(), &key(1)), Ok(qr));
    assert_eq!(
        MerchantQr { account: account(31), ..full() }.encode_signed(&key(1)),
        Err(EmvError::Value(26))
    );
}

fn label(chars_max: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[ -~]{{1,{chars_max}}}")).unwrap()
}

fn amount() -> impl Strategy<Value = Amount> {
    "[0-9]{0,6}[1-9](\\.[0-9]{1,5})?".prop_map(|text| text.parse().unwrap())
}

fn some_local() -> impl Strategy<Value = LocalNames> {
    let name =
        |chars| proptest::string::string_regex(&format!("[a-z0-9 街角小店北京é]{{1,{chars}}}")).unwrap();
    ("[a-zA-Z]{2}", name(25), prop::option::of(name(15))).prop_map(
        |(language, merchant_name, merchant_city)| LocalNames { language, merchant_name, merchant_city },
    )
}

fn qr() -> impl Strategy<Value = MerchantQr> {
    let initiation = prop::option::of((any::<[u8; 16]>(), any::<u64>())).prop_map(|request| match request {
        None => Initiation::Static,
        Some((id, expires_ms)) => Initiation::Dynamic(Request { id: RequestId(id), expires_ms }),
    });
    let currency = prop_oneof![
        (1..999_u16).prop_map(Currency::Iso4217),
        any::<[u8; 16]>().prop_map(|id| Currency::Asset(AssetId(id)))
    ];
    let tip = prop_oneof![
        Just(Tip::Prompt),
        amount().prop_map(Tip::Fixed),
        (1..10_000_u16).prop_map(|percent_hundredths| Tip::Percentage { percent_hundredths })
    ];
    let payee = "[a-z0-9]{2,20}@[a-z]{1,10}\\.[a-z]{2,8}".prop_map(|text| text.parse().unwrap());
    let account = (payee, prop::option::of(label(25))).prop_map(|(payee, till)| WeftAccount { payee, till });
    let additional = (prop::option::of(label(25)), prop::option::of(label(25)), prop::option::of(label(20)));
    let additional = additional.prop_map(|(bill_number, terminal_label, purpose)| AdditionalData {
        bill_number,
        terminal_label,
        purpose,
        ..AdditionalData::default()
    });
    let money = (0..10_000_u16, currency, prop::option::of(amount()), prop::option::of(tip));
    let names = ("[A-Z]{2}", label(25), label(15), prop::option::of(label(10)));
    (initiation, account, money, names, additional, prop::option::of(some_local())).prop_map(
        |(initiation, account, money, names, additional, local)| MerchantQr {
            initiation,
            account,
            merchant_category_code: money.0,
            currency: money.1,
            amount: money.2,
            tip: money.3,
            country: names.0,
            merchant_name: names.1,
            merchant_city: names.2,
            postal_code: names.3,
            additional,
            local,
        },
    )
}

fn text_of(qr: &MerchantQr) -> Result<String, EmvError> {
    if qr.initiation == Initiation::Static { qr.encode() } else { qr.encode_signed(&key(1)) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(qr in qr()) {
        // Everything at once may be too much.
        match text_of(&qr) {
            Ok(code) => prop_assert_eq!(verified(&code, &key(1)), Ok(qr)),
            Err(error) => prop_assert_eq!(error, EmvError::TooLong),
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}", body in "([0-9]{4}[ -~]{0,9}){0,9}") {
        let _ = decode(&text);
        let _ = decode(&sealed(&format!("000201{text}")));
        let _ = decode(&sealed(&format!("00020101021226330008app.weft0117shop@home.example{body}")));
    }

    #[test]
    fn a_damaged_code_does_not_panic(at in any::<prop::sample::Index>(), with in "\\PC{0,3}", cut in 0..4_usize) {
        let code: Vec<char> = full().encode_signed(&key(1)).unwrap().chars().collect();
        let at = at.index(code.len());
        let damaged: String = code[..at].iter().copied().chain(with.chars()).chain(code[at..].iter().copied().skip(cut)).collect();
        let _ = decode(&damaged);
        let _ = decode(&sealed(&damaged));
    }
}

/// By the checksum where it was left as it was, by the signature or the rules where it was made to fit.
#[test]
fn every_flipped_character_is_caught() {
    let code = full().encode_signed(&key(1)).unwrap();
    let chars: Vec<char> = code.chars().collect();
    for (at, known) in chars.iter().enumerate() {
        for other in
            ['0', '1', '7', '9', 'a', 'A', 'B', '_', ' ', '北', char::from_u32(*known as u32 ^ 32).unwrap()]
        {
            if other == *known {
                continue;
            }
            let flipped: String =
                chars.iter().enumerate().map(|(n, c)| if n == at { other } else { *c }).collect();
            assert!(verified(&flipped, &key(1)).is_err(), "character {at}: {flipped}");
            if at < chars.len() - 8 {
                assert!(decode(&flipped).is_err(), "the checksum finds character {at}");
                let fitting = sealed(unsealed(&flipped));
                assert!(verified(&fitting, &key(1)).is_err(), "character {at}: {fitting}");
            }
        }
    }
}
