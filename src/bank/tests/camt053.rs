//! camt.053 of three banks, and what is wrong with a file in each case.

use crate::gist;
use weft_bank::{
    BankError, CamtError, Format, MoneyError, Statement, StatementError, XmlError, detect, read,
};

pub const GERMAN: &str = include_str!("samples/camt053_german.xml");
pub const SWISS: &str = include_str!("samples/camt053_swiss.xml");
pub const NORDIC: &str = include_str!("samples/camt053_nordic.xml");

fn gists(statement: &Statement) -> Vec<String> {
    statement.lines.iter().map(gist).collect()
}

/// What is wrong with the German file once something in it is replaced.
fn fault(from: &str, to: &str) -> CamtError {
    assert!(GERMAN.contains(from), "{from}");
    match read(GERMAN.replacen(from, to, 1).as_bytes()) {
        Err(BankError::Camt053 { error, .. }) => error,
        other => panic!("{from} to {to}: {other:?}"),
    }
}

#[test]
fn a_german_file_is_read() {
    assert_eq!(detect(GERMAN.as_bytes()), Some(Format::Camt053));
    let statements = read(GERMAN.as_bytes()).unwrap();
    let [statement] = &statements[..] else { panic!("one statement") };
    assert_eq!(statement.account.as_str(), "DE89370400440532013000");
    assert_eq!((statement.currency.code(), statement.number.as_deref()), ("EUR", Some("130")));
    assert_eq!((statement.pending, statement.informational), (1, 0));
    assert!(statement.is_proved());
    assert_eq!(
        gists(statement),
        [
            "2024-12-31 2500 Alice Müller & Bob (AT611904300234573201): Aufladung RF18 5390 0754 7034, viele Grüße [\"RF18 5390 0754 7034\"]",
            "2024-12-31 -350 - (-): ENTGELTABSCHLUSS []",
            "2024-12-31 4000 Carol Example (-):  [\"RF45 G72U UR\"]",
            "2024-12-31 2000 Dave Example (-): für den Sommer []",
            "2024-12-31 -2500 Erin Example (BE68539007547034): RUECKLASTSCHRIFT []",
        ]
    );
    let first = &statement.lines[0];
    assert_eq!(first.code.as_deref(), Some("PMNT/RCDT/ESCT"));
    assert_eq!(first.references.bank.as_deref(), Some("2024123112345678000"));
    assert_eq!(first.references.end_to_end, None, "NOTPROVIDED is none");
    assert_eq!(first.valued.unwrap().to_string(), "2025-01-02");
    assert_eq!(statement.lines[1].code.as_deref(), Some("NCHG+808"));
    assert_eq!(statement.lines[2].references.end_to_end.as_deref(), Some("CAROL-7"));
    assert!(statement.lines[4].reversal && !first.reversal);
}

#[test]
fn a_swiss_file_is_read() {
    let statements = read(SWISS.as_bytes()).unwrap();
    let [statement] = &statements[..] else { panic!("one statement") };
    assert_eq!((statement.currency.code(), statement.opening.unwrap().amount_minor), ("CHF", 25_010));
    assert_eq!(
        gists(statement),
        [
            "2024-03-05 10000 Alice Meier (-): Rechnung 7 []",
            "2024-03-05 15000 Bob Keller (-):  [\"RF18 5390 0754 7034\"]",
            "2024-03-05 5000 Carol Frei (-):  []",
            "2024-03-05 1235 Dave & Söhne (12-3456-7): /RFB/rf45 g72u ur [\"RF45 G72U UR\"]",
        ]
    );
    assert_eq!(statement.lines[0].references.creditor, ["210000000003139471430009017"]);
    assert_eq!(statement.lines[0].references.bank.as_deref(), Some("240305CH0000001"));
    assert_eq!(statement.lines[3].references.transaction.as_deref(), Some("TX-9"));
}

#[test]
fn a_file_in_an_envelope_with_prefixes_is_read() {
    let statements = read(NORDIC.as_bytes()).unwrap();
    let [kronor, euro] = &statements[..] else { panic!("two statements") };
    assert_eq!(
        (kronor.opening.unwrap().amount_minor, kronor.closing.unwrap().amount_minor),
        (-1_000, 19_000)
    );
    assert_eq!(gists(kronor), ["2024-03-05 10000 - (-): Swish []"; 2]);
    assert_ne!(kronor.lines[0].key, kronor.lines[1].key, "alike, and two payments");
    assert_eq!((kronor.pending, kronor.informational), (0, 1));
    assert_eq!((euro.account.as_str(), euro.lines.len(), euro.is_proved()), ("5839-825 746 6", 0, false));
}

#[test]
fn every_version_is_read_and_no_other() {
    for version in 2..=13 {
        let file = GERMAN.replace("camt.053.001.02", &format!("camt.053.001.{version:02}"));
        assert_eq!(read(file.as_bytes()).unwrap().len(), 1, "{version}");
    }
    for version in ["01", "14", "2", "+2", "002", "08x", ""] {
        let namespace = format!("xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}\"");
        let error = fault("xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"", &namespace);
        assert_eq!(error, CamtError::Version(version.to_owned()));
    }
}

#[test]
fn encodings_are_read_as_they_say() {
    let marked = format!("\u{feff}{GERMAN}");
    assert_eq!(read(marked.as_bytes()), read(GERMAN.as_bytes()));
    let latin: Vec<u8> =
        GERMAN.replace("UTF-8", "ISO-8859-1").chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(read(&latin), read(GERMAN.as_bytes()));
    let undeclared: Vec<u8> = GERMAN.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert!(matches!(read(&undeclared), Err(BankError::Camt053 { error: CamtError::Encoding(_), .. })));
}

#[test]
fn money_is_exact_or_the_file_is_refused() {
    use CamtError::{Batch, Money, OtherCurrency, Statement as Sums, Value};
    let unbalanced =
        |expected_minor, found_minor| Sums(StatementError::Unbalanced { expected_minor, found_minor });
    for (from, to, error) in [
        (">25.00<", ">26.00<", unbalanced(105_750, 105_650)),
        (">1056.50<", ">1056.51<", unbalanced(105_650, 105_651)),
        ("<RvslInd>true</RvslInd>\n        <Sts>BOOK", "<Sts>PDNG", unbalanced(108_150, 105_650)),
        (">40.00<", ">40.01<", Batch { payments_minor: 6_001, entry_minor: 6_000 }),
        (">25.00<", ">25.001<", Money(MoneyError::Decimals, "Ntry/Amt")),
        (">25.00<", ">-25.00<", Money(MoneyError::Syntax, "Ntry/Amt")),
        (">25.00<", "><", Money(MoneyError::Syntax, "Ntry/Amt")),
        (">25.00<", ">9999999999999999999<", Money(MoneyError::TooLarge, "Ntry/Amt")),
        ("\"EUR\">25.00<", "\"USD\">25.00<", OtherCurrency("Ntry/Amt")),
        ("\"EUR\">25.00<", "\"EUX\">25.00<", Money(MoneyError::Currency, "Ntry/Amt")),
        ("<Ccy>EUR", "<Ccy>XAU", Money(MoneyError::Currency, "Acct/Ccy")),
        ("<CdtDbtInd>DBIT", "<CdtDbtInd>dbit", Value("Ntry/CdtDbtInd")),
        ("<RvslInd>true", "<RvslInd>yes", Value("Ntry/RvslInd")),
        ("<Sts>PDNG", "<Sts>PEND", Value("Ntry/Sts")),
        ("<Cd>PRCD", "<Cd>CLBD", CamtError::TwoBalances("CLBD")),
        (">25.00</Amt>", ">25.00</Amt><Amt Ccy=\"EUR\">25.00</Amt>", Value("Ntry/Amt")),
        ("<CdtDbtInd>DBIT<", "<CdtDbtInd>CRDT</CdtDbtInd><CdtDbtInd>DBIT<", Value("Ntry/CdtDbtInd")),
        ("<NbOfTxs>2", "<NbOfTxs>3", Value("NtryDtls/Btch/NbOfTxs")),
        // One payment of a batch does not get the money of all.
        (
            "NOTPROVIDED</EndToEndId></Refs>",
            "NOTPROVIDED</EndToEndId></Refs><Amt Ccy=\"EUR\">24.99</Amt>",
            Batch { payments_minor: 2_499, entry_minor: 2_500 },
        ),
    ] {
        assert_eq!(fault(from, to), error, "{from} to {to}");
    }
}

#[test]
fn what_a_statement_needs_is_there_or_the_file_is_refused() {
    for (from, to, place) in [
        ("<IBAN>DE89370400440532013000</IBAN>", "", "Acct/Id"),
        ("<Id>0352C5320241231220411</Id>", "<Id> </Id>", "Stmt/Id"),
        ("<Sts>BOOK</Sts>", "", "Ntry/Sts"),
        ("<Amt Ccy=\"EUR\">25.00</Amt>", "", "Ntry/Amt"),
        ("<Amt Ccy=\"EUR\">25.00</Amt>", "<Amt>25.00</Amt>", "Amt/@Ccy"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", "", "Ntry/CdtDbtInd"),
        ("<AmtDtls><TxAmt><Amt Ccy=\"EUR\">40.00</Amt></TxAmt></AmtDtls>", "", "TxDtls/Amt"),
        ("<Dt><Dt>2024-12-30</Dt></Dt>", "", "Bal/Dt"),
    ] {
        assert_eq!(fault(from, to), CamtError::Missing(place), "{from}");
    }
}

#[test]
fn an_error_says_where_it_is() {
    let file = GERMAN.replace("CCY", "").replace("Ccy=\"EUR\">60.00", "Ccy=\"EUR\">60.000001");
    let at = GERMAN.lines().position(|line| line.contains("Ccy=\"EUR\">60.00")).unwrap() + 1;
    let error = read(file.as_bytes()).unwrap_err();
    let BankError::Camt053 { statement: 1, entry: 3, line, .. } = error else { panic!("{error}") };
    // An entry is judged at its end.
    assert!((at..at + 24).contains(&usize::try_from(line).unwrap()), "{line}, {at}");
    assert!(error.to_string().contains("entry 3): Ntry/Amt: the amount is finer"), "{error}");
}

#[test]
fn document_types_and_entities_are_refused() {
    let laughs =
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;&lol;&lol;&lol;\">]>\n<Document";
    assert_eq!(fault("<Document", laughs), CamtError::Xml(XmlError::DocumentType));
    let outside = "<!DOCTYPE Document SYSTEM \"file:///etc/passwd\">\n<Document";
    assert_eq!(fault("<Document", outside), CamtError::Xml(XmlError::DocumentType));
    for entity in ["&lol;", "&nbsp;", "&#0;", "&#xD800;", "&#99999999999;"] {
        assert_eq!(fault("Dave Example", entity), CamtError::Xml(XmlError::Entity), "{entity}");
    }
    let five = GERMAN.replace("Dave Example", "&lt;&gt;&amp;&quot;&apos;&#68;&#x44;");
    assert_eq!(read(five.as_bytes()).unwrap()[0].lines[3].counterparty.as_deref(), Some("<>&\"'DD"));
}

#[test]
fn xml_has_bounds() {
    let deep = "<x>".repeat(weft_bank::DEPTH_MAX);
    assert_eq!(fault("<GrpHdr>", &deep), CamtError::Xml(XmlError::TooDeep));
    let deep = "<Nm>".repeat(weft_bank::DEPTH_MAX);
    assert_eq!(fault("<Nm>Dave", &deep), CamtError::Xml(XmlError::TooDeep));
    let long = format!("<GrpHdr a=\"{}\">", "x".repeat(weft_bank::TAG_BYTES_MAX));
    assert_eq!(fault("<GrpHdr>", &long), CamtError::Xml(XmlError::TagTooLong));
    let long = "x".repeat(weft_bank::ELEMENT_TEXT_BYTES_MAX + 1);
    assert_eq!(fault("Dave Example", &long), CamtError::Xml(XmlError::TextTooLong));
    let many = "<Ustrd/>".repeat(weft_bank::ELEMENTS_MAX);
    assert_eq!(fault("<Ustrd>für", &format!("{many}<Ustrd>")), CamtError::Xml(XmlError::TooManyElements));
    let many = format!("<Ustrd>{}</Ustrd>", "x".repeat(4_000)).repeat(5);
    assert_eq!(fault("<Ustrd>für den Sommer</Ustrd>", &many), CamtError::TextTooLong);
    assert_eq!(fault("<GrpHdr>", "<GrpHdr>&#32;</GrpHdr><z:GrpHdr>"), CamtError::Xml(XmlError::Prefix));
    assert!(matches!(fault("</GrpHdr>", "</GrpHd>"), CamtError::Xml(XmlError::Malformed(_))));
    let two = format!("{GERMAN}<Document/>");
    let error = read(two.as_bytes()).unwrap_err();
    assert!(
        matches!(error, BankError::Camt053 { error: CamtError::Xml(XmlError::OutsideRoot), .. }),
        "{error}"
    );
    assert_eq!(
        fault("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version=\"1.0\"?>camt?"),
        CamtError::Xml(XmlError::OutsideRoot)
    );
}

#[test]
fn no_more_payments_than_a_file_may_have() {
    let payment = "<TxDtls><Amt Ccy=\"EUR\">0</Amt></TxDtls>";
    let german = GERMAN.replace("<Btch><NbOfTxs>2</NbOfTxs></Btch>", "");
    let file = |count: usize| {
        german.replacen(
            "<TxDtls>\n            <Refs><EndToEndId>C",
            &format!("{}<TxDtls><Refs><EndToEndId>C", payment.repeat(count)),
            1,
        )
    };
    // There are six without them: four entries of one, and a batch of two.
    let most = read(file(weft_bank::LINES_MAX - 6).as_bytes()).unwrap();
    assert_eq!(most[0].lines.len() + 1, weft_bank::LINES_MAX, "one is pending");
    let error = read(file(weft_bank::LINES_MAX - 5).as_bytes()).unwrap_err();
    assert!(matches!(error, BankError::Camt053 { error: CamtError::TooManyLines, .. }), "{error}");
}
